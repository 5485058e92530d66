"""The unrolled network in a real JupyterLab: step by key, turn round, type a word."""

from playwright.sync_api import expect


def test_step_turn_and_type(lab):
    page = lab.run(
        "from lessons import recurrence as lesson\n"
        "from widgets import recurrence as pictures\n"
        "x = pictures.step_through(lesson.small_network())\nx",
        "y = pictures.follow(lesson.plane(lesson.prepare(lesson.preset('ci')), 40))\ny",
    )
    first, second = lab.output(page, 0), lab.output(page, 1)
    first.locator(".js-plotly-plot .heatmaplayer image").first.wait_for()
    first.get_by_role("slider", name="step").focus()
    page.keyboard.press("ArrowRight")
    first.get_by_text("After “EXa”").wait_for()
    first.get_by_label("way").select_option("backward")
    first.get_by_text("At step 3 dL/dh has length").wait_for()
    word = first.get_by_label("word")
    word.fill("EYB")
    word.press("Enter")
    first.get_by_text("What step 3 adds to dL/dW_hh").wait_for()
    expect(first.locator(".jp-OutputArea-output[data-mime-type*=stderr]")).to_have_count(0)
    second.locator(".js-plotly-plot .scatterlayer .points path").first.wait_for()
    second.get_by_role("slider", name="time step").focus()
    page.keyboard.press("Home")
    second.get_by_text("At step 0").wait_for()
    lab.screenshot("recurrence", page)
    lab.kernel_says(page, "print(x.value())", "'word': 'EYB'")
