"""Lesson 17's pictures in a real JupyterLab: step, drag, click and change a slot, by mouse and keyboard."""

CELL = """
from lessons import memory_training
from widgets import addressing, memory_tape, ntm
sizes = memory_training.PRESETS["ci"].but(slots=16)
machine = memory_training.prepare(sizes).model.eval()
x = addressing.taken_apart(machine, length=4)
x
"""
TAPE = """
y = memory_tape.tape(machine, length=4)
y
"""
BEYOND = """
plain = memory_training.build(sizes.but(network="lstm"))
z = ntm.beyond({"machine": machine, "LSTM": plain}, sizes, (2, 4, 8))
z
"""


def test_step_drag_click_and_change_a_slot(lab):
    page = lab.run(CELL, TAPE, BEYOND)
    apart, tape, beyond = (lab.output(page, k) for k in range(3))

    apart.get_by_text("Step 2, write head").wait_for()
    apart.get_by_label("head", exact=True).select_option("read")
    apart.get_by_text("Step 2, read head").wait_for()
    apart.get_by_role("slider", name="time step").focus()
    page.keyboard.press("ArrowRight")
    apart.get_by_text("Step 3, read head").wait_for()
    gate = apart.get_by_role("slider", name="gate g")
    gate.focus()
    page.keyboard.press("Home")
    apart.get_by_text("g 0.00").wait_for()
    apart.get_by_text("By itself the machine").wait_for()
    apart.get_by_label("head", exact=True).select_option("write")
    apart.get_by_text("Step 3, write head").wait_for()
    apart.get_by_text("By content alone").wait_for()
    key = apart.get_by_label("key: as in slot", exact=True)
    key.fill("3")
    key.press("Tab")
    apart.get_by_text("By itself the machine").wait_for()

    tape.get_by_label("change").select_option("empty the slot")
    tape.get_by_text("emptied after step 5").wait_for()
    slot = tape.get_by_label("slot", exact=True)
    slot.fill("7")
    slot.press("Tab")
    tape.get_by_text("With slot 7 emptied").wait_for()
    slot.fill("99")
    slot.press("Tab")
    drawn = tape.locator(".js-plotly-plot .nsewdrag[data-subplot='xy2']")
    lab.click_plot(drawn, {"x": 15, "y": 60}, tape.get_by_text("after step 0,"))
    tape.get_by_role("slider", name="time step").focus()
    page.keyboard.press("Home")
    tape.get_by_text("Step 0: the read head").wait_for()

    beyond.get_by_role("slider", name="vectors to copy").focus()
    page.keyboard.press("ArrowLeft")
    beyond.get_by_text("7 vectors, 1.8 times the longest of training").wait_for()
    for shade in ("light", "dark"):
        lab.theme(page, shade)
        lab.screenshot(shade, page)
    lab.kernel_says(page, "print(x.value())", "'step': 3")
