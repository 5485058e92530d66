"""What more layers change: the gradient at the bottom of untrained stacks, and how stacks learn."""

import functools
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from lessons import depth_study
from lessons.arguments import explained
from lessons.deep_rnns import DeepPreset
from lessons.depth_study import Outcome
from lessons.errors import LessonError
from lessons.vocabulary import Vocabulary
from widgets import theme
from widgets.layers_over_time import ends, line, ramp
from widgets.training import running

DEPTHS = (1, 2, 4, 6, 8, 12)
WIRINGS = {
    "plain": (False, False, "i", "solid"),
    "norm": (False, True, "g", "dot"),
    "residual": (True, False, "f", "dash"),
    "residual and norm": (True, True, "o", "dashdot"),
}
SHOWN = {
    "training": "training loss (bits per character)",
    "held-out": "held-out bits per character",
    "bottom": "gradient norm of layer 0",
}


@explained
def arrived(vocabulary: Vocabulary, text: str, preset: DeepPreset, cell: str = "lstm") -> theme.Figure:
    """What arrives of a loss at the bottom layer of untrained stacks, against depth, for four wirings."""
    found = {name: _bottom(vocabulary, text, preset, cell, *WIRINGS[name][:2]) for name in WIRINGS}
    logs = {name: np.log10(np.maximum(list(shares.values()), 1e-30)) for name, shares in found.items()}
    low = min(-1, int(np.floor(min(values.min() for values in logs.values()))))
    top = int(np.ceil(max(values.max() for values in logs.values())))
    lines = [
        go.Scatter(
            x=DEPTHS, y=logs[name], mode="lines+markers", marker={"size": 7},
            line={"color": theme.colour(WIRINGS[name][2]), "width": 2.2, "dash": WIRINGS[name][3]},
            hovertemplate=f"{name}, %{{x}} layers: 10^%{{y:.1f}}<extra></extra>",
        )
        for name in WIRINGS
    ]  # fmt: skip
    labels = [(name, values[-1], theme.colour(WIRINGS[name][2])) for name, values in logs.items()]
    shares = {name: values[-1] - values[0] for name, values in logs.items()}
    every = max(1, (top - low) // 8)
    places = list(range(low, top + 1, every))
    return theme.figure(
        *lines,
        title="How much of the loss arrives at the bottom layer?",
        summary=f"With {DEPTHS[-1]} layers instead of 1 the bottom layer gets "
        + ", ".join(f"{name} {10**power:.2g} times" for name, power in shares.items()) + " as much.",
        x="layers", y="mean length of dL/dh of layer 0",
        height=theme.TOP + 56 + 320, margin={"l": 76, "r": 150},
        annotations=ends(labels, low, top),
        xaxis={"range": [0.6, DEPTHS[-1] + 0.2], "tickvals": list(DEPTHS)},
        yaxis={"range": [low, top], "tickvals": places, "ticktext": [_power(k) for k in places]},
    )  # fmt: skip


@explained
def learnt(outcomes: Sequence[Outcome], shown: str = "training", over: str = "steps") -> theme.Figure:
    """What the stacks of a comparison did, over steps or seconds.

    shown: "training", the running mean of the loss; "held-out", every evaluation; "bottom", the gradient norm
    of the lowest layer's weights.
    """
    if shown not in SHOWN or over not in ("steps", "seconds"):
        raise LessonError(f"shown is one of {', '.join(SHOWN)}, over is steps or seconds.")
    if not outcomes:
        raise LessonError("There is nothing to compare; give what depth_study.compare returned.")
    series = [_series(outcome, shown, over) for outcome in outcomes]
    depths = sorted({outcome.entrant.num_layers for outcome in outcomes})
    colours = [ramp(depths.index(outcome.entrant.num_layers), len(depths)) for outcome in outcomes]
    values = np.concatenate([y for _, y in series])
    low, high = float(values.min()), float(np.quantile(values, 0.97))
    labels = [
        (_short(outcome), y[-1], colour)
        for outcome, (_, y), colour in zip(outcomes, series, colours, strict=True)
    ]
    edge = 0.05 * (high - low)
    best = min(outcomes, key=lambda outcome: outcome.valid)
    worst = max(outcomes, key=lambda outcome: outcome.valid)
    ticks = {}
    if shown == "bottom":
        places = range(int(np.floor(low)), int(np.ceil(high)) + 1)
        ticks = {"tickvals": list(places), "ticktext": [_power(k) for k in places]}
    return theme.figure(
        *[
            line(x, y, colour, f"{outcome.name}: {{}}", dash=_dash(outcome), decades=shown == "bottom")
            for outcome, (x, y), colour in zip(outcomes, series, colours, strict=True)
        ],
        title="What do more layers change?",
        summary=f"Held-out plays: {best.name} reads best, {best.valid:.2f} bits; {worst.name} worst, "
        f"{worst.valid:.2f} bits. The slowest took {max(o.seconds for o in outcomes):.0f} s.",
        x="steps" if over == "steps" else "seconds of training",
        y=SHOWN[shown],
        height=theme.TOP + 56 + 360,
        margin={"r": 150},
        annotations=ends(labels, low - edge, high + edge),
        xaxis={"range": [0, max(float(x[-1]) for x, _ in series)]},
        yaxis={"range": [low - edge, high + edge]} | ticks,
    )


@functools.lru_cache(maxsize=32)
def _bottom(
    vocabulary: Vocabulary, text: str, preset: DeepPreset, cell: str, residual: bool, norm: bool
) -> dict[int, float]:
    wired = preset.but(cell=cell, residual=residual, norm=norm)
    return depth_study.bottom_of(vocabulary, text, DEPTHS, wired)


def _series(outcome: Outcome, shown: str, over: str) -> tuple[np.ndarray, np.ndarray]:
    if shown == "training":
        y = running(np.asarray(outcome.run.losses, dtype=np.float32), 30)
        x = np.arange(1, len(y) + 1)
    elif shown == "held-out":
        x, y = (np.array([e[key] for e in outcome.run.evaluations]) for key in ("step", "valid"))
    else:
        x, y = (np.array(column) for column in zip(*outcome.bottom, strict=True))
        y = np.log10(np.maximum(y, 1e-30))
    each = outcome.seconds / outcome.run.step if over == "seconds" else 1
    every = max(1, len(x) // 500)
    keep = np.unique(np.append(np.arange(0, len(x), every), len(x) - 1))
    return (x[keep] * each).astype(np.float32), y[keep].astype(np.float32)


def _short(outcome: Outcome) -> str:
    entrant = outcome.entrant
    words = [word for word, there in (("residual", entrant.residual), ("norm", entrant.norm)) if there]
    return f"{entrant.num_layers} {', '.join(words) or 'plain'}"


def _dash(outcome: Outcome) -> str:
    wiring = (outcome.entrant.residual, outcome.entrant.norm)
    return next(dash for residual, norm, _, dash in WIRINGS.values() if (residual, norm) == wiring)


def _power(exponent: int) -> str:
    return f"10{str(exponent).translate(str.maketrans('-0123456789', '⁻⁰¹²³⁴⁵⁶⁷⁸⁹'))}"
