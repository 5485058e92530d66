"""CMUdict as a task of labelling: one label for every letter of a word, as in NETtalk.

The dictionary gives a word's phonemes, and not which letter made which. An alignment is learnt from the words
alone, by expectation maximisation: every letter emits no phoneme, one or two. After Sejnowski and Rosenberg
(1987), who aligned their words by hand.
"""

import hashlib
import inspect
import json
import sys
from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from lessons import corpora, labelled, sources
from lessons.arguments import explained
from lessons.errors import LessonError
from lessons.labelled import Labelled, Signs

SILENT = "-"
LETTERS = "abcdefghijklmnopqrstuvwxyz"
LONGEST = 14  # letters of a word
LEARNT_FROM = 6000  # words that the alignment is learnt from
ROUNDS = 8
RARE = 2e-4  # words with a label rarer than this are left out
LOW = -1e4  # stands for the logarithm of 0, so that slopes stay numbers
Word = tuple[str, Signs]  # spelling, phonemes


@explained
def from_corpus(corpus: corpora.Corpus) -> Labelled:
    """The dictionary in a corpus (its lines `knight N AY T`) as letters with a label each."""
    if corpus.provenance.fallback:
        raise LessonError(f"{corpus.name!r} stands in for the dictionary, and it has no phonemes.")
    words = [word for _, text in corpus.documents for word in map(entry, text.splitlines()) if fits(*word)]
    found = kept(words, corpus.provenance.content_sha256)
    pairs = (
        (stem(word), tuple(word), labels) for (word, _), labels in zip(words, found, strict=True) if labels
    )
    return labelled.build(
        "letters to phonemes", "letter", "word", pairs, corpus.provenance, rare=RARE, cut=letters
    )


def letters(text: str) -> Signs:
    """A word as letters, without regard to capitals."""
    return tuple(text.lower())


def entry(line: str) -> Word:
    """A line of the dictionary as spelling and phonemes."""
    word, *phonemes = line.split()
    return word, tuple(phonemes)


def fits(word: str, phonemes: Signs) -> bool:
    """Whether a word can be aligned: not too long, and at most two phonemes a letter."""
    return 1 < len(word) <= LONGEST and 0 < len(phonemes) <= 2 * len(word)


