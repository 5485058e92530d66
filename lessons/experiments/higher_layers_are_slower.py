"""Lesson 10: does a layer's state change more slowly, and remember longer, the higher the layer stands?"""

from __future__ import annotations

from dataclasses import asdict

from lessons import corpora, time_scales
from lessons.deep_rnns import PRESETS, SIZES, DeepPreset, build, reading
from lessons.experiments.claim import Claim, Figures, Measure, Trend
from lessons.experiments.excerpt import excerpt
from lessons.training import fit

ALIKE, MOVED = "autocorrelation", "changed character"
NAMES = {ALIKE: "steps until autocorrelation is a tenth", MOVED: "steps until a changed character is a tenth"}
STAGES = ("trained", "untrained")
DEPTH = 3
LAYERS = tuple(f"layer {k}" for k in range(DEPTH))
LAGS, CHANGES, TEXT = 100, 200, 40_000


def sizes(preset: str) -> DeepPreset:
    """A quarter of a minute a training; in `ci`, some milliseconds."""
    if preset == "ci":
        return PRESETS["ci"].but(steps=2, evaluate_every=2, baseline_order=None)
    return SIZES.but(steps=800, evaluate_every=800, baseline_order=None)


def settings(preset: str) -> dict:
    """Everything that decides the result."""
    return {
        "sizes": asdict(sizes(preset)), "lags": LAGS, "changes": CHANGES, "text": TEXT,
        "levels": time_scales.LEVELS, "excerpt": preset == "ci",
    }  # fmt: skip


def run(seed: int, preset: str) -> Figures:
    """Measure a plain stack on unseen plays by both measures, before and after training."""
    own = sizes(preset)
    corpus = corpora.load("shakespeare", quiet=True)
    corpus = excerpt(corpus) if preset == "ci" else corpus
    task = reading(corpus, own, seed)
    fit(task, seed=seed, progress=False)
    models = {"trained": task.model, "untrained": build(corpus.vocabulary, own, seed).eval()}
    figures = {}
    for stage in STAGES:
        curves = time_scales.curves(models[stage], corpus.test[:TEXT], LAGS, CHANGES, seed)
        for name, steps in time_scales.scales(curves).items():
            figures[measure(name, stage)] = dict(zip(LAYERS, steps, strict=True))
    return figures


def measure(name: str, stage: str) -> str:
    """A measure's name in the ledger."""
    return f"{NAMES[name]}, {stage}"


CLAIM = Claim(
    name="higher-layers-are-slower",
    lesson="10_deep_rnns",
    statement="In a trained stack of three GRU layers the higher layers are slower: their states stay alike "
    "for longer, and a changed character is seen in them for longer.",
    source="Hermans & Schrauwen 2013, Training and Analysing Deep Recurrent Neural Networks, on the time "
    "scales of layers after a changed character; autocorrelation, cell and sizes are ours.",
    budget="one training of 800 steps a seed, about a quarter of a minute on one core",
    measures=tuple(
        Measure(measure(name, stage), "steps", LAYERS, along="height") for stage in STAGES for name in NAMES
    ),
    rules=tuple(Trend(measure(name, "trained"), LAYERS, rises=True, share=0.8) for name in NAMES),
    run=run,
    settings=settings,
    corpora=("shakespeare",),
    depends_on="the measure",
)
