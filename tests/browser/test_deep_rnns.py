"""Lesson 10's pictures in a real JupyterLab: every control by mouse or key, clicks on maps, both themes."""

import re

SET_UP = (
    "from lessons import corpora, deep_rnns, depth_study, time_scales, trace\n"
    "from widgets import deep_rnns as pictures\n"
    "plays = corpora.load('pydoc', quiet=True)\n"
    "preset = depth_study.preset('ci')\n"
    "model = deep_rnns.build(plays.vocabulary, deep_rnns.preset('ci'), 0).eval()\n"
    "text = plays.train[:40]\n"
    "x = pictures.stack()\nx"
)


def test_stack_states_and_changes(lab):
    page = lab.run(
        SET_UP,
        "seen = pictures.states(trace(model, text))\nseen",
        "moved = pictures.changes(model, text, place=5, letter='~')\nmoved",
    )
    drawn, states, changes = (lab.output(page, k) for k in range(3))
    drawn.locator(".js-plotly-plot .shapelayer path").first.wait_for()
    drawn.get_by_role("slider", name="layers").focus()
    page.keyboard.press("ArrowRight")
    drawn.get_by_text("9 cells: 6 along the bottom and 3 up").wait_for()
    drawn.get_by_label("residual connections").check()
    drawn.get_by_text("6 cells: the bypasses add nothing for the 4 layers").wait_for()
    drawn.get_by_label("layer norm").check()
    drawn.get_by_role("slider", name="read at step").focus()
    page.keyboard.press("End")
    drawn.get_by_text("1 cell: the bypasses").wait_for()
    drawn.get_by_label("answers").select_option("at every step")
    drawn.locator(".annotation-text", has_text="return_sequences=True").nth(3).wait_for()
    lab.screenshot("stack", page)

    states.locator(".js-plotly-plot .heatmaplayer image").nth(2).wait_for()
    states.get_by_role("slider", name="time step").focus()
    page.keyboard.press("ArrowRight")
    states.get_by_text("Step 1,").first.wait_for()
    chosen = states.get_by_text("h of unit").first
    lab.click_plot(states.locator(".js-plotly-plot .nsewdrag").first, {"x": 200, "y": 30}, chosen)
    states.locator(".js-plotly-plot .scatterlayer path.js-line").nth(2).wait_for()
    lab.screenshot("states", page)

    changes.locator(".js-plotly-plot .heatmaplayer image").first.wait_for()
    another = changes.get_by_text(re.compile(r"At place (?!5 )\d+ stands")).first
    lab.click_plot(changes.locator(".js-plotly-plot .nsewdrag").last, {"x": 300, "y": 20}, another)
    changes.get_by_label("scale").select_option("logarithmic")
    letter = changes.get_by_label("character to put there")
    letter.fill("ab")
    page.keyboard.press("Enter")
    changes.get_by_text("Put one character").wait_for()
    letter.fill("q")
    page.keyboard.press("Enter")
    changes.get_by_text("stands “q”").first.wait_for()
    lab.theme(page, "dark")
    lab.screenshot("changes", page)
    lab.kernel_says(page, "print(moved.value())", "'letter': 'q', 'scale': 'log'")


def test_scales_bottom_and_comparison(lab):
    page = lab.run(
        SET_UP,
        "curves = time_scales.curves(model, plays.train[:3000], 20, 20)\n"
        "slow = pictures.scales(curves, curves)\nslow",
        "low = pictures.bottom(plays.vocabulary, text, preset)\nlow",
        "done = depth_study.compare(plays, preset, [depth_study.Entrant(1), depth_study.Entrant(2, True)])\n"
        "race = pictures.compare(done)\nrace",
    )
    slow, low, race = (lab.output(page, k) for k in (1, 2, 3))
    slow.locator(".js-plotly-plot .scatterlayer path.js-line").first.wait_for()
    slow.get_by_label("measure").select_option("changed character")
    slow.get_by_text("fallen to a tenth of its peak").first.wait_for()
    slow.get_by_label("stack").select_option("untrained")
    low.locator(".js-plotly-plot .scatterlayer path.js-line").nth(3).wait_for()
    low.get_by_label("cell").select_option("tanh RNN")
    race.locator(".js-plotly-plot .scatterlayer path.js-line").first.wait_for()
    race.get_by_label("show").select_option("gradient at the bottom")
    race.get_by_label("over").select_option("seconds")
    lab.kernel_says(page, "print(race.value())", "'shown': 'bottom', 'over': 'seconds'")
    lab.kernel_says(page, "print(low.value())", "'cell': 'rnn'")
    lab.kernel_says(page, "print(slow.value())", "untrained")
    lab.screenshot("depth", page)
