"""Reading from the end, and from both ends at once: wrappers for any cell of the course.

`Backwards(layer)` is Keras's `go_backwards`, `Bidirectional(...)` its wrapper of that name (Schuster and
Paliwal 1997). Outputs stand in the order of the input, whichever way it was read; a sequence that is padded
is read from its own last step.
"""

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from lessons import padding
from lessons.arguments import Count, Share, explained
from lessons.errors import LessonError
from lessons.recurrent import Lengths, State
from lessons.sequence_model import CELLS

FORWARD, BACKWARD = "forward", "backward"

MERGES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "concat": lambda forward, backward: torch.cat([forward, backward], -1),
    "sum": torch.add,
    "mul": torch.mul,
    "ave": lambda forward, backward: (forward + backward) / 2,
}


class Backwards(nn.Module):
    """A layer, or a stack of them, that reads each sequence from its own last step to its first.

    layer: any layer of the course that reads forward. Its output at step t then knows the steps from t to
    the end. Keras gives the same outputs in the order in which they were made, the last step's first.
    Raises LessonError for a layer that reads both ways already.
    """

    def __init__(self, layer: nn.RNNBase) -> None:
        super().__init__()
        if not isinstance(layer, nn.RNNBase) or layer.bidirectional:
            raise LessonError("Backwards takes a recurrent layer that reads one way; give it such a layer.")
        self.layer = layer

    @explained
    def forward(
        self, input: Float[Tensor, "*batch time features"], hx: Tensor | State | None = None,
        lengths: Lengths = None,
    ) -> tuple[Float[Tensor, "*batch time hidden"], Tensor | State]:  # fmt: skip
        """The output in the order of the input, and the state after each sequence's first step."""
        first = input.transpose(0, 1) if self.layer.batch_first and input.dim() == 3 else input
        steps, batch = first.shape[0], first.shape[1] if input.dim() == 3 else 1
        lengths = padding.checked(lengths, steps, batch, input.device)
        output, state = self.layer(self._turned(input, lengths), hx, lengths)
        return self._turned(output, lengths), state

    def _turned(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        """Each sequence from its end to its beginning, its padding left where it is."""
        if x.dim() == 2:
            return x.flip(0)
        if not self.layer.batch_first:
            return padding.reverse(x, lengths)
        return padding.reverse(x.transpose(0, 1), lengths).transpose(0, 1)


class Bidirectional(nn.Module):
    """Layers that read both ways, each on what the one below made of both: (B, T, I) -> (B, T, features).

    cell: a name of lessons.sequence_model.CELLS, or a layer's class; `options` are passed on to it. merge:
    "concat" (2 H features), "sum", "mul" or "ave" (H), what becomes of the two outputs of a step, in every
    layer. go_backwards: the two change places, as when Keras wraps a layer with that option; only "concat"
    shows it. dropout: between layers, in training.

    Each of `layers` is one layer with bidirectional=True, so that it runs on the fused kernel where there is
    one; with "concat" the whole equals torch's layer of `num_layers` with bidirectional=True. Raises
    LessonError for an unknown cell or merge and for sizes that are none.
    """

    @explained
    def __init__(
        self,
        input_size: Count,
        hidden_size: Count,
        cell: str | Callable[..., nn.RNNBase] = "lstm",
        num_layers: Count = 1,
        merge: str = "concat",
        go_backwards: bool = False,
        dropout: Share = 0.0,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        **options: Any,
    ) -> None:
        super().__init__()
        if isinstance(cell, str) and cell not in CELLS:
            raise LessonError(f"The cell is one of {', '.join(CELLS)}; {cell!r} is not.")
        if merge not in MERGES:
            raise LessonError(f"merge is one of {', '.join(MERGES)}; {merge!r} is not.")
        make = CELLS[cell] if isinstance(cell, str) else cell
        self.merge, self.go_backwards, self.dropout = merge, go_backwards, float(dropout)
        self.input_size, self.hidden_size = input_size, hidden_size
        self.features = hidden_size * (2 if merge == "concat" else 1)
        place = {"device": device, "dtype": dtype, "batch_first": True, "bidirectional": True}
        sizes = [input_size] + [self.features] * (num_layers - 1)
        self.layers = nn.ModuleList([make(size, hidden_size, **place, **options) for size in sizes])

    @explained
    def forward(
        self,
        input: Float[Tensor, "batch time input"],
        hx: Tensor | State | None = None,
        lengths: Lengths = None,
        cut: str | None = None,
    ) -> tuple[Float[Tensor, "batch time features"], Tensor | State]:
        """The merged output at every step, and the final states as torch orders them, (2 L, B, H).

        cut: "forward" or "backward", a direction whose output is held at 0 in every layer.
        """
        if cut not in (None, FORWARD, BACKWARD):
            raise LessonError(f'cut is "{FORWARD}", "{BACKWARD}" or None; {cut!r} is none of them.')
        finals = []
        for index, layer in enumerate(self.layers):
            output, final = layer(input, part_of(hx, index), lengths)
            input = self.merged(*output.chunk(2, -1), cut)
            finals.append(final)
            if index + 1 < len(self.layers):
                input = functional.dropout(input, self.dropout, self.training)
        if isinstance(finals[0], Tensor):
            return input, torch.cat(finals)
        return input, tuple(torch.cat(parts) for parts in zip(*finals, strict=True))

    def merged(self, forward: Tensor, backward: Tensor, cut: str | None = None) -> Tensor:
        """What becomes of two outputs of the same step."""
        forward = torch.zeros_like(forward) if cut == FORWARD else forward
        backward = torch.zeros_like(backward) if cut == BACKWARD else backward
        return MERGES[self.merge](*((backward, forward) if self.go_backwards else (forward, backward)))

    def summary(self, state: Tensor | State) -> Float[Tensor, "batch features"]:
        """One vector a sequence: both directions' h after the last step that each of them read.

        What Keras returns with return_sequences=False. The output at the last step is something else: there
        the backward direction has read one step only.
        """
        h = state if isinstance(state, Tensor) else state[0]
        return self.merged(h[-2], h[-1])

    def extra_repr(self) -> str:
        """How it merges."""
        return f"merge={self.merge}" + (", go_backwards=True" if self.go_backwards else "")


def part_of(hx: Tensor | State | None, index: int) -> Tensor | State | None:
    """The two initial states of one layer."""
    if hx is None:
        return None
    here = slice(2 * index, 2 * index + 2)
    return hx[here] if isinstance(hx, Tensor) else tuple(part[here] for part in hx)
