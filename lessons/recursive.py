"""Recursive networks (lesson 16): one cell, applied at every node of a tree, from the leaves up."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from lessons.arguments import Count, explained
from lessons.errors import LessonError
from lessons.tree_cells import RecStep, TreeStep, child_sum_step, n_ary_step, rec_step
from lessons.tree_closed_form import NAryForest
from lessons.trees import JOINT, Forest, Plan, Tree, plan

# What a cell is called -> whether it reads children two at a time, in order.
CELLS = {"plain": True, "child-sum": False, "n-ary": False, "in order": True}


class Recursive(nn.Module):
    """An embedding of symbols, a cell that goes up a tree, and a readout at its nodes.

    symbols: names of all nodes, JOINT among them. labels: how many answers there are.
    cell: "plain" (tanh, pairs), "child-sum", "n-ary" (Tai et al. 2015, up to `places` children) or "in order"
        (the n-ary one over pairs: a symbol takes its children one after the other).
    hidden_size: of h, and of c where there is one. readout_size: units of a hidden layer before the answer, 0
        for none.
    """

    @explained
    def __init__(
        self,
        symbols: Sequence[str],
        labels: Count,
        cell: str = "in order",
        hidden_size: Count = 48,
        embedding_size: Count = 24,
        places: Count = 2,
        readout_size: int = 0,
        forget_bias: float | int = 1.0,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        if cell not in CELLS:
            raise LessonError(f"The cell is one of {', '.join(CELLS)}; {cell!r} is not.")
        if JOINT not in symbols:
            raise LessonError("Among the symbols must be the empty one, of nodes without a name.")
        self.symbols, self.labels, self.cell = tuple(symbols), labels, cell
        self.pairs = CELLS[cell]
        self.places = 2 if self.pairs else places
        self.hidden_size, self.readout_size, self.forget_bias = hidden_size, readout_size, forget_bias
        self.numbers = {symbol: number for number, symbol in enumerate(self.symbols)}
        gates = 1 if cell == "plain" else 4
        rows = {"plain": 1, "child-sum": 4}.get(cell, 3 + self.places) * hidden_size
        columns = hidden_size if cell == "child-sum" else self.places * hidden_size
        place = {"device": device, "dtype": dtype}
        self.embedding = nn.Embedding(len(self.symbols), embedding_size, **place)
        self.input = nn.Linear(embedding_size, gates * hidden_size, **place)
        self.weight_hh = nn.Parameter(torch.empty(rows, columns, **place))
        layers = [nn.Linear(hidden_size, readout_size, **place), nn.Tanh()] if readout_size else []
        self.readout = nn.Sequential(*layers, nn.Linear(readout_size or hidden_size, labels, **place))
        bound = 1 / math.sqrt(columns)
        nn.init.uniform_(self.weight_hh, -bound, bound)
        if gates == 4:
            with torch.no_grad():
                self.input.bias[hidden_size : 2 * hidden_size] = forget_bias

    def config(self) -> dict[str, Any]:
        """What rebuilds this network, weights aside: `Recursive(**network.config())`."""
        return {
            "symbols": list(self.symbols), "labels": self.labels, "cell": self.cell,
            "hidden_size": self.hidden_size, "embedding_size": self.embedding.embedding_dim,
            "places": self.places, "readout_size": self.readout_size, "forget_bias": self.forget_bias,
        }  # fmt: skip

    def plan(self, tree: Tree) -> Plan:
        """A tree as this network's numbers."""
        return plan(tree, self.numbers, self.pairs)

    def forest(self, trees: Sequence[Tree]) -> Forest:
        """Trees as one forest on the network's device."""
        return Forest.of([self.plan(tree) for tree in trees], self.weight_hh.device)

    def forward(self, forest: Forest) -> Float[Tensor, "trees labels"]:
        """The logits at the roots."""
        return self.readout(self.states(forest)[0][forest.roots])

    def step(self, x: Tensor, h: Tensor, c: Tensor) -> RecStep | TreeStep:
        """The cell at some nodes: what their symbols bring, and their children's states."""
        if self.cell == "plain":
            return rec_step(x, h, self.weight_hh)
        step = child_sum_step if self.cell == "child-sum" else n_ary_step
        return step(x, h, c, self.weight_hh)

    def states(self, forest: Forest) -> tuple[Float[Tensor, "rows hidden"], Float[Tensor, "rows hidden"]]:
        """h and c of every row of a forest, level by level; c is h again in the plain cell."""
        x = self.input(self.embedding.weight)
        if self.cell in ("n-ary", "in order"):
            children = self.fitted(forest.children)
            return NAryForest.apply(x, self.weight_hh, forest.numbers, children, forest.levels)
        return self.by_autograd(x, forest)

    def by_autograd(self, x: Tensor, forest: Forest) -> tuple[Tensor, Tensor]:
        """The same through `step`, for every cell; autograd finds the slopes."""
        nothing = x.new_zeros(len(x), self.places, self.hidden_size)
        leaves = self.both(self.step(x, nothing, nothing))
        below = torch.cat([leaves.new_zeros(1, leaves.shape[1]), leaves])
        for begin, end, used in forest.levels:
            children = forest.children[begin:end]
            rows = children[:, :used] if self.cell == "child-sum" else self.fitted(children)
            h, c = below[rows].chunk(2, -1)
            new = self.both(self.step(x[forest.numbers[begin:end]], h, c))
            below = torch.cat([below, new])
        return below.chunk(2, -1)

    def fitted(self, children: Int[Tensor, "inner places"]) -> Int[Tensor, "inner cell_places"]:
        """Rows of children with as many places as the cell has."""
        if children.shape[1] > self.places:
            raise LessonError(
                f"A node here has {children.shape[1]} children, and this cell has {self.places} "
                f"places; take fewer, or another cell."
            )
        return nn.functional.pad(children, (0, self.places - children.shape[1]))

    @staticmethod
    def both(step: RecStep | TreeStep) -> Float[Tensor, "nodes both"]:
        """h and c beside one another."""
        return torch.cat([step.h, getattr(step, "c", step.h)], -1)
