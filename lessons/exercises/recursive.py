"""Exercises and quiz of lesson 16: a recursion, a Child-Sum cell, levels, and rows that stand for no
child."""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor

from lessons.exercises.exercise import Case, Exercise, behaves_like, returns, shows, stops_with
from lessons.exercises.questions import Option, Question

# -------------------------------------------------------------- the solutions, as the learner is shown them


def go_up(tree: tuple, leaf: Callable[[str], Tensor], join: Callable[[str, list[Tensor]], Tensor]) -> Tensor:
    """Children first, each by the same function; then the node itself."""
    symbol, children = tree
    if not children:
        return leaf(symbol)
    return join(symbol, [go_up(child, leaf, join) for child in children])


def child_sum(
    x: Float[Tensor, "4 hidden"],
    h: Float[Tensor, "children hidden"],
    c: Float[Tensor, "children hidden"],
    u: Float[Tensor, "4 hidden hidden"],
) -> tuple[Float[Tensor, " hidden"], Float[Tensor, " hidden"]]:
    """i, g and o see the sum of the children; every child has a forget gate, which sees that child alone."""
    total = h.sum(0)
    i = torch.sigmoid(x[0] + u[0] @ total)
    f = torch.sigmoid(x[1] + h @ u[1].T)  # (children, hidden): a row for every child
    g = torch.tanh(x[2] + u[2] @ total)
    o = torch.sigmoid(x[3] + u[3] @ total)
    new = i * g + (f * c).sum(0)
    return o * torch.tanh(new), new


def heights(parents: list[int]) -> list[int]:
    """From the last node to the first: every child has told its parent before the parent is asked."""
    found = [0] * len(parents)
    for node in reversed(range(len(parents))):
        if parents[node] >= 0:
            found[parents[node]] = max(found[parents[node]], found[node] + 1)
    return found


def children_summed(
    states: Float[Tensor, "rows hidden"], children: Int[Tensor, "nodes places"]
) -> Float[Tensor, "nodes hidden"]:
    """What is picked for a place without a child is multiplied by 0."""
    there = (children >= 0).unsqueeze(-1)
    return (states[children] * there).sum(1)


def _draw(*size: int, seed: int = 1) -> Tensor:
    dice = torch.Generator(device="cpu").manual_seed(seed)
    return torch.randn(*size, generator=dice, dtype=torch.float64)


# --------------------------------------------------------------------------------------- 1: the recursion


def _leaf(symbol: str) -> Tensor:
    return _draw(3, seed=ord(symbol[0]))


def _join(symbol: str, below: list[Tensor]) -> Tensor:
    """Tells the order of its children, its own symbol, and whether anything came through."""
    total = _leaf(symbol)
    for place, state in enumerate(below, 2):
        total = total + state.roll(1) / place
    return torch.tanh(total)


def _grown(tree: tuple) -> Callable[[], tuple]:
    return lambda: (tree, _leaf, _join)


_FLAT = ("m", (("a", ()), ("b", ()), ("c", ())))
_DEEP = ("m", (("a", ()), ("n", (("b", ()), ("s", (("c", ()), ("d", ()))))), ("e", ())))


def _variant(order: int = 1, own: bool = True, depth: int = 99) -> Callable:
    """A recursion that reads children backwards, forgets symbols, or stops too early."""

    def run(tree: tuple, leaf: Callable, join: Callable, level: int = 0) -> Tensor:
        symbol, children = tree
        if not children or level == depth:
            return leaf(symbol)
        below = [run(child, leaf, join, level + 1) for child in children[::order]]
        return join(symbol if own else children[0][0], below)

    return run


def _last_child(tree: tuple, leaf: Callable, join: Callable) -> Tensor:
    symbol, children = tree
    return join(symbol, [_last_child(children[-1], leaf, join)]) if children else leaf(symbol)


def _first_child(tree: tuple, leaf: Callable, join: Callable) -> Tensor:
    symbol, children = tree
    return join(symbol, [_first_child(children[0], leaf, join)]) if children else leaf(symbol)


