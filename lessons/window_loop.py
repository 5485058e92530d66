"""An LSTM with a soft window at speed: one loop over time, its backward pass written by hand.

What a step reads goes into the next one, so no kernel knows this layer. The loop writes in place, one matrix
product takes the state and what was read together; backward, the slopes of gates and window are computed for
all steps at once, and what remains per step are three small products. The equations are those of
lessons.soft_window.window_step, which this is tested against.
"""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.autograd.function import FunctionCtx
from torch.nn import functional

from lessons import fast
from lessons.soft_window import HIGHEST, WindowWeights
from lessons.wired_closed_form import slopes
from lessons.wiring import Wiring

PLAIN = Wiring()


class Read(NamedTuple):
    """All steps: h, what was read, the window's exponentials (alpha, beta, kappa's step), kappa, phi, c."""

    h: Float[Tensor, "time batch hidden"]
    read: Float[Tensor, "time batch alphabet"]
    window: Float[Tensor, "time batch numbers"]
    kappa: Float[Tensor, "time batch gaussians"]
    phi: Float[Tensor, "time batch letters"]
    c: Float[Tensor, "time batch hidden"]


def run(
    x: Float[Tensor, "time batch input"],
    letters: Float[Tensor, "batch letters alphabet"],
    real: Bool[Tensor, "batch letters"],
    weights: WindowWeights,
) -> Read:
    """The layer from a zero state and the first letter on; h and what was read carry gradients."""
    if not x.is_meta and torch.is_autocast_enabled(x.device.type):
        with torch.autocast(x.device.type, enabled=False):
            return run(x, letters, real, weights)
    weight_ih, weight_hh, bias, *to_window = weights
    from_x = functional.linear(x, weight_ih, bias)
    h_read, window, kappa, phi, c, *_ = WindowFunction.apply(from_x, letters, real, weight_hh, *to_window)
    hidden = c.shape[-1]
    return Read(h_read[..., :hidden], h_read[..., hidden:], window, kappa, phi, c)


