"""The GRU and the Elman network on a CPU, with a backward pass written by hand.

torch runs these two on a CPU as a loop of differentiable operations. Here the forward loop writes into one
buffer per quantity and keeps every gate; the backward pass is the adjoint recursion of lessons.adjoint, and
the gradients of the weights are one matrix product over all steps. Same numbers as torch, in 0.4 to 1.1
times its time, with the gates as a by-product.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import FunctionCtx

from lessons import adjoint, fast

Sequence = Float[Tensor, "time batch hidden"]
Optional = Tensor | None


class Recorded(NamedTuple):
    """A layer's output h and, for the GRU, its gates on the way: r, z, n side by side, and q."""

    h: Sequence
    gates: Float[Tensor, "time batch gates"] | None = None
    q: Sequence | None = None


def serves(mode: str, x: Tensor) -> bool:
    """Whether the closed form runs this: GRU or Elman, on the CPU, float32 or float64, outside autocast."""
    plain = x.device.type == "cpu" and x.dtype in (torch.float32, torch.float64)
    return plain and mode != "LSTM" and not torch.is_autocast_enabled("cpu")


def run(
    mode: str,
    x: Float[Tensor, "time batch input"],
    h0: Float[Tensor, "batch hidden"],
    weights: list,
    backward: bool = False,
) -> Recorded:
    """One layer in one direction, differentiable in x, h0 and the weights. Only h carries gradients.

    `backward` starts at the last step.
    """
    weights = (*weights, None, None)[:4]
    if mode == "GRU":
        return Recorded(*GRUFunction.apply(x, h0, *weights, backward))
    return Recorded(ElmanFunction.apply(x, h0, *weights, mode == "RNN_RELU", backward))


def gru_forward(
    x: Tensor,
    h0: Tensor,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias_ih: Optional,
    bias_hh: Optional,
    backward: bool,
) -> Recorded:
    """The GRU's loop: one matrix product and a few elementwise operations a step, all in place."""
    hidden, by_sigmoid = h0.shape[-1], fast.by_sigmoid(x)
    if by_sigmoid:
        weight_ih, bias_ih = (fast.double_rows(part, 2 * hidden, 3 * hidden) for part in (weight_ih, bias_ih))
    gates = fast.linear(x, weight_ih, bias_ih)
    from_h, h = torch.empty_like(gates), x.new_empty(*x.shape[:2], hidden)
    bias = from_h.new_zeros(3 * hidden) if bias_hh is None else bias_hh
    recurrent, before, both = weight_hh.t(), h0, 2 * hidden
    parts = (from_h, from_h[..., :both], gates[..., :both], *gates.split(hidden, -1), from_h[..., both:], h)
    steps = zip(*(adjoint.travel(part, not backward) for part in parts), strict=True)
    for from_h_t, from_h_rz, rz, r, z, n, q, h_t in steps:
        torch.addmm(bias, before, recurrent, out=from_h_t)
        rz.add_(from_h_rz).sigmoid_()
        if by_sigmoid:
            fast.tanh_of_doubled_(n.addcmul_(r, q, value=2))
        else:
            n.addcmul_(r, q).tanh_()
        before = torch.lerp(n, before, z, out=h_t)
    return Recorded(h, gates, from_h[..., both:])


def elman_forward(
    x: Tensor,
    h0: Tensor,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias_ih: Optional,
    bias_hh: Optional,
    relu: bool,
    backward: bool,
) -> Sequence:
    """The Elman network's loop: one matrix product and its nonlinearity a step, all in place."""
    bias = None if bias_ih is None else bias_ih + bias_hh
    by_sigmoid = fast.by_sigmoid(x) and not relu
    if by_sigmoid:
        weight_ih, weight_hh, bias = (fast.double_rows(part) for part in (weight_ih, weight_hh, bias))
    h = fast.linear(x, weight_ih, bias)
    activate_ = torch.relu_ if relu else fast.tanh_of_doubled_ if by_sigmoid else torch.tanh_
    recurrent, before = weight_hh.t(), h0
    for h_t in adjoint.travel(h, not backward):
        before = activate_(h_t.addmm_(before, recurrent))
    return h


