"""sLSTM and mLSTM: the LSTM with exponential gates, and with a matrix for a cell.

Beck et al. (2024), "xLSTM: Extended Long Short-Term Memory" (arXiv 2405.04517). An exponential input gate can
outdo all that was stored, so the cell is divided by a normaliser that sums the gates, and both are kept
divided by exp(m), the stabiliser. The blocks that the paper builds round these cells are not here.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from lessons.later import Floor, Later, Sequence, shared_out, start_forgetting
from lessons.loop import See, State
from lessons.matrix_scan import read, read_all, with_one
from lessons.scan import NEVER

TOP = 80.0  # exp of more than this overflows float32 soon


class SLSTMFloor(Floor):
    """An LSTM with an exponential input gate; the state feeds the gates, so it has no parallel form.

    f = sigmoid(...), i = exp(...), g = tanh(...), o = sigmoid(...), each of W x + R h + b
    c = f c + i g, norm = f norm + i, h = o c / norm
    m = max(log f + m, log i); c and norm are kept divided by exp(m), and a trace shows f and i so, too

    R is block-diagonal: units of one head see each other. The forget gate may be exp in the paper as well.
    State: h, c, norm, m.
    """

    names = ("i", "f", "g", "o", "c", "norm", "h")
    states = ("h", "c", "norm", "m")
    sequential = True

    def __init__(self, input_size, hidden_size, forget_bias=None, heads: int = 1) -> None:
        super().__init__(input_size, hidden_size)
        width = shared_out(hidden_size, heads)
        self.heads = heads
        self.reading = nn.Linear(input_size, 4 * hidden_size)
        self.recurrent = nn.Parameter(
            torch.empty(heads, width, 4 * width).uniform_(-(width**-0.5), width**-0.5)
        )
        start_forgetting(self.reading.bias[hidden_size : 2 * hidden_size], forget_bias)

    def start(self, batch: int) -> State:
        """Zeros, and a stabiliser of nothing."""
        zero = self.zeros(batch, self.hidden_size)
        return zero, zero, zero, zero + NEVER

    def hoist(self, x: Float[Tensor, "time batch input"]) -> Sequence:
        """W x + b, the gates side by side."""
        return self.reading(x)

    def step(self, from_x: Float[Tensor, "batch rows"], state: State, see: See) -> State:
        """The next (h, c, norm, m)."""
        h, c, norm, m = state
        heads = torch.einsum("bkw,kwr->bkr", h.unflatten(1, (self.heads, -1)), self.recurrent)
        from_h = heads.unflatten(2, (4, -1)).transpose(1, 2).flatten(1)
        log_i, log_f, g, o = (from_x + from_h).chunk(4, 1)
        log_f = functional.logsigmoid(log_f)
        level = torch.maximum(log_f + m, log_i).detach()
        i, f = see("i", torch.exp(log_i - level)), see("f", torch.exp(log_f + m - level))
        g, o = see("g", torch.tanh(g)), see("o", torch.sigmoid(o))
        c, norm = see("c", f * c + i * g), see("norm", f * norm + i)
        return see("h", o * c / norm), c, norm, level


class MLSTMFloor(Floor):
    """A memory M of keys and values, with an exponential input gate and a forget gate for each head.

    f = sigmoid(w_f x + b_f), i = exp(w_i x + b_i), o = sigmoid(W_o x + b_o)
    M = f M + i k [v, 1]^T, h = o q^T M without its last column, divided by max(|last column|, 1)

    Keys are divided by the root of their width. All is kept divided by exp(m) as in the sLSTM, so the 1
    becomes exp(-m); a trace shows f and i so, for every unit of the head. No state feeds a gate.
    State: h, M (B, heads, D, D + 1) with D = H / heads, m (B, heads).
    """

    names = ("i", "f", "o", "key", "query", "value", "h")
    states = ("h", "memory", "m")

    def __init__(self, input_size, hidden_size, forget_bias=None, heads: int = 1) -> None:
        super().__init__(input_size, hidden_size)
        self.heads, self.width = heads, shared_out(hidden_size, heads)
        self.reading = nn.Linear(input_size, 4 * hidden_size + 2 * heads)
        start_forgetting(self.reading.bias[-heads:], forget_bias)

    def start(self, batch: int) -> State:
        """Nothing is remembered."""
        memory = self.zeros(batch, self.heads, self.width, self.width + 1)
        return self.zeros(batch, self.hidden_size), memory, self.zeros(batch, self.heads) + NEVER

    def hoist(self, x: Float[Tensor, "time batch input"]) -> Sequence:
        """Keys, queries, values and the sums of o, then those of i and f, one a head."""
        return self.reading(x)

    def step(self, from_x: Float[Tensor, "batch rows"], state: State, see: See) -> State:
        """The next (h, memory, m)."""
        _, memory, m = state
        key, query, value, o, log_i, log_f = self.parts(from_x)
        level = torch.maximum(log_f + m, log_i).detach()
        i = see("i", self.per_unit(torch.exp(log_i - level)))
        f = see("f", self.per_unit(torch.exp(log_f + m - level)))
        o, key, query, value = see("o", o), see("key", key), see("query", query), see("value", value)
        key, query, value, i, f = (part.unflatten(-1, (self.heads, -1)) for part in (key, query, value, i, f))
        written = torch.einsum("bhk,bhv->bhkv", i * key, with_one(value))
        memory = see("memory", f[..., None] * memory + written)
        h = self.said(read(query, memory), level, o)
        return see("h", h), memory, level

    def parallel(self, x: Float[Tensor, "time batch input"], state: State) -> tuple[Sequence, State]:
        """All steps by products of matrices, chunk by chunk."""
        key, query, value, o, log_i, log_f = self.parts(self.hoist(x))
        key, query, value = (part.unflatten(-1, (self.heads, -1)) for part in (key, query, value))
        found, memory, m = read_all(query, key, with_one(value), log_f, log_i, state[1], state[2])
        h = self.said(found.numerators, found.m, o)
        return h, (h[-1], memory, m)

    def parts(self, sums: Float[Tensor, "*steps rows"]) -> tuple[Tensor, ...]:
        """Key, query, value and o (..., H); log i and log f (..., heads)."""
        key, query, value, o, log_i, log_f = sums.split([self.hidden_size] * 4 + [self.heads] * 2, -1)
        return key / self.width**0.5, query, value, torch.sigmoid(o), log_i, functional.logsigmoid(log_f)

    def per_unit(self, gate: Float[Tensor, "batch heads"]) -> Tensor:
        """A gate of a head, for each of its units."""
        return gate.repeat_interleave(self.width, -1)

    def said(self, found: Tensor, m: Tensor, o: Tensor) -> Tensor:
        """h (..., H): what was read, divided by its normaliser, let out by o."""
        least = torch.exp((-m).clamp_max(TOP))[..., None]
        return o * (found[..., :-1] / torch.maximum(found[..., -1:].abs(), least)).flatten(-2)


class SLSTM(Later):
    """The LSTM with exponential gates: see SLSTMFloor. It always runs in a loop; `heads` divides it."""

    kind, mode = SLSTMFloor, "slstm"


class MLSTM(Later):
    """The LSTM with a matrix for a cell: see MLSTMFloor. `heads` divides the units."""

    kind, mode = MLSTMFloor, "mlstm"
