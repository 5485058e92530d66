"""Tasks made for long memory, drawn from a seed: nothing to download, and the answer is known exactly.

Each is a Task for lessons.training.fit. A batch is a function of step and seed; the held-out sequences are
the same for every seed, so that figures compare. `solved(figures)` is the rule by which a run counts as
solved, fixed here.
"""

import math
from copy import copy
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor
from torch.nn import functional

from lessons.arguments import Between, Count, explained
from lessons.errors import LessonError
from lessons.presets import Number, Preset
from lessons.sequence_model import SequenceModel

HELD_OUT = 2**40  # the generator's seed for the held-out sequences; training seeds stay below
Seed = Annotated[int, Between(0, 999_999)]

Numbers = Float[Tensor, "batch time input"]
Answers = Float[Tensor, " batch"] | Int[Tensor, " batch"] | Int[Tensor, "batch time"]
Batch = tuple[Numbers, Answers]


@dataclass(frozen=True)
class SequencePreset(Preset):
    """Sizes of a task and of the model that learns it; LessonError for sizes that cannot be.

    length: steps of a sequence. symbols, delay, interval: where a task has them. held_out: sequences that
    each evaluation reads. cell, hidden_size, num_layers, forget_bias, initialise: as SequenceModel has them.
    The learning rate is constant by default.
    """

    learning_rate: Number = 3e-3
    warmup: int = 0
    final_rate: Number = 1.0
    weight_decay: Number = 0.0
    evaluate_every: int = 100
    precision: str = "float32"
    threads: int | None = 1
    length: int = 50
    batch_size: Count = 64
    symbols: int = 8
    delay: int = 8
    interval: int = 20
    held_out: Count = 1000
    cell: str = "lstm"
    hidden_size: Count = 64
    num_layers: Count = 1
    forget_bias: Number | None = 1.0
    initialise: dict[str, Any] | None = None


class SequenceTask:
    """What the tasks share. A task defines `draw`, its sizes, and what an answer is worth.

    `SomeTask(model, preset, seed=0, length=100)`: keywords change the preset. `model` takes numbers
    (B, T, I) and returns its answers and a state; `build` makes one that fits.
    """

    name: ClassVar[str]
    unit: ClassVar[str]
    readout: ClassVar[str] = "last"
    least: ClassVar[int] = 2

    @explained
    def __init__(self, model: Any, preset: SequencePreset, seed: Seed = 0, **sizes: Any) -> None:
        self.model, self.seed = model, seed
        self.preset = preset.but(**sizes)
        self.part = slice(None)
        self.provenance = {"source": f"drawn by lessons.tasks.{type(self).__name__} from the seed"}
        self._held_out: tuple[Any, Batch | None] = (None, None)
        self.check(self.preset)

    @classmethod
    def check(cls, preset: SequencePreset) -> None:
        """Raise LessonError for sizes at which the task does not exist."""
        if preset.length < cls.least:
            raise LessonError(f"{cls.name} needs at least {cls.least} steps; length is {preset.length}.")

    @classmethod
    def sizes(cls, preset: SequencePreset) -> tuple[int, int]:
        """Numbers read at each step, and numbers in an answer."""
        raise NotImplementedError

    def draw(self, count: int, generator: Generator) -> Batch:
        """So many new sequences with their answers, on the CPU."""
        raise NotImplementedError

    def batch(self, step: int) -> Batch:
        """The sequences of a step: a function of step and seed alone."""
        generator = Generator(device="cpu").manual_seed(self.seed * 1_000_003 + step)
        x, target = self.draw(self.preset.batch_size, generator)
        return self.placed((x[self.part], target[self.part]))

    def start(self) -> None:
        """Every sequence begins with a zero state."""
        return None

    def loss(self, batch: Batch, carry: None = None) -> tuple[Float[Tensor, ""], None]:
        """The batch's mean loss in `unit`."""
        x, target = batch
        return self.cost(self.model(x)[0], target), None

    @torch.no_grad()
    def evaluate(self) -> dict[str, float]:
        """Figures on the held-out sequences."""
        x, target = self.held_out()
        training = self.model.training
        self.model.eval()
        answer = self.model(x)[0]
        self.model.train(training)
        return self.figures(answer.float(), target)

    def held_out(self) -> Batch:
        """The held-out sequences, the same ones for every seed; drawn once."""
        names = ("length", "held_out", "symbols", "delay", "interval")
        key = tuple(getattr(self.preset, name) for name in names)
        if self._held_out[0] != key:
            generator = Generator(device="cpu").manual_seed(HELD_OUT)
            self._held_out = (key, self.placed(self.draw(self.preset.held_out, generator)))
        return self._held_out[1]

    def placed(self, batch: Batch) -> Batch:
        """A batch on the model's device, in its dtype."""
        weight = next(self.model.parameters())
        x, target = batch
        target = target.to(weight) if target.is_floating_point() else target.to(weight.device)
        return x.to(weight), target

    def cost(self, answer: Tensor, target: Answers) -> Float[Tensor, ""]:
        """What the answers cost, in `unit`."""
        raise NotImplementedError

    def figures(self, answer: Tensor, target: Answers) -> dict[str, float]:
        """What is reported of held-out answers."""
        raise NotImplementedError

    def solved(self, figures: dict[str, float]) -> bool:
        """Whether these held-out figures count as solved."""
        raise NotImplementedError

    def shard(self, index: int, count: int) -> "SequenceTask":
        """Every `count`-th sequence of each batch, for one of several processes."""
        if not 0 <= index < count:
            raise LessonError(f"There is no part {index} of {count}; parts count from 0.")
        if self.preset.batch_size % count:
            raise LessonError(
                f"{self.preset.batch_size} sequences cannot be dealt to {count} processes evenly."
            )
        share = copy(self)
        share.part = slice(index, None, count)
        return share


