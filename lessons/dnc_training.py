"""Lesson 18: teach a differentiable neural computer a task, with an LSTM of as many weights beside it.

    python -m lessons train dnc --preset cpu             copy, up to 8 vectors
    python -m lessons train dnc --preset traversal       walk in random undergrounds

The tasks are those of lessons.dnc_tasks.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Generator, Tensor, nn

from lessons import checkpoints, dnc_tasks, presets, sources
from lessons.arguments import Count, Seed, explained
from lessons.dnc import DNC
from lessons.dnc_tasks import BITS, RECALL, SENTENCES, TRAVERSAL, Problem
from lessons.errors import LessonError
from lessons.machine import FEED_FORWARD
from lessons.machine_training import (
    ADAM,
    FEW,
    PLAIN,
    MachinePreset,
    MachineTask,
    UntilLearnt,
    answers,
    build,
    held_out,
    right,
)
from lessons.memory_tasks import Episode
from lessons.presets import Number

__all__ = ["PLAIN", "UntilLearnt", "build"]
MACHINE = "dnc"
SHIPPED = (TRAVERSAL, SENTENCES)  # tasks that networks which come with the course were taught
RARE = 2.0  # wrong answers of a hundred below which a task of words counts as learnt


@dataclass(frozen=True)
class DNCPreset(MachinePreset):
    """What is learnt, and by what; see lessons.machine_training.MachinePreset.

    task: one of lessons.dnc_tasks.PROBLEMS. network: "dnc" or "lstm". linked, masked, deallocate, sharpened:
    as of lessons.dnc.DNC.
    """

    networks = (MACHINE, PLAIN)

    learning_rate: Number = 2e-3
    longest: Count = 8
    network: str = MACHINE
    hidden_size: Count = 64
    slots: Count = 16
    width: Count = 16
    optimiser: str = ADAM
    linked: bool = True
    masked: bool = False
    deallocate: bool = False
    sharpened: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        dnc_tasks.problem(self.task)

    @property
    def problem(self) -> Problem:
        """The task."""
        return dnc_tasks.problem(self.task)

    def sizes(self) -> tuple[int, int]:
        """Numbers in and out at each step of the task."""
        return self.problem.inputs, self.problem.outputs

    def machine(self) -> DNC:
        """A differentiable neural computer of these sizes."""
        return DNC(
            *self.sizes(), self.controller, self.hidden_size, self.slots, self.width, self.read_heads,
            self.linked, self.masked, self.deallocate, self.sharpened,
        )  # fmt: skip

    def draw(self, count: int, length: int, generator: Generator) -> Episode:
        """Sequences of the task."""
        return self.problem.draw(count, length, generator)


PRESETS = {
    "ci": DNCPreset(
        "ci", steps=6, evaluate_every=3, longest=4, batch_size=4, held_out=8, hidden_size=16, slots=8, width=8
    ),
    "cpu": DNCPreset("cpu", steps=2000),
    "gpu": DNCPreset("gpu", steps=20_000, longest=20, batch_size=64, slots=64, hidden_size=128),
    "associative-recall": DNCPreset(
        "associative-recall", steps=12_000, task=RECALL, shortest=2, longest=5, evaluate_every=200
    ),
    "traversal": DNCPreset(
        "traversal", steps=3000, learning_rate=3e-3, final_rate=0.1, task=TRAVERSAL, shortest=3, longest=5,
        batch_size=64, evaluate_every=200, controller=FEED_FORWARD, slots=24, width=32, masked=True,
    ),
    "sentences": DNCPreset(
        "sentences", steps=4000, learning_rate=3e-3, final_rate=0.1, task=SENTENCES, shortest=2, longest=8,
        batch_size=64, evaluate_every=200, controller=FEED_FORWARD, slots=16, width=32, read_heads=2,
        masked=True,
    ),
}  # fmt: skip


class DNCTask(MachineTask):
    """A task of lesson 18 for `fit`. The cost is that of a bit, or of a word of an answer, in bits."""

    def __init__(self, model: nn.Module, preset: DNCPreset, seed: Seed = 0) -> None:
        super().__init__(model, preset, seed)
        self.unit = "bits an answer's word" if preset.problem.blocks else "bits a bit"
        self.provenance = {"source": f"drawn by lessons.dnc_tasks: {preset.task}, from the seed"}

    def cost(self, found: Float[Tensor, "batch asked output"], episode: Episode) -> Float[Tensor, ""]:
        """Mean cross-entropy in bits."""
        return self.preset.problem.cost(found, right(found, episode))

    @torch.no_grad()
    def evaluate(self) -> dict[str, float]:
        """The cost, and how much is wrong, on the held-out sequences."""
        found, problem = answers(self.model, self.held), self.preset.problem
        share = problem.wrong(found, right(found, self.held))
        return {"valid": float(self.cost(found, self.held)), problem.measure: share}

    def baselines(self) -> dict[str, float]:
        """A coin, or a guess among all words."""
        blocks = self.preset.problem.blocks
        if not blocks:
            return {"a coin": 1.0}
        return {"a guess": sum(map(math.log2, blocks)) / len(blocks)}

    def solved(self, figures: Mapping[str, float]) -> bool:
        """Fewer than half a wrong bit a sequence, or than two wrong answers of a hundred."""
        measure = self.preset.problem.measure
        return figures[measure] < (FEW if measure == BITS else RARE)

    def report(self) -> dict[str, float]:
        """What is wrong at the longest size of training and beyond; for `python -m lessons train`."""
        measure, longest = self.preset.problem.measure, self.preset.longest
        sizes = [longest, longest + 1, longest + 2]
        return {
            f"{measure} at {size}": value for size, value in by_size(self.model, self.preset, sizes).items()
        }


def preset(name: str | None = None) -> DNCPreset:
    """The sizes of this lesson; see lessons.presets.choose."""
    return presets.choose(PRESETS, name)


@explained
def prepare(preset: DNCPreset, seed: Seed = 0) -> DNCTask:
    """The preset's task with a new network, its first weights drawn from `seed`."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return DNCTask(build(preset), preset, seed)


