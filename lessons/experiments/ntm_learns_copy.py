"""Lesson 17: how many seeds of a Neural Turing Machine learn to copy, within a fixed number of steps.

The machine of the paper: an LSTM of 100 units, 128 slots of 20 numbers, one read and one write head;
RMSprop with momentum, a memory that starts at 1e-6, heads that start on slot 0. A training ends when three
evaluations in a row, a hundred steps apart, are below half a wrong bit, or with the budget. What counts is
measured afterwards, on sequences that no evaluation has seen.
"""

from __future__ import annotations

from dataclasses import asdict

from lessons import memory_training
from lessons.experiments.bound import Bound
from lessons.experiments.claim import Claim, Figures, Measure
from lessons.memory_training import PRESETS, MemoryPreset, UntilLearnt
from lessons.training import fit

WRONG, STEPS, LENGTH = "wrong bits of 160", "training steps", "20 vectors"
FRESH = 200  # sequences that what counts is measured on


def sizes(preset: str) -> MemoryPreset:
    """The lesson's own; in `ci`, a training of seconds."""
    return PRESETS["ci"] if preset == "ci" else PRESETS["cpu"]


def settings(preset: str) -> dict:
    """Everything that decides the result."""
    return {"copy": asdict(sizes(preset)), "fresh sequences": FRESH, "checks in a row": UntilLearnt().checks}


def run(seed: int, preset: str) -> Figures:
    """Train one machine; its wrong bits on fresh sequences of 20 vectors, and the steps it took."""
    task = memory_training.prepare(sizes(preset), seed)
    steps = fit(task, watch=UntilLearnt(), seed=seed, progress=False).step
    wrong = memory_training.by_length(task.model, task.preset.but(held_out=FRESH), [20], fresh=True)
    return {WRONG: {LENGTH: wrong[20]}, STEPS: {LENGTH: steps}}


CLAIM = Claim(
    name="ntm-learns-copy",
    lesson="17_ntm",
    statement="A Neural Turing Machine learns to copy up to 20 vectors of 8 bits in at most 2,500 steps of "
    "16 sequences: fewer than half a bit of 160 is wrong.",
    source="Graves, Wayne & Danihelka 2014, Neural Turing Machines, section 4.1; the start of the memory is "
    "that of Collier & Beel 2018; the budget is ours.",
    budget="a training of at most 2,500 steps a seed, at most two minutes on one core",
    measures=(Measure(WRONG, "bits", (LENGTH,)), Measure(STEPS, "steps", (LENGTH,))),
    rules=(Bound(WRONG, (LENGTH,), memory_training.FEW, "below", share=7 / 8),),
    run=run,
    settings=settings,
)
