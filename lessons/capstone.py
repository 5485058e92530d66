"""Lesson 19: bring your own sequences, whatever they are, and train a network on them.

    mine = capstone.bring("my_diary.txt")           # or a CSV file, a tune book in ABC, strokes from the pad
    print(mine)                                     # what it is, and how it will be read
    model = mine.model(cell="gru", hidden_size=96)
    run = mine.fit(model)
    seen = mine.trace(model)                        # all gates and states, for every explorer of the course

What is brought is looked at and never run; nothing of it leaves the machine.
"""

import hashlib
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import torch

from lessons import corpora, made_series, readers, series, sketching, sources
from lessons.arguments import Seed, explained
from lessons.brought import ABC, KINDS, NUMBERS, PRESETS, STROKES, TEXT, Brought, CapstonePreset
from lessons.char_rnn import CharTask
from lessons.corpora import Corpus, Provenance
from lessons.errors import LessonError
from lessons.presets import choose
from lessons.series import Series
from lessons.sketching import Strokes
from lessons.tunes import split, tunes
from lessons.window_task import WindowTask

__all__ = ["KINDS", "LARGEST", "PRESETS", "SAMPLES", "Brought", "bring", "prepare", "preset", "recognise"]

LARGEST = readers.LARGEST  # bytes of anything that is brought
FEWEST_TUNES = 20
Kind = Literal["text", "numbers", "abc", "strokes"]
Bytes = bytes | bytearray | memoryview


def preset(name: str | None = None) -> CapstonePreset:
    """This lesson's preset: the one named, else UNROLLED_PRESET, else the device's."""
    return choose(PRESETS, name)


@explained
def bring(
    what: str | Path | Bytes | list[float | int] | torch.Tensor,
    name: str | None = None,
    *,
    kind: Kind | None = None,
    column: str | int | None = None,
) -> Brought:
    """Recognise what was brought: a file (looked for here and in data/user), its bytes, pasted text, numbers.

    A name of SAMPLES brings one of the course's own. `kind` overrules what was recognised; `column` is that
    of a CSV file, by its heading or its number from 1. Raises LessonError, in one sentence, for what is
    missing, too small, too large, damaged or of no kind that a network here can learn.
    """
    if isinstance(what, list | torch.Tensor):
        values = what if isinstance(what, list) else what.double().flatten()
        return _numbers(series.of(values, name or "your numbers"))
    if isinstance(what, str) and what in SAMPLES:
        return SAMPLES[what]()
    content, found = _content(what, name)
    if not content.strip():
        raise LessonError(f"{found!r} is empty; bring something to learn from.")
    return _READERS[kind or recognise(content, found)](content, found, column)


@explained
def recognise(content: Bytes, name: str = "") -> str:
    """Which of KINDS these bytes are. Raises LessonError for what is no text at all."""
    text = readers.decode(bytes(content), name or "your data")
    ending = os.path.splitext(name)[1].lower()
    if text.lstrip()[:1] in "[{" and '"strokes"' in text:
        return STROKES
    if ending == ".abc" or (re.search(r"(?m)^X: *\d", text) and re.search(r"(?m)^K:", text)):
        return ABC
    if ending in (".csv", ".tsv") or series.looks_numeric(text):
        return NUMBERS
    return TEXT


@explained
def prepare(preset: CapstonePreset, seed: Seed = 0) -> CharTask | WindowTask:
    """A new model for the preset's corpus, ready for `fit`; what the command line trains."""
    mine = bring(preset.corpus)
    print(mine)
    return mine.task(mine.model(preset.cell, preset.hidden_size, preset.num_layers, seed), preset, seed)


def _content(what: str | Path | Bytes, name: str | None) -> tuple[bytes, str]:
    """The bytes, and what they are called. Size comes before content."""
    if isinstance(what, bytes | bytearray | memoryview):
        _refuse(len(what), name or "your data")
        return bytes(what), name or "your data"
    if isinstance(what, str) and ("\n" in what or len(what) > 1_000):
        _refuse(len(what), name or "your text")
        return what.encode(errors="replace"), name or "your text"
    for path in (Path(os.path.expanduser(what)), sources.data_folder() / "user" / what):
        if os.path.isfile(path):
            try:
                _refuse(path.stat().st_size, path.name)
                return path.read_bytes(), name or path.name
            except OSError as error:
                raise LessonError(f"{path.name!r} cannot be read: {error.strerror}.") from error
    raise LessonError(
        f"There is no file {str(what)!r} here or in data/user, and no sample of that name; the samples are "
        f"{', '.join(SAMPLES)}."
    )


