"""Lesson 14: does training make a unit that knows when a bar is full, better than a unit of chance does?"""

from __future__ import annotations

from dataclasses import asdict

from lessons import char_rnn, corpora, songs, tune_features, units
from lessons.experiments.claim import Claim, Figures, Margin, Measure
from lessons.experiments.excerpt import excerpt
from lessons.experiments.tunes_keep_the_metre import FIRST_SEED, SIZES, plan
from lessons.tracing import trace
from lessons.training import fit

FULL = "the bar is full"
AUC = "AUC of the best unit for a full bar"
UNTRAINED, TRAINED = "untrained", "trained"


def settings(preset: str) -> dict:
    """Everything that decides the result."""
    sizes = asdict(SIZES) | {"steps": plan(preset)["steps"]}
    return {
        "lstm": sizes, "tunes": tunes(preset), "signal": "c", "excerpt": preset == "ci",
        "seeds from": FIRST_SEED,
    }  # fmt: skip


def tunes(preset: str) -> int:
    """How many held-out tunes the units are scored on."""
    return 16 if preset == "ci" else 60


def run(seed: int, preset: str) -> Figures:
    """Score all units on held-out tunes before and after training; the unit is chosen on the first halves."""
    seed = FIRST_SEED + seed
    corpus = corpora.load("tunes", quiet=True)
    read = songs.bodies(corpus, "test")[: tunes(preset)]
    corpus = excerpt(corpus, documents=60) if preset == "ci" else corpus
    sizes = SIZES.but(steps=plan(preset)["steps"], baseline_order=None)
    model = char_rnn.build(corpus.vocabulary, sizes, seed).eval()
    found = {UNTRAINED: score(model, read)}
    fit(songs.SongTask(model, corpus, sizes, seed), seed=seed, progress=False)
    return {AUC: found | {TRAINED: score(model, read)}}


def score(model: char_rnn.CharModel, read: list[str]) -> float:
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
