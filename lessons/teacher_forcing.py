"""What a decoder is fed with while it learns (lesson 11): the truth, or its own words, or a mixture.

The chance of the truth at a training step is a schedule's, Bengio et al. (2015), section 2.4.
"""

import math
from dataclasses import dataclass

from lessons.arguments import Count, Share, check_fields, explained
from lessons.errors import LessonError
from lessons.presets import Number

CONSTANT, LINEAR, EXPONENTIAL, SIGMOID = "constant", "linear", "exponential", "inverse sigmoid"
KINDS = (CONSTANT, LINEAR, EXPONENTIAL, SIGMOID)


@dataclass(frozen=True)
class Schedule:
    """The chance of being fed with the truth at training step i.

    kind: "constant", k; "linear", k - c i; "exponential", k^i with k below 1;
        "inverse sigmoid", k / (k + exp(i / k)) with k from 1 upwards.
    least: below this no chance falls.

    Raises LessonError for an unknown kind and for a k outside its bounds.
    """

    kind: str = CONSTANT
    k: Number = 1.0
    c: Number = 0.0
    least: Number = 0.0

    def __post_init__(self) -> None:
        check_fields(self)
        bounds = {CONSTANT: (0, 1), LINEAR: (0, 1), EXPONENTIAL: (0, 1), SIGMOID: (1, math.inf)}
        if self.kind not in bounds:
            raise LessonError(f"A schedule is one of {', '.join(KINDS)}; {self.kind!r} is not.")
        low, high = bounds[self.kind]
        if not low <= self.k <= high:
            upper = f"to {high}" if high < math.inf else "upwards"
            raise LessonError(
                f"The k of a schedule that is {self.kind} goes from {low} {upper}; {self.k} does not fit."
            )
        if not (0 <= self.least <= 1 and self.c >= 0):
            raise LessonError(
                "A schedule's least chance lies between 0 and 1, and its slope c is not below 0."
            )

    def __call__(self, step: int) -> float:
        """The chance at a step, counted from 0."""
        if self.kind == CONSTANT:
            chance = self.k
        elif self.kind == LINEAR:
            chance = self.k - self.c * step
        elif self.kind == EXPONENTIAL:
            chance = self.k**step
        else:
            late = step / self.k > 700  # where exp is no number any more
            chance = 0.0 if late else self.k / (self.k + math.exp(step / self.k))
        return float(min(1.0, max(self.least, chance)))


@explained
def falling(kind: str, steps: Count, end: Share = 0.05) -> Schedule:
    """The schedule of a kind that falls from 1 (the inverse sigmoid from a little below) to `end` in `steps`.

    "constant" stays at `end`. Raises LessonError for an unknown kind.
    """
    if kind == LINEAR:
        return Schedule(kind, 1.0, (1 - end) / steps, end)
    if kind == EXPONENTIAL:
        return Schedule(kind, max(end, 1e-6) ** (1 / steps), least=end)
    if kind == SIGMOID:
        return Schedule(kind, _slow(steps, max(end, 1e-6)), least=end)
    return Schedule(kind, end)


def _slow(steps: int, end: float) -> float:
    """The k with k / (k + exp(steps / k)) = end, by halving; 1 where that is too slow already."""
    low, high = 1.0, float(max(steps, 2))
    for _ in range(60):
        middle = (low + high) / 2
        reached = math.log(middle) - steps / middle < math.log(end / max(1 - end, 1e-9))
        low, high = (middle, high) if reached else (low, middle)
    return high
