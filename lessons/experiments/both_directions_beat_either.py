"""Lesson 09: letters to phonemes, read forward, backward and both ways with equally many weights."""

from __future__ import annotations

from dataclasses import asdict

from lessons import bidirectional as lesson
from lessons.experiments.claim import Claim, Figures, Margin, Measure
from lessons.tagging import BACKWARD, BOTH, DIRECTIONS, FORWARD, TagPreset
from lessons.training import fit

LETTERS, WORDS = "letters wrong", "words wrong"
SIZES = TagPreset("cpu", steps=800, evaluate_every=800, batch_size=64, hidden_size=48)


def sizes(preset: str) -> TagPreset:
    """Half a minute a seed; in `ci`, a second."""
    return lesson.PRESETS["ci"].but(steps=2, evaluate_every=2) if preset == "ci" else SIZES


def settings(preset: str) -> dict:
    """Everything that decides the result."""
    return asdict(sizes(preset))


def run(seed: int, preset: str) -> Figures:
    """Train a network of each direction; the % of held-out letters and words that it gets wrong."""
    own = sizes(preset)
    figures: dict[str, dict[str, float]] = {LETTERS: {}, WORDS: {}}
    for way, task in lesson.networks(lesson.load(own, quiet=True), own, seed).items():
        fit(task, seed=seed, progress=False)
        _, labels, whole = task.evaluate().values()
        figures[LETTERS][way], figures[WORDS][way] = 100 * (1 - labels), 100 * (1 - whole)
    return figures


CLAIM = Claim(
    name="both-directions-beat-either",
    lesson="09_bidirectional",
    statement="On letters to phonemes a network that reads both ways gets fewer letters and words wrong "
    "than one that reads forward or backward alone, with equally many weights.",
    source="Graves & Schmidhuber 2005, Framewise phoneme classification with bidirectional LSTM and other "
    "neural network architectures (on speech); the words are NETtalk's task, Sejnowski & Rosenberg 1987, on "
    "CMUdict; sizes and margins are ours.",
    budget="three trainings of 800 steps a seed, about half a minute on one core",
    measures=(Measure(LETTERS, "%", DIRECTIONS), Measure(WORDS, "%", DIRECTIONS)),
    rules=tuple(
        Margin(measure, "points", BOTH, alone, by)
        for measure, by in ((LETTERS, 3), (WORDS, 10))
        for alone in (FORWARD, BACKWARD)
    ),
    run=run,
    settings=settings,
    corpora=("cmudict",),
)
