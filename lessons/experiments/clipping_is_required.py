"""Lesson 07: a ReLU network that echoes, trained with thresholds from none to a tenth.

A network whose loss stops being a number keeps its last good weights, and those are what is measured.
"""

from __future__ import annotations

from dataclasses import asdict

from lessons import gradient_clipping as lesson
from lessons.experiments.bound import Bound
from lessons.experiments.claim import Claim, Figures, Measure
from lessons.gradient_clipping import ClippingPreset

RIGHT, LASTED = "held-out answers right", "steps until the loss is no number"
SOLVED = 0.99  # the rule of tasks.Classification
THRESHOLDS = {"none": None, "100": 100.0, "10": 10.0, "3": 3.0, "1": 1.0, "0.3": 0.3, "0.1": 0.1}


def sizes(preset: str) -> ClippingPreset:
    """A second a training; in `ci`, some milliseconds."""
    small = {"name": "ci", "steps": 2, "evaluate_every": 2, "batch_size": 4, "held_out": 20}
    return lesson.SIZES.but(**small) if preset == "ci" else lesson.SIZES


def settings(preset: str) -> dict:
    """Everything that decides the result."""
    return {"sizes": asdict(sizes(preset)), "thresholds": THRESHOLDS}


def run(seed: int, preset: str) -> Figures:
    """Train at every threshold; a training that lasts counts all its steps."""
    right, lasted = {}, {}
    for name, clip in THRESHOLDS.items():
        task = lesson.prepare(sizes(preset).but(clip=clip), seed)
        done = lesson.train(task, progress=False)
        right[name] = task.evaluate()["share right"]
        lasted[name] = done.step
    return {RIGHT: right, LASTED: lasted}


CLAIM = Claim(
    name="clipping-is-required",
    lesson="07_gradient_clipping",
    statement="For some recurrent networks clipping is required: a ReLU network that must repeat what it "
    "read eight steps ago learns it with the gradient clipped at norm 1, and not without clipping.",
    source="Pascanu, Mikolov & Bengio 2013, On the Difficulty of Training Recurrent Neural Networks, "
    "section 3.2 (clipping); network, task and thresholds are ours.",
    budget="seven trainings of at most 400 steps a seed, about eight seconds on one core",
    measures=(
        Measure(RIGHT, "share", tuple(THRESHOLDS), along="threshold"),
        Measure(LASTED, "steps", tuple(THRESHOLDS), along="threshold"),
    ),
    rules=(
        Bound(RIGHT, ("none",), SOLVED, "below", share=0.8, along="as threshold"),
        Bound(RIGHT, ("1",), SOLVED, "above", share=0.8, along="as threshold"),
    ),
    run=run,
    settings=settings,
    depends_on="the threshold",
)