class WindowFunction(torch.autograd.Function):
    """For autograd: (from_x, letters, real, three weights) -> h beside what was read, and the rest."""

    @staticmethod
    def forward(from_x, letters, real, weight_hh, window_weight, window_bias):
        steps, batch, rows = from_x.shape
        hidden, alphabet, gaussians = rows // 4, letters.shape[2], len(window_bias) // 3
        doubled = fast.by_sigmoid(from_x)
        gates = from_x.clone(memory_format=torch.contiguous_format)
        recurrent = weight_hh
        if doubled:
            recurrent = fast.double_rows(weight_hh, 2 * hidden, 3 * hidden)
            gates[..., 2 * hidden : 3 * hidden] *= 2
        recurrent, to_window = recurrent.t(), window_weight.t()
        h_read = from_x.new_empty(steps, batch, hidden + alphabet)
        c, squashed = (from_x.new_empty(steps, batch, hidden) for _ in range(2))
        window, kappa = (
            from_x.new_empty(steps, batch, 3 * gaussians),
            from_x.new_empty(steps, batch, gaussians),
        )
        phi = from_x.new_empty(steps, batch, 1, letters.shape[1])
        place = torch.arange(letters.shape[1], device=from_x.device, dtype=from_x.dtype)
        beyond = ~real[:, None]
        before, c_before = from_x.new_zeros(batch, hidden + alphabet), from_x.new_zeros(batch, hidden)
        kappa_before = from_x.new_zeros(batch, gaussians)
        for t in range(steps):
            all_t, c_t, squashed_t = gates[t], c[t], squashed[t]
            all_t.addmm_(before, recurrent)
            i, f, g, o = all_t.chunk(4, 1)
            if doubled:
                all_t.sigmoid_()
                fast.sigmoid_to_tanh_(g)
            else:
                all_t[:, : 2 * hidden].sigmoid_()
                g.tanh_()
                o.sigmoid_()
            torch.mul(f, c_before, out=c_t).addcmul_(i, g)
            if doubled:
                fast.tanh_of_doubled_(torch.mul(c_t, 2, out=squashed_t))
            else:
                torch.tanh(c_t, out=squashed_t)
            h = torch.mul(o, squashed_t)
            numbers = torch.addmm(window_bias, h, to_window)
            alpha, beta, ahead = torch.exp(numbers.clamp_(-HIGHEST, HIGHEST), out=window[t]).chunk(3, 1)
            torch.add(kappa_before, ahead, out=kappa[t])
            bumps = (kappa[t].unsqueeze(2) - place).square_().mul_(beta.unsqueeze(2)).neg_().exp_()
            torch.bmm(alpha.unsqueeze(1), bumps, out=phi[t]).masked_fill_(beyond, 0)
            before, c_before, kappa_before = h_read[t], c_t, kappa[t]
            before[:, :hidden] = h
            before[:, hidden:] = torch.bmm(phi[t], letters)[:, 0]
        return h_read, window, kappa, phi[:, :, 0], c, gates, squashed

    @staticmethod
    def setup_context(ctx: FunctionCtx, inputs, output):
        _, letters, real, weight_hh, window_weight, window_bias = inputs
        ctx.save_for_backward(letters, real, weight_hh, window_weight, window_bias, *output)
        ctx.mark_non_differentiable(*output[1:])

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: FunctionCtx, grad, *_):
        letters, real, weight_hh, window_weight, _, h_read, *kept = ctx.saved_tensors
        window, kappa, _, c, gates, squashed = kept
        hidden = c.shape[-1]
        c_before = torch.cat([torch.zeros_like(c[:1]), c[:-1]])
        along = slopes(PLAIN, gates, squashed, c_before, None)
        bumps, pace = window_slopes(window, kappa, real)
        inner = along.sums[..., : 3 * hidden].unflatten(-1, (3, hidden))
        turned = torch.empty_like(window)
        carry = torch.zeros_like(grad[0])
        carry_c, carry_kappa = torch.zeros_like(c[0]), torch.zeros_like(kappa[0])
        for t in reversed(range(len(c))):
            carry = carry + grad[t]
            to_phi = torch.bmm(letters, carry[:, hidden:, None])
            numbers = torch.bmm(bumps[t], to_phi, out=turned[t].unsqueeze(2))[..., 0]
            ahead = numbers[:, -pace.shape[2] :]
            carry_kappa = carry_kappa + ahead
            torch.mul(carry_kappa, pace[t], out=ahead)
            to_h = torch.addmm(carry[:, :hidden], numbers, window_weight)
            to_c = torch.addcmul(carry_c, to_h, along.into_c[t])
            inner[t].mul_(to_c.unsqueeze(1))
            along.sums[t, :, 3 * hidden :].mul_(to_h)
            carry_c = to_c * along.keep[t]
            carry = along.sums[t] @ weight_hh
        before = torch.cat([torch.zeros_like(h_read[:1]), h_read[:-1]])
        flat = along.sums.flatten(0, 1)
        by_window = turned.flatten(0, 1)
        return (
            along.sums,
            None,
            None,
            flat.t() @ before.flatten(0, 1),
            by_window.t() @ h_read[..., :hidden].flatten(0, 1),
            by_window.sum(0),
        )


def window_slopes(
    window: Float[Tensor, "time batch numbers"],
    kappa: Float[Tensor, "time batch gaussians"],
    real: Bool[Tensor, "batch letters"],
) -> tuple[Float[Tensor, "time batch numbers letters"], Float[Tensor, "time batch gaussians"]]:
    """How phi changes with log alpha, log beta and kappa, at all steps, and kappa with the log of its step.

    0 where a bound holds a logarithm.
    """
    free = (window.log().abs() < HIGHEST - 1e-4).to(window)
    alpha, beta, ahead = (part.unsqueeze(-1) for part in window.chunk(3, -1))
    free_alpha, free_beta, free_ahead = (part.unsqueeze(-1) for part in free.chunk(3, -1))
    away = kappa.unsqueeze(-1) - torch.arange(real.shape[1], device=kappa.device, dtype=kappa.dtype)
    by_beta = beta * away
    bump = alpha * (-by_beta * away).exp() * real[:, None]
    by = [bump * free_alpha, -bump * by_beta * away * free_beta, -2 * bump * by_beta]
    return torch.cat(by, 2), (ahead * free_ahead)[..., 0]
