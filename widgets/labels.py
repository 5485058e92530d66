"""Lesson 09's charts: what tables and networks get right, how long it pays to wait, who cheats.

context(data)                      # tables of windows, no network: past, future, both
scores(tasks)                      # networks of equally many weights beside the tables
patience(tasks)                    # labels given k signs late
leaks(lesson.leak(…) by network)   # a language model that reads ahead
"""

from collections.abc import Mapping, Sequence
from typing import Annotated

import plotly.graph_objects as go

from lessons import bidirectional as lesson
from lessons import labelled
from lessons.arguments import Between, Count, explained
from lessons.errors import LessonError
from lessons.labelled import Labelled
from lessons.tagging import BACKWARD, BOTH, FORWARD, Tagging
from widgets import theme

COLOURS = {FORWARD: "f", BACKWARD: "i", BOTH: "ink"}
DASHES = {FORWARD: "solid", BACKWARD: "dash", BOTH: "solid"}
SIDES = {FORWARD: (1, 0), BACKWARD: (0, 1), BOTH: (1, 1)}  # what a table of windows sees, for each direction
Wait, Bits = Annotated[int, Between(0)], Annotated[float | int, Between(0)]
SAID = {FORWARD: "the past", BACKWARD: "the future", BOTH: "both"}


@explained
def context(data: Labelled, most: Count = 4) -> theme.Figure:
    """What tables of windows get right, by how many signs of the past, of the future or of both they see."""
    sizes = list(range(most + 1))
    shares = {
        way: [100 * labelled.window(data, left * k, right * k)[0] for k in sizes]
        for way, (left, right) in SIDES.items()
    }
    summary = (
        f"The {data.sign} alone: {shares[BOTH][0]:.1f} % right. With {most} more on one side: the past "
        f"{shares[FORWARD][-1]:.1f} %, the future {shares[BACKWARD][-1]:.1f} %; {most} on both sides "
        f"{shares[BOTH][-1]:.1f} %."
    )
    return _lines(
        sizes, shares, f"Which side tells more about a {data.sign}?", summary,
        x=f"{data.sign}s seen on a side, besides its own", y=f"{data.sign}s labelled right, %",
    )  # fmt: skip


@explained
def scores(tasks: Mapping[str, Tagging], part: str = "valid") -> theme.Figure:
    """The share of signs and of whole sequences that each network labels right, beside tables of windows."""
    _named(tasks)
    data = next(iter(tasks.values())).data
    rows = [
        ("commonest", labelled.window(data, 0, 0, part), "soft"),
        ("table ±2", labelled.window(data, 2, 2, part), "soft"),
    ]
    for way, task in tasks.items():
        _, signs, items = task.evaluate(part).values()
        rows.append((SAID[way], (signs, items), COLOURS[way]))
    best = max(rows[2:], key=lambda row: row[1][0])
    alone = {name: values for name, values, _ in rows}
    summary = (
        f"{best[0].capitalize()}: {100 * best[1][0]:.1f} % of {data.sign}s and {100 * best[1][1]:.1f} % of "
        f"{data.item}s right. A table of two on each side: {100 * alone['table ±2'][0]:.1f} % and "
        f"{100 * alone['table ±2'][1]:.1f} %."
    )
    names, tokens = [name for name, _, _ in rows], theme.tokens()
    colours = [theme.colour(colour) if colour != "soft" else tokens.edge for _, _, colour in rows]
    panels = [
        go.Bar(
            x=names, y=[100 * values[k] for _, values, _ in rows], marker={"color": colours}, width=0.62,
            text=[f"{100 * values[k]:.1f}" for _, values, _ in rows], textposition="outside",
            cliponaxis=False, xaxis="x" if k == 0 else "x2", yaxis="y" if k == 0 else "y2",
            hovertemplate="%{x}: %{y:.1f} %<extra></extra>",
        )
        for k in (0, 1)
    ]  # fmt: skip
    across = {"tickangle": 0, "showgrid": False}
    return theme.figure(
        *panels, title="Which networks need to see the other side?", summary=summary,
        height=theme.TOP + 56 + 320, margin={"t": theme.TOP + 16},
        xaxis={**across, "domain": [0, 0.46]}, xaxis2={**across, "domain": [0.56, 1], "anchor": "y2"},
        yaxis={"range": [0, 105], "title": {"text": f"{data.sign}s right, %"}},
        yaxis2={"range": [0, 105], "anchor": "x2", "title": {"text": f"{data.item}s right, %"}},
    )  # fmt: skip


