"""Pictures as files that need no kernel and no network: an animation, or a page with its controls.

export.animation(partial(gates.figure, seen, "c"), {"step": range(seen.steps)}, "gates.html")
export.page(gates.explore(seen), "gates.html", sweep={"unit": [None, 74]})
"""

import html
import inspect
import itertools
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import anywidget
import plotly.graph_objects as go
import plotly.io as pio
from plotly.io.json import to_json_plotly
from plotly.offline import get_plotlyjs

from lessons.arguments import Count, explained
from lessons.errors import LessonError
from widgets import esm, explorer, theme
from widgets import page as modules

STATES = 5_000  # most pictures in one page
POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:"

TEMPLATE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<title>{title}</title><style>{style}</style></head>
<body>{body}</body></html>
"""


@explained
def animation(
    figure_function: Callable[..., theme.Figure],
    sweep: Mapping[str, Iterable[Any]],
    path: str | Path,
    title: str | None = None,
    pace: Count = 160,
) -> Path:
    """Write an HTML file in which one parameter of a pure picture runs through values; returns its path.

    `sweep` names the parameter and its values. The file has a play button and a slider, `pace` milliseconds a
    frame. Raises LessonError if there is not exactly one parameter, no value, or the disk refuses.
    """
    if len(sweep) != 1:
        raise LessonError(f"An animation moves one parameter; {len(sweep)} were named.")
    ((name, values),) = sweep.items()
    values = list(values)
    if not values:
        raise LessonError(f"An animation needs values for {name}; there are none.")
    movie = frames(figure_function, name, values, pace)
    body = pio.to_html(
        movie,
        include_plotlyjs=True,
        include_mathjax=False,
        full_html=False,
        config=theme.CONFIG,
        auto_play=False,
    )
    return _write(path, title or (movie.layout.meta or {}).get("title", "Unrolled"), body)


@explained
def frames(
    figure_function: Callable[..., theme.Figure], name: str, values: Sequence[Any], pace: Count = 160
) -> go.Figure:
    """A go.Figure with one frame for each value of the parameter `name`; a frame holds only what changes."""
    try:
        inspect.signature(figure_function).bind_partial(**{name: None})
    except TypeError as problem:
        raise LessonError(f"The picture has no parameter {name!r} to move.") from problem
    pictures = [figure_function(**{name: value}) for value in values]
    first, labels = pictures[0], [str(value) for value in values]
    movie = go.Figure(first)
    movie.frames = [_frame(label, first, picture) for label, picture in zip(labels, pictures, strict=True)]
    bottom = (first.layout.margin.b or 56) + 64
    still = {"mode": "immediate", "transition": {"duration": 0}}
    steps = [
        {
            "label": label,
            "method": "animate",
            "args": [[label], {**still, "frame": {"duration": 0, "redraw": True}}],
        }
        for label in labels
    ]
    play = {**still, "fromcurrent": True, "frame": {"duration": pace, "redraw": True}}
    buttons = [
        {"label": "▶ play", "method": "animate", "args": [None, play]},
        {"label": "❚❚ pause", "method": "animate", "args": [[None], {**still, "frame": {"duration": 0}}]},
    ]
    ink, edge, card = theme.tokens().ink, theme.tokens().edge, theme.tokens().card
    height = (first.layout.height or 420) + 64
    return movie.update_layout(
        height=height,
        margin_b=bottom,
        sliders=[{"steps": steps, "x": 0.26, "len": 0.74, "y": 0, "yanchor": "top", "pad": {"t": 62},
                  "currentvalue": {"prefix": f"{name} ", "font": {"color": ink}}, "bordercolor": edge,
                  "transition": {"duration": 0}}],
        updatemenus=[{"type": "buttons", "direction": "left", "showactive": False, "buttons": buttons, "x": 0,
                      "xanchor": "left", "y": 0, "yanchor": "top", "pad": {"t": 66}, "bgcolor": card,
                      "bordercolor": edge, "font": {"color": ink}}],
    )  # fmt: skip


@explained
def page(
    x: explorer.Explorer | anywidget.AnyWidget,
    path: str | Path,
    title: str | None = None,
    sweep: Mapping[str, Iterable[Any]] | None = None,
) -> Path:
    """Write an explorer or an ES-module widget as an HTML file that works without a kernel; returns its path.

    An explorer's picture is drawn beforehand for every combination of its controls' values; `sweep` names the
    values to keep for a control that has too many. Raises LessonError for more than 5,000 combinations.
    """
    if not isinstance(x, explorer.Explorer):
        return modules.page(x, path, title or "Unrolled")
    text = _json(sweeps(x, sweep or {}))
    script = _glue().replace("</script", "<\\/script")
    body = (
        f'<main class="unrolled-card {x.controls.theme}"><div id="bar"></div><div id="plot"></div></main>'
        f'<script id="state" type="application/json">{text}</script><script>{get_plotlyjs()}</script>'
        f'<script type="module">{script}</script>'
    )
    return _write(path, title or x.title, body)


def sweeps(x: explorer.Explorer, sweep: Mapping[str, Iterable[Any]]) -> dict[str, Any]:
    """Every picture of an explorer: the controls, a pool of parts, and which parts each combination shows."""
    for name in sweep:
        if name not in x.kinds:
            raise LessonError(f"There is no control {name!r}; there are {', '.join(x.kinds)}.")
    values = {name: list(sweep.get(name) or kind.values(x.value()[name])) for name, kind in x.kinds.items()}
    count = math.prod(map(len, values.values()))
    if count > STATES:
        many = max(values, key=lambda name: len(values[name]))
        raise LessonError(
            f"That would be {count:,} pictures in one page; keep fewer values of {many}: "
            f"page(…, sweep={{{many!r}: […]}})."
        )
    pool: dict[str, int] = {}
    states = {}
    for combination in itertools.product(*values.values()):
        chosen = dict(zip(values, combination, strict=True))
        key = json.dumps([x.kinds[name].write(value) for name, value in chosen.items()])
        states[key] = _state(x.picture(**chosen), pool)
    start = {name: x.kinds[name].write(x.value()[name]) for name in values}
    return {
        "spec": x.controls.spec, "names": list(values), "start": start, "theme": x.controls.theme,
        "config": theme.CONFIG, "states": states, "pool": [json.loads(part) for part in pool],
    }  # fmt: skip


def _state(picture: theme.Figure, pool: dict[str, int]) -> dict[str, Any]:
    """A picture as numbers of parts in the pool: its traces, and its layout key by key."""
    made, meta = picture.to_dict(), picture.layout.meta or {}
    layout = explorer.headless(made["layout"])

    def put(part: Any) -> int:
        return pool.setdefault(to_json_plotly(part), len(pool))

    return {
        "data": [put(trace) for trace in made["data"]],
        "layout": {key: put(value) for key, value in layout.items()},
        "title": put(meta.get("title", "")),
        "summary": put(meta.get("summary", "")),
    }


def _frame(label: str, first: theme.Figure, picture: theme.Figure) -> go.Frame:
    old, new = first.to_plotly_json(), picture.to_plotly_json()
    moved = [k for k, trace in enumerate(new["data"]) if explorer.changes(old["data"][k], trace)]
    layout = {
        key: value
        for key, value in new["layout"].items()
        if key not in ("template", "meta") and explorer.changes({key: old["layout"].get(key)}, {key: value})
    }
    return go.Frame(name=label, data=[picture.data[k] for k in moved], traces=moved, layout=layout)


def _glue() -> str:
    """The explorer's module with a stand-in for the kernel behind it."""
    return esm.read("explorer.js").replace("export default ", "const bar = ") + esm.read("explorer_page.js")


def _json(state: dict[str, Any]) -> str:
    """JSON in which no character can end the script element that holds it."""
    text = json.dumps(state, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _write(path: str | Path, title: str, body: str) -> Path:
    path = Path(path)
    colours = theme.tokens()
    style = (
        f"{theme.css()}\n{esm.read('explorer.css')}\nbody{{margin:16px auto;max-width:1100px;padding:0 12px;"
        f"background:{colours.ground};color:{colours.ink};font:14px/1.45 {theme.SANS}}}\n"
        ".summary{color:inherit;opacity:.8}"
    )
    text = TEMPLATE.format(policy=POLICY, title=html.escape(title), style=style, body=body)
    try:
        path.write_text(text, encoding="utf-8")
    except (OSError, ValueError) as problem:  # a ValueError for a name that no file can have
        why = getattr(problem, "strerror", None) or problem
        raise LessonError(f"The page could not be written to {path.name}: {why}.") from problem
    return path
