"""An ES-module widget as one HTML file that needs no kernel, no network and no server.

The module that drives the widget in JupyterLab is put into the page as it is; widgets/js/page.js stands in
for the kernel's side. The page's content security policy names what may run or style by its hash.
"""

import base64
import dataclasses
import hashlib
import html
import json
import re
from pathlib import Path
from typing import Any

import anywidget

from lessons import sources
from lessons.errors import LessonError, refusal
from widgets import esm, theme

DEFAULT = re.compile(r"^export default ", re.MULTILINE)
NOT_OURS = ("_model_", "_view_", "_dom_", "_anywidget")
NOT_STATE = {"_esm", "_css", "layout", "tabbable", "tooltip", "comm"}


@dataclasses.dataclass(frozen=True)
class Answers:
    """What a page answers in the kernel's place; a widget that needs one returns it from `recorded()`.

    given: pairs of traits as a reader may set them, nested as far as they matter, and the traits that follow.
    otherwise: the sentence for every other wish.
    """

    given: list[tuple[dict[str, Any], dict[str, Any]]]
    otherwise: str


TEMPLATE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<header><h1>{title}</h1><button id="theme" type="button">dark theme</button></header>
<main id="widget"><noscript>This page draws with JavaScript, which is switched off.</noscript></main>
<script id="state" type="application/json">{state}</script>
<script type="module">{script}</script>
</body>
</html>
"""


def page(widget: anywidget.AnyWidget, path: str | Path, title: str = "Unrolled") -> Path:
    """Write the widget, as it stands, to an HTML file that works when opened from disk; returns its path.

    Raises LessonError if the widget has no ES module or the file cannot be written.
    """
    return write(path, document(widget, title))


def write(path: str | Path, text: str) -> Path:
    """Write a page, whole or not at all; raises LessonError if the disk refuses."""
    path = Path(path)
    try:
        sources.replace_whole(path, text.encode())
    except (OSError, ValueError) as problem:  # a ValueError for a name that no file can have
        raise LessonError(f"The page could not be written to {path.name}: {refusal(problem)}.") from problem
    return path


def document(widget: anywidget.AnyWidget, title: str = "Unrolled") -> str:
    """The page's text. Nothing of the widget's data can end up as markup or as code."""
    if not isinstance(widget, anywidget.AnyWidget):
        raise LessonError(f"A page is made from an ES-module widget, and this is a {type(widget).__name__}.")
    script, style = _script(str(widget._esm)), f"{_page_style()}\n{getattr(widget, '_css', '')}"
    policy = (
        f"default-src 'none'; script-src '{_digest(script)}'; style-src '{_digest(style)}'; img-src data:; "
        "media-src blob:; base-uri 'none'; form-action 'none'"
    )
    return TEMPLATE.format(
        policy=policy, title=html.escape(title), style=style, state=_json(_state(widget)), script=script
    )


def _script(module: str) -> str:
    """The widget's module with the stand-in behind it; `</script` in a string must not end the element."""
    if len(DEFAULT.findall(module)) != 1:
        raise LessonError("The widget's module must have exactly one line that starts with `export default`.")
    named = DEFAULT.sub("const pagedModule = ", module)
    return f"{named}\n{{\n{esm.read('frame.js')}{esm.read('page.js')}}}\n".replace("</script", "<\\/script")


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _state(widget: anywidget.AnyWidget) -> dict[str, Any]:
    """The traits that the module reads; ipywidgets' own are left out."""
    own = (key for key in widget.keys if key not in NOT_STATE and not key.startswith(NOT_OURS))
    state = {key: getattr(widget, key) for key in own}
    recorded: Answers | None = widget.recorded() if hasattr(widget, "recorded") else None
    if recorded is None:
        return state
    asks = sorted({name for wish, _ in recorded.given for name in wish})
    return state | {"$answers": {**vars(recorded), "asks": asks}}


def _json(state: dict[str, Any]) -> str:
    """JSON in which no character can end the script element that holds it."""

    def bytes_too(value: Any) -> dict[str, str]:
        if isinstance(value, bytes | bytearray | memoryview):
            return {"$base64": base64.b64encode(value).decode()}
        raise TypeError(f"A page cannot hold a {type(value).__name__}.")

    text = json.dumps(state, default=bytes_too, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _page_style() -> str:
    light, dark = theme.LIGHT, theme.DARK
    return f"""
:root{{color-scheme:light;background:{light.ground};color:{light.ink}}}
:root.dark{{color-scheme:dark;background:{dark.ground};color:{dark.ink}}}
body{{margin:0 auto;max-width:1180px;padding:16px 12px;font:14px/1.45 {theme.SANS}}}
:root.framed{{background:none}}
.framed body{{max-width:none;padding:0}}
.framed body>header{{display:none}}
body>header{{display:flex;justify-content:space-between;align-items:baseline;gap:12px;margin:0 2px 8px}}
body>header h1{{font-size:15px;font-weight:500;margin:0}}
body>header button{{font:inherit;color:inherit;background:none;border:1px solid {light.edge}}}
body>header button{{border-radius:6px;padding:3px 9px;white-space:nowrap;cursor:pointer}}
"""
