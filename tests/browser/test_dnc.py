"""Lesson 18's debugger in a real JupyterLab, by mouse and keyboard, over a reload and without a kernel."""

from playwright.sync_api import expect

CELL = """
from lessons import dnc_training
from widgets import dnc, export
sizes = dnc_training.PRESETS["ci"].but(task="sentences", shortest=2, read_heads=2)
machine = dnc_training.prepare(sizes).model.eval()
x = dnc.debugger(machine, "sentences", size=4, largest=6)
x
"""
CHANGES = ["nothing", "emptied"]


def test_scrub_choose_change_and_reload(lab):
    page = lab.run(CELL)
    seen = lab.output(page, 0)
    seen.get_by_text("Step 2, ").wait_for()
    seen.get_by_role("slider", name="time step").focus()
    page.keyboard.press("ArrowRight")
    seen.get_by_text("Step 3, ").wait_for()
    seen.get_by_label("reading head").select_option("head 1")
    seen.get_by_text("where head 1 reads").wait_for()
    seen.get_by_label("change", exact=True).select_option("empty the slot after the step")
    seen.get_by_text("emptied after step 1").wait_for()
    slot = seen.get_by_label("slot", exact=True)
    slot.fill("5")
    slot.press("Tab")
    seen.get_by_text("With slot 5 emptied").wait_for()
    slot.fill("99")
    slot.press("Tab")
    seen.get_by_text("With slot 7 emptied").wait_for()  # the last one there is
    weights = seen.locator(".js-plotly-plot .nsewdrag[data-subplot='xy3']")
    lab.click_plot(weights, {"x": 12, "y": 8}, seen.get_by_text("With slot 0 emptied after step 0"))
    for shade in ("light", "dark"):
        lab.theme(page, shade)
        lab.screenshot(shade, page)
    lab.reload(page)
    seen = lab.output(page, 0)
    seen.get_by_text("With slot 0 emptied after step 0").wait_for()
    seen.get_by_role("slider", name="statements").focus()
    page.keyboard.press("ArrowRight")
    seen.get_by_text("of 3 answers are right").wait_for()
    lab.kernel_says(page, "print(x.value())", "'size': 5", "'slot': 0")


def test_a_page_needs_no_kernel(lab, tmp_path):
    path = tmp_path / "debugger.html"
    sweep = f"dict(step=range(6), size=[4], seed=[0], head=[0], change={CHANGES}, slot=[1], at=[1])"
    page = lab.run(CELL, f"print(export.page(x, {str(path)!r}, sweep={sweep}).name)")
    expect(lab.output(page, 1)).to_contain_text("debugger.html")
    alone = lab.html(path)
    alone.get_by_text("Step 2, ").wait_for()
    alone.get_by_role("slider", name="time step").focus()
    alone.keyboard.press("End")
    alone.get_by_text("Step 5, ").wait_for()
    alone.get_by_label("change", exact=True).select_option("empty the slot after the step")
    alone.get_by_text("With slot 1 emptied after step 1").wait_for()
    alone.get_by_text("what the slots hold after step 5").wait_for()
    lab.screenshot("page", alone)
