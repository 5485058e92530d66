"""Lesson 10: are two or four layers better than one, at as many weights and after as many steps?"""

from __future__ import annotations

from dataclasses import asdict

from lessons import corpora, depth_study
from lessons.deep_rnns import DeepPreset
from lessons.depth_study import PRESETS, Entrant
from lessons.experiments.claim import Claim, Figures, Margin, Measure
from lessons.experiments.excerpt import excerpt

BITS = "bits per character on unseen plays"
SECONDS = "seconds of training"
DEPTHS = (1, 2, 4)
SHALLOW = "1 layer"
DEEP = ("2 layers", "4 layers", "2 layers, residual", "4 layers, residual")
BY = 0.02


def sizes(preset: str) -> DeepPreset:
    """Some seconds a training; in `ci`, some milliseconds."""
    if preset == "ci":
        return PRESETS["ci"].but(steps=2, evaluate_every=2, baseline_order=None)
    return PRESETS["cpu"].but(steps=1000, evaluate_every=1000, baseline_order=None)


def entrants(preset: DeepPreset, vocabulary) -> list[Entrant]:
    """One layer, and stacks narrowed to its number of weights, plain and residual."""
    plain = depth_study.at_equal_parameters(DEPTHS, preset, vocabulary)
    return [*plain, *depth_study.at_equal_parameters(DEPTHS[1:], preset, vocabulary, residual=True)]


def settings(preset: str) -> dict:
    """Everything that decides the result."""
    return {"sizes": asdict(sizes(preset)), "depths": list(DEPTHS), "excerpt": preset == "ci"}


def run(seed: int, preset: str) -> Figures:
    """Train all five on the same batches; what each reads unseen plays with, and how long it took."""
    own = sizes(preset)
    corpus = corpora.load("shakespeare", quiet=True)
    corpus = excerpt(corpus) if preset == "ci" else corpus
    field = entrants(own, corpus.vocabulary)
    done = depth_study.compare(corpus, own, field, seed, progress=False)
    return {
        BITS: {outcome.name: depth_study.tested(outcome) for outcome in done},
        SECONDS: {outcome.name: outcome.seconds for outcome in done},
    }


CLAIM = Claim(
    name="depth-pays-at-equal-weights",
    lesson="10_deep_rnns",
    statement="A deeper LSTM reads better than one layer that has as many weights and trains for as many "
    "steps: two layers and four, without residual connections and with them.",
    source="Hermans & Schrauwen 2013, Training and Analysing Deep Recurrent Neural Networks, and Graves "
    "2013, Generating Sequences with Recurrent Neural Networks, on depth; equal weights are ours.",
    budget="five trainings of 1000 steps a seed, about three quarters of a minute on one core",
    measures=(
        Measure(BITS, "bits", (SHALLOW, *DEEP)),
        Measure(SECONDS, "seconds", (SHALLOW, *DEEP)),
    ),
    rules=tuple(Margin(BITS, "bits", lower=deep, upper=SHALLOW, by=BY, share=0.8) for deep in DEEP),
    run=run,
    settings=settings,
    corpora=("shakespeare",),
    depends_on="depth and connections",
)
