"""All gates and states over time: of every unit as a map, of one unit as a score of lanes.

seen = trace(model, "To be, or not to be")
gates.figure(seen, "f")                 # every forget gate, a pure picture
gates.explore(seen)                     # the same with controls
gates.microscope(model, "To be, or")    # without a kernel in the way, and with gates to hold
"""

import functools
import math
import re

import numpy as np
import plotly.graph_objects as go

from lessons import tracing
from lessons.arguments import explained, shown
from lessons.errors import LessonError
from widgets import theme
from widgets.explorer import Explorer, Index, Pick, Time
from widgets.microscope import microscope

__all__ = ["explore", "figure", "microscope", "ticks", "words"]

WORDS = {
    "i": "input gate", "f": "forget gate", "g": "candidate", "o": "output gate", "c": "cell state",
    "h": "hidden state", "z": "update gate", "r": "reset gate", "n": "candidate", "q": "recurrent candidate",
    "d": "step size", "norm": "normaliser", "key": "key", "query": "query", "value": "value",
}  # fmt: skip
OPEN = ("i", "f", "o", "r", "z")  # these run from 0 (shut) to 1 (open); the others have a sign
LENGTHS = ("d",)  # but for these, which run from 0 upwards
QUESTIONS = {
    "f": "Which units keep what they hold?", "i": "Which units let something in?",
    "o": "Which units show what they hold?", "c": "What do the cells hold?",
    "h": "What does the layer say?", "g": "What is on offer to the cells?",
    "z": "Which units keep what they hold?", "r": "Which units look at their past?",
    "n": "What is on offer to the units?", "q": "What does the past put on offer?",
    "d": "How long a step does each unit take?", "norm": "How much has each unit stored?",
    "key": "Where in the memory is it written?", "query": "What is the memory asked for?",
    "value": "What is written?",
}  # fmt: skip
CELLS = 250_000  # most cells a map has
POINTS = 5_000  # most points a lane has
LANE = 62  # height of a lane in pixels
CAPTION = 26  # height of the line above the map
MAP = 180  # height of the map below the lanes
ROOM = 540  # width in pixels for which tick labels are thinned
LETTER = 7.3  # width of one of its letters


@explained
def figure(
    trace: tracing.Trace,
    name: str = "c",
    unit: int | None = None,
    step: int = 0,
    layer: int = -1,
    sequence: int = 0,
    direction: int = 0,
) -> theme.Figure:
    """One quantity of all units over time, or all gates and states of one `unit`; a frame marks `step`.

    `name` is a gate or state of the trace ("f", "c", "z", …). Rows of the map are units, columns are steps,
    labelled by the characters where the trace knows them. A pure function of its arguments and the theme.
    """
    values = trace.numpy(name, layer, direction, sequence)
    steps, units = values.shape
    if not 0 <= step < steps:
        raise LessonError(f"There is no step {step}; this sequence has the steps 0 to {steps - 1}.")
    if unit is not None and not 0 <= unit < units:
        raise LessonError(f"There is no unit {unit}; this layer has the units 0 to {units - 1}.")
    labels = _characters(trace, sequence)
    if unit is None:
        return _all(values, name, step, labels[:steps])
    lanes = {lane: trace.numpy(lane, layer, direction, sequence)[:, unit] for lane in trace.names}
    return _one(values, lanes, name, unit, step, labels[:steps])


