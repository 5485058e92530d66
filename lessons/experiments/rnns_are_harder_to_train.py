"""Lesson 06: over how many learning rates does a network learn? Recurrent ones against one without a loop.

The window model sees the whole sequence at once: all its numbers side by side, one layer of 64 rectified
units, the readout. It has more weights than the others, and one layer of depth where they have one for
each step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from lessons import tasks
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
from lessons.tasks import SequencePreset, UntilSolved
from lessons.training import fit

MEASURES = {
    "latch": "share of rates at which the latch is learnt",
    "adding": "share of rates at which adding is learnt",
}
RATES = (1e-3, 3e-3, 1e-2, 3e-2)
ELMAN, LSTM, WINDOW = "tanh RNN", "LSTM", "window model"
CELLS = {ELMAN: "rnn", LSTM: "lstm"}
SIZES = SequencePreset(
    "cpu", steps=400, evaluate_every=50, length=20, batch_size=32, hidden_size=32, held_out=500
)


class Window(nn.Module):
    """A feed-forward network over all steps of a sequence at once."""

    def __init__(self, numbers: int, answers: int, hidden_size: int = 64) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Flatten(), nn.Linear(numbers, hidden_size), nn.ReLU(), nn.Linear(hidden_size, answers)
        )

    def forward(self, x: Float[Tensor, "batch time input"]) -> tuple[Float[Tensor, "batch output"], None]:
        """The answer, and no state."""
        return self.layers(x), None


def sizes(preset: str) -> SequencePreset:
    """Less than a second a training; in `ci`, some milliseconds."""
    return SIZES.but(name="ci", steps=2, evaluate_every=1, held_out=20) if preset == "ci" else SIZES


def settings(preset: str) -> dict:
    """Everything that decides the result."""
    return {"sizes": asdict(sizes(preset)), "cells": CELLS, "rates": list(RATES)}


def run(seed: int, preset: str) -> Figures:
    """Train all three at every rate on both tasks, each until it is solved or the steps are used up."""

    def share(task: str, model: str) -> float:
        return sum(learns(task, model, rate, seed, sizes(preset)) for rate in RATES) / len(RATES)

    return {
        words: {model: share(task, model) for model in (ELMAN, LSTM, WINDOW)}
        for task, words in MEASURES.items()
    }


def learns(task: str, model: str, rate: float, seed: int, preset: SequencePreset) -> bool:
    """Whether a model solves a task at a learning rate."""
    preset = preset.but(learning_rate=rate, cell=CELLS.get(model, "rnn"))
    learner = tasks.build(task, preset, seed)
    if model == WINDOW:
        numbers, answers = learner.sizes(preset)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            learner = tasks.TASKS[task](Window(preset.length * numbers, answers), preset, seed)
    watch = UntilSolved()
    fit(learner, watch=watch, seed=seed, progress=False)
    return watch.solved


@dataclass(frozen=True)
class Fewer:
    """On a task a model learns at fewer rates than the window model, by a share of all rates."""

    task: str
    model: str
    by: Number = 0.2
    share: Number = 0.8

    @property
    def text(self) -> str:
        """The rule in words."""
        return (
            f"{self.task}: the {self.model}'s share of rates at least {self.by:g} below the {WINDOW}'s on "
            f"{often(self.share)}"
        )

    def judge(self, seeds: Sequence[Figures]) -> Judgement:
        """Count the seeds whose margin is large enough."""
        shares = [seed[MEASURES[self.task]] for seed in seeds]
        passed = sum(share[WINDOW] - share[self.model] >= self.by for share in shares)
        own, other = (between([share[name] for share in shares]) for name in (self.model, WINDOW))
        return Judgement(
            passed >= needed(self.share, len(seeds)),
            f"{self.task}: {self.model} {own} of the rates, {WINDOW} {other}, "
            f"enough on {passed} of {count(len(seeds))}",
        )

    def limits(self, seeds: Sequence[Figures]) -> list[Limit]:
        """For each seed, the highest that the model may lie."""
        words = MEASURES[self.task]
        return [
            Limit(words, self.model, at, seed[words][WINDOW] - self.by, "below")
            for at, seed in enumerate(seeds)
        ]


CLAIM = Claim(
    name="rnns-are-harder-to-train",
    lesson="06_lstm_variants",
    statement="A recurrent network learns at fewer learning rates than a feed-forward network that sees the "
    "whole sequence of 20 steps at once.",
    source="Pascanu, Mikolov & Bengio 2013, On the difficulty of training recurrent neural networks, "
    "sections 1 and 2, on why; the comparison over learning rates is ours.",
    budget="24 trainings of at most 400 steps a seed, about a quarter of a minute on one core",
    measures=tuple(Measure(words, "share", (ELMAN, LSTM, WINDOW)) for words in MEASURES.values()),
    rules=tuple(Fewer(task, model) for task in MEASURES for model in (ELMAN, LSTM)),
    run=run,
    settings=settings,
    depends_on="the cell and the task",
)
