"""Lesson 07: three trainings that get as far without clipping as with it.

A tanh network and an LSTM repeat what they read eight steps ago, as the ReLU network of clipping-is-required
does, by plain descent with momentum; the LSTM at a learning rate of its own. Another LSTM reads plays with
AdamW.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from lessons import char_rnn, corpora
from lessons import gradient_clipping as lesson
from lessons.char_rnn import CharPreset, CharTask
from lessons.experiments.claim import Claim, Figures, Judgement, Limit, Measure, Number, count, needed, often
from lessons.experiments.excerpt import excerpt
from lessons.gradient_clipping import ClippingPreset
from lessons.run import Run

TANH, LSTM, READING = "tanh RNN, echo", "LSTM, echo", "LSTM, plays"
BITS, LONG = "bits per character", "gradients longer than 1"
NONE, ONE = "no clipping", "clip 1"
CLIPS = {NONE: None, ONE: 1.0}
ECHOES: dict[str, dict[str, Any]] = {
    TANH: {"cell": "rnn", "initialise": {"orthogonal": 1.0}},
    LSTM: {"cell": "lstm", "initialise": None, "learning_rate": 0.3},
}


def sizes(preset: str) -> tuple[ClippingPreset, CharPreset]:
    """Some seconds a training; in `ci`, some milliseconds."""
    if preset != "ci":
        return lesson.SIZES, lesson.READING
    small = {"name": "ci", "steps": 2, "evaluate_every": 2, "batch_size": 4}
    return lesson.SIZES.but(**small, held_out=20), lesson.READERS["ci"].but(**small, valid_characters=1000)


def settings(preset: str) -> dict:
    """Everything that decides the result."""
    echo, reading = sizes(preset)
    return {
        "echo": asdict(echo), "echoes": ECHOES, "reading": asdict(reading), "clips": CLIPS,
        "excerpt": preset == "ci",
    }  # fmt: skip


def run(seed: int, preset: str) -> Figures:
    """All trainings, with clipping and without; the share of long gradients is that without."""
    echo, reading = sizes(preset)
    corpus = corpora.load("shakespeare", quiet=True)
    corpus = excerpt(corpus) if preset == "ci" else corpus
    found: dict[str, dict[str, float]] = {TANH: {}, LSTM: {}, BITS: {}, LONG: {}}
    for name, clip in CLIPS.items():
        own = reading.but(clip=clip)
        trained = {
            kind: lesson.prepare(echo.but(clip=clip, **changes), seed) for kind, changes in ECHOES.items()
        }
        trained[READING] = CharTask(char_rnn.build(corpus.vocabulary, own, seed), corpus, own, seed)
        for kind, task in trained.items():
            done = lesson.train(task, progress=False)
            if kind == READING:
                found[BITS][name] = task.evaluate()["valid"]
            else:
                found[kind][name] = task.evaluate()["share right"]
            if name == NONE:
                found[LONG][kind] = share_above(done, 1.0)
    return found


def share_above(run: Run, length: float) -> float:
    """The share of a run's gradients that are longer; one that is no number is."""
    return sum(not norm <= length for norm in run.gradient_norms) / len(run.gradient_norms)


@dataclass(frozen=True)
class Same:
    """Two conditions differ by at most `within`, on a share of the seeds."""

    measure: str
    first: str
    second: str
    within: Number
    unit: str = ""
    share: Number = 0.8

    @property
    def text(self) -> str:
        """The rule in words."""
        return (
            f"{self.measure}: {self.first} and {self.second} differ by at most {self.within:g}"
            f"{self.unit and f' {self.unit}'} on {often(self.share)}"
        )

    def judge(self, seeds: Sequence[Figures]) -> Judgement:
        """Count the seeds on which they are that close."""
        gaps = [abs(seed[self.measure][self.first] - seed[self.measure][self.second]) for seed in seeds]
        passed = sum(gap <= self.within for gap in gaps)
        return Judgement(
            passed >= needed(self.share, len(seeds)),
            f"{self.measure} differ by {max(gaps):.3f} at most, by no more than {self.within:g} "
            f"on {passed} of {count(len(seeds))}",
        )

    def limits(self, seeds: Sequence[Figures]) -> list[Limit]:
        """Each seed's point with clipping must not lie higher than `within` above that without."""
        return [
            Limit(self.measure, self.second, at, seed[self.measure][self.first] + self.within, "below")
            for at, seed in enumerate(seeds)
        ]


CLAIM = Claim(
    name="clipping-changes-nothing",
    lesson="07_gradient_clipping",
    statement="For other networks clipping changes nothing: a tanh network and an LSTM learn the same echo "
    "without it as with it, and an LSTM reads plays as well.",
    source="ours, the counterpart of clipping-is-required",
    budget="six trainings of 400 steps a seed, about twenty seconds on one core",
    measures=(
        Measure(TANH, "share of answers right", (NONE, ONE)),
        Measure(LSTM, "share of answers right", (NONE, ONE)),
        Measure(BITS, "bits per character", (NONE, ONE)),
        Measure(LONG, "share of steps", (TANH, LSTM, READING)),
    ),
    rules=(
        Same(TANH, NONE, ONE, 0.01),
        Same(LSTM, NONE, ONE, 0.01),
        Same(BITS, NONE, ONE, 0.02, "bits"),
    ),
    run=run,
    settings=settings,
    corpora=("shakespeare",),
    depends_on="the task",
)
