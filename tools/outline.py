"""What a lesson's text says about itself: question, minutes, guess, pictures, exercises, quiz, claims.

Read from notebooks/text without running anything; the teacher's guide and the demo are made of it.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from tools import readme

SHOWN = 2  # sentences of the prose before a picture


@dataclass(frozen=True)
class Picture:
    """A cell that ends in a picture: the section it stands in, the prose before it, and the call."""

    section: str
    prose: str
    call: str


@dataclass
class Outline:
    """One lesson. `guess` is the puzzle's text, `asked` the name of the number that is guessed."""

    slug: str
    question: str
    terms: str
    guess: str = ""
    asked: str = ""
    pictures: list[Picture] = field(default_factory=list)
    exercises: list[str] = field(default_factory=list)
    claims: list[str] = field(default_factory=list)
    quiz: str = ""

    @property
    def number(self) -> str:
        return self.slug[:2]

    @property
    def minutes(self) -> int:
        """How long a learner takes, as the lesson says."""
        found = re.match(r"(\d+) minutes", self.terms)
        return int(found[1]) if found else 0


def outlines() -> list[Outline]:
    """Every lesson's outline, in order."""
    return [read(lesson) for lesson in readme.lessons()]


def read(lesson: readme.Lesson) -> Outline:
    """The outline of one lesson, from its text."""
    path = readme.ROOT / "notebooks" / "text" / f"{lesson.slug}.py"
    outline = Outline(lesson.slug, lesson.question, lesson.terms)
    section = prose = ""
    for kind, text in cells(path.read_text(encoding="utf-8")):
        if kind == "markdown":
            section, prose = heading(text) or section, running(text)
            if "**Guess first.**" in text:
                outline.guess = prose.replace("**Guess first.** ", "")
        else:
            note(outline, ast.parse(text), section, prose)
    return outline


def cells(text: str) -> Iterator[tuple[str, str]]:
    """The cells of a text pair as ("markdown" or "code", source); `make demo` has no jupytext to ask."""
    for block in re.split(r"^# %%", text, flags=re.MULTILINE)[1:]:
        head, _, body = block.partition("\n")
        if "[markdown]" in head:
            yield "markdown", re.sub(r"^# ?", "", body, flags=re.MULTILINE)
        else:
            yield "code", body


def note(outline: Outline, code: ast.Module, section: str, prose: str) -> None:
    """Add what a code cell holds: its picture if it ends in one, and the calls that mean something."""
    for owner, name, call in calls(code):
        first = call.args[0] if call.args else None
        text = first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else ""
        if (owner, name) == ("check", "predict") and text:
            outline.asked = outline.asked or text
        elif owner == "quiz":
            outline.quiz = text
        elif name == "every_seed" and text:
            outline.claims.append(text)
        elif owner == "check" and isinstance(first, ast.Name) and first.id == name:
            outline.exercises.append(name)
    last = code.body[-1] if code.body else None
    if isinstance(last, ast.Expr) and isinstance(last.value, ast.Call) and drawn(last.value):
        outline.pictures.append(Picture(section, sentences(prose, SHOWN), ast.unparse(last.value)))


def drawn(call: ast.Call) -> bool:
    """Whether a call shows something to explore, and does not check, print, ask or show a claim's seeds."""
    owner = call.func.value.id if isinstance(call.func, ast.Attribute) and named(call.func.value) else ""
    return owner not in ("", "check", "quiz", "ledger") and call.func.attr not in ("every_seed", "reveal")


def calls(code: ast.Module) -> Iterator[tuple[str, str, ast.Call]]:
    """Every `owner.name(…)` in the code, as owner, name, call."""
    for node in ast.walk(code):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and named(node.func.value):
            yield node.func.value.id, node.func.attr, node


def named(node: ast.AST) -> bool:
    return isinstance(node, ast.Name)


def heading(markdown: str) -> str:
    """The last heading below the title in a text cell, or nothing."""
    found = re.findall(r"^##+ (.+)$", markdown, re.MULTILINE)
    return found[-1] if found else ""


def running(markdown: str) -> str:
    """A text cell's prose on one line, without headings, tables and formulas set apart."""
    text = re.sub(r"\$\$.*?\$\$", "", markdown, flags=re.DOTALL)
    lines = [line for line in text.splitlines() if not line.startswith(("#", "|"))]
    return re.sub(r"\s+", " ", " ".join(lines)).strip()


def sentences(prose: str, count: int) -> str:
    """The first sentences of a prose."""
    return " ".join(re.split(r"(?<=[.?!:]) (?=[A-Z*_`0-9])", prose)[:count])


def plain(prose: str) -> str:
    """A prose without Markdown's marks, for a page that shows text as it is; what stands in code is left."""
    marks = re.compile(r"\*\*(.+?)\*\*|\*(\S.*?)\*|\$(.+?)\$")
    bare = (
        part.strip("`") if part.startswith("`") else marks.sub(lambda found: found[found.lastindex], part)
        for part in re.split(r"(`[^`]+`)", prose)
    )
    return "".join(bare)
