"""What an exercise is: cases to run on, how to observe a function on them, and known causes of errors.

What an attempt returns is compared part by part with what the solution returns on the same, fresh arguments.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy
import torch

from lessons.exercises.difference import describe, difference

Observations = Mapping[str, Any]


class Unfit(Exception):
    """What the function returned cannot be compared at all; the message is the sentence to show."""


@dataclass(frozen=True)
class Case:
    """One input: a label that fits after "On …", and a function that makes fresh arguments at each call."""

    label: str
    arguments: Callable[[], tuple]


@dataclass(frozen=True)
class Diagnosis:
    """A known cause: `recognises` looks at the failed attempt, `hint` says what lies behind it."""

    recognises: Callable[[Attempt], bool]
    hint: str


@dataclass(frozen=True)
class Exercise:
    """One exercise.

    `solution` is a plain function whose source text is what the learner is shown. `observe` calls a
    function on a case's arguments and names what is to be compared; `returns` makes the usual one.
    `shown` is what a right answer has shown, one sentence. `hints` go from a nudge to almost the answer.
    """

    name: str
    statement: str
    stub: str
    solution: Callable
    cases: tuple[Case, ...]
    observe: Callable[..., Observations]
    diagnoses: tuple[Diagnosis, ...]
    hints: tuple[str, ...]
    shown: str
    tolerance: float = 1e-4

    def run(self, function: Callable, case: Case) -> Observations:
        """What there is to see when `function` is run on a case, always with the same global dice."""
        with same_dice():
            return self.observe(function, *case.arguments())

    def first_difference(self, seen: Observations, expected: Observations) -> str:
        """A sentence on the first part that differs; empty if none does."""
        for part, value in expected.items():
            if sentence := difference(part, seen.get(part), value, self.tolerance):
                return sentence
        return ""


@dataclass(frozen=True)
class Attempt:
    """A failed attempt on one case: what was seen, what was expected, and the learner's error if any."""

    exercise: Exercise
    case: Case
    seen: Observations
    expected: Observations
    error: Exception | None = None


def returns(*parts: str) -> Callable[..., Observations]:
    """An `observe` for functions that return one value, or a tuple of `len(parts)` values."""

    def observe(function: Callable, *arguments: Any) -> Observations:
        result = function(*arguments)
        if len(parts) == 1:
            return {parts[0]: result}
        if not isinstance(result, tuple | list) or len(result) != len(parts):
            wanted = " and ".join(parts)
            raise Unfit(
                f"the function should return {len(parts)} values, {wanted}; it returned {describe(result)}"
            )
        return dict(zip(parts, result, strict=True))

    return observe


def behaves_like(wrong: Callable, hint: str) -> Diagnosis:
    """The cause is known because the attempt returns exactly what `wrong` returns on the same case."""

    def recognises(attempt: Attempt) -> bool:
        if attempt.error is not None:
            return False
        return not attempt.exercise.first_difference(attempt.seen, attempt.exercise.run(wrong, attempt.case))

    return Diagnosis(recognises, hint)


def stops_with(pattern: str, hint: str) -> Diagnosis:
    """The cause is known from the text of the learner's error (a regular expression)."""
    return Diagnosis(lambda attempt: re.search(pattern, str(attempt.error or "")) is not None, hint)


def shows(symptom: Callable[[Observations, Observations], bool], hint: str) -> Diagnosis:
    """The cause is known from a symptom: a predicate on what was seen and what was expected."""
    return Diagnosis(lambda attempt: attempt.error is None and symptom(attempt.seen, attempt.expected), hint)


@contextmanager
def same_dice() -> Iterator[None]:
    """Every run starts from the same global random state; the learner's own state is put back after it."""
    python, legacy = random.getstate(), numpy.random.get_state()
    with torch.random.fork_rng(devices=[]):
        random.seed(0)
        numpy.random.seed(0)
        torch.manual_seed(0)
        yield
    random.setstate(python)
    numpy.random.set_state(legacy)
