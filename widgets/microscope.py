"""The gate microscope: a model in the browser, with every gate and state of every unit, and clamps to try.

The model's weights ride along once, as bytes. Moving in time, choosing units, editing the text and holding a
gate are all computed by widgets/js; the kernel only hears, when things are calm, where the reader is.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import anywidget
import traitlets

from lessons import CharModel
from lessons.arguments import explained
from lessons.errors import LessonError
from lessons.tracing import Edit
from lessons.units import Score
from widgets import esm, slots, theme, weights

LONGEST = 600  # characters, as in widgets/js/experiment.js
STATE = ("text", "time", "unit", "layer", "colour", "order", "edits", "shown")


class Microscope(anywidget.AnyWidget):
    """What `microscope` displays; its traits say what the reader looks at, and setting them moves the view.

    text: what stands in the text box, see `reads`. time: step, from 0. unit, layer: from 0. colour: the
    signal that colours text and map. order: how units are sorted. shown: 0 or 1, which model. edits: what is
    held, see `clamps`. theme: "auto" (JupyterLab's), "light" or "dark". message: a sentence for the reader.
    """

    _esm = esm.bundle("microscope.js")
    _css = esm.style()
    _models = traitlets.List(traitlets.Dict()).tag(sync=True)
    _scores = traitlets.List(traitlets.Dict()).tag(sync=True)
    _start = traitlets.Dict().tag(sync=True)
    text = traitlets.Unicode("").tag(sync=True)
    time = traitlets.Int(0, min=0).tag(sync=True)
    unit = traitlets.Int(0, min=0).tag(sync=True)
    layer = traitlets.Int(0, min=0).tag(sync=True)
    colour = traitlets.Unicode("h").tag(sync=True)
    order = traitlets.Unicode("index").tag(sync=True)
    edits = traitlets.List(traitlets.Dict()).tag(sync=True)
    shown = traitlets.Int(0, min=0, max=1).tag(sync=True)
    theme = traitlets.Enum(("auto", "light", "dark"), "auto").tag(sync=True)
    message = traitlets.Unicode("").tag(sync=True)

    def __repr__(self) -> str:
        if not self._models:
            return f"Microscope: {self.message or 'closed'}"
        name = self._models[min(self.shown, len(self._models) - 1)]["name"]
        return (
            f"Microscope: {name} reads {len(self.reads)} characters; unit {self.unit}, step {self.time + 1}"
        )

    def close(self) -> None:
        """Close, and let go of the weights: IPython's history keeps the widget itself alive."""
        super().close()
        self._models = []

    @property
    def reads(self) -> str:
        """The part of `text` that the model reads: what it knows, up to the browser's limit."""
        model = self._models[0] if self._models else {"vocabulary": [], "unknown": None}
        known, unknown = set(model["vocabulary"]), model["unknown"]
        read = [c if c in known else unknown for c in self.text if c in known or unknown is not None]
        return "".join(read[:LONGEST])

    @property
    def clamps(self) -> list[Edit]:
        """What is held in the model that is shown, for `trace(model, widget.reads, edit=widget.clamps)`."""
        return [self._edit(held) for held in self.edits if held.get("model", 0) == self.shown]

    def _edit(self, held: dict[str, Any]) -> Edit:
        steps = held.get("steps")
        if steps is not None:
            start, end = steps
            steps = range(start, len(self.reads) if end is None else end)
        return Edit(held["name"], held["value"], units=[held["unit"]], steps=steps, layer=held["layer"])


def microscope(
    model: CharModel,
    text: str,
    scores: Iterable[Score | Mapping[str, Any]] | None = None,
    compare: CharModel | None = None,
    *,
    unit: int | None = None,
    step: int = 0,
    layer: int = -1,
    names: tuple[str, str] | None = None,
) -> Microscope:
    """Look inside a character model while it reads a text.

    scores: from `lessons.units.scores`, so that units can be sorted by what they follow. compare: a second
    model with the same vocabulary, to switch to. unit, step, layer: where to start (layer -1 is the last;
    without a unit the best-scored one is shown). names: what the two models are called.

    Problems are said in the widget's message line; nothing is raised.
    """
    try:
        state = state_of(model, text, scores, unit, step, layer, names)
        models = [weights.pack(model, names[0] if names else None)]
    except LessonError as problem:
        return _kept(Microscope(message=str(problem)))
    message = ""
    if compare is not None:
        try:
            models.append(_partner(model, compare, names))
        except LessonError as problem:
            message = str(problem)
    start = {name: state[name] for name in STATE}
    return _kept(Microscope(_models=models, _start=start, theme=_theme(), message=message, **state))


def _kept(widget: Microscope) -> Microscope:
    slots.keep(widget)
    return widget


def _theme() -> str:
    return "dark" if theme.tokens() is theme.DARK else "auto"


@explained
def state_of(
    model: CharModel,
    text: str,
    scores: Iterable[Score | Mapping[str, Any]] | None = None,
    unit: int | None = None,
    step: int = 0,
    layer: int = -1,
    names: tuple[str, str] | None = None,
) -> dict[str, Any]:
    """The traits that a microscope starts with; arguments as for `microscope`. Raises LessonError."""
    depth, hidden = model.recurrent.num_layers, model.recurrent.hidden_size
    if not -depth <= layer < depth:
        raise LessonError(f"There is no layer {layer}; the model has {depth} (0 is the lowest, -1 the last).")
    if unit is not None and not 0 <= unit < hidden:
        raise LessonError(f"There is no unit {unit}; the layer has units 0 to {hidden - 1}.")
    rows = score_rows(scores, hidden)
    here = [row for row in rows if row["layer"] == layer % depth]
    if unit is None:
        unit = best_unit(here[0]) if here else 0
    return {
        "_scores": rows,
        "text": text,
        "time": max(0, min(step, len(text) - 1)),
        "unit": unit,
        "layer": layer % depth,
        "colour": "c" if model.cell == "lstm" else "h",
        "order": f"follow:{here[0]['feature']}" if here else "swing",
        "edits": [],
        "shown": 0,
    }


def _partner(model: CharModel, compare: CharModel, names: tuple[str, str] | None) -> dict[str, Any]:
    packed = weights.pack(compare, names[1] if names else None)
    if compare.vocabulary.symbols != model.vocabulary.symbols:
        raise LessonError(
            "The second model has another vocabulary and cannot be compared; train both on one corpus."
        )
    return packed


@explained
def score_rows(scores: Iterable[Score | Mapping[str, Any]] | None, hidden: int) -> list[dict[str, Any]]:
    """Scores of units as the browser takes them: one dict per feature and layer, one value per unit."""
    rows = []
    for score in scores or ():
        if missing := {"feature", "measure", "layer", "values"} - set(score.keys()):
            raise LessonError(f"A score has no {min(missing)!r}; scores come from lessons.units.scores.")
        row = dict(score) | {"clear": score.clear if isinstance(score, Score) else True}
        if len(row["values"]) != hidden:
            raise LessonError(
                f"The scores are for {len(row['values'])} units and the model has {hidden}; score this model."
            )
        rows.append({key: list(value) if isinstance(value, tuple) else value for key, value in row.items()})
    return rows


def best_unit(row: dict[str, Any]) -> int:
    """The unit that follows a feature best; an AUC of 0 follows as well as one of 1, with its sign turned."""
    if "units" in row:
        return row["units"][0]
    middle = 0.5 if row["measure"] == "AUC" else 0.0
    return max(range(len(row["values"])), key=lambda unit: abs(row["values"][unit] - middle))
