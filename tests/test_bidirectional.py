"""Lesson 09: influence, growing prefixes and leaks are what single runs say; pictures show them."""

import itertools

import numpy as np
import pytest
import torch

from lessons import bidirectional as lesson
from lessons import labelled
from lessons.__main__ import TRAINABLE
from lessons.bidirectional import BACKWARD, BOTH, FORWARD
from lessons.errors import LessonError
from lessons.training import fit
from widgets import bidirectional as pictures
from widgets import labels, theme, two_ways

SIZES = lesson.PRESETS["ci"].but(steps=250, evaluate_every=250, learning_rate=4e-2, warmup=0, held_out=60)


class From:
    """A provenance."""

    def as_dict(self):
        return {"source": "toy"}


@pytest.fixture(scope="module")
def data():
    """Words of four letters; a letter's label is the letter behind it, "-" at the end."""
    words = ["".join(word) for n in (3, 4) for word in itertools.product("abcd<", repeat=n)]
    pairs = [(word, tuple(word), (*word[1:], "-")) for word in words]
    return labelled.build("toy", "letter", "word", pairs, From())


@pytest.fixture(scope="module")
def tasks(data):
    found = lesson.networks(data, SIZES)
    for task in found.values():
        fit(task, progress=False)
    return found


@pytest.fixture(autouse=True)
def light():
    yield
    theme.use("light")


def chances(task, data, text, blank=None, cut=None):
    return lesson.read(task.model, data, text, blank, cut).probabilities


def test_only_who_sees_the_future_learns_it(tasks):
    shares = {way: task.evaluate()["letters right"] for way, task in tasks.items()}
    assert min(shares[BACKWARD], shares[BOTH]) > 0.85 > 0.7 > shares[FORWARD]


def test_occlusion_is_the_difference_of_two_readings(tasks, data):
    task = tasks[BOTH]
    found = lesson.occlusion(task.model, data, "abca")
    plain = chances(task, data, "abca")
    best = plain.argmax(-1)
    for s in range(4):
        covered = chances(task, data, "abca", s)
        lost = (plain[range(4), best] / covered[range(4), best]).log2()
        assert torch.allclose(found.values[:, s], lost, atol=1e-3)
        assert found.labels[1][s] == data.labels[covered[1].argmax()]
    assert found.guess == ("b", "c", "a", "-")
    before, behind = found.sides(1)
    assert behind > 3 * before and found.sides(0)[0] == 0


def test_gradient_is_the_slope_of_the_guessed_label(tasks, data):
    model = tasks[BOTH].model
    found = lesson.gradient(model, data, "abca")
    embedded = model.embedding(data.read("abca")[1]).detach().requires_grad_()
    log2 = model.answer(embedded).log_softmax(-1)[0] / np.log(2)
    (slope,) = torch.autograd.grad(log2[2].max(), embedded)
    assert torch.allclose(found.values[2], slope[0].norm(dim=-1), atol=1e-4)
    ahead = lesson.gradient(tasks[FORWARD].model, data, "abca").values
    assert not torch.triu(ahead, 1).any() and (ahead.diagonal() > 0).all()


def test_a_cut_direction_leaves_the_other_side_only(tasks, data):
    model = tasks[BOTH].model
    behind = lesson.occlusion(model, data, "abca", BACKWARD).values
    assert not torch.triu(behind, 1).abs().max() > 1e-5
    with pytest.raises(LessonError, match="to cut"):
        lesson.read(tasks[FORWARD].model, data, "abca", cut=BACKWARD)
    with pytest.raises(LessonError, match="no letter 4"):
        lesson.read(model, data, "abca", 4)


def test_labels_of_what_has_arrived_are_those_of_the_prefix(tasks, data):
    for task in tasks.values():
        signs, rows = lesson.arriving(task.model, data, "abca")
        assert [len(row) for row in rows] == [1, 2, 3, 4] and signs == tuple("abca")
        for n in (1, 3, 4):
            assert rows[n - 1] == lesson.read(task.model, data, "abca"[:n]).guess
    forward = lesson.arriving(tasks[FORWARD].model, data, "abca")[1]
    assert all(row == forward[-1][: len(row)] for row in forward)


def test_waiting_for_one_letter_is_enough_here(tasks):
    told = lesson.waiting(tasks[BOTH], (0, 1, 3), count=40)
    assert told["0"] < 0.5 and told["1"] > 0.9 and told["3"] == told["all"]
    ahead = lesson.waiting(tasks[FORWARD], (0, 3), count=40)
    assert ahead["0"] == ahead["3"] == ahead["all"]


def test_a_language_model_that_reads_ahead_leaks(data):
    found = {}
    for way in (FORWARD, BOTH):
        task = lesson.prepare(lesson.next_sign(SIZES.but(steps=1500, direction=way)), 0, data.reading_on())
        fit(task, progress=False)
        found[way] = lesson.leak(task, 40)
    assert found[FORWARD]["whole sequence"] == pytest.approx(found[FORWARD]["prefix only"], abs=1e-4)
    assert found[BOTH]["whole sequence"] < 0.8 < 1.5 < found[BOTH]["prefix only"]
    assert lesson.uniform_bits(data) == pytest.approx(np.log2(6))
    figure = labels.leaks(found, lesson.uniform_bits(data))
    assert figure.data[1].y == tuple(found[way]["prefix only"] for way in (FORWARD, BOTH))
    assert "without what follows" in figure.summary


