"""Lesson 08 in pictures: the mask theatre, and what dropout does to the two curves of a training.

every_kind()               # the masks of all kinds on the same input, side by side
theatre()                  # one kind: its masks, the state, the gradient, what survives
curves(pairs_of_runs)      # training text and held-out text, with dropout and without
"""

import functools
from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go

from lessons import mask_theatre as stage
from lessons.arguments import explained
from lessons.errors import LessonError
from lessons.mask_theatre import KINDS, Scene
from lessons.recurrent_dropout import KNOWN, UNKNOWN
from lessons.run import Run
from widgets import theme
from widgets.explorer import Explorer, Pick, Slider, Switch

COLUMNS, ROWS = 3, 3
SEEDS = 20
CHANGE = 0.5  # where the colours of a change end


@explained
def figure(
    kind: str = "state, locked",
    p: float | int = 0.3,
    seed: int = 0,
    steps: int = 24,
    layer: int = 0,
    training: bool = True,
) -> theme.Figure:
    """One kind of dropout on the stage: masks and state as [unit × time], what survives, what comes back.

    The arguments are those of lessons.mask_theatre.scene. A pure function.
    """
    seen = stage.scene(kind, p, seed, steps, layer, training)
    tokens, t = theme.tokens(), np.arange(seen.steps)
    free, held = (1 - p) ** t, np.where(t > 0, 1 - p, 1.0)
    both = np.concatenate([_log(seen.gradient), _log(seen.plain_gradient)])
    low, high = float(both.min()), float(both.max())
    ends = [("counted", float(seen.survives[-1]), tokens.ink), ("(1 − p)ᵗ", free[-1], tokens.i),
            ("1 − p", held[-1], tokens.f)]  # fmt: skip
    signed = theme.scale(theme.SIGNED_SCALE)
    return theme.figure(
        _cells(seen.mask.T.numpy(), "x", "y", _kept_scale(), (0, 1), "%{z:.2f} kept"),
        _cells(seen.h.T.numpy(), "x2", "y2", signed, (-1, 1), "h %{z:.2f}"),
        _cells((seen.h - seen.plain_h).T.numpy(), "x3", "y3", signed, (-CHANGE, CHANGE), "by %{z:.2f}"),
        _line(t, free, tokens.i, "dot", 4), _line(t, held, tokens.f, "dash", 4),
        _line(t, seen.survives.numpy(), tokens.ink, "solid", 4, "lines+markers"),
        _line(t, _log(seen.plain_gradient), tokens.soft, "dash", 5),
        _line(t, _log(seen.gradient), tokens.ink, "solid", 5),
        title=_question(seen), summary=_tell(seen), height=theme.TOP + 56 + 450, margin={"l": 60, "r": 16},
        annotations=[
            _heading(1, f"its mask: {_shade()} {'stays old' if kind == 'zoneout' else 'is dropped'}"),
            _heading(2, "the state h: red above 0, blue below"),
            _heading(3, f"its change of h, up to ±{CHANGE}"),
            _heading(4, "ways through h not cut until step t"),
            _heading(5, "gradient at h, coming back"),
            *_ends(ends, 1.1, 4), *_beside(),
        ],
        **_frame(seen, low, high),
    )  # fmt: skip


@explained
def theatre(kind: str = "state, locked") -> Explorer:
    """The picture above with its controls: the kind, p, the roll of the dice, T, the layer, and training."""
    return Explorer(
        figure,
        kind=Pick({name: name for name in KINDS}, kind, label="kind"),
        p=Slider(0.0, 0.9, 0.3, 0.05, label="rate p"),
        seed=Slider(0, SEEDS - 1, 0, label="roll"),
        steps=Slider(2, stage.LONGEST, 24, label="steps T"),
        layer=Pick({"lower": 0, "upper": 1}, 0, label="layer"),
        training=Switch(True, label="training"),
    )


@explained
def every_kind(p: float | int = 0.3, seed: int = 0, layer: int = 1) -> theme.Figure:
    """The masks of all kinds at one rate, on the same input: rows are units, columns are steps."""
    scenes = [stage.scene(kind, p, seed, 24, layer) for kind in KINDS]
    traces, notes, axes = [], [], {}
    for at, seen in enumerate(scenes):
        number = "" if at == 0 else str(at + 1)
        row, column = divmod(at, COLUMNS)
        traces.append(
            _cells(seen.mask.T.numpy(), f"x{number}", f"y{number}", _kept_scale(), (0, 1), "%{z:.2f} kept")
        )
        left, bottom = column / COLUMNS, 1 - (row + 1) / ROWS
        axes[f"xaxis{number}"] = {
            "domain": [left + 0.02, left + 0.31], "anchor": f"y{number}", "showgrid": False,
            "title": {"text": "time step" if row == ROWS - 1 else ""}, "showticklabels": row == ROWS - 1,
        }  # fmt: skip
        axes[f"yaxis{number}"] = {
            "domain": [bottom + 0.03, bottom + 0.27], "anchor": f"x{number}", "showgrid": False,
            "title": {"text": "unit" if column == 0 else ""}, "showticklabels": column == 0,
        }  # fmt: skip
        notes.append(_heading(at + 1, f"<b>{seen.kind}</b>"))
    locked = [seen.kind for seen in scenes if bool((seen.mask == seen.mask[:1]).all())]
    return theme.figure(
        *traces, title="What is dropped, and for how long?",
        summary=f"At p = {p:.2f} the mask stays the same over all 24 steps for {len(locked)} of "
        f"{len(scenes)} kinds: {'; '.join(locked)}.",
        height=theme.TOP + 56 + 560, margin={"l": 56, "r": 12}, annotations=notes, **axes,
    )  # fmt: skip


