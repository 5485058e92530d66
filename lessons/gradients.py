"""How a loss reaches back through time: dL/dh_t and dL/dc_t at every step, and Jacobians to the last step.

`flow` takes the gates of a trace and runs the adjoint recursion of lessons.adjoint over them, layer by
layer from the top; no hook and no autograd graph is needed. `reach` multiplies the one-step Jacobians of
one sequence, as in Pascanu, Mikolov and Bengio (2013), "On the difficulty of training recurrent neural
networks", equation 5.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from lessons import adjoint, padding, probes
from lessons.errors import LessonError
from lessons.later import Later
from lessons.recurrent import Lengths, State, weights
from lessons.tracing import PerLayer, Trace, floors, numbered, per_tensor, recurrent_part, trace

Loss = Callable[[Tensor], Tensor] | Tensor | None


@dataclass(frozen=True, eq=False, repr=False)
class Flow:
    """What a loss sends to every state: total derivatives, everything that comes back through time included.

    `flow["h"]` is dL/dh_t of the last layer, forward direction, (B, T, H), `flow["c"]` dL/dc_t of an LSTM;
    `flow["h", layer]` and `flow["h", layer, direction]` are the others. `initial` has the same for the states
    before the first step, (B, H); `input` is dL/dx, (B, T, I).
    """

    layers: PerLayer
    initial: PerLayer
    input: Float[Tensor, "batch time input"]

    def __getitem__(self, key: str | tuple) -> Float[Tensor, "batch time hidden"]:
        parts = key if isinstance(key, tuple) else (key,)
        name, layer, direction = (*parts, -1, 0) if len(parts) == 1 else (*parts, 0)[:3]
        try:
            return self.layers[layer][direction][name]
        except (IndexError, KeyError) as problem:
            states = ", ".join(self.layers[0][0])
            raise LessonError(
                f"There is no gradient for {key!r}; there are {states} in {len(self.layers)} layers and "
                f"{len(self.layers[0])} directions."
            ) from problem

    def __repr__(self) -> str:
        return f"Flow({len(self.layers)} layers, {self['h'].shape[1]} steps: {' '.join(self.layers[0][0])})"

    def norms(self, name: str = "h", layer: int = -1, direction: int = 0) -> Float[Tensor, "batch time"]:
        """The length of dL/dh_t (or dL/dc_t) at every step: what vanishes or explodes."""
        return self[name, layer, direction].norm(dim=-1)


@torch.no_grad()
def flow(
    model: nn.Module, x, loss: Loss = None, state: Tensor | State | None = None, lengths: Lengths = None
) -> Flow:
    """dL/dh_t and dL/dc_t for all t, layers and directions.

    Args:
        model: a CharModel, a Stack of lessons.stack, or a layer of torch.nn or lessons.recurrent.
        x: whatever `trace` takes (the model is then run as in evaluation, with `state` and `lengths`), or a
            Trace of this model: from `trace`, or from `xray` in a training step.
        loss: a function of the output (a CharModel's logits, (B, T, V), or what a layer returns), or the
            gradient with respect to it. None, for a CharModel: mean cross-entropy of the next character.

    Through a cell of lessons.later_cells it is found by autograd in the loop, with a zero added to all that
    is handed on; a part with more than one number a unit has them side by side.
    Raises LessonError where no gradient can be derived: an edited trace, an x-ray of a step with dropout
    between layers, a bare layer without a loss.
    """
    stack = recurrent_part(model)
    if isinstance(stack, Later) and isinstance(x, Trace):
        raise LessonError(f"The gradients of a {stack.mode} are found by running it; give flow its input.")
    seen = x if isinstance(x, Trace) else trace(model, x, state, lengths)
    refuse_broken_chain(stack, seen)
    grad = output_gradient(model, seen, loss).transpose(0, 1)
    if isinstance(stack, Later):
        return Flow(*probes.flow(stack, read_by(model, x), grad, state, seen.lengths))
    layers, initial = [], []
    for index, (layer, place) in reversed(list(enumerate(floors(stack)))):
        own = [weights(layer, place, d) for d in range(seen.num_directions)]
        parts = grad.chunk(seen.num_directions, -1)
        back = [back_through(layer, place, seen, index, d, part, own[d][1]) for d, part in enumerate(parts)]
        below = sum(to_input(part, matrices[0]) for part, matrices in zip(back, own, strict=True))
        grad = below if isinstance(stack, nn.RNNBase) else stack.back(index, seen, below, grad)
        layers.insert(0, [named(part, "h", "c") for part in back])
        initial.insert(0, [named(part, "h0", "c0") for part in back])
    batch_first = per_tensor(lambda part: part.transpose(0, 1), layers)
    return Flow(batch_first, per_tensor(lambda part: part, initial), grad.transpose(0, 1))


def read_by(model: nn.Module, x) -> Float[Tensor, "time batch input"]:
    """What the lowest layer of a model reads, time first."""
    if hasattr(model, "embedding"):
        return model.embedding(numbered(model, x, None)[0]).transpose(0, 1)
    return recurrent_part(model).time_first(x)


def refuse_broken_chain(layer: nn.Module, seen: Trace) -> None:
    """Raise where the trace is not that of the plain network."""
    if seen.origin == "edit":
        raise LessonError("Gradients of an edited run are not defined here; give the trace without the edit.")
    if seen.origin == "xray" and layer.dropout and layer.training and layer.num_layers > 1:
        raise LessonError("An x-ray does not show the dropout between layers; give flow a trace instead.")
    dropping = any(getattr(part, "dropouts", None) and part.training for part, _ in floors(layer))
    if seen.origin == "xray" and dropping:
        raise LessonError("An x-ray does not show the masks of dropout; give flow a trace instead.")
    if seen.origin == "xray" and getattr(layer, "residual", False):
        raise LessonError(
            "An x-ray does not show the sums of residual connections; give flow a trace instead."
        )
    if (seen.num_layers, seen.hidden_size) != (layer.num_layers, layer.hidden_size):
        raise LessonError("This trace is of another network than the one given.")


@torch.enable_grad()
def output_gradient(model: nn.Module, seen: Trace, loss: Loss) -> Float[Tensor, "batch time features"]:
    """dL/dy_t: what the loss sends to each output of the last layer directly, zero past a sequence's end."""
    output = seen.output.detach().requires_grad_()
    given = as_returned(model, output, seen.lengths)
    if loss is None:
        loss = next_character_loss(seen)
    if isinstance(loss, Tensor) and loss.shape != given.shape:
        raise LessonError(f"The gradient has shape {tuple(loss.shape)}; the output has {tuple(given.shape)}.")
    top, weight = (given, loss) if isinstance(loss, Tensor) else (loss(given), None)
    (grad,) = torch.autograd.grad(top, output, weight)
    return padding.blank(grad.transpose(0, 1), seen.lengths).transpose(0, 1)


def as_returned(
    model: nn.Module, output: Float[Tensor, "batch time features"], lengths: Lengths = None
) -> Tensor:
    """What the model makes of its last layer's output: its answer, or the output in the layer's own order."""
    if recurrent_part(model) is not model:
        return model.answer(output, lengths) if hasattr(model, "answer") else model.readout(output)
    return output if model.batch_first else output.transpose(0, 1)


def next_character_loss(seen: Trace) -> Callable[[Tensor], Tensor]:
    """The mean cross-entropy of each next character of the traced texts."""
    if seen.vocabulary is None:
        raise LessonError("A layer by itself has no loss; give flow a function of its output.")
    if max(map(len, seen.labels)) < 2:
        raise LessonError("A single character has no next one to be wrong about; give at least two.")
    number = {symbol: k for k, symbol in enumerate(seen.vocabulary)}
    targets = torch.full((seen.batch_size, seen.steps), -1)
    for row, symbols in zip(targets, seen.labels, strict=True):
        row[: len(symbols) - 1] = torch.tensor([number[symbol] for symbol in symbols[1:]])
    targets = targets.to(seen.output.device)
    return lambda logits: functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=-1)


