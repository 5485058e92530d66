"""Lesson 14: exchange nothing but the key in a header; does the tune end on the tonic of the new key?"""

from __future__ import annotations

from dataclasses import asdict

from lessons import songs, tune_scores
from lessons.experiments.bound import Bound
from lessons.experiments.claim import Claim, Figures, Measure
from lessons.experiments.tune_writer import FIRST_SEED, SIZES, steps, trained

TONIC = tune_scores.MEASURES[2]
KEYS = ("G", "D", "A", "Am", "Em")


def settings(preset: str) -> dict:
    """Everything that decides the result."""
    return {
        "lstm": asdict(SIZES) | {"steps": steps(preset)}, "tunes a key": tunes(preset),
        "longest": longest(preset), "temperature": 0.7, "keys": list(KEYS), "excerpt": preset == "ci",
        "seeds from": FIRST_SEED,
    }  # fmt: skip


def longest(preset: str) -> int:
    """At how many characters a tune is cut."""
    return 60 if preset == "ci" else songs.LONGEST


def tunes(preset: str) -> int:
    """How many tunes to write in each key."""
    return 3 if preset == "ci" else 60


def run(seed: int, preset: str) -> Figures:
    """Train on the books, then write reels and jigs in each key from headers that differ in the key alone."""
    model, found = trained(seed, preset), {}
    for key in KEYS:
        asked = [songs.Condition(*kind, key).header for kind in (("reel", "C|"), ("jig", "6/8"))]
        headers = [asked[number % 2] for number in range(tunes(preset))]
        written = songs.write(model, headers, 0.7, FIRST_SEED + seed, longest(preset))
        found[key] = tune_scores.judge_all(written)[TONIC]
    return {TONIC: found}


CLAIM = Claim(
    name="tunes-follow-the-key",
    lesson="14_songs",
    statement="An LSTM of 192 units that is given the same header but for its key ends more than half of its "
    "tunes on the tonic of that key, in each of G, D, A, A minor and E minor, at temperature 0.7.",
    source="Sturm, Santos, Ben-Tal & Korshunova 2016, Music transcription modelling and composition using "
    "deep learning, where metre and key begin each transcription; the rule and the keys are ours.",
    budget="one training of 1,500 steps a seed and 300 tunes, about a minute on one core",
    measures=(Measure(TONIC, "share", KEYS, along="key"),),
    rules=(Bound(TONIC, KEYS, at=0.5, side="above", share=0.8, along="as key"),),
    run=run,
    settings=settings,
    corpora=("tunes",),
)
