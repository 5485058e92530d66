"""Lesson 09: the future alone against the past alone, letters to phonemes, for three cells."""

from __future__ import annotations

from dataclasses import asdict

from lessons import bidirectional as lesson
from lessons.experiments.claim import Claim, Figures, Margin, Measure
from lessons.tagging import BACKWARD, FORWARD, TagPreset
from lessons.training import fit

CELLS = {"tanh RNN": "rnn", "LSTM": "lstm", "GRU": "gru"}
WAYS = (FORWARD, BACKWARD)
SIZES = TagPreset("cpu", steps=500, evaluate_every=500, batch_size=64, hidden_size=48, learning_rate=6e-3)


def sizes(preset: str) -> TagPreset:
    """Half a minute a seed; in `ci`, a second."""
    return lesson.PRESETS["ci"].but(steps=2, evaluate_every=2) if preset == "ci" else SIZES


def settings(preset: str) -> dict:
    """Everything that decides the result."""
    return {"sizes": asdict(sizes(preset)), "cells": CELLS}


def run(seed: int, preset: str) -> Figures:
    """Train each cell in each direction; the share of held-out letters that it gets wrong, in %."""
    own = sizes(preset)
    data = lesson.load(own, quiet=True)
    return {name: {way: wrong(own.but(cell=cell, direction=way), data, seed) for way in WAYS}
            for name, cell in CELLS.items()}  # fmt: skip


def wrong(preset: TagPreset, data: lesson.Labelled, seed: int) -> float:
    """One network."""
    task = lesson.prepare(preset, seed, data)
    fit(task, seed=seed, progress=False)
    _, labels, _ = task.evaluate().values()
    return 100 * (1 - labels)


CLAIM = Claim(
    name="spelling-needs-the-future",
    lesson="09_bidirectional",
    statement="On letters to phonemes a network that knows each letter and what follows gets fewer letters "
    "wrong than one that knows each letter and what came before, be its cell a tanh RNN, an LSTM or a GRU.",
    source="Our own, after counting windows of letters; the task is Sejnowski & Rosenberg's of 1987.",
    budget="six trainings of 500 steps a seed, about half a minute on one core",
    measures=tuple(Measure(name, "letters wrong, %", WAYS) for name in CELLS),
    rules=tuple(Margin(name, "points", BACKWARD, FORWARD, 2) for name in CELLS),
    run=run,
    settings=settings,
    corpora=("cmudict",),
    depends_on="the cell",
)
