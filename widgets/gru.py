"""Lesson 05 in pictures: one unit with its gates in your hand, two places for the reset gate, and a race.

gru.unit()                       # z and r on sliders
gru.resets()                     # the same weights, reset after and before the product
gru.compare(lessons.gru.race(…)) # loss against steps or against seconds
"""

import functools
import math
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
import torch

from lessons import cells, gru, tracing
from lessons.arguments import Share, explained
from lessons.errors import LessonError
from lessons.gru import Lap
from widgets import theme
from widgets.explorer import Explorer, Index, Pick, Slider
from widgets.training import running

STEPS = 40
PULSES = {5: 2.0, 25: -2.0}  # what the single unit reads; 0 elsewhere
OWN = 1.6  # its weight of its own state in the candidate
INPUTS, UNITS, GAIN = 4, 12, 3.0  # the two layers whose reset gates are compared
DASHES = ("solid", "dash", "dot", "dashdot")


@explained
def one(z: Share = 0.9, r: Share = 0.0) -> theme.Figure:
    """One GRU unit over 40 steps, its update gate held at z and its reset gate at r.

    It reads two pulses. The dashed line is the candidate: where the state is drawn to.
    """
    h, n = _held(z, r)
    steps = list(range(STEPS))
    tokens = theme.tokens()
    return theme.figure(
        _line(steps, n, theme.colour("n"), "dash", "candidate %{y:.2f}"),
        _line(steps, h, tokens.ink, "solid", "state %{y:.2f}"),
        title="How long does one unit remember?", summary=_kept(z, r, h),
        x="time step", y="value", height=theme.TOP + 56 + 300, margin={"r": 110},
        shapes=[_pulse(step, value) for step, value in PULSES.items()],
        annotations=[
            *_ends([("state h", h[-1], tokens.ink), ("candidate n", n[-1], theme.colour("n"))], 2.4),
            *[_note(step, 1.13, f"reads {value:+g}".replace("-", "−")) for step, value in PULSES.items()],
        ],
        xaxis={"range": [0, STEPS - 1]}, yaxis={"range": [-1.2, 1.2], "nticks": 5},
    )  # fmt: skip


def unit() -> Explorer:
    """The unit above, with its gates on sliders."""
    return Explorer(
        one,
        z=Slider(0.0, 1.0, 0.9, 0.05, label="update gate z"),
        r=Slider(0.0, 1.0, 0.0, 0.05, label="reset gate r"),
    )


@explained
def reset(bias: float | int = 0.0, unit: int = 0) -> theme.Figure:
    """Two GRU layers with the same weights on the same input: r after the product (torch) and before (Cho).

    bias: of all reset gates. Above, one unit of both; below, the largest difference over all units.
    """
    if not 0 <= unit < UNITS:
        raise LessonError(f"There is no unit {unit}; the layers have the units 0 to {UNITS - 1}.")
    layers = [gru.set_reset_bias(layer, bias) for layer in gru.twins(INPUTS, UNITS, seed=2, gain=GAIN)]
    x = torch.randn(1, STEPS, INPUTS, generator=torch.Generator(device="cpu").manual_seed(3))
    after, before = (tracing.trace(layer, x) for layer in layers)
    apart = np.abs(after.numpy("h") - before.numpy("h")).max(1)
    lines = [seen.numpy("h")[:, unit] for seen in (after, before)]
    steps, tokens = list(range(STEPS)), theme.tokens()
    mean = float(after.numpy("r").mean())
    summary = (
        f"The reset gates stand at {mean:.2f} in the mean. The networks differ by at most {apart.max():.2f}, "
        f"at step {int(apart.argmax())}."
    )
    names = [("after (torch)", lines[0][-1], tokens.f), ("before (Cho)", lines[1][-1], tokens.i)]
    return theme.figure(
        _line(steps, lines[0], tokens.f, "solid", "after %{y:.2f}"),
        _line(steps, lines[1], tokens.i, "dash", "before %{y:.2f}"),
        go.Bar(x=steps, y=apart, yaxis="y2", marker={"color": tokens.soft},
               hovertemplate="apart by %{y:.3f}<extra></extra>"),
        title="Does it matter where the reset gate acts?", summary=summary,
        x="time step", height=theme.TOP + 56 + 380, margin={"r": 120},
        annotations=_ends(names, 2.2),
        xaxis={"range": [-0.6, STEPS - 0.4], "anchor": "y2"},
        yaxis={"title": {"text": f"h of unit {unit}"}, "domain": [0.42, 1], "range": [-1.1, 1.1],
               "nticks": 5},
        yaxis2={"title": {"text": "largest |Δh|"}, "domain": [0, 0.3], "range": [0, 2], "nticks": 3},
    )  # fmt: skip


def resets() -> Explorer:
    """The two layers above: the reset gates' bias on a slider, the unit to choose."""
    return Explorer(
        reset,
        bias=Slider(-6.0, 6.0, 0.0, 0.5, label="bias of the reset gates"),
        unit=Index(UNITS - 1, 0, label="unit"),
    )


