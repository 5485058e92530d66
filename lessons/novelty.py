"""How much of what a network wrote is copied: the longest span that stands in the training text, too.

Found by fingerprints: all spans of a length are turned into numbers (Karp and Rabin 1987), sorted once, and
looked up; the length is then narrowed down by halving.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lessons.arguments import explained
from lessons.errors import LessonError

BASE = 1_000_003
INVERSE = pow(BASE, -1, 2**64)


@dataclass(frozen=True)
class Copied:
    """A span that was copied: how long, where in what was written, and the characters."""

    length: int
    start: int
    text: str


class Source:
    """A training text, ready to be searched; the fingerprints of a length are made when first asked for."""

    def __init__(self, text: str) -> None:
        if not isinstance(text, str) or not text:
            raise LessonError("There is nothing to compare with: give the text that was trained on.")
        self.text = text
        self._codes = _codes(text)
        self._known: dict[int, np.ndarray] = {}

    def holds(self, codes: np.ndarray, length: int) -> int | None:
        """The place of the first span of `length` that also stands in this text, or None."""
        if length > len(codes) or length > len(self._codes):
            return None
        if length not in self._known:
            self._known[length] = np.unique(_fingerprints(self._codes, length))
        known, mine = self._known[length], _fingerprints(codes, length)
        places = np.minimum(np.searchsorted(known, mine), len(known) - 1)
        found = np.flatnonzero(known[places] == mine)
        return int(found[0]) if len(found) else None

    @explained
    def longest(self, written: str) -> Copied:
        """The longest span of `written` that stands in this text, too; length 0 if not one character does."""
        codes = _codes(written)
        low, high, start = 0, len(written), 0
        while low < high:
            middle = (low + high + 1) // 2
            place = self.holds(codes, middle)
            if place is None:
                high = middle - 1
            else:
                low, start = middle, place
        return Copied(low, start, written[start : start + low])


@explained
def spans(source: Source, written: Sequence[str]) -> list[int]:
    """The length of the longest copied span of each text."""
    return [source.longest(text).length for text in written]


def _codes(text: str) -> np.ndarray:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64)


def _fingerprints(codes: np.ndarray, length: int) -> np.ndarray:
    """A number for every span of `length`, modulo 2^64: the difference of two sums up to its ends.

    The sums weigh a character by BASE to the power of its place; dividing by the weight of the first place
    (BASE is odd, so that it can be done) makes spans at different places comparable.
    """
    count = max(len(codes) - length + 1, 0)
    weights = _powers(BASE, len(codes))
    sums = np.concatenate(
        [np.zeros(1, np.uint64), np.cumsum((codes + np.uint64(1)) * weights, dtype=np.uint64)]
    )
    return (sums[length : length + count] - sums[:count]) * _powers(INVERSE, count)


def _powers(base: int, count: int) -> np.ndarray:
    """base^0, base^1 … modulo 2^64."""
    powers = np.full(count, base, np.uint64)
    powers[:1] = 1
    return np.cumprod(powers, dtype=np.uint64)
