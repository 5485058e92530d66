"""A copy of the course for a class that is graded: `make student TO=FOLDER`.

Notebooks come without outputs, tests and teachers' pages stay here, and the exercises are sealed: their
checks explain as ever, but the solutions and the last hints are shown by nothing and found by no search.
Sealed is not locked: who decodes the files can read them, and what an exercise rebuilds is in the course.
"""

import argparse
import base64
import pathlib
import re
import shutil
import subprocess
import textwrap
import zlib

import nbformat

from lessons import exercises
from lessons.errors import LessonError
from tools.lab import ROOT

FOLDERS = ("lessons", "widgets", "data", "notebooks")
FILES = (
    "LICENSE", "LICENSE-TEXT", "Makefile", "environment.yml", "postBuild", "start", "pyproject.toml",
    "requirements.txt", ".gitignore",
)  # fmt: skip
README = """# Unrolled

Recurrent networks you can see through. This is your copy, to work and to hand in.

    make lab        # sets everything up, then opens the course in JupyterLab

Each lesson ends with exercises: fill in the stub and run the cell, and the check says what is right, or what
differs and why. `check.hint("NAME")` helps. Save the notebook when you are done; it is what you hand in.

On Binder or a JupyterHub nothing needs to be set up: open `notebooks/00_start_here.ipynb`.
"""
SEALED = '''"""{title} Sealed: in this copy the solutions are not to be read."""

import base64
import zlib

TEXT = """
{text}
"""
exec(compile(zlib.decompress(base64.b85decode(TEXT.replace("\\n", ""))), "<sealed>", "exec"))
'''


def write(folder: pathlib.Path) -> pathlib.Path:
    """Write the copy into a folder that is new or empty. Raises LessonError for another one."""
    if folder.exists() and any(folder.iterdir()):
        raise LessonError(f"{folder} holds something already; name a folder that is new or empty.")
    sealed = {ROOT / "lessons" / "exercises" / f"{lesson}.py" for lesson in exercises.lessons()}
    for path in tracked():
        place = folder / path.relative_to(ROOT)
        place.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".ipynb":
            nbformat.write(emptied(nbformat.read(path, as_version=4)), place)
        elif path in sealed:
            place.write_text(seal(path.read_text(encoding="utf-8")), encoding="utf-8")
        else:
            shutil.copy2(path, place)
    (folder / "README.md").write_text(README, encoding="utf-8")
    return folder


def tracked() -> list[pathlib.Path]:
    """The files of the course that a learner needs, as git knows them."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    wanted = [name for name in listed.splitlines() if name in FILES or name.startswith(FOLDERS)]
    here = [ROOT / name for name in wanted if not name.startswith("notebooks/text/")]
    return [path for path in here if path.is_file()]


def emptied(book: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """A notebook as nobody has run it; exercises are marked for nbgrader, to be graded by hand."""
    for cell in book.cells:
        if cell.cell_type != "code":
            continue
        cell.outputs, cell.execution_count = [], None
        if found := re.search(r"^check\.(\w+)\(\1\)$", cell.source, re.MULTILINE):
            grade = {"grade": True, "solution": True, "locked": False, "task": False, "points": 1}
            cell.metadata.nbgrader = {**grade, "grade_id": found[1], "schema_version": 3}
    return book


def seal(source: str) -> str:
    """A module that does what `source` does and shows none of it but its first line."""
    packed = base64.b85encode(zlib.compress(source.encode(), 9)).decode()
    title = source.removeprefix('"""').partition(":")[0] + "."
    return SEALED.format(title=title, text="\n".join(textwrap.wrap(packed, 100)))


def main(argv: list[str] | None = None) -> int:
    """Write the copy; 2 if it cannot be."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path, help="new or empty")
    folder = parser.parse_args(argv).folder
    try:
        write(folder)
    except (LessonError, OSError) as problem:
        print(problem)
        return 2
    print(f"The class's copy is in {folder}: put it into a repository of its own, or on the hub.")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
