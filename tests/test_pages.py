"""The pages in docs/: generated parts are current, links lead on, commands exist, figures keep to limits."""

import re
from importlib.util import find_spec
from urllib.parse import parse_qs, urlsplit

import pytest

from lessons.__main__ import main
from tools import classroom, gpu_memory, memory, outline, readme, teachers_guide

ROOT = readme.ROOT
PAGES = readme.pages()
DOCS = [path for path in PAGES if path.parent.name == "docs"]
every_page = pytest.mark.parametrize("path", DOCS, ids=lambda path: path.stem)


@every_page
def test_generated_parts_are_up_to_date(path):
    text = path.read_text(encoding="utf-8")
    assert readme.render(text, PAGES[path]) == text, "run `make readme`"


@every_page
def test_links_lead_somewhere_and_commands_exist(path, capsys):
    text = path.read_text(encoding="utf-8")
    targets = re.findall(r"\]\((?!https?://|#)([^)\s]+)\)", text)
    assert [target for target in targets if not (path.parent / target).exists()] == []
    modules = re.findall(r"python -m ((?:tools|benchmarks)[.\w]*)", text)
    assert [name for name in modules if find_spec(name.rstrip(".")) is None] == []
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    wanted = re.findall(r"(?:`|^    )make ([a-z]+)", text, re.MULTILINE)
    assert set(wanted) <= set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    for command in set(re.findall(r"-m lessons (\w+)", text)):
        with pytest.raises(SystemExit) as ended:
            main([command, "--help"])
        assert ended.value.code == 0 and "usage" in capsys.readouterr().out


def test_every_lesson_has_a_link_that_opens_it_on_binder():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.findall(r"\[Binder\]\((\S+)\)", text)
    assert len(found) == len(readme.lessons())
    for lesson, link in zip(readme.lessons(), found, strict=True):
        parts = urlsplit(link)
        assert parts.netloc == "mybinder.org" and parts.path == f"/v2/gh/{readme.repository()}/HEAD"
        (opened,) = parse_qs(parts.query)["urlpath"]
        assert opened == f"lab/tree/notebooks/{lesson.slug}.ipynb"


def test_no_measured_notebook_takes_more_than_binder_gives():
    rows = [(name, row) for cores in memory.load()["runs"]["cpu"].values() for name, row in cores.items()]
    assert rows
    over = [name for name, row in rows if row["kernel"] > memory.KERNEL or row["together"] > memory.TOGETHER]
    assert over == []
    assert all(0 < row["server"] < row["kernel"] < row["together"] for _, row in rows)


def test_no_kernel_of_a_class_was_lost():
    found = classroom.load()["kernels"]
    assert found["kernels"] == 30 and found["lost"] == 0


def test_the_estimate_that_was_checked_is_near():
    found = gpu_memory.load()
    total = gpu_memory.Footprint(**found["presets"][gpu_memory.CHECKED]).total / 1e6
    assert total == pytest.approx(found["checked"], rel=0.25)


def test_an_outline_tells_what_a_text_holds(monkeypatch, tmp_path):
    text = """# %% [markdown]
# # Why?
#
# 35 minutes · needs 01

# %% [markdown]
# **Guess first.** It has 8 *units*. How many `**` are needed?

# %%
guess = check.predict("units", ..., low=0, high=8)

# %% [markdown]
# ## Look inside
#
# Move it. Then stop. Then go.

# %%
pictures.show(seen)

# %%
def f(x):
    return ...


check.f(f)

# %%
claims.every_seed("it-holds")

# %%
quiz.show("clip")
"""
    (tmp_path / "notebooks" / "text").mkdir(parents=True)
    (tmp_path / "notebooks" / "text" / "07_clip.py").write_text(text)
    monkeypatch.setattr(readme, "ROOT", tmp_path)
    (one,) = outline.outlines()
    assert (one.number, one.question, one.minutes, one.asked) == ("07", "Why?", 35, "units")
    assert outline.plain(one.guess) == "It has 8 units. How many ** are needed?"
    assert one.pictures == [outline.Picture("Look inside", "Move it. Then stop.", "pictures.show(seen)")]
    assert (one.exercises, one.claims, one.quiz) == (["f"], ["it-holds"], "clip")


def test_the_guide_names_every_lesson_its_exercises_and_its_question():
    guide = teachers_guide.guide()
    for one in outline.outlines():
        assert f"## {one.number} · {one.question}" in guide and one.guess[:40] in guide
        assert all(f"- `{name}`: " in guide for name in one.exercises)
