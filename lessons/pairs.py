"""Sentences with their translations, dealt to training, choosing and testing by a hash."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from lessons.arguments import Count, explained
from lessons.corpora import Provenance
from lessons.errors import LessonError
from lessons.labelled import HELD_OUT, deal, digest
from lessons.tokens import Characters, Tokens, WordPieces

Pair = tuple[str, str]  # a source and its translation
Rows = tuple[Pair, ...]


@dataclass(frozen=True, repr=False)
class Pairs:
    """A task of translation. `parts` has "train", "valid", "test", and what else a task wants to ask.

    exact: whether a source has one right translation, so that an answer is right or wrong as a whole.
    tags: what may stand at the front of a source, each one symbol (lessons.tokens.Characters).
    """

    name: str
    parts: Mapping[str, Rows]
    provenance: Provenance
    exact: bool = True
    tags: tuple[str, ...] = ()

    def __repr__(self) -> str:
        sizes = ", ".join(f"{name} {len(rows):,}" for name, rows in self.parts.items())
        return f"{self.name}: {sizes} ({self.provenance.release})"

    def characters(self) -> tuple[Characters, Characters]:
        """The alphabets of both sides, of all parts."""
        rows = [pair for part in self.parts.values() for pair in part]
        source, target = ("".join(side) for side in zip(*rows, strict=True))
        for tag in self.tags:
            source = source.replace(tag, "")
        return Characters(source, self.tags), Characters(target)

    @explained
    def pieces(self, size: Count = 500) -> tuple[WordPieces, WordPieces]:
        """Word pieces of both sides, learnt from the training part."""
        sources, targets = zip(*self.parts["train"], strict=True)
        return WordPieces.learn(sources, size), WordPieces.learn(targets, size)

    @explained
    def tokens(self, pieces: Count | None = None) -> tuple[Tokens, Tokens]:
        """Characters, or so many word pieces, of both sides."""
        return self.characters() if pieces is None else self.pieces(pieces)

    def first(self, **counts: int | None) -> "Pairs":
        """Only so many pairs of the parts that are named; None leaves a part as it is."""
        return replace(self, parts={name: rows[: counts.get(name)] for name, rows in self.parts.items()})


def dealt(
    name: str, rows: Iterable[Pair], keys: Iterable[str], provenance: Provenance, exact: bool = True
) -> Pairs:
    """Pairs dealt to parts by the SHA-256 of their keys, in an order that is scattered too.

    A source that comes twice is kept once. Raises LessonError where a part stays empty.
    """
    parts: dict[str, dict[str, str]] = {"train": {}, **{part: {} for part in HELD_OUT}}
    for (source, target), key in sorted(zip(rows, keys, strict=True), key=lambda row: digest(row[0][0])):
        parts[deal(key)].setdefault(source, target)
    if not all(parts.values()):
        raise LessonError(f"There are too few sentences in {name} to hold some of them out; ask for more.")
    return Pairs(name, {part: tuple(found.items()) for part, found in parts.items()}, provenance, exact)


def provenance(name: str, rows: Iterable[Pair], release: str, licence: str, attribution: str) -> Provenance:
    """Where generated sentences come from: their generator's release, and a hash of all of them."""
    content = hashlib.sha256("\n".join(f"{a}\t{b}" for a, b in rows).encode()).hexdigest()
    return Provenance(name, name, release, content, licence, attribution, "generated")
