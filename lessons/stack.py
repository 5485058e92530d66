"""A stack of recurrent layers: each is fed with the output of the one below, at every step.

With residual connections and layer norm off it computes what torch's own deep layers compute.
"""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from lessons.arguments import Count, Share, explained
from lessons.errors import LessonError
from lessons.recurrent import Lengths, State, initial_state, time_first
from lessons.sequence_model import CELLS
from lessons.tracing import Trace

Read, Given = Float[Tensor, "*steps input"], Float[Tensor, "*steps hidden"]


class Stack(nn.Module):
    """Recurrent layers on each other, as a list of modules; batch first, one direction.

    cell: a name in lessons.sequence_model.CELLS, for all layers.
    residual: every layer but the lowest gives on the sum of what came in and what it computed (Wu et al.
        2016, section 3.1). The lowest cannot: its input has another size.
    norm: every layer but the lowest reads its input through a layer norm (Ba et al. 2016, section 3). It
        stands *between* layers, and inside the residual branch, so that the sum itself is left alone; in
        recurrent networks Ba et al. (section 3.1) put it inside the cell, at every step.
    dropout: on what each layer but the top one computed, while training.
    forget_bias: where the forget gates of LSTMs start; None leaves torch's draw.

    The layers run one after the other, each on its own fastest kernel. Raises LessonError for an unknown cell
    and for sizes below 1.
    """

    batch_first = True
    bidirectional = False

    @explained
    def __init__(
        self,
        input_size: Count,
        hidden_size: Count,
        num_layers: Count = 2,
        cell: str = "lstm",
        residual: bool = False,
        norm: bool = False,
        dropout: Share = 0.0,
        forget_bias: float | int | None = 1.0,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        if cell not in CELLS:
            raise LessonError(f"The cell is one of {', '.join(CELLS)}; {cell!r} is not.")
        self.cell, self.residual, self.norm = cell, bool(residual), bool(norm)
        self.dropout, self.forget_bias = float(dropout), forget_bias
        self.input_size, self.hidden_size, self.num_layers = input_size, hidden_size, num_layers
        place = {"device": device, "dtype": dtype}
        options = {} if cell.startswith(("rnn", "gru")) else {"forget_bias": forget_bias}
        sizes = [input_size] + [hidden_size] * (num_layers - 1)
        self.layers = nn.ModuleList(
            CELLS[cell](size, hidden_size, batch_first=True, **options, **place) for size in sizes
        )
        self.norms = nn.ModuleList(
            nn.LayerNorm(hidden_size, **place) if norm and index else nn.Identity()
            for index in range(num_layers)
        )

    @explained
    def forward(
        self,
        x: Float[Tensor, "batch time input"],
        state: Tensor | State | None = None,
        lengths: Lengths = None,
    ) -> tuple[Float[Tensor, "batch time hidden"], Tensor | State]:
        """What the top layer gives on at every step, and every layer's state after each sequence's last step.

        state: as in torch.nn, (L, B, H), a pair of them for LSTMs; zeros by default. lengths: one length per
        sequence; steps past it change nothing and give zeros.
        """
        finals = []
        for index, start in enumerate(self.starts(x, state)):
            output, final = self.layers[index](self.enter(index, x), start, lengths)
            finals.append(final)
            if self.dropout and index < self.num_layers - 1:
                output = functional.dropout(output, self.dropout, self.training)
            x = self.leave(index, x, output)
        if self.mode == "LSTM":
            return x, tuple(torch.cat(parts) for parts in zip(*finals, strict=True))
        return x, torch.cat(finals)

    def starts(self, x: Tensor, state: Tensor | State | None) -> list[Tensor | State]:
        """Each layer's part of the initial state. Raises LessonError where x or the state does not fit."""
        if not isinstance(x, Tensor) or x.dim() != 3:
            raise LessonError(
                "A stack reads (batch, time, input), padded to one length; give lengths= where they differ."
            )
        parts = self.initial(time_first(self.layers[0], x), state)
        rows = [tuple(part[index : index + 1] for part in parts) for index in range(self.num_layers)]
        return rows if self.mode == "LSTM" else [row[0] for row in rows]

    def initial(self, x: Float[Tensor, "time batch input"], state: Tensor | State | None) -> State:
        """The initial state as a tuple of tensors (L, B, H), one or, for LSTMs, two; zeros by default."""
        given = (state,) if isinstance(state, Tensor) else tuple(state or ())
        if any(part.dim() != 3 or len(part) != self.num_layers for part in given):
            shapes = " and ".join(str(tuple(part.shape)) for part in given)
            raise LessonError(
                f"The initial state has shape {shapes}; a stack of {self.num_layers} takes one row a layer, "
                f"({self.num_layers}, batch, {self.hidden_size})."
            )
        starts = [
            initial_state(layer, x, tuple(part[index : index + 1] for part in given) or None)
            for index, layer in enumerate(self.layers)
        ]
        return tuple(torch.cat(parts) for parts in zip(*starts, strict=True))

    def enter(self, index: int, x: Read) -> Read:
        """What the cells of a layer read of what came in."""
        return self.norms[index](x)

    def leave(self, index: int, x: Read, output: Given) -> Given:
        """What a layer gives on: its cells' output, added to what came in where there are residuals."""
        return x + output if self.residual and index else output

    def given(self, seen: Trace, index: int) -> Float[Tensor, "batch time hidden"]:
        """What layer `index` gave on in a trace: its own output, with residuals added to all those below."""
        lowest = 0 if self.residual else index
        return sum(seen["h", below] for below in range(lowest, index + 1))

    def back(
        self,
        index: int,
        seen: Trace,
        branch: Float[Tensor, "time batch input"],
        grad: Float[Tensor, "time batch hidden"],
    ) -> Float[Tensor, "time batch input"]:
        """dL/d(what came into a layer), for lessons.gradients.

        branch: dL/d(what its cells read). grad: dL/d(what it gave on).
        """
        if isinstance(self.norms[index], nn.LayerNorm):
            with torch.enable_grad():
                x = self.given(seen, index - 1).transpose(0, 1).detach().requires_grad_()
                (branch,) = torch.autograd.grad(self.enter(index, x), x, branch)
        return branch + grad if self.residual and index else branch

    @property
    def mode(self) -> str:
        """The kind of cell, as torch.nn names it: "LSTM", "GRU", "RNN_TANH", "RNN_RELU"."""
        return self.layers[0].mode

    def config(self) -> dict[str, Any]:
        """What rebuilds this stack, weights aside: `Stack(**stack.config())`."""
        names = (
            "input_size",
            "hidden_size",
            "num_layers",
            "cell",
            "residual",
            "norm",
            "dropout",
            "forget_bias",
        )
        return {name: getattr(self, name) for name in names}
