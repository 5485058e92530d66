"""Lesson 11's experiments: one decoder, fed in several ways, judged alone and fed the truth."""

from __future__ import annotations

from lessons import translation
from lessons.curriculum import exposure
from lessons.decoding import translate
from lessons.edit_distance import symbols_wrong
from lessons.teacher_forcing import LINEAR, SIGMOID
from lessons.training import fit
from lessons.translation import TranslationPreset

ALONE, GAP, WHOLE = "symbols wrong, alone", "gap between alone and fed the truth", "sentences right, alone"
TRUTH, HALF, NEVER = "always the truth", "half of the time", "never"
SIGMOID_FALL, LINEAR_FALL = "inverse sigmoid", "linear"
WAYS: dict[str, dict] = {
    TRUTH: {"ratio": 1.0},
    HALF: {"ratio": 0.5},
    NEVER: {"ratio": 0.0},
    SIGMOID_FALL: {"schedule": SIGMOID, "ratio": 0.1},
    LINEAR_FALL: {"schedule": LINEAR, "ratio": 0.1},
}
SIZES = TranslationPreset(
    "cpu", steps=400, learning_rate=5e-3, below=10_000, count=8000, beyond=0, attention=None, cell="gru",
    hidden_size=96, batch_size=32, held_out=100, threads=1,
)  # fmt: skip
DECISIVE = (
    "task", "count", "below", "beyond", "cell", "attention", "reading", "bridge", "hidden_size", "num_layers",
    "embedding_size", "dropout", "own", "steps", "learning_rate", "final_rate", "warmup", "weight_decay",
    "clip", "batch_size", "precision",
)  # fmt: skip


def sizes(preset: str, steps: int) -> TranslationPreset:
    """The network of lesson 11 for so many steps, judged once at their end; in `ci`, a moment."""
    if preset == "ci":
        small = {"name": "ci", "hidden_size": 8, "batch_size": 8, "held_out": 5, "below": 1000, "count": 1}
        return SIZES.but(steps=2, evaluate_every=2, **small)
    return SIZES.but(steps=steps, evaluate_every=steps)


def decisive(preset: str, steps: int, names: tuple[str, ...]) -> dict:
    """Everything that decides a result."""
    own = sizes(preset, steps)
    return {
        "sizes": {name: getattr(own, name) for name in DECISIVE},
        "ways": {name: WAYS[name] for name in names},
    }


def outcomes(preset: TranslationPreset, names: tuple[str, ...], seed: int) -> dict[str, dict[str, float]]:
    """Train in each way from the same first weights on the same batches; figures on the test part."""
    pairs, figures = translation.load(preset), {ALONE: {}, GAP: {}, WHOLE: {}}
    for name in names:
        task = translation.prepare(preset.but(**WAYS[name]), seed, pairs)
        fit(task, seed=seed, progress=False)
        sources, targets = zip(*task.held["test"], strict=True)
        written = translate(task.model, list(sources), longest=2 * max(map(len, targets)))
        wrong = symbols_wrong(written, targets)
        figures[ALONE][name] = wrong
        figures[GAP][name] = wrong - 100 * (1 - exposure(task, "test").forced)
        figures[WHOLE][name] = 100 * translation.exact(written, targets)
    return figures
