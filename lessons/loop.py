"""The one loop over time, for every cell that no kernel knows, and for runs in which something is changed.

A cell plugs in with two methods. `hoist` does for all steps at once whatever does not need the state (the
input product above all). `step` does the rest for one step, and shows each quantity that it computes to
`see`, by name: that is how a trace records it and how an intervention replaces it.
"""

from collections.abc import Callable
from functools import partial
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

from lessons import padding

State = tuple[Tensor, ...]
See = Callable[[str, Tensor], Tensor]
Observer = Callable[[int, str, Tensor], Tensor]


@runtime_checkable
class Cell(Protocol):
    """What the loop needs of a cell. `states` names the parts of its state; the first is the output."""

    states: tuple[str, ...]

    def hoist(self, x: Float[Tensor, "time batch input"]) -> Float[Tensor, "time batch rows"]:
        """All that can be computed before the first step, for all steps."""
        ...

    def step(self, from_x: Float[Tensor, "batch rows"], state: State, see: See) -> State:
        """The next state; every quantity passes through `see(name, value)`, which may change it."""
        ...


def loop(
    cell: Cell,
    x: Float[Tensor, "time batch input"],
    state: State,
    lengths: Tensor | None = None,
    backward: bool = False,
    see: Observer | None = None,
) -> tuple[Float[Tensor, "time batch hidden"], State]:
    """Run a cell over time; returns its output at every step and its state after the last.

    With `lengths`, a sequence keeps its state through its padding and its output there is zero; `backward`
    starts each sequence at its own end. `see(step, name, value)` returns the value to go on with. Outputs
    are stacked once at the end: T small copies less than filling a tensor step by step, and differentiable.
    """
    alive = None if lengths is None else ~padding.beyond(lengths, x.shape[0])
    inputs = cell.hoist(x).unbind(0)
    outputs = [state[0]] * len(inputs)
    for t in reversed(range(len(inputs))) if backward else range(len(inputs)):
        after = cell.step(inputs[t], state, unseen if see is None else partial(see, t))
        if alive is not None:
            after = tuple(kept_past_end(alive[t], *parts) for parts in zip(after, state, strict=True))
        state, outputs[t] = after, after[0]
    return padding.blank(torch.stack(outputs), lengths), state


def kept_past_end(alive: Bool[Tensor, "batch 1"], new: Tensor, old: Tensor) -> Tensor:
    """A part of the state, (B, ...): the new one where a sequence goes on, the old one past its end."""
    return torch.where(alive.view(-1, *[1] * (new.dim() - 1)), new, old)


def unseen(name: str, value: Tensor) -> Tensor:
    """The observer that neither keeps nor changes anything."""
    return value


def add_product(
    total: Float[Tensor, "*batch rows"],
    h: Float[Tensor, "batch hidden"],
    recurrent: Float[Tensor, "hidden rows"],
    mask: Float[Tensor, "#batch hidden"] | Float[Tensor, "#batch gates hidden"] | None = None,
) -> Float[Tensor, "batch rows"]:
    """total + W h. W (transposed) sees h through a mask, or each gate's rows through their own."""
    if mask is None or mask.dim() == 2:
        return torch.addmm(total, h if mask is None else h * mask, recurrent)
    blocks = recurrent.unflatten(1, (mask.shape[1], -1)).transpose(0, 1)
    products = torch.bmm((h[:, None] * mask).transpose(0, 1), blocks)
    return total + products.transpose(0, 1).flatten(1)


class LSTMCell:
    """The LSTM in the loop. Its equations are those of lessons.cells.lstm_step."""

    states = ("h", "c")

    def __init__(self, weight_ih: Tensor, weight_hh: Tensor, bias_ih: Tensor | None = None, bias_hh=None):
        self.weight_ih, self.recurrent = weight_ih, weight_hh.T
        self.bias = None if bias_ih is None else bias_ih + bias_hh

    def hoist(self, x: Float[Tensor, "time batch input"]) -> Float[Tensor, "time batch rows"]:
        """W_ih x + b, the four gates side by side."""
        return functional.linear(x, self.weight_ih, self.bias)

    def step(
        self, from_x: Float[Tensor, "batch rows"], state: State, see: See, mask: Tensor | None = None
    ) -> State:
        """The next (h, c); with a mask, the recurrent product sees h through it (see `add_product`)."""
        h, c = state
        i, f, g, o = add_product(from_x, h, self.recurrent, mask).chunk(4, dim=1)
        i, f = see("i", torch.sigmoid(i)), see("f", torch.sigmoid(f))
        g, o = see("g", torch.tanh(g)), see("o", torch.sigmoid(o))
        c = see("c", f * c + i * g)
        return see("h", o * torch.tanh(c)), c


class GRUCell:
    """The GRU in the loop. Its equations are those of lessons.cells.gru_step."""

    states = ("h",)

    def __init__(self, weight_ih: Tensor, weight_hh: Tensor, bias_ih: Tensor | None = None, bias_hh=None):
        self.weight_ih, self.recurrent, self.bias_ih = weight_ih, weight_hh.T, bias_ih
        self.bias_hh = weight_hh.new_zeros(len(weight_hh)) if bias_hh is None else bias_hh

    def hoist(self, x: Float[Tensor, "time batch input"]) -> Float[Tensor, "time batch rows"]:
        """W_ih x + b_ih, the three gates side by side."""
        return functional.linear(x, self.weight_ih, self.bias_ih)

    def step(
        self, from_x: Float[Tensor, "batch rows"], state: State, see: See, mask: Tensor | None = None
    ) -> State:
        """The next (h,); what z keeps of h is not masked."""
        (h,) = state
        x_r, x_z, x_n = from_x.chunk(3, dim=1)
        h_r, h_z, q = add_product(self.bias_hh, h, self.recurrent, mask).chunk(3, dim=1)
        r, z, q = see("r", torch.sigmoid(x_r + h_r)), see("z", torch.sigmoid(x_z + h_z)), see("q", q)
        n = see("n", torch.tanh(x_n + r * q))
        return (see("h", torch.lerp(n, h.to(n.dtype), z)),)


class RNNCell:
    """The Elman network in the loop; `activation` is torch.tanh or torch.relu."""

    states = ("h",)

    def __init__(
        self,
        weight_ih: Tensor,
        weight_hh: Tensor,
        bias_ih: Tensor | None = None,
        bias_hh=None,
        activation=torch.tanh,
    ):
        self.weight_ih, self.recurrent, self.activation = weight_ih, weight_hh.T, activation
        self.bias = None if bias_ih is None else bias_ih + bias_hh

    def hoist(self, x: Float[Tensor, "time batch input"]) -> Float[Tensor, "time batch rows"]:
        """W_ih x + b."""
        return functional.linear(x, self.weight_ih, self.bias)

    def step(
        self, from_x: Float[Tensor, "batch rows"], state: State, see: See, mask: Tensor | None = None
    ) -> State:
        """The next (h,)."""
        return (see("h", self.activation(add_product(from_x, state[0], self.recurrent, mask))),)


CELLS: dict[str, Callable[..., Cell]] = {
    "LSTM": LSTMCell,
    "GRU": GRUCell,
    "RNN_TANH": RNNCell,
    "RNN_RELU": partial(RNNCell, activation=torch.relu),
}
