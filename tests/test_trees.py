"""Trees and forests: laid out by levels they give what the recursion gives, whatever their order."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from lessons.errors import LessonError
from lessons.recursive import CELLS, Recursive
from lessons.tree_cells import child_sum_step, n_ary_step, rec_step
from lessons.tree_closed_form import NAryForest
from lessons.tree_trace import look, recurse
from lessons.trees import CLOSE, JOINT, OPEN, Forest, Tree, at_random, binary, plan

SYMBOLS = (JOINT, OPEN, CLOSE, *"abcXY")
LEAVES = st.sampled_from("abc").map(Tree)
TREES = st.recursive(
    LEAVES,
    lambda below: st.builds(Tree, st.sampled_from("XY"), st.lists(below, min_size=1, max_size=3).map(tuple)),
    max_leaves=12,
)  # fmt: skip
FORESTS = st.lists(TREES, min_size=1, max_size=5)
EXAMPLE = Tree("X", (Tree("a"), Tree("Y", (Tree("b"), Tree("c"), Tree("a"))), Tree("b")))


def network(cell: str, hidden: int = 5, dtype: torch.dtype = torch.float64, seed: int = 0) -> Recursive:
    torch.manual_seed(seed)
    return Recursive(SYMBOLS, 3, cell, hidden, 4, places=3, dtype=dtype)


NETWORKS = {cell: network(cell) for cell in CELLS}


def rows(h: torch.Tensor, forest: Forest) -> list[torch.Tensor]:
    """The states of each tree's nodes."""
    return list(h[forest.nodes].split(forest.sizes))


# ------------------------------------------------------------------------------------------ against equations


def sigmoid(v: float) -> float:
    return 1 / (1 + math.exp(-v))


@pytest.mark.parametrize("places", [1, 2, 4])
def test_child_sum_is_the_papers_equations_number_by_number(places):
    torch.manual_seed(places)
    hidden = 3
    x, u = torch.randn(4 * hidden, dtype=torch.float64), torch.randn(4 * hidden, hidden, dtype=torch.float64)
    h, c = torch.randn(2, places, hidden, dtype=torch.float64)
    seen = child_sum_step(x[None], h[None], c[None], u)

    def summed(gate: int, unit: int, state: list[float]) -> float:
        row = gate * hidden + unit
        return float(x[row]) + sum(float(u[row, k]) * state[k] for k in range(hidden))

    total = [sum(float(h[k, j]) for k in range(places)) for j in range(hidden)]
    for unit in range(hidden):
        i, g, o = (
            sigmoid(summed(0, unit, total)),
            math.tanh(summed(2, unit, total)),
            sigmoid(summed(3, unit, total)),
        )
        f = [sigmoid(summed(1, unit, h[k].tolist())) for k in range(places)]
        memory = i * g + sum(f[k] * float(c[k, unit]) for k in range(places))
        assert float(seen.c[0, unit]) == pytest.approx(memory, abs=1e-12)
        assert float(seen.h[0, unit]) == pytest.approx(o * math.tanh(memory), abs=1e-12)
        assert seen.f[0, :, unit].tolist() == pytest.approx(f, abs=1e-12)


def test_n_ary_is_the_papers_equations_number_by_number():
    torch.manual_seed(1)
    hidden, places = 2, 3
    x = torch.randn(4 * hidden, dtype=torch.float64)
    u = torch.randn((3 + places) * hidden, places * hidden, dtype=torch.float64)
    h, c = torch.randn(2, places, hidden, dtype=torch.float64)
    seen = n_ary_step(x[None], h[None], c[None], u)
    flat = h.flatten().tolist()

    def summed(own: int, row: int) -> float:
        return float(x[own]) + sum(float(u[row, k]) * flat[k] for k in range(places * hidden))

    for unit in range(hidden):
        i = sigmoid(summed(unit, unit))
        g = math.tanh(summed(2 * hidden + unit, hidden + unit))
        o = sigmoid(summed(3 * hidden + unit, 2 * hidden + unit))
        f = [sigmoid(summed(hidden + unit, (3 + k) * hidden + unit)) for k in range(places)]
        memory = i * g + sum(f[k] * float(c[k, unit]) for k in range(places))
        assert float(seen.c[0, unit]) == pytest.approx(memory, abs=1e-12)
        assert float(seen.h[0, unit]) == pytest.approx(o * math.tanh(memory), abs=1e-12)


def test_the_plain_cell_sees_places_apart():
    x, h, u = torch.zeros(1, 2), torch.eye(2)[None], torch.arange(8.0).view(2, 4) ** 2 / 50
    assert torch.allclose(rec_step(x, h, u).h, torch.tanh(u[:, 0] + u[:, 3])[None])
    assert not torch.allclose(rec_step(x, h.flip(1), u).h, rec_step(x, h, u).h)


