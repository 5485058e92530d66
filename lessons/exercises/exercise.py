"""What an exercise is, and how an attempt at it is examined.

An attempt is run on the exercise's cases, what it returns is compared part by part with what the solution
returns on the same (fresh) arguments, and the first difference is looked up in a list of known causes.
Nothing a learner's function does ends in a traceback here: its own error becomes one sentence.
"""

from __future__ import annotations

import dis
import inspect
import random
import re
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy
import torch

Observations = Mapping[str, Any]


class NotAttempted(Exception):
    """The function is still the stub."""


class Unfit(Exception):
    """What the function returned cannot be compared at all; the message is the sentence to show."""


@dataclass(frozen=True)
class Case:
    """One input: a label that fits after "On …", and a function that makes fresh arguments at each call."""

    label: str
    arguments: Callable[[], tuple]


@dataclass(frozen=True)
class Diagnosis:
    """A known cause: ``recognises`` looks at the failed attempt, ``hint`` says what lies behind it."""

    recognises: Callable[[Attempt], bool]
    hint: str


@dataclass(frozen=True)
class Exercise:
    """One exercise.

    ``solution`` is a plain function whose source text is what the learner is shown. ``observe`` calls a
    function on a case's arguments and names what is to be compared; ``returns`` makes the usual one.
    ``shown`` is what a right answer has shown, one sentence. ``hints`` go from a nudge to almost the answer.
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


@dataclass(frozen=True)
class Attempt:
    """A failed attempt on one case: what was seen, what was expected, and the learner's error if any."""

    exercise: Exercise
    case: Case
    seen: Observations
    expected: Observations
    error: Exception | None = None


@dataclass(frozen=True)
class Report:
    """The outcome: ``status`` is ``"right"``, ``"not yet"`` or ``"not attempted"``; ``hint`` may be empty."""

    name: str
    status: str
    sentence: str
    hint: str = field(default="")

    def __str__(self) -> str:
        first = f"{self.name}: {self.status}{' yet' if self.status == 'not attempted' else ''}."
        lines = [f"{first} {self.sentence}".rstrip()]
        if self.status == "not yet":
            lines.append(f"Usual cause: {self.hint}" if self.hint else f'A nudge: check.hint("{self.name}")')
        return "\n".join(lines)


def examine(exercise: Exercise, function: Any) -> Report:
    """Run ``function`` on every case of ``exercise`` and report the first difference, or that it is right."""
    name = exercise.name
    if not callable(function):
        got = describe(function)
        return Report(
            name, "not yet", f"The check takes the function itself: check.{name}({name}), not {got}."
        )
    for case in exercise.cases:
        expected = _observe(exercise, exercise.solution, case)
        error, seen = None, {}
        try:
            seen = _observe(exercise, _guarded(function), case)
            sentence = _first_difference(exercise, seen, expected)
        except NotAttempted:
            return Report(name, "not attempted", "")
        except Unfit as unfit:
            error, sentence = unfit, str(unfit)
        except Exception as stopped:
            error, sentence = stopped, _stopped(stopped, function)
        if sentence:
            attempt = Attempt(exercise, case, seen, expected, error)
            return Report(name, "not yet", f"On {case.label}, {sentence}.", _cause(attempt))
    return Report(name, "right", exercise.shown)


def returns(*parts: str) -> Callable[..., Observations]:
    """An ``observe`` for functions that return one value, or a tuple of ``len(parts)`` values."""

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
    """The cause is known because the attempt returns exactly what ``wrong`` returns on the same case."""

    def recognises(attempt: Attempt) -> bool:
        exercise = attempt.exercise
        if attempt.error is not None:
            return False
        return not _first_difference(exercise, attempt.seen, _observe(exercise, wrong, attempt.case))

    return Diagnosis(recognises, hint)


def stops_with(pattern: str, hint: str) -> Diagnosis:
    """The cause is known from the text of the learner's error (a regular expression)."""
    return Diagnosis(lambda attempt: re.search(pattern, str(attempt.error or "")) is not None, hint)


def shows(symptom: Callable[[Observations, Observations], bool], hint: str) -> Diagnosis:
    """The cause is known from a symptom: a predicate on what was seen and what was expected."""
    return Diagnosis(lambda attempt: attempt.error is None and symptom(attempt.seen, attempt.expected), hint)


