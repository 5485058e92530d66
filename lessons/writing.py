"""Whole documents, many at a time: written by a network or by an n-gram, at any temperature.

A document ends at the first blank line. One that does not end within `longest` characters is cut, and counts
as unfinished. All rows of a batch go on together, so that fifty documents cost little more than one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import torch
from torch import Generator, Tensor

from lessons import sampling
from lessons.arguments import Between, Count, Seed, explained
from lessons.char_rnn import CharModel
from lessons.documents import SEPARATOR
from lessons.errors import LessonError
from lessons.ngram import NGram
from lessons.sampling import Heat

LONGEST = 1200
PRUNE = 32  # steps after which rows that have ended are taken out of the batch
Writer = CharModel | NGram


@dataclass(frozen=True)
class Written:
    """A document, with one line end at its end if it came to one by itself."""

    text: str
    ended: bool


@explained
def write(
    writer: Writer,
    count: Count = 1,
    temperature: Annotated[Heat, Between(0, 10)] = 0.7,
    begin: str = "",
    longest: Annotated[int, Between(1, 20_000)] = LONGEST,
    seed: Seed = 0,
    lead: str = SEPARATOR,
) -> list[Written]:
    """`count` documents that begin with `begin`, each with dice of its own.

    lead: what is read before and is no part of them, up to a blank line; another document is best
    (media.lead). A network was hardly ever trained from the zero state, from which it begins in the middle.
    Raises LessonError for characters that the writer has never seen, and for one that knows no line end.
    """
    if writer.vocabulary is None or "\n" not in writer.vocabulary:
        raise LessonError("This writer has never seen a line end, so it cannot say where a document ends.")
    by = _by_network if isinstance(writer, CharModel) else _by_counts
    texts = by(writer, lead, begin, count, temperature, longest, seed)
    return [_whole(begin + text) for text in texts]


def _whole(text: str) -> Written:
    body, end, _ = text.partition(SEPARATOR)
    return Written(f"{body}\n", True) if end else Written(text, False)


@torch.no_grad()
def _by_network(
    model: CharModel, lead: str, begin: str, count: int, temperature: float, longest: int, seed: int
) -> Sequence[str]:
    generator, symbols = Generator(device="cpu").manual_seed(seed), model.vocabulary.symbols
    texts, rows = [""] * count, torch.arange(count, device="cpu")
    training = model.training
    model.eval()
    context = model.encode(lead + begin)
    logits, state = model(context)
    logits, state = logits[:, -1].expand(count, -1), _chosen(state, torch.zeros_like(rows))
    for step in range(1, longest + 1):
        rolls = torch.rand(count, generator=generator, device="cpu")[rows]
        chances = sampling.distribution(logits.float(), temperature).cpu()
        drawn = sampling.place(chances, rolls)
        for row, number in zip(rows.tolist(), drawn.tolist(), strict=True):
            texts[row] += symbols[number]
        if step % PRUNE == 0:
            kept = [k for k, row in enumerate(rows.tolist()) if SEPARATOR not in begin[-1:] + texts[row]]
            if not kept:
                break
            rows, drawn, state = rows[kept], drawn[kept], _chosen(state, torch.tensor(kept, device="cpu"))
        logits, state = model.step(drawn.to(logits.device), state)
    model.train(training)
    return texts


def _by_counts(
    counted: NGram, lead: str, begin: str, count: int, temperature: float, longest: int, seed: int
) -> Sequence[str]:
    generator, symbols = Generator(device="cpu").manual_seed(seed), counted.vocabulary.symbols
    texts = []
    for _ in range(count):
        text = lead + begin
        start = max(len(text) - 1, len(lead))  # where a blank line may begin
        while len(text) < len(lead + begin) + longest and not text.endswith(SEPARATOR, start):
            scores = counted.predict(text[-counted.order :]).log()
            chances = sampling.distribution(scores.float(), temperature)
            roll = torch.rand((), generator=generator, device="cpu")
            text += symbols[int(sampling.place(chances, roll))]
        texts.append(text[len(lead + begin) :])
    return texts


def _chosen(state: Tensor | tuple[Tensor, ...], rows: Tensor) -> Tensor | tuple[Tensor, ...]:
    """Some rows of a state."""
    if isinstance(state, tuple):
        return tuple(_chosen(part, rows) for part in state)
    return state.index_select(1, rows.to(state.device))
