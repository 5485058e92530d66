"""The GRU with the reset gate before the matrix product (Cho et al. 2014), which no kernel of torch runs.

The loop is as in lessons.closed_form, with two matrix products a step instead of one, and so is its backward
pass: slopes for all steps at once, then two matrix products and a few multiplications a step.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.autograd.function import FunctionCtx
from torch.nn import functional

from lessons import adjoint, fast, padding
from lessons.closed_form import outer
from lessons.loop import See, State, loop

Sequence = Float[Tensor, "time batch hidden"]
Gates = Float[Tensor, "time batch gates"]
Lengths = Int[Tensor, " batch"] | None


class ResetBeforeCell:
    """The cell in the loop, as its equations stand. q is what the candidate gets from the state."""

    states = ("h",)

    def __init__(self, weight_ih: Tensor, weight_hh: Tensor, bias_ih: Tensor | None = None, bias_hh=None):
        self.weight_ih, self.bias_ih = weight_ih, bias_ih
        both = 2 * weight_hh.shape[1]
        self.weight_rz, self.weight_n = weight_hh[:both], weight_hh[both:]
        self.bias_rz, self.bias_n = (None, None) if bias_hh is None else (bias_hh[:both], bias_hh[both:])

    def hoist(self, x: Float[Tensor, "time batch input"]) -> Float[Tensor, "time batch rows"]:
        """W_ih x + b_ih, the three gates side by side."""
        return functional.linear(x, self.weight_ih, self.bias_ih)

    def step(self, from_x: Float[Tensor, "batch rows"], state: State, see: See) -> State:
        """The next (h,)."""
        (h,) = state
        x_r, x_z, x_n = from_x.chunk(3, dim=1)
        h_r, h_z = functional.linear(h, self.weight_rz, self.bias_rz).chunk(2, dim=1)
        r, z = see("r", torch.sigmoid(x_r + h_r)), see("z", torch.sigmoid(x_z + h_z))
        q = see("q", functional.linear(r * h, self.weight_n, self.bias_n))
        n = see("n", torch.tanh(x_n + q))
        return (see("h", torch.lerp(n, h, z)),)


def run(
    x: Float[Tensor, "time batch input"],
    h0: Float[Tensor, "batch hidden"],
    weights: list[Tensor],
    backward: bool = False,
) -> Sequence:
    """One layer in one direction: h at all steps, differentiable. `backward` starts at the last step."""
    weight_ih, weight_hh = weights[:2]
    bias = weights[2] + weights[3] if len(weights) > 2 else None
    if x.is_meta or not torch.is_autocast_enabled(x.device.type):
        return ResetBeforeFunction.apply(x, h0, weight_ih, weight_hh, bias, backward)[0]
    with torch.autocast(x.device.type, enabled=False):
        x, h0 = x.to(weight_hh.dtype), h0.to(weight_hh.dtype)
        return ResetBeforeFunction.apply(x, h0, weight_ih, weight_hh, bias, backward)[0]


class ResetBeforeFunction(torch.autograd.Function):
    """For autograd: (x, h0, weight_ih, weight_hh, bias, backward) -> h, gates r z n side by side, r h."""

    @staticmethod
    def forward(x, h0, weight_ih, weight_hh, bias, backward):
        hidden, both = h0.shape[-1], 2 * h0.shape[-1]
        by_sigmoid = fast.by_sigmoid(x)
        if by_sigmoid:
            weight_ih, weight_hh, bias = (
                fast.double_rows(part, both, 3 * hidden) for part in (weight_ih, weight_hh, bias)
            )
        gates = fast.linear(x, weight_ih, bias)
        h, kept = (x.new_empty(*x.shape[:2], hidden) for _ in range(2))
        recurrent_rz, recurrent_n, before = weight_hh[:both].t(), weight_hh[both:].t(), h0
        parts = (gates[..., :both], *gates.split(hidden, -1), kept, h)
        for rz, r, z, n, kept_t, h_t in zip(
            *(adjoint.travel(part, not backward) for part in parts), strict=True
        ):
            rz.addmm_(before, recurrent_rz).sigmoid_()
            n.addmm_(torch.mul(r, before, out=kept_t), recurrent_n)
            fast.tanh_of_doubled_(n) if by_sigmoid else n.tanh_()
            before = torch.lerp(n, before, z, out=h_t)
        return h, gates, kept

    @staticmethod
    def setup_context(ctx: FunctionCtx, inputs, output):
        *tensors, ctx.backward_in_time = inputs
        ctx.save_for_backward(*tensors, *output)
        ctx.mark_non_differentiable(*output[1:])
        ctx.set_materialize_grads(False)

    @staticmethod
    def backward(ctx: FunctionCtx, grad, *_):
        if grad is None:
            return (None,) * 6
        *inputs, h, gates, kept = ctx.saved_tensors
        if torch.is_grad_enabled():
            return (*differentiable(inputs, grad, ctx.backward_in_time), None)
        x, h0, weight_ih, weight_hh, _ = inputs
        before = padding.before(h, h0, None, ctx.backward_in_time)
        back = travel_back(grad, gates, before, weight_hh, None, ctx.backward_in_time)
        rz, n = back.sums.split([2 * h.shape[-1], h.shape[-1]], -1)
        needs_x, _, needs_ih, needs_hh, needs_bias, _ = ctx.needs_input_grad
        return (
            back.sums @ weight_ih if needs_x else None,
            back.h0,
            outer(back.sums, x) if needs_ih else None,
            torch.cat([outer(rz, before), outer(n, kept)]) if needs_hh else None,
            back.sums.sum((0, 1)) if needs_bias else None,
            None,
        )


class Adjoint(NamedTuple):
    """dL/dh_t; the gradients before the nonlinearities of r, z and n, side by side; dL/dh_0."""

    h: Sequence
    sums: Gates
    h0: Float[Tensor, "batch hidden"]


def slopes(gates: Gates, before: Sequence) -> Gates:
    """From the sums before z and n to h, and from that before r to r h, side by side."""
    _, z, n = gates.chunk(3, -1)
    sums = (1 - gates).mul_(gates)
    slope_r, slope_z, slope_n = sums.chunk(3, -1)
    slope_r.mul_(before)
    slope_z.mul_(before - n)
    torch.mul(1 - z, 1 - n * n, out=slope_n)
    return sums


def travel_back(
    grad: Sequence,
    gates: Gates,
    before: Sequence,
    weight_hh: Float[Tensor, "gates hidden"],
    lengths: Lengths = None,
    backward: bool = False,
) -> Adjoint:
    """The adjoint recursion, given the old h of each step and what the loss sends to each h directly."""
    hidden, both = before.shape[-1], 2 * before.shape[-1]
    sums = padding.blank(slopes(gates, before), lengths)
    grad = grad.clone(memory_format=torch.contiguous_format)
    r, z, _ = gates.chunk(3, -1)
    by_r, _, by_n = sums.chunk(3, -1)
    quantities = (r, z, sums[..., :both], by_r, sums[..., hidden:].unflatten(-1, (2, hidden)), by_n)
    others = (adjoint.travel(quantity, backward) for quantity in quantities)
    into_rz, into_n = weight_hh[:both], weight_hh[both:]
    adjoints = [*adjoint.travel(grad, backward), torch.zeros_like(grad[0])]
    for t, (r_t, z_t, rz_t, by_r_t, zn_t, by_n_t) in enumerate(zip(*others, strict=True)):
        zn_t.mul_(adjoints[t].unsqueeze(1))
        into_kept = by_n_t @ into_n
        by_r_t.mul_(into_kept)
        adjoints[t + 1].addcmul_(adjoints[t], z_t).addcmul_(into_kept, r_t).addmm_(rz_t, into_rz)
    first = padding.first(grad, lengths, backward)
    h0 = grad[first] * z[first] + (by_n[first] @ into_n) * r[first] + sums[first][:, :both] @ into_rz
    return Adjoint(padding.blank(grad, lengths), sums, h0)


def from_trace(
    rows: dict[str, Tensor], h0: Float[Tensor, "batch hidden"], lengths: Lengths, backward: bool
) -> tuple[Gates, Sequence]:
    """The gates side by side and the old h of each step, from the quantities of a trace, time first."""
    gates = torch.cat([rows[name] for name in "rzn"], -1)
    return gates, padding.before(rows["h"], h0, lengths, backward)


def jacobians(
    gates: Gates, before: Sequence, weight_hh: Float[Tensor, "gates hidden"]
) -> Float[Tensor, "time to from"]:
    """dh / d(h before) at all steps of one sequence (batch of one)."""
    r, z, _ = gates[:, 0].chunk(3, -1)
    w_r, w_z, w_n = weight_hh.chunk(3)
    by_r, by_z, by_n = (part.unsqueeze(-1) for part in slopes(gates, before)[:, 0].chunk(3, -1))
    kept = torch.diag_embed(r) + by_r * w_r
    return torch.diag_embed(z) + by_z * w_z + by_n * (w_n @ kept)


def differentiable(inputs: list, grad: Sequence, backward: bool) -> tuple:
    """Gradients that can be differentiated again (create_graph=True): through the plain loop."""
    x, h0, weight_ih, weight_hh, bias = inputs
    biases = () if bias is None else (bias, torch.zeros_like(bias))
    h, _ = loop(ResetBeforeCell(weight_ih, weight_hh, *biases), x, (h0,), backward=backward)
    wanted = [part for part in inputs if part is not None and part.requires_grad]
    found = iter(torch.autograd.grad(h, wanted, grad, create_graph=True))
    return tuple(next(found) if part is not None and part.requires_grad else None for part in inputs)
