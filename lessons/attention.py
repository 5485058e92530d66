"""Attention: energies of every source position, weights that sum to one, and a context that is their mean.

A decoder asks with a query (its state), the encoder's outputs are the memory. Everything but coverage works
for one step, (B, Q), and for all steps of a decoder at once, (B, U, Q), where the queries are known.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional

from lessons import padding
from lessons.arguments import Count, explained
from lessons.errors import LessonError
from lessons.loop import unseen

ADDITIVE, DOT, GENERAL, CONCAT, LOCATION = "additive", "dot", "general", "concat", "location"
KINDS = (ADDITIVE, DOT, GENERAL, CONCAT, LOCATION)
See = Callable[[str, Tensor], Tensor]
Queries = Float[Tensor, "batch *steps query"]
PerPosition = Float[Tensor, "batch *steps source"]


@dataclass(frozen=True, eq=False)
class Memory:
    """What a decoder may look at: the encoder's outputs, and what attention makes of them beforehand.

    values: the outputs, (B, S, F). keys: what queries are compared with. real: False on padding.
    """

    values: Float[Tensor, "batch source features"]
    keys: Float[Tensor, "batch source size"]
    real: Bool[Tensor, "batch source"]

    def rows(self, chosen: Int[Tensor, " rows"]) -> "Memory":
        """The memories of some sequences, in that order; one may be named several times."""
        return Memory(self.values[chosen], self.keys[chosen], self.real[chosen])


class Attended(NamedTuple):
    """One look at the memory. energies are -inf on padding, weights 0 there; context is the weighted sum."""

    energies: PerPosition
    weights: PerPosition
    context: Float[Tensor, "batch *steps features"]


class Attention(nn.Module):
    """Compares a query q with every source position's features k.

    kind: how an energy is made.
        "additive": v · tanh(W q + U k + b), Bahdanau et al. (2015), appendix A.1.2.
        "dot": q · k; "general": q · W k; "concat": v · tanh(W [q; k]), Luong et al. (2015), section 3.1.
            The last has one matrix where "additive" has two and a bias; else they are the same function.
        "location": W q alone: an energy for each place, whatever stands there (section 3.1 there).
    size: of the hidden layer of "additive" and "concat"; as many as the query has by default.
    longest: how many places "location" knows; sources that are longer are refused.
    coverage: the energy also sees how much a position was looked at before, as in See et al. (2017),
        equation 11; for "additive" and "concat", step by step only.

    Raises LessonError for an unknown kind, for "dot" with two sizes, and for coverage without a hidden layer.
    """

    @explained
    def __init__(
        self,
        kind: str,
        query_size: Count,
        key_size: Count,
        size: Count | None = None,
        longest: Count = 100,
        coverage: bool = False,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        if kind not in KINDS:
            raise LessonError(f"The kind of attention is one of {', '.join(KINDS)}; {kind!r} is not.")
        if kind == DOT and query_size != key_size:
            raise LessonError(
                f"A dot product needs queries and keys of one size, not {query_size} and {key_size}; "
                f'take "general", or make the sizes equal.'
            )
        if coverage and kind not in (ADDITIVE, CONCAT):
            raise LessonError(f"Coverage needs a hidden layer: {ADDITIVE!r} or {CONCAT!r}, not {kind!r}.")
        self.kind, self.longest, self.coverage = kind, longest, coverage
        self.key_size, place = key_size, {"device": device, "dtype": dtype}
        size = size or query_size
        if kind == ADDITIVE:
            self.query = nn.Linear(query_size, size, **place)
            self.key = nn.Linear(key_size, size, bias=False, **place)
        elif kind == CONCAT:
            self.both = nn.Linear(query_size + key_size, size, bias=False, **place)
        elif kind == GENERAL:
            self.key = nn.Linear(key_size, query_size, bias=False, **place)
        elif kind == LOCATION:
            self.place = nn.Linear(query_size, longest, **place)
        if kind in (ADDITIVE, CONCAT):
            self.energy = nn.Linear(size, 1, bias=False, **place)
            self.covered = nn.Linear(1, size, bias=False, **place) if coverage else None

    def remember(
        self, values: Float[Tensor, "batch source features"], lengths: Int[Tensor, " batch"] | None = None
    ) -> Memory:
        """Encoder outputs as a memory, with what can be computed before the first query.

        Raises LessonError for sources longer than "location" knows.
        """
        batch, source = values.shape[:2]
        if self.kind == LOCATION and source > self.longest:
            raise LessonError(
                f"This attention knows {self.longest} places and the source has {source}; give a shorter one."
            )
        if lengths is None:
            real = torch.ones(batch, source, dtype=torch.bool, device=values.device)
        else:
            real = ~padding.beyond(lengths, source)[..., 0].T
        return Memory(values, self._keys(values), real)

    def _keys(self, values: Tensor) -> Tensor:
        if self.kind in (ADDITIVE, GENERAL):
            return self.key(values)
        if self.kind == CONCAT:
            return functional.linear(values, self.both.weight[:, -self.key_size :])
        return values

    def forward(
        self, query: Queries, memory: Memory, covered: PerPosition | None = None, see: See = unseen
    ) -> Attended:
        """Look at the memory. covered: the sum of all weights so far, with coverage; none is none so far.

        `see(name, value)` is shown "energies", "weights" and "context", and may change them on their way: a
        changed energy shifts all weights, a changed weight leaves the others as they are.
        """
        energies = self.energies(query, memory, covered)
        real = memory.real if query.dim() == 2 else memory.real[:, None]
        energies = see("energies", energies.masked_fill(~real, -torch.inf))
        weights = see("weights", energies.softmax(-1))
        context = (weights.unsqueeze(-2) if query.dim() == 2 else weights) @ memory.values
        return Attended(
            energies, weights, see("context", context.squeeze(-2) if query.dim() == 2 else context)
        )

    def energies(self, query: Queries, memory: Memory, covered: PerPosition | None = None) -> PerPosition:
        """How well each position answers the query, padding included."""
        if self.kind == LOCATION:
            return self.place(query)[..., : memory.values.shape[1]]
        if self.kind in (DOT, GENERAL):
            if query.dim() == 2:
                return (memory.keys @ query[..., None])[..., 0]
            return query @ memory.keys.transpose(1, 2)
        if self.kind == ADDITIVE:
            asked = self.query(query)
        else:
            asked = functional.linear(query, self.both.weight[:, : -self.key_size])
        keys = memory.keys if query.dim() == 2 else memory.keys[:, None]
        total = keys + asked.unsqueeze(-2)
        if self.coverage and covered is not None:
            total = total + self.covered(covered[..., None])
        return self.energy(total.tanh())[..., 0]

    def extra_repr(self) -> str:
        """The kind."""
        return self.kind + (", coverage" if self.coverage else "")


@explained
def coverage_loss(weights: Float[Tensor, "batch target source"]) -> Float[Tensor, " batch"]:
    """What looking twice at the same position costs a sequence, See et al. (2017), equation 12.

    For each step the overlap of its weights with the sum of all earlier ones, summed over the steps.
    """
    before = weights.cumsum(1) - weights
    return torch.minimum(weights, before).sum((1, 2))
