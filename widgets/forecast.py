"""A forecast as a fan: drag the last values, hold a gate, and see what the network expects to follow.

forecast.fan(model, series)                      # runs in the browser; export.live_page makes a page of it
forecast.figure(history, paths, truth, "m")      # the same as a still picture
"""

from collections.abc import Mapping
from typing import Any

import anywidget
import plotly.graph_objects as go
import torch
import traitlets
from jaxtyping import Float
from torch import Tensor

from lessons import forecast
from lessons.arguments import Count, Seed, explained
from lessons.errors import LessonError
from lessons.forecast import Forecaster
from lessons.series import Series
from widgets import esm, slots, theme, weights

HISTORY, AHEAD = 200, 60  # values in the page: read before now, and of what really came
PATHS = 200  # of the still picture


class Fan(anywidget.AnyWidget):
    """What `fan` displays.

    values: what the network has read, the last of them now; setting or dragging them asks for another
    forecast. horizon: steps ahead. chosen: which value is marked, counted back from now. signal, unit, layer,
    moment: what is looked at inside; held: the value that this signal of this unit is held at, or None.
    """

    _esm = esm.bundle("forecast.js")
    _css = f"{esm.style()}\n{esm.read('numbers.css')}"
    _model = traitlets.Dict().tag(sync=True)
    _series = traitlets.Dict().tag(sync=True)
    values = traitlets.List(traitlets.Float()).tag(sync=True)
    horizon = traitlets.Int(24, min=2, max=AHEAD).tag(sync=True)
    seed = traitlets.Int(0, min=0).tag(sync=True)
    chosen = traitlets.Int(0, min=0).tag(sync=True)
    signal = traitlets.Unicode("h").tag(sync=True)
    unit = traitlets.Int(0, min=0).tag(sync=True)
    layer = traitlets.Int(0, min=0).tag(sync=True)
    moment = traitlets.Int(0, min=0).tag(sync=True)
    held = traitlets.Float(None, allow_none=True).tag(sync=True)
    theme = traitlets.Enum(("auto", "light", "dark"), "auto").tag(sync=True)
    message = traitlets.Unicode("").tag(sync=True)
    _still: Mapping[str, str] = {"text/plain": "A forecast."}

    def __repr__(self) -> str:
        return self.message or self._still["text/plain"]

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle = super()._repr_mimebundle_(**kwargs)
        return {**(bundle[0] if isinstance(bundle, tuple) else bundle), **self._still}

    def close(self) -> None:
        """Close, and let go of the weights."""
        super().close()
        self._model, self._series = {}, {}


def fan(model: Forecaster, data: Series | Tensor | None = None, horizon: int = 24, seed: int = 0) -> Fan:
    """Forecast in the browser: from a Series at the beginning of its test part, or from values in a row.

    Without data it goes on from a path that the network draws itself. Problems are said in the message line;
    nothing is raised.
    """
    widget = Fan(theme="dark" if theme.tokens() is theme.DARK else "auto")
    slots.keep(widget)
    try:
        _fill(widget, model, data, horizon, seed)
    except LessonError as problem:
        widget.message = str(problem)
    return widget


@explained
def _fill(widget: Fan, model: Forecaster, data: Series | Tensor | None, horizon: Count, seed: Seed) -> None:
    if horizon not in range(2, AHEAD + 1):
        raise LessonError(f"A page looks 2 to {AHEAD} steps ahead; {horizon} is not among them.")
    packed = weights.pack(model)
    history, truth = beginning(model, data)
    paths = forecast.forecast(model, history, horizon, PATHS, seed)
    column = data.column if isinstance(data, Series) else model.name
    picture = figure(history, paths, truth, column)
    values = history.tolist()
    with widget.hold_sync():
        widget._model = packed
        widget._series = {
            "name": model.name, "column": column, "mean": model.mean, "deviation": model.deviation,
            "values": values, "truth": truth.tolist(),
        }  # fmt: skip
        widget.values, widget.horizon, widget.seed = values, horizon, seed
        widget.moment = len(values) - 1
    widget._still = {**theme.png(picture), "text/plain": picture.summary}


def beginning(
    model: Forecaster, data: Series | Tensor | None
) -> tuple[Float[Tensor, " history"], Float[Tensor, " truth"]]:
    """What is read before now, and what really came after it, if that is known."""
    if data is None:
        start = torch.tensor([model.mean], dtype=torch.float64, device="cpu")
        return forecast.forecast(model, start, HISTORY, 1)[0], start[:0]
    if isinstance(data, Series):
        now = data.cuts[1]
        return data.values[max(0, now - HISTORY) : now], data.values[now : now + AHEAD]
    values = data.double().flatten().cpu()
    return values[-HISTORY:], values[:0]


@explained
def figure(
    history: Float[Tensor, " history"],
    paths: Float[Tensor, "paths horizon"],
    truth: Float[Tensor, " truth"] | None = None,
    column: str = "value",
    shown: Count = 100,
) -> theme.Figure:
    """History (`shown` values of it), the fan of the paths and what really came: a pure picture."""
    tokens = theme.tokens()
    low, first, middle, third, high = (row.tolist() for row in forecast.fan(paths))
    past = history[-shown:].tolist()
    now, ahead = past[-1], list(range(paths.shape[1] + 1))
    bands = [
        _band(ahead, [now, *below], [now, *above], tokens.f, opacity, words)
        for below, above, opacity, words in ((low, high, 0.16, "nine of ten"), (first, third, 0.3, "half"))
    ]
    lines = [
        _line(ahead, [now, *middle], tokens.f, "solid", 2.4, "middle"),
        _line(list(range(1 - len(past), 1)), past, tokens.ink, "solid", 2, column),
    ]
    known = [] if truth is None else truth[: paths.shape[1]].tolist()
    if known:
        lines.append(_line(ahead[1 : len(known) + 1], known, tokens.ink, "dash", 1.6, "what came"))
    inside = sum(a <= value <= b for value, a, b in zip(known, low, high, strict=False))
    told = f" What came lies inside for {inside} of {len(known)} steps." if known else ""
    return theme.figure(
        *bands, *lines, title="What comes next?", x="steps from now (dashed: what really came)", y=column,
        summary=f"From {now:.3g}, nine of ten paths lie between {low[-1]:.3g} and {high[-1]:.3g} "
        f"{paths.shape[1]} steps ahead, the middle at {middle[-1]:.3g}.{told}",
        shapes=[{"type": "line", "x0": 0, "x1": 0, "yref": "paper", "y0": 0, "y1": 1,
                 "line": {"color": tokens.edge, "width": 1, "dash": "dot"}}],
    )  # fmt: skip


def _line(x: list[int], y: list[float], colour: str, dash: str, width: float, name: str) -> go.Scatter:
    return go.Scatter(
        x=x, y=y, mode="lines", line={"color": colour, "dash": dash, "width": width},
        hovertemplate=f"{theme.escape(name)} %{{y:.3g}} at %{{x}}<extra></extra>",
    )  # fmt: skip


def _band(
    x: list[int], low: list[float], high: list[float], colour: str, opacity: float, name: str
) -> go.Scatter:
    return go.Scatter(
        x=x + x[::-1], y=high + low[::-1], fill="toself", mode="lines", line={"width": 0},
        fillcolor=theme.fade(colour, opacity), hoverinfo="skip", name=name,
    )  # fmt: skip