def _refuse(size: int, name: str) -> None:
    if size > LARGEST:
        readers.refuse_size(size, name)


def _text(content: bytes, name: str, column: Any = None) -> Brought:
    return _corpus(TEXT, corpora.user(content, name, quiet=True))


def _corpus(kind: str, data: Corpus) -> Brought:
    size = f"{len(data.text):,} characters of {len(data.vocabulary)} kinds"
    pieces = f"{len(data.documents):,} tunes, " if kind == ABC else ""
    what = "tunes in ABC" if kind == ABC else "text"
    parts = " to learn from, ".join(f"{len(getattr(data, part)):,}" for part in ("train", "valid"))
    sentence = (
        f"{data.name!r} is {what}: {pieces}{size}, read one at a time, the next one to be guessed; "
        f"{parts} to choose with, {len(data.test):,} to test."
    )
    return Brought(kind, data.name, data, sentence, data.train[:400])


def _csv(content: bytes, name: str, column: str | int | None = None) -> Brought:
    return _numbers(series.read(content, name, column))


def _numbers(data: Series) -> Brought:
    low, high = float(data.values.min()), float(data.values.max())
    first, second = data.cuts
    again = f", seeming to repeat after {data.season} steps" if data.season else ""
    sentence = (
        f"{data.name!r} is numbers: {len(data.values):,} values of {data.column!r} from {low:.4g} to "
        f"{high:.4g}{again}, read one at a time, the next one to be forecast; {first:,} to learn from, "
        f"{second - first:,} to choose with, the last {len(data.values) - second:,} to test."
    )
    preview = "\n".join(f"{value:.6g}" for value in data.values[:12].tolist())
    return Brought(NUMBERS, data.name, data, sentence, preview)


def _abc(content: bytes, name: str, column: Any = None) -> Brought:
    text = readers.decode(content, name)
    whole, documents = split(text), tunes({f"{name}/book.abc": text.encode()})
    if len(documents) < FEWEST_TUNES:
        raise LessonError(
            f"{name!r} has {len(documents)} tunes that can be read, of {len(whole)} that begin with X:, and "
            f"{FEWEST_TUNES} are needed; tunes that change key or metre, and copies, do not count."
        )
    told = f"your own tunes, {len(documents):,} of {len(whole):,} kept"
    digest = hashlib.sha256(content).hexdigest()
    return _corpus(
        ABC, corpora.of(documents, Provenance(name, name, told, digest, "no licence stated", "", "yours"))
    )


def _strokes(content: bytes, name: str, column: Any = None) -> Brought:
    return _pieces(sketching.read(content, name))


def _pieces(data: Strokes) -> Brought:
    parts = data.parts
    sentence = (
        f"{data.name!r} is strokes: {len(data.inks):,} pieces, {len(data.offsets):,} points of a pen, read "
        f"as steps from point to point, the next one to be drawn; {len(parts['train']):,} to learn from, "
        f"{len(parts['valid']):,} to choose with, {len(parts['test']):,} to test."
    )
    return Brought(STROKES, data.name, data, sentence, "\n".join(ink.described() for ink in data.inks[:3]))


_READERS: dict[str, Callable[[bytes, str, Any], Brought]] = {
    TEXT: _text, NUMBERS: _csv, ABC: _abc, STROKES: _strokes
}  # fmt: skip

# What can be tried without bringing anything; "own hand" is what the pad of lesson 15 keeps in data/user.
SAMPLES: dict[str, Callable[[], Brought]] = {
    "tides": lambda: _numbers(made_series.make("tides")),
    "spots": lambda: _numbers(made_series.make("spots")),
    "walk": lambda: _numbers(made_series.make("walk")),
    "shakespeare": lambda: _corpus(TEXT, corpora.load("shakespeare", quiet=True)),
    "tunes": lambda: _corpus(ABC, corpora.load("tunes", quiet=True)),
    "pen": lambda: _pieces(sketching.sample()),
    "own hand": lambda: _pieces(sketching.kept()),
}
