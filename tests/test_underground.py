"""The map of lesson 18: the edges that were told, the way that is right, and what a machine answers."""

import numpy as np
import pytest
import torch
from torch import Generator

from lessons import dnc_tasks, underground
from lessons.dnc import DNC
from lessons.errors import LessonError
from lessons.memory_trace import look
from widgets import theme
from widgets import underground as pictures


@pytest.fixture(scope="module")
def machine():
    torch.manual_seed(2)
    return DNC(underground.INPUTS.size, underground.OUTPUTS.size, hidden_size=8, slots=6, width=5).eval()


@pytest.fixture(autouse=True)
def light():
    yield
    theme.use("light")


def named(figure, name):
    return next(trace for trace in figure.data if trace.name == name)


def test_every_station_has_a_place_and_neighbours_are_near():
    places = underground.places()
    assert set(places) == set(underground.stations())
    for a, b in pictures.every():
        assert np.hypot(*np.subtract(places[a], places[b])) < 3, (a, b)
    assert places["Paddington"][0] < places["Charing Cross"][0] == 0 < places["Aldgate"][0]
    assert places["Vauxhall"][1] < places["Euston"][1]


def test_the_way_is_the_walk_of_the_task(machine):
    edges, hops = pictures.walked(machine, 7, 4)
    one = underground.traversal(1, 7, Generator().manual_seed(4))
    lines = {(a, b) for a, b in pictures.every()}
    assert set(edges) <= lines and len({name for pair in edges for name in pair}) == 7
    assert [hop[2] for hop in hops] == [underground.answer(target) for target in one.target[0, one.asked]]
    assert all((start, right) in set(edges) for start, _, right, _ in hops)
    seen = look(machine.resized(len(one.x[0])), one.x)
    assert [hop[3] for hop in hops] == [underground.answer(logits) for logits in seen.logits[0, one.asked]]


def test_the_picture_shows_it(machine):
    edges, hops = pictures.walked(machine, 7, 4)
    figure, places = pictures.figure(machine, 7, 4, 2), underground.places()
    start, line, right, said = hops[2]
    arrow = named(figure, "right")
    assert (arrow.x[1], arrow.y[1]) == places[right] and (arrow.x[0], arrow.y[0]) == places[start]
    assert sum(x is None for x in named(figure, "told").x) == len({frozenset(pair) for pair in edges})
    assert sum(x is None for x in named(figure, "all lines").x) == len(
        {frozenset(p) for p in pictures.every()}
    )
    good = sum(hop[2] == hop[3] for hop in hops)
    assert f"from {start}, {line}: {said}" in figure.summary and f"{good} of 8 answers" in figure.summary
    assert (f"right is {right}" in figure.summary) == (said != right)
    names = {name for pair in edges for name in pair}
    assert names <= set(named(figure, "stations").text)


def test_controls_and_refusals(machine):
    explorer = pictures.walk(machine, 5)
    explorer.value(question=7, size=9, seed=3)
    assert "Question 8 of 8" in explorer.summary and "Told 9 stations" in explorer.summary
    other = dnc_tasks.problem(dnc_tasks.SENTENCES)
    for wrong in (
        lambda: pictures.figure(machine, 2),
        lambda: pictures.figure(machine, 66),
        lambda: pictures.figure(machine, question=8),
        lambda: pictures.walk("machine"),
        lambda: pictures.walk(DNC(other.inputs, other.outputs, hidden_size=4)),
    ):
        with pytest.raises(LessonError):
            wrong()


def test_the_whole_zone_in_the_dark(machine):
    theme.use("dark")
    figure = pictures.figure(machine, underground.ALL, 0, 0)
    assert "Told 65 stations in 250 edges" in figure.summary and figure.layout.meta["title"].endswith("?")
    assert figure.layout.xaxis.title.text and figure.layout.yaxis.title.text
    assert 1 < sum(bool(name) for name in named(figure, "stations").text) <= 3
