"""What a recurrent network computes inside: every gate and state, at every step, layer and direction.

`trace` runs a model on its fused kernels and recovers the gates afterwards (lessons.recovery); `xray` reads
them out of a training step (lessons.xray); `trace(..., edit=...)` changes something and runs on from there
(lessons.loop).
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace

import numpy
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pad_packed_sequence, pad_sequence

from lessons import cells, later_cells, padding, recovery
from lessons import xray as readings
from lessons.arguments import explained, shown
from lessons.edits import Edit, Recorder, Value, planned
from lessons.errors import LessonError
from lessons.later import Later
from lessons.loop import CELLS, Cell, loop
from lessons.recurrent import Lengths, State, initial_state, time_first, weights

__all__ = ["NAMES", "Edit", "Trace", "trace", "trace_step", "xray"]

NAMES = {
    "lstm": cells.LSTMStep._fields,
    "gru": cells.GRUStep._fields,
    "rnn": cells.RNNStep._fields,
    **{name: kind.kind.names for name, kind in later_cells.CELLS.items()},
}
PerLayer = tuple[tuple[Mapping[str, Tensor], ...], ...]


@dataclass(frozen=True, eq=False, repr=False)
class Trace:
    """What a network computed for a batch of sequences. It holds no reference to the model, and no gradient.

    `trace["f"]` is the forget gate of the last layer, forward direction, (B, T, H); `trace["f", layer]` and
    `trace["f", layer, direction]` are the others. Past the end of a sequence everything is zero. `labels`
    names each sequence's steps (its characters); `initial` holds the states before the first step, (B, H).
    `origin` says how it was come by: "trace", "xray" or "edit".
    """

    cell: str
    layers: PerLayer
    output: Float[Tensor, "batch time features"]
    initial: PerLayer
    labels: tuple[tuple[str, ...], ...]
    lengths: Int[Tensor, " batch"] | None = None
    logits: Float[Tensor, "batch time vocab"] | None = None
    vocabulary: tuple[str, ...] | None = None
    origin: str = "trace"

    def __getitem__(self, key: str | tuple) -> Float[Tensor, "batch time hidden"]:
        parts = key if isinstance(key, tuple) else (key,)
        if not 1 <= len(parts) <= 3:
            raise LessonError(
                'Ask a trace for trace["h"], trace["h", layer] or trace["h", layer, direction].'
            )
        return self._part(*parts)

    @explained
    def _part(self, name: str, layer: int = -1, direction: int = 0) -> Float[Tensor, "batch time hidden"]:
        if name not in self.names:
            raise LessonError(f"A trace of {self.cell!r} has no {name!r}; it has {', '.join(self.names)}.")
        if not -self.num_layers <= layer < self.num_layers:
            raise LessonError(f"There is no layer {layer}; there are {self.num_layers}, from 0 (the lowest).")
        if direction not in range(self.num_directions):
            raise LessonError(
                f"There is no direction {direction}; there are {self.num_directions}, 0 is forward."
            )
        return self.layers[layer][direction][name]

    def __repr__(self) -> str:
        sizes = f"{self.num_layers} x {self.num_directions} x {self.hidden_size} units"
        return f"Trace({self.cell}, {sizes}, {self.batch_size} x {self.steps} steps: {' '.join(self.names)})"

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

    @explained
    def select(self, sequence: int) -> "Trace":
        """The trace of one sequence (B = 1), cut to its own length."""
        if not -self.batch_size <= sequence < self.batch_size:
            raise LessonError(f"There is no sequence {sequence}; the trace has {self.batch_size}, from 0.")
        row = sequence % self.batch_size
        end = self.steps if self.lengths is None else int(self.lengths[row])

        def cut(part: Tensor) -> Tensor:
            return part[row : row + 1, :end] if part.dim() == 3 else part[row : row + 1]

        return replace(
            self,
            layers=per_tensor(cut, self.layers),
            initial=per_tensor(cut, self.initial),
            output=cut(self.output),
            logits=None if self.logits is None else cut(self.logits),
            labels=(self.labels[row],),
            lengths=None,
        )

    @explained
    def numpy(self, name: str, layer: int = -1, direction: int = 0, sequence: int = 0) -> numpy.ndarray:
        """One quantity of one sequence as a float32 array (T, H), cut to the sequence's own length."""
        return self.select(sequence)[name, layer, direction][0].to("cpu", torch.float32).numpy()