def test_one_child_makes_the_tree_lstm_an_lstm():
    torch.manual_seed(2)
    own, other = torch.nn.LSTMCell(4, 3, dtype=torch.float64), torch.randn(4, dtype=torch.float64)
    h, c = torch.randn(2, 1, 3, dtype=torch.float64)
    x = other @ own.weight_ih.T + own.bias_ih + own.bias_hh
    seen = child_sum_step(x[None], h[None], c[None], own.weight_hh)
    after, memory = own(other[None], (h, c))
    assert torch.allclose(seen.h, after) and torch.allclose(seen.c, memory)


# ------------------------------------------------------------------------------------------ forests


@settings(max_examples=25, deadline=None)
@given(trees=FORESTS, cell=st.sampled_from(list(CELLS)))
def test_by_levels_is_what_the_recursion_gives(trees, cell):
    one = NETWORKS[cell]
    forest = one.forest(trees)
    h, c = one.states(forest)
    for tree, root in zip(trees, forest.roots.tolist(), strict=True):
        above, memory = recurse(one, binary(tree) if one.pairs else tree)
        assert torch.allclose(h[root], above[0], atol=1e-12)
        assert torch.allclose(c[root], memory[0], atol=1e-12)


@settings(max_examples=25, deadline=None)
@given(trees=FORESTS, dice=st.randoms(use_true_random=False))
def test_the_order_of_the_trees_does_not_matter_nor_what_stands_beside(trees, dice):
    one = NETWORKS["in order"]
    order = list(range(len(trees)))
    dice.shuffle(order)
    forest, other = one.forest(trees), one.forest([trees[k] for k in order])
    mine, theirs = rows(one.states(forest)[0], forest), rows(one.states(other)[0], other)
    for place, k in enumerate(order):
        assert torch.allclose(mine[k], theirs[place], atol=1e-12)
        alone = one.forest([trees[k]])
        assert torch.allclose(mine[k], rows(one.states(alone)[0], alone)[0], atol=1e-12)


def shuffled(tree: Tree, dice) -> Tree:
    children = [shuffled(child, dice) for child in tree.children]
    dice.shuffle(children)
    return Tree(tree.symbol, tuple(children))


@settings(max_examples=25, deadline=None)
@given(tree=TREES, dice=st.randoms(use_true_random=False))
def test_child_sum_knows_no_order_of_children(tree, dice):
    one = NETWORKS["child-sum"]
    both = one.forest([tree, shuffled(tree, dice)])
    h, _ = one.states(both)
    assert torch.allclose(h[both.roots[0]], h[both.roots[1]], atol=1e-12)


@pytest.mark.parametrize("cell", ["plain", "n-ary", "in order"])
def test_the_others_know_the_order_of_children(cell):
    turned = Tree("X", (Tree("b"), Tree("a")))
    both = NETWORKS[cell].forest([Tree("X", (Tree("a"), Tree("b"))), turned])
    h, _ = NETWORKS[cell].states(both)
    assert (h[both.roots[0]] - h[both.roots[1]]).abs().max() > 1e-3


@settings(max_examples=25, deadline=None)
@given(trees=FORESTS, pairs=st.booleans())
def test_children_lie_below_their_level_and_every_node_has_a_row(trees, pairs):
    numbers = {symbol: k for k, symbol in enumerate(SYMBOLS)}
    forest = Forest.of([plan(tree, numbers, pairs) for tree in trees])
    first = 1 + len(SYMBOLS)
    assert [begin for begin, _, _ in forest.levels] == [0, *[end for _, end, _ in forest.levels]][
        : len(forest.levels)
    ]
    for begin, end, used in forest.levels:
        assert int(forest.children[begin:end].max()) < first + begin
        assert int((forest.children[begin:end] > 0).sum(1).max()) == used
    assert forest.sizes == tuple(tree.size for tree in trees)
    below = {k: set(row[row > 0].tolist()) for k, row in enumerate(forest.children, first)}
    symbols = [node.symbol for tree in trees for node in tree.nodes()]
    for row, symbol in zip(forest.nodes.tolist(), symbols, strict=True):
        if row < first:
            assert SYMBOLS[row - 1] == symbol
        else:
            assert below[row]