GO_UP = Exercise(
    name="go_up",
    statement="Compute the state at the root of a tree by the same two functions at all of its nodes.",
    stub='''def go_up(tree, leaf, join):
    """tree: (symbol, children), a leaf has no children. leaf(symbol) -> state,
    join(symbol, states of the children in order) -> state. Returns the root's state (H,)."""
    return ...
''',
    solution=go_up,
    cases=(
        Case("a leaf", _grown(("a", ()))),
        Case("a node with three leaves", _grown(_FLAT)),
        Case("a tree of three levels", _grown(_DEEP)),
    ),
    observe=returns("the state"),
    diagnoses=(
        behaves_like(_variant(order=-1), "the children are joined from the last to the first."),
        behaves_like(_variant(depth=0), "the root is taken for a leaf: its children are never visited."),
        behaves_like(
            _variant(depth=1), "only one level is visited: call go_up itself for the children, not leaf."
        ),
        behaves_like(
            lambda tree, leaf, join: join(tree[0], [go_up(child, leaf, join) for child in tree[1]]),
            "the root is joined even where it has no children; that is what leaf is for.",
        ),
        behaves_like(
            lambda tree, leaf, join: (
                join(tree[0], [_joined_always(child, join) for child in tree[1]])
                if tree[1]
                else leaf(tree[0])
            ),
            "leaves are joined with no states; use leaf(symbol) where there are no children.",
        ),
        behaves_like(_last_child, "only the last child counts: join wants the states of all of them."),
        behaves_like(_first_child, "only the first child counts: join wants the states of all of them."),
        behaves_like(_variant(own=False), "the symbol given to join is a child's and not the node's own."),
        stops_with("recursion depth", "the recursion never ends: leaves must not call go_up again."),
    ),
    hints=(
        "What is the state of a leaf? And of a node, once you know the states of its children?",
        "Call go_up for every child: [go_up(child, leaf, join) for child in children].",
        "symbol, children = tree; return join(symbol, [go_up(child, leaf, join) for child in children]) if "
        "children else leaf(symbol)",
    ),
    shown="Two functions read trees of any shape; a recurrent network is this on a tree that leans one way.",
)


def _joined_always(tree: tuple, join: Callable) -> Tensor:
    return join(tree[0], [_joined_always(child, join) for child in tree[1]])


# --------------------------------------------------------------------------------------- 2: child-sum


def _cell(children: int, hidden: int) -> Callable[[], tuple]:
    def arguments() -> tuple:
        states = _draw(2, children, hidden, seed=children)
        return _draw(4, hidden, seed=7), *states, _draw(4, hidden, hidden, seed=8)

    return arguments


def _sums(
    forget: str = "own", twice: bool = False, order: str = "ifgo", squash: bool = True, old: str = "sum"
):
    """Variants of the cell: what the forget gates see, and how the old memory comes in."""

    def run(x: Tensor, h: Tensor, c: Tensor, u: Tensor) -> tuple[Tensor, Tensor]:
        total = h.mean(0) if old == "mean" else h.sum(0)
        gates = {name: x[k] + u[k] @ total for k, name in enumerate(order)}
        f = torch.sigmoid(x[1] + (h @ u[1].T if forget == "own" else h @ u[1]))
        if forget == "total":
            f = torch.sigmoid(gates["f"]).expand_as(c)
        if forget == "none":
            f = torch.ones_like(c)
        new = torch.sigmoid(gates["i"]) * torch.tanh(gates["g"]) + (f * c).sum(0)
        return torch.sigmoid(gates["o"]) * (torch.tanh(new) if squash else new), new

    return run


CHILD_SUM = Exercise(
    name="child_sum",
    statement="Write the Child-Sum Tree-LSTM at one node.",
    stub='''def child_sum(x, h, c, u):
    """x (4, H): what the node's symbol adds to i, f, g, o. h, c (K, H) of its children.
    u (4, H, H): matrices of i, f, g, o, used as u[0] @ state. Returns the node's h (H,), c (H,)."""
    return ...
''',
    solution=child_sum,
    cases=(
        Case("a node with two children", _cell(2, 3)),
        Case("a node with five children", _cell(5, 4)),
        Case("a leaf, without children", _cell(0, 3)),
    ),
    observe=returns("h", "c"),
    diagnoses=(
        behaves_like(
            _sums(forget="total"),
            "one forget gate sees the sum and serves all children. Each child has a gate of its own, which "
            "sees "
            "that child's h alone.",
        ),
        behaves_like(_sums(forget="none"), "nothing is forgotten: f is missing before the children's c."),
        behaves_like(
            _sums(forget="turned"), "h @ u[1] uses the columns of u[1]; h @ u[1].T is u[1] @ h, row by row."
        ),
        behaves_like(
            _sums(order="igfo"), "f and g have changed places in x and u: their order is i, f, g, o."
        ),
        behaves_like(
            _sums(order="ifog"), "g and o have changed places in x and u: their order is i, f, g, o."
        ),
        behaves_like(_sums(squash=False), "h is o times the squashed memory: o * tanh(c)."),
        behaves_like(_sums(old="mean"), "the gates see the children's sum, and here they see the mean."),
        behaves_like(
            lambda x, h, c, u: tuple(reversed(child_sum(x, h, c, u))), "c comes first; return h, then c."
        ),
        shows(
            lambda seen, expected: torch.as_tensor(seen["c"]).ndim > 1,
            "the memories of the children are still apart: sum f * c over them.",
        ),
    ),
    hints=(
        "Three of the gates see one vector, the sum of the children's h. The fourth is there once a child.",
        "f = torch.sigmoid(x[1] + h @ u[1].T) has a row for every child; then (f * c).sum(0).",
        "c_new = i * g + (f * c).sum(0), h_new = o * torch.tanh(c_new), with i, g, o from x[k] + u[k] @ "
        "h.sum(0).",
    ),
    shown="A sum knows no order: swap two children, and the state is the same. For MAX that is right, for "
    "`but` it is not.",
)

