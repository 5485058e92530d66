"""The static pages: two lessons and everything generated, made by Sphinx from what is committed."""

import json
import re

import pytest

from tools import readme
from tools.site import __main__ as site
from tools.site import books, check, pages
from widgets import gallery


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The site of two lessons; explorers are stood for by empty pages, MathJax is left out."""
    folder = tmp_path_factory.mktemp("site")
    moved = {"BUILD": folder, "SOURCE": folder / "source", "EXTRA": folder / "extra", "HTML": folder / "html"}
    with pytest.MonkeyPatch.context() as patch:
        for module in (site, books, pages):
            for name, value in moved.items():
                patch.setattr(module, name, value, raising=False)
        site.gather(["00", "17"])
        for part in ("explorers", "mathjax"):
            (folder / "extra" / part).mkdir()
        for name in gallery.explorers():
            (folder / "extra" / "explorers" / f"{name}.html").write_text("<title>x</title>")
        for name in ("plotly.min.js", "mathjax/tex-svg.js"):
            (folder / "extra" / name).write_text("")
        site.sphinx()
    return folder / "html"


def test_no_link_leads_nowhere_and_none_to_a_file_elsewhere(built):
    assert check.links(built) == []


def test_a_lesson_shows_its_outputs_and_opens_its_explorers(built):
    text = (built / "lessons" / "17_ntm.html").read_text(encoding="utf-8")
    assert 'data-page="../explorers/tape.html"' in text and text.count(" data-open") == 1
    assert text.count('class="plot"') >= 3 and "math notranslate" in text
    assert 'alt=""' not in text.split("</article>")[0].split("<article")[1]


def test_the_claims_page_has_every_rule_verdict_and_picture(built):
    text = (built / "claims.html").read_text(encoding="utf-8")
    assert text.count("Rule, fixed beforehand:") >= 40
    assert text.count('class="plot"') == text.count("<strong>Rule, fixed beforehand:")
    assert ">does not hold</span>" in text
    words = re.sub(r"<[^>]+>", "", text)
    assert "python -m lessons claim ntm-learns-copy --seeds 8" in words


def test_the_home_page_lists_the_lessons_with_what_each_trains(built):
    text = (built / "index.html").read_text(encoding="utf-8")
    assert "opens a network that has read Shakespeare" in text and "pictures/thumb-17_ntm.webp" in text
    assert (built / "pictures" / "tour.png").is_file() and (built / "searchindex.js").is_file()


def test_the_glossary_explains_words_with_the_lesson_they_come_from(built):
    text = (built / "glossary.html").read_text(encoding="utf-8")
    assert "what an LSTM keeps to itself from step to step" in text and "lessons/00_start_here.html" in text


def test_words_are_taken_from_running_text_only():
    text = "# **not this**\n\nA **slot** is a row. Where? Then **it adds up to one.**\n\n| **nor** | this |"
    assert pages.explained(text) == [("slot", "A **slot** is a row.")]


def test_words_that_are_only_stressed_are_not_explained():
    text = "The gaze jumps **back** to the front. It **erases**, and then **adds** to a **slot**."
    assert [word for word, _ in pages.explained(text)] == ["slot"]


def test_the_words_beside_an_explorer_say_where_its_network_is_from():
    wanted = gallery.explorers()
    assert "on a network that comes with the course." in books.frame(wanted["tape"])
    assert "that learns for it in seconds." in books.frame(wanted["gnmt"])
    assert "without a kernel.</span>" in books.frame(wanted["cliff"])


def test_an_explorer_is_found_by_the_function_that_made_it():
    wanted = gallery.explorers()
    names = {"pictures": "teacher_forcing", "quiz": "quiz"}
    found = books.explorer("pictures.two_runs(early.model, pairs)", names, "11_teacher_forcing", wanted)
    assert found.name == "two-runs"
    assert books.explorer("pictures.progress(seen)", names, "11_teacher_forcing", wanted) is None
    assert books.explorer("quiz.show('lstm')", names, "04_lstm", wanted).name == "quiz-lstm"


def test_dead_links_and_heavy_pages_are_found(tmp_path, capsys):
    (tmp_path / "a.html").write_text('<a href="b.html">b</a><a href="#c">c</a><a id="d" href="#d">d</a>')
    assert check.links(tmp_path) == ["a.html: b.html", "a.html: #c"]
    (tmp_path / "b.html").write_text("x" * (check.HEAVIEST + 1))
    assert check.sizes(tmp_path) == ["b.html weighs 4.0 MB"]
    assert "the site: 4.0 MB" in capsys.readouterr().out


def test_a_figure_in_a_page_cannot_end_its_element():
    assert "</script>" not in books.safe(json.dumps({"a": "</script><b>"}))
    assert readme.binder("04_lstm") in books.foot("04_lstm")
