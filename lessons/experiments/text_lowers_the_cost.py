"""Lesson 15: what a point costs with and without knowing the text."""

from __future__ import annotations

from dataclasses import asdict

from lessons import penmanship
from lessons.experiments.claim import Claim, Figures, Margin, Measure
from lessons.penmanship import HandwritingPreset
from lessons.training import fit

COST = "cost of a held-out point"
CONSTANT, BLIND, TOLD = "constant mixture", "network without the text", "network with the text"
STEPS = 900
SIZES = penmanship.PRESETS["cpu"].but(steps=STEPS, evaluate_every=STEPS, count=1000, held_out=100)


def sizes(preset: str) -> HandwritingPreset:
    """About a minute a seed; in `ci`, a second."""
    if preset == "ci":
        return penmanship.PRESETS["ci"].but(steps=2, evaluate_every=2)
    return SIZES


def settings(preset: str) -> dict:
    """Everything that decides the result."""
    return {"sizes": asdict(sizes(preset))}


def run(seed: int, preset: str) -> Figures:
    """Train the same network twice, once without its window, on the same words in the same order."""
    own, figures = sizes(preset), {}
    for name, gaussians in ((BLIND, 0), (TOLD, own.gaussians)):
        task = penmanship.prepare(own.but(gaussians=gaussians), seed)
        fit(task, seed=seed, progress=False)
        figures[name] = task.evaluate("test")["valid"]
    figures[CONSTANT] = penmanship.constant(
        task.pages.parts["train"].points(), task.pages.parts["test"].points(), penmanship.COMPARED
    )
    return {COST: figures}


CLAIM = Claim(
    name="text-lowers-the-cost",
    lesson="15_handwriting",
    statement="A network that is told what to write is less surprised by the next point of a pen than the "
    "same network without the text, and both by far less than a density that never changes.",
    source="Graves 2013, Generating sequences with recurrent neural networks (arXiv 1308.0850), sections 4.2 "
    "and 5.2: synthesis networks reach lower losses than prediction networks, on real handwriting.",
    budget="two trainings of 900 steps a seed, a minute on one core",
    measures=(Measure(COST, "nats", (CONSTANT, BLIND, TOLD)),),
    rules=(
        Margin(COST, "nats", TOLD, BLIND, 0.1),
        Margin(COST, "nats", BLIND, CONSTANT, 0.3),
    ),
    run=run,
    settings=settings,
)
