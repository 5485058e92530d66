"""Gates without a loop: what a fused kernel computed inside, recovered from its outputs.

Once all h_t are known, each gate at all steps is one matrix product over (x_t, h_{t-1}), and the LSTM's
cell is an elementwise scan c_t = f_t c_{t-1} + i_t g_t. Time is the first axis, and steps keep their places
in the input, in both directions.
"""

from itertools import pairwise

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from lessons import closed_form, fast, padding
from lessons.recurrent import State, kernel, run_direction

Named = dict[str, Tensor]
Lengths = Int[Tensor, " batch"] | None
Weights = list[Tensor]


def layer(
    mode: str,
    x: Float[Tensor, "time batch input"],
    states: list[State],
    weights: list[Weights],
    lengths: Lengths,
) -> list[Named]:
    """Run one layer on the fastest kernel: for each direction all that it computed, by name, (T, B, H)."""
    if len(states) == 2 and lengths is None and not closed_form.serves(mode, x):
        both, _ = kernel(mode, x, states, weights)
        outputs = both.chunk(2, -1)
        return [recover(mode, x, outputs[d], states[d], weights[d], None, d == 1) for d in range(2)]
    return [direction(mode, x, states[d], weights[d], lengths, d == 1) for d in range(len(states))]


def direction(
    mode: str,
    x: Float[Tensor, "time batch input"],
    state: State,
    weights: Weights,
    lengths: Lengths,
    backward: bool,
) -> Named:
    """The same for one direction."""
    if closed_form.serves(mode, x):
        return recorded(mode, x, state, weights, lengths, backward)
    h, _ = run_direction(mode, x, state, weights, lengths, backward)
    return recover(mode, x, h, state, weights, lengths, backward)


def recorded(mode: str, x: Tensor, state: State, weights: Weights, lengths: Lengths, backward: bool) -> Named:
    """What the closed form recorded on its way."""
    turned = backward and lengths is not None
    x = padding.reverse(x, lengths) if turned else x
    seen = closed_form.run(mode, x, state[0], weights, backward and not turned)
    named = name_gru(seen.gates, seen.q, seen.h) if mode == "GRU" else {"h": seen.h}
    named = {name: padding.blank(part, lengths) for name, part in named.items()}
    return {name: padding.reverse(part, lengths) for name, part in named.items()} if turned else named


def recover(
    mode: str,
    x: Tensor,
    h: Tensor,
    state: State,
    weights: Weights,
    lengths: Lengths = None,
    backward: bool = False,
) -> Named:
    """Gates and states of a direction from its inputs and outputs."""
    if mode.startswith("RNN"):
        return {"h": h}
    before = padding.before(h, state[0], lengths, backward)
    if mode == "GRU":
        gates, q = gru_gates(x, before, weights)
        return name_gru(padding.blank(gates, lengths), padding.blank(q, lengths), h)
    gates = padding.blank(lstm_gates(x, before, weights), lengths)
    return name_lstm(gates, scan(gates, state[1], lengths, backward), h)


def name_lstm(gates: Float[Tensor, "time batch gates"], c: Tensor, h: Tensor) -> Named:
    """The four gates side by side, as separate names beside c and h."""
    i, f, g, o = gates.chunk(4, -1)
    return {"i": i, "f": f, "g": g, "o": o, "c": c, "h": h}


def name_gru(gates: Float[Tensor, "time batch gates"], q: Tensor, h: Tensor) -> Named:
    """The three gates side by side, as separate names beside q and h."""
    r, z, n = gates.chunk(3, -1)
    return {"r": r, "z": z, "n": n, "q": q, "h": h}


def lstm_gates(x: Tensor, before: Tensor, weights: Weights) -> Float[Tensor, "time batch gates"]:
    """i, f, g, o side by side at all steps: one matrix product."""
    hidden, by_sigmoid = before.shape[-1], fast.by_sigmoid(x)
    weight = torch.cat(weights[:2], 1)
    bias = weights[2] + weights[3] if len(weights) > 2 else None
    if by_sigmoid:
        weight, bias = (fast.double_rows(part, 2 * hidden, 3 * hidden) for part in (weight, bias))
    gates = fast.linear(torch.cat([x, before], -1), weight, bias)
    g = gates[..., 2 * hidden : 3 * hidden]
    if by_sigmoid:
        gates.sigmoid_()
        fast.sigmoid_to_tanh_(g)
    else:
        g.tanh_()
        gates[..., : 2 * hidden].sigmoid_()
        gates[..., 3 * hidden :].sigmoid_()
    return gates


def gru_gates(
    x: Tensor, before: Tensor, weights: Weights
) -> tuple[Float[Tensor, "time batch gates"], Tensor]:
    """r, z, n side by side at all steps, and q: two matrix products."""
    bias_ih, bias_hh = weights[2:] if len(weights) > 2 else (None, None)
    both = 2 * before.shape[-1]
    gates = functional.linear(x, weights[0], bias_ih)
    from_h = functional.linear(before, weights[1], bias_hh)
    q = from_h[..., both:]
    gates[..., :both].add_(from_h[..., :both]).sigmoid_()
    gates[..., both:].addcmul_(gates[..., : both // 2], q).tanh_()
    return gates, q


def scan(
    gates: Float[Tensor, "time batch gates"],
    c0: Float[Tensor, "batch hidden"],
    lengths: Lengths,
    backward: bool,
) -> Float[Tensor, "time batch hidden"]:
    """c_t = f_t c_{t-1} + i_t g_t for all t: a plain loop, exact where scans in log space give NaN."""
    i, f, g, _ = gates.chunk(4, -1)
    c = i * g
    first = padding.first(c, lengths, backward)
    c[first] += f[first] * c0
    steps = list(zip(c.unbind(0), f.unbind(0), strict=True))[:: -1 if backward else 1]
    for (before, _), (now, keep) in pairwise(steps):
        now.addcmul_(keep, before)
    return c
