"""Lesson 15 in a real JupyterLab: a line is written; a hand by mouse, touch and keys is kept, deleted."""

import re
from xml.etree import ElementTree

from playwright.sync_api import expect

WRITE = """
from lessons import penmanship
from widgets import handwriting, pad
preset = penmanship.PRESETS["ci"]
models = {name: penmanship.build(preset, seed) for seed, name in enumerate(["first", "second"])}
x = handwriting.write(models, "abc", seed=1)
x
"""


def test_a_line_is_written_played_and_saved(lab, tmp_path):
    page = lab.run(WRITE)
    shown = lab.output(page, 0).locator(".un-writing")
    shown.get_by_text("“abc” written in").wait_for()
    text = shown.get_by_label("text", exact=True)
    text.fill("déjà")
    text.press("Tab")
    shown.get_by_text("The pen does not know 'é'").wait_for()
    shown.get_by_text("“abc” written in").wait_for()
    text.fill("in time")
    text.press("Enter")
    shown.get_by_text("“in time” written in").wait_for()
    slider = shown.get_by_role("slider", name="step")
    last = int(slider.get_attribute("max"))
    slider.focus()
    page.keyboard.press("Home")
    shown.get_by_text(f"point 1 of {last + 1}").wait_for()
    page.keyboard.press("ArrowRight")
    shown.get_by_text(f"point 2 of {last + 1}").wait_for()
    expect(shown.locator(".un-paper")).to_have_attribute("aria-label", re.compile("point 2"))
    expect(shown.locator(".un-close canvas")).to_have_attribute("aria-label", re.compile("may fall"))
    page.keyboard.press(" ")  # plays
    shown.get_by_role("button", name="pause").wait_for()
    page.keyboard.press(" ")
    shown.get_by_role("button", name="play").wait_for()
    way = shown.locator(".un-way canvas")
    box = way.bounding_box()
    way.click(position={"x": box["width"] - 14, "y": 10})
    page.wait_for_function(
        "n => Number(document.querySelector('.un-writing [aria-label=step]').value) > n", arg=last - 8
    )
    expect(shown.locator(".un-letters")).to_have_attribute("aria-label", re.compile("The window reads"))
    bias = shown.get_by_role("slider", name="bias")
    bias.focus()
    page.keyboard.press("End")
    shown.get_by_text("Bias 5, seed 1.").wait_for()
    shown.get_by_role("button", name="write again").click()
    shown.get_by_text("Bias 5, seed 2.").wait_for()
    shown.get_by_label("go on from the hand of").select_option("print")
    shown.get_by_label("network").select_option("second")
    shown.get_by_text("Bias 5, seed 2.").wait_for()
    with page.expect_download() as saved:
        shown.get_by_role("button", name="save as SVG").click()
    saved.value.save_as(tmp_path / "line.svg")
    root = ElementTree.parse(tmp_path / "line.svg").getroot()
    assert root[0].text == "in time" and len(root[1]) > 0
    for shade in ("light", "dark"):
        lab.theme(page, shade)
        lab.screenshot(shade, page)
    lab.kernel_says(page, "print(x.text, x.network, x.hand, x.bias)", "in time second print 5.0")


def drag(page, sheet, points):
    """A stroke by mouse through places of the pad, in pixels from its corner."""
    box = sheet.bounding_box()
    (x, y), *rest = points
    page.mouse.move(box["x"] + x, box["y"] + y)
    page.mouse.down()
    for x, y in rest:
        page.mouse.move(box["x"] + x, box["y"] + y, steps=4)
    page.mouse.up()


def touch(page, sheet, points):
    """The same by finger, as Chromium's own input events."""
    box, session = sheet.bounding_box(), page.context.new_cdp_session(page)
    places = [[{"x": box["x"] + x, "y": box["y"] + y}] for x, y in points]
    for kind, place in [
        ("touchStart", places[0]),
        *(("touchMove", one) for one in places[1:]),
        ("touchEnd", []),
    ]:
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": place})


def test_a_hand_by_mouse_touch_and_keyboard_is_kept_and_deleted(lab, tmp_path):
    cell = f"from widgets import pad\np = pad.pad({str(tmp_path)!r})\np"
    page = lab.run(cell)
    shown = lab.output(page, 0).locator(".un-pad")
    sheet = shown.locator(".un-sheet")
    sheet.scroll_into_view_if_needed()
    drag(page, sheet, [(60, 100), (90, 150), (120, 100)])
    shown.get_by_text("1 stroke,").wait_for()
    touch(page, sheet, [(160, 100), (180, 130), (200, 150)])
    shown.get_by_text("2 strokes,").wait_for()
    sheet.focus()
    for key in (" ", "ArrowRight", "ArrowUp", "ArrowRight", " "):
        page.keyboard.press(key)
    shown.get_by_text("3 strokes,").wait_for()
    shown.get_by_role("button", name="undo").click()
    shown.get_by_text("2 strokes,").wait_for()
    shown.get_by_label("it says").fill("vi")
    shown.get_by_label("name", exact=True).fill("../me")
    shown.get_by_role("button", name="save").click()
    shown.get_by_text("A name has 1 to 40").wait_for()
    shown.get_by_label("name", exact=True).fill("me")
    shown.get_by_role("button", name="save").click()
    shown.get_by_text("Kept as 'me'").wait_for()
    with page.expect_download() as exported:
        shown.get_by_role("button", name="export").click()
    assert exported.value.suggested_filename == "me.json"
    lab.screenshot("pad", page)
    lab.reload(page)
    lab.execute(page, cell)
    again = page.locator(".un-pad").last
    again.get_by_text("Write a word between the lines").wait_for()
    again.get_by_role("button", name="open").click()
    again.get_by_text("2 strokes,").wait_for()
    expect(again.get_by_label("it says")).to_have_value("vi")
    again.get_by_role("button", name="delete").click()
    again.get_by_text("Deleted 'me'").wait_for()
    assert not list(tmp_path.iterdir())