# --------------------------------------------------------------------------------------- 3: levels


def _depths(parents: list[int]) -> list[int]:
    found: list[int] = []
    for parent in parents:
        found.append(found[parent] + 1 if parent >= 0 else 0)
    return found


def _one_pass(parents: list[int]) -> list[int]:
    found = [0] * len(parents)
    for node, parent in enumerate(parents):
        if parent >= 0:
            found[parent] = max(found[parent], found[node] + 1)
    return found


def _counted(parents: list[int]) -> list[int]:
    found = [0] * len(parents)
    for node in reversed(range(len(parents))):
        if parents[node] >= 0:
            found[parents[node]] += found[node] + 1
    return found


def _overwritten(parents: list[int]) -> list[int]:
    found = [0] * len(parents)
    for node in reversed(range(len(parents))):
        if parents[node] >= 0:
            found[parents[node]] = found[node] + 1
    return found


HEIGHTS = Exercise(
    name="heights",
    statement="Say for every node of a tree on which level it can be computed: 0 for leaves, and one more "
    "than the "
    "highest child for the others.",
    stub='''def heights(parents):
    """parents: for every node the number of its parent, -1 for the root; a parent stands before its children.
    Returns a list of as many whole numbers."""
    return ...
''',
    solution=heights,
    cases=(
        Case("a root with a leaf and a chain of three", lambda: ([-1, 0, 0, 2, 3],)),
        Case("a root with a leaf and a node over two leaves", lambda: ([-1, 0, 0, 2, 2],)),
        Case("a chain of four nodes", lambda: ([-1, 0, 1, 2],)),
        Case("a tree whose first child is the highest", lambda: ([-1, 0, 1, 2, 2, 0, 5, 0],)),
    ),
    observe=returns("the levels"),
    diagnoses=(
        behaves_like(
            _depths,
            "those are distances from the root. A leaf can be computed at once, wherever it hangs: count "
            "from below.",
        ),
        behaves_like(
            lambda parents: [max(_depths(parents)) - d for d in _depths(parents)],
            "turned round, distances from the root put a leaf near the root on a high level; it could be "
            "computed "
            "at once.",
        ),
        behaves_like(
            _one_pass, "parents are told before their children know: go from the last node to the first."
        ),
        behaves_like(_counted, "that is how many nodes hang below; the longest way down is asked for."),
        behaves_like(
            _overwritten, "the child that comes last decides; take the highest of all children: max."
        ),
        behaves_like(
            lambda parents: [h + 1 for h in heights(parents)], "leaves are on level 0; yours begin with 1."
        ),
        shows(
            lambda seen, expected: (
                len(torch.as_tensor(seen["the levels"]).flatten()) < len(expected["the levels"])
            ),
            "nodes are missing: every node has a level, the leaves too.",
        ),
    ),
    hints=(
        "A parent stands before its children. In which order must you go, so that children come first?",
        "Start with 0 everywhere; every node then lifts its parent to at least one level above itself.",
        "for node in reversed(range(len(parents))): found[parents[node]] = max(found[parents[node]], "
        "found[node] + 1)",
    ),
    shown="All nodes of a level, of all trees of a batch, are one matrix product: that is where the speed "
    "comes from.",
)

# --------------------------------------------------------------------------------- 4: find the bug


def _padded(children: list[list[int]]) -> Callable[[], tuple]:
    return lambda: (_draw(5, 3, seed=3) + 1, torch.tensor(children))


