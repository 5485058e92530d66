"""Lesson 20's pictures in a real JupyterLab: step through three networks, empty a slot, change a unit."""

import re

from playwright.sync_api import expect

CELL = """
import torch
from lessons import CharModel, trace, what_came_next
from lessons.vocabulary import Vocabulary
from widgets import export, gates, matrix_memory
from widgets import what_came_next as cells
torch.manual_seed(0)
letters = Vocabulary(tuple("to be,rn"))
models = {name: CharModel(letters, cell, 8, 2, 6) for name, cell in what_came_next.BESIDE.items()}
traces = {name: trace(model, "to be, or not to be") for name, model in models.items()}
beside = cells.beside(traces)
beside
"""
MEMORY = """
pairs = what_came_next.PAIRS["ci"]
recalling = what_came_next.recalling(pairs).model.eval()
tape = matrix_memory.recalled(recalling, pairs)
tape
"""
GATES = """
one = gates.explore(traces["selective"], name="d")
one
"""


def test_step_through_three_networks_empty_a_slot_and_choose_a_unit(lab, tmp_path):
    export = f"print(export.page(beside, {str(tmp_path / 'cells.html')!r}).name)"
    page = lab.run(CELL, MEMORY, GATES, export)
    beside, tape, one = (lab.output(page, k) for k in range(3))

    beside.get_by_text("Kept at step 0, “t”").wait_for()
    beside.get_by_role("slider", name="time step").focus()
    page.keyboard.press("ArrowRight")
    beside.get_by_text("Kept at step 1, “o”").wait_for()
    beside.get_by_label("layer").select_option("0")
    expect(beside.get_by_text(re.compile("selective [01]\\."))).not_to_have_count(0)

    tape.get_by_label("change").select_option("empty the slot")
    tape.get_by_text("emptied after step 3").wait_for()
    slot = tape.get_by_label("slot", exact=True)
    slot.fill("2")
    slot.press("Tab")
    tape.get_by_text("With slot 2 emptied").wait_for()

    unit = one.get_by_label("unit", exact=True)
    unit.fill("3")
    unit.press("Tab")
    one.get_by_text("Its forget gate stays above 0.9").wait_for()
    for shade in ("light", "dark"):
        lab.theme(page, shade)
        lab.screenshot(shade, page)
    lab.kernel_says(page, "print(beside.value())", "'layer': 0")

    alone = lab.html(tmp_path / "cells.html")
    alone.get_by_role("slider", name="time step").focus()
    alone.keyboard.press("ArrowRight")
    alone.get_by_text("Kept at step 1, “o”").wait_for()
