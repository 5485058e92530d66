"""Lesson 14: does training make a unit that knows when a bar is full, better than a unit of chance does?"""

from __future__ import annotations

from dataclasses import asdict

from lessons import songs, tune_features, units
from lessons.char_rnn import CharModel
from lessons.experiments.claim import Claim, Figures, Margin, Measure
from lessons.experiments.tune_writer import FIRST_SEED, SIZES, corpus, steps, trained, untrained
from lessons.tracing import trace

FULL = "the bar is full"
AUC = "AUC of the best unit for a full bar"
UNTRAINED, TRAINED = "untrained", "trained"


def settings(preset: str) -> dict:
    """Everything that decides the result."""
    return {
        "lstm": asdict(SIZES) | {"steps": steps(preset)}, "tunes": tunes(preset), "signal": "c",
        "excerpt": preset == "ci", "seeds from": FIRST_SEED,
    }  # fmt: skip


def tunes(preset: str) -> int:
    """How many held-out tunes the units are scored on."""
    return 16 if preset == "ci" else 60


def run(seed: int, preset: str) -> Figures:
    """Score all units on held-out tunes before and after training; the unit is chosen on the first halves."""
    read = songs.bodies(corpus(preset)[1], "test")[: tunes(preset)]
    return {
        AUC: {
            UNTRAINED: score(untrained(seed, preset), read),
            TRAINED: score(trained(seed, preset), read),
        }
    }


def score(model: CharModel, read: list[str]) -> float:
    """How well the unit chosen on the tunes' first halves tells full bars on their second halves."""
    found = units.scores(trace(model, read), read, describe=tune_features.features)
    best = next(one for one in found if one.feature == FULL)
    return 0.5 + best.strength / 2


CLAIM = Claim(
    name="a-unit-counts-the-bar",
    lesson="14_songs",
    statement="After training, one unit of an LSTM tells full bars from bars that are not yet full better "
    "than any unit of the same network does before it.",
    source="Karpathy, Johnson & Fei-Fei 2016, Visualizing and Understanding Recurrent Networks, section 4.2, "
    "on cells that track lengths and places; asked here of bars, with the untrained network beside it.",
    budget="one training of 1,500 steps a seed, about half a minute on one core",
    measures=(Measure(AUC, "AUC", (UNTRAINED, TRAINED)),),
    rules=(Margin(AUC, "AUC", lower=UNTRAINED, upper=TRAINED, by=0.05),),
    run=run,
    settings=settings,
    corpora=("tunes",),
)
