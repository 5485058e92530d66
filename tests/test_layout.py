"""The same topic has the same name in every folder, and floors only rest on what lies below them."""

import ast
import json
import pathlib
import re
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]
SLUGS = [path.stem[3:] for path in sorted((ROOT / "notebooks" / "text").glob("[0-9][0-9]_*.py"))]
PICTURES = {"plotly", "ipywidgets", "anywidget", "IPython", "matplotlib", "widgets"}


def modules(package: str) -> list[pathlib.Path]:
    return sorted((ROOT / package).rglob("*.py"))


def imported(path: pathlib.Path) -> set[str]:
    """Top-level names of everything a file imports, wherever in it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {name.name.partition(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
    return names


@pytest.mark.parametrize("path", modules("lessons"), ids=lambda path: path.stem)
def test_lessons_import_no_pictures(path):
    assert not imported(path) & (PICTURES | {"tools", "tests"})


@pytest.mark.parametrize("path", modules("widgets"), ids=lambda path: path.stem)
def test_widgets_use_ipywidgets_under_one_name(path):
    text = path.read_text(encoding="utf-8")
    for line in re.findall(r"^\s*(?:import ipywidgets.*|from ipywidgets.*)$", text, re.MULTILINE):
        assert line.strip() == "import ipywidgets as ipw"


def test_lessons_load_no_plotting_or_widget_library_in_a_fresh_process():
    names = [path.stem for path in (ROOT / "lessons").glob("*.py") if not path.stem.startswith("__")]
    code = (
        "import importlib, json, sys, lessons\n"
        f"for name in {names!r}: importlib.import_module(f'lessons.{{name}}')\n"
        "for name in lessons.__all__: getattr(lessons, name)\n"
        "print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    assert "torch" in loaded
    assert not loaded & PICTURES


@pytest.mark.parametrize("slug", [slug for slug in SLUGS if slug != "start_here"])
def test_a_topic_has_one_name(slug):
    assert (ROOT / "lessons" / f"{slug}.py").exists()
    assert (ROOT / "tests" / f"test_{slug}.py").exists()
    assert len(list((ROOT / "notebooks").glob(f"[0-9][0-9]_{slug}.ipynb"))) == 1


@pytest.mark.parametrize("package", ["lessons", "widgets", "tools"])
def test_every_module_has_a_test_that_names_it(package):
    tests = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("*.py"))
    names = [path.stem for path in (ROOT / package).glob("*.py") if not path.stem.startswith("__")]
    own = [name for name in names if (ROOT / "tests" / f"test_{name}.py").exists()]
    assert [name for name in names if name not in own and not re.search(rf"\b{name}\b", tests)] == []


def test_no_drawer_for_odds_and_ends():
    drawers = {"utils", "util", "helpers", "helper", "misc", "common"}
    found = [
        path for folder in ("lessons", "widgets", "tools", "tests", "benchmarks") for path in modules(folder)
    ]
    assert [path for path in found if path.stem.removeprefix("test_") in drawers] == []
