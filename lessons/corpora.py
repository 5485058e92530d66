"""The texts to train on: `load("shakespeare")`, one of the other sources, or the learner's own with `user(...)`.

A corpus is a tuple of documents (plays, modules, topics). Training, validation and test texts are made of whole
documents, chosen by the hash of the document's id, so that no sentence of a held-out play is ever trained on and
the split stays the same wherever the files come from. The provenance travels with every result.
"""

import ast
import hashlib
import html
import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from functools import cached_property

from lessons import sources
from lessons.errors import LessonError
from lessons.sources import Members, Source
from lessons.vocabulary import Vocabulary

Documents = tuple[tuple[str, str], ...]  # (id, text)

HELD_OUT = {"test": 0.05, "valid": 0.05}  # shares of the characters; the rest is for training
RARE = "\N{REPLACEMENT CHARACTER}"  # the one symbol that stands for all characters too rare to learn


@dataclass(frozen=True)
class Provenance:
    """Which text this is. `asked` differs from `source` when a fallback stands in for it."""

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
        stand_in = f", FALLBACK for {self.asked!r}" if self.fallback else ""
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
        return (
            f"Corpus({self.name!r}, {len(self.documents)} documents, {len(self.text):,} characters, "
            f"{len(self.vocabulary)} symbols, {self.provenance})"
        )


def split(lengths: dict[str, int]) -> dict[str, tuple[str, ...]]:
    """Deal document ids, given with their lengths, to `train`, `valid` and `test`.

    The ids are taken in the order of their SHA-256, never of their place in the text. Test and validation each
    get at least one document, and more as long as that brings them nearer to their share of the characters.
    """
    waiting = sorted(lengths, key=lambda name: hashlib.sha256(name.encode()).digest())
    parts: dict[str, tuple[str, ...]] = {}
    for part, share in HELD_OUT.items():
        wanted, taken = share * sum(lengths.values()), [waiting.pop(0)]
        while len(waiting) > 1 and sum(lengths[n] for n in taken) + lengths[waiting[0]] / 2 <= wanted:
            taken.append(waiting.pop(0))
        parts[part] = tuple(taken)
    return {"train": tuple(waiting), **parts}


def load(name: str, *, quiet: bool = False) -> Corpus:
    """A source of `data/sources.toml` as a corpus; prints its provenance unless `quiet`.

    When the source cannot be had (no network and nothing cached), its declared fallback stands in, says so in
    one line whatever `quiet` is, and bears its own name: a result on it cannot pass for the real one.
    """
    source = _source(name)
    try:
        members, way = sources.read(source)
        reason = ""
    except sources.Unavailable as error:
        if not source.fallback:
            raise
        reason = str(error)
        sources.notice(f"FALLBACK: {source.fallback!r} stands in for {name!r}, because {reason}.")
        source = _source(source.fallback)
        members, way = sources.read(source)
    provenance = Provenance(
        asked=name,
        source=source.id,
        release=source.release,
        content_sha256=sources.content_hash(members),
        licence=source.licence,
        attribution=source.attribution,
        way=way,
        reason=reason,
    )
    corpus = _corpus(READERS[source.reader](members), provenance)
    if not quiet:
        print(provenance)
    return corpus


def _source(name: str) -> Source:
    known = sources.registry()
    if name not in known:
        raise LessonError(f"There is no source {name!r}; choose one of {', '.join(known)}.")
    return known[name]


def _corpus(documents: Documents, provenance: Provenance) -> Corpus:
    symbols = tuple(sorted(set().union(*(text for _, text in documents))))
    vocabulary = Vocabulary(symbols, unknown=RARE if RARE in symbols else None)
    return Corpus(provenance.source, documents, vocabulary, provenance)


def merge_rare(documents: Iterable[tuple[str, str]], fewer_than: int = 10) -> Documents:
    """Replace every character that occurs fewer than ten times in all documents together by one symbol."""
    documents = tuple(documents)
    counts = Counter()
    for _, text in documents:
        counts.update(text)
    table = {ord(character): RARE for character, count in counts.items() if count < fewer_than}
    return tuple((name, text.translate(table)) for name, text in documents)


def markdown(members: Members) -> Documents:
    """The plays as they stand in the package; the id is the play's name, e.g. `hamlet`."""
    return tuple(
        (name.rsplit("/", 1)[-1].removesuffix(".md"), members[name].decode().strip() + "\n")
        for name in sorted(members)
    )


def plays(members: Members) -> Documents:
    """The plays without markup: a speaker's name on its own line, his words below it, a blank line between."""
    return tuple((name, plain(text)) for name, text in markdown(members))


def plain(text: str) -> str:
    """Markdown of a play as plain text: no headings, no emphasis, no escapes, no spaces at line ends."""
    text = re.sub(r"(?m)^#+ .*$|[*_]| +$", "", text)
    text = html.unescape(re.sub(r"\\(.)", r"\1", text))
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def topics(members: Members) -> Documents:
    """The topics of Python's `help()`, read from the module's text without running it."""
    found = {}
    for content in members.values():
        for statement in ast.parse(content).body:
            if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Dict):
                found |= ast.literal_eval(statement.value)
    return merge_rare((name, found[name].strip() + "\n") for name in sorted(found))


def modules(members: Members) -> Documents:
    """Python modules, one document each."""
    return merge_rare((name, members[name].decode().strip() + "\n") for name in sorted(members))


READERS: dict[str, Callable[[Members], Documents]] = {
    "plays": plays,
    "markdown": markdown,
    "topics": topics,
    "modules": modules,
}
