"""Lesson 20: do the cells after the LSTM read plays as well as an LSTM of as many weights?"""

from __future__ import annotations

from lessons import cell_study
from lessons.experiments.bound import Bound
from lessons.experiments.claim import Claim, Figures, Measure

BITS, ABOVE = "bits per character", "above the LSTM"
CELLS = tuple(cell_study.CELLS)
LSTM, OTHERS = CELLS[0], CELLS[1:]


def settings(preset: str) -> dict:
    """Everything that decides the result."""
    return cell_study.settings(cell_study.CHARACTERS, preset)


def run(seed: int, preset: str) -> Figures:
    """Train every cell on the same batches."""
    found = cell_study.of_every_cell(cell_study.CHARACTERS, seed, preset)
    return {BITS: found, ABOVE: {cell: found[cell] - found[LSTM] for cell in OTHERS}}


CLAIM = Claim(
    name="new-cells-read-as-well",
    lesson="20_what_came_next",
    statement="Reading plays, two layers of any of the cells after the LSTM need at most 0.1 bits per "
    "character more than an LSTM of as many weights, after 300 steps of training.",
    source="Feng et al. 2024, Were RNNs All We Needed?, on Shakespeare's characters; "
    "sizes, budget and bound are ours.",
    budget="six trainings of 300 steps a seed, about a minute on one core",
    measures=(
        Measure(BITS, "bits per character", CELLS),
        Measure(ABOVE, "bits per character", OTHERS),
    ),
    rules=tuple(Bound(ABOVE, (cell,), 0.1, share=0.8) for cell in OTHERS),
    run=run,
    settings=settings,
    corpora=("shakespeare",),
    depends_on="the cell",
)