def difference(part: str, seen: Any, expected: Any, tolerance: float) -> str:
    """One sentence on how ``seen`` differs from ``expected``; empty if it does not."""
    if isinstance(expected, bool):
        return "" if bool(seen) == expected else f"it is {'not ' * expected}so that {part}"
    if isinstance(expected, str | tuple):
        return "" if seen == expected else f"{part} is {seen} where {expected} is expected"
    ours, theirs = _numbers(expected), _numbers(seen)
    if theirs is None:
        return f"{part} should be {describe(expected)}; it is {describe(seen)}"
    if ours.ndim == 0 and theirs.numel() == 1:
        theirs = theirs.reshape(())
    if ours.shape != theirs.shape:
        return f"{part} has shape {tuple(theirs.shape)} where {tuple(ours.shape)} is expected"
    if theirs.isnan().any():
        return f"{part} holds NaN, which is no number: {int(theirs.isnan().sum())} of {theirs.numel()} values"
    return _gap(part, theirs, ours, tolerance)


def describe(value: Any) -> str:
    """A value in words: a tensor by its shape, a number by itself, anything else by its type."""
    if isinstance(value, torch.Tensor):
        return f"a tensor of shape {tuple(value.shape)}"
    if isinstance(value, bool | int | float):
        return f"the number {value:.4g}"
    if isinstance(value, tuple | list):
        return f"a {type(value).__name__} of {len(value)} values"
    if value is None:
        return "None"
    return f"a value of type {type(value).__name__}"


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


def _observe(exercise: Exercise, function: Callable, case: Case) -> Observations:
    with same_dice():
        return exercise.observe(function, *case.arguments())


def _first_difference(exercise: Exercise, seen: Observations, expected: Observations) -> str:
    for part, value in expected.items():
        if sentence := difference(part, seen.get(part), value, exercise.tolerance):
            return sentence
    return ""


def _cause(attempt: Attempt) -> str:
    for diagnosis in attempt.exercise.diagnoses:
        try:
            if diagnosis.recognises(attempt):
                return diagnosis.hint
        except Exception:
            # A diagnosis may stumble over the strange thing it looks at; then it does not recognise it.
            continue
    return ""


def _guarded(function: Callable) -> Callable:
    """The learner's function, with the signs of an untouched stub turned into NotAttempted."""

    def call(*arguments: Any) -> Any:
        _accepts(function, arguments)
        try:
            result = function(*arguments)
        except NotImplementedError as error:
            raise NotAttempted from error
        if result is None and _computes(function):
            raise Unfit("the function returns nothing: is its `return` line missing?")
        if result is None or any(
            part is ... for part in (result if isinstance(result, tuple) else (result,))
        ):
            raise NotAttempted
        return result

    return call


def _computes(function: Callable) -> bool:
    """Whether the body does anything at all (a stub's body is a docstring, ``...`` or ``pass``)."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    return code is not None and any(
        step.opname.startswith(("CALL", "BINARY", "STORE")) for step in dis.get_instructions(code)
    )


def _accepts(function: Callable, arguments: tuple) -> None:
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return  # some built-ins have no signature; calling them will tell
    try:
        signature.bind(*arguments)
    except TypeError as error:
        count = f"{len(arguments)} argument{'s' * (len(arguments) > 1)}"
        raise Unfit(f"the function cannot be called with {count}: {error}") from error


def _stopped(error: Exception, function: Callable) -> str:
    """The learner's error in one sentence, with the line of their own code that led to it."""
    message = re.sub(r"0x[0-9a-fA-F]+", "0x…", str(error).strip()).split("\n")[0].rstrip(". ")
    message = message if len(message) <= 160 else message[:157] + "…"
    said = f"the function stopped with {type(error).__name__}{': ' if message else ''}{message}"
    code = getattr(inspect.unwrap(function), "__code__", None)
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if code is not None and frame.filename == code.co_filename and frame.line:
            return f"{said} (line {frame.lineno}: `{frame.line}`)"
    return said


def _numbers(value: Any) -> torch.Tensor | None:
    try:
        if isinstance(value, tuple | list):
            value = torch.stack([torch.as_tensor(part) for part in value])
        return torch.as_tensor(value).detach().to("cpu", torch.float64)
    except (TypeError, ValueError, RuntimeError):
        return None


def _gap(part: str, seen: torch.Tensor, expected: torch.Tensor, tolerance: float) -> str:
    gap = (seen - expected).abs()
    gap = torch.where(seen == expected, torch.zeros_like(gap), gap)  # equal infinities differ by nothing
    if bool((gap <= tolerance * (1 + expected.abs().nan_to_num(posinf=0))).all()):
        return ""
    if gap.ndim == 0:
        return f"{part} is {seen:.4g} where {expected:.4g} is expected"
    wrong = (gap > tolerance * (1 + expected.abs())) | gap.isnan()
    at = tuple(int(place) for place in wrong.nonzero()[0])
    place = f"position {at[0] if len(at) == 1 else list(at)}"
    return (
        f"{part}: {int(wrong.sum())} of {gap.numel()} values differ, by up to {gap.max():.3g}; "
        f"at {place} it is {seen[at]:.4g} where {expected[at]:.4g} is expected"
    )
