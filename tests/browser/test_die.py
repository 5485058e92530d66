"""The die in a browser: the rolls of lessons.sampling, forced characters, undo, bad seeds."""

import pytest
import torch
from playwright.sync_api import expect

from lessons import CharModel, sampling
from lessons.vocabulary import Vocabulary
from widgets import export
from widgets import sampling as picture

SYMBOLS = tuple("\n abcdefghijklmnop<>&.")


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(5)
    model = CharModel(Vocabulary(SYMBOLS), hidden_size=16, num_layers=2, embedding_size=8)
    model.readout.weight.data.mul_(6)
    return model


def open_die(lab, model, tmp_path, **settings):
    one = picture.die(model, "abc <b>", **settings)
    page = lab.html(export.page(one, tmp_path / "die.html"))
    one.close()
    page.wait_for_selector(".un-die .un-passage")
    return page


def reads(page, text):
    """Wait until the passage is this text."""
    page.wait_for_function(
        "text => document.querySelector('.un-passage').textContent.replaceAll('⏎', '') === text", arg=text
    )


@pytest.mark.parametrize(
    "settings", [{}, {"temperature": 0.6, "top_k": 5}, {"temperature": 1.4, "top_p": 0.8}]
)
def test_the_die_rolls_what_the_lesson_samples(lab, model, tmp_path, settings):
    page = open_die(lab, model, tmp_path, seed=11, **settings)
    page.get_by_role("button", name="roll for twenty characters").click()
    expected = sampling.generate(model, "abc <b>", 20, seed=11, **settings).text
    reads(page, "abc <b>" + expected.replace("\n", ""))


def test_rolls_that_come_faster_than_the_page_is_drawn_are_the_same(lab, model, tmp_path):
    page = open_die(lab, model, tmp_path, seed=11)
    button = page.get_by_role("button", name="roll the die for one character")
    button.evaluate("button => { for (let k = 0; k < 9; k += 1) button.click(); }")
    reads(page, "abc <b>" + sampling.generate(model, "abc <b>", 9, seed=11).text.replace("\n", ""))


def test_slider_and_box_show_a_temperature_beyond_their_usual_end(lab, model, tmp_path):
    page = open_die(lab, model, tmp_path, temperature=5)
    slider, box = page.get_by_label("temperature", exact=True), page.get_by_label("temperature, typed")
    expect(slider).to_have_value("5")
    expect(box).to_have_value("5")
    box.fill("3.5")
    box.press("Enter")
    expect(slider).to_have_value("3.5")
    slider.focus()
    page.keyboard.press("End")
    expect(box).to_have_value("5")


def test_force_undo_again_and_reset(lab, model, tmp_path):
    page = open_die(lab, model, tmp_path)
    page.get_by_role("button", name="“p”", exact=False).last.click()
    page.get_by_text("You chose “p”").wait_for()
    reads(page, "abc <b>p")
    page.locator(".un-passage").focus()
    page.keyboard.type("<&")
    reads(page, "abc <b>p<&")
    page.keyboard.press("Backspace")
    reads(page, "abc <b>p<")
    page.get_by_role("button", name="roll the die").click()
    page.get_by_text("The last roll:").wait_for()
    page.get_by_role("button", name="undo").click()
    reads(page, "abc <b>p<")
    page.get_by_role("button", name="back to the text given").click()
    reads(page, "abc <b>")
    expect(page.locator(".un-passage b")).to_have_count(0)


def test_bad_seeds_are_answered_with_a_sentence(lab, model, tmp_path):
    page = open_die(lab, model, tmp_path)
    box = page.get_by_role("textbox", name="text to start from")
    box.fill("abz")
    page.get_by_text("The network has never seen “z”, so it reads the text without.").wait_for()
    box.fill("")
    page.get_by_text("starts as after a new line").wait_for()
    box.fill("ZZ")
    page.get_by_text("None of these characters is known to the network: “Z”").wait_for()


def test_temperature_zero_is_certain_and_limits_hold(lab, model, tmp_path):
    page = open_die(lab, model, tmp_path)
    heat = page.get_by_role("spinbutton", name="temperature, typed")
    heat.fill("0")
    heat.press("Tab")
    page.get_by_text("1 of 22 characters hold 90 %, 0.00 bits to guess").wait_for()
    heat.fill("-3")
    heat.press("Tab")
    expect(heat).to_have_value("0")


def test_the_kernel_knows_what_was_rolled(lab):
    page = lab.run(
        "import torch\nfrom lessons import CharModel\nfrom lessons.vocabulary import Vocabulary\n"
        "from widgets import sampling\ntorch.manual_seed(5)\n"
        "d = sampling.die(CharModel(Vocabulary(tuple('\\n abc')), hidden_size=8), 'ab')\nd"
    )
    page.get_by_role("button", name="roll the die").click()
    page.locator(".un-passage").focus()
    page.keyboard.press("c")
    lab.kernel_says(page, "print(len(d.text), d.text[-1], len(d.picks), d.used)", "4 c 2 1")
    lab.screenshot("die", page)
