"""The pen: letters as data, hands, which letter a point is of, ink as a picture, the fallback, KanjiVG."""

import json
import re
from xml.etree import ElementTree

import numpy
import pytest

from lessons import hershey, ink, inventory, kanji, pen, sources
from lessons.errors import LessonError
from lessons.hershey import ALPHABET, FONTS
from lessons.ink import Ink, from_strokes


@pytest.fixture(autouse=True)
def fresh():
    hershey.letters.cache_clear()
    yield
    hershey.letters.cache_clear()


def cut(monkeypatch):
    def away(source, *, fetch=True):
        raise sources.Unavailable("no network in this test")

    monkeypatch.setattr(sources, "read", away)


def test_the_sample_stands_in_and_says_so(monkeypatch, capsys):
    cut(monkeypatch)
    found = hershey.letters()
    assert "FALLBACK" in capsys.readouterr().err and found.provenance.fallback
    assert set(found.fonts) == set(FONTS) and all(set(font) == set(ALPHABET) for font in found.fonts.values())
    written = pen.write("To be, or not?", "print", seed=3)
    assert len(written) > 50


def test_the_sample_is_what_the_package_gives():
    if hershey.letters().provenance.fallback:
        pytest.skip("the package cannot be had here")
    path = sources.data_folder() / "samples" / hershey.SAMPLE
    assert path.read_text("utf-8") == hershey.sample()
    assert path.stat().st_size < 64_000 and json.loads(path.read_text())["licence"] == "MIT"


def test_a_glyph_is_read_as_the_format_says():
    # left J (-8), right Z (8); a stroke from R R to T P, the pen up, a stroke of one point at [ [
    found = hershey.glyph("    1  6JZRRTP R[[", 9)
    assert found.width == pytest.approx(16 / 9)
    assert numpy.allclose(found.strokes[0], numpy.array([[8, 9], [10, 11]]) / 9)
    assert numpy.allclose(found.strokes[1], numpy.array([[17, 0]]) / 9)


@pytest.mark.parametrize("module", [b"x = 1", b"def", b"__compressed_fonts_base64 = b'AAAA'"])
def test_another_package_is_refused(module):
    with pytest.raises(LessonError, match="Hershey-Fonts is not as expected"):
        hershey.unpacked(module)


@pytest.mark.parametrize("hand", pen.HANDS)
def test_every_hand_writes_every_letter_in_order(hand):
    for text in (ALPHABET[:30].strip(), ALPHABET[30:]):
        written = pen.write(text, hand, seed=5)
        assert (numpy.diff(written.letters) >= 0).all()
        expected = {place for place, letter in enumerate(text) if letter != " "}
        assert set(written.letters.tolist()) == expected
        assert numpy.isfinite(written.offsets).all() and written.offsets[-1, 2] == 1


def test_a_seed_repeats_and_another_differs():
    one, same, other = (pen.write("hand", seed=seed) for seed in (1, 1, 2))
    assert numpy.array_equal(one.offsets, same.offsets)
    assert one.offsets.shape != other.offsets.shape or not numpy.allclose(one.offsets, other.offsets)


def test_a_pen_slows_down_in_curves():
    straight = numpy.stack([numpy.linspace(0, 4, 40), numpy.zeros(40)], 1)
    turn = numpy.linspace(0, numpy.pi, 40)
    curve = numpy.stack([0.2 * numpy.cos(turn), 0.2 * numpy.sin(turn)], 1)
    way = numpy.linalg.norm(numpy.diff(curve, axis=0), axis=1).sum()
    assert pen.times(curve, 0.4).sum() / way > 1.15 * pen.times(straight, 0.4).sum() / 4


