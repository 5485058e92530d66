"""A pad to write on by mouse, touch or keyboard: your own hand as strokes, kept in data/user if you like."""

from pathlib import Path
from typing import Any

import anywidget
import traitlets

from lessons import own_hand
from lessons.errors import LessonError
from lessons.ink import Ink
from widgets import esm, slots, theme


class Pad(anywidget.AnyWidget):
    """What `pad` displays. strokes: lists of points (x, y) in heights of an x, the base line at y 0.

    text: what they say. name: under which they are kept. saved: the names that are kept. message: a sentence.
    """

    _esm = esm.bundle("pad.js")
    _css = f"{esm.style()}\n{esm.read('handwriting.css')}"
    strokes = traitlets.List().tag(sync=True)
    text = traitlets.Unicode("").tag(sync=True)
    name = traitlets.Unicode("").tag(sync=True)
    saved = traitlets.List().tag(sync=True)
    theme = traitlets.Enum(("auto", "light", "dark"), "auto").tag(sync=True)
    message = traitlets.Unicode("").tag(sync=True)
    place: Path | None = None

    def ink(self) -> Ink:
        """What is on the pad as the course's pen samples it. Raises LessonError if it is empty."""
        return own_hand.ink(self.text, own_hand.checked(self.strokes), self.name or "own")

    def asked(self, _: Any, content: dict, buffers: Any = None) -> None:
        """Save, open or delete, as the page asks; problems are said in the message line."""
        try:
            self._do(content)
        except LessonError as problem:
            self.message = str(problem)
        self.saved = own_hand.names(self.place)

    def _do(self, content: dict) -> None:
        what, name = content.get("ask"), str(content.get("name", ""))
        if what == "save":
            own_hand.save(name, str(content.get("text", "")), content.get("strokes"), self.place)
            self.message = f"Kept as {name!r} in data/user on this machine; delete removes it."
        elif what == "open":
            self.text, self.strokes = own_hand.load(name, self.place)
            self.name, self.message = name, f"Opened {name!r}."
        elif what == "delete":
            own_hand.delete(name, self.place)
            self.message = f"Deleted {name!r}."

    def __repr__(self) -> str:
        if not self.strokes:
            return "An empty pad: write on it with mouse, pen or finger."
        return f"A pad with {len(self.strokes)} strokes."

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle = super()._repr_mimebundle_(**kwargs)
        return {**(bundle[0] if isinstance(bundle, tuple) else bundle), "text/plain": repr(self)}


def pad(place: str | Path | None = None) -> Pad:
    """An empty pad. `place` is another folder than data/user/handwriting to keep pieces in."""
    folder = Path(place) if place else None
    widget = Pad(theme="dark" if theme.tokens() is theme.DARK else "auto", saved=own_hand.names(folder))
    widget.place = folder
    widget.on_msg(widget.asked)
    slots.keep(widget)
    return widget
