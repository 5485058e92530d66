"""Lesson 07: ways to clip a gradient, and networks that need it.

The ways are written to be read; `torch.nn.utils.clip_grad_norm_` and `clip_grad_value_` do the first two in
place. `fit` clips by norm (a preset's `clip`); ClippingPreset adds the others, and plain descent with
momentum, which takes every gradient at its length.
"""

import math
from collections.abc import Iterable, Sequence
from copy import copy, deepcopy
from dataclasses import dataclass, field
from statistics import median
from typing import Annotated, Any

import torch
from jaxtyping import Float
from torch import Tensor, nn, optim

from lessons import char_rnn, presets, tasks
from lessons.arguments import Between, check_fields, explained, shown
from lessons.char_rnn import CharPreset, CharTask
from lessons.errors import LessonError
from lessons.run import Run
from lessons.tasks import SequencePreset, SequenceTask
from lessons.training import fit

Number = float | int
Gradients = Sequence[Tensor]
Threshold = Annotated[float | int, Between(0)]
Step = Annotated[int, Between(0)]


@explained
def total_norm(gradients: Gradients) -> Float[Tensor, ""]:
    """The length of all gradients laid end to end; LessonError where there are none."""
    if not gradients:
        raise LessonError("There is no gradient to measure; give at least one tensor.")
    return torch.sqrt(sum((gradient**2).sum() for gradient in gradients))


@explained
def by_norm(gradients: Gradients, threshold: Threshold) -> list[Tensor]:
    """One factor for all, so that together they are at most `threshold` long; the direction stays.

    Pascanu, Mikolov and Bengio (2013), algorithm 1. torch adds the 1e-6, against a length of 0.
    """
    factor = threshold / (total_norm(gradients) + 1e-6)
    return [gradient * factor.clamp(max=1.0) for gradient in gradients]


@explained
def each_by_norm(gradients: Gradients, threshold: Threshold) -> list[Tensor]:
    """A factor for each tensor, so that each is at most `threshold` long; what Keras calls clipnorm."""
    return [by_norm([gradient], threshold)[0] for gradient in gradients]


@explained
def by_value(gradients: Gradients, threshold: Threshold) -> list[Tensor]:
    """Every single number cut to between -`threshold` and `threshold`."""
    return [gradient.clamp(-threshold, threshold) for gradient in gradients]


@explained
def adaptive(
    gradients: Gradients, weights: Sequence[Tensor], threshold: Threshold, floor: Threshold = 1e-3
) -> list[Tensor]:
    """Each unit's gradient is at most `threshold` times as long as its weights.

    Brock, De, Smith and Simonyan (2021), "High-Performance Large-Scale Image Recognition Without
    Normalization", equation 3. A unit is a row of a matrix; a vector of biases counts as one. Weights shorter
    than `floor` count as that long, so that what starts at zero can learn. The paper leaves the last layer
    unclipped; here it is clipped like the others.
    """
    if [part.shape for part in gradients] != [part.shape for part in weights]:
        raise LessonError("Adaptive clipping needs the weight of every gradient, of the same shape.")
    clipped = []
    for gradient, weight in zip(gradients, weights, strict=True):
        most = threshold * unit_norms(weight).clamp(min=floor)
        clipped.append(gradient * (most / unit_norms(gradient).clamp(min=1e-6)).clamp(max=1.0))
    return clipped


def unit_norms(tensor: Float[Tensor, "*sizes"]) -> Float[Tensor, "*units"]:
    """The length of each row of a matrix, (rows, 1); of a vector as a whole."""
    return tensor.norm(dim=-1, keepdim=True) if tensor.dim() > 1 else tensor.norm()


# What a picture or an experiment calls a way of clipping.
WAYS = ("none", "by norm", "by value", "adaptive", "each by norm")


@explained
def clip(way: Any, gradients: Gradients, weights: Sequence[Tensor], threshold: Any) -> list[Tensor]:
    """Gradients clipped in one of WAYS. Raises LessonError for another way, or a threshold not above 0."""
    checked(way, threshold)
    if way == "none":
        return list(gradients)
    if way == "adaptive":
        return adaptive(gradients, weights, threshold)
    return {"by norm": by_norm, "by value": by_value, "each by norm": each_by_norm}[way](gradients, threshold)


def checked(way: Any, threshold: Any) -> None:
    """Raise LessonError for what is no way to clip, or no threshold."""
    if way not in WAYS:
        raise LessonError(f"A way to clip is one of {', '.join(WAYS)}; {way!r} is none.")
    number = isinstance(threshold, Number) and not isinstance(threshold, bool)
    if not (number and 0 < threshold < 1e300):
        raise LessonError(f"The threshold is a number above 0; {shown(threshold)} is not.")


@explained
def angle(first: Gradients, second: Gradients) -> float:
    """Degrees between two gradients, all tensors laid end to end; nan if one of them is zero.

    Raises LessonError for gradients of different sizes, or none.
    """
    if not first or [part.shape for part in first] != [part.shape for part in second]:
        raise LessonError("An angle lies between two gradients with the same tensors; these are not.")
    u, v = (torch.cat([part.detach().cpu().double().flatten() for part in g]) for g in (first, second))
    if not (u.any() and v.any()):
        return math.nan
    u, v = u / u.norm(), v / v.norm()
    return math.degrees(2 * math.atan2(float((u - v).norm()), float((u + v).norm())))


# ------------------------------------------------------------------------------------------- training


