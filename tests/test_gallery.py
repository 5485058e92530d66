"""Every explorer of the course is in the gallery (widgets/exhibits.py), its page made by one call."""

import ast
import json
import re

import pytest
import yaml

from lessons.errors import LessonError
from tests.test_layout import ROOT
from widgets import gallery
from widgets.explorer import Explorer


def makers() -> set[str]:
    """Public functions of widgets that return an explorer or a widget of their own, as "module.function"."""
    found = set()
    for path in sorted((ROOT / "widgets").glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        classes = {
            node.name
            for node in tree.body
            if isinstance(node, ast.ClassDef)
            and any(
                base in ast.unparse(node).split(":")[0] for base in ("AnyWidget", "Controlled", "Explorer")
            )
        }
        for node in tree.body:
            public = isinstance(node, ast.FunctionDef) and node.returns and not node.name.startswith("_")
            if public and ast.unparse(node.returns) in classes | {"Explorer"}:
                found.add(f"{path.stem}.{node.name}")
    return found


def test_every_explorer_of_the_course_is_listed():
    listed = {one.made_by for one in gallery.explorers().values()}
    assert makers() - listed == set()
    assert listed <= makers() and "ntm.beyond" in listed


def test_the_makers_are_found():
    assert {"gates.explore", "studio.explore", "lstm.diagram", "recursive.tree", "pad.pad"} <= makers()


def test_exhibits_belong_to_lessons_that_there_are():
    slugs = {path.stem[3:] for path in (ROOT / "notebooks" / "text").glob("[0-9][0-9]_*.py")}
    strange = {name: one.lesson for name, one in gallery.explorers().items() if one.lesson not in slugs}
    assert {name for name in strange if not name.startswith("quiz-")} == set()  # a quiz may come first


@pytest.mark.parametrize("name", ["variants", "diagram", "quiz-lstm", "pad"])
def test_an_exhibit_is_a_page_by_one_call(name, tmp_path):
    path = gallery.find(name).page(tmp_path / "page.html", plotly="../plotly.min.js")
    text = path.read_text(encoding="utf-8")
    assert path.stat().st_size < 3_000_000
    assert "Content-Security-Policy" in text and not re.search(r"(?:src|href)=\"https?:", text)
    state = json.loads(re.search(r'<script id="state" type="application/json">(.*?)</script>', text, re.S)[1])
    assert state
    if isinstance(gallery.find(name).open(), Explorer):
        assert len(state["states"]) == 2 * 3 * 2 and any("data" in one for one in state["states"].values())


def test_a_page_says_what_a_notebook_says_where_there_is_no_picture(tmp_path):
    text = gallery.find("switchboard").page(tmp_path / "s.html", plotly="p.js").read_text(encoding="utf-8")
    state = json.loads(re.search(r'<script id="state" type="application/json">(.*?)</script>', text, re.S)[1])
    said = {state["pool"][one["message"]] for one in state["states"].values() if "message" in one}
    assert any("peepholes" in sentence for sentence in said)


def test_an_exhibit_says_truly_whether_its_network_comes_with_the_course():
    tree = ast.parse((ROOT / "widgets" / "exhibits.py").read_text(encoding="utf-8"))
    code = {node.name: ast.unparse(node) for node in tree.body if isinstance(node, ast.FunctionDef)}
    trains = re.compile(r"\b(trained|fit|train|race|depth_study\.compare)\(")
    learners = {name for name, text in code.items() if trains.search(text) and name != "_"} | {"google"}
    for node in tree.body:
        if not (isinstance(node, ast.FunctionDef) and node.name == "_"):
            continue
        called = "\n".join(map(ast.unparse, node.body))
        name = ast.literal_eval(node.decorator_list[0].args[0])
        says = gallery.find(name).network
        learns = trains.search(called) or any(re.search(rf"\b{one}\(", called) for one in learners)
        loads = "pretrained(" in called or re.search(r"\b(reader|line)\(", called)
        if learns or loads:
            assert says == (gallery.BRIEF if learns else gallery.READY), name
        else:
            assert says in ("", gallery.UNTRAINED) or name == "studio", name


def test_an_unknown_explorer_is_named_with_those_there_are():
    with pytest.raises(LessonError, match=r"no explorer 'x'.*tape"):
        gallery.find("x")


def test_the_workflow_publishes_what_make_site_builds():
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "site.yml").read_text(encoding="utf-8"))
    build, publish = workflow["jobs"]["build"], workflow["jobs"]["publish"]
    assert any(step.get("run") == "make site" for step in build["steps"])
    assert build["steps"][-1]["with"]["path"] == "build/site/html" and publish["needs"] == "build"
