"""A task on trees: which trees there are, what is asked of them, and how a learner's text becomes one."""

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from lessons.corpora import Provenance
from lessons.errors import LessonError
from lessons.labelled import digest
from lessons.trees import CLOSE, JOINT, OPEN, Tree

NOBODY_KNOWS = -1  # the label of a node that has none


class Example(NamedTuple):
    """A tree, and the number of the answer at each of its nodes, a parent before its children."""

    tree: Tree
    labels: tuple[int, ...]

    @property
    def answer(self) -> int:
        """The label at the root."""
        return self.labels[0]


Examples = tuple[Example, ...]


@dataclass(frozen=True, repr=False)
class TreeTask:
    """Trees with labels, in parts "train", "valid", "test" and what else a task wants to ask.

    right: the answer for a tree, None where nobody knows; with `every` also for each of its subtrees.
    parse: a text as a tree; show: a tree as such a text. swaps: to which symbols a node may be changed, in
    groups. negation: a symbol with one child that can be put over a node or taken away; "" where there is
    none.
    """

    name: str
    item: str
    labels: tuple[str, ...]
    parts: Mapping[str, Examples]
    provenance: Provenance
    right: Callable[[Tree], str | None]
    parse: Callable[[str], Tree]
    show: Callable[[Tree], str] = str
    every: bool = False
    swaps: tuple[tuple[str, ...], ...] = ()
    negation: str = ""
    first: str = ""

    def __repr__(self) -> str:
        sizes = ", ".join(f"{name} {len(part):,}" for name, part in self.parts.items())
        return (
            f"{self.name}: {len(self.labels)} answers, {len(self.symbols) - 3} symbols; {self.item}s: {sizes}"
        )

    @cached_property
    def symbols(self) -> tuple[str, ...]:
        """All symbols of all trees; JOINT and the brackets first."""
        trees = (example.tree for part in self.parts.values() for example in part)
        found = {node.symbol for tree in trees for node in tree.nodes()} | {s for g in self.swaps for s in g}
        return (JOINT, OPEN, CLOSE, *sorted(found - {JOINT, OPEN, CLOSE}))

    @cached_property
    def places(self) -> int:
        """The most children that a node has."""
        trees = (example.tree for part in self.parts.values() for example in part)
        return max(len(node.children) for tree in trees for node in tree.nodes())

    def commonest(self, part: str = "valid") -> float:
        """The share that is right of who always gives the training part's commonest answer."""
        given = [example.answer for example in self.parts["train"]]
        best = max(set(given), key=given.count)
        held = self.parts[part]
        return sum(example.answer == best for example in held) / len(held)


def labelled(
    trees: Iterable[Tree], labels: Sequence[str], right: Callable[[Tree], str | None], every: bool
) -> Examples:
    """Trees with the labels of their roots, with `every` of all their nodes."""
    number = {label: k for k, label in enumerate(labels)}

    def labels_of(tree: Tree) -> tuple[int, ...]:
        if every:
            return tuple(number[right(node)] for node in tree.nodes())
        return (number[right(tree)], *[NOBODY_KNOWS] * (tree.size - 1))

    return tuple(Example(tree, labels_of(tree)) for tree in trees)


def distinct(make: Callable[[random.Random], Tree | None], seed: int, **counts: int) -> dict[str, list[Tree]]:
    """So many trees for every part, no tree twice, drawn from `seed`; `make` may give None to draw again."""
    dice, seen, parts = random.Random(seed), set(), {}
    for part, count in counts.items():
        found: list[Tree] = []
        vain = 0
        while len(found) < count:
            tree = make(dice)
            name = str(tree)
            if tree is None or name in seen:
                vain += 1
                if vain > 1000 + 50 * count:
                    raise LessonError(f"There are no {count:,} different trees of this kind; ask for fewer.")
                continue
            seen.add(name)
            found.append(tree)
        parts[part] = found
    return parts


def deal(name: str, shares: Mapping[str, int]) -> str:
    """The part that a name belongs to by its hash; `shares` are per cent, "train" gets the rest."""
    place = digest(name) % 100
    for part, share in shares.items():
        if place < share:
            return part
        place -= share
    return "train"


def made(name: str, release: str = "made by this course") -> Provenance:
    """Where generated trees come from."""
    return Provenance(name, name, release, "", "MIT", "Made by this course.", "generated")
