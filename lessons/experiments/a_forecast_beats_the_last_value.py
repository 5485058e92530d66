"""Lesson 19: does a network forecast better than simple rules, and what does it gain on a random walk?"""

from __future__ import annotations

from lessons import forecast, made_series
from lessons.brought import PRESETS, CapstonePreset
from lessons.experiments.bound import Bound
from lessons.experiments.claim import Claim, Figures, Measure
from lessons.keep_best import KeepBest
from lessons.training import fit

TIDES, SPOTS, WALK = "tides", "spots", "walk"
GAIN = "nats gained on the best simple forecast"
FIRST_SEED = 1000  # of the series: none that the lesson shows
VALUES, UNITS = 2000, 32


def sizes(preset: str) -> CapstonePreset:
    """A small network; 2,000 values do not ask for more."""
    if preset == "ci":
        return PRESETS["ci"]
    return PRESETS["cpu"].but(steps=300, evaluate_every=50, hidden_size=UNITS, learning_rate=5e-3)


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
    return {name: getattr(own, name) for name in kept} | {
        "cell": "lstm", "values": VALUES, "series from": FIRST_SEED, "series": (TIDES, SPOTS, WALK)
    }  # fmt: skip


def run(seed: int, preset: str) -> Figures:
    """On three series of one seed: the best simple forecast's cost of a test value, less the network's."""
    own, gained = sizes(preset), {}
    for name in (TIDES, SPOTS, WALK):
        data = made_series.make(name, VALUES, FIRST_SEED + seed)
        model = forecast.build(data, "lstm", own.hidden_size, 1, seed)
        task = forecast.task(model, data, own, seed)
        fit(task, watch=KeepBest(restore=True), seed=seed, progress=False)
        gained[name] = min(forecast.baselines(data, "test").values()) - task.held_out("test")
    return {GAIN: gained}


CLAIM = Claim(
    name="a-forecast-beats-the-last-value",
    lesson="19_capstone",
    statement="On tides and on a star's spots an LSTM of 32 units, trained for seconds, forecasts the next "
    "value better than the average, the last value and the value one season ago; on a random walk it gains "
    "nothing.",
    source="Simple forecasts as the measure of all others: Hyndman & Athanasopoulos, Forecasting: Principles "
    "and Practice. Series, bounds and budget are ours.",
    budget="three trainings of 300 steps a seed, a few seconds on one core",
    measures=(Measure(GAIN, "nats per value", (TIDES, SPOTS, WALK)),),
    rules=(
        Bound(GAIN, (TIDES,), 0.5, "above"),
        Bound(GAIN, (SPOTS,), 0.1, "above"),
        Bound(GAIN, (WALK,), 0.02, "below"),
    ),
    run=run,
    settings=settings,
)
