"""Controls in front of a pure picture: the function's parameters are the controls' names.

    def figure(step, name): ...                     # returns widgets.theme.Figure
    Explorer(figure, step=Time(18), name=Pick({"forget gate": "f", "cell state": "c"}))

Every change calls the function again; only what differs from the picture on the screen is sent to it.
"""

import inspect
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anywidget
import ipywidgets as ipw
import numpy as np
import plotly
import plotly.graph_objects as go
import traitlets

from lessons.errors import LessonError
from widgets import slots, theme

JS = Path(__file__).parent / "js"
PLOTLY = Path(plotly.__file__).parent / "package_data" / "widgetbundle.js"
CARD_TOP = 14  # margin above the plot in an explorer, whose title stands in the control bar instead


@dataclass(frozen=True)
class Slider:
    """A number from `minimum` to `maximum`, dragged or typed."""

    minimum: float
    maximum: float
    value: float
    step: float = 1
    label: str | None = None
    kind: str = "slider"

    def spec(self) -> dict[str, Any]:
        return {"minimum": self.minimum, "maximum": self.maximum, "step": self.step}

    def read(self, wire: Any) -> float:
        if not isinstance(wire, int | float) or not self.minimum <= wire <= self.maximum:
            raise LessonError(f"It lies between {self.minimum} and {self.maximum}; {wire!r} does not.")
        return type(self.minimum)(wire)

    def write(self, value: float) -> float:
        return value

    def values(self, now: float) -> list[float]:
        """All values it can take, for a page that is drawn beforehand."""
        count = round((self.maximum - self.minimum) / self.step) + 1
        return [type(self.minimum)(round(self.minimum + k * self.step, 6)) for k in range(count)]


@dataclass(frozen=True)
class Time(Slider):
    """The steps 0 … `maximum` with play, step and reset. `texts` names each step for screen readers."""

    minimum: int = 0
    maximum: int = 0
    value: int = 0
    texts: tuple[str, ...] | None = None
    pace: int = 160
    kind: str = "time"

    def spec(self) -> dict[str, Any]:
        more = {"texts": self.texts, "pace": self.pace, "start": self.minimum}
        return {**super().spec(), **more}


@dataclass(frozen=True)
class Pick:
    """One of a few values, each with the label it is chosen by."""

    options: Mapping[str, Any]
    value: Any
    label: str | None = None
    kind: str = "pick"

    def spec(self) -> dict[str, Any]:
        return {"options": list(self.options)}

    def read(self, wire: Any) -> Any:
        if not isinstance(wire, int) or not 0 <= wire < len(self.options):
            raise LessonError(f"It is one of {', '.join(map(str, self.options.values()))}.")
        return list(self.options.values())[wire]

    def write(self, value: Any) -> int:
        values = list(self.options.values())
        return values.index(value) if value in values else -1

    def values(self, now: Any) -> list[Any]:
        return list(self.options.values())


@dataclass(frozen=True)
class Index:
    """A whole number 0 … `maximum`; where `all` names a button, also None for "all of them"."""

    maximum: int
    value: int | None
    all: str | None = None
    label: str | None = None
    kind: str = "index"

    def spec(self) -> dict[str, Any]:
        return {"maximum": self.maximum, "all": self.all}

    def read(self, wire: Any) -> int | None:
        if wire is None and self.all:
            return None
        if not isinstance(wire, int) or not 0 <= wire <= self.maximum:
            raise LessonError(f"It is a whole number between 0 and {self.maximum}; {wire!r} is not.")
        return wire

    def write(self, value: int | None) -> int | None:
        return value

    def values(self, now: int | None) -> list[int | None]:
        return [*([None] if self.all else []), *range(self.maximum + 1)]


@dataclass(frozen=True)
class Text:
    """A line of text, of at most so many characters."""

    value: str
    label: str | None = None
    most: int = 2000
    kind: str = "text"

    def spec(self) -> dict[str, Any]:
        return {"most": self.most}

    def read(self, wire: Any) -> str:
        if len(text := str(wire)) > self.most:
            raise LessonError(f"It has at most {self.most:,} characters; this text has {len(text):,}.")
        return text

    def write(self, value: str) -> str:
        return value

    def values(self, now: str) -> list[str]:
        return [now]


@dataclass(frozen=True)
class Switch:
    """Something that is there or not: a box to tick."""

    value: bool
    label: str | None = None
    kind: str = "switch"

    def spec(self) -> dict[str, Any]:
        return {}

    def read(self, wire: Any) -> bool:
        return bool(wire)

    def write(self, value: bool) -> bool:
        return value

    def values(self, now: bool) -> list[bool]:
        return [False, True]


Control = Slider | Time | Pick | Index | Text | Switch


