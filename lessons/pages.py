"""Pages to learn writing from: words or lines of a corpus, written by the course's pen, as padded tensors."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy
import torch
from jaxtyping import Float, Int
from torch import Tensor

from lessons import corpora
from lessons.arguments import Count, explained
from lessons.errors import LessonError
from lessons.hershey import ALPHABET, letters
from lessons.ink import Ink
from lessons.labelled import deal, digest
from lessons.pen import HANDS, varied, write

WORDS, LINES = "words", "lines"
BEHIND = 0.8  # heights of an x between a text and where the hand rests after it
PARTS = ("train", "valid", "test")
PLAIN_WORD = re.compile(r"\b[a-z]{3,7}\b")
STRAIGHT = str.maketrans({"‘": "'", "’": "'", "—": "-", "–": "-"})


@dataclass(frozen=True)
class Page:
    """Pieces of ink as one rectangle, 0 past the end of each.

    Every piece has one point more than its ink: the hand moves on, in the air, to where a next word would
    begin. offsets: (dx, dy, lifted). codes: the text, letters as numbers from 1. belongs: which letter of the
    text each point is part of, the last point of the place behind the text; -1 in the padding.
    """

    offsets: Float[Tensor, "batch time 3"]
    lengths: Int[Tensor, " batch"]
    codes: Int[Tensor, "batch letters"]
    spelled: Int[Tensor, " batch"]
    belongs: Int[Tensor, "batch time"]

    def __len__(self) -> int:
        return len(self.lengths)

    def some(self, rows: Int[Tensor, " rows"]) -> "Page":
        """The pieces of these rows, cut to the longest of them."""
        end, last = int(self.lengths[rows].max()), int(self.spelled[rows].max()) + 1
        return Page(
            self.offsets[rows, :end], self.lengths[rows], self.codes[rows, :last], self.spelled[rows],
            self.belongs[rows, :end],
        )  # fmt: skip

    def points(self) -> Float[Tensor, "points 3"]:
        """All offsets in one row, without padding."""
        return self.offsets[self.belongs >= 0]


@dataclass(frozen=True, repr=False)
class Pages:
    """Ink dealt to training, choosing and testing, with where text and letters come from."""

    inks: Mapping[str, tuple[Ink, ...]]
    parts: Mapping[str, Page]
    provenance: Mapping[str, Any]

    def __repr__(self) -> str:
        sizes = ", ".join(f"{part} {len(page):,}" for part, page in self.parts.items())
        return f"{self.provenance['pieces']} written by hand: {sizes}"


@explained
@lru_cache(maxsize=4)
def pages(
    pieces: str = WORDS, count: Count = 1000, held_out: Count = 100, hands: str = "clerk", longest: Count = 24
) -> Pages:
    """So many words (three to seven small letters) or lines of the plays for each part, in hands named.

    Words are dealt by their hash, so that one that is held out is never trained on; lines by their play.
    Every piece is written once, in a hand drawn anew around one of those named. The same arguments give the
    same ink. Raises LessonError for other pieces or an unknown hand.
    """
    chosen = hands.replace(" ", "").split(",")
    for hand in chosen:
        if hand not in HANDS:
            raise LessonError(f"The hand is one of {', '.join(HANDS)}; {hand!r} is not.")
    if pieces not in (WORDS, LINES):
        raise LessonError(f"Pieces are {WORDS!r} or {LINES!r}; {pieces!r} are not.")
    corpus = corpora.load("shakespeare", quiet=True)
    inks = {}
    for part in PARTS:
        texts = words(corpus, part) if pieces == WORDS else lines(getattr(corpus, part), longest)
        texts = sorted(set(texts), key=digest)[: count if part == "train" else held_out]
        inks[part] = tuple(written(text, chosen) for text in texts)
    provenance = {
        "pieces": pieces, "hands": hands, "text": corpus.provenance.as_dict(),
        "letters": letters().provenance.as_dict(),
    }  # fmt: skip
    return Pages(inks, {part: page(found) for part, found in inks.items()}, provenance)


def written(text: str, hands: Sequence[str]) -> Ink:
    """A text in one of the hands; which one and how is drawn from the text."""
    dice = numpy.random.default_rng(digest(text) % 2**32)
    hand = varied(HANDS[hands[dice.integers(len(hands))]], dice)
    return write(text, hand, int(dice.integers(2**32)))


def words(corpus: corpora.Corpus, part: str) -> Iterable[str]:
    """The plain words that belong to a part."""
    return (word for word in set(PLAIN_WORD.findall(corpus.text)) if deal(word) == part)


def lines(text: str, longest: int) -> Iterable[str]:
    """The beginnings of a text's lines, whole words, as long as fits; only what the pen can write."""
    for line in text.translate(STRAIGHT).splitlines():
        piece = line.strip()
        if len(piece) > longest:
            piece = piece[: longest + 1].rpartition(" ")[0].rstrip()
        if 6 <= len(piece) <= longest and not piece.isupper() and all(c in ALPHABET for c in piece):
            yield piece


def page(inks: Sequence[Ink]) -> Page:
    """Pieces of ink with their texts as tensors. Raises LessonError where there are none."""
    if not inks:
        raise LessonError("There are too few pieces of text to hold some of them out; ask for more.")
    place = {"device": "cpu"}
    lengths, spelled = [len(ink) + 1 for ink in inks], [len(ink.text) for ink in inks]
    offsets = torch.zeros(len(inks), max(lengths), 3, dtype=torch.float32, **place)
    belongs = torch.full((len(inks), max(lengths)), -1, dtype=torch.long, **place)
    codes = torch.zeros(len(inks), max(spelled) + 1, dtype=torch.long, **place)
    for row, ink in enumerate(inks):
        offsets[row, : len(ink)] = torch.from_numpy(ink.offsets)
        offsets[row, len(ink)] = torch.tensor(moved_on(ink), **place)
        belongs[row, : len(ink)] = torch.from_numpy(ink.letters) if ink.text else 0
        belongs[row, len(ink)] = len(ink.text)
        codes[row, : len(ink.text)] = torch.tensor([ALPHABET.index(c) + 1 for c in ink.text], **place)
    return Page(offsets, torch.tensor(lengths, **place), codes, torch.tensor(spelled, **place), belongs)


def moved_on(ink: Ink) -> tuple[float, float, float]:
    """The offset from the last point to the base line behind the text, where the pen stays lifted."""
    points = ink.points
    x, y = points[-1]
    return float(points[:, 0].max() + BEHIND - x), float(-y), 1.0
