"""What a reader knows at each character of a text: inside bold or not, how far into the line, and so on.

Every label depends only on the characters up to and including its own, so a network that reads from left to
right could know it. That is what makes them fair to compare with its units.
"""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from jaxtyping import Bool, Float, Int

Mask = Bool[np.ndarray, " time"]
Count = Int[np.ndarray, " time"]
Features = dict[str, Mask | Float[np.ndarray, " time"]]


def features(text: str) -> Features:
    """Labels per character: boolean ones ("inside bold") and counts as float32 ("place in the line")."""
    return dict(_features(text))


@lru_cache(maxsize=16)
def _features(text: str) -> Features:
    found = {**_characters(text), **_words(text), **_lines(text), **_marks(text)}
    for values in found.values():
        values.flags.writeable = False
    return found


def _characters(text: str) -> Features:
    return {
        "capital letter": _where(text, str.isupper),
        "vowel": _where(text, lambda c: c.lower() in "aeiou"),
        "punctuation": _where(text, lambda c: c in ".,;:!?"),
        "digit": _where(text, str.isdigit),
        "space": _where(text, lambda c: c == " "),
        "line end": _where(text, lambda c: c == "\n"),
    }


def _words(text: str) -> Features:
    inside = _where(text, lambda c: c.isalpha() or c == "'")
    place, lower = _since(~inside), _since(_where(text, str.islower))
    sentence = _since(_where(text, lambda c: c in ".!?"))
    return {
        "in a word": inside,
        "first letter of a word": place == 1,
        "in an upper-case word": (place > 1) & (lower >= place),
        "place in the word": place.astype(np.float32),
        "place in the sentence": sentence.astype(np.float32),
    }


def _lines(text: str) -> Features:
    end, hash_sign, space = (_where(text, lambda c, mark=mark: c == mark) for mark in "\n# ")
    place, blank = _since(end), end & _before(end, True)
    start = np.arange(len(text)) - place  # of the line end before this line, -1 in the first line
    heading = _at(hash_sign, start + 1, False) & (place > 0)
    capitals = (_since(_where(text, str.islower)) >= place) & (
        _since(_words(text)["in an upper-case word"]) < place
    )
    named = capitals & _at(blank, start, True) & ~heading
    indent = space & (_since(~space) >= place)
    return {
        "blank line": blank,
        "inside a heading": heading,
        "in a comment": ~heading & (_since(hash_sign) < place),
        "in a speaker's name": named,
        "first line of a speech": _at(named, start - 1, False) & (place > 0) & ~_at(end, start - 1, False),
        "place in the line": place.astype(np.float32),
        "place in the paragraph": _since(blank).astype(np.float32),
        "indentation": _count(indent, end).astype(np.float32),
    }


def _marks(text: str) -> Features:
    end = _where(text, lambda c: c == "\n")
    blank = end & _before(end, True)
    star = _where(text, lambda c: c == "*")
    pair = star & (_since(~star) % 2 == 0)
    depth = _count(_where(text, lambda c: c in "([{"), blank) - _count(
        _where(text, lambda c: c in ")]}"), blank
    )
    return {
        "inside bold": _count(pair, blank) % 2 == 1,
        "inside italics": _count(_where(text, lambda c: c == "_"), blank) % 2 == 1,
        "inside quotation marks": _count(_where(text, lambda c: c in '"“”'), blank) % 2 == 1,
        "inside brackets": depth > 0,
        "depth of brackets": np.maximum(depth, 0).astype(np.float32),
    }


def _where(text: str, test: Callable[[str], bool]) -> Mask:
    """Where a test holds; it is called once per different character."""
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    symbols, place = np.unique(codes, return_inverse=True)
    return np.array([test(chr(code)) for code in symbols], bool)[place]


def _before(mask: Mask, first: bool) -> Mask:
    """The mask one step earlier."""
    return np.concatenate([[first], mask[:-1]])[: len(mask)]


def _at(mask: Mask, place: Count, outside: bool) -> Mask:
    """The mask at given places; `outside` where a place is before the text or after it."""
    inside = (place >= 0) & (place < len(mask))
    return np.where(inside, mask[np.where(inside, place, 0)], outside) if len(mask) else mask


def _since(mask: Mask) -> Count:
    """Steps since the mask was last true, 0 where it is; as if it had been true just before the text."""
    steps = np.arange(len(mask))
    return steps - np.maximum.accumulate(np.where(mask, steps, -1))


def _count(mask: Mask, reset: Mask) -> Count:
    """How often the mask was true since the last reset."""
    count = np.cumsum(mask)
    return count - np.maximum.accumulate(np.where(reset, count, 0))
