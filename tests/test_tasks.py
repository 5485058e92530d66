"""Tasks draw what they say, repeat themselves exactly, and can be learned by `fit`."""

import copy
import itertools
import math

import pytest
import torch

from lessons import tasks
from lessons.errors import LessonError
from lessons.tasks import TASKS, SequencePreset, UntilSolved, build
from lessons.training import Task, fit

SMALL = SequencePreset(
    "ci", steps=3, length=24, batch_size=8, hidden_size=6, interval=6, delay=3, held_out=40
)


def drawn(name, count=64, **sizes):
    """Many sequences of a task, with its answers."""
    task = build(name, SMALL, **sizes)
    return task, *task.draw(count, torch.Generator().manual_seed(1))


@pytest.mark.parametrize("name", TASKS)
def test_a_task_is_one_for_fit_and_repeats(name):
    task = build(name, SMALL, seed=3)
    assert isinstance(task, Task) and task.unit and task.name == name
    same, other = build(name, SMALL, seed=3), build(name, SMALL, seed=4)
    for one, two in zip(task.batch(5), same.batch(5), strict=True):
        assert torch.equal(one, two)
    assert any(not torch.equal(a, b) for a, b in zip(task.batch(5), task.batch(6), strict=True))
    assert any(not torch.equal(a, b) for a, b in zip(task.batch(5), other.batch(5), strict=True))
    for one, two in zip(task.held_out(), other.held_out(), strict=True):
        assert torch.equal(one, two)
    x, _ = task.held_out()
    assert x.shape == (40, 24, task.sizes(SMALL)[0])
    runs = [fit(build(name, SMALL, seed=3), seed=3, progress=False) for _ in range(2)]
    assert runs[0].losses == runs[1].losses and len(runs[0].losses) == 3
    assert all(math.isfinite(value) for value in runs[0].last.values())
    assert runs[0].settings["length"] == 24
    assert not task.solved(task.evaluate())


@pytest.mark.parametrize("name", TASKS)
def test_baselines_are_what_guessing_costs(name):
    task, x, target = drawn(name, 4000)
    (bits,) = task.baselines().values()
    outputs = task.sizes(SMALL)[1]
    answer = torch.zeros(*x.shape[: 2 if task.readout == "all" else 1], outputs)
    if name == "adding":
        answer += 1
    if name == "generating":
        rate = float((target == 1).sum() / (target >= 0).sum())
        answer[..., 0] = math.log((1 - rate) / rate)
    assert abs(float(task.cost(answer, target)) - bits) < 0.03 * max(1, bits)


@pytest.mark.parametrize("name", TASKS)
def test_solved_needs_right_answers(name):
    task, _, target = drawn(name)
    outputs = task.sizes(SMALL)[1]
    if name == "adding":
        right = target[:, None]
    else:
        right = 20.0 * torch.nn.functional.one_hot(target.clamp_min(0), outputs)
    assert task.solved(task.figures(right, target))
    assert not task.solved(task.figures(right.roll(1, -1) + (name == "adding"), target))


def test_adding():
    _, x, target = drawn("adding")
    marks = x[..., 1]
    assert (marks[:, :12].sum(1) == 1).all() and (marks[:, 12:].sum(1) == 1).all()
    assert torch.allclose((x[..., 0] * marks).sum(1), target)
    assert x.min() >= 0 and x.max() <= 1


def test_latch_shows_the_symbol_once():
    _, x, target = drawn("latch", 500)
    assert torch.equal(x[:, 0].argmax(-1), target) and torch.equal(x[:, 0].sum(-1), torch.ones(500))
    assert abs(x[:, 1:].std() - 0.2) < 0.01
    assert set(target.tolist()) == set(range(8))


def test_temporal_order():
    _, x, target = drawn("temporal order", 200)
    names = ["".join(tasks.TemporalOrder.alphabet[k] for k in row) for row in x.argmax(-1).tolist()]
    for text, answer in zip(names, target.tolist(), strict=True):
        assert text[0] == "E" and text[-1] == "B"
        order = "".join(symbol for symbol in text if symbol in "XY")
        assert order == ["XX", "XY", "YX", "YY"][answer]


def test_echo():
    _, x, target = drawn("echo")
    assert (target[:, :3] == -1).all()
    assert torch.equal(target[:, 3:], x.argmax(-1)[:, :-3])
    with pytest.raises(LessonError, match="delay"):
        build("echo", SMALL, delay=24)


def test_parity():
    _, x, target = drawn("parity")
    count = 0
    for step in range(24):
        count = count + (x[:, step, 0] > 0).long()
        assert torch.equal(count % 2, target[:, step])


def test_measuring_asks_at_spikes_for_the_interval():
    _, x, target = drawn("measuring")
    for row, answers in zip(x[..., 0], target, strict=True):
        at = row.nonzero()[:, 0].tolist()
        assert len(at) >= 2
        assert (answers[at[0]] == -1) and set((answers >= 0).nonzero()[:, 0].tolist()) == set(at[1:])
        for before, now in itertools.pairwise(at):
            assert now - before == 5 + int(answers[now])


def test_generating_goes_on_from_one_spike():
    _, x, target = drawn("generating")
    assert torch.equal(x.sum((1, 2)), torch.ones(64))
    for row, answers in zip(x[..., 0], target, strict=True):
        start = int(row.argmax())
        assert (answers[:start] == -1).all()
        assert (answers == 1).nonzero()[:, 0].tolist() == list(range(start, 24, 6))


def test_shards_make_up_the_batch():
    task = build("adding", SMALL)
    parts = [task.shard(index, 2).batch(1)[1] for index in range(2)]
    assert torch.equal(torch.stack(parts, 1).flatten(), task.batch(1)[1])
    with pytest.raises(LessonError, match="evenly"):
        task.shard(0, 3)


def test_a_run_ends_when_solved():
    watch = UntilSolved()
    task = build("echo", SMALL, symbols=2, delay=0, steps=400, learning_rate=3e-2, evaluate_every=20)
    run = fit(task, watch=watch, progress=False)
    assert watch.solved and run.step < 400 and 0 <= run.step - watch.step <= 1
    assert task.solved(run.last)


def test_wrong_sizes_are_told():
    with pytest.raises(LessonError, match="no task"):
        build("adding up", SMALL)
    with pytest.raises(LessonError, match="at least"):
        build("temporal order", SMALL, length=5)
    with pytest.raises(LessonError, match="interval"):
        build("measuring", SMALL, interval=24)
    for name in ("latch", "echo"):
        with pytest.raises(LessonError, match="two symbols"):
            build(name, SMALL, symbols=1)
    with pytest.raises(LessonError, match="seed is a whole number"):
        build("adding", SMALL, seed=10**15)
    with pytest.raises(LessonError, match="no part 2 of 2"):
        build("adding", SMALL).shard(2, 2)


def test_double_precision_follows_the_model():
    task = copy.copy(build("adding", SMALL))
    task.model = task.model.double()
    x, target = task.batch(0)
    assert x.dtype == target.dtype == torch.float64
    assert task.loss((x, target))[0].dtype == torch.float64
