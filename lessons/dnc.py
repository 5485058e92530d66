"""The Differentiable Neural Computer (lesson 18): a memory that hands out its slots and knows their order.

Graves et al. (2016), "Hybrid computing using a neural network with dynamic external memory", Nature 538,
Methods. A controller sees the input and what was read a step before. One linear map makes all that it asks
for. At each step the machine frees slots, finds one to write to (lessons.allocation), writes, notes the order
(lessons.links) and reads; what was read goes into the answer of the same step. Three changes of Csordás and
Schmidhuber (2019), arXiv 1904.10278, are options.
"""

from copy import copy
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from lessons import addressing, allocation, dnc_closed_form
from lessons import links as linkage
from lessons.arguments import Count, explained
from lessons.errors import LessonError
from lessons.loop import See, unseen
from lessons.machine import LSTM, Machine

OPEN = 2.0  # how far gates start open or shut, in logits


class State(NamedTuple):
    """Between two steps; N slots of M numbers, R heads that read. A machine without links has none (B, 0, 0).

    memory (B, N, M); usage, precedence, write_weights (B, N); links (B, N, N); read_weights (B, R, N); read
    (B, R, M), what was read; hidden (B, C), cell (B, C) or (B, 0): the controller's.
    """

    memory: Float[Tensor, "batch slots width"]
    usage: Float[Tensor, "batch slots"]
    precedence: Float[Tensor, "batch linked"]
    links: Float[Tensor, "batch linked linked"]
    write_weights: Float[Tensor, "batch slots"]
    read_weights: Float[Tensor, "batch readers slots"]
    read: Float[Tensor, "batch readers width"]
    hidden: Float[Tensor, "batch hidden"]
    cell: Float[Tensor, "batch cell"]


class Asked(NamedTuple):
    """What the controller asks for in a step: strengths from 1 upwards, gates, erase and masks 0 … 1.

    modes are three shares of each head that sum to 1: backward, content, forward. None for what a machine has
    not: masks, sharpness (backward, forward), modes of a machine without links.
    """

    read_key: Float[Tensor, "batch readers width"]
    read_strength: Float[Tensor, "batch readers 1"]
    write_key: Float[Tensor, "batch 1 width"]
    write_strength: Float[Tensor, "batch 1 1"]
    erase: Float[Tensor, "batch 1 width"]
    add: Float[Tensor, "batch 1 width"]
    free: Float[Tensor, "batch readers"]
    allocation_gate: Float[Tensor, "batch 1"]
    write_gate: Float[Tensor, "batch 1"]
    modes: Float[Tensor, "batch readers 3"] | None = None
    read_mask: Float[Tensor, "batch readers width"] | None = None
    write_mask: Float[Tensor, "batch 1 width"] | None = None
    sharpness: Float[Tensor, "batch readers 2"] | None = None


