"""What teaching a machine with a memory shares between lessons 17 and 18: the sizes, the task, when to stop.

Sequences of one training step have one length, drawn anew for every step; an LSTM of as many weights can
take the machine's place.
"""

import math
import os
import shutil
import sys
from collections.abc import Iterable, Mapping
from copy import copy
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from jaxtyping import Float
from torch import Generator, Tensor, nn, optim

from lessons.arguments import Count, Seed, explained
from lessons.errors import LessonError
from lessons.machine import LSTM
from lessons.memory_tasks import Episode
from lessons.presets import Number, Preset
from lessons.sequence_model import SequenceModel, parameters
from lessons.tasks import HELD_OUT

PLAIN = "lstm"
RMSPROP, ADAM = "rmsprop", "adam"
FEW = 0.5  # wrong bits a sequence below which a task counts as learnt
Stepping = TypeVar("Stepping", bound=nn.Module)


@dataclass(frozen=True)
class MachinePreset(Preset):
    """What is learnt, how long its sequences are, and the sizes of the network.

    task: its name. shortest, longest: sizes of a training sequence, every size as likely. network: the
    lesson's machine, or "lstm" for an LSTM with as many weights as that machine has. controller to
    read_heads: sizes of the machine. optimiser: "rmsprop" (momentum 0.9, averaging 0.95) or "adam".
    held_out: sequences that an evaluation reads.
    compiled: let torch.compile translate the machine's step, which needs a C++ compiler, takes about half a
    minute and about halves the time of a step afterwards.
    """

    networks = (PLAIN,)  # no field: it has no annotation

    warmup: int = 0
    final_rate: Number = 1.0
    weight_decay: Number = 0.0
    clip: Number | None = 10.0
    evaluate_every: int = 100
    precision: str = "float32"
    threads: int | None = 1
    task: str = "copy"
    shortest: Count = 1
    longest: Count = 20
    batch_size: Count = 16
    held_out: Count = 64
    network: str = PLAIN
    controller: str = LSTM
    hidden_size: Count = 100
    slots: Count = 128
    width: Count = 20
    read_heads: Count = 1
    optimiser: str = RMSPROP
    compiled: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.shortest > self.longest:
            raise LessonError(
                f"shortest is {self.shortest} and longest {self.longest}; the longest is longer."
            )
        if self.network not in self.networks:
            names = " or ".join(f'"{name}"' for name in self.networks)
            raise LessonError(f"The network is {names}; {self.network!r} is not.")
        if self.optimiser not in (RMSPROP, ADAM):
            raise LessonError(f'The optimiser is "{RMSPROP}" or "{ADAM}"; {self.optimiser!r} is not.')

    def optimizer(self, weights: Iterable[nn.Parameter | Tensor]) -> optim.Optimizer:
        """RMSprop with momentum, after Graves et al. (2014), section 4.6, or Adam."""
        if self.optimiser == ADAM:
            return optim.Adam(weights, lr=self.learning_rate, fused=True)
        return optim.RMSprop(weights, lr=self.learning_rate, alpha=0.95, momentum=0.9, foreach=True)

    def sizes(self) -> tuple[int, int]:
        """Numbers in and out at each step of the task."""
        raise NotImplementedError

    def machine(self) -> nn.Module:
        """The lesson's machine, of these sizes."""
        raise NotImplementedError

    def draw(self, count: int, length: int, generator: Generator) -> Episode:
        """Sequences to train with."""
        raise NotImplementedError

    def draw_held_out(self, length: int, generator: Generator) -> Episode:
        """Sequences to evaluate with."""
        return self.draw(self.held_out, length, generator)


