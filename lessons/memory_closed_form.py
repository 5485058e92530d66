"""One step of a machine's heads with its gradient written out: address, write, read as one node.

The same numbers as lessons.addressing, for a single write head. Autograd would keep and visit some sixty
small operations a step; here the gradient is some thirty, and the memory is passed over a few times only.
"""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from lessons.addressing import NEAR_ZERO, Memory, Vectors, Weights, Where, rotate

Written = Float[Tensor, "batch writers width"]
Read = Float[Tensor, "batch readers width"]
Moved = tuple[Memory, Weights, Read]


def move(memory: Memory, before: Weights, asked: Where, erase: Written, add: Written) -> Moved:
    """The memory after writing, the weights of all heads (the last one writes), and what the others read."""
    return Heads.apply(memory, before, *asked, erase, add)


class Heads(Function):
    """Differentiable once. Where a weight is 0 and the power exactly 1, its gradient is taken to be 0."""

    @staticmethod
    def forward(
        ctx: Any,
        memory: Memory,
        before: Weights,
        key: Vectors,
        strength: Float[Tensor, "batch heads 1"],
        gate: Float[Tensor, "batch heads 1"],
        turn: Float[Tensor, "batch heads shifts"],
        power: Float[Tensor, "batch heads 1"],
        erase: Written,
        add: Written,
    ) -> Moved:
        """Equations 2 to 9 of Graves et al. (2014)."""
        slots = torch.rsqrt((memory * memory).sum(-1) + NEAR_ZERO).unsqueeze(1)
        keys = torch.rsqrt((key * key).sum(-1, keepdim=True) + NEAR_ZERO)
        cosine = torch.bmm(key, memory.transpose(1, 2)).mul_(slots).mul_(keys)
        content = torch.softmax(strength * cosine, -1)
        gated = torch.lerp(before, content, gate)
        turned = rotate(gated, turn)
        shares = turned / turned.amax(-1, keepdim=True)
        raised = shares**power
        weights = raised / raised.sum(-1, keepdim=True)
        writing = weights[:, -1:].transpose(1, 2)
        erased = torch.bmm(writing, erase)
        after = torch.addcmul(memory, memory, erased, value=-1).baddbmm_(writing, add)
        ctx.save_for_backward(
            memory, before, key, strength, gate, turn, power, erase, add, slots, keys, cosine, content, gated,
            turned, shares, weights, erased, after,
        )  # fmt: skip
        return after, weights, torch.bmm(weights[:, :-1], after)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_after: Memory, d_weights: Weights, d_read: Read) -> tuple[Tensor, ...]:
        """The same backwards, from what was read to what was asked."""
        (memory, before, key, strength, gate, turn, power, erase, add, slots, keys, cosine, content, gated,
         turned, shares, weights, erased, after) = ctx.saved_tensors  # fmt: skip
        reading, writing = weights[:, :-1], weights[:, -1:]
        d_after = torch.baddbmm(d_after, reading.transpose(1, 2), d_read)
        lost = d_after * memory
        d_erase = torch.bmm(writing, lost).neg_()
        d_write = torch.bmm(add, d_after.transpose(1, 2)).baddbmm_(erase, lost.transpose(1, 2), alpha=-1)
        d_weights = d_weights + torch.cat([torch.bmm(d_read, after.transpose(1, 2)), d_write], 1)

        sharp = weights * (d_weights - (d_weights * weights).sum(-1, keepdim=True))
        d_power = torch.xlogy(sharp, shares).sum(-1, keepdim=True)  # 0 where a weight is 0, as `sharp` is
        d_turned = power * sharp / turned.clamp_min(torch.finfo(turned.dtype).tiny)

        d_gated = rotate(d_turned, turn.flip(-1))
        reach = turn.shape[-1] // 2
        d_turn = torch.cat(
            [
                (d_turned * torch.roll(gated, step, -1)).sum(-1, keepdim=True)
                for step in range(-reach, reach + 1)
            ],
            -1,
        )
        d_gate = (d_gated * (content - before)).sum(-1, keepdim=True)
        d_content = gate * d_gated
        d_logit = content * (d_content - (d_content * content).sum(-1, keepdim=True))
        d_strength = (d_logit * cosine).sum(-1, keepdim=True)
        d_cosine = strength * d_logit

        turned_away = d_cosine * cosine
        d_product = d_cosine * slots * keys
        d_key = torch.baddbmm(
            key * (keys * keys * turned_away.sum(-1, keepdim=True)), d_product, memory, beta=-1
        )
        d_memory = torch.addcmul(d_after, d_after, erased, value=-1)
        d_memory.baddbmm_(d_product.transpose(1, 2), key)
        by_slot = (slots * slots * turned_away.sum(1, keepdim=True)).transpose(1, 2)
        d_memory.addcmul_(memory, by_slot, value=-1)
        return (d_memory, d_gated - d_content, d_key, d_strength, d_gate, d_turn, d_power, d_erase,
                torch.bmm(writing, d_after))  # fmt: skip