@explained
def explore(
    seen: "tracing.Trace | object", text: str | None = None, name: str | None = None, unit: int | None = None
) -> Explorer:
    """Walk through a trace: pick a gate or state, one unit or all of them, and move along the time axis.

    Takes a trace, or a model and the text to run it on. A click on a row of the map chooses that unit.
    Keys: ← → move, Home goes to the start, space plays, digits choose the gate.
    """
    trace = seen if isinstance(seen, tracing.Trace) else tracing.trace(seen, _required(text))
    first = name or ("c" if "c" in trace.names else "h")
    texts = tuple(map(theme.glyph, _characters(trace, 0))) if _alone(trace) else None
    controls = {
        "step": Time(maximum=trace.steps - 1, label="time step", texts=texts or None),
        "name": Pick({words(key): key for key in trace.names}, first, label="show"),
        "unit": Index(trace.hidden_size - 1, unit, all="all units", label="unit"),
    }
    if trace.num_layers > 1:
        layers = {f"{k}": k for k in range(trace.num_layers)}
        controls["layer"] = Pick(layers, trace.num_layers - 1, label="layer")
    if trace.num_directions > 1:
        controls["direction"] = Pick({"forward": 0, "backward": 1}, 0, label="direction")
    if not _alone(trace):
        controls["sequence"] = Pick(_sequences(trace), 0, label="sequence")
    return Explorer(functools.partial(figure, trace), clicked=_row, **controls)


def words(name: str) -> str:
    """A quantity's name in words and its letter: "forget gate f"; LessonError for a letter that is none."""
    if name not in WORDS:
        raise LessonError(f"There is no quantity {shown(name)}; there are {', '.join(WORDS)}.")
    return f"{WORDS[name]} {name}" if len(name) == 1 else WORDS[name]


@functools.lru_cache(maxsize=8)
def ticks(labels: tuple[str, ...], steps: int, width: int = ROOM) -> tuple[list[float], list[str]]:
    """Where the time axis has labels and what they say: every character, or words, or numbers.

    Words stand under their middle, as many as fit into `width` pixels without touching.
    """
    if not labels:
        every = max(1, math.ceil(steps / 12))
        return list(range(0, steps, every)), [str(k) for k in range(0, steps, every)]
    if steps * (LETTER + 2) <= width:
        return list(range(steps)), [theme.escape(theme.glyph(label)) for label in labels]
    pixels, places, texts, free = width / steps, [], [], -4 * LETTER
    text = "".join(label if len(label) == 1 else "?" for label in labels)
    for word in re.finditer(r"\S+", text):
        shown = word.group() if len(word.group()) <= 12 else word.group()[:11] + "…"
        middle = (word.start() + word.end() - 1) / 2
        half = len(shown) * LETTER / 2
        if middle * pixels - half >= free:
            places.append(middle)
            texts.append(theme.escape(shown))
            free = middle * pixels + half + LETTER
    return places, texts


def _all(values: np.ndarray, name: str, step: int, labels: tuple[str, ...]) -> theme.Figure:
    steps, units = values.shape
    return theme.figure(
        _map(values, name, labels, bar=True),
        title=QUESTIONS[name],
        summary=f"{_of_all(values, name)} {_at(step, labels)}",
        x=_time_title(labels, steps),
        y="unit",
        height=theme.TOP + 56 + 348,
        margin={"l": 64, "r": 84, "t": theme.TOP, "b": 56},
        shapes=[_frame(step)],
        xaxis=_time_axis(labels, steps),
        yaxis={"range": [units - 0.5, -0.5]},
    )


def _one(
    values: np.ndarray,
    lanes: dict[str, np.ndarray],
    name: str,
    unit: int,
    step: int,
    labels: tuple[str, ...],
) -> theme.Figure:
    steps, units = values.shape
    height = LANE * len(lanes) + CAPTION + MAP
    tops = [1 - k * LANE / height for k in range(len(lanes))]
    domains = [[top - (LANE - 12) / height, top] for top in tops]
    axes = {
        f"yaxis{k + 2}": _lane_axis(lane, series, domain)
        for k, ((lane, series), domain) in enumerate(zip(lanes.items(), domains, strict=True))
    }
    caption = f"all {units} units, {words(name)}: click a row to choose its unit"
    names = [
        _note(words(lane), sum(domain) / 2, theme.colour(lane), -112)
        for lane, domain in zip(lanes, domains, strict=True)
    ]
    return theme.figure(
        _map(values, name, labels),
        *(_lane(lane, series, labels, k) for k, (lane, series) in enumerate(lanes.items())),
        title=f"What does unit {unit} keep?",
        summary=f"{_of_one(lanes)} {_at(step, labels, lanes)}",
        x=_time_title(labels, steps),
        height=theme.TOP + 56 + height,
        margin={"l": 126, "r": 24, "t": theme.TOP, "b": 56},
        bargap=0.1,
        shapes=[_frame(step)],
        annotations=[*names, _note(caption, (MAP + 14) / height, theme.tokens().soft, 0)],
        xaxis=_time_axis(labels, steps),
        yaxis={
            "range": [units - 0.5, -0.5], "domain": [0, MAP / height], "tickvals": [unit],
            "ticktext": [f"unit {unit} ▸"], "ticks": "", "tickfont": {"color": theme.tokens().ink},
            "showgrid": False,
        },
        **axes,
    )  # fmt: skip


