"""The song book without a browser, the piano roll, and the pictures of lesson 14."""

import base64
import json
import re
from dataclasses import replace

import pytest

from lessons import abc_reader, char_rnn, corpora, engraving, song_study, songs, tune_features, tunes, units
from lessons.errors import LessonError
from lessons.tracing import trace
from widgets import esm, page, piano_roll, song_book, theme
from widgets import songs as pictures

TUNE = song_book.EXAMPLE
SCORE = "<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script><path d='M0 0'/></svg>"


@pytest.fixture(autouse=True)
def light():
    yield
    theme.use("light")


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """A score that costs no process, with something in it that must not come through."""
    monkeypatch.setattr(engraving, "svg", lambda tune, width=0: SCORE)


@pytest.fixture(scope="module")
def model():
    books = corpora.load("tunes", quiet=True)
    return char_rnn.build(books.vocabulary, songs.PRESETS["ci"], seed=2).eval()


def test_a_book_shows_reads_and_plays(model):
    book = pictures.book(model, TUNE)
    tune = abc_reader.parse(TUNE)
    assert book.message == "" and book._sound[:4] == b"RIFF" and book._midi[:4] == b"MThd"
    notes = book._notes["list"]
    assert [note["pitches"] for note in notes] == [list(note.pitches) for note in tune.notes]
    assert [note["chance"] for note in notes] == pytest.approx(songs.certainty(model, tune))
    assert "4 of 4 bars add up" in book.summary and json.dumps(book.get_state(["_notes", "choice"]))
    book.repeats = True
    book.asked = {"what": "read", "number": 2}
    assert len(book._notes["list"]) == 2 * len(notes) and book.done == 2
    assert book._repr_mimebundle_()["text/plain"].startswith(book.summary)
    book.close()


def test_a_score_is_sanitised_and_a_picture():
    picture = song_book.score(abc_reader.parse(TUNE))["picture"]
    assert picture.startswith("data:image/svg+xml;base64,")
    drawing = base64.b64decode(picture.partition(",")[2]).decode()
    assert "script" not in drawing and "alert" not in drawing and "path" in drawing


def test_a_score_that_cannot_be_drawn_is_a_sentence(monkeypatch):
    def fail(tune):
        raise LessonError("No score today.")

    monkeypatch.setattr(engraving, "svg", fail)
    assert song_book.score(abc_reader.parse(TUNE)) == {"words": "No score today."}


def test_what_is_wrong_is_said_and_all_else_stays(model):
    book = pictures.book(model, TUNE)
    before = book._notes, book._sound, book.summary
    for text, words in (
        ("X:1\nABc", "K:D"),
        ("K:D\nA&B", "no sign"),
        ("K:D\nT:<script>\n", "no notes"),
        ("K:D\nA/" + "9" * 5000, "no sign"),
    ):
        book.text = text
        book.asked = {"what": "read", "number": book.done + 1}
        assert words in book.message and (book._notes, book._sound, book.summary) == before
    book.choice = {**book.choice, "key": "H"}
    book.asked = {"what": "write", "number": book.done + 1}
    assert "is no key" in book.message
    book.text = TUNE
    book.asked = {"what": "read", "number": book.done + 1}
    assert book.message == ""
    book.asked = {"what": "eval", "number": 99}
    assert book.done == 99 and book.message == ""
    book.close()


def test_the_network_writes_and_goes_on(model, monkeypatch):
    monkeypatch.setattr(songs, "write", lambda model, headers, heat, seed: [headers[0] + "ABc|\n"])
    book = pictures.book(model, dance="reel", metre="C|", key="Am")
    assert book.text == "R:reel\nM:C|\nL:1/8\nK:Am\nABc|\n" and book.message == ""
    book.text = 'X:7\nT:Mine <b>\nM:4/4\nK:E minor\n"Em"E2 {f}G2 B4|'
    book.asked = {"what": "continue", "number": 5}
    assert book.text == "R:tune\nM:C\nL:1/8\nK:Em\nE2 G2 B4|ABc|\n"
    book.text = "M:5/4\nK:C\nABcde"
    book.asked = {"what": "continue", "number": 6}
    assert "5/4 is none of them" in book.message
    book.close()


def test_a_book_without_a_network_plays_and_does_not_write():
    book = pictures.book()
    assert book.text == TUNE and book.message == "" and book._notes["list"][0]["chance"] is None
    assert not book._options
    book.asked = {"what": "write", "number": 2}
    assert "no network" in book.message
    book.close()


