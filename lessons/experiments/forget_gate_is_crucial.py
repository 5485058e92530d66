"""Lesson 06: the full LSTM against the one whose cell never forgets, in the trainings of another claim."""

from __future__ import annotations

from lessons.experiments import variants_perform_alike as alike
from lessons.experiments.claim import Claim, Figures, Margin, Measure
from lessons.experiments.variants_perform_alike import BITS, STEPS

FULL, NEVER_FORGETS = "V", "NFG"


def settings(preset: str) -> dict:
    """Everything that decides the result, the other claim's source included."""
    return {**alike.settings(preset), "trainings": alike.CLAIM.digest()}


def run(seed: int, preset: str) -> Figures:
    """Two columns of `variants-perform-alike`, trained now or taken from where its seeds are kept."""
    from lessons import claims  # here, because it lists all experiments, this one too

    figures = claims.one_seed(alike.CLAIM.name, seed, preset)["figures"]
    return {name: {cell: values[cell] for cell in (FULL, NEVER_FORGETS)} for name, values in figures.items()}


CLAIM = Claim(
    name="forget-gate-is-crucial",
    lesson="06_lstm_variants",
    statement="Without its forget gate an LSTM solves adding at least 100 steps later and reads plays "
    "at least 0.05 bits worse.",
    source="Greff et al. 2017, LSTM: A Search Space Odyssey, section V-B, where removing the forget gate "
    "hurt on all three tasks; Gers, Schmidhuber & Cummins 2000, Learning to Forget, section 3, on endless "
    "input.",
    budget="nothing beyond variants-perform-alike, whose trainings it reads",
    measures=(
        Measure(STEPS, "steps", (FULL, NEVER_FORGETS)),
        Measure(BITS, "bits", (FULL, NEVER_FORGETS)),
    ),
    rules=(
        Margin(STEPS, "steps", lower=FULL, upper=NEVER_FORGETS, by=100, share=0.8),
        Margin(BITS, "bits", lower=FULL, upper=NEVER_FORGETS, by=0.05, share=0.8),
    ),
    run=run,
    settings=settings,
    corpora=("shakespeare",),
    depends_on="the task",
)
