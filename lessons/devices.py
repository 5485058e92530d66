"""Where a training runs and how precisely: one CPU, one GPU, or several processes, through accelerate."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import broadcast
from torch import Tensor, nn

from lessons.errors import LessonError


def bf16_pays(device: torch.device | str) -> bool:
    """Whether an LSTM trains faster in bf16: on CPUs that multiply it natively (AVX512-BF16, AMX).

    A GPU is left in float32, where cuDNN's recurrent kernels run on TF32 already.
    """
    if torch.device(device).type != "cpu":
        return False
    # torch tells since 2.12; before that, or on other processors, float32 is the safe answer.
    able = getattr(torch.cpu, "get_capabilities", dict)()
    return bool(able.get("avx512_bf16") or able.get("amx_bf16"))


def launched() -> int:
    """How many processes torchrun or accelerate started together, this one included."""
    return int(os.environ.get("WORLD_SIZE", 1)) if "LOCAL_RANK" in os.environ else 1


def gpu(device: torch.device | str | None) -> bool:
    """Whether processes that train together each have a GPU: not where the CPU is asked for, nor on a Mac."""
    found = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
    return found is not None and found.type != "mps" and str(device).partition(":")[0] != "cpu"


@dataclass(frozen=True)
class Machine:
    """A device, a precision ("float32" or "bf16") and this process's place among `processes`."""

    accelerator: Accelerator
    device: torch.device
    precision: str

    @classmethod
    def open(cls, device: torch.device | str | None = None, precision: str = "auto") -> "Machine":
        """The device asked for, else what accelerate finds: this process's GPU, Apple's, or the CPU.

        `accelerate launch --mixed_precision bf16` decides an "auto" precision, else bf16 where it pays.
        Raises LessonError for a device that is not there, and where processes started together stay apart.
        """
        together = launched()
        # Without the hint accelerate takes processes that torchrun starts without a GPU for strangers.
        accelerator = Accelerator(cpu=True) if together > 1 and not gpu(device) else Accelerator()
        if accelerator.num_processes != together:
            raise LessonError(
                f"{together} processes were started, but they do not find one another; start them with "
                "torchrun or accelerate launch, on GPUs or on CPUs alone."
            )
        try:
            place = torch.device(device) if device is not None else accelerator.device
        except RuntimeError as error:
            raise LessonError(f"There is no device {device!r}; try None, 'cpu', 'cuda' or 'mps'.") from error
        if place.type == "cuda" and not torch.cuda.is_available():
            raise LessonError("This machine has no CUDA device that torch can use; leave the device out.")
        if precision == "auto":
            wanted = accelerator.mixed_precision == "bf16"
            precision = "bf16" if wanted or bf16_pays(place) else "float32"
        return cls(accelerator, place, precision)

    @property
    def processes(self) -> int:
        """How many processes train together."""
        return self.accelerator.num_processes

    @property
    def main(self) -> bool:
        """Whether this is the process that prints and saves."""
        return self.accelerator.is_main_process

    def autocast(self) -> torch.autocast:
        """The context in which losses are computed."""
        # Not accelerator.autocast(): accelerate fixes one precision for the life of a process.
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == "bf16")

    def shard(self, task: Any) -> Any:
        """This process's share of a task: `task.shard(index, count)` gives a fixed part of every batch."""
        if self.processes == 1:
            return task
        if not hasattr(task, "shard"):
            raise LessonError("This lesson's task cannot be divided; run it in one process.")
        return task.shard(self.accelerator.process_index, self.processes)

    def share(self, model: nn.Module) -> None:
        """Give every process the weights of the first."""
        if self.processes > 1:
            with torch.no_grad():
                for tensor in model.state_dict().values():
                    tensor.copy_(broadcast(tensor.clone()))

    def average(self, tensors: Iterable[Tensor]) -> None:
        """Replace tensors by their mean over the processes, in one message; used on gradients.

        Not DistributedDataParallel, which sees a model's `forward` only: tasks may call what they like.
        """
        if self.processes == 1:
            return
        tensors = list(tensors)
        flat = self.accelerator.reduce(torch.cat([t.flatten() for t in tensors]), reduction="mean")
        for tensor, part in zip(tensors, flat.split([t.numel() for t in tensors]), strict=True):
            tensor.copy_(part.view_as(tensor))

    def gather(self, carry: Any) -> Any:
        """Every process's carried tensors, joined along their first axis; for saving."""
        return self.accelerator.gather(carry) if self.processes > 1 else carry

    def mine(self, tensor: Tensor) -> Tensor:
        """This process's part of what `gather` joined."""
        return tensor.chunk(self.processes)[self.accelerator.process_index].to(self.device)

    def reseed(self, seed: int, step: int) -> None:
        """Make this step's randomness (dropout) a function of seed and step, so that resuming repeats it."""
        number = (seed * 1_000_003 + step) * 64 + self.accelerator.process_index
        torch.default_generator.manual_seed(number)
        if self.device.type == "cuda":
            torch.cuda.manual_seed(number)
        elif self.device.type == "mps":
            torch.mps.manual_seed(number)

    @contextmanager
    def at_work(self, threads: int | None) -> Iterator[None]:
        """Set the CPU threads, and put them and torch's generators (CPU and CUDA) back afterwards."""
        before = torch.get_num_threads()
        with torch.random.fork_rng([self.device] if self.device.type == "cuda" else []):
            torch.set_num_threads(threads or before)
            try:
                yield
            finally:
                torch.set_num_threads(before)
