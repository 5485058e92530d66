"""The gate microscope as a learner drives it: in a page without a kernel, and in JupyterLab."""

import re

import numpy as np
import pytest
import torch
from playwright.sync_api import expect

from lessons import CharModel, trace
from lessons.tracing import Edit
from lessons.vocabulary import Vocabulary
from widgets.microscope import microscope
from widgets.page import page as write_page

TEXT = "**ROSE**\nHow say you <b>now</b>?\n_Exit_"
UNIT = 3


def model(cell="lstm", hidden=24, layers=2, seed=0):
    torch.manual_seed(seed)
    return CharModel(Vocabulary.of(TEXT), cell, hidden, layers, embedding_size=8)


def scores(layer=1, hidden=24):
    values = np.linspace(0.05, 0.95, hidden).tolist()
    return [{"feature": "inside bold", "measure": "AUC", "signal": "c", "layer": layer, "values": values}]


@pytest.fixture
def view(lab, tmp_path):
    """A page with two LSTMs to compare."""
    widget = microscope(model(), TEXT, scores(), compare=model(seed=1), unit=UNIT, step=10)
    page = lab.html(write_page(widget, tmp_path / "microscope.html", "Gates"))
    page.locator(".un-cell.now").wait_for()
    return page


def picker(page, words):
    return page.locator(".un-label", has_text=words).locator("select")


def lane(page, name):
    """Where the number at the end of a lane stands."""
    names = page.locator(".un-lane-name .un-short").all_text_contents()
    return page.locator(".un-value").nth(names.index(name))


def number(value):
    rounded = f"{abs(value):.2f}"
    return ("−" if value < 0 and float(rounded) else "") + rounded


def test_numbers_on_the_wires_are_those_of_the_trace(view):
    seen = trace(model(), TEXT)
    for name in seen.names:
        expect(lane(view, name)).to_have_text(number(float(seen[name, 1][0, 10, UNIT])))
    cell_state = number(float(seen["c", 1][0, 10, UNIT]))
    expect(view.locator('[data-part="c"]')).to_have_attribute("aria-label", f"cell state c: {cell_state}")
    probability = seen.probabilities[0, 10].max().item()
    expect(view.locator(".un-dist-value").first).to_have_text(f"{100 * probability:.1f} %")
    expect(view.locator(".un-cell")).to_have_text(list(TEXT.replace("\n", "⏎").replace(" ", "·")))


def test_the_strip_is_walked_by_keyboard(view):
    view.locator(".un-cell.now").focus()
    for key, place in [
        ("ArrowRight", 12),
        ("ArrowLeft", 11),
        ("PageDown", 21),
        ("End", len(TEXT)),
        ("Home", 1),
    ]:
        view.keyboard.press(key)
        view.wait_for_function(
            "place => document.querySelector('.un-readout').textContent.startsWith(`step ${place} `)",
            arg=place,
        )
        expect(view.locator(".un-cell.now")).to_be_focused()
        expect(view.locator('.un-cell[tabindex="0"]')).to_have_count(1)
    order = [int(x) for x in np.argsort(-np.abs(np.linspace(0.05, 0.95, 24) - 0.5), kind="stable")]
    view.keyboard.press("ArrowDown")
    below = order[order.index(UNIT) + 1]
    view.get_by_role("heading", name=f"What does unit {below} keep?").wait_for()
    view.keyboard.press("ArrowUp")
    view.get_by_role("heading", name=f"What does unit {UNIT} keep?").wait_for()


def test_space_plays_to_the_end_and_stops(view):
    view.locator(".un-cell.now").focus()
    for key in ("End", "ArrowLeft", "ArrowLeft", "ArrowLeft", "ArrowLeft", " "):
        view.keyboard.press(key)
    view.get_by_role("button", name="pause").wait_for()
    view.wait_for_function(
        f"() => document.querySelector('.un-readout').textContent.startsWith('step {len(TEXT)} ')"
    )
    view.get_by_role("button", name="play through the text").wait_for()


def test_holding_a_gate_changes_what_torch_says_it_changes(view):
    view.get_by_role("button", name="shut 0: hold forget gate f at 0").click()
    held = trace(model(), TEXT, edit=[Edit("f", 0.0, units=[UNIT], layer=1)])
    view.locator(".un-chip").wait_for()
    expect(lane(view, "f")).to_have_text("0.00")
    expect(lane(view, "c")).to_have_text(number(float(held["c", 1][0, 10, UNIT])))
    expect(view.locator('[data-part="f"]')).to_have_attribute("aria-label", re.compile("held"))
    expect(view.locator(".un-dist-bar u:not([hidden])")).to_have_count(9)
    expect(view.locator(".un-sentence")).to_contain_text("Holding f of unit 3 at 0.00 moves the prediction")
    view.get_by_role("button", name="undo the last change").click()
    view.locator(".un-chip").wait_for(state="detached")
    expect(lane(view, "c")).to_have_text(number(float(trace(model(), TEXT)["c", 1][0, 10, UNIT])))