class Controls(anywidget.AnyWidget):
    """The bar of widgets/js/explorer.js: native inputs with labels, keys, a summary and a message line."""

    _esm = (JS / "explorer.js").read_text(encoding="utf-8")
    _css = theme.css() + (JS / "explorer.css").read_text(encoding="utf-8")
    theme = traitlets.Unicode("light").tag(sync=True)
    spec = traitlets.List().tag(sync=True)
    values = traitlets.Dict().tag(sync=True)
    title = traitlets.Unicode("").tag(sync=True)
    summary = traitlets.Unicode("").tag(sync=True)
    message = traitlets.Unicode("").tag(sync=True)
    asked = traitlets.Int(0).tag(sync=True)
    done = traitlets.Int(0).tag(sync=True)
    ready = traitlets.Bool(False).tag(sync=True)


class Canvas(go.FigureWidget):
    """A FigureWidget that becomes another figure by sending only what differs."""

    _esm = (JS / "canvas.js").read_text(encoding="utf-8")
    _bundle = traitlets.Unicode(PLOTLY.read_text(encoding="utf-8")).tag(sync=True)
    _now = None

    def __init__(self, figure: theme.Figure):
        data, layout = _parts(figure)
        super().__init__(data=data, layout=layout | {"template": figure.layout.template})
        self._config = {**theme.CONFIG}
        self._view_count = None  # not counted: a page would send it to a widget that is closed by then
        self._now = data, layout
        self.open()

    def open(self) -> None:
        """Announce this widget to the page once, when it is whole; plotly does so while it is empty."""
        if self._now is not None:
            super().open()

    def become(self, figure: theme.Figure) -> bool:
        """Show `figure`; True if its traces had to be made anew."""
        (old_data, old_layout), (data, layout) = self._now, _parts(figure)
        anew = [trace["type"] for trace in old_data] != [trace["type"] for trace in data]
        self._now = data, layout
        if anew:
            self.data = ()
            with self.batch_update():
                _assign(self.layout, old_layout, layout)
            self.add_traces(data)
            return True
        with self.batch_update():
            for trace, old, new in zip(self.data, old_data, data, strict=True):
                _assign(trace, old, new)
            _assign(self.layout, old_layout, layout)
        return False

    def get_state(self, key=None, drop_defaults=False):
        """The state for whoever reads it next (a reloaded page, an export): as the figure is now."""
        made = self._now is not None
        if made and (key is None or "_widget_data" in key or "_widget_layout" in key):
            self.refresh()
        return super().get_state(key, drop_defaults)

    def refresh(self) -> None:
        """plotly leaves these two traits as they were when the widget was made; bring them up to date.

        Written past traitlets' notification: the page that is open has seen every change already.
        """
        self._trait_values["_widget_layout"] = deepcopy(self._layout_obj._props)
        self._trait_values["_widget_data"] = deepcopy(self._data)


class Controlled:
    """What stands behind a bar of controls: their values by name, set as a hand on them would."""

    def __init__(self, controls: Mapping[str, Control]):
        self.kinds = dict(controls)
        self._values = {name: control.value for name, control in self.kinds.items()}

    def _bar(self, **lines: str) -> Controls:
        """The bar itself, once what it shows is there."""
        spec = [control_spec(name, control) for name, control in self.kinds.items()]
        return Controls(theme=theme.tokens().name, spec=spec, values=self._wire(self._values), **lines)

    @property
    def message(self) -> str:
        """What is wrong with the last change, or nothing."""
        return self.controls.message

    def value(self, **changes: Any) -> dict[str, Any]:
        """Set controls by name, as a hand on them would, and return the values of all of them."""
        for name in changes:
            if name not in self.kinds:
                raise LessonError(f"There is no control {name!r}; there are {', '.join(self.kinds)}.")
        if changes:
            self.controls.values = self._wire({**self._values, **changes})
        return dict(self._values)

    def _wire(self, values: Mapping[str, Any]) -> dict[str, Any]:
        return {name: self.kinds[name].write(value) for name, value in values.items()}

    def _read(self, name: str, wire: Any) -> Any:
        try:
            return self.kinds[name].read(wire)
        except LessonError as error:
            label = self.kinds[name].label or name
            raise LessonError(f"{label}: {error}") from None

    def _answer(self, asked: int, **lines: Any) -> None:
        with self.controls.hold_sync():
            for name, line in lines.items():
                setattr(self.controls, name, line)
            self.controls.done = asked


