"""Lesson 07: four ways to clip, each at four thresholds, on a ReLU network that echoes.

How far each way turns a gradient is measured along the training that is clipped by norm at 1, on one gradient
in ten, at one threshold for each way; what counts is the median over the gradients that the way changes. (It
was the median over all gradients at first; mended after a look at the angles of one training, of seed 0.
That is why the seeds here are those from FIRST on.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from lessons import gradient_clipping as lesson
from lessons.experiments.bound import Bound
from lessons.experiments.claim import Claim, Figures, Judgement, Limit, Measure
from lessons.gradient_clipping import Angles, ClippingPreset

NORM, VALUE, ADAPTIVE, EACH = "by norm", "by value", "adaptive", "each by norm"
GRID = {
    NORM: (10.0, 1.0, 0.1, 0.01),
    VALUE: (1.0, 0.1, 0.01, 0.001),
    ADAPTIVE: (1.0, 0.1, 0.01, 0.001),
    EACH: (10.0, 1.0, 0.1, 0.01),
}
TURNED_AT = {NORM: 1.0, VALUE: 0.001, ADAPTIVE: 0.1, EACH: 0.1}
TURNED = "degrees turned"
FIRST = 10
SOLVED = 0.99  # the rule of tasks.Classification


def sizes(preset: str) -> ClippingPreset:
    """A second a training; in `ci`, some milliseconds."""
    small = {"name": "ci", "steps": 2, "evaluate_every": 2, "batch_size": 4, "held_out": 20}
    return lesson.SIZES.but(**small) if preset == "ci" else lesson.SIZES


def every(preset: str) -> int:
    """How many steps lie between two gradients that are measured."""
    return 1 if preset == "ci" else 10


def settings(preset: str) -> dict:
    """Everything that decides the result."""
    return {
        "sizes": asdict(sizes(preset)),
        "grid": GRID,
        "turned at": TURNED_AT,
        "every": every(preset),
        "first": FIRST,
    }


def run(seed: int, preset: str) -> Figures:
    """Train with every way at every threshold; a network that diverges keeps its last good weights."""
    found: dict[str, dict[str, float]] = {}
    angles = Angles(TURNED_AT, every(preset))
    for way, thresholds in GRID.items():
        found[way] = {}
        for threshold in thresholds:
            task = lesson.prepare(sizes(preset).but(clip_way=way, clip_at=threshold), FIRST + seed)
            watch = angles if (way, threshold) == (NORM, TURNED_AT[NORM]) else None
            lesson.train(task, watch=watch, progress=False)
            found[way][f"{threshold:g}"] = task.evaluate()["share right"]
    found[TURNED] = {way: angles.middle(way) for way in GRID}
    return found


def solved(seeds: Sequence[Figures], way: str) -> tuple[int, str]:
    """On how many seeds a way solves the task at its best threshold, and which that is."""
    counts = {
        name: sum(seed[way][name] >= SOLVED for seed in seeds) for name in (f"{t:g}" for t in GRID[way])
    }
    best = max(counts, key=counts.__getitem__)
    return counts[best], best


@dataclass(frozen=True)
class AsGood:
    """At its best threshold a way solves the task on at most one seed fewer than another at its best."""

    way: str
    other: str

    @property
    def text(self) -> str:
        """The rule in words."""
        return (
            f"{self.way} at its best threshold has at least {SOLVED:g} right on at most one seed fewer than "
            f"{self.other} at its best"
        )

    def judge(self, seeds: Sequence[Figures]) -> Judgement:
        """Count the seeds of both."""
        (own, at), (theirs, other_at) = solved(seeds, self.way), solved(seeds, self.other)
        return Judgement(
            own >= theirs - 1,
            f"{self.way} at {at} solves it on {own} of {len(seeds)}, {self.other} at {other_at} on {theirs}",
        )

    def limits(self, seeds: Sequence[Figures]) -> list[Limit]:
        """What counts as solved, at the way's best threshold."""
        best = solved(seeds, self.way)[1]
        return [Limit(self.way, best, at, SOLVED, "above") for at in range(len(seeds))]


CLAIM = Claim(
    name="both-ways-work-alike",
    lesson="07_gradient_clipping",
    statement="Clipping by value turns the gradient and clipping by norm does not, and yet both work alike, "
    "each at its best of four thresholds.",
    source="Goodfellow, Bengio & Courville 2016, Deep Learning, section 10.11.1 (that both work similarly); "
    "network, task and thresholds are ours.",
    budget="sixteen trainings of at most 400 steps a seed, about twenty seconds on one core",
    measures=(
        *(
            Measure(way, "share of answers right", tuple(f"{t:g}" for t in thresholds), along="threshold")
            for way, thresholds in GRID.items()
        ),
        Measure(TURNED, "degrees", tuple(GRID)),
    ),
    rules=(
        AsGood(VALUE, NORM),
        Bound(TURNED, (VALUE,), 20, "above", share=0.8),
    ),
    run=run,
    settings=settings,
    depends_on="what is asked: the angle or the result",
)
