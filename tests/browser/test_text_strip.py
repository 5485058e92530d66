"""The text strip as a learner drives it, over 5,000 characters and a longer text to search."""

import random
import re

import numpy as np
import pytest
import torch
from playwright.sync_api import expect

from lessons import CharModel, trace
from lessons.vocabulary import Vocabulary
from widgets import text
from widgets.page import page as write_page

WORDS = ["forest", "<script>alert(1)</script>", "to be", "or not", "**ROSE**\n", "_Exit_\n\n", "& now"]


def prose(count, seed):
    return " ".join(random.Random(seed).choices(WORDS, k=count))[: 5 * count]


TEXT, LONG = prose(1000, 1), prose(1600, 2)


def model():
    torch.manual_seed(0)
    return CharModel(Vocabulary.of("".join(WORDS) + " "), "lstm", 16, embedding_size=8)


@pytest.fixture
def view(lab, tmp_path):
    path = write_page(text.strip(model(), TEXT, search=LONG, unit=2), tmp_path / "strip.html")
    page = lab.html(path)
    page.locator(".un-place").nth(7).wait_for()
    return page


def shown(value):
    return f"{value:.2f}".replace("-", "−")


def test_it_starts_at_the_first_character_and_walks(view):
    values = trace(model(), TEXT).numpy("c")[:, 2]
    readout = view.locator(".un-readout-line")
    expect(readout).to_have_text(re.compile("^character 1, "))
    strip = view.get_by_role("slider", name="place in the text")
    strip.focus()
    for key, place in [
        ("ArrowRight", 1),
        ("ArrowRight", 2),
        ("End", len(TEXT) - 1),
        ("ArrowLeft", len(TEXT) - 2),
    ]:
        view.keyboard.press(key)
        view.wait_for_function(
            "place => document.querySelector('.un-scroller').ariaValueNow === String(place + 1)", arg=place
        )
        expect(readout).to_have_text(re.compile(f"c −?{abs(values[place]):.2f}"))
    view.wait_for_function("document.querySelector('.un-scroller').scrollTop > 0")
    view.keyboard.press("PageUp")
    view.wait_for_function(f"() => document.querySelector('.un-scroller').ariaValueNow < {len(TEXT) - 2}")
    expect(strip).to_have_attribute("aria-valuetext", re.compile("line:"))


def test_places_are_where_torch_says_the_unit_fires(view):
    values = trace(model(), LONG).numpy("c")[:, 2]
    first = view.locator(".un-place-value").first
    expect(first).to_have_text(shown(values.max()))
    view.locator("figcaption select").select_option("lowest")
    view.get_by_text("of unit 2 is lowest").wait_for()
    expect(first).to_have_text(shown(values.min()))
    view.locator(".un-place").first.focus()
    view.keyboard.press("Enter")
    place = int(np.argmin(np.round(values, 5)))
    view.wait_for_function("() => document.querySelectorAll('.un-models button')[1].ariaPressed === 'true'")
    view.wait_for_function(
        "place => Math.abs(document.querySelector('.un-scroller').ariaValueNow - 1 - place) < 2", arg=place
    )


def test_markup_in_the_text_is_shown_as_characters(view):
    expect(view.locator("script")).to_have_count(2)
    expect(view.locator(".un-places")).to_contain_text("<script>")


def test_units_signals_and_orders(view):
    view.locator(".un-label", has_text="colour by").locator("select").select_option("f")
    view.get_by_text("Places where the forget gate f of unit 2 is highest").wait_for()
    view.locator(".un-unit").fill("5")
    view.get_by_role("heading", name="Where does unit 5 fire?").wait_for()
    chosen = view.locator(".un-best button").nth(1).get_attribute("data-unit")
    view.locator(f".un-best button[data-unit='{chosen}']").click()
    view.get_by_role("heading", name=f"Where does unit {chosen} fire?").wait_for()
    view.locator(".un-scroller").hover(position={"x": 15, "y": 12})
    view.locator(".un-tip", has_text="character 2,").wait_for()
    view.locator(".un-overview").click(position={"x": 600, "y": 10})
    view.wait_for_function("() => document.querySelector('.un-scroller').ariaValueNow > 2000")


def test_a_trace_alone_is_enough(lab, tmp_path):
    seen = trace(model(), TEXT[:300])
    page = lab.html(write_page(text.strip(seen, unit=1, name="o"), tmp_path / "strip.html"))
    page.locator(".un-place").first.wait_for()
    highest = seen.numpy("o")[:, 1].max()
    expect(page.locator(".un-place-value").first).to_have_text(f"{highest:.2f}")
    expect(page.locator(".un-models")).to_have_count(0)


def test_a_text_that_is_all_unknown_leaves_one_sentence(lab, tmp_path):
    page = lab.html(write_page(text.strip(model(), "é"), tmp_path / "strip.html"))
    page.get_by_text("not in the model's vocabulary of").wait_for()
