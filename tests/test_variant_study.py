"""Lesson 06: the study and its rules, the unit set by hand, and the pictures of both."""

import itertools
import math

import numpy as np
import pytest
import torch

from lessons import claims, corpora, experiments, one_unit, sampling, variant_study
from lessons.errors import LessonError
from lessons.experiments import (
    forget_bias_one_suffices,
    forget_gate_is_crucial,
    rnns_are_harder_to_train,
    variants_perform_alike,
)
from lessons.experiments.claim import HOLDS
from lessons.experiments.excerpt import excerpt
from lessons.lstm_variants import VARIANTS
from lessons.tracing import trace
from lessons.wiring import Wiring
from widgets import cell_drawing, theme
from widgets import lstm_variants as pictures
from widgets.explorer import Switch

SMALL = variant_study.LATCH["ci"].but(steps=2, evaluate_every=1, batch_size=4, hidden_size=4)


@pytest.fixture(autouse=True)
def light():
    yield
    theme.use("light")


@pytest.fixture(scope="module")
def plays():
    return excerpt(corpora.load("pydoc", quiet=True), documents=4, characters=3000)


def test_the_names_are_greffs_and_the_gru():
    assert set(variant_study.NAMES) == {*VARIANTS, "GRU"}
    with pytest.raises(LessonError, match="one of V, NIG"):
        variant_study.known("LSTM5")


@pytest.mark.parametrize("cell", ["V", "NFG", "CIFG", "GRU"])
def test_a_reader_reads_the_same_by_steps_and_at_once(cell, plays):
    task = variant_study.reading(cell, plays, variant_study.READING.but(hidden_size=6), seed=1)
    model, tokens = task.model, torch.arange(8).view(2, 4)
    whole, _ = model(tokens)
    state, parts = None, []
    for column in tokens.unbind(1):
        logits, state = model.step(column, state)
        parts.append(logits)
    assert torch.allclose(torch.stack(parts, 1), whole, atol=1e-5)
    assert len(str(sampling.generate(model, "", length=5, seed=0))) == 5
    assert trace(model, "def f").steps == 5 and task.preset.cell == cell
    again = variant_study.reading(cell, plays, variant_study.READING.but(hidden_size=6), seed=1)
    assert torch.equal(again.model.readout.weight, model.readout.weight)


def test_costs_count_what_a_layer_learns():
    block = 32 * (16 + 32 + 2)
    assert variant_study.cost("NP") == 4 * block and variant_study.cost("GRU") == 3 * block
    assert variant_study.cost("V") == 4 * block + 96 and variant_study.cost("CIFG") == 3 * block + 64


def test_what_is_not_solved_counts_one_evaluation_more():
    assert variant_study.steps_until_solved("NIG", SMALL, task="latch") == 3 == variant_study.never(SMALL)


def test_the_unit_does_what_it_is_told_and_each_missing_part_is_missed():
    x, after = one_unit.signals(), one_unit.CLEAR
    first, second = one_unit.SHOWS[0], one_unit.SHOWS[2]

    def series(name, **wiring):
        return trace(one_unit.register(**wiring), x).numpy(name)[:, 0]

    assert series("h")[first] > 0.5 and series("h")[second] < -0.5
    assert abs(series("c")[after]) < 0.1 and abs(series("h")[first - 1]) < 0.1
    assert abs(series("c", forget_gate=False)[after]) > 0.5
    assert abs(series("h", output_gate=False)[first - 1]) > 0.5
    assert np.abs(series("c", input_gate=False)[: min(one_unit.WRITES)]).max() > 0.1
    assert abs(series("c", coupled=True)[after]) > 0.5
    assert np.allclose(series("f", coupled=True) + series("i", coupled=True), 1)


def all_switches():
    """Every choice of parts; the two activations come and go together."""
    names = ("input_gate", "forget_gate", "output_gate", "coupled", "peepholes", "input_tanh")
    chosen = [dict(zip(names, parts, strict=True)) for parts in itertools.product([True, False], repeat=6)]
    return [parts | {"output_tanh": parts["input_tanh"]} for parts in chosen]


