"""RNN, LSTM and GRU: drop-in for torch.nn's layers, on the fastest kernel that the options allow.

Same arguments, same `state_dict`, same numbers. Added are `lengths=` (padded sequences of different
lengths), `dropouts=` (lessons.dropouts) and, on the LSTM, `forget_bias=`. On the CPU the GRU and the Elman
network run in closed form (see lessons.closed_form); the LSTM runs on oneDNN, and on other devices all three
run on torch's own kernels. Some kinds of dropout need the loop of lessons.loop.
"""

import warnings
from collections.abc import Sequence
from contextlib import contextmanager
from itertools import chain

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from lessons import closed_form, padding
from lessons import dropouts as kinds
from lessons.arguments import Count, explained
from lessons.dropouts import Dropouts, DroppedCell, Masks
from lessons.errors import LessonError
from lessons.loop import Cell, loop

State = tuple[Tensor, ...]
Lengths = Int[Tensor, " batch"] | Sequence[int] | None
LayerMasks = tuple[tuple[Masks, ...], ...]  # per layer, then per direction


class Layered:
    """What the layers share. It stands before torch's class among the bases.

    A layer that is `looped` has cells of its own that no kernel of torch knows. It runs its directions
    itself (`direction`), gives traces the cell to run in lessons.loop (`cell`), and derives its own gradients
    from a trace (`adjoint`, `jacobians`): lessons.lstm_variants has two such layers.

    With `dropouts`, training draws masks in each forward pass, from torch's own generator of the device. They
    can be changed at any time (`layer.dropouts = None`). A layer with zoneout is looped.
    """

    looped = False

    def __init__(self, *args, proj_size: int = 0, dropouts: Dropouts | None = None, **kwargs):
        if proj_size:
            raise LessonError("Projections (proj_size) are not supported here; torch.nn.LSTM has them.")
        super().__init__(*args, **kwargs)
        self.dropouts = dropouts

    @property
    def dropouts(self) -> Dropouts | None:
        """What is dropped in training; None for nothing."""
        return self._dropouts

    @dropouts.setter
    def dropouts(self, chosen) -> None:
        self._dropouts = kinds.checked(chosen, self.mode)
        if type(self).cell is Layered.cell:
            self.looped = bool(self._dropouts) and self._dropouts.zones
        elif self._dropouts:
            raise LessonError("Dropouts are for RNN, LSTM and GRU; this layer has cells of its own.")

    @explained
    def draw_masks(self, steps: Count, batch: Count, generator: torch.Generator | None = None) -> LayerMasks:
        """New masks for one pass over `batch` sequences, per layer and direction: for `forward(masks=...)`.

        Drawn from torch's own generator of the device unless another is given.
        """
        dropouts, own = self.dropouts or Dropouts(), weights(self, 0, 0)[0]
        directions, place = 2 if self.bidirectional else 1, {"device": own.device, "dtype": own.dtype}
        layers = []
        for index in range(self.num_layers):
            sizes = (steps, batch, weights(self, index, 0)[0].shape[1], self.hidden_size)
            top = index == self.num_layers - 1
            layers.append(
                tuple(dropouts.draw(self.mode, sizes, top, generator, **place) for _ in range(directions))
            )
        return tuple(layers)

    def forward(
        self,
        input: Tensor | PackedSequence,
        hx: Tensor | State | None = None,
        lengths: Lengths = None,
        masks: LayerMasks | None = None,
    ):
        """Run all layers and directions over a batch of sequences.

        Args:
            input: (T, B, I), or (B, T, I) with batch_first, or (T, I) for one sequence, or a PackedSequence.
            hx: initial state as in torch.nn, (L * D, B, H), a pair of them for the LSTM; zeros by default.
            lengths: one length per sequence; steps past it change nothing and give zeros.
            masks: what to drop in this pass, of `draw_masks`, in evaluation too; else training draws its own.

        Returns:
            output (shaped as the input, D * H features) and the state after each sequence's last step.
        """
        if isinstance(input, PackedSequence):
            return self._forward_packed(input, hx, masks)
        batched = input.dim() == 3
        x = time_first(self, input)
        lengths = padding.checked(lengths, x.shape[0], x.shape[1], x.device)
        state = initial_state(self, x, hx)
        masks = self._masks(x, masks)
        plain = lengths is None and masks is None and not self.looped
        if plain and not closed_form.serves(self.mode, x):
            return super().forward(input, hx)
        output, final = self._run(x, state, lengths, masks)
        if not batched:
            output, final = output.squeeze(1), tuple(part.squeeze(1) for part in final)
        elif self.batch_first:
            output = output.transpose(0, 1)
        return output, (final if self.mode == "LSTM" else final[0])

    def _masks(self, x: Float[Tensor, "time batch input"], masks: LayerMasks | None) -> LayerMasks | None:
        """The masks of a pass: those given, new ones in training, zoneout's shares in evaluation, or none."""
        if masks is not None:
            return kinds.fitting(masks, self.num_layers, 2 if self.bidirectional else 1, x)
        if self.dropouts and self.training:
            return self.draw_masks(x.shape[0], x.shape[1])
        return self._expected() if self.dropouts and self.dropouts.zones else None

    def _expected(self) -> LayerMasks:
        own = weights(self, 0, 0)[0]
        masks = self.dropouts.expected(self.hidden_size, device=own.device, dtype=own.dtype)
        return ((masks,) * (2 if self.bidirectional else 1),) * self.num_layers

    def _run(
        self, x: Tensor, state: State, lengths: Tensor | None, masks: LayerMasks | None = None
    ) -> tuple[Tensor, State]:
        finals, directions = [], 2 if self.bidirectional else 1
        for layer in range(self.num_layers):
            outputs = []
            for direction in range(directions):
                place = layer * directions + direction
                start = tuple(s[place] for s in state)
                if masks is None:
                    y, final = self.direction(x, start, layer, direction, lengths)
                else:
                    own, here = weights(self, layer, direction), masks[layer][direction]
                    y, final = run_dropped(self.mode, x, start, own, here, lengths, direction == 1)
                outputs.append(y)
                finals.append(final)
            x = outputs[0] if directions == 1 else torch.cat(outputs, -1)
            if self.dropout and layer < self.num_layers - 1:
                x = functional.dropout(x, self.dropout, self.training)
        return x, tuple(torch.stack(parts) for parts in zip(*finals, strict=True))

    def direction(
        self,
        x: Float[Tensor, "time batch input"],
        state: State,
        index: int,
        direction: int,
        lengths: Int[Tensor, " batch"] | None,
    ) -> tuple[Float[Tensor, "time batch hidden"], State]:
        """One layer in one direction: its output and its final state."""
        own = weights(self, index, direction)
        return run_direction(self.mode, x, state, own, lengths, direction == 1)

    def cell(self, index: int, direction: int) -> Cell:
        """A layer's cell in one direction as evaluation runs it, for lessons.loop."""
        masks = self._expected() if self.looped else ((Masks(),) * 2,) * self.num_layers
        return DroppedCell(self.mode, weights(self, index, direction), masks[index][direction])

    def adjoint(self, *_):
        """Raise LessonError: only layers with cells of their own derive their own gradients."""
        raise LessonError(
            "Gradients through zoneout are not derived here; take dropouts off the layer first."
        )

    jacobians = adjoint

    def _forward_packed(self, packed: PackedSequence, hx: Tensor | State | None, masks: LayerMasks | None):
        dropping = masks is not None or (self.dropouts and self.training)
        if packed.data.is_cuda and not (self.looped or dropping):
            return super().forward(packed, hx)
        padded, lengths = pad_packed_sequence(packed, batch_first=self.batch_first)
        y, final = self.forward(padded, hx, lengths, masks)
        if packed.sorted_indices is not None:
            y = y.index_select(0 if self.batch_first else 1, packed.sorted_indices)
            lengths = lengths[packed.sorted_indices.to(lengths.device)]
        data = pack_padded_sequence(y, lengths, batch_first=self.batch_first).data
        return packed._replace(data=data), final

    def extra_repr(self) -> str:
        """torch's line, and what is dropped."""
        return ", ".join([super().extra_repr(), *([f"dropouts=({self.dropouts})"] if self.dropouts else [])])


