"""The quiz at the end of a lesson: answer, check, read why; also by keyboard and in a page without kernel."""

from typing import Any

import anywidget
import traitlets

from lessons import exercises
from lessons.errors import LessonError
from lessons.exercises.questions import Question
from widgets import esm, slots, theme


class Quiz(anywidget.AnyWidget):
    """What `show` displays.

    chosen: per question the option that is marked, -1 for none. tried: per question the options that were
    checked, in order. Both are synced, so a page that is reloaded shows what was answered.
    """

    _esm = esm.bundle("quiz.js")
    _css = f"{esm.style()}\n{esm.read('quiz.css')}"
    _questions = traitlets.List(traitlets.Dict()).tag(sync=True)
    title = traitlets.Unicode("Quiz").tag(sync=True)
    chosen = traitlets.List(traitlets.Int()).tag(sync=True)
    tried = traitlets.List(traitlets.List(traitlets.Int())).tag(sync=True)
    theme = traitlets.Enum(("auto", "light", "dark"), "auto").tag(sync=True)
    message = traitlets.Unicode("").tag(sync=True)

    @property
    def score(self) -> tuple[int, int]:
        """How many questions were answered right, and how many at the first try."""
        tried = [
            [question["options"][option]["right"] for option in options]
            for question, options in zip(self._questions, self.tried, strict=True)
        ]
        return sum(any(t) for t in tried), sum(any(t[:1]) for t in tried)

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle = super()._repr_mimebundle_(**kwargs)
        bundle = bundle[0] if isinstance(bundle, tuple) else bundle
        return {**bundle, "text/plain": self.message or plain(self._questions, self.title)}


def show(lesson: str) -> Quiz:
    """The quiz of a lesson, by its name with or without the number (`"02_char_rnn"` or `"char_rnn"`).

    Where no widgets can be shown, the questions and options stand as plain text. An unknown lesson is said in
    the widget's message; nothing is raised.
    """
    mode = "dark" if theme.tokens() is theme.DARK else "auto"
    try:
        questions: tuple[Question, ...] = exercises.quiz(lesson)
    except LessonError as problem:
        quiz = Quiz(theme=mode, message=str(problem))
    else:
        empty: dict[str, Any] = {"chosen": [-1] * len(questions), "tried": [[] for _ in questions]}
        quiz = Quiz(theme=mode, _questions=[question.plain() for question in questions], **empty)
    slots.keep(quiz)
    return quiz


def plain(questions: list[dict[str, Any]], title: str = "Quiz") -> str:
    """Questions and options as text, the right ones not given away."""
    lines = [f"{title}, {len(questions)} questions."]
    for number, question in enumerate(questions, 1):
        lines.append(f"{number}. {question['text']}")
        lines += [f"   {chr(97 + at)}) {option['text']}" for at, option in enumerate(question["options"])]
    return "\n".join(lines)
