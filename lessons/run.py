"""The record of a training: everything needed to draw it, compare it and repeat it."""

import math
import os
import platform
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, ClassVar

import torch

from lessons import checkpoints
from lessons.arguments import explained
from lessons.devices import Machine
from lessons.errors import LessonError

LOSSES = ("train", "valid", "test")  # figures that are the loss itself, on other data
REASONS = ("running", "finished", "solved", "interrupted", "stopped", "diverged")


@dataclass(eq=False, repr=False)
class Run:
    """What `fit` returns. `fit` alone writes to it, while it trains; afterwards it is to be read.

    losses, gradient_norms: one number a step (the norm is that before clipping).
    evaluations: {"step": steps done, **figures} for every evaluation, the first before any training.
    baselines: what the curve is compared with, in the same unit (e.g. a 5-gram's bits per character).
    settings: the preset's values, the precision, threads and processes used, the number of weights.
    reason: how it ended, one of REASONS. seconds: wall clock, evaluations included, resumed parts added up.
    model: what was trained; None for a record that was loaded from disk.
    """

    model: ClassVar[Any] = None

    name: str
    preset: str
    unit: str
    seed: int
    device: str
    settings: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    provenance: dict[str, Any] = field(default_factory=dict)
    baselines: dict[str, float] = field(default_factory=dict)
    losses: list[float] = field(default_factory=list)
    gradient_norms: list[float] = field(default_factory=list)
    evaluations: list[dict[str, Any]] = field(default_factory=list)
    seconds: float = 0.0
    reason: str = "running"
    message: str = ""
    date: str = ""
    stopping: str = ""

    @classmethod
    def begin(cls, task: Any, machine: Machine, seed: int) -> "Run":
        """The record of a training that is about to start."""
        weights = sum(weight.numel() for weight in task.model.parameters())
        settings = asdict(task.preset) | {
            "precision": machine.precision,
            "threads": task.preset.threads or torch.get_num_threads(),
            "processes": machine.processes,
            "weights": weights,
        }
        provenance = dict(task.provenance)
        today = datetime.now(UTC).date().isoformat()
        run = cls(
            task.name, task.preset.name, task.unit, seed, machine.device.type,
            settings, versions(), provenance, date=today,
        )  # fmt: skip
        run.model = task.model
        return run

    @property
    def step(self) -> int:
        """Steps done."""
        return len(self.losses)

    @property
    def interrupted(self) -> bool:
        """Whether it was ended from outside, before its last step."""
        return self.reason in ("interrupted", "stopped")

    @property
    def last(self) -> dict[str, float]:
        """The figures of the last evaluation."""
        return {k: v for k, v in self.evaluations[-1].items() if k != "step"} if self.evaluations else {}

    @property
    def evaluated(self) -> int:
        """The step of the last evaluation; an interrupted run has gone on since."""
        return self.evaluations[-1]["step"] if self.evaluations else 0

    def measured(self, figure: str) -> str:
        """What is printed behind a figure: the unit of the loss, unless its name tells another measure."""
        return f" {self.unit}" if figure in LOSSES else ""

    def stop(self, reason: str = "stopped") -> None:
        """End the training after the step it is in; what a stop button calls."""
        self.stopping = reason

    def __repr__(self) -> str:
        steps = f"{self.step:,} steps"
        if self.step < self.settings.get("steps", self.step):
            steps = f"{self.step:,} of {self.settings['steps']:,} steps"
        figures = ", ".join(f"{name} {value:.3f}{self.measured(name)}" for name, value in self.last.items())
        if figures and self.evaluated != self.step:
            figures += f", at step {self.evaluated:,}"
        how = ", ".join(filter(None, [self.device, self.settings.get("precision"), f"seed {self.seed}"]))
        told = f": {figures}" if figures else ""
        return (
            f"{self.name}, preset {self.preset}, {steps} in {self.seconds:.0f} s ({how}){told}, {self.reason}"
        )

    def record(self) -> dict[str, Any]:
        """Everything but the curves, as plain values."""
        kept = "name preset unit seed device settings versions provenance baselines evaluations"
        return {name: getattr(self, name) for name in [*kept.split(), "seconds", "reason", "message", "date"]}

    def curves(self) -> dict[str, torch.Tensor]:
        """The numbers of every step, in double precision so that nothing is rounded."""
        place = {"dtype": torch.float64, "device": "cpu"}
        return {
            "run.losses": torch.tensor(self.losses, **place),
            "run.gradient_norms": torch.tensor(self.gradient_norms, **place),
        }

    @explained
    def save(self, path: str | os.PathLike) -> Path:
        """Write the record as safetensors and JSON; raises LessonError if the disk refuses."""
        path = checkpoints.named(path)
        checkpoints.write(
            path, self.curves(), {"kind": "lessons.run.Run", "run": self.record()}, sidecar=True
        )
        return path

    @classmethod
    @explained
    def load(cls, path: str | os.PathLike) -> "Run":
        """The record saved at `path`; raises LessonError for a file that is missing or damaged."""
        meta, tensors = checkpoints.read(checkpoints.named(path))
        if "run" not in meta or "run.losses" not in tensors:
            raise LessonError(f"{path} holds no record of a training.")
        return cls.rebuild(meta["run"], tensors)

    @classmethod
    def rebuild(cls, record: dict[str, Any], curves: dict[str, torch.Tensor]) -> "Run":
        """A run from `record()` and `curves()`; raises LessonError if they are not those of this version."""
        try:
            losses, norms = curves["run.losses"].tolist(), curves["run.gradient_norms"].tolist()
            return cls(**record, losses=losses, gradient_norms=norms)
        except (KeyError, TypeError) as error:
            raise LessonError(
                f"This record of a training is not one that this version reads ({error}); train it again."
            ) from error

    def best(self, figure: str = "valid") -> float:
        """The lowest value that a figure reached in any evaluation; nan if it was never computed."""
        return min((e[figure] for e in self.evaluations if figure in e), default=math.nan)


def versions() -> dict[str, str]:
    """The versions that a result depends on."""
    found = {"python": platform.python_version(), "torch": torch.__version__, "platform": platform.machine()}
    for package in ("accelerate", "unrolled"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
