"""The quiz in a real JupyterLab: answered with mouse and keyboard, kept over a reload, wiped on request."""

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_quiz_by_mouse_and_keyboard_and_over_a_reload(lab):
    page = lab.run("from widgets import quiz\nshown = quiz.show('char_rnn')\nshown")
    first, second = (lab.output(page, 0).locator("fieldset").nth(k) for k in (0, 1))
    first.get_by_role("button").click()
    first.get_by_text("Choose an answer first.").wait_for()
    first.get_by_role("radio").nth(0).focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    first.get_by_text("Right.", exact=True).wait_for()
    second.get_by_role("radio").nth(0).check()
    second.get_by_role("button").click()
    second.get_by_text("Not this one.").wait_for()
    lab.output(page, 0).get_by_text("1 of 6 right, 1 of them at the first try.").wait_for()
    lab.screenshot("quiz", page)
    lab.kernel_says(page, "print(shown.score, shown.tried[:2])", "(1, 1) [[1], [0]]")

    lab.reload(page)
    first = lab.output(page, 0).locator("fieldset").nth(0)
    first.get_by_text("Right.", exact=True).wait_for()
    expect(first.get_by_role("radio").nth(1)).to_be_checked()
    lab.output(page, 0).get_by_role("button", name="start again").click()
    lab.output(page, 0).get_by_text("6 questions.").wait_for()
    lab.kernel_says(page, "print(shown.score)", "(0, 0)")


def test_quiz_in_the_dark(lab):
    page = lab.open(lab.scratch("from widgets import quiz\nquiz.show('start_here')"), theme="dark")
    lab.run_all(page)
    root = lab.output(page, 0).locator(".un-quiz")
    expect(root).to_have_css("background-color", "rgb(26, 29, 33)")
    lab.screenshot("quiz-dark", page)
