"""What both machines with a memory share: a controller, what it asks for, and what it answers with.

The controller sees the input and what was read a step before (Graves et al. 2014 and 2016). One linear map
makes all that it asks for from its output, another the answer from its output and what is read now. How a
memory is written and read is each machine's own (lessons.ntm, lessons.dnc).
"""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from lessons.errors import LessonError
from lessons.loop import See, unseen

LSTM, FEED_FORWARD = "lstm", "feed-forward"
CONTROLLERS = (LSTM, FEED_FORWARD)


class Machine(nn.Module):
    """A controller beside a memory. A machine has `parts`, `start(batch)` and `step(x_t, state, see)`.

    Its state is a NamedTuple with at least hidden and cell (B, C), the controller's (cell (B, 0) for one
    without), and read (B, R, M).
    """

    def furnish(self, controller: str, **place: Any) -> None:
        """Make the controller, `ask` and `readout`; the sizes must be set. Raises LessonError for a kind."""
        if controller not in CONTROLLERS:
            raise LessonError(f"The controller is one of {', '.join(CONTROLLERS)}; {controller!r} is not.")
        self.controller, reads = controller, self.read_heads * self.width
        kind = nn.LSTMCell if controller == LSTM else nn.Linear
        self.control = kind(self.input_size + reads, self.hidden_size, **place)
        self.ask = nn.Linear(self.hidden_size, sum(self.parts), **place)
        self.readout = nn.Linear(self.hidden_size + reads, self.output_size, **place)

    def forward(
        self, x: Float[Tensor, "batch time input"], state: Any = None, see: See = unseen
    ) -> tuple[Float[Tensor, "batch time output"], Any]:
        """Answers at every step, as logits, and the state after the last.

        `see(name, value)` is shown everything that `step` makes, and may change it.
        """
        state = self.start(len(x)) if state is None else state
        kept = []
        for x_t in x.unbind(1):
            state = self.step(x_t, state, see)
            kept.append(torch.cat([state.hidden, state.read.flatten(1)], -1))
        return self.readout(torch.stack(kept, 1)), state

    def controlled(
        self, x: Float[Tensor, "batch input"], state: Any
    ) -> tuple[Float[Tensor, "batch hidden"], Float[Tensor, "batch cell"]]:
        """The controller's output and cell after a step; it sees the input and what was read before."""
        seen = torch.cat([x, state.read.flatten(1)], -1)
        if self.controller == LSTM:
            return self.control(seen, (state.hidden, state.cell))
        return torch.tanh(self.control(seen)), state.cell
