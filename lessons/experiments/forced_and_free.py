"""Lesson 11's experiments: one decoder, fed in several ways, judged alone and fed the truth."""

from __future__ import annotations

from functools import lru_cache

from lessons import translation
from lessons.curriculum import ALONE, TOLD, WHOLE, Progress
from lessons.teacher_forcing import EXPONENTIAL, LINEAR, SIGMOID
from lessons.training import fit
from lessons.translation import TranslationPreset

GAP = "gap between alone and fed the truth"
TRUTH, HALF, NEVER = "always the truth", "half of the time", "never"
SIGMOID_FALL, LINEAR_FALL, EXPONENTIAL_FALL = SIGMOID, LINEAR, EXPONENTIAL
WAYS: dict[str, dict] = {
    TRUTH: {"ratio": 1.0},
    HALF: {"ratio": 0.5},
    NEVER: {"ratio": 0.0},
    SIGMOID_FALL: {"schedule": SIGMOID, "ratio": 0.1},
    LINEAR_FALL: {"schedule": LINEAR, "ratio": 0.1},
    EXPONENTIAL_FALL: {"schedule": EXPONENTIAL, "ratio": 0.1},
}
FIRST = 200  # the first seed; 0 to 4 judged a task that was too hard, those from 100 sized this one
STEPS = 500
SIZES = TranslationPreset(
    "cpu", steps=STEPS, evaluate_every=STEPS, learning_rate=8e-3, below=1000, count=1, beyond=0,
    attention=None, hidden_size=96, batch_size=32, threads=1,
)  # fmt: skip
DECISIVE = (
    "task", "count", "below", "beyond", "cell", "attention", "reading", "bridge", "hidden_size", "num_layers",
    "embedding_size", "dropout", "own", "steps", "learning_rate", "final_rate", "warmup", "weight_decay",
    "clip", "batch_size", "precision",
)  # fmt: skip


def sizes(preset: str) -> TranslationPreset:
    """The network of lesson 11; in `ci`, a moment."""
    if preset == "ci":
        small = {"name": "ci", "hidden_size": 8, "batch_size": 8, "held_out": 5}
        return SIZES.but(steps=2, evaluate_every=2, **small)
    return SIZES


def decisive(preset: str, names: tuple[str, ...], moment: float = 1.0) -> dict:
    """Everything that decides a result."""
    own = sizes(preset)
    return {
        "sizes": {name: getattr(own, name) for name in DECISIVE},
        "ways": {name: WAYS[name] for name in names},
        "first seed": FIRST,
        "moment": moment,
    }


@lru_cache
def trained(preset: TranslationPreset, name: str, seed: int, every: int) -> list[dict[str, float]]:
    """One training, judged on held-out numbers after every `every` steps; the claims share what they can."""
    pairs = translation.load(preset).first(valid=preset.held_out, test=preset.held_out)
    seen, task = Progress(every), translation.prepare(preset.but(**WAYS[name]), seed, pairs)
    fit(task, seed=seed, watch=seen, progress=False)
    return seen.rows


def outcomes(
    preset: TranslationPreset, names: tuple[str, ...], seed: int, moment: float = 1.0
) -> dict[str, dict[str, float]]:
    """Train in each way from the same weights on the same batches; figures after a share of the steps."""
    every = max(1, preset.steps // 10)
    figures: dict[str, dict[str, float]] = {TOLD: {}, ALONE: {}, GAP: {}, WHOLE: {}}
    for name in names:
        rows = trained(preset, name, FIRST + seed, every)
        row = rows[round(moment * len(rows)) - 1]
        for measure in (TOLD, ALONE, WHOLE):
            figures[measure][name] = row[measure]
        figures[GAP][name] = row[ALONE] - row[TOLD]
    return figures
