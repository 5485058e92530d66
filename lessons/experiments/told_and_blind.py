"""Lesson 15's trainings: one network that is told what to write, and the same without its window."""

from __future__ import annotations

from functools import lru_cache

from lessons import penmanship
from lessons.penmanship import HandwritingPreset
from lessons.training import fit

STEPS = 1200
SIZES = penmanship.PRESETS["cpu"].but(
    steps=STEPS, evaluate_every=STEPS, hidden_size=64, count=1500, held_out=100
)
DECISIVE = (
    "steps", "learning_rate", "warmup", "final_rate", "weight_decay", "clip", "precision", "hidden_size",
    "num_layers", "components", "gaussians", "batch_size", "pieces", "hands", "count", "held_out",
)  # fmt: skip
Figures = dict[str, float]


def sizes(preset: str) -> HandwritingPreset:
    """Under a minute a training; in `ci`, a second."""
    if preset == "ci":
        return penmanship.PRESETS["ci"].but(steps=2, evaluate_every=2)
    return SIZES


def settings(preset: str) -> dict:
    """Everything that decides the result."""
    return {name: getattr(sizes(preset), name) for name in DECISIVE}


@lru_cache(maxsize=20)
def trained(seed: int, preset: str, told: bool) -> tuple[Figures, Figures]:
    """Figures on held-out test words, before training and after it.

    Both kinds see the same words in the same order. Kept, since two claims ask for the same trainings.
    """
    own = sizes(preset) if told else sizes(preset).but(gaussians=0)
    task = penmanship.prepare(own, seed)
    before = task.evaluate("test")
    fit(task, seed=seed, progress=False)
    after = task.evaluate("test")
    train, test = (task.pages.parts[part].points() for part in ("train", "test"))
    return before, {**after, "constant": penmanship.constant(train, test, penmanship.COMPARED)}
