"""The switch before every step of a decoder: it is fed the truth, or what it wrote itself (lesson 11)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool
from torch import Generator, Tensor

from lessons.arguments import Count, Seed, Share, explained
from lessons.errors import LessonError
from lessons.seq2seq import LOST, Seq2Seq, evaluating, likeliest
from lessons.tokens import BEGIN


@dataclass(frozen=True)
class Fed:
    """One sentence under switches, step by step; the last step of `truth` is its END.

    told: whether the truth was fed at a step (the first step is always fed the sign for begin).
    fed, written: the symbols that were read, and that stood highest afterwards.
    chances: the probability of the right symbol at each step.
    """

    source: str
    truth: tuple[str, ...]
    told: tuple[bool, ...]
    fed: tuple[str, ...]
    written: tuple[str, ...]
    chances: tuple[float, ...]

    @property
    def right(self) -> tuple[bool, ...]:
        """Which symbols are those of the truth."""
        return tuple(a == b for a, b in zip(self.written, self.truth, strict=True))

    @property
    def first(self) -> int | None:
        """The step of the first mistake; None if there is none."""
        return self.right.index(False) if False in self.right else None


@explained
def switches(chance: Share, steps: Count, seed: Seed = 0) -> Bool[Tensor, " steps"]:
    """For each step, whether the truth is fed. A higher chance only turns switches on, for the same seed."""
    dice = Generator(device="cpu").manual_seed(seed)
    return torch.rand(steps, generator=dice, device="cpu") < chance


@explained
def board(
    schedule: Callable[[int], float], moments: Sequence[int], steps: Count, seed: Seed = 0
) -> Bool[Tensor, "moments steps"]:
    """The switches of a sentence at several moments of a training, drawn anew at each of them."""
    rows = [switches(schedule(moment), steps, seed * 10_007 + moment) for moment in moments]
    return torch.stack(rows)


@explained
@torch.no_grad()
def under(model: Seq2Seq, source: str, truth: str, told: Bool[Tensor, " steps"] | None = None) -> Fed:
    """What a network writes when each step is fed the truth or its own likeliest symbol, as `told` says.

    told: a switch for each symbol of the truth and its END, the first of them unused; None feeds the truth.
    Raises LessonError for a wrong number of switches, and for characters that the network has never seen.
    """
    ids, lengths = model.source.batch([source], device=model.device)
    right = model.target.batch([truth], end=True, device=model.device)[0][0]
    told = torch.ones(len(right), dtype=torch.bool, device="cpu") if told is None else told
    if len(told) != len(right):
        raise LessonError(f"This sentence takes {len(right)} switches, one a step; there are {len(told)}.")
    with evaluating(model):
        writer, carry = model.writer(model.read(ids, lengths))
        fed, written, chances = [torch.full_like(right[:1], BEGIN)], [], []
        for step, symbol in enumerate(right):
            if step:
                fed.append(right[step - 1][None] if told[step] else written[-1])
            seen, carry = writer.step(fed[-1], carry)
            if bool(seen.logits.isnan().any()):
                raise LessonError(LOST)
            written.append(likeliest(seen.logits))
            chances.append(float(seen.logits[0].softmax(-1)[symbol]))
    labels = [model.target.labels(torch.stack(rows).flatten().tolist()) for rows in (fed, written)]
    return Fed(source, model.target.labels(right.tolist()), tuple(told.tolist()), *labels, tuple(chances))
