"""Small LaTeX articles: the commands they may use, how to take one apart, and whether it is well formed.

An article is one paragraph of LaTeX without a preamble: a `\\section`, sentences with formulas between
dollars, `equation`s, theorems and proofs. The commands are those that `lessons.journals` writes. A closed
list serves two ends: a judge can say that a command is unknown, as LaTeX would, and a page that typesets what
a network wrote hands over nothing that could define, link, style or load something.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from latex2mathml import exceptions
from latex2mathml.converter import convert

GREEK = "alpha beta gamma delta epsilon theta lambda mu nu pi rho sigma tau phi psi omega Gamma Delta Omega"
FUNCTIONS = "sin cos tan cot sec csc sinh cosh tanh log ln exp lim max min arctan det"
SIGNS = (
    "frac sqrt int sum prod left right cdot times infty to partial limits operatorname text quad qquad le ge "
    "neq leq geq pm in mid ldots cdots prime mathrm mathbb Rightarrow approx"
)
COMMANDS = frozenset([*f"{SIGNS} {GREEK} {FUNCTIONS}".split(), *",;:!\\{}| "])
ENVIRONMENTS = frozenset({"matrix", "pmatrix", "cases", "aligned", "array"})  # inside a formula
DISPLAYS = frozenset({"equation"})  # that are one formula
BLOCKS = ("abstract", "theorem", "lemma", "proof", "remark")  # that hold text

_PIECE = re.compile(
    r"\\begin\{equation\}(?P<equation>.*?)\\end\{equation\}"
    r"|\$(?P<inline>[^$]*)\$"
    r"|\\begin\{(?P<begin>\w+)\}"
    r"|\\end\{(?P<end>\w+)\}"
    r"|\\section\{(?P<section>[^\n]*)\}(?=\n|\Z)"
    r"|\\emph\{(?P<emph>[^{}$\\]*)\}",
    re.DOTALL,
)
# latex2mathml has an error for each fault and no name for all of them.
_ERRORS = tuple(
    one for one in vars(exceptions).values() if isinstance(one, type) and issubclass(one, Exception)
)


@dataclass(frozen=True)
class Piece:
    """A part of an article. kind: "text", "section", "emph", "begin", "end", or "inline" and "equation"
    for formulas; the text is what stands between the braces."""

    kind: str
    text: str


def pieces(article: str) -> Iterator[Piece]:
    """An article taken apart, in order; whatever fits nothing else is text, so nothing is lost or raised."""
    place = 0
    for found in _PIECE.finditer(article):
        if found.start() > place:
            yield Piece("text", article[place : found.start()])
        kind = str(found.lastgroup)
        yield Piece(kind, found[kind])
        place = found.end()
    if place < len(article):
        yield Piece("text", article[place:])


def formulas(article: str) -> list[str]:
    """The formulas of an article, without their dollars or environments."""
    return [piece.text for piece in pieces(article) if piece.kind in ("inline", "equation")]


def fault(article: str) -> str:
    """What is wrong with an article, in a few words; empty if nothing is."""
    opened: list[str] = []
    for piece in pieces(article):
        if piece.kind in ("inline", "equation"):
            if wrong := formula_fault(piece.text):
                return f"{wrong} in {piece.text.strip()[:40]!r}"
        elif piece.kind == "begin":
            if piece.text not in BLOCKS:
                return f"unknown environment {piece.text!r}"
            opened.append(piece.text)
        elif piece.kind == "end":
            if not opened or opened.pop() != piece.text:
                return f"\\end{{{piece.text}}} without its \\begin"
        elif wrong := _inside(piece.text) if piece.kind == "section" else _text_fault(piece.text):
            return wrong
    if opened:
        return f"\\begin{{{opened[-1]}}} without its \\end"
    return "" if article.startswith("\\section{") else "no \\section at the beginning"


def _inside(title: str) -> str:
    """What is wrong with a heading, which holds text and formulas."""
    for piece in pieces(title):
        wrong = formula_fault(piece.text) if piece.kind == "inline" else _text_fault(piece.text)
        if wrong:
            return f"{wrong} in the heading"
    return ""


def formula_fault(formula: str) -> str:
    """What is wrong with a formula: braces, unknown commands, or what latex2mathml cannot parse."""
    if wrong := _braces(formula):
        return wrong
    for name in re.findall(r"\\([A-Za-z]+|.|\Z)", formula, re.DOTALL):
        if name not in COMMANDS and name not in ("begin", "end"):
            return f"unknown command \\{name}"
    for name in re.findall(r"\\begin\{([^}]*)\}", formula):
        if name not in ENVIRONMENTS:
            return f"unknown environment {name!r}"
    for name, wanted in (("frac", 2), ("sqrt", 1)):
        if _arguments_missing(formula, name, wanted):
            return f"\\{name} without its argument"
    try:
        convert(formula)
    except (RecursionError, StopIteration):  # of the parser, at braces in braces and at a \text without any
        return "nothing that can be parsed"
    except _ERRORS as problem:
        return re.sub(r"(?<!^)(?=[A-Z])", " ", type(problem).__name__.removesuffix("Error")).lower()
    return ""


def _arguments_missing(formula: str, name: str, wanted: int) -> bool:
    """Whether a command is followed by fewer arguments in braces than it takes."""
    for found in re.finditer(rf"\\{name}(?![A-Za-z])(?:\[\d+\])?", formula):
        place = found.end()
        for _ in range(wanted):
            if place >= len(formula) or formula[place] != "{":
                return True
            place = _closing(formula, place) + 1
    return False


def _closing(text: str, place: int) -> int:
    """Where the brace that opens at `place` closes; the end of the text if it does not."""
    depth = 0
    for at in range(place, len(text)):
        depth += {"{": 1, "}": -1}.get(text[at], 0) if text[at - 1 : at] != "\\" else 0
        if depth == 0:
            return at
    return len(text)


def _braces(text: str) -> str:
    depth = 0
    for found in re.finditer(r"\\.|[{}]", text, re.DOTALL):
        depth += {"{": 1, "}": -1}.get(found[0], 0)
        if depth < 0:
            return "a } without its {"
    return "a { without its }" if depth else ""


def _text_fault(text: str) -> str:
    if "$" in text:
        return "a $ without its partner"
    found = re.search(r"\\(?:[A-Za-z]+|.)|[\^_{}&]", text, re.DOTALL)
    return f"{found[0]} outside a formula" if found else ""
