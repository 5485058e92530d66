"""LSTMs with gates taken out or coupled, activations changed, peepholes put in; and the GRU of Cho's paper.

Both layers take what torch.nn's take, and `lengths=`. Their weights have torch's names and order of rows,
without the rows of gates that are missing; peepholes are in `weight_peephole_l0`, one row a gate in the order
i f o.
"""

from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from lessons import adjoint, padding, reset_before
from lessons import wired_closed_form as wired
from lessons.arguments import explained
from lessons.errors import LessonError
from lessons.loop import Cell
from lessons.recurrent import GRU, LSTM, State, weights
from lessons.wiring import VARIANTS, WiredCell, Wiring

__all__ = ["VARIANTS", "ResetBeforeGRU", "VariantLSTM", "Wiring", "variant"]

Lengths = Int[Tensor, " batch"] | None
Rows = dict[str, Tensor]


class VariantLSTM(LSTM):
    """An LSTM of any wiring; with all options at their defaults it is lessons.recurrent.LSTM.

    input_gate, forget_gate, output_gate: False leaves the gate out, open (1) for ever.
    input_activation: what the candidate g passes through, "tanh", "identity" or "sigmoid".
    output_activation: what the cell passes through on its way out, "tanh" or "identity".
    coupled: f = 1 - i, one gate less. peepholes: the gates see the cell too.
    forget_bias: where forgetting starts; with coupled gates the input gate starts at minus that, which is
        the same. Without biases or a forget gate there is nothing to set, and it is left aside. None leaves
        torch's draw.
    Raises LessonError for options that contradict each other.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device=None,
        dtype=None,
        *,
        forget_bias: float | int | None = 1.0,
        **options: Any,
    ):
        try:
            self.wiring = Wiring(**options)
        except TypeError as error:
            raise LessonError(
                f"{', '.join(options)} are not all options of a VariantLSTM; it has "
                f"{', '.join(Wiring.__dataclass_fields__)}."
            ) from error
        self.looped = not self.wiring.plain
        known = bias and self.wiring.forget_gate
        shape = (input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, 0)
        super().__init__(*shape, device, dtype, forget_bias=forget_bias if known else None)
        if self.looped:
            self._rewire(device, dtype)

    def _rewire(self, device, dtype) -> None:
        """Weights with the rows that this wiring has, drawn again."""
        rows = len(self.wiring.rows) * self.hidden_size
        place = {"device": device, "dtype": dtype}
        for names in self._all_weights:
            for name in names:
                shape = (rows, *getattr(self, name).shape[1:])
                setattr(self, name, nn.Parameter(torch.empty(shape, **place)))
            if self.wiring.peeping:
                names.append(names[0].replace("weight_ih", "weight_peephole"))
                shape = (len(self.wiring.peeping), self.hidden_size)
                setattr(self, names[-1], nn.Parameter(torch.empty(shape, **place)))
        self.reset_parameters()

    @explained
    @torch.no_grad()
    def set_forget_bias(self, value: float | int) -> None:
        """Make forgetting start at f = sigmoid(value) in every layer and direction, whatever the wiring.

        Raises LessonError where there is no forget gate or no bias.
        """
        if not (self.bias and self.wiring.forget_gate):
            raise LessonError("This LSTM has no forget gate with a bias, so there is no forget bias to set.")
        coupled = self.wiring.coupled
        place = self.wiring.place("i" if coupled else "f", self.hidden_size)
        for name, parameter in self.named_parameters():
            if name.startswith("bias_"):
                start = -value if coupled else value
                parameter[place] = start if name.startswith("bias_ih") else 0.0

    def flatten_parameters(self) -> None:
        """Lay the weights out for cuDNN, which runs the plain wiring only."""
        if not self.looped:
            super().flatten_parameters()

    def cell(self, index: int, direction: int) -> Cell:
        """A layer's cell in one direction, for lessons.loop."""
        return WiredCell(self.wiring, *weights(self, index, direction))

    def direction(
        self, x: Float[Tensor, "time batch input"], state: State, index: int, direction: int, lengths: Lengths
    ) -> tuple[Float[Tensor, "time batch hidden"], State]:
        """One layer in one direction: its output and its final state."""
        if not self.looped:
            return super().direction(x, state, index, direction, lengths)
        own = weights(self, index, direction)

        def run(x: Tensor, backward: bool) -> State:
            return wired.run(self.wiring, x, state, own, backward)[:2]

        return within_lengths(run, x, lengths, direction == 1)

    def adjoint(
        self, grad: Tensor, rows: Rows, start: Rows, index: int, direction: int, lengths: Lengths
    ) -> adjoint.LSTM:
        """dL/dh_t and dL/dc_t of a traced layer, for lessons.gradients; `grad` is dL/dy_t, time first."""
        along, weight_hh = self._slopes(rows, start, index, direction, lengths)
        return wired.travel_back(self.wiring, grad, along, weight_hh, lengths, direction == 1)

    def jacobians(self, rows: Rows, start: Rows, index: int, direction: int) -> Float[Tensor, "time to from"]:
        """d(h, c) / d(h, c before) at every step of one traced sequence."""
        along, weight_hh = self._slopes(rows, start, index, direction, None)
        return wired.jacobians(self.wiring, along, weight_hh)

    def _slopes(
        self, rows: Rows, start: Rows, index: int, direction: int, lengths: Lengths
    ) -> tuple[wired.Slopes, Tensor]:
        own = weights(self, index, direction)
        peephole = own[-1] if self.wiring.peeping else None
        along = wired.from_trace(self.wiring, rows, start["c"], peephole, lengths, direction == 1)
        return along, own[1]

    def extra_repr(self) -> str:
        """torch's line, and what is unlike the plain LSTM."""
        plain = Wiring()
        odd = {name: value for name, value in vars(self.wiring).items() if value != getattr(plain, name)}
        return ", ".join([super().extra_repr(), *(f"{name}={value}" for name, value in odd.items())])


