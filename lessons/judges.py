"""Whether a document is what its medium asks for: each judge names the first fault it finds, or none.

A judge reads a text and never acts on it: Python is parsed and not run, XML is read without a document type,
so without entities, HTML by a parser that knows no scripts. What a judge says is about form. A play that
nests well may still be nonsense, and mostly is.
"""

import ast
import re
import warnings
from dataclasses import dataclass, field
from html.parser import HTMLParser
from xml.parsers import expat

from markdown_it import MarkdownIt

from lessons import icons

LONGEST = 50_000  # characters that a judge reads
VOID = {"br", "hr"}
ELEMENTS = {
    "article",
    "h2",
    "h3",
    "h4",
    "p",
    "strong",
    "em",
    "br",
    "hr",
    "ul",
    "ol",
    "li",
    "blockquote",
    "code",
}
LEFT_OVER = re.compile(r"(?<!\\)[*_]")


@dataclass
class _Nesting(HTMLParser):
    """Keeps the elements that are open, and the first fault."""

    fault: str = ""
    opened: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=False)  # &lt; is no < that belongs to no tag

    def handle_starttag(self, tag: str, attrs: list) -> None:
        if tag not in ELEMENTS:
            self._blame(f"unknown element <{tag[:20]}>")
        elif attrs:
            self._blame(f"an attribute in <{tag}>")
        elif tag not in VOID:
            self.opened.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.opened or self.opened[-1] != tag:
            inside = f"<{self.opened[-1]}>" if self.opened else "nothing"
            self._blame(f"</{tag[:20]}> closes {inside}")
        else:
            self.opened.pop()

    def handle_data(self, data: str) -> None:
        if "<" in data or ">" in data:
            self._blame("a < or > that belongs to no tag")

    def handle_comment(self, data: str) -> None:
        self._blame("a comment or a broken tag")

    handle_decl = unknown_decl = handle_pi = handle_comment

    def _blame(self, what: str) -> None:
        self.fault = self.fault or what


def html(text: str) -> str:
    """Elements of ELEMENTS, without attributes, each closed by its own end tag: one <article> around all."""
    parser = _Nesting()
    try:
        parser.feed(text[:LONGEST])
        parser.close()
    except AssertionError:  # how Python's parser says that <![… is not what it knows
        return parser.fault or "a broken declaration"
    if not parser.fault and parser.opened:
        return f"<{parser.opened[-1]}> is never closed"
    if not parser.fault and not (text.startswith("<article>") and text.rstrip().endswith("</article>")):
        return "no <article> around the document"
    return parser.fault


def markdown(text: str) -> str:
    """A paragraph of a play: every `**` and `_` is closed, so that none is left when it is rendered."""
    for token in MarkdownIt("commonmark", {"html": False}).parse(text[:LONGEST]):
        for child in token.children or ():
            if child.type == "text" and (found := LEFT_OVER.search(child.content)):
                return f"a {found[0]} that marks nothing"
        if token.type in ("code_block", "fence"):
            return "an indented line, which Markdown takes for code"
    return ""


def python(text: str) -> str:
    """Python that the parser of this Python accepts; it is not run."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(text[:LONGEST])
    except SyntaxError as error:
        return f"{error.msg} (line {error.lineno})"
    except (ValueError, RecursionError, MemoryError) as error:
        return f"nothing that Python can parse ({type(error).__name__})"
    return ""


def figure(text: str) -> str:
    """A drawing that is well-formed XML, of known elements with the numbers that they need."""
    try:
        shapes = elements(text)
    except ValueError as problem:
        return str(problem)
    if not shapes:
        return "nothing is drawn"
    for name, attributes in shapes:
        try:
            icons.points(name, attributes)
        except KeyError as missing:
            return f"<{name}> without {missing.args[0]}"
        except ValueError as problem:
            return f"{problem} in <{name}>"
    return ""


def framed(text: str) -> tuple[int, int]:
    """How many elements of a drawing stay inside the 24 × 24 frame, and how many can be drawn at all."""
    try:
        shapes = elements(text)
    except ValueError:
        return 0, 0
    kept = drawn = 0
    for name, attributes in shapes:
        try:
            kept += icons.inside(icons.points(name, attributes))
            drawn += 1
        except (KeyError, ValueError):
            continue
    return kept, drawn


def elements(text: str) -> list[tuple[str, dict[str, str]]]:
    """The elements of a drawing with their attributes, in order. Raises ValueError for what is no XML."""
    found: list[tuple[str, dict[str, str]]] = []
    parser = expat.ParserCreate()

    def start(name: str, attributes: dict[str, str]) -> None:
        if name not in icons.NEEDED:
            raise ValueError(f"unknown element <{name[:20]}>")
        found.append((name, attributes))

    def refuse(*_: object) -> None:
        raise ValueError("a document type")

    def words(data: str) -> None:
        if data.strip():
            raise ValueError(f"text outside elements: {data.strip()[:20]!r}")

    parser.StartElementHandler = lambda name, attributes: None if name == "svg" else start(name, attributes)
    parser.StartDoctypeDeclHandler, parser.CharacterDataHandler = refuse, words
    try:
        parser.Parse(icons.whole(text[:LONGEST]).encode("utf-8", "replace"), True)
    except expat.ExpatError as problem:
        raise ValueError(f"no well-formed XML ({expat.errors.messages[problem.code]})") from problem
    return found
