"""Lesson 17: teach a machine with a memory one of five tasks, with an LSTM of as many weights beside it.

    python -m lessons train ntm --preset cpu             copy, up to 20 vectors
    python -m lessons train ntm --preset associative-recall

Optimizer settings matter more here than elsewhere in the course: with RMSprop and momentum, as the paper
has it (section 4.6), seeds that Adam leaves stuck at guessing learn to copy.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Generator, Tensor, nn
from torch.nn import functional

from lessons import checkpoints, memory_tasks, ntm, presets, sources
from lessons.arguments import Count, Seed, explained
from lessons.errors import LessonError
from lessons.machine_training import (
    ADAM,
    FEW,
    PLAIN,
    RMSPROP,
    MachinePreset,
    MachineTask,
    UntilLearnt,
    answers,
    build,
    held_out,
    right,
)
from lessons.memory_tasks import NGRAMS, RECALL, REPEAT, SORT, Episode
from lessons.ntm import NTM
from lessons.presets import Number
from lessons.sequence_model import parameters

__all__ = ["ADAM", "PLAIN", "RMSPROP", "UntilLearnt", "build", "held_out", "parameters"]
MACHINE = "ntm"


@dataclass(frozen=True)
class MemoryPreset(MachinePreset):
    """What is learnt, and by what; see lessons.machine_training.MachinePreset.

    task: one of lessons.memory_tasks.TASKS; shortest and longest count vectors, items or bits. bits: of a
    vector. repeats: at most, where the task has them. network: "ntm" or "lstm". write_heads, start: as of
    lessons.ntm.NTM.
    """

    networks = (MACHINE, PLAIN)

    learning_rate: Number = 3e-4
    bits: Count = 8
    repeats: Count = 5
    network: str = MACHINE
    write_heads: Count = 1
    start: str = ntm.CONSTANT

    def __post_init__(self) -> None:
        super().__post_init__()
        memory_tasks.known(self.task)

    def sizes(self) -> tuple[int, int]:
        """Numbers in and out at each step of the task."""
        return memory_tasks.sizes(self.task, self.bits)

    def machine(self) -> NTM:
        """A Neural Turing Machine of these sizes."""
        return NTM(
            *self.sizes(), self.controller, self.hidden_size, self.slots, self.width, self.read_heads,
            self.write_heads, start=self.start,
        )  # fmt: skip

    def draw(self, count: int, length: int, generator: Generator) -> Episode:
        """Sequences to train with, repeated once up to `repeats` times."""
        repeats = int(torch.randint(1, self.repeats + 1, (1,), generator=generator))
        return memory_tasks.draw(self.task, count, length, self.bits, repeats, generator)

    def draw_held_out(self, length: int, generator: Generator) -> Episode:
        """Sequences to evaluate with, repeated as often as may be."""
        return memory_tasks.draw(self.task, self.held_out, length, self.bits, self.repeats, generator)


# The other tasks: as much as one core learns in a minute or two.
SMALL = MemoryPreset("small", steps=3000, evaluate_every=250, bits=6, hidden_size=64, slots=32, width=16)
PRESETS = {
    "ci": MemoryPreset(
        "ci", steps=6, evaluate_every=3, longest=4, batch_size=4, held_out=8, hidden_size=24, slots=32,
        width=8
    ),
    "cpu": MemoryPreset("cpu", steps=2500),
    "gpu": MemoryPreset("gpu", steps=20_000, batch_size=64, evaluate_every=500),
    "repeat-copy": SMALL.but(name="repeat-copy", steps=3000, task=REPEAT, longest=6, repeats=4),
    "associative-recall": SMALL.but(
        name="associative-recall", steps=4000, task=RECALL, shortest=2, longest=4, optimiser=ADAM,
        learning_rate=1e-3
    ),
    "n-grams": SMALL.but(
        name="n-grams", steps=1200, task=NGRAMS, shortest=40, longest=40, optimiser=ADAM, learning_rate=2e-3,
        final_rate=0.1
    ),
    "priority-sort": SMALL.but(name="priority-sort", steps=4000, task=SORT, shortest=2, longest=6),
}  # fmt: skip


class MemoryTask(MachineTask):
    """One of the five tasks for `fit`. The cost is that of the bits asked for, in bits: 1 is a coin's."""

    def cost(self, found: Float[Tensor, "batch asked output"], episode: Episode) -> Float[Tensor, ""]:
        """Mean cross-entropy in bits."""
        return cost(found, episode)

    @torch.no_grad()
    def evaluate(self) -> dict[str, float]:
        """The cost, and how many bits of a sequence are wrong, on the held-out sequences."""
        found = answers(self.model, self.held)
        return {"valid": float(cost(found, self.held)), "wrong bits": wrong(found, self.held)}

    def baselines(self) -> dict[str, float]:
        """A coin; for N-grams also the best that anyone can do."""
        coin = {"a coin": 1.0}
        return {**coin, "all that can be known": optimum(self.held)} if self.preset.task == NGRAMS else coin

    def solved(self, figures: Mapping[str, float]) -> bool:
        """Fewer than half a wrong bit a sequence."""
        return figures["wrong bits"] < FEW

    def report(self) -> dict[str, float]:
        """Wrong bits a sequence, also beyond the lengths of training; of N-grams, what they cost at least."""
        if self.preset.task == NGRAMS:
            return {"valid": self.evaluate()["valid"], "all that can be known": optimum(self.held)}
        lengths = [times * self.preset.longest for times in (1, 2, 3, 6)]
        return {
            f"wrong bits at {length}": value
            for length, value in by_length(self.model, self.preset, lengths).items()
        }