CHILDREN_SUMMED = Exercise(
    name="children_summed",
    statement="Find the bug: these sums are right only where all nodes have as many children.",
    stub='''def children_summed(states, children):
    """states (N, H) of lower levels. children (M, K): rows of each node's children, -1 where it has
    no further child. Returns the sums (M, H)."""
    return states[children].sum(1)
''',
    solution=children_summed,
    cases=(
        Case("nodes with two children each", _padded([[0, 1], [2, 3]])),
        Case("nodes with three, one and two children", _padded([[0, 1, 2], [3, -1, -1], [4, 0, -1]])),
        Case("a node without any child", _padded([[-1, -1], [1, 4]])),
    ),
    observe=returns("the sums"),
    diagnoses=(
        behaves_like(
            lambda states, children: states[children].sum(1),
            "states[-1] is the last row, not nothing: every missing child adds the state of some other node.",
        ),
        behaves_like(
            lambda states, children: states[children.clamp(min=0)].sum(1),
            "now every missing child adds row 0. Whatever row you pick, it must not count: multiply it by 0.",
        ),
        behaves_like(
            lambda states, children: (states[children] * (children > 0).unsqueeze(-1)).sum(1),
            "row 0 is a child like any other; only -1 means none.",
        ),
        behaves_like(
            lambda states, children: (
                children_summed(states, children) / (children >= 0).sum(1, keepdim=True).clamp(min=1)
            ),
            "that is the mean of the children; the sum is asked for.",
        ),
        behaves_like(
            lambda states, children: states[children] * (children >= 0).unsqueeze(-1),
            "missing children are 0 now, and the sum over the places has gone.",
        ),
        behaves_like(
            lambda states, children: states[children[:, :1]].sum(1),
            "only the first child of each node counts.",
        ),
        stops_with(
            "out of bounds|out of range|must match",
            "mask the picked states, (M, K, H), not the numbers of the rows.",
        ),
    ),
    hints=(
        "What does states[-1] give?",
        "there = children >= 0 says which places have a child; it needs one axis more to fit the states.",
        "(states[children] * (children >= 0).unsqueeze(-1)).sum(1)",
    ),
    shown="Padding must be nothing: the course's forest keeps a row of zeros in front for it.",
)

EXERCISES = (GO_UP, CHILD_SUM, HEIGHTS, CHILDREN_SUMMED)

QUIZ = (
    Question(
        "Which tree makes a recursive network an ordinary recurrent one?",
        (
            Option(
                "One in which every node has two leaves.",
                "Two leaves are two steps at most; what of longer texts?",
            ),
            Option(
                "A chain: every inner node joins the node below and one new leaf.",
                "The node below is the state so far, the leaf is the next input.",
                right=True,
            ),
            Option(
                "A balanced one.",
                "In it a leaf is only log n steps from the root, and no state is carried along.",
            ),
        ),
    ),
    Question(
        "Why does a Child-Sum Tree-LSTM have a forget gate for every child, and only one input gate?",
        (
            Option(
                "So that it can keep one child's memory and drop another's.",
                "Each gate sees its own child's h; what is new comes from the node itself, once.",
                right=True,
            ),
            Option(
                "So that it knows the order of the children.",
                "The gates share their weights, so that order is lost.",
            ),
            Option("Because children have different sizes.", "All states of a network have the same size."),
        ),
    ),
    Question(
        "In `good but dull` the order of the two parts matters. Which cell cannot tell it from `dull but "
        "good`?",
        (
            Option("The n-ary one.", "It has weights of its own for every place among the children."),
            Option(
                "The one in order.",
                "It takes `but`, then the first part, then the second: three different steps.",
            ),
            Option(
                "The child-sum one.",
                "It sees a sum of the parts, and a sum is the same both ways.",
                right=True,
            ),
        ),
    ),
    Question(
        "What can be computed at the same time in a batch of trees?",
        (
            Option(
                "All nodes as far from their root.",
                "A leaf near the root would wait, and a node may come before its child.",
            ),
            Option("All nodes of one tree.", "A parent needs its children's states first."),
            Option(
                "All nodes of the same height, in all trees.",
                "Their children are all lower, so every state that is needed is there.",
                right=True,
            ),
        ),
    ),
    Question(
        "A random binary tree over the same words does as well as the parse. What have you learnt?",
        (
            Option(
                "That this task does not need the parse, at this size.",
                "Short ways from leaf to root help by themselves; on another task the tree may matter.",
                right=True,
            ),
            Option(
                "That trees are useless.",
                "Only that the right tree is no better than a wrong one, on this task.",
            ),
            Option(
                "That the network has found the parse by itself.",
                "It was given a tree; nothing here says what it made of it.",
            ),
        ),
    ),
)