@explained
@torch.no_grad()
def trace(
    model: nn.Module,
    x: str | Sequence[str] | Tensor | PackedSequence,
    state: Tensor | State | None = None,
    lengths: Lengths = None,
    edit: Mapping[str, Value] | Edit | Sequence[Edit] | None = None,
) -> Trace:
    """Run a model or a layer as in evaluation (no dropout) and return everything that it computed inside.

    Args:
        model: a CharModel, a SequenceModel, a Stack of lessons.stack, or a layer of torch.nn,
            lessons.recurrent, lstm_variants or later_cells.
        x: for a CharModel a text, a list of texts, or character numbers (B, T) or (T,); else a layer's input.
        state: initial state as in torch.nn; zeros by default.
        lengths: one length per sequence where they are padded.
        edit: what to change on the way: {"f": 0.0}, {"c": function(value, step)}, or Edits that say where.

    Raises LessonError for an empty text, lengths or states that do not fit, and edits that point at
    nothing. On CUDA, cuDNN computes with TF32 unless torch.backends.cudnn.allow_tf32 is False; gates are
    then good to 1e-3.
    """
    stack = recurrent_part(model)
    if not hasattr(model, "embedding") and not isinstance(x, Tensor | PackedSequence):
        raise LessonError(
            f"A {type(model).__name__} reads numbers, as a tensor; {shown(x)} is for a CharModel."
        )
    with full_precision(next(model.parameters()).device):
        if not hasattr(model, "embedding"):
            if isinstance(x, PackedSequence):
                x, lengths = pad_packed_sequence(x, batch_first=stack.batch_first)
            later = isinstance(stack, Later)
            read = stack.time_first(x) if later else time_first(floors(stack)[0][0], x)
            seen = trace_layers(stack, read, state, lengths, edit)
            return seen if stack is model else replace(seen, logits=model.readout(seen.output))
        tokens, lengths = numbered(model, x, lengths)
        seen = trace_layers(stack, model.embedding(tokens).transpose(0, 1), state, lengths, edit)
        return labelled(seen, model, tokens)


@explained
def xray(output: Float[Tensor, "*axes"], lengths: Lengths = None) -> Trace:
    """The trace of a training step, read out of what autograd keeps for it: nearly free.

    Args:
        output: what a float32 LSTM, or a GRU or RNN of lessons.recurrent, gave on the CPU with gradients on,
            before `backward()`; or what was computed from it, such as logits.
        lengths: those that the layer was given.

    Unlike `trace` it sees what training sees, dropout between layers included. Raises XrayUnavailable (a
    LessonError) where the gates cannot be read: other kernels, dtypes, devices, or an unknown layout.
    """
    cell, layers = readings.read(output)
    steps, batch, _ = layers[0][0].named["h"].shape
    lengths = padding.checked(lengths, steps, batch, output.device)
    seen = [[in_input_order(reading, lengths, d == 1) for d, reading in enumerate(layer)] for layer in layers]
    initial = [[reading.initial for reading in layer] for layer in layers]
    return replace(assembled(cell, seen, initial, lengths), origin="xray")


def trace_step(
    model: nn.Module, x: Tensor, state: Tensor | State | None = None
) -> tuple[Tensor, Tensor | State, Trace]:
    """A forward pass for training together with its trace: output, state, trace.

    The trace is an x-ray of that very pass where the kernel allows it, and a second, evaluating run
    elsewhere.
    """
    output, after = model(x, state)
    if getattr(recurrent_part(model), "residual", False):  # an x-ray sees cells, not the sums round them
        return output, after, trace(model, x, state)
    try:
        return output, after, xray(output)
    except readings.XrayUnavailable:
        return output, after, trace(model, x, state)


