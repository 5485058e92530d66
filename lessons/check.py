"""Checks that explain: `check.softmax_sample(softmax_sample)` says what is right, or what differs and why.

    check.NAME(function)      is it right, which part differs, on which input, and the usual cause
    check.hint("NAME")        the next hint, from a nudge to almost the answer
    check.solution("NAME")    the source text of our solution
    check.same(mine, torch's) two results, compared part by part
    check.predict(question, guess, low=, high=)   a guess to be compared later, by .reveal(value)

All of them print plain text that is the same at every run, so that nbval can compare it.
"""

from __future__ import annotations

import inspect
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from lessons import exercises
from lessons.exercises.difference import difference
from lessons.exercises.examination import examine
from lessons.exercises.exercise import Exercise

Number = int | float

_hints_given: Counter[str] = Counter()


@dataclass(frozen=True)
class Check:
    """The check of one exercise; calling it with the learner's function prints what it found."""

    exercise: Exercise

    def __call__(self, function: Any = None) -> None:
        print(examine(self.exercise, function))

    def __repr__(self) -> str:
        return f"check.{self.exercise.name}(function): {self.exercise.statement}"


def __getattr__(name: str) -> Check:
    if name.startswith("_"):
        raise AttributeError(f"module 'lessons.check' has no attribute {name!r}")
    return Check(exercises.find(name))


def __dir__() -> list[str]:
    return sorted(["hint", "predict", "same", "solution", *exercises.catalogue()])


def hint(name: str, number: int | None = None) -> None:
    """Print the next hint of an exercise, or hint `number`; the last one points at the solution."""
    exercise = exercises.find(name)
    hints = exercise.hints if source(exercise) else exercise.hints[:-1]  # the last is almost the answer
    _hints_given[name] += 1
    at = min(max(number or _hints_given[name], 1), len(hints))
    last = f'next is check.solution("{name}")' if len(hints) == len(exercise.hints) else "That was the last"
    more = f'check.hint("{name}") has more' if at < len(hints) else last
    print(f"Hint {at} of {len(hints)}: {hints[at - 1]}\n({more}.)")


def solution(name: str) -> None:
    """Print the source text of the solution; a copy made by `make student` has none to print."""
    print(
        source(exercises.find(name)) or "This copy of the course shows no solutions; ask who gave it to you."
    )


def source(exercise: Exercise) -> str:
    """The source text of an exercise's solution, empty in a copy that shows none."""
    try:
        return inspect.getsource(inspect.unwrap(exercise.solution)).rstrip()
    except OSError:
        return ""


def same(mine: Any, reference: Any, tolerance: float = 1e-5) -> None:
    """Print whether two results agree: tensors, numbers, or tuples and dicts of them, however nested."""
    parts = dict(_leaves(reference))
    others = dict(_leaves(mine))
    if parts.keys() != others.keys():
        print(f"different: {len(others)} parts ({_names(others)}) against {len(parts)} ({_names(parts)}).")
        return
    for name, value in parts.items():
        if sentence := difference(name, others[name], value, tolerance):
            print(f"different: {sentence}.")
            return
    count = sum(value.numel() if isinstance(value, Tensor) else 1 for value in parts.values())
    print(f"same: all {count} numbers agree to within {tolerance:g}.")


def _names(parts: Mapping[str, Any]) -> str:
    return ", ".join(parts) or "none"


def _leaves(value: Any, name: str = "the result") -> list[tuple[str, Any]]:
    if isinstance(value, Mapping):
        return [leaf for key, part in value.items() for leaf in _leaves(part, f"{name}[{key!r}]")]
    if isinstance(value, tuple | list):
        return [leaf for at, part in enumerate(value) for leaf in _leaves(part, f"{name}[{at}]")]
    return [(name, value)]


@dataclass(frozen=True)
class Prediction:
    """A guess made before the answer is known; `value` is None as long as there is none."""

    question: str
    value: float | None
    low: Number
    high: Number
    unit: str = ""

    def reveal(self, value: Number | Tensor) -> None:
        """Print the answer beside the guess, one sentence."""
        value = float(value)
        answer = f"{self.question}: it is {_number(value)}{self._unit}"
        if self.value is None:
            print(f"{answer}; you made no guess.")
            return
        off = abs(self.value - value)
        if off <= 1e-9 * max(1.0, abs(value)):
            print(f"{answer}, as you said.")
            return
        side = "above" if self.value > value else "below"
        share = (
            f", {off / (self.high - self.low):.0%} of the range {side}" if math.isfinite(off) else f", {side}"
        )
        print(f"{answer}; you said {_number(self.value)}{share}.")

    @property
    def _unit(self) -> str:
        return f" {self.unit}" if self.unit else ""


def predict(question: str, guess: Any = ..., *, low: Number, high: Number, unit: str = "") -> Prediction:
    """Note the learner's guess, a number from `low` to `high`; `...` means that there is none yet.

    Prints one line that says what was noted, and returns the Prediction, whose `reveal(value)` compares.
    """
    prediction = Prediction(question, _guessed(guess, low, high), low, high, unit)
    scale = f"from {_number(low)} to {_number(high)}{prediction._unit}"
    if guess is ... or guess is None:
        print(f"{question}: no guess yet. Put a number {scale} in place of the dots.")
    elif prediction.value is None:
        print(f"{question}: a guess is a number {scale}; {guess!r} is none. Nothing is noted.")
    else:
        print(f"{question}: you say {_number(prediction.value)}{prediction._unit}. Noted.")
    return prediction


def _guessed(guess: Any, low: Number, high: Number) -> float | None:
    if isinstance(guess, bool) or not isinstance(guess, int | float):
        return None
    return float(guess) if low <= guess <= high else None


def _number(value: Number) -> str:
    return f"{value:.4g}" if abs(value) < 1e4 else f"{value:,.0f}"
