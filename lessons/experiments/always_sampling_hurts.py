"""Lesson 11: what becomes of a decoder that is never told the truth?"""

from __future__ import annotations

from lessons.experiments.claim import Claim, Figures, Margin, Measure
from lessons.experiments.forced_and_free import ALONE, NEVER, TRUTH, WHOLE, decisive, outcomes, sizes

NAMES = (TRUTH, NEVER)
BY = 5


def settings(preset: str) -> dict:
    """Everything that decides the result."""
    return decisive(preset, NAMES)


def run(seed: int, preset: str) -> Figures:
    """Train both for equally many steps, and let each write what it never saw."""
    figures = outcomes(sizes(preset), NAMES, seed)
    return {ALONE: figures[ALONE], WHOLE: figures[WHOLE]}


CLAIM = Claim(
    name="always-sampling-hurts",
    lesson="11_teacher_forcing",
    statement="After equally many steps, a decoder that was never fed the truth makes more mistakes alone "
    "than one that was always fed it.",
    source="Bengio et al. 2015, Scheduled Sampling for Sequence Prediction with Recurrent Neural Networks "
    "(arXiv 1506.03099), where always sampling captioned images worst; network, task and steps are ours.",
    budget="two trainings of 500 steps a seed, one of them in a loop, about half a minute on one core",
    measures=(Measure(ALONE, "edits per 100 symbols", NAMES), Measure(WHOLE, "% of sentences", NAMES)),
    rules=(Margin(ALONE, "edits per 100 symbols", lower=TRUTH, upper=NEVER, by=BY, share=0.8),),
    run=run,
    settings=settings,
)