class GRUFunction(torch.autograd.Function):
    """The GRU for autograd: (x, h0, 2 weights, 2 biases, backward) -> h, gates, q."""

    @staticmethod
    def forward(x, h0, weight_ih, weight_hh, bias_ih, bias_hh, backward):
        return tuple(gru_forward(x, h0, weight_ih, weight_hh, bias_ih, bias_hh, backward))

    @staticmethod
    def setup_context(ctx: FunctionCtx, inputs, output):
        *tensors, ctx.backward_in_time = inputs
        ctx.xray_as = "gru"
        ctx.save_for_backward(*tensors, *output)
        ctx.mark_non_differentiable(*output[1:])
        ctx.set_materialize_grads(False)

    @staticmethod
    def backward(ctx: FunctionCtx, grad, *_):
        if grad is None:
            return (None,) * 7
        *inputs, h, gates, q = ctx.saved_tensors
        if torch.is_grad_enabled():
            return (*differentiable(torch.gru, inputs, grad, ctx.backward_in_time), None)
        x, h0, weight_ih, weight_hh, bias_ih, _ = inputs
        back = adjoint.gru(grad, *gates.chunk(3, -1), q, h, h0, weight_hh, backward=ctx.backward_in_time)
        needs_x, _, needs_ih, needs_hh, *_ = ctx.needs_input_grad
        rz, both = back.rzq[..., : 2 * h.shape[-1]], 2 * h.shape[-1]
        bias = None if bias_ih is None else back.rzq.sum((0, 1))
        return (
            rz @ weight_ih[:both] + back.n @ weight_ih[both:] if needs_x else None,
            back.h0,
            torch.cat([outer(rz, x), outer(back.n, x)]) if needs_ih else None,
            outer_before(back.rzq, h, h0, ctx.backward_in_time) if needs_hh else None,
            None if bias_ih is None else torch.cat([bias[:both], back.n.sum((0, 1))]),
            bias,
            None,
        )


class ElmanFunction(torch.autograd.Function):
    """The Elman network for autograd: (x, h0, 2 weights, 2 biases, relu, backward) -> h."""

    @staticmethod
    def forward(x, h0, weight_ih, weight_hh, bias_ih, bias_hh, relu, backward):
        return elman_forward(x, h0, weight_ih, weight_hh, bias_ih, bias_hh, relu, backward)

    @staticmethod
    def setup_context(ctx: FunctionCtx, inputs, output):
        *tensors, ctx.relu, ctx.backward_in_time = inputs
        ctx.xray_as = "rnn"
        ctx.save_for_backward(*tensors, output)

    @staticmethod
    def backward(ctx: FunctionCtx, grad):
        *inputs, h = ctx.saved_tensors
        if torch.is_grad_enabled():
            kernel = torch.rnn_relu if ctx.relu else torch.rnn_tanh
            return (*differentiable(kernel, inputs, grad, ctx.backward_in_time), None, None)
        x, h0, weight_ih, weight_hh, bias_ih, _ = inputs
        back = adjoint.elman(grad, h, weight_hh, ctx.relu, backward=ctx.backward_in_time)
        needs_x, _, needs_ih, needs_hh, *_ = ctx.needs_input_grad
        bias = None if bias_ih is None else back.sums.sum((0, 1))
        return (
            back.sums @ weight_ih if needs_x else None,
            back.h0,
            outer(back.sums, x) if needs_ih else None,
            outer_before(back.sums, h, h0, ctx.backward_in_time) if needs_hh else None,
            bias,
            bias,
            None,
            None,
        )


def outer(
    grad: Float[Tensor, "time batch rows"], x: Float[Tensor, "time batch columns"]
) -> Float[Tensor, "rows columns"]:
    """A weight's gradient: the sum over steps and sequences of the outer products of gradient and input."""
    return grad.flatten(0, 1).t() @ x.flatten(0, 1)


def outer_before(grad: Tensor, h: Sequence, h0: Float[Tensor, "batch hidden"], backward: bool) -> Tensor:
    """The same for W_hh, whose input at each step is the state that the step began with."""
    if backward:
        return outer(grad[:-1], h[1:]).addmm_(grad[-1].t(), h0)
    return outer(grad[1:], h[:-1]).addmm_(grad[0].t(), h0)


def differentiable(kernel, inputs: list[Optional], grad: Tensor, backward: bool) -> tuple[Optional, ...]:
    """Gradients that can be differentiated again (create_graph=True): through torch's own loop."""
    x, h0, *weights = inputs
    weights = [weight for weight in weights if weight is not None]
    x = x.flip(0) if backward else x
    h = kernel(x, h0.unsqueeze(0), weights, len(weights) > 2, 1, 0.0, True, False, False)[0]
    wanted = [part for part in inputs if part is not None and part.requires_grad]
    grad = grad.flip(0) if backward else grad
    found = iter(torch.autograd.grad(h, wanted, grad, create_graph=True))
    return tuple(next(found) if part is not None and part.requires_grad else None for part in inputs)
