"""Lesson 16: opinions, where `good but dull` is not `dull but good`, read in order and by sums."""

from __future__ import annotations

from dataclasses import asdict

from lessons import tree_study
from lessons.experiments.claim import Claim, Figures, Margin, Measure
from lessons.training import fit
from lessons.tree_study import TreePreset

BUT, OTHERS = "phrases with but, wrong", "phrases without but, wrong"
IN_ORDER, SUMS = "in order", "child-sum"
CONDITIONS = (IN_ORDER, SUMS)
SIZES = tree_study.PRESETS["cpu"].but(
    task="opinions", count=6000, held_out=1000, steps=300, evaluate_every=300, hidden_size=32
)


def sizes(preset: str) -> TreePreset:
    """A few seconds a network; in `ci`, a moment."""
    if preset == "ci":
        return tree_study.PRESETS["ci"].but(task="opinions", steps=2, evaluate_every=2)
    return SIZES


def settings(preset: str) -> dict:
    """Everything that decides the result."""
    return asdict(sizes(preset))


def run(seed: int, preset: str) -> Figures:
    """Train both with labels at every node; the share of phrases that is wrong, with but and without."""
    figures: Figures = {BUT: {}, OTHERS: {}}
    for cell in CONDITIONS:
        study = tree_study.prepare(sizes(preset).but(cell=cell), seed)
        fit(study, seed=seed, progress=False)
        right = study.right_by("test", lambda tree: any(node.symbol == "but" for node in tree.nodes()))
        figures[BUT][cell] = 100 * (1 - right[True])
        figures[OTHERS][cell] = 100 * (1 - right[False])
    return figures


CLAIM = Claim(
    name="sums-lose-the-order",
    lesson="16_recursive",
    statement="A Child-Sum Tree-LSTM cannot tell `good but dull` from `dull but good`: it gets more phrases "
    "with but wrong than a Tree-LSTM that takes children in order.",
    source="Tai, Socher & Manning 2015, section 3.2, give the n-ary cell for trees whose children are "
    "ordered; grammar and sizes are ours, ratings of Hutto & Gilbert 2014.",
    budget="two trainings of 300 steps a seed, ten seconds on one core",
    measures=(Measure(BUT, "%", CONDITIONS), Measure(OTHERS, "%", CONDITIONS)),
    rules=(Margin(BUT, "points", IN_ORDER, SUMS, 5),),
    run=run,
    settings=settings,
    corpora=("word-ratings",),
)
