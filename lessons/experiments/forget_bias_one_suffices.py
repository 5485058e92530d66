"""Lesson 06: where forget gates start, on a task that needs them open and on one that does not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from lessons import variant_study
from lessons.experiments.claim import Claim, Figures, Judgement, Limit, Measure
from lessons.tasks import SequencePreset

TASKS = {"latch": "steps until the latch is solved", "adding": "steps until adding is solved"}
LENGTH = 30
ONE = "bias 1"
STARTS: dict[str, dict[str, Any]] = {
    "bias 0": {"forget_bias": 0.0},
    ONE: {"forget_bias": 1.0},
    "bias 2": {"forget_bias": 2.0},
    "bias 3": {"forget_bias": 3.0},
    "chrono": {"initialise": {"chrono": LENGTH}},
}
SIZES = SequencePreset(
    "cpu", steps=600, learning_rate=1e-2, evaluate_every=50, length=LENGTH, batch_size=32, hidden_size=32,
    held_out=500,
)  # fmt: skip


def sizes(preset: str) -> SequencePreset:
    """About a second a training; in `ci`, some milliseconds."""
    return SIZES.but(name="ci", steps=2, evaluate_every=1, held_out=20) if preset == "ci" else SIZES


def settings(preset: str) -> dict:
    """Everything that decides the result."""
    return {"sizes": asdict(sizes(preset)), "starts": STARTS}


def run(seed: int, preset: str) -> Figures:
    """Train the plain LSTM from every start. What is not solved counts one evaluation more than its steps."""

    def steps(task: str, start: dict[str, Any]) -> int:
        return variant_study.steps_until_solved("lstm", sizes(preset).but(**start), seed, task)

    return {
        words: {name: steps(task, start) for name, start in STARTS.items()} for task, words in TASKS.items()
    }


@dataclass(frozen=True)
class NearBest:
    """Bias 1 is solved on as many seeds as the best other start, or on one fewer."""

    measure: str

    @property
    def text(self) -> str:
        """The rule in words."""
        return f"{self.measure}: {ONE} gets there on at most one seed fewer than the best other start"

    def judge(self, seeds: Sequence[Figures]) -> Judgement:
        """Count the seeds on which each start gets there."""
        solved = {name: sum(seed[self.measure][name] <= SIZES.steps for seed in seeds) for name in STARTS}
        best = max((name for name in STARTS if name != ONE), key=lambda name: solved[name])
        return Judgement(
            solved[ONE] >= solved[best] - 1,
            f"{self.measure}: {ONE} gets there on {solved[ONE]} of {len(seeds)}, {best} on {solved[best]}",
        )

    def limits(self, seeds: Sequence[Figures]) -> list[Limit]:
        """Every seed of bias 1 that is to count lies below "not solved"."""
        return [Limit(self.measure, ONE, at, SIZES.steps + 1, "below") for at in range(len(seeds))]


CLAIM = Claim(
    name="forget-bias-one-suffices",
    lesson="06_lstm_variants",
    statement="An LSTM whose forget gates start with bias 1 is almost as strong as with any other start.",
    source="Jozefowicz, Zaremba & Sutskever 2015, An Empirical Exploration of Recurrent Network "
    "Architectures, section 2.2 and table 1, said of LSTMs beside other architectures; chrono: Tallec & "
    "Ollivier 2018, section 3. The two tasks and 32 units are ours.",
    budget="ten trainings of at most 600 steps a seed, about ten seconds on one core",
    measures=tuple(Measure(words, "steps", tuple(STARTS), along="start") for words in TASKS.values()),
    rules=tuple(NearBest(words) for words in TASKS.values()),
    run=run,
    settings=settings,
    depends_on="the task",
)
