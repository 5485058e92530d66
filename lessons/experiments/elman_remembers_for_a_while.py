"""Lesson 01: an Elman network on the temporal-order task at three lengths.

The network trains until it is solved, for at most 1,500 steps, at two learning rates if the first fails;
what counts is the better of the two.
"""

from __future__ import annotations

from dataclasses import asdict

from lessons import tasks
from lessons.experiments.bound import Bound
from lessons.experiments.claim import Claim, Figures, Measure
from lessons.tasks import SequencePreset, UntilSolved
from lessons.training import fit

LENGTHS = (20, 40, 60)
SOLVED = 0.99  # the rule of tasks.Classification
RATES = (1e-2, 3e-3)
SHARE = "held-out orders named rightly"
SIZES = SequencePreset(
    "cpu", steps=1500, evaluate_every=50, batch_size=32, cell="rnn", hidden_size=16, forget_bias=None
)


def sizes(preset: str) -> SequencePreset:
    """Small enough for half a minute a seed; in `ci`, for a second."""
    return SIZES.but(name="ci", steps=2, batch_size=4, held_out=20) if preset == "ci" else SIZES


def settings(preset: str) -> dict:
    """Everything that decides the result."""
    return {"temporal order": asdict(sizes(preset)), "rates": RATES}


def run(seed: int, preset: str) -> Figures:
    """Train at every length; the share of held-out sequences whose order is named rightly."""
    return {SHARE: {str(length): share(sizes(preset).but(length=length), seed) for length in LENGTHS}}


def share(preset: SequencePreset, seed: int) -> float:
    """The best share that is reached at one of the rates."""
    reached = []
    for rate in RATES:
        task = tasks.build("temporal order", preset.but(learning_rate=rate), seed)
        run = fit(task, watch=UntilSolved(), seed=seed, progress=False)
        reached.append(run.last["share right"])
        if reached[-1] >= SOLVED:
            break
    return max(reached)


CLAIM = Claim(
    name="elman-remembers-for-a-while",
    lesson="01_recurrence",
    statement="An Elman network of 16 units learns to name the order of two symbols in sequences of "
    "20 steps, and does not learn it in sequences of 60.",
    source="Hochreiter & Schmidhuber 1997, Long Short-Term Memory, section 5.6 (the task); Bengio, Simard & "
    "Frasconi 1994, section II (that length is what hurts); lengths and sizes are ours.",
    budget="3 to 6 trainings of at most 1,500 steps a seed, half a minute on one core",
    measures=(Measure(SHARE, "share of 1,000", tuple(map(str, LENGTHS)), along="steps of a sequence"),),
    rules=(
        Bound(SHARE, ("20",), SOLVED, "above", share=0.8, along="steps"),
        Bound(SHARE, ("60",), SOLVED, "below", share=0.8, along="steps"),
    ),
    run=run,
    settings=settings,
    depends_on="the length",
)