def wrong(preset: DNCPreset, logits: Float[Tensor, "batch time output"], episode: Episode) -> float:
    """How much is wrong in the answers at all steps, of which only those asked for count."""
    found = logits[:, episode.asked.to(logits.device)]
    return preset.problem.wrong(found, right(found, episode))


@explained
@torch.no_grad()
def by_size(
    model: nn.Module, preset: DNCPreset, sizes: Sequence[int], fresh: bool = False
) -> dict[int, float]:
    """What is wrong on held-out sequences, by size; `fresh`, on sequences that no evaluation has seen."""
    found = {}
    for size in sizes:
        episode = held_out(preset, size, fresh)
        logits = answers(model, episode)
        found[size] = preset.problem.wrong(logits, right(logits, episode))
    return found


def pretrained(task: str = TRAVERSAL, network: str = MACHINE) -> nn.Module:
    """A machine that comes with the course, or the LSTM beside it: one for each of SHIPPED.

    Raises LessonError for a task that none was taught.
    """
    if task not in SHIPPED or network not in (MACHINE, PLAIN):
        raise LessonError(
            f"No {network!r} for {task!r} comes with the course; there are {MACHINE!r} and {PLAIN!r} for "
            f"{' and '.join(SHIPPED)}."
        )
    name = f"dnc_{task}" + "_lstm" * (network == PLAIN)
    return checkpoints.load(sources.data_folder() / "checkpoints" / name).eval()


@explained
def example(model: nn.Module, task: str, size: Count, seed: Seed = 0) -> Episode:
    """One sequence of a task for a network that was taught it. LessonError for one of other inputs."""
    problem = dnc_tasks.problem(task)
    if not hasattr(model, "readout"):
        raise LessonError("A machine or an LSTM of this lesson is asked for; this is something else.")
    taught = model.config()["input_size"], model.readout.out_features
    if taught != (problem.inputs, problem.outputs):
        raise LessonError(
            f"This network was not taught {task}: it reads {taught[0]} numbers and gives {taught[1]}."
        )
    return problem.draw(1, size, Generator(device="cpu").manual_seed(seed))
