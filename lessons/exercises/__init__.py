"""The exercises and quizzes, one module a lesson: each has EXERCISES (a tuple) and QUIZ (a tuple)."""

from __future__ import annotations

import difflib
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from lessons.arguments import explained
from lessons.errors import LessonError
from lessons.exercises.exercise import Exercise
from lessons.exercises.questions import Question

_MACHINERY = {"difference", "examination", "exercise", "questions"}


class UnknownExercise(LessonError, AttributeError):
    """There is no exercise of this name; the message lists the names."""


def lessons() -> tuple[str, ...]:
    """The lessons that have exercises, by their slug (`"char_rnn"`)."""
    return tuple(sorted(found.name for found in iter_modules(__path__) if found.name not in _MACHINERY))


@cache
def catalogue() -> dict[str, Exercise]:
    """Every exercise by name, in the order of the lessons' slugs."""
    modules = [import_module(f"{__name__}.{lesson}") for lesson in lessons()]
    return {exercise.name: exercise for module in modules for exercise in module.EXERCISES}


def find(name: str) -> Exercise:
    """The exercise called `name`; UnknownExercise lists all names, the nearest first."""
    if (exercise := catalogue().get(name)) is not None:
        return exercise
    near = difflib.get_close_matches(name, catalogue(), n=1)
    guess = f" Did you mean {near[0]}?" if near else ""
    raise UnknownExercise(
        f"There is no exercise {name!r}.{guess} The exercises are {', '.join(catalogue())}."
    )


@explained
def quiz(lesson: str) -> tuple[Question, ...]:
    """The quiz questions of a lesson, by its slug with or without the number (`"02_char_rnn"`)."""
    slug = lesson.lstrip("0123456789").lstrip("_")
    if slug not in lessons():
        raise LessonError(f"There is no quiz {lesson!r}; there are {', '.join(lessons())}.")
    return import_module(f"{__name__}.{slug}").QUIZ
