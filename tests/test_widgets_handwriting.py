"""Lesson 15's pictures and widgets without a browser: data, sentences, bad input, the pad's requests."""

import numpy
import pytest
import torch

from lessons import handwritten, mixture_density, own_hand, pen, penmanship
from lessons.errors import LessonError
from lessons.ink import Ink
from lessons.run import Run
from widgets import handwriting, ink, pad, training


@pytest.fixture(scope="module")
def model():
    return penmanship.build(penmanship.PRESETS["ci"], 3)


@pytest.fixture
def kept(tmp_path, monkeypatch):
    monkeypatch.setattr(own_hand, "folder", lambda: tmp_path)
    return tmp_path


def test_a_sheet_draws_every_stroke_and_says_what():
    inks = {hand: pen.write("ab c", hand, seed=1) for hand in ("clerk", "print")}
    figure = ink.sheet(inks, "Two hands")
    line = figure.data[0]
    assert line.x.count(None) == sum(len(one.strokes) for one in inks.values())
    assert [label for label in figure.layout.yaxis.ticktext] == ["clerk", "print"]
    assert "“ab c”" in figure.summary and figure.layout.xaxis.title.text == "heights of an x"
    second = [y for y in line.y[-10:] if y is not None]
    assert max(second) < -1
    for wrong in ({}, dict.fromkeys(map(str, range(13)), inks["clerk"])):
        with pytest.raises(LessonError, match="1 to 12"):
            ink.sheet(wrong)
    for wrong in (5, {"a": None}):
        with pytest.raises(LessonError, match="inks is"):
            ink.sheet(wrong)


@pytest.mark.parametrize("wrong", [{}, {"a": None}, None])
def test_nothing_writes_without_a_network(wrong):
    with pytest.raises(LessonError, match="at least one"):
        handwriting.write(wrong)


def test_a_sheet_is_high_enough_for_a_line_that_wanders():
    steps = numpy.array([[0.5, 0.5, 0]] * 19 + [[0.5, 0.5, 1]], dtype=numpy.float32)
    figure = ink.sheet({"up": Ink(steps), "down": Ink(steps * numpy.float32([1, -1, 1]))})
    low, high = figure.layout.yaxis.range
    assert low < -ink.GAP - 10 and high > 10
    assert figure.layout.height > ink.sheet({"a": pen.write("a"), "b": pen.write("b")}).layout.height


def test_names_on_a_sheet_are_no_markup():
    figure = ink.sheet({"<b>x</b>": pen.write("a")}, "<i>t</i>")
    assert (
        figure.layout.yaxis.ticktext == ("&lt;b&gt;x&lt;/b&gt;",) and "&lt;i&gt;" in figure.layout.title.text
    )


def test_the_map_of_offsets_is_the_density_and_tells_its_cost():
    points = torch.from_numpy(pen.write("some words here", seed=2).offsets)
    mix = mixture_density.fitted(points, 2)
    figure = ink.offsets(points, mix)
    heat, dots = figure.data
    middle = len(heat.x) // 2
    at = torch.tensor([heat.x[middle], heat.y[middle + 5]], dtype=torch.float64)
    assert heat.z[middle + 5][middle] ** (1 / 0.3) == pytest.approx(
        float(mixture_density.log_density(mix, at).exp()), rel=1e-4
    )
    assert len(dots.x) == len(points) and "mixture of 2 Gaussians" in figure.summary
    spread = type(mix)(*(part.expand(len(points), *part.shape) for part in mix))
    cost = f"{float(mixture_density.nats(spread, points.double()).mean()):.2f}".replace("-", "−")
    assert f"costs {cost} nats" in figure.summary


def test_reading_counts_what_is_read_right():
    phi = torch.eye(3)[[0, 0, 1, 2]]
    figure = ink.reading(phi, torch.tensor([0, 1, 1, 2]), "a<")
    assert "75% of 4 points" in figure.summary
    assert numpy.array_equal(numpy.array(figure.data[0].z), phi.T.numpy())
    assert figure.layout.yaxis.ticktext[-1] == "■" and figure.layout.xaxis.title.text == "point of the pen"


def test_what_is_packed_is_what_was_written(model):
    written = handwritten.handwrite(model, "abc", bias=0.5, seed=1, points=12)
    page = handwriting.packed(written)
    assert numpy.allclose(page["points"], written.ink.points, atol=1e-4)
    assert len(page["mixtures"]) == len(page["lifts"]) == len(page["phi"]) == len(page["points"])
    weight, x, y, across, up, lean = page["mixtures"][2][1]
    mix = written.density(2)
    assert weight == pytest.approx(float(mix.log_weights[1].exp()), abs=1e-4)
    assert (x, y) == pytest.approx(tuple(mix.mean[1].tolist()), abs=1e-4)
    assert (across, up) == pytest.approx(tuple(mix.log_deviation[1].exp().tolist()), abs=1e-4)
    assert lean == pytest.approx(float(mix.lean[1].tanh()), abs=1e-4)
    assert page["lifts"][2] == pytest.approx(float(mix.lift.sigmoid()), abs=1e-4)


