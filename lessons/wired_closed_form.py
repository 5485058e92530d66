"""LSTMs of any wiring at speed: one loop over time, its backward pass written by hand.

Per step there is one matrix product; all gates that can be share one sigmoid, and everything is written in
place into one buffer per quantity. Backward, the slopes of all nonlinearities are computed for all steps at
once, and what remains per step is again one matrix product and a few multiplications. The equations are
those of lessons.wiring.WiredCell, which this is tested against.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.autograd.function import FunctionCtx

from lessons import adjoint, fast, padding
from lessons.closed_form import outer, outer_before
from lessons.loop import loop
from lessons.wiring import ACTIVATIONS, WiredCell, Wiring, arrange

Sequence = Float[Tensor, "time batch hidden"]
State = Float[Tensor, "batch hidden"]
Rows = Float[Tensor, "time batch rows"]
Optional = Tensor | None
Lengths = Int[Tensor, " batch"] | None


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
    rest = (weight_ih, weight_hh, bias, peephole, wiring, backward)
    if x.is_meta or not torch.is_autocast_enabled(x.device.type):
        return Recorded(*WiredFunction.apply(x, *state, *rest))
    with torch.autocast(x.device.type, enabled=False):
        x, *state = (part.to(weight_hh.dtype) for part in (x, *state))
        return Recorded(*WiredFunction.apply(x, *state, *rest))


def forward(
    x: Float[Tensor, "time batch input"],
    h0: State,
    c0: State,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias: Optional,
    peephole: Optional,
    wiring: Wiring,
    backward: bool,
) -> Recorded:
    """The loop over time."""
    hidden, by_sigmoid = h0.shape[-1], fast.by_sigmoid(x)
    doubled = by_sigmoid and wiring.input_activation == "tanh"
    if doubled:
        g = wiring.place("g", hidden)
        weight_ih, weight_hh, bias = (
            fast.double_rows(part, g.start, g.stop) for part in (weight_ih, weight_hh, bias)
        )
    gates = fast.linear(x, weight_ih, bias)
    h, c = (x.new_empty(*x.shape[:2], hidden) for _ in range(2))
    squashed = torch.empty_like(c) if wiring.output_gate else h
    if wiring.output_activation == "identity":
        squashed = c
    peeping = len(wiring.peeping) - ("o" in wiring.peeping)
    see_old, see_new = (peephole[:peeping], peephole[-1]) if wiring.peepholes else (None, None)
    looking = gates[..., : peeping * hidden].unflatten(-1, (peeping, hidden)) if peeping else None
    candidate = finisher(wiring, doubled)
    recurrent, h_before, c_before = weight_hh.t(), h0, c0
    named = [part(gates, wiring, name) for name in "ifgo"]
    travel = (steps(quantity, len(x), backward) for quantity in (gates, looking, *named, c, squashed, h))
    blocks = blocks_of(gates, wiring, doubled, backward)
    for (all_t, looking_t, i, f, g, o, c_t, squashed_t, h_t), blocks_t in zip(
        zip(*travel, strict=True), blocks, strict=True
    ):
        all_t.addmm_(h_before, recurrent)
        if looking_t is not None:
            looking_t.addcmul_(see_old, c_before.unsqueeze(1))
        for block in blocks_t:
            block.sigmoid_()
        if candidate is not None:
            candidate(g)
        update(wiring.coupled, c_before, i, f, g, c_t)
        if "o" in wiring.peeping:
            o.addcmul_(see_new, c_t).sigmoid_()
        if squashed is not c:
            squash(c_t, squashed_t, by_sigmoid)
        if o is not None:
            torch.mul(o, squashed_t, out=h_t)
        elif squashed is c:
            h_t.copy_(c_t)
        h_before, c_before = h_t, c_t
    return Recorded(h, c, gates, None if squashed is c or squashed is h else squashed)


def part(gates: Rows, wiring: Wiring, name: str) -> Sequence | None:
    """One gate's rows as a view; None where it has none."""
    place = wiring.place(name, gates.shape[-1] // len(wiring.rows))
    return None if place is None else gates[..., place]


def steps(quantity: Optional, count: int, backward: bool) -> tuple:
    """The steps of a quantity in the order of reading; that many None for one that there is not."""
    return (None,) * count if quantity is None else adjoint.travel(quantity, not backward)


def blocks_of(gates: Rows, wiring: Wiring, doubled: bool, backward: bool) -> list[tuple[Tensor, ...]]:
    """For each step the blocks of rows that take a sigmoid before the cell is updated, as few as can be."""
    g, end = wiring.rows.index("g"), len(wiring.rows) - ("o" in wiring.peeping)
    through = doubled or wiring.input_activation == "sigmoid"
    spans = [(0, end)] if through else [(0, g), (g + 1, end)]
    hidden = gates.shape[-1] // len(wiring.rows)
    views = [gates[..., start * hidden : stop * hidden] for start, stop in spans if stop > start]
    turned = [steps(view, len(gates), backward) for view in views]
    return list(zip(*turned, strict=True)) if turned else [()] * len(gates)


def finisher(wiring: Wiring, doubled: bool) -> Callable[[Tensor], Tensor] | None:
    """What makes the candidate of its row, after the sigmoid if that went over it."""
    if wiring.input_activation != "tanh":
        return None
    return fast.sigmoid_to_tanh_ if doubled else torch.tanh_


def update(coupled: bool, before: State, i: Optional, f: Optional, g: State, out: State) -> None:
    """c = f c + i g into `out`, where a missing gate is 1 and coupled gates are f = 1 - i."""
    if coupled:
        torch.lerp(before, g, i, out=out)
    elif i is None:
        torch.add(before, g, out=out) if f is None else torch.addcmul(g, f, before, out=out)
    elif f is None:
        torch.addcmul(before, i, g, out=out)
    else:
        torch.mul(f, before, out=out).addcmul_(i, g)


def squash(c: State, out: State, by_sigmoid: bool) -> None:
    """tanh(c) into `out`."""
    if by_sigmoid:
        fast.tanh_of_doubled_(torch.mul(c, 2, out=out))
    else:
        torch.tanh(c, out=out)


class Slopes(NamedTuple):
    """How a small change passes through one step of the cell, for all steps at once.

    sums: from the sum before each gate's nonlinearity, to c for i, f and g, to h for o. into_c: from c to h.
    keep: from the old c to the new; None is 1. Peepholes are included in the last two.
    """

    sums: Rows
    into_c: Sequence
    keep: Sequence | None


def slopes(wiring: Wiring, gates: Rows, squashed: Sequence, before: Sequence, peephole: Optional) -> Slopes:
    """The slopes, given what the cell computed; `before` is the old c of each step."""
    sums = (1 - gates).mul_(gates)
    value = {name: part(gates, wiring, name) for name in wiring.rows}
    slope = {name: part(sums, wiring, name) for name in wiring.rows}
    if wiring.input_activation == "tanh":
        torch.mul(value["g"], value["g"], out=slope["g"]).neg_().add_(1)
    elif wiring.input_activation == "identity":
        slope["g"].fill_(1)
    if "i" in slope:
        slope["g"].mul_(value["i"])
        slope["i"].mul_(value["g"] - before if wiring.coupled else value["g"])
    if "f" in slope:
        slope["f"].mul_(before)
    flat = wiring.output_activation == "identity"
    into_c = torch.ones_like(squashed) if flat else 1 - squashed * squashed
    if "o" in slope:
        slope["o"].mul_(squashed)
        into_c.mul_(value["o"])
    keep = 1 - value["i"] if wiring.coupled else value.get("f")
    for name, weight in zip(wiring.peeping, () if peephole is None else peephole, strict=True):
        if name == "o":
            into_c.addcmul_(slope["o"], weight)
        else:
            keep = torch.addcmul(torch.ones_like(before) if keep is None else keep, slope[name], weight)
    return Slopes(sums, into_c, keep)


def travel_back(
    wiring: Wiring,
    grad: Sequence,
    along: Slopes,
    weight_hh: Tensor,
    lengths: Lengths = None,
    backward: bool = False,
    grad_c: Sequence | None = None,
) -> adjoint.LSTM:
    """The recursion against the direction of reading; the slopes of the sums become their gradients.

    grad, grad_c: what the loss sends to each h and c directly.
    """
    hidden = grad.shape[-1]
    inner = hidden * (len(wiring.rows) - wiring.output_gate)
    sums = padding.blank(along.sums, lengths)
    grad = grad.clone(memory_format=torch.contiguous_format)
    cells = torch.empty_like(grad)
    through_c = sums[..., :inner].unflatten(-1, (-1, hidden))
    quantities = (grad, sums, cells, padding.blank(along.into_c, lengths), through_c, sums[..., inner:])
    adjoints, *rest = (adjoint.travel(quantity, backward) for quantity in quantities)
    keep, direct = (steps(quantity, len(grad), not backward) for quantity in (along.keep, grad_c))
    carry = torch.zeros_like(grad[0])
    for t, (sums_t, cell, into_c, inner_t, output, keep_t, direct_t) in enumerate(
        zip(*rest, keep, direct, strict=True)
    ):
        if direct_t is not None:
            carry = carry + direct_t
        torch.addcmul(carry, adjoints[t], into_c, out=cell)
        inner_t.mul_(cell.unsqueeze(1))
        if wiring.output_gate:
            output.mul_(adjoints[t])
        carry = cell if keep_t is None else cell * keep_t
        if t + 1 < len(adjoints):
            adjoints[t + 1].addmm_(sums_t, weight_hh)
    first = padding.first(grad, lengths, backward)
    c0 = cells[first] if along.keep is None else cells[first] * along.keep[first]
    grad, cells = padding.blank(grad, lengths), padding.blank(cells, lengths)
    return adjoint.LSTM(grad, cells, sums, sums[first] @ weight_hh, c0)


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
        wiring, turned = ctx.wiring, ctx.backward_in_time
        grad = torch.zeros_like(h) if grad is None else grad
        if torch.is_grad_enabled():
            return (*differentiable(wiring, inputs, grad, grad_c, turned), None, None)
        x, h0, c0, weight_ih, weight_hh, _, peephole = inputs
        if squashed is None:
            squashed = c if wiring.output_activation == "identity" else h
        before = padding.before(c, c0, None, turned)
        along = slopes(wiring, gates, squashed, before, peephole)
        back = travel_back(wiring, grad, along, weight_hh, None, turned, grad_c)
        needs_x, _, _, needs_ih, needs_hh, needs_bias, needs_peephole, *_ = ctx.needs_input_grad
        return (
            back.sums @ weight_ih if needs_x else None,
            back.h0,
            back.c0,
            outer(back.sums, x) if needs_ih else None,
            outer_before(back.sums, h, h0, turned) if needs_hh else None,
            back.sums.sum((0, 1)) if needs_bias else None,
            peephole_gradient(wiring, back.sums, before, c) if needs_peephole else None,
            None,
            None,
        )


def peephole_gradient(
    wiring: Wiring, sums: Rows, before: Sequence, c: Sequence
) -> Float[Tensor, "gates hidden"]:
    """Each gate's gradient times the cell that it saw, summed over steps and sequences."""
    seen = {"i": before, "f": before, "o": c}
    return torch.stack([(part(sums, wiring, name) * seen[name]).sum((0, 1)) for name in wiring.peeping])


def differentiable(wiring: Wiring, inputs: list, grad: Sequence, grad_c, backward: bool) -> tuple:
    """Gradients that can be differentiated again (create_graph=True): through the plain loop."""
    x, h0, c0, weight_ih, weight_hh, bias, peephole = inputs
    biases = () if bias is None else (bias, torch.zeros_like(bias))
    cell = WiredCell(wiring, weight_ih, weight_hh, *biases, *(() if peephole is None else (peephole,)))
    cells = [c0] * len(x)

    def see(step: int, name: str, value: Tensor) -> Tensor:
        if name == "c":
            cells[step] = value
        return value

    h, _ = loop(cell, x, (h0, c0), backward=backward, see=see)
    outputs, grads = ((h,), (grad,)) if grad_c is None else ((h, torch.stack(cells)), (grad, grad_c))
    wanted = [given for given in inputs if given is not None and given.requires_grad]
    found = iter(torch.autograd.grad(outputs, wanted, grads, create_graph=True))
    return tuple(next(found) if given is not None and given.requires_grad else None for given in inputs)


def from_trace(
    wiring: Wiring, rows: dict[str, Sequence], c0: State, peephole: Optional, lengths: Lengths, backward: bool
) -> Slopes:
    """The slopes, from the quantities of a trace by name, time first."""
    gates = torch.cat([rows[name] for name in wiring.rows], -1)
    squashed = ACTIVATIONS[wiring.output_activation](rows["c"])
    return slopes(wiring, gates, squashed, padding.before(rows["c"], c0, lengths, backward), peephole)


def jacobians(wiring: Wiring, along: Slopes, weight_hh: Tensor) -> Float[Tensor, "time to from"]:
    """d(h, c after a step) / d(h, c before it), at all steps of one sequence (batch of one)."""
    hidden = weight_hh.shape[1]
    rows = along.sums[:, 0].unsqueeze(-1) * weight_hh
    blocks = dict(zip(wiring.rows, rows.split(hidden, 1), strict=True))
    output = blocks.pop("o", torch.zeros((), dtype=rows.dtype, device=rows.device))
    into_c = along.into_c[:, 0].unsqueeze(-1)
    keep = torch.ones_like(along.into_c[:, 0]) if along.keep is None else along.keep[:, 0]
    c_h, c_c = sum(blocks.values()), torch.diag_embed(keep)
    return torch.cat([torch.cat([output + into_c * c_h, into_c * c_c], -1), torch.cat([c_h, c_c], -1)], -2)
