"""Backpropagation through time written out: dL/dh_t and dL/dc_t for every t, by one recursion over the gates.

The slope of every nonlinearity is known once the gates are, so it is computed for all steps at once; what
remains per step is one matrix product with W_hh and a few multiplications. All tensors are (T, B, H);
`grad` is what the loss sends to each output directly, and the result adds what comes back through time.
`backward` is for a direction that read its input from the end: its adjoint travels from the first step to
the last.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from lessons import fast

Sequence = Float[Tensor, "time batch hidden"]
State = Float[Tensor, "batch hidden"]


class Elman(NamedTuple):
    """dL/dh_t; the gradient before the nonlinearity; dL/dh_0."""

    h: Sequence
    total: Sequence
    h0: State


class GRU(NamedTuple):
    """dL/dh_t; the gradients before r, z and of q side by side; the gradient before n's tanh; dL/dh_0."""

    h: Sequence
    rzq: Float[Tensor, "time batch gates"]
    n: Sequence
    h0: State


class LSTM(NamedTuple):
    """dL/dh_t, dL/dc_t; the gradients before the four gates side by side; dL/dh_0, dL/dc_0."""

    h: Sequence
    c: Sequence
    ifgo: Float[Tensor, "time batch gates"]
    h0: State
    c0: State


def elman(
    grad: Sequence, h: Sequence, weight_hh: Tensor, relu: bool = False, backward: bool = False
) -> Elman:
    """Adjoint of h_t = tanh(... + W_hh h_{t-1}), or relu."""
    sums = (h > 0).to(h.dtype) if relu else 1 - h * h
    grad = grad.clone(memory_format=torch.contiguous_format)
    adjoints, slopes = travel(grad, backward), travel(sums, backward)
    for t, slope in enumerate(slopes):
        slope.mul_(adjoints[t])
        if t + 1 < len(slopes):
            adjoints[t + 1].addmm_(slope, weight_hh)
    return Elman(grad, sums, slopes[-1] @ weight_hh)


def gru(
    grad: Sequence,
    gates: Tensor,
    q: Sequence,
    h: Sequence,
    h0: State,
    weight_hh: Tensor,
    backward: bool = False,
) -> GRU:
    """Adjoint of the GRU (lessons.cells.gru_step); `gates` holds r, z, n side by side."""
    r, z, n = gates.chunk(3, -1)
    slopes = torch.empty_like(gates)
    slope_r, slope_z, slope_q = slopes.chunk(3, -1)
    slope_n = (1 - z).mul_(1 - n * n)
    torch.mul(slope_n, r, out=slope_q)
    torch.mul(slope_q, q, out=slope_r).mul_(1 - r)
    torch.mul(z, 1 - z, out=slope_z).mul_(previous(h, h0, backward).sub_(n))
    grad = grad.clone(memory_format=torch.contiguous_format)
    adjoints, keep, rzq = travel(grad, backward), travel(z, backward), travel(slopes, backward)
    three = travel(slopes.unflatten(-1, (3, -1)), backward)
    for t, adjoint in enumerate(adjoints):
        three[t].mul_(adjoint.unsqueeze(1))
        if t + 1 < len(adjoints):
            adjoints[t + 1].addmm_(rzq[t], weight_hh).addcmul_(adjoint, keep[t])
    h0 = torch.addmm(adjoints[-1] * keep[-1], rzq[-1], weight_hh)
    return GRU(grad, slopes, slope_n.mul_(grad), h0)


def lstm(
    grad: Sequence,
    gates: Tensor,
    c: Sequence,
    c0: State,
    weight_hh: Tensor,
    backward: bool = False,
    grad_c: Sequence | None = None,
) -> LSTM:
    """Adjoint of the LSTM (lessons.cells.lstm_step); `gates` holds i, f, g, o side by side.

    `grad_c` is what the loss sends to each cell state directly (a loss on the final c, say).
    """
    hidden = c.shape[-1]
    i, f, g, o = gates.split(hidden, -1)
    squashed = tanh(c)
    into_c = (1 - squashed * squashed).mul_(o)
    slopes = (1 - gates).mul_(gates)
    slope_i, slope_f, slope_g, slope_o = slopes.split(hidden, -1)
    slope_i.mul_(g)
    slope_f.mul_(previous(c, c0, backward))
    torch.mul(i, 1 - g * g, out=slope_g)
    slope_o.mul_(squashed)
    grad = grad.clone(memory_format=torch.contiguous_format)
    cells = torch.empty_like(grad) if grad_c is None else grad_c.clone()
    adjoints, cell_adjoints, ifgo = travel(grad, backward), travel(cells, backward), travel(slopes, backward)
    keep, into_c = travel(f, backward), travel(into_c, backward)
    three = travel(slopes[..., : 3 * hidden].unflatten(-1, (3, hidden)), backward)
    output = travel(slope_o, backward)
    carry = torch.zeros_like(c0)
    for t, adjoint in enumerate(adjoints):
        if grad_c is not None:
            carry = carry.add_(cell_adjoints[t])
        cell = torch.addcmul(carry, adjoint, into_c[t], out=cell_adjoints[t])
        three[t].mul_(cell.unsqueeze(1))
        output[t].mul_(adjoint)
        carry = cell * keep[t]
        if t + 1 < len(adjoints):
            adjoints[t + 1].addmm_(ifgo[t], weight_hh)
    return LSTM(grad, cells, slopes, ifgo[-1] @ weight_hh, carry)


def travel(x: Tensor, backward: bool) -> tuple[Tensor, ...]:
    """The steps of x in the order in which an adjoint meets them."""
    steps = x.unbind(0)
    return steps if backward else steps[::-1]


def previous(x: Sequence, start: State, backward: bool = False) -> Sequence:
    """For each step, the state that the step began with."""
    start = start.unsqueeze(0)
    return torch.cat([x[1:], start]) if backward else torch.cat([start, x[:-1]])


def tanh(v: Tensor) -> Tensor:
    """tanh, the quick way where it is exact enough."""
    return fast.tanh_of_doubled_(v * 2) if fast.by_sigmoid(v) else torch.tanh(v)
