"""Lesson 07: losses that are landscapes, because only two numbers of their networks may move.

Pascanu, Mikolov and Bengio (2013), figure 6, draw the loss of one unit that must be at 0.7 after fifty steps
without input. Theirs is a sigmoid unit; `Cliff` has a tanh, so that it is a recurrent layer of torch with one
unit, whose weight w and bias b are the two axes. `Plane` cuts through a network of any size: all its
recurrent weights times a gain, all its biases plus a shift.
"""

import math
from dataclasses import dataclass
from typing import Annotated, Any, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from lessons.arguments import Between, Count, check_fields, explained
from lessons.errors import LessonError
from lessons.gradient_clipping import clip
from lessons.recurrent import RNN
from lessons.tasks import Batch, SequenceTask

Number = float | int
Point = tuple[Number, Number]
Places = Float[Tensor, "*places"]


@runtime_checkable
class Landscape(Protocol):
    """A loss over two numbers. `names` of the two; `bounds` of the part worth seeing, (low, high) of each."""

    names: tuple[str, str]
    bounds: tuple[Point, Point]

    def loss(self, first: Places, second: Places) -> Places:
        """The loss at many places at once."""

    def slope(self, first: Number, second: Number) -> tuple[float, float, float]:
        """Loss and both derivatives at one place."""


@dataclass(frozen=True)
class Cliff:
    """One tanh unit, h = tanh(w h + b) at every step, that must carry each of `starts` to its target.

    The loss is the mean squared distance from the targets after `steps` steps. Raises LessonError for no
    steps, and for starts and targets that do not pair.
    """

    steps: int = 50
    starts: tuple[Number, ...] = (0.5,)
    targets: tuple[Number, ...] = (0.7,)
    names: tuple[str, str] = ("weight w", "bias b")
    bounds: tuple[Point, Point] = ((0.0, 3.0), (-1.0, 1.0))

    def __post_init__(self) -> None:
        if isinstance(self.steps, bool) or not isinstance(self.steps, int) or self.steps < 1:
            raise LessonError(f"The unit makes a whole number of steps, at least one; not {self.steps!r}.")
        check_fields(self)
        if len(self.starts) != len(self.targets) or not self.starts:
            raise LessonError(
                f"Every start needs its target: {len(self.starts)} starts and {len(self.targets)} targets "
                "do not pair."
            )

    def loss(self, first: Places, second: Places) -> Places:
        """The loss for many w and b, in one pass over the steps."""
        h = torch.stack([torch.full_like(first, start) for start in self.starts])
        for _ in range(self.steps):
            h = torch.tanh(first * h + second)
        targets = torch.tensor(self.targets, dtype=h.dtype, device=h.device)
        return (h - targets.view(-1, *[1] * first.dim())).square().mean(0)

    def slope(self, first: Number, second: Number) -> tuple[float, float, float]:
        """Loss, dL/dw and dL/db at one place.

        The derivatives of h travel forward beside it, in plain numbers: for one unit that takes microseconds.
        """
        w, b, loss, by_w, by_b = first, second, 0.0, 0.0, 0.0
        for h, target in zip(self.starts, self.targets, strict=True):
            h_w = h_b = 0.0
            for _ in range(self.steps):
                after = math.tanh(w * h + b)
                slope = 1 - after * after
                h_w, h_b = slope * (h + w * h_w), slope * (1 + w * h_b)
                h = after
            off = (h - target) / len(self.starts)
            loss, by_w, by_b = loss + off * (h - target), by_w + 2 * off * h_w, by_b + 2 * off * h_b
        return loss, by_w, by_b

    @torch.no_grad()
    def network(self, w: Number, b: Number, dtype: torch.dtype = torch.float64) -> RNN:
        """The same unit as a recurrent layer with its two numbers as weights; it multiplies inputs by 0."""
        layer = RNN(1, 1, batch_first=True, device="cpu", dtype=dtype)
        for weight, value in zip(layer.parameters(), (0.0, w, b, 0.0), strict=True):
            weight.fill_(value)
        return layer


# One thing to hold, as in the paper; and two, which must be told apart.
ONE = Cliff()
TWO = Cliff(starts=(0.5, -0.5), targets=(0.7, -0.7))


TOGETHER = 500  # places whose states of all steps are held at a time; 5,000 take more than a gigabyte


