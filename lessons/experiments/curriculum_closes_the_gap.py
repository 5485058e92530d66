"""Lesson 11: does taking the truth away bit by bit help a decoder that will have to do without it?"""

from __future__ import annotations

from lessons.experiments.claim import Claim, Figures, Margin, Measure
from lessons.experiments.forced_and_free import (
    ALONE,
    GAP,
    SIGMOID_FALL,
    TRUTH,
    WHOLE,
    decisive,
    outcomes,
    sizes,
)

NAMES = (TRUTH, SIGMOID_FALL)
BY = 1


def settings(preset: str) -> dict:
    """Everything that decides the result."""
    return decisive(preset, NAMES)


def run(seed: int, preset: str) -> Figures:
    """Train in each way for equally many steps, and let each write what it never saw."""
    figures = outcomes(sizes(preset), NAMES, seed)
    return {measure: figures[measure] for measure in (GAP, ALONE, WHOLE)}


CLAIM = Claim(
    name="curriculum-closes-the-gap",
    lesson="11_teacher_forcing",
    statement="A decoder from which the truth is taken away bit by bit, to one step in ten, makes fewer "
    "mistakes alone, and loses less when it goes from the truth to its own symbols, than one that was always "
    "fed the truth.",
    source="Bengio et al. 2015, Scheduled Sampling for Sequence Prediction with Recurrent Neural Networks "
    "(arXiv 1506.03099); network, task and steps are ours.",
    budget="two trainings of 500 steps a seed, one of them in a loop, about half a minute on one core",
    measures=(
        Measure(GAP, "edits per 100 symbols", NAMES),
        Measure(ALONE, "edits per 100 symbols", NAMES),
        Measure(WHOLE, "% of sentences", NAMES),
    ),
    rules=tuple(
        Margin(measure, "edits per 100 symbols", lower=SIGMOID_FALL, upper=TRUTH, by=BY, share=0.8)
        for measure in (GAP, ALONE)
    ),
    run=run,
    settings=settings,
    depends_on="what is counted",
)
