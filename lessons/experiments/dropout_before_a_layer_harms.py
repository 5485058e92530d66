"""Lesson 08: dropout in front of an LSTM, with little text to learn from and with much."""

from __future__ import annotations

from dataclasses import asdict

from lessons import corpora
from lessons.dropouts import Dropouts
from lessons.experiments.best_weights import bits_at_best
from lessons.experiments.claim import Claim, Figures, Margin, Measure
from lessons.experiments.excerpt import excerpt
from lessons.recurrent_dropout import DropoutPreset, learning

NONE, BEFORE, AFTER = "no dropout", "before the LSTM", "after the LSTM"
KINDS = {
    NONE: Dropouts(),
    BEFORE: Dropouts(input=0.25, masks="step"),
    AFTER: Dropouts(output=0.25, masks="step"),
}
TEXTS = {"after 20,000 characters": 20_000, "after all plays": None}
READ = 50_000  # characters of the test text

SIZES = DropoutPreset(
    "cpu", steps=900, learning_rate=8e-3, final_rate=0.1, evaluate_every=100, precision="float32", threads=1,
    batch_size=16, length=32, hidden_size=96, train_characters=20_000, valid_characters=15_000,
    baseline_order=None, embedding_size=32,
)  # fmt: skip


def sizes(preset: str) -> DropoutPreset:
    """Some seconds a training; in `ci`, one."""
    small = {"name": "ci", "steps": 4, "evaluate_every": 4, "hidden_size": 8, "valid_characters": 1000}
    return SIZES.but(**small) if preset == "ci" else SIZES


def settings(preset: str) -> dict:
    """Everything that decides the result."""
    kinds = {name: dropouts.as_dict() for name, dropouts in KINDS.items()}
    return {"sizes": asdict(sizes(preset)), "kinds": kinds, "texts": TEXTS, "excerpt": preset == "ci"}


def run(seed: int, preset: str) -> Figures:
    """Train all of them from the same first weights, and read plays that chose nothing."""
    corpus = corpora.load("shakespeare", quiet=True)
    corpus = excerpt(corpus) if preset == "ci" else corpus
    return {
        text: {
            name: bits_at_best(
                learning(corpus, sizes(preset).but(dropouts=kind, train_characters=characters), seed),
                seed,
                READ,
            )
            for name, kind in KINDS.items()
        }
        for text, characters in TEXTS.items()
    }


CLAIM = Claim(
    name="dropout-before-a-layer-harms",
    lesson="08_recurrent_dropout",
    statement="Dropping a quarter of what enters an LSTM, a new mask at each step, makes it read held-out "
    "plays worse than dropping nothing.",
    source="Advice often given, without a paper behind it; Zaremba, Sutskever & Vinyals 2014, Recurrent "
    "Neural Network Regularization (arXiv 1409.2329), drop there, too, and say that it helps.",
    budget="six trainings of 900 steps a seed, about two thirds of a minute on one core",
    measures=tuple(Measure(text, "bits per character", tuple(KINDS)) for text in TEXTS),
    rules=tuple(Margin(text, "bits", lower=NONE, upper=BEFORE, by=0.02, share=0.8) for text in TEXTS),
    run=run,
    settings=settings,
    corpora=("shakespeare",),
    depends_on="how much text there is to learn from",
)
