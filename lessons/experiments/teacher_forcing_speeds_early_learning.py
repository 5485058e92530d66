"""Lesson 11: early in a training, who writes better alone, who is told the truth or who is not?"""

from __future__ import annotations

from lessons.experiments.claim import Claim, Figures, Margin, Measure
from lessons.experiments.forced_and_free import ALONE, HALF, NEVER, TOLD, TRUTH, decisive, outcomes, sizes

NAMES = (TRUTH, HALF, NEVER)
EARLY, BY = 0.4, 5  # share of the training


def settings(preset: str) -> dict:
    """Everything that decides the result."""
    return decisive(preset, NAMES, EARLY)


def run(seed: int, preset: str) -> Figures:
    """Train in each way, and let each write what it never saw before much of the training is over."""
    figures = outcomes(sizes(preset), NAMES, seed, EARLY)
    return {ALONE: figures[ALONE], TOLD: figures[TOLD]}


CLAIM = Claim(
    name="teacher-forcing-speeds-early-learning",
    lesson="11_teacher_forcing",
    statement="After two fifths of its training, a decoder that was always fed the truth writes better on "
    "its own than one that was fed the truth half of the time, or never.",
    source="Williams & Zipser 1989, A Learning Algorithm for Continually Running Fully Recurrent Neural "
    "Networks, for teacher forcing; Bengio et al. 2015, Scheduled Sampling for Sequence Prediction with "
    "Recurrent Neural Networks (arXiv 1506.03099), for starting with it.",
    budget="three trainings of 500 steps a seed, two of them in a loop, judged after 200 of them; under a "
    "minute on one core",
    measures=(Measure(ALONE, "edits per 100 symbols", NAMES), Measure(TOLD, "% of symbols", NAMES)),
    rules=tuple(
        Margin(ALONE, "edits per 100 symbols", lower=TRUTH, upper=other, by=BY, share=0.8)
        for other in (HALF, NEVER)
    ),
    run=run,
    settings=settings,
    depends_on="how often the truth is withheld",
)
