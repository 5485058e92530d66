"""The single unit in a real JupyterLab: its gates on sliders, by key and by typing."""


def test_gates_are_set_by_slider_and_number(lab):
    page = lab.run("from widgets import gru", "x = gru.unit()\nx")
    page.locator(".js-plotly-plot .scatterlayer path.js-line").first.wait_for()
    slider = page.get_by_role("slider", name="update gate z")
    slider.focus()
    page.keyboard.press("ArrowLeft")
    page.get_by_text("z = 0.85 alone").wait_for()
    page.get_by_role("spinbutton", name="reset gate r, typed").fill("1")
    page.keyboard.press("Tab")
    page.get_by_text("With r = 1.00").wait_for()
    lab.screenshot("unit", page)
    lab.kernel_says(page, "print(x.value())", "'z': 0.85, 'r': 1.0")
