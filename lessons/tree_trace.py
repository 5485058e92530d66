"""All that a recursive network computes in one tree, node by node: the recursion in the clear, and a record
of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from lessons.arguments import explained
from lessons.errors import LessonError
from lessons.recursive import Recursive
from lessons.tree_cells import RecStep, TreeStep
from lessons.trees import Tree, binary, checked

State = tuple[Float[Tensor, "one hidden"], Float[Tensor, "one hidden"]]
Observer = Callable[[Tree, RecStep | TreeStep], RecStep | TreeStep]


def recurse(network: Recursive, tree: Tree, observe: Observer | None = None) -> State:
    """h and c at the top of a tree, one node after the other, children first: what a forest computes by
    levels.

    `observe` sees every step and may change it; a network of pairs takes the tree that `binary` makes.
    """
    below = [recurse(network, child, observe) for child in tree.children]
    if tree.symbol not in network.numbers:
        raise LessonError(f"{tree.symbol!r} is nothing that the network was taught; leave it out.")
    if len(below) > network.places and network.cell != "child-sum":
        raise LessonError(f"{tree.symbol} has {len(below)} children; this cell takes {network.places}.")
    number = torch.tensor([network.numbers[tree.symbol]], device=network.weight_hh.device)
    x = network.input(network.embedding(number))
    places = max(network.places, len(below))
    h, c = x.new_zeros(2, 1, places, network.hidden_size).unbind(0)
    if below:
        filled = [torch.zeros_like(below[0][0])] * (places - len(below))
        h, c = (torch.stack([*states, *filled], 1) for states in zip(*below, strict=True))
    step = network.step(x, h, c)
    step = observe(tree, step) if observe else step
    return step.h, getattr(step, "c", step.h)


@dataclass(frozen=True, eq=False, repr=False)
class TreeTrace:
    """What a network did in one tree: N nodes, a parent before its children.

    values: gates and states by name, h (N, H) and, in a Tree-LSTM, i, g, o, c (N, H) and f (N, places, H), a
    gate for every child. In a network of pairs those of a node are of its last pair: what it made of its last
    child; `steps` counts all that were computed. logits: (N, labels). parents: (N,), -1 for the root.
    """

    tree: Tree
    values: Mapping[str, Tensor]
    logits: Float[Tensor, "nodes labels"]
    parents: Int[Tensor, " nodes"]
    labels: tuple[str, ...]
    cell: str
    steps: int

    def __repr__(self) -> str:
        return f"TreeTrace({len(self.parents)} nodes, {self.cell}: {' '.join(self.names)})"

    def __getitem__(self, name: str) -> Tensor:
        """trace["h"] (N, H), trace["f"] (N, places, H)."""
        if name not in self.values:
            raise LessonError(f"This cell has no {name!r}; it has {', '.join(self.names)}.")
        return self.values[name]

    @property
    def names(self) -> tuple[str, ...]:
        """Gates and states in the order in which they are computed."""
        return tuple(self.values)

    @cached_property
    def nodes(self) -> tuple[Tree, ...]:
        """The subtree at every node."""
        return tuple(self.tree.nodes())

    @property
    def probabilities(self) -> Float[Tensor, "nodes labels"]:
        """Of every answer at every node."""
        return self.logits.softmax(-1)

    @property
    def answers(self) -> tuple[str, ...]:
        """The likeliest answer at every node."""
        return tuple(self.labels[k] for k in self.logits.argmax(-1).tolist())

    def numpy(self, name: str = "h") -> numpy.ndarray:
        """A gate or state of all nodes, float32."""
        return self[name].to("cpu", torch.float32).numpy()


@explained
@torch.no_grad()
def look(
    network: Recursive,
    tree: Tree,
    labels: tuple[str, ...] | None = None,
    edit: Mapping[int, float | int | Tensor] | None = None,
) -> TreeTrace:
    """Read one tree and keep everything. `edit` puts another h in the place of a node's, {node: value}.

    Nodes are numbered from 0, a parent before its children, as in `tree.nodes()`.
    """
    apart = list(separate(checked(tree)).nodes())
    numbers = {id(node): k for k, node in enumerate(apart)}
    unknown = [node for node in edit or {} if node not in range(len(apart))]
    if unknown:
        raise LessonError(f"There is no node {unknown[0]}; the tree has {len(apart)}, from 0.")
    kept: list[RecStep | TreeStep | None] = [None] * len(apart)
    steps = 0

    def keep(node: Tree, step: RecStep | TreeStep) -> RecStep | TreeStep:
        nonlocal steps
        steps += 1
        number = numbers.get(id(node))
        if number is None:
            return step
        if number in (edit or {}):
            step = step._replace(h=torch.zeros_like(step.h) + edit[number])
        kept[number] = step
        return step

    whole = apart[0]
    if network.pairs:
        tops: dict[int, Tree] = {}
        whole = binary(whole, tops)
        numbers = {id(top): numbers[node] for node, top in tops.items() if node in numbers}
    recurse(network, whole, keep)
    values = {name: together([getattr(step, name) for step in kept]) for name in kept[0]._fields}
    names = labels or tuple(map(str, range(network.labels)))
    parents = torch.tensor(parents_of(tree))
    return TreeTrace(tree, values, network.readout(values["h"]), parents, tuple(names), network.cell, steps)


def together(parts: list[Tensor]) -> Tensor:
    """Parts of one node each behind one another; gates of children filled up with 0 to as many places."""
    if parts[0].dim() == 2:
        return torch.cat(parts)
    most = max(part.shape[1] for part in parts)
    return torch.cat([functional.pad(part, (0, 0, 0, most - part.shape[1])) for part in parts])


def separate(tree: Tree) -> Tree:
    """The same tree, every node an object of its own: equal subtrees may be one object in it."""
    return Tree(tree.symbol, tuple(separate(child) for child in tree.children))


def parents_of(tree: Tree) -> list[int]:
    """For every node the number of its parent, -1 for the root."""
    parents = [-1]

    def visit(node: Tree, number: int) -> None:
        for child in node.children:
            parents.append(number)
            visit(child, len(parents) - 1)

    visit(tree, 0)
    return parents
