"""Lesson 11: switches and schedules do what they say, waiting is counted, pictures hold the data."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch

from lessons import claims, curriculum, experiments, switchboard, teacher_forcing, translation, waiting
from lessons.curriculum import TOLD, Progress, judged
from lessons.edit_distance import edits, symbols_wrong
from lessons.errors import LessonError
from lessons.experiments.forced_and_free import ALONE, GAP, WAYS, WHOLE, outcomes, sizes, trained
from lessons.jordan import Jordan
from lessons.length_study import held_out
from lessons.recurrent import RNN
from lessons.training import fit
from widgets import exposure, feedback, theme
from widgets import switchboard as boards
from widgets import teacher_forcing as pictures

NAMES = ("teacher-forcing-speeds-early-learning", "curriculum-closes-the-gap", "always-sampling-hurts")
PAIR = ("forty-five", "fünfundvierzig")


@pytest.fixture(autouse=True)
def light():
    yield
    theme.use("light")


@pytest.fixture(scope="module")
def task():
    return curriculum.prepare(curriculum.PRESETS["ci"], seed=1)


# ------------------------------------------------------------ schedules and switches


@pytest.mark.parametrize("kind", teacher_forcing.KINDS)
def test_a_schedule_falls_to_its_end(kind):
    schedule = teacher_forcing.falling(kind, 400, 0.2)
    chances = [schedule(step) for step in range(401)]
    assert all(0.2 <= later <= sooner <= 1 for sooner, later in pairwise(chances))
    assert chances[-1] == pytest.approx(0.2, abs=1e-6)
    assert chances[0] > 0.95 or kind == "constant"


def test_the_inverse_sigmoid_is_bengios():
    schedule = teacher_forcing.Schedule("inverse sigmoid", 30)
    assert schedule(75) == pytest.approx(30 / (30 + math.exp(75 / 30)))
    assert schedule(10**9) < 1e-300


def test_a_higher_chance_only_turns_switches_on():
    before = torch.zeros(50, dtype=torch.bool)
    for chance in (0.0, 0.3, 0.7, 1.0):
        now = switchboard.switches(chance, 50, seed=4)
        assert bool((now | ~before).all())
        before = now
    assert before.all() and not switchboard.switches(0.0, 50, seed=4).any()
    assert not torch.equal(switchboard.switches(0.5, 50, 1), switchboard.switches(0.5, 50, 2))


def test_a_board_draws_each_moment_anew():
    board = switchboard.board(lambda step: 0.5, [0, 10, 20], 200, seed=3)
    assert board.shape == (3, 200) and 0.4 < board.float().mean() < 0.6
    assert not torch.equal(board[0], board[1])
    assert torch.equal(board[1:2], switchboard.board(lambda step: 0.5, [10], 200, seed=3))


# ------------------------------------------------------------ one sentence under switches


def test_the_truth_under_switches_is_the_models_own_pass(task):
    seen = switchboard.under(task.model, *PAIR)
    ids, lengths = task.model.source.batch([PAIR[0]])
    right = task.model.target.batch([PAIR[1]], end=True)[0]
    with torch.no_grad():
        logits = task.model(ids, lengths, right).logits[0]
    assert seen.written == task.model.target.labels(logits.argmax(-1).tolist())
    assert seen.fed == ("⟨", *PAIR[1]) and seen.truth == (*PAIR[1], "⟩")
    chances = logits.softmax(-1).gather(1, right[0][:, None])[:, 0]
    assert np.allclose(seen.chances, chances, atol=1e-6)


def test_switches_decide_what_is_read(task):
    told = torch.arange(15) % 2 == 0
    seen = switchboard.under(task.model, *PAIR, told)
    for t in range(1, 15):
        assert seen.fed[t] == (PAIR[1][t - 1] if told[t] else seen.written[t - 1])
    alone = switchboard.under(task.model, *PAIR, torch.zeros(15, dtype=torch.bool))
    forced = switchboard.under(task.model, *PAIR)
    assert alone.first == forced.first == seen.first
    with pytest.raises(LessonError, match="takes 15 switches"):
        switchboard.under(task.model, *PAIR, told[:4])
    with pytest.raises(LessonError, match="never seen"):
        switchboard.under(task.model, "forty-five!", PAIR[1])


def test_the_first_mistake_is_at_the_same_place_either_way(task):
    seen = curriculum.exposure(task)
    forced = curriculum.Exposure(seen.right_forced, seen.right_forced, seen.asked)
    assert torch.equal(forced.first, seen.first)
    assert exposure.whole(seen) == exposure.whole(forced)


def test_exposure_asks_all_that_is_held_out(task):
    parts = task.pairs.parts
    seen = curriculum.exposure(task)
    assert len(seen.asked) == len(held_out(task)) == len(parts["valid"]) + len(parts["test"])
    assert int(seen.asked.sum()) == sum(len(target) + 1 for _, target in held_out(task))
    with pytest.raises(LessonError, match="task is"):
        curriculum.exposure(task.model)


def test_progress_judges_at_its_own_pace():
    sizes = curriculum.PRESETS["ci"].but(steps=4, evaluate_every=4)
    task = curriculum.prepare(sizes, 1, translation.load(sizes).first(valid=3, test=3))
    seen = Progress(2)
    fit(task, watch=seen, progress=False)
    assert [row["step"] for row in seen.rows] == [2, 4]
    assert seen.rows[-1] == {"step": 4, **judged(task)}
    assert seen.rows[-1][TOLD] == pytest.approx(100 * (1 - curriculum.exposure(task).forced))
    with pytest.raises(LessonError, match="every is"):
        Progress(0)


@pytest.mark.parametrize(
    ("written", "right", "count"),
    [
        ("", "abc", 3),
        ("abc", "abc", 0),
        ("abxc", "abc", 1),
        ("ac", "abc", 1),
        ("axc", "abc", 1),
        ("xyz", "abc", 3),
    ],
)
def test_edits_are_counted(written, right, count):
    assert edits(written, right) == edits(right, written) == count
    assert symbols_wrong([written, right], [right, right]) == pytest.approx(100 * count / 6)


def test_edits_need_sentences_of_a_kind():
    with pytest.raises(LessonError, match="right one beside it"):
        symbols_wrong(["a"], [])


# ------------------------------------------------------------ who waits


@pytest.mark.parametrize("make", [lambda: Jordan(3, 5, 0.6, dtype=torch.float64),
                                  lambda: RNN(3, 5, batch_first=True, dtype=torch.float64)])  # fmt: skip
def test_step_by_step_is_the_same_pass_with_the_same_gradients(make):
    layer, x = make(), torch.randn(2, 9, 3, dtype=torch.float64)
    assert torch.allclose(waiting.stepwise(layer, x), layer(x)[0], atol=1e-12)
    in_steps = waiting.gradients(lambda x: waiting.stepwise(layer, x), layer, x)
    for name, part in waiting.gradients(lambda x: layer(x)[0], layer, x).items():
        assert torch.allclose(in_steps[name], part, atol=1e-12)


def test_only_jordan_fed_the_truth_waits_for_nothing():
    assert waiting.ticks("Jordan", waiting.TRUTH, 4) == [(1, 2)] * 4
    assert waiting.ticks("Elman", waiting.TRUTH, 3) == [(1, 2), (2, 3), (3, 4)]
    for kind in ("Jordan", "Elman"):
        assert waiting.ticks(kind, waiting.OWN, 3) == [(1, 2), (3, 4), (5, 6)]
    with pytest.raises(LessonError, match="'Markov'"):
        waiting.ticks("Markov", waiting.OWN, 3)


def test_seconds_of_every_kind_and_length():
    found = waiting.seconds((2, 4), hidden=3, batch=2, rounds=1)
    assert len(found) == 3 and all(len(times) == 2 and min(times) > 0 for times in found.values())
    assert pictures.waiting(found, (2, 4)).data[0].x == (2, 4)


# ------------------------------------------------------------ pictures


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_the_switchboard_shows_its_switches(task, mode):
    theme.use(mode)
    figure = boards.board("linear", 0.2, 500, 45, 3, task.model)
    schedule = teacher_forcing.falling("linear", boards.STEPS, 0.2)
    told = switchboard.board(schedule, [500], 15, 3)[0]
    assert np.array_equal(figure.data[1].z[20][1:], told[1:]) and figure.data[1].z[:, 0].all()
    seen = switchboard.under(task.model, *PAIR, told)
    assert f"First own mistake at symbol {seen.first}" in figure.summary
    assert f"{int(told[1:].sum())} of 14 steps" in figure.summary
    assert figure.data[2].x[0] == 1 and figure.data[3].x == (schedule(500),)


def test_explorers_follow_their_controls(task):
    made = pictures.switches(task.model)
    for change in ({"kind": "constant"}, {"end": 0.5}, {"step": 100}, {"number": 7}, {"seed": 4}):
        before = made.figure.to_json()
        made.value(**change)
        assert not made.message and (made.figure.to_json() != before), change
    made.close()
    drawn = pictures.recurrences()
    drawn.value(kind="Elman", fed=waiting.OWN, tick=5, steps=4)
    assert drawn.summary == "After tick 5, 3 of 4 hidden layers are there; the last output comes at tick 8."
    drawn.close()
    fallen = pictures.schedules()
    fallen.value(end=0.0)
    assert "ending at 0.00: constant 0%" in fallen.summary
    fallen.close()


def test_two_runs_tell_of_both(task):
    rows = pictures.mistaken(task.model, task.held["valid"], most=3)
    made = pictures.two_runs(task.model, rows)
    made.value(sentence=1)
    forced = switchboard.under(task.model, *rows[1])
    assert list(made.figure.data[0].y) == list(forced.chances)
    assert f"First mistake at symbol {forced.first}" in made.summary
    made.close()
    with pytest.raises(LessonError, match="no sentence"):
        pictures.two_runs(task.model, [])
    for draw in (pictures.switches, lambda model: pictures.two_runs(model, rows)):
        with pytest.raises(LessonError, match="Seq2Seq"):
            draw("task.model")


def test_after_and_ways_hold_the_exposure(task):
    seen = curriculum.exposure(task)
    figure, lines = pictures.after(seen, 5), seen.after(5)
    assert list(figure.data[2].y) == lines["truth"] and list(figure.data[3].y) == lines["own"]
    assert figure.data[0].y[0] == pytest.approx(float(seen.right_forced[:, 0].float().mean()))
    bars = pictures.ways({"one": seen, "two": seen})
    assert bars.data[1].y == pytest.approx([100 * seen.free] * 2)
    with pytest.raises(LessonError, match="no training"):
        pictures.ways({})
    for wrong in (lambda: pictures.ways({"one": 1}), lambda: pictures.after(None),
                  lambda: pictures.mistaken(task.model, [1]), lambda: pictures.two_runs(task.model, "abc"),
                  lambda: pictures.waiting({"one": [1.0]}, (1,)), lambda: pictures.waiting(None, (1,)),
                  lambda: waiting.seconds((0,)), lambda: curriculum.prepare("cpu")):  # fmt: skip
        with pytest.raises(LessonError):
            wrong()


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_the_progress_of_several_trainings_is_drawn(mode):
    theme.use(mode)
    rows = [{"step": step, TOLD: 50.0 / step, ALONE: 400.0 / step, WHOLE: 10.0 * step} for step in (1, 2, 3)]
    seen = {"always": Progress(1, rows), "linear": Progress(1, rows[:2]), "<b>": Progress(1, rows)}
    figure = pictures.progress(seen)
    assert list(figure.data[0].y) == [50, 25, 50 / 3] and list(figure.data[4].y) == [400, 200]
    assert figure.data[1].line.dash == "dash" and figure.data[1].line.color == theme.tokens().f
    assert "always 133.3, linear 200.0" in figure.summary and "always, 30 %" in figure.summary
    assert "<b>" not in {note.text for note in figure.layout.annotations}
    for wrong in ({}, {"always": Progress()}, [Progress(1, rows)], {"always": rows}):
        with pytest.raises(LessonError):
            pictures.progress(wrong)


def test_nothing_right_and_everything_right_can_be_drawn():
    asked = torch.ones(2, 4, dtype=torch.bool)
    fine = curriculum.Exposure(asked, asked, asked)
    assert "No sentence has a mistake" in pictures.after(fine, 3).summary and exposure.whole(fine) == 1
    wiring = feedback.wiring("Jordan", waiting.TRUTH, 1, 8)
    assert wiring.summary.startswith("After tick 1, 8 of 8")


# ------------------------------------------------------------ claims


def test_the_experiment_measures_every_way():
    names = ("always the truth", "inverse sigmoid")
    figures = outcomes(sizes("ci"), names, seed=3)
    assert set(figures) == {TOLD, ALONE, GAP, WHOLE} and set(names) < set(WAYS)
    assert all(tuple(found) == names for found in figures.values())
    assert all(value >= 0 for value in figures[ALONE].values())
    rows = trained(sizes("ci"), names[0], 203, 1)
    assert [row["step"] for row in rows] == [1, 2]
    early = outcomes(sizes("ci"), names, seed=3, moment=0.5)
    assert early[ALONE][names[0]] == rows[0][ALONE] and figures[ALONE][names[0]] == rows[1][ALONE]


@pytest.mark.parametrize("name", NAMES)
def test_the_claims_are_in_the_ledger_as_they_came_out(name):
    result, claim = claims.load(name), experiments.find(name)
    assert len(result.seeds) >= 5 and not result.stale
    assert result.verdict == claim.verdict(result.figures)[0]
