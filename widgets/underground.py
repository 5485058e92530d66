"""Zone 1 of the London Underground: what of it a machine was told, and how it answers (lesson 18).

walk(machine, size=10)      # step through the questions; larger parts, other ones
"""

import functools
from typing import Annotated

import plotly.graph_objects as go
from torch import Generator

from lessons import dnc_tasks, graphs, underground
from lessons.arguments import Between, explained
from lessons.dnc import DNC
from lessons.errors import LessonError
from lessons.memory_trace import look
from widgets import theme
from widgets.explorer import Explorer, Index, Slider, Time

Stations = Annotated[int, Between(3, underground.ALL)]
Question = Annotated[int, Between(0, graphs.ASKED - 1)]
Whole = Annotated[int, Between(0)]
FEW = 24  # stations up to which all that were told are named
Hop = tuple[str, str, str, str]  # from, along which line, what is right, what was answered


@explained
def figure(machine: DNC, size: Stations = 10, seed: Whole = 0, question: Question = 0) -> theme.Figure:
    """All lines of the zone, those that were told in ink; one question's right way and, if wrong, the answer.

    The machine gets as many slots as it is told edges, if it has fewer. Raises LessonError for a machine that
    was not made to walk.
    """
    told, hops = walked(machine, size, seed)
    start, line, right, said = hops[question]
    good = sum(one[2] == one[3] for one in hops)
    mark = "right" if said == right else f"wrong; right is {right}"
    tokens = theme.tokens()
    named = {start, right, said} | ({name for pair in told for name in pair} if size <= FEW else set())
    return theme.figure(
        _edges("all lines", every(), tokens.rule, 3),
        _edges("told", told, tokens.soft, 3),
        _stations({name for pair in told for name in pair}, named),
        _hop("right", start, right, "o"),
        _hop("answered", start, said, "i" if said != right else "o"),
        title="Where does that line lead?",
        summary=f"Question {question + 1} of {len(hops)}: from {start}, {line}: {said}, {mark}. Told {size} "
        f"stations in {len(told)} edges; {good} of {len(hops)} answers are right.",
        height=theme.TOP + 56 + 560,
        margin={"t": theme.TOP + 14},
        xaxis={"range": [-5.6, 4.4], "title": {"text": "about km east of Charing Cross"}, "showgrid": False},
        yaxis={"range": [-3.5, 3.1], "title": {"text": "about km north"}, "showgrid": False},
    )


@explained
def walk(machine: DNC, size: Stations = 10) -> Explorer:
    """The picture above with a question, a part of the zone and its size to choose."""
    return Explorer(
        functools.partial(figure, machine),
        question=Time(maximum=graphs.ASKED - 1, label="question", pace=900),
        size=Slider(3, underground.ALL, size, 1, label="stations that are told"),
        seed=Index(999, 0, label="another part: seed"),
    )


def walked(machine: DNC, size: int, seed: int) -> tuple[list[tuple[str, str]], list[Hop]]:
    """The edges that a machine is told, as pairs of names, and its way through the questions."""
    task = dnc_tasks.problem(dnc_tasks.UNDERGROUND)
    if (task.inputs, task.outputs) != (machine.input_size, machine.readout.out_features):
        raise LessonError("This machine was not made to walk; take one that was taught traversal.")
    episode = underground.traversal(1, size, Generator(device="cpu").manual_seed(seed))
    steps = [graphs.INPUTS.read(x) for x in episode.x[0]]
    pairs = [
        (_name(step, "from, "), _name(step, "to, "))
        for step in steps
        if "from, tens" in step and "to, tens" in step
    ]
    seen = look(machine.resized(max(machine.slots, len(steps))), episode.x)
    hops, place = [], ""
    for at in episode.asked.nonzero().flatten().tolist():
        start = _name(steps[at], "from, ") if "from, tens" in steps[at] else place
        place = underground.answer(episode.target[0, at] - 0.5)
        line = f"{steps[at]['line']} {steps[at]['way']}"
        hops.append((start, line, place, underground.answer(seen.logits[0, at])))
    return pairs, hops


def every() -> list[tuple[str, str]]:
    """All edges of the zone, as pairs of names."""
    names = underground.stations()
    return [(names[int(edge.start)], names[int(edge.end)]) for edge in underground.zone()]


def _name(words: dict[str, str], field: str) -> str:
    return underground.stations()[int(words[f"{field}tens"] + words[f"{field}ones"])]


def _edges(name: str, pairs: list[tuple[str, str]], colour: str, width: float) -> go.Scatter:
    """Each pair of stations once, as a line."""
    places, x, y = underground.places(), [], []
    for a, b in sorted({tuple(sorted(pair)) for pair in pairs}):
        x += [places[a][0], places[b][0], None]
        y += [places[a][1], places[b][1], None]
    return go.Scatter(
        x=x, y=y, mode="lines", name=name, hoverinfo="skip", line={"color": colour, "width": width}
    )


def _stations(told: set[str], named: set[str]) -> go.Scatter:
    places, tokens = underground.places(), theme.tokens()
    known = [name for name in places if name in told or name in named]
    middle = sum(places[name][0] for name in known) / len(known)
    return go.Scatter(
        x=[places[name][0] for name in known], y=[places[name][1] for name in known], mode="markers+text",
        name="stations", text=[theme.escape(name) if name in named else "" for name in known],
        customdata=[theme.escape(name) for name in known],
        textposition=[f"middle {'left' if places[name][0] < middle else 'right'}" for name in known],
        textfont={"size": 11, "color": tokens.ink},
        marker={"size": 9, "color": tokens.card, "line": {"width": 2, "color": tokens.ink}},
        hovertemplate="%{customdata}<extra></extra>",
    )  # fmt: skip


def _hop(name: str, start: str, end: str, colour: str) -> go.Scatter:
    """An arrow from one station to another."""
    places = underground.places()
    (x, y), (to_x, to_y) = places[start], places.get(end, places[start])
    return go.Scatter(
        x=[x, to_x], y=[y, to_y], mode="lines+markers", name=name, hoverinfo="skip",
        line={"color": theme.colour(colour), "width": 4, "dash": "solid" if colour == "o" else "dash"},
        marker={"symbol": "arrow", "angleref": "previous", "size": [0, 18], "color": theme.colour(colour)},
    )  # fmt: skip
