"""Lesson 07 in pictures: what clipping does to a gradient, and the gradients of real runs.

ways()                           # one gradient, clipped in three ways
history({"no clipping": run, "clip 1": other})   # loss and gradient norm, the clipped steps marked
wall(task, step)                 # the loss along one real gradient
turns(angles)                    # how far each way turned the gradients of a training
thresholds("both-ways-work-alike")   # the claim, all ways and thresholds on one axis

The landscape and the descents on it are in widgets.cliff.
"""

import math
from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np
import plotly.graph_objects as go
import torch
from torch import Tensor

from lessons import claims
from lessons import gradient_clipping as lesson
from lessons.arguments import Between, explained
from lessons.errors import LessonError
from lessons.experiments import both_ways_work_alike as both_ways
from lessons.gradient_clipping import Angles
from lessons.run import Run
from widgets import theme
from widgets.explorer import Explorer, Pick, Slider

# Colours of the ways where several are in one picture; elsewhere clipped is blue and unclipped vermilion.
COLOURS = {"by norm": "f", "by value": "i", "adaptive": "o", "each by norm": "g"}
WORDS = {"none": "no clipping", "by norm": "by norm", "by value": "by value", "adaptive": "adaptive"}
THREE = tuple(WORDS)[1:]
PAIR = (1.5, 0.5)  # two weights
SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@explained
def clipped(
    way: str = "by norm",
    length: Annotated[float | int, Between(0)] = 3.0,
    degrees: float | int = 20,
    threshold: float | int = 1.0,
) -> theme.Figure:
    """One gradient of two weights, before and after clipping; on the shaded ground it is left alone.

    The weights are PAIR, each a tensor of its own, so that adaptive clipping has a limit for each.
    """
    if way not in THREE:
        raise LessonError(f"A way to clip is one of {', '.join(THREE)}; {way!r} is none.")
    place, turn, tokens = {"dtype": torch.float64, "device": "cpu"}, math.radians(degrees), theme.tokens()
    raw = torch.tensor([length * math.cos(turn), length * math.sin(turn)], **place)
    used = torch.stack(lesson.clip(way, list(raw), list(torch.tensor(PAIR, **place)), threshold))
    return theme.figure(
        *(_allowed(name, threshold, name == way) for name in THREE),
        arrow(np.zeros(2), raw.numpy(), tokens.i, 3),
        arrow(np.zeros(2), used.numpy(), tokens.f, 3.5),
        title="What does clipping do to the direction?",
        summary=f"{way.capitalize()}, threshold {threshold:g}: {length:.2f} long at {degrees:g}° becomes "
        f"{float(used.norm()):.2f} long at {math.degrees(math.atan2(used[1], used[0])):.0f}°, "
        f"turned by {lesson.angle([raw], [used]):.0f}°.",
        x=f"gradient of the first weight, which is {PAIR[0]:g}",
        y=f"gradient of the second, which is {PAIR[1]:g}",
        height=theme.TOP + 56 + 440,
        annotations=[_beside(raw, "gradient", tokens.i, "bottom"), _beside(used, "clipped", tokens.f, "top")],
        xaxis={"range": [-4.4, 4.4], "constrain": "domain"},
        yaxis={"range": [-1.6, 4.2], "scaleanchor": "x", "constrain": "domain"},
        shapes=[_upright(0, tokens.edge, "solid", 1), _level(0, tokens.edge, "y", "solid", 1)],
    )


def ways() -> Explorer:
    """The picture above with the way, the gradient and the threshold to choose."""
    return Explorer(
        clipped,
        way=Pick({WORDS[way]: way for way in THREE}, "by norm", "clipping"),
        length=Slider(0.5, 4.0, 3.0, 0.1, "length of the gradient"),
        degrees=Slider(0, 180, 20, 5, "direction in degrees"),
        threshold=Slider(0.1, 3.0, 1.0, 0.1, "threshold"),
    )


