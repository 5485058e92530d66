"""Files that need no kernel: everything inside, nothing fetched, and no data that becomes markup."""

import json
import re
from functools import partial

import pytest

from lessons.errors import LessonError
from tests.traces import made
from widgets import explorer, export, gates, theme
from widgets.sweeps import narrowed, place, sweeps

EVIL = "</script><b>x"


@pytest.fixture
def walk():
    one = gates.explore(made(steps=len(EVIL), hidden=3, text=EVIL))
    yield one
    one.close()


def test_an_animation_has_a_frame_for_every_value_and_only_what_changes():
    trace = made(text="To be, or no")
    movie = export.frames(partial(gates.figure, trace, "f"), "step", range(4))
    assert [frame.name for frame in movie.frames] == ["0", "1", "2", "3"]
    assert all(not frame.data for frame in movie.frames)
    assert movie.frames[3].layout.shapes[0].x0 == 2.5
    assert len(movie.layout.sliders[0].steps) == 4
    named = export.frames(partial(gates.figure, trace, step=1), "name", ["f", "c"])
    assert named.frames[1].traces == (0,) and (named.frames[1].data[0].z == trace["c"][0].T.numpy()).all()


def test_an_animation_is_one_file_that_fetches_nothing(tmp_path):
    path = export.animation(
        partial(gates.figure, made(text="<i>&</i>abcd"), "f"), {"step": range(3)}, tmp_path / "a.html"
    )
    text = path.read_text()
    assert not re.findall(r"<(?:script|link|img)[^>]*(?:src|href)=", text)
    assert "default-src 'none'" in text and "connect-src" not in text
    assert "<i>&</i>" not in text


@pytest.mark.parametrize("sweep", [{}, {"step": []}, {"step": [1], "unit": [2]}])
def test_an_animation_moves_one_thing(sweep, tmp_path):
    with pytest.raises(LessonError):
        export.animation(partial(gates.figure, made(), "f"), sweep, tmp_path / "a.html")


def test_a_page_holds_every_combination_once(walk):
    kept = sweeps(walk, {"unit": [None, 2], "name": ["f", "c"]})
    assert len(kept["states"]) == len(EVIL) * 2 * 2
    assert [control["name"] for control in kept["spec"]] == ["step", "name", "unit"]
    assert [control.get("options") for control in kept["spec"][1:]] == [
        ["forget gate f", "cell state c"],
        ["all units", "2"],
    ]
    state = kept["states"]["4,1,1"]
    picture = gates.figure(made(steps=len(EVIL), hidden=3, text=EVIL), "c", unit=2, step=4)
    assert kept["pool"][state["summary"]] == picture.summary
    assert kept["pool"][state["layout"]["shapes"]][0]["x0"] == 3.5
    maps = {state["data"][0] for state in kept["states"].values()}
    assert len(maps) == 2 * 2  # with and without its colour bar


def test_a_page_is_self_contained_and_safe(walk, tmp_path):
    path = export.page(walk, tmp_path / "p.html", sweep={"unit": [None], "name": ["f"]}, title="a <b>")
    text = path.read_text()
    state = re.search(r'<script id="state" type="application/json">(.*?)</script>', text, re.S).group(1)
    assert [control["name"] for control in json.loads(state)["spec"]] == ["step"]
    assert "<" not in state and "<title>a &lt;b&gt;</title>" in text
    assert not re.findall(r"<(?:script|link|img)[^>]*(?:src|href)=", text)


def test_too_many_combinations_are_refused_with_a_way_out():
    one = explorer.Explorer(
        lambda step, unit: theme.figure(title="t", summary="s"),
        step=explorer.Time(maximum=199),
        unit=explorer.Index(127, None, all="all"),
    )
    with pytest.raises(LessonError, match=r"25,800 pictures.*sweep=\{'step'"):
        export.page(one, "never.html")
    with pytest.raises(LessonError, match="speed"):
        sweeps(one, {"speed": [1]})
    one.close()


def test_a_disk_that_refuses_is_told(walk, tmp_path):
    with pytest.raises(LessonError, match="could not be written"):
        export.page(walk, tmp_path / "no" / "p.html", sweep={"unit": [None], "name": ["f"], "step": [0]})


def test_a_narrowed_control_offers_what_is_kept():
    time = explorer.Time(maximum=40, value=9, label="time step")
    few = narrowed(time, range(0, 13), 9)
    assert (few.kind, few.maximum, few.value, few.step) == ("time", 12, 9, 1)
    assert narrowed(time, range(0, 41, 10), 9).value == 0
    rate = explorer.Slider(0.0, 1.0, 0.3, 0.1, label="rate p")
    some = narrowed(rate, [0.0, 0.3, 0.9], 0.3)
    assert (some.kind, list(some.options), some.value) == ("pick", ["0", "0.3", "0.9"], 0.3)
    words = narrowed(explorer.Text("knight", label="word"), ["knight", "gnome"], "knight")
    assert (words.kind, words.write("gnome")) == ("pick", 1)


def test_both_sides_of_a_page_count_values_alike():
    rate = explorer.Slider(0.2, 2.0, 1.0, 0.05)
    assert [place(rate, value) for value in rate.values(1.0)] == list(range(37))
    assert rate.values(1.0)[2] == 0.3 and explorer.Slider(2, 4, 2).values(2) == [2, 3, 4]
    unit = explorer.Index(7, None, all="all units")
    assert [place(unit, value) for value in unit.values(None)[:3]] == ["all", 0, 1]
    assert place(explorer.Switch(True), True) == 1


def test_pages_may_share_one_plotly(walk, tmp_path):
    few = {"unit": [None], "name": ["f"]}
    path = export.page(walk, tmp_path / "p.html", sweep=few, plotly="../plotly.min.js")
    text = path.read_text()
    assert path.stat().st_size < 100_000 and '<script src="../plotly.min.js"></script>' in text
    assert "default-src 'none'; script-src 'unsafe-inline' 'self' file:;" in text
