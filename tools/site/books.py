"""Lessons as Sphinx reads them: the committed notebooks, each output as a static page shows it best.

A Plotly figure is its data and a photograph, drawn by the shared plotly.min.js when it is scrolled to. A
picture of an explorer can be brought to life: the explorer's page without a kernel stands in a frame.
"""

import ast
import base64
import html
import json
import re
import struct
from pathlib import Path

import nbformat

from tools import readme
from tools.site import EXTRA, ROOT
from widgets.gallery import Exhibit

PLOTLY = "application/vnd.plotly.v1+json"
BINDER = "Open it in Binder, where every cell runs"


def lesson(slug: str, gallery: dict[str, Exhibit], folder: Path) -> nbformat.NotebookNode:
    """Write the lesson `slug` ("04_lstm") into `folder`, and its pictures beside the pages; the notebook."""
    book = nbformat.read(ROOT / "notebooks" / f"{slug}.ipynb", as_version=4)
    names, shown = imports(book), set()
    for number, cell in enumerate(book.cells):
        if cell.cell_type != "code":
            cell.source = linked(cell.source)
            continue
        live = explorer(cell.source, names, slug, gallery)
        for place, output in enumerate(cell.get("outputs", [])):
            if {PLOTLY, "image/png"} & set(output.get("data", {})):
                one = live if live is not None and PLOTLY not in output.data else None
                show(output, f"{slug}-{number}-{place}", one, first=not shown)
                shown |= {live.name} if one else set()
        cell.source = cell.source.removeprefix("# NBVAL_CHECK_OUTPUT\n")  # of use to the tests alone
        cell.metadata = {}
    number = next(k for k, cell in enumerate(book.cells) if cell.cell_type == "markdown")
    book.cells[number].source += f"\n\n{foot(slug)}"
    folder.mkdir(parents=True, exist_ok=True)
    nbformat.write(book, folder / f"{slug}.ipynb")
    return book


def foot(slug: str) -> str:
    """Where else the lesson can be had."""
    return (
        f'<p class="facts"><a href="{readme.binder(slug)}">{BINDER}</a> · '
        f'<a href="../notebooks/{slug}.ipynb" download>download the notebook</a></p>'
    )


def linked(text: str) -> str:
    """Text in which the address of another notebook is that of its page."""
    return re.sub(r"\]\((?:notebooks/)?(\d\d_\w+)\.ipynb\)", r"](\1.ipynb)", text)


def imports(book: nbformat.NotebookNode) -> dict[str, str]:
    """What a notebook calls the modules of widgets: {"pictures": "ntm"}."""
    found = {}
    for cell in book.cells:
        if cell.cell_type != "code":
            continue
        for node in ast.walk(ast.parse(cell.source)):
            if isinstance(node, ast.ImportFrom) and node.module == "widgets":
                found |= {name.asname or name.name: name.name for name in node.names}
    return found


def explorer(code: str, names: dict[str, str], slug: str, gallery: dict[str, Exhibit]) -> Exhibit | None:
    """The exhibit that stands for what a cell shows: made by the same function, best of the same lesson."""
    calls = []
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            module = node.func.value
            if isinstance(module, ast.Name) and module.id in names:
                calls.append(origin(names[module.id], node.func.attr))
    fitting = [one for one in gallery.values() if one.made_by in calls]
    return next(
        (one for one in fitting if one.lesson == slug[3:]),
        None if "quiz.show" in calls else (fitting or [None])[0],
    )


def origin(module: str, function: str) -> str:
    """Where a function of widgets was defined: modules lend one another's under a lesson's words."""
    from importlib import import_module

    made = getattr(import_module(f"widgets.{module}"), function, None)
    if not callable(made):
        return ""
    return f"{made.__module__.removeprefix('widgets.')}.{made.__name__}"


def show(output: nbformat.NotebookNode, name: str, live: Exhibit | None, first: bool) -> None:
    """Turn an output with a photograph into HTML: a figure to draw, an explorer to open, or the picture."""
    data = output.data
    words = html.escape(str(data.get("text/plain", "")).strip(), quote=True)
    inside = photograph(data["image/png"], name, words) if "image/png" in data else f"<p>{words}</p>"
    if PLOTLY in data:
        figure = json.dumps({key: data[PLOTLY][key] for key in ("data", "layout")}, separators=(",", ":"))
        inside += f'<script type="application/json">{safe(figure)}</script>'
        height = int(data[PLOTLY]["layout"].get("height", 420))
        made = f'<div class="plot" role="img" aria-label="{words}" style="--height:{height}px">{inside}</div>'
    elif live is not None:
        made = frame(live, inside, first)
    else:
        made = f'<div class="still">{inside}</div>'
    output.data = nbformat.from_dict({"text/html": made})


def frame(live: Exhibit, inside: str = "", first: bool = False) -> str:
    """An explorer in a frame of its own; what is `inside` stands there until it is opened."""
    address, title = f"../explorers/{live.name}.html", html.escape(live.title)
    on = f", on {live.network}" if live.network else ""
    return (
        f'<figure class="live" data-page="{address}" data-title="{title}"{" data-open" if first else ""}>'
        f'<div class="before">{inside}</div><figcaption><button type="button">▶ Try it here</button> '
        f"<span>{title}, live and without a kernel{on}.</span> "
        f'<a href="{address}">On a page of its own</a></figcaption></figure>'
    )


def photograph(data: str, name: str, words: str) -> str:
    """An <img> of a PNG that is written beside the pages."""
    picture = base64.b64decode(data)
    path = EXTRA / "pictures" / f"{name}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(picture)
    width, height = struct.unpack(">II", picture[16:24])
    return (
        f'<img src="../pictures/{path.name}" alt="{words}" width="{width}" height="{height}" loading="lazy">'
    )


def safe(text: str) -> str:
    """JSON that cannot end the script element it stands in."""
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
