"""Lesson 17: teach a machine with a memory one of five tasks, with an LSTM of as many weights beside it.

    python -m lessons train ntm --preset cpu             copy, up to 20 vectors
    python -m lessons train ntm --preset associative-recall

Optimizer settings matter more here than elsewhere in the course: with RMSprop and momentum, as the paper
has it (section 4.6), seeds that Adam leaves stuck at guessing learn to copy.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Generator, Tensor, nn, optim
from torch.nn import functional

from lessons import checkpoints, memory_tasks, ntm, presets, sources
from lessons.arguments import Count, Seed, explained
from lessons.errors import LessonError
from lessons.memory_tasks import NGRAMS, RECALL, REPEAT, SORT, Episode
from lessons.ntm import NTM
from lessons.presets import Number, Preset
from lessons.sequence_model import SequenceModel, parameters
from lessons.tasks import HELD_OUT

MACHINE, PLAIN = "ntm", "lstm"
RMSPROP, ADAM = "rmsprop", "adam"
FEW = 0.5  # wrong bits a sequence below which a task counts as learnt


@dataclass(frozen=True)
class MemoryPreset(Preset):
    """What is learnt, how long its sequences are, and the sizes of the network.

    task: one of lessons.memory_tasks.TASKS. shortest, longest: vectors, items or bits of a training
    sequence, every length as likely. bits: of a vector. repeats: at most, where the task has them. network:
    "ntm", or "lstm" for an LSTM with as many weights as that machine. The rest of the sizes are those of
    lessons.ntm.NTM.
    optimiser: "rmsprop" (momentum 0.9, averaging 0.95) or "adam". held_out: sequences that an evaluation
    reads.
    compiled: let torch.compile translate the machine's step, which needs a C++ compiler, takes about half a
    minute and about halves the time of a step afterwards.
    """

    learning_rate: Number = 3e-4
    warmup: int = 0
    final_rate: Number = 1.0
    weight_decay: Number = 0.0
    clip: Number | None = 10.0
    evaluate_every: int = 100
    precision: str = "float32"
    threads: int | None = 1
    task: str = memory_tasks.COPY
    shortest: Count = 1
    longest: Count = 20
    bits: Count = 8
    repeats: Count = 5
    batch_size: Count = 16
    held_out: Count = 64
    network: str = MACHINE
    controller: str = ntm.LSTM
    hidden_size: Count = 100
    slots: Count = 128
    width: Count = 20
    read_heads: Count = 1
    write_heads: Count = 1
    start: str = ntm.CONSTANT
    optimiser: str = RMSPROP
    compiled: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        memory_tasks.known(self.task)
        if self.shortest > self.longest:
            raise LessonError(
                f"shortest is {self.shortest} and longest {self.longest}; the longest is longer."
            )
        if self.network not in (MACHINE, PLAIN):
            raise LessonError(f'The network is "{MACHINE}" or "{PLAIN}"; {self.network!r} is not.')
        if self.optimiser not in (RMSPROP, ADAM):
            raise LessonError(f'The optimiser is "{RMSPROP}" or "{ADAM}"; {self.optimiser!r} is not.')

    def optimizer(self, weights: Iterable[nn.Parameter | Tensor]) -> optim.Optimizer:
        """RMSprop with momentum, after Graves et al. (2014), section 4.6, or Adam."""
        if self.optimiser == ADAM:
            return optim.Adam(weights, lr=self.learning_rate, fused=True)
        return optim.RMSprop(weights, lr=self.learning_rate, alpha=0.95, momentum=0.9, foreach=True)


PRESETS = {
    "ci": MemoryPreset(
        "ci", steps=6, evaluate_every=3, longest=4, batch_size=4, held_out=8, hidden_size=24, slots=32,
        width=8
    ),
    "cpu": MemoryPreset("cpu", steps=2500),
    "gpu": MemoryPreset("gpu", steps=20_000, batch_size=64, evaluate_every=500),
    "repeat-copy": MemoryPreset("repeat-copy", steps=10_000, task=REPEAT, longest=8, evaluate_every=200),
    "associative-recall": MemoryPreset(
        "associative-recall", steps=20_000, task=RECALL, shortest=2, longest=6, bits=6, evaluate_every=200
    ),
    "n-grams": MemoryPreset("n-grams", steps=5_000, task=NGRAMS, shortest=100, longest=100,
    evaluate_every=200), "priority-sort": MemoryPreset(
        "priority-sort", steps=30_000, task=SORT, shortest=5, longest=20, read_heads=5, write_heads=5,
        evaluate_every=500,
    ),
}  # fmt: skip


class MemoryTask:
    """One of the five tasks for `fit`. The cost is that of the bits asked for, in bits: 1 is a coin's.

    Held-out sequences have the longest length of training, and are the same for every seed.
    """

    unit = "bits a bit"

    @explained
    def __init__(self, model: nn.Module, preset: MemoryPreset, seed: Seed = 0) -> None:
        self.model, self.preset, self.seed = model, preset, seed
        self.name = f"{preset.network}, {preset.task}"
        self.part = slice(None)
        self.provenance = {"source": f"drawn by lessons.memory_tasks: {preset.task}, from the seed"}
        self.held = held_out(preset, preset.longest)

    def batch(self, step: int) -> Episode:
        """The sequences of a step, all of one length: a function of step and seed alone."""
        preset, generator = self.preset, Generator(device="cpu").manual_seed(self.seed * 1_000_003 + step)
        length, repeats = (
            int(torch.randint(low, high + 1, (1,), generator=generator))
            for low, high in ((preset.shortest, preset.longest), (1, preset.repeats))
        )
        drawn = memory_tasks.draw(preset.task, preset.batch_size, length, preset.bits, repeats, generator)
        return drawn._replace(x=drawn.x[self.part], target=drawn.target[self.part])

    def start(self) -> None:
        """Every sequence begins with the machine's own first state."""
        return None

    def loss(self, batch: Episode, carry: None = None) -> tuple[Float[Tensor, ""], None]:
        """Mean cross-entropy of the bits asked for, in bits."""
        return cost(answers(self.model, batch), batch), None

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
        """Wrong bits a sequence, also beyond the lengths of training; for `python -m lessons train`."""
        if self.preset.task == NGRAMS:
            return {}
        lengths = [times * self.preset.longest for times in (1, 2, 3, 6)]
        return {
            f"wrong bits at {length}": value
            for length, value in by_length(self.model, self.preset, lengths).items()
        }

    def shard(self, index: int, count: int) -> "MemoryTask":
        """Every `count`-th sequence of each batch, for one of several processes."""
        if self.preset.batch_size % count:
            raise LessonError(
                f"{self.preset.batch_size} sequences cannot be dealt to {count} processes evenly."
            )
        share = copy(self)
        share.part = slice(index, None, count)
        return share


