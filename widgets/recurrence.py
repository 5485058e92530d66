"""Lesson 01 in pictures: the unrolled network, forward and backward, and the path of its state.

step_through(lessons.recurrence.small_network(), "EXaYbB")   # the graph, step by step
follow(lessons.recurrence.plane(task))                       # the state as a point that moves
"""

import functools

import numpy as np
import plotly.graph_objects as go
from torch import nn

from lessons import recurrence as lesson
from lessons.arguments import explained
from lessons.errors import LessonError
from lessons.recurrence import Plane, Unrolled
from widgets import theme
from widgets.explorer import Explorer, Index, Pick, Text, Time

FORWARD, BACKWARD = "forward", "backward"
LONGEST = 9  # letters that fit
STATE, READ, SHARE = 1.0, 0.0, 1.55  # heights of the rows: states, letters, what a step adds
HALF = 0.3  # half of a box's width, in steps
TAIL = 6  # steps of the path that are drawn
COLOURS = {"XX": "f", "XY": "i", "YX": "g", "YY": "o"}
SIGNS = {"XX": "circle", "XY": "square", "YX": "diamond", "YY": "triangle-up"}


@explained
def graph(run: Unrolled, step: int = 0, way: str = FORWARD) -> theme.Figure:
    """The network unrolled over a word, up to `step`; backward, the gradient's way from the end to `step`.

    A box is a state, its two (or more) cells the units, the first on top. All arrows of one kind carry the
    same weights. Above each step, backward: the length of what it adds to the gradient of W_hh. A pure
    function.
    """
    if step not in range(run.steps + 1):
        raise LessonError(f"There is no step {step}; the word has the steps 0 to {run.steps}.")
    if way not in (FORWARD, BACKWARD):
        raise LessonError(f"The way is {FORWARD} or {BACKWARD}; {way!r} is neither.")
    back = way == BACKWARD
    lit = (lambda t: t >= step) if back else (lambda t: t <= step)
    values = (run.gradient if back else run.h).numpy()
    units = values.shape[1]
    limit = float(np.abs(values).max()) if back else 1.0
    gap = [None] * units  # every second column is the space between two boxes; JSON has no NaN
    columns = [
        column for t in range(run.steps + 1) for column in (values[t, ::-1].tolist() if lit(t) else gap, gap)
    ]
    rows = list(zip(*columns[:-1], strict=True))
    cells = go.Heatmap(
        x=[edge for t in range(run.steps + 1) for edge in (t - HALF, t + HALF)],
        y=STATE + 0.2 * (np.arange(units + 1) - units / 2), ygap=1, zmin=-limit, zmax=limit,
        z=rows, text=[["" if value is None else _number(value) for value in row] for row in rows],
        colorscale=theme.scale(theme.SIGNED_SCALE), showscale=False, hoverongaps=False,
        texttemplate="%{text}", textfont={"size": 12}, hovertemplate="step %{x}<br>%{z:.4f}<extra></extra>",
    )  # fmt: skip
    return theme.figure(
        cells,
        title="What is one network doing at every step?" if not back else "Who is told what went wrong?",
        summary=_told(run, step, back),
        x="step (0 is the start, a state of zeros)",
        height=theme.TOP + 56 + 240,
        margin={"l": 128, "r": 24},
        shapes=[_outline(t, lit(t), units) for t in range(run.steps + 1)],
        annotations=[
            *(_arrow_up(t, run.word[t - 1], not back and lit(t)) for t in range(1, run.steps + 1)),
            *(_arrow_on(t, back, lit(t - 1) if back else lit(t)) for t in range(1, run.steps + 1)),
            *(_added(run, t, lit(t)) for t in range(1, run.steps + 1) if back),
            *_rows(back),
        ],
        xaxis={"range": [-0.6, run.steps + 0.6], "dtick": 1, "showgrid": False},
        yaxis={"range": [-0.25, 1.75], "visible": False},
    )