def test_holding_a_state_from_a_step_on_by_keyboard(view):
    view.locator(".un-hold select").nth(0).select_option("c")
    view.locator(".un-hold select").nth(1).select_option("on")
    slider = view.get_by_role("slider", name="value of cell state c")
    slider.focus()
    view.keyboard.press("End")
    expect(view.locator(".un-chip")).to_have_text("c of unit 3 in layer 2 at 3.00, from step 11 ✕")
    expect(lane(view, "c")).to_have_text("3.00")
    view.get_by_role("button", name="one step back").click()
    view.wait_for_function("() => document.querySelector('.un-readout').textContent.startsWith('step 10 ')")
    expect(lane(view, "c")).to_have_text(number(float(trace(model(), TEXT)["c", 1][0, 9, UNIT])))
    view.get_by_role("button", name="back to the start").click()
    view.locator(".un-chip").wait_for(state="detached")


def walk(page):
    """Go twelve parts of the wiring along, each explained by an equation; their names."""
    walked = []
    for _ in range(12):
        page.wait_for_function(
            "before => document.activeElement.dataset.part !== before", arg=walked[-1] if walked else None
        )
        walked.append(page.evaluate("document.activeElement.dataset.part"))
        words = page.locator(".un-explanation")
        expect(words).to_contain_text("=")
        expect(words).not_to_have_text(re.compile("NaN|undefined"))
        page.keyboard.press("ArrowRight")
    return walked


def test_the_wiring_is_walked_and_explained(view):
    view.locator('[data-part="c"]').focus()
    view.keyboard.press("Home")
    walked = walk(view)
    assert set(walked) == {"x", "h0", "c0", "f", "i", "g", "o", "keep", "write", "c", "squash", "h"}
    view.locator('[data-part="c"]').focus()
    view.get_by_role("button", name="go to f·c₋₁").click()
    expect(view.locator('[data-part="keep"]')).to_be_focused()
    view.locator('[data-part="o"] .un-gate').hover()
    view.locator(".un-explanation b", has_text="output gate o").wait_for()


def test_the_map_answers_to_mouse_keys_and_the_picker(view):
    stage = view.locator(".un-map")
    box = stage.bounding_box()
    stage.hover(position={"x": 5, "y": 3})
    view.locator(".un-tip", has_text="AUC").wait_for()
    stage.click(position={"x": box["width"] - 2, "y": box["height"] - 2})
    view.wait_for_function(
        f"() => document.querySelector('.un-readout').textContent.startsWith('step {len(TEXT)} ')"
    )
    expect(stage).to_have_attribute("aria-valuetext", re.compile("unit"))
    picker(view, "sort units by").select_option("index")
    stage.focus()
    for _ in range(30):
        view.keyboard.press("ArrowUp")
    view.get_by_role("heading", name="What does unit 0 keep?").wait_for()
    picker(view, "sort units by").select_option("mean")
    expect(view.locator(".un-best button")).to_have_count(5)  # drawn in the next frame


def test_layers_models_and_signals_are_chosen(view):
    picker(view, "layer").select_option("0")
    seen = trace(model(), TEXT)
    view.wait_for_function("() => document.querySelector('.un-map').getAttribute('aria-valuetext') !== ''")
    view.locator(".un-unit").fill("7")
    view.get_by_role("heading", name="What does unit 7 keep?").wait_for()
    expect(lane(view, "o")).to_have_text(number(float(seen["o", 0][0, 10, 7])))
    view.locator(".un-models button").nth(1).click()
    view.wait_for_function(
        "() => document.querySelectorAll('.un-models button')[1].getAttribute('aria-pressed') === 'true'"
    )
    expect(lane(view, "o")).to_have_text(number(float(trace(model(seed=1), TEXT)["o", 0][0, 10, 7])))
    picker(view, "colour by").select_option("i")
    view.get_by_text("coloured by the input gate i of unit 7").wait_for()


