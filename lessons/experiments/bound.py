"""A pass rule that asks a measure to lie on one side of a fixed number, as "solved" does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lessons.experiments.claim import Figures, Judgement, Limit, Number, count, needed, often


@dataclass(frozen=True)
class Bound:
    """Under each of `conditions` a measure lies "below" or "above" `at`, on a share of the seeds."""

    measure: str
    conditions: tuple[str, ...]
    at: Number
    side: str = "below"
    share: Number = 1.0
    along: str = ""  # what the conditions are steps of, for the sentences

    @property
    def places(self) -> str:
        """The conditions in words."""
        return f"{listed(self.conditions)} {self.along}".rstrip()

    @property
    def text(self) -> str:
        """The rule in words."""
        each = "each of " if len(self.conditions) > 1 else ""
        return f"{self.measure}: {self.side} {self.at:g} at {each}{self.places} on {often(self.share)}"

    def judge(self, seeds: Sequence[Figures]) -> Judgement:
        """Count the seeds that lie on the side asked for, condition by condition."""
        passed = [
            sum(self.passes(seed[self.measure][condition]) for seed in seeds) for condition in self.conditions
        ]
        counts = listed(list(map(str, passed)))
        return Judgement(
            min(passed) >= needed(self.share, len(seeds)),
            f"{self.measure}: {self.side} {self.at:g} on {counts} of {count(len(seeds))} at {self.places}",
        )

    def passes(self, value: Number) -> bool:
        """Whether a number lies on the side asked for."""
        return value < self.at if self.side == "below" else value > self.at

    def limits(self, seeds: Sequence[Figures]) -> list[Limit]:
        """The same number for every seed and condition."""
        return [
            Limit(self.measure, condition, seed, self.at, self.side)
            for condition in self.conditions
            for seed in range(len(seeds))
        ]


def listed(words: Sequence[str]) -> str:
    """Words as "10, 50 and 100"."""
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