class Classification(SequenceTask):
    """A task whose answers are classes, at the end or at every step; -1 asks for no answer. Cost in bits.

    Solved: at least 99 % of the held-out answers are right.
    """

    unit = "bits"

    def cost(self, answer: Tensor, target: Answers) -> Float[Tensor, ""]:
        """Mean cross-entropy in bits over all answers asked for."""
        nats = functional.cross_entropy(answer.flatten(0, -2), target.flatten(), ignore_index=-1)
        return nats / math.log(2)

    def figures(self, answer: Tensor, target: Answers) -> dict[str, float]:
        """Bits, and the share of right answers."""
        asked = target >= 0
        right = (answer.argmax(-1) == target)[asked].float().mean()
        return {"valid": float(self.cost(answer, target)), "share right": float(right)}

    def solved(self, figures: dict[str, float]) -> bool:
        """At least 99 % of the held-out answers are right."""
        return figures["share right"] >= 0.99

    def baselines(self) -> dict[str, float]:
        """What it costs to give all answers the same probability."""
        return {"uniform guess": math.log2(self.sizes(self.preset)[1])}


class Adding(SequenceTask):
    """Add the two marked numbers (Hochreiter and Schmidhuber 1997, section 5.4, as Le et al. 2015 state it).

    Each step brings a number from 0 to 1 and a mark; one step of each half is marked. The answer, at the end,
    is the sum of the two numbers. Always answering 1 costs 1/6. The original has numbers from -1 to 1,
    lengths that vary, and a scaled target. Solved: a held-out mean squared error below 0.01.
    """

    name = "adding"
    unit = "mean squared error"

    @classmethod
    def sizes(cls, preset: SequencePreset) -> tuple[int, int]:
        """A number and a mark; the sum."""
        return 2, 1

    def draw(self, count: int, generator: Generator) -> Batch:
        """Numbers and marks, and the sums."""
        steps, half, rows = self.preset.length, self.preset.length // 2, torch.arange(count)
        values = torch.rand(count, steps, generator=generator)
        marks = torch.zeros(count, steps)
        for low, high in ((0, half), (half, steps)):
            marks[rows, torch.randint(low, high, (count,), generator=generator)] = 1
        return torch.stack([values, marks], -1), (values * marks).sum(1)

    def cost(self, answer: Tensor, target: Answers) -> Float[Tensor, ""]:
        """Mean squared error."""
        return functional.mse_loss(answer[:, 0], target)

    def figures(self, answer: Tensor, target: Answers) -> dict[str, float]:
        """Mean squared error."""
        return {"valid": float(self.cost(answer, target))}

    def solved(self, figures: dict[str, float]) -> bool:
        """A mean squared error below 0.01."""
        return figures["valid"] < 0.01

    def baselines(self) -> dict[str, float]:
        """The variance of the sum of two uniform numbers."""
        return {"always 1": 1 / 6}


def enough_symbols(preset: SequencePreset) -> None:
    """Raise LessonError unless there are at least two symbols."""
    if preset.symbols < 2:
        raise LessonError(f"At least two symbols can be told apart; symbols is {preset.symbols}.")