class Explorer(Controlled):
    """A pure picture with its controls, for JupyterLab and, without any kernel, for tests and export.

    `picture(**values)` returns a `theme.Figure`. `clicked(points)`, if given, turns a click on a trace into
    changes of the controls (a dict) or None; points.customdata is that of the whole trace. Errors that are
    meant for the learner appear in the message line; the picture and everything else stay as they were.
    """

    def __init__(
        self,
        picture: Callable[..., theme.Figure],
        clicked: Callable[[Any], dict[str, Any] | None] | None = None,
        **controls: Control,
    ):
        inspect.signature(picture).bind_partial(**dict.fromkeys(controls))
        super().__init__(controls)
        self.picture, self._clicked = picture, clicked
        self.figure = picture(**self._values)
        self.canvas = Canvas(self.figure)
        self.controls = self._bar(title=self.title, summary=self.summary)
        self.controls.observe(self._changed, names="values")
        self.controls.observe(self._drawn, names="ready")
        self._late = False
        self._listen()
        self.widget = ipw.VBox([self.controls, self.canvas])
        for name in ("unrolled-card", theme.tokens().name):
            self.widget.add_class(name)
        slots.keep(self)

    @property
    def title(self) -> str:
        return (self.figure.layout.meta or {}).get("title", "")

    @property
    def summary(self) -> str:
        """The sentence computed from what is shown."""
        return (self.figure.layout.meta or {}).get("summary", "")

    def drawn(self, **values: Any) -> dict[str, Any]:
        """The picture for these values as plain parts, as a page keeps it: traces, layout, title, summary."""
        made = self.picture(**values).to_dict()
        meta = made["layout"].get("meta") or {}
        lines = {name: meta.get(name, "") for name in ("title", "summary")}
        return {"data": made["data"], "layout": headless(made["layout"]), **lines}

    def close(self) -> None:
        """Free the widgets of this explorer in the kernel and on the page."""
        self.controls.unobserve_all()
        shut(self.widget, self.controls, self.canvas)

    def _changed(self, change: dict[str, Any]) -> None:
        asked = self.controls.asked
        try:
            values = {name: self._read(name, wire) for name, wire in change["new"].items()}
            figure = self.picture(**values)
        except (LessonError, OSError) as error:
            self._answer(asked, message=sentence(error))
            return
        self._values, self.figure = values, figure
        self._late = self._late or not self.controls.ready
        if self.canvas.become(figure):
            self._listen()
        self._answer(asked, title=self.title, summary=self.summary, message="")

    def _drawn(self, change: dict[str, Any]) -> None:
        """The plot is on the page; what was changed before may have got lost on its way, so draw again."""
        if self._late and change["new"]:
            shut(self.canvas)
            self.canvas, self._late = Canvas(self.figure), False
            self._listen()
            self.widget.children = [self.controls, self.canvas]

    def _listen(self) -> None:
        if self._clicked is None:
            return
        for trace in self.canvas.data:
            trace.on_click(self._click)

    def _click(self, trace: Any, points: Any, state: Any) -> None:
        points.customdata = trace.customdata  # plotly says where a point is, not what stands there
        changes = self._clicked(points) if points.point_inds else None
        if changes:
            self.value(**changes)

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        bundle = self.widget._repr_mimebundle_(**kwargs)
        return {**bundle, **theme.png(self.figure), "text/plain": self.summary}


def shut(*widgets: ipw.Widget | None) -> None:
    """Close widgets and the layouts that came with them."""
    for widget in filter(None, widgets):
        layout = getattr(widget, "layout", None)
        if isinstance(layout, ipw.Layout):
            layout.close()
        widget.close()


def sentence(error: Exception) -> str:
    """An error as the sentence that a learner reads."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else f"{error.strerror}."
    return str(error)


def changes(old: dict[str, Any], new: dict[str, Any], path: str = "") -> dict[str, Any]:
    """The dotted paths at which two nested dicts differ, with the new values (None where it is gone)."""
    found: dict[str, Any] = {}
    for key in old.keys() | new.keys():
        before, after = old.get(key), new.get(key)
        if isinstance(before, dict) and isinstance(after, dict):
            found |= changes(before, after, f"{path}{key}.")
        elif not _same(before, after):
            found[f"{path}{key}"] = after
    return found


def _same(first: Any, second: Any) -> bool:
    if isinstance(first, np.ndarray) or isinstance(second, np.ndarray):
        return first is second or np.array_equal(first, second)
    return first == second


def _assign(target: Any, old: dict[str, Any], new: dict[str, Any]) -> None:
    for path, value in changes(old, new).items():
        target[path] = value


def headless(layout: dict[str, Any]) -> dict[str, Any]:
    """A layout without its heading, which the control bar shows, and without the room for it."""
    kept = {key: value for key, value in layout.items() if key not in ("title", "meta")}
    spare, margin = theme.TOP - CARD_TOP, layout.get("margin", {})
    top = {"margin": {**margin, "t": margin.get("t", theme.TOP) - spare}}
    return kept | top | {"height": layout.get("height", 420) - spare}


def _parts(figure: theme.Figure) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """A figure's traces and layout as plain dicts, without heading and template."""
    layout = headless(figure.layout.to_plotly_json())
    layout.pop("template", None)
    return [trace.to_plotly_json() for trace in figure.data], layout


def control_spec(name: str, control: Control) -> dict[str, Any]:
    """A control as the module of the bar reads it."""
    return {"name": name, "kind": control.kind, "label": control.label or name, **control.spec()}
