"""The copy for a class: nothing has run, nothing is solved, and every check still explains."""

import inspect
import re
import subprocess
import sys

import nbformat
import pytest

from lessons import exercises
from lessons.errors import LessonError
from tools import outline, student

TRY = """
import pathlib, lessons, torch
assert pathlib.Path(lessons.__file__).resolve().is_relative_to(pathlib.Path.cwd().resolve())
from lessons import check, exercises
check.solution("lstm_cell")
for _ in exercises.find("lstm_cell").hints:
    check.hint("lstm_cell")
check.lstm_cell(lambda total, c: (total, c))
check.new_cell(lambda i, f, g, c: f * c + i * g)
check.new_cell(lambda i, f, g, c: i * c + f * g)
print(len(exercises.catalogue()), exercises.quiz("lstm")[0].text)
"""


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    return student.write(tmp_path_factory.mktemp("class") / "copy")


def body(function) -> str:
    """The last line of a function, the one that answers."""
    return inspect.getsource(inspect.unwrap(function)).rstrip().splitlines()[-1].strip()


def test_no_file_holds_a_solution(copy):
    told = [line for one in exercises.catalogue().values() if len(line := body(one.solution)) > 20]
    assert len(told) > 20
    inside = {path.name: path.read_text("utf-8") for path in (copy / "lessons" / "exercises").glob("*.py")}
    assert [(name, line) for name, text in inside.items() for line in told if line in text] == []
    assert "exec(" in inside["lstm.py"] and "exec(" not in inside["exercise.py"]
    assert not any((copy / name).exists() for name in ("tests", "tools", "docs", "notebooks/text"))


def test_the_checks_explain_and_the_solutions_are_kept_back(copy):
    done = subprocess.run([sys.executable, "-c", TRY], cwd=copy, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    said = done.stdout
    assert said.startswith("This copy of the course shows no solutions; ask who gave it to you.\n")
    last = exercises.find("lstm_cell").hints[-1]
    assert "Hint 1 of" in said and "That was the last" in said and last not in said
    assert "new_cell: right" in said and "new_cell: not yet" in said and "lstm_cell: not yet" in said
    assert f"{len(exercises.catalogue())} {exercises.quiz('lstm')[0].text}" in said


def test_notebooks_are_empty_and_their_exercises_marked(copy):
    marked = []
    for path in sorted(copy.glob("notebooks/*.ipynb")):
        book = nbformat.read(path, as_version=4)
        nbformat.validate(book)
        code = [cell for cell in book.cells if cell.cell_type == "code"]
        assert not any(cell.outputs or cell.execution_count for cell in code)
        marked += [cell.metadata.nbgrader.grade_id for cell in code if "nbgrader" in cell.metadata]
    there = [one for one in outline.outlines() if (copy / "notebooks" / f"{one.slug}.ipynb").is_file()]
    assert sorted(marked) == sorted(name for one in there for name in one.exercises)


def test_it_is_a_course_that_can_be_set_up(copy):
    for name in ("Makefile", "requirements.txt", "pyproject.toml", "postBuild", "start", "README.md"):
        assert (copy / name).is_file()
    assert (copy / "data" / "checkpoints" / "char_rnn.safetensors").is_file()
    named = re.findall(r"`?make (\w+)", student.README)
    assert set(named) == {"lab"}


def test_a_folder_in_use_is_left_alone(tmp_path, capsys):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(LessonError, match="new or empty"):
        student.write(tmp_path)
    assert student.main([str(tmp_path)]) == 2 and "new or empty" in capsys.readouterr().out
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
