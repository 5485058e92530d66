"""Lesson 16: relations between formulas that are longer than any in training, up the tree and as tokens."""

from __future__ import annotations

from dataclasses import asdict

from lessons import tree_study
from lessons.experiments.claim import Claim, Figures, Margin, Measure
from lessons.training import fit
from lessons.tree_study import TOKENS, TREE, TreePreset

WRONG, LONGER = "relations wrong", "relations wrong, longer formulas"
CONDITIONS = (TREE, TOKENS)
SIZES = tree_study.PRESETS["cpu"].but(
    task="logic", count=7000, steps=1000, evaluate_every=1000, every=False, readout_size=32
)


def sizes(preset: str) -> TreePreset:
    """A quarter of a minute a network; in `ci`, a moment."""
    if preset == "ci":
        return tree_study.PRESETS["ci"].but(task="logic", every=False, steps=2, evaluate_every=2)
    return SIZES


def settings(preset: str) -> dict:
    """Everything that decides the result."""
    return asdict(sizes(preset))


def run(seed: int, preset: str) -> Figures:
    """Train both on pairs with up to four connectives; the wrong ones there and beyond, in %."""
    figures: Figures = {WRONG: {}, LONGER: {}}
    for reading in CONDITIONS:
        study = tree_study.prepare(sizes(preset).but(reading=reading), seed)
        fit(study, seed=seed, progress=False)
        for measure, part in ((WRONG, "test"), (LONGER, "longer")):
            figures[measure][reading] = 100 * (1 - study.evaluate(part)["right"])
    return figures


CLAIM = Claim(
    name="trees-reason-further",
    lesson="16_recursive",
    statement="Trained on pairs of formulas with up to four connectives, a Tree-LSTM gets fewer of the seven "
    "relations wrong on formulas with five to eight than an LSTM with as many weights that reads the same "
    "tokens.",
    source="Bowman, Manning & Potts 2015, Tree-structured composition in neural networks without "
    "tree-structured architectures, who find that LSTMs learn such pairs too, and come near trees with "
    "enough data; formulas and sizes are ours.",
    budget="two trainings of 1,000 steps a seed, half a minute on one core",
    measures=(Measure(WRONG, "%", CONDITIONS), Measure(LONGER, "%", CONDITIONS)),
    rules=(Margin(LONGER, "points", TREE, TOKENS, 5, share=0.8),),
    run=run,
    settings=settings,
)
