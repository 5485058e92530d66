"""Lesson 11's network and what is measured on it: learning with the truth at hand, and writing without it."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from lessons import presets, translation
from lessons.arguments import Count, explained
from lessons.pairs import Pairs
from lessons.seq2seq import likeliest
from lessons.tokens import PAD
from lessons.translation import Translation, TranslationPreset

# No attention: all that the decoder knows of where it is, it knows from what it was fed.
SIZES = TranslationPreset(
    "cpu", steps=600, evaluate_every=200, learning_rate=5e-3, below=10_000, count=8000, beyond=0,
    attention=None, cell="gru", hidden_size=96, batch_size=32, held_out=300, threads=1,
)  # fmt: skip
PRESETS = {
    "ci": SIZES.but(
        name="ci", steps=12, evaluate_every=6, hidden_size=16, embedding_size=8, batch_size=16, held_out=40,
        below=1000, count=100,
    ),
    "cpu": SIZES,
    "gpu": SIZES.but(
        name="gpu", steps=10_000, evaluate_every=500, hidden_size=512, learning_rate=1e-3, batch_size=256,
        below=1_000_000, count=50_000, threads=None,
    ),
}  # fmt: skip


def preset(name: str | None = None) -> TranslationPreset:
    """This lesson's preset: the one named, else UNROLLED_PRESET, else the device's."""
    return presets.choose(PRESETS, name)


def prepare(preset: TranslationPreset, seed: int = 0, pairs: Pairs | None = None) -> Translation:
    """The preset's task with a new network; what the command line trains."""
    return translation.prepare(preset, seed, pairs)


@dataclass(frozen=True)
class Exposure:
    """What a network does with held-out sentences, once fed with the truth and once with its own symbols.

    right_forced, right_free: which symbols are right, (B, U). asked: which places have a symbol.
    first: the place of each sentence's first own mistake; where there is none, its length.
    """

    right_forced: Bool[Tensor, "batch target"]
    right_free: Bool[Tensor, "batch target"]
    asked: Bool[Tensor, "batch target"]

    @property
    def first(self) -> Int[Tensor, " batch"]:
        """Where the first own mistake stands."""
        fine = (self.right_free | ~self.asked).cumprod(1).bool() & self.asked
        return fine.sum(1)

    @property
    def forced(self) -> float:
        """The share of symbols that are right when the truth is fed."""
        return float(self.right_forced[self.asked].float().mean())

    @property
    def free(self) -> float:
        """The share of symbols that stand where they should when the network reads its own."""
        return float(self.right_free[self.asked].float().mean())

    @explained
    def after(self, steps: Count = 10) -> Mapping[str, list[float]]:
        """The share of right symbols 1, 2, ... steps behind the first own mistake, fed with either.

        Both are measured at the same places of the same sentences; places past the end do not count.
        """
        lines: dict[str, list[float]] = {"truth": [], "own": []}
        for ahead in range(1, steps + 1):
            place = self.first + ahead
            rows = (place < self.asked.sum(1)).nonzero()[:, 0]
            for name, right in (("truth", self.right_forced), ("own", self.right_free)):
                found = right[rows, place[rows]].float()
                lines[name].append(float(found.mean()) if len(rows) else float("nan"))
        return lines


@torch.no_grad()
def exposure(task: Translation, part: str = "valid") -> Exposure:
    """Measure it on a held-out part; symbols are compared place by place."""
    model, held = task.model, task.placed(task.numbered(task.held[part]))
    training = model.training
    model.eval()
    forced = model(held.source, held.lengths, held.target).logits
    free = model(held.source, held.lengths, held.target, ratio=0.0, own="best").logits
    model.train(training)
    return Exposure(likeliest(forced) == held.target, likeliest(free) == held.target, held.target != PAD)