@dataclass(frozen=True)
class ClippingPreset(SequencePreset):
    """A preset that trains by gradient descent with momentum, and may clip in other ways than by norm.

    clip: by norm, as in every preset. clip_way, clip_at: another of WAYS and its threshold, applied by the
    optimizer before each step; the gradient norms of the run are those before it.
    """

    learning_rate: Number = 0.1
    momentum: Number = 0.9
    clip: Number | None = None
    clip_way: str = "none"
    clip_at: Number = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        checked(self.clip_way, self.clip_at)
        if not 0 <= self.momentum < 1:
            raise LessonError(f"Momentum lies from 0 to below 1; {self.momentum} does not.")

    def optimizer(self, parameters: Iterable[nn.Parameter | Tensor]) -> optim.Optimizer:
        """Plain descent with momentum; where another way of clipping is asked for, it goes before."""
        weights = list(parameters)
        descent = optim.SGD(
            weights, self.learning_rate, self.momentum, weight_decay=self.weight_decay, fused=True
        )
        if self.clip_way != "none":
            descent.register_step_pre_hook(lambda *_: clip_in_place(weights, self.clip_way, self.clip_at))
        return descent


@torch.no_grad()
def clip_in_place(weights: Sequence[Tensor], way: str, threshold: Number) -> None:
    """Clip the gradients that a backward pass has left on the weights."""
    weights = [weight for weight in weights if weight.grad is not None]
    gradients = [weight.grad for weight in weights]
    for gradient, clipped in zip(gradients, clip(way, gradients, weights, threshold), strict=True):
        gradient.copy_(clipped)


SIZES = ClippingPreset(
    "cpu", steps=400, evaluate_every=50, length=50, batch_size=32, hidden_size=64, symbols=2, delay=8,
    held_out=500, cell="rnn_relu", initialise={"orthogonal": 1.1},
)  # fmt: skip
PRESETS = {
    "ci": SIZES.but(name="ci", steps=40, evaluate_every=20, hidden_size=16, batch_size=8, held_out=50),
    "cpu": SIZES,
    "gpu": SIZES.but(name="gpu", steps=2000, evaluate_every=100, length=200, batch_size=128, hidden_size=256),
}


def preset(name: str | None = None) -> ClippingPreset:
    """The sizes of this lesson; see lessons.presets.choose."""
    return presets.choose(PRESETS, name)


def prepare(preset: ClippingPreset, seed: int = 0) -> SequenceTask:
    """A ReLU network that must repeat what it read eight steps ago, for `fit`."""
    return tasks.build("echo", preset, seed)


def train(task: Any, watch: Any = None, progress: bool = True) -> Run:
    """`fit` to the preset's last step, or to a loss that is no number."""
    return fit(task, watch=watch, seed=getattr(task, "seed", 0), progress=progress)


READING = CharPreset(
    "cpu", steps=400, learning_rate=4e-3, warmup=20, clip=None, evaluate_every=100, precision="float32",
    threads=1, hidden_size=64, embedding_size=32, batch_size=32, length=64, valid_characters=20_000,
    baseline_order=None,
)  # fmt: skip
READERS = {
    "ci": READING.but(name="ci", steps=20, evaluate_every=10, batch_size=8, length=16, hidden_size=16),
    "cpu": READING,
    "gpu": READING.but(name="gpu", steps=4000, evaluate_every=500, hidden_size=512, batch_size=64),
}


def reader(name: str | None = None, seed: int = 0) -> CharTask:
    """A character network of lesson 02 reading plays, for `fit`, without clipping."""
    return char_rnn.prepare(presets.choose(READERS, name), seed)


# --------------------------------------------------------------------------------- looking at gradients


@explained
def gradients(task: SequenceTask | CharTask, step: Step) -> list[Tensor]:
    """The gradient of the batch of a step, for the weights as they stand; nothing is left on them."""
    loss, _ = task.loss(task.batch(step), task.start())
    return list(torch.autograd.grad(loss, list(task.model.parameters())))


@dataclass
class Angles:
    """A watch for `fit`: how far each way of clipping would turn the gradient, every `every` steps.

    ways: a threshold each. steps: where it was measured. turned: for each way the degrees at every one of
    them, nan where it left the gradient alone.
    """

    ways: dict[str, Number]
    every: int = 10
    steps: list[int] = field(default_factory=list)
    turned: dict[str, list[float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_fields(self)
        for way, threshold in self.ways.items():
            checked(way, threshold)

    def on_step(self, run: Run, task: Any, step: int) -> None:
        """Take the gradient of the next batch, apart from the training's own."""
        found = gradients(task, step)
        weights = [weight.detach() for weight in task.model.parameters()]
        self.steps.append(step)
        for way, threshold in self.ways.items():
            after = clip(way, found, weights, threshold)
            alone = all(map(torch.equal, found, after))
            self.turned.setdefault(way, []).append(math.nan if alone else angle(found, after))

    def middle(self, way: str) -> float:
        """The median of the degrees over the gradients that a way changed; 0 where it changed none."""
        if way not in self.turned:
            raise LessonError(f"Nothing was measured of {way!r}; give the angles to a training as its watch.")
        return median([turned for turned in self.turned[way] if turned == turned] or [0.0])


@explained
@torch.no_grad()
def along(
    task: SequenceTask | CharTask, step: Step, lengths: Float[Tensor, " lengths"]
) -> Float[Tensor, " lengths"]:
    """The loss of a step's batch after a step of each length straight down its gradient; nan where none."""
    with torch.enable_grad():
        found = gradients(task, step)
    probe, norm, losses = copy(task), total_norm(found), []
    probe.model = deepcopy(task.model)
    for length in lengths.tolist():
        for weight, own, down in zip(probe.model.parameters(), task.model.parameters(), found, strict=True):
            weight.copy_(own - length / norm * down)
        losses.append(probe.loss(task.batch(step), task.start())[0])
    return torch.stack(losses).cpu().to(lengths)
