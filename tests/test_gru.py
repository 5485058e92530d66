"""Lesson 05: the race is fair and repeats, sizes are equal where they say so, pictures show their numbers."""

import numpy as np
import pytest
import torch
from torch import nn

from lessons import cells, claims, corpora, gru
from lessons.errors import LessonError
from lessons.experiments import gru_trains_faster
from lessons.experiments.claim import HOLDS
from lessons.experiments.excerpt import excerpt
from lessons.gru import Entrant, Lap
from lessons.tracing import trace
from widgets import gru as pictures
from widgets import theme

SMALL = gru.PRESETS["ci"].but(steps=4, evaluate_every=2, hidden_size=6, valid_characters=500)


@pytest.fixture(autouse=True)
def light():
    yield
    theme.use("light")


@pytest.fixture(scope="module")
def plays():
    return excerpt(corpora.load("pydoc", quiet=True), documents=4, characters=3000)


@pytest.fixture(scope="module")
def laps(plays):
    return gru.race(plays, SMALL)


@pytest.mark.parametrize("hidden, inputs", [(64, 32), (128, 16), (10, 200), (1, 1)])
def test_equal_parameters_is_the_nearest_size(hidden, inputs):
    def weights(layer):
        return sum(weight.numel() for weight in layer.parameters())

    wanted = weights(nn.LSTM(inputs, hidden))
    found = gru.equal_parameters(hidden, inputs)
    gap = {
        size: abs(weights(nn.GRU(inputs, size)) - wanted)
        for size in (found - 1, found, found + 1)
        if size > 0
    }
    assert min(gap, key=gap.get) == found >= hidden


def test_a_race_repeats_and_is_the_training_of_each_alone(plays, laps):
    again = gru.race(plays, SMALL)
    assert [lap.losses for lap in again] == [lap.losses for lap in laps]
    alone = gru.race(plays, SMALL, [gru.entrants(SMALL)[1]])[0]
    assert alone.losses == laps[1].losses
    assert [lap.name for lap in laps] == ["LSTM", "GRU, same size", "GRU, same weights"]
    assert all([step for step, _ in lap.evaluations] == [0, 2, 4] for lap in laps)
    assert all(len(lap.losses) == len(lap.seconds) == 4 and not lap.model.training for lap in laps)
    assert all(np.all(np.diff(lap.seconds) > 0) for lap in laps)
    assert laps[0].parameters > laps[1].parameters


def test_a_race_leaves_torch_as_it_was_and_needs_somebody(plays):
    torch.manual_seed(3)
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    gru.race(plays, SMALL.but(steps=1))
    assert torch.equal(torch.get_rng_state(), state) and torch.get_num_threads() == threads
    with pytest.raises(LessonError, match="at least one"):
        gru.race(plays, SMALL, [])


def test_who_reaches_the_target_stops(plays):
    here = gru.race(plays, SMALL, target=100.0)
    assert all(lap.losses == [] and lap.reached(100.0) == 0 and lap.clock(0) == 0.0 for lap in here)
    lap = Lap("a", 1, None, [5.0, 4.0], [0.5, 1.25], [(0, 6.0), (2, 3.0)])
    assert lap.reached(3.5) == 2 and lap.reached(1.0) is None and lap.clock(2) == 1.25


def test_torchs_own_gru_computes_the_same(plays):
    names = ("torch.nn.GRU", "gru")
    own, ours = (gru.task(Entrant(name, name, 6), plays, SMALL) for name in names)
    assert type(own.model.recurrent) is nn.GRU
    batch = own.batch(0)
    assert own.loss(batch, None)[0].item() == pytest.approx(ours.loss(batch, None)[0].item(), rel=1e-5)
    seconds = gru.step_seconds(plays, SMALL, [Entrant(name, name, 6) for name in names], steps=3)
    assert set(seconds) == set(names) and min(seconds.values()) > 0


def test_twins_part_by_the_place_of_the_reset_gate_only():
    x = torch.randn(2, 7, 3, generator=torch.Generator().manual_seed(1))
    after, before = gru.twins(3, 4, gain=2.0)
    assert (after(x)[0] - before(x)[0]).abs().max() > 1e-3
    for layer in (after, before):
        assert gru.set_reset_bias(layer, 40.0) is layer
    assert torch.allclose(after(x)[0], before(x)[0], atol=1e-6)
    assert torch.allclose(trace(after, x)["r"], torch.ones(2, 7, 4))


