"""Where training starts: forget biases, chrono biases, and recurrent matrices that keep a state alive.

Every function changes a layer in place, in all layers and directions, and returns it. Blocks of one gate are
treated as matrices of their own. What is no recurrent layer, and numbers that are none, raise LessonError.
"""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from lessons.arguments import explained
from lessons.errors import LessonError

Number = float | int


@explained
@torch.no_grad()
def forget_bias(layer: nn.RNNBase, value: Number = 1.0) -> nn.RNNBase:
    """Let an LSTM's forget gates start at sigmoid(value); Jozefowicz et al. (2015) advise 1."""
    if not hasattr(layer, "set_forget_bias"):
        raise LessonError("Only an LSTM of lessons has a forget bias to set.")
    layer.set_forget_bias(value)
    return layer


@explained
@torch.no_grad()
def chrono(layer: nn.RNNBase, longest: Number, generator: torch.Generator | None = None) -> nn.RNNBase:
    """Chrono initialisation: Tallec and Ollivier (2018), "Can Recurrent Neural Networks Warp Time?".

    Each unit gets a time scale between 1 and `longest` - 1 steps: b_f = log u with u uniform there, and
    b_i = -b_f. A GRU's z keeps the state as f does, so b_z is drawn as b_f is (torch's z is one minus the
    paper's).
    """
    if longest < 3:
        raise LessonError(f"chrono needs a longest dependency of at least 3 steps, not {longest}.")
    for bias_ih, bias_hh in biases(layer):
        scale = torch.empty(layer.hidden_size, dtype=torch.float64, device="cpu")
        bias = scale.uniform_(1, longest - 1, generator=generator).log_().to(bias_ih)
        for place, start in time_gates(layer, bias):
            bias_ih[place], bias_hh[place] = start, 0.0
    return layer


def time_gates(layer: nn.RNNBase, bias: Tensor) -> list[tuple[slice, Tensor]]:
    """Which rows of the biases decide how long a unit remembers, and what they get."""
    hidden = layer.hidden_size
    if layer.mode == "GRU":
        return [(slice(hidden, 2 * hidden), bias)]
    if layer.mode != "LSTM":
        raise LessonError("chrono sets the gates' biases; an Elman network has no gates.")
    wiring = getattr(layer, "wiring", None)
    if wiring is None:
        places = {"i": slice(0, hidden), "f": slice(hidden, 2 * hidden)}
    else:
        places = {name: wiring.place(name, hidden) for name in "if"}
    starts = {"i": -bias, "f": bias}
    return [(place, starts[name]) for name, place in places.items() if place is not None]


@explained
@torch.no_grad()
def orthogonal(layer: nn.RNNBase, gain: Number = 1.0) -> nn.RNNBase:
    """Random orthogonal recurrent matrices, times `gain`: every direction is kept at its length."""
    return each_block(layer, lambda block: nn.init.orthogonal_(block, gain))


@explained
@torch.no_grad()
def identity(layer: nn.RNNBase, scale: Number = 1.0) -> nn.RNNBase:
    """`scale` times the identity as recurrent matrix, biases zero (Le, Jaitly and Hinton 2015, section 2)."""
    for pair in biases(layer) if layer.bias else ():
        for bias in pair:
            bias.zero_()
    return each_block(layer, lambda block: nn.init.eye_(block).mul_(scale))


@explained
@torch.no_grad()
def spectral_radius(layer: nn.RNNBase, radius: Number = 1.0) -> nn.RNNBase:
    """Scale the recurrent matrices as they are so that their largest eigenvalue has this absolute value."""
    if radius < 0:
        raise LessonError(f"A spectral radius is at least 0; {radius} is not.")

    def scale(block: Tensor) -> None:
        now = float(torch.linalg.eigvals(block.double()).abs().max())
        if now == 0:
            raise LessonError("A recurrent matrix has spectral radius 0 and cannot be scaled to another.")
        block.mul_(radius / now)

    return each_block(layer, scale)


def each_block(layer: nn.RNNBase, change: Callable[[Tensor], Any]) -> nn.RNNBase:
    """Apply a change in place to every gate's recurrent matrix."""
    for names in layer._all_weights:
        for block in getattr(layer, names[1]).split(layer.hidden_size):
            change(block)
    return layer


def biases(layer: nn.RNNBase) -> list[tuple[Tensor, Tensor]]:
    """bias_ih and bias_hh of every layer and direction."""
    if not layer.bias:
        raise LessonError("This layer has no biases; build it with bias=True.")
    return [(getattr(layer, names[2]), getattr(layer, names[3])) for names in layer._all_weights]


STARTS: dict[str, Callable[..., nn.RNNBase]] = {
    "forget_bias": forget_bias,
    "chrono": chrono,
    "orthogonal": orthogonal,
    "identity": identity,
    "spectral_radius": spectral_radius,
}


@explained
def apply(layer: nn.RNNBase, starts: Mapping[str, Any]) -> nn.RNNBase:
    """Several of the above by name, each with its argument: {"orthogonal": 1.0, "chrono": 100}."""
    for name, argument in starts.items():
        if name not in STARTS:
            raise LessonError(f"There is no start {name!r}; there are {', '.join(STARTS)}.")
        STARTS[name](layer, argument)
    return layer
