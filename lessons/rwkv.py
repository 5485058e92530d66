"""RWKV's time mixing: a weighted mean of all values so far, whose weights fade at a learnt rate.

Peng et al. (2023), "RWKV: Reinventing RNNs for the Transformer Era" (arXiv 2305.13048), section 3.1. The
output matrix of the paper is left to whatever reads the layer.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from lessons.later import Floor, Later, Sequence
from lessons.loop import See, State
from lessons.scan import NEVER, running_max, scan


class RWKVFloor(Floor):
    """o, key and value each read a mixture of this input and the last one; the decay w is the same always.

    o_t = sigmoid(W_o (mu_o x_t + (1 - mu_o) x_{t-1})), and so key and value, without the sigmoid
    wkv_t = sum of e^{k_s} v_s over s <= t, those before t times e^{-(t-1-s) w}, the newest times e^u,
            divided by the same sum without the v
    h_t = o_t wkv_t

    The paper calls o the receptance. exp(key) is an input gate without a limit, so sums are kept divided by
    exp(m). State: h, what the next step gets of this one's input (B, 3 H), both sums, and m.
    """

    names = ("o", "key", "value", "h")
    states = ("h", "shifted", "total", "norm", "m")

    def __init__(self, input_size, hidden_size, forget_bias=None) -> None:
        super().__init__(input_size, hidden_size)
        self.reading = nn.Linear(input_size, 3 * hidden_size, bias=False)
        self.mixture = nn.Parameter(torch.full((3, input_size), 0.5))
        self.log_decay = nn.Parameter(torch.linspace(-5.0, 0.0, hidden_size))
        self.bonus = nn.Parameter(torch.zeros(hidden_size))

    def start(self, batch: int) -> State:
        """Zeros, and a stabiliser of nothing."""
        zero = self.zeros(batch, self.hidden_size)
        return zero, self.zeros(batch, 3 * self.hidden_size), zero, zero, zero + NEVER

    def hoist(self, x: Float[Tensor, "time batch input"]) -> Sequence:
        """What x gives to its own step, and what it gives to the next, side by side (6 H)."""
        weight = self.reading.weight.unflatten(0, (3, -1))
        now, later = (weight * part[:, None] for part in (self.mixture, 1 - self.mixture))
        return x @ torch.cat([now, later]).flatten(0, 1).T

    def step(self, from_x: Float[Tensor, "batch rows"], state: State, see: See) -> State:
        """The next (h, shifted, total, norm, m)."""
        _, shifted, total, norm, m = state
        now, following = from_x.chunk(2, -1)
        o, key, value = (now + shifted).chunk(3, -1)
        o, key, value = see("o", torch.sigmoid(o)), see("key", key), see("value", value)
        h = see("h", o * self.mean(key, value, total, norm, m))
        level = torch.maximum(m - self.decay, key).detach()
        fading, entering = torch.exp(m - self.decay - level), torch.exp(key - level)
        total, norm = see("total", fading * total + entering * value), see("norm", fading * norm + entering)
        return h, following, total, norm, level

    def parallel(self, x: Float[Tensor, "time batch input"], state: State) -> tuple[Sequence, State]:
        """All steps by one scan for both sums."""
        _, shifted, total, norm, m0 = state
        now, following = self.hoist(x).chunk(2, -1)
        o, key, value = (now + torch.cat([shifted[None], following[:-1]])).chunk(3, -1)
        m = running_max(-self.decay, key, m0)
        before = torch.cat([m0[None], m[:-1]])
        entering = torch.exp(key - m)
        added, start = torch.stack([entering * value, entering], 1), torch.stack([total, norm])
        sums = scan(torch.exp(before - self.decay - m)[:, None], added, start)
        earlier = torch.cat([start[None], sums[:-1]])
        h = torch.sigmoid(o) * self.mean(key, value, *earlier.unbind(1), before)
        return h, (h[-1], following[-1], *sums[-1], m[-1])

    @property
    def decay(self) -> Float[Tensor, " hidden"]:
        """w > 0: how much the logarithm of every weight falls at each step."""
        return self.log_decay.exp()

    def mean(self, key: Tensor, value: Tensor, total: Tensor, norm: Tensor, m: Tensor) -> Tensor:
        """wkv: the mean of the values so far and the newest."""
        newest = key + self.bonus
        level = torch.maximum(m, newest).detach()
        fading, entering = torch.exp(m - level), torch.exp(newest - level)
        return (fading * total + entering * value) / (fading * norm + entering)


class RWKV(Later):
    """RWKV's time mixing as a recurrent layer: see RWKVFloor. It has no forget gate."""

    kind, mode = RWKVFloor, "rwkv"