class UntilLearnt:
    """A watch that ends a training after so many solved evaluations in a row: `learnt`, and `step`."""

    def __init__(self, checks: int = 3) -> None:
        self.checks, self.row, self.learnt, self.step = checks, 0, False, 0

    def on_evaluate(self, run: Any, task: MemoryTask, step: int, figures: dict[str, float]) -> None:
        """Count, and stop the run at the last of the row."""
        self.row = self.row + 1 if task.solved(figures) else 0
        if self.row >= self.checks:
            self.learnt, self.step = True, step
            run.stop("learnt")


def preset(name: str | None = None) -> MemoryPreset:
    """The sizes of this lesson; see lessons.presets.choose."""
    return presets.choose(PRESETS, name)


@explained
def prepare(preset: MemoryPreset, seed: Seed = 0) -> MemoryTask:
    """The preset's task with a new network, its first weights drawn from `seed`."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return MemoryTask(build(preset), preset, seed)


def pretrained() -> NTM:
    """The machine that comes with the course: it copies vectors of 8 bits, taught with up to 20."""
    return checkpoints.load(sources.data_folder() / "checkpoints" / "ntm_copy").eval()


def build(preset: MemoryPreset) -> NTM | SequenceModel:
    """A machine of the preset's sizes, or an LSTM of as many weights."""
    sizes = memory_tasks.sizes(preset.task, preset.bits)
    machine = NTM(
        *sizes, preset.controller, preset.hidden_size, preset.slots, preset.width, preset.read_heads,
        preset.write_heads, start=preset.start,
    )  # fmt: skip
    if preset.network == PLAIN:
        return SequenceModel(*sizes, "lstm", units(parameters(machine), *sizes), 1, "all")
    if preset.compiled:
        machine.step = torch.compile(machine.step)
    return machine


def units(weights: int, inputs: int, outputs: int) -> int:
    """Units of an LSTM with a readout that has about so many weights: 4 H (I + H + 2) + O (H + 1) of them."""
    linear = 4 * (inputs + 2) + outputs
    return max(1, round((math.sqrt(linear**2 + 16 * (weights - outputs)) - linear) / 8))


def held_out(preset: MemoryPreset, length: int, fresh: bool = False) -> Episode:
    """Sequences of one length that no training sees, the same ones for every seed; `fresh`, others again."""
    generator = Generator(device="cpu").manual_seed(HELD_OUT + length + 1_000_000 * fresh)
    return memory_tasks.draw(
        preset.task, preset.held_out, length, preset.bits, max(1, preset.repeats), generator
    )


def answers(model: nn.Module, episode: Episode) -> Float[Tensor, "batch asked output"]:
    """A network's logits at the steps that count."""
    x = episode.x.to(next(model.parameters()))
    return model(x)[0][:, episode.asked.to(x.device)]


def right(found: Tensor, episode: Episode) -> Float[Tensor, "batch asked output"]:
    """What is right at the steps that count, where `found` is."""
    return episode.target[:, episode.asked].to(found)


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
