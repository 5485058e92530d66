"""Lesson 03: what arrives is what autograd says, scaling scales, pictures and controls show it."""

import numpy as np
import pytest
import torch

from lessons import claims
from lessons import vanishing_gradients as lesson
from lessons.errors import LessonError
from lessons.experiments.bound import Bound
from widgets import theme
from widgets import vanishing_gradients as pictures

SIZES = lesson.PRESETS["ci"].but(length=12, hidden_size=5, held_out=70, steps=2)


@pytest.fixture(scope="module")
def networks():
    return lesson.networks(SIZES)


@pytest.fixture(scope="module")
def decays(networks):
    return lesson.decays(networks)


@pytest.fixture(autouse=True)
def light():
    yield
    theme.use("light")


@pytest.mark.parametrize("name", ["tanh RNN", "ReLU RNN", "identity RNN"])
def test_decay_is_what_autograd_says(networks, decays, name):
    task = lesson.in_double(networks[name])
    x, target = (part[: lesson.SEQUENCES] for part in task.held_out())
    layer, act = task.model.recurrent, torch.tanh if name == "tanh RNN" else torch.relu
    states = [x.new_zeros(len(x), 5)]
    bias = layer.bias_ih_l0 + layer.bias_hh_l0
    for x_t in x.unbind(1):
        states.append(act(x_t @ layer.weight_ih_l0.T + bias + states[-1] @ layer.weight_hh_l0.T))
    loss = task.cost(task.model.readout(states[-1]), target)
    grads = torch.stack(torch.autograd.grad(loss, states[1:]), 1).norm(dim=-1).clamp_min(lesson.TINY)
    expected = (grads / grads[:, -1:]).median(0).values
    assert torch.allclose(decays[name]["h"], expected, rtol=1e-9, atol=0)
    assert decays[name]["h"][-1] == 1


def test_every_network_has_its_states(decays):
    assert list(decays) == list(lesson.NETWORKS)
    assert {name for name, states in decays.items() if set(states) == {"h", "c"}} == {"LSTM"}
    assert all(len(values) == 12 for states in decays.values() for values in states.values())


@pytest.mark.parametrize("name", list(lesson.NETWORKS))
def test_the_loss_gets_at_most_the_largest_factor(networks, name):
    most, got = lesson.reach(networks[name], 3), lesson.arriving(networks[name], 3)
    assert bool((got <= most * (1 + 1e-9)).all()) and got[-1] == pytest.approx(1)
    with pytest.raises(LessonError, match="no held-out sequence 70"):
        lesson.reach(networks[name], 70)


def test_a_radius_is_set_on_a_copy(networks):
    task = networks["tanh RNN"]
    before = task.model.recurrent.weight_hh_l0.clone()
    assert lesson.radius(lesson.with_radius(task, 1.3)) == pytest.approx(1.3)
    assert torch.equal(task.model.recurrent.weight_hh_l0, before)
    small, large = (lesson.decay(lesson.with_radius(task, r))["h"][0] for r in (0.3, 1.0))
    assert small < 1e-3 * large
    with pytest.raises(LessonError, match="gated cell"):
        lesson.with_radius(networks["GRU"], 1.0)


def test_an_identity_start_explodes_beyond_radius_one():
    task = lesson.networks(SIZES.but(hidden_size=24))["identity RNN"]
    assert lesson.decay(lesson.with_radius(task, 1.5))["h"][0] > 10 > 2 * lesson.decay(task)["h"][0]


def test_training_ends_when_it_is_solved():
    easy = lesson.prepare(lesson.PRESETS["ci"].but(steps=2, evaluate_every=1))
    easy.solved = lambda figures: True
    assert lesson.train(easy, progress=False).reason == "solved"
    assert lesson.prepare(SIZES).model.config()["cell"] == "gru"
    with pytest.raises(LessonError, match="no preset 'huge'"):
        lesson.preset("huge")


def test_the_picture_holds_the_decays(decays):
    figure = pictures.figure(decays, 4)
    names = [line.name for line in figure.data]
    assert names[:2] == ["tanh RNN", "orthogonal RNN"] and {"LSTM h", "LSTM c"} <= set(names)
    assert np.allclose(figure.data[names.index("GRU")].y, np.log10(decays["GRU"]["h"].numpy()))
    assert figure.layout.shapes[0].x0 == 4 and "Step 4, 7 before the last" in figure.summary
    low, high = figure.layout.yaxis.range
    assert low < figure.data[0].y.min() and high >= max(line.y.max() for line in figure.data)
    with pytest.raises(LessonError, match="no step 12"):
        pictures.figure(decays, 12)


def test_lines_that_leave_the_picture_are_marked(decays):
    shares = {"tanh RNN": {"h": torch.tensor([1e-9, 1.0])}, "GRU": {"h": torch.tensor([0.5, 1.0])}}
    notes = {note.text for note in pictures.figure(shares, 0, floor=-3).layout.annotations}
    assert notes == {"tanh RNN ↓", "GRU"}
    places = [note.y for note in pictures.figure(decays, 0).layout.annotations]
    low, high = pictures.figure(decays, 0).layout.yaxis.range
    assert np.diff(sorted(places)).min() > 0.05 * (high - low)