def stem(word: str) -> str:
    """A word without its endings, roughly: bake, bakes, baking and bakers are dealt to one part."""
    for ending in ("ers", "er", "ings", "ing", "edly", "ed", "ly", "ness", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word.removesuffix(ending)
            break
    return word.rstrip("e") or word


def kept(words: Sequence[Word], content: str) -> list[Signs]:
    """The alignment of all words, from the cache if nothing that it hangs on has changed."""
    source = inspect.getsource(sys.modules[__name__])
    key = hashlib.sha256(f"{content}{len(words)}{source}".encode()).hexdigest()[:16]
    place = sources.cache_folder() / f"phonemes-{key}.json"
    try:
        found = [tuple(line.split()) for line in json.loads(place.read_text(encoding="utf-8"))]
    except (OSError, ValueError):
        found = []
    if len(found) != len(words):
        found = align(words)
        try:
            sources.write_whole(place, json.dumps([" ".join(labels) for labels in found]).encode())
        except OSError as error:
            sources.notice(f"The alignment could not be kept ({error.strerror or error}); it is made anew.")
    return found


def align(words: Sequence[Word], rounds: int = ROUNDS, learnt_from: int = LEARNT_FROM) -> list[Signs]:
    """One label a letter for every word: "-" for silence, "AY", or two phonemes as "K+S".

    The table of what a letter emits is learnt from `learnt_from` of the words, evenly spread, in `rounds`
    rounds; then each word gets its likeliest path. A word that no path fits gets ().
    """
    if not words:
        raise LessonError("There is no word to align; give at least one.")
    names = sorted({phoneme for _, phonemes in words for phoneme in phonemes})
    batches = grouped([words[k] for k in range(0, len(words), max(1, len(words) // learnt_from))], names)
    table = first_table(len(names))
    for _ in range(rounds):
        counts = torch.zeros_like(table)
        for batch in batches:
            counts.view(-1).index_add_(0, batch.places.flatten(), batch.paths(table).flatten())
        table = (counts / counts.sum(1, keepdim=True).clamp_min(1e-9) + 1e-8).log()
    found: list[Signs] = [()] * len(words)
    for batch in grouped(words, names):
        for row, labels in zip(batch.rows, batch.labels(table, names), strict=True):
            found[row] = labels
    return found


def first_table(phonemes: int) -> Float[Tensor, "alphabet emissions"]:
    """Logarithms to begin with, the same for all letters: a phoneme is likelier than none, two are rare."""
    weights = torch.cat(
        [
            torch.tensor([0.3]),
            torch.full((phonemes,), 1 / phonemes),
            torch.full((phonemes**2,), 1e-2 / phonemes**2),
        ]
    )
    return (weights / weights.sum()).log().repeat(len(LETTERS), 1)


class Batch:
    """Words with equally many letters. Emissions are numbered: 0 none, 1 + p, 1 + P + p P + q (p then q).

    `places` (N, letters, J + 1, 3): where in the table stands what letter i emits if it emits 0, 1 or 2
    phonemes and j phonemes are out afterwards.
    """

    def __init__(self, rows: list[int], words: list[Word], names: list[str]) -> None:
        self.rows, self.size = rows, len(names)
        number = {name: k for k, name in enumerate(names)}
        self.ends = torch.tensor([len(phonemes) for _, phonemes in words])
        sounds = torch.zeros(len(words), int(self.ends.max()) + 2, dtype=torch.long)
        for row, (_, phonemes) in zip(sounds, words, strict=True):
            row[2 : 2 + len(phonemes)] = torch.tensor([number[phoneme] for phoneme in phonemes])
        now, before = sounds[:, 1:], sounds[:, :-1]
        emitted = torch.stack([now * 0, 1 + now, 1 + self.size + before * self.size + now], -1)
        spelt = torch.tensor([[LETTERS.index(letter) for letter in word] for word, _ in words])
        width = 1 + self.size + self.size**2
        self.places: Int[Tensor, "words letters out three"] = (
            spelt[:, :, None, None] * width + emitted[:, None]
        )

    def paths(
        self, table: Float[Tensor, "alphabet emissions"], best: bool = False
    ) -> Float[Tensor, "words letters out three"]:
        """How probable each emission is, given the word; with `best`, 1 along the likeliest path.

        Both are slopes: of the logarithm of the sum over all paths, or of the largest one, with respect to
        what each step adds. Autograd walks back what the forward recursion walked.
        """
        scores = table.view(-1)[self.places].requires_grad_()
        out = torch.full(scores.shape[:1] + scores.shape[2:3], LOW)
        out[:, 0] = 0.0
        low = torch.full_like(out[:, :2], LOW)
        for step in scores.unbind(1):
            earlier = torch.cat([low, out], 1)
            ways = torch.stack([earlier[:, 2:], earlier[:, 1:-1], earlier[:, :-2]], -1) + step
            out = ways.max(-1).values if best else ways.logsumexp(-1)
        total = out.gather(1, self.ends[:, None])
        (slopes,) = torch.autograd.grad(total[total > LOW / 2].sum(), scores)
        return slopes

    def labels(self, table: Tensor, names: list[str]) -> list[Signs]:
        """The likeliest path of each word as labels; () for a word without a path."""
        slopes = self.paths(table, best=True)
        out = torch.zeros(slopes.shape[:2], dtype=torch.long)
        chosen = (slopes > 0.5).flatten(2)
        width = 1 + self.size + self.size**2
        emitted = (self.places % width).flatten(2).gather(2, chosen.int().argmax(2)[..., None])[..., 0]
        out = torch.where(chosen.any(2), emitted, -1)
        texts = [label(number, names) for number in range(width)]
        return [tuple(texts[k] for k in row) if min(row) >= 0 else () for row in out.tolist()]


def label(emission: int, names: list[str]) -> str:
    """An emission's number as text."""
    if emission == 0:
        return SILENT
    if emission <= len(names):
        return names[emission - 1]
    first, second = divmod(emission - 1 - len(names), len(names))
    return f"{names[first]}+{names[second]}"


def grouped(words: Sequence[Word], names: list[str], size: int = 4096) -> list[Batch]:
    """The words in batches of one length each; `rows` of a batch are places in `words`."""
    by_length: dict[int, list[int]] = {}
    for row, (word, _) in enumerate(words):
        by_length.setdefault(len(word), []).append(row)
    return [
        Batch(rows[k : k + size], [words[row] for row in rows[k : k + size]], names)
        for rows in by_length.values()
        for k in range(0, len(rows), size)
    ]
