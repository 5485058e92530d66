"""How an attempt is examined. Nothing that a learner's function does ends in a traceback here."""

from __future__ import annotations

import dis
import inspect
import re
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lessons.exercises.difference import describe
from lessons.exercises.exercise import Attempt, Exercise, Unfit


class NotAttempted(Exception):
    """The function is still the stub."""


@dataclass(frozen=True)
class Report:
    """The outcome: `status` is `"right"`, `"not yet"` or `"not attempted"`; `hint` may be empty."""

    name: str
    status: str
    sentence: str
    hint: str = ""

    def __str__(self) -> str:
        first = f"{self.name}: {self.status}{' yet' if self.status == 'not attempted' else ''}."
        lines = [f"{first} {self.sentence}".rstrip()]
        if self.status == "not yet":
            lines.append(f"Usual cause: {self.hint}" if self.hint else f'A nudge: check.hint("{self.name}")')
        return "\n".join(lines)


def examine(exercise: Exercise, function: Any) -> Report:
    """Run `function` on every case of `exercise` and report the first difference, or that it is right."""
    name = exercise.name
    if not callable(function):
        got = describe(function)
        return Report(
            name, "not yet", f"The check takes the function itself: check.{name}({name}), not {got}."
        )
    for case in exercise.cases:
        expected = exercise.run(exercise.solution, case)
        error, seen = None, {}
        try:
            seen = exercise.run(_guarded(function), case)
            sentence = exercise.first_difference(seen, expected)
        except NotAttempted:
            if case is exercise.cases[0]:
                return Report(name, "not attempted", "")
            sentence = "the function returns nothing"
        except Unfit as unfit:
            error, sentence = unfit, str(unfit)
        except Exception as stopped:
            error, sentence = stopped, _stopped(stopped, function)
        if sentence:
            attempt = Attempt(exercise, case, seen, expected, error)
            return Report(name, "not yet", f"On {case.label}, {sentence}.", _cause(attempt))
    return Report(name, "right", exercise.shown)


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
            if error.args:  # torch says so too, of what it cannot do with complex numbers
                raise
            raise NotAttempted from error
        if result is None and _computes(function):
            raise Unfit("the function returns nothing, as if its `return` line were missing")
        if result is None or any(
            part is ... for part in (result if isinstance(result, tuple) else (result,))
        ):
            raise NotAttempted
        return result

    return call


def _computes(function: Callable) -> bool:
    """Whether the body does anything at all (a stub's body is a docstring, `...` or `pass`)."""
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