@explained
def history(runs: Mapping[str, Run]) -> theme.Figure:
    """Loss and gradient norm of one or two trainings, step by step; dots mark the clipped gradients.

    A cross marks where a training ended because its loss was no number any more.
    """
    if not 1 <= len(runs) <= 2:
        raise LessonError(f"The picture compares one or two runs by name; {len(runs)} were given.")
    colours = dict(zip(runs, map(theme.colour, "if"[2 - len(runs) :]), strict=True))
    norms = np.concatenate([_finite(run.gradient_norms) for run in runs.values()])
    low, high = math.floor(np.log10(norms[norms > 0].min())), math.ceil(np.log10(norms.max()) + 0.1)
    top = 1.2 * max(float(np.quantile(_finite(run.losses), 0.97)) for run in runs.values())
    clips = {name: run.settings["clip"] for name, run in runs.items() if run.settings.get("clip")}
    ends = [_end(run, name, colours[name], top) for name, run in runs.items()]
    return theme.figure(
        *(trace for name, run in runs.items() for trace in _curves(run, name, colours[name])),
        title="Which gradients were too long?",
        summary=" ".join(_run_told(run, name) for name, run in runs.items()),
        x="step",
        height=theme.TOP + 56 + 400,
        margin={"r": 150},
        annotations=[*_apart(ends, top), *(_clip_note(clip, colours[name]) for name, clip in clips.items())],
        shapes=[_level(clip, colours[name], "y2") for name, clip in clips.items()],
        xaxis={"range": [0, max(len(run.losses) for run in runs.values())], "anchor": "y2"},
        yaxis={"domain": [0.54, 0.96], "range": [0, top], "title": {"text": _unit(runs)}},
        yaxis2={"domain": [0, 0.44], "title": {"text": "gradient norm"}, **_powers(low, high)},
    )


@explained
def wall(task: Any, step: int, clip: Annotated[float | int, Between(0)] = 1.0) -> theme.Figure:
    """The loss along one gradient of a real network, and how far plain and clipped descent would step.

    Both axes are logarithmic; where the line ends, the loss is no number any more.
    """
    lengths = torch.logspace(-3, 3, 121, dtype=torch.float64, device="cpu")
    losses = lesson.along(task, step, lengths).numpy()
    seen = losses[np.isfinite(losses) & (losses > 0)]
    if not len(seen):
        raise LessonError("The loss is no number anywhere along this gradient; take an earlier step.")
    norm, rate = float(lesson.total_norm(lesson.gradients(task, step))), task.preset.learning_rate
    low, high = math.floor(np.log10(seen.min())), min(12, math.ceil(np.log10(seen.max()) + 0.1))
    asked, cut, tokens = rate * norm, rate * min(norm, clip), theme.tokens()
    best = float(lengths[int(np.nanargmin(losses))])
    return theme.figure(
        go.Scatter(x=lengths.numpy(), y=losses, mode="lines", line={"color": tokens.ink, "width": 2.5},
                   hovertemplate="step of length %{x:.3g}: loss %{y:.3g}<extra></extra>"),
        title="How far can one step go?",
        summary=f"The gradient is {number(norm)} long. Times the rate {rate:g} it asks for a step of "
        f"{number(asked)}; clipped at {clip:g}, of {number(cut)}. The loss is lowest at {number(best)}.",
        x="length of a step down the gradient", y=f"loss after it ({task.unit})",
        height=theme.TOP + 56 + 300,
        margin={"l": 76},
        shapes=[_upright(asked, tokens.i), _upright(cut, tokens.f)],
        annotations=[_above(asked, "as asked", tokens.i, "left"), _above(cut, "clipped", tokens.f, "right")],
        xaxis=_powers(-3, 3),
        yaxis=_powers(low, max(high, low + 1)),
    )  # fmt: skip