class DNC(Machine):
    """A controller with a memory of `slots` times `width` numbers, one head that writes, some that read.

    controller: "lstm", or "feed-forward", one layer of tanh units. slots: how many the machine works with; no
    weight depends on it (see `resized`). linked: remember the order of writing; without, heads read by
    content alone.
    masked: heads compare only those numbers of a slot that they choose to. deallocate: freeing a slot empties
    it, too. sharpened: what is found along the links is made narrow again. All three are Csordás and
    Schmidhuber's; without them this is the paper's machine.
    The memory and everything else are 0 before the first step. Raises LessonError for sizes and kinds that
    are none.
    """

    @explained
    def __init__(
        self,
        input_size: Count,
        output_size: Count,
        controller: str = LSTM,
        hidden_size: Count = 64,
        slots: Count = 16,
        width: Count = 16,
        read_heads: Count = 1,
        linked: bool = True,
        masked: bool = False,
        deallocate: bool = False,
        sharpened: bool = False,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        if sharpened and not linked:
            raise LessonError("Only links can be sharpened; make the machine with linked=True.")
        self.input_size, self.output_size = input_size, output_size
        self.hidden_size, self.slots, self.width, self.read_heads = hidden_size, slots, width, read_heads
        self.linked, self.masked, self.deallocate, self.sharpened = linked, masked, deallocate, sharpened
        self.furnish(controller, device=device, dtype=dtype)
        self.reset()

    @torch.no_grad()
    def reset(self) -> None:
        """Start with allocation and write gates open and free gates shut, as far as OPEN says.

        So what comes in is kept from the first training step on; the paper does not say how its gates start.
        """
        heads, shares = self.read_heads, self.ask.bias.split(self.parts)[2][self.width :]
        shares[:heads].sub_(OPEN)
        shares[heads : heads + 2].add_(OPEN)

    @property
    def plain(self) -> bool:
        """Whether this is the paper's machine, without options."""
        return self.linked and not (self.masked or self.deallocate or self.sharpened)

    @property
    def parts(self) -> tuple[int, ...]:
        """How many numbers of `ask` stay as they are (keys, add), go to 1 + softplus, sigmoid, softmax."""
        heads, width = self.read_heads, self.width
        strengths = heads + 1 + 2 * heads * self.sharpened
        shares = width + heads + 2 + self.masked * (heads + 1) * width
        return (heads + 2) * width, strengths, shares, 3 * heads * self.linked

    @property
    def units(self) -> dict[str, int]:
        """What a step shows, in its order, and how many heads, slots or numbers each of it is of."""
        heads, slots, hidden, options = self.read_heads, self.slots, self.hidden_size, {}
        cell = {"cell": hidden} if self.controller == LSTM else {}
        asked = {"read key": heads, "read strength": heads, "write key": 1, "write strength": 1, "erase": 1,
                 "add": 1, "free": heads, "allocation gate": 1, "write gate": 1}  # fmt: skip
        if self.linked:
            options["modes"] = heads
        if self.masked:
            options |= {"read mask": heads, "write mask": 1}
        if self.sharpened:
            options["sharpness"] = heads
        written = ("retention", "usage", "allocation", "write content", "write weights", "memory")
        linked = (
            {"links": slots, "precedence": slots, "backward": heads, "forward": heads} if self.linked else {}
        )
        reads = dict.fromkeys(("content", "read weights", "read"), heads)
        return {
            **cell,
            "hidden": hidden,
            **asked,
            **options,
            **dict.fromkeys(written, slots),
            **linked,
            **reads,
        }

    def config(self) -> dict[str, Any]:
        """What rebuilds this machine, weights aside: `DNC(**machine.config())`."""
        names = ("input_size", "output_size", "controller", "hidden_size", "slots", "width", "read_heads",
                 "linked", "masked", "deallocate", "sharpened")  # fmt: skip
        return {name: getattr(self, name) for name in names}

    @explained
    def resized(self, slots: Count) -> "DNC":
        """The same machine, the weights shared, with another number of slots to work with."""
        other = copy(self)
        other.slots = slots
        return other

    def start(self, batch: int) -> State:
        """The state before the first step: nothing written, nothing read."""
        zeros, slots, linked = self.readout.weight.new_zeros, self.slots, self.slots * self.linked
        return State(
            zeros(batch, slots, self.width),
            zeros(batch, slots),
            zeros(batch, linked),
            zeros(batch, linked, linked),
            zeros(batch, slots),
            zeros(batch, self.read_heads, slots),
            zeros(batch, self.read_heads, self.width),
            zeros(batch, self.hidden_size),
            zeros(batch, self.hidden_size * (self.controller == LSTM)),
        )

    def step(self, x: Float[Tensor, "batch input"], state: State, see: See = unseen) -> State:
        """One step: control, ask, write, read; the paper's machine, unseen, does the last two in one."""
        hidden, cell = self.controlled(x, state)
        if self.controller == LSTM:
            cell = see("cell", cell)
        asked = self.asked(see("hidden", hidden), see)
        if see is unseen and self.plain and not torch.compiler.is_compiling():
            return State(*dnc_closed_form.move(state, asked), hidden, cell)
        state = self.write(state, asked, see)
        return self.read(state, asked, see)._replace(hidden=hidden, cell=cell)

    def asked(self, hidden: Float[Tensor, "batch hidden"], see: See = unseen) -> Asked:
        """All that is asked for, each number in its range (the paper's "interface vector")."""
        heads, width = self.read_heads, self.width
        plain, strong, share, modes = self.ask(hidden).split(self.parts, 1)
        read_key, write_key, add = plain.unflatten(1, (-1, width)).split((heads, 1, 1), 1)
        strong = (1 + functional.softplus(strong)).unsqueeze(-1)
        strengths = strong.split((heads, 1, 2 * heads * self.sharpened), 1)
        masks = (heads * width * self.masked, width * self.masked)
        share = torch.sigmoid(share).split((width, heads, 1, 1, *masks), 1)
        found = {
            "read_key": read_key,
            "read_strength": strengths[0],
            "write_key": write_key,
            "write_strength": strengths[1],
            "erase": share[0].unsqueeze(1),
            "add": add,
            "free": share[1],
            "allocation_gate": share[2],
            "write_gate": share[3],
        }
        if self.linked:
            found["modes"] = modes.unflatten(1, (heads, 3)).softmax(-1)
        if self.masked:
            found["read_mask"], found["write_mask"] = (mask.unflatten(1, (-1, width)) for mask in share[4:])
        if self.sharpened:
            found["sharpness"] = strengths[2].unflatten(1, (heads, 2)).squeeze(-1)
        return Asked(**{name: see(name.replace("_", " "), value) for name, value in found.items()})

    def write(self, state: State, asked: Asked, see: See = unseen) -> State:
        """Free what was read, find a place, erase and add there."""
        retained = see("retention", allocation.retention(asked.free, state.read_weights))
        usage = see("usage", allocation.usage(state.usage, state.write_weights, retained))
        free = see("allocation", allocation.allocate(usage))
        memory = state.memory
        content = addressing.by_content(memory, asked.write_key, asked.write_strength, asked.write_mask)
        content = see("write content", content[:, 0])
        weights = allocation.place(content, free, asked.allocation_gate, asked.write_gate)
        weights = see("write weights", weights)
        if self.deallocate:
            memory = memory * retained.unsqueeze(-1)
        memory = see("memory", addressing.write(memory, weights.unsqueeze(1), asked.erase, asked.add))
        return state._replace(memory=memory, usage=usage, write_weights=weights)

    def read(self, state: State, asked: Asked, see: See = unseen) -> State:
        """Note the order of writing, then look by content and along the links, and read."""
        memory = state.memory
        if self.linked:
            links = see("links", linkage.link(state.links, state.precedence, state.write_weights))
            precedence = see("precedence", linkage.precede(state.precedence, state.write_weights))
            before, after = (
                linkage.backward(links, state.read_weights),
                linkage.forward(links, state.read_weights),
            )
            if self.sharpened:
                before, after = (
                    linkage.sharpen(where, power)
                    for where, power in zip((before, after), asked.sharpness.split(1, -1), strict=True)
                )
            before, after = see("backward", before), see("forward", after)
            state = state._replace(links=links, precedence=precedence)
        content = addressing.by_content(memory, asked.read_key, asked.read_strength, asked.read_mask)
        weights = content = see("content", content)
        if self.linked:
            weights = linkage.mix(asked.modes, before, content, after)
        weights = see("read weights", weights)
        return state._replace(read_weights=weights, read=see("read", addressing.read(memory, weights)))

    def extra_repr(self) -> str:
        """Memory and heads."""
        options = [name for name in ("linked", "masked", "deallocate", "sharpened") if getattr(self, name)]
        return ", ".join([f"{self.slots} slots of {self.width}", f"{self.read_heads} reading", *options])
