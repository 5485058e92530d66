"""The song book in a real JupyterLab: it writes, draws and sounds, by mouse and keyboard; nothing is run."""

import re

import pytest
from playwright.sync_api import expect

BOOK = "from widgets import songs as pictures\nbook = pictures.book(songs.pretrained(), seed=3)\nbook"
PICTURE = (
    "() => { const i = document.querySelector('.un-score'); return i.complete && i.naturalWidth > 100; }"
)
WIDE = "() => document.querySelector('.un-roll').getBoundingClientRect().width > 600"
SOUNDS = "() => document.querySelector('.un-audio').currentTime > 0.3"


@pytest.fixture
def page(lab):
    page = lab.run("from lessons import songs", BOOK)
    page.locator(".un-note").first.wait_for()
    return page


def test_a_tune_is_heard_and_the_note_that_sounds_is_marked(lab, page):
    page.wait_for_function(PICTURE)
    page.locator(".un-roll").focus()
    page.keyboard.press(" ")
    page.wait_for_function(SOUNDS)
    page.locator(".un-note.now").first.wait_for(state="attached")
    page.locator(".un-readout-line", has_text="bar ").wait_for()
    page.keyboard.press(" ")
    page.wait_for_function("() => document.querySelector('.un-audio').paused")
    page.keyboard.press("Home")
    page.wait_for_function("() => document.querySelector('.un-audio').currentTime < 0.01")
    page.keyboard.press("ArrowRight")
    page.wait_for_function("() => document.querySelector('.un-audio').currentTime > 0.01")
    lab.screenshot("light", page)
    lab.theme(page, "dark")
    page.locator(".un-songbook.dark").wait_for()
    page.wait_for_function(WIDE)
    lab.screenshot("dark", page)


def test_it_writes_in_the_key_that_was_chosen_and_goes_on_from_the_box(lab, page):
    page.locator(".un-label", has_text="key").locator("select").select_option("Am")
    page.locator(".un-label", has_text="dance").locator("select").select_option("reel")
    page.locator(".un-label", has_text="metre").locator("select").select_option("C|")
    page.get_by_role("button", name="write a tune").click()
    box = page.get_by_role("textbox", name="the tune in ABC notation")
    page.wait_for_function("() => document.querySelector('.un-songbook textarea').value.includes('K:Am')")
    expect(box).to_have_value(re.compile(r"^R:reel\nM:C\|\nL:1/8\nK:Am\n"))
    mine = "R:jig\nM:6/8\nL:1/8\nK:G\n|:G2B d2B|"
    box.fill(mine)
    page.get_by_role("button", name="go on from the box").click()
    page.wait_for_function("() => document.querySelector('.un-songbook textarea').value.length > 60")
    expect(box).to_have_value(re.compile("^" + re.escape(mine)))


def test_bad_abc_gets_one_sentence_and_hostile_abc_does_nothing(lab, page):
    box = page.get_by_role("textbox", name="the tune in ABC notation")
    before = page.locator(".un-note").count()
    box.fill("K:H\nABc")
    page.get_by_role("button", name="read the box").click()
    page.locator(".un-message", has_text="is no key").wait_for()
    expect(page.locator(".un-note")).to_have_count(before)
    hostile = (
        "X:1\nT:<script>window.hit = 1</script><img src=x onerror='window.hit = 1'>\n%%beginsvg\n"
        '%%abc-include /etc/passwd\nK:D\n"<svg onload=window.hit=1>"A2 B2|c4|]\n'
    )
    box.fill(hostile)
    page.get_by_role("button", name="read the box").click()
    page.wait_for_function("() => document.querySelectorAll('.un-note').length === 3")
    page.wait_for_function(PICTURE)
    expect(page.locator(".un-songbook script, .un-songbook iframe")).to_have_count(0)
    page.wait_for_timeout(500)  # in which what was not made safe would have run
    assert page.evaluate("() => window.hit === undefined")
