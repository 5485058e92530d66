"""minLSTM and minGRU: what is left of the cells when the gates no longer see the state.

Feng, Tung, Ahmed, Bengio and Hajimirsadeghi (2024), "Were RNNs All We Needed?" (arXiv 2410.01201),
sections 3.1 and 3.2.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from lessons.later import Floor, Later, Sequence, start_forgetting
from lessons.loop import See, State
from lessons.scan import scan


class MinLSTMFloor(Floor):
    """f and i see x alone and share out one whole; the candidate g is not squashed, and there is no o.

    f_t = sigmoid(W_f x_t + b_f), i_t = sigmoid(W_i x_t + b_i), g_t = W_g x_t + b_g
    h_t = f_t / (f_t + i_t) h_{t-1} + i_t / (f_t + i_t) g_t

    A trace shows f and i as they are used, divided by their sum. With `positive`, g passes through `positive`
    below, as the paper has it for a scan in logarithms.
    """

    names = ("i", "f", "g", "h")

    def __init__(self, input_size, hidden_size, forget_bias=None, positive: bool = False) -> None:
        super().__init__(input_size, hidden_size)
        self.positive = positive
        self.reading = nn.Linear(input_size, 3 * hidden_size)
        if forget_bias is not None:  # sigmoid(b) + sigmoid(-b) = 1, so that f starts as it is used
            start_forgetting(self.reading.bias[:hidden_size], -forget_bias)
            start_forgetting(self.reading.bias[hidden_size : 2 * hidden_size], forget_bias)

    def hoist(self, x: Float[Tensor, "time batch input"]) -> Sequence:
        """The sums of i, f and g side by side."""
        return self.reading(x)

    def step(self, from_x: Float[Tensor, "batch rows"], state: State, see: See) -> State:
        """The next (h,)."""
        (h,) = state
        i, f, g = self.gates(from_x)
        i, f, g = see("i", i), see("f", f), see("g", g)
        return (see("h", f * h + i * g),)

    def parallel(self, x: Float[Tensor, "time batch input"], state: State) -> tuple[Sequence, State]:
        """All steps by one scan."""
        i, f, g = self.gates(self.hoist(x))
        h = scan(f, i * g, state[0])
        return h, (h[-1],)

    def gates(self, sums: Float[Tensor, "*steps rows"]) -> tuple[Tensor, Tensor, Tensor]:
        """i and f, which add up to 1, and g."""
        i, f, g = sums.chunk(3, -1)
        i, f = torch.sigmoid(i), torch.sigmoid(f)
        both = i + f
        return i / both, f / both, positive(g) if self.positive else g


class MinGRUFloor(Floor):
    """z sees x alone, and there is no r: h_t = z_t h_{t-1} + (1 - z_t) n_t, n_t = W_n x_t + b_n.

    z keeps the old state here, as in lessons.cells.gru_step; the paper writes 1 - z for that.
    """

    names = ("z", "n", "h")

    def __init__(self, input_size, hidden_size, forget_bias=None, positive: bool = False) -> None:
        super().__init__(input_size, hidden_size)
        self.positive = positive
        self.reading = nn.Linear(input_size, 2 * hidden_size)
        start_forgetting(self.reading.bias[:hidden_size], forget_bias)

    def hoist(self, x: Float[Tensor, "time batch input"]) -> Sequence:
        """The sums of z and n side by side."""
        return self.reading(x)

    def step(self, from_x: Float[Tensor, "batch rows"], state: State, see: See) -> State:
        """The next (h,)."""
        (h,) = state
        z, n = self.gates(from_x)
        z, n = see("z", z), see("n", n)
        return (see("h", z * h + (1 - z) * n),)

    def parallel(self, x: Float[Tensor, "time batch input"], state: State) -> tuple[Sequence, State]:
        """All steps by one scan."""
        z, n = self.gates(self.hoist(x))
        h = scan(z, (1 - z) * n, state[0])
        return h, (h[-1],)

    def gates(self, sums: Float[Tensor, "*steps rows"]) -> tuple[Tensor, Tensor]:
        """z and n."""
        z, n = sums.chunk(2, -1)
        return torch.sigmoid(z), positive(n) if self.positive else n


def positive(v: Tensor) -> Tensor:
    """Above 0 and rising with v: v + 1/2 from 0 on, sigmoid(v) below (Feng et al. 2024, appendix)."""
    return torch.where(v >= 0, functional.relu(v) + 0.5, torch.sigmoid(v))


class MinLSTM(Later):
    """The LSTM without feedback into its gates: see MinLSTMFloor. `positive=True` for the log-space form."""

    kind, mode = MinLSTMFloor, "minlstm"


class MinGRU(Later):
    """The GRU without feedback into its gates: see MinGRUFloor. `positive=True` for the log-space form."""

    kind, mode = MinGRUFloor, "mingru"