def test_the_switchboard_draws_every_wiring_and_refuses_what_cannot_be():
    drawn, kinds = 0, set()
    for chosen in all_switches():
        if chosen["coupled"] and not (chosen["input_gate"] and chosen["forget_gate"]):
            with pytest.raises(LessonError, match="needs both gates"):
                pictures.wiring(**chosen)
            continue
        if chosen["peepholes"] and not any(chosen[f"{gate}_gate"] for gate in ("input", "forget", "output")):
            with pytest.raises(LessonError, match="at least one gate"):
                pictures.wiring(**chosen)
            continue
        figure = pictures.wiring(**chosen)
        kinds.add(tuple(part.type for part in figure.data))
        for part in figure.data[: len(pictures.LANES)]:
            low, high = figure.layout[(part.yaxis or "y").replace("y", "yaxis")].range
            assert min(part.y) >= low and max(part.y) <= high
        drawn += 1
    assert drawn > 30 and len(kinds) == 1, "the traces never have to be made anew"


def test_lanes_hold_the_units_own_numbers():
    figure = pictures.wiring(peepholes=True)
    seen = trace(one_unit.register(peepholes=True), one_unit.signals())
    for name, lane in zip(pictures.LANES[1:], figure.data[1:], strict=False):
        assert np.array_equal(lane.y, seen.numpy(name)[:, 0])
    shown = f"{seen.numpy('h')[one_unit.SHOWS[0], 0]:.2f}"
    assert shown in figure.summary and "peepholes" in figure.summary
    assert "4 blocks of weights and" in figure.summary
    alone = pictures.wiring(input_gate=False, forget_gate=False, output_gate=False)
    assert alone.summary.endswith("1 block of weights.")


def test_equations_leave_out_what_is_missing():
    full = pictures.equations(Wiring(peepholes=True))
    assert [line[0] for line in full] == list("ifgcoh") and sum("p<sub>" in line for line in full) == 3
    assert "p<sub>o</sub> c " in full[4] and "c₋₁" in full[0]
    coupled = pictures.equations(Wiring(coupled=True))
    assert "f = 1 − i" in coupled
    bare = pictures.equations(Wiring(False, False, False, "identity", "identity"))
    assert bare[-2:] == ["c = c₋₁ + g", "h = c"] and "tanh" not in bare[0]


def test_what_is_missing_is_dotted():
    parts = Wiring(forget_gate=False)
    dashes = dict(
        zip(cell_drawing.WIRES, (wire.line.dash for wire in cell_drawing.wires(parts)), strict=True)
    )
    assert dashes["f"] == "dot" and dashes["i"] == "solid"
    assert "1" in [label["text"] for label in cell_drawing.labels(parts)]
    looks = cell_drawing.present(Wiring(coupled=True, peepholes=True))
    assert looks["peep i"] and looks["peep o"] and not looks["peep f"]


def test_the_switchboard_says_in_a_sentence_what_cannot_be():
    explorer = pictures.switchboard()
    explorer.value(coupled=True)
    assert "1 − i" in " ".join(note.text for note in explorer.figure.layout.annotations)
    before = explorer.figure
    explorer.value(forget_gate=False)
    assert "needs both gates" in explorer.message and explorer.figure is before
    explorer.close()


def test_a_switch_reads_and_writes_true_and_false():
    switch = Switch(True, label="gate")
    assert switch.values(True) == [False, True] and switch.read(0) is False and switch.write(True) is True


def result(**changes):
    """A made-up result of the study: `changes` move one cell's figures."""
    claim = variants_perform_alike.CLAIM
    names = list(variant_study.NAMES)
    figures = {
        variants_perform_alike.STEPS: {name: 300.0 + 10 * k for k, name in enumerate(names)},
        variants_perform_alike.BITS: {name: 3.4 + 0.001 * k for k, name in enumerate(names)},
    }
    for name, (steps, bits) in changes.items():
        figures[variants_perform_alike.STEPS][name] = steps
        figures[variants_perform_alike.BITS][name] = bits
    seeds = [{"seed": seed, "seconds": 1.0, "figures": figures} for seed in range(5)]
    return claims._result(claim, "cpu", claim.settings("cpu"), seeds, [])