def test_smoothing_goes_through_the_points():
    stroke = numpy.array([[0.0, 0], [1, 1], [2, 0], [3, 2]])
    curve = pen.rounded(stroke)
    assert numpy.allclose(curve[:: pen.FINE], stroke) and len(curve) == 3 * pen.FINE + 1
    assert len(pen.rounded(stroke[:1])) == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [("", "empty"), ("   ", "empty"), ("né", "does not know 'é' (character 2)"), ("a" * 81, "at most 80")],
)
def test_lines_that_cannot_be_written(text, words):
    with pytest.raises(LessonError, match=re.escape(words)):
        pen.write(text)


def test_an_unknown_hand_is_named():
    with pytest.raises(LessonError, match="clerk, leaning"):
        pen.write("a", "nobody")


def test_ink_to_strokes_and_back():
    strokes = [
        numpy.array([[0.0, 0], [1, 1]]),
        numpy.array([[2.0, 0]]),
        numpy.array([[0.0, 2], [1, 2], [1, 0]]),
    ]
    found = from_strokes(strokes, "x")
    assert all(numpy.allclose(a, b) for a, b in zip(found.strokes, strokes, strict=True))
    assert found.offsets[:, 2].tolist() == [0, 1, 1, 0, 0, 1]
    assert "3 strokes" in found.described()


@pytest.mark.parametrize(
    "offsets",
    [numpy.zeros((0, 3)), numpy.zeros((4, 2)), numpy.full((2, 3), numpy.nan), numpy.zeros((20_001, 3))],
)
def test_what_is_no_ink_is_refused(offsets):
    with pytest.raises(LessonError):
        Ink(offsets.astype(numpy.float32))
    with pytest.raises(LessonError, match="draw something"):
        from_strokes([])


def test_the_svg_is_well_formed_whatever_the_text_says():
    written = pen.write("ab", seed=1)
    hostile = Ink(written.offsets, '</title><script>alert("1")</script>&')
    root = ElementTree.fromstring(ink.svg(hostile))
    names = [node.tag.rpartition("}")[2] for node in root.iter()]
    assert set(names) == {"svg", "title", "rect", "g", "path"} and names.count("path") == len(written.strokes)
    assert root[0].text == hostile.text


def test_paths_of_kanji():
    absolute = kanji.curve("M10,20C10,30 20,40 30,40S50,60 50,70")
    relative = kanji.curve("m10,20c0,10,10,20,20,20s20,20,20,30")
    assert numpy.allclose(absolute, relative)
    assert numpy.allclose(absolute[[0, kanji.FINE, -1]], [[10, 20], [30, 40], [50, 70]])
    assert numpy.allclose(kanji.curve("M1-2c.5.5-1-1,2,2")[-1], [3, 0])
    with pytest.raises(LessonError, match="not read here"):
        kanji.curve("M0,0A1,1 0 0 0 2,2")


def test_a_drawing_is_ink():
    drawing = (
        '<svg><path id="a" d="M10,54c3,0,60,1,80,0"/><path d="M50,10c0,10,0,60,0,90"/><text>1</text></svg>'
    )
    found = kanji.ink(drawing)
    assert len(found.strokes) == 2 and found.points[:, 0].min() == pytest.approx(0, abs=0.01)
    with pytest.raises(LessonError, match="no stroke"):
        kanji.ink("<svg/>")


def test_kanji_come_on_request_only(monkeypatch):
    assert sources.find("kanjivg").on_request
    cut(monkeypatch)
    with pytest.raises(LessonError, match="corpora fetch kanjivg"):
        kanji.kanji(2, 2)


def test_all_sources_are_fetched_but_those_on_request(monkeypatch):
    asked = []
    monkeypatch.setattr(sources, "read", lambda source, **_: (asked.append(source.id) or {}, "fetched"))
    inventory.fetch()
    assert "hershey" in asked and "kanjivg" not in asked
    inventory.fetch(["kanjivg"])
    assert asked[-1] == "kanjivg"


def test_what_is_on_request_is_not_missing(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("UNROLLED_DATA", str(tmp_path))
    assert inventory.verify()["kanjivg"] == "on request"
    assert "`handwriting-letters.json`" in inventory.table() and "none" in inventory.table()
