"""How big and how long: `ci` takes seconds, `cpu` trains a real model in minutes, `gpu` is a paper's size."""

import math
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from textwrap import fill
from typing import Any, TypeVar

import torch
from torch import Tensor, nn, optim

from lessons.arguments import check_fields
from lessons.errors import LessonError

Number = float | int
COMMON = ("ci", "cpu", "gpu")  # every lesson that trains has these
P = TypeVar("P", bound="Preset")


@dataclass(frozen=True)
class Preset:
    """What `fit` needs to know about a training; each lesson adds its own sizes.

    steps: weight updates in all; a preset counts steps and not minutes, so that a run repeats.
    learning_rate: the highest, reached after `warmup` steps; falls along half a cosine to `final_rate` of it.
    clip: the gradient's norm is cut to this length; None leaves it alone.
    evaluate_every, save_every: in steps. save_every None saves by the clock only, every `save_seconds`.
    precision: "float32", "bf16", or "auto": bf16 on CPUs that multiply it natively.
    threads: CPU threads during the training (1 for loops and small layers); None leaves torch's setting.
    """

    name: str
    steps: int
    learning_rate: Number = 2e-3
    warmup: int = 50
    final_rate: Number = 0.02
    weight_decay: Number = 0.01
    clip: Number | None = 1.0
    evaluate_every: int = 500
    save_every: int | None = None
    save_seconds: Number = 30.0
    precision: str = "auto"
    threads: int | None = None

    def __post_init__(self) -> None:
        check_fields(self)
        if self.steps < 1:
            raise LessonError(f"A training needs at least one step; steps is {self.steps}.")
        if not (math.isfinite(self.learning_rate) and self.learning_rate > 0):
            raise LessonError(f"The learning rate is a number above 0; {self.learning_rate} is not.")
        if self.clip is not None and not self.clip > 0:
            raise LessonError(
                f"The clipping threshold is above 0, or None for no clipping; {self.clip} is not."
            )
        if self.precision not in ("auto", "float32", "bf16"):
            raise LessonError(f'The precision is "auto", "float32" or "bf16"; {self.precision!r} is not.')
        if self.evaluate_every < 1 or (self.save_every is not None and self.save_every < 1):
            raise LessonError("evaluate_every and save_every are at least one step.")

    def __str__(self) -> str:
        values = ((field.name.replace("_", " "), getattr(self, field.name)) for field in fields(self)[1:])
        told = ", ".join(f"{name} {value}" for name, value in values if value is not None)
        return fill(f"preset {self.name}: {told}", 88, subsequent_indent="  ")

    def but(self: P, **changes: Any) -> P:
        """This preset with some values changed: `preset("cpu").but(steps=300, clip=None)`."""
        known = [field.name for field in fields(self)]
        for name in changes:
            if name not in known:
                raise LessonError(f"A preset of this lesson has no {name!r}; it has {', '.join(known)}.")
        return replace(self, **changes)

    def rate(self, step: int) -> float:
        """The learning rate of a step: linear warm-up, then half a cosine."""
        warm = min(1.0, (step + 1) / self.warmup) if self.warmup else 1.0
        fall = 0.5 * (1 + math.cos(math.pi * step / self.steps))
        return self.learning_rate * warm * (self.final_rate + (1 - self.final_rate) * fall)

    def optimizer(self, parameters: Iterable[nn.Parameter | Tensor]) -> optim.Optimizer:
        """AdamW in one fused kernel (a third of the time of the loop); lessons may choose another."""
        return optim.AdamW(parameters, lr=self.learning_rate, weight_decay=self.weight_decay, fused=True)


def choose(presets: Mapping[str, P], name: str | None = None) -> P:
    """A lesson's preset: the one named, else what UNROLLED_PRESET says, else the device's (`gpu` on CUDA)."""
    default = "gpu" if torch.cuda.is_available() and "gpu" in presets else "cpu"
    name = name or os.environ.get("UNROLLED_PRESET") or default
    if not isinstance(name, str) or name not in presets:
        raise LessonError(f"There is no preset {name!r}; choose one of {', '.join(presets)}.")
    return presets[name]
