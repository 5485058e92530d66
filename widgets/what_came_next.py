"""The cells after the LSTM side by side (lesson 20): what they keep, and what they can do.

beside({"LSTM": trace, "minLSTM": trace})       # the same sequence through each, gates and states
who_can()                                       # cells by tasks, from the ledger
"""

import functools
from collections.abc import Mapping
from typing import Annotated

import numpy as np
import plotly.graph_objects as go

from lessons import cell_study, claims, sources
from lessons.arguments import Between, explained
from lessons.errors import LessonError
from lessons.tracing import Trace
from widgets import gates, theme
from widgets.explorer import Explorer, Pick, Time

MOST = 4  # networks that the picture has room for
KEEPS, ENTERS, HOLDS = "keeps", "lets in", "holds"
ROWS = {KEEPS: ("f", "z"), ENTERS: ("i", "d", "key"), HOLDS: ("c", "h")}  # the first that a cell has
HEIGHT = 170  # of a row of maps
ASKED = {
    "latch": "every-cell-latches",
    "copy": "new-cells-copy-as-well",
    "selective copy": "new-cells-leave-out-as-well",
    "recall": "a-matrix-recalls-more",
    "parity": "parity-needs-feedback",
    "bracket depth": "depth-needs-feedback",
    "characters": "new-cells-read-as-well",
}
Whole = Annotated[int, Between(0)]


@explained
def figure(traces: Mapping[str, Trace], step: Whole = 0, layer: int = -1) -> theme.Figure:
    """What each network keeps, lets in and holds at every step of one sequence: a column a network.

    Rows of a map are units. Gates run from 0 to 1 (a step size from 0 upwards), states round 0. Where a cell
    has no such gate, as sLSTMs have all and linear attention has none to keep, its place is empty.
    Raises LessonError for no network, more than four, or sequences that differ in length.
    """
    if not 1 <= len(traces) <= MOST or len({seen.steps for seen in traces.values()}) != 1:
        raise LessonError(f"From one to {MOST} traces of one and the same sequence have room here.")
    steps = next(iter(traces.values())).steps
    if step >= steps:
        raise LessonError(f"There is no step {step}; this sequence has the steps 0 to {steps - 1}.")
    maps, axes, notes = [], {}, []
    for column, (name, seen) in enumerate(traces.items()):
        for row, role in enumerate(ROWS):
            part = shown(seen, role)
            place = 1 + row * len(traces) + column
            axes |= _axes(place, row, column, len(traces), seen)
            notes.append(_heading(place, row, name, role, part))
            if part is not None:
                maps.append(_map(seen, part, layer, place, name))
    return theme.figure(
        *maps,
        title="The same text, three rows of units a network" if len(traces) > 1 else "What the units do",
        summary=told(traces, step, layer),
        height=theme.TOP + 56 + HEIGHT * len(ROWS),
        margin={"l": 58, "r": 24, "t": theme.TOP + 14},
        annotations=notes,
        shapes=[_cursor(step, 1 + place) for place in range(len(traces) * len(ROWS))],
        **axes,
    )


@explained
def beside(traces: Mapping[str, Trace]) -> Explorer:
    """The picture above with a step and a layer to choose."""
    if not traces:
        raise LessonError("There is no trace to look at; hand in several by their networks' names.")
    first = next(iter(traces.values()))
    texts = tuple(map(theme.glyph, first.labels[0])) if first.vocabulary else None
    controls = {"step": Time(maximum=first.steps - 1, label="time step", texts=texts)}
    depth = min(seen.num_layers for seen in traces.values())
    if depth > 1:
        controls["layer"] = Pick({str(k): k for k in range(depth)}, depth - 1, label="layer")
    return Explorer(functools.partial(figure, traces), **controls)


def shown(seen: Trace, role: str) -> str | None:
    """The quantity that plays a part in a cell; None where none does."""
    return next((name for name in ROWS[role] if name in seen.names), None)


def told(traces: Mapping[str, Trace], step: int, layer: int = -1) -> str:
    """How much each network keeps on average, and at the step."""
    said = []
    for name, seen in traces.items():
        part = shown(seen, KEEPS)
        if part is not None:
            kept = seen.numpy(part, layer)
            said.append(f"{name} {kept[step].mean():.2f} ({kept.mean():.2f})")
    first = next(iter(traces.values()))
    at = f", “{theme.glyph(first.labels[0][step])}”" if first.vocabulary else ""
    if not said:
        return f"Step {step}{at}; none of these cells has a gate that keeps."
    return f"Kept at step {step}{at}, mean over units (over all steps in brackets): {', '.join(said)}."


def _map(seen: Trace, part: str, layer: int, place: int, name: str) -> go.Heatmap:
    values = seen.numpy(part, layer)
    gate = part in gates.OPEN or part == "d"
    limit = float(np.quantile(np.abs(values), 0.99)) or 1.0
    top = 1.0 if part in gates.OPEN else limit
    return go.Heatmap(
        z=np.ascontiguousarray(values.T), zmin=0.0 if gate else -top, zmax=top, showscale=False, name=name,
        colorscale=theme.scale(theme.UNIT_SCALE if gate else theme.SIGNED_SCALE), xaxis=_axis("x", place),
        yaxis=_axis("y", place),
        hovertemplate=f"unit %{{y}}, step %{{x}}<br>{gates.words(part)} %{{z:.3f}}<extra>{name}</extra>",
    )  # fmt: skip


