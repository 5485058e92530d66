"""How a machine finds slots to write to: it remembers which ones are in use, and hands out the others.

After Graves et al. (2016), "Hybrid computing using a neural network with dynamic external memory" (Nature
538), Methods, "Dynamic memory allocation". Every slot has a usage from 0, free, to 1, taken. Writing takes
slots, and what has been read may be freed. Of the weights made here, those of all slots sum to 1 at most.
"""

import torch
from jaxtyping import Float
from torch import Tensor

LEAST = 1e-6  # usage of an empty slot in `allocate`, so that the product over many of them has a gradient

PerSlot = Float[Tensor, "batch slots"]
PerRead = Float[Tensor, "batch readers"]
Reads = Float[Tensor, "batch readers slots"]
Gate = Float[Tensor, "batch 1"]


def retention(free: PerRead, reading: Reads) -> PerSlot:
    """How much of each slot is not freed, 0 … 1: a free gate at 1 frees what its head has just read."""
    return (1 - free.unsqueeze(-1) * reading).prod(1)


def usage(before: PerSlot, writing: PerSlot, retained: PerSlot) -> PerSlot:
    """How much each slot is in use: as before or by the last writing, as far as it was not freed."""
    return (before + writing - before * writing) * retained


def allocate(used: PerSlot) -> PerSlot:
    """Weights of free slots: the least used slot first, the next one as far as that one was taken, …

    In rising order of usage, a slot gets 1 - its own usage times the usages of all slots before it. If all
    slots are taken, nobody gets anything. Equally free slots come in their order.
    """
    used = LEAST + (1 - LEAST) * used
    rising, order = used.sort(stable=True, dim=-1)
    taken = torch.cat([torch.ones_like(rising[:, :1]), rising[:, :-1].cumprod(-1)], -1)
    return torch.zeros_like(used).scatter(-1, order, (1 - rising) * taken)


def place(content: PerSlot, allocated: PerSlot, allocation_gate: Gate, write_gate: Gate) -> PerSlot:
    """Where to write: to free slots (allocation gate 1) or where like stands (0); nowhere at write gate 0."""
    return write_gate * torch.lerp(content, allocated, allocation_gate)
