"""Lesson 11's network and what is measured on it: learning with the truth at hand, and writing without it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from lessons import presets, translation
from lessons.arguments import Count, Seed, check_fields, explained
from lessons.decoding import translate
from lessons.edit_distance import symbols_wrong
from lessons.length_study import held_out
from lessons.pairs import Pairs
from lessons.run import Run
from lessons.seq2seq import evaluating, likeliest
from lessons.tokens import PAD
from lessons.translation import Translation, TranslationPreset

# No attention: all that the decoder knows of where it is, it knows from what it was fed. One vector is enough
# for numbers below a thousand, and hardly for larger ones.
SIZES = TranslationPreset(
    "cpu", steps=500, evaluate_every=125, learning_rate=8e-3, below=1000, count=1, beyond=0, attention=None,
    hidden_size=96, batch_size=32, threads=1,
)  # fmt: skip
PRESETS = {
    "ci": SIZES.but(
        name="ci", steps=12, evaluate_every=6, hidden_size=16, embedding_size=8, batch_size=16, held_out=40,
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


@explained
def prepare(preset: TranslationPreset, seed: Seed = 0, pairs: Pairs | None = None) -> Translation:
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


@explained
@torch.no_grad()
def exposure(task: Translation) -> Exposure:
    """Measure it on all that is held out, place by place; nothing is chosen by "valid" in this lesson."""
    model, held = task.model, task.placed(task.numbered(held_out(task)))
    with evaluating(model):
        forced = model(held.source, held.lengths, held.target).logits
        free = model(held.source, held.lengths, held.target, ratio=0.0, own="best").logits
    return Exposure(likeliest(forced) == held.target, likeliest(free) == held.target, held.target != PAD)


TOLD, ALONE, WHOLE = "symbols wrong, fed the truth", "symbols wrong, alone", "sentences right, alone"


@explained
@torch.no_grad()
def judged(task: Translation) -> dict[str, float]:
    """How a network fares on all that is held out.

    TOLD: wrong symbols of a hundred, place by place, END included, when the truth is fed. ALONE: edits for
    each hundred symbols when it reads its own likeliest ones. WHOLE: sentences that are right then, in %.
    """
    sources, targets = zip(*held_out(task), strict=True)
    held = task.placed(task.numbered(held_out(task)))
    with evaluating(task.model):
        logits = task.model(held.source, held.lengths, held.target).logits
    wrong = (likeliest(logits) != held.target)[held.target != PAD]
    told = 100 * float(wrong.float().mean())
    written = translate(task.model, list(sources), longest=2 * max(map(len, targets)))
    whole = 100 * translation.exact(written, targets)
    return {TOLD: told, ALONE: symbols_wrong(written, targets), WHOLE: whole}


@dataclass
class Progress:
    """A watch for `fit`: `rows` gets {"step": steps done, **judged(task)} after every `every` steps."""

    every: Count = 50
    rows: list[dict[str, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        check_fields(self)

    def on_step(self, run: Run, task: Translation, step: int) -> None:
        """Called by `fit`, which calls every watch at its own pace."""
        self.rows.append({"step": step, **judged(task)})
