"""Propositional logic: how the meanings of two formulas lie to one another, one of seven relations.

    (a and b) ? a         forward entailment: wherever the first is true, so is the second

After Bowman, Potts and Manning 2015, whose relations are those of natural logic (MacCartney and Manning
2009). A formula's truth table over six letters is one number of 64 bits, so that a relation is a few
operations on numbers.
"""

import random
import re
from functools import lru_cache

from lessons import tree_tasks
from lessons.arguments import shown
from lessons.errors import LessonError
from lessons.tree_tasks import TreeTask
from lessons.trees import Tree, checked

LETTERS = tuple("abcdef")
BINARY = ("and", "or")
NOT, COMPARED = "not", "?"
ALL = (1 << 64) - 1
# sign -> what it means
RELATIONS = {
    "≡": "equivalent",
    "⊏": "entails",
    "⊐": "is entailed by",
    "^": "negates",
    "|": "excludes",
    "∪": "covers with",
    "#": "independent",
}
SIGNS = tuple(RELATIONS)


def table(formula: Tree) -> int:
    """A formula's truth table: bit k says whether it is true where letter n is bit n of k."""
    if not formula.children:
        return _LETTER_TABLES[formula.symbol]
    first, *others = map(table, formula.children)
    if formula.symbol == NOT:
        return ALL & ~first
    return first & others[0] if formula.symbol == "and" else first | others[0]


_LETTER_TABLES = {
    letter: sum(1 << row for row in range(64) if row >> place & 1) for place, letter in enumerate(LETTERS)
}


def relation(first: int, second: int) -> str:
    """The relation of two truth tables, neither of them always true or always false."""
    if first == second:
        return "≡"
    apart, full = not first & second, first | second == ALL
    if apart or full:
        return "^" if apart and full else "|" if apart else "∪"
    if not first & ~second:
        return "⊏"
    return "⊐" if not second & ~first else "#"


def connectives(formula: Tree) -> int:
    """How many of and, or, not."""
    return sum(bool(node.children) for node in formula.nodes())


def draw(dice: random.Random, size: int, letters: tuple[str, ...]) -> Tree:
    """A random formula with `size` connectives over some of the letters."""
    if not size:
        return Tree(dice.choice(letters))
    if dice.random() < 0.3:
        return Tree(NOT, (draw(dice, size - 1, letters),))
    left = dice.randrange(size)
    return Tree(dice.choice(BINARY), (draw(dice, left, letters), draw(dice, size - 1 - left, letters)))


def pair(dice: random.Random, low: int, high: int) -> Tree | None:
    """Two formulas over the same few letters, `low` to `high` connectives in the larger; None if one is
    constant."""
    letters = tuple(dice.sample(LETTERS, dice.randint(2, 4)))
    sizes = [dice.randint(low, high), dice.randint(0, high)]
    dice.shuffle(sizes)
    both = tuple(draw(dice, size, letters) for size in sizes)
    if {0, ALL} & set(map(table, both)):
        return None
    return Tree(COMPARED, both)


def right(tree: Tree) -> str | None:
    """The relation, where two formulas are compared that both can be true and false; None elsewhere."""
    if tree.symbol != COMPARED or len(tree.children) != 2:
        return None
    first, second = map(table, tree.children)
    return None if {0, ALL} & {first, second} else relation(first, second)