def _map(values: np.ndarray, name: str, labels: tuple[str, ...], bar: bool = False) -> go.Heatmap:
    every = max(1, math.ceil(values.size / CELLS))
    low, limit = _ends(name, values)
    title = {"text": WORDS[name].replace(" ", "<br>"), "side": "top", "font": {"size": 12}}
    return go.Heatmap(
        z=np.ascontiguousarray(values[::every].T),
        x=_categories(labels, len(values))[::every],
        zmin=low,
        zmax=limit,
        colorscale=theme.scale(theme.SIGNED_SCALE if low else theme.UNIT_SCALE),
        showscale=bar,
        colorbar={"title": title, "thickness": 12, "outlinewidth": 0, "nticks": 5, "x": 1.0, "xpad": 14,
                  "ticks": "", "tickfont": {"color": theme.tokens().soft}},
        hovertemplate=f"unit %{{y}} · step %{{x}}<br>{words(name)} %{{z:.3f}}<extra></extra>",
    )  # fmt: skip


def _lane(name: str, series: np.ndarray, labels: tuple[str, ...], k: int) -> go.Bar:
    every = max(1, math.ceil(len(series) / POINTS))
    return go.Bar(
        x=_categories(labels, len(series))[::every],
        y=np.ascontiguousarray(series[::every]),
        yaxis=f"y{k + 2}",
        marker={"color": theme.colour(name), "opacity": 0.72, "line": {"width": 0}},
        hovertemplate=f"step %{{x}}<br>{words(name)} %{{y:.3f}}<extra></extra>",
    )


def _lane_axis(name: str, series: np.ndarray, domain: list[float]) -> dict:
    low, limit = _ends(name, series)
    return {
        "domain": domain, "range": [low - 0.04 * limit, limit * 1.04], "tickvals": [low, limit],
        "ticktext": [_number(low), _number(limit)], "tickfont": {"size": 10}, "showgrid": False, "ticklen": 2,
        "zeroline": True, "zerolinecolor": theme.tokens().edge, "zerolinewidth": 1,
    }  # fmt: skip


def _note(text: str, y: float, colour: str, shift: int) -> dict:
    return {
        "text": text, "x": 0, "xref": "paper", "xanchor": "left", "xshift": shift, "y": y, "yref": "paper",
        "yanchor": "middle", "align": "left", "showarrow": False, "font": {"color": colour, "size": 12},
    }  # fmt: skip


def _frame(step: int) -> dict:
    return {
        "type": "rect", "xref": "x", "yref": "paper", "x0": step - 0.5, "x1": step + 0.5, "y0": 0,
        "y1": 1, "line": {"color": theme.tokens().mark, "width": 2}, "fillcolor": "rgba(0,0,0,0)",
    }  # fmt: skip


@functools.lru_cache(maxsize=8)
def _categories(labels: tuple[str, ...], steps: int) -> np.ndarray:
    """A name for every step that the pointer can show: "12 “a”"."""
    if not labels:
        return np.array([f"t{k}" for k in range(steps)], dtype=object)
    named = [f"{k} “{theme.escape(theme.glyph(label))}”" for k, label in enumerate(labels)]
    return np.array(named, dtype=object)


