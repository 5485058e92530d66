"""What a newcomer meets first: README, the make targets, CI, licences; and what no file may hold."""

import os
import pathlib
import re
import subprocess
import tomllib

import pytest
from jaxtyping import TypeCheckError

from lessons import cells
from tools import browser, lock, readme

ROOT = pathlib.Path(__file__).resolve().parents[1]
SOURCES = {".py", ".md", ".toml", ".yml", ".yaml", ".txt", ".js", ".css", ".json", ".cfg", ""}
# One letter of each stands in brackets, so that this file does not hold what it looks for.
MACHINES = re.compile(r"/(?:wor[k]|roo[t]|home/\w+)/|\b[A-Z]:\\User[s]")
HOSTS = re.compile(r"pyp[i]\.org|pythonhoste[d]|download\.pytorc[h]|registry\.npmj[s]|jsdeliv[r]|unpk[g]")
UNDONE = re.compile(r"\b(TOD[O]|FIXM[E]|XX[X])\b|except[^:\n]*:\s*(?:pass|\.\.\.)\s*$", re.MULTILINE)


def tracked() -> list[pathlib.Path]:
    """Files that git knows; without git (a downloaded archive) there is nothing to say about them."""
    done = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    return [path for line in done.stdout.splitlines() if (path := ROOT / line).is_file()]


TEXTS = [path for path in tracked() if path.suffix in SOURCES and path.parts[-2] != "LICENSES"]


@pytest.mark.parametrize("pattern", [MACHINES, HOSTS, UNDONE], ids=["machines", "hosts", "undone"])
def test_no_file_names_a_machine_or_a_host_or_leaves_work_undone(pattern):
    found = {path.relative_to(ROOT): pattern.search(path.read_text("utf-8")) for path in TEXTS}
    assert {str(path): match[0] for path, match in found.items() if match} == {}


def test_the_patterns_find_what_they_are_for():
    assert MACHINES.search("/".join(["", "work", "main"])) and HOSTS.search(".".join(["https://pypi", "org"]))
    assert UNDONE.search("# TO" + "DO: later") and UNDONE.search("except ValueError:\n    pas" + "s\n")
    assert not UNDONE.search("except ValueError:\n    return 1\n")


def test_readme_is_up_to_date():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    stale = readme.render(text) != text
    assert not stale, "run `make readme`"


def test_readme_refuses_a_missing_part():
    with pytest.raises(SystemExit, match="badges"):
        readme.render("# Unrolled\n")


def test_a_lesson_is_read_from_its_first_cell(tmp_path):
    path = tmp_path / "07_clip.py"
    path.write_text("# %% [markdown]\n# # Why does it fall?\n#\n# 35 minutes · needs 01\n\n# %%\n1 + 1\n")
    assert readme.read(path) == readme.Lesson("07_clip", "Why does it fall?", "35 minutes · needs 01")


def test_a_lesson_without_a_heading_is_named(tmp_path):
    path = tmp_path / "07_clip.py"
    path.touch()
    with pytest.raises(SystemExit, match=r"07_clip\.py must begin with a heading"):
        readme.read(path)


def test_links_of_the_texts_lead_somewhere():
    for name in ("README.md", "CONTRIBUTING.md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        targets = re.findall(r"\]\((?!https?://|#)([^)]+)\)", text)
        assert [target for target in targets if not (ROOT / target).exists()] == []


def test_commands_that_the_texts_name_exist():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    assert {"lab", "test", "notebook", "train", "claim", "bench", "lock", "clean", "help"} <= targets
    for path in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "notebooks" / "text").glob("*.py")):
        named = re.findall(r"`make ([a-z]+)", path.read_text(encoding="utf-8"))
        assert set(named) <= targets


def test_make_lists_its_targets():
    shown = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "make lab" in shown and "make test" in shown


def test_ci_runs_the_test_command_of_the_readme():
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert "make test" in script.read_text(encoding="utf-8")
    assert "\nmake test " in (ROOT / "README.md").read_text(encoding="utf-8")
    assert "bash .ci/run" in (ROOT / ".github" / "workflows" / "test.yml").read_text(encoding="utf-8")


def test_code_and_text_have_their_licences():
    assert "MIT License" in (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "CC-BY-4.0" in (ROOT / "LICENSE-TEXT").read_text(encoding="utf-8")


def test_every_dependency_names_its_licence():
    table = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = [re.split(r"[<>=\[]", line)[0] for line in lock.direct(*project["optional-dependencies"])]
    assert [name for name in names if not re.search(rf"^\|.*\b{name}\b.*\|", table, re.MULTILINE)] == []


def test_the_browser_is_found_where_it_is_named(tmp_path, monkeypatch):
    program = tmp_path / "chromium"
    program.touch(mode=0o755)
    monkeypatch.setenv("CHROMIUM", str(program))
    assert browser.find() == str(program)
    monkeypatch.setenv("CHROMIUM", str(tmp_path / "away"))
    assert browser.find() is None
    monkeypatch.delenv("CHROMIUM")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert browser.find() == str(program)


@pytest.mark.parametrize(("ci", "status"), [("", 0), ("true", 1)])
def test_a_missing_browser_fails_in_ci_only(monkeypatch, capsys, ci, status):
    monkeypatch.setattr(browser, "find", lambda: None)
    monkeypatch.setattr(browser, "install", lambda: None)
    monkeypatch.setenv("CI", ci)
    assert browser.main() == status
    assert "CHROMIUM" in capsys.readouterr().out


def test_shapes_and_types_of_lessons_are_checked_while_tests_run():
    with pytest.raises(TypeCheckError):
        cells.rnn_step("not a tensor", 1, 2, 3, 4, 5)