class RNN(Layered, nn.RNN):
    """torch.nn.RNN (Elman, tanh or relu), in closed form on the CPU, with `lengths=` and `dropouts=`."""


class GRU(Layered, nn.GRU):
    """torch.nn.GRU, in closed form on the CPU, with `lengths=` and `dropouts=`."""


class LSTM(Layered, nn.LSTM):
    """torch.nn.LSTM, with `lengths=`, `dropouts=` and a forget bias that can be set.

    `forget_bias` fixes where forgetting starts: the forget slice of bias_ih + bias_hh sums to that value in
    every layer and direction (Gers et al. 2000; Jozefowicz et al. 2015, section 2.2, advise 1). None leaves
    torch's draw.
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
        proj_size: int = 0,
        device=None,
        dtype=None,
        *,
        forget_bias: float | None = None,
        dropouts: Dropouts | None = None,
    ):
        self.forget_bias = forget_bias
        shape = (input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional)
        super().__init__(*shape, proj_size=proj_size, device=device, dtype=dtype, dropouts=dropouts)

    def reset_parameters(self) -> None:
        """Draw all weights as torch does, then set the forget bias."""
        super().reset_parameters()
        if self.forget_bias is not None:
            self.set_forget_bias(self.forget_bias)

    @torch.no_grad()
    def set_forget_bias(self, value: float) -> None:
        """Make the forget slice of bias_ih + bias_hh sum to `value`, in every layer and direction."""
        if not self.bias:
            raise LessonError("A forget bias needs biases; leave out bias=False or the forget bias.")
        forget = slice(self.hidden_size, 2 * self.hidden_size)
        for name, parameter in self.named_parameters():
            if name.startswith("bias_"):
                parameter[forget] = value if name.startswith("bias_ih") else 0.0


def time_first(layer: nn.RNNBase, input: Tensor) -> Float[Tensor, "time batch input"]:
    """A layer's input as (T, B, I), whatever order it takes; a single sequence becomes a batch of one.

    Raises LessonError where dimensions, features or dtype do not fit the layer.
    """
    if input.dim() not in (2, 3):
        raise LessonError(
            f"A recurrent layer takes 2 or 3 dimensions (time, batch, input), not {input.dim()}."
        )
    if input.shape[-1] != layer.input_size:
        raise LessonError(f"This layer takes {layer.input_size} features a step, not {input.shape[-1]}.")
    own = weights(layer, 0, 0)[0].dtype
    if input.dtype != own and not autocasts(input.device):
        raise LessonError(f"The input is {input.dtype} and the weights are {own}; convert one with .to().")
    x = input.transpose(0, 1) if layer.batch_first and input.dim() == 3 else input
    if len(x) == 0:
        raise LessonError("There is no step in this input; give at least one.")
    return x if input.dim() == 3 else x.unsqueeze(1)


def autocasts(device: torch.device) -> bool:
    """Whether autocast is on for a device."""
    return torch.amp.is_autocast_available(device.type) and torch.is_autocast_enabled(device.type)


def initial_state(
    layer: nn.RNNBase, x: Float[Tensor, "time batch input"], hx: Tensor | State | None
) -> State:
    """hx as a tuple of tensors (L * D, B, H), one or, for the LSTM, two; zeros when hx is None."""
    parts = 2 if layer.mode == "LSTM" else 1
    shape = (layer.num_layers * (2 if layer.bidirectional else 1), x.shape[1], layer.hidden_size)
    if hx is None:
        return (x.new_zeros(shape),) * parts
    state = (hx,) if isinstance(hx, Tensor) else tuple(hx)
    state = tuple(part.unsqueeze(1) if part.dim() == 2 else part for part in state)
    if len(state) != parts or any(part.shape != shape for part in state):
        given = " and ".join(str(tuple(part.shape)) for part in state)
        raise LessonError(
            f"The initial state has shape {given}; it takes {'a pair of ' * (parts - 1)}{shape}."
        )
    return state


def weights(layer: nn.RNNBase, index: int, direction: int) -> list[Tensor]:
    """weight_ih, weight_hh (and bias_ih, bias_hh) of one layer in one direction."""
    place = index * (2 if layer.bidirectional else 1) + direction
    return [getattr(layer, name) for name in layer._all_weights[place]]


def run_direction(
    mode: str,
    x: Float[Tensor, "time batch input"],
    state: State,
    weights: list[Tensor],
    lengths: Int[Tensor, " batch"] | None = None,
    backward: bool = False,
) -> tuple[Float[Tensor, "time batch hidden"], State]:
    """One layer in one direction: output and final state. Backward, a sequence is read from its own end."""
    if lengths is None and closed_form.serves(mode, x):
        h = closed_form.run(mode, x, state[0], weights, backward).h
        return h, (h[0 if backward else -1],)
    if backward:
        x = padding.reverse(x, lengths)
    if lengths is not None and mode == "LSTM":
        x, weights = flag_padding(x, weights, lengths)
    if closed_form.serves(mode, x):
        h, final = closed_form.run(mode, x, state[0], weights).h, ()
    else:
        h, final = kernel(mode, x, [state], [weights])
    final = (padding.last(h, lengths), *(part[0] for part in final[1:]))
    h = padding.blank(h, lengths)
    return padding.reverse(h, lengths) if backward else h, final


def run_dropped(
    mode: str,
    x: Float[Tensor, "time batch input"],
    state: State,
    weights: list[Tensor],
    masks: Masks,
    lengths: Int[Tensor, " batch"] | None = None,
    backward: bool = False,
    fused: bool = True,
) -> tuple[Float[Tensor, "time batch hidden"], State]:
    """One layer in one direction under masks; on its kernel where they allow it, unless fused is False."""
    if fused and masks.fused:
        changed = masks.on_weights(weights)
        y, final = run_direction(mode, masks.on_input(x), state, changed, lengths, backward)
    else:
        y, final = loop(DroppedCell(mode, weights, masks), x, state, lengths, backward)
    return masks.on_output(y), final


def kernel(
    mode: str, x: Float[Tensor, "time batch input"], states: list[State], weights: list[list[Tensor]]
) -> tuple[Float[Tensor, "time batch features"], State]:
    """torch's own kernel for one layer, given the state and weights of each direction.

    Returns the output (T, B, D * H) and the final state (D, B, H).
    """
    run = {"LSTM": torch.lstm, "GRU": torch.gru, "RNN_TANH": torch.rnn_tanh, "RNN_RELU": torch.rnn_relu}[mode]
    start = tuple(torch.stack(parts) for parts in zip(*states, strict=True))
    flat, biased, training = list(chain(*weights)), len(weights[0]) > 2, torch.is_grad_enabled()
    hx = start if mode == "LSTM" else start[0]
    with quiet_compaction(x.device):
        h, *final = run(x, hx, flat, biased, 1, 0.0, training, len(states) == 2, False)
    return h, tuple(final)


@contextmanager
def quiet_compaction(device: torch.device):
    """Without cuDNN's warning that one layer's weights are no block by themselves: it makes one of them."""
    if device.type != "cuda":
        yield
        return
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="RNN module weights are not part of single contiguous")
        yield


def flag_padding(x: Tensor, weights: list[Tensor], lengths: Tensor) -> tuple[Tensor, list[Tensor]]:
    """An LSTM that keeps its cell through the padding, so that the kernel's final c is that of the last
    real step.

    One more input is 1 on padded steps; its weights shut the input gate and open the forget gate all the way.
    """
    flag = padding.beyond(lengths, x.shape[0]).to(x.dtype)
    hidden = weights[1].shape[1]
    column = x.new_zeros(4 * hidden, 1)
    column[:hidden], column[hidden : 2 * hidden] = -1e4, 1e4
    return torch.cat([x, flag], -1), [torch.cat([weights[0], column], 1), *weights[1:]]
