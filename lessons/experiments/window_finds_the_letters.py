"""Lesson 15: nobody tells the window which letter is being written, and it finds out."""

from __future__ import annotations

from lessons.experiments import told_and_blind
from lessons.experiments.bound import Bound
from lessons.experiments.claim import Claim, Figures, Margin, Measure

SHARE = "points at which the right letter is read most"
NEAR = "points at which it or its neighbour is read most"
BEFORE, EVEN, AFTER = "before training", "at an even pace", "after training"


def run(seed: int, preset: str) -> Figures:
    """Train on words; on held-out words compare the letter most read with the one the pen was writing."""
    before, after = told_and_blind.trained(seed, preset, told=True)
    exact = {BEFORE: before["aligned"], EVEN: after["even pace"], AFTER: after["aligned"]}
    near = {BEFORE: before["aligned within one"], AFTER: after["aligned within one"]}
    return {SHARE: percent(exact), NEAR: percent(near)}


def percent(shares: dict[str, float]) -> dict[str, float]:
    """Shares in per cent."""
    return {name: 100 * share for name, share in shares.items()}


CLAIM = Claim(
    name="window-finds-the-letters",
    lesson="15_handwriting",
    statement="A network that learns to write, and is never told which letter a point belongs to, learns to "
    "read the right letter at most points and it or its neighbour at nearly all: its window finds the "
    "alignment by itself, and better than at an even pace.",
    source="Graves 2013, Generating sequences with recurrent neural networks (arXiv 1308.0850), section 5.2, "
    "shown there for one line of real handwriting; the pen, which knows the truth, is ours.",
    budget="one training of 1,200 steps a seed, a minute on one core",
    measures=(Measure(SHARE, "%", (BEFORE, EVEN, AFTER)), Measure(NEAR, "%", (BEFORE, AFTER))),
    rules=(
        Margin(SHARE, "points", BEFORE, AFTER, 40),
        Margin(SHARE, "points", EVEN, AFTER, 3, share=0.8),
        Bound(NEAR, (AFTER,), 95, "above"),
    ),
    run=run,
    settings=told_and_blind.settings,
    corpora=("shakespeare",),
)
