"""The GRU with the reset gate before the matrix product (Cho et al. 2014), which no kernel of torch runs.

The loop is as in lessons.closed_form, with two matrix products a step instead of one, and so is its backward
pass: slopes for all steps at once, then two matrix products and a few multiplications a step.
"""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import FunctionCtx
from torch.nn import functional

from lessons import adjoint, fast, padding
from lessons.closed_form import outer
from lessons.loop import See, State, loop

Sequence = Float[Tensor, "time batch hidden"]


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
        *inputs, h, gates, kept = ctx.saved_tensors
        if torch.is_grad_enabled():
            return (*differentiable(inputs, grad, ctx.backward_in_time), None)
        x, h0, weight_ih, weight_hh, bias = inputs
        before = padding.before(h, h0, None, ctx.backward_in_time)
        _, slopes, start = reset_before(grad, gates, before, weight_hh, ctx.backward_in_time)
        both = 2 * h.shape[-1]
        rz, n = slopes[..., :both], slopes[..., both:]
        return (
            slopes @ weight_ih if ctx.needs_input_grad[0] else None,
            start,
            outer(slopes, x),
            torch.cat([outer(rz, before), outer(n, kept)]),
            None if bias is None else slopes.sum((0, 1)),
            None,
        )


def reset_before(
    grad: Sequence, gates: Tensor, before: Sequence, weight_hh: Tensor, backward: bool
) -> tuple[Sequence, Float[Tensor, "time batch gates"], Float[Tensor, "batch hidden"]]:
    """The adjoint: dL/dh_t, the gradients before the three gates side by side, dL/dh_0."""
    hidden, both = before.shape[-1], 2 * before.shape[-1]
    r, z, n = gates.split(hidden, -1)
    slopes = (1 - gates).mul_(gates)
    slope_r, slope_z, slope_n = slopes.split(hidden, -1)
    slope_r.mul_(before)
    slope_z.mul_(before - n)
    torch.mul(1 - z, 1 - n * n, out=slope_n)
    grad = grad.clone(memory_format=torch.contiguous_format)
    parts = (grad, r, z, slopes[..., :both], slope_r, slopes[..., hidden:].unflatten(-1, (2, hidden)), slope_n)
    adjoints, *others = (adjoint.travel(part, backward) for part in parts)
    into_rz, into_n = weight_hh[:both], weight_hh[both:]
    adjoints = [*adjoints, torch.zeros_like(before[0])]
    for t, (r_t, z_t, rz_t, by_r, zn_t, by_n) in enumerate(zip(*others, strict=True)):
        arrived, on = adjoints[t], adjoints[t + 1]
        zn_t.mul_(arrived.unsqueeze(1))
        into_kept = by_n @ into_n
        by_r.mul_(into_kept)
        on.addcmul_(arrived, z_t).addcmul_(into_kept, r_t).addmm_(rz_t, into_rz)
    return grad, slopes, adjoints[-1]


def differentiable(inputs: list, grad: Sequence, backward: bool) -> tuple:
    """Gradients that can be differentiated again (create_graph=True): through the plain loop."""
    x, h0, weight_ih, weight_hh, bias = inputs
    biases = () if bias is None else (bias, torch.zeros_like(bias))
    h, _ = loop(ResetBeforeCell(weight_ih, weight_hh, *biases), x, (h0,), backward=backward)
    wanted = [part for part in inputs if part is not None and part.requires_grad]
    found = iter(torch.autograd.grad(h, wanted, grad, create_graph=True))
    return tuple(next(found) if part is not None and part.requires_grad else None for part in inputs)
