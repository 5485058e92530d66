"""Explorers without a kernel: controls drive a pure picture, only changes travel, nothing is left behind."""

import gc
import weakref

import numpy as np
import plotly.graph_objects as go
import pytest
from ipywidgets.widgets.widget import _instances

from lessons.errors import LessonError
from widgets import explorer, slots, theme
from widgets.explorer import Explorer, Index, Pick, Slider, Text, Time


def picture(step=0, name="sin", unit=None, heat=1.0, word="a"):
    if word == "bad":
        raise LessonError("The network has never seen “bad”.")
    if word == "disk":
        raise OSError(28, "No space left on device", "run.json")
    if word == "bug":
        raise ZeroDivisionError
    x = np.arange(10, dtype=np.float32)
    traces = [go.Scatter(x=x, y=heat * getattr(np, name)(x))]
    if unit is not None:
        traces.append(go.Bar(x=x, y=x + unit))
    line = {"type": "line", "x0": step, "x1": step, "y0": 0, "y1": 1, "yref": "paper"}
    return theme.figure(*traces, title=f"{name}?", summary=f"{name} at {step}.", shapes=[line])


@pytest.fixture
def made():
    explorer = Explorer(
        picture,
        step=Time(maximum=9),
        name=Pick({"sine": "sin", "cosine": "cos"}, "sin"),
        unit=Index(4, None, all="all"),
        heat=Slider(0.0, 2.0, 1.0, step=0.1),
        word=Text("a"),
    )
    yield explorer
    explorer.close()


def test_setting_a_control_draws_the_pure_picture(made):
    made.value(step=4, name="cos")
    assert made.summary == "cos at 4."
    assert made.controls.title == "cos?"
    assert np.array_equal(made.canvas.data[0].y, picture(name="cos").data[0].y)
    assert made.canvas.layout.shapes[0].x0 == 4
    assert made.value() == {"step": 4, "name": "cos", "unit": None, "heat": 1.0, "word": "a"}


def test_the_front_end_drives_the_same_way(made):
    made.controls.values = {**made.controls.values, "name": 1, "step": 7}
    assert made.value()["name"] == "cos"
    assert made.figure.summary == "cos at 7."


def test_moving_the_cursor_sends_the_shape_and_nothing_else(made, monkeypatch):
    sent = []
    monkeypatch.setattr(made.canvas, "_send_update_msg", lambda *args, **kwargs: sent.append((args, kwargs)))
    monkeypatch.setattr(
        made.canvas, "_send_relayout_msg", lambda *args, **kwargs: sent.append((args, kwargs))
    )
    made.value(step=5)
    ((args, kwargs),) = sent
    message = {**kwargs, **dict(enumerate(args))}
    assert not any("y" in part for part in message.values() if isinstance(part, dict))
    assert len(repr(message)) < 700
    assert "template" not in repr(message)


def test_a_picture_with_other_traces_replaces_them(made):
    made.value(unit=2)
    assert [trace.type for trace in made.canvas.data] == ["scatter", "bar"]
    made.value(unit=None)
    assert [trace.type for trace in made.canvas.data] == ["scatter"]


@pytest.mark.parametrize("word, told", [("bad", "never seen"), ("disk", "No space left on device: run.json")])
def test_errors_for_the_learner_become_a_sentence_and_keep_the_state(made, word, told):
    made.value(step=3)
    made.value(word=word, step=8)
    assert told in made.message
    assert made.summary == "sin at 3."
    assert made.value()["step"] == 3
    made.value(step=4)
    assert made.message == "" and made.summary == "sin at 4."


def test_bugs_are_not_hidden(made):
    with pytest.raises(ZeroDivisionError):
        made.value(word="bug")


@pytest.mark.parametrize(
    "wire", [{"step": 10}, {"step": -1}, {"step": "x"}, {"name": 2}, {"unit": 5}, {"heat": 9}]
)
def test_values_out_of_bounds_are_answered_with_a_sentence(made, wire):
    made.controls.values = {**made.controls.values, **wire}
    assert made.message
    assert made.summary == "sin at 0."


def test_every_question_is_answered(made):
    made.controls.asked = 3
    made.value(step=2)
    assert made.controls.done == 3
    made.controls.asked = 4
    made.value(word="bad")
    assert made.controls.done == 4


def test_an_unknown_control_is_named(made):
    with pytest.raises(LessonError, match="speed"):
        made.value(speed=1)
    with pytest.raises(TypeError):
        Explorer(picture, speed=Slider(0, 1, 0))


def test_what_is_read_later_is_what_is_shown_now(made):
    """A reloaded page and an export read the widget's state, which plotly leaves as it was made."""
    made.value(step=6, name="cos")
    state = made.canvas.get_state()
    assert state["_widget_layout"]["shapes"][0]["x0"] == 6
    shown = state["_widget_data"][0]["y"]
    assert np.allclose(np.frombuffer(shown["buffer"], shown["dtype"]), picture(name="cos").data[0].y)


def test_the_plot_is_announced_once_and_whole():
    canvas = explorer.Canvas(picture())
    assert canvas._widget_data and canvas._view_count is None
    assert "createObjectURL" in canvas._esm and len(canvas._esm) < 5_000
    assert canvas._config["showSendToCloud"] is False
    canvas.close()


def test_closing_leaves_nothing(made):
    made.close()
    before = len(_instances)
    one = Explorer(picture, step=Time(maximum=9))
    assert len(_instances) > before
    one.close()
    assert len(_instances) == before


def test_running_a_cell_twenty_times_leaves_one(monkeypatch):
    run = iter(range(100))
    monkeypatch.setattr(slots, "_owned", {})
    counts, alive = [], weakref.WeakSet()
    for _ in range(20):
        place = "cell-1", str(next(run))
        monkeypatch.setattr(slots, "running_cell", lambda place=place: place)
        one = Explorer(picture, step=Time(maximum=9))
        alive.add(one)
        counts.append(len(_instances))
    assert len(set(counts[1:])) == 1
    one.controls.values = {"step": 3}
    assert one.summary == "sin at 3."
    gc.collect()
    assert len(alive) == 1
    one.close()


def test_two_explorers_in_one_cell_live_side_by_side(monkeypatch):
    monkeypatch.setattr(slots, "_owned", {})
    monkeypatch.setattr(slots, "running_cell", lambda: ("cell-1", "run-1"))
    first, second = (Explorer(picture, step=Time(maximum=9)) for _ in range(2))
    assert first.controls.comm is not None and first.controls.model_id in _instances
    for one in (first, second):
        one.close()


def test_changes_made_before_the_page_is_ready_are_drawn_again(made):
    made.value(step=2)
    first = made.canvas
    made.controls.ready = True
    assert made.canvas is not first
    assert made.canvas.layout.shapes[0].x0 == 2
    assert made.widget.children == (made.controls, made.canvas)


def test_the_picture_is_there_without_widgets(made):
    bundle = made._repr_mimebundle_()
    assert bundle["text/plain"] == "sin at 0."
    assert "application/vnd.jupyter.widget-view+json" in bundle


def test_changes_compares_arrays_and_nests():
    old = {"a": np.arange(3), "b": {"c": 1, "d": 2}, "e": 5}
    new = {"a": np.arange(3), "b": {"c": 1, "d": 3}}
    assert explorer.changes(old, new) == {"b.d": 3, "e": None}