def test_text_is_edited_and_bad_text_is_answered(view):
    box = view.get_by_role("textbox", name="text to read")
    box.fill("say <b>")
    expect(view.locator(".un-cell")).to_have_count(7)
    box.fill("zoo é <b>")
    message = view.locator(".un-message")
    message.filter(has_text="Left out, because the model has never seen them: “z”, “é”.").wait_for()
    expect(view.locator(".un-cell")).to_have_text(list("oo··<b>"))
    box.fill("")
    message.filter(has_text="There is nothing to read").wait_for()
    expect(view.locator(".un-cell")).to_have_count(7)
    box.fill("s" * 700)
    message.filter(has_text="Only the first 600 characters").wait_for()
    expect(view.locator(".un-cell")).to_have_count(600)


@pytest.mark.parametrize("cell", ["gru", "rnn"])
def test_other_cells(cell, lab, tmp_path):
    one = model(cell)
    page = lab.html(write_page(microscope(one, TEXT, step=4), tmp_path / "page.html"))
    page.locator(".un-cell.now").wait_for()
    seen = trace(one, TEXT)
    for name in set(seen.names) - {"q"}:
        expect(lane(page, name)).to_have_text(number(float(seen[name, 1][0, 4, 0])))
    page.locator('[data-part="h"]').focus()
    page.keyboard.press("Home")
    walk(page)
    expect(page.locator(".un-wiring")).not_to_contain_text("NaN")


def test_narrow_pages_do_not_overflow_and_colours_follow(view):
    for width in (1280, 900, 700, 420):
        view.set_viewport_size({"width": width, "height": 900})
        view.wait_for_function("() => document.documentElement.scrollWidth <= innerWidth")
    view.emulate_media(color_scheme="dark")
    view.locator(".un.dark").wait_for()
    view.get_by_role("button", name="light theme").click()
    view.locator(".un.light").wait_for()


def test_every_control_has_a_name_and_keeps_its_keys(view):
    controls = view.locator(".un button, .un select, .un input, .un textarea, .un [tabindex]")
    nameless = controls.evaluate_all(
        "all => all.filter(c => !(c.ariaLabel || c.textContent.trim() || c.closest('label')))"
        ".map(c => c.outerHTML)"
    )
    assert nameless == []
    assert controls.evaluate_all("all => all.every(c => c.dataset.lmSuppressShortcuts === 'true')")


def test_a_broken_model_leaves_one_sentence(lab, tmp_path):
    page = lab.html(write_page(microscope(torch.nn.Linear(1, 1), TEXT), tmp_path / "page.html"))
    page.get_by_text("model is a CharModel; a Linear is not").wait_for()


CELL = f"""
import torch
from lessons import CharModel
from lessons.vocabulary import Vocabulary
from widgets.microscope import microscope
torch.manual_seed(0)
model = CharModel(Vocabulary.of({TEXT!r}), "lstm", 24, 2, embedding_size=8)
seen = microscope(model, {TEXT!r}, unit=3, step=10)
seen
"""


def test_in_jupyterlab_two_views_agree_and_a_reload_keeps_the_place(lab):
    page = lab.run(CELL, "seen", theme="dark")
    first, second = lab.output(page, 0), lab.output(page, 1)
    expect(first.locator(".un.dark")).to_have_count(1)
    first.locator(".un-cell.now").focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    first.get_by_role("button", name="shut 0: hold forget gate f at 0").click()
    second.locator(".un-readout", has_text="step 16 of").wait_for()
    second.locator(".un-chip").wait_for()
    lab.kernel_says(
        page, "print(seen.time, len(seen.clamps), *(clamp.name for clamp in seen.clamps))", "15 1 f"
    )
    lab.execute(page, "seen.unit = 7")
    first.get_by_text("What does unit 7 keep?").wait_for()
    lab.theme(page, "light")
    first.locator(".un.light").wait_for()
    lab.reload(page)
    again = lab.output(page, 0)
    again.locator(".un-readout", has_text="step 16 of").wait_for()
    expect(again.get_by_text("What does unit 7 keep?")).to_have_count(1)
    expect(again.locator(".un-chip")).to_have_count(1)


def test_running_the_cell_again_leaves_one_microscope(lab):
    page = lab.run(CELL)
    for _ in range(4):
        lab.run_all(page)
    count = lab.execute(
        page,
        "from ipywidgets.widgets.widget import _instances\n"
        "print(sum(type(one) is type(seen) for one in _instances.values()))",
    )
    assert count == "1"
    expect(lab.output(page, 0).locator(".un-microscope")).to_have_count(1)
