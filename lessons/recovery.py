"""Gates without a loop: what a kernel computed inside, at its own speed.

There are three ways, tried in this order. The closed forms of the GRU and the Elman network on a CPU keep
their gates. oneDNN's LSTM keeps them when it runs as if for training, and lessons.xray reads them.
Everywhere else they are recovered: once all h_t are known, each gate at all steps is one matrix product
over (x_t, h_{t-1}). Time is the first axis, and steps keep their places in the input, in both directions.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from lessons import closed_form, fast, padding, xray
from lessons.recurrent import State, kernel
from lessons.side_by_side import name_gru, name_lstm, scan

Named = dict[str, Tensor]
Lengths = Int[Tensor, " batch"] | None
Weights = list[Tensor]


def layer(
    mode: str,
    x: Float[Tensor, "time batch input"],
    states: list[State],
    weights: list[Weights],
    lengths: Lengths = None,
) -> list[Named]:
    """Run one layer as fast as can be: for each direction all that it computed, by name, (T, B, H)."""
    if lengths is None:
        return run(mode, x, states, weights)
    return [direction(mode, x, states[d], weights[d], lengths, d == 1) for d in range(len(states))]


def direction(
    mode: str,
    x: Float[Tensor, "time batch input"],
    state: State,
    weights: Weights,
    lengths: Lengths = None,
    backward: bool = False,
) -> Named:
    """The same for one direction; zero past a sequence's end."""
    (named,) = run(mode, padding.reverse(x, lengths) if backward else x, [state], [weights])
    named = {name: padding.blank(part, lengths) for name, part in named.items()}
    return {name: padding.reverse(part, lengths) for name, part in named.items()} if backward else named


def run(
    mode: str, x: Float[Tensor, "time batch input"], states: list[State], weights: list[Weights]
) -> list[Named]:
    """One layer without padding, one direction or both; the second reads from the end."""
    x, weights = x.detach(), [[part.detach() for part in own] for own in weights]
    if closed_form.serves(mode, x):
        return [recorded(mode, x, states[d], weights[d], d == 1) for d in range(len(states))]
    with torch.set_grad_enabled(xray.may_read(mode, x)):
        watched = [[own[0].detach().requires_grad_(), *own[1:]] for own in weights]
        output, _ = kernel(mode, x, states, watched)
    try:
        _, layers = xray.read(output)
        return [reading.named for reading in layers[0]]
    except xray.XrayUnavailable:
        outputs = output.detach().chunk(len(states), -1)
        return [recover(mode, x, outputs[d], states[d], weights[d], d == 1) for d in range(len(states))]


def recorded(mode: str, x: Tensor, state: State, weights: Weights, backward: bool) -> Named:
    """What the closed form recorded on its way."""
    seen = closed_form.run(mode, x, state[0], weights, backward)
    return name_gru(seen.gates, seen.q, seen.h) if mode == "GRU" else {"h": seen.h}


@torch.no_grad()
def recover(mode: str, x: Tensor, h: Tensor, state: State, weights: Weights, backward: bool = False) -> Named:
    """Gates and states of a direction from its inputs and outputs."""
    if mode.startswith("RNN"):
        return {"h": h}
    before = padding.before(h, state[0], None, backward)
    if mode == "GRU":
        return name_gru(*gru_gates(x, before, weights), h)
    gates = lstm_gates(x, before, weights)
    return name_lstm(gates, scan(gates, state[1], backward), h)


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
