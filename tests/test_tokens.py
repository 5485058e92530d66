"""Characters and word pieces to numbers and back."""

import pytest
import torch

from lessons.errors import LessonError
from lessons.tokens import END, PAD, UNKNOWN, Characters, WordPieces, tokens

MENUS = [
    "Increase Code Font Size",
    "Augmenter la taille de police du code",
    "Save all",
    "Tout enregistrer",
] * 3


@pytest.mark.parametrize(
    "made", [Characters("".join(MENUS)), WordPieces.learn(MENUS, 80)], ids=lambda t: t.kind
)
def test_there_and_back(made):
    for text in [*MENUS, "Save code", "e"]:
        ids = made.encode(text)
        assert min(ids) > END and made.decode([*ids, END, 5]) == text
        assert "".join(made.labels(ids)).replace("▁", " ").strip() == text
    ids, lengths = made.batch(["Save all", "e"], end=True)
    row = [*made.encode("e"), END]
    assert ids[1].tolist() == row + [PAD] * (ids.shape[1] - len(row))
    assert (
        lengths.tolist() == [len(made.encode(text)) + 1 for text in ("Save all", "e")]
        and ids.dtype == torch.long
    )
    again = tokens(made.config())
    assert again == made and again.symbols == made.symbols and hash(again) == hash(made)
    assert tokens(made) is made


def test_pieces_are_fewer_than_characters_and_know_when_they_know_nothing():
    pieces = WordPieces.learn(MENUS, 80)
    assert len(pieces) == 80 and len(pieces.encode("Increase Code")) < len("Increase Code")
    assert UNKNOWN in pieces.encode("Ω")


def test_what_cannot_be_read_is_said():
    letters = Characters("abc")
    with pytest.raises(LessonError, match=r"never seen 'x', 'y' \(in 'yax'\)"):
        letters.encode("yax")
    with pytest.raises(LessonError, match="at least one"):
        letters.batch([])
    with pytest.raises(LessonError, match="empty"):
        letters.batch(["a", ""])
    with pytest.raises(LessonError, match="text is a string"):
        letters.encode(3)


def test_a_tag_is_one_symbol_at_the_front():
    made = Characters("twenoy- ", ["<2de>", "<2fr>"])
    ids = made.encode("<2fr> ten")
    assert made.labels(ids) == ("<2fr>", " ", "t", "e", "n") and made.decode(ids) == "<2fr> ten"
    assert made.encode("ten") == ids[2:] and made.alphabet == "".join(sorted("twenoy- "))
    assert tokens(made.config()) == made != Characters("twenoy- ")
    assert "tags" not in Characters("ab").config()
    for text in ("<2xx> ten", "ten <2fr>"):
        with pytest.raises(LessonError, match="behind one of <2de> <2fr>"):
            made.encode(text)
    for tags in (["<"], ["<2de>", "<2de>"], [3], "ab"):
        with pytest.raises(LessonError):
            Characters("ab", tags)


@pytest.mark.parametrize("make", [lambda: Characters(""), lambda: Characters("a⟩")])
def test_alphabets(make):
    with pytest.raises(LessonError, match="alphabet"):
        make()


@pytest.mark.parametrize("config", [None, "abc", {"kind": "runes"}, {"kind": "pieces", "model": "{}"}])
def test_configurations_that_are_none(config):
    with pytest.raises(LessonError, match=r"config|damaged"):
        tokens(config)


def test_too_few_pieces():
    with pytest.raises(LessonError, match="too few"):
        WordPieces.learn(MENUS, 10)
