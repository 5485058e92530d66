"""Lesson 19 in a browser: the front door in JupyterLab, and pages of a learner's own models from a disk."""

import re

import pytest
import torch
from playwright.sync_api import expect

from lessons import CharModel, capstone
from lessons.vocabulary import Vocabulary
from widgets import export

NUMBERS = "day,height\n" + "\n".join(f"{k},{(k % 12) ** 1.5:.2f}" for k in range(260))


def words(locator, text):
    expect(locator).to_contain_text(text, timeout=15_000)


def test_the_front_door_takes_trains_opens_and_saves(lab, tmp_path):
    page = lab.run(f"from widgets import capstone\nd = capstone.door({str(tmp_path)!r})\nd")
    door = lab.output(page, 0).locator(".un-door")
    door.get_by_role("button", name="take the sample").wait_for()
    expect(door.get_by_role("button", name="train")).to_be_disabled()
    door.get_by_label("your file").set_input_files(
        {"name": "bad.csv", "mimeType": "text/csv", "buffer": b"a,b\n1,2\n"}
    )
    words(door.locator(".un-message"), "'bad.csv' has 1 values, too few")
    door.get_by_label("your file").set_input_files(
        {"name": "big.txt", "mimeType": "text/plain", "buffer": b"x" * 21_000_000}
    )
    words(door.locator(".un-message"), "'big.txt' has 21.0 MB; use a part of it, at most 20 MB.")
    door.get_by_label("your file").set_input_files(
        {"name": "heights.csv", "mimeType": "text/csv", "buffer": NUMBERS.encode()}
    )
    words(door.locator(".un-read").first, "'heights.csv' is numbers: 260 values of 'height'")
    door.get_by_role("combobox", name="cell", exact=True).select_option("gru")
    door.get_by_label("units").fill("0")
    door.get_by_label("units").press("Tab")
    words(door.locator(".un-message"), "from 1 to 512")
    train = door.get_by_role("button", name="train")
    train.focus()
    page.keyboard.press("Enter")
    words(door.locator(".un-read").last, "than the best simple guess")
    lab.output(page, 0).locator(".un-live .un-curve path").first.wait_for(state="attached")
    for shade in ("light", "dark"):
        lab.theme(page, shade)
        lab.screenshot(shade, page)
    door.get_by_role("button", name="open it").click()
    words(lab.output(page, 0).locator(".un-forecast .un-sentence").first, "nine of ten lie between")
    with page.expect_download() as saved:
        door.get_by_role("button", name="save as a page").click()
    assert saved.value.suggested_filename == "heights_csv.html"
    words(door.locator(".un-message"), "Saved as heights_csv.html")
    assert (tmp_path / "heights_csv.html").stat().st_size > 50_000
    door.get_by_label("text, numbers or tunes to paste").fill("<img src=x onerror=window.hit=1>\n" * 400)
    door.get_by_role("button", name="read it").click()
    words(door.locator(".un-read").first, "is text:")
    assert page.evaluate("() => window.hit === undefined")


def test_a_training_in_the_door_is_stopped_and_another_begun(lab, tmp_path):
    page = lab.run(f"from widgets import capstone\nd = capstone.door({str(tmp_path)!r})\nd")
    cell = lab.output(page, 0)
    door = cell.locator(".un-door")
    door.get_by_role("button", name="take the sample").click()
    words(door.locator(".un-read").first, "'tides' is numbers")
    for steps, end in (("20000", "stopped after"), ("12", "finished after 12 steps")):
        door.get_by_label("steps").fill(steps)
        door.get_by_label("steps").press("Tab")
        door.get_by_role("button", name="train").click()
        if steps == "20000":
            cell.get_by_role("button", name="stop the training").click()
        words(door.locator(".un-read").last, end)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Pages of small models that have learnt next to nothing: what they draw does not matter here."""
    folder = tmp_path_factory.mktemp("pages")
    for name, cell in (("tides", "lstm"), ("pen", "gru")):
        mine = capstone.bring(name)
        export.live_page(mine.model(cell, 12, seed=1), folder / f"{name}.html", mine)
    torch.manual_seed(0)
    model = CharModel(Vocabulary(tuple("\n abcdefgh")), "rnn", 12, embedding_size=6)
    export.live_page(model, folder / "text.html", "a bad cab\n")
    return folder


def test_a_forecast_from_a_disk_follows_a_dragged_value_and_a_held_gate(lab, folder):
    page = lab.html(folder / "tides.html")
    told, chart = page.locator(".un-forecast .un-sentence").first, page.locator(".un-forecast canvas").first
    words(told, "nine of ten lie between")
    first = told.text_content()
    chart.focus()
    for _ in range(4):
        page.keyboard.press("ArrowUp")
    expect(told).not_to_have_text(first)
    page.keyboard.press("ArrowLeft")
    expect(chart).to_have_attribute("aria-label", re.compile("the value 1 steps before now"))
    page.get_by_role("button", name="reset").click()
    page.get_by_label("look at").select_option("f")
    hold = page.get_by_label("hold this unit's signal")
    hold.check()
    words(page.locator(".un-forecast .un-asking .un-sentence"), "It is held at 1.00")
    box = chart.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.84, box["y"] + 100)
    lab.screenshot("forecast", page, full_page=True)
    page.get_by_role("slider", name="steps ahead").focus()
    page.keyboard.press("End")
    words(told, "60 steps ahead")


def test_a_sketch_from_a_disk_goes_on_from_a_stroke_of_the_readers(lab, folder):
    page = lab.html(folder / "pen.html")
    told, sheet = page.locator(".un-sketch .un-sentence").first, page.locator(".un-sheet")
    words(told, "160 drawn by the network")
    page.get_by_role("button", name="clear").click()
    words(told, "0 points given, 0 drawn")
    box = sheet.bounding_box()
    page.mouse.move(box["x"] + 40, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 160, box["y"] + 110, steps=6)
    page.mouse.up()
    expect(told).not_to_contain_text("0 points given")
    page.get_by_role("button", name="100 points").click()
    words(told, "100 drawn by the network")
    sheet.focus()
    for key in (" ", "ArrowRight", "ArrowRight", "ArrowUp", " "):
        page.keyboard.press(key)
    page.get_by_role("button", name="undo").click()
    page.get_by_role("button", name="go on").click()
    page.get_by_role("button", name="pause").click()
    lab.screenshot("sketch", page, full_page=True)
    page.get_by_role("button", name="the beginning").click()
    words(told, "0 drawn by the network")


def test_a_text_page_from_a_disk_opens_what_its_die_has_rolled(lab, folder):
    page = lab.html(folder / "text.html")
    box = page.get_by_label("text to read")
    expect(box).to_have_value("a bad cab\n")
    page.get_by_role("button", name="roll the die for one character").click()
    expect(box).not_to_have_value("a bad cab\n")
    page.locator(".un-passage").focus()
    page.keyboard.press("b")
    expect(page.locator(".un-passage .un-last")).to_have_text("b")
    page.wait_for_function("() => document.querySelector('.un-microscope .un-text').value.endsWith('b')")
    page.get_by_role("button", name="dark theme").click()
    page.locator(".un-die.dark").wait_for()
    page.locator(".un-microscope.dark").wait_for()
    lab.screenshot("text", page, full_page=True)
