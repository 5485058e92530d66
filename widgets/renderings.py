"""What a document looks like when rendered: every medium in its own way, all through widgets.sanitised."""

import ast
import warnings
from collections.abc import Iterator

from lessons import icons
from widgets import sanitised

SHOWN = 60  # characters of an expression in an outline
DRAWING = 260  # pixels


def render(medium: str, text: str) -> str:
    """A document of a medium of lessons.media as HTML that can only be looked at."""
    return RENDERINGS.get(medium, sanitised.source)(text)


def drawing(text: str) -> str:
    """An icon, large."""
    return f'<div style="text-align:center;padding:12px">{sanitised.svg(icons.whole(text), DRAWING)}</div>'


def outline(text: str) -> str:
    """What Python's parser sees in a function: its statements as nested lists. Parsed, never run."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text[: sanitised.LONGEST])
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return f"<em>Nothing that Python can parse.</em>{sanitised.source(text)}"
    return f"<ul>{''.join(_items(tree))}</ul>"


def _items(node: ast.AST, depth: int = 0) -> Iterator[str]:
    """A list item for every statement inside a node, its own statements in a list below it."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.stmt) and depth < 20:
            inner = "".join(_items(child, depth + 1))
            yield f"<li>{_line(child)}{f'<ul>{inner}</ul>' if inner else ''}</li>"
        elif isinstance(child, ast.excepthandler | ast.match_case):
            yield from _items(child, depth)


def _line(statement: ast.stmt) -> str:
    """The kind of a statement, and its first line as Python writes it."""
    kind = type(statement).__name__
    try:
        first = ast.unparse(statement).splitlines()[0]
    except (RecursionError, ValueError, IndexError):
        first = ""
    shown = first if len(first) <= SHOWN else f"{first[:SHOWN]}…"
    return f"<strong>{kind}</strong> <code>{sanitised.plain(shown)}</code>"


RENDERINGS = {
    "figure": drawing,
    "html": sanitised.html,
    "journal": sanitised.latex,
    "code": outline,
    "markdown": sanitised.markdown,
}
