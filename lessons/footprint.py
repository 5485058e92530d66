"""How much memory a training takes, before it is started: `python -m lessons memory char_rnn --preset gpu`.

Weights, gradients and the optimizer's state are counted. What the forward pass keeps for the backward pass
is counted on two small parts of a batch, here on the CPU, and grows in proportion to the sequences. It is
that of torch's plain kernels: oneDNN sets aside for an LSTM twice what it touches. A GPU's libraries take
half a gigabyte or more besides.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

from lessons.errors import LessonError
from lessons.presets import Preset

PARTS = (2, 4)  # sequences that are tried


@dataclass(frozen=True)
class Footprint:
    """What a training holds, in bytes; `parameters` is a count.

    largest: the largest tensor kept for the backward pass, whose gradient stands beside it at the peak.
    """

    parameters: int
    weights: int
    gradients: int
    optimizer: int
    activations: int
    largest: int

    @property
    def total(self) -> int:
        """At the peak, where the backward pass begins."""
        held = 2 * self.weights  # `fit` keeps a copy, to go back to when the loss is no number any more
        return held + self.gradients + self.optimizer + self.activations + self.largest

    def __str__(self) -> str:
        parts = ("weights", "gradients", "optimizer", "activations", "largest")
        told = ", ".join(f"{name} {getattr(self, name) / 1e6:,.1f}" for name in parts)
        return f"{self.parameters:,} parameters; {told}; together {self.total / 1e6:,.0f} MB"


def footprint(lesson: ModuleType, preset: Preset) -> Footprint:
    """Of a lesson's training at a preset, in float32. Raises LessonError for batches not divided by 4."""
    batch = preset.batch_size
    if batch % max(PARTS):
        raise LessonError(
            f"The estimate needs batches that can be divided by {max(PARTS)}; this has {batch}."
        )
    task = lesson.prepare(preset.but(precision="float32"), 0)
    few, more = (kept(task.shard(0, batch // part)) for part in PARTS)
    weights = [weight for weight in task.model.parameters() if weight.requires_grad]
    return Footprint(
        parameters=sum(weight.numel() for weight in weights),
        weights=sum(map(size, task.model.state_dict().values())),
        gradients=sum(map(size, weights)),
        optimizer=state(preset, weights),
        activations=grown(sum(few), sum(more), batch),
        largest=max(grown(*pair, batch) for pair in zip(few, more, strict=False)),
    )


def grown(few: int, more: int, batch: int) -> int:
    """What takes `few` bytes for 2 sequences and `more` for 4, for a whole batch: a straight line."""
    low, high = PARTS
    return round(few + (more - few) * (batch - low) / (high - low))


def kept(task: Any) -> list[int]:
    """Bytes of each tensor that a forward pass keeps for the backward pass, in its order, weights aside."""
    own = {weight.untyped_storage().data_ptr() for weight in task.model.parameters()}
    found: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            found[storage.data_ptr()] = storage.nbytes()
        return tensor

    task.model.train()
    with plain_kernels(), torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        loss, _ = task.loss(task.batch(0), task.start())
        loss.backward()
    return list(found.values())


@contextmanager
def plain_kernels() -> Iterator[None]:
    """Meanwhile torch does without oneDNN."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # on Intel's GPUs, whenever these flags are set
        with torch.backends.mkldnn.flags(enabled=False):
            yield


def state(preset: Preset, weights: list[torch.nn.Parameter]) -> int:
    """Bytes that the preset's optimizer keeps after a step."""
    optimizer = preset.optimizer(weights)
    optimizer.step()
    optimizer.zero_grad()
    return sum(size(value) for own in optimizer.state.values() for value in own.values())


def size(tensor: Tensor) -> int:
    """Bytes of a tensor's numbers."""
    return tensor.numel() * tensor.element_size()
