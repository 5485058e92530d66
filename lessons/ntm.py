"""The Neural Turing Machine (lesson 17): a network that reads and writes a memory outside itself.

Graves, Wayne and Danihelka (2014), arXiv 1410.5401. A controller sees the input and what was read a step
before. From its output one linear map makes what every head asks for and what the write heads erase and add;
lessons.addressing turns that into weights. At each step the heads write first and then read, and what was
read goes into the answer of the same step; the paper leaves this order open.
"""

from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from lessons import addressing, memory_closed_form
from lessons.addressing import Where
from lessons.arguments import Count, explained
from lessons.errors import LessonError
from lessons.loop import See, unseen
from lessons.machine import LSTM, Machine

CONSTANT, RANDOM, LEARNED = "constant", "random", "learned"
STARTS = (CONSTANT, RANDOM, LEARNED)
EMPTY = 1e-6  # what a memory that starts constant holds everywhere
SPREAD = 0.5  # standard deviation of one that starts random
FOCUS = 5.0  # how much more the heads look at slot 0 than at any other before training, in logits


class State(NamedTuple):
    """Between two steps. memory (B, N, M); weights (B, K, N), read heads first; read (B, R, M).

    hidden (B, C) is the controller's output, cell (B, C) its LSTM's cell (B, 0 for a feed-forward one).
    """

    memory: Float[Tensor, "batch slots width"]
    weights: Float[Tensor, "batch heads slots"]
    read: Float[Tensor, "batch readers width"]
    hidden: Float[Tensor, "batch hidden"]
    cell: Float[Tensor, "batch cell"]


class Asked(NamedTuple):
    """What the controller asks for in a step: where all heads look, what the write heads erase and add."""

    where: Where
    erase: Float[Tensor, "batch writers width"]
    add: Float[Tensor, "batch writers width"]