@explained
def step_through(layer: nn.RNNBase, word: str = "EXaYbB") -> Explorer:
    """The graph above for a word that you type: step with the arrow keys, forward or backward."""

    @functools.lru_cache(maxsize=16)
    def run(word: str) -> Unrolled:
        if len(word) > LONGEST:
            raise LessonError(f"The picture has room for {LONGEST} letters; this word has {len(word)}.")
        return lesson.unroll(layer, word)

    def picture(step: int, way: str, word: str) -> theme.Figure:
        return graph(run(word), min(step, len(word)), way)

    return Explorer(
        picture,
        step=Time(maximum=LONGEST, value=2, label="step"),
        way=Pick({FORWARD: FORWARD, BACKWARD: BACKWARD}, FORWARD, label="way"),
        word=Text(word, label="word"),
    )


@explained
def path(plane: Plane, step: int = 0, sequence: int = 0) -> theme.Figure:
    """All sequences' states at `step` as points, coloured by the order to name, and one state's last steps.

    Axes are the two directions in which states differ most. A pure function.
    """
    count, steps, _ = plane.points.shape
    if step not in range(steps) or sequence not in range(count):
        raise LessonError(f"There are the steps 0 to {steps - 1} and the sequences 0 to {count - 1}.")
    points = plane.points.numpy()
    low, high = points.min((0, 1)), points.max((0, 1))
    room = 0.08 * (high - low)
    since, word = max(0, step + 1 - TAIL), plane.words[sequence]
    own, read = points[sequence, since : step + 1], word[since : step + 1]
    tokens = theme.tokens()
    crowd = [_crowd(points[[a == order for a in plane.answers], step], order) for order in lesson.ORDERS]
    line = go.Scatter(
        x=own[:, 0], y=own[:, 1], mode="lines+markers+text", text=[f"{letter} " for letter in read],
        textposition="top left", textfont={"family": theme.MONO, "size": 13, "color": tokens.ink},
        line={"color": tokens.ink, "width": 1.6}, marker={"size": 5, "color": tokens.ink},
        hovertemplate="%{text}<extra>step of the chosen sequence</extra>",
    )  # fmt: skip
    ring = go.Scatter(
        x=own[-1:, 0], y=own[-1:, 1], mode="markers", hoverinfo="skip",
        marker={"size": 17, "symbol": "circle-open", "color": tokens.mark, "line": {"width": 2.5}},
    )  # fmt: skip
    return theme.figure(
        *crowd, line, ring,
        title=f"Where is the state after “{word[: step + 1][-12:]}”?",
        summary=_apart(plane, step),
        x="first direction", y="second direction", height=theme.TOP + 56 + 400, margin={"r": 110},
        annotations=_legend(),
        xaxis={"range": [float(low[0] - room[0]), float(high[0] + room[0])]},
        yaxis={"range": [float(low[1] - room[1]), float(high[1] + room[1])]},
    )  # fmt: skip


@explained
def follow(plane: Plane, sequence: int = 0) -> Explorer:
    """The picture above with a time slider and the sequence to choose."""
    count, steps, _ = plane.points.shape
    return Explorer(
        functools.partial(path, plane),
        step=Time(maximum=steps - 1, value=steps - 1, label="time step"),
        sequence=Index(count - 1, sequence, label="sequence"),
    )


@explained
def spread(plane: Plane, step: int) -> float:
    """How far apart the two nearest orders' mean states are, in units of the spread within one order."""
    if step not in range(plane.points.shape[1]):
        raise LessonError(f"There are the steps 0 to {plane.points.shape[1] - 1}; {step} is none of them.")
    points = plane.points[:, step].numpy()
    groups = [points[[a == order for a in plane.answers]] for order in lesson.ORDERS]
    means = np.stack([group.mean(0) for group in groups if len(group)])
    within = np.mean([group.std(0).mean() for group in groups if len(group)])
    gaps = [np.linalg.norm(a - b) for k, a in enumerate(means) for b in means[:k]]
    return float(min(gaps) / max(within, 1e-9))


def _told(run: Unrolled, step: int, back: bool) -> str:
    if back:
        first, total = max(step, 1), float(run.shares.sum(0).norm())
        now = float(run.shares[first - 1 :].sum(0).norm())
        some = f"step {run.steps}" if first == run.steps else f"steps {first} to {run.steps}"
        return (
            f"At step {step} dL/dh has length {float(run.gradient[step].norm()):.3f}. "
            f"What {some} add{'s' * (first == run.steps)} to dL/dW_hh is a matrix of length {now:.3f}; "
            f"all steps: {total:.3f}."
        )
    state = ", ".join(map(_number, run.h[step].tolist()))
    matrix = "; ".join(" ".join(map(_number, row)) for row in run.weight_hh.tolist())
    read = f"After “{run.word[:step]}”" if step else "Before the first letter"
    return f"{read} the state is ({state}). At every step the same W_hh = [{matrix}], the same W_ih."


