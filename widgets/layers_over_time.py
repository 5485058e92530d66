"""What each layer of a stack does over time: states, the answer to a changed character, time scale."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import plotly.graph_objects as go
from torch import Tensor

from lessons import time_scales
from lessons.arguments import explained
from lessons.errors import LessonError
from lessons.tracing import Trace
from widgets import theme
from widgets.gates import ticks

MOST = 8  # layers that a picture of states has room for
Curves = Mapping[str, Tensor]


def ramp(layer: int, layers: int) -> str:
    """A layer's colour: from blue at the bottom to vermilion at the top."""
    low, high = (
        [int(colour[k : k + 2], 16) for k in (1, 3, 5)] for colour in (theme.tokens().f, theme.tokens().i)
    )
    share = layer / max(1, layers - 1)
    return "#" + "".join(f"{round(a + share * (b - a)):02x}" for a, b in zip(low, high, strict=True))


@explained
def state(seen: Trace, step: int = 0, unit: int | None = None, sequence: int = 0) -> theme.Figure:
    """h of every layer over one time axis, the top layer on top: all units as maps, or one unit as lines."""
    layers = [seen.numpy("h", layer, sequence=sequence) for layer in range(seen.num_layers)]
    steps, units = layers[0].shape
    if len(layers) > MOST:
        raise LessonError(f"The picture has room for {MOST} layers; this network has {len(layers)}.")
    if not 0 <= step < steps:
        raise LessonError(f"There is no step {step}; this sequence has the steps 0 to {steps - 1}.")
    if unit is not None and not 0 <= unit < units:
        raise LessonError(f"There is no unit {unit}; the layers have the units 0 to {units - 1}.")
    labels = seen.labels[sequence] if seen.vocabulary else ()
    room, each = 0.24 / len(layers), 1 / len(layers)
    maps, lanes, axes = [], [], {}
    for layer, h in enumerate(layers):
        axis, low = "y" if layer == 0 else f"y{layer + 1}", layer * each
        maps.append(_map(h, layer, axis, unit is None))
        lanes.append(_lane(h, layer, axis, unit, len(layers)))
        span = [units - 0.5, -0.5] if unit is None else [-1.08, 1.08]
        axes[f"yaxis{axis[1:]}"] = {
            "domain": [low, low + each - room * each * len(layers) * 0.5], "range": span, "nticks": 3,
            "title": {"text": f"layer {layer}<br>" + ("unit" if unit is None else "h")},
        }  # fmt: skip
    return theme.figure(
        *maps,
        *lanes,  # both kinds are there, one of them hidden: the plot on the page need not be made anew
        title="What does every layer say?" if unit is None else f"What does unit {unit} of every layer say?",
        summary=_said(layers, step, unit, labels),
        x="character read" if labels else "time step",
        height=theme.TOP + 56 + max(300, 110 * len(layers)),
        margin={"l": 84, "r": 84},
        shapes=[_frame(step)],
        xaxis={"range": [-0.5, steps - 0.5], "anchor": "y", "showgrid": False} | _letters(labels, steps),
        **axes,
    )


