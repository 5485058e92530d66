"""What seeing costs: traces, x-rays and gradients through time beside the fused layers they look into.

Every table row is measured in one run with its own baseline beside it. `python -m benchmarks.layers`
"""

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from benchmarks.timing import compare
from lessons import recurrent
from lessons.gradients import flow
from lessons.tracing import trace, xray

SIZES = ((64, 32, 128), (128, 64, 256), (512, 16, 64))
KINDS = {"LSTM": (nn.LSTM, recurrent.LSTM), "GRU": (nn.GRU, recurrent.GRU), "RNN": (nn.RNN, recurrent.RNN)}
LONG = (512, 16, 64)


@dataclass(frozen=True)
class Row:
    """One measured ratio, with the limit that it must keep (None: shown for comparison only)."""

    what: str
    against: str
    layer: str
    size: tuple[int, int, int]
    seconds: float
    ratio: float
    limit: float | None = None

    @property
    def ok(self) -> str:
        """Whether the limit holds."""
        return "" if self.limit is None else "yes" if self.ratio <= self.limit else "NO"


def rows(sizes=SIZES, depths=(1, 2), rounds: int = 9) -> Iterator[Row]:
    """All measurements, one size and depth after the other."""
    for size in sizes:
        for depth in depths:
            for kind in KINDS:
                yield from seeing(kind, size, depth, rounds)
                yield from training(kind, size, depth, rounds)
        for kind in KINDS:
            yield from seeing(kind, size, 1, rounds, both=True)
        yield from keras_beside(size, rounds)


def seeing(kind: str, size, depth: int, rounds: int, both: bool = False) -> Iterator[Row]:
    """A trace, its fused run included, beside the fused forward pass alone."""
    layer, x = made(KINDS[kind][0], size, depth, both), torch.randn(*size)
    times = compare({"forward": forward(layer, x), "trace": lambda: trace(layer, x)}, rounds)
    limit = 3.2 if both else 2.7 if kind == "LSTM" else 1.8
    name = f"{'Bi' if both else ''}{kind} x{depth}"
    yield row("trace", f"nn.{kind} forward", name, size, times, "trace", "forward", limit)


def training(kind: str, size, depth: int, rounds: int) -> Iterator[Row]:
    """Training steps: plain, closed form, with all gates, with all gradients through time on top."""
    theirs, ours = (made(which, size, depth) for which in KINDS[kind])
    x, weight = torch.randn(*size), torch.randn(*size)
    runs = {"step": step(theirs, x, weight), "gates": step_with_gates(ours, x, weight)}
    runs["flow"] = step_with_flow(ours, x, weight)
    if kind != "LSTM":
        runs["closed form"] = step(ours, x, weight)
    times = compare(runs, rounds)
    name, against = f"{kind} x{depth}", f"nn.{kind} training step"
    lstm, long = kind == "LSTM", size == LONG
    gates_limit, flow_limit = (1.3, 3.2 if long else 2.2) if lstm else (None, None)
    if not lstm:
        yield row(
            "training step, closed form",
            against,
            name,
            size,
            times,
            "closed form",
            "step",
            0.6 if long else 1.2,
        )
    yield row(
        "training step + all gates and states", against, name, size, times, "gates", "step", gates_limit
    )
    yield row("... + dL/dh, dL/dc at every step", against, name, size, times, "flow", "step", flow_limit)


def keras_beside(size, rounds: int) -> Iterator[Row]:
    """Keras layers on the torch backend beside torch's: forward and training step."""
    try:
        layers = keras_layers(size)
    except ImportError:
        return
    steps, batch, hidden = size
    x, weight = torch.randn(batch, steps, hidden), torch.randn(batch, steps, hidden)
    for kind, layer in layers.items():
        peer = KINDS[kind][1](hidden, hidden, batch_first=True)
        parameters = [variable.value for variable in layer.trainable_variables]
        times = compare(
            {
                "ours": step(peer, x, weight),
                "keras": lambda layer=layer, own=parameters: torch.autograd.grad(layer(x), own, weight),
            },
            max(3, rounds // 3),
        )
        yield row(
            "Keras (torch) training step",
            f"lessons {kind} training step",
            f"{kind} x1",
            size,
            times,
            "keras",
            "ours",
        )


def keras_layers(size) -> dict[str, Callable[[Tensor], Tensor]]:
    """Keras' three layers, built for this size."""
    import os

    os.environ["KERAS_BACKEND"] = "torch"
    import keras

    _, _, hidden = size
    kinds = {"LSTM": keras.layers.LSTM, "GRU": keras.layers.GRU, "RNN": keras.layers.SimpleRNN}
    layers = {name: kind(hidden, return_sequences=True) for name, kind in kinds.items()}
    for layer in layers.values():
        layer.build((None, None, hidden))
    return layers


def made(kind: type, size, depth: int, both: bool = False) -> nn.RNNBase:
    """A layer as wide as its input."""
    torch.manual_seed(0)
    return kind(size[2], size[2], depth, bidirectional=both)


def forward(layer: nn.RNNBase, x: Tensor) -> Callable[[], object]:
    """The fused forward pass, without gradients."""

    def run():
        with torch.no_grad():
            return layer(x)

    return run


def step(layer: nn.RNNBase, x: Tensor, weight: Tensor) -> Callable[[], object]:
    """Forward pass and gradients of all weights, for a loss whose gradient is `weight`."""
    parameters = list(layer.parameters())
    return lambda: torch.autograd.grad(layer(x)[0], parameters, weight)


def step_with_gates(layer: nn.RNNBase, x: Tensor, weight: Tensor) -> Callable[[], object]:
    """The same, with the gates and states of the whole batch read out of it."""
    parameters = list(layer.parameters())

    def run():
        output, _ = layer(x)
        seen = xray(output)
        return seen, torch.autograd.grad(output, parameters, weight)

    return run


def step_with_flow(layer: nn.RNNBase, x: Tensor, weight: Tensor) -> Callable[[], object]:
    """The same, with dL/dh_t and dL/dc_t for the whole batch on top."""
    gates = step_with_gates(layer, x, weight)

    def run():
        seen, grads = gates()
        return flow(layer, seen, weight), grads

    return run


def row(what: str, against: str, layer: str, size, times: dict, run: str, base: str, limit=None) -> Row:
    """A ratio of two medians."""
    return Row(what, against, layer, size, times[run], times[run] / times[base], limit)


def main() -> bool:
    """Measure and print a Markdown table; True when every limit holds."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.layers", description=__doc__)
    parser.add_argument(
        "--threads", type=int, default=1, help="1 judges by processor time, more by the clock"
    )
    parser.add_argument("--rounds", type=int, default=9, help="medians are taken over so many rounds")
    parser.add_argument("--size", type=int, choices=range(len(SIZES)), help="one of the sizes only")
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    sizes = SIZES if chosen.size is None else (SIZES[chosen.size],)
    print("| what | layer | T, B, H | ms | beside | ratio | limit | ok |\n|---|---|---|---|---|---|---|---|")
    good = True
    for one in rows(sizes, rounds=chosen.rounds):
        shape, limit = ", ".join(map(str, one.size)), "" if one.limit is None else f"{one.limit:.1f}"
        print(
            f"| {one.what} | {one.layer} | {shape} | {one.seconds * 1e3:.2f} | {one.against} "
            f"| {one.ratio:.2f} | {limit} | {one.ok} |",
            flush=True,
        )
        good &= one.ok != "NO"
    return good


if __name__ == "__main__":
    raise SystemExit(0 if main() else 1)
