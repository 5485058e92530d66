"""Every gate and state of a fused run, at every step, layer and direction, without a loop over a cell.

Once a kernel has run, all h_t are known, so each gate at all steps is one matrix product over (x_t, h_{t-1}), and
the LSTM's cell is an elementwise scan c_t = f_t c_{t-1} + i_t g_t.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import PackedSequence, pad_packed_sequence, pad_sequence

from lessons import padding
from lessons.errors import LessonError
from lessons.recurrent import kernel, weights

NAMES = {"lstm": ("i", "f", "g", "o", "c", "h"), "gru": ("r", "z", "n", "q", "h"), "rnn": ("h",)}
STATES = {"lstm": ("h", "c"), "gru": ("h",), "rnn": ("h",)}
Named = Mapping[str, Tensor]
PerLayer = tuple[tuple[Named, ...], ...]


@dataclass(frozen=True)
class Edit:
    """An intervention: while the network runs, what it computes under `name` is replaced by `value`.

    name: a gate or a state ("f", "c", "h", ...). value: a number, a tensor that broadcasts to (B, units), or a
    function of (tensor (B, units), step) that returns one. units, steps, layer, direction: where; None is everywhere.
    Steps are positions in the input, in both directions.
    """

    name: str
    value: float | Tensor | Callable[[Tensor, int], Tensor]
    units: Sequence[int] | None = None
    steps: Iterable[int] | None = None
    layer: int | None = None
    direction: int | None = None


@dataclass(frozen=True)
class Trace:
    """What a recurrent network computed for a batch of sequences: every gate and state at every step.

    `trace["f"]` is (B, T, H) of the last layer, forward direction; `trace["f", layer]`, `trace["f", layer, direction]`.
    Past the end of a sequence everything is zero. A trace holds no reference to the model and no gradient.
    """

    cell: str
    layers: PerLayer
    output: Float[Tensor, "batch time features"]
    initial: PerLayer
    labels: tuple[tuple[str, ...], ...]
    lengths: Int[Tensor, " batch"] | None = None
    logits: Float[Tensor, "batch time vocab"] | None = None
    vocabulary: tuple[str, ...] | None = None

    def __getitem__(self, key: str | tuple) -> Float[Tensor, "batch time hidden"]:
        name, layer, direction = (
            (*((key,) if isinstance(key, str) else key), -1, 0)[:3] if isinstance(key, str) else (*key, 0)[:3]
        )
        if name not in self.names:
            raise LessonError(
                f"There is no {name!r} in a trace of {self.cell!r}; it has {', '.join(self.names)}."
            )
        if not -self.num_layers <= layer < self.num_layers:
            raise LessonError(
                f"There is no layer {layer}; the trace has {self.num_layers} (0 is the lowest, -1 the last)."
            )
        if direction not in range(self.num_directions):
            raise LessonError(
                f"There is no direction {direction}; the trace has {self.num_directions} (0 is forward)."
            )
        return self.layers[layer][direction][name]

    @property
    def names(self) -> tuple[str, ...]:
        """Gates and states in drawing order."""
        return NAMES[self.cell]

    @property
    def probabilities(self) -> Float[Tensor, "batch time vocab"] | None:
        """Softmax of the logits; None for a bare layer."""
        return None if self.logits is None else self.logits.softmax(-1)

    @property
    def num_layers(self) -> int:
        """How many layers stand on each other."""
        return len(self.layers)

    @property
    def num_directions(self) -> int:
        """2 for a bidirectional network, else 1."""
        return len(self.layers[0])

    @property
    def hidden_size(self) -> int:
        """Units per layer and direction."""
        return self.layers[0][0]["h"].shape[-1]

    @property
    def batch_size(self) -> int:
        """How many sequences."""
        return self.output.shape[0]

    @property
    def steps(self) -> int:
        """Steps of the longest sequence."""
        return self.output.shape[1]

    def select(self, sequence: int) -> "Trace":
        """The trace of one sequence (B = 1), cut to its own length."""
        if not -self.batch_size <= sequence < self.batch_size:
            raise LessonError(f"There is no sequence {sequence}; the trace has {self.batch_size}.")
        b = sequence % self.batch_size
        end = self._end(b)

        def cut(part: Tensor) -> Tensor:
            return part[b : b + 1, :end] if part.dim() == 3 else part[b : b + 1]

        def each(layers: PerLayer) -> PerLayer:
            return tuple(
                tuple({name: cut(t) for name, t in named.items()} for named in layer) for layer in layers
            )

        logits = None if self.logits is None else cut(self.logits)
        return replace(
            self,
            layers=each(self.layers),
            initial=each(self.initial),
            output=cut(self.output),
            logits=logits,
            labels=(self.labels[b],),
            lengths=None,
        )

    def numpy(self, name: str, layer: int = -1, direction: int = 0, sequence: int = 0) -> numpy.ndarray:
        """One quantity of one sequence as a float32 array (T, H), cut to the sequence's own length."""
        return self.select(sequence)[name, layer, direction][0].to("cpu", torch.float32).numpy()

    def _end(self, sequence: int) -> int:
        return self.steps if self.lengths is None else int(self.lengths[sequence])


