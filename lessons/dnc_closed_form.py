"""One step of a differentiable neural computer with its gradient written out: free, write, link, read.

Vectors stand to the left of matrices: on the other side a product of many small ones is far slower.
The same numbers as lessons.allocation, lessons.links and lessons.addressing give, for the paper's machine.
Autograd would keep and visit about a hundred small operations a step; here the gradient is some seventy, and
the links are passed over three times.
"""

from typing import Any, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from lessons import links as linkage
from lessons.addressing import NEAR_ZERO, Memory, PerHead, Vectors, Weights
from lessons.allocation import LEAST, Gate, PerRead, PerSlot, Reads, usage
from lessons.links import Links

Written = Float[Tensor, "batch 1 width"]
Read = Float[Tensor, "batch readers width"]
Moved = tuple[Memory, PerSlot, PerSlot, Links, PerSlot, Reads, Read]


def move(state: Any, asked: Any) -> Moved:
    """The next memory, usage, precedence, links, weights of writing and of reading, and what was read.

    Of a lessons.dnc.State and what its controller Asked for; no masks and no sharpness.
    """
    return Heads.apply(*state[:6], *asked[:10])


class Lookup(NamedTuple):
    """Weights by content, as lessons.addressing.by_content, and what their gradient needs."""

    weights: Weights
    cosine: Weights
    slots: Float[Tensor, "batch 1 slots"]
    keys: PerHead

    @classmethod
    def of(cls, memory: Memory, key: Vectors, strength: PerHead) -> "Lookup":
        """Look for keys."""
        slots = torch.rsqrt((memory * memory).sum(-1) + NEAR_ZERO).unsqueeze(1)
        keys = torch.rsqrt((key * key).sum(-1, keepdim=True) + NEAR_ZERO)
        cosine = torch.bmm(key, memory.transpose(1, 2)).mul_(slots).mul_(keys)
        return cls(torch.softmax(strength * cosine, -1), cosine, slots, keys)

    def back(
        self, d_weights: Weights, memory: Memory, key: Vectors, strength: PerHead
    ) -> tuple[Memory, Vectors, PerHead]:
        """The gradients of memory, keys and strengths."""
        d_logit = self.weights * (d_weights - (d_weights * self.weights).sum(-1, keepdim=True))
        d_strength = (d_logit * self.cosine).sum(-1, keepdim=True)
        d_cosine = strength * d_logit
        turned = d_cosine * self.cosine
        d_product = d_cosine * self.slots * self.keys
        by_key = self.keys * self.keys * turned.sum(-1, keepdim=True)
        by_slot = (self.slots * self.slots * turned.sum(1, keepdim=True)).transpose(1, 2)
        d_key = torch.baddbmm(key * by_key, d_product, memory, beta=-1)
        return outer(d_product, key).sub_(memory * by_slot), d_key, d_strength


class Allocation(NamedTuple):
    """Weights of free slots, as lessons.allocation.allocate; the rest is in rising order of usage."""

    weights: PerSlot
    order: Int[Tensor, "batch slots"]
    rising: PerSlot
    taken: PerSlot
    offered: PerSlot

    @classmethod
    def of(cls, used: PerSlot) -> "Allocation":
        """Offer what is free."""
        rising, order = (LEAST + (1 - LEAST) * used).sort(stable=True, dim=-1)
        taken = torch.cat([torch.ones_like(rising[:, :1]), rising[:, :-1].cumprod(-1)], -1)
        offered = (1 - rising) * taken
        return cls(torch.empty_like(used).scatter_(-1, order, offered), order, rising, taken, offered)

    def back(self, d_weights: PerSlot) -> PerSlot:
        """The gradient of the usage: a slot stands in the product of all that come after it."""
        d_offered = d_weights.gather(-1, self.order)
        # Summed from the end: a difference of sums from the front would leave rounding errors to divide.
        after = (d_offered * self.offered).flip(-1).cumsum(-1).flip(-1)
        d_rising = torch.mul(d_offered, self.taken).neg_()
        d_rising[:, :-1] += after[:, 1:] / self.rising[:, :-1]
        return torch.empty_like(d_rising).scatter_(-1, self.order, d_rising.mul_(1 - LEAST))


