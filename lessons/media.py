"""What a character network can be asked to write, and what each medium asks of a document.

A medium has a text to train on, in documents with blank lines between them, and a judge (lessons.judges). The
learner's own file is one, too, with a judge of their choice or none.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from lessons import corpora, documents, journals, judges, latex
from lessons.arguments import explained
from lessons.corpora import Corpus
from lessons.errors import LessonError
from lessons.vocabulary import Vocabulary

LEAD = 800  # characters that a network reads before it writes
Judge = Callable[[str], str]  # a document -> its first fault, or ""


@dataclass(frozen=True)
class Medium:
    """One kind of document. asks: what the judge asks of it, in words. begin: how a document begins."""

    name: str
    title: str
    asks: str
    judge: Judge
    begin: str
    corpus: str = ""

    def load(self) -> Corpus:
        """The text to train on."""
        if self.name == "journal":
            return journals.corpus()
        return corpora.load(self.corpus, quiet=True)


MEDIA = {
    medium.name: medium
    for medium in (
        Medium("figure", "figures (SVG)", "well-formed XML, each shape with its numbers", judges.figure,
               "<", "lucide"),
        Medium("html", "pages (HTML)", "every element closed in its turn", judges.html, "<article>",
               "shakespeare-html"),
        Medium("journal", "journals (LaTeX)", "formulas that parse, environments that close", latex.fault,
               "\\section{", "journals"),
        Medium("code", "code (Python)", "what Python's own parser accepts", judges.python, "def ",
               "python-functions"),
        Medium("markdown", "plays (Markdown)", "no emphasis left open", judges.markdown, "**",
               "shakespeare-markdown"),
    )
}  # fmt: skip


@explained
def find(name: str) -> Medium:
    """The medium called `name`; LessonError lists the names."""
    if name not in MEDIA:
        raise LessonError(f"There is no medium {name!r}; choose one of {', '.join(MEDIA)}.")
    return MEDIA[name]


@explained
@lru_cache(maxsize=len(MEDIA))
def text(name: str) -> Corpus:
    """The corpus of a medium, loaded once."""
    return find(name).load()


@explained
def lead(corpus: Corpus, vocabulary: Vocabulary | None = None) -> str:
    """A held-out document or two to read before writing, up to the blank line after them.

    `vocabulary`, by default the corpus's own, is what the reader knows: code changes with every Python.
    """
    kept, known = "", vocabulary or corpus.vocabulary
    for document in whole(corpus, "valid", 20):
        if not all(character in known for character in document):
            continue
        if kept and len(kept) + len(document) > LEAD:
            break
        kept += f"{document}\n"
    return kept


def whole(corpus: Corpus, part: str = "valid", most: int | None = None) -> list[str]:
    """The documents of a part of a corpus that are no longer than a network is given time to write."""
    return documents.split(getattr(corpus, part))[:most]
