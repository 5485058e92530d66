"""What a claim is: a statement with its source, rules fixed before any result, and an experiment to run."""

from __future__ import annotations

import hashlib
import inspect
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import mean
from typing import Any, Protocol, runtime_checkable

Number = int | float
Figures = Mapping[str, Mapping[str, Number]]  # measure -> condition -> number

HOLDS, FAILS, DEPENDS = "holds", "does not hold", "depends on"


@dataclass(frozen=True)
class Measure:
    """A quantity that every seed measures under each of the conditions, named in the order of the picture."""

    name: str
    unit: str
    conditions: tuple[str, ...]
    along: str = ""  # what the conditions are steps of ("temperature"), if they are


@dataclass(frozen=True)
class Limit:
    """Where one seed's point must not go: what the picture draws as the rule."""

    measure: str
    condition: str
    seed: int  # place among the seeds, from 0
    at: float
    side: str  # the point must lie "below" or "above"


@dataclass(frozen=True)
class Judgement:
    """Whether a rule is met, and the numbers that say so in one clause."""

    met: bool
    sentence: str


@runtime_checkable
class Rule(Protocol):
    """A pass rule; `text` is computed from the same numbers as the judgement, so the two cannot part."""

    @property
    def text(self) -> str: ...

    def judge(self, seeds: Sequence[Figures]) -> Judgement: ...

    def limits(self, seeds: Sequence[Figures]) -> list[Limit]: ...


@dataclass(frozen=True)
class Margin:
    """Under condition `lower` a measure stays at least `by` below `upper`, on a share of the seeds."""

    measure: str
    unit: str
    lower: str
    upper: str
    by: Number
    share: Number = 1.0

    @property
    def text(self) -> str:
        """The rule in words."""
        return (
            f"{self.measure}: {self.lower} at least {self.by:g} {self.unit} below {self.upper} "
            f"on {often(self.share)}"
        )

    def judge(self, seeds: Sequence[Figures]) -> Judgement:
        """Count the seeds whose margin is large enough."""
        margins = [seed[self.measure][self.upper] - seed[self.measure][self.lower] for seed in seeds]
        passed = sum(margin >= self.by for margin in margins)
        return Judgement(
            passed >= needed(self.share, len(seeds)),
            f"{self.measure}: {self.lower} is {apart(margins, self.unit)} {self.upper}, "
            f"enough on {passed} of {count(len(seeds))}",
        )

    def limits(self, seeds: Sequence[Figures]) -> list[Limit]:
        """For each seed, the highest that `lower` may lie."""
        return [
            Limit(self.measure, self.lower, at, seed[self.measure][self.upper] - self.by, "below")
            for at, seed in enumerate(seeds)
        ]


@dataclass(frozen=True)
class Trend:
    """A measure rises (or falls) at each step of the mean, and from end to end on a share of the seeds."""

    measure: str
    conditions: tuple[str, ...]
    rises: bool
    share: Number = 1.0

    @property
    def text(self) -> str:
        """The rule in words."""
        return (
            f"{self.measure}: {'rises' if self.rises else 'falls'} from each of {', '.join(self.conditions)} "
            f"to the next in the mean over the seeds, and from first to last on {often(self.share)}"
        )

    def judge(self, seeds: Sequence[Figures]) -> Judgement:
        """Look at the steps of the mean, and at both ends of each seed."""
        sign = 1 if self.rises else -1
        means = [mean(seed[self.measure][condition] for seed in seeds) for condition in self.conditions]
        steady = all(sign * (after - before) > 0 for before, after in pairwise(means))
        first, last = self.conditions[0], self.conditions[-1]
        ends = sum(sign * (seed[self.measure][last] - seed[self.measure][first]) > 0 for seed in seeds)
        way = "rises" if self.rises else "falls"
        in_mean = f"{way} at every step" if steady else f"does not {way[:-1]} at every step"
        return Judgement(
            steady and ends >= needed(self.share, len(seeds)),
            f"{self.measure}: {in_mean} ({means[0]:.2f} to {means[-1]:.2f}), "
            f"end to end on {ends} of {count(len(seeds))}",
        )

    def limits(self, seeds: Sequence[Figures]) -> list[Limit]:
        """For each seed, the last condition must lie beyond the first."""
        first, last = self.conditions[0], self.conditions[-1]
        side = "above" if self.rises else "below"
        return [
            Limit(self.measure, last, at, seed[self.measure][first], side) for at, seed in enumerate(seeds)
        ]


