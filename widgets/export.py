"""Pictures as files that need no kernel and no network: an animation, or a page with its controls.

export.animation(partial(gates.figure, seen, "c"), {"step": range(seen.steps)}, "gates.html")
export.page(gates.explore(seen), "gates.html", sweep={"unit": [None, 74]})
export.live_page(run, "mine.html")      # your own model, running in the browser
"""

import html
import inspect
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import anywidget
import plotly.graph_objects as go
import plotly.io as pio
from plotly.offline import get_plotlyjs

from lessons.arguments import Count, explained
from lessons.errors import LessonError
from widgets import esm, explorer, studio, theme
from widgets import page as modules
from widgets.live_page import live_page
from widgets.sweeps import sweeps

__all__ = ["animation", "frames", "live_page", "page"]

POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:"
SHARED = POLICY.replace("'unsafe-inline'", "'unsafe-inline' 'self' file:", 1)

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
    x: explorer.Explorer | studio.Studio | anywidget.AnyWidget,
    path: str | Path,
    title: str | None = None,
    sweep: Mapping[str, Iterable[Any]] | None = None,
    plotly: str | None = None,
) -> Path:
    """Write an explorer or an ES-module widget as an HTML file that works without a kernel; returns its path.

    An explorer's picture is drawn beforehand for every combination of its controls' values; `sweep` names the
    values to keep for a control that has too many. plotly: the address of a plotly.min.js that several pages
    share, instead of a copy inside. Raises LessonError for more than 5,000 combinations.
    """
    if not isinstance(x, explorer.Controlled):
        return modules.page(x, path, title or "Unrolled")
    text = _json(sweeps(x, sweep or {}))
    script = _glue().replace("</script", "<\\/script")
    shared = f' src="{html.escape(plotly)}">' if plotly else f">{get_plotlyjs()}"
    draws = f"<script{shared}</script>" if isinstance(x, explorer.Explorer) else ""
    body = (
        f'<main class="unrolled-card {x.controls.theme}"><div id="bar"></div><div id="plot"></div></main>'
        f'<script id="state" type="application/json">{text}</script>{draws}'
        f'<script type="module">{script}</script>'
    )
    return _write(path, title or x.controls.title, body, POLICY if plotly is None else SHARED)


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
    return "\n".join(
        (
            esm.read("frame.js"),
            esm.read("explorer.js").replace("export default ", "const bar = "),
            esm.read("explorer_page.js"),
        )
    )


def _json(state: dict[str, Any]) -> str:
    """JSON in which no character can end the script element that holds it."""
    text = json.dumps(state, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _write(path: str | Path, title: str, body: str, policy: str = POLICY) -> Path:
    style = f"{theme.css()}\n{esm.read('explorer.css')}\n{esm.read('explorer_page.css')}"
    text = TEMPLATE.format(policy=policy, title=html.escape(title), style=style, body=body)
    return modules.write(path, text)
