"""What a loss sends to the states of cells whose adjoint is not written out: autograd, through the loop.

A zero is added to every part of the state that a step shows. The gradient with respect to that zero is the
total derivative with respect to the state there, everything that comes back through time included.
"""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from lessons.later import Floor, Later
from lessons.loop import State, loop

Lengths = Any
Rows = tuple[tuple[dict[str, Tensor], ...], ...]


class Probes:
    """An observer for lessons.loop that adds a zero to the parts of a layer's state, and keeps the zeros."""

    def __init__(self, layer: Floor, start: State) -> None:
        self.start = dict(zip(layer.states, start, strict=True))
        self.added: dict[str, list[Tensor]] = {}

    def __call__(self, step: int, name: str, value: Tensor) -> Tensor:
        if name not in self.start:
            return value
        self.added.setdefault(name, []).append(torch.zeros_like(value, requires_grad=True))
        return value + self.added[name][-1]


@torch.enable_grad()
def flow(
    stack: Later,
    x: Float[Tensor, "time batch input"],
    grad: Float[Tensor, "time batch hidden"],
    state: Tensor | State | None = None,
    lengths: Lengths = None,
) -> tuple[Rows, Rows, Float[Tensor, "batch time input"]]:
    """The gradients of all states (B, T, ·), of those before the first step (B, ·), and of the input.

    grad: what the loss sends to the top layer's output directly.
    """
    read = below = x.detach().requires_grad_()
    seen = []
    for layer, start in zip(stack.layers, stack.starts(x.shape[1], state), strict=True):
        probes = Probes(layer, tuple(part.detach().requires_grad_() for part in start))
        below, _ = loop(layer, below, tuple(probes.start.values()), lengths, see=probes)
        seen.append(probes)
    leaves = [read]
    for probes in seen:
        leaves += [zero for zeros in probes.added.values() for zero in zeros]
        leaves += [probes.start[name] for name in probes.added]
    found = iter(torch.autograd.grad(below, leaves, grad, allow_unused=True, materialize_grads=True))
    into_input, layers, initial = next(found).transpose(0, 1), [], []
    for probes in seen:
        steps = {name: [next(found) for _ in zeros] for name, zeros in probes.added.items()}
        layers.append(({name: torch.stack(rows, 1).flatten(2) for name, rows in steps.items()},))
        initial.append(({name: next(found).flatten(1) for name in probes.added},))
    return tuple(layers), tuple(initial), into_input