@explained
def patience(tasks: Mapping[str, Tagging], waits: Sequence[Wait] = (0, 1, 2, 3, 4, 5)) -> theme.Figure:
    """The share of labels that are right when each is given so many signs after its own has come in."""
    _named(tasks, FORWARD, BOTH)
    found = {way: lesson.waiting(task, tuple(waits)) for way, task in tasks.items()}
    data = next(iter(tasks.values())).data
    shares = {way: [100 * share[str(wait)] for wait in waits] for way, share in found.items()}
    told = found[BOTH]
    summary = (
        f"Both ways, answering at once: {100 * told[str(waits[0])]:.1f} % right, forward only "
        f"{100 * found[FORWARD][str(waits[0])]:.1f} %. After {waits[-1]} more {data.sign}s "
        f"{100 * told[str(waits[-1])]:.1f} %, at the end {100 * told['all']:.1f} %."
    )
    return _lines(
        list(waits), shares, "What does an answer gain by waiting?", summary,
        x=f"{data.sign}s waited for before a label is given", y="labels right, %",
    )  # fmt: skip


@explained
def leaks(found: Mapping[str, Mapping[str, float]], uniform: Bits, sign: str = "letter") -> theme.Figure:
    """Bits per sign of language models by direction: as trained, and where the future is not there yet.

    found: what lessons.bidirectional.leak gives, by direction. uniform: bits of who knows nothing.
    """
    _named(found)
    if any(len(bits) != 2 for bits in found.values()):
        raise LessonError("Give what lessons.bidirectional.leak returns, by direction.")
    ways, kinds = list(found), list(next(iter(found.values())))
    tokens = theme.tokens()
    bars = [
        go.Bar(x=[SAID[way] for way in ways], y=[found[way][kind] for way in ways], name=kind, width=0.36,
               offset=(k - 1) * 0.38, marker={"color": (tokens.o, tokens.g)[k]},
               text=[f"{kind}<br>{found[way][kind]:.2f}" for way in ways], textposition="outside",
               cliponaxis=False, hovertemplate="%{x}: %{y:.2f} bits<extra></extra>")
        for k, kind in enumerate(kinds)
    ]  # fmt: skip
    told = " ".join(
        f"Reading {SAID[way]}: {found[way][kinds[0]]:.2f} bits with what follows there, "
        f"{found[way][kinds[1]]:.2f} without what follows." for way in ways
    )  # fmt: skip
    top = 1.25 * max(uniform, *(value for values in found.values() for value in values.values()))
    return theme.figure(
        *bars, title="Who has read the answer?", summary=told,
        y=f"bits per next {theme.escape(sign)}", x="the network has read",
        height=theme.TOP + 56 + 320, margin={"r": 120},
        shapes=[{"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": uniform, "y1": uniform,
                 "line": {"color": tokens.soft, "width": 1.5, "dash": "dash"}}],
        annotations=[_end("uniform guess", uniform, tokens.soft)],
        xaxis={"showgrid": False}, yaxis={"range": [0, top]},
    )  # fmt: skip


def _named(found: Mapping[str, object], *needed: str) -> None:
    """Raise LessonError unless the names are those of directions, the needed ones among them."""
    if not found or not set(needed) <= set(found) <= set(SAID):
        there = f"{', '.join(found) or 'nothing'} was given"
        raise LessonError(f"Give networks by direction ({', '.join(needed or SAID)}); {there}.")


def _lines(
    sizes: list[int], shares: Mapping[str, list[float]], title: str, summary: str, **axes: str
) -> theme.Figure:
    traces = [
        go.Scatter(x=sizes, y=values, mode="lines+markers", name=SAID[way],
                   line={"color": theme.colour(COLOURS[way]), "width": 2.4, "dash": DASHES[way]},
                   hovertemplate=f"{SAID[way]}: %{{y:.1f}} %<extra></extra>")
        for way, values in shares.items()
    ]  # fmt: skip
    low = min(min(values) for values in shares.values())
    ends = sorted(((values[-1], way) for way, values in shares.items()))
    notes, least = [], 0.06 * (104 - low)
    for value, way in ends:
        at = max(value, notes[-1]["y"] + least) if notes else value
        notes.append(_end(SAID[way], at, theme.colour(COLOURS[way])))
    return theme.figure(
        *traces, title=title, summary=summary, height=theme.TOP + 56 + 320, margin={"r": 100},
        annotations=notes, xaxis={"dtick": 1, "range": [sizes[0] - 0.1, sizes[-1] + 0.1]},
        yaxis={"range": [max(0, low - 4), 102]}, **axes,
    )  # fmt: skip


def _end(text: str, y: float, colour: str) -> dict:
    return {
        "text": text, "x": 1, "xref": "paper", "xanchor": "left", "xshift": 8, "y": y, "showarrow": False,
        "font": {"size": 13, "color": colour},
    }  # fmt: skip