@explained
def change(model: Any, text: str, place: int = 0, letter: str = "x", scale: str = "linear") -> theme.Figure:
    """How far every layer's h moves when one character of the text is another: curves, and a map.

    Distance 1 is that between two unrelated moments of a layer. scale: "linear" or "log" of the curves.
    """
    if scale not in ("linear", "log"):
        raise LessonError(f'The scale is "linear" or "log"; {scale!r} is neither.')
    found = time_scales.spread(model, text, place, letter)
    rows = found.distances.numpy()
    layers, steps = rows.shape
    shown = np.where(rows > 0, rows, np.nan) if scale == "log" else rows
    lines = [
        line(np.arange(steps), np.log10(row) if scale == "log" else row, ramp(k, layers),
              f"layer {k}: {{}}", k, decades=scale == "log")
        for k, row in enumerate(shown)
    ]  # fmt: skip
    span = [-3, 0.5] if scale == "log" else [0, max(1.05, float(rows.max()) * 1.05)]
    peaks = ", ".join(f"layer {k} {reach:.0f}" for k, reach in enumerate(found.reaches))
    glyphs = [theme.glyph(symbol) for symbol in (text[place], letter)]
    decades = (
        {"tickvals": [-3, -2, -1, 0], "ticktext": ["0.001", "0.01", "0.1", "1"]} if scale == "log" else {}
    )
    return theme.figure(
        *lines,
        go.Heatmap(
            z=rows, zmin=0, zmax=span[1] if scale == "linear" else 1.05, yaxis="y2",
            colorscale=theme.scale(theme.UNIT_SCALE),
            colorbar={"title": {"text": "distance", "side": "top", "font": {"size": 12}}, "thickness": 12,
                      "outlinewidth": 0, "nticks": 4, "len": 0.42, "y": 0.17, "x": 1.0, "xpad": 14,
                      "tickfont": {"color": theme.tokens().soft}},
            hovertemplate="layer %{y} · step %{x}<br>distance %{z:.3f}<extra></extra>",
        ),
        title="How far does one changed character reach?",
        summary=f"At place {place} stands “{glyphs[1]}” for “{glyphs[0]}”. Steps until the distance has "
        f"fallen to a tenth of its peak: {peaks}.",
        x="character read; click the map to change another one",
        height=theme.TOP + 56 + 240 + max(120, 34 * layers),
        margin={"l": 72, "r": 100},
        shapes=[_frame(place)],
        annotations=_key(layers),
        xaxis={"range": [-0.5, steps - 0.5], "anchor": "y2", "showgrid": False}
        | _letters(tuple(text), steps),
        yaxis={"title": {"text": "distance of the two h"}, "domain": [0.42, 1], "range": span} | decades,
        yaxis2={"title": {"text": "layer"}, "domain": [0, 0.34], "range": [-0.5, layers - 0.5],
                "tickvals": list(range(layers)), "showgrid": False},
    )  # fmt: skip


@explained
def scale(curves: Curves, measure: str = "autocorrelation", stage: str = "trained") -> theme.Figure:
    """One measure of every layer's time scale over the steps, with the level at which it counts as fallen."""
    if measure not in curves:
        raise LessonError(f"The measure is one of {', '.join(curves)}; {measure!r} is not.")
    rows, level = curves[measure].numpy(), time_scales.LEVELS[measure]
    layers, steps = rows.shape
    fallen = time_scales.scales({measure: curves[measure]})[measure]
    marks = go.Scatter(
        x=fallen, y=[level] * layers, mode="markers", hoverinfo="skip",
        marker={"size": 9, "color": [ramp(k, layers) for k in range(layers)],
                "line": {"width": 1, "color": theme.tokens().card}},
    )  # fmt: skip
    each = ", ".join(f"layer {k} {place:.1f}" for k, place in enumerate(fallen))
    words = {"autocorrelation": "autocorrelation of h", "changed character": "share of the peak distance"}
    share = "a tenth" if measure == "autocorrelation" else "a tenth of its peak"
    return theme.figure(
        *[line(np.arange(steps), row, ramp(k, layers), f"layer {k}: {{}}", k) for k, row in enumerate(rows)],
        marks,
        title=f"How slow is each layer ({stage})?",
        summary=f"Steps until it has fallen to {share}: {each}.",
        x="steps later" if measure == "autocorrelation" else "steps after the changed character",
        y=words[measure],
        height=theme.TOP + 56 + 320,
        margin={"r": 100},
        shapes=[_level(level)],
        annotations=_key(layers),
        xaxis={"range": [0, steps - 1]},
        yaxis={"range": [min(-0.02, float(rows.min()) * 1.05), 1.02]},
    )


def _map(h: np.ndarray, layer: int, axis: str, visible: bool) -> go.Heatmap:
    return go.Heatmap(
        z=np.ascontiguousarray(h.T), zmin=-1, zmax=1, yaxis=axis, showscale=layer == 0, visible=visible,
        colorscale=theme.scale(theme.SIGNED_SCALE),
        colorbar={"title": {"text": "hidden<br>state h", "side": "top", "font": {"size": 12}},
                  "thickness": 12, "outlinewidth": 0, "nticks": 5, "x": 1.0, "xpad": 14,
                  "tickfont": {"color": theme.tokens().soft}},
        hovertemplate=f"layer {layer} · unit %{{y}} · step %{{x}}<br>h %{{z:.3f}}<extra></extra>",
    )  # fmt: skip


