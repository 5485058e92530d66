"""Lesson 16: is it the right tree that helps, or any tree? Opinions, lines of code and tunes."""

from __future__ import annotations

from dataclasses import asdict

from lessons import tree_study
from lessons.experiments.claim import Claim, Figures, Margin, Measure
from lessons.training import fit
from lessons.tree_study import RANDOM, READINGS, TREE, TreePreset

OPINIONS, CODE, TUNES = "opinions wrong", "operators wrong", "dances wrong"
OWN = tree_study.PRESETS["cpu"].but(every=False, hidden_size=32, held_out=1000)
SIZES = {
    OPINIONS: OWN.but(task="opinions", count=6000, steps=700, evaluate_every=700),
    CODE: OWN.but(task="code", count=None, steps=400, evaluate_every=400),
    TUNES: OWN.but(task="tunes", count=None, steps=100, evaluate_every=100, batch_size=16, hidden_size=24),
}


def sizes(preset: str) -> dict[str, TreePreset]:
    """A few seconds a network; in `ci`, a moment."""
    if preset != "ci":
        return SIZES
    small = {"steps": 2, "evaluate_every": 2, "hidden_size": 6, "batch_size": 4, "name": "ci"}
    return {name: one.but(count=40, held_out=20, **small) for name, one in SIZES.items()}


def settings(preset: str) -> dict:
    """Everything that decides the result."""
    return {name: asdict(one) for name, one in sizes(preset).items()}


def run(seed: int, preset: str) -> Figures:
    """Train each way to read on each task, asked at the root only; the share of wrong answers, in %."""
    figures: dict[str, dict[str, float]] = {}
    for task, one in sizes(preset).items():
        figures[task] = {}
        for reading in READINGS:
            study = tree_study.prepare(one.but(reading=reading), seed)
            fit(study, seed=seed, progress=False)
            figures[task][reading] = 100 * (1 - study.evaluate("test")["right"])
    return figures


CLAIM = Claim(
    name="real-tree-beats-random",
    lesson="16_recursive",
    statement="The real tree answers more right than a binary tree split at random over the same tokens, on "
    "opinions asked at the root, on operators taken out of lines of code, and on reels and hornpipes.",
    source="Against Shi, Zhou, Chen & Li 2018, On tree-based neural sentence modeling, who find that trees "
    "without any grammar do as well on real texts; tasks and sizes are ours.",
    budget="nine trainings of 100 to 700 steps a seed, half a minute on one core",
    measures=tuple(Measure(task, "%", READINGS) for task in SIZES),
    rules=tuple(Margin(task, "points", TREE, RANDOM, 2, share=0.8) for task in SIZES),
    run=run,
    settings=settings,
    corpora=("word-ratings", "python-stdlib", "tunes"),
    depends_on="the task",
)
