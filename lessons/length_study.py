"""Accuracy against the length of the sentence, with and without attention (lesson 12).

Bahdanau et al. (2015, figure 2) draw BLEU against the length of English sentences. Here the sentences are
numbers in words, the answers digits, and an answer is right or wrong as a whole.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise

from lessons import translation
from lessons.arguments import explained
from lessons.decoding import translate
from lessons.errors import LessonError
from lessons.pairs import Pair
from lessons.seq2seq import Seq2Seq
from lessons.translation import Translation, TranslationPreset

ENDS = (25, 35, 45)  # the longest sources of each band but the last, in characters
WITH, WITHOUT = "with attention", "without attention"


@explained
def bands(ends: Sequence[int] = ENDS) -> tuple[str, ...]:
    """The names of the bands of length that end at so many characters: "up to 25", "26 to 45", "over 45"."""
    if not ends or list(ends) != sorted(set(ends)) or ends[0] < 1:
        raise LessonError("Bands of length end at rising numbers of characters, such as (25, 35, 45).")
    middle = [f"{low + 1} to {high}" for low, high in pairwise(ends)]
    return (f"up to {ends[0]}", *middle, f"over {ends[-1]}")


@explained
def sorted_out(rows: Sequence[Pair], ends: Sequence[int] = ENDS) -> dict[str, list[Pair]]:
    """Pairs by the band of their source's length; a band may be empty."""
    found: dict[str, list[Pair]] = {name: [] for name in bands(ends)}
    names = list(found)
    for source, target in rows:
        found[names[sum(len(source) > end for end in ends)]].append((source, target))
    return found


@explained
def by_length(model: Seq2Seq, rows: Sequence[Pair], ends: Sequence[int] = ENDS) -> dict[str, float]:
    """The share of sentences, in %, that a network writes without a fault, by band; empty bands are left out.

    Every symbol is the likeliest one after what the network itself wrote before.
    """
    found = {}
    for name, pairs in sorted_out(rows, ends).items():
        if pairs:
            sources, targets = zip(*pairs, strict=True)
            written = translate(model, list(sources), longest=2 * max(map(len, targets)))
            found[name] = 100 * translation.exact(written, targets)
    return found


def held_out(task: Translation) -> tuple[Pair, ...]:
    """All pairs of a task that it was neither trained on nor chosen by: "valid" and "test" in one.

    For networks that are trained for a fixed number of steps; who stops by "valid" takes "test" alone.
    """
    return (*task.pairs.parts["valid"], *task.pairs.parts["test"])


def pair(preset: TranslationPreset, wider: int) -> Mapping[str, TranslationPreset]:
    """Two presets: with attention, and without it but with `wider` units, to have about as many weights."""
    return {WITH: preset, WITHOUT: preset.but(attention=None, hidden_size=wider)}
