"""The encoder of a translation network: any cell of the course, read forward, backward or both ways."""

from collections.abc import Callable
from functools import partial

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from lessons import padding
from lessons.arguments import Count, Share, explained
from lessons.errors import LessonError
from lessons.recurrent import State
from lessons.sequence_model import CELLS

FORWARD, BACKWARD, BOTH, BOTTOM = "forward", "backward", "both", "bottom"
READINGS = (FORWARD, BACKWARD, BOTH, BOTTOM)
See = Callable[[int, Tensor], object]


def layer(cell: str, input_size: int, hidden_size: int, both: bool = False, **place) -> nn.RNNBase:
    """One layer of a cell in CELLS, batch first; LSTMs of any wiring begin with forget bias 1."""
    options = {} if cell.startswith(("rnn", "gru")) else {"forget_bias": 1.0}
    return CELLS[cell](input_size, hidden_size, batch_first=True, bidirectional=both, **options, **place)


class Encoder(nn.Module):
    """An embedding and recurrent layers: what the decoder looks at, and a summary of the whole.

    reading: which way.
        "forward", "backward" (a source turned around, Sutskever et al. 2014, section 3.3);
        "both": every layer in both directions, 2 H features (Bahdanau et al. 2015, section 3.2);
        "bottom": the lowest layer in both directions, those above forward (Wu et al. 2016, section 3.2).
    residual: a layer's output is added to what came in, where both have the same size (section 3.1 there).
    dropout: on what each layer reads, in training.

    Raises LessonError for an unknown cell or reading.
    """

    @explained
    def __init__(
        self,
        symbols: Count,
        embedding_size: Count,
        hidden_size: Count,
        num_layers: Count = 1,
        cell: str = "lstm",
        reading: str = BOTH,
        residual: bool = False,
        dropout: Share = 0.0,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        if cell not in CELLS:
            raise LessonError(f"The encoder's cell is one of {', '.join(CELLS)}; {cell!r} is not.")
        if reading not in READINGS:
            raise LessonError(f"The encoder reads {', '.join(READINGS)}; {reading!r} is none of these.")
        self.reading, self.residual, self.dropout = reading, residual, float(dropout)
        place = {"device": device, "dtype": dtype}
        self.embedding = nn.Embedding(symbols, embedding_size, **place)
        ways = [reading == BOTH or (reading == BOTTOM and index == 0) for index in range(num_layers)]
        outputs = [hidden_size * (1 + both) for both in ways]
        inputs = [embedding_size, *outputs[:-1]]
        self.layers = nn.ModuleList(
            layer(cell, size, hidden_size, both, **place) for size, both in zip(inputs, ways, strict=True)
        )
        self.features = outputs[-1]

    def forward(
        self,
        source: Int[Tensor, "batch source"],
        lengths: Int[Tensor, " batch"] | None = None,
        see: See = lambda index, output: None,
    ) -> tuple[Float[Tensor, "batch source features"], State]:
        """The top layer's output at every position, and its state after each direction's last step, (B, F).

        The summary has one part, for LSTMs two: h and c. `see(layer, output)` is told what a layer gives on.
        """
        lengths = padding.checked(lengths, source.shape[1], source.shape[0], source.device)
        x = self.turned(self.embedding(source), lengths)
        final: Tensor | State = ()
        for index, one in enumerate(self.layers):
            read = functional.dropout(x, self.dropout, self.training)
            output, final = one(read, None, lengths)
            x = x + output if self.residual and x.shape == output.shape else output
            see(index, self.turned(x, lengths))
        parts = (final,) if isinstance(final, Tensor) else final
        return self.turned(x, lengths), tuple(torch.cat(part.unbind(0), -1) for part in parts)

    def turned(
        self, x: Float[Tensor, "batch source features"], lengths: Int[Tensor, " batch"] | None
    ) -> Float[Tensor, "batch source features"]:
        """A sequence that is read backward the other way round, its padding left at the end."""
        if self.reading != BACKWARD:
            return x
        return padding.reverse(x.transpose(0, 1), lengths).transpose(0, 1)


class Bridge(nn.Module):
    """From the encoder's summary to the decoder's first states, whatever the two sizes and cells.

    kind: "linear", tanh(W s + b) for h (Bahdanau et al. 2015, appendix A.2.2) and W s + b for c, with
        weights for each layer; "copy", where the sizes agree; "zero", which tells the decoder nothing.
    Raises LessonError for an unknown kind and for copies between different sizes.
    """

    KINDS = ("linear", "copy", "zero")

    @explained
    def __init__(
        self,
        features: Count,
        parts: Count,
        hidden_size: Count,
        num_layers: Count,
        states: tuple[str, ...],
        kind: str = "linear",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        if kind not in self.KINDS:
            raise LessonError(f"The bridge is one of {', '.join(self.KINDS)}; {kind!r} is not.")
        if kind == "copy" and features != hidden_size:
            raise LessonError(
                f"A summary of {features} numbers cannot be copied to {hidden_size} units of the decoder; "
                f'take the bridge "linear".'
            )
        self.kind, self.states, self.num_layers, self.hidden_size = kind, states, num_layers, hidden_size
        if kind == "linear":
            make = partial(nn.Linear, features, num_layers * hidden_size, device=device, dtype=dtype)
            self.maps = nn.ModuleDict({name: make() for name in self.filled})
        self.parts = parts

    @property
    def filled(self) -> tuple[str, ...]:
        """The parts of the state that the summary goes to: Jordan's plan, else all."""
        return ("p",) if "p" in self.states else self.states

    def forward(self, summary: State) -> tuple[State, ...]:
        """A state for each of the decoder's layers, its parts (B, H)."""
        empty = summary[0].new_zeros(summary[0].shape[0], self.num_layers * self.hidden_size)
        made = {name: empty for name in self.states}
        for name in self.filled if self.kind != "zero" else ():
            part = summary[min(self.states.index(name), self.parts - 1)] if name == "c" else summary[0]
            if self.kind == "copy":
                made[name] = part.repeat(1, self.num_layers)
            else:
                mapped = self.maps[name](part)
                made[name] = mapped if name == "c" else torch.tanh(mapped)
        rows = [made[name].unflatten(-1, (self.num_layers, -1)).unbind(1) for name in self.states]
        return tuple(zip(*rows, strict=True))
