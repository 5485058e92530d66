"""A network that goes on drawing, in the browser: begin a stroke, let it continue, hold a gate."""

from typing import Any

import anywidget
import numpy
import traitlets

from lessons.arguments import Seed, explained
from lessons.errors import LessonError
from lessons.handwritten import Bias
from lessons.ink import Ink
from lessons.sketching import Sketcher, Strokes, draw_on
from widgets import esm, slots, theme, weights

GIVEN = 60  # points of a beginning
PACE = 0.42  # heights of an x between two points, where nothing else is known


class Sketch(anywidget.AnyWidget):
    """What `sketch` displays.

    offsets: [dx, dy, lifted, by whom] of every point, by whom 0 for what was given and 1 for the network.
    signal, unit, layer, moment, held: what is looked at inside and held, as in widgets.forecast.
    """

    _esm = esm.bundle("sketch.js")
    _css = f"{esm.style()}\n{esm.read('numbers.css')}"
    _model = traitlets.Dict().tag(sync=True)
    _pace = traitlets.Float(PACE).tag(sync=True)
    _sample = traitlets.List().tag(sync=True)
    offsets = traitlets.List().tag(sync=True)
    bias = traitlets.Float(0.5).tag(sync=True)
    seed = traitlets.Int(0, min=0).tag(sync=True)
    signal = traitlets.Unicode("h").tag(sync=True)
    unit = traitlets.Int(0, min=0).tag(sync=True)
    layer = traitlets.Int(0, min=0).tag(sync=True)
    moment = traitlets.Int(0, min=0).tag(sync=True)
    held = traitlets.Float(None, allow_none=True).tag(sync=True)
    theme = traitlets.Enum(("auto", "light", "dark"), "auto").tag(sync=True)
    message = traitlets.Unicode("").tag(sync=True)

    def __repr__(self) -> str:
        if not self._model:
            return f"Sketch: {self.message or 'closed'}"
        own = sum(not row[3] for row in self.offsets)
        return f"A sheet with {own} points given and {len(self.offsets) - own} drawn by the network."

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle = super()._repr_mimebundle_(**kwargs)
        return {**(bundle[0] if isinstance(bundle, tuple) else bundle), "text/plain": repr(self)}

    def close(self) -> None:
        """Close, and let go of the weights."""
        super().close()
        self._model = {}


def sketch(
    model: Sketcher, data: Strokes | Ink | None = None, points: int = 160, bias: float = 0.5, seed: int = 0
) -> Sketch:
    """Strokes that go on: the beginning of the data's last piece, and so many points by the network.

    Without data it begins on a blank sheet. Problems are said in the message line; nothing is raised.
    """
    widget = Sketch(theme="dark" if theme.tokens() is theme.DARK else "auto")
    slots.keep(widget)
    try:
        _fill(widget, model, data, points, bias, seed)
    except LessonError as problem:
        widget.message = str(problem)
    return widget


@explained
def _fill(
    widget: Sketch, model: Sketcher, data: Strokes | Ink | None, points: int, bias: Bias, seed: Seed
) -> None:
    packed = weights.pack(model)
    given = data.inks[-1] if isinstance(data, Strokes) else data
    start = [] if given is None else _rows(_whole_strokes(given), 0)
    drawn = []
    if points > 0:
        before = None if given is None else Ink(_whole_strokes(given))
        drawn = _rows(draw_on(model, before, points, bias, seed).offsets, 1)
    with widget.hold_sync():
        widget._model, widget._pace, widget._sample = packed, pace(data), start
        widget.offsets, widget.bias, widget.seed = start + drawn, float(bias), seed


def _whole_strokes(ink: Ink) -> numpy.ndarray:
    """The first strokes of a piece, up to GIVEN points, ended at the end of a stroke where there is one."""
    rows = ink.offsets[:GIVEN]
    ends = numpy.flatnonzero(rows[:, 2] > 0.5)
    return rows[: ends[-1] + 1] if len(ends) else rows


def _rows(offsets: numpy.ndarray, whose: int) -> list[list[float]]:
    return [[round(x, 4), round(y, 4), float(up > 0.5), whose] for x, y, up in offsets.tolist()]


def pace(data: Strokes | Ink | None) -> float:
    """The median way between two points of a stroke, in heights of an x."""
    if data is None:
        return PACE
    offsets = data.inks[0].offsets if isinstance(data, Strokes) else data.offsets
    inside = numpy.hypot(offsets[1:, 0], offsets[1:, 1])[offsets[:-1, 2] < 0.5]
    return max(0.05, float(numpy.median(inside))) if len(inside) else PACE
