"""Stopping where a network did best on held-out data, for `fit`: what little data asks for."""

from __future__ import annotations

from typing import Any

from lessons.training import Snapshot


class KeepBest:
    """A watch for `fit` that keeps the weights of the evaluation with the lowest figure "valid".

    `restore`: put them back when the training ends. `lowest`, `step`: that figure and its step.
    """

    def __init__(self, restore: bool = False) -> None:
        self.restore, self.lowest, self.step, self.weights = restore, float("inf"), 0, None

    def on_evaluate(self, run: Any, task: Any, step: int, figures: dict[str, float]) -> None:
        """Copy the weights if none have done better on the validation data."""
        if figures["valid"] < self.lowest:
            self.lowest, self.step, self.weights = figures["valid"], step, Snapshot(task.model, step)

    def on_stop(self, run: Any, task: Any, reason: str) -> None:
        """Give the model its best weights back, if so asked."""
        if self.restore and self.weights is not None:
            self.weights.restore()
