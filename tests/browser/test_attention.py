"""Lesson 12's pictures in a real JupyterLab: type, step, click, look elsewhere, by mouse and keyboard."""

CELL = """
import torch
from lessons import seq2seq
from lessons.tokens import Characters
from widgets import attention as pictures, gnmt
torch.manual_seed(0)
make = lambda kind: seq2seq.Seq2Seq(Characters("abcd"), Characters("wxyz"), hidden_size=16, attention=kind)
x = pictures.translations({"general": make("general"), "dot": make("dot")}, "abca")
x
"""
DRAWN = """
torch.manual_seed(8)  # an untrained network that writes more than nothing
model = seq2seq.gnmt(Characters("abcd"), Characters("wxyz"), hidden_size=8, num_layers=3)
y = gnmt.network(model, "abca")
y
"""


def test_type_step_click_and_look_elsewhere(lab):
    page = lab.run(CELL, DRAWN)
    first, second = (lab.output(page, k) for k in range(2))
    first.locator(".js-plotly-plot .heatmaplayer image").first.wait_for()
    source = first.get_by_label("source", exact=True)
    source.fill("ab!")
    source.press("Enter")
    first.get_by_text("never seen '!'").wait_for()
    source.fill("dcba")
    source.press("Enter")
    first.get_by_text("Step 0 of").wait_for()
    first.get_by_role("slider", name="decoder step").focus()
    page.keyboard.press("ArrowRight")
    first.get_by_text("Step 1 of").wait_for()
    first.get_by_label("change").select_option("shut the place out")
    first.get_by_text("“d”, place 0, shut out").wait_for()
    place = first.get_by_label("source place")
    place.fill("2")
    place.press("Tab")
    first.get_by_text("“b”, place 2, shut out").wait_for()
    first.get_by_label("change").select_option("set the place's weight")
    first.get_by_text("“b”, place 2, at weight 1.00").wait_for()
    first.get_by_label("at every step").check()
    first.get_by_label("network").select_option("dot")
    first.get_by_text("“b”, place 2, at weight 1.00").wait_for()
    drawn = first.locator(".js-plotly-plot .nsewdrag[data-subplot='xy']")
    lab.click_plot(drawn, {"x": 30, "y": 6}, first.get_by_text("“d”, place 0"))
    second.get_by_role("slider", name="decoder step").focus()
    page.keyboard.press("ArrowRight")
    second.get_by_text("Step 1 of").wait_for()
    for shade in ("light", "dark"):
        lab.theme(page, shade)
        lab.screenshot(shade, page)
    lab.kernel_says(page, "print(x.value())", "'step': 0")
