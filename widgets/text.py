"""A text in the colours of one unit, and a search for the other places where that unit fires."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import anywidget
import numpy
import traitlets

from lessons import CharModel
from lessons.arguments import explained
from lessons.errors import LessonError
from lessons.tracing import NAMES, Trace
from lessons.units import Score
from widgets import esm, microscope, slots, theme, weights

MOST_VALUES = 2_000_000  # what a trace may send to the browser: 8 MB


class TextStrip(anywidget.AnyWidget):
    """What `strip` displays. time: place in the text, from 0; source: 0 the text, 1 the longer one.

    unit, layer, colour, order and theme are those of the microscope; direction: "highest" or "lowest" places.
    """

    _esm = esm.bundle("text_strip.js")
    _css = esm.style()
    _models = traitlets.List(traitlets.Dict()).tag(sync=True)
    _trace = traitlets.Dict().tag(sync=True)
    _scores = traitlets.List(traitlets.Dict()).tag(sync=True)
    text = traitlets.Unicode("").tag(sync=True)
    search = traitlets.Unicode("").tag(sync=True)
    time = traitlets.Int(0, min=0).tag(sync=True)
    unit = traitlets.Int(0, min=0).tag(sync=True)
    layer = traitlets.Int(0, min=0).tag(sync=True)
    colour = traitlets.Unicode("h").tag(sync=True)
    order = traitlets.Unicode("swing").tag(sync=True)
    source = traitlets.Int(0, min=0, max=1).tag(sync=True)
    direction = traitlets.Enum(("highest", "lowest"), "highest").tag(sync=True)
    theme = traitlets.Enum(("auto", "light", "dark"), "auto").tag(sync=True)
    message = traitlets.Unicode("").tag(sync=True)

    def __repr__(self) -> str:
        if self.message or not (self._models or self._trace):
            return f"TextStrip: {self.message or 'closed'}"
        count = len(self._trace["characters"] if self._trace else self.text)
        return f"TextStrip: {count} characters, coloured by {self.colour} of unit {self.unit}"

    def close(self) -> None:
        """Close, and let go of weights and values: IPython's history keeps the widget itself alive."""
        super().close()
        self._models, self._trace = [], {}


def strip(
    model: CharModel | Trace,
    text: str | None = None,
    search: str | None = None,
    scores: Iterable[Score | Mapping[str, Any]] | None = None,
    *,
    name: str | None = None,
    unit: int | None = None,
    layer: int = -1,
) -> TextStrip:
    """Colour a text by any gate or state of any unit of a model that reads it, or of a trace.

    search: a longer text (up to 20,000 characters are read) in which to find where the unit fires; without it
    the text itself is searched. A trace brings its own text (its first sequence) and cannot read another.
    scores: from `lessons.units.scores`. name: the signal to start with ("f", "c", "h", ...).

    Problems are said in the widget's message line; nothing is raised.
    """
    try:
        state, size = (
            _of_trace(model, text, search) if isinstance(model, Trace) else _of_model(model, text, search)
        )
        state |= _place(size, scores, name, unit, layer)
    except LessonError as problem:
        state = {"message": str(problem)}
    widget = TextStrip(theme="dark" if theme.tokens() is theme.DARK else "auto", **state)
    slots.keep(widget)
    return widget


Scores = Iterable[Score | Mapping[str, Any]] | None


class _Size(NamedTuple):
    """What there is to choose from."""

    names: tuple[str, ...]
    hidden: int
    depth: int


@explained
def _of_model(model: CharModel, text: str | None, search: str | None) -> tuple[dict[str, Any], _Size]:
    packed = weights.pack(model)
    if not text:
        raise LessonError("There is nothing to read: give the text strip a text.")
    for one in filter(None, (text, search)):
        if model.vocabulary.unknown is None and not any(symbol in model.vocabulary for symbol in one):
            model.encode(one)  # says which characters these are
    size = _Size(NAMES[model.cell], packed["hidden_size"], packed["num_layers"])
    return {"_models": [packed], "text": text, "search": search or ""}, size


@explained
def _of_trace(trace: Trace, text: str | None, search: str | None) -> tuple[dict[str, Any], _Size]:
    if text is not None or search is not None:
        raise LessonError("A trace has its own text; give the model instead of the trace to read another.")
    one = trace.select(0)
    each = one.steps * one.hidden_size * one.num_layers
    names = one.names if each * len(one.names) <= MOST_VALUES else tuple(n for n in one.names if n in "ch")
    if each * len(names) > MOST_VALUES:
        raise LessonError("This trace is too large for the browser; give the model and the text instead.")
    values = numpy.stack([[one.numpy(name, layer) for layer in range(one.num_layers)] for name in names])
    packed = {
        "characters": list(one.labels[0]),
        "names": list(names),
        "hidden_size": one.hidden_size,
        "num_layers": one.num_layers,
        "values": values.astype("<f4").tobytes(),
    }
    return {"_trace": packed}, _Size(names, one.hidden_size, one.num_layers)


@explained
def _place(size: _Size, scores: Scores, name: str | None, unit: int | None, layer: int) -> dict[str, Any]:
    if not -size.depth <= layer < size.depth:
        raise LessonError(
            f"There is no layer {layer}; there are {size.depth} (0 is the lowest, -1 the last)."
        )
    if unit is not None and not 0 <= unit < size.hidden:
        raise LessonError(f"There is no unit {unit}; the layer has units 0 to {size.hidden - 1}.")
    if name is not None and name not in size.names:
        raise LessonError(f"There is no signal {name!r} to colour by; there are {', '.join(size.names)}.")
    rows = microscope.score_rows(scores, size.hidden)
    here = [row for row in rows if row["layer"] == layer % size.depth]
    best = microscope.best_unit(here[0]) if here else 0
    return {
        "_scores": rows,
        "unit": best if unit is None else unit,
        "layer": layer % size.depth,
        "order": f"follow:{here[0]['feature']}" if here else "swing",
        "colour": name or ("c" if "c" in size.names else "h"),
        "direction": "lowest" if unit is None and here and here[0].get("sign", 1) < 0 else "highest",
    }