def _time_axis(labels: tuple[str, ...], steps: int) -> dict:
    places, texts = ticks(labels, steps)
    font = {"family": theme.MONO, "size": 12} if labels else {}
    return {
        "type": "category", "range": [-0.5, steps - 0.5], "tickvals": places, "ticktext": texts,
        "tickangle": 0,
        "tickfont": font, "showgrid": False, "ticks": "" if labels else "outside",
        "categoryorder": "array", "categoryarray": _categories(labels, steps), "anchor": "y",
    }  # fmt: skip


def _time_title(labels: tuple[str, ...], steps: int) -> str:
    return f"{'character read' if labels else 'time step'} ({steps} steps)"


def _ends(name: str, values: np.ndarray) -> tuple[float, float]:
    """Where the scale of a quantity begins and ends."""
    if name in OPEN:
        return 0.0, 1.0
    if name in LENGTHS:
        return 0.0, float(np.nanmax(values, initial=0.01))
    return -_limit(values), _limit(values)


def _limit(values: np.ndarray) -> float:
    """The end of a signed scale: 1, or the whole number that holds nearly all values."""
    known = np.abs(values[np.isfinite(values)])  # a network that has blown up can be looked at, too
    return max(1.0, float(math.ceil(np.quantile(known, 0.995) - 0.05))) if known.size else 1.0


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".").replace("-", "−")


def _of_all(values: np.ndarray, name: str) -> str:
    steps, units = values.shape
    if name in OPEN:
        above = int((values > 0.9).all(0).sum())
        below = int((values < 0.1).all(0).sum())
        kind = f"{WORDS[name]}s"
        return f"{above} of {units} {kind} stay above 0.9 for all {steps} steps, {below} below 0.1."
    unit = int(np.ptp(values, axis=0).argmax())
    low, high = _fixed(values[:, unit].min()), _fixed(values[:, unit].max())
    return f"The {WORDS[name]} of unit {unit} moves most, from {low} to {high}."


def _of_one(lanes: dict[str, np.ndarray]) -> str:
    keeper = next((name for name in ("f", "z") if name in lanes), None)
    state = "c" if "c" in lanes else "h"
    if keeper:
        kept = int((lanes[keeper] > 0.9).sum())
        return f"Its {WORDS[keeper]} stays above 0.9 for {kept} of {len(lanes[keeper])} steps."
    low, high = _fixed(lanes[state].min()), _fixed(lanes[state].max())
    return f"Its {WORDS[state]} moves from {low} to {high} in {len(lanes[state])} steps."


def _at(step: int, labels: tuple[str, ...], lanes: dict[str, np.ndarray] | None = None) -> str:
    place = f"Step {step}" + (f", “{theme.glyph(labels[step])}”" if labels else "")
    if lanes is None:
        return f"Framed: {place[0].lower()}{place[1:]}."
    return (
        f"{place}: "
        + ", ".join(f"{name}\N{NO-BREAK SPACE}{_fixed(series[step])}" for name, series in lanes.items())
        + "."
    )


def _fixed(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")


def _characters(trace: tracing.Trace, sequence: int) -> tuple[str, ...]:
    """What stands at each step; nothing for a bare layer, whose labels are the steps' numbers."""
    return trace.labels[sequence] if trace.vocabulary else ()


def _alone(trace: tracing.Trace) -> bool:
    return trace.batch_size == 1


def _sequences(trace: tracing.Trace) -> dict[str, int]:
    if not _characters(trace, 0):
        return {str(k): k for k in range(trace.batch_size)}
    starts = ("".join(map(theme.glyph, labels[:18])) for labels in trace.labels)
    return {f"{k}: {start}": k for k, start in enumerate(starts)}


def _required(text: str | None) -> str:
    if not text:
        raise LessonError('Give the text to run the model on: explore(model, "To be, or not to be").')
    return text


def _row(points) -> dict[str, int] | None:
    place = points.point_inds[0]
    return {"unit": int(place[0])} if isinstance(place, list | tuple) else None