def preset(name: str | None = None) -> MemoryPreset:
    """The sizes of this lesson; see lessons.presets.choose."""
    return presets.choose(PRESETS, name)


@explained
def prepare(preset: MemoryPreset, seed: Seed = 0) -> MemoryTask:
    """The preset's task with a new network, its first weights drawn from `seed`."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return MemoryTask(build(preset), preset, seed)


def pretrained(task: str = memory_tasks.COPY) -> NTM:
    """The machine that comes with the course for one of lessons.memory_tasks.TASKS."""
    name = memory_tasks.known(task).replace(" ", "_").replace("-", "_")
    return checkpoints.load(sources.data_folder() / "checkpoints" / f"ntm_{name}").eval()


def cost(found: Float[Tensor, "batch asked output"], episode: Episode) -> Float[Tensor, ""]:
    """Mean cross-entropy in bits."""
    return functional.binary_cross_entropy_with_logits(found, right(found, episode)) / math.log(2)


def wrong(found: Float[Tensor, "batch asked output"], episode: Episode) -> float:
    """Wrong bits a sequence: those whose probability is on the wrong side of one half."""
    return float(((found > 0) != (right(found, episode) > 0.5)).float().sum((1, 2)).mean())


@explained
@torch.no_grad()
def by_length(
    model: nn.Module, preset: MemoryPreset, lengths: Sequence[int], fresh: bool = False
) -> dict[int, float]:
    """Wrong bits a held-out sequence, by length; `fresh`, of sequences that no evaluation has seen."""
    found = {}
    for length in lengths:
        episode = held_out(preset, length, fresh)
        found[length] = wrong(answers(model, episode), episode)
    return found


def optimum(episode: Episode) -> float:
    """The cost of the best possible prediction of N-grams, in bits a bit."""
    guess = memory_tasks.best_guess(episode)[:, episode.asked]
    target = episode.target[:, episode.asked, 0]
    return float(functional.binary_cross_entropy(guess, target)) / math.log(2)


@explained
def example(model: nn.Module, task: str, length: Count, seed: Seed = 0) -> Episode:
    """One sequence of a task for a network that was taught it. LessonError for one of other inputs."""
    if not hasattr(model, "readout"):
        raise LessonError("A machine or an LSTM of this lesson is asked for; this is something else.")
    outputs = model.readout.out_features
    width = outputs - (memory_tasks.known(task) == REPEAT)
    inputs = model.config()["input_size"]
    if width < 1 or memory_tasks.sizes(task, width) != (inputs, outputs):
        raise LessonError(
            f"This network was not taught {task}: it reads {inputs} numbers and gives {outputs}."
        )
    generator = Generator(device="cpu").manual_seed(seed)
    return memory_tasks.draw(task, 1, length, width, 2, generator)
