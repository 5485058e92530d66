"""How much of what a network wrote is copied: the longest span that stands in the training text, too.

Found by fingerprints: all spans of a few lengths are turned into numbers (Karp and Rabin 1987), sorted once,
and looked up; only what is shared at the greatest of them is searched for in the text itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lessons.arguments import explained
from lessons.errors import LessonError

BASE = 1_000_003
INVERSE = pow(BASE, -1, 2**64)
LADDER = tuple(6 * 2**k for k in range(11))  # lengths of span whose fingerprints are kept, 6 to 6144


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

    @explained
    def share(self, written: str, length: int = 12) -> float:
        """The share of the spans of `length` in `written` that stand in this text, too; 0 if too short."""
        shared = self._shared(_codes(written), length)
        return float(shared.mean()) if len(shared) else 0.0

    def _shared(self, codes: np.ndarray, length: int) -> np.ndarray:
        """For every span of `length`, whether it stands in this text."""
        if length > len(codes) or length > len(self._codes):
            return np.zeros(0, bool)
        if length not in self._known:
            self._known[length] = np.unique(_fingerprints(self._codes, length))
        known, mine = self._known[length], _fingerprints(codes, length)
        places = np.minimum(np.searchsorted(known, mine), len(known) - 1)
        return known[places] == mine

    @explained
    def longest(self, written: str) -> Copied:
        """The longest span of `written` that stands in this text, too; length 0 if not one character does."""
        codes, length, places = _codes(written), 0, range(len(written))
        for longer in LADDER:
            shared = np.flatnonzero(self._shared(codes, longer))
            if not len(shared):
                break
            length, places = longer, shared.tolist()
        best, start = length, next(iter(places), 0)
        for place in places:  # what is longer than `length` begins at one of these
            while place + best < len(written) and written[place : place + best + 1] in self.text:
                best, start = best + 1, place
        return Copied(best, start, written[start : start + best])


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
