"""The projector's page in Chromium: every key, a slider, the list, both themes."""

import re
import threading

import pytest
from playwright.sync_api import expect

from tools import demo
from widgets import theme


@pytest.fixture
def address():
    server = demo.serve()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()
    theme.use("light")


def test_a_lesson_is_shown_moved_and_left_by_keys(chromium, address):
    page = chromium.new_page(viewport={"width": 1280, "height": 720})
    problems, outside = [], []
    page.on("console", lambda line: problems.append(line.text) if line.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("request", lambda asked: outside.append(asked.url) if address not in asked.url else None)
    page.goto(f"{address}/?lesson=gru")
    ready = page.locator("body")
    expect(ready).to_have_attribute("data-ready", "gru/0/light", timeout=30_000)
    expect(page.locator("h1")).to_contain_text("Is one state and two gates enough?")
    expect(page.locator(".js-plotly-plot .main-svg").first).to_be_visible()

    summary = page.locator(".unrolled-bar .summary")
    page.get_by_role("slider", name="update gate z").focus()
    page.keyboard.press("ArrowRight")
    expect(summary).to_contain_text("z = 0.95")

    question = page.locator("#asks")
    expect(question).to_be_hidden()
    page.keyboard.press("a")
    expect(question).to_contain_text("How many seconds does the GRU need")
    page.keyboard.press("d")
    expect(ready).to_have_attribute("data-ready", "gru/0/dark", timeout=30_000)
    page.keyboard.press("PageDown")
    expect(ready).to_have_attribute("data-ready", "gru/1/dark", timeout=30_000)
    expect(page.get_by_role("button", name="reset gate")).to_have_attribute("aria-current", "true")

    page.keyboard.press("l")
    dialog = page.locator("dialog")
    expect(dialog).to_be_visible()
    expect(dialog.get_by_role("button", name=re.compile("^05"))).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(ready).to_have_attribute("data-ready", "lstm/0/dark", timeout=30_000)
    expect(page.locator("h1")).to_contain_text("What is inside the box")
    expect(dialog).to_be_hidden()
    before = page.locator("#stage").bounding_box()["width"]
    page.keyboard.press("+")
    page.wait_for_function(f"() => document.getElementById('stage').getBoundingClientRect().width > {before}")
    outside = [url for url in outside if not url.startswith(("data:", "blob:"))]
    page.close()
    assert (problems, outside) == ([], [])
