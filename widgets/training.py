"""A training to look at: the curve while it runs, with a way to stop it, and the picture that stays.

    run = fit(model, text, watch=training.live())
    training.curve(run)

The widgets are there only while `fit` runs. When it ends they give way to a static picture and a table of
samples, which GitHub shows and a reload keeps.
"""

import itertools
import math
import time
from collections.abc import Sequence
from statistics import fmean
from typing import Any

import anywidget
import numpy as np
import plotly.graph_objects as go
import traitlets

from lessons import sampling, tracing
from lessons.arguments import Count, explained
from lessons.errors import LessonError
from lessons.run import Run
from widgets import esm, slots, theme
from widgets.explorer import shut
from widgets.sampling import Samples

POINTS = 1_000  # most points of a curve
SHARE = 0.035  # of the training's time that may go into pictures
PAUSE = 0.5  # seconds between two pictures, at least
AXIS, LINE = 250, 16  # pixels: of the loss axis, about, and of a line of a label
GATES_EVERY = 20  # steps between two pictures of the gates, at least
ENDS = {
    "stopped": "Stopped by hand",
    "interrupted": "Interrupted",
    "diverged": "Ended by a loss that is no number",
}


@explained
def curve(run: Run) -> theme.Figure:
    """Loss, held-out figures and baselines over the steps, and below them the gradient's norm.

    The pale line is the loss of every step (means where there are more than 1,000), the dark one its running
    mean. A pure picture of the run.
    """
    steps, shown = _steps(run), _shown(run)
    where, losses = thin(run.losses)
    _, norms = thin(run.gradient_norms)
    low, high = _span(run, shown)
    notes = [_label(value, f"{name}\n{value:.2f}") for name, value in run.baselines.items()]
    return theme.figure(
        _line(where, losses, theme.fade(theme.colour("f"), 0.35), 1, f"loss %{{y:.3f}} {run.unit}"),
        _line(where, running(losses), theme.colour("f"), 2.5, f"running mean %{{y:.3f}} {run.unit}"),
        _points(run, shown),
        _line(where, norms, theme.colour("g"), 1.2, "gradient norm %{y:.3g}", axis="y2"),
        title=_question(run),
        summary=_reached(run, shown),
        x="step",
        height=theme.TOP + 56 + 380,
        margin={"l": 64, "r": 150, "t": theme.TOP, "b": 56},
        shapes=[*(_dashed(value, "y") for value in run.baselines.values()), *_threshold(run)],
        annotations=_apart([*notes, *_end(run, shown)], low, high) + _norm_notes(run),
        xaxis={"range": [0, steps], "anchor": "y2"},
        yaxis={"title": {"text": f"loss ({run.unit})"}, "domain": [0.34, 1], "range": [low, high]},
        yaxis2={"title": {"text": "gradient norm"}, "domain": [0, 0.24], "type": "log",
                "range": _decades(run), "dtick": 1, "exponentformat": "none"},
    )  # fmt: skip