@explained
def explore(layer: int = 1) -> Explorer:
    """All kinds side by side, with the rate and the roll of the dice on sliders."""
    return Explorer(
        functools.partial(every_kind, layer=layer),
        p=Slider(0.0, 0.9, 0.3, 0.05, label="rate p"),
        seed=Slider(0, SEEDS - 1, 0, label="roll"),
    )


@explained
def curves(pairs: Mapping[str, tuple[Run, Run]]) -> theme.Figure:
    """For each cell, two runs of lessons.recurrent_dropout, without dropout and with it, over the steps.

    Solid lines are held-out text, dotted ones the training text, both read with nothing dropped.
    """
    if not 1 <= len(pairs) <= 3:
        raise LessonError(f"This picture has room for one to three cells, not for {len(pairs)}.")
    if any(
        {"step", KNOWN, UNKNOWN} - set(e) for runs in pairs.values() for run in runs for e in run.evaluations
    ):
        raise LessonError("The picture compares runs of lessons.recurrent_dropout; other runs were given.")
    tokens, traces, notes, axes, told = theme.tokens(), [], [], {}, []
    values = [e[name] for runs in pairs.values() for run in runs for e in run.evaluations[1:] for name in e
              if name != "step"]  # fmt: skip
    low, high = min(values) - 0.1, max(values) + 0.1
    for at, (cell, runs) in enumerate(pairs.items()):
        number = "" if at == 0 else str(at + 1)
        labels = []
        for run, colour, name in zip(runs, (tokens.i, tokens.f), ("without", "with"), strict=True):
            x = [e["step"] for e in run.evaluations]
            for part, dash in ((UNKNOWN, "solid"), (KNOWN, "dot")):
                y = [e[part] for e in run.evaluations]
                text = "held-out" if part == UNKNOWN else "known"
                traces.append(_line(x, y, colour, dash, at + 1))
                labels.append((f"{name}, {text}", y[-1], colour))
        width = 1 / len(pairs)
        axes[f"xaxis{number}"] = {
            "domain": [at * width, (at + 1) * width - 0.17], "anchor": f"y{number}",
            "range": [0, runs[0].step], "title": {"text": "step"}, "nticks": 5,
        }  # fmt: skip
        axes[f"yaxis{number}"] = {
            "range": [low, high], "anchor": f"x{number}",
            "title": {"text": "bits per character" if at == 0 else ""},
        }  # fmt: skip
        notes += [_heading(at + 1, f"<b>{cell}</b>, with and without dropout")]
        notes += _ends(labels, high - low, at + 1)
        best = [run.best(UNKNOWN) for run in runs]
        told.append(f"{cell} {best[0]:.2f} without, {best[1]:.2f} with")
    return theme.figure(
        *traces, title="Who reads on what it has never seen?",
        summary=f"Best held-out bits per character: {'; '.join(told)}.",
        height=theme.TOP + 56 + 340, margin={"r": 8}, annotations=notes, **axes,
    )  # fmt: skip


def _frame(seen: Scene, low: float, high: float) -> dict:
    """The axes of the five panels."""
    units = {"range": [-0.5, stage.UNITS - 0.5], "showgrid": False, "nticks": 5, "domain": [0.56, 0.96]}
    time = {"range": [-0.5, seen.steps - 0.5], "showgrid": False, "nticks": 6}
    run = {"range": [0, seen.steps - 1], "nticks": 6, "title": {"text": "time step"}}
    every = (1, 2, 5) if high - low < 2 else (1,)
    ticks = [m * 10.0**k for k in range(-9, 3) for m in every if low - 0.2 <= np.log10(m) + k <= high + 0.2]
    wide = [[0, 0.29], [0.37, 0.65], [0.72, 1]]
    tops = {f"xaxis{n}": time | {"domain": wide[n - 1], "anchor": f"y{n}"} for n in (2, 3)}
    return tops | {
        "xaxis": time | {"domain": wide[0], "anchor": "y"},
        "xaxis4": run | {"domain": [0, 0.38], "anchor": "y4"},
        "xaxis5": run | {"domain": [0.58, 1], "anchor": "y5"},
        "yaxis": units | {"title": {"text": f"unit of layer {seen.layer}"}, "anchor": "x"},
        "yaxis2": units | {"anchor": "x2"}, "yaxis3": units | {"anchor": "x3"},
        "yaxis4": {"range": [-0.03, 1.07], "domain": [0, 0.4], "anchor": "x4", "title": {"text": "share"}},
        "yaxis5": {"range": [low - 0.2, high + 0.2], "domain": [0, 0.4], "anchor": "x5",
                   "tickvals": list(np.log10(ticks)),
                   "ticktext": [f"{tick:g}" for tick in ticks], "title": {"text": "|∂L/∂h|, median"}},
    }  # fmt: skip


