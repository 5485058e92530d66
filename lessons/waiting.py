"""Who has to wait for whom: output-to-hidden (Jordan 1986) and hidden-to-hidden recurrence (Elman 1990)."""

import time
from collections.abc import Callable, Sequence
from statistics import median

import torch
from jaxtyping import Float
from torch import Tensor, nn

from lessons.arguments import Count, explained
from lessons.decoder import cell_of
from lessons.errors import LessonError
from lessons.jordan import Jordan
from lessons.loop import loop
from lessons.recurrent import RNN

JORDAN, ELMAN = "Jordan", "Elman"
TRUTH, OWN = "the truth", "its own output"
ONE_PASS, IN_STEPS = "in one pass", "step by step"


@explained
def ticks(kind: str, fed: str, steps: Count) -> list[tuple[int, int]]:
    """When each step's hidden layer and output can be there, at a tick each: (h_t, y_t) for all t.

    With its inputs known, Jordan's hidden layer waits for nothing, Elman's for the one before. With its own
    output as the next input, either waits for the output before. Raises LessonError for unknown words.
    """
    if kind not in (JORDAN, ELMAN) or fed not in (TRUTH, OWN):
        raise LessonError(
            f"A network is {JORDAN!r} or {ELMAN!r}, fed {TRUTH!r} or {OWN!r}; {kind!r}, {fed!r} is not."
        )
    apart = {TRUTH: 1, OWN: 2}[fed] if kind == ELMAN or fed == OWN else 0
    return [(1 + apart * t, 2 + apart * t) for t in range(steps)]


@explained
def stepwise(layer: Jordan | RNN, x: Float[Tensor, "batch time input"]) -> Float[Tensor, "batch time hidden"]:
    """A layer's h at every step, one step after the other, as it must be when x_t is the output before."""
    cell = cell_of(layer)
    start = x.new_zeros(len(x), layer.hidden_size)
    h, _ = loop(cell, x.transpose(0, 1), (start,) * len(cell.states))
    return h.transpose(0, 1)


@explained
def gradients(run: Callable[[Tensor], Tensor], layer: nn.Module, x: Tensor) -> dict[str, Tensor]:
    """The gradients of a layer's weights for the loss Σ h² / 2 of what `run(x)` returns, by name."""
    loss = run(x).square().sum() / 2
    found = torch.autograd.grad(loss, list(layer.parameters()))
    return dict(zip(dict(layer.named_parameters()), found, strict=True))


@explained
def seconds(
    lengths: Sequence[Count] = (16, 32, 64, 128),
    hidden: Count = 64,
    batch: Count = 32,
    rounds: Count = 5,
    device: torch.device | str | None = None,
) -> dict[str, list[float]]:
    """Seconds of a pass with all its gradients, by the length of the sequence: medians, all taking turns."""
    jordan = Jordan(hidden, hidden, decay=0.5, device=device, dtype=torch.float32)
    elman = RNN(hidden, hidden, batch_first=True, device=device, dtype=torch.float32)
    runs: dict[str, tuple[nn.Module, Callable[[Tensor], Tensor]]] = {
        f"{JORDAN} {ONE_PASS}": (jordan, lambda x: jordan(x)[0]),
        f"{JORDAN} {IN_STEPS}": (jordan, lambda x: stepwise(jordan, x)),
        f"{ELMAN} {IN_STEPS}": (elman, lambda x: stepwise(elman, x)),
    }
    found: dict[str, list[float]] = {name: [] for name in runs}
    for length in lengths:
        x = torch.randn(batch, length, hidden, device=device, dtype=torch.float32)
        taken: dict[str, list[float]] = {name: [] for name in runs}
        for _ in range(rounds + 1):
            for name, (layer, run) in runs.items():
                begun = time.perf_counter()
                sum(float(part.sum()) for part in gradients(run, layer, x).values())  # waits for the device
                taken[name].append(time.perf_counter() - begun)
        for name, times in taken.items():
            found[name].append(median(times[1:]))
    return found
