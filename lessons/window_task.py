"""Training on windows of one long sequence of numbers: what series and strokes share.

Data are kept in the order of time. A window is a stretch of the training part; held-out parts are read with
what came before them, as a forecast would be made, and only their own steps count.
"""

from collections.abc import Callable, Mapping
from copy import copy
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from lessons.errors import LessonError

BEFORE = 400  # steps read before a held-out part, to warm the state up


@runtime_checkable
class Answering(Protocol):
    """A model that prices what comes next, in nats a step."""

    def nats(self, sequence: Float[Tensor, "batch steps input"]) -> Float[Tensor, "batch following"]:
        """The cost of every step but the first, given those before it."""


class WindowTask:
    """Predict the next step of a sequence, for `fit`; losses and figures are nats a step.

    parts: "train", "valid" and "test", each (time, input), one behind the other in time. preset: has
    batch_size and length; a length beyond a third of the training part is cut to that.
    constant: the baselines, in the same unit.
    """

    def __init__(
        self,
        model: Any,
        parts: Mapping[str, Tensor],
        preset: Any,
        seed: int = 0,
        *,
        name: str,
        unit: str,
        provenance: Mapping[str, Any],
        constant: Callable[[str], dict[str, float]],
    ) -> None:
        self.model, self.parts, self.seed = model, dict(parts), seed
        self.name, self.unit, self.provenance, self.constant = name, unit, provenance, constant
        self.length = min(preset.length, len(self.parts["train"]) // 3)
        if self.length < 2 or min(map(len, self.parts.values())) < 2:
            raise LessonError("There is too little to learn from: each part needs at least two steps.")
        self.preset, self.rows = preset, slice(None)

    def batch(self, step: int) -> Float[Tensor, "batch steps input"]:
        """Windows drawn from the training part, each one step longer than `length`."""
        train, dice = self.parts["train"], torch.Generator(device="cpu")
        dice.manual_seed(self.seed * 1_000_003 + step)
        starts = torch.randint(
            len(train) - self.length, (self.preset.batch_size, 1), generator=dice, device="cpu"
        )[self.rows]
        place = starts + torch.arange(self.length + 1, device="cpu")
        return train[place].to(next(self.model.parameters()))

    def start(self) -> None:
        """Every window begins from the zero state."""
        return None

    def loss(self, batch: Tensor, carry: None = None) -> tuple[Float[Tensor, ""], None]:
        """Mean cost of a step in nats."""
        return self.model.nats(batch).float().mean(), None

    def evaluate(self) -> dict[str, float]:
        """Nats a step on the validation part."""
        return {"valid": self.held_out("valid")}

    def baselines(self) -> dict[str, float]:
        """What simple forecasts cost on the validation part."""
        return self.constant("valid")

    def report(self) -> dict[str, float]:
        """The same for the test part, which nothing was chosen with."""
        simple = {f"{name} on test": value for name, value in self.constant("test").items()}
        return {"test": self.held_out("test"), **simple}

    @torch.no_grad()
    def held_out(self, part: str) -> float:
        """Nats a step on a part, read from up to 400 steps before it on."""
        names = list(self.parts)
        earlier = torch.cat([self.parts[name] for name in names[: names.index(part)]])[-BEFORE:]
        sequence = torch.cat([earlier, self.parts[part]]).to(next(self.model.parameters()))
        training = self.model.training
        self.model.eval()
        costs = self.model.nats(sequence[None])[0]
        self.model.train(training)
        return float(costs[-len(self.parts[part]) :].mean())

    def shard(self, index: int, count: int) -> "WindowTask":
        """Every `count`-th window of each batch, for one of several processes."""
        if self.preset.batch_size % count:
            raise LessonError(
                f"{self.preset.batch_size} windows cannot be dealt to {count} processes evenly."
            )
        share = copy(self)
        share.rows = slice(index, None, count)
        return share
