"""Lesson 18: a machine that was taught with few slots is given more, for longer sequences; no weight changes.

The machine and its training are those of dnc-learns-copy. What counts is how many bits of 16 vectors are
wrong, twice as many as were ever taught, with the 16 slots of the training and with 64.
"""

from __future__ import annotations

from lessons import dnc_training
from lessons.experiments.bound import Bound
from lessons.experiments.claim import Claim, Figures, Measure
from lessons.experiments.dnc_learns_copy import FRESH, taught
from lessons.experiments.dnc_learns_copy import settings as own

EASY, LONG = 8, 16  # vectors
OWN, MORE = "its 16 slots", "64 slots"
TIMES = 4  # more slots
FEW, MANY = 5, 15  # % of the bits; a coin gets 50 % wrong


def settings(preset: str) -> dict:
    """Everything that decides the result."""
    return {**own(preset), "vectors": [EASY, LONG], "times the slots": TIMES}


def run(seed: int, preset: str) -> Figures:
    """Train one machine; the share of wrong bits, in %, by vectors and slots."""
    task, _ = taught(seed, preset)
    sizes, figures = task.preset.but(held_out=FRESH), {}
    for name, times in ((OWN, 1), (MORE, TIMES)):
        machine = task.model.resized(times * task.model.slots)
        wrong = dnc_training.by_size(machine, sizes, [EASY, LONG], fresh=True)
        figures[name] = {str(size): 100 * value / (8 * size) for size, value in wrong.items()}
    return figures


CLAIM = Claim(
    name="dnc-memory-grows",
    lesson="18_dnc",
    statement="Taught to copy up to 8 vectors with 16 slots, a differentiable neural computer copies 16 with "
    "fewer than 5 % of the bits wrong when it is given 64 slots, and not a weight is changed; with its own "
    "it gets more than 15 % wrong.",
    source="Graves et al. 2016, Methods: no weight depends on the number of slots; lengths and bounds are "
    "ours.",
    budget="a training of at most 2,000 steps a seed, at most a minute on one core",
    measures=tuple(
        Measure(name, "% of bits wrong", (str(EASY), str(LONG)), along="vectors") for name in (OWN, MORE)
    ),
    rules=(
        Bound(MORE, (str(LONG),), FEW, "below", share=0.8, along="vectors"),
        Bound(OWN, (str(LONG),), MANY, "above", share=0.8, along="vectors"),
    ),
    run=run,
    settings=settings,
)
