"""Gate pictures show the trace's own numbers, with names and safe text; the explorer walks through them."""

import itertools
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from lessons import trace as traced
from lessons.errors import LessonError
from tests.traces import made
from widgets import explorer, gates, theme


@pytest.mark.parametrize(
    "cell, name", [("lstm", "f"), ("lstm", "c"), ("gru", "z"), ("gru", "q"), ("rnn", "h")]
)
def test_the_map_holds_the_traces_values(cell, name):
    trace = made(cell)
    heat = gates.figure(trace, name).data[0]
    assert np.array_equal(heat.z, trace[name][0].T.numpy())
    assert heat.z.dtype == np.float32
    assert (heat.zmin, heat.zmax) == ((0, 1) if name in gates.OPEN else (-heat.zmax, heat.zmax))


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_lanes_hold_every_gate_and_state_of_one_unit(cell):
    trace = made(cell)
    picture = gates.figure(trace, "h", unit=3)
    lanes = picture.data[1:]
    assert len(lanes) == len(trace.names)
    for name, lane in zip(trace.names, lanes, strict=True):
        assert np.array_equal(lane.y, trace[name][0, :, 3].numpy())
        assert lane.marker.color == theme.colour(name)


def test_layer_direction_and_sequence_are_those_asked_for():
    trace = made(layers=2, directions=2, batch=2)
    heat = gates.figure(trace, "o", layer=0, direction=1, sequence=1).data[0]
    assert np.array_equal(heat.z, trace["o", 0, 1][1].T.numpy())


def test_only_a_shape_and_the_summary_move_with_the_step():
    trace = made(text="To be, or no")
    first, second = (gates.figure(trace, "f", unit=1, step=step) for step in (2, 9))
    for old, new in zip(first.data, second.data, strict=True):
        assert not explorer.changes(old.to_plotly_json(), new.to_plotly_json())
    assert (second.layout.shapes[0].x0, second.layout.shapes[0].x1) == (8.5, 9.5)
    left, right = (figure.layout.to_plotly_json() for figure in (first, second))
    moved = {path.split(".")[0] for path in explorer.changes(left, right)}
    assert moved == {"shapes", "title", "meta"}


def test_the_summary_is_computed():
    trace = made("lstm", steps=12, hidden=5)
    trace.layers[0][0]["f"][:] = 0.5
    trace.layers[0][0]["f"][..., 2] = 0.95
    assert "1 of 5 forget gates stay above 0.9 for all 12 steps" in gates.figure(trace, "f").summary
    assert "stays above 0.9 for 12 of 12 steps" in gates.figure(trace, "f", unit=2).summary
    assert "f\N{NO-BREAK SPACE}0.95" in gates.figure(trace, "f", unit=2).summary


def test_axes_have_names_and_units():
    picture = gates.figure(made(), "c")
    assert picture.layout.xaxis.title.text == "time step (12 steps)"
    assert picture.layout.yaxis.title.text == "unit"
    assert "character" in gates.figure(made(text="abcdefghijkl"), "c").layout.xaxis.title.text


def test_characters_are_shown_and_escaped():
    picture = gates.figure(made(text="<b> \n&xyz<i>"), "c")
    assert picture.layout.xaxis.ticktext[0] == "&lt;"
    assert "<b>" not in picture.to_json().replace("<b>What", "").replace("</b>", "").replace("<br>", "")


def test_ticks_thin_out_and_never_touch():
    text = "the quick brown fox jumps over the lazy dog " * 5
    places, words = gates.ticks(tuple(text), len(text), 540)
    pixels = 540 / len(text)
    ends = [
        (place * pixels - len(word) * 3.6, place * pixels + len(word) * 3.6)
        for place, word in zip(places, words, strict=True)
    ]
    assert len(places) > 5
    assert all(right < left for (_, right), (left, _) in itertools.pairwise(ends))


def test_long_traces_are_thinned():
    picture = gates.figure(made(steps=12_000, hidden=40), "c", unit=0)
    assert picture.data[0].z.size <= gates.CELLS * 1.01
    assert all(len(lane.y) <= gates.POINTS for lane in picture.data[1:])


@pytest.mark.parametrize(
    "wrong", [{"step": 12}, {"step": -1}, {"unit": 5}, {"name": "z"}, {"layer": 3}, {"sequence": 1}]
)
def test_what_is_not_there_is_refused_with_a_sentence(wrong):
    with pytest.raises(LessonError):
        gates.figure(made(), **{"name": "c", **wrong})


def test_the_explorer_offers_what_the_trace_has():
    plain = gates.explore(made())
    assert list(plain.value()) == ["step", "name", "unit"]
    rich = gates.explore(made("gru", layers=2, directions=2, batch=2, text="abcdefghijkl"))
    assert list(rich.value()) == ["step", "name", "unit", "layer", "direction", "sequence"]
    rich.value(name="z", unit=4, layer=0, direction=1, sequence=1, step=11)
    assert rich.message == ""
    assert "Step 11, “l”" in rich.summary
    for one in (plain, rich):
        one.close()


def test_a_click_on_the_map_chooses_the_unit():
    one = gates.explore(made())
    one._click(one.canvas.data[0], SimpleNamespace(point_inds=[[3, 7]]), None)
    assert one.value()["unit"] == 3
    one.close()


def test_explore_without_text_asks_for_it():
    with pytest.raises(LessonError, match="text"):
        gates.explore(object())


def test_a_network_that_has_blown_up_leaves_a_picture():
    seen = traced(torch.nn.LSTM(2, 3, batch_first=True), torch.full((1, 4, 2), float("nan")))
    assert gates.figure(seen, "c").layout.height and gates.figure(seen, "c", unit=1).summary
