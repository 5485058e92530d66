"""A pass rule that asks a measure to lie on one side of a fixed number, as "solved" does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lessons.experiments.claim import Figures, Judgement, Limit, Number, count, needed, often


@dataclass(frozen=True)
class Bound:
    """Under `condition` a measure lies "below" or "above" `at`, on a share of the seeds."""

    measure: str
    condition: str
    at: Number
    side: str = "below"
    share: Number = 1.0
    words: str = ""  # how the sentence names the condition

    @property
    def named(self) -> str:
        """Measure and condition in words."""
        return self.words or f"{self.measure}, {self.condition}"

    @property
    def text(self) -> str:
        """The rule in words."""
        return f"{self.named}: {self.side} {self.at:g} on {often(self.share)}"

    def judge(self, seeds: Sequence[Figures]) -> Judgement:
        """Count the seeds that lie on the side asked for."""
        values = [seed[self.measure][self.condition] for seed in seeds]
        passed = sum(value < self.at if self.side == "below" else value > self.at for value in values)
        return Judgement(
            passed >= needed(self.share, len(seeds)),
            f"{self.named}: {self.side} {self.at:g} on {passed} of {count(len(seeds))}",
        )

    def limits(self, seeds: Sequence[Figures]) -> list[Limit]:
        """The same number for every seed."""
        return [Limit(self.measure, self.condition, seed, self.at, self.side) for seed in range(len(seeds))]
