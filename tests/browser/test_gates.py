"""The gate explorer in a real JupyterLab: mouse, keys, what a reload keeps, and what re-running leaves."""

import re

from playwright.sync_api import expect

SETUP = """
import torch
from lessons import CharModel, trace
from lessons.vocabulary import Vocabulary
from widgets import gates
text = "To be, or not to be: that is the <b>ques"
torch.manual_seed(0)
seen = trace(CharModel(Vocabulary(tuple(sorted(set(text)))), hidden_size=16), text)
"""
READY = ".js-plotly-plot .heatmaplayer image"


def open_explorer(lab, theme="light"):
    page = lab.run(SETUP, "x = gates.explore(seen, name='f')\nx", theme=theme)
    page.wait_for_selector(READY)
    return page


def test_every_control_by_key_and_mouse(lab):
    page = open_explorer(lab)
    slider = page.get_by_role("slider", name="time step")
    slider.focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    page.get_by_text("Framed: step 3").wait_for()
    page.get_by_role("button", name="one step forward").click()
    page.get_by_text("Framed: step 4").wait_for()
    page.get_by_role("button", name="one step forward").press("5")
    page.get_by_text("The cell state of unit").wait_for()
    page.get_by_role("spinbutton", name="unit").fill("7")
    page.keyboard.press("Tab")
    page.get_by_role("heading", name="What does unit 7 keep?").wait_for()
    page.locator(".js-plotly-plot .barlayer").first.wait_for()
    page.get_by_role("combobox", name="show").select_option("output gate o")
    page.get_by_role("button", name="unit: all units").click()
    page.get_by_role("heading", name="Which units show what they hold?").wait_for()
    page.get_by_role("button", name="back to the start").click()
    page.get_by_text("Framed: step 0").wait_for()
    page.get_by_role("button", name="play or pause").press(" ")
    page.get_by_text(re.compile(r"Framed: step ([2-9]|\d\d)")).wait_for()
    page.get_by_role("button", name="play or pause").press(" ")
    lab.kernel_says(page, "print(x.value(), x.message)", "'name': 'o', 'unit': None")
    lab.screenshot("explorer", page)


def test_a_click_on_the_map_chooses_its_unit(lab):
    page = open_explorer(lab)
    plot = page.locator(".js-plotly-plot .nsewdrag").first
    box = plot.bounding_box()
    place = {"x": box["width"] / 2, "y": box["height"] * (9.5 / 16)}
    lab.click_plot(plot, place, page.get_by_role("heading", name="What does unit 9 keep?"))


def test_a_reload_shows_the_state_that_was_left(lab):
    page = open_explorer(lab, theme="dark")
    lab.execute(page, "x.value(name='c', unit=3, step=11)")
    page.get_by_role("heading", name="What does unit 3 keep?").wait_for()
    lab.reload(page)
    page.get_by_role("heading", name="What does unit 3 keep?").wait_for()
    page.locator(".js-plotly-plot .barlayer .point").first.wait_for()
    expect(page.get_by_role("slider", name="time step")).to_have_value("11")
    expect(page.locator(".js-plotly-plot .barlayer .trace")).to_have_count(6)


def test_running_the_cell_twenty_times_leaves_one(lab):
    page = open_explorer(lab)
    count = "from ipywidgets.widgets.widget import _instances\nprint(len(_instances))"
    before = lab.execute(page, count)
    page.locator(".jp-CodeCell").nth(1).click(position={"x": 2, "y": 2})
    for _ in range(20):
        lab.command(page, "notebook:run-cell")
    assert lab.execute(page, count) == before
    page.get_by_role("button", name="one step forward").click()
    page.get_by_text("Framed: step 1").wait_for()
    lab.kernel_says(page, "print(x.value(), x.message)", "'step': 1")