class Heads(Function):
    """Differentiable once."""

    @staticmethod
    def forward(
        ctx: Any,
        memory: Memory,
        used: PerSlot,
        precedence: PerSlot,
        links: Links,
        written: PerSlot,
        reading: Reads,
        read_key: Vectors,
        read_strength: PerHead,
        write_key: Written,
        write_strength: Float[Tensor, "batch 1 1"],
        erase: Written,
        add: Written,
        free: PerRead,
        allocation_gate: Gate,
        write_gate: Gate,
        modes: Float[Tensor, "batch readers 3"],
    ) -> Moved:
        """Free, allocate, write, link, read: lessons.dnc.DNC.write and read in one."""
        kept = 1 - free.unsqueeze(-1) * reading
        retained = kept.prod(1)
        now_used = usage(used, written, retained)
        offer = Allocation.of(now_used)
        alike = Lookup.of(memory, write_key, write_strength)
        mixed = torch.lerp(alike.weights[:, 0], offer.weights, allocation_gate)
        writing = write_gate * mixed
        column = writing.unsqueeze(2)
        erased = column * erase
        after = torch.addcmul(memory, memory, erased, value=-1).addcmul_(column, add)
        linked = ((1 - column) - writing.unsqueeze(1)).mul_(links).addcmul_(column, precedence.unsqueeze(1))
        linked.diagonal(dim1=1, dim2=2).zero_()
        found = Lookup.of(after, read_key, read_strength)
        back, forth = torch.bmm(reading, linked), torch.bmm(reading, linked.transpose(1, 2))
        ways = torch.stack([back, found.weights, forth], 2)
        weights = (modes.unsqueeze(2) @ ways).squeeze(2)
        ctx.save_for_backward(
            memory, used, precedence, links, written, reading, read_key, read_strength, write_key,
            write_strength, erase, add, free, allocation_gate, write_gate, modes, kept, retained, mixed,
            writing, erased, after, linked, ways, weights, *offer, *alike, *found,
        )  # fmt: skip
        last = linkage.precede(precedence, writing)
        return after, now_used, last, linked, writing, weights, torch.bmm(weights, after)

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any,
        d_after: Memory,
        d_used: PerSlot,
        d_last: PerSlot,
        d_linked: Links,
        d_writing: PerSlot,
        d_weights: Reads,
        d_read: Read,
    ) -> tuple[Tensor, ...]:
        """The same backwards, from what was read to what was asked."""
        (memory, used, precedence, links, written, reading, read_key, read_strength, write_key,
         write_strength, erase, add, free, allocation_gate, write_gate, modes, kept, retained, mixed,
         writing, erased, after, linked, ways, weights, *rest) = ctx.saved_tensors  # fmt: skip
        offer, alike, found = Allocation(*rest[:5]), Lookup(*rest[5:9]), Lookup(*rest[9:])

        # Reading.
        d_weights = torch.bmm(d_read, after.transpose(1, 2)).add_(d_weights)
        d_modes = (d_weights.unsqueeze(2) @ ways.transpose(2, 3)).squeeze(2)
        d_back, d_found, d_forth = (modes.unsqueeze(3) * d_weights.unsqueeze(2)).unbind(2)
        d_memory, d_read_key, d_read_strength = found.back(d_found, after, read_key, read_strength)
        d_after = d_after + d_memory.add_(outer(weights, d_read))
        d_reading = torch.bmm(d_back, linked.transpose(1, 2)).add_(torch.bmm(d_forth, linked))

        # Links: row i of each product is read from, column j is followed to.
        rows, columns = torch.cat([reading, d_forth], 1), torch.cat([d_back, reading], 1)
        d_linked = torch.baddbmm(d_linked, rows.transpose(1, 2), columns)
        d_linked.diagonal(dim1=1, dim2=2).zero_()
        column = writing.unsqueeze(2)
        lost = d_linked * links
        d_links = d_linked * ((1 - column) - writing.unsqueeze(1))
        d_precedence = torch.bmm(column.transpose(1, 2), d_linked).squeeze(1)
        d_precedence.addcmul_(1 - writing.sum(-1, keepdim=True), d_last)
        d_writing = d_writing + d_last - (d_last * precedence).sum(-1, keepdim=True)
        d_writing.sub_(lost.sum(1)).sub_(lost.sum(2))
        d_row = torch.bmm(precedence.unsqueeze(1), d_linked.transpose(1, 2))

        # Memory.
        lost = d_after * memory
        row = writing.unsqueeze(1)
        d_erase, d_add = torch.bmm(row, lost).neg_(), torch.bmm(row, d_after)
        d_row.add_(torch.bmm(add, d_after.transpose(1, 2))).sub_(torch.bmm(erase, lost.transpose(1, 2)))
        d_writing.add_(d_row.squeeze(1))
        d_memory = torch.addcmul(d_after, d_after, erased, value=-1)

        # Where it was written.
        d_write_gate = (d_writing * mixed).sum(-1, keepdim=True)
        d_mixed = write_gate * d_writing
        d_allocation_gate = (d_mixed * (offer.weights - alike.weights[:, 0])).sum(-1, keepdim=True)
        d_offer = allocation_gate * d_mixed
        d_alike = (d_mixed - d_offer).unsqueeze(1)
        d_looked, d_write_key, d_write_strength = alike.back(d_alike, memory, write_key, write_strength)

        # Usage.
        d_used = d_used + offer.back(d_offer)
        d_kept = (d_used * (used + written - used * written)).unsqueeze(1) * others(kept)
        d_taken = d_used * retained
        d_free = (d_kept * reading).sum(-1).neg_()
        d_reading.addcmul_(free.unsqueeze(-1), d_kept, value=-1)
        return (d_memory.add_(d_looked), d_taken * (1 - written), d_precedence, d_links, d_taken * (1 - used),
                d_reading, d_read_key, d_read_strength, d_write_key, d_write_strength, d_erase, d_add, d_free,
                d_allocation_gate, d_write_gate, d_modes)  # fmt: skip


def outer(
    weights: Weights, vectors: Float[Tensor, "batch heads width"]
) -> Float[Tensor, "batch slots width"]:
    """Weights times vectors, summed over the heads; for one head a product is four times as fast."""
    if weights.shape[1] == 1:
        return weights.transpose(1, 2) * vectors
    return torch.bmm(weights.transpose(1, 2), vectors)


def others(factors: Reads) -> Reads:
    """For each head the product of the other heads' factors; none may be divided out, for it may be 0."""
    heads = range(factors.shape[1])
    if len(heads) == 1:
        return torch.ones_like(factors)
    return torch.stack([factors[:, [k for k in heads if k != head]].prod(1) for head in heads], 1)