def _lane(h: np.ndarray, layer: int, axis: str, unit: int | None, layers: int) -> go.Scatter:
    return go.Scatter(
        y=np.ascontiguousarray(h[:, unit or 0]), yaxis=axis, visible=unit is not None,
        mode="lines+markers", marker={"size": 4}, line={"color": ramp(layer, layers), "width": 2},
        hovertemplate=f"layer {layer} · step %{{x}}<br>h %{{y:.3f}}<extra></extra>",
    )  # fmt: skip


def _said(layers: list[np.ndarray], step: int, unit: int | None, labels: tuple[str, ...]) -> str:
    where = f"Step {step}" + (f", “{theme.glyph(labels[step])}”" if labels else "")
    if unit is not None:
        values = ", ".join(f"layer {k} {h[step, unit]:.2f}".replace("-", "−") for k, h in enumerate(layers))
        return f"{where}: h of unit {unit} is {values}."
    moved = ", ".join(
        f"layer {k} {np.abs(np.diff(h, axis=0)).mean():.2f}" if len(h) > 1 else f"layer {k} 0"
        for k, h in enumerate(layers)
    )
    return f"{where}. From one step to the next h changes in the mean by: {moved}."


def _letters(labels: tuple[str, ...], steps: int) -> dict:
    places, texts = ticks(labels, steps)
    font = {"tickfont": {"family": theme.MONO, "size": 12}, "ticks": ""} if labels else {}
    return {"tickvals": places, "ticktext": texts, "tickangle": 0, **font}


def _key(layers: int) -> list[dict]:
    """The layers' names in their colours, the top one on top, at the right of the upper panel."""
    return [
        {"text": f"layer {k}", "x": 1, "xref": "paper", "xanchor": "left", "xshift": 12, "y": 1,
         "yref": "paper", "yanchor": "top", "yshift": -17 * (layers - 1 - k), "showarrow": False,
         "font": {"size": 12, "color": ramp(k, layers)}}
        for k in range(layers)
    ]  # fmt: skip


def _frame(step: int) -> dict:
    return {
        "type": "rect", "xref": "x", "yref": "paper", "x0": step - 0.5, "x1": step + 0.5, "y0": 0, "y1": 1,
        "line": {"color": theme.tokens().mark, "width": 2}, "fillcolor": "rgba(0,0,0,0)",
    }  # fmt: skip


def _level(y: float) -> dict:
    return {
        "type": "line", "xref": "paper", "x0": 0, "x1": 1, "yref": "y", "y0": y, "y1": y,
        "line": {"color": theme.tokens().soft, "width": 1.5, "dash": "dash"},
    }  # fmt: skip


def line(
    x, y, colour: str, hover: str, layer: int = 0, dash: str | None = None, decades: bool = False
) -> go.Scatter:
    """A line that says its value where `hover` has {}; a layer's dash tells it apart without its colour.

    decades: y holds powers of ten.
    """
    dash = dash or ("solid", "dash", "dot", "dashdot")[layer % 4]
    value = "10^%{y:.1f}" if decades else "%{y:.3g}"
    return go.Scatter(
        x=x, y=y, mode="lines", line={"color": colour, "width": 2.2, "dash": dash},
        hovertemplate=f"{hover.format(value)}<extra></extra>",
    )  # fmt: skip


def ends(labels: list[tuple[str, float, str]], low: float, high: float) -> list[dict]:
    """Names at the right ends of lines, inside the axis and apart."""
    least, notes = 0.052 * (high - low), []
    for name, value, colour in sorted(labels, key=lambda label: label[1]):
        y = min(max(float(value), low), high)
        y = max(y, notes[-1]["y"] + least) if notes else y
        notes.append({
            "text": name, "x": 1, "xref": "paper", "xanchor": "left", "xshift": 6, "y": y,
            "yanchor": "middle", "showarrow": False, "font": {"size": 12, "color": colour},
        })  # fmt: skip
    over = max(0.0, notes[-1]["y"] - high)
    return [note | {"y": note["y"] - over} for note in notes]
