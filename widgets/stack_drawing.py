"""A stack of recurrent layers drawn unrolled in time: boxes, wires, bypasses, and one way through."""

from itertools import pairwise

import plotly.graph_objects as go

from lessons.arguments import explained
from lessons.errors import LessonError
from widgets import theme

STEPS, TALLEST = 6, 8
HALF = 0.19  # half the side of a box, in steps and layers
SIDE = 0.36  # how far a bypass swings out
BELOW, ABOVE = 0.42, 0.36  # where a bypass begins and ends, from the middle of its box


@explained
def drawn(
    layers: int = 3, source: int = 0, residual: bool = False, norm: bool = False, answers: str = "last"
) -> theme.Figure:
    """A stack over six steps; in colour the shortest way from what is read at `source` to the last answer.

    answers: "last", or "all": one at every step. Raises LessonError for values that do not fit the drawing.
    """
    if not 1 <= layers <= TALLEST or not 0 <= source < STEPS:
        raise LessonError(f"The drawing has 1 to {TALLEST} layers and the steps 0 to {STEPS - 1}.")
    if answers not in ("last", "all"):
        raise LessonError(f'Answers come at the "last" step or at "all" of them; {answers!r} is neither.')
    tokens = theme.tokens()
    way = shortest(layers, source, residual)
    answering = range(STEPS) if answers == "all" else [STEPS - 1]
    last = STEPS - 1
    wires = [_wire(t, k, t + 1, k, tokens.edge) for k in range(layers) for t in range(last)]
    wires += [_wire(t, k - 1, t, k, tokens.edge) for k in range(layers) for t in range(STEPS)]
    wires += [_wire(t, layers - 1, t, layers, tokens.edge) for t in answering]
    on_way = set(way)
    wires += [_wire(*a, *b, tokens.i, 3) for a, b in _hops(source, way, layers, residual)]
    boxes = [_box(t, k, (t, k) in on_way) for k in range(layers) for t in range(STEPS)]
    bypasses, marks = [], []
    if residual:
        shown = [(t, k) for k in range(1, layers) for t in range(STEPS)]
        bypasses = [_bypass(t, k, tokens.f, 2) for t, k in shown if t != last]
        bypasses += [_bypass(last, k, tokens.i, 3) for k in range(1, layers)]
        bypasses += [_riser(last, k, tokens.i) for k in range(1, layers)]
        wires += [_wire(last, layers - 1 + ABOVE - HALF, last, layers, tokens.i, 3)] if layers > 1 else []
        marks = [_plus(t, k) for t, k in shown]
    dots = [(t, k - 0.31) for k in range(1, layers) for t in range(STEPS)] if norm else []
    names = [_name(k, layers, answers) for k in range(layers)]
    return theme.figure(
        go.Scatter(
            x=[t for t, _ in dots], y=[y for _, y in dots], mode="markers", hoverinfo="skip",
            marker={"size": 10, "color": tokens.g, "symbol": "diamond"},
        ),
        go.Scatter(
            x=[t for k in range(layers) for t in range(STEPS)],
            y=[k for k in range(layers) for _ in range(STEPS)],
            mode="markers", marker={"size": 26, "color": "rgba(0,0,0,0)"},
            hovertemplate="layer %{y}, step %{x}<extra></extra>",
        ),
        title="How far is it from what was read to the answer?",
        summary=told(layers, source, residual, len(way)),
        height=theme.TOP + 56 + 70 * (layers + 2),
        margin={"l": 200, "r": 24},
        x="time step",
        shapes=[*bypasses, *boxes],
        annotations=[*wires, *marks, *names, _norm_key(norm), *_ends(answering, layers)],
        xaxis={"range": [-0.6, last + 0.6], "tickvals": list(range(STEPS)), "showgrid": False},
        yaxis={"range": [-1.35, layers + 0.45], "visible": False},
    )  # fmt: skip


def shortest(layers: int, source: int, residual: bool) -> list[tuple[int, int]]:
    """The cells (step, layer) on a shortest way from the input of step `source` to the last answer.

    With residuals only the lowest layer's cells are on it: from there the bypasses lead to the top.
    """
    along = [(t, 0) for t in range(source, STEPS)]
    return along if residual else along + [(STEPS - 1, k) for k in range(1, layers)]


