"""The quiz widget without a browser: data, text fallback, score, and what its module is made of."""

import json
import re

import pytest

from lessons import exercises
from widgets import esm, page, quiz


@pytest.mark.parametrize("lesson", exercises.lessons())
def test_shows_every_question_of_the_lesson(lesson):
    shown = quiz.show(lesson)
    assert [q["text"] for q in shown._questions] == [q.text for q in exercises.quiz(lesson)]
    assert shown.chosen == [-1] * len(shown._questions) and shown.tried == [[]] * len(shown._questions)
    assert shown.message == "" and json.dumps(shown._questions)


def test_text_fallback_lists_questions_and_gives_nothing_away():
    shown = quiz.show("char_rnn")
    text = shown._repr_mimebundle_()["text/plain"]
    for question in exercises.quiz("char_rnn"):
        assert question.text in text
        for option in question.options:
            assert option.text in text and option.why not in text
    assert (
        text.startswith("Quiz, 6 questions.\n1. ")
        and "\n   a) " in text
        and "right" not in text.split("\n")[0]
    )


def test_score_counts_the_last_and_the_first_try():
    shown = quiz.show("start_here")
    right = [[o["right"] for o in q["options"]].index(True) for q in shown._questions]
    assert shown.score == (0, 0)
    wrong = (right[1] + 1) % len(shown._questions[1]["options"])
    shown.tried = [[right[0]], [wrong, right[1]], [], *[[]] * (len(right) - 3)]
    assert shown.score == (2, 1)


def test_an_unknown_lesson_is_said_in_the_widget():
    shown = quiz.show("99_nothing")
    assert "There is no quiz" in shown.message and "char_rnn" in shown.message
    assert shown._repr_mimebundle_()["text/plain"] == shown.message


def test_the_module_only_ever_writes_text():
    module = esm.bundle("quiz.js")
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", module)
    assert "import " not in module.replace("// import", "") and "http" not in esm.read("quiz.js")


def test_a_page_carries_the_quiz(tmp_path):
    shown = quiz.show("start_here")
    text = page.page(shown, tmp_path / "quiz.html").read_text(encoding="utf-8")
    assert "un-question" in text and "open longest" not in text
    assert 'trace[\\"f\\"]' in text
