"""Diagonal state-space layers: fixed (S4D), and selective (the layer inside Mamba).

A unit holds N numbers that fade, each at its own rate, while the input is added; what it says is a weighted
sum of them. Gu, Goel, Gupta and Re (2022), "On the Parameterization and Initialization of Diagonal State
Space Models" (arXiv 2206.11893); Gu and Dao (2023), "Mamba: Linear-Time Sequence Modeling with Selective
State Spaces" (arXiv 2312.00752), algorithm 2. What stands round these layers in the papers' blocks (mixing,
short convolution, gate, residual, norm) is not here.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from lessons.later import Floor, Later, Sequence
from lessons.loop import See, State
from lessons.scan import scan

SLOWEST, FASTEST = 1e-3, 1e-1  # where step sizes start: log-uniform between these, as in both papers


class S4DFloor(Floor):
    """x' = A x + B u in continuous time, A diagonal and complex, sampled every d (zero-order hold, B = 1).

    g_t = W x_t + b
    c_t = exp(d A) c_{t-1} + (exp(d A) - 1) / A g_t
    h_t = gelu(2 Re sum_n C_n c_tn + D g_t)

    A, d, C and D are learnt and the same at every step: nothing in the input can make the layer forget. It
    starts at A_n = -1/2 + i pi n ("S4D-Lin"). A trace shows f = |exp(d A)|, its mean over the N numbers.
    State: h, and c as pairs of real numbers, (B, H, N, 2).
    """

    names = ("f", "g", "h")
    states = ("h", "c")

    def __init__(self, input_size, hidden_size, forget_bias=None, state_size: int = 8) -> None:
        super().__init__(input_size, hidden_size)
        shape = (hidden_size, state_size)
        self.reading = nn.Linear(input_size, hidden_size)
        self.log_step = nn.Parameter(torch.empty(hidden_size).uniform_(math.log(SLOWEST), math.log(FASTEST)))
        self.log_fading = nn.Parameter(torch.full(shape, math.log(0.5)))
        self.turning = nn.Parameter(
            math.pi * torch.arange(state_size, dtype=torch.float32).repeat(hidden_size, 1)
        )
        self.output = nn.Parameter(torch.randn(*shape, 2) * 0.5**0.5)
        self.through = nn.Parameter(torch.ones(hidden_size))

    def start(self, batch: int) -> State:
        """Zeros."""
        shape = (batch, *self.output.shape)
        return self.zeros(batch, self.hidden_size), self.zeros(*shape)

    def hoist(self, x: Float[Tensor, "time batch input"]) -> Sequence:
        """g."""
        return self.reading(x)

    def step(self, from_x: Float[Tensor, "batch rows"], state: State, see: See) -> State:
        """The next (h, c)."""
        decay, entering = self.sampled()
        g, before = see("g", from_x), torch.view_as_complex(state[1].contiguous())
        f = see("f", decay.abs().expand(len(g), -1, -1))
        c = see("c", torch.view_as_real(f * torch.sgn(decay) * before + entering * g[..., None]))
        return see("h", self.said(torch.view_as_complex(c), g)), c

    def parallel(self, x: Float[Tensor, "time batch input"], state: State) -> tuple[Sequence, State]:
        """All steps by one scan over complex numbers."""
        (decay, entering), g = self.sampled(), self.hoist(x)
        c = scan(
            decay.expand(1, 1, -1, -1), entering * g[..., None], torch.view_as_complex(state[1].contiguous())
        )
        h = self.said(c, g)
        return h, (h[-1], torch.view_as_real(c[-1]))

    def sampled(self) -> tuple[Tensor, Tensor]:
        """exp(d A), and what multiplies g, both complex (H, N)."""
        rate = torch.complex(-self.log_fading.exp(), self.turning)
        decay = torch.exp(self.log_step.exp()[:, None] * rate)
        return decay, (decay - 1) / rate

    def said(self, c: Tensor, g: Float[Tensor, "*steps hidden"]) -> Tensor:
        """h, from the state and what came in."""
        real, imaginary = self.output.unbind(-1)
        seen = 2 * (c.real * real - c.imag * imaginary).sum(-1)
        return functional.gelu(seen + self.through * g)


class SelectiveFloor(Floor):
    """The same with real A < 0, and with step size d, entry B and reading C computed from the input.

    g_t = silu(W x_t + b), d_t = softplus(W_d2 W_d1 g_t + b_d), B_t = W_B g_t, C_t = W_C g_t
    c_t = exp(d_t A) c_{t-1} + d_t g_t B_t
    h_t = sum_n C_tn c_tn + D g_t

    A long step forgets and takes in, a step of length 0 keeps everything and takes in nothing: with N = 1,
    A = -1, B = 1 and 1 - exp(-d) in place of d these are a forget gate and an input gate that share out one
    whole (theorem 1 of the paper). It starts at A_n = -n, n from 1. A trace
    shows d, f = exp(d A) and c, the latter two as means over the N numbers of a unit. State: h, and
    c (B, H, N).
    """

    names = ("d", "f", "g", "c", "h")
    states = ("h", "c")

    def __init__(self, input_size, hidden_size, forget_bias=None, state_size: int = 8) -> None:
        super().__init__(input_size, hidden_size)
        self.state_size, rank = state_size, max(1, hidden_size // 16)
        self.reading = nn.Linear(input_size, hidden_size)
        self.choosing = nn.Linear(hidden_size, rank + 2 * state_size, bias=False)
        self.stepping = nn.Linear(rank, hidden_size)
        rates = torch.arange(1, state_size + 1, dtype=torch.float32)
        self.log_rate = nn.Parameter(rates.log().repeat(hidden_size, 1))
        self.through = nn.Parameter(torch.ones(hidden_size))
        with torch.no_grad():
            steps = torch.empty(hidden_size).uniform_(math.log(SLOWEST), math.log(FASTEST)).exp()
            self.stepping.bias.copy_(steps + torch.log(-torch.expm1(-steps)))  # softplus gives these steps

    def start(self, batch: int) -> State:
        """Zeros."""
        return self.zeros(batch, self.hidden_size), self.zeros(batch, self.hidden_size, self.state_size)

    def hoist(self, x: Float[Tensor, "time batch input"]) -> Sequence:
        """g, d, B and C side by side."""
        g = functional.silu(self.reading(x))
        rank, entry, reading = self.choosing(g).split([self.stepping.in_features] + [self.state_size] * 2, -1)
        return torch.cat([g, functional.softplus(self.stepping(rank)), entry, reading], -1)

    def step(self, from_x: Float[Tensor, "batch rows"], state: State, see: See) -> State:
        """The next (h, c)."""
        g, d, entry, reading = self.parts(from_x)
        g, d = see("g", g), see("d", d)
        f = see("f", self.kept(d))
        c = see("c", f * state[1] + (d * g)[..., None] * entry[..., None, :])
        return see("h", self.said(c, reading, g)), c

    def parallel(self, x: Float[Tensor, "time batch input"], state: State) -> tuple[Sequence, State]:
        """All steps by one scan."""
        g, d, entry, reading = self.parts(self.hoist(x))
        c = scan(self.kept(d), (d * g)[..., None] * entry[..., None, :], state[1])
        h = self.said(c, reading, g)
        return h, (h[-1], c[-1])

    def parts(self, side_by_side: Float[Tensor, "*steps rows"]) -> tuple[Tensor, ...]:
        """g and d (..., H), B and C (..., N)."""
        return side_by_side.split([self.hidden_size] * 2 + [self.state_size] * 2, -1)

    def kept(self, d: Float[Tensor, "*steps hidden"]) -> Tensor:
        """exp(d A): the share that each of a unit's numbers keeps."""
        return torch.exp(d[..., None] * -self.log_rate.exp())

    def said(self, c: Tensor, reading: Tensor, g: Tensor) -> Tensor:
        """h, from the state and what came in."""
        return (c @ reading[..., None])[..., 0] + self.through * g


class S4D(Later):
    """A fixed diagonal state-space layer: see S4DFloor. `state_size`: complex numbers a unit."""

    kind, mode = S4DFloor, "s4d"


class Selective(Later):
    """A selective state-space layer: see SelectiveFloor. `state_size`: numbers a unit."""

    kind, mode = SelectiveFloor, "selective"
