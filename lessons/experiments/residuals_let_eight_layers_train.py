"""Lesson 10: does a stack of eight layers learn to read, without and with residual connections?"""

from __future__ import annotations

from dataclasses import asdict

from lessons import char_rnn, corpora, depth_study
from lessons.deep_rnns import DeepPreset
from lessons.depth_study import PRESETS, Entrant
from lessons.experiments.bound import Bound
from lessons.experiments.claim import Claim, Figures, Measure
from lessons.experiments.excerpt import excerpt

DEPTH = 8
CELLS = {"LSTM": "lstm", "GRU": "gru", "tanh RNN": "rnn"}
PLAIN, RESIDUAL = "plain", "residual"
WIRINGS = {PLAIN: False, RESIDUAL: True}
LETTERS = "letter frequencies"
NOTHING, READS = 0.1, 1.0  # bits below letter frequencies: less than the first is nothing learnt of order
BITS = "bits below letter frequencies"
BOTTOM = "decades of the bottom layer's gradient at the start"


def sizes(preset: str) -> DeepPreset:
    """Some seconds a training; in `ci`, some milliseconds."""
    if preset == "ci":
        return PRESETS["ci"].but(steps=2, evaluate_every=2, baseline_order=None)
    return PRESETS["cpu"].but(
        steps=300, evaluate_every=300, hidden_size=32, learning_rate=5e-3, baseline_order=None
    )


def settings(preset: str) -> dict:
    """Everything that decides the result."""
    return {"sizes": asdict(sizes(preset)), "depth": DEPTH, "cells": CELLS, "excerpt": preset == "ci"}


def run(seed: int, preset: str) -> Figures:
    """Train eight layers of each cell both ways; what they know beyond letter frequencies on unseen plays."""
    own = sizes(preset)
    corpus = corpora.load("shakespeare", quiet=True)
    corpus = excerpt(corpus) if preset == "ci" else corpus
    letters = char_rnn.ngram_bits(corpus, 1, corpus.test[: own.valid_characters])
    figures = {BITS: {}, BOTTOM: {}}
    for cell, code in CELLS.items():
        for wiring, residual in WIRINGS.items():
            entrant = Entrant(DEPTH, residual)
            (done,) = depth_study.compare(corpus, own.but(cell=code), [entrant], seed, progress=False)
            figures[BITS][f"{cell}, {wiring}"] = letters - depth_study.tested(done)
            figures[BOTTOM][f"{cell}, {wiring}"] = depth_study.decades(done.bottom[0][1])
    return figures


CONDITIONS = tuple(f"{cell}, {wiring}" for cell in CELLS for wiring in WIRINGS)

CLAIM = Claim(
    name="residuals-let-eight-layers-train",
    lesson="10_deep_rnns",
    statement="Residual connections let a stack of eight layers train that does not train without them: "
    "without, it learns nothing beyond letter frequencies, and with them at least a bit a character more.",
    source="Wu et al. 2016, Google's Neural Machine Translation System, section 3.1, who report that simple "
    "stacks of LSTMs work up to 4 layers, barely with 6, and very poorly beyond 8; sizes and text are ours.",
    budget="six trainings of 300 steps a seed, about half a minute on one core",
    measures=(
        Measure(BITS, "bits", CONDITIONS),
        Measure(BOTTOM, "decades", CONDITIONS),
    ),
    rules=tuple(
        rule
        for cell in CELLS
        for rule in (
            Bound(BITS, (f"{cell}, {PLAIN}",), NOTHING, "below", share=0.8),
            Bound(BITS, (f"{cell}, {RESIDUAL}",), READS, "above", share=0.8),
        )
    ),
    run=run,
    settings=settings,
    corpora=("shakespeare",),
    depends_on="the cell",
)
