"""Lesson 01: the unrolled graph is the layer, its way back is autograd's, pictures and controls show them."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from lessons import recurrence as lesson
from lessons import tasks
from lessons.errors import LessonError
from lessons.experiments import elman_remembers_for_a_while as claim
from lessons.tracing import trace
from widgets import recurrence as pictures
from widgets import theme

SIZES = lesson.PRESETS["ci"]


@pytest.fixture(autouse=True)
def light():
    yield
    theme.use("light")


@pytest.fixture(scope="module")
def run():
    return lesson.unroll(lesson.small_network(), "EXaYbB")


@pytest.fixture(scope="module")
def plane():
    return lesson.plane(lesson.prepare(SIZES), count=40)


@pytest.mark.parametrize("word", ["EXaYbB", "E", "dcbaYYXXB"])
def test_unrolled_by_hand_equals_the_layer_and_autograd(word):
    layer = lesson.small_network().double()
    end = torch.randn(2, dtype=torch.float64)
    output = layer(lesson.one_hot(word).double()[None])[0][0]
    (output[-1] @ end).backward()
    run = lesson.unroll(layer, word, end)
    assert run.steps == len(word) and torch.allclose(run.h[1:], output) and not run.h[0].any()
    assert torch.allclose(run.shares.sum(0), layer.weight_hh_l0.grad)
    assert torch.equal(run.gradient[-1], end) and len(run.gradient) == len(run.h)


def test_letters_and_numbers():
    assert lesson.letters(lesson.one_hot("EXabcdYB")) == "EXabcdYB"
    with pytest.raises(LessonError, match="'Q' is none"):
        lesson.one_hot("EQB")
    with pytest.raises(LessonError, match="at least one"):
        lesson.one_hot("")


def test_the_small_network_is_always_the_same_and_leaves_the_dice_alone():
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    first, second = lesson.small_network(), lesson.small_network()
    assert torch.equal(torch.rand(1), expected)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))


def test_the_plane_holds_the_states_along_their_main_directions(plane):
    task = lesson.prepare(SIZES)
    x, target = task.held_out()
    states = trace(task.model, x[:40])["h"].double()
    covariance = torch.cov(states.flatten(0, 1).T)
    largest = torch.linalg.eigvalsh(covariance).flip(0)
    variances = plane.points.double().flatten(0, 1).var(0)
    assert torch.allclose(variances, largest[:2], rtol=1e-4)
    assert plane.variance == pytest.approx(float(largest[:2].sum() / largest.sum()), rel=1e-4)
    assert plane.words[3] == lesson.letters(x[3]) and plane.answers[3] == lesson.ORDERS[int(target[3])]
    for word, order in zip(plane.words, plane.answers, strict=True):
        assert "".join(letter for letter in word if letter in "XY") == order


def test_the_graph_shows_states_up_to_the_step(run):
    cells = np.array(pictures.graph(run, 3).data[0].z, dtype=float)[::-1]  # plotly counts rows from below
    assert np.allclose(cells[:, ::2][:, :4], run.h[:4].T.numpy())
    assert np.isnan(cells[:, ::2][:, 4:]).all() and np.isnan(cells[:, 1::2]).all()
    assert "After “EXa”" in pictures.graph(run, 3).summary
    letters = [note.text for note in pictures.graph(run, 3).layout.annotations if "<b>" in note.text]
    assert "NaN" not in pictures.graph(run, 3).to_json()
    assert letters == [f"<b>{letter}</b>" for letter in "EXaYbB"]


def test_every_step_names_the_same_matrix(run):
    named = {pictures.graph(run, step).summary.partition("W_hh")[2] for step in range(7)}
    assert len(named) == 1


def test_backward_shows_gradients_and_what_each_step_adds(run):
    figure = pictures.graph(run, 2, "backward")
    cells = np.array(figure.data[0].z, dtype=float)[::-1, ::2]
    assert np.allclose(cells[:, 2:], run.gradient[2:].T.numpy()) and np.isnan(cells[:, :2]).all()
    added = [note.text for note in figure.layout.annotations if note.y == pictures.SHARE]
    assert added[1] == f"{float(run.shares[1].norm()):.3f}" and added[0] == "·"
    assert f"all steps: {float(run.shares.sum(0).norm()):.3f}" in figure.summary
    assert (
        f"What steps 2 to 6 add to dL/dW_hh is a matrix of length {float(run.shares[1:].sum(0).norm()):.3f}"
        in (figure.summary)
    )


@pytest.mark.parametrize("wrong", [{"step": 7}, {"step": -1}, {"step": 1.5}, {"step": "2"}, {"way": "up"}])
def test_what_is_not_there_is_refused(run, plane, wrong):
    with pytest.raises(LessonError):
        pictures.graph(run, **wrong)
    with pytest.raises(LessonError, match="steps 0 to 19"):
        pictures.path(plane, 20)
    with pytest.raises(LessonError, match="a whole number"):
        pictures.path(plane, 3, 1.5)
    with pytest.raises(LessonError, match="none of them"):
        pictures.spread(plane, -1)
    with pytest.raises(LessonError, match="layer is"):
        pictures.step_through("a network")


def test_the_path_is_the_sequences_own(plane):
    figure = pictures.path(plane, 9, 5)
    line = figure.data[4]
    assert np.allclose(line.x, plane.points[5, 4:10, 0]) and len(line.text) == pictures.TAIL
    assert "".join(letter.strip() for letter in line.text) == plane.words[5][4:10]
    assert sum(len(crowd.x) for crowd in figure.data[:4]) == 40
    low, high = figure.layout.xaxis.range
    assert low < plane.points[..., 0].min() and high > plane.points[..., 0].max()
    assert pictures.path(plane, 0, 0).layout.xaxis.range == figure.layout.xaxis.range


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_explorers_follow_and_keep_their_picture_when_a_word_is_wrong(plane, mode):
    theme.use(mode)
    stepping = pictures.step_through(lesson.small_network())
    stepping.value(step=9)
    assert "After “EXaYbB”" in stepping.summary
    before = stepping.summary
    stepping.value(word="EQ")
    assert "'Q' is none" in stepping.message and stepping.summary == before
    stepping.value(word="E" * 10)
    assert "room for 9 letters" in stepping.message
    stepping.value(word="EXB", way="backward", step=1)
    assert not stepping.message and "At step 1 dL/dh" in stepping.summary
    following = pictures.follow(plane)
    following.value(step=4, sequence=3)
    assert "At step 4" in following.summary
    stepping.close()
    following.close()


def test_spread_grows_when_groups_part():
    points = torch.randn(40, 2, 2, generator=torch.Generator().manual_seed(0))
    answers = lesson.ORDERS * 10
    points[:, 1] += torch.tensor([[0.0, 0.0], [9.0, 0.0], [0.0, 9.0], [9.0, 9.0]]).repeat(10, 1)
    made = lesson.Plane(points, ("EB",) * 40, answers, 1.0)
    assert pictures.spread(made, 1) > 5 > 2 > pictures.spread(made, 0)


@pytest.mark.parametrize("solving, tried, best", [(1e-2, 1, 1.0), (3e-3, 2, 1.0), (0.5, 2, 0.3)])
def test_a_second_rate_is_tried_only_where_the_first_fails(monkeypatch, solving, tried, best):
    rates = []

    def fit(task, **options):
        rates.append(task.preset.learning_rate)
        return SimpleNamespace(last={"share right": 1.0 if rates[-1] == solving else 0.3})

    monkeypatch.setattr(claim, "fit", fit)
    assert claim.share(claim.sizes("ci"), 0) == best and len(rates) == tried


def test_training_goes_on_when_it_is_solved():
    task = lesson.prepare(SIZES.but(steps=2, evaluate_every=1))
    task.solved = lambda figures: True
    run = lesson.train(task, progress=False)
    assert run.reason == "finished" and run.step == 2


BAD = {
    "a number for a word": lambda: lesson.one_hot(5),
    "nothing for a word": lambda: lesson.one_hot(None),
    "a list for a word": lambda: lesson.unroll(lesson.small_network(), ["E", "X"]),
    "half a seed": lambda: lesson.small_network(1.5),
    "a seed in words": lambda: lesson.prepare(SIZES, "one"),
    "no preset": lambda: lesson.prepare("ci"),
    "too few letters": lambda: lesson.letters(torch.zeros(4, 7)),
    "no sequence": lambda: lesson.letters("EXB"),
    "an LSTM": lambda: lesson.unroll(torch.nn.LSTM(8, 2), "EB"),
    "a GRU's name": lambda: lesson.unroll("gru", "EB"),
    "relu": lambda: lesson.unroll(torch.nn.RNN(8, 2, nonlinearity="relu"), "EB"),
    "two layers": lambda: lesson.unroll(torch.nn.RNN(8, 2, num_layers=2), "EB"),
    "both directions": lambda: lesson.unroll(torch.nn.RNN(8, 2, bidirectional=True), "EB"),
    "no biases": lambda: lesson.unroll(torch.nn.RNN(8, 2, bias=False), "EB"),
    "three inputs": lambda: lesson.unroll(torch.nn.RNN(3, 2), "EB"),
    "a long gradient": lambda: lesson.unroll(lesson.small_network(), "EB", torch.ones(3)),
    "no points": lambda: lesson.plane(lesson.prepare(SIZES), 0),
    "another task": lambda: lesson.plane(tasks.build("latch", SIZES)),
}


@pytest.mark.parametrize("case", BAD)
def test_what_does_not_fit_is_refused_in_a_sentence(case):
    with pytest.raises(LessonError) as refused:
        BAD[case]()
    assert str(refused.value).endswith(".") and len(str(refused.value)) < 200
