"""Lesson 19: what costs more, the worst of three cells, or a twentieth of the data?"""

from __future__ import annotations

from collections.abc import Callable

from lessons import char_rnn, corpora, forecast, made_series
from lessons.brought import PRESETS, CapstonePreset
from lessons.char_rnn import CharTask
from lessons.experiments.claim import Claim, Figures, Margin, Measure
from lessons.experiments.excerpt import excerpt
from lessons.keep_best import KeepBest
from lessons.training import fit

CELLS = ("rnn", "gru", "lstm")
WORST, LITTLE = "the worst cell instead of the best", "a twentieth of the data"
TEXT, NUMBERS = "what it costs on text", "what it costs on numbers"
UNITS = {TEXT: "bits per character", NUMBERS: "nats per value"}
CHARACTERS, VALUES, SHARE = 400_000, 6000, 20
FIRST_SEED = 2000
TESTED = 40_000  # characters of the test text


def sizes(preset: str) -> CapstonePreset:
    """The same for every cell and every amount of data."""
    if preset == "ci":
        return PRESETS["ci"]
    return PRESETS["cpu"].but(steps=500, evaluate_every=100, hidden_size=64, baseline_order=None)


def settings(preset: str) -> dict:
    """Everything that decides the result."""
    own = sizes(preset)
    kept = (
        "steps",
        "learning_rate",
        "warmup",
        "clip",
        "batch_size",
        "length",
        "evaluate_every",
        "hidden_size",
    )
    data = {"characters": CHARACTERS, "values": VALUES, "share": SHARE, "series": "spots", "tested": TESTED}
    return {name: getattr(own, name) for name in kept} | data | {"cells": CELLS, "series from": FIRST_SEED}


def written(cell: str, seed: int, own: CapstonePreset, part: int, preset: str) -> float:
    """Bits per character of the test text after training on one part in `part` of the training text."""
    text = corpora.load("shakespeare", quiet=True)
    text = excerpt(text) if preset == "ci" else text
    most = min(CHARACTERS, len(text.train)) // part
    chosen = own.but(cell=cell, train_characters=most)
    task = CharTask(char_rnn.build(text.vocabulary, chosen, seed), text, chosen, seed)
    fit(task, watch=KeepBest(restore=True), seed=seed, progress=False)
    return char_rnn.bits_per_character(task.model, text.test[:TESTED])


def forecast_at(cell: str, seed: int, own: CapstonePreset, part: int, preset: str) -> float:
    """Nats per value of the test part, after training on the latest of `part` parts of the training part."""
    data = made_series.make("spots", VALUES, FIRST_SEED + seed)
    model = forecast.build(data, cell, own.hidden_size, 1, seed)
    task = forecast.task(model, data, own, seed)
    known = task.parts["train"]
    task.parts["train"] = known[-(len(known) // part) :]
    fit(task, watch=KeepBest(restore=True), seed=seed, progress=False)
    return task.held_out("test")


TRAINED: dict[str, Callable[..., float]] = {TEXT: written, NUMBERS: forecast_at}


def run(seed: int, preset: str) -> Figures:
    """For text and numbers: what the worst cell costs, and what the best cell loses with little data."""
    own, figures = sizes(preset), {}
    for kind, train in TRAINED.items():
        costs = {cell: train(cell, seed, own, 1, preset) for cell in CELLS}
        best = min(costs, key=costs.get)
        little = train(best, seed, own, SHARE, preset)
        figures[kind] = {WORST: max(costs.values()) - costs[best], LITTLE: little - costs[best]}
    return figures


CLAIM = Claim(
    name="the-cell-matters-less-than-the-data",
    lesson="19_capstone",
    statement="Taking the worst of an Elman network, a GRU and an LSTM of 64 units instead of the best costs "
    "less than training the best on a twentieth of the data, on text and on a series of numbers.",
    source="Advice to whoever brings data of their own; ours.",
    budget="eight trainings of 500 steps a seed, three quarters of a minute on one core",
    measures=tuple(Measure(kind, unit, (WORST, LITTLE)) for kind, unit in UNITS.items()),
    rules=tuple(Margin(kind, unit, lower=WORST, upper=LITTLE, by=0.01) for kind, unit in UNITS.items()),
    run=run,
    settings=settings,
    corpora=("shakespeare",),
    depends_on="the kind of data",
)