class NTM(Machine):
    """A controller with a memory of `slots` times `width` numbers.

    controller: "lstm", or "feed-forward", one layer of tanh units that can remember in the memory only.
    read_heads, write_heads: at least one of each. shifts: how many steps to the side a head can take, an odd
        number; 3 is -1, 0, 1.
    start: what the memory holds before the first step. "constant" is 1e-6 everywhere, which Collier and Beel
        (2018) found to learn fastest; "random" normal numbers, drawn once; "learned" numbers that are
        trained.
    The heads' first weights, the first vectors read and the controller's first state are learnt; the heads
    begin on slot 0. Raises LessonError for sizes and kinds that are none.
    """

    @explained
    def __init__(
        self,
        input_size: Count,
        output_size: Count,
        controller: str = LSTM,
        hidden_size: Count = 100,
        slots: Count = 128,
        width: Count = 20,
        read_heads: Count = 1,
        write_heads: Count = 1,
        shifts: Count = 3,
        start: str = CONSTANT,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        if start not in STARTS:
            raise LessonError(f"The memory's start is one of {', '.join(STARTS)}; {start!r} is not.")
        if shifts % 2 == 0 or shifts > slots:
            raise LessonError(f"shifts is an odd number up to the {slots} slots, such as 3; {shifts} is not.")
        self.input_size, self.output_size = input_size, output_size
        self.hidden_size, self.slots, self.width = hidden_size, slots, width
        self.read_heads, self.write_heads, self.shifts, self.begin = read_heads, write_heads, shifts, start
        heads, place = read_heads + write_heads, {"device": device, "dtype": dtype}
        self.furnish(controller, **place)
        self.first_hidden = nn.Parameter(torch.zeros(hidden_size, **place))
        self.first_cell = nn.Parameter(torch.zeros(hidden_size * (controller == LSTM), **place))
        self.first_read = nn.Parameter(torch.empty(read_heads, width, **place))
        self.first_focus = nn.Parameter(torch.zeros(heads, slots, **place))
        memory = torch.empty(slots, width, **place)
        if start == LEARNED:
            self.first_memory = nn.Parameter(memory)
        else:
            self.register_buffer("first_memory", memory)
        self.reset()

    @torch.no_grad()
    def reset(self) -> None:
        """Draw the weights that have no default of torch's."""
        nn.init.xavier_uniform_(self.ask.weight, gain=1.4)
        nn.init.normal_(self.ask.bias, std=0.01)
        nn.init.normal_(self.first_read, std=0.01)
        self.first_focus[:, 0] = FOCUS
        if self.begin == CONSTANT:
            self.first_memory.fill_(EMPTY)
        else:
            self.first_memory.normal_(0, SPREAD if self.begin == RANDOM else 0.01)

    @property
    def parts(self) -> tuple[int, ...]:
        """How many numbers of `ask` go to tanh (keys, adds), softplus, sigmoid (gates, erases), softmax."""
        heads, writes = self.read_heads + self.write_heads, self.write_heads * self.width
        return heads * self.width + writes, 2 * heads, heads + writes, heads * self.shifts

    @property
    def units(self) -> dict[str, int]:
        """What a step shows, in its order, and how many heads or slots each of it is of."""
        heads, writers = self.read_heads + self.write_heads, self.write_heads
        asked = dict.fromkeys(("key", "strength", "gate", "turn", "power"), heads)
        where = dict.fromkeys(("content", "gated", "turned", "weights"), heads)
        ends = {"memory": self.slots, "read": self.read_heads}
        return {**asked, "erase": writers, "add": writers, **where, **ends}

    def config(self) -> dict[str, Any]:
        """What rebuilds this machine, weights aside: `NTM(**machine.config())`."""
        names = ("input_size", "output_size", "controller", "hidden_size", "slots", "width", "read_heads",
                 "write_heads", "shifts")  # fmt: skip
        return {**{name: getattr(self, name) for name in names}, "start": self.begin}

    def start(self, batch: int) -> State:
        """The state before the first step."""
        return State(
            self.first_memory.expand(batch, -1, -1),
            self.first_focus.softmax(-1).expand(batch, -1, -1),
            self.first_read.tanh().expand(batch, -1, -1),
            self.first_hidden.expand(batch, -1),
            self.first_cell.expand(batch, -1),
        )

    def step(self, x: Float[Tensor, "batch input"], state: State, see: See = unseen) -> State:
        """One step: control, ask, address, write, read; where nobody looks, the last three in one."""
        hidden, cell = self.controlled(x, state)
        where, erase, add = self.asked(hidden, see)
        if see is unseen and self.write_heads == 1 and not torch.compiler.is_compiling():
            memory, weights, read = memory_closed_form.move(state.memory, state.weights, where, erase, add)
            return State(memory, weights, read, hidden, cell)
        weights = addressing.address(state.memory, state.weights, where, see)
        memory = see("memory", addressing.write(state.memory, weights[:, self.read_heads :], erase, add))
        read = see("read", addressing.read(memory, weights[:, : self.read_heads]))
        return State(memory, weights, read, hidden, cell)

    def asked(self, hidden: Float[Tensor, "batch hidden"], see: See = unseen) -> Asked:
        """What the heads ask for, each number squashed into its range, all heads in four calls.

        The ranges of strength, gate, turn, power and erase are the paper's (section 3.3); keys and adds go
        through a tanh, where the paper leaves them open.
        """
        heads, width = self.read_heads + self.write_heads, self.width
        signed, positive, share, turn = self.ask(hidden).split(self.parts, 1)
        signed = torch.tanh(signed).unflatten(1, (-1, width))
        strength, power = functional.softplus(positive).unflatten(1, (2, heads, 1)).unbind(1)
        share = torch.sigmoid(share)
        where = Where(
            see("key", signed[:, :heads]),
            see("strength", strength),
            see("gate", share[:, :heads, None]),
            see("turn", turn.unflatten(1, (heads, -1)).softmax(-1)),
            see("power", 1 + power),
        )
        erase = share[:, heads:].unflatten(1, (-1, width))
        return Asked(where, see("erase", erase), see("add", signed[:, heads:]))

    def extra_repr(self) -> str:
        """Memory and heads."""
        return f"{self.slots} slots of {self.width}, {self.read_heads} reading, {self.write_heads} writing"
