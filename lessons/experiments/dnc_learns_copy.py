"""Lesson 18: how many seeds of a differentiable neural computer learn to copy, in a fixed number of steps.

The machine of the lesson: an LSTM of 64 units, 16 slots of 16 numbers, one head that reads; Adam. A training
ends when three evaluations in a row, a hundred steps apart, are below half a wrong bit, or with the budget.
What counts is measured afterwards, on sequences that no evaluation has seen.
"""

from __future__ import annotations

from dataclasses import asdict

from lessons import dnc_training
from lessons.dnc_training import PRESETS, DNCPreset, DNCTask
from lessons.experiments.bound import Bound
from lessons.experiments.claim import Claim, Figures, Measure
from lessons.machine_training import FEW, UntilLearnt
from lessons.training import fit

WRONG, STEPS, LENGTH = "wrong bits of 64", "training steps", "8 vectors"
FRESH = 200  # sequences that what counts is measured on


def sizes(preset: str) -> DNCPreset:
    """The lesson's own; in `ci`, a training of seconds."""
    return PRESETS["ci"] if preset == "ci" else PRESETS["cpu"]


def settings(preset: str) -> dict:
    """Everything that decides the result."""
    return {"copy": asdict(sizes(preset)), "fresh sequences": FRESH, "checks in a row": UntilLearnt().checks}


def taught(seed: int, preset: str) -> tuple[DNCTask, int]:
    """A task whose machine has learnt to copy, or has used up its budget, and the steps it took."""
    task = dnc_training.prepare(sizes(preset), seed)
    return task, fit(task, watch=UntilLearnt(), seed=seed, progress=False).step


def run(seed: int, preset: str) -> Figures:
    """Train one machine; its wrong bits on fresh sequences of 8 vectors, and the steps it took."""
    task, steps = taught(seed, preset)
    wrong = dnc_training.by_size(task.model, task.preset.but(held_out=FRESH), [8], fresh=True)
    return {WRONG: {LENGTH: wrong[8]}, STEPS: {LENGTH: steps}}


CLAIM = Claim(
    name="dnc-learns-copy",
    lesson="18_dnc",
    statement="A differentiable neural computer learns to copy up to 8 vectors of 8 bits in at most 2,000 "
    "steps of 16 sequences: fewer than half a bit of 64 is wrong.",
    source="Graves et al. 2016, Hybrid computing using a neural network with dynamic external memory, "
    "Methods; task, sizes and budget are ours.",
    budget="a training of at most 2,000 steps a seed, at most a minute on one core",
    measures=(Measure(WRONG, "bits", (LENGTH,)), Measure(STEPS, "steps", (LENGTH,))),
    rules=(Bound(WRONG, (LENGTH,), FEW, "below", share=0.8),),
    run=run,
    settings=settings,
)
