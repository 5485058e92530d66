"""Lesson 18: what a machine that has learnt to copy loses when its links are cut while it runs.

The machine and its training are those of dnc-learns-copy. Cutting sets all links to 0 at every step; nothing
else is changed, so that the machine can still read by content.
"""

from __future__ import annotations

from lessons import dnc_training
from lessons.experiments.bound import Bound
from lessons.experiments.claim import Claim, Figures, Measure
from lessons.experiments.dnc_learns_copy import FRESH, WRONG, settings, taught
from lessons.machine_training import FEW, held_out
from lessons.memory_trace import look

WHOLE, CUT = "as taught", "links cut"
LENGTH = 8  # vectors, the longest of training
MANY = 10  # wrong bits; guessing gets 32 wrong


def run(seed: int, preset: str) -> Figures:
    """Train one machine; its wrong bits on fresh sequences, with links and without."""
    task, _ = taught(seed, preset)
    episode = held_out(task.preset.but(held_out=FRESH), LENGTH, fresh=True)
    wrong = {}
    for name, edit in ((WHOLE, None), (CUT, {"links": 0.0})):
        wrong[name] = dnc_training.wrong(task.preset, look(task.model, episode.x, edit).logits, episode)
    return {WRONG: wrong}


CLAIM = Claim(
    name="links-carry-order",
    lesson="18_dnc",
    statement="A differentiable neural computer that has learnt to copy finds the order in its links: with "
    "them cut, more than 10 bits of 64 are wrong; with them, fewer than half a bit.",
    source="Graves et al. 2016, Methods, Temporal linkage; the cut and the bounds are ours.",
    budget="a training of at most 2,000 steps a seed, at most a minute on one core",
    measures=(Measure(WRONG, "bits", (WHOLE, CUT)),),
    rules=(
        Bound(WRONG, (WHOLE,), FEW, "below", share=0.8),
        Bound(WRONG, (CUT,), MANY, "above", share=0.8),
    ),
    run=run,
    settings=settings,
)
