"""Lesson 05: a GRU beside an LSTM, at equal size and at equal parameters, in steps and in seconds.

The cell is lessons.cells.gru_step and lessons.recurrent.GRU; with the reset gate where Cho et al. put it,
lessons.lstm_variants.ResetBeforeGRU. Networks that are compared take turns, one training step each, so that
whatever else the machine does slows all of them alike.
"""

import math
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import torch
from torch import nn
from tqdm import tqdm

from lessons import char_rnn, initialisation, variant_study
from lessons.arguments import Count, Seed, explained
from lessons.char_rnn import CharPreset, CharTask
from lessons.errors import LessonError
from lessons.lstm_variants import ResetBeforeGRU
from lessons.presets import choose
from lessons.recurrent import GRU
from lessons.sequence_model import parameters

SIZES = CharPreset(
    "cpu", steps=500, learning_rate=1e-2, warmup=20, final_rate=1.0, evaluate_every=20, precision="float32",
    threads=1, hidden_size=64, embedding_size=32, batch_size=32, length=32, train_characters=200_000,
    valid_characters=8000, baseline_order=None,
)  # fmt: skip
PRESETS = {
    "ci": SIZES.but(name="ci", steps=12, evaluate_every=4, hidden_size=16, batch_size=8, length=16),
    "cpu": SIZES.but(steps=1000, evaluate_every=50, final_rate=0.02, train_characters=None),
    "gpu": SIZES.but(
        name="gpu", steps=4000, evaluate_every=200, final_rate=0.02, hidden_size=512, embedding_size=64,
        batch_size=64, length=128, train_characters=None, valid_characters=100_000,
    ),
}  # fmt: skip


def preset(name: str | None = None) -> CharPreset:
    """This lesson's preset: the one named, else UNROLLED_PRESET, else the device's."""
    return choose(PRESETS, name)


def prepare(preset: CharPreset, seed: int = 0) -> CharTask:
    """The preset's corpus and a new GRU of its size, ready for `fit`."""
    return char_rnn.prepare(preset.but(cell="gru"), seed)


@dataclass(frozen=True)
class Entrant:
    """A network that takes part. cell: as lessons.sequence_model names it, or "torch.nn.GRU"."""

    name: str
    cell: str
    hidden_size: int


def entrants(preset: CharPreset) -> tuple[Entrant, Entrant, Entrant]:
    """An LSTM, a GRU of as many units, and a GRU of about as many parameters."""
    hidden = preset.hidden_size
    wider = equal_parameters(hidden, preset.embedding_size)
    return (
        Entrant("LSTM", "lstm", hidden),
        Entrant("GRU, same size", "gru", hidden),
        Entrant("GRU, same weights", "gru", wider),
    )


@explained
def equal_parameters(hidden_size: Count, input_size: Count) -> int:
    """The size of the GRU layer whose number of weights is nearest to that of an LSTM layer of `hidden_size`.

    A gate has h (h + input + 2) weights, its two biases included; an LSTM has four such blocks, a GRU three.
    Raises LessonError for sizes that are no whole numbers above 0.
    """

    def block(h: float) -> float:
        return h * (h + input_size + 2)

    wanted, b = 4 * block(hidden_size) / 3, (input_size + 2) / 2
    exact = math.sqrt(b * b + wanted) - b  # the positive root of h² + 2 b h = wanted
    return min((math.floor(exact), math.ceil(exact)), key=lambda h: abs(block(h) - wanted))


def task(entrant: Entrant, corpus: Any, preset: CharPreset, seed: int = 0) -> CharTask:
    """Learning to read a corpus with an entrant's network, for `fit` or a race."""
    sized = preset.but(hidden_size=entrant.hidden_size)
    if entrant.cell != "torch.nn.GRU":
        return variant_study.reading(entrant.cell, corpus, sized, seed)
    made = variant_study.reading("gru", corpus, sized, seed)
    plain = nn.GRU(sized.embedding_size, sized.hidden_size, batch_first=True)
    plain.load_state_dict(made.model.recurrent.state_dict())
    made.model.recurrent = plain
    return made


@dataclass
class Lap:
    """What one network did in a race.

    parameters: of the recurrent layer. losses: training loss of each step in bits per character. seconds:
    spent up to and including each step, evaluations not counted. evaluations: (step, held-out bits per
    character), the first at step 0.
    """

    name: str
    parameters: int
    model: nn.Module | None = field(default=None, repr=False)
    losses: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    evaluations: list[tuple[int, float]] = field(default_factory=list)

    def reached(self, target: float) -> int | None:
        """The step of the first evaluation at or below `target`; None if there is none."""
        return next((step for step, bits in self.evaluations if bits <= target), None)

    def clock(self, step: int) -> float:
        """Seconds of training up to a step."""
        return self.seconds[step - 1] if step else 0.0


