"""Write the generated parts of README.md (badges, lessons, claims) and of the pages in docs/. `make readme`.

Each part stands between `<!-- NAME: … -->` and `<!-- /NAME -->`; what is outside belongs to the author.
"""

import pathlib
import re
import sys
import tomllib
from collections.abc import Callable
from dataclasses import dataclass

from lessons import claims, media, temperature_study
from lessons.errors import LessonError

ROOT = pathlib.Path(__file__).resolve().parents[1]
README = ROOT / "README.md"


@dataclass(frozen=True)
class Lesson:
    """What the first text cell of a lesson says: number and slug, its question, minutes and needs."""

    slug: str
    question: str
    terms: str


def lessons() -> list[Lesson]:
    """Every lesson, in order, read from notebooks/text/NN_slug.py."""
    return [read(path) for path in sorted((ROOT / "notebooks" / "text").glob("[0-9][0-9]_*.py"))]


def read(path: pathlib.Path) -> Lesson:
    """The lesson of one text file: its heading, and the line below that tells minutes and needs."""
    lines = [line.removeprefix("#").strip() for line in path.read_text(encoding="utf-8").splitlines()]
    headings = [number for number, line in enumerate(lines) if line.startswith("# ")]
    if not headings:
        raise SystemExit(f"{path.name} must begin with a heading, its question")
    heading = headings[0]
    terms = next((line for line in lines[heading + 1 :] if line), "")
    return Lesson(path.stem, lines[heading].removeprefix("# "), terms)


def repository() -> str:
    """owner/name, from [project.urls] in pyproject.toml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return project["urls"]["Repository"].removeprefix("https://github.com/")


def binder(slug: str) -> str:
    """Where Binder opens a lesson."""
    return f"https://mybinder.org/v2/gh/{repository()}/HEAD?urlpath=lab/tree/notebooks/{slug}.ipynb"


def badges() -> str:
    test = f"https://github.com/{repository()}/actions/workflows/test.yml"
    return (
        f"[![open in Binder](https://mybinder.org/badge_logo.svg)]({binder('00_start_here')})\n"
        f"[![tests]({test}/badge.svg)]({test})"
    )


def picture() -> str:
    """The moving picture at the top, once docs/tour.gif (or a still, docs/tour.png) is there."""
    found = [path for path in ("docs/tour.gif", "docs/tour.png") if (ROOT / path).is_file()]
    return f"![the gate microscope reading a play]({found[0]})" if found else ""


def index() -> str:
    """One row a lesson: number and question, its terms, and a link that opens it on Binder."""
    rows = ["| lesson | | open |", "|---|---|---|"]
    for lesson in lessons():
        link = f"[{lesson.slug[:2]} · {lesson.question}](notebooks/{lesson.slug}.ipynb)"
        rows.append(f"| {link} | {lesson.terms} | [Binder]({binder(lesson.slug)}) |")
    return "\n".join(rows)


def claims_table() -> str:
    return claims.table().strip()


def samples() -> str:
    """What the networks of lesson 13 wrote: the first well-formed document of each medium, from its study."""
    try:
        found = temperature_study.load()["media"]
    except LessonError:
        return ""
    blocks = []
    for name, language in LANGUAGES.items():
        kept = found.get(name, {}).get("samples", {}).get("well formed", [])
        if kept:
            title = media.find(name).title
            blocks.append(f"<details><summary>{title}</summary>\n\n```{language}\n{kept[0]}```\n\n</details>")
    return "\n".join(blocks)


LANGUAGES = {"figure": "svg", "html": "html", "journal": "latex", "code": "python", "markdown": "markdown"}
Parts = dict[str, Callable[[], str]]
PARTS: Parts = {
    "badges": badges,
    "picture": picture,
    "lessons": index,
    "samples": samples,
    "claims": claims_table,
}


def pages() -> dict[pathlib.Path, Parts]:
    """Every page that is generated in parts, with its parts."""
    from tools import classroom, gpu_memory, memory, teachers_guide

    docs = ROOT / "docs"
    return {
        README: PARTS,
        docs / "binder.md": {"memory": memory.table},
        docs / "classroom.md": {"demo": classroom.demo_table, "kernels": classroom.kernels_table},
        docs / "scale.md": {"presets": gpu_memory.table},
        docs / "teachers_guide.md": {"guide": teachers_guide.guide},
    }


def render(text: str, parts: Parts = PARTS) -> str:
    """A page's text with every generated part made anew; README's, unless other parts are given."""
    for name, part in parts.items():
        pattern = re.compile(rf"(<!-- {name}:[^\n]*-->\n).*?(<!-- /{name} -->)", re.DOTALL)
        text, count = pattern.subn(lambda found, part=part: found[1] + lines(part()) + found[2], text)
        if count != 1:
            raise SystemExit(f"The page must have one part '<!-- {name}: … -->' to '<!-- /{name} -->'")
    return text


def lines(text: str) -> str:
    return f"{text}\n" if text else ""


def main() -> int:
    """Write every page of which a part is stale."""
    for path, parts in pages().items():
        before = path.read_text(encoding="utf-8")
        after = render(before, parts)
        if after != before:
            path.write_text(after, encoding="utf-8")
        print(f"{path.relative_to(ROOT)} is " + ("up to date" if after == before else "written"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
