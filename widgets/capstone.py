"""The front door of lesson 19: bring a file, paste, or take a sample; train; open; save a page.

    capstone.door()    # everything by mouse or keyboard; `.brought`, `.model` and `.run` are yours afterwards

What is brought stays on this machine; pages are kept in data/user/pages, which git ignores.
"""

import contextvars
import re
import threading
from pathlib import Path
from typing import Any

import anywidget
import ipywidgets as ipw
import torch
import traitlets

from lessons import capstone, sources
from lessons.brought import NUMBERS, Brought
from lessons.errors import LessonError
from lessons.run import Run
from widgets import esm, explorer, live_page, page, slots, theme, training

SHOWN = 400  # values of a series in the door's own picture
LONGEST = 20_000  # steps of one training from the door


class Door(anywidget.AnyWidget):
    """The controls of the front door; its traits are what they show, `FrontDoor` does what they ask."""

    _esm = esm.bundle("capstone.js")
    _css = f"{esm.style()}\n{esm.read('capstone.css')}"
    _options = traitlets.Dict().tag(sync=True)
    _choices = traitlets.List(["lstm"]).tag(sync=True)
    _values = traitlets.List().tag(sync=True)
    _page = traitlets.Dict().tag(sync=True)
    cell = traitlets.Unicode("lstm").tag(sync=True)
    hidden_size = traitlets.Int(96).tag(sync=True)
    steps = traitlets.Int(900).tag(sync=True)
    busy = traitlets.Bool(False).tag(sync=True)
    sentence = traitlets.Unicode("").tag(sync=True)
    preview = traitlets.Unicode("").tag(sync=True)
    result = traitlets.Unicode("").tag(sync=True)
    message = traitlets.Unicode("").tag(sync=True)
    theme = traitlets.Enum(("auto", "light", "dark"), "auto").tag(sync=True)


class LiveHere(training.Live):
    """A live training whose panel has its place already, inside the door."""

    def __init__(self, place: ipw.VBox) -> None:
        super().__init__(None, None, (), "", 1)
        self.place = place

    def on_start(self, run: Run, task: Any) -> None:
        """Open the panel in its place before the first picture."""
        self.panel = training.Panel(theme=_theme())
        self.place.children = [self.panel]
        super().on_start(run, task)

    def on_stop(self, run: Run, task: Any, reason: str) -> None:
        """Draw once more, and leave the panel where it is, at its end."""
        self._draw(run, task)
        self.panel.share = 1.0

    def _open(self) -> None:
        self.panel.observe(self._stop, names="stop")


