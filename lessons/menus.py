"""JupyterLab's menus, buttons and settings, English to French: real sentences, and few of them."""

from functools import lru_cache

from lessons import corpora, sources
from lessons.arguments import Count, explained
from lessons.number_words import number_words
from lessons.pairs import Pairs, dealt

STRANGE = set("{}<>%\t|=\\$")  # of messages that are code, or are filled in
SAME = str.maketrans({"’": "'", "\N{NO-BREAK SPACE}": " ", "\N{NARROW NO-BREAK SPACE}": " ", "…": "..."})


@explained
@lru_cache
def menus(longest: Count = 60) -> Pairs:
    """Messages of at most `longest` characters on both sides, dealt by the English text without its capitals.

    Where the language pack cannot be had, number words stand in under their own name, and that is said.
    """
    corpus = corpora.load("jupyterlab-french", quiet=True)
    if corpus.provenance.fallback:
        sources.notice("Number words, English to French, stand in for JupyterLab's menus.")
        return number_words("en", "fr", 3000)
    lines = (line.split("\t") for _, text in corpus.documents for line in text.splitlines())
    rows = [(source.strip().translate(SAME), target.strip().translate(SAME)) for source, target in lines]
    kept = {a: b for a, b in rows if a and b and max(len(a), len(b)) <= longest and not STRANGE & {*a, *b}}
    keys = [source.casefold() for source in kept]
    return dealt("JupyterLab's menus, English to French", kept.items(), keys, corpus.provenance, exact=False)
