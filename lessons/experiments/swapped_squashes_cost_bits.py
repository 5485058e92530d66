"""Lesson 04: the candidate through sigmoid, or the gates through tanh, and what it costs in reading."""

from __future__ import annotations

from dataclasses import asdict

from lessons import char_rnn, corpora, lstm
from lessons.char_rnn import CharPreset, CharTask
from lessons.experiments.claim import Claim, Figures, Margin, Measure
from lessons.experiments.excerpt import excerpt
from lessons.training import fit

BITS = "bits per character on held-out plays"
USUAL, CANDIDATE, GATES = "as usual", "sigmoid candidate", "tanh gates"
SWAPS = {USUAL: {}, CANDIDATE: {"candidate": "sigmoid"}, GATES: {"gates": "tanh"}}

SIZES = CharPreset(
    "cpu", steps=800, learning_rate=4e-3, evaluate_every=800, precision="float32", threads=1, hidden_size=64,
    embedding_size=32, batch_size=32, length=32, valid_characters=20_000, baseline_order=None,
)  # fmt: skip


def sizes(preset: str) -> CharPreset:
    """Some seconds a training; in `ci`, one."""
    return SIZES.but(name="ci", steps=10, hidden_size=16, batch_size=8) if preset == "ci" else SIZES


def settings(preset: str) -> dict:
    """Everything that decides the result."""
    return {"sizes": asdict(sizes(preset)), "swaps": SWAPS, "excerpt": preset == "ci"}


def run(seed: int, preset: str) -> Figures:
    """Train all three from the same first weights on the same windows; read held-out plays."""
    corpus = corpora.load("shakespeare", quiet=True)
    corpus = excerpt(corpus) if preset == "ci" else corpus
    bits = {}
    for name, swap in SWAPS.items():
        model = lstm.swapped(corpus.vocabulary, sizes(preset), seed=seed, **swap)
        fit(CharTask(model, corpus, sizes(preset), seed), seed=seed, progress=False)
        bits[name] = char_rnn.bits_per_character(model, corpus.test[:200_000])
    return {BITS: bits}


CLAIM = Claim(
    name="swapped-squashes-cost-bits",
    lesson="04_lstm",
    statement="An LSTM whose candidate passes through sigmoid instead of tanh, and one whose gates pass "
    "through tanh instead of sigmoid, read held-out plays worse than the usual LSTM after as many steps.",
    source="Greff et al. 2017, LSTM: A Search Space Odyssey, section III, which fixes both and removes, but "
    "never swaps them; the comparison is ours.",
    budget="three trainings of 800 steps a seed, about half a minute on one core",
    measures=(Measure(BITS, "bits", (USUAL, CANDIDATE, GATES)),),
    rules=(
        Margin(BITS, "bits", lower=USUAL, upper=CANDIDATE, by=0.02, share=0.8),
        Margin(BITS, "bits", lower=USUAL, upper=GATES, by=0.02, share=0.8),
    ),
    run=run,
    settings=settings,
    corpora=("shakespeare",),
    depends_on="what is swapped",
)
