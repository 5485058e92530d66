"""Tunes as metrical trees: tune, strains, bars, beats, notes. Is it a reel or a hornpipe?

Both are danced in common time, so that the metre does not tell. A note is a leaf with its place in the key
and its length in eighths, `so3/2`; so a tune says the same in every key. After Lerdahl and Jackendoff 1983,
whose grouping structure is such a tree, and much finer.
"""

from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache

from lessons import abc_reader, corpora, tree_tasks
from lessons.errors import LessonError
from lessons.labelled import digest
from lessons.tree_tasks import TreeTask
from lessons.trees import Tree, checked
from lessons.tune_parts import Bar, Note, Tune

DANCES = ("reel", "hornpipe")
METRES = ("C", "C|")
DEGREES = (
    "do",
    "di",
    "re",
    "ri",
    "mi",
    "fa",
    "fi",
    "so",
    "si",
    "la",
    "li",
    "ti",
)  # semitones above the tonic
REST = "rest"
BEAT = Fraction(1, 4)
LONGEST = 600  # nodes of a tune that is learnt from
HELD_OUT = {"test": 20, "valid": 10}  # per cent: there are few tunes
LENGTHS = tuple(
    Fraction(length) for length in ("1/4", "1/3", "1/2", "2/3", "1", "3/2", "2", "3", "4", "6", "8")
)


@lru_cache(maxsize=6)
def tunes(count: int | None = None, held_out: int = 500, seed: int = 0) -> TreeTask:
    """Reels and hornpipes in common time out of the old books, dealt by the hash of their names and the seed.

    Where the books cannot be had, tunes made by rule stand in, whatever their metre.
    """
    corpus = corpora.load("tunes", quiet=True)
    strict = not corpus.provenance.fallback
    parts: dict[str, list] = {"train": [], "valid": [], "test": []}
    known = {}
    for name, text in sorted(corpus.documents, key=lambda document: digest(document[0])):
        dance, metre = fields(text)
        if dance not in DANCES or (strict and metre not in METRES):
            continue
        tree = safely(text)
        if tree is not None:
            known[tree] = dance
            parts[tree_tasks.deal(f"{seed} {name}" if seed else name, HELD_OUT)].append(tree)
    limits = {"train": count, "valid": held_out, "test": held_out}
    examples = {
        part: tree_tasks.labelled(trees[: limits[part]], DANCES, known.get, every=False)
        for part, trees in parts.items()
    }
    first = "K:D\n|:(3ABc|d>cd>f e>dc>B|A2 F>A d2:|"
    return TreeTask(
        "reel or hornpipe", "tune", DANCES, examples, corpus.provenance, known.get, parse, str, first=first
    )


def fields(text: str) -> tuple[str, str]:
    """Dance and metre of a document of the corpus."""
    head = dict(line.split(":", 1) for line in text.splitlines()[:3])
    return head.get("R", ""), head.get("M", "")


def safely(text: str) -> Tree | None:
    """The tree of a tune; None for one that the reader refuses, or that is too long."""
    try:
        tree = grouped(abc_reader.parse(text))
    except LessonError:
        return None
    return tree if tree.size <= LONGEST else None


def parse(text: object) -> Tree:
    """A tune in ABC as a tree, header lines optional but for its key; LessonError for what is none."""
    if not isinstance(text, str) or not text.strip():
        raise LessonError("Type a tune in ABC, its key first, such as K:D and then |:d2 AF DFAd:|.")
    return checked(grouped(abc_reader.parse(text.strip() + "\n")))


def grouped(tune: Tune) -> Tree:
    """Strains of bars of beats of notes; every written bar once."""
    strains = tuple(
        Tree(
            "strain", tuple(bar(one, tune, first) for first, one in zip(firsts(len(bars)), bars, strict=True))
        )
        for bars in strains_of(tune)
    )
    return Tree("tune", strains)


def firsts(count: int) -> Iterator[bool]:
    """Of so many bars, which is the first."""
    return (place == 0 for place in range(count))


def strains_of(tune: Tune) -> Iterator[list[Bar]]:
    """The bars between double bar lines and repeats."""
    strain: list[Bar] = []
    for one in tune.bars:
        if strain and (":" in one.left or "||" in one.left):
            yield strain
            strain = []
        strain.append(one)
        if ":" in one.right or "||" in one.right or "]" in one.right:
            yield strain
            strain = []
    if strain:
        yield strain


def bar(one: Bar, tune: Tune, first: bool) -> Tree:
    """A bar as beats; an upbeat is counted from the end of its bar."""
    at = max(Fraction(0), tune.metre - one.length) if first else Fraction(0)
    beats: dict[int, list[Tree]] = {}
    for note in one.notes:
        beats.setdefault(int(at / BEAT), []).append(Tree(sign(note, tune)))
        at += note.length
    return Tree("bar", tuple(Tree("beat", tuple(notes)) for _, notes in sorted(beats.items())))


def sign(note: Note, tune: Tune) -> str:
    """What is said of a note: its highest pitch above the tonic, octaves aside, and its length in eighths."""
    length = min(LENGTHS, key=lambda one: abs(one - 8 * note.length))
    name = DEGREES[(max(note.pitches) - tune.key.tonic) % 12] if note.pitches else REST
    return f"{name}{length}"
