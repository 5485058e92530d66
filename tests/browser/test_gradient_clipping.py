"""The cliff in a real JupyterLab: every control by keyboard, the map by mouse, in light and in dark."""

import re

import pytest

CLIFF = (
    "from widgets import cliff, theme\n"
    "from widgets import gradient_clipping as pictures\n"
    "theme.use('{}')\n"
    "x = cliff.explore(step=18)\nx"
)
SLIDERS = ("threshold", "learning rate", "momentum", "start, w", "start, b", "turn the view")


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_descend_by_keyboard_and_mouse(lab, mode):
    lab.ignore("GPU stall")  # chromium's on a machine without a graphics card, which draws in software
    page = lab.run(CLIFF.format(mode), "y = pictures.ways()\ny", theme=mode)
    first, second = lab.output(page, 0), lab.output(page, 1)
    first.locator(".js-plotly-plot .gl-container canvas").first.wait_for()
    first.locator(".js-plotly-plot .contourlayer, .js-plotly-plot .heatmaplayer").first.wait_for()
    first.get_by_text("Step 18: loss").wait_for()
    lab.screenshot(f"cliff-{mode}", page)
    first.get_by_role("button", name="one step forward").click()
    first.get_by_text("Step 19: loss").wait_for()
    first.get_by_role("slider", name="step of the descent").press("ArrowRight")
    first.get_by_text("Step 20: loss").wait_for()
    for name in SLIDERS:
        first.get_by_role("slider", name=name, exact=True).press("ArrowLeft")
    first.get_by_label("clipping", exact=True).select_option("by value")
    first.get_by_text("Loss after 60 steps: by value").wait_for()
    first.get_by_label("unit", exact=True).select_option("two memories, 50 steps")
    wanted = {"way": "by value", "step": 20, "threshold": 0.95, "rate": 0.19, "momentum": 0.85, "first": 1.95,
              "second": 0.45, "turn": 45, "unit": "two memories, 50 steps"}  # fmt: skip
    pairs = (f"{name!r}: {value!r}" for name, value in wanted.items())
    lab.kernel_says(page, "print(x.value(), x.message)", *pairs)
    drawn = first.locator(".js-plotly-plot .nsewdrag").first
    lab.click_plot(drawn, {"x": 60, "y": 60}, first.get_by_text("Step 0: loss"))
    assert "'first': 1.95" not in lab.execute(page, "print(x.value())")
    first.get_by_role("button", name="play or pause").click()
    first.get_by_text(re.compile(r"Step ([2-9]|\d\d): loss")).wait_for()
    first.get_by_role("button", name="play or pause").click()
    second.get_by_label("clipping", exact=True).select_option("adaptive")
    for name in ("length of the gradient", "direction in degrees", "threshold"):
        second.get_by_role("slider", name=name, exact=True).press("ArrowRight")
    second.get_by_text("Adaptive, threshold 1.1: 3.10 long at 25°").wait_for()
    lab.screenshot(f"after-{mode}", page)
