"""Lesson 06: eight wirings and a GRU against the full LSTM, on a memory task and on reading plays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import mean

from lessons import corpora, variant_study
from lessons.char_rnn import CharPreset
from lessons.experiments.claim import Claim, Figures, Judgement, Limit, Measure, Number
from lessons.experiments.excerpt import excerpt
from lessons.tasks import SequencePreset
from lessons.variant_study import MEMORY, NAMES, READING

STEPS = "steps until adding is solved"
BITS = "bits per character on held-out plays"
FULL, OTHERS = "V", tuple(name for name in NAMES if name != "V")


def sizes(preset: str) -> tuple[SequencePreset, CharPreset]:
    """A second or two for each training; in `ci`, some milliseconds."""
    if preset != "ci":
        return MEMORY, READING
    return MEMORY.but(name="ci", steps=2, evaluate_every=1, batch_size=4, held_out=20), READING.but(
        name="ci", steps=2, evaluate_every=2, batch_size=4, hidden_size=8, valid_characters=2000
    )


def settings(preset: str) -> dict:
    """Everything that decides the result."""
    memory, reading = sizes(preset)
    return {"adding": asdict(memory), "reading": asdict(reading), "excerpt": preset == "ci"}


def run(seed: int, preset: str) -> Figures:
    """Train every cell on both tasks. A task that is not solved counts one evaluation more than its steps."""
    memory, reading = sizes(preset)
    corpus = corpora.load("shakespeare", quiet=True)
    corpus = excerpt(corpus) if preset == "ci" else corpus
    return {
        STEPS: {name: variant_study.steps_until_solved(name, memory, seed) for name in NAMES},
        BITS: {name: variant_study.bits(name, corpus, reading, seed) for name in NAMES},
    }


@dataclass(frozen=True)
class Alike:
    """So many of the other cells have a mean that lies at most `by` above that of the full LSTM."""

    measure: str
    unit: str
    by: Number
    least: int

    @property
    def text(self) -> str:
        """The rule in words."""
        return (
            f"{self.measure}: at least {self.least} of the {len(OTHERS)} others at most {self.by:g} "
            f"{self.unit} above {FULL} in the mean over the seeds"
        )

    def judge(self, seeds: Sequence[Figures]) -> Judgement:
        """Count the cells."""
        level = {name: mean(seed[self.measure][name] for seed in seeds) for name in NAMES}
        far = [name for name in OTHERS if level[name] > level[FULL] + self.by]
        alike = len(OTHERS) - len(far)
        worse = f"; not {', '.join(far)}" if far else ""
        return Judgement(
            alike >= self.least,
            f"{self.measure}: {alike} of {len(OTHERS)} within {self.by:g} {self.unit} of {FULL}{worse}",
        )

    def limits(self, seeds: Sequence[Figures]) -> list[Limit]:
        """None: the rule is about means, not about single seeds."""
        return []


CLAIM = Claim(
    name="variants-perform-alike",
    lesson="06_lstm_variants",
    statement="Most variants of the LSTM, one part taken out or two gates coupled, do about as well as the "
    "full one: adding is solved hardly later, and plays are read hardly worse.",
    source="Greff et al. 2017, LSTM: A Search Space Odyssey, section V-B and figure 3; 32 units, one "
    "learning rate for all, and a GRU beside them are ours.",
    budget="18 trainings of at most 800 steps a seed, about half a minute on one core",
    measures=(
        Measure(STEPS, "steps", tuple(NAMES), along="variant"),
        Measure(BITS, "bits", tuple(NAMES), along="variant"),
    ),
    rules=(Alike(STEPS, "steps", by=200, least=6), Alike(BITS, "bits", by=0.05, least=6)),
    run=run,
    settings=settings,
    corpora=("shakespeare",),
    depends_on="the task",
)