def back_through(
    layer: nn.RNNBase,
    place: int,
    seen: Trace,
    index: int,
    direction: int,
    grad: Tensor,
    weight_hh: Tensor,
):
    """The adjoint of one layer in one direction; a layer with cells of its own knows theirs.

    It is layer `place` of its module, and layer `index` of the trace.
    """
    rows = {name: part.transpose(0, 1) for name, part in seen.layers[index][direction].items()}
    start = seen.initial[index][direction]
    options = {"weight_hh": weight_hh, "lengths": seen.lengths, "backward": direction == 1}
    if getattr(layer, "looped", False):
        return layer.adjoint(grad, rows, start, place, direction, seen.lengths)
    mode = layer.mode
    if mode == "LSTM":
        del rows["h"]
        return adjoint.lstm(grad, **rows, c0=start["c"], **options)
    if mode == "GRU":
        return adjoint.gru(grad, **rows, h0=start["h"], **options)
    return adjoint.elman(grad, rows["h"], relu=mode == "RNN_RELU", **options)


def to_input(back, weight_ih: Tensor) -> Float[Tensor, "time batch input"]:
    """dL/dx of one direction."""
    if isinstance(back, adjoint.GRU):
        both = 2 * back.h.shape[-1]
        return back.rzq[..., :both] @ weight_ih[:both] + back.n @ weight_ih[both:]
    return back.sums @ weight_ih


def named(back, *fields: str) -> dict[str, Tensor]:
    """The fields of an adjoint that exist, under the name of the state."""
    return {field[0]: getattr(back, field) for field in fields if hasattr(back, field)}