@explained
def turns(angles: Angles) -> theme.Figure:
    """How far each way of clipping turned the gradients of a training, in degrees.

    A name with its threshold stands at the median of its line; where there is no dot nothing was clipped.
    """
    if not angles.steps:
        raise LessonError("Nothing was measured yet; give the angles to a training as its watch.")
    middle = {way: angles.middle(way) for way in angles.turned}
    turned = [value for values in angles.turned.values() for value in values if math.isfinite(value)]
    top = 1.08 * max([5.0, *turned])
    last = max(
        (step for values in angles.turned.values() for step, value in zip(angles.steps, values, strict=True)
         if math.isfinite(value)), default=angles.steps[-1],
    )  # fmt: skip
    traces, notes = [], []
    for way, values in angles.turned.items():
        colour = theme.colour(COLOURS[way])
        traces.append(go.Scatter(
            x=angles.steps, y=values, mode="lines+markers", line={"color": colour, "width": 2},
            marker={"size": 4}, hovertemplate=f"step %{{x}}: {way}, %{{y:.0f}}°<extra></extra>",
        ))  # fmt: skip
        notes.append(_note(f"{way}, {angles.ways[way]:g}", middle[way], colour))
    return theme.figure(
        *traces,
        title="How far does clipping turn a real gradient?",
        summary="Median of the gradients that were clipped: "
        f"{', '.join(f'{way} {by:.0f}°' for way, by in middle.items())}.",
        x="step of the training", y="degrees between before and after",
        height=theme.TOP + 56 + 260,
        margin={"r": 150},
        annotations=_apart(notes, top),
        xaxis={"range": [0, last + angles.every]}, yaxis={"range": [-0.03 * top, top]},
    )  # fmt: skip


@explained
def thresholds(result: claims.Result | str) -> theme.Figure:
    """Every seed of the claim on the ways of clipping: a column a way, its thresholds in it.

    Takes a Result or the claim's name in the ledger. Blue dots have learnt the task.
    """
    result = claims.load(result) if isinstance(result, str) else result
    if not set(both_ways.GRID) <= set(result.spread):
        raise LessonError(f"{result.name!r} does not compare ways of clipping; 'both-ways-work-alike' does.")
    solved, tokens = both_ways.SOLVED, theme.tokens()
    x, y, ticks, names, texts = [], [], [], [], []
    for column, way in enumerate(both_ways.GRID):
        names.append(_heading(column, way))
        for place, condition in enumerate(result.spread[way]):
            values, at = result.values(way, condition), column + (place - 1.5) / 4.6
            ticks.append((at, condition))
            x += list(at + np.linspace(-0.06, 0.06, len(values)))
            y += values
            texts += [f"{way} at {condition}: {value:.3f}" for value in values]
    learnt = np.array(y) >= solved
    return theme.figure(
        go.Scatter(x=x, y=y, mode="markers", text=texts, hovertemplate="%{text}<extra></extra>",
                   marker={"color": [tokens.f if one else tokens.i for one in learnt], "size": 9,
                           "symbol": ["circle" if one else "x" for one in learnt]}),
        title="Which way of clipping learns it, at which threshold?",
        summary=f"{result.verdict[0].upper()}{result.verdict[1:]}. {result.reason}",
        x="threshold", y="held-out answers right", height=theme.TOP + 56 + 300,
        margin={"r": 84},
        annotations=[*names, _note("learnt", solved, tokens.soft), _note("guessing", 0.5, tokens.soft)],
        shapes=[_level(solved, tokens.soft, "y"), _level(0.5, tokens.soft, "y")],
        xaxis={"range": [-0.5, len(names) - 0.5], "tickvals": [at for at, _ in ticks], "showgrid": False,
               "ticktext": [condition for _, condition in ticks], "tickangle": 0},
        yaxis={"range": [0.42, 1.1]},
    )  # fmt: skip


