"""What the cells after the LSTM share: layers that are trained all steps at once and run one at a time.

In an LSTM the state feeds the gates, so a step cannot begin before the last one has ended. Most of these
cells gave that up: what a step keeps and what it adds depends on its input alone, so that `parallel` knows it
for all steps and leaves a linear recurrence (lessons.scan). `step` is the same cell one step at a time, as
its equations stand; traces, edits and generation use it.
"""

from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from lessons import padding
from lessons.arguments import Count, Share, explained
from lessons.errors import LessonError
from lessons.loop import See, State, loop, unseen

Sequence = Float[Tensor, "time batch features"]
Lengths = Any


class Floor(nn.Module):
    """One layer of one kind of cell, and a cell for lessons.loop.

    names: what a trace shows, in drawing order. states: the parts of its state; the first is its output h.
    sequential: True where there is no parallel form. looped: it has steps of its own, for lessons.tracing.
    """

    names: ClassVar[tuple[str, ...]]
    states: ClassVar[tuple[str, ...]] = ("h",)
    sequential: ClassVar[bool] = False
    looped: ClassVar[bool] = True

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.input_size, self.hidden_size = input_size, hidden_size

    def start(self, batch: int) -> State:
        """The state before the first step, (B, ...) a part: zeros."""
        return (self.zeros(batch, self.hidden_size),)

    def hoist(self, x: Float[Tensor, "time batch input"]) -> Sequence:
        """All that depends on the input alone, for all steps."""
        raise NotImplementedError

    def step(self, from_x: Float[Tensor, "batch rows"], state: State, see: See) -> State:
        """The next state; every quantity passes through `see(name, value)`."""
        raise NotImplementedError

    def parallel(self, x: Float[Tensor, "time batch input"], state: State) -> tuple[Sequence, State]:
        """All steps at once: h at every step, the state after the last. The loop where there is none."""
        return loop(self, x, state)

    def zeros(self, *shape: int) -> Tensor:
        """Zeros in the dtype and on the device of the weights."""
        return next(self.parameters()).new_zeros(shape)

    def cell(self, index: int = 0, direction: int = 0) -> "Floor":
        """The cell that a trace runs in the loop: the layer itself."""
        return self


