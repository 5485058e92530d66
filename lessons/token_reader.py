"""The tree as a sequence: an LSTM that reads its tokens, brackets among them, beside the recursive
networks."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from lessons.arguments import Count, explained
from lessons.errors import LessonError
from lessons.recurrent import LSTM
from lessons.trees import Tree


class Tokens(NamedTuple):
    """Trees as sequences: numbers of their tokens, lengths, and where each node has been read to its end.

    ends holds places in the batch laid flat, tree after tree, a parent before its children; roots the
    roots' own.
    """

    tokens: Int[Tensor, "trees time"]
    lengths: Int[Tensor, " trees"]
    ends: Int[Tensor, " nodes"]
    roots: Int[Tensor, " trees"]


class TokenReader(nn.Module):
    """An embedding, an LSTM from left to right, and a readout where a node has just been closed."""

    @explained
    def __init__(
        self,
        symbols: Sequence[str],
        labels: Count,
        hidden_size: Count = 64,
        embedding_size: Count = 24,
        readout_size: int = 0,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        self.symbols, self.labels, self.readout_size = tuple(symbols), labels, readout_size
        self.hidden_size = hidden_size
        self.numbers = {symbol: number for number, symbol in enumerate(self.symbols)}
        place = {"device": device, "dtype": dtype}
        self.embedding = nn.Embedding(len(self.symbols), embedding_size, **place)
        self.recurrent = LSTM(embedding_size, hidden_size, batch_first=True, forget_bias=1.0, **place)
        layers = [nn.Linear(hidden_size, readout_size, **place), nn.Tanh()] if readout_size else []
        self.readout = nn.Sequential(*layers, nn.Linear(readout_size or hidden_size, labels, **place))

    def config(self) -> dict[str, Any]:
        """What rebuilds this network, weights aside: `TokenReader(**reader.config())`."""
        return {
            "symbols": list(self.symbols), "labels": self.labels, "hidden_size": self.hidden_size,
            "embedding_size": self.embedding.embedding_dim, "readout_size": self.readout_size,
        }  # fmt: skip

    def plan(self, tree: Tree) -> tuple[list[int], list[int]]:
        """A tree's tokens as numbers, and of each node the place of its last token."""
        missing = next((token for token in tree.tokens() if token not in self.numbers), None)
        if missing is not None:
            raise LessonError(f"{missing!r} is nothing that the network was taught; leave it out.")
        return [self.numbers[token] for token in tree.tokens()], endings(tree)

    def gather(self, plans: Sequence[tuple[list[int], list[int]]]) -> Tokens:
        """Planned trees as one batch on the reader's device."""
        device = self.embedding.weight.device
        lengths = torch.tensor([len(tokens) for tokens, _ in plans], device=device)
        longest = int(lengths.max())
        filled = [tokens + [0] * (longest - len(tokens)) for tokens, _ in plans]
        ends = [k * longest + end for k, (_, own) in enumerate(plans) for end in own]
        roots = torch.arange(len(plans), device=device) * longest + lengths - 1
        return Tokens(torch.tensor(filled, device=device), lengths, torch.tensor(ends, device=device), roots)

    def forward(self, batch: Tokens) -> Float[Tensor, "trees labels"]:
        """The logits at the roots, when everything has been read."""
        return self.readout(self.states(batch)[batch.roots])

    def states(self, batch: Tokens) -> Float[Tensor, "places hidden"]:
        """h after every token, the batch laid flat."""
        output, _ = self.recurrent(self.embedding(batch.tokens), lengths=batch.lengths)
        return output.flatten(0, 1)


def endings(tree: Tree) -> list[int]:
    """For every node, a parent before its children: the place of the token with which it is complete."""
    ends: list[int] = []

    def visit(node: Tree, begin: int) -> int:
        mine = len(ends)
        ends.append(begin)
        if not node.children:
            return begin + 1
        at = begin + 1 + bool(node.symbol)
        for child in node.children:
            at = visit(child, at)
        ends[mine] = at
        return at + 1

    visit(tree, 0)
    return ends