def _heading(column: int, text: str) -> dict[str, Any]:
    return {
        "text": f"<b>{text}</b>", "x": column, "y": 1, "yref": "paper", "yanchor": "top", "showarrow": False,
    }  # fmt: skip


def arrow(begin: np.ndarray, end: np.ndarray, colour: str, width: float) -> go.Scatter:
    """A line with a head, cut off where it leaves the picture."""
    return go.Scatter(
        x=[begin[0], end[0]], y=[begin[1], end[1]], mode="lines+markers", hoverinfo="skip",
        line={"color": colour, "width": width},
        marker={"symbol": "arrow", "angleref": "previous", "size": [0, 5 * width], "color": colour},
    )  # fmt: skip


def number(value: float | Tensor) -> str:
    """A number in words that stay short: 0.0312, 3.1, 961, or with a power of ten."""
    value = float(value)
    if value == 0 or 0.001 <= abs(value) < 10_000:
        return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"
    if not math.isfinite(value):
        return "no number"
    power = math.floor(math.log10(abs(value)))
    return f"{value / 10**power:.1f} × 10{str(power).translate(SUPERSCRIPT)}"


def ten(power: int) -> str:
    """A power of ten as an axis shows it."""
    return {0: "1", 1: "10", 2: "100"}.get(power, f"10{str(power).translate(SUPERSCRIPT)}")


def _allowed(way: str, threshold: float, chosen: bool) -> go.Scatter:
    """The gradients that a way of clipping leaves alone, as an outline."""
    tokens, turn, high = theme.tokens(), np.linspace(0, 2 * np.pi, 121), threshold
    x, y = {
        "by norm": (high * np.cos(turn), high * np.sin(turn)),
        "by value": _box(high, high),
        "adaptive": _box(high * PAIR[0], high * PAIR[1]),
    }[way]
    look = {"color": tokens.f, "width": 2} if chosen else {"color": tokens.edge, "width": 1, "dash": "dot"}
    return go.Scatter(
        x=x, y=y, mode="lines", hoverinfo="skip", line=look, fill="toself" if chosen else "none",
        fillcolor=theme.fade(tokens.f, 0.14),
    )  # fmt: skip


def _box(x: float, y: float) -> tuple[list[float], list[float]]:
    return [-x, x, x, -x, -x], [-y, -y, y, y, -y]


def _curves(run: Run, name: str, colour: str) -> list[go.Scatter]:
    """Loss, norm, and dots on the norms that were cut."""
    losses, norms = (np.asarray(series, dtype=np.float64) for series in (run.losses, run.gradient_norms))
    steps, clip, line = (
        np.arange(1, len(norms) + 1),
        run.settings.get("clip"),
        {"color": colour, "width": 1.6},
    )
    cut = np.isfinite(norms) & (norms > (clip or math.inf))
    said = [f"{name}, step %{{x}}: {what}<extra></extra>" for what in ("loss %{y:.3f}", "norm %{y:.3g}")]
    return [
        go.Scatter(x=steps, y=losses, mode="lines", line=line, hovertemplate=said[0]),
        go.Scatter(x=steps, y=norms, yaxis="y2", mode="lines", line=line, hovertemplate=said[1]),
        go.Scatter(x=steps[cut], y=norms[cut], yaxis="y2", mode="markers", hoverinfo="skip",
                   marker={"color": colour, "size": 5}),
    ]  # fmt: skip


def _finite(series: list[float]) -> np.ndarray:
    values = np.asarray(series, dtype=np.float64)
    values = values[np.isfinite(values)]
    return values if len(values) else np.ones(1)


def _end(run: Run, name: str, colour: str, top: float) -> dict[str, Any]:
    """The run's name: beside its last loss, or with a cross where the loss stopped being a number."""
    if run.reason != "diverged":
        return _note(name, min(run.losses[-1], top), colour)
    late = run.step > 0.6 * run.settings["steps"]
    return {
        "text": f"<b>✕ {theme.escape(name)}: no number at step {run.step}</b>", "x": run.step, "y": top,
        "xanchor": "right" if late else "left", "yanchor": "bottom", "showarrow": False,
        "font": {"size": 12, "color": colour},
    }  # fmt: skip


