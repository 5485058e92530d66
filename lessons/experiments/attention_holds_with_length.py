"""Lesson 12: whole numbers right against the length of their English words, with and without attention."""

from __future__ import annotations

from dataclasses import asdict

from lessons import length_study, translation
from lessons.experiments.bound import Bound
from lessons.experiments.claim import Claim, Figures, Measure, Trend
from lessons.length_study import WITH, WITHOUT
from lessons.training import fit
from lessons.translation import TranslationPreset

BANDS = length_study.bands()
GAP = "points that attention is ahead"
WIDER = {128: 147, 16: 18}  # units without attention for about as many weights
SIZES = translation.PRESETS["cpu"].but(
    task="german", below=100_000, beyond=0, steps=350, evaluate_every=350, held_out=50, threads=1
)


def sizes(preset: str) -> TranslationPreset:
    """Less than a minute a seed; in `ci`, a second."""
    if preset == "ci":
        return translation.PRESETS["ci"].but(steps=2, evaluate_every=2, held_out=10)
    return SIZES


def settings(preset: str) -> dict:
    """Everything that decides the result."""
    return {"sizes": asdict(sizes(preset)), "wider": WIDER[sizes(preset).hidden_size], "bands": list(BANDS)}


def run(seed: int, preset: str) -> Figures:
    """Train both on the same sentences for as many steps; the share of held-out numbers right, by length."""
    own, figures = sizes(preset), {}
    pairs = translation.load(own)
    for name, one in length_study.pair(own, WIDER[own.hidden_size]).items():
        task = translation.prepare(one, seed, pairs)
        fit(task, seed=seed, progress=False)
        figures[name] = length_study.by_length(task.model, length_study.held_out(task))
    ahead = {band: figures[WITH][band] - figures[WITHOUT][band] for band in BANDS}
    return {**figures, GAP: ahead}


CLAIM = Claim(
    name="attention-holds-with-length",
    lesson="12_attention",
    statement="Without attention a network gets fewer sentences right the longer they are; with attention it "
    "is ahead by more the longer they are. At as many weights and steps, English number words to German.",
    source="Bahdanau, Cho & Bengio 2015, Neural machine translation by jointly learning to align and "
    "translate, section 5.1 and figure 2, who show BLEU against the length of real sentences; task and sizes "
    "are ours.",
    budget="two trainings of 350 steps a seed, three quarters of a minute on one core",
    measures=(
        Measure(WITH, "% right", BANDS, along="characters"),
        Measure(WITHOUT, "% right", BANDS, along="characters"),
        Measure(GAP, "points", BANDS, along="characters"),
    ),
    rules=(
        Trend(WITHOUT, (BANDS[0], BANDS[-1]), rises=False, share=0.8),
        Trend(GAP, (BANDS[0], BANDS[-1]), rises=True, share=0.8),
        Bound(GAP, BANDS[-1:], 20, "above", along="characters"),
    ),
    run=run,
    settings=settings,
)