class Latch(Classification):
    """Name the first symbol after a stretch of noise (after Bengio et al. 1994, section II).

    The first step shows one of `symbols`, one-hot; every later step is normal noise of deviation 0.2 on the
    same inputs. The answer is asked at the end.
    """

    name = "latch"

    @classmethod
    def check(cls, preset: SequencePreset) -> None:
        """At least two steps, and two symbols to tell apart."""
        super().check(preset)
        enough_symbols(preset)

    @classmethod
    def sizes(cls, preset: SequencePreset) -> tuple[int, int]:
        """One input and one class a symbol."""
        return preset.symbols, preset.symbols

    def draw(self, count: int, generator: Generator) -> Batch:
        """Symbol and noise, and which symbol it was."""
        symbols = self.preset.symbols
        target = torch.randint(symbols, (count,), generator=generator)
        x = torch.randn(count, self.preset.length, symbols, generator=generator) * 0.2
        x[:, 0] = functional.one_hot(target, symbols)
        return x, target


class TemporalOrder(Classification):
    """In which order did X and Y come? (Hochreiter and Schmidhuber 1997, section 5.6, task 6a.)

    Of eight symbols, E begins, B ends, X or Y stands at two steps, at 10 to 20 % and at 50 to 60 % of the
    length, and a, b, c, d fill the rest at random. The answer is one of XX, XY, YX, YY. In the original the
    length varies by a tenth.
    """

    name = "temporal order"
    least = 10
    alphabet = "EBXYabcd"

    @classmethod
    def sizes(cls, preset: SequencePreset) -> tuple[int, int]:
        """Eight symbols one-hot; four orders."""
        return len(cls.alphabet), 4

    def draw(self, count: int, generator: Generator) -> Batch:
        """Symbols, and the order of the two that matter."""
        steps, rows = self.preset.length, torch.arange(count)
        symbols = torch.randint(4, 8, (count, steps), generator=generator)
        symbols[:, 0], symbols[:, -1] = 0, 1
        which = torch.randint(2, (count, 2), generator=generator)
        for place, begin in enumerate((steps // 10, steps // 2)):
            step = torch.randint(begin, begin + steps // 10 + 1, (count,), generator=generator)
            symbols[rows, step] = 2 + which[:, place]
        return functional.one_hot(symbols, len(self.alphabet)).float(), 2 * which[:, 0] + which[:, 1]


class Echo(Classification):
    """At every step, repeat the symbol read `delay` steps before; the first `delay` steps ask for nothing."""

    name = "echo"
    readout = "all"

    @classmethod
    def check(cls, preset: SequencePreset) -> None:
        """The delay must fit into the length, and there are symbols to tell apart."""
        enough_symbols(preset)
        if not 0 <= preset.delay < preset.length:
            raise LessonError(f"delay is {preset.delay}; it lies between 0 and the length, {preset.length}.")

    @classmethod
    def sizes(cls, preset: SequencePreset) -> tuple[int, int]:
        """One input and one class a symbol."""
        return preset.symbols, preset.symbols

    def draw(self, count: int, generator: Generator) -> Batch:
        """Random symbols, and the same ones later."""
        delay, symbols = self.preset.delay, self.preset.symbols
        read = torch.randint(symbols, (count, self.preset.length), generator=generator)
        target = torch.full_like(read, -1)
        target[:, delay:] = read[:, : self.preset.length - delay]
        return functional.one_hot(read, symbols).float(), target


class Parity(Classification):
    """At every step: is the number of ones so far odd? Not hard to remember, hard to find."""

    name = "parity"
    readout = "all"

    @classmethod
    def sizes(cls, preset: SequencePreset) -> tuple[int, int]:
        """One bit, as -1 or 1; even or odd."""
        return 1, 2

    def draw(self, count: int, generator: Generator) -> Batch:
        """Random bits, and the parity up to each."""
        bits = torch.randint(2, (count, self.preset.length), generator=generator)
        return (2.0 * bits - 1)[..., None], bits.cumsum(1) % 2


class Measuring(Classification):
    """Tell intervals of `interval` steps from intervals one step shorter.

    After Gers, Schraudolph and Schmidhuber (2002), "Learning Precise Timing with LSTM Recurrent Networks",
    whose network learned to tell spikes 50 steps apart from spikes 49 apart. One input is 1 at a spike and 0
    elsewhere; each interval is drawn anew; at every spike but the first the answer is whether the interval
    that it ends was the long one. Nothing comes in between spikes, so the network must count.
    """

    name = "measuring"
    readout = "all"

    @classmethod
    def check(cls, preset: SequencePreset) -> None:
        """At least one whole interval."""
        if not 2 <= preset.interval < preset.length:
            raise LessonError(
                f"interval is {preset.interval}; it lies between 2 and the length, {preset.length}."
            )

    @classmethod
    def sizes(cls, preset: SequencePreset) -> tuple[int, int]:
        """A spike or none; short or long."""
        return 1, 2

    def draw(self, count: int, generator: Generator) -> Batch:
        """Spike trains, and the interval that each spike ends."""
        steps, interval, rows = self.preset.length, self.preset.interval, torch.arange(count)
        spikes, target = torch.zeros(count, steps + interval), torch.full((count, steps + interval), -1)
        at = torch.randint(interval, (count,), generator=generator).clamp_max(steps - 1 - interval)
        spikes[rows, at] = 1
        for _ in range(steps // (interval - 1)):
            long = torch.randint(2, (count,), generator=generator)
            at = (at + interval - 1 + long).clamp_max(steps + interval - 1)
            spikes[rows, at], target[rows, at] = 1, long
        return spikes[:, :steps, None], target[:, :steps]


class Generating(Classification):
    """After one spike, go on spiking every `interval` steps, with nothing to read.

    After the generating task of Gers, Schraudolph and Schmidhuber (2002), which their LSTM learned with
    peepholes. The spike that starts the train falls into the first `interval` steps at random; the answer at
    every step from then on is spike or none. Solved: at least 95 % of the held-out sequences are right at
    every step.
    """

    name = "generating"
    readout = "all"
    check = Measuring.check

    @classmethod
    def sizes(cls, preset: SequencePreset) -> tuple[int, int]:
        """The starting spike; spike or none."""
        return 1, 2

    def draw(self, count: int, generator: Generator) -> Batch:
        """One spike in, a train of them out."""
        start = torch.randint(self.preset.interval, (count, 1), generator=generator)
        since = torch.arange(self.preset.length) - start
        target = torch.where(since < 0, -1, (since % self.preset.interval == 0).long())
        return (since == 0).float()[..., None], target

    def figures(self, answer: Tensor, target: Answers) -> dict[str, float]:
        """Bits a step, and the share of sequences without any mistake."""
        whole = ((answer.argmax(-1) == target) | (target < 0)).all(1).float().mean()
        return {"valid": float(self.cost(answer, target)), "share of sequences right": float(whole)}

    def solved(self, figures: dict[str, float]) -> bool:
        """At least 95 % of the held-out sequences are right at every step."""
        return figures["share of sequences right"] >= 0.95

    def baselines(self) -> dict[str, float]:
        """What it costs to know how many spikes there are, and nothing of when."""
        left = range(self.preset.length, self.preset.length - self.preset.interval, -1)
        rate = sum(math.ceil(steps / self.preset.interval) for steps in left) / sum(left)
        return {"spike rate": -rate * math.log2(rate) - (1 - rate) * math.log2(1 - rate)}


TASKS: dict[str, type[SequenceTask]] = {
    kind.name: kind for kind in (Adding, Latch, TemporalOrder, Echo, Parity, Measuring, Generating)
}


@explained
def build(
    task: str | type[SequenceTask], preset: SequencePreset, seed: Seed = 0, **sizes: Any
) -> SequenceTask:
    """A task with a model of the preset's sizes, its first weights drawn from `seed`.

    Keywords change the preset: `build("adding", preset, length=100, cell="gru")`. torch's generator is left
    alone.
    """
    if isinstance(task, str) and task not in TASKS:
        raise LessonError(f"There is no task {task!r}; there are {', '.join(TASKS)}.")
    kind, preset = TASKS[task] if isinstance(task, str) else task, preset.but(**sizes)
    kind.check(preset)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = SequenceModel(
            *kind.sizes(preset), preset.cell, preset.hidden_size, preset.num_layers, kind.readout,
            preset.forget_bias, preset.initialise,
        )  # fmt: skip
    return kind(model, preset, seed)


class UntilSolved:
    """A watch that ends a training at the first evaluation that counts as solved: `solved`, and `step`."""

    def __init__(self) -> None:
        self.solved, self.step = False, 0

    def on_evaluate(self, run: Any, task: SequenceTask, step: int, figures: dict[str, float]) -> None:
        """Stop the run if the rule of its task is met."""
        if task.solved(figures):
            self.solved, self.step = True, step
            run.stop("solved")