def test_reset_biases_are_set_in_every_layer_and_direction():
    layer = gru.set_reset_bias(nn.GRU(3, 4, 2, bidirectional=True), 1.5)
    for name, bias in layer.named_parameters():
        if name.startswith("bias"):
            assert torch.equal(bias[:4].detach(), torch.full((4,), 1.5 if "_ih_" in name else 0.0))
            assert bias[4:].abs().min() > 0
    with pytest.raises(LessonError, match="a GRU"):
        gru.set_reset_bias(nn.LSTM(3, 4), 1.0)
    with pytest.raises(LessonError, match="bias=True"):
        gru.set_reset_bias(nn.GRU(3, 4, bias=False), 1.0)


def test_the_single_unit_is_gru_step_with_its_gates_held():
    figure = pictures.one(0.7, 0.4)
    candidate, state = figure.data
    h = 0.0
    for step in range(pictures.STEPS):
        n = np.tanh(pictures.PULSES.get(step, 0.0) + 0.4 * pictures.OWN * h)
        h = 0.7 * h + 0.3 * n
        assert candidate.y[step] == pytest.approx(n, abs=1e-5) and state.y[step] == pytest.approx(h, abs=1e-5)
    assert "1.9 steps" in figure.summary
    assert max(map(abs, pictures.one(1.0, 1.0).data[1].y)) < 1e-6 and "ever" in pictures.one(1.0).summary
    assert pictures.one(0.0, 0.0).data[1].y[min(pictures.PULSES) + 1] == pytest.approx(0.0, abs=1e-5)
    assert cells.gru_step.__doc__


def test_open_reset_gates_make_one_network_of_two():
    open_, half = pictures.reset(6.0), pictures.reset(0.0, unit=3)
    assert max(open_.data[2].y) < 0.2 < max(half.data[2].y)
    assert half.layout.yaxis.title.text == "h of unit 3"
    low, high = half.layout.yaxis2.range
    assert low <= min(half.data[2].y) and max(half.data[2].y) <= high
    with pytest.raises(LessonError, match="no unit 12"):
        pictures.reset(0.0, 12)


@pytest.mark.parametrize("over", ["steps", "seconds"])
@pytest.mark.parametrize("shown", ["training", "held-out"])
def test_the_race_is_drawn_as_it_was(laps, over, shown):
    figure = pictures.laps(laps, over, shown)
    assert len(figure.data) == 3 and over in figure.layout.title.text
    for lap, line in zip(laps, figure.data, strict=True):
        assert line.x[-1] == (len(lap.losses) if over == "steps" else lap.seconds[-1])
        if shown == "held-out":
            assert list(line.y) == [bits for _, bits in lap.evaluations]
    names = [note.text for note in figure.layout.annotations]
    assert sorted(names) == sorted(lap.name for lap in laps)
    assert f"{min(lap.evaluations[-1][1] for lap in laps):.2f} bits" in figure.summary


def test_explorers_follow_and_refuse(laps):
    explorer = pictures.compare(laps)
    explorer.value(over="seconds", shown="held-out")
    assert "seconds" in explorer.figure.layout.xaxis.title.text and not explorer.message
    explorer.close()
    for made, change in ((pictures.unit(), {"z": 0.5}), (pictures.resets(), {"bias": 6.0, "unit": 2})):
        before = made.summary
        made.value(**change)
        assert made.summary != before and not made.message
        made.close()
    with pytest.raises(LessonError, match="steps or seconds"):
        pictures.laps(laps, "hours")
    with pytest.raises(LessonError, match="no race to draw"):
        pictures.compare([])
    with pytest.raises(LessonError, match="z is a number from 0 to 1"):
        pictures.one("open")


def test_faster_counts_the_seeds_below_its_share():
    rule = gru_trains_faster.Faster("time", "GRU")

    def seeds(*values):
        return [{"time": {"LSTM": 1.0, "GRU": value}} for value in values]

    assert rule.judge(seeds(0.9, 0.9, 0.9, 0.95, 1.2)).met
    assert not rule.judge(seeds(0.9, 0.9, 0.9, 0.96, 1.2)).met
    assert "0.9 to 1.2 times" in rule.judge(seeds(0.9, 1.2)).sentence
    assert len(rule.limits(seeds(1, 1))) == 2
    assert (
        gru_trains_faster.CLAIM.verdict(
            [
                {
                    m.name: {**dict.fromkeys(m.conditions, 0.5), "LSTM": 1.0}
                    for m in gru_trains_faster.CLAIM.measures
                }
            ]
        )[0]
        == HOLDS
    )
    assert not claims.load("gru-trains-faster").stale