def test_words_that_the_future_helps(tasks):
    found = lesson.helped(tasks, "a", 3)
    assert 0 < len(found) <= 3
    for signs, truth, guesses in found:
        assert signs[-1] == "a" and guesses[BOTH] == truth != guesses[FORWARD]
    assert lesson.helped(tasks, "?") == []


def test_the_lesson_can_be_trained_from_the_command_line():
    assert "bidirectional" in TRAINABLE
    assert lesson.on_code(lesson.PRESETS["cpu"]).task == "roles"


@pytest.mark.parametrize(("way", "lit"), [(FORWARD, 3), (BACKWARD, 4), (BOTH, 6)])
def test_the_drawing_lights_what_an_output_knows(way, lit):
    figure = pictures.wiring("knight", 2, way)
    known = [note for note in figure.layout.annotations if note.text and len(note.text) == 8]
    bright = [note for note in known if note.font.color == theme.tokens().ink]
    assert len(known) == 6 and len(bright) == lit
    assert f"{lit} of 6 letters" in figure.summary
    assert pictures.wiring is two_ways.wiring
    assert pictures.wiring("ab", 9).layout.meta["title"] == "What can the output at “b” know?"


@pytest.mark.parametrize(("word", "way"), [("", BOTH), ("x" * 15, BOTH), (7, BOTH), ("abc", "up")])
def test_what_cannot_be_drawn_is_said(word, way):
    with pytest.raises(LessonError, match=r"needs a word|is one of|word is a string"):
        pictures.wiring(word, 0, way)


def test_influence_shows_the_matrix_and_what_changes(tasks, data):
    figure = pictures.influence(tasks[BOTH], "abca", 0)
    found = lesson.occlusion(tasks[BOTH].model, data, "abca")
    assert np.allclose(figure.data[0].z, found.values.clamp(-8, 8), atol=1e-5)
    assert figure.data[0].text[0][1] not in ("", "b")
    arrows = [note for note in figure.layout.annotations if note.showarrow]
    assert arrows and any(note.ax == 1 and note.arrowcolor == theme.colour("i") for note in arrows)
    assert "All labels are right" in figure.summary and "“a” is labelled b" in figure.summary
    cut = pictures.influence(tasks[BOTH], "abca", 0, 1, BACKWARD)
    assert "With “b” covered and the backward direction cut" in cut.summary
    slopes = pictures.influence(tasks[BOTH], "<bca", 0, method="gradient")
    assert "bits per unit" in slopes.summary and not any(t for row in slopes.data[0].text for t in row)
    assert "Not in the dictionary" in pictures.influence(tasks[BOTH], "abcab").summary


def test_signs_are_escaped(tasks):
    figure = pictures.influence(tasks[BOTH], "<<<<", 2)
    written = [note.text for note in figure.layout.annotations] + list(figure.layout.yaxis.ticktext)
    assert not any("<<" in text.replace("<b>", "") for text in written)
    assert "<" not in "".join(figure.layout.xaxis.ticktext) and "&lt;" in figure.layout.xaxis.ticktext[0]
    assert "&lt;" in "".join(pictures.grown(tasks, "<<<<").layout.yaxis.ticktext)
    assert "<<" not in pictures.wiring("<<<<").data[0].text[0]


def test_growing_marks_what_is_taken_back(tasks, data):
    figure = pictures.grown(tasks, "abca", BOTH)
    rows = lesson.arriving(tasks[BOTH].model, data, "abca")[1]
    marked = [[cell == 1.0 for cell in row] for row in figure.data[0].z]
    for n, row in enumerate(rows):
        assert marked[n] == [t < len(row) and row[t] != rows[-1][t] for t in range(4)]
    assert "0 of 4 labels are taken back" in pictures.grown(tasks, "abca", FORWARD).summary
    with pytest.raises(LessonError, match="no network"):
        pictures.grown(tasks, "abca", "up")


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_charts_hold_what_was_measured(tasks, data, mode):
    theme.use(mode)
    figure = labels.scores(tasks)
    shown = dict(zip(figure.data[0].x, figure.data[0].y, strict=True))
    assert shown["both"] == pytest.approx(100 * tasks[BOTH].evaluate()["letters right"])
    assert shown["table ±2"] == pytest.approx(100 * labelled.window(data, 2, 2)[0])
    lines = labels.context(data, 2)
    assert [line.name for line in lines.data] == ["the past", "the future", "both"]
    assert lines.data[1].y[2] == pytest.approx(100 * labelled.window(data, 0, 2)[0])
    wait = labels.patience(tasks, (0, 1))
    assert wait.data[2].y[1] == pytest.approx(100 * lesson.waiting(tasks[BOTH], (1,))["1"])
    assert "After 1 more letters" in wait.summary


def test_explorers_answer_and_keep_their_state(tasks):
    shown = pictures.influences(tasks[BOTH], "abca")
    before = shown.summary
    shown.value(step=2, covered=1, cut=BACKWARD, method="gradient")
    assert shown.summary != before and not shown.message
    for bad, words in (("abxa", "'x', letter 3"), ("", "at least one"), ("a" * 20, "room for 14")):
        shown.value(text=bad)
        assert words in shown.message
    assert shown.value()["text"] == "abca"
    shown.value(text="ab", covered=1)
    assert not shown.message and "With “b” covered" in shown.summary
    shown.close()
    for made, change in (
        (pictures.growing(tasks, "abca"), {"way": FORWARD}),
        (pictures.wired("abca"), {"step": 3, "way": BACKWARD, "word": "ab"}),
        (pictures.influences(tasks[FORWARD], "abca"), {"step": 3}),
    ):
        before = made.summary
        made.value(**change)
        assert made.summary != before and not made.message
        made.close()
