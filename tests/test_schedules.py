"""Schedules of what a decoder is fed with, and what a network does with its own symbols."""

import math
from itertools import pairwise

import pytest
import torch

from lessons import curriculum
from lessons.curriculum import Exposure, exposure
from lessons.errors import LessonError
from lessons.teacher_forcing import KINDS, Schedule, falling


def test_the_formulas_of_the_paper():
    assert Schedule("constant", 0.25)(1000) == 0.25
    linear = Schedule("linear", 1.0, 0.001, 0.2)
    assert linear(0) == 1 and math.isclose(linear(300), 0.7) and linear(5000) == 0.2
    assert math.isclose(Schedule("exponential", 0.99)(50), 0.99**50)
    assert math.isclose(Schedule("inverse sigmoid", 100)(250), 100 / (100 + math.exp(2.5)))
    assert Schedule("inverse sigmoid", 1)(10**9) == 0


@pytest.mark.parametrize("kind", KINDS[1:])
@pytest.mark.parametrize("end", [0.0, 0.05, 0.5])
def test_a_falling_schedule_falls_to_its_end(kind, end):
    chances = [falling(kind, 1000, end)(step) for step in range(0, 1101, 50)]
    assert chances[0] > 0.9 and all(a >= b for a, b in pairwise(chances))
    assert math.isclose(chances[20], end, abs_tol=0.01)


@pytest.mark.parametrize(
    "values, words",
    [
        (("steep",), "one of constant"),
        (("constant", 2), "goes from 0 to 1"),
        (("exponential", -0.1), "goes from 0 to 1"),
        (("inverse sigmoid", 0.5), "from 1 upwards"),
        (("linear", 1, -1), "slope"),
        (("linear", 1, 0, 3), "between 0 and 1"),
    ],
)
def test_schedules_that_are_none(values, words):
    with pytest.raises(LessonError, match=words):
        Schedule(*values)


@pytest.mark.parametrize("steps, end", [(0, 0.1), (10, 2), (10, "low")])
def test_bad_ends(steps, end):
    with pytest.raises(LessonError):
        falling("linear", steps, end)


def test_the_first_mistake_and_what_follows():
    asked = torch.tensor([[1, 1, 1, 1], [1, 1, 1, 0], [1, 1, 0, 0]]).bool()
    free = torch.tensor([[1, 0, 0, 1], [1, 1, 1, 0], [0, 1, 0, 0]]).bool()
    seen = Exposure(asked, free, asked)
    assert seen.first.tolist() == [1, 3, 0] and seen.forced == 1
    assert math.isclose(seen.free, 6 / 9, abs_tol=1e-6)
    after = seen.after(3)
    assert after["own"][:2] == [0.5, 1.0] and after["truth"][:2] == [1.0, 1.0] and math.isnan(after["own"][2])


def test_exposure_of_a_network_and_the_schedule_of_its_batches():
    preset = curriculum.preset("ci").but(schedule="linear", ratio=0.0)
    task = curriculum.prepare(preset)
    seen = exposure(task)
    assert seen.asked.shape == seen.right_free.shape and 0 <= seen.free <= 1 and 0 <= seen.forced <= 1
    assert [round(task.batch(step).ratio, 3) for step in (0, 6, 12)] == [1.0, 0.5, 0.0]
    loss, _ = task.loss(task.batch(6))
    loss.backward()
    assert all(w.grad is not None for w in task.model.parameters() if w.requires_grad)
