"""LSTMs of any wiring at speed: one loop over time, its backward pass written by hand.

Per step there is one matrix product; all gates that can be share one sigmoid, and everything is written in place
into one buffer per quantity. Backward, the slopes of all nonlinearities are computed for all steps at once, and
what remains per step is again one matrix product and a few multiplications. The equations are those of
lessons.wiring.WiredCell, which this is tested against.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import FunctionCtx

from lessons import adjoint, fast, padding
from lessons.closed_form import outer, outer_before
from lessons.loop import loop
from lessons.wiring import Wiring, WiredCell, arrange

Sequence = Float[Tensor, "time batch hidden"]
State = Float[Tensor, "batch hidden"]
Rows = Float[Tensor, "time batch rows"]


class Recorded(NamedTuple):
    """h and c at all steps; the gates that have rows, side by side; c after the output activation.

    `squashed` is None where it is c or h itself: autograd must not be given one tensor under two names.
    """

    h: Sequence
    c: Sequence
    gates: Rows
    squashed: Sequence | None


def run(
    wiring: Wiring,
    x: Float[Tensor, "time batch input"],
    state: tuple[State, State],
    weights: list[Tensor],
    backward: bool = False,
) -> Recorded:
    """One layer in one direction; h and c carry gradients. `backward` starts at the last step."""
    weight_ih, weight_hh, bias, peephole = arrange(wiring, tuple(weights))
    inputs = (x, *state, weight_ih, weight_hh, bias, peephole, wiring, backward)
    if x.is_meta or not torch.is_autocast_enabled(x.device.type):
        return Recorded(*WiredFunction.apply(*inputs))
    with torch.autocast(x.device.type, enabled=False):
        inputs = (part.to(weight_hh.dtype) for part in inputs[:3])
        return Recorded(
            *WiredFunction.apply(*inputs, weight_ih, weight_hh, bias, peephole, wiring, backward)
        )


def forward(
    x: Float[Tensor, "time batch input"],
    h0: State,
    c0: State,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias: Tensor | None,
    peephole: Tensor | None,
    wiring: Wiring,
    backward: bool,
) -> Recorded:
    """The loop."""
    hidden, by_sigmoid = h0.shape[-1], fast.by_sigmoid(x)
    place_g = wiring.place("g", hidden)
    halved = by_sigmoid and wiring.input_activation == "tanh"  # g's tanh is made of the gates' sigmoid
    if halved:
        weight_ih, weight_hh, bias = (
            fast.double_rows(part, place_g.start, place_g.stop) for part in (weight_ih, weight_hh, bias)
        )
    gates = fast.linear(x, weight_ih, bias)
    h, c = (x.new_empty(*x.shape[:2], hidden) for _ in range(2))
    squashed = c if wiring.output_activation == "identity" else h if not wiring.output_gate else torch.empty_like(c)
    tanh_g = wiring.input_activation == "tanh"
    sigmoids = together(wiring, hidden, halved or wiring.input_activation == "sigmoid")
    early = place_g.start // hidden if wiring.peepholes else 0  # how many gates see the old cell
    late = "o" in wiring.peeping
    see_old, see_new = (peephole[:early], peephole[-1]) if wiring.peepholes else (None, None)
    recurrent = weight_hh.t()
    absent = (None,) * x.shape[0]

    def steps(part: Tensor | None) -> tuple:
        return absent if part is None else adjoint.travel(part, not backward)

    def gate(name: str) -> Tensor | None:
        place = wiring.place(name, hidden)
        return None if place is None else gates[..., place]

    looking = gates[..., : early * hidden].unflatten(-1, (early, hidden)) if early else None
    parts = [gates, looking, *map(gate, "ifgo"), c, squashed, h]
    blocks = zip(*(steps(gates[..., place]) for place in sigmoids), strict=True) if sigmoids else ((),) * x.shape[0]
    h_before, c_before = h0, c0
    for all_t, looking_t, i, f, g, o, c_t, squashed_t, h_t, blocks_t in zip(
        *map(steps, parts), blocks, strict=True
    ):
        all_t.addmm_(h_before, recurrent)
        if early:
            looking_t.addcmul_(see_old, c_before.unsqueeze(1))
        for block in blocks_t:
            block.sigmoid_()
        if halved:
            fast.sigmoid_to_tanh_(g)
        elif tanh_g:
            g.tanh_()
        update(wiring.coupled, c_before, i, f, g, c_t)
        if late:
            o.addcmul_(see_new, c_t).sigmoid_()
        if squashed is not c:
            fast.tanh_of_doubled_(torch.mul(c_t, 2, out=squashed_t)) if by_sigmoid else torch.tanh(c_t, out=squashed_t)
        if o is not None:
            torch.mul(o, squashed_t, out=h_t)
        elif squashed is c:
            h_t.copy_(c_t)
        h_before, c_before = h_t, c_t
    return Recorded(h, c, gates, None if squashed is c or squashed is h else squashed)


def together(wiring: Wiring, hidden: int, with_g: bool) -> list[slice]:
    """The blocks of rows that take a sigmoid before the cell is updated: as few as there can be."""
    g, end = wiring.rows.index("g"), len(wiring.rows) - ("o" in wiring.peeping)
    spans = [(0, end)] if with_g else [(0, g), (g + 1, end)]
    return [slice(start * hidden, stop * hidden) for start, stop in spans if stop > start]


def update(coupled: bool, before: State, i: State | None, f: State | None, g: State, out: State) -> None:
    """c = f c + i g into `out`, where a missing gate is 1 and coupled gates are f = 1 - i."""
    if coupled:
        torch.lerp(before, g, i, out=out)
    elif i is None:
        torch.add(before, g, out=out) if f is None else torch.addcmul(g, f, before, out=out)
    elif f is None:
        torch.addcmul(before, i, g, out=out)
    else:
        torch.mul(f, before, out=out).addcmul_(i, g)


def wired(
    wiring: Wiring,
    grad: Sequence,
    seen: Recorded,
    c0: State,
    weight_hh: Tensor,
    peephole: Tensor | None,
    backward: bool = False,
    grad_c: Sequence | None = None,
) -> adjoint.LSTM:
    """The adjoint: dL/dh_t, dL/dc_t and the gradients before the gates, from those that the loss sends to h and c."""
    hidden, rows = c0.shape[-1], wiring.rows
    squashed = seen.squashed
    if squashed is None:
        squashed = seen.c if wiring.output_activation == "identity" else seen.h
    slopes = seen.gates.new_empty(seen.gates.shape)
    torch.mul(seen.gates, 1 - seen.gates, out=slopes)
    value = {name: seen.gates[..., wiring.place(name, hidden)] for name in rows}
    slope = {name: slopes[..., wiring.place(name, hidden)] for name in rows}
    before = padding.before(seen.c, c0, None, backward)
    squash_slopes(wiring, value, slope)
    if "i" in rows:
        slope["g"].mul_(value["i"])
        slope["i"].mul_(value["g"] - before if wiring.coupled else value["g"])
    if "f" in rows:
        slope["f"].mul_(before)
    into_c = output_slope(wiring, squashed)
    if "o" in rows:
        slope["o"].mul_(squashed)
        into_c = into_c * value["o"]
    keep = 1 - value["i"] if wiring.coupled else value.get("f")
    for name, weight in zip(wiring.peeping, () if peephole is None else peephole, strict=True):
        if name == "o":
            into_c = into_c.addcmul(slope["o"], weight)
        else:
            keep = slope[name] * weight + (1 if keep is None else keep)
    return travel_back(wiring, grad, grad_c, slopes, into_c, keep, weight_hh, c0, backward)


def squash_slopes(wiring: Wiring, value: dict[str, Tensor], slope: dict[str, Tensor]) -> None:
    """The candidate's own slope, in place of a sigmoid's."""
    if wiring.input_activation == "tanh":
        torch.mul(value["g"], value["g"], out=slope["g"]).neg_().add_(1)
    elif wiring.input_activation == "identity":
        slope["g"].fill_(1)


def output_slope(wiring: Wiring, squashed: Sequence) -> Sequence:
    """How the output activation passes a gradient on to c."""
    return torch.ones_like(squashed) if wiring.output_activation == "identity" else 1 - squashed * squashed


def travel_back(
    wiring: Wiring,
    grad: Sequence,
    grad_c: Sequence | None,
    slopes: Rows,
    into_c: Sequence,
    keep: Sequence | None,
    weight_hh: Tensor,
    c0: State,
    backward: bool,
) -> adjoint.LSTM:
    """The recursion against the direction of time. `slopes` become the gradients before the gates."""
    hidden = c0.shape[-1]
    inner = hidden * (len(wiring.rows) - wiring.output_gate)
    grad = grad.clone(memory_format=torch.contiguous_format)
    cells = torch.empty_like(grad)
    adjoints, rows, cell, into_c = (
        adjoint.travel(part, backward) for part in (grad, slopes, cells, into_c)
    )
    through_c = adjoint.travel(slopes[..., :inner].unflatten(-1, (-1, hidden)), backward)
    through_o = adjoint.travel(slopes[..., inner:], backward)
    kept = None if keep is None else adjoint.travel(keep, backward)
    direct = None if grad_c is None else adjoint.travel(grad_c, backward)
    carry = torch.zeros_like(c0)
    for t, arrived in enumerate(adjoints):
        if direct is not None:
            carry = carry + direct[t]
        here = torch.addcmul(carry, arrived, into_c[t], out=cell[t])
        through_c[t].mul_(here.unsqueeze(1))
        if wiring.output_gate:
            through_o[t].mul_(arrived)
        carry = here if kept is None else here * kept[t]
        if t + 1 < len(adjoints):
            adjoints[t + 1].addmm_(rows[t], weight_hh)
    return adjoint.LSTM(grad, cells, slopes, rows[-1] @ weight_hh, carry)


class WiredFunction(torch.autograd.Function):
    """For autograd: (x, h0, c0, weight_ih, weight_hh, bias, peephole, wiring, backward) -> Recorded."""

    @staticmethod
    def forward(x, h0, c0, weight_ih, weight_hh, bias, peephole, wiring, backward):
        return tuple(forward(x, h0, c0, weight_ih, weight_hh, bias, peephole, wiring, backward))

    @staticmethod
    def setup_context(ctx: FunctionCtx, inputs, output):
        *tensors, ctx.wiring, ctx.backward_in_time = inputs
        ctx.save_for_backward(*tensors, *output)
        ctx.mark_non_differentiable(*(part for part in output[2:] if part is not None))
        ctx.set_materialize_grads(False)

    @staticmethod
    def backward(ctx: FunctionCtx, grad, grad_c, *_):
        *inputs, h, c, gates, squashed = ctx.saved_tensors
        grad = torch.zeros_like(h) if grad is None else grad
        if torch.is_grad_enabled():
            return (*differentiable(ctx.wiring, inputs, grad, grad_c, ctx.backward_in_time), None, None)
        x, h0, c0, weight_ih, weight_hh, bias, peephole = inputs
        seen, turned = Recorded(h, c, gates, squashed), ctx.backward_in_time
        back = wired(ctx.wiring, grad, seen, c0, weight_hh, peephole, turned, grad_c)
        needs_x, _, _, needs_ih, needs_hh, needs_bias, needs_peephole, *_ = ctx.needs_input_grad
        return (
            back.sums @ weight_ih if needs_x else None,
            back.h0,
            back.c0,
            outer(back.sums, x) if needs_ih else None,
            outer_before(back.sums, h, h0, turned) if needs_hh else None,
            back.sums.sum((0, 1)) if needs_bias else None,
            peephole_gradient(ctx.wiring, back.sums, c, c0, turned) if needs_peephole else None,
            None,
            None,
        )


def peephole_gradient(
    wiring: Wiring, ifgo: Rows, c: Sequence, c0: State, backward: bool
) -> Float[Tensor, "gates hidden"]:
    """What each gate's gradient and the cell that it saw have in common, summed over steps and sequences."""
    before, hidden = padding.before(c, c0, None, backward), c0.shape[-1]
    seen = {"i": before, "f": before, "o": c}
    return torch.stack(
        [(ifgo[..., wiring.place(name, hidden)] * seen[name]).sum((0, 1)) for name in wiring.peeping]
    )


def differentiable(wiring: Wiring, inputs: list, grad: Sequence, grad_c, backward: bool) -> tuple:
    """Gradients that can be differentiated again (create_graph=True): through the plain loop."""
    x, h0, c0, weight_ih, weight_hh, bias, peephole = inputs
    biases = () if bias is None else (bias, torch.zeros_like(bias))
    cell = WiredCell(wiring, weight_ih, weight_hh, *biases, *(() if peephole is None else (peephole,)))
    cells = [None] * x.shape[0]

    def see(step: int, name: str, value: Tensor) -> Tensor:
        if name == "c":
            cells[step] = value
        return value

    h, _ = loop(cell, x, (h0, c0), backward=backward, see=see)
    outputs, grads = ((h,), (grad,)) if grad_c is None else ((h, torch.stack(cells)), (grad, grad_c))
    wanted = [part for part in inputs if part is not None and part.requires_grad]
    found = iter(torch.autograd.grad(outputs, wanted, grads, create_graph=True))
    return tuple(next(found) if part is not None and part.requires_grad else None for part in inputs)