def recurrent_part(model: nn.Module) -> nn.Module:
    """The recurrent layers of a model: itself, if it is a layer or a stack of them, else what it calls so."""
    if isinstance(model, nn.RNNBase) or hasattr(model, "layers"):
        return model
    if not hasattr(model, "recurrent"):
        raise LessonError(f"A {type(model).__name__} has no recurrent layers to look into.")
    return model.recurrent


def floors(stack: nn.Module) -> list[tuple[nn.Module, int]]:
    """Where the weights of each layer are, lowest first: a module, and the layer's number in it.

    A layer of torch's is one module however deep it is; in a lessons.stack.Stack each has its own.
    """
    if isinstance(stack, nn.RNNBase):
        return [(stack, index) for index in range(stack.num_layers)]
    return [(layer, 0) for layer in stack.layers]


def full_precision(device: torch.device) -> AbstractContextManager:
    """Autocast switched off, where the device knows it."""
    if torch.amp.is_autocast_available(device.type):
        return torch.autocast(device.type, enabled=False)
    return nullcontext()


def trace_layers(
    layer: nn.Module,
    x: Float[Tensor, "time batch input"],
    state: Tensor | State | None,
    lengths: Lengths,
    edit,
) -> Trace:
    """Trace a stack of layers, each on what the one below gives, or on what the stack makes of that."""
    lengths = padding.checked(lengths, x.shape[0], x.shape[1], x.device)
    cell = layer.mode if layer.mode in NAMES else layer.mode.split("_")[0].lower()
    directions = 2 if layer.bidirectional else 1
    sizes = {
        "units": layer.hidden_size,
        "steps": len(x),
        "layers": layer.num_layers,
        "directions": directions,
    }
    edits = planned(edit, NAMES[cell], sizes)
    wired = not isinstance(layer, nn.RNNBase)
    state = layer.initial(x, state) if wired else initial_state(layer, x, state)
    seen, initial = [], []
    for index, (module, own) in enumerate(floors(layer)):
        places = [index * directions + d for d in range(directions)]
        starts = [tuple(part[place] for part in state) for place in places]
        here = [
            [edit for edit in edits if edit.concerns(index, d, layer.num_layers)] for d in range(directions)
        ]
        entering = layer.enter(index, x) if wired else x
        seen.append(run_layer(module, own, entering, starts, lengths, here))
        initial.append([named_start(module, start) for start in starts])
        output = output_of(seen[-1])
        x = layer.leave(index, x, output) if wired else output
    origin = "edit" if edits else "trace"
    return replace(assembled(cell, seen, initial, lengths), output=x.transpose(0, 1), origin=origin)


def run_layer(
    layer: nn.Module, index: int, x: Tensor, starts: list[State], lengths, edits: list[list[Edit]]
) -> list[dict]:
    """One layer on its fused kernel; or in the loop, for a layer that has cells of its own and for those
    directions in which something is edited."""
    looped = getattr(layer, "looped", False)
    own = [() if looped else weights(layer, index, d) for d in range(len(starts))]
    if not (looped or any(edits)):
        return recovery.layer(layer.mode, x, starts, own, lengths)
    seen = []
    for d, (start, here) in enumerate(zip(starts, edits, strict=True)):
        if looped or here:
            cell = layer.cell(index, d) if looped else CELLS[layer.mode](*own[d])
            seen.append(run_in_loop(cell, x, start, lengths, d == 1, here))
        else:
            seen.append(recovery.direction(layer.mode, x, start, own[d], lengths, d == 1))
    return seen


def run_in_loop(cell: Cell, x: Tensor, start: State, lengths, backward: bool, edits: list[Edit]) -> dict:
    """One direction of a layer in the loop, with edits; of what is more than one number a unit, the mean."""
    recorder = Recorder(edits, len(x))
    loop(cell, x, start, lengths, backward, recorder)
    found = {
        name: part if part.dim() == 3 else part.flatten(3).mean(-1) for name, part in recorder.named().items()
    }
    return {name: padding.blank(part, lengths) for name, part in found.items()}


