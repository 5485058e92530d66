"""Notebooks as they are committed: executed, equal to their text, and free of what only one machine knows."""

import os
import pathlib
import re
import subprocess
import sys

import jupytext
import nbformat
import pytest
from jupytext.compare import NotebookDifference, compare_notebooks

from tools import build_notebook

ROOT = pathlib.Path(__file__).resolve().parents[1]
TEXTS = sorted((ROOT / "notebooks" / "text").glob("[0-9][0-9]_*.py"))
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
PLACE = re.compile(r"(?:/home|/root|/Users|/tmp|/var|/opt|/mnt|/work)/\w|[A-Z]:\\\\|site-packages")
every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def read(path: pathlib.Path) -> nbformat.NotebookNode:
    book = nbformat.read(path, as_version=4)
    nbformat.validate(book)
    return book


def code(book: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [cell for cell in book.cells if cell.cell_type == "code"]


def outputs(book: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [output for cell in code(book) for output in cell.outputs]


def words(markdown: str) -> int:
    """Words of running text; a table or a list of references may be as long as it must."""
    return sum(len(line.split()) for line in markdown.splitlines() if not line.startswith(("|", "-", "  ")))


def test_every_text_has_its_notebook_and_the_other_way_round():
    assert [path.stem for path in TEXTS] == [path.stem for path in NOTEBOOKS]
    assert TEXTS


@every_notebook
def test_notebook_and_text_have_the_same_cells(path):
    book = read(path)
    text = jupytext.read(ROOT / "notebooks" / "text" / f"{path.stem}.py", fmt="py:percent")
    book.metadata = text.metadata  # kernel and language stand in the notebook only
    compare_notebooks(book, text, fmt="py:percent", compare_outputs=False, compare_ids=False)


def test_a_changed_cell_is_noticed():
    text = jupytext.reads("# %% [markdown]\n# one\n\n# %%\n1 + 1\n", fmt="py:percent")
    book = jupytext.reads("# %% [markdown]\n# one\n\n# %%\n1 + 2\n", fmt="py:percent")
    with pytest.raises(NotebookDifference):
        compare_notebooks(book, text, fmt="py:percent", compare_outputs=False, compare_ids=False)


@every_notebook
def test_every_code_cell_was_run_once_in_order(path):
    counts = [cell.execution_count for cell in code(read(path))]
    assert counts == list(range(1, len(counts) + 1))


@every_notebook
def test_outputs_hold_no_error_and_no_warning(path):
    found = outputs(read(path))
    assert [output for output in found if output.output_type == "error"] == []
    assert [output.text for output in found if output.get("name") == "stderr"] == []


@every_notebook
def test_nothing_is_kept_that_needs_the_kernel(path):
    book = read(path)
    assert set(book.metadata) == {"kernelspec", "language_info"}
    assert [cell.metadata for cell in book.cells if set(cell.metadata) - {"tags"}] == []
    for output in outputs(book):
        data = output.get("data", {})
        assert build_notebook.VIEW not in data
        assert build_notebook.PLOTLY not in data or "image/png" in data


@every_notebook
def test_no_path_of_the_machine_that_built_it(path):
    texts = [cell.source for cell in read(path).cells]
    for output in outputs(read(path)):
        shown = output.get("data", {})
        texts += [output.get("text", ""), *(str(data) for kind, data in shown.items() if kind != "image/png")]
    assert [found[0] for text in texts if (found := PLACE.search(text))] == []


@every_notebook
def test_cells_are_short_and_a_picture_comes_early(path):
    book = read(path)
    assert max(len(cell.source.splitlines()) for cell in code(book)) <= 25
    imports = [
        line for cell in code(book) for line in cell.source.splitlines() if re.match(r"import |from ", line)
    ]
    assert len(imports) <= 7
    assert not any(re.search(r"\b(ipywidgets|plotly|IPython)\b", line) for line in imports)
    assert max(words(cell.source) for cell in book.cells if cell.cell_type == "markdown") <= 130
    early = code(book)[:4]
    assert any("image/png" in output.get("data", {}) for cell in early for output in cell.outputs)


@every_notebook
def test_a_notebook_stays_small_enough_for_a_browser_and_for_git(path):
    assert path.stat().st_size < 2_500_000


def test_the_template_of_a_lesson_runs():
    template = ROOT / "notebooks" / "text" / "NN_slug.py"
    headings = re.findall(r"^# ## (.+)$", template.read_text(encoding="utf-8"), re.MULTILINE)
    assert headings == [
        *("From equations to code", "Train", "Look inside", "Experiment", "Exercises", "Recap", "References")
    ]
    environment = {**os.environ, "UNROLLED_PRESET": "ci"}
    done = subprocess.run([sys.executable, template], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    assert "not attempted yet" in done.stdout


def test_ids_depend_on_the_text_of_a_cell_only():
    seen: set[str] = set()
    first, second = (build_notebook.cell_id("x = 1", seen) for _ in range(2))
    assert first == build_notebook.cell_id("x = 1", set())
    assert second != first


def test_tidy_keeps_pictures_and_drops_what_needs_a_kernel():
    view = {
        build_notebook.VIEW: {"model_id": "7"},
        "text/plain": "a summary",
        "text/html": "<script></script>",
    }
    cell = nbformat.v4.new_code_cell("show()", metadata={"execution": {"at": "noon"}, "tags": ["keep"]})
    cell.outputs = [nbformat.v4.new_output("execute_result", data=view, metadata={"a": 1})]
    book = nbformat.v4.new_notebook(cells=[cell], metadata={"widgets": {"state": {}}})
    tidied = build_notebook.tidy(book, {(0, 0): b"\x89PNG"})
    assert set(tidied.cells[0].outputs[0].data) == {"text/plain", "image/png"}
    assert tidied.cells[0].metadata == {"tags": ["keep"]}
    assert "widgets" not in tidied.metadata


def test_paths_become_relative(tmp_path):
    text = f"{ROOT}/lessons/cells.py and {tmp_path}/notebooks/x and /a/b/ipykernel_12/345.py:3"
    output = nbformat.v4.new_output("stream", text=text)
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("x", outputs=[output])])
    found = build_notebook.without_paths(book, tmp_path).cells[0].outputs[0].text
    assert found == "lessons/cells.py and notebooks/x and cell:3"


def test_what_is_left_of_a_progress_bar_is_taken_out():
    bar = "lstm · cpu:   0%|          | 0/800 [00:00<?, ?step/s]"
    texts = (bar, f"{bar}\rlstm, preset cpu, 800 steps", "5%| of all |\n")
    outputs = [nbformat.v4.new_output("stream", text=text) for text in texts]
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("fit()", outputs=outputs)])
    tidied = build_notebook.tidy(book, {})
    assert [output.text for output in tidied.cells[0].outputs] == ["lstm, preset cpu, 800 steps", texts[2]]
