"""Lesson 11 in a real JupyterLab: switches, clock and mistakes, by key and by mouse, in light and in dark."""

import pytest

MAKE = (
    "import torch\n"
    "from lessons import curriculum\n"
    "from widgets import theme\n"
    "from widgets import teacher_forcing as pictures\n"
    "theme.use('{}')\n"
    "task = curriculum.prepare(curriculum.PRESETS['ci'])\n"
    "x = pictures.switches(task.model)\nx"
)


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_the_switchboard_by_keyboard_and_mouse(lab, mode):
    page = lab.run(
        MAKE.format(mode),
        "y = pictures.recurrences()\ny",
        "z = pictures.two_runs(task.model, task.held['valid'][:5])\nz",
        theme=mode,
    )
    first, second, third = (lab.output(page, cell) for cell in range(3))
    first.locator(".js-plotly-plot .heatmaplayer image").first.wait_for()
    first.get_by_label("schedule", exact=True).select_option("constant")
    first.get_by_text("The chance of the truth is 0.10").wait_for()
    first.get_by_role("slider", name="ratio at the end", exact=True).press("End")
    first.get_by_text("14 of 14 steps after the first read it").wait_for()
    first.get_by_label("schedule", exact=True).select_option("linear")
    first.get_by_role("slider", name="ratio at the end", exact=True).press("Home")
    first.get_by_role("button", name="one step forward").click()
    first.get_by_role("heading", name="training step 625").wait_for()
    first.get_by_role("slider", name="roll of the dice", exact=True).click()
    lab.screenshot(f"switches-{mode}", page)
    second.get_by_label("recurrence", exact=True).select_option("Elman: from the hidden layer")
    second.get_by_label("fed", exact=True).select_option("its own output")
    clock = second.get_by_role("slider", name="tick of the clock", exact=True)
    clock.press("ArrowRight")
    clock.press("ArrowRight")
    second.get_by_text("After tick 3, 2 of 6 hidden layers are there").wait_for()
    lab.screenshot(f"recurrences-{mode}", page)
    third.get_by_text("First mistake at symbol").first.wait_for()
    sentence = third.get_by_label("sentence", exact=True).first
    sentence.fill("3")
    page.keyboard.press("Tab")
    pairs = ("'kind': 'linear'", "'step': 625", "'end': 0.0", "'tick': 3", "'sentence': 3")
    told = lab.kernel_says(page, "print(x.value(), y.value(), z.value(), x.message, z.message)", *pairs)
    assert "'seed': 0" not in told
    lab.screenshot(f"mistakes-{mode}", page)
