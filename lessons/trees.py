"""Trees, and a forest of them laid out by levels, so that a network computes a whole level at once.

    tree = Tree("MAX", (Tree("2"), Tree("9")))
    forest = Forest.of([plan(tree, {"MAX": 0, "2": 1, "9": 2})])

A leaf's state depends on its symbol alone, so the leaves of a forest are computed once a symbol: the rows
of a forest begin with a row that is no node, then come all symbols as leaves, then the inner nodes by their
height.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Int
from numpy import ndarray
from torch import Tensor

from lessons.errors import LessonError

JOINT = ""  # the symbol of an inner node that has none, as all have in a binary tree over tokens
OPEN, CLOSE = "[", "]"  # tokens around an inner node where a tree is written as a sequence
HIGHEST, LARGEST = 60, 8000  # levels and nodes of a tree


@dataclass(frozen=True)
class Tree:
    """A node: its symbol, and its children in order; a leaf has none."""

    symbol: str
    children: tuple["Tree", ...] = ()

    @cached_property
    def size(self) -> int:
        """How many nodes."""
        return 1 + sum(child.size for child in self.children)

    @cached_property
    def height(self) -> int:
        """The longest way down to a leaf; 0 in a leaf."""
        return 1 + max(child.height for child in self.children) if self.children else 0

    def nodes(self) -> Iterator["Tree"]:
        """Every node, a parent before its children."""
        yield self
        for child in self.children:
            yield from child.nodes()

    def tokens(self) -> Iterator[str]:
        """The tree as a sequence: inner nodes in brackets, their symbol first."""
        if not self.children:
            yield self.symbol
            return
        yield OPEN
        if self.symbol:
            yield self.symbol
        for child in self.children:
            yield from child.tokens()
        yield CLOSE

    def __str__(self) -> str:
        return " ".join(self.tokens()).replace(f"{OPEN} ", OPEN).replace(f" {CLOSE}", CLOSE)


def checked(tree: Tree) -> Tree:
    """The tree, unless it is too large or too high to be computed or drawn."""
    if tree.size > LARGEST or tree.height > HIGHEST:
        raise LessonError(
            f"This tree has {tree.size:,} nodes and {tree.height} levels; at most {LARGEST:,} and {HIGHEST} "
            f"are read, so take a part of it."
        )
    return tree


def binary(tree: Tree, tops: dict[int, Tree] | None = None) -> Tree:
    """The same in pairs: a symbol takes its children one after the other, from the left.

    [MAX 2 9 4] becomes [[[MAX 2] 9] 4], whose inner nodes have no symbol: MAX, then MAX of 2, then of 2 and
    9. `tops` is told for every node, by its id, which node of the result is complete with it.
    """
    done = tree
    if tree.children:
        first, *others = tree.children if tree.symbol == JOINT else (Tree(tree.symbol), *tree.children)
        done = binary(first, tops)
        for child in others:
            done = Tree(JOINT, (done, binary(child, tops)))
    if tops is not None:
        tops[id(tree)] = done
    return done


def at_random(tree: Tree, seed: int) -> Tree:
    """A binary tree over the same tokens, brackets among them, split at random places: a control.

    The same for the same tokens and seed.
    """
    tokens = tuple(tree.tokens())
    dice = random.Random(f"{seed} {' '.join(tokens)}")

    def over(first: int, end: int) -> Tree:
        if end - first == 1:
            return Tree(tokens[first])
        # Near the middle, so that it is no higher than a real one.
        third = (end - first) // 3
        cut = dice.randint(first + max(1, third), end - max(1, third))
        return Tree(JOINT, (over(first, cut), over(cut, end)))

    return over(0, len(tokens))


@dataclass(frozen=True, eq=False)
class Plan:
    """A tree as numbers, its inner nodes in the order in which they can be computed.

    A node is written as one number: 0 is none, 1 … V the leaves by their symbol's number + 1, and above V the
    inner nodes. numbers: (inner,) of the inner nodes' symbols. children: (inner, places), filled up with 0.
    heights: (inner,). nodes: (size,) of all nodes of the tree that was planned, a parent before its children.
    """

    symbols: int
    numbers: ndarray
    children: ndarray
    heights: ndarray
    nodes: ndarray


def plan(tree: Tree, numbers: Mapping[str, int], pairs: bool = False) -> Plan:
    """A tree as numbers. `pairs` reads children in order, two at a time, as `binary` does.

    Raises LessonError for a symbol that has no number, and for trees that are too large.
    """
    checked(tree)
    symbols = len(numbers)
    owns: list[int] = []
    below: list[tuple[int, ...]] = []
    heights: list[int] = []
    nodes: list[int] = []

    def height(node: int) -> int:
        return heights[node - symbols - 1] if node > symbols else 0

    def add(symbol: int, children: tuple[int, ...]) -> int:
        owns.append(symbol)
        below.append(children)
        heights.append(1 + max(map(height, children)))
        return symbols + len(owns)

    def visit(one: Tree) -> int:
        if one.symbol not in numbers:
            raise LessonError(f"{one.symbol!r} is nothing that the network was taught; leave it out.")
        number, place = numbers[one.symbol], len(nodes)
        nodes.append(0)
        children = tuple(visit(child) for child in one.children)
        if not children:
            nodes[place] = number + 1
        elif not pairs:
            nodes[place] = add(number, children)
        else:
            done, *others = children if one.symbol == JOINT else (number + 1, *children)
            for child in others:
                done = add(numbers[JOINT], (done, child))
            nodes[place] = done
        return nodes[place]

    visit(tree)
    places = max(map(len, below), default=1)
    filled = [children + (0,) * (places - len(children)) for children in below]
    return Plan(
        symbols, np.array(owns, np.int64), np.array(filled, np.int64).reshape(-1, places),
        np.array(heights, np.int64), np.array(nodes, np.int64),
    )  # fmt: skip


@dataclass(frozen=True, eq=False, repr=False)
class Forest:
    """Trees laid out by levels. Row 0 is no node, rows 1 … V are the symbols as leaves, then the inner nodes.

    numbers: (inner,) of the inner nodes' symbols, lowest level first. children: (inner, places), the rows of
    their children in order, 0 where there is none. levels: where each level of inner nodes begins and ends,
    and how many children its nodes have at most; the children of a level lie below it. nodes: (sizes,), the
    rows of all nodes, tree after tree, a parent before its children. sizes: nodes of each tree. roots:
    (trees,).
    """

    symbols: int
    numbers: Int[Tensor, " inner"]
    children: Int[Tensor, "inner places"]
    levels: tuple[tuple[int, int, int], ...]
    nodes: Int[Tensor, " all"]
    sizes: tuple[int, ...]
    roots: Int[Tensor, " trees"]

    def __repr__(self) -> str:
        return (
            f"Forest({len(self.sizes)} trees of {sum(self.sizes):,} nodes, {len(self.numbers):,} inner ones "
            f"on {len(self.levels)} levels)"
        )

    @classmethod
    def of(cls, plans: Sequence[Plan], device: torch.device | str | None = None) -> "Forest":
        """Planned trees as one forest. Raises LessonError where there is none."""
        if not plans:
            raise LessonError("A forest needs at least one tree.")
        symbols = plans[0].symbols
        begun = np.cumsum([0, *(len(one.numbers) for one in plans)])  # inner nodes before each tree
        heights = np.concatenate([one.heights for one in plans])
        order = heights.argsort(kind="stable")
        row = np.arange(1 + symbols + len(order))  # of every node as plans write it, trees behind one another
        row[symbols + 1 + order] = symbols + 1 + np.arange(len(order))
        sizes = tuple(len(one.nodes) for one in plans)
        nodes = row[
            np.concatenate([moved(one.nodes, symbols, n) for one, n in zip(plans, begun, strict=False)])
        ]
        roots = nodes[np.cumsum([0, *sizes[:-1]])]
        children = row[side_by_side(plans, begun)[order]]
        numbers = np.concatenate([one.numbers for one in plans])[order]
        own, below, every, tops = (
            torch.from_numpy(part).to(device) for part in (numbers, children, nodes, roots)
        )
        return cls(symbols, own, below, levels_of(heights[order], children), every, sizes, tops)


def moved(nodes: ndarray, symbols: int, by: int | np.integer) -> ndarray:
    """Nodes as a plan writes them, with the inner ones further back."""
    return nodes + by * (nodes > symbols)


def side_by_side(plans: Sequence[Plan], begun: ndarray) -> ndarray:
    """The children of all plans in one table, filled up with 0, inner nodes counted through."""
    table = np.zeros((begun[-1], max(one.children.shape[1] for one in plans)), np.int64)
    for one, start, end in zip(plans, begun, begun[1:], strict=False):
        table[start:end, : one.children.shape[1]] = moved(one.children, one.symbols, start)
    return table


def levels_of(heights: ndarray, children: ndarray) -> tuple[tuple[int, int, int], ...]:
    """Begin, end and most children of each level, from the heights in order."""
    ends = np.searchsorted(heights, np.arange(1, heights.max(initial=0) + 1), side="right")
    bounds = zip([0, *ends[:-1]], ends, strict=True) if len(ends) else ()
    return tuple((int(begin), int(end), int((children[begin:end] > 0).sum(1).max())) for begin, end in bounds)
