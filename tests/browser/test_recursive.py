"""Lesson 16's tree in a real JupyterLab: walked through, changed, closed; what is no tree is refused."""

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

SET_UP = (
    "from lessons import tree_study\n"
    "from widgets import export\n"
    "from widgets import recursive as pictures\n"
    "preset = tree_study.preset('ci')\n"
    "lists = pictures.tree(tree_study.prepare(preset), '[MAX 2 [MED 9 1 4] [SM 7 8]]')\n"
    "lists"
)


def test_a_tree_is_walked_through_changed_and_closed(lab):
    page = lab.run(SET_UP)
    tree = lab.output(page, 0).locator(".un-tree")
    nodes = tree.get_by_role("treeitem")
    nodes.nth(8).wait_for()
    nodes.first.click()
    nodes.first.focus()
    for key in ("ArrowDown", "ArrowRight", "ArrowDown"):
        page.keyboard.press(key)
    tree.get_by_text("chosen: 9").wait_for()
    page.keyboard.press("ArrowUp")
    tree.get_by_text("chosen: MED").wait_for()
    expect(tree.locator("[aria-selected=true]")).to_have_attribute("aria-expanded", "true")

    tree.get_by_label("change it to").select_option("MIN")
    tree.get_by_text("The change reached 2 of 9 states").wait_for()
    expect(tree.locator("g.un-tree-moved")).to_have_count(2)
    expect(tree.get_by_label("text to read as a tree")).to_have_value("[MAX 2 [MIN 9 1 4] [SM 7 8]]")
    lab.screenshot("changed", page)

    tree.locator("[aria-selected=true]").focus()
    page.keyboard.press("Enter")
    tree.get_by_text("+ 3", exact=True).wait_for()
    expect(nodes).to_have_count(6)
    page.keyboard.press(" ")
    nodes.nth(8).wait_for()

    box = tree.get_by_label("text to read as a tree")
    for text, words in {
        "[MAX 2": "A [ is never closed",
        "[MAX 2 <img src=x onerror=alert(1)>]": "'<img' is no word of ListOps",
        "[MAX " + "[MIN 1 2] " * 13 + "]": "MAX has 13 arguments",
    }.items():
        box.fill(text)
        page.keyboard.press("Enter")
        tree.get_by_role("alert").get_by_text(words).wait_for()
        expect(nodes).to_have_count(9)
        expect(tree.locator("img")).to_have_count(0)
    box.fill("[SM 4 5]")
    tree.get_by_role("button", name="read the text").click()
    tree.get_by_text("chosen: SM").wait_for()
    expect(nodes).to_have_count(3)
    expect(tree.get_by_role("alert")).to_have_text("")
    lab.kernel_says(page, "print(lists.text, lists.node)", "[SM 4 5] 0")
    tree.get_by_role("button", name="start again").click()
    nodes.nth(8).wait_for()
    tree.get_by_text("In words").click()
    tree.get_by_text("8 nodes below the root").wait_for()


def test_a_not_is_flipped_in_the_dark_and_a_page_needs_no_kernel(lab, tmp_path):
    page = lab.run(
        SET_UP,
        "study = tree_study.prepare(preset.but(task='logic', every=False))\n"
        "pairs = pictures.tree(study, '(a and b) ? a')\npairs",
        f"print(export.page(pairs, {str(tmp_path / 'tree.html')!r}).name)",
    )
    lab.theme(page, "dark")
    tree = lab.output(page, 1).locator(".un-tree")
    nodes = tree.get_by_role("treeitem")
    nodes.nth(1).click()
    tree.get_by_role("button", name="put a not over this node").click()
    tree.get_by_text("The change reached 2 of 6 states").wait_for()
    expect(tree).to_have_css("background-color", "rgb(26, 29, 33)")
    lab.kernel_says(page, "print(pairs.text)", "not (a and b) ? a")
    lab.screenshot("flipped", page)
    tree.get_by_role("button", name="put a not over this node").click()
    nodes.nth(4).wait_for()
    nodes.nth(5).wait_for(state="detached")

    alone = lab.html(tmp_path / "tree.html")
    nodes = alone.get_by_role("treeitem")
    nodes.first.focus()
    alone.keyboard.press("ArrowDown")
    alone.get_by_text("chosen: and").wait_for()
    alone.keyboard.press("Enter")
    alone.get_by_text("+ 2", exact=True).wait_for()
    alone.get_by_role("button", name="read the text").click()
    alone.get_by_text("This page holds one change of this tree at a time").wait_for()
    expect(nodes).to_have_count(3)