def test_alike_counts_the_cells_that_are_near():
    assert result().verdict == HOLDS
    two = result(NFG=(900.0, 4.0), NIG=(900.0, 4.0))
    assert two.verdict == HOLDS and "not NIG, NFG" in two.reason
    assert result(NFG=(300.0, 4.0), NIG=(300.0, 4.0), NOG=(300.0, 4.0)).verdict == "depends on the task"


@pytest.mark.parametrize(
    "task, order, cost",
    list(itertools.product(("adding", "reading"), ("paper", "result", "cost"), (False, True))),
)
def test_every_seed_of_every_cell_is_a_point(task, order, cost):
    given = result(NIG=(850.0, 26.0))
    figure = pictures.figure(given, task, order, cost)
    points = figure.data[0]
    assert len(points.y) == 5 * len(variant_study.NAMES) and figure.data[2].visible == cost
    names = [row[3] for row in points.customdata[::5]]
    costs = [variant_study.cost(name) for name in names]
    assert list(figure.data[2].y) == costs and (order != "cost" or costs == sorted(costs))
    assert order != "result" or list(points.y) == sorted(points.y)
    low, high = (10**end if task == "reading" else end for end in figure.layout.yaxis.range)
    assert low < min(points.y) and max(points.y) < high
    assert ("8 of 9 cells solve it" in figure.summary) == (task == "adding")


def test_the_study_can_be_explored_and_refuses_other_tasks():
    explorer = pictures.explore(result())
    explorer.value(task="reading", cost=True)
    assert "bits" in explorer.figure.layout.yaxis.title.text and not explorer.message
    explorer.close()
    with pytest.raises(LessonError, match="adding or reading"):
        pictures.figure(result(), "parity")
    with pytest.raises(LessonError, match="measures other things"):
        pictures.explore("gru-trains-faster")


def test_near_best_allows_one_seed_less():
    rule = forget_bias_one_suffices.NearBest(forget_bias_one_suffices.TASKS["latch"])
    late = variant_study.never(forget_bias_one_suffices.SIZES)

    def seeds(ones, threes):
        return [
            {
                rule.measure: {
                    **dict.fromkeys(forget_bias_one_suffices.STARTS, late),
                    "bias 1": one,
                    "bias 3": three,
                }
            }
            for one, three in zip(ones, threes, strict=True)
        ]

    assert rule.judge(seeds([100] * 4 + [late], [100] * 5)).met
    assert not rule.judge(seeds([100] * 3 + [late] * 2, [100] * 5)).met
    assert "on 3 of 5, bias 3 on 5" in rule.judge(seeds([100] * 3 + [late] * 2, [100] * 5)).sentence


def test_fewer_asks_for_a_margin_below_the_window_model():
    rule = rnns_are_harder_to_train.Fewer("latch", "LSTM")
    measure = rnns_are_harder_to_train.MEASURES["latch"]

    def seeds(*shares):
        return [{measure: {"tanh RNN": 0.0, "LSTM": share, "window model": 0.75}} for share in shares]

    assert rule.judge(seeds(0.5, 0.5, 0.5, 0.5, 0.75)).met
    assert not rule.judge(seeds(0.5, 0.5, 0.5, 0.75, 0.75)).met
    assert [limit.at for limit in rule.limits(seeds(0.5))] == [pytest.approx(0.55)]


def test_the_window_model_sees_all_steps_and_learns():
    window = rnns_are_harder_to_train.Window(20 * 8, 8)
    assert window(torch.zeros(3, 20, 8))[0].shape == (3, 8)
    small = rnns_are_harder_to_train.SIZES.but(steps=100)
    assert rnns_are_harder_to_train.learns("latch", "window model", 1e-2, 0, small)


def test_two_claims_share_their_trainings():
    assert forget_gate_is_crucial.settings("cpu")["trainings"] == variants_perform_alike.CLAIM.digest()
    assert experiments.find("forget-gate-is-crucial").measures[0].conditions == ("V", "NFG")
    assert math.isfinite(claims.load("forget-gate-is-crucial").seconds)
