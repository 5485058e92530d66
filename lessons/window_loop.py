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


class Kept(NamedTuple):
    """What the loop writes into, a row for each step: h beside what was read, window, LSTM's parts."""

    h_read: Float[Tensor, "time batch across"]
    window: Float[Tensor, "time batch numbers"]
    kappa: Float[Tensor, "time batch gaussians"]
    phi: Float[Tensor, "time batch 1 letters"]
    c: Float[Tensor, "time batch hidden"]
    gates: Float[Tensor, "time batch rows"]
    squashed: Float[Tensor, "time batch hidden"]

    @classmethod
    def room(cls, from_x: Tensor, letters: Tensor, numbers: int) -> "Kept":
        """Empty rows; those of the gates hold what comes from the offsets."""
        steps, batch, rows = from_x.shape
        hidden, places, alphabet = rows // 4, *letters.shape[1:]
        sizes = (hidden + alphabet, numbers, numbers // 3, hidden, hidden)
        h_read, window, kappa, c, squashed = (from_x.new_empty(steps, batch, size) for size in sizes)
        gates = from_x.clone(memory_format=torch.contiguous_format)
        return cls(h_read, window, kappa, from_x.new_empty(steps, batch, 1, places), c, gates, squashed)


class WindowFunction(torch.autograd.Function):
    """For autograd: (from_x, letters, real, three weights) -> h beside what was read, and the rest."""

    @staticmethod
    def forward(from_x, letters, real, weight_hh, window_weight, window_bias):
        kept, hidden = Kept.room(from_x, letters, len(window_bias)), from_x.shape[2] // 4
        doubled, recurrent = fast.by_sigmoid(from_x), weight_hh
        if doubled:
            recurrent = fast.double_rows(weight_hh, 2 * hidden, 3 * hidden)
            kept.gates[..., 2 * hidden : 3 * hidden] *= 2
        recurrent, to_window, beyond = recurrent.t(), window_weight.t(), ~real[:, None]
        place = torch.arange(letters.shape[1], device=from_x.device, dtype=from_x.dtype)
        before, c, kappa = (torch.zeros_like(part[0]) for part in (kept.h_read, kept.c, kept.kappa))
        for row in map(Kept._make, zip(*kept, strict=True)):
            h = new_state(row.gates.addmm_(before, recurrent), c, row, doubled)
            look(torch.addmm(window_bias, h, to_window), kappa, place, row)
            before, c, kappa = row.h_read, row.c, row.kappa
            before[:, :hidden] = h
            before[:, hidden:] = torch.bmm(row.phi.masked_fill_(beyond, 0), letters)[:, 0]
        return *kept[:3], kept.phi[:, :, 0], *kept[4:]

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


def new_state(
    gates: Float[Tensor, "batch rows"], before: Float[Tensor, "batch hidden"], row: Kept, doubled: bool
) -> Float[Tensor, "batch hidden"]:
    """h of one step, from the gates' sums and the c before; gates, c and tanh(c) are left in their rows."""
    i, f, g, o = gates.chunk(4, 1)
    if doubled:
        gates.sigmoid_()
        fast.sigmoid_to_tanh_(g)
    else:
        gates[:, : 2 * before.shape[1]].sigmoid_()
        g.tanh_()
        o.sigmoid_()
    torch.mul(f, before, out=row.c).addcmul_(i, g)
    if doubled:
        fast.tanh_of_doubled_(torch.mul(row.c, 2, out=row.squashed))
    else:
        torch.tanh(row.c, out=row.squashed)
    return torch.mul(o, row.squashed)


def look(
    numbers: Float[Tensor, "batch numbers"],
    before: Float[Tensor, "batch gaussians"],
    place: Float[Tensor, " letters"],
    row: Kept,
) -> None:
    """Move the window on from the kappa before; its exponentials, kappa and phi are left in their rows."""
    alpha, beta, ahead = torch.exp(numbers.clamp_(-HIGHEST, HIGHEST), out=row.window).chunk(3, 1)
    torch.add(before, ahead, out=row.kappa)
    bumps = (row.kappa.unsqueeze(2) - place).square_().mul_(beta.unsqueeze(2)).neg_().exp_()
    torch.bmm(alpha.unsqueeze(1), bumps, out=row.phi)


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