def told(layers: int, source: int, residual: bool, cells: int) -> str:
    """The drawing in a sentence."""
    tall = "1 layer" if layers == 1 else f"{layers} layers"
    through = "1 cell" if cells == 1 else f"{cells} cells"
    way = f"From x at step {source} to the last answer the shortest way leads through {through}"
    if layers == 1:
        return f"{way}: there is one layer, so depth costs nothing."
    if residual:
        return f"{way}: the bypasses add nothing for the {tall}."
    return f"{way}: {STEPS - source} along the bottom and {layers - 1} up."


def _hops(source: int, way: list[tuple[int, int]], layers: int, residual: bool):
    """The wires on the way; where there are bypasses they are drawn by themselves."""
    stops = [(source, -1), *way, *([] if residual and layers > 1 else [(STEPS - 1, layers)])]
    return list(pairwise(stops))


def _wire(t0: float, k0: float, t1: float, k1: float, colour: str, width: float = 1.3) -> dict:
    """An arrow between two boxes, from edge to edge."""
    dx, dy = (HALF + 0.03) * (t1 > t0), (HALF + 0.03) * (k1 > k0)
    return {
        "x": t1 - dx, "y": k1 - dy, "ax": t0 + dx, "ay": k0 + dy, "xref": "x", "yref": "y",
        "axref": "x", "ayref": "y", "text": "", "showarrow": True, "arrowhead": 2, "arrowsize": 1,
        "arrowwidth": width, "arrowcolor": colour,
    }  # fmt: skip


def _box(t: int, k: int, on_way: bool) -> dict:
    tokens = theme.tokens()
    return {
        "type": "rect", "x0": t - HALF, "x1": t + HALF, "y0": k - HALF, "y1": k + HALF,
        "line": {"color": tokens.i if on_way else tokens.ink, "width": 2.4 if on_way else 1.4},
        "fillcolor": theme.fade(tokens.i, 0.25) if on_way else tokens.ground,
    }  # fmt: skip


def _bypass(t: int, k: int, colour: str, width: float) -> dict:
    """Round a box, from below it to above it."""
    low, high, out = k - BELOW, k + ABOVE, t - SIDE
    return {
        "type": "path", "path": f"M {t},{low} C {out},{low + 0.06} {out},{high - 0.06} {t},{high}",
        "line": {"color": colour, "width": width}, "layer": "below",
    }  # fmt: skip


def _riser(t: int, k: int, colour: str) -> dict:
    """From the top of what lies below to where a bypass begins."""
    start = k - 1 + (HALF if k == 1 else ABOVE)
    return {
        "type": "line", "x0": t, "x1": t, "y0": start, "y1": k - BELOW, "line": {"color": colour, "width": 3},
    }  # fmt: skip


def _plus(t: int, k: int) -> dict:
    return {
        "x": t, "y": k + ABOVE, "text": "<b>+</b>", "showarrow": False, "xshift": 9,
        "font": {"size": 13, "color": theme.tokens().f},
    }  # fmt: skip


def _name(k: int, layers: int, answers: str) -> dict:
    """A layer's number, and what Keras would have to be told for it."""
    sequences = k < layers - 1 or answers == "all"
    return {
        "x": 0, "xref": "paper", "xanchor": "right", "xshift": -6, "y": k, "align": "right",
        "showarrow": False, "text": f"<b>layer {k}</b><br>return_sequences={sequences}",
        "font": {"size": 12, "color": theme.tokens().soft},
    }  # fmt: skip


def _norm_key(norm: bool) -> dict:
    tokens = theme.tokens()
    text = "◆ layer norm" if norm else ""
    return {
        "x": 0, "xref": "paper", "xanchor": "right", "xshift": -6, "y": -1, "align": "right",
        "showarrow": False, "text": text, "font": {"size": 12, "color": tokens.g},
    }  # fmt: skip


def _ends(answering, layers: int) -> list[dict]:
    """What is read below, what is answered above."""
    tokens = theme.tokens()
    below = [(t, -1.12, f"x<sub>{t}</sub>", tokens.ink) for t in range(STEPS)]
    above = [(t, layers + 0.16, f"y<sub>{t}</sub>", tokens.o) for t in answering]
    return [
        {"x": t, "y": y, "text": text, "showarrow": False, "font": {"size": 14, "color": colour}}
        for t, y, text, colour in below + above
    ]
