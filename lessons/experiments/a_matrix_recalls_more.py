"""Lesson 20: does a matrix for a memory bind more names to things than a vector does?"""

from __future__ import annotations

from lessons import cell_study
from lessons.cell_tasks import Recall
from lessons.experiments.claim import Claim, Figures, Margin, Measure

SHARE = "share of things recalled"
CELLS = tuple(cell_study.CELLS)
MATRICES = ("mLSTM", "linear attention")


def settings(preset: str) -> dict:
    """Everything that decides the result."""
    return cell_study.settings(Recall.name, preset)


def run(seed: int, preset: str) -> Figures:
    """Train every cell until it is solved or the steps are used up."""
    return {SHARE: cell_study.of_every_cell(Recall.name, seed, preset)}


CLAIM = Claim(
    name="a-matrix-recalls-more",
    lesson="20_what_came_next",
    statement="Of eight pairs of a name and a thing, cells whose memory is a matrix (mLSTM, gated "
    "linear attention) recall at least a tenth more of the things than an LSTM of as many weights.",
    source="Beck et al. 2024, xLSTM, section 4.1, where the mLSTM is ahead of the LSTM at recalling "
    "associations; task, sizes and bound are ours.",
    budget="six trainings of at most 800 steps a seed, at most a minute on one core",
    measures=(Measure(SHARE, "share right", CELLS),),
    rules=tuple(Margin(SHARE, "of the things", "LSTM", cell, 0.1, share=0.8) for cell in MATRICES),
    run=run,
    settings=settings,
    depends_on="the cell",
)
