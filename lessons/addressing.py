"""How a network with an outside memory finds a place in it: four steps, one a function.

After Graves, Wayne and Danihelka (2014), "Neural Turing Machines" (arXiv 1410.5401), sections 3.1 to 3.3. The
memory has N slots, each of them M numbers wide. A head looks at all slots at once: its *weights* say how much
at each, are at least 0 and sum to 1. All heads of a batch are computed together, (B, K, N).

`see(name, value)` is shown what each step makes, and returns what to go on with (see lessons.memory_trace).
"""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from lessons.loop import See, unseen

NEAR_ZERO = 1e-8  # added to squared lengths, so that an empty slot or an empty key has an angle, too

Memory = Float[Tensor, "batch slots width"]
Weights = Float[Tensor, "batch heads slots"]
PerHead = Float[Tensor, "batch heads 1"]
Vectors = Float[Tensor, "batch heads width"]


class Where(NamedTuple):
    """What heads ask for.

    key, strength (at least 0): look where something like the key stands, how narrowly.
    gate (0 … 1): how much of that, the rest from where the head was before.
    turn: a distribution over steps to the side, such as -1, 0, 1; they sum to 1.
    power (at least 1): how much to sharpen at the end.
    """

    key: Vectors
    strength: PerHead
    gate: PerHead
    turn: Float[Tensor, "batch heads shifts"]
    power: PerHead


def similarity(memory: Memory, key: Vectors, mask: Vectors | None = None) -> Weights:
    """The cosine of the angle between each key and each slot, -1 … 1 (equation 6).

    With a mask (0 … 1, lesson 18), both are multiplied by it first: what it hides does not count.
    """
    # Lengths are divided out of the products and not of the memory: N numbers are read, not N times M.
    if mask is not None:
        seen = mask * mask
        slots = torch.rsqrt(seen @ (memory * memory).transpose(1, 2) + NEAR_ZERO)
        keys = torch.rsqrt((seen * key * key).sum(-1, keepdim=True) + NEAR_ZERO)
        return (seen * key) @ memory.transpose(1, 2) * slots * keys
    products = key @ memory.transpose(1, 2)
    slots = torch.rsqrt((memory * memory).sum(-1) + NEAR_ZERO).unsqueeze(1)
    return products * slots * torch.rsqrt((key * key).sum(-1, keepdim=True) + NEAR_ZERO)


def by_content(memory: Memory, key: Vectors, strength: PerHead, mask: Vectors | None = None) -> Weights:
    """Weights by what stands in the slots: a softmax of cosines, the stronger the narrower (equation 5)."""
    return torch.softmax(strength * similarity(memory, key, mask), -1)


def interpolate(content: Weights, before: Weights, gate: PerHead) -> Weights:
    """Between the weights of the step before (gate 0) and those by content (gate 1), equation 7."""
    return torch.lerp(before, content, gate)


def rotate(weights: Weights, turn: Float[Tensor, "batch heads shifts"]) -> Weights:
    """Weights moved round the circle of slots by each step that `turn` names, and mixed (equation 8).

    With shifts -1, 0, 1 the last number of `turn` moves everything one slot up; after the last slot comes the
    first.
    """
    steps = range(-(turn.shape[-1] // 2), turn.shape[-1] // 2 + 1)
    moved = [
        torch.roll(weights, step, -1) * share for step, share in zip(steps, turn.split(1, -1), strict=True)
    ]
    return sum(moved[1:], start=moved[0])


def sharpen(weights: Weights, power: PerHead) -> Weights:
    """Weights to a power, made to sum to 1 again: what a turn has blurred becomes narrow (equation 9)."""
    # As shares of the largest one, which cannot all vanish however high the power is: never 0 / 0.
    raised = (weights / weights.detach().amax(-1, keepdim=True)) ** power
    return raised / raised.sum(-1, keepdim=True)


def address(memory: Memory, before: Weights, asked: Where, see: See = unseen) -> Weights:
    """The four steps in their order, as in the paper's figure 2."""
    content = see("content", by_content(memory, asked.key, asked.strength))
    gated = see("gated", interpolate(content, before, asked.gate))
    turned = see("turned", rotate(gated, asked.turn))
    return see("weights", sharpen(turned, asked.power))


def read(memory: Memory, weights: Weights) -> Vectors:
    """What heads read: the mean of the slots by their weights (equation 2)."""
    return weights @ memory


def write(memory: Memory, weights: Weights, erase: Vectors, add: Vectors) -> Memory:
    """The memory after heads have erased and added (equations 3 and 4).

    A slot's number is multiplied by 1 - weight times erase (0 … 1), once for each head, and weight times add
    is added. All heads erase before any adds, so that their order does not matter.
    """
    if weights.shape[1] == 1:
        kept = torch.addcmul(memory, memory, weights.transpose(1, 2) @ erase, value=-1)
    else:
        kept = memory * (1 - weights.unsqueeze(-1) * erase.unsqueeze(2)).prod(1)
    return torch.baddbmm(kept, weights.transpose(1, 2), add)
