"""The recurrence of Jordan (1986): the hidden layer sees the outputs that came before, and never itself.

    a_t = decay a_{t-1} + W x_t          x_t is the output that came before; a are Jordan's state units
    h_t = tanh(a_t + p + b)              p, the plan, is the same at every step

When the outputs are known, as in training with teacher forcing, all a_t are weighted sums and all h_t are
computed at once: nothing has to wait. Elman's h has to wait for the h before it.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from lessons.arguments import Count, Share, explained
from lessons.loop import See, State


class JordanCell:
    """One step of it, for a loop (lessons.loop). The state is h, a and the plan p."""

    states = ("h", "a", "p")

    def __init__(self, weight_ih: Tensor, bias: Tensor, decay: float | int) -> None:
        self.weight_ih, self.bias, self.decay = weight_ih, bias, decay

    def hoist(self, x: Float[Tensor, "time batch input"]) -> Float[Tensor, "time batch rows"]:
        """W x."""
        return functional.linear(x, self.weight_ih)

    def step(self, from_x: Float[Tensor, "batch rows"], state: State, see: See) -> State:
        """The next (h, a, p); the h that came before is not read."""
        _, a, p = state
        a = see("a", self.decay * a + from_x)
        return see("h", torch.tanh(a + p + self.bias)), a, p


class Jordan(nn.Module):
    """A layer of it: (B, T, I) -> (B, T, H), all steps at once.

    decay: what the state units keep of themselves from step to step. With 0 the hidden layer sees the last
    output only. State as in torch.nn, (1, B, H) each for h, a and the plan.
    """

    mode, looped = "JORDAN", True

    @explained
    def __init__(
        self,
        input_size: Count,
        hidden_size: Count,
        decay: Share = 0.5,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        self.input_size, self.hidden_size, self.decay = input_size, hidden_size, decay
        weights = nn.Linear(input_size, hidden_size, device=device, dtype=dtype)
        self.weight_ih_l0, self.bias_l0 = weights.weight, weights.bias

    def cell(self, index: int = 0, direction: int = 0) -> JordanCell:
        """The cell, for steps that have to wait."""
        return JordanCell(self.weight_ih_l0, self.bias_l0, self.decay)

    def forward(
        self, x: Float[Tensor, "batch time input"], state: State | None = None
    ) -> tuple[Float[Tensor, "batch time hidden"], State]:
        """h at every step, and the state after the last."""
        batch, steps = x.shape[:2]
        if state is None:
            state = (x.new_zeros(1, batch, self.hidden_size),) * 3
        _, start, plan = (part[0][:, None] for part in state)
        step = torch.arange(steps + 1, device=x.device, dtype=x.dtype)
        ago = step[1:, None] - step[None, 1:]
        kept = torch.where(ago >= 0, self.decay ** ago.clamp_min(0), 0)
        a = kept @ functional.linear(x, self.weight_ih_l0) + self.decay ** step[1:, None] * start
        h = torch.tanh(a + plan + self.bias_l0)
        return h, (h[:, -1][None], a[:, -1][None], state[2])