class FrontDoor:
    """What `door` displays. brought, model, run: what was read, built and trained last; None before that.

    pages: the folder that pages are saved in.
    """

    def __init__(self, place: Path | None = None) -> None:
        self.pages = place or sources.data_folder() / "user" / "pages"
        self.brought: Brought | None = None
        self.model: torch.nn.Module | None = None
        self.run: Run | None = None
        sizes = capstone.preset()
        self.door = Door(
            hidden_size=sizes.hidden_size, steps=sizes.steps,
            theme=_theme(),
            _options={"samples": list(capstone.SAMPLES), "largest": capstone.LARGEST},
        )  # fmt: skip
        self.curve, self.opened = ipw.VBox(), ipw.VBox()
        self.widget = ipw.VBox([self.door, self.curve, self.opened])
        self.door.on_msg(self._asked)
        slots.keep(self)

    def bring(self, what: str | bytes, name: str | None = None) -> None:
        """Read what was brought; what was read before stays if this cannot be. Raises LessonError."""
        brought = capstone.bring(what, name)
        self._forget()
        self.brought = brought
        values = brought.data.values if brought.kind == NUMBERS else torch.zeros(0, dtype=torch.float64)
        every = max(1, len(values) // SHOWN)
        with self.door.hold_sync():
            self.door.sentence, self.door.preview, self.door.result = brought.sentence, brought.preview, ""
            self.door._values, self.door._choices = values[::every].tolist(), list(brought.cells)
            if self.door.cell not in brought.cells:
                self.door.cell = "lstm"

    def train(self) -> None:
        """Train a new network as the controls say, its curve below. Raises LessonError."""
        if self.brought is None:
            raise LessonError("There is nothing to learn from yet; bring a file, paste, or take a sample.")
        sizes = capstone.preset().but(steps=min(self.door.steps, LONGEST))
        sizes = sizes.but(evaluate_every=max(1, min(sizes.evaluate_every, sizes.steps // 4)))
        model = self.brought.model(self.door.cell, self.door.hidden_size)
        self._forget()
        run = self.brought.fit(model, sizes, watch=LiveHere(self.curve), progress=False)
        self.model, self.run = model, run
        self.door.result = result(self.brought, run)

    def open(self) -> None:
        """Show the network at work, in the browser. Raises LessonError for a cell that only runs in torch."""
        self._show(live_page.opened(self._trained(), self.brought))

    def save_page(self) -> Path:
        """Write the page, and hand it to the browser as a download; returns where it is kept."""
        widget = live_page.opened(self._trained(), self.brought)
        if message := getattr(widget, "message", ""):
            raise LessonError(message)
        stem = re.sub(r"[^A-Za-z0-9_-]+", "_", self.brought.name).strip("_")[:40] or "mine"
        title = f"My own {live_page.name(self.model)}"
        try:
            self.pages.mkdir(parents=True, exist_ok=True)
            path = page.page(widget, self.pages / f"{stem}.html", title)
        except OSError as error:
            raise LessonError(f"The page could not be saved: {error.strerror or error}.") from error
        finally:
            widget.close()
        self.door._page = {"name": path.name, "text": path.read_text(encoding="utf-8")}
        self.door.message = f"Saved as {path.name} in data/user/pages, and offered as a download."
        return path

    def close(self) -> None:
        """Free everything that is shown."""
        self._forget()
        self.door.close()
        explorer.shut(self.widget, self.curve, self.opened)

    def _trained(self) -> torch.nn.Module:
        if self.model is None:
            raise LessonError("There is no trained network yet; train one first.")
        return self.model

    def _show(self, widget: anywidget.AnyWidget) -> None:
        for old in self.opened.children:
            old.close()
        self.opened.children = [widget]

    def _forget(self) -> None:
        """Close what belongs to the network before."""
        self.model = self.run = None
        for place in (self.curve, self.opened):
            for old in place.children:
                old.close()
            place.children = []

    def _asked(self, _: Any, content: dict[str, Any], buffers: list | None = None) -> None:
        """Answer the page; a training goes to a thread, for here its stop would wait behind it unheard."""
        if content.get("ask") == "train" and slots.running_kernel() is not None:
            answer = contextvars.copy_context().run
            threading.Thread(target=answer, args=(self._answer, content, buffers), daemon=True).start()
        else:
            self._answer(content, buffers)

    def _answer(self, content: dict[str, Any], buffers: list | None) -> None:
        """Do what the page asks; problems are said in the message line."""
        try:
            self._do(content, buffers or [])
        except (LessonError, OSError) as problem:
            self.door.message = explorer.sentence(problem)
        finally:
            self.door.busy = False

    def _do(self, content: dict[str, Any], buffers: list) -> None:
        what, name = content.get("ask"), str(content.get("name") or "")[:200] or None
        self.door.message = ""
        if what == "bring" and buffers:
            self.bring(bytes(buffers[0]), name)
        elif what == "sample" and name in capstone.SAMPLES:
            self.bring(name)
        elif what == "paste":
            self.bring(str(content.get("text", "")).encode(errors="replace"), "what was pasted")
        elif what == "train":
            self.train()
        elif what == "open":
            self.open()
        elif what == "page":
            self.save_page()

    def __repr__(self) -> str:
        return " ".join(filter(None, [self.door.sentence or "The front door: bring your own sequences.",
                                      self.door.result]))  # fmt: skip

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        return {**self.widget._repr_mimebundle_(**kwargs), "text/plain": repr(self)}


def door(place: str | Path | None = None) -> FrontDoor:
    """The front door. `place` is another folder than data/user/pages to save pages in."""
    return FrontDoor(Path(place) if place else None)


def _theme() -> str:
    """Dark where the course draws in dark, else as JupyterLab is."""
    return "dark" if theme.tokens() is theme.DARK else "auto"


def result(brought: Brought, run: Run) -> str:
    """What a training came to, beside the best simple guess, in one sentence."""
    reached = run.best("valid")
    told = f"{run.reason} after {run.step:,} steps in {run.seconds:.0f} s, held-out {reached:.2f} {run.unit}"
    if not run.baselines:
        return f"The {run.settings['cell']} {told}."
    best = min(run.baselines, key=run.baselines.get)
    gap = run.baselines[best] - reached
    side = "better" if gap > 0 else "worse"
    return (
        f"The {run.settings['cell']} {told}: {abs(gap):.2f} {side} than the best simple guess, “{best}” "
        f"({run.baselines[best]:.2f})."
    )
