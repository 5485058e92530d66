"""Lesson 20: do the cells after the LSTM copy a sequence as well as the LSTM does?"""

from __future__ import annotations

from lessons import cell_study
from lessons.cell_tasks import Copy
from lessons.experiments.bound import Bound
from lessons.experiments.claim import Claim, Figures, Measure

SHARE, BEHIND = "share of symbols copied", "behind the LSTM"
CELLS = tuple(cell_study.CELLS)
LSTM, OTHERS = CELLS[0], CELLS[1:]


def settings(preset: str) -> dict:
    """Everything that decides the result."""
    return cell_study.settings(Copy.name, preset)


def run(seed: int, preset: str) -> Figures:
    """Train every cell until it is solved or the steps are used up."""
    found = cell_study.of_every_cell(Copy.name, seed, preset)
    return {SHARE: found, BEHIND: {cell: found[LSTM] - found[cell] for cell in OTHERS}}


CLAIM = Claim(
    name="new-cells-copy-as-well",
    lesson="20_what_came_next",
    statement="Eight symbols of six kinds are said again after a pause by the cells after the LSTM at "
    "most 0.05 worse than by an LSTM of as many weights.",
    source="Feng et al. 2024, Were RNNs All We Needed?, and Beck et al. 2024, xLSTM, which find their "
    "cells at least as good as the LSTM on tasks of memory; task, sizes and bound are ours.",
    budget="six trainings of at most 800 steps a seed, at most a minute on one core",
    measures=(Measure(SHARE, "share right", CELLS), Measure(BEHIND, "share right", OTHERS)),
    rules=tuple(Bound(BEHIND, (cell,), 0.05, share=0.8) for cell in OTHERS),
    run=run,
    settings=settings,
    depends_on="the cell",
)
