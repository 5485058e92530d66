"""Lesson 15: what a point costs with and without knowing the text."""

from __future__ import annotations

from lessons.experiments import told_and_blind
from lessons.experiments.claim import Claim, Figures, Margin, Measure

COST = "cost of a held-out point"
CONSTANT, BLIND, TOLD = "constant mixture", "network without the text", "network with the text"


def run(seed: int, preset: str) -> Figures:
    """Train the same network twice, once without its window, on the same words in the same order."""
    _, told = told_and_blind.trained(seed, preset, told=True)
    _, blind = told_and_blind.trained(seed, preset, told=False)
    return {COST: {CONSTANT: told["constant"], BLIND: blind["valid"], TOLD: told["valid"]}}


CLAIM = Claim(
    name="text-lowers-the-cost",
    lesson="15_handwriting",
    statement="A network that is told what to write is less surprised by the next point of a pen than the "
    "same network without the text, and both by far less than a density that never changes.",
    source="Graves 2013, Generating sequences with recurrent neural networks (arXiv 1308.0850), sections 4.2 "
    "and 5.2: synthesis networks reach lower losses than prediction networks, on real handwriting.",
    budget="two trainings of 1,200 steps a seed, a good minute on one core",
    measures=(Measure(COST, "nats", (CONSTANT, BLIND, TOLD)),),
    rules=(
        Margin(COST, "nats", TOLD, BLIND, 0.1),
        Margin(COST, "nats", BLIND, CONSTANT, 0.3),
    ),
    run=run,
    settings=told_and_blind.settings,
    corpora=("shakespeare",),
)
