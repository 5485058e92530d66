"""Characters to numbers and back, and what is said about characters nobody has seen."""

import pytest
import torch

from lessons.errors import LessonError
from lessons.vocabulary import Vocabulary

WIDE = "zéß \n漢🙂\x00"


def test_encode_and_decode_are_inverse_for_all_of_unicode():
    vocabulary = Vocabulary.of(WIDE)
    text = WIDE * 3 + WIDE[::-1]
    ids = vocabulary.encode(text)
    assert ids.dtype == torch.long and ids.shape == (len(text),)
    assert vocabulary.decode(ids) == text
    assert [vocabulary.symbols[i] for i in ids] == list(text), "the same as looking each one up"


def test_symbols_are_sorted_counted_and_found():
    vocabulary = Vocabulary.of("banana")
    assert vocabulary.symbols == ("a", "b", "n") and len(vocabulary) == 3
    assert "a" in vocabulary and "z" not in vocabulary and "ab" not in vocabulary
    assert vocabulary == Vocabulary(("a", "b", "n")) and hash(vocabulary) == hash(Vocabulary.of("nab"))


def test_an_empty_text_is_an_empty_tensor():
    assert Vocabulary.of("ab").encode("").shape == (0,)
    assert Vocabulary.of("ab").decode([]) == ""


@pytest.mark.parametrize("text", ["ab\u20ac", "ab\U0010ffff", "abA", "ab\ud800"])
def test_unknown_characters_are_named_with_their_place(text):
    with pytest.raises(LessonError, match="first at position 2") as error:
        Vocabulary.of("ab").encode(text)
    assert repr(text[2]) in str(error.value)


def test_many_unknown_characters_are_counted():
    with pytest.raises(LessonError, match="and 18 more"):
        Vocabulary.of("-").encode("abcdefghijklmnopqrstuvwxyz")


def test_unknown_characters_become_the_symbol_for_them():
    vocabulary = Vocabulary.of("ab", unknown="?")
    assert vocabulary.decode(vocabulary.encode("a€b漢")) == "a?b?"


@pytest.mark.parametrize(
    ("symbols", "unknown", "said"),
    [((), None, "empty"), (("a", "bc"), None, "'bc'"), (("a", "a"), None, "repeats"), (("a",), "?", "'\\?'")],
)
def test_what_is_no_vocabulary_is_refused(symbols, unknown, said):
    with pytest.raises(LessonError, match=said):
        Vocabulary(symbols, unknown)


@pytest.mark.parametrize("number", [-1, 3])
def test_numbers_of_no_character_are_refused(number):
    with pytest.raises(LessonError, match="between 0 and 2"):
        Vocabulary.of("abc").decode([0, number])