def _run_told(run: Run, name: str) -> str:
    norms, clip = np.asarray(run.gradient_norms), run.settings.get("clip")
    lost = run.reason == "diverged"
    end = f"no number at step {run.step}" if lost else f"loss {run.losses[-1]:.3f} at the end"
    cut = f", {100 * float(np.mean(norms > clip)):.0f} % were clipped" if clip else ""
    return f"{name[0].upper()}{name[1:]}: {end}; longest gradient {number(_finite(norms).max())}{cut}."


def _unit(runs: Mapping[str, Run]) -> str:
    return f"loss ({next(iter(runs.values())).unit})"


def _note(text: str, y: float, colour: str) -> dict[str, Any]:
    return {
        "text": theme.escape(text), "x": 1, "xref": "paper", "xanchor": "left", "xshift": 8, "y": y,
        "yanchor": "middle", "showarrow": False, "font": {"size": 12, "color": colour},
    }  # fmt: skip


def _clip_note(clip: float, colour: str) -> dict[str, Any]:
    return _note(f"clipped at {clip:g}", math.log10(clip), colour) | {"yref": "y2"}


def _apart(notes: list[dict[str, Any]], top: float) -> list[dict[str, Any]]:
    """Labels beside the picture moved off one another."""
    placed: list[dict[str, Any]] = []
    for note in sorted(notes, key=lambda note: (note.get("xref", ""), note["y"])):
        last = placed[-1] if placed else {}
        crowded = note.get("xref") == last.get("xref") == "paper"
        placed.append(note | {"y": max(note["y"], last["y"] + 0.075 * top)} if crowded else note)
    return placed


def _beside(end: Tensor, text: str, colour: str, side: str) -> dict[str, Any]:
    x, y = end.tolist()
    return {
        "x": x, "y": y, "text": f"<b>{text}</b>", "showarrow": False, "font": {"color": colour, "size": 13},
        "xanchor": "left" if x >= 0 else "right", "xshift": 9 if x >= 0 else -9, "yanchor": side,
    }  # fmt: skip


def _above(x: float, text: str, colour: str, side: str) -> dict[str, Any]:
    outside = x > 1e3
    side = "right" if outside else side
    return {
        "text": f"<b>{text}{' →' if outside else ''}</b>", "x": math.log10(min(max(x, 1e-3), 1e3)), "y": 1,
        "yref": "paper", "yanchor": "bottom", "xanchor": side, "showarrow": False,
        "font": {"size": 13, "color": colour},
    }  # fmt: skip


def _level(y: float, colour: str, axis: str, dash: str = "dash", width: float = 1.5) -> dict[str, Any]:
    return {
        "type": "line", "xref": "x domain", "x0": 0, "x1": 1, "yref": axis, "y0": y, "y1": y,
        "layer": "below", "line": {"dash": dash, "width": width, "color": colour},
    }  # fmt: skip


def _upright(x: float, colour: str, dash: str = "dash", width: float = 2) -> dict[str, Any]:
    return {
        "type": "line", "x0": x, "x1": x, "yref": "y domain", "y0": 0, "y1": 1, "layer": "below",
        "line": {"dash": dash, "width": width, "color": colour},
    }  # fmt: skip


def _powers(low: int, high: int) -> dict[str, Any]:
    """A logarithmic axis with at most eight powers of ten named."""
    every = max(1, math.ceil((high - low) / 8))
    places = [k for k in range(low, high + 1) if k % every == 0]
    return {
        "type": "log", "range": [low, high], "tickvals": [10.0**k for k in places],
        "ticktext": [ten(k) for k in places],
    }  # fmt: skip
