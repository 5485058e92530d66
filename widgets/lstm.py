"""The LSTM cell as a drawing with live numbers on its wires, in four conventions.

lstm.diagram(model, "To be, or not to be")                # Olah's drawing
lstm.diagram(model, "To be, or", unit=3, drawing="torch")   # PyTorch's order of gates, i f g o
"""

from collections.abc import Iterable, Mapping
from typing import Any

import anywidget
import traitlets

from lessons import CharModel
from lessons.arguments import explained, shown
from lessons.errors import LessonError
from lessons.units import Score
from widgets import esm, slots, theme, weights
from widgets.microscope import best_unit, score_rows

DRAWINGS = ("olah", "greff", "keras", "torch")


class Diagram(anywidget.AnyWidget):
    """What `diagram` displays; setting its traits moves the view.

    text: what is read. time: step, from 0. unit, layer: from 0. drawing: "olah", "greff", "keras" or "torch".
    part: the wire that is explained ("f", "keep", "c", ...). theme: "auto", "light" or "dark". message: a
    sentence for the reader.
    """

    _esm = esm.bundle("lstm.js")
    _css = f"{esm.style()}\n{esm.read('lstm.css')}"
    _models = traitlets.List(traitlets.Dict()).tag(sync=True)
    text = traitlets.Unicode("").tag(sync=True)
    time = traitlets.Int(0, min=0).tag(sync=True)
    unit = traitlets.Int(0, min=0).tag(sync=True)
    layer = traitlets.Int(0, min=0).tag(sync=True)
    drawing = traitlets.Enum(DRAWINGS, "olah").tag(sync=True)
    part = traitlets.Unicode("c").tag(sync=True)
    theme = traitlets.Enum(("auto", "light", "dark"), "auto").tag(sync=True)
    message = traitlets.Unicode("").tag(sync=True)

    def __repr__(self) -> str:
        if not self._models:
            return f"LSTM diagram: {self.message or 'closed'}"
        return f"LSTM diagram ({self.drawing}): unit {self.unit} at step {self.time + 1} of {self.text!r}"

    def close(self) -> None:
        """Close, and let go of the weights: IPython's history keeps the widget itself alive."""
        super().close()
        self._models = []


def diagram(
    model: CharModel,
    text: str,
    unit: int | None = None,
    step: int = 0,
    layer: int = -1,
    drawing: str = "olah",
    scores: Iterable[Score | Mapping[str, Any]] | None = None,
) -> Diagram:
    """Draw the cell of one unit of a character LSTM, with the numbers of one step on its wires.

    unit, step, layer: where to start (layer -1 is the last); without a unit, the best of `scores` (see
    lessons.units), else unit 0. drawing: "olah", "greff", "keras" or "torch". What cannot be drawn is said in
    the widget's message line; nothing is raised.
    """
    try:
        state = _start(model, text, unit, step, layer, drawing, scores)
        drawn = Diagram(_models=[weights.pack(model)], theme=_theme(), **state)
    except LessonError as problem:
        drawn = Diagram(message=str(problem))
    slots.keep(drawn)
    return drawn


def _theme() -> str:
    return "dark" if theme.tokens() is theme.DARK else "auto"


@explained
def _start(
    model: Any, text: Any, unit: int | None, step: int, layer: int, drawing: Any, scores: Any
) -> dict[str, Any]:
    if not isinstance(model, CharModel) or model.cell != "lstm":
        kind = model.cell if isinstance(model, CharModel) else type(model).__name__
        raise LessonError(f"The diagram is of an LSTM in a CharModel, and this is a {kind}.")
    if not isinstance(text, str) or not text:
        raise LessonError("The diagram needs a text to read, a string of at least one character.")
    if drawing not in DRAWINGS:
        raise LessonError(f"There is no drawing {shown(drawing)}; choose one of {', '.join(DRAWINGS)}.")
    depth, hidden = model.recurrent.num_layers, model.recurrent.hidden_size
    if not -depth <= layer < depth:
        raise LessonError(f"There is no layer {layer}; the model has {depth} (0 is the lowest, -1 the last).")
    if unit is not None and not 0 <= unit < hidden:
        raise LessonError(f"There is no unit {unit}; the layer has units 0 to {hidden - 1}.")
    if unit is None:
        rows = [row for row in score_rows(scores, hidden) if row["layer"] == layer % depth]
        unit = best_unit(rows[0]) if rows else 0
    place = {"time": max(0, min(step, len(text) - 1)), "layer": layer % depth}
    return {"text": text, "unit": unit, "drawing": drawing, **place}