@torch.no_grad()
def trace(model: nn.Module, x, state=None, lengths=None, edit=None) -> Trace:
    """Run a model or a layer and return everything that it computed inside.

    Args:
        model: a CharModel, or a layer of torch.nn or lessons.recurrent (RNN, LSTM, GRU).
        x: for a CharModel a text, a list of texts, or token numbers (B, T) or (T,); for a layer what the layer takes.
        state: initial state as in torch.nn; zeros by default.
        lengths: one length per sequence, when they are padded.
        edit: interventions, as {"f": 0.0}, {"c": function(value, step)} or a list of Edit.

    The run is that of evaluation: no dropout. Everything in the result is batch first.
    """
    if edit is not None:
        raise LessonError("Edits are being built.")
    if not isinstance(model, nn.RNNBase):
        return _trace_text(model, x, state, lengths)
    if isinstance(x, PackedSequence):
        x, lengths = pad_packed_sequence(x, batch_first=model.batch_first)
    if x.dim() == 2:
        x = x.unsqueeze(0 if model.batch_first else 1)
    x = x.transpose(0, 1) if model.batch_first else x
    lengths = padding.checked(lengths, x.shape[0], x.shape[1], x.device)
    return _trace_layers(model, x, state, lengths)


def _trace_text(model: nn.Module, x, state, lengths) -> Trace:
    tokens, lengths = _tokens(model, x, lengths)
    lengths = padding.checked(lengths, tokens.shape[1], tokens.shape[0], tokens.device)
    seen = _trace_layers(model.recurrent, model.embedding(tokens).transpose(0, 1), state, lengths)
    symbols = tuple(model.vocabulary.symbols)
    ends = [tokens.shape[1]] * len(tokens) if lengths is None else lengths.tolist()
    labels = tuple(
        tuple(symbols[k] for k in row[:end]) for row, end in zip(tokens.tolist(), ends, strict=True)
    )
    return replace(seen, labels=labels, vocabulary=symbols, logits=model.readout(seen.output))


def _tokens(model: nn.Module, x, lengths) -> tuple[Int[Tensor, "batch time"], Tensor | None]:
    if isinstance(x, Tensor):
        return (x if x.dim() == 2 else x[None]), lengths
    device = model.embedding.weight.device
    rows = [model.encode(text).reshape(-1).to(device) for text in ([x] if isinstance(x, str) else x)]
    if not rows or min(map(len, rows)) == 0:
        raise LessonError("There is nothing to trace in an empty text; give at least one character.")
    return pad_sequence(rows, batch_first=True), torch.tensor([len(row) for row in rows])


def _trace_layers(layer: nn.RNNBase, x: Float[Tensor, "time batch input"], state, lengths) -> Trace:
    cell = layer.mode.split("_")[0].lower()
    directions = 2 if layer.bidirectional else 1
    state = _initial(layer, x, state)
    layers, initial = [], []
    for index in range(layer.num_layers):
        seen = []
        for direction in range(directions):
            start = tuple(part[index * directions + direction] for part in state)
            seen.append(
                _trace_direction(
                    layer.mode, x, start, weights(layer, index, direction), lengths, direction == 1
                )
            )
            initial.append(dict(zip(STATES[cell], start, strict=True)))
        x = torch.cat([named["h"] for named in seen], -1)
        layers.append(tuple({name: t.transpose(0, 1) for name, t in named.items()} for named in seen))
    initial = tuple(tuple(initial[k : k + directions]) for k in range(0, len(initial), directions))
    labels = tuple(
        tuple(map(str, range(end)))
        for end in ([x.shape[0]] * x.shape[1] if lengths is None else lengths.tolist())
    )
    return Trace(cell, tuple(layers), x.transpose(0, 1), initial, labels, lengths)


def _initial(layer: nn.RNNBase, x: Tensor, state) -> tuple[Tensor, ...]:
    parts = 2 if layer.mode == "LSTM" else 1
    if state is None:
        places = layer.num_layers * (2 if layer.bidirectional else 1)
        return (x.new_zeros(places, x.shape[1], layer.hidden_size),) * parts
    state = (state,) if isinstance(state, Tensor) else tuple(state)
    return tuple(s.unsqueeze(1) if s.dim() == 2 else s for s in state)


def _trace_direction(mode, x, state, weights, lengths, backward) -> dict[str, Tensor]:
    if backward:
        x = padding.reverse(x, lengths)
    h, _ = kernel(mode, x, state, weights)
    before = torch.cat([state[0][None], h[:-1]])
    named = {"LSTM": _lstm, "GRU": _gru}.get(mode, _rnn)(x, before, h, state, weights)
    named["h"] = h
    named = {name: padding.blank(t, lengths) for name, t in named.items()}
    return {name: padding.reverse(t, lengths) for name, t in named.items()} if backward else named


def _lstm(x, before, h, state, weights) -> dict[str, Tensor]:
    total = functional.linear(x, weights[0], _bias(weights, 2)) + functional.linear(
        before, weights[1], _bias(weights, 3)
    )
    i, f, g, o = total.chunk(4, -1)
    i, f, g, o = i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()
    return {"i": i, "f": f, "g": g, "o": o, "c": _scan(f, i * g, state[1])}


def _gru(x, before, h, state, weights) -> dict[str, Tensor]:
    from_x, from_h = (
        functional.linear(x, weights[0], _bias(weights, 2)),
        functional.linear(before, weights[1], _bias(weights, 3)),
    )
    (x_r, x_z, x_n), (h_r, h_z, q) = from_x.chunk(3, -1), from_h.chunk(3, -1)
    r, z = (x_r + h_r).sigmoid(), (x_z + h_z).sigmoid()
    return {"r": r, "z": z, "n": (x_n + r * q).tanh(), "q": q}


def _rnn(x, before, h, state, weights) -> dict[str, Tensor]:
    return {}


def _bias(weights, place) -> Tensor | None:
    return weights[place] if len(weights) > 2 else None


def _scan(f: Tensor, u: Tensor, c: Tensor) -> Tensor:
    """c_t = f_t c_{t-1} + u_t for all t, in place of u."""
    for f_t, u_t in zip(f.unbind(0), u.unbind(0), strict=True):
        c = u_t.addcmul_(f_t, c)
    return u
