"""An explorer on a page of our own, without a notebook: its parts, and what changes when a hand moves.

    stage = Stage(pictures.unit())
    stage.parts()                                    # what the page draws first
    stage.change(0, {"values": {...}, "asked": 1})   # a change in part 0, and what it changes elsewhere

A part is an ES module with its state, a Plotly picture, or HTML. The page is widgets/js/stage.js; tools/demo
serves both.
"""

import base64
import json
from collections.abc import Iterator
from typing import Any

import anywidget
import ipywidgets as ipw
import plotly.graph_objects as go
from plotly.io.json import to_json_plotly

from widgets import explorer, page, theme


class Stage:
    """What is shown of one explorer, ES-module widget or figure; changes are gathered until asked for."""

    def __init__(self, shown: Any):
        self.shown = shown
        self.leaves = (
            [shown] if isinstance(shown, go.Figure) else list(leaves(getattr(shown, "widget", shown)))
        )
        self.changed: dict[int, dict[str, Any]] = {}
        for number, leaf in enumerate(self.leaves):
            if isinstance(leaf, ipw.Widget):
                leaf.observe(lambda change, number=number: self._note(number, change))

    def parts(self) -> list[dict[str, Any]]:
        """The parts as they are now, top to bottom."""
        return [self._part(leaf) for leaf in self.leaves]

    def change(self, number: int, traits: dict[str, Any]) -> dict[int, dict[str, Any]]:
        """Let a hand on the page change traits of a part; what differs after it, by part and trait."""
        self.changed = {}
        self.leaves[number].set_state(traits)
        answer = self.changed
        sent = answer.get(number, {})
        answer[number] = {name: value for name, value in sent.items() if traits.get(name, self) != value}
        for other, leaf in enumerate(self.leaves):
            if isinstance(leaf, explorer.Canvas):
                answer[other] = {"figure": self._figure(leaf)}
        return answer

    def _note(self, number: int, change: dict[str, Any]) -> None:
        if change["name"] in self.leaves[number].keys:
            self.changed.setdefault(number, {})[change["name"]] = change["new"]

    def _part(self, leaf: Any) -> dict[str, Any]:
        if isinstance(leaf, go.Figure | explorer.Canvas):
            return {"kind": "plot", "figure": self._figure(leaf), "config": theme.CONFIG}
        if isinstance(leaf, anywidget.AnyWidget):
            style = str(getattr(leaf, "_css", ""))
            return {"kind": "module", "module": str(leaf._esm), "style": style, "state": state(leaf)}
        return {"kind": "html", "state": {"value": leaf.value}}

    def _figure(self, leaf: Any) -> dict[str, Any]:
        """A picture as Plotly draws it; an explorer's heading stands in its bar already."""
        alone = not isinstance(leaf, explorer.Canvas)
        made = (leaf if alone else self.shown.figure).to_dict()
        layout = made["layout"] if alone else explorer.headless(made["layout"])
        return json.loads(to_json_plotly({"data": made["data"], "layout": layout}))


def leaves(widget: ipw.Widget) -> Iterator[ipw.Widget]:
    """The widgets in a box that show something, in order."""
    if isinstance(widget, ipw.Box):
        for child in widget.children:
            yield from leaves(child)
    else:
        yield widget


def state(widget: ipw.Widget) -> dict[str, Any]:
    """The traits that a widget's module reads; ipywidgets' own are left out."""
    own = (key for key in widget.keys if key not in page.NOT_STATE and not key.startswith(page.NOT_OURS))
    return {key: getattr(widget, key) for key in own}


def wire(value: Any) -> Any:
    """What JSON has no word for: bytes, as the page's script reads them."""
    if isinstance(value, bytes | bytearray | memoryview):
        return {"$base64": base64.b64encode(value).decode()}
    raise TypeError(f"A page cannot hold a {type(value).__name__}.")
