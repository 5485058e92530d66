"""A small part of a corpus, for runs that only show that an experiment works."""

from __future__ import annotations

from dataclasses import replace

from lessons.corpora import Corpus


def excerpt(corpus: Corpus, documents: int = 8, characters: int = 12_000) -> Corpus:
    """The first `characters` of each of the first `documents`, same vocabulary, split like any corpus."""
    return replace(
        corpus, documents=tuple((name, text[:characters]) for name, text in corpus.documents[:documents])
    )
