"""Lesson 20: do the cells after the LSTM leave out what does not count as well as the LSTM does?"""

from __future__ import annotations

from lessons import cell_study
from lessons.cell_tasks import SelectiveCopy
from lessons.experiments.bound import Bound
from lessons.experiments.claim import Claim, Figures, Measure

SHARE, BEHIND = "share of symbols copied", "behind the LSTM"
CELLS = tuple(cell_study.CELLS)
LSTM, OTHERS = CELLS[0], CELLS[1:]


def settings(preset: str) -> dict:
    """Everything that decides the result."""
    return cell_study.settings(SelectiveCopy.name, preset)


def run(seed: int, preset: str) -> Figures:
    """Train every cell until it is solved or the steps are used up."""
    found = cell_study.of_every_cell(SelectiveCopy.name, seed, preset)
    return {SHARE: found, BEHIND: {cell: found[LSTM] - found[cell] for cell in OTHERS}}


CLAIM = Claim(
    name="new-cells-leave-out-as-well",
    lesson="20_what_came_next",
    statement="Six symbols that stand at random steps among blanks are said again by the cells after "
    "the LSTM at most 0.05 worse than by an LSTM of as many weights.",
    source="Gu & Dao 2023, Mamba, section 4.1.1, and Feng et al. 2024, who solve selective "
    "copying with selective state spaces and minLSTMs; their sequences are far longer, and the bound is "
    "ours.",
    budget="six trainings of at most 800 steps a seed, at most a minute on one core",
    measures=(Measure(SHARE, "share right", CELLS), Measure(BEHIND, "share right", OTHERS)),
    rules=tuple(Bound(BEHIND, (cell,), 0.05, share=0.8) for cell in OTHERS),
    run=run,
    settings=settings,
    depends_on="the cell",
)
