"""Attention without its softmax, written as a recurrence: a matrix that is written to and read from.

Katharopoulos, Vyas, Pappas and Fleuret (2020), "Transformers are RNNs: Fast Autoregressive Transformers with
Linear Attention" (arXiv 2006.16236), section 3.4. The gated form is that of Peng et al. (2021), "Random
Feature Attention", with this feature map in place of theirs. The matrix that the papers put behind the heads
is left to whatever reads the layer.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from lessons.later import Floor, Later, Sequence, shared_out, start_forgetting
from lessons.loop import See, State
from lessons.matrix_scan import read, read_all, with_one

LEAST = 1e-6  # kept below the normaliser, so that nothing divides by 0


class LinearAttentionFloor(Floor):
    """At each step a key and a value are bound together and added to a memory; a query reads it.

    M_t = M_{t-1} + phi(k_t) [v_t, 1]^T, h_t = phi(q_t)^T M_t without its last column, divided by that column
    phi(v) = elu(v) + 1 is positive, so the last column of M is the sum of weights, and h_t a mean of values.

    State: h, and the memory (B, heads, D, D + 1) with D = H / heads. Its column of ones holds the normaliser.
    """

    names = ("key", "query", "value", "h")
    states = ("h", "memory")
    gated = False

    def __init__(self, input_size, hidden_size, forget_bias=None, heads: int = 1) -> None:
        super().__init__(input_size, hidden_size)
        self.heads, self.width = heads, shared_out(hidden_size, heads)
        self.reading = nn.Linear(input_size, 3 * hidden_size + (heads if self.gated else 0))
        if self.gated:
            start_forgetting(self.reading.bias[3 * hidden_size :], forget_bias)

    def start(self, batch: int) -> State:
        """Nothing is remembered."""
        memory = self.zeros(batch, self.heads, self.width, self.width + 1)
        return self.zeros(batch, self.hidden_size), memory

    def hoist(self, x: Float[Tensor, "time batch input"]) -> Sequence:
        """Keys, queries and values side by side, and the gates' sums behind them."""
        return self.reading(x)

    def step(self, from_x: Float[Tensor, "batch rows"], state: State, see: See) -> State:
        """The next (h, memory)."""
        key, query, value, gate = self.parts(from_x)
        key, query, value = see("key", key), see("query", query), see("value", value)
        key, query, value = (part.unflatten(-1, (self.heads, -1)) for part in (key, query, value))
        kept, written = state[1], torch.einsum("bhk,bhv->bhkv", key, with_one(value))
        if gate is not None:
            f = see("f", torch.sigmoid(gate).repeat_interleave(self.width, -1))
            f = f.unflatten(-1, (self.heads, -1))[..., None]
            kept, written = f * kept, (1 - f) * written
        memory = see("memory", kept + written)
        h = normalised(read(query, memory))
        return see("h", h.flatten(-2)), memory

    def parallel(self, x: Float[Tensor, "time batch input"], state: State) -> tuple[Sequence, State]:
        """All steps by products of matrices, chunk by chunk."""
        key, query, value, gate = self.parts(self.hoist(x))
        key, query, value = (part.unflatten(-1, (self.heads, -1)) for part in (key, query, value))
        log_f, log_i = (key.new_zeros(key.shape[:-1]),) * 2
        if gate is not None:
            log_f, log_i = functional.logsigmoid(gate), functional.logsigmoid(-gate)
        zero = key.new_zeros(key.shape[1:-1])
        found, memory, m = read_all(query, key, with_one(value), log_f, log_i, state[1], zero)
        h = normalised(found.numerators * found.m.exp()[..., None]).flatten(-2)
        return h, (h[-1], memory * m.exp()[..., None, None])

    def parts(self, sums: Float[Tensor, "*steps rows"]) -> tuple[Tensor, Tensor, Tensor, Tensor | None]:
        """Keys and queries, above 0, values, and the sums of the gates, one a head."""
        key, query, value, *gate = sums.split([self.hidden_size] * 3 + [self.heads] * self.gated, -1)
        return functional.elu(key) + 1, functional.elu(query) + 1, value, gate[0] if gate else None


class GatedAttentionFloor(LinearAttentionFloor):
    """Linear attention that forgets: M_t = f_t M_{t-1} + (1 - f_t) phi(k_t) [v_t, 1]^T, one f a head.

    f_t = sigmoid(w x_t + b). A trace shows it for every unit of the head.
    """

    names = ("f", "key", "query", "value", "h")
    gated = True


def normalised(found: Float[Tensor, "*steps more"]) -> Tensor:
    """What was read, divided by the sum of weights in the last place."""
    return found[..., :-1] / (found[..., -1:] + LEAST)


class LinearAttention(Later):
    """Linear attention as a recurrent layer: see LinearAttentionFloor. `heads` divides the units."""

    kind, mode = LinearAttentionFloor, "linear_attention"


class GatedAttention(Later):
    """Linear attention with a forget gate: see GatedAttentionFloor. `heads` divides the units."""

    kind, mode = GatedAttentionFloor, "gated_attention"