def _cells(z: np.ndarray, x: str, y: str, scale: list, ends: tuple[float, float], hover: str) -> go.Heatmap:
    return go.Heatmap(
        z=z.astype(np.float32), xaxis=x, yaxis=y, colorscale=scale, zmin=ends[0], zmax=ends[1],
        showscale=False, xgap=1, ygap=1, hovertemplate=f"step %{{x}}, unit %{{y}}<br>{hover}<extra></extra>",
    )  # fmt: skip


def _line(x, y, colour: str, dash: str, axis: int, mode: str = "lines") -> go.Scatter:
    number = "" if axis == 1 else str(axis)
    return go.Scatter(
        x=x, y=y, xaxis=f"x{number}", yaxis=f"y{number}", mode=mode, marker={"size": 4},
        line={"color": colour, "width": 2.2, "dash": dash}, hovertemplate="%{x}: %{y:.3f}<extra></extra>",
    )  # fmt: skip


def _kept_scale() -> list[list]:
    """Dropped in the colour of ink, kept in that of paper's edge: no gate's colour."""
    return [[0.0, theme.tokens().ink], [1.0, theme.tokens().rule]]


def _log(lengths) -> np.ndarray:
    return np.log10(np.maximum(lengths.numpy(), 1e-9))


def _heading(axis: int, text: str) -> dict:
    number = "" if axis == 1 else str(axis)
    return {
        "text": text, "x": 0, "xref": f"x{number} domain", "xanchor": "left", "y": 1,
        "yref": f"y{number} domain", "yanchor": "bottom", "showarrow": False,
        "font": {"size": 13, "color": theme.tokens().ink},
    }  # fmt: skip


def _ends(labels: list[tuple[str, float, str]], span: float, axis: int) -> list[dict]:
    """Names at the right ends of lines, moved apart where they would touch; `span` is the axis' length."""
    number, least, placed = "" if axis == 1 else str(axis), 0.1 * span, []
    for name, value, colour in sorted(labels, key=lambda label: label[1]):
        at = max(float(value), placed[-1]["y"] + least) if placed else float(value)
        placed.append({
            "x": 1, "xref": f"x{number} domain", "xanchor": "left", "xshift": 6, "y": at,
            "yref": f"y{number}", "yanchor": "middle", "text": name, "showarrow": False,
            "font": {"size": 12, "color": colour},
        })  # fmt: skip
    return placed


def _beside() -> list[dict]:
    """The names of the two gradients, in the corner that a gradient on its way back leaves free."""
    names = (
        ("solid: with dropout", theme.tokens().ink, 0.97),
        ("dashed: without", theme.tokens().soft, 0.84),
    )
    return [
        {
            "text": text, "x": 0.03, "xref": "x5 domain", "xanchor": "left", "y": y, "yref": "y5 domain",
            "yanchor": "top", "showarrow": False, "font": {"size": 12, "color": colour},
        }
        for text, colour, y in names
    ]  # fmt: skip


def _shade() -> str:
    """How the colour of ink looks in the theme in use."""
    return "dark" if theme.tokens().name == "light" else "bright"


def _question(seen: Scene) -> str:
    place = KINDS[seen.kind].place
    return f"{seen.kind}: what happens to {place}?".capitalize()


def _tell(seen: Scene) -> str:
    """What the picture shows, from its numbers."""
    if not seen.training:
        rest = "mixes old and new in shares" if seen.kind == "zoneout" else "drops nothing"
        return f"Evaluation: {seen.kind} {rest}; the state is off the plain network's by {seen.apart:.2g}."
    left, end, steps = float(seen.mask.mean()), float(seen.survives[-1]), seen.steps - 1
    free = 100 * (1 - seen.p) ** steps
    free = f"{free:.3g}%" if free > 0.01 else "less than 0.01%"
    return (
        f"p = {seen.p:.2f} leaves {left:.0%} of the mask. After {steps} steps {end:.1%} of the ways through "
        f"h are uncut; (1−p)^{steps} is {free}. "
        f"h moves by up to {seen.apart:.2f}."
    )
