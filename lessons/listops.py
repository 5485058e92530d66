"""ListOps: nested lists of digits with an operator in front, whose value is a digit.

    [MAX 2 9 [MIN 4 7] 0]      is 9

After Nangia and Bowman 2018, who have the same operators, up to five arguments and deeper nesting. The tree
is written into the sequence with brackets, so that a network which reads tokens could know it, too.
"""

import random
import re
from collections.abc import Callable
from functools import lru_cache

from lessons import tree_tasks
from lessons.arguments import Count, explained, shown
from lessons.errors import LessonError
from lessons.tree_tasks import TreeTask
from lessons.trees import Tree, checked

DIGITS = tuple("0123456789")
OPERATORS: dict[str, Callable[[list[int]], int]] = {
    "MIN": min,
    "MAX": max,
    "MED": lambda found: int(median(found)),
    "SM": lambda found: sum(found) % 10,
}
MOST = 4  # arguments of a list, and levels of lists
NESTED = 0.35  # the chance that an argument is a list itself


def median(found: list[int]) -> float:
    """The middle one, or the mean of the middle two."""
    ranked = sorted(found)
    return (ranked[(len(ranked) - 1) // 2] + ranked[len(ranked) // 2]) / 2


def value(tree: Tree) -> int:
    """What an expression comes to, 0 … 9; the median of an even count is rounded down."""
    return OPERATORS[tree.symbol](list(map(value, tree.children))) if tree.children else int(tree.symbol)


@explained
def draw(dice: random.Random, levels: Count = 3, most: Count = MOST) -> Tree:
    """A random expression with up to so many levels of lists and up to so many arguments in each."""
    nested = [levels > 1 and dice.random() < NESTED for _ in range(dice.randint(2, max(2, most)))]
    arguments = (draw(dice, levels - 1, most) if deep else Tree(dice.choice(DIGITS)) for deep in nested)
    return Tree(dice.choice(tuple(OPERATORS)), tuple(arguments))


@lru_cache(maxsize=4)
def listops(count: int = 8000, levels: int = 3, held_out: int = 500, seed: int = 0) -> TreeTask:
    """Expressions of 4 to 40 nodes; the part "deeper" has one level of lists more than training has."""

    def make(deeper: bool) -> Callable[[random.Random], Tree | None]:
        def drawn(dice: random.Random) -> Tree | None:
            tree = draw(dice, levels + deeper)
            return tree if 4 <= tree.size <= 40 + 30 * deeper and (tree.height > levels) == deeper else None

        return drawn

    parts = tree_tasks.distinct(make(False), seed, train=count, valid=held_out, test=held_out)
    parts |= tree_tasks.distinct(make(True), seed, deeper=held_out)
    examples = {name: tree_tasks.labelled(trees, DIGITS, right, every=True) for name, trees in parts.items()}
    return TreeTask(
        "ListOps", "expression", DIGITS, examples, tree_tasks.made("listops"), right, parse, every=True,
        swaps=(tuple(OPERATORS), DIGITS), first="[MAX 2 [MED 9 1 4] [SM 7 8]]",
    )  # fmt: skip


def right(tree: Tree) -> str:
    """The value as an answer."""
    return str(value(tree))


def parse(text: object) -> Tree:
    """An expression in brackets as a tree. Raises LessonError, one sentence, for what is none."""
    if not isinstance(text, str) or not text.strip():
        raise LessonError("Type an expression such as [MAX 2 9 [MIN 4 7] 0].")
    if len(text) > 4000:
        raise LessonError(f"This text has {len(text):,} characters; an expression here has at most 4,000.")
    stack: list[list] = [[]]
    for token in re.findall(r"[\[\]]|[^\s\[\]]+", text):
        if token == "[":
            stack.append([])
        elif token == "]":
            if len(stack) == 1:
                raise LessonError("There is a ] without its [; take it away, or put a [ before it.")
            inside = stack.pop()
            stack[-1].append(_list(inside))
        elif token.upper() in OPERATORS or token in DIGITS:
            stack[-1].append(token.upper())
        else:
            known = f"{', '.join(OPERATORS)} and the digits 0 to 9"
            raise LessonError(f"{shown(token)} is no word of ListOps; it has {known}.")
        if len(stack) > 50:
            raise LessonError("These brackets are nested more than 50 deep; take some away.")
    if len(stack) > 1:
        raise LessonError("A [ is never closed; put a ] behind its last argument.")
    if len(stack[0]) != 1:
        raise LessonError("This is more than one expression; put all of it into one pair of brackets.")
    only = stack[0][0]
    if isinstance(only, str) and only in OPERATORS:
        raise LessonError(f"{only} has no arguments here; write it as in [{only} 2 9].")
    return checked(only if isinstance(only, Tree) else Tree(only))


def _list(inside: list) -> Tree:
    if not inside or inside[0] not in OPERATORS:
        raise LessonError(f"A list begins with one of {', '.join(OPERATORS)}; put one behind its [.")
    arguments = [one if isinstance(one, Tree) else Tree(one) for one in inside[1:]]
    for one in arguments:
        if one.symbol in OPERATORS and not one.children:
            raise LessonError(f"{one.symbol} stands among the arguments; put it into brackets of its own.")
    if not 1 <= len(arguments) <= 12:
        raise LessonError(f"{inside[0]} has {len(arguments)} arguments here; give it 1 to 12.")
    return Tree(inside[0], tuple(arguments))
