"""Changes of a tree that a reader asks for, and which node of the new tree each one of the old has become."""

from collections.abc import Sequence
from typing import Any

from lessons.errors import LessonError
from lessons.trees import Tree


def replaced(tree: Tree, node: int, by: Tree) -> Tree:
    """The tree with another subtree at a node, which is numbered with a parent before its children."""
    if node == 0:
        return by
    at, children = 1, []
    for child in tree.children:
        inside = at <= node < at + child.size
        children.append(replaced(child, node - at, by) if inside else child)
        at += child.size
    return Tree(tree.symbol, tuple(children))


def swapped(tree: Tree, node: int, symbol: Any, groups: Sequence[Sequence[str]]) -> Tree:
    """The tree with another symbol at a node, one of the group that its own belongs to."""
    old = list(tree.nodes())[node]
    group = next((group for group in groups if old.symbol in group), ())
    if not group:
        raise LessonError(f"{old.symbol!r} stands for no other symbol; choose another node.")
    if symbol not in group:
        choice = ", ".join(group)
        raise LessonError(f"{old.symbol!r} can become one of {choice}; {symbol!r} is not among them.")
    return replaced(tree, node, Tree(symbol, old.children))


def negated(tree: Tree, node: int, negation: str) -> Tree:
    """The tree with a `not` over a node, or without the one that stands there."""
    old = list(tree.nodes())[node]
    if not negation:
        raise LessonError("There is no word for “not” in these trees; change a symbol instead.")
    if old.symbol == negation:
        return replaced(tree, node, old.children[0])
    return replaced(tree, node, Tree(negation, (old,)))


def aligned(old: Tree, new: Tree) -> dict[int, int]:
    """Which node of the new tree was which of the old: from the roots down, as far as the shapes agree.

    A node with one child on one side only, such as a `not` that was put in, has no partner.
    """
    pairs: dict[int, int] = {}

    def walk(a: Tree, at: int, b: Tree, bt: int) -> None:
        if len(a.children) != len(b.children) or a.symbol != b.symbol:
            if len(b.children) == 1 and b.children[0] == a:
                return walk(a, at, b.children[0], bt + 1)
            if len(a.children) == 1 and a.children[0] == b:
                return walk(a.children[0], at + 1, b, bt)
        pairs[bt] = at
        if len(a.children) != len(b.children):
            return None
        at, bt = at + 1, bt + 1
        for left, right in zip(a.children, b.children, strict=True):
            walk(left, at, right, bt)
            at, bt = at + left.size, bt + right.size
        return None

    walk(old, 0, new, 0)
    return pairs