def test_every_line_has_its_name_inside_the_picture():
    ends = [("a", 3.0), ("b", 3.0), ("c", 2.9), ("d", -60.0), ("e", -50.0), ("f", -24.0)]
    notes = pictures._labels([(name, at, "#000000") for name, at in ends], -24, 1)
    places = [note["y"] for note in notes]
    assert [note["text"][0] for note in notes] == list("defcab") and notes[0]["text"] == "d ↓"
    assert min(places) >= -24 and max(places) <= 1 and min(np.diff(places)) > 0.05 * 25


BAD = {
    "no task": lambda n: lesson.decay("tanh RNN"),
    "no sequences": lambda n: lesson.decay(n["GRU"], 0),
    "half a sequence": lambda n: lesson.reach(n["GRU"], 0.5),
    "a sequence before the first": lambda n: lesson.arriving(n["GRU"], -1),
    "a name": lambda n: lesson.reach(n["GRU"], "first"),
    "radius 0": lambda n: lesson.with_radius(n["tanh RNN"], 0),
    "radius nan": lambda n: lesson.with_radius(n["tanh RNN"], float("nan")),
    "radius inf": lambda n: lesson.with_radius(n["tanh RNN"], float("inf")),
    "a radius in words": lambda n: lesson.with_radius(n["tanh RNN"], "one"),
    "a radius below 0": lambda n: pictures.scaled(n, "tanh RNN", -1.0),
    "a gated radius": lambda n: lesson.radius(n["GRU"]),
    "a preset's name": lambda n: lesson.networks("ci"),
    "a seed in words": lambda n: lesson.networks(SIZES, "one"),
    "no networks": lambda n: lesson.decays(5),
    "nothing to draw": lambda n: pictures.explore({}),
    "nothing to nudge": lambda n: pictures.nudge({}),
    "another claim": lambda n: pictures.remembered("elman-remembers-for-a-while"),
    "a claim's number": lambda n: pictures.remembered(3),
    "half a step": lambda n: pictures.figure(lesson.decays({"GRU": n["GRU"]}), 0.5),
    "no decays": lambda n: pictures.explore("GRU"),
    "a network's number": lambda n: pictures.nudged(n, 3),
    "a radius of nothing": lambda n: pictures.scaled(n, "tanh RNN", None),
}


@pytest.mark.parametrize("case", BAD)
def test_what_does_not_fit_is_refused_in_a_sentence(networks, case):
    with pytest.raises(LessonError) as refused:
        BAD[case](networks)
    assert str(refused.value).endswith(".") and len(str(refused.value)) < 200


def test_scaled_shows_eigenvalues_on_their_circle(networks):
    figure = pictures.scaled(networks, "orthogonal RNN", 0.5)
    dots = figure.data[4]
    assert np.hypot(dots.x, dots.y) == pytest.approx(np.full(5, 0.5))
    assert figure.data[1].y[0] == pytest.approx(11 * np.log10(0.5))
    assert "radius 0.50" in figure.summary and "radius 1.00" in figure.summary
    with pytest.raises(LessonError, match="ungated"):
        pictures.scaled(networks, "LSTM", 1.0)
    with pytest.raises(LessonError, match="no network 'x'"):
        pictures.nudged(networks, "x")


def test_every_explorer_follows_its_controls(networks, decays):
    makers = (
        (pictures.explore(decays, decays), {"step": 2, "stage": "untrained"}),
        (pictures.radius(networks), {"radius": 1.5, "name": "identity RNN"}),
        (pictures.nudge(networks), {"name": "tanh RNN", "sequence": 2}),
    )
    for made, change in makers:
        before = made.summary
        made.value(**change)
        assert made.summary != before and not made.message
        made.close()
    plain = pictures.explore(decays)
    assert list(plain.value()) == ["step"]
    plain.close()


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_the_claim_is_drawn_with_every_seed(mode):
    theme.use(mode)
    result = claims.load("rnn-forgets-lstm-remembers")
    figure = pictures.remembered(result)
    assert len(figure.data[0].x) == len(result.seeds) * 12
    solved = sum(value < 0.01 for value in result.values("tanh RNN", "50"))
    assert f"tanh RNN {sum(v < 0.01 for v in result.values('tanh RNN', '10'))}, {solved}" in figure.summary
    assert len(set(figure.data[0].x)) == len(figure.data[0].x)


def test_a_bound_counts_the_seeds_on_its_side():
    rule = Bound("error", ("10", "50"), 0.01, "below", share=0.8, along="steps")
    seeds = [{"error": {"10": 0.001, "50": 0.001}}] * 4 + [{"error": {"10": 0.2, "50": 0.001}}]
    assert rule.judge(seeds).met and "on 4 and 5 of 5 seeds at 10 and 50 steps" in rule.judge(seeds).sentence
    assert not rule.judge(seeds[:3] + seeds[4:] * 2).met
    assert not Bound("error", ("10",), 0.01, "above").judge(seeds).met
    assert "below 0.01 at each of 10 and 50 steps on at least 4 of 5 seeds" in rule.text
    assert [(limit.condition, limit.seed) for limit in rule.limits(seeds[:1])] == [("10", 0), ("50", 0)]
