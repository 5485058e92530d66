"""Lesson 09: what each name in a line of code is, read forward, backward and both ways."""

from __future__ import annotations

from dataclasses import asdict

from lessons import bidirectional as lesson
from lessons.experiments.claim import Claim, Figures, Margin, Measure
from lessons.tagging import BACKWARD, BOTH, DIRECTIONS, FORWARD, TagPreset
from lessons.training import fit

NAMES = "names wrong"
SIZES = TagPreset(
    "cpu", task="roles", steps=500, evaluate_every=500, batch_size=64, hidden_size=32, embedding_size=16
)


def sizes(preset: str) -> TagPreset:
    """Half a minute a seed; in `ci`, a second."""
    if preset == "ci":
        return lesson.PRESETS["ci"].but(task="roles", steps=2, evaluate_every=2)
    return SIZES


def settings(preset: str) -> dict:
    """Everything that decides the result."""
    return asdict(sizes(preset))


def run(seed: int, preset: str) -> Figures:
    """Train a network of each direction; the share of held-out names whose role it gets wrong, in %."""
    own = sizes(preset)
    figures = {}
    for way, task in lesson.networks(lesson.load(own, quiet=True), own, seed).items():
        fit(task, seed=seed, progress=False)
        _, labels, _ = task.evaluate().values()
        figures[way] = 100 * (1 - labels)
    return {NAMES: figures}


CLAIM = Claim(
    name="code-needs-both-sides",
    lesson="09_bidirectional",
    statement="On the roles of names in a line of Python, the names hidden, a network that reads both ways "
    "gets fewer wrong than one that reads forward or backward alone, with equally many weights.",
    source="Our own; roles by Python's ast over the standard library.",
    budget="three trainings of 500 steps a seed, about half a minute on one core",
    measures=(Measure(NAMES, "%", DIRECTIONS),),
    rules=tuple(Margin(NAMES, "points", BOTH, alone, 5) for alone in (FORWARD, BACKWARD)),
    run=run,
    settings=settings,
    corpora=("python-stdlib",),
)