class Later(nn.Module):
    """Layers of one kind of cell on each other; torch's arguments where they mean something here.

    One direction, always with biases. `forward` takes and returns a state as torch's layers do: one tensor
    (L, B, ...) where the cell has one part of state, else a tuple of them; the first is h (L, B, H).
    in_parallel: False runs the step form in a loop instead; the numbers are the same.
    forget_bias: where forgetting starts, f = sigmoid(forget_bias), in cells that have a forget gate.
    options: what this kind of cell takes besides (`heads`, `state_size`).
    """

    kind: ClassVar[type[Floor]]
    mode: ClassVar[str]
    bidirectional = False
    residual = False

    @explained
    def __init__(
        self,
        input_size: Count,
        hidden_size: Count,
        num_layers: Count = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: Share = 0.0,
        bidirectional: bool = False,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        *,
        forget_bias: float | int | None = 1.0,
        **options: Any,
    ) -> None:
        super().__init__()
        if bidirectional or not bias:
            raise LessonError("These cells have biases and read one way; leave bias and bidirectional alone.")
        self.input_size, self.hidden_size, self.num_layers = input_size, hidden_size, num_layers
        self.batch_first, self.dropout, self.in_parallel = batch_first, float(dropout), True
        sizes = [input_size] + [hidden_size] * (num_layers - 1)
        with torch.device(device or torch.get_default_device()):
            layers = [self.kind(size, hidden_size, forget_bias, **options) for size in sizes]
        self.layers = nn.ModuleList(layers).to(dtype=dtype)

    def forward(
        self, input: Tensor, hx: Tensor | State | None = None, lengths: Lengths = None
    ) -> tuple[Tensor, Tensor | State]:
        """Run all layers over a batch of sequences.

        input: (T, B, I), or (B, T, I) with batch_first. hx: the state to begin with. lengths: one length per
        sequence; steps past it change nothing and give zeros (this runs the loop). Returns the top layer's h
        at every step, and the state after each sequence's last.
        """
        x = self.time_first(input)
        lengths = padding.checked(lengths, x.shape[0], x.shape[1], x.device)
        finals = []
        for index, start in enumerate(self.starts(x.shape[1], hx)):
            layer = self.layers[index]
            if self.in_parallel and lengths is None:
                x, final = layer.parallel(x, start)
            else:
                x, final = loop(layer, x, start, lengths)
            finals.append(final)
            if self.dropout and index < self.num_layers - 1:
                x = functional.dropout(x, self.dropout, self.training)
        return x.transpose(0, 1) if self.batch_first else x, together(finals)

    def advance(
        self, x: Float[Tensor, "batch input"], state: Tensor | State | None = None
    ) -> tuple[Float[Tensor, "batch hidden"], Tensor | State]:
        """One step further, at a cost that does not depend on how many came before."""
        finals = []
        for layer, start in zip(self.layers, self.starts(len(x), state), strict=True):
            finals.append(layer.step(layer.hoist(x[None])[0], start, unseen))
            x = finals[-1][0]
        return x, together(finals)

    def time_first(self, input: Tensor) -> Float[Tensor, "time batch input"]:
        """The input as (T, B, I). Raises LessonError where it does not fit."""
        if not isinstance(input, Tensor) or input.dim() != 3 or input.shape[-1] != self.input_size:
            found = tuple(input.shape) if isinstance(input, Tensor) else type(input).__name__
            raise LessonError(
                f"This layer reads three axes, time, batch and {self.input_size} features; {found} is not."
            )
        if not input.shape[0] * input.shape[1]:
            raise LessonError("There is no step in this input; give at least one.")
        return input.transpose(0, 1) if self.batch_first else input

    def starts(self, batch: int, hx: Tensor | State | None) -> list[State]:
        """Each layer's part of the initial state. Raises LessonError where it does not fit."""
        wanted = [layer.start(batch) for layer in self.layers]
        if hx is None:
            return wanted
        given = (hx,) if isinstance(hx, Tensor) else tuple(hx)
        shapes = [(self.num_layers, *part.shape) for part in wanted[0]]
        if [tuple(part.shape) for part in given] != shapes:
            raise LessonError(
                f"The initial state has shapes {[tuple(part.shape) for part in given]}; it takes {shapes}."
            )
        return [tuple(part[index] for part in given) for index in range(self.num_layers)]

    def initial(self, x: Float[Tensor, "time batch input"], hx: Tensor | State | None) -> State:
        """The initial state as a tuple of tensors (L, B, ...)."""
        return tuple(torch.stack(parts) for parts in zip(*self.starts(x.shape[1], hx), strict=True))

    def enter(self, index: int, x: Tensor) -> Tensor:
        """What a layer reads of what comes in: all of it."""
        return x

    def leave(self, index: int, x: Tensor, output: Tensor) -> Tensor:
        """What a layer gives on: its h."""
        return output

    def extra_repr(self) -> str:
        """The sizes."""
        return f"{self.input_size}, {self.hidden_size}, num_layers={self.num_layers}"


def together(finals: list[State]) -> Tensor | State:
    """The layers' states as torch gives them: one tensor a part, and a single part by itself."""
    parts = tuple(torch.stack(rows) for rows in zip(*finals, strict=True))
    return parts[0] if len(parts) == 1 else parts


def shared_out(units: int, heads: Any) -> int:
    """Units of a head; LessonError where they cannot be dealt out evenly."""
    if not isinstance(heads, int) or heads < 1 or units % heads:
        raise LessonError(f"{units} units cannot be dealt to {heads} heads evenly.")
    return units // heads


def start_forgetting(rows: Tensor, value: float | int | None) -> None:
    """Set a forget gate's rows of a bias; None leaves what was drawn."""
    if value is not None:
        with torch.no_grad():
            rows.fill_(value)