@lru_cache(maxsize=4)
def logic(count: int = 14_000, high: int = 4, held_out: int = 700, seed: int = 0) -> TreeTask:
    """Pairs with up to `high` connectives a formula, every relation as often; "longer" has up to twice as
    many.

    Relations would come up very unevenly, so that pairs are drawn until each has its share.
    """
    used: set[str] = set()
    dice = random.Random(seed)
    parts = {"train": (count, 0, high), "valid": (held_out, 0, high), "test": (held_out, 0, high)}
    parts["longer"] = (held_out, high + 1, 2 * high)
    found = {
        name: balanced(dice, used, -(-wanted // len(SIGNS)), low, most)
        for name, (wanted, low, most) in parts.items()
    }
    examples = {name: tree_tasks.labelled(trees, SIGNS, right, every=False) for name, trees in found.items()}
    return TreeTask(
        "logic", "pair", SIGNS, examples, tree_tasks.made("logic"), right, parse, show,
        swaps=(BINARY, LETTERS), negation=NOT, first="(a and not b) ? (a or c)",
    )  # fmt: skip


def balanced(dice: random.Random, used: set[str], each: int, low: int, high: int) -> list[Tree]:
    """So many pairs of every relation, none of them used before, in random order."""
    found: dict[str, list[Tree]] = {sign: [] for sign in SIGNS}
    for _ in range(4000 * each):
        tree = pair(dice, low, high)
        if tree is None or (name := str(tree)) in used:
            continue
        mine = found[right(tree)]
        if len(mine) < each:
            used.add(name)
            mine.append(tree)
            if all(len(some) == each for some in found.values()):
                break
    else:
        raise LessonError(f"There are no {each:,} pairs of every relation; ask for fewer or longer formulas.")
    every = [tree for some in found.values() for tree in some]
    dice.shuffle(every)
    return every


def show(tree: Tree) -> str:
    """A formula, or two of them, as they are typed."""
    if not tree.children:
        return tree.symbol
    parts = [show(child) for child in tree.children]
    if tree.symbol == NOT:
        return f"not {parts[0]}"
    if tree.symbol == COMPARED:
        return f" {COMPARED} ".join(part[1:-1] if part.startswith("(") else part for part in parts)
    return f"({f' {tree.symbol} '.join(parts)})"


def parse(text: object) -> Tree:
    """Formulas such as `not a` or `(a and b)`, two of them with a ? between; LessonError for what is none."""
    if not isinstance(text, str) or not text.strip():
        raise LessonError("Type two formulas with a question mark between, such as (a and b) ? a.")
    if len(text) > 2000:
        raise LessonError(f"This text has {len(text):,} characters; formulas here have at most 2,000.")
    tokens = re.findall(r"[()?]|[^\s()?]+", text.lower())
    for token in tokens:
        if token not in (*LETTERS, *BINARY, NOT, COMPARED, "(", ")"):
            raise LessonError(
                f"{shown(token)} is no word of a formula; there are the letters a to f, and, or, not and ?."
            )
    sides = " ".join(tokens).split(COMPARED)
    if len(sides) > 2:
        raise LessonError("Two formulas are compared at a time; leave one question mark.")
    trees = tuple(_Formula(side.split()).whole() for side in sides)
    return checked(Tree(COMPARED, trees) if len(trees) == 2 else trees[0])


class _Formula:
    """Reads a formula: `not` binds closest, `and` and `or` go from left to right unless brackets say
    otherwise."""

    def __init__(self, tokens: list[str]) -> None:
        self.tokens, self.at, self.depth = tokens, 0, 0

    def whole(self) -> Tree:
        tree = self.chain()
        if self.at < len(self.tokens):
            raise LessonError(
                f"Nothing fits before {shown(self.tokens[self.at])}; look at the brackets there."
            )
        return tree

    def chain(self) -> Tree:
        tree = self.one()
        while self.next in BINARY:
            sign = self.take()
            tree = Tree(sign, (tree, self.one()))
        return tree

    def one(self) -> Tree:
        self.depth += 1
        if self.depth > 50:
            raise LessonError("This formula is nested more than 50 deep; take some of it away.")
        token = self.take()
        if token == NOT:
            tree = Tree(NOT, (self.one(),))
        elif token == "(":
            tree = self.chain()
            if self.take() != ")":
                raise LessonError("A bracket is never closed; put a ) where its formula ends.")
        elif token in LETTERS:
            tree = Tree(token)
        else:
            where = f"before {shown(token)}" if token else "at the end"
            raise LessonError(f"A letter or a formula in brackets is missing {where}; write one there.")
        self.depth -= 1
        return tree

    @property
    def next(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self) -> str:
        token = self.next
        self.at += 1
        return token