@dataclass(frozen=True)
class Claim:
    """A claim of a lesson.

    run: (seed, preset) -> Figures, everything random decided by the seed. settings: preset -> plain values
    that decide the result, kept with it, so that a later change is noticed. budget: what it costs, in words.
    depends_on: said in the verdict when some rules are met and others not; empty if all must be met.
    """

    name: str
    lesson: str
    statement: str
    source: str
    budget: str
    measures: tuple[Measure, ...]
    rules: tuple[Rule, ...]
    run: Callable[[int, str], Figures]
    settings: Callable[[str], dict[str, Any]]
    corpora: tuple[str, ...] = ()
    depends_on: str = ""

    @property
    def rule(self) -> str:
        """All pass rules in words; they were written before the first result."""
        return "; and ".join(rule.text for rule in self.rules)

    def verdict(self, seeds: Sequence[Figures]) -> tuple[str, str]:
        """What the figures of all seeds come to: the verdict, and its reason in one sentence."""
        judged = [rule.judge(seeds) for rule in self.rules]
        met = sum(judgement.met for judgement in judged)
        mixed = f"{DEPENDS} {self.depends_on}" if self.depends_on and met else FAILS
        reason = joined([judgement.sentence for judgement in judged])
        return HOLDS if met == len(judged) else mixed, f"{reason[0].upper()}{reason[1:]}."

    def digest(self) -> str:
        """SHA-256 of the module that holds the experiment; blank lines and lines of comment do not count."""
        source = inspect.getsource(sys.modules[self.run.__module__])
        lines = (line.rstrip() for line in source.splitlines())
        kept = "\n".join(line for line in lines if line and not line.lstrip().startswith("#"))
        return hashlib.sha256(kept.encode()).hexdigest()


def needed(share: Number, seeds: int) -> int:
    """How many of `seeds` seeds a share asks for, rounded up."""
    return math.ceil(share * seeds - 1e-9)


def count(seeds: int) -> str:
    """A number of seeds in words."""
    return "1 seed" if seeds == 1 else f"{seeds} seeds"


def often(share: Number) -> str:
    """A share of the seeds in words, as out of five, or of eight."""
    of = 5 if float(5 * share).is_integer() or not float(8 * share).is_integer() else 8
    return "every seed" if share == 1 else f"at least {of * share:g} of {of} seeds"


def joined(clauses: Sequence[str]) -> str:
    """Clauses such as "bits: a is 0.1 below b" as one sentence; a measure just named is not named again."""
    told, last = [], ""
    for clause in clauses:
        measure, colon, rest = clause.partition(": ")
        told.append(rest if colon and measure == last else clause)
        last = measure if colon else ""
    return "; ".join(told)


def apart(margins: Sequence[Number], unit: str) -> str:
    """How far one thing lies below another, over the seeds; a negative margin is said as above."""
    low, high = figure(min(margins)), figure(max(margins))
    if low.startswith("−"):
        if high.startswith("−") or high == "0":
            return f"{between([-margin for margin in margins])} {unit} above"
        return f"between {low[1:]} {unit} above and {high} below"
    return "as high as" if high == "0" else f"{between(margins)} {unit} below"


def between(values: Sequence[Number]) -> str:
    """The lowest and highest of some values; one number where they round to the same."""
    low, high = figure(min(values)), figure(max(values))
    return low if low == high else f"{low} to {high}"


def figure(value: Number) -> str:
    """A number to three figures, and to three places at most."""
    places = 3 if abs(value) < 1 else max(0, 2 - math.floor(math.log10(abs(value))))
    text = f"{value:z,.{places}f}".replace("-", "−")
    return text.rstrip("0").rstrip(".") if places else text
