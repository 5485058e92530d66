"""Build the course's pages and look at every one: `make site`, `python -m tools.site [--pages 00,02]`."""

import argparse
import dataclasses
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from plotly.offline import get_plotlyjs

from lessons.errors import LessonError
from tools import readme
from tools.site import BUILD, EXTRA, HERE, HTML, ROOT, SOURCE, books, check, mathjax, pages
from widgets import gallery, theme


def explorers(wanted: dict[str, gallery.Exhibit]) -> None:
    """A page for every explorer; those that are newer than the code that made them stay."""
    folder = EXTRA / "explorers"
    folder.mkdir(parents=True, exist_ok=True)
    newest = max(
        path.stat().st_mtime for part in ("widgets", "lessons") for path in (ROOT / part).rglob("*.*s*")
    )
    for name, one in wanted.items():
        path, start = folder / f"{name}.html", time.perf_counter()
        if path.is_file() and path.stat().st_mtime > newest:
            continue
        try:
            one.page(path, plotly="../plotly.min.js")
        except LessonError as problem:  # the check will find the links to it dead
            print(f"{path.name} is missing: {problem}", flush=True)
            continue
        print(
            f"{path.name}: {path.stat().st_size / 1e6:.2f} MB, {time.perf_counter() - start:.0f} s",
            flush=True,
        )


def statics() -> Path:
    """Style and script, with the colours of widgets.theme."""
    folder = BUILD / "static"
    shutil.copytree(HERE / "static", folder, dirs_exist_ok=True)
    tokens = {
        name: {key: value for key, value in dataclasses.asdict(one).items() if key != "name"}
        for name, one in theme.THEMES.items()
    }
    (folder / "tokens.js").write_text(f"window.unrolledTokens = {json.dumps(tokens)};\n", encoding="utf-8")
    return folder


def gather(slugs: list[str] | None) -> None:
    """Write what Sphinx reads."""
    shutil.rmtree(SOURCE, ignore_errors=True)
    (EXTRA / "pictures").mkdir(parents=True, exist_ok=True)
    (EXTRA / "notebooks").mkdir(parents=True, exist_ok=True)
    wanted = gallery.explorers()
    lessons = [
        one
        for one in readme.lessons()
        if (ROOT / "notebooks" / f"{one.slug}.ipynb").is_file() and (not slugs or one.slug[:2] in slugs)
    ]
    read = {one.slug: books.lesson(one.slug, wanted, SOURCE / "lessons") for one in lessons}
    for one in lessons:
        shutil.copy(ROOT / "notebooks" / f"{one.slug}.ipynb", EXTRA / "notebooks")
    pages.home(lessons)
    pages.explorers(lessons, wanted)
    pages.the_claims()
    pages.glossary(lessons, read)


def sphinx(quiet: bool = True) -> None:
    """Let Sphinx make the pages; a warning is an error."""
    here = {"UNROLLED_SITE_STATIC": str(statics()), "UNROLLED_SITE_EXTRA": str(EXTRA)}
    command = [sys.executable, "-m", "sphinx", "-b", "html", "-W", "--keep-going", *(["-q"] if quiet else [])]
    subprocess.run(
        [*command, "-c", str(HERE), "-d", str(BUILD / "doctrees"), str(SOURCE), str(HTML)],
        env={**os.environ, **here},
        check=True,
    )


def main(argv: list[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--pages", help="numbers of lessons, such as 00,02; all by default, with all explorers"
    )
    parser.add_argument("--check-only", action="store_true", help="look at the pages that are there")
    asked = parser.parse_args(argv)
    if not asked.check_only:
        gather(asked.pages.split(",") if asked.pages else None)
        if not asked.pages:
            explorers(gallery.explorers())
        (EXTRA / "plotly.min.js").write_text(get_plotlyjs(), encoding="utf-8")
        mathjax.install(EXTRA / "mathjax")
        shutil.rmtree(HTML, ignore_errors=True)
        sphinx()
    return check.main(HTML)


if __name__ == "__main__":
    sys.exit(main())
