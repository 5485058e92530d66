"""Documents small enough to be written whole: pages of a play as HTML, functions of a module.

A document has no blank line inside, and a blank line after it. So the network itself says where one ends, and
a judge can be given one whole document at a time.
"""

import ast
import re
import textwrap
import warnings
from collections.abc import Iterable, Iterator

from markdown_it import MarkdownIt

SEPARATOR = "\n\n"
SPEECHES = 3  # of a page
SHORTEST, LONGEST = 60, 600  # characters of a function


def joined(documents: Iterable[str]) -> str:
    """Documents that end in one line end each, with blank lines between them."""
    return "\n".join(documents)


def split(text: str) -> list[str]:
    """The documents of a text, each ending in one line end; blank lines are all that is lost."""
    return [f"{part.strip(chr(10))}\n" for part in re.split(r"\n{2,}", text) if part.strip()]


def pages(play: str) -> Iterator[str]:
    """A play in Markdown as HTML pages: an <article> each, of one scene, holding up to three speeches.

    Rendered by markdown-it-py as CommonMark. A speech is a <p> with its speaker in <strong>, its lines end in
    <br>; what is done on stage stands in <em>.
    """
    reader = MarkdownIt("commonmark", {"html": False, "xhtmlOut": False}).disable(["link", "image"])
    page: list[str] = []
    for block in split(play):
        full = sum(one.startswith("**") for one in page) == SPEECHES and block.startswith("**")
        if page and (full or block.startswith("#")):
            yield _page(reader, page)
            page = []
        page.append(block)
    if page:
        yield _page(reader, page)


def _page(reader: MarkdownIt, blocks: list[str]) -> str:
    return f"<article>\n{reader.render(SEPARATOR.join(blocks)).strip()}\n</article>\n"


def functions(module: str) -> Iterator[str]:
    """The functions and methods of a Python module, flush left and without blank lines, shorter ones only."""
    lines = module.splitlines()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of escapes in other people's strings
        for node in _functions(ast.parse(module)):
            first = min([node.lineno, *(one.lineno for one in node.decorator_list)])
            kept = [line.rstrip() for line in lines[first - 1 : node.end_lineno] if line.strip()]
            function = textwrap.dedent("\n".join(kept)) + "\n"
            if SHORTEST <= len(function) <= LONGEST and _parses(function):
                yield function


def _functions(node: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Functions of a module and methods of its classes, not those inside others."""
    for inner in getattr(node, "body", ()):
        if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef):
            yield inner
        else:
            yield from _functions(inner)


def _parses(function: str) -> bool:
    """Whether a function still stands alone: dedenting breaks those with long strings flush left."""
    try:
        ast.parse(function)
    except SyntaxError:
        return False
    return True
