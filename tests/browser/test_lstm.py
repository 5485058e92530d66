"""The LSTM diagram as a learner drives it: in JupyterLab, light and dark, all four drawings."""

import re

import torch
from playwright.sync_api import expect

from lessons import CharModel, trace
from lessons.vocabulary import Vocabulary
from widgets import lstm
from widgets.page import page as write_page

TEXT = "to be or not to be"
CELL = f"""
import torch
from lessons import CharModel
from lessons.vocabulary import Vocabulary
from widgets import lstm
torch.manual_seed(0)
model = CharModel(Vocabulary.of({TEXT!r}), "lstm", 24, 2, embedding_size=8)
shown = lstm.diagram(model, {TEXT!r}, unit=3, step=10)
shown
"""


def model():
    torch.manual_seed(0)
    return CharModel(Vocabulary.of(TEXT), "lstm", 24, 2, embedding_size=8)


def number(value):
    rounded = f"{abs(value):.2f}"
    return ("−" if value < 0 and float(rounded) else "") + rounded


def part(page, name):
    return page.locator(f'[data-part="{name}"]')


def test_numbers_are_the_traces_in_every_drawing(lab):
    page = lab.run(CELL)
    output, seen = lab.output(page, 0), trace(model(), TEXT)
    for shade in ("light", "dark"):
        lab.theme(page, shade)
        output.locator(f".un-lstm.{shade}").wait_for()
        for drawing in lstm.DRAWINGS:
            output.locator(f'[data-drawing="{drawing}"]').click()
            output.locator(f'[data-drawing="{drawing}"][aria-pressed="true"]').wait_for()
            for name in seen.names:
                label = re.compile(f": {number(float(seen[name, 1][0, 10, 3]))}$")
                expect(part(output, name)).to_have_attribute("aria-label", label)
            lab.screenshot(f"{drawing}-{shade}", page)
    lab.kernel_says(page, "print(shown.drawing)", "torch")


def test_keyboard_walks_wires_time_and_units(lab, tmp_path):
    shown = lstm.diagram(model(), TEXT, unit=3, step=10)
    page = lab.html(write_page(shown, tmp_path / "lstm.html", "A cell"))
    part(page, "c").focus()
    page.keyboard.press("Home")
    walked = set()
    for _ in range(12):
        walked.add(page.evaluate("document.activeElement.dataset.part"))
        expect(page.locator(".un-explanation")).to_contain_text("=")
        expect(page.locator(".un-explanation")).not_to_have_text(re.compile("NaN|undefined"))
        page.keyboard.press("ArrowRight")
    assert len(walked) == 12
    page.keyboard.press("PageDown")
    page.locator(".un-readout", has_text="step 12 of").wait_for()
    part(page, "o").locator(".un-gate").hover()
    page.locator(".un-explanation b", has_text="output gate o").wait_for()
    page.locator(".un-stage").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".un-unit")).to_have_value("4")
    controls = page.locator(".un button, .un select, .un input, .un textarea, .un [tabindex]")
    assert controls.evaluate_all("all => all.every(c => c.dataset.lmSuppressShortcuts === 'true')")
    for width in (1100, 420):
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_function("() => document.documentElement.scrollWidth <= innerWidth")
    page.get_by_text("In words").click()
    page.locator("details li", has_text="forget gate f: fₜ = σ(").wait_for()