class Plane:
    """A task's loss where its network's recurrent matrix is multiplied by a gain, its biases shifted.

    The network as it stands is at gain 1, shift 0. `sequences` of the batch of `step` are read. Raises
    LessonError for a network that is not a single Elman layer.
    """

    names = ("recurrent gain", "bias shift")

    @explained
    def __init__(
        self,
        task: SequenceTask,
        step: Annotated[int, Between(0)] = 0,
        sequences: Count = 8,
        bounds: tuple[Point, Point] = ((0.6, 1.6), (-0.5, 0.5)),
    ) -> None:
        layer = task.model.recurrent
        if not getattr(layer, "mode", "").startswith("RNN") or layer.num_layers > 1 or layer.bidirectional:
            raise LessonError("A gain and a shift are cut through one Elman layer; this network is another.")
        self.task, self.bounds = task, bounds
        x, target = task.batch(step)
        self.batch: Batch = x[:sequences], target[:sequences]
        self.act = torch.relu if layer.mode == "RNN_RELU" else torch.tanh
        self.weights = [weight.detach().clone() for weight in layer.parameters()]

    def loss(self, first: Places, second: Places) -> Places:
        """The loss for many gains and shifts; inf or nan where it has none."""
        places = zip(first.reshape(-1).split(TOGETHER), second.reshape(-1).split(TOGETHER), strict=True)
        return torch.cat([self._losses(*some) for some in places]).reshape(first.shape).to(first)

    def _losses(self, first: Float[Tensor, " places"], second: Float[Tensor, " places"]) -> Tensor:
        """The same in one pass over the steps, for as many places as memory bears."""
        x, target = self.batch
        weight_ih, weight_hh, *biases = self.weights
        gain, shift = (place.reshape(-1, 1, 1).to(weight_hh) for place in (first, second))
        drive, recurrent = x @ weight_ih.T + sum(biases), gain * weight_hh.T
        h, states = drive.new_zeros(len(gain), len(x), len(weight_hh)), []
        for drive_t in drive.unbind(1):
            h = self.act(torch.baddbmm(drive_t + shift, h, recurrent))
            states.append(h)
        answers = self.task.model.answer(torch.stack(states, 2).flatten(0, 1)).unflatten(0, (-1, len(x)))
        costs = [self.task.cost(answer, target) for answer in answers]
        return torch.stack(costs).cpu()

    def slope(self, first: Number, second: Number) -> tuple[float, float, float]:
        """Loss, dL/d gain and dL/d shift at one place, by autograd through the same pass."""
        place = [torch.tensor(float(v), dtype=torch.float64, requires_grad=True) for v in (first, second)]
        loss = self.loss(*place)
        return loss.item(), *(part.item() for part in torch.autograd.grad(loss, place))


@dataclass(frozen=True)
class Surface:
    """A landscape on a grid: first (F,), second (S,), loss (S, F)."""

    first: Float[Tensor, " first"]
    second: Float[Tensor, " second"]
    loss: Float[Tensor, "second first"]


@explained
@torch.no_grad()
def surface(landscape: Landscape, count: Count = 70) -> Surface:
    """The loss on `count` x `count` places between the bounds, in one pass; LessonError for no landscape."""
    known(landscape)
    first, second = (
        torch.linspace(*ends, count, dtype=torch.float64, device="cpu") for ends in landscape.bounds
    )
    return Surface(first, second, landscape.loss(*torch.meshgrid(first, second, indexing="xy")))


@dataclass(frozen=True)
class Path:
    """A descent: where it was, and the gradient there before and after clipping.

    points (P, 2): the two numbers, the start first. losses (P,). raw, used (P, 2): the gradient at each
    point, and what the optimiser got. It is shorter than asked for where a gradient was no number.
    """

    points: Float[Tensor, "points two"]
    losses: Float[Tensor, " points"]
    raw: Float[Tensor, "points two"]
    used: Float[Tensor, "points two"]

    @property
    def norms(self) -> Float[Tensor, " points"]:
        """The gradient's length at each point, before clipping."""
        return self.raw.norm(dim=1)

    @property
    def clipped(self) -> Tensor:
        """Which of the gradients were changed."""
        return ~torch.isclose(self.raw, self.used, rtol=1e-5, atol=0).all(1)


@explained
def descend(
    landscape: Landscape,
    start: Point,
    rate: Number = 0.2,
    momentum: Number = 0.9,
    way: str = "by norm",
    threshold: Any = 1.0,
    count: Annotated[int, Between(0)] = 60,
) -> Path:
    """`count` steps of gradient descent with momentum (torch's SGD) from `start`, the gradient clipped.

    way: one of lessons.gradient_clipping.WAYS; each of the two numbers counts as a tensor of its own. Raises
    LessonError for an unknown way, a threshold that is none, and a start where there is no gradient.
    """
    known(landscape)
    first, second = start
    velocity, rows = [0.0, 0.0], []
    for _ in range(count + 1):
        loss, *raw = landscape.slope(first, second)
        if not all(map(math.isfinite, (loss, *raw))):
            break
        used = clip_pair(way, raw, (first, second), threshold)
        rows.append((first, second, loss, *raw, *used))
        velocity = [momentum * before + now for before, now in zip(velocity, used, strict=True)]
        first, second = first - rate * velocity[0], second - rate * velocity[1]
    if not rows:
        raise LessonError(f"There is no gradient at {start[0]:g} and {start[1]:g}; start somewhere else.")
    table = torch.tensor(rows, dtype=torch.float64, device="cpu")
    return Path(table[:, :2], table[:, 2], table[:, 3:5], table[:, 5:])


def known(landscape: Any) -> None:
    """Raise LessonError for what is no landscape."""
    if not isinstance(landscape, Landscape):
        raise LessonError("A landscape is lessons.cliff.ONE or TWO, a Cliff, or a Plane through a task.")


def clip_pair(way: str, raw: list[float], weights: Point, threshold: Any) -> list[float]:
    """lessons.gradient_clipping.clip for two numbers."""
    tensors = torch.tensor([raw, weights], dtype=torch.float64, device="cpu")
    return torch.stack(clip(way, list(tensors[0]), list(tensors[1]), threshold)).tolist()