@explained
def laps(done: Sequence[Lap], over: str = "steps", shown: str = "training") -> theme.Figure:
    """What the networks of a race had learnt, over steps or over seconds.

    shown: "training", the running mean of the loss, or "held-out", every evaluation. LessonError for others,
    and where nobody has run.
    """
    if not done or not all(lap.losses for lap in done):
        raise LessonError("There is no race to draw; run one with lessons.gru.race first.")
    if over not in ("steps", "seconds") or shown not in ("training", "held-out"):
        raise LessonError(
            f"over is steps or seconds, shown is training or held-out; not {over!r}, {shown!r}."
        )
    colours = [theme.tokens().ink, theme.tokens().f, theme.tokens().g, theme.tokens().o]
    series = [_series(lap, over, shown) for lap in done]
    drawn = [
        _line(x, y, colours[k % 4], DASHES[k % 4], f"{lap.name} %{{y:.3f}} bits")
        for k, (lap, (x, y)) in enumerate(zip(done, series, strict=True))
    ]
    low = min(float(min(y)) for _, y in series)
    high = max(float(np.quantile(y, 0.97)) for _, y in series)
    ends = [
        (lap.name, y[-1], colours[k % 4]) for k, (lap, (_, y)) in enumerate(zip(done, series, strict=True))
    ]
    unit = "seconds of training" if over == "seconds" else "steps"
    return theme.figure(
        *drawn,
        title=f"Who learns more in fewer {over}?", summary=_ahead(done, over),
        x=unit, y=f"bits per character ({shown})", height=theme.TOP + 56 + 340, margin={"r": 168},
        annotations=_ends(ends, 1.15 * (high - low)),
        xaxis={"range": [0, max(float(x[-1]) for x, _ in series)]},
        yaxis={"range": [low - 0.05 * (high - low), high + 0.1 * (high - low)]},
    )  # fmt: skip


def compare(done: Sequence[Lap]) -> Explorer:
    """The race above, over steps or seconds, training loss or held-out bits."""
    return Explorer(
        functools.partial(laps, done),
        over=Pick({"steps": "steps", "seconds": "seconds"}, "steps", label="over"),
        shown=Pick({"training loss": "training", "held-out plays": "held-out"}, "training", label="show"),
    )


def _held(z: float, r: float) -> tuple[list[float], list[float]]:
    """h and n of one unit with its gates held, by lessons.cells.gru_step with biases that hold them."""
    z_bias, r_bias = (math.log(max(v, 1e-9) / max(1 - v, 1e-9)) for v in (z, r))
    weight_ih = torch.tensor([[0.0], [0.0], [1.0]])
    weight_hh = torch.tensor([[0.0], [0.0], [OWN]])
    bias = torch.tensor([r_bias, z_bias, 0.0])
    h, states, candidates = torch.zeros(1, 1), [], []
    for step in range(STEPS):
        x = torch.full((1, 1), PULSES.get(step, 0.0))
        done = cells.gru_step(x, h, weight_ih, weight_hh, bias, torch.zeros(3))
        h = done.h
        states.append(float(h))
        candidates.append(float(done.n))
    return states, candidates


def _kept(z: float, r: float, h: list[float]) -> str:
    first, second = h[min(PULSES)], h[max(PULSES) - 1]
    half = "for ever" if z >= 1 else f"{math.log(0.5) / math.log(z):.1f} steps" if z > 0 else "no step"
    return (
        f"z = {z:.2f} alone keeps half of the state for {half.removeprefix('for ')}. With r = {r:.2f} the "
        f"first pulse leaves h at {first:.2f}; before the second it stands at {second:.2f}."
    )


def _series(lap: Lap, over: str, shown: str) -> tuple[list[float], list[float]]:
    if shown == "training":
        places = range(1, len(lap.losses) + 1)
        values = running(np.asarray(lap.losses, dtype=np.float32), 40).tolist()
    else:
        places, values = zip(*lap.evaluations, strict=True)
        values = list(values)
    where = [float(step) if over == "steps" else lap.clock(step) for step in places]
    every = max(1, len(where) // 500)
    return [*where[:-1][::every], where[-1]], [*values[:-1][::every], values[-1]]


def _ahead(done: Sequence[Lap], over: str) -> str:
    best = min(done, key=lambda lap: lap.evaluations[-1][1])
    spent = ", ".join(f"{lap.name} {lap.seconds[-1]:.1f} s" for lap in done)
    steps = len(done[0].losses)
    bits = best.evaluations[-1][1]
    return f"After {steps:,} steps {best.name} reads best, {bits:.2f} bits. The steps took: {spent}."


def _line(x, y, colour: str, dash: str, hover: str) -> go.Scatter:
    return go.Scatter(
        x=x, y=y, mode="lines", line={"color": colour, "width": 2.2, "dash": dash},
        hovertemplate=f"{hover}<extra></extra>",
    )  # fmt: skip


def _pulse(step: int, value: float) -> dict:
    colour = theme.fade(theme.tokens().soft, 0.35)
    return {
        "type": "rect", "xref": "x", "yref": "paper", "x0": step - 0.4, "x1": step + 0.4, "y0": 0, "y1": 0.92,
        "line": {"width": 0}, "fillcolor": colour, "layer": "below",
    }  # fmt: skip


def _note(x: float, y: float, text: str) -> dict:
    return {
        "x": x,
        "y": y,
        "text": text,
        "showarrow": False,
        "font": {"size": 12, "color": theme.tokens().soft},
    }


def _ends(labels: list[tuple[str, float, str]], span: float) -> list[dict]:
    """Names at the right ends of lines, moved apart where they would touch; `span` is the axis' length."""
    least, placed = 0.065 * span, []
    for name, value, colour in sorted(labels, key=lambda label: label[1]):
        y = max(float(value), placed[-1]["y"] + least) if placed else float(value)
        placed.append({
            "x": 1, "xref": "paper", "xanchor": "left", "xshift": 6, "y": y, "yanchor": "middle",
            "text": name, "showarrow": False, "font": {"size": 12, "color": colour},
        })  # fmt: skip
    return placed
