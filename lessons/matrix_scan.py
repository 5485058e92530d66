"""A memory that is a matrix, over all steps at once: M_t = f_t M_{t-1} + i_t k_t v_t^T, read by q_t^T M_t.

Inside a chunk of steps no memory is made: q_t^T M_t is a sum over the steps before t, each weighted by
q_t . k_s and by what is left of it, which is attention without a softmax. Between chunks the memory itself is
handed on. Gates come as logarithms, and everything is kept divided by exp(m) with
m_t = max(log f_t + m_{t-1}, log i_t), so that exponential gates stay in range (Beck et al. 2024).
"""

from itertools import pairwise
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

CHUNK = 64

Keys = Float[Tensor, "time batch heads key"]
Values = Float[Tensor, "time batch heads value"]
Gates = Float[Tensor, "time batch heads"]
Memory = Float[Tensor, "batch heads key value"]
Level = Float[Tensor, "batch heads"]


class Found(NamedTuple):
    """What was read at each step, and the logarithm that it was divided by: the true value is n exp(m)."""

    numerators: Values
    m: Gates


def with_one(value: Float[Tensor, "*steps width"]) -> Tensor:
    """The values and a one behind them, whose memory is the sum of the weights: a normaliser."""
    return torch.cat([value, torch.ones_like(value[..., :1])], -1)


def read(query: Float[Tensor, "batch heads key"], memory: Memory) -> Float[Tensor, "batch heads value"]:
    """One step's reading: q^T M."""
    return torch.einsum("bhk,bhkv->bhv", query, memory)


def read_all(
    query: Keys, key: Keys, value: Values, log_f: Gates, log_i: Gates, memory: Memory, m: Level
) -> tuple[Found, Memory, Level]:
    """What every step reads; the memory after the last step and its m.

    memory and m: what goes before the first step. No gradient goes through m, which changes nothing but the
    scale of the others.
    """
    found, edges = [], [*range(0, len(query), CHUNK), len(query)]
    for begin, end in pairwise(edges):
        parts = (part[begin:end] for part in (query, key, value, log_f, log_i))
        chunk, memory, m = read_chunk(*parts, memory, m)
        found.append(chunk)
    return Found(*(torch.cat(parts) for parts in zip(*found, strict=True))), memory, m


def read_chunk(
    query: Keys, key: Keys, value: Values, log_f: Gates, log_i: Gates, memory: Memory, m: Level
) -> tuple[Found, Memory, Level]:
    """The same for the steps of one chunk."""
    kept = log_f.cumsum(0)  # log of what is left at t of what entered the chunk
    with torch.no_grad():
        levels = kept + torch.maximum(m, (log_i - kept).cummax(0).values)
    shares = weights(kept, log_i, levels)
    entering = (kept + m - levels).exp()[..., None]
    likeness = torch.einsum("tbhk,sbhk->tsbh", query, key)
    inside = torch.einsum("tsbh,sbhv->tbhv", likeness * shares, value)
    before = torch.einsum("tbhk,bhkv->tbhv", query, memory)
    left = shares[-1][..., None] * key
    after = entering[-1, ..., None] * memory + torch.einsum("sbhk,sbhv->bhkv", left, value)
    return Found(inside + entering * before, levels), after, levels[-1]


def weights(kept: Gates, log_i: Gates, levels: Gates) -> Float[Tensor, "time source batch heads"]:
    """How much of what step s wrote is there at step t, divided by exp(m_t); 0 for s after t."""
    steps = torch.arange(len(kept), device=kept.device)
    later = (steps[None] > steps[:, None])[..., None, None]
    sums = kept[:, None] - kept[None] + log_i[None] - levels[:, None]
    return sums.masked_fill(later, -torch.inf).exp()
