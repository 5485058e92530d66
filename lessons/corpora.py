"""The texts to train on: `load("shakespeare")`, another source by name, or your own text with `user(...)`.

A corpus is a tuple of documents (plays, modules, topics). Training, validation and test texts are made of
whole documents, chosen by the hash of the document's id, so that no sentence of a held-out play is ever
trained on and the split stays the same wherever the files come from. The provenance goes into every result.
"""

import hashlib
import os
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

from lessons import readers, sources
from lessons.arguments import explained
from lessons.errors import LessonError
from lessons.inventory import fetch, main, table, verify
from lessons.readers import RARE, Documents
from lessons.vocabulary import Vocabulary

__all__ = ["Corpus", "Provenance", "fetch", "load", "main", "split", "table", "user", "verify"]

HELD_OUT = {"test": 0.05, "valid": 0.05}  # shares of the characters; the rest is for training
SCARCE = 100_000  # characters; a text with fewer still trains, but a note says what to expect


@dataclass(frozen=True)
class Provenance:
    """Which text this is. `asked` differs from `source` when a fallback stands in for what was asked."""

    asked: str
    source: str
    release: str
    content_sha256: str
    licence: str
    attribution: str
    way: str
    reason: str = ""

    @property
    def fallback(self) -> bool:
        """Whether another text stands in for the one that was asked for."""
        return self.asked != self.source

    def as_dict(self) -> dict[str, str | bool]:
        """Everything as plain values, for the record of a run or a checkpoint."""
        return {**asdict(self), "fallback": self.fallback}

    def __str__(self) -> str:
        stand_in = f" (FALLBACK for {self.asked})" if self.fallback else ""
        return f"{self.source}{stand_in}: {self.release}, {self.licence}, content {self.content_sha256[:12]}"


@dataclass(frozen=True, repr=False)
class Corpus:
    """A text with everything a result needs to name it: documents as (id, text), vocabulary, provenance."""

    name: str
    documents: Documents
    vocabulary: Vocabulary
    provenance: Provenance

    @cached_property
    def parts(self) -> dict[str, tuple[str, ...]]:
        """The ids of the documents in `train`, `valid` and `test`."""
        return split({name: len(text) for name, text in self.documents})

    @cached_property
    def text(self) -> str:
        """All documents, one after the other."""
        return "\n".join(text for _, text in self.documents)

    @cached_property
    def train(self) -> str:
        """The text to train on, about nine tenths."""
        return self._part("train")

    @cached_property
    def valid(self) -> str:
        """The text to choose settings with."""
        return self._part("valid")

    @cached_property
    def test(self) -> str:
        """The text that nothing is chosen with, for the last figure."""
        return self._part("test")

    def _part(self, part: str) -> str:
        return "\n".join(text for name, text in self.documents if name in self.parts[part])

    def __repr__(self) -> str:
        size = (
            f"{len(self.documents)} documents, {len(self.text):,} characters, {len(self.vocabulary)} symbols"
        )
        return f"Corpus({self.name!r}, {size}; {self.provenance})"


@explained
def split(lengths: dict[str, int]) -> dict[str, tuple[str, ...]]:
    """Deal document ids, given with their lengths, to `train`, `valid` and `test`.

    The ids are taken in the order of their SHA-256, never of their place in the text. Test and validation
    each get one document, and more as long as that brings them nearer to their share of the characters.
    """
    if len(lengths) <= len(HELD_OUT):
        raise LessonError(f"A corpus needs at least {len(HELD_OUT) + 1} documents to be split.")
    waiting = sorted(lengths, key=lambda name: hashlib.sha256(name.encode()).digest())
    parts: dict[str, tuple[str, ...]] = {}
    for part, share in HELD_OUT.items():
        wanted, taken = share * sum(lengths.values()), [waiting.pop(0)]
        while len(waiting) > 2 and sum(lengths[n] for n in taken) + lengths[waiting[0]] / 2 <= wanted:
            taken.append(waiting.pop(0))
        parts[part] = tuple(taken)
    return {"train": tuple(waiting), **parts}


@explained
def load(name: str, *, quiet: bool = False) -> Corpus:
    """A source of `data/sources.toml` as a corpus; prints its provenance unless `quiet`.

    When the source cannot be had (no network and nothing cached), its declared fallback stands in, says so
    in one line whatever `quiet` is, and bears its own name: a result on it cannot pass for the real one.
    Raises LessonError for an unknown name, and when not even the fallback can be had.
    """
    source, reason = sources.find(name), ""
    try:
        members, way = sources.read(source)
    except sources.Unavailable as error:
        if not source.fallback:
            raise sources.Unavailable(
                f"The text {name!r} cannot be had: {error}; give corpora.user a text of your own."
            ) from error
        reason = str(error)
        sources.notice(f"FALLBACK: {source.fallback!r} stands in for {name!r}: {reason}.")
        source = sources.find(source.fallback)
        members, way = sources.read(source)
    documents = readers.READERS[source.reader](members)
    content = sources.content_hash(members)
    provenance = Provenance(
        name, source.id, source.release, content, source.licence, source.attribution, way, reason
    )
    return of(documents, provenance, quiet=quiet)


@explained
def user(
    text: str | Path | bytes | bytearray | memoryview, name: str | None = None, *, quiet: bool = False
) -> Corpus:
    """The learner's own text as a Corpus: a file, the bytes of an upload, or the text itself.

    A short string without a line break is the name of a file, looked for here and then in `data/user`.
    Text is read as UTF-8, else as Latin-1, put into NFC; characters used fewer than ten times become one
    symbol. Raises LessonError, in one sentence, for a file that is missing, too small, too large or binary.
    """
    content, found, file = _content(text)
    documents = readers.own(content, name or file)
    name = name or found
    characters = sum(len(piece) for _, piece in documents)
    if characters < SCARCE:
        sources.notice(f"{name!r} has only {characters:,} characters; expect a model that knows it by heart.")
    provenance = Provenance(
        asked=name,
        source=name,
        release=f"your own text, {characters:,} characters",
        content_sha256=hashlib.sha256(content).hexdigest(),
        licence="no licence stated",
        attribution="",
        way="yours",
    )
    return of(documents, provenance, quiet=quiet)


def _content(text: str | Path | bytes | bytearray | memoryview) -> tuple[bytes, str, str]:
    """The bytes, what the corpus is called, and what a complaint calls them: a file by its whole name."""
    if isinstance(text, bytes | bytearray | memoryview):
        return bytes(text), "your text", "your text"
    if not str(text):
        raise LessonError("There is no text to train on; give one, or the name of a file.")
    if isinstance(text, str) and ("\n" in text or len(text) > 1_000):
        return text.encode(errors="replace"), "your text", "your text"
    for path in (Path(os.path.expanduser(text)), sources.data_folder() / "user" / text):
        if os.path.isfile(path):
            readers.refuse_size(path.stat().st_size, path.name)
            try:
                return path.read_bytes(), path.stem, path.name
            except OSError as error:
                raise LessonError(f"{path.name!r} cannot be read: {error.strerror}.") from error
    raise LessonError(f"There is no file {str(text)!r} here or in data/user; put it there or give its path.")


def of(documents: Documents, provenance: Provenance, *, quiet: bool = True) -> Corpus:
    """A corpus of documents that are there already; prints its provenance unless `quiet`."""
    text = "".join(text for _, text in documents) + "\n"  # documents are joined by line ends
    vocabulary = Vocabulary.of(text, unknown=RARE if RARE in text else None)
    if not quiet:
        print(provenance)
    return Corpus(provenance.source, documents, vocabulary, provenance)
