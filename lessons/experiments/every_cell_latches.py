"""Lesson 20: does every cell hold one symbol over a stretch of noise?"""

from __future__ import annotations

from lessons import cell_study
from lessons.experiments.bound import Bound
from lessons.experiments.claim import Claim, Figures, Measure
from lessons.tasks import Latch

SHARE = "share of symbols held over 32 steps"
CELLS = tuple(cell_study.CELLS)


def settings(preset: str) -> dict:
    """Everything that decides the result."""
    return cell_study.settings(Latch.name, preset)


def run(seed: int, preset: str) -> Figures:
    """Train every cell until it is solved or the steps are used up."""
    return {SHARE: cell_study.of_every_cell(Latch.name, seed, preset)}


CLAIM = Claim(
    name="every-cell-latches",
    lesson="20_what_came_next",
    statement="Whether or not the state feeds the gates, two layers of a cell hold one of six symbols "
    "over 31 steps of noise, at least 95 % of the time.",
    source="Feng et al. 2024, Were RNNs All We Needed?, which finds minLSTM and minGRU comparable with "
    "the LSTM; task, sizes and bound are ours.",
    budget="six trainings of at most 800 steps a seed, at most a minute on one core",
    measures=(Measure(SHARE, "share right", CELLS),),
    rules=(Bound(SHARE, CELLS, 0.95, "above", share=0.8),),
    run=run,
    settings=settings,
)
