"""The browser fixture itself: runs code, sees widgets, switches themes, notices what must not happen."""

import pytest
from playwright.sync_api import expect


def test_runs_a_scratch_notebook_and_drives_a_widget_both_ways(lab):
    page = lab.run(
        "import ipywidgets as ipw\nslider = ipw.IntSlider(value=3, max=10, description='step')\nslider",
        "import plotly.graph_objects as go\ngo.FigureWidget(go.Scatter(y=[1, 3, 2]))",
    )
    handle = lab.output(page, 0).locator(".noUi-handle")
    handle.focus()
    page.keyboard.press("ArrowUp")
    lab.output(page, 0).get_by_text("4", exact=True).wait_for()
    lab.kernel_says(page, "print(slider.value)", "4")
    lab.execute(page, "slider.value = 9")
    lab.output(page, 0).get_by_text("9", exact=True).wait_for()
    lab.output(page, 1).locator(".js-plotly-plot .scatterlayer path.js-line").wait_for()
    assert lab.screenshot("widgets", page).stat().st_size > 10_000


def test_an_anywidget_module_talks_to_the_kernel(lab):
    module = (
        "export default { render({ model, el }) { const button = document.createElement('button');"
        " const show = () => { button.textContent = `count ${model.get('count')}`; }; show();"
        " button.onclick = () => { model.set('count', model.get('count') + 1); model.save_changes(); };"
        " model.on('change:count', show); el.append(button); } }"
    )
    page = lab.run(
        "import anywidget, traitlets\n"
        "class Counter(anywidget.AnyWidget):\n"
        f"    _esm = {module!r}\n"
        "    count = traitlets.Int(0).tag(sync=True)\n"
        "counter = Counter()\ncounter"
    )
    lab.output(page, 0).get_by_role("button", name="count 0").click()
    lab.output(page, 0).get_by_role("button", name="count 1").wait_for()
    lab.kernel_says(page, "print(counter.count)", "1")


def test_themes_really_change_the_page(lab):
    page = lab.open(lab.scratch("1 + 1"), theme="dark")
    dark = page.evaluate("() => getComputedStyle(document.querySelector('.jp-Notebook')).backgroundColor")
    lab.theme(page, "light")
    expect(page.locator(".jp-Notebook")).not_to_have_css("background-color", dark)


def test_a_failing_cell_fails_the_run(lab):
    page = lab.open(lab.scratch("1 / 0"))
    with pytest.raises(AssertionError, match="ZeroDivisionError"):
        lab.run_all(page)
    lab.run_all(page, errors=True)


def test_the_kernel_lives_through_a_reload(lab):
    page = lab.run("kept = 41")
    lab.reload(page)
    assert lab.execute(page, "print(kept + 1)") == "42"


def test_console_errors_and_outside_requests_are_noticed(lab, tmp_path):
    bad = tmp_path / "page.html"
    bad.write_text("<script>console.error('loud');fetch('http://127.0.0.1:9/away').catch(() => 0)</script>")
    page = lab.html(bad)
    for _ in range(200):  # the second message is about the request that failed
        if not lab.outside or len(lab.console) < 2:
            page.wait_for_timeout(100)
    assert any("loud" in text for text in lab.console)
    assert lab.outside == ["http://127.0.0.1:9/away"]
    lab.ignore("loud", "127.0.0.1:9", "Failed to load")
    lab.outside.clear()
