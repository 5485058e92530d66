"""Lesson 20: who keeps count of open brackets, beyond the lengths that were taught?"""

from __future__ import annotations

from lessons import cell_study
from lessons.cell_tasks import Depth
from lessons.experiments.bound import Bound
from lessons.experiments.claim import Claim, Figures, Measure

SHARE = "share of depths right, at twice the length taught"
CELLS = tuple(cell_study.CELLS)
FED = ("LSTM", "sLSTM")  # cells whose state feeds their gates
UNFED = tuple(cell for cell in CELLS if cell not in FED)


def settings(preset: str) -> dict:
    """Everything that decides the result."""
    return cell_study.settings(Depth.name, preset)


def run(seed: int, preset: str) -> Figures:
    """Train every cell until it is solved or the steps are used up; judge it at twice the length."""
    return {SHARE: cell_study.of_every_cell(Depth.name, seed, preset)}


CLAIM = Claim(
    name="depth-needs-feedback",
    lesson="20_what_came_next",
    statement="Taught the depth of brackets, up to 5, over 20 steps, cells whose state feeds their "
    "gates (LSTM, sLSTM) are right more than 90 % of the time over 40, and cells whose gates see the input "
    "alone are not.",
    source="Merrill, Petty & Sabharwal 2024, The Illusion of State in State-Space Models, on state "
    "tracking in general; a depth up to 5 is a small part of it, and the bound is ours.",
    budget="six trainings of at most 800 steps a seed, at most a minute on one core",
    measures=(Measure(SHARE, "share right", CELLS),),
    rules=(Bound(SHARE, FED, 0.9, "above", share=0.8), Bound(SHARE, UNFED, 0.9, "below", share=0.8)),
    run=run,
    settings=settings,
    depends_on="the cell",
)
