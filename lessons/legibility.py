"""How far written letters are from the letters that the pen was taught, and from one another."""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import combinations

import numpy

from lessons.errors import LessonError
from lessons.ink import Ink, Points
from lessons.pen import HANDS, write

LOST = 1.0  # heights of an x: what a letter counts that has no ink at all
EXACT = {"sway": 0.0, "wave": 0.0, "tremor": 0.0, "pace": 0.15}


def distance(ink: Ink) -> float:
    """How far the letters of an ink are from those of the hand of the pen that they come nearest to.

    The mean over its letters of the Chamfer distance, in heights of an x: every point's way to the nearest
    point of the other letter, averaged both ways, each letter moved so that their middles meet. Which points
    belong to which letter is what the ink says. A letter without ink counts 1.
    """
    pieces = letters(ink)
    if not pieces:
        raise LessonError("This ink is of no text, so its letters cannot be compared; write a text.")
    return min(
        float(numpy.mean([_apart(piece, template(ink.text[u], hand)) for u, piece in pieces.items()]))
        for hand in HANDS
    )


def variety(inks: Sequence[Ink]) -> float:
    """How far several inks of one text are from one another: the mean over pairs and letters, as above."""
    if len(inks) < 2 or len({ink.text for ink in inks}) > 1:
        raise LessonError("Variety is between at least two inks of the same text.")
    pieces = [letters(ink) for ink in inks]
    return float(
        numpy.mean([_apart(one[u], other[u]) for one, other in combinations(pieces, 2) for u in one])
    )


def letters(ink: Ink) -> dict[int, Points]:
    """The points of every letter by its place in the text; spaces have none."""
    points = ink.points
    return {u: points[ink.letters == u] for u, letter in enumerate(ink.text) if letter != " "}


@lru_cache(maxsize=1024)
def template(letter: str, hand: str) -> Points:
    """A letter as the hand writes it at its best."""
    return write(letter, replace(HANDS[hand], **EXACT)).points


def _apart(first: Points, second: Points) -> float:
    if not len(first) or not len(second):
        return LOST
    first, second = (points - (points.min(0) + points.max(0)) / 2 for points in (first, second))
    ways = numpy.linalg.norm(first[:, None] - second[None], axis=-1)
    return float(ways.min(0).mean() + ways.min(1).mean()) / 2