@dataclass(frozen=True, eq=False, repr=False)
class Reach:
    """How the last state answers to a nudge at step t, for one sequence: d(h_T, c_T) / d(h_t, c_t) for
    every t.

    `jacobians` is (T, S, S) with S = 2 H for an LSTM (h, then c), else H. `reach["h", "c"]` is dh_T / dc_t.
    """

    jacobians: Float[Tensor, "time to from"]
    states: tuple[str, ...]

    def __getitem__(self, key: tuple[str, str]) -> Float[Tensor, "time hidden hidden"]:
        if not set(key) <= set(self.states) or len(key) != 2:
            raise LessonError(f"There is no Jacobian {key!r}; the states are {', '.join(self.states)}.")
        hidden = self.jacobians.shape[-1] // len(self.states)
        row, column = (self.states.index(name) * hidden for name in key)
        return self.jacobians[:, row : row + hidden, column : column + hidden]

    def norms(self, of: str = "h", by: str = "h") -> Float[Tensor, " time"]:
        """The largest factor by which a nudge at step t arrives at the last step (spectral norm)."""
        return torch.linalg.matrix_norm(self[of, by], ord=2)


@torch.no_grad()
def reach(
    model: nn.Module,
    x,
    sequence: int = 0,
    layer: int = -1,
    direction: int = 0,
    state: Tensor | State | None = None,
    lengths: Lengths = None,
) -> Reach:
    """The Jacobians of a layer's last state with respect to its state at every step, for one sequence.

    x is what `trace` takes, or a Trace of this model. In the backward direction the last state is that at
    step 0. Takes T (2H)^2 numbers and T matrix products of that size.
    """
    if isinstance(recurrent_part(model), Later):
        raise LessonError("Jacobians are derived for RNN, LSTM and GRU; for this cell there is `flow`.")
    seen = (x if isinstance(x, Trace) else trace(model, x, state, lengths)).select(sequence)
    refuse_broken_chain(recurrent_part(model), seen)
    index, backward = range(seen.num_layers)[layer], direction == 1
    module, place = floors(recurrent_part(model))[index]
    rows = {name: seen[name, index, direction].transpose(0, 1) for name in seen.names}
    start = seen.initial[index][direction]
    if getattr(module, "looped", False):
        jacobians = module.jacobians(rows, start, place, direction)
    else:
        weight_hh = weights(module, place, direction)[1]
        jacobians = step_jacobians(module.mode, rows, start, weight_hh, backward)
    product = torch.eye(jacobians.shape[-1], dtype=jacobians.dtype, device=jacobians.device)
    products = [product]
    for jacobian in adjoint.travel(jacobians, backward)[:-1]:
        product = product @ jacobian
        products.append(product)
    return Reach(torch.stack(products if backward else products[::-1]), tuple(start))


def step_jacobians(
    mode: str, rows: dict[str, Tensor], start: dict[str, Tensor], weight_hh: Tensor, backward: bool
) -> Float[Tensor, "time to from"]:
    """d(state after a step) / d(state before it), for all steps of one sequence at once."""
    before = {name: padding.before(rows[name], part, None, backward)[:, 0] for name, part in start.items()}
    now = {name: part[:, 0] for name, part in rows.items()}
    if mode == "LSTM":
        return lstm_jacobians(**now, before=before["c"], weight_hh=weight_hh)
    if mode == "GRU":
        return gru_jacobians(**now, before=before["h"], weight_hh=weight_hh)
    slope = (now["h"] > 0).to(now["h"].dtype) if mode == "RNN_RELU" else 1 - now["h"] ** 2
    return slope[..., None] * weight_hh


def lstm_jacobians(i, f, g, o, c, h, before, weight_hh) -> Float[Tensor, "time to from"]:
    """The four blocks dh/dh, dh/dc, dc/dh, dc/dc."""
    w_i, w_f, w_g, w_o = weight_hh.chunk(4)
    squashed = torch.tanh(c)
    into_h = (o * (1 - squashed**2))[..., None]
    c_h = (g * i * (1 - i))[..., None] * w_i + (before * f * (1 - f))[..., None] * w_f
    c_h = c_h + (i * (1 - g**2))[..., None] * w_g
    c_c = torch.diag_embed(f)
    h_h = (squashed * o * (1 - o))[..., None] * w_o + into_h * c_h
    return torch.cat([torch.cat([h_h, into_h * c_c], -1), torch.cat([c_h, c_c], -1)], -2)


def gru_jacobians(r, z, n, q, h, before, weight_hh) -> Float[Tensor, "time to from"]:
    """dh/dh: what is kept, and what passes through z, r and q."""
    w_r, w_z, w_n = weight_hh.chunk(3)
    slope_n = (1 - z) * (1 - n**2)
    through_n = (slope_n * r)[..., None] * w_n + (slope_n * q * r * (1 - r))[..., None] * w_r
    return torch.diag_embed(z) + ((before - n) * z * (1 - z))[..., None] * w_z + through_n