def test_the_explorer_writes_anew_and_keeps_what_is_there_when_it_cannot(model, kept):
    widget = handwriting.write(
        {"one": model, "two": penmanship.build(penmanship.PRESETS["ci"], 4)}, "abc", seed=1
    )
    first = widget.written
    assert first.ink.text == "abc" and (widget.message or first.finished)
    for text, words in (("", "empty"), ("a€", "does not know"), ("x" * 41, "at most 40")):
        widget.text = text
        assert words in widget.message and widget.written is first
    widget.text = "abd"
    assert widget.written.ink.text == "abd" and widget._page["text"] == "abd"
    before = widget.written
    widget.bias = 3.0
    assert widget.written.bias == 3.0 and widget.written is not before
    widget.network = "two"
    assert not torch.equal(widget.written.numbers[0], before.numbers[0])
    widget.hand = "print"
    assert not widget.message or "stopped" in widget.message
    widget.hand = "own: gone"
    assert "no handwriting 'gone'" in widget.message
    assert "strokes" in repr(widget) and "text/plain" in widget._repr_mimebundle_()
    widget.close()
    assert widget.models == {}


@pytest.mark.parametrize(
    "asked", [{"text": 3}, {"bias": "x"}, {"seed": None}, {"seed": -1}, {"bias": -2.0}, {"hand": "nobody"}]
)
def test_the_explorer_says_what_is_wrong_at_the_start(model, asked):
    widget = handwriting.write(model, **asked)
    assert widget.message.endswith(".") and "Traceback" not in widget.message
    widget.close()


def test_a_network_without_a_window_is_asked_for_no_text():
    blind = penmanship.build(penmanship.PRESETS["ci"].but(gaussians=0), 1)
    widget = handwriting.write(blind)
    assert not widget._choices["reads"] and len(widget._page["points"]) == 400 and widget.message == ""
    widget.close()


def test_own_hands_are_offered_and_read_first(model, kept):
    own_hand.save("mine", "hi", [[[0.0, 0.0], [1.0, 1.0], [2.0, 0.0]]])
    assert ("own: mine", "your own: mine") in handwriting.hands()
    assert handwriting.prime("own: mine").text == "hi" and handwriting.prime("") is None
    own_hand.save("mute", "", [[[0.0, 0.0], [1.0, 1.0]]])
    with pytest.raises(LessonError, match="empty"):
        handwriting.prime("own: mute")


def test_the_pad_keeps_opens_and_deletes(kept):
    one = pad.pad()
    assert one.saved == [] and "empty pad" in repr(one)
    with pytest.raises(LessonError, match="no stroke"):
        one.ink()
    strokes = [[[0.0, 0.0], [1.0, 1.0]]]
    one.asked(one, {"ask": "save", "name": "a b", "text": "hi", "strokes": strokes})
    assert one.saved == ["a b"] and "Kept" in one.message
    two = pad.pad()
    two.asked(two, {"ask": "open", "name": "a b"})
    assert two.strokes == strokes and two.text == "hi" and len(two.ink().strokes) == 1
    two.asked(two, {"ask": "delete", "name": "a b"})
    assert two.saved == [] and "Deleted" in two.message
    one.close()
    two.close()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"ask": "save", "name": "", "strokes": [[[0, 0]]]}, "A name has"),
        ({"ask": "save", "name": "a", "strokes": []}, "no stroke"),
        ({"ask": "save", "name": "a", "strokes": [[["x", 0]]]}, "two numbers"),
        ({"ask": "save", "name": "a", "strokes": [[[0, 0]]], "text": "x" * 61}, "at most 60"),
        ({"ask": "open", "name": "a"}, "no handwriting"), ({"ask": "delete", "name": "a"}, "no handwriting"),
        ({"ask": "delete", "name": "../a"}, "A name has"),
    ],
)  # fmt: skip
def test_the_pad_says_what_is_wrong(kept, content, words):
    one = pad.pad()
    one.asked(one, content)
    assert words in one.message
    one.close()


def test_a_cost_below_nought_stays_on_the_curve():
    run = Run(
        "handwriting", "ci", "nats per point", 0, "cpu", settings={"steps": 3}, losses=[2.6, -1.0, -3.1]
    )
    run.gradient_norms = [1.0, 1.0, 1.0]
    low, high = training.curve(run).layout.yaxis.range
    assert low < -3.1 and high > 2.6
    run.losses = [2.6, 1.0, 0.1]
    assert training.curve(run).layout.yaxis.range[0] == 0
