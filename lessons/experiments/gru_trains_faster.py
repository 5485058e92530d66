"""Lesson 05: does a GRU train faster than an LSTM? In time per step, in steps, and in seconds to a target.

All times are processor time of one thread, the networks taking turns step by step. On a CPU the LSTM of torch
is one fused kernel (oneDNN); the GRU here is this course's closed form, and torch's own GRU is a loop over
the steps. On a GPU, where both are fused, the answer may differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from lessons import corpora, gru
from lessons.char_rnn import CharPreset
from lessons.experiments.claim import (
    Claim,
    Figures,
    Judgement,
    Limit,
    Measure,
    Number,
    between,
    count,
    needed,
    often,
)
from lessons.experiments.excerpt import excerpt
from lessons.gru import SIZES, Entrant

TARGET = 3.3
EACH = "time of a step"
STEPS = f"steps to {TARGET:g} bits"
SECONDS = f"seconds to {TARGET:g} bits"
UNIT = "LSTM = 1"
LSTM, SAME_SIZE, SAME_WEIGHTS, LOOP = "LSTM", "GRU, same size", "GRU, same weights", "torch's GRU"


def sizes(preset: str) -> CharPreset:
    """Ten seconds a seed; in `ci`, one."""
    return gru.PRESETS["ci"].but(valid_characters=1000) if preset == "ci" else SIZES


def settings(preset: str) -> dict:
    """Everything that decides the result."""
    own = sizes(preset)
    return {
        "sizes": asdict(own), "target": TARGET, "entrants": [asdict(who) for who in gru.entrants(own)],
        "excerpt": preset == "ci",
    }  # fmt: skip


def run(seed: int, preset: str) -> Figures:
    """Race to the target, then time single steps; a target that is not reached counts at the last step."""
    own = sizes(preset)
    corpus = corpora.load("shakespeare", quiet=True)
    corpus = excerpt(corpus) if preset == "ci" else corpus
    laps = {lap.name: lap for lap in gru.race(corpus, own, seed=seed, target=TARGET)}
    steps = {name: lap.reached(TARGET) or own.steps for name, lap in laps.items()}
    seconds = {name: lap.clock(steps[name]) for name, lap in laps.items()}
    field = [*gru.entrants(own), Entrant(LOOP, "torch.nn.GRU", own.hidden_size)]
    each = gru.step_seconds(corpus, own, field, steps=40 if preset != "ci" else 5, seed=seed)
    return {EACH: relative(each), STEPS: relative(steps), SECONDS: relative(seconds)}


def relative(values: dict[str, float]) -> dict[str, float]:
    """Everything as a multiple of the LSTM's."""
    return {name: value / values[LSTM] for name, value in values.items()}


@dataclass(frozen=True)
class Faster:
    """Under a measure a cell needs at most `at` times what the LSTM needs, on a share of the seeds."""

    measure: str
    cell: str
    at: Number = 0.95
    share: Number = 0.8

    @property
    def text(self) -> str:
        """The rule in words."""
        return f"{self.measure}: {self.cell} at most {self.at:g} of the LSTM on {often(self.share)}"

    def judge(self, seeds: Sequence[Figures]) -> Judgement:
        """Count the seeds on which it is faster."""
        values = [seed[self.measure][self.cell] for seed in seeds]
        passed = sum(value <= self.at for value in values)
        return Judgement(
            passed >= needed(self.share, len(seeds)),
            f"{self.measure}: {self.cell} takes {between(values)} times the LSTM's, "
            f"faster on {passed} of {count(len(seeds))}",
        )

    def limits(self, seeds: Sequence[Figures]) -> list[Limit]:
        """The same number for every seed."""
        return [Limit(self.measure, self.cell, seed, self.at, "below") for seed in range(len(seeds))]


CLAIM = Claim(
    name="gru-trains-faster",
    lesson="05_gru",
    statement="A GRU trains faster than an LSTM on a CPU: its step takes less time, it needs fewer steps to "
    "3.3 bits per character on held-out plays, and so fewer seconds; at equal size and with as many weights.",
    source="Chung et al. 2014, Empirical Evaluation of Gated Recurrent Neural Networks on Sequence Modeling, "
    "section 5, figures 2 and 3, in updates and in wall-clock time; sizes and text are ours.",
    budget="three trainings of at most 500 steps a seed, taking turns, about ten seconds on one core",
    measures=(
        Measure(EACH, UNIT, (LSTM, SAME_SIZE, SAME_WEIGHTS, LOOP)),
        Measure(STEPS, UNIT, (LSTM, SAME_SIZE, SAME_WEIGHTS)),
        Measure(SECONDS, UNIT, (LSTM, SAME_SIZE, SAME_WEIGHTS)),
    ),
    rules=tuple(
        Faster(measure, cell) for measure in (EACH, STEPS, SECONDS) for cell in (SAME_SIZE, SAME_WEIGHTS)
    ),
    run=run,
    settings=settings,
    corpora=("shakespeare",),
    depends_on="what is counted: steps or seconds",
)