def _number(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")


def _outline(t: int, lit: bool, units: int) -> dict:
    tokens, half = theme.tokens(), 0.1 * units
    return {
        "type": "rect", "x0": t - HALF, "x1": t + HALF, "y0": STATE - half, "y1": STATE + half,
        "line": {"color": tokens.ink if lit else tokens.rule, "width": 2 if lit else 1},
    }  # fmt: skip


def _arrow(lit: bool, colour: str, **places) -> dict:
    tokens = theme.tokens()
    return {
        "xref": "x", "yref": "y", "axref": "x", "ayref": "y", "text": "", "showarrow": True, "arrowhead": 2,
        "arrowwidth": 2.2 if lit else 1.2, "arrowcolor": colour if lit else tokens.rule, **places,
    }  # fmt: skip


def _arrow_up(t: int, letter: str, lit: bool) -> dict:
    """From a letter to its state; the letter stands at the arrow's foot."""
    tokens = theme.tokens()
    return _arrow(lit, tokens.o, x=t, y=STATE - 0.26, ax=t, ay=READ) | {
        "text": f"<b>{theme.escape(letter)}</b>",
        "font": {"size": 17, "family": theme.MONO, "color": tokens.ink},
    }  # fmt: skip


def _arrow_on(t: int, back: bool, lit: bool) -> dict:
    """From a state to the next one, or the gradient's way back."""
    ends = {"x": t - 0.68, "ax": t - 0.32} if back else {"x": t - 0.32, "ax": t - 0.68}
    return _arrow(lit, theme.tokens().i if back else theme.tokens().f, y=STATE, ay=STATE, **ends)


def _added(run: Unrolled, t: int, lit: bool) -> dict:
    tokens = theme.tokens()
    size = float(run.shares[t - 1].norm())
    return {
        "x": t, "y": SHARE, "text": f"{size:.3f}" if lit else "·", "showarrow": False,
        "font": {"size": 13, "color": tokens.g if lit else tokens.soft},
    }  # fmt: skip


def _rows(back: bool) -> list[dict]:
    tokens = theme.tokens()
    rows = [("letter", READ, tokens.ink), ("W_ih ↑", 0.45, tokens.o if not back else tokens.soft)]
    rows += [("dL/dh" if back else "state h", STATE + 0.16, tokens.ink)]
    rows += [("W_hhᵀ ←" if back else "W_hh →", STATE - 0.12, tokens.i if back else tokens.f)]
    rows += [("adds to dL/dW_hh", SHARE, tokens.g)] if back else []
    return [
        {"text": text, "x": 0, "xref": "paper", "xanchor": "right", "xshift": -4, "y": y, "showarrow": False,
         "font": {"size": 12, "color": colour}}
        for text, y, colour in rows
    ]  # fmt: skip


def _crowd(points: np.ndarray, order: str) -> go.Scatter:
    return go.Scatter(
        x=points[:, 0], y=points[:, 1], mode="markers",
        marker={"color": theme.fade(theme.colour(COLOURS[order]), 0.6), "size": 8, "symbol": SIGNS[order]},
        hovertemplate=f"a sequence with {order}<extra></extra>",
    )  # fmt: skip


def _legend() -> list[dict]:
    marks = {"circle": "●", "square": "■", "diamond": "◆", "triangle-up": "▲"}
    return [
        {"text": f"{marks[SIGNS[order]]} {order}", "x": 1, "xref": "paper", "xanchor": "left", "xshift": 14,
         "y": 0.95 - 0.09 * k, "yref": "paper", "showarrow": False,
         "font": {"size": 14, "color": theme.colour(COLOURS[order])}}
        for k, order in enumerate(lesson.ORDERS)
    ]  # fmt: skip


def _apart(plane: Plane, step: int) -> str:
    return (
        f"At step {step} the two nearest groups are {spread(plane, step):.1f} spreads apart. "
        f"The plane shows {plane.variance:.0%} of how the states of {len(plane.words)} words differ."
    )
