"""A character model on one sheet: the die that rolls for text above, the microscope that opens it below."""

import re
from functools import cache

import traitlets

from lessons import CharModel, sampling
from lessons.arguments import explained
from widgets import esm, microscope, slots, theme, weights
from widgets.microscope import Microscope
from widgets.weights import Precision

BEGINNING, OPENED = 24, 200  # characters: that the die starts from, that the microscope reads


@cache
def module() -> str:
    """The die's and the microscope's modules, each in a scope of its own, and what puts them on one page."""
    scopes = (_scope(f"{name}Module", esm.bundle(f"{name}.js")) for name in ("die", "microscope"))
    return "\n".join([*scopes, esm.read("model_page.js")])


def _scope(name: str, text: str) -> str:
    return f"const {name} = (() => {{\n{re.sub(esm.DEFAULT, 'return ', text)}}})();"


class ModelPage(Microscope):
    """A die and a microscope over one model; their traits are those of widgets.sampling.Die, Microscope."""

    _esm = module()
    _css = f"{esm.style()}\n{esm.read('die.css')}\n{esm.read('model_page.css')}"
    seed_text = traitlets.Unicode("").tag(sync=True)
    picks = traitlets.List().tag(sync=True)
    used = traitlets.Int(0).tag(sync=True)
    temperature = traitlets.Float(1.0).tag(sync=True)
    top_k = traitlets.Int(0).tag(sync=True)
    top_p = traitlets.Float(1.0).tag(sync=True)
    seed = traitlets.Int(0).tag(sync=True)


@explained
def model_page(model: CharModel, text: str | None = None, precision: Precision = "float32") -> ModelPage:
    """The die starts from the text's beginning, the microscope reads its first 200 characters.

    Without a text the model writes one. Raises LessonError for a model that the browser cannot run.
    """
    packed = weights.pack(model, precision=precision)
    if not text:
        text = str(sampling.generate(model, length=OPENED, temperature=0.7, seed=0))
    known = "".join(symbol for symbol in text if symbol in model.vocabulary)
    state = microscope.state_of(model, known[:OPENED])
    start = {name: state[name] for name in microscope.STATE}
    shade = "dark" if theme.tokens() is theme.DARK else "auto"
    page = ModelPage(_models=[packed], _start=start, theme=shade, seed_text=known[:BEGINNING], **state)
    slots.keep(page)
    return page