def thin(series: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    """(steps, values) of a series as at most 1,000 float32 points, each the mean of the steps up to it."""
    values = np.asarray(series, dtype=np.float32)
    every = max(1, math.ceil(len(values) / POINTS))
    whole = len(values) // every * every
    means = values[:whole].reshape(-1, every).mean(1) if whole else values[:0]
    return np.arange(every, whole + 1, every, dtype=np.float32), means


def running(values: np.ndarray, window: int = 20) -> np.ndarray:
    """Mean of each value and up to `window` - 1 before it."""
    sums = np.cumsum(np.concatenate([np.zeros(1), values.astype(np.float64)]))
    ends = np.arange(1, len(values) + 1)
    starts = np.maximum(0, ends - window)
    return ((sums[ends] - sums[starts]) / (ends - starts)).astype(np.float32)


def spoken(figure: str | None) -> str:
    """An evaluation's figure in words: what a task calls "valid" is the held-out text."""
    return {"valid": "held-out", None: ""}.get(figure, figure)


class Panel(anywidget.AnyWidget):
    """What a live training shows (widgets/js/live.js). Drawn without plotly, whose 5 MB a page that trains
    beside it takes seconds to start."""

    _esm = esm.bundle("live.js")
    _css = f"{esm.style()}\n{esm.read('live.css')}"
    theme = traitlets.Unicode("light").tag(sync=True)
    title = traitlets.Unicode("").tag(sync=True)
    summary = traitlets.Unicode("").tag(sync=True)
    share = traitlets.Float(0.0).tag(sync=True)
    curve = traitlets.Dict().tag(sync=True)
    gates = traitlets.Dict().tag(sync=True)
    samples = traitlets.List().tag(sync=True)
    stop = traitlets.Bool(False).tag(sync=True)
    heard = traitlets.Bool(False).tag(sync=True)


class Live:
    """A watch for `fit`; see `live`. `samples`: what was written at every evaluation, by step.

    `spent` is how many seconds went into pictures and samples.
    """

    every = 5

    def __init__(
        self, text: str | None, name: str | None, temperatures: Sequence[float], seed_text: str, length: int
    ):
        self.text, self.name, self.temperatures = text, name, tuple(temperatures)
        self.seed_text, self.length = seed_text, length
        self.samples: dict[int, tuple[sampling.Sample, ...]] = {}
        self.spent = 0.0
        self.panel: Panel | None = None
        self._handles = None

    def on_start(self, run: Run, task: Any) -> None:
        """Put the curve and its stop button on the page."""
        self._run, self._began, self._last, self._traced = run, time.perf_counter(), 0.0, -GATES_EVERY
        self.samples, self.spent, self._drawing = {}, 0.0, 0.0
        if slots.running_kernel() is not None:
            self._open()
        self._write(run, task)
        self._draw(run, task)

    def on_step(self, run: Run, task: Any, step: int) -> None:
        """Redraw, if the last picture is long enough ago and pictures have not cost too much so far.

        Samples do not count here: where a training is quick, they alone would stop the curve.
        """
        now = time.perf_counter()
        if now - self._last >= PAUSE and self._drawing < SHARE * (now - self._began):
            self._draw(run, task)
            self._last = time.perf_counter()
            self._drawing += self._last - now
            self.spent += self._last - now

    def on_evaluate(self, run: Run, task: Any, step: int, figures: dict[str, float]) -> None:
        """Write samples with the model as it is now."""
        began = time.perf_counter()
        self._write(run, task)
        self.spent += time.perf_counter() - began

    def on_stop(self, run: Run, task: Any, reason: str) -> None:
        """Leave the static picture and the samples, and free the widget."""
        picture, table = curve(run), self.table()
        if self._handles is None:
            print("\n".join(filter(None, [picture.summary, repr(table)])))
            return
        self._handles[0].update(picture)
        if self.samples:
            self._handles[1].update(table)
        self.close()

    def table(self) -> Samples:
        """The samples before, during and after the training as a table."""
        steps = sorted(self.samples)
        chosen = dict.fromkeys([*steps[:1], *steps[len(steps) // 2 :][:1], *steps[-1:]])
        names = {step: "at the start" if step == 0 else f"after {step:,} steps" for step in chosen}
        return Samples({names[step]: {s.temperature: str(s) for s in self.samples[step]} for step in chosen})

    def close(self) -> None:
        """Free the widget."""
        shut(self.panel)
        self.panel = None

    def _open(self) -> None:
        from IPython.display import display

        self.panel = Panel(theme=theme.tokens().name)
        self.panel.observe(self._stop, names="stop")
        slots.keep(self)
        self._handles = display(self.panel, display_id=True), display(display_id=True)

    def _stop(self, change: dict[str, Any]) -> None:
        self._run.stop("stopped")
        self.panel.heard = True

    def _draw(self, run: Run, task: Any) -> None:
        if self.panel is None:
            return
        shown = _shown(run)
        with self.panel.hold_sync():
            self.panel.title, self.panel.summary = _question(run), _reached(run, shown)
            self.panel.share = run.step / _steps(run)
            self.panel.curve = _wire(run, shown)
            if self.text and run.step >= self._traced + GATES_EVERY:
                self._traced = run.step
                self._show_gates(run, task)

    def _show_gates(self, run: Run, task: Any) -> None:
        """A text or name that does not fit the model must not end the training."""
        try:
            self.panel.gates = self._gates(run, task)
        except LessonError as problem:
            self.text = None
            print(f"No gates are shown: {problem}")

    def _gates(self, run: Run, task: Any) -> dict[str, Any]:
        seen = tracing.trace(task.model, self.text)
        signal = self.name or ("c" if "c" in seen.names else "h")
        values = np.ascontiguousarray(seen.numpy(signal))
        steps, units = values.shape
        return {
            "values": values.tobytes(), "steps": steps, "units": units, "signal": signal,
            "characters": [theme.glyph(label) for label in seen.labels[0]], "after": f"{run.step:,}",
        }  # fmt: skip

    def _write(self, run: Run, task: Any) -> None:
        if not self.temperatures or not hasattr(task.model, "vocabulary") or run.step in self.samples:
            return
        try:
            some = sampling.generate_at(
                task.model, self.temperatures, self.seed_text, self.length, seed=run.seed
            )
        except LessonError as problem:
            self.temperatures = ()
            print(f"No samples are written: {problem}")
            return
        self.samples[run.step] = some
        if self.panel is not None:
            self.panel.samples = [[f"{s.temperature:g}", str(s)] for s in some]


@explained
def live(
    text: str | None = None,
    *,
    name: str | None = None,
    temperatures: Sequence[sampling.Heat] = (0.5, 1.0),
    seed_text: str = "",
    length: Count = 160,
) -> Live:
    """Watch a training: `fit(model, corpus, watch=training.live())`.

    Shows the loss with its baselines, the gradient's norm with the clipping threshold, a stop button that
    keeps the run, and, at every evaluation, `length` characters written at each of `temperatures` after
    `seed_text`. With `text`, also the gate or state `name` of all units while the model reads that text, at
    most every 20 steps. Drawing takes at most 3.5 % of the training's time and leaves its random numbers
    alone. In a terminal it prints what was reached at the end.
    """
    return Live(text, name, temperatures, seed_text, length)


def _steps(run: Run) -> int:
    return max(int(run.settings.get("steps", run.step)), run.step, 1)


def _shown(run: Run) -> str | None:
    """The figure that is drawn: the first of an evaluation that is a number."""
    return next((name for name, value in run.last.items() if math.isfinite(value)), None)


def _wire(run: Run, shown: str | None) -> dict[str, Any]:
    """The curve as widgets/js/live.js draws it."""
    where, losses = thin(run.losses)
    _, norms = thin(run.gradient_norms)
    series = {"x": where, "losses": losses, "means": running(losses), "norms": norms}
    evaluations = [[e["step"], e[shown]] for e in run.evaluations if math.isfinite(e.get(shown, math.nan))]
    return {name: values.tobytes() for name, values in series.items()} | {
        "steps": _steps(run), "unit": run.unit, "held": spoken(shown), "clip": run.settings.get("clip"),
        "span": list(_span(run, shown)), "decades": _decades(run), "evaluations": evaluations,
        "baselines": [list(item) for item in run.baselines.items()],
    }  # fmt: skip


def _line(x: np.ndarray, y: np.ndarray, colour: str, width: float, hover: str, axis: str = "y") -> go.Scatter:
    return go.Scatter(
        x=x, y=y, yaxis=axis, mode="lines", line={"color": colour, "width": width},
        hovertemplate=f"step %{{x:,.0f}}<br>{hover}<extra></extra>",
    )  # fmt: skip


def _points(run: Run, shown: str | None) -> go.Scatter:
    rows = [(e["step"], e[shown]) for e in run.evaluations if shown in e] if shown else []
    x, y = (np.array([row[k] for row in rows], dtype=np.float32) for k in (0, 1))
    return go.Scatter(
        x=x, y=y, mode="lines+markers", line={"color": theme.colour("i"), "width": 2, "dash": "dot"},
        marker={"size": 8, "color": theme.colour("i")},
        hovertemplate=f"step %{{x:,.0f}}<br>{spoken(shown)} %{{y:.3f}} {run.unit}<extra></extra>",
    )  # fmt: skip


def _dashed(value: float, axis: str, colour: str | None = None) -> dict:
    return {
        "type": "line", "xref": "paper", "x0": 0, "x1": 1, "yref": axis, "y0": value, "y1": value,
        "line": {"dash": "dash", "width": 1.5, "color": colour or theme.tokens().soft},
    }  # fmt: skip


def _threshold(run: Run) -> list[dict]:
    clip = run.settings.get("clip")
    return [_dashed(clip, "y2", theme.colour("i"))] if clip else []


def _label(value: float, text: str, colour: str | None = None, axis: str = "y") -> dict:
    return {
        "x": 1, "xref": "paper", "xanchor": "left", "xshift": 6, "y": value, "yref": axis,
        "yanchor": "middle", "text": theme.escape(text).replace("\n", "<br>"), "showarrow": False,
        "align": "left",
        "font": {"size": 12, "color": colour or theme.tokens().soft},
    }  # fmt: skip


def _end(run: Run, shown: str | None) -> list[dict]:
    if shown is None:
        return []
    return [_label(run.last[shown], f"{spoken(shown)} {run.last[shown]:.2f}", theme.colour("i"))]


def _norm_notes(run: Run) -> list[dict]:
    clip = run.settings.get("clip")
    return [_label(math.log10(clip), f"clipped at {clip:g}", theme.colour("i"), "y2")] if clip else []


def _apart(labels: list[dict], low: float, high: float) -> list[dict]:
    """Labels moved off one another, as little as it takes, and kept on the axis if there is room."""
    pixel = (high - low) / AXIS
    ordered = sorted(labels, key=lambda label: label["y"])
    heights = [LINE * (1 + label["text"].count("<br>")) * pixel for label in ordered]
    gaps = [(below + above) / 2 for below, above in itertools.pairwise(heights)]
    for label, place in zip(ordered, spread([label["y"] for label in ordered], gaps, low, high), strict=True):
        label["y"] = place
    return ordered


def spread(places: Sequence[float], gaps: Sequence[float], low: float, high: float) -> list[float]:
    """Ascending places moved until neighbours are at least `gaps` apart, those that touch around their mean.

    A row of them that would pass `low` or `high` is moved back, as far as the other end allows.
    """
    if not places:
        return []
    offsets = [0.0, *itertools.accumulate(gaps)]
    groups: list[list[float]] = []  # places without the gaps; a group shares its mean
    for place, offset in zip(places, offsets, strict=True):
        groups.append([place - offset])
        while len(groups) > 1 and fmean(groups[-2]) > fmean(groups[-1]):
            groups[-2:] = [groups[-2] + groups[-1]]
    level = [fmean(group) for group in groups for _ in group]
    top = high - offsets[-1]
    return [max(low, min(place, top)) + offset for place, offset in zip(level, offsets, strict=True)]


def _span(run: Run, shown: str | None) -> tuple[float, float]:
    """Ends of the loss axis, on halves, so that it seldom moves while a training runs."""
    seen = [*run.baselines.values(), *(e[shown] for e in run.evaluations if shown in e)] if shown else []
    seen = [*run.baselines.values(), *seen, *run.losses[:1]]
    if losses := [loss for loss in run.losses if math.isfinite(loss)]:
        seen += [min(losses), float(np.quantile(losses, 0.995))]
    seen = [value for value in seen if math.isfinite(value)] or [0.0, 1.0]
    unit = 0.5 if max(seen) - min(seen) > 0.6 else 10.0 ** math.floor(math.log10(max(max(seen), 1e-6)))
    low, high = math.floor(min(seen) / unit - 0.2) * unit, math.ceil(max(seen) / unit + 0.05) * unit
    return low if min(seen) < 0 else max(0.0, low), high  # a density may be above 1, its cost below 0


def _decades(run: Run) -> list[float]:
    norms = [value for value in run.gradient_norms if math.isfinite(value) and value > 0]
    seen = [*norms, run.settings.get("clip") or 1.0]
    return [math.floor(math.log10(min(seen)) - 0.05), math.ceil(math.log10(max(seen)) + 0.05)]


def _question(run: Run) -> str:
    best = min(run.baselines, key=run.baselines.get, default=None)
    return f"Does the loss fall below “{best}”?" if best else "How far does the loss fall?"


def _reached(run: Run, shown: str | None) -> str:
    after = f"{ENDS[run.reason]} after" if run.reason in ENDS else "After"
    parts = [f"{after} {run.step:,} steps in {run.seconds:.0f} s"]
    if shown:
        when = "is" if run.evaluated == run.step else f"at step {run.evaluated:,} was"
        parts.append(f", the {spoken(shown)} loss {when} {run.last[shown]:.3f} {run.unit}")
        best = min(run.baselines, key=run.baselines.get, default=None)
        if best:
            gap = run.last[shown] - run.baselines[best]
            parts.append(f", {abs(gap):.3f} {'above' if gap > 0 else 'below'} “{best}”")
    elif run.losses:
        parts.append(f", the loss is {run.losses[-1]:.3f} {run.unit}")
    clip = run.settings.get("clip")
    if clip and run.gradient_norms:
        clipped = float(np.mean(np.asarray(run.gradient_norms) > clip))
        parts.append(f"; {100 * clipped:.0f} % of the gradients were clipped")
    return f"{''.join(parts)}."
