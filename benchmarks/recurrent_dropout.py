"""What each kind of dropout costs: training steps beside the same layer without it, in one run.

Kinds that keep the fused kernel have one limit, kinds that need the loop another. On the CPU only the LSTM
is fused; the GRU's usual way is the closed form, which is a loop itself.
`python -m benchmarks recurrent_dropout`
"""

import sys
from collections.abc import Callable

import torch
from torch import Tensor, nn

from benchmarks.timing import compare
from lessons.dropouts import Dropouts
from lessons.recurrent import GRU, LSTM
from lessons.recurrent_dropout import COSTS

LIMITS = {  # (T, B, H): the most that a kind may cost on the kernel, and in the loop
    (64, 32, 128): {"fused": 2.0, "loop": 7.0},
    (512, 16, 64): {"fused": 2.5, "loop": 12.0},
}
GRUS = {name: kind for name, kind in COSTS.items() if not kind.zoneout_c}


def training_step(layer: nn.Module, x: Tensor, grad: Tensor) -> Callable[[], object]:
    """Forward and backward pass of a layer, as a call without arguments."""
    weights = list(layer.parameters())
    return lambda: torch.autograd.grad(layer(x)[0], weights, grad)


def measure(
    make: type[nn.Module], kinds: dict[str, Dropouts], size: tuple[int, int, int], rounds: int = 9
) -> dict[str, float]:
    """Seconds of a training step with every kind, that without dropout under "none"."""
    torch.manual_seed(0)
    x, grad = torch.randn(2, *size)
    layers = {name: make(size[2], size[2], dropouts=kind) for name, kind in {"none": None, **kinds}.items()}
    return compare({name: training_step(layer, x, grad) for name, layer in layers.items()}, rounds)


def main() -> bool:
    """Print one table per layer and size; whether all limits hold."""
    torch.set_num_threads(1)
    kept = True
    for make, kinds in ((LSTM, COSTS), (GRU, GRUS)):
        for size, limits in LIMITS.items():
            seconds = measure(make, kinds, size)
            print(f"\n{make.__name__}, (T, B, H) = {size}, one thread\n")
            print("| dropout | kernel | ms | x none | limit | |\n|---|---|---|---|---|---|")
            print(f"| none | fused | {1000 * seconds['none']:.2f} | 1.00 | | |")
            for name, kind in kinds.items():
                ratio, limit = seconds[name] / seconds["none"], limits[kind.kernel]
                kept &= ratio <= limit
                over = "" if ratio <= limit else "over"
                told = f"{1000 * seconds[name]:.2f} | {ratio:.2f} | {limit} | {over}"
                print(f"| {name} | {kind.kernel} | {told} |")
    return kept


if __name__ == "__main__":
    sys.exit(not main())