class ResetBeforeGRU(GRU):
    """The GRU as in Cho et al. (2014), equation 8: the reset gate multiplies h before its matrix product.

    n = tanh(W_in x + b_in + W_hn (r h) + b_hn), where torch and cuDNN have r (W_hn h + b_hn). Weights and
    their names are those of torch.nn.GRU; the same numbers mean another network.
    """

    looped = True

    def flatten_parameters(self) -> None:
        """cuDNN does not know this cell, so its layout is left alone."""

    def cell(self, index: int, direction: int) -> Cell:
        """A layer's cell in one direction, for lessons.loop."""
        return reset_before.ResetBeforeCell(*weights(self, index, direction))

    def direction(
        self, x: Float[Tensor, "time batch input"], state: State, index: int, direction: int, lengths: Lengths
    ) -> tuple[Float[Tensor, "time batch hidden"], State]:
        """One layer in one direction: its output and its final state."""
        own = weights(self, index, direction)

        def run(x: Tensor, backward: bool) -> State:
            return (reset_before.run(x, state[0], own, backward),)

        return within_lengths(run, x, lengths, direction == 1)

    def adjoint(
        self, grad: Tensor, rows: Rows, start: Rows, index: int, direction: int, lengths: Lengths
    ) -> reset_before.Adjoint:
        """dL/dh_t of a traced layer, for lessons.gradients; `grad` is dL/dy_t, time first."""
        gates, before = reset_before.from_trace(rows, start["h"], lengths, direction == 1)
        weight_hh = weights(self, index, direction)[1]
        return reset_before.travel_back(grad, gates, before, weight_hh, lengths, direction == 1)

    def jacobians(self, rows: Rows, start: Rows, index: int, direction: int) -> Float[Tensor, "time to from"]:
        """dh / d(h before) at every step of one traced sequence."""
        gates, before = reset_before.from_trace(rows, start["h"], None, direction == 1)
        return reset_before.jacobians(gates, before, weights(self, index, direction)[1])


def within_lengths(
    run, x: Float[Tensor, "time batch input"], lengths: Lengths, backward: bool
) -> tuple[Float[Tensor, "time batch hidden"], State]:
    """Run a direction so that each sequence ends, or backward begins, at its own length.

    `run(x, backward)` gives the parts of the state at all steps, h first. Returns h, zero past the end, and
    the state after each sequence's last step.
    """
    if lengths is None:
        parts = run(x, backward)
        return parts[0], tuple(part[0 if backward else -1] for part in parts)
    parts = run(padding.reverse(x, lengths) if backward else x, False)
    final = tuple(padding.last(part, lengths) for part in parts)
    h = padding.blank(parts[0], lengths)
    return padding.reverse(h, lengths) if backward else h, final


@explained
def variant(name: str, input_size: int, hidden_size: int, *args: Any, **options: Any) -> VariantLSTM:
    """The LSTM that Greff et al. (2017) call `name`; other arguments as VariantLSTM has them."""
    if name not in VARIANTS:
        raise LessonError(f"There is no variant {name!r}; Greff's are {', '.join(VARIANTS)}.")
    return VariantLSTM(input_size, hidden_size, *args, **{**VARIANTS[name], **options})
