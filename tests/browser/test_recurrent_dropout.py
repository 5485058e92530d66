"""The mask theatre in a real JupyterLab: every control by key and by mouse, evaluation shown to be off."""

from playwright.sync_api import expect


def test_every_control_of_the_theatre(lab):
    page = lab.run("from widgets import recurrent_dropout as pictures\nx = pictures.theatre()\nx")
    page.locator(".js-plotly-plot .heatmaplayer image").first.wait_for()
    page.get_by_label("kind").select_option("state, new each step")
    page.get_by_role("heading", name="State, new each step").wait_for()
    page.get_by_role("slider", name="rate p").focus()
    page.keyboard.press("ArrowRight")
    page.get_by_text("p = 0.35 leaves").wait_for()
    page.get_by_role("spinbutton", name="steps T, typed").fill("30")
    page.keyboard.press("Tab")
    page.get_by_text("After 29 steps").wait_for()
    page.get_by_role("slider", name="roll", exact=True).click()
    page.get_by_label("layer").select_option("upper")
    lab.screenshot("theatre", page)
    page.get_by_label("training").uncheck()
    page.get_by_text("Evaluation: state, new each step drops nothing").wait_for()
    lab.screenshot("evaluation", page)
    page.get_by_label("kind").select_option("zoneout")
    page.get_by_text("Evaluation: zoneout mixes old and new").wait_for()
    wanted = ("'p': 0.35", "'steps': 30", "'layer': 1", "'training': False")
    assert "'seed': 0" not in lab.kernel_says(page, "print(x.value(), x.message)", *wanted)


def test_all_kinds_side_by_side(lab):
    page = lab.run(
        "from widgets import recurrent_dropout as pictures\ny = pictures.explore()\ny", theme="dark"
    )
    expect(page.locator(".js-plotly-plot .heatmaplayer image")).to_have_count(9)
    page.get_by_role("slider", name="roll", exact=True).focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    page.get_by_role("slider", name="rate p").focus()
    page.keyboard.press("Home")
    page.get_by_text("At p = 0.00 the mask stays the same over all 24 steps for 9 of 9 kinds").wait_for()
    lab.screenshot("kinds", page)
    lab.kernel_says(page, "print(y.value())", "'p': 0.0, 'seed': 3")
