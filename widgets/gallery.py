"""Every explorer of the course, ready to be opened: for the site, for a projector, for tests.

explorers()["tape"].open()                       # as in a notebook
explorers()["tape"].page("tape.html")            # as a page without a kernel

A new explorer is one `exhibit(...)` in widgets.exhibits. Networks are those that come with the course; where
a lesson has none, a small one learns in seconds when the explorer is first opened.
"""

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import anywidget

from lessons import exercises
from lessons.errors import LessonError
from widgets import export, quiz
from widgets.explorer import Controlled

Shown = Controlled | anywidget.AnyWidget

# What an exhibit shows, where it shows a network at work
READY = "a network that comes with the course"
BRIEF = "a small network that learns for it in seconds"
UNTRAINED = "networks before any training"


@dataclasses.dataclass(frozen=True)
class Exhibit:
    """An explorer of the course.

    name: of its page. lesson: slug of the lesson it belongs to. made_by: "module.function" of widgets. title:
    what it is, in a few words. open: makes it. network: what it works on, READY, BRIEF or UNTRAINED; "" where
    it has none. sweep: the values that its page keeps, by control; None keeps the one that it starts with.
    """

    name: str
    lesson: str
    made_by: str
    title: str
    open: Callable[[], Shown]
    network: str = ""
    sweep: Mapping[str, Iterable[Any] | None] = dataclasses.field(default_factory=dict)

    def page(self, path: str | Path, plotly: str | None = None) -> Path:
        """Write it as a page without a kernel (widgets.export.page)."""
        shown = self.open()
        kept = {
            name: [shown.value()[name]] if values is None else values for name, values in self.sweep.items()
        }
        try:
            return export.page(shown, path, self.title, sweep=kept, plotly=plotly)
        finally:
            shown.close()


_exhibits: dict[str, Exhibit] = {}


def exhibit(
    name: str, lesson: str, made_by: str, title: str, network: str = "", **sweep: Iterable[Any] | None
) -> Callable[[Callable[[], Shown]], Callable[[], Shown]]:
    """Put the function below into the gallery: it takes nothing and returns the explorer."""

    def put(make: Callable[[], Shown]) -> Callable[[], Shown]:
        if name in _exhibits:
            raise ValueError(f"Two exhibits are called {name!r}.")
        _exhibits[name] = Exhibit(name, lesson, made_by, title, make, network, sweep)
        return make

    return put


@cache
def explorers() -> dict[str, Exhibit]:
    """Every explorer by its name, in the order of the lessons; the lessons' quizzes behind them."""
    from widgets import exhibits  # fills the gallery

    assert exhibits.__name__
    found = dict(_exhibits)
    for slug in exercises.lessons():
        name = f"quiz-{slug.replace('_', '-')}"
        found[name] = Exhibit(name, slug, "quiz.show", "Quiz", lambda slug=slug: quiz.show(slug))
    return found


def find(name: str) -> Exhibit:
    """The exhibit called `name`. Raises LessonError for a name that is none."""
    if name not in explorers():
        raise LessonError(f"There is no explorer {name!r}; there are {', '.join(explorers())}.")
    return explorers()[name]
