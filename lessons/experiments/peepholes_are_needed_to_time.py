"""Lesson 04: do the gates have to see the cell before an LSTM can count the steps between two spikes?"""

from __future__ import annotations

from dataclasses import asdict

from lessons import tasks
from lessons.experiments.claim import Claim, Figures, Margin, Measure
from lessons.tasks import SequencePreset
from lessons.training import fit

GENERATED = "share of spike trains without a mistake"
MEASURED = "share of intervals told apart"
LSTM, PEEPHOLES = "LSTM", "with peepholes"
CELLS = {LSTM: "lstm", PEEPHOLES: "peephole"}

SIZES = SequencePreset(
    "cpu", steps=1500, learning_rate=1e-2, hidden_size=16, batch_size=16, interval=20, length=80,
    held_out=200,
)  # fmt: skip


def sizes(preset: str) -> SequencePreset:
    """Seconds a training; in `ci`, a fraction of one."""
    return SIZES.but(name="ci", steps=10, held_out=20, evaluate_every=10) if preset == "ci" else SIZES


def settings(preset: str) -> dict:
    """Everything that decides the result."""
    return {"sizes": asdict(sizes(preset)), "cells": CELLS, "tasks": ["generating", "measuring"]}


def run(seed: int, preset: str) -> Figures:
    """Train both cells on both tasks, each until it is solved or the steps are used up."""
    return {
        GENERATED: {name: outcome("generating", cell, seed, preset) for name, cell in CELLS.items()},
        MEASURED: {name: outcome("measuring", cell, seed, preset) for name, cell in CELLS.items()},
    }


def outcome(task: str, cell: str, seed: int, preset: str) -> float:
    """The share that is right on held-out sequences when the training ends."""
    learner = tasks.build(task, sizes(preset), seed, cell=cell)
    fit(learner, seed=seed, watch=tasks.UntilSolved(), progress=False)
    figures = learner.evaluate()
    return figures["share of sequences right" if task == "generating" else "share right"]


CLAIM = Claim(
    name="peepholes-are-needed-to-time",
    lesson="04_lstm",
    statement="Without peepholes an LSTM does not learn to spike every 20 steps, nor to tell intervals of 20 "
    "steps from 19, where with peepholes it does; 16 units, at most 1500 steps of training.",
    source="Gers, Schraudolph & Schmidhuber 2002, Learning Precise Timing with LSTM Recurrent Networks, JMLR "
    "3, section 4; their networks, intervals and training differ from these.",
    budget="four trainings of at most 1500 steps a seed, about a minute on one core",
    measures=(
        Measure(GENERATED, "share", (LSTM, PEEPHOLES)),
        Measure(MEASURED, "share", (LSTM, PEEPHOLES)),
    ),
    rules=(
        Margin(GENERATED, "of all trains", lower=LSTM, upper=PEEPHOLES, by=0.5, share=0.8),
        Margin(MEASURED, "of all intervals", lower=LSTM, upper=PEEPHOLES, by=0.2, share=0.8),
    ),
    run=run,
    settings=settings,
    depends_on="the task",
)
