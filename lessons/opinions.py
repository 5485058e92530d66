"""Opinions as trees: rated words under not, very, slightly, and, but, with an answer at every node.

    not (very careful but hopeless)

The words' ratings are people's (lessons.word_ratings); how they combine is our grammar. Two of its numbers
are those of VADER's rules (Hutto and Gilbert 2014): `not` turns a rating round and weakens it to 0.74 of its
size, and of two parts joined by `but` the second weighs three times as much. The step of `very` and
`slightly` is ours. Labels at all nodes, as in the treebank of Socher et al. 2013.
"""

import random
import re
from collections.abc import Callable, Mapping
from functools import lru_cache, partial

from lessons import corpora, tree_tasks, word_ratings
from lessons.arguments import shown
from lessons.errors import LessonError
from lessons.tree_tasks import TreeTask
from lessons.trees import Tree, checked

NOT = "not"
MORE, LESS = "very", "slightly"
UNARY, JOINED = (NOT, MORE, LESS), ("and", "but")
LABELS = ("very bad", "bad", "neutral", "good", "very good")
BOUNDS = (-1.6, -0.5, 0.5, 1.6)  # between the labels, on the scale from -4 to 4
TURNED, STEP, BEFORE, AFTER = -0.74, 0.8, 0.5, 1.5
WORDS = 160
Ratings = Mapping[str, float]


def rating(tree: Tree, words: Ratings) -> float:
    """How good a phrase is, -4 … 4."""
    if not tree.children:
        return words[tree.symbol]
    first, *others = (rating(child, words) for child in tree.children)
    if tree.symbol == NOT:
        return TURNED * first
    if tree.symbol in UNARY:
        step = STEP if tree.symbol == MORE else -STEP
        size = max(0.0, abs(first) + step)
        return max(-4.0, min(4.0, size if first > 0 else -size))
    if tree.symbol == "and":
        return (first + others[0]) / 2
    return (BEFORE * first + AFTER * others[0]) / 2


def right(words: Ratings, tree: Tree) -> str | None:
    """The label of a phrase; None with a word that nobody rated."""
    if any(not node.children and node.symbol not in words for node in tree.nodes()):
        return None
    return LABELS[sum(rating(tree, words) > bound for bound in BOUNDS)]


def draw(dice: random.Random, words: tuple[str, ...], size: int) -> Tree:
    """A random phrase with `size` inner nodes."""
    if not size:
        return Tree(dice.choice(words))
    if dice.random() < 0.5:
        return Tree(dice.choice((NOT, NOT, MORE, LESS)), (draw(dice, words, size - 1),))
    left = dice.randrange(size)
    sides = (draw(dice, words, left), draw(dice, words, size - 1 - left))
    return Tree(dice.choice(JOINED), sides)


@lru_cache(maxsize=4)
def opinions(count: int = 6000, held_out: int = 500, seed: int = 0) -> TreeTask:
    """Phrases with up to five inner nodes; "longer" has six to nine. Every node has a label."""
    corpus = corpora.load("word-ratings", quiet=True)
    words = word_ratings.adjectives(corpus.text, WORDS, by_form=not corpus.provenance.fallback)
    names = tuple(words)

    def some(low: int, high: int) -> Callable[[random.Random], Tree]:
        return lambda dice: draw(dice, names, dice.randint(low, high))

    parts = tree_tasks.distinct(some(1, 5), seed, train=count, valid=held_out, test=held_out)
    parts |= tree_tasks.distinct(some(6, 9), seed, longer=held_out)
    known = partial(right, words)
    examples = {name: tree_tasks.labelled(trees, LABELS, known, every=True) for name, trees in parts.items()}
    best, worst = max(words, key=words.get), min(words, key=words.get)
    return TreeTask(
        "opinions", "phrase", LABELS, examples, corpus.provenance, known, partial(parse, names), show,
        every=True, swaps=(names, UNARY, JOINED), negation=NOT, first=f"not very {worst} but {best}",
    )  # fmt: skip


def show(tree: Tree) -> str:
    """A phrase as it is typed, with brackets where `not`, `very` or `slightly` concern more than a word."""
    if not tree.children:
        return tree.symbol
    parts = [show(child) for child in tree.children]
    closed = [
        f"({part})" if child.symbol in JOINED else part
        for part, child in zip(parts, tree.children, strict=True)
    ]
    if tree.symbol in UNARY:
        return f"{tree.symbol} {closed[0]}"
    return f"{closed[0]} {tree.symbol} {closed[1]}"


def parse(words: tuple[str, ...], text: object) -> Tree:
    """A phrase as a tree: `not`, `very`, `slightly` bind closest; LessonError for what is no phrase."""
    if not isinstance(text, str) or not text.strip():
        raise LessonError(f"Type a phrase such as not very {words[0]}.")
    if len(text) > 2000:
        raise LessonError(f"This text has {len(text):,} characters; a phrase here has at most 2,000.")
    tokens = re.findall(r"[()]|[^\s()]+", text.lower())
    known = {*words, *UNARY, *JOINED, "(", ")"}
    strange = next((token for token in tokens if token not in known), None)
    if strange is not None:
        raise LessonError(
            f"{shown(strange)} is no word that the network was taught; use words such as {words[0]}, "
            f"{words[len(words) // 2]}, {words[-1]}."
        )
    tree, rest = _joined(tokens, 0)
    if rest:
        raise LessonError(f"Nothing fits before {shown(rest[0])}; look at the brackets there.")
    return checked(tree)


def _joined(tokens: list[str], depth: int) -> tuple[Tree, list[str]]:
    """Parts with `and` or `but` between them, from the left; and what is behind them."""
    tree, tokens = _part(tokens, depth)
    while tokens and tokens[0] in JOINED:
        sign = tokens[0]
        other, tokens = _part(tokens[1:], depth)
        tree = Tree(sign, (tree, other))
    return tree, tokens


def _part(tokens: list[str], depth: int) -> tuple[Tree, list[str]]:
    if depth > 50:
        raise LessonError("This phrase is nested more than 50 deep; take some of it away.")
    if not tokens or tokens[0] in (*JOINED, ")"):
        where = f"before {shown(tokens[0])}" if tokens else "at the end"
        raise LessonError(f"A word is missing {where}; write one there.")
    first, *rest = tokens
    if first in UNARY:
        below, rest = _part(rest, depth + 1)
        return Tree(first, (below,)), rest
    if first != "(":
        return Tree(first), rest
    tree, rest = _joined(rest, depth + 1)
    if not rest or rest[0] != ")":
        raise LessonError("A bracket is never closed; put a ) where its part ends.")
    return tree, rest[1:]