@pytest.mark.parametrize("cell", ["n-ary", "in order"])
def test_slopes_by_hand_are_those_of_autograd(cell):
    one = NETWORKS[cell]
    forest = one.forest([EXAMPLE, Tree("a"), Tree("Y", (Tree("c"), EXAMPLE))])
    x = one.input(one.embedding.weight).detach().requires_grad_()
    weight = one.weight_hh.detach().requires_grad_()
    children = one.fitted(forest.children)

    def states(x: torch.Tensor, weight: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return NAryForest.apply(x, weight, forest.numbers, children, forest.levels)

    assert torch.autograd.gradcheck(states, (x, weight))
    for mine, plain in zip(
        one.states(forest), one.by_autograd(one.input(one.embedding.weight), forest), strict=True
    ):
        assert torch.allclose(mine, plain, atol=1e-12)


def test_float32_by_levels_is_close_to_float64():
    exact, quick = network("in order", 12), network("in order", 12).float()
    forest = exact.forest([EXAMPLE] * 2)
    assert torch.allclose(exact.states(forest)[0].float(), quick.states(forest)[0], atol=1e-6)


@pytest.mark.parametrize("cell", list(CELLS))
def test_every_cell_has_slopes_everywhere(cell):
    one = network(cell, dtype=torch.float32)
    functional.cross_entropy(one(one.forest([EXAMPLE, EXAMPLE])), torch.tensor([0, 2])).backward()
    assert all(weight.grad is not None and weight.grad.abs().sum() > 0 for weight in one.parameters())


# ------------------------------------------------------------------------------------------ trees


@given(tree=TREES)
@settings(max_examples=25, deadline=None)
def test_pairs_and_random_trees_hold_the_same_leaves(tree):
    inside = [node.symbol for node in binary(tree).nodes() if not node.children]
    assert sorted(inside) == sorted(node.symbol for node in tree.nodes())
    tokens = [node.symbol for node in at_random(tree, 3).nodes() if not node.children]
    assert tokens == list(tree.tokens())
    assert at_random(tree, 3) == at_random(tree, 3)


def test_a_tree_is_written_with_brackets():
    assert str(EXAMPLE) == "[X a [Y b c a] b]" and EXAMPLE.size == 7 and EXAMPLE.height == 2


def test_what_cannot_be_read_is_one_sentence():
    deep = Tree("a")
    for _ in range(70):
        deep = Tree("X", (deep,))
    one = NETWORKS["n-ary"]
    for wrong, words in {
        deep: "70 levels",
        Tree("q"): "'q' is nothing that the network was taught",
        Tree("X", tuple(map(Tree, "abca"))): "has 4 children, and this cell has 3 places",
    }.items():
        with pytest.raises(LessonError, match=words):
            one.states(one.forest([wrong]))
    with pytest.raises(LessonError, match="at least one tree"):
        Forest.of([])
    with pytest.raises(LessonError, match="The cell is one of"):
        network("best")
    with pytest.raises(LessonError, match="the empty one"):
        Recursive(("a", "b"), 2)


# ------------------------------------------------------------------------------------------ the trace


@pytest.mark.parametrize("cell", list(CELLS))
def test_a_trace_holds_every_nodes_state(cell):
    one = NETWORKS[cell]
    seen, forest = look(one, EXAMPLE, ("no", "yes", "so")), one.forest([EXAMPLE])
    h, c = one.states(forest)
    assert torch.allclose(seen["h"], h[forest.nodes], atol=1e-12)
    assert torch.allclose(seen.logits, one.readout(h[forest.nodes]), atol=1e-12)
    assert seen.parents.tolist() == [-1, 0, 0, 2, 2, 2, 0] and len(seen.answers) == EXAMPLE.size
    if cell != "plain":
        assert torch.allclose(seen["c"], c[forest.nodes], atol=1e-12)
        assert torch.allclose(seen["h"], seen["o"] * seen["c"].tanh(), atol=1e-12)
    assert seen.steps == sum(1 for _ in (binary(EXAMPLE) if one.pairs else EXAMPLE).nodes())
    assert seen.numpy().shape == (7, 5) and not hasattr(seen, "network")


@pytest.mark.parametrize("cell", list(CELLS))
def test_an_edit_travels_up_and_nowhere_else(cell):
    before, after = look(NETWORKS[cell], EXAMPLE), look(NETWORKS[cell], EXAMPLE, edit={4: 0.5})
    moved = ((before["h"] - after["h"]).abs().amax(1) > 1e-9).tolist()
    assert moved == [True, False, True, False, True, False, False]
    assert after["h"][4].tolist() == [0.5] * 5


def test_the_trace_says_what_is_not_there():
    seen = look(NETWORKS["plain"], EXAMPLE)
    with pytest.raises(LessonError, match="This cell has no 'c'"):
        seen["c"]
    with pytest.raises(LessonError, match="There is no node 9"):
        look(NETWORKS["plain"], EXAMPLE, edit={9: 0.0})
    wide = Tree("X", tuple(map(Tree, "abcabc")))
    assert look(NETWORKS["child-sum"], Tree("Y", (wide, Tree("a"))))["f"].shape == (9, 6, 5)