def test_the_module_only_ever_writes_text_and_shows_only_pictures_that_are_data():
    module = esm.bundle("songbook.js")
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function", module
    )
    assert 'const PICTURE = "data:image/svg+xml;base64,"' in module
    assert "http" not in esm.read("songbook.js")


def test_the_roll_has_a_bar_for_every_note(model):
    tune = abc_reader.parse(TUNE)
    figure = pictures.roll(TUNE, model)
    (bars,) = figure.data
    assert list(bars.y) == [note.pitches[0] for note in tune.notes]
    shades = [piano_roll.shade(chance) for chance in songs.certainty(model, tune)]
    assert list(bars.marker.color) == pytest.approx(shades)
    assert figure.layout.xaxis.title.text == "time, seconds" and figure.layout.yaxis.title.text == "pitch"
    assert "4 of 4 bars" in figure.summary and len(pictures.roll(TUNE, model, repeats=True).data[0].y) == 46
    assert not pictures.roll(TUNE).data[0].marker.showscale
    with pytest.raises(LessonError, match="K:D"):
        pictures.roll("ABc")
    for wrong in ([0.5], [7.0] * len(tune.notes)):
        with pytest.raises(LessonError, match="one probability for each of the"):
            pictures.roll(TUNE, wrong)


def test_shades_go_by_powers_of_ten():
    found = [piano_roll.shade(chance) for chance in (0, 1e-5, 1e-3, 1e-2, 0.1, 1)]
    assert found == pytest.approx([0, 0, 0, 1 / 3, 2 / 3, 1])


def test_names_of_pitches():
    assert [piano_roll.name(pitch) for pitch in (60, 61, 69, 82)] == ["C4", "C♯4", "A4", "B♭5"]


def test_the_beginning_of_a_learners_tune_is_put_into_the_plain_form():
    tune = abc_reader.parse("X:1\nT:Mine\nR:Reel\nM:2/2\nL:1/8\nK:A mixolydian\nA2 (Bc) .d2|\n% end\nef")
    assert piano_roll.beginning(tune) == "R:reel\nM:C|\nL:1/8\nK:Amix\nA2 Bc d2|\nef"


def test_the_model_that_does_not_know_a_sign_leaves_the_notes_without_colour(model):
    assert piano_roll.certainty(abc_reader.parse("M:5/4\nK:C\nABcde"), model) is None


@pytest.mark.parametrize("look", ["light", "dark"])
def test_curves_show_the_study(look):
    theme.use(look)
    found = song_study.load()
    figure = pictures.curves(found)
    measures = list(found.books)
    for place, measure in enumerate(measures):
        network, counted, books = figure.data[3 * place : 3 * place + 3]
        assert list(network.y) == found.figures["LSTM"][measure]
        assert list(counted.y) == found.figures["5-gram"][measure]
        assert set(books.y) == {found.books[measure]}
    titles = [note.text for note in figure.layout.annotations]
    assert [f"<b>{measure}</b>" for measure in measures] == titles[:5]
    assert f"{found.books['bars that add up']:.0%}" in figure.summary


def test_a_unit_is_followed_over_a_tune(model):
    read = [text for _, text in corpora.load("made-tunes", quiet=True).documents[:4]]
    found = units.scores(trace(model, read), read, describe=tune_features.features)
    seen = trace(model, read[0])
    figure = pictures.follow(seen, found[0])
    assert list(figure.data[0].y) == pytest.approx(seen.numpy("c")[:, found[0].best].tolist())
    assert len(figure.layout.shapes) == read[0].count("|")
    assert str(found[0].best) in figure.layout.yaxis.title.text


def test_choices_are_those_of_the_books(model):
    book = pictures.book(model, TUNE)
    assert tuple(book._options["dance"]) == tunes.DANCES and set(book._options["key"]) == set(songs.KEYS)
    assert replace(songs.Condition(), key=book._options["key"][-1]).header
    book.close()


def test_a_page_carries_the_book_with_its_sound(model):
    book = pictures.book(model, TUNE)
    text = page.document(book)
    assert "media-src blob:" in text and base64.b64encode(book._sound).decode()[:200] in text
    assert text.count("<script") == 2  # the state and the module
    book.close()
