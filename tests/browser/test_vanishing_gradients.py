"""The gradient pictures in a real JupyterLab: step through time, switch networks, drag the radius."""


def test_step_switch_and_radius(lab):
    page = lab.run(
        "from lessons import vanishing_gradients as lesson\n"
        "from widgets import vanishing_gradients as pictures\n"
        "networks = lesson.networks(lesson.preset('ci'))\n"
        "decays = lesson.decays(networks)\n"
        "x = pictures.explore(decays, decays)\nx",
        "y = pictures.radius(networks)\ny",
    )
    first, second = lab.output(page, 0), lab.output(page, 1)
    first.locator(".js-plotly-plot .scatterlayer path.js-line").first.wait_for()
    slider = first.get_by_role("slider", name="time step")
    slider.focus()
    page.keyboard.press("ArrowLeft")
    first.get_by_text("Step 9, 10 before the last").wait_for()
    first.get_by_label("networks").select_option("untrained")
    second.locator(".js-plotly-plot .scatterlayer path.js-line").first.wait_for()
    second.get_by_label("network").select_option("identity RNN")
    second.get_by_role("slider", name="spectral radius").focus()
    page.keyboard.press("ArrowRight")
    second.get_by_text("identity RNN with radius 1.05").wait_for()
    lab.screenshot("gradients", page)
    lab.kernel_says(page, "print(x.value())", "'stage': 'untrained'")
