"""A network that reads numbers and answers at the end, or at every step: recurrent layers and a readout."""

from functools import partial
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from lessons import initialisation, later_cells, padding
from lessons.arguments import Count, Share, explained
from lessons.errors import LessonError
from lessons.lstm_variants import VARIANTS, ResetBeforeGRU, VariantLSTM, variant
from lessons.recurrent import GRU, LSTM, RNN, Lengths, State

CELLS = {
    "rnn": RNN,
    "rnn_relu": partial(RNN, nonlinearity="relu"),
    "lstm": LSTM,
    "gru": GRU,
    "gru_reset_before": ResetBeforeGRU,
    "peephole": partial(VariantLSTM, peepholes=True),
    "coupled": partial(VariantLSTM, coupled=True),
    **{name: partial(variant, name) for name in VARIANTS},
}


class SequenceModel(nn.Module):
    """Recurrent layers named by their cell, and a linear readout of the top one.

    cell: a name in CELLS: "rnn" (Elman, tanh), "rnn_relu", "lstm", "gru", "gru_reset_before" (Cho et al.
        2014), "peephole", "coupled", a variant of Greff et al. (2017) such as "NFG", or one of
        lessons.later_cells, such as "minlstm".
    readout: "last" answers once, after each sequence's last step; "all" at every step.
    forget_bias: where the forget gates of an LSTM of any wiring start; None leaves torch's draw.
    initialise: other starts, names of lessons.initialisation with their arguments, in the order given:
        {"orthogonal": 1.0} or {"chrono": 100}.
    Raises LessonError for an unknown cell, readout or start, and for sizes that are no whole
    numbers above 0.
    """

    @explained
    def __init__(
        self,
        input_size: Count,
        output_size: Count,
        cell: str = "lstm",
        hidden_size: Count = 64,
        num_layers: Count = 1,
        readout: str = "last",
        forget_bias: float | int | None = 1.0,
        initialise: dict[str, Any] | None = None,
        dropout: Share = 0.0,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        kinds = {**CELLS, **later_cells.CELLS}
        if cell not in kinds:
            raise LessonError(f"The cell is one of {', '.join(kinds)}; {cell!r} is not.")
        if readout not in ("last", "all"):
            raise LessonError(f'readout is "last" or "all"; {readout!r} is neither.')
        if initialise and cell in later_cells.CELLS:
            raise LessonError(f"The starts of lessons.initialisation are not for {cell!r}; leave it out.")
        self.cell, self.at = cell, readout
        self.forget_bias, self.initialise = forget_bias, dict(initialise or {})
        place = {"device": device, "dtype": dtype}
        options = {} if cell.startswith(("rnn", "gru")) else {"forget_bias": forget_bias}
        sizes = (input_size, hidden_size, num_layers)
        self.recurrent = kinds[cell](*sizes, batch_first=True, dropout=float(dropout), **options, **place)
        self.readout = nn.Linear(hidden_size, output_size, **place)
        if self.initialise:
            initialisation.apply(self.recurrent, self.initialise)

    def forward(
        self,
        x: Float[Tensor, "batch time input"],
        state: Tensor | State | None = None,
        lengths: Lengths = None,
    ) -> tuple[Float[Tensor, "batch output"] | Float[Tensor, "batch time output"], Tensor | State]:
        """The answer (one, or one a step), and the state after the last step."""
        output, state = self.recurrent(x, state, lengths)
        return self.answer(output, lengths), state

    def answer(
        self, output: Float[Tensor, "batch time hidden"], lengths: Lengths = None
    ) -> Float[Tensor, "batch output"] | Float[Tensor, "batch time output"]:
        """The readout of what the top layer gave: at each sequence's last step, or at all steps."""
        if self.at == "last":
            lengths = padding.checked(lengths, output.shape[1], output.shape[0], output.device)
            output = padding.last(output.transpose(0, 1), lengths)
        return self.readout(output)

    def config(self) -> dict[str, Any]:
        """What rebuilds this model, weights aside: `SequenceModel(**model.config())`."""
        return {
            "input_size": self.recurrent.input_size,
            "output_size": self.readout.out_features,
            "cell": self.cell,
            "hidden_size": self.recurrent.hidden_size,
            "num_layers": self.recurrent.num_layers,
            "readout": self.at,
            "forget_bias": self.forget_bias,
            "initialise": self.initialise,
            "dropout": self.recurrent.dropout,
        }


def parameters(model: nn.Module) -> int:
    """How many numbers a model learns."""
    return sum(weight.numel() for weight in model.parameters())
