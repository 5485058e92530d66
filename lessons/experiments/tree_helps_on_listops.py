"""Lesson 16: nested lists of four operators, read up the tree in order, up the tree by sums, and as
tokens."""

from __future__ import annotations

from dataclasses import asdict

from lessons import tree_study
from lessons.experiments.claim import Claim, Figures, Margin, Measure
from lessons.training import fit
from lessons.tree_study import TOKENS, TreePreset

WRONG, DEEPER = "answers wrong", "answers wrong, one level deeper"
IN_ORDER, SUMS = "tree in order", "child-sum tree"
CONDITIONS = (IN_ORDER, SUMS, TOKENS)
SIZES = tree_study.PRESETS["cpu"].but(count=16_000, steps=1200, evaluate_every=1200)


def sizes(preset: str) -> dict[str, TreePreset]:
    """A quarter of a minute each; in `ci`, a moment."""
    own = tree_study.PRESETS["ci"].but(steps=2, evaluate_every=2) if preset == "ci" else SIZES
    return {
        IN_ORDER: own,
        SUMS: own.but(cell="child-sum"),
        TOKENS: own.but(reading=TOKENS),
    }


def settings(preset: str) -> dict:
    """Everything that decides the result."""
    return {name: asdict(one) for name, one in sizes(preset).items()}


def run(seed: int, preset: str) -> Figures:
    """Train all three with the answers of every sublist; the share of whole expressions that is wrong, in
    %."""
    figures: Figures = {WRONG: {}, DEEPER: {}}
    for name, one in sizes(preset).items():
        study = tree_study.prepare(one, seed)
        fit(study, seed=seed, progress=False)
        for measure, part in ((WRONG, "test"), (DEEPER, "deeper")):
            figures[measure][name] = 100 * (1 - study.evaluate(part)["right"])
    return figures


CLAIM = Claim(
    name="tree-helps-on-listops",
    lesson="16_recursive",
    statement="On nested lists of MIN, MAX, MED and SM, a Tree-LSTM that takes children in order gets fewer "
    "expressions wrong than a child-sum Tree-LSTM, and than an LSTM of as many weights that reads the same "
    "tokens, brackets among them; all learn from the answers of sublists, too.",
    source="Nangia & Bowman 2018, ListOps: a diagnostic dataset for latent tree learning, who find that a "
    "Tree-LSTM with the given tree does best; lists, sizes and training are ours.",
    budget="three trainings of 1,200 steps a seed, three quarters of a minute on one core",
    measures=(Measure(WRONG, "%", CONDITIONS), Measure(DEEPER, "%", CONDITIONS)),
    rules=(
        Margin(WRONG, "points", IN_ORDER, TOKENS, 20),
        Margin(WRONG, "points", IN_ORDER, SUMS, 10, share=0.8),
    ),
    run=run,
    settings=settings,
    depends_on="what it is compared with",
)