class MachineTask:
    """A machine's task for `fit`; a lesson adds cost and figures.

    Held-out sequences have the longest length of training, and are the same for every seed.
    """

    unit = "bits a bit"

    @explained
    def __init__(self, model: nn.Module, preset: MachinePreset, seed: Seed = 0) -> None:
        self.model, self.preset, self.seed = model, preset, seed
        self.name = f"{preset.network}, {preset.task}"
        self.part = slice(None)
        self.provenance = {"source": f"drawn by lessons.memory_tasks: {preset.task}, from the seed"}
        self.held = held_out(preset, preset.longest)

    def batch(self, step: int) -> Episode:
        """The sequences of a step, all of one length: a function of step and seed alone."""
        preset, generator = self.preset, Generator(device="cpu").manual_seed(self.seed * 1_000_003 + step)
        length = int(torch.randint(preset.shortest, preset.longest + 1, (1,), generator=generator))
        drawn = preset.draw(preset.batch_size, length, generator)
        return drawn._replace(x=drawn.x[self.part], target=drawn.target[self.part])

    def start(self) -> None:
        """Every sequence begins with the machine's own first state."""
        return None

    def loss(self, batch: Episode, carry: None = None) -> tuple[Float[Tensor, ""], None]:
        """The mean cost of the answers asked for."""
        return self.cost(answers(self.model, batch), batch), None

    def cost(self, found: Tensor, episode: Episode) -> Float[Tensor, ""]:
        """What a network's logits cost, in `unit`."""
        raise NotImplementedError

    def solved(self, figures: Mapping[str, float]) -> bool:
        """Whether an evaluation's figures are those of a network that has learnt."""
        raise NotImplementedError

    def shard(self, index: int, count: int) -> "MachineTask":
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

    def on_evaluate(self, run: Any, task: MachineTask, step: int, figures: dict[str, float]) -> None:
        """Count, and stop the run at the last of the row."""
        self.row = self.row + 1 if task.solved(figures) else 0
        if self.row >= self.checks:
            self.learnt, self.step = True, step
            run.stop("learnt")


def build(preset: MachinePreset) -> nn.Module:
    """A machine of the preset's sizes, or an LSTM of as many weights."""
    machine, sizes = preset.machine(), preset.sizes()
    if preset.network == PLAIN:
        return SequenceModel(*sizes, "lstm", units(parameters(machine), *sizes), 1, "all")
    return translated(machine) if preset.compiled else machine


def translated(machine: Stepping) -> Stepping:
    """The machine, its step to be translated by torch.compile when it first runs.

    Raises LessonError if there is no C++ compiler, which torch needs for it on a CPU.
    """
    usual = {"darwin": "clang++", "win32": "cl"}.get(sys.platform, "g++")
    compiler = os.environ.get("CXX", usual)
    if shutil.which(compiler) is None:
        raise LessonError(
            f"To translate a machine, torch.compile needs a C++ compiler, and {compiler} is not on this "
            "computer; install one, or leave compiled=True out."
        )
    machine.step = torch.compile(machine.step)
    return machine


def units(weights: int, inputs: int, outputs: int) -> int:
    """Units of an LSTM with a readout that has about so many weights: 4 H (I + H + 2) + O (H + 1) of them."""
    linear = 4 * (inputs + 2) + outputs
    return max(1, round((math.sqrt(linear**2 + 16 * (weights - outputs)) - linear) / 8))


def held_out(preset: MachinePreset, length: int, fresh: bool = False) -> Episode:
    """Sequences of one length that no training sees, the same ones for every seed; `fresh`, others again."""
    generator = Generator(device="cpu").manual_seed(HELD_OUT + length + 1_000_000 * fresh)
    return preset.draw_held_out(length, generator)


def answers(model: nn.Module, episode: Episode) -> Float[Tensor, "batch asked output"]:
    """A network's logits at the steps that count."""
    x = episode.x.to(next(model.parameters()))
    return model(x)[0][:, episode.asked.to(x.device)]


def right(found: Tensor, episode: Episode) -> Float[Tensor, "batch asked output"]:
    """What is right at the steps that count, where `found` is."""
    return episode.target[:, episode.asked].to(found)
