"""What leaving torch's kernel costs: training steps of LSTM variants beside the fused LSTM's, in one run.

`python -m benchmarks.lstm_variants`; it ends with status 1 if a limit is not kept.
"""

import sys
from collections.abc import Callable

import torch
from torch import Tensor, nn

from benchmarks.timing import compare
from lessons.lstm_variants import VARIANTS, ResetBeforeGRU, VariantLSTM

LIMITS = {(64, 32, 128): 2.5, (512, 16, 64): 4.0}  # (T, B, H) and the most that a variant may cost
LAYERS: dict[str, Callable[[int], nn.Module]] = {
    "peepholes": lambda hidden: VariantLSTM(hidden, hidden, peepholes=True),
    "coupled": lambda hidden: VariantLSTM(hidden, hidden, coupled=True),
    **{
        name: lambda hidden, options=options: VariantLSTM(hidden, hidden, **options)
        for name, options in VARIANTS.items()
    },
    "reset-before GRU": lambda hidden: ResetBeforeGRU(hidden, hidden),
}


def training_step(layer: nn.Module, x: Tensor, grad: Tensor) -> Callable[[], object]:
    """Forward and backward pass of a layer, as a call without arguments."""
    weights = list(layer.parameters())
    return lambda: torch.autograd.grad(layer(x)[0], weights, grad)


def measure(size: tuple[int, int, int], rounds: int = 9) -> dict[str, float]:
    """Seconds of a training step of every layer, the fused LSTM's under "fused"."""
    torch.manual_seed(0)
    x, grad = torch.randn(2, *size)
    layers = {"fused": nn.LSTM(size[2], size[2])}
    layers |= {name: make(size[2]) for name, make in LAYERS.items()}
    return compare({name: training_step(layer, x, grad) for name, layer in layers.items()}, rounds)


def main() -> bool:
    """Print one table per size; whether all limits hold."""
    torch.set_num_threads(1)
    kept = True
    for size, limit in LIMITS.items():
        seconds = measure(size)
        print(f"\n(T, B, H) = {size}, one thread, limit {limit} x\n")
        print("| layer | ms | x fused LSTM | |\n|---|---|---|---|")
        for name, time in seconds.items():
            ratio = time / seconds["fused"]
            kept &= ratio <= limit
            print(f"| {name} | {1000 * time:.2f} | {ratio:.2f} | {'' if ratio <= limit else 'over'} |")
    return kept


if __name__ == "__main__":
    sys.exit(not main())