def named_start(layer: nn.Module, start: State) -> dict[str, Tensor]:
    """The parts of an initial state that are called h or c and have one number a unit."""
    names = getattr(layer, "states", ("h", "c"))
    named = zip(names, start, strict=False)
    return {name: part for name, part in named if name in ("h", "c") and part.dim() == 2}


def in_input_order(reading: readings.Reading, lengths: Tensor | None, backward: bool) -> dict[str, Tensor]:
    """A reading with zeros for padding; where a direction read turned sequences, they are turned back."""
    named = {name: padding.blank(part, lengths) for name, part in reading.named.items()}
    if lengths is None or not backward or reading.backward:
        return named
    return {name: padding.reverse(part, lengths) for name, part in named.items()}


def assembled(cell: str, seen: list[list[dict]], initial: list[list[dict]], lengths: Tensor | None) -> Trace:
    """A Trace, batch first, from the layers' tensors, time first. Steps are labelled by number."""
    output = output_of(seen[-1])
    steps, batch, _ = output.shape
    ends = [steps] * batch if lengths is None or lengths.is_meta else lengths.tolist()
    numbers = tuple(map(str, range(steps)))
    return Trace(
        cell=cell,
        layers=per_tensor(lambda part: part.transpose(0, 1), seen),
        output=output.transpose(0, 1),
        initial=per_tensor(lambda part: part, initial),
        labels=tuple(numbers[:end] for end in ends),
        lengths=lengths,
    )


def output_of(directions: list[dict]) -> Float[Tensor, "time batch features"]:
    """A layer's output: h of each direction, side by side."""
    return directions[0]["h"] if len(directions) == 1 else torch.cat([named["h"] for named in directions], -1)


def per_tensor(change: Callable[[Tensor], Tensor], layers) -> PerLayer:
    """The same function applied to every tensor of every layer and direction."""
    return tuple(
        tuple({name: change(part) for name, part in named.items()} for named in layer) for layer in layers
    )


def numbered(model: nn.Module, x, lengths: Lengths) -> tuple[Int[Tensor, "batch time"], Lengths]:
    """Texts as one rectangle of character numbers, with their lengths."""
    if isinstance(x, PackedSequence):
        raise LessonError("A CharModel reads texts or character numbers; unpack the sequence first.")
    if isinstance(x, Tensor):
        return known(model, x if x.dim() == 2 else x[None]), lengths
    rows = [model.encode(text).reshape(-1) for text in ([x] if isinstance(x, str) else x)]
    if not rows or min(map(len, rows)) == 0:
        raise LessonError("There is nothing to trace in an empty text; give at least one character.")
    return pad_sequence(rows, batch_first=True), torch.tensor([len(row) for row in rows])


def known(model: nn.Module, tokens: Tensor) -> Int[Tensor, "batch time"]:
    """Character numbers (B, T) that the model knows; LessonError for others."""
    count = model.embedding.num_embeddings
    whole = not (tokens.is_floating_point() or tokens.is_complex() or tokens.dtype == torch.bool)
    if not (whole and tokens.dim() == 2 and tokens.numel()):
        raise LessonError(f"Character numbers are whole, (time,) or (batch, time); this is {shown(tokens)}.")
    if not tokens.is_meta and not 0 <= int(tokens.min()) <= int(tokens.max()) < count:
        odd = tokens[(tokens < 0) | (tokens >= count)][0]
        raise LessonError(f"Character numbers lie between 0 and {count - 1} in this model; {odd} does not.")
    return tokens


def labelled(seen: Trace, model: nn.Module, tokens: Int[Tensor, "batch time"]) -> Trace:
    """A trace of a model's layers, with characters for labels and the logits of the next one."""
    symbols, labels = tuple(model.vocabulary.symbols), seen.labels
    if not tokens.is_meta:
        rows = zip(tokens.tolist(), labels, strict=True)
        labels = tuple(tuple(symbols[number] for number in row[: len(old)]) for row, old in rows)
    logits = model.readout(seen.output)
    return replace(seen, labels=labels, vocabulary=symbols, logits=logits)
