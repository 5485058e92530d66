"""Backpropagation through time written out: dL/dh_t and dL/dc_t for every t, by one recursion over the gates.

The slope of every nonlinearity is known once the gates are, so it is computed for all steps at once. What
remains per step is one matrix product with W_hh and a few multiplications. All tensors are (T, B, H);
`grad` is what the loss sends to each output directly, and the result adds what comes back through time.
`backward` is for a direction that read its input from the end: its adjoint travels from the first step to
the last. What the network computed past a sequence's end must be zero when `lengths` are given.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from lessons import fast, padding

Sequence = Float[Tensor, "time batch hidden"]
State = Float[Tensor, "batch hidden"]
Lengths = Int[Tensor, " batch"] | None


class Elman(NamedTuple):
    """dL/dh_t; the gradient before the nonlinearity; dL/dh_0."""

    h: Sequence
    sums: Sequence
    h0: State


class GRU(NamedTuple):
    """dL/dh_t; the gradients before r and z and of q, side by side; that before n's tanh; dL/dh_0."""

    h: Sequence
    rzq: Float[Tensor, "time batch gates"]
    n: Sequence
    h0: State


class LSTM(NamedTuple):
    """dL/dh_t, dL/dc_t; the gradients before the nonlinearities of i, f, g, o; dL/dh_0, dL/dc_0."""

    h: Sequence
    c: Sequence
    sums: Float[Tensor, "time batch gates"]
    h0: State
    c0: State


def elman(
    grad: Sequence,
    h: Sequence,
    weight_hh: Float[Tensor, "hidden hidden"],
    relu: bool = False,
    lengths: Lengths = None,
    backward: bool = False,
) -> Elman:
    """Adjoint of h_t = tanh(W_ih x_t + W_hh h_{t-1} + b), or relu in place of tanh."""
    sums = padding.blank((h > 0).to(h.dtype) if relu else 1 - h * h, lengths)
    grad = grad.clone(memory_format=torch.contiguous_format)
    adjoints, slopes = travel(grad, backward), travel(sums, backward)
    for t, slope in enumerate(slopes):
        slope.mul_(adjoints[t])
        if t + 1 < len(slopes):
            adjoints[t + 1].addmm_(slope, weight_hh)
    first = padding.first(h, lengths, backward)
    return Elman(padding.blank(grad, lengths), sums, sums[first] @ weight_hh)


def gru(
    grad: Sequence,
    r: Sequence,
    z: Sequence,
    n: Sequence,
    q: Sequence,
    h: Sequence,
    h0: State,
    weight_hh: Float[Tensor, "gates hidden"],
    lengths: Lengths = None,
    backward: bool = False,
) -> GRU:
    """Adjoint of the GRU (lessons.cells.gru_step)."""
    rzq = h.new_empty(*h.shape[:2], 3 * h.shape[2])
    slope_r, slope_z, slope_q = rzq.chunk(3, -1)
    slope_n = padding.blank((1 - z).mul_(1 - n * n), lengths)
    torch.mul(slope_n, r, out=slope_q)
    torch.mul(slope_q, q, out=slope_r).mul_(1 - r)
    torch.mul(z, 1 - z, out=slope_z).mul_(padding.before(h, h0, lengths, backward).sub_(n))
    grad = grad.clone(memory_format=torch.contiguous_format)
    adjoints, keep, sums = (travel(part, backward) for part in (grad, z, rzq))
    three = travel(rzq.unflatten(-1, (3, -1)), backward)
    for t, adjoint in enumerate(adjoints):
        three[t].mul_(adjoint.unsqueeze(1))
        if t + 1 < len(adjoints):
            adjoints[t + 1].addmm_(sums[t], weight_hh).addcmul_(adjoint, keep[t])
    first = padding.first(h, lengths, backward)
    start = torch.addmm(grad[first] * z[first], rzq[first], weight_hh)
    return GRU(padding.blank(grad, lengths), rzq, slope_n.mul_(grad), start)


def lstm(
    grad: Sequence,
    i: Sequence,
    f: Sequence,
    g: Sequence,
    o: Sequence,
    c: Sequence,
    c0: State,
    weight_hh: Float[Tensor, "gates hidden"],
    lengths: Lengths = None,
    backward: bool = False,
) -> LSTM:
    """Adjoint of the LSTM (lessons.cells.lstm_step)."""
    hidden, squashed = c.shape[-1], tanh(c)
    sums = c.new_empty(*c.shape[:2], 4 * hidden)
    slope_i, slope_f, slope_g, slope_o = sums.chunk(4, -1)
    torch.mul(i, 1 - i, out=slope_i).mul_(g)
    torch.mul(f, 1 - f, out=slope_f).mul_(padding.before(c, c0, lengths, backward))
    torch.mul(i, 1 - g * g, out=slope_g)
    torch.mul(o, 1 - o, out=slope_o).mul_(squashed)
    into_c = (1 - squashed * squashed).mul_(o)
    grad = grad.clone(memory_format=torch.contiguous_format)
    cells, carry = torch.empty_like(grad), torch.zeros_like(c0)
    adjoints, cell_adjoints, all_sums = (travel(part, backward) for part in (grad, cells, sums))
    keep, into_c, output = (travel(part, backward) for part in (f, into_c, slope_o))
    three = travel(sums[..., : 3 * hidden].unflatten(-1, (3, hidden)), backward)
    for t, adjoint in enumerate(adjoints):
        cell = torch.addcmul(carry, adjoint, into_c[t], out=cell_adjoints[t])
        three[t].mul_(cell.unsqueeze(1))
        output[t].mul_(adjoint)
        carry = cell * keep[t]
        if t + 1 < len(adjoints):
            adjoints[t + 1].addmm_(all_sums[t], weight_hh)
    first = padding.first(c, lengths, backward)
    h0, c0 = sums[first] @ weight_hh, cells[first] * f[first]
    return LSTM(padding.blank(grad, lengths), padding.blank(cells, lengths), sums, h0, c0)


def travel(x: Float[Tensor, "time ..."], backward: bool) -> tuple[Tensor, ...]:
    """The steps of x in the order in which an adjoint meets them: the last step first."""
    steps = x.unbind(0)
    return steps if backward else steps[::-1]


def tanh(v: Tensor) -> Tensor:
    """tanh, the quick way where that is exact enough."""
    return fast.tanh_of_doubled_(v * 2) if fast.by_sigmoid(v) else torch.tanh(v)
