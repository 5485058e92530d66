"""A learner's own model as one HTML file that runs it, without kernel or network; see export.live_page."""

from pathlib import Path
from typing import Any

import anywidget
from torch import nn

from lessons import CharModel
from lessons.arguments import explained, shown
from lessons.brought import Brought
from lessons.errors import LessonError
from lessons.forecast import Forecaster
from lessons.handwriting import Writer
from lessons.sketching import Sketcher
from widgets import forecast, handwriting, model_page, page, sketching
from widgets.weights import Precision

ROOM = 1_000_000  # bytes of float32 weights beyond which a page takes float16, to stay below 2 MB


@explained
def live_page(x: Any, path: str | Path, start: Any = None, title: str | None = None) -> Path:
    """Write a page in which a model of yours runs in the browser; returns its path.

    x: a model, or what has one: the run that `fit` returned, a task. start: what it begins from: a text for a
    character model, a Series, values or Strokes for the others, or what capstone.bring returned.
    Raises LessonError for a model that the browser cannot run, and if the file cannot be written.
    """
    model = trained(x)
    widget = opened(model, start)
    if message := getattr(widget, "message", ""):
        widget.close()
        raise LessonError(message)
    try:
        return page.page(widget, path, title or f"My own {name(model)}")
    finally:
        widget.close()


def trained(x: Any) -> nn.Module:
    """The model itself, or the one that something has. Raises LessonError where there is none."""
    model = x if isinstance(x, nn.Module) else getattr(x, "model", None)
    if not isinstance(model, nn.Module):
        raise LessonError(
            f"A page needs a model, or the run that trained one; {shown(x)} has none. (A run that was loaded "
            "from disk is the record alone: give the model.)"
        )
    return model


def opened(model: nn.Module, start: Any = None) -> anywidget.AnyWidget:
    """The explorer that runs a model in the browser. Raises LessonError for a model that none is made for."""
    if isinstance(start, Brought):
        start = start.data if isinstance(model, Forecaster | Sketcher) else start.data.test
    if isinstance(model, CharModel):
        return model_page.model_page(model, start, precision(model))
    if isinstance(model, Forecaster):
        return forecast.fan(model, start)
    if isinstance(model, Sketcher):
        return sketching.sketch(model, start)
    if isinstance(model, Writer):  # its window reads letters: a page of it holds lines that it has written
        return handwriting.write(model, start or "unrolled", bias=1.0)
    raise LessonError(
        f"A {type(model).__name__} has no page of its own; export.page takes the explorer that shows it."
    )


def precision(model: CharModel) -> Precision:
    """float32 where a page stays below 2 MB with it, else float16."""
    return "float32" if 4 * sum(weight.numel() for weight in model.parameters()) <= ROOM else "float16"


def name(model: nn.Module) -> str:
    """What the title calls a model."""
    if isinstance(model, Forecaster):
        return f"forecast of {model.name}"
    if isinstance(model, Sketcher | Writer):
        return "network that draws" if isinstance(model, Sketcher) else "network that writes by hand"
    return "network that writes text"
