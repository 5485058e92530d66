"""Lesson 08: one mask for all steps of a sequence against a new one at each, outside the loop and inside."""

from __future__ import annotations

from dataclasses import asdict

from lessons import corpora
from lessons.dropouts import Dropouts
from lessons.experiments.best_weights import bits_at_best
from lessons.experiments.claim import Claim, Figures, Margin, Measure
from lessons.experiments.excerpt import excerpt
from lessons.recurrent_dropout import DropoutPreset, learning

NONE, LOCKED, NEW = "no dropout", "one mask for all steps", "a new mask at each step"
PLACES = {
    "input and output dropped": {"input": 0.25, "output": 0.25},
    "state dropped": {"recurrent": 0.25},
}
READ = 30_000  # characters of the test text

SIZES = DropoutPreset(
    "cpu", steps=400, learning_rate=1e-2, final_rate=0.1, evaluate_every=50, precision="float32", threads=1,
    batch_size=16, length=32, hidden_size=64, train_characters=10_000, valid_characters=10_000,
    baseline_order=None, embedding_size=32,
)  # fmt: skip


def sizes(preset: str) -> DropoutPreset:
    """Some seconds a training; in `ci`, one."""
    small = {"name": "ci", "steps": 4, "evaluate_every": 4, "hidden_size": 8, "valid_characters": 1000}
    return SIZES.but(**small, train_characters=2000) if preset == "ci" else SIZES


def kinds(rates: dict[str, float]) -> dict[str, Dropouts]:
    """The same rates with masks that stay, and with masks that change."""
    return {LOCKED: Dropouts(**rates), NEW: Dropouts(**rates, masks="step")}


def settings(preset: str) -> dict:
    """Everything that decides the result."""
    return {"sizes": asdict(sizes(preset)), "places": PLACES, "excerpt": preset == "ci"}


def run(seed: int, preset: str) -> Figures:
    """Train all of them from the same first weights, and read plays that chose nothing."""
    corpus = corpora.load("shakespeare", quiet=True)
    corpus = excerpt(corpus) if preset == "ci" else corpus

    def bits(dropouts: Dropouts) -> float:
        return bits_at_best(learning(corpus, sizes(preset).but(dropouts=dropouts), seed), seed, READ)

    plain = bits(Dropouts())
    return {
        place: {NONE: plain, **{name: bits(kind) for name, kind in kinds(rates).items()}}
        for place, rates in PLACES.items()
    }


CLAIM = Claim(
    name="one-mask-for-all-steps",
    lesson="08_recurrent_dropout",
    statement="Dropout with the same mask at every step of a sequence makes an LSTM read held-out plays "
    "better than dropout with a new mask at each step.",
    source="Gal & Ghahramani 2016, A Theoretically Grounded Application of Dropout in Recurrent Neural "
    "Networks (arXiv 1512.05287), where masks kept over time did better than new ones in word models.",
    budget="five trainings of 400 steps a seed, two of them in the loop, about twenty seconds on one core",
    measures=tuple(Measure(place, "bits per character", (NONE, LOCKED, NEW)) for place in PLACES),
    rules=tuple(Margin(place, "bits", lower=LOCKED, upper=NEW, by=0.01, share=0.8) for place in PLACES),
    run=run,
    settings=settings,
    corpora=("shakespeare",),
    depends_on="where it is dropped",
)
