"""Trainings judged where they did best on the validation text, as who stops early would: for lesson 08."""

from __future__ import annotations

from typing import Any

from lessons import char_rnn
from lessons.char_rnn import CharTask
from lessons.training import Snapshot, fit


class KeepBest:
    """A watch for `fit` that keeps the weights of the evaluation with the lowest figure "valid"."""

    def __init__(self) -> None:
        self.lowest, self.weights = float("inf"), None

    def on_evaluate(self, run: Any, task: CharTask, step: int, figures: dict[str, float]) -> None:
        """Copy the weights if none have read the validation text better."""
        if figures["valid"] < self.lowest:
            self.lowest, self.weights = figures["valid"], Snapshot(task.model, step)


def bits_at_best(task: CharTask, seed: int, characters: int) -> float:
    """Train, and read the start of the test text with the weights that read the validation text best."""
    best = KeepBest()
    fit(task, watch=best, seed=seed, progress=False)
    best.weights.restore()
    return char_rnn.bits_per_character(task.model, task.corpus.test[:characters])
