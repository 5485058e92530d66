"""How an LSTM cell may be wired: its gates, its two activations, coupling and peepholes, and Greff's names.

The names are those of Greff et al. (2017), "LSTM: A Search Space Odyssey" (arXiv 1503.04069), section IV-C;
every variant differs from their vanilla LSTM, V, which has peepholes, in one thing. Full gate recurrence
(FGR) is left out: it adds nine more matrices, and no hoisting helps it.
"""

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from lessons.arguments import check_fields
from lessons.errors import LessonError
from lessons.loop import See, State

ACTIVATIONS = {"tanh": torch.tanh, "sigmoid": torch.sigmoid, "identity": lambda v: v}

VARIANTS: dict[str, dict[str, Any]] = {
    "V": {"peepholes": True},
    "NIG": {"peepholes": True, "input_gate": False},
    "NFG": {"peepholes": True, "forget_gate": False},
    "NOG": {"peepholes": True, "output_gate": False},
    "NIAF": {"peepholes": True, "input_activation": "identity"},
    "NOAF": {"peepholes": True, "output_activation": "identity"},
    "CIFG": {"peepholes": True, "coupled": True},
    "NP": {},
}


@dataclass(frozen=True)
class Wiring:
    """What an LSTM cell has. A gate that is missing stands open: it is 1.

    coupled: f = 1 - i, so that the cell forgets as much as it takes in. peepholes: each gate also sees its
    own unit's cell, i and f the old one, o the new one (Gers and Schmidhuber 2000). Raises LessonError for a
    wiring that cannot be.
    """

    input_gate: bool = True
    forget_gate: bool = True
    output_gate: bool = True
    input_activation: str = "tanh"
    output_activation: str = "tanh"
    coupled: bool = False
    peepholes: bool = False

    def __post_init__(self) -> None:
        check_fields(self)
        if self.coupled and not (self.input_gate and self.forget_gate):
            raise LessonError(
                "coupled=True makes f = 1 - i, so it needs both gates; leave input_gate and forget_gate on."
            )
        if self.peepholes and self.rows == ("g",):
            raise LessonError("peepholes=True needs a gate to look through; leave at least one gate on.")
        for name, allowed in (
            ("input_activation", ("tanh", "identity", "sigmoid")),
            ("output_activation", ("tanh", "identity")),
        ):
            if getattr(self, name) not in allowed:
                raise LessonError(f"{name} is one of {', '.join(allowed)}; {getattr(self, name)!r} is not.")

    @property
    def rows(self) -> tuple[str, ...]:
        """The blocks of rows in the weights, in torch's order i f g o without those that are missing."""
        has = {
            "i": self.input_gate,
            "f": self.forget_gate and not self.coupled,
            "g": True,
            "o": self.output_gate,
        }
        return tuple(name for name in "ifgo" if has[name])

    @property
    def peeping(self) -> tuple[str, ...]:
        """The gates that see the cell, in the order of the rows of `weight_peephole`."""
        return tuple(name for name in self.rows if name != "g") if self.peepholes else ()

    @property
    def plain(self) -> bool:
        """Whether this is the LSTM that torch has a kernel for."""
        return self == Wiring()

    def place(self, name: str, hidden: int) -> slice | None:
        """The rows of a gate; None where it has none."""
        if name not in self.rows:
            return None
        start = self.rows.index(name) * hidden
        return slice(start, start + hidden)


class WiredCell:
    """A cell of any wiring in the loop, as its equations stand: readable, differentiable, not the fastest.

    `weights` are weight_ih, weight_hh, then bias_ih and bias_hh if there are any, then weight_peephole if
    there are peepholes. Every gate is shown to `see`, a missing one as ones.
    """

    states = ("h", "c")

    def __init__(self, wiring: Wiring, *weights: Tensor) -> None:
        self.wiring = wiring
        self.weight_ih, self.recurrent, self.bias, peephole = arrange(wiring, weights)
        self.peephole = {} if peephole is None else dict(zip(wiring.peeping, peephole, strict=True))

    def hoist(self, x: Float[Tensor, "time batch input"]) -> Float[Tensor, "time batch rows"]:
        """W_ih x + b, the gates side by side."""
        return functional.linear(x, self.weight_ih, self.bias)

    def step(self, from_x: Float[Tensor, "batch rows"], state: State, see: See) -> State:
        """The next (h, c)."""
        wiring, (h, c) = self.wiring, state
        total = torch.addmm(from_x, h, self.recurrent.t()).chunk(len(wiring.rows), 1)
        total = dict(zip(wiring.rows, total, strict=True))
        i = see("i", self._gate("i", total, c))
        f = see("f", 1 - i if wiring.coupled else self._gate("f", total, c))
        g = see("g", ACTIVATIONS[wiring.input_activation](total["g"]))
        c = see("c", f * c + i * g)
        o = see("o", self._gate("o", total, c))
        return see("h", o * ACTIVATIONS[wiring.output_activation](c)), c

    def _gate(self, name: str, total: dict[str, Tensor], c: Tensor) -> Float[Tensor, "batch hidden"]:
        if name not in total:
            return torch.ones_like(c)
        if name in self.peephole:
            return torch.sigmoid(total[name] + self.peephole[name] * c)
        return torch.sigmoid(total[name])


def arrange(
    wiring: Wiring, weights: tuple[Tensor, ...]
) -> tuple[Tensor, Tensor, Tensor | None, Tensor | None]:
    """A direction's weight_ih, weight_hh, sum of the biases and weight_peephole; None for what is missing."""
    weights = list(weights)
    peephole = weights.pop() if wiring.peeping else None
    bias = weights[2] + weights[3] if len(weights) > 2 else None
    return weights[0], weights[1], bias, peephole