class Runner:
    """One network in a race: its task, its optimiser, and what it has done."""

    def __init__(self, entrant: Entrant, task: CharTask) -> None:
        self.task = task
        self.weights = list(task.model.parameters())
        self.optimizer = task.preset.optimizer(self.weights)
        self.carry = task.start()
        layer = task.model.recurrent
        self.lap = Lap(entrant.name, parameters(layer), task.model)

    def step(self, number: int) -> None:
        """One training step, timed."""
        begun = clock(self.weights[0].device)
        for group in self.optimizer.param_groups:
            group["lr"] = self.task.preset.rate(number)
        loss, self.carry = self.task.loss(self.task.batch(number), self.carry)
        self.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.weights, self.task.preset.clip or math.inf)
        self.optimizer.step()
        lap = self.lap
        lap.losses.append(float(loss.detach()))
        spent = clock(self.weights[0].device) - begun
        lap.seconds.append(spent + (lap.seconds[-1] if lap.seconds else 0.0))

    def evaluate(self) -> float:
        """Held-out bits per character now."""
        bits = self.task.evaluate()["valid"]
        self.lap.evaluations.append((len(self.lap.losses), bits))
        return bits


def race(
    corpus: Any,
    preset: CharPreset,
    runners: Sequence[Entrant] | None = None,
    seed: int = 0,
    target: float | None = None,
    progress: bool = False,
) -> list[Lap]:
    """Train networks in turns, one step each, on the same batches; what each of them did.

    A network that reaches `target` held-out bits per character stops; without a target all of them train for
    all steps of the preset. On a CPU one thread works, and its processor time is counted: other programs do
    not change it much. Elsewhere it is time on the wall. Raises LessonError where there is nobody to race.
    """
    runners = entrants(preset) if runners is None else runners
    racers = [Runner(entrant, task(entrant, corpus, preset, seed)) for entrant in runners]
    if not racers:
        raise LessonError("A race needs at least one entrant.")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        running = [runner for runner in racers if not _arrived(runner, target)]
        for number in tqdm(range(preset.steps), disable=not progress, leave=False, file=sys.stdout):
            for runner in running:
                runner.step(number)
            if (number + 1) % preset.evaluate_every == 0 or number + 1 == preset.steps:
                running = [runner for runner in running if not _arrived(runner, target)]
            if not running:
                break
    finally:
        torch.set_num_threads(threads)
        for runner in racers:
            runner.task.model.eval()
    return [runner.lap for runner in racers]


def _arrived(runner: Runner, target: float | None) -> bool:
    bits = runner.evaluate()
    return target is not None and bits <= target


def clock(device: torch.device) -> float:
    """Seconds: of this process's processor time on a CPU, else of time after the device has finished."""
    if device.type == "cpu":
        return time.process_time()
    torch.accelerator.synchronize(device)
    return time.perf_counter()


def step_seconds(
    corpus: Any, preset: CharPreset, runners: Sequence[Entrant], steps: int = 40, seed: int = 0
) -> dict[str, float]:
    """The median time of a training step, the networks taking turns; the first five steps warm up."""
    never = preset.but(steps=steps + 5, evaluate_every=steps + 5, valid_characters=100)
    laps = race(corpus, never, runners, seed)
    return {
        lap.name: median(b - a for a, b in zip(lap.seconds[4:-1], lap.seconds[5:], strict=True))
        for lap in laps
    }


@explained
@torch.no_grad()
def twins(
    input_size: Count, hidden_size: Count, seed: Seed = 0, gain: float | int = 1.0
) -> tuple[GRU, ResetBeforeGRU]:
    """torch's GRU and Cho's, batch first, with the same numbers as weights: torch's draw times `gain`.

    Raises LessonError for sizes that are no whole numbers above 0.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        after = GRU(input_size, hidden_size, batch_first=True)
    for weight in after.parameters():
        weight.mul_(gain)
    before = ResetBeforeGRU(input_size, hidden_size, batch_first=True)
    before.load_state_dict(after.state_dict())
    return after, before


@explained
@torch.no_grad()
def set_reset_bias(layer: nn.GRU, value: float | int) -> nn.GRU:
    """Let all reset gates start at sigmoid(value), in every layer and direction; returns the changed GRU.

    Raises LessonError for a layer that has no reset gates or no biases.
    """
    for bias_ih, bias_hh in initialisation.biases(layer):
        bias_ih[: layer.hidden_size], bias_hh[: layer.hidden_size] = value, 0.0
    return layer
