"""The learner's own hand: kept, read back, deleted; hostile files are refused with one sentence."""

import json

import numpy
import pytest

from lessons import own_hand
from lessons.errors import LessonError

STROKES = [[[0.0, 0.0], [0.5, 1.0], [1.0, 0.0]], [[0.2, 0.4], [0.8, 0.4]]]


def test_kept_read_and_deleted(tmp_path):
    path = own_hand.save("my hand", " A ", STROKES, tmp_path)
    assert path.parent == tmp_path and own_hand.names(tmp_path) == ["my hand"]
    assert own_hand.load("my hand", tmp_path) == ("A", STROKES)
    own_hand.save("my hand", "B", STROKES[:1], tmp_path)
    assert own_hand.load("my hand", tmp_path) == ("B", STROKES[:1])
    own_hand.delete("my hand", tmp_path)
    assert own_hand.names(tmp_path) == [] and list(tmp_path.iterdir()) == []
    with pytest.raises(LessonError, match="nothing is kept yet"):
        own_hand.delete("my hand", tmp_path)
    with pytest.raises(LessonError, match="no handwriting 'other'"):
        own_hand.load("other", tmp_path)


def test_it_is_kept_where_git_does_not_look():
    assert own_hand.folder().parts[-3:] == ("data", "user", "handwriting")


@pytest.mark.parametrize("name", ["", "../up", "a/b", ".hidden", "a" * 41, "a\0b", "näme", "con:"])
def test_names_lead_nowhere_else(tmp_path, name):
    for call in (
        lambda: own_hand.save(name, "", STROKES, tmp_path),
        lambda: own_hand.load(name, tmp_path),
        lambda: own_hand.delete(name, tmp_path),
    ):
        with pytest.raises(LessonError, match="A name has"):
            call()
    assert list(tmp_path.iterdir()) == []


def file(tmp_path, content):
    path = tmp_path / "given.json"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\xff\xfe\x00", "no JSON"),
        (b"{", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b'{"text": "a", "strokes": [[[NaN, 0]]]}', "no JSON"),
        (b'{"text": "a", "strokes": [[[Infinity, 0]]]}', "no JSON"),
        (b'{"text": "a", "strokes": [[[1' + b"0" * 5000 + b", 0]]]}", "no JSON"),
        (b'{"text": "a", "strokes": [[[1' + b"0" * 4000 + b", 0]]]}", "two numbers"),
        (b'{"text": "a", "strokes": [[[1e999, 0]]]}', "two numbers"),
        (b'{"text": "a", "strokes": [[[1e9, 0]]]}', "two numbers"),
        (b'{"text": "a", "strokes": [[["1", 0]]]}', "two numbers"),
        (b'{"text": "a", "strokes": [[[true, 0]]]}', "two numbers"),
        (b'{"text": "a", "strokes": [[[1, 2, 3]]]}', "two numbers"),
        (b'{"text": "a", "strokes": [[]]}', "list of points"),
        (b'{"text": "a", "strokes": [7]}', "list of points"),
        (b'{"text": "a", "strokes": {}}', "no stroke"),
        (b'{"text": "a", "strokes": []}', "no stroke"),
        (b'{"text": 3, "strokes": [[[1, 2]]]}', "at most 60"),
        (b'{"strokes": [[[1, 2]]]}', "needs 'text'"),
        (b"[1, 2]", "no handwriting"),
        (json.dumps({"text": "", "strokes": [[[0, 0]] * 5001]}).encode(), "at most 1,000 strokes"),
        (json.dumps({"text": "", "strokes": [[[0, 0]]] * 1001}).encode(), "at most 1,000 strokes"),
    ],
)
def test_hostile_files_get_one_sentence(tmp_path, content, words):
    with pytest.raises(LessonError, match=words) as refused:
        own_hand.read(file(tmp_path, content))
    assert str(refused.value).count(". ") == 0 and len(str(refused.value)) < 160


def test_a_way_through_the_whole_sheet_is_refused_before_it_is_sampled(monkeypatch):
    zigzag = [[(-1) ** i * 999.0, (-1) ** (i // 2) * 999.0] for i in range(50)]
    monkeypatch.setattr(own_hand.numpy, "linspace", lambda *a: pytest.fail("it was sampled"))
    with pytest.raises(LessonError, match="over 20,000 points"):
        own_hand.ink("abc", [zigzag])


def test_many_long_strokes_share_the_room_of_one():
    stroke = [[0.0, 0.0], [900.0, 0.0], [0.0, 900.0]]
    assert 2_000 < len(own_hand.ink("a", [stroke])) < 20_000
    with pytest.raises(LessonError, match="over 20,000 points"):
        own_hand.ink("abc", [stroke] * 20)


def test_fifty_megabytes_are_refused_unread(tmp_path, monkeypatch):
    path = tmp_path / "huge.json"
    with path.open("wb") as out:
        out.truncate(50_000_000)
    monkeypatch.setattr(type(path), "read_bytes", lambda self: pytest.fail("it was read"))
    with pytest.raises(LessonError, match=r"50\.0 MB"):
        own_hand.read(path)
    with pytest.raises(LessonError, match=r"2\.0 MB"):
        own_hand.parse(b" " * 2_000_000)


def test_a_missing_file_and_a_full_disk(tmp_path, monkeypatch):
    with pytest.raises(LessonError, match="cannot be read"):
        own_hand.read(tmp_path / "none.json")

    def full(path, content):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(own_hand.sources, "write_whole", full)
    with pytest.raises(LessonError, match="No space left"):
        own_hand.save("a", "", STROKES, tmp_path)


def test_dense_strokes_become_the_pens():
    x = numpy.linspace(2, 6, 400)
    dense = [[[float(a), 0.0] for a in x], [[3.0, 1.0]]]
    found = own_hand.ink("line", dense)
    assert found.points[0, 0] == pytest.approx(0) and len(found.strokes) == 2
    steps = numpy.linalg.norm(found.offsets[1 : len(found.strokes[0]), :2], axis=1)
    assert steps.min() > 0.2 and steps.max() < 0.5
