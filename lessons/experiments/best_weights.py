"""Trainings judged where they did best on the validation text, as who stops early would: for lesson 08."""

from __future__ import annotations

from lessons import char_rnn
from lessons.char_rnn import CharTask
from lessons.keep_best import KeepBest
from lessons.training import fit


def bits_at_best(task: CharTask, seed: int, characters: int) -> float:
    """Train, and read the start of the test text with the weights that read the validation text best."""
    best = KeepBest()
    fit(task, watch=best, seed=seed, progress=False)
    best.weights.restore()
    return char_rnn.bits_per_character(task.model, task.corpus.test[:characters])