def _axes(place: int, row: int, column: int, columns: int, seen: Trace) -> dict[str, dict]:
    width, gap, rows = 1 / columns, 0.035, len(ROWS)
    labels = seen.labels[0] if seen.vocabulary else ()
    places, texts = gates.ticks(tuple(labels), seen.steps, 820 // columns)
    last = row == rows - 1
    return {
        _axis("xaxis", place): {
            "domain": [column * width + gap / 2, (column + 1) * width - gap / 2], "anchor": _axis("y", place),
            "range": [-0.5, seen.steps - 0.5], "showgrid": False, "tickvals": places if last else [],
            "ticktext": texts, "tickangle": 0, "ticks": "",
            "title": {"text": ("character read" if labels else "time step") if last else ""},
        },
        _axis("yaxis", place): {
            "domain": [1 - (row + 0.82) / rows, 1 - row / rows], "anchor": _axis("x", place),
            "range": [seen.hidden_size - 0.5, -0.5], "showgrid": False, "nticks": 3,
            "title": {"text": "unit" if column == 0 else ""},
        },
    }  # fmt: skip


def _heading(place: int, row: int, name: str, role: str, part: str | None) -> dict:
    what = f"{role}: {gates.words(part)}" if part else f"{role}: no such gate"
    return {
        "text": f"<b>{theme.escape(name)}</b> {what}" if row == 0 else what, "x": 0, "y": 1,
        "xref": _axis("x", place) + " domain", "yref": _axis("y", place) + " domain", "xanchor": "left",
        "yanchor": "bottom", "showarrow": False, "font": {"size": 13, "color": theme.tokens().ink},
    }  # fmt: skip


def _cursor(step: int, place: int) -> dict:
    return {
        "type": "line", "xref": _axis("x", place), "yref": _axis("y", place) + " domain", "x0": step,
        "x1": step, "y0": 0, "y1": 1, "line": {"color": theme.tokens().mark, "width": 2},
    }  # fmt: skip


@explained
def who_can(results: Mapping[str, claims.Result] | None = None) -> theme.Figure:
    """Cells by tasks: the mean over the seeds of each claim of the lesson, lowest and highest below it.

    Shares of right answers, but bits per character for the characters. Colours compare within a column: the
    best cell of a task is at one end, the worst at the other. results: by task; the ledger's, if None.
    Raises LessonError if there is none.
    """
    results = kept() if results is None else results
    if not results:
        raise LessonError(
            "No claim of this lesson stands in the ledger yet; `python -m lessons claim` runs them."
        )
    cells = list(cell_study.CELLS)
    spread = {task: result.spread[measured(result)] for task, result in results.items()}
    means = np.array([[spread[task][cell]["mean"] for task in spread] for cell in cells])
    better = means.copy()
    for column, task in enumerate(spread):
        if task == cell_study.CHARACTERS:
            better[:, column] *= -1
    span = np.ptp(better, axis=0)
    shade = (better - better.min(0)) / np.where(span > 0, span, 1)
    notes = [
        _entry(spread[task][cell], column, row, float(shade[row, column]))
        for column, task in enumerate(spread) for row, cell in enumerate(cells)
    ]  # fmt: skip
    best = {task: cells[int(better[:, column].argmax())] for column, task in enumerate(spread)}
    heads = [f"{task}<br>({'bits' if task == cell_study.CHARACTERS else 'share right'})" for task in spread]
    return theme.figure(
        go.Heatmap(z=shade, x=list(range(len(heads))), y=list(range(len(cells))), zmin=0, zmax=1, xgap=2,
                   ygap=2, showscale=False, colorscale=theme.scale(theme.UNIT_SCALE), hoverinfo="skip"),
        title="Who can do what?",
        summary="Best in the mean: " + ", ".join(f"{task} {cell}" for task, cell in best.items()) + ".",
        x="task",
        y="cell",
        height=theme.TOP + 84 + 56 * len(cells),
        margin={"l": 150, "b": 84},
        annotations=notes,
        xaxis={"tickvals": list(range(len(heads))), "ticktext": heads, "showgrid": False, "ticks": ""},
        yaxis={"tickvals": list(range(len(cells))), "ticktext": cells, "showgrid": False, "ticks": "",
               "range": [len(cells) - 0.5, -0.5]},
    )  # fmt: skip


def kept() -> dict[str, claims.Result]:
    """The results of this lesson that stand in the ledger, by task."""
    folder = sources.data_folder() / "claims"
    return {task: claims.load(name) for task, name in ASKED.items() if (folder / f"{name}.json").is_file()}


def measured(result: claims.Result) -> str:
    """The measure of a claim that all cells have."""
    return next(name for name, found in result.spread.items() if set(cell_study.CELLS) <= set(found))


def _entry(found: Mapping[str, float], column: int, row: int, shade: float) -> dict:
    low, high = (f"{found[end]:.2f}" for end in ("low", "high"))
    return {
        "text": f"<b>{found['mean']:.2f}</b><br>{low} – {high}", "x": column, "y": row, "showarrow": False,
        "font": {"size": 12, "color": "#1b1f24" if shade > 0.55 else "#ffffff"},
    }  # fmt: skip


def _axis(name: str, place: int) -> str:
    """An axis as plotly numbers it: the first has no number."""
    return name if place == 1 else f"{name}{place}"
