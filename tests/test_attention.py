"""Attention: weights, masks, gradients, and what may not be asked of it."""

import pytest
import torch

from lessons.attention import KINDS, Attention, coverage_loss
from lessons.errors import LessonError

LENGTHS = torch.tensor([5, 2, 4])
PLACE = {"dtype": torch.float64}


def made(kind, **options):
    torch.manual_seed(0)
    attention = Attention(kind, 6, 6, size=4, longest=7, **options, **PLACE)
    return attention, torch.randn(3, 5, 6, **PLACE), torch.randn(3, 4, 6, **PLACE)


@pytest.mark.parametrize("kind", KINDS)
def test_weights_sum_to_one_and_are_exactly_zero_on_padding(kind):
    attention, values, queries = made(kind)
    seen = attention(queries, attention.remember(values, LENGTHS))
    torch.testing.assert_close(seen.weights.sum(-1), torch.ones(3, 4, **PLACE))
    for row, length in enumerate(LENGTHS.tolist()):
        assert (seen.weights[row, :, length:] == 0).all() and (seen.weights[row, :, :length] > 0).all()
        assert seen.energies[row, :, length:].isneginf().all()
    torch.testing.assert_close(seen.context, seen.weights @ values)


@pytest.mark.parametrize("kind", KINDS)
def test_what_stands_in_the_padding_changes_nothing(kind):
    attention, values, queries = made(kind)
    other = values.clone()
    other[1, 2:] = 1e3
    first, second = (attention(queries, attention.remember(memory, LENGTHS)) for memory in (values, other))
    torch.testing.assert_close(first.context, second.context, rtol=0, atol=0)


@pytest.mark.parametrize("kind", KINDS)
def test_all_steps_at_once_are_the_steps_one_by_one(kind):
    attention, values, queries = made(kind)
    memory = attention.remember(values, LENGTHS)
    together = attention(queries, memory)
    for step, query in enumerate(queries.unbind(1)):
        alone = attention(query, memory)
        for a, b in zip(alone, together, strict=True):
            torch.testing.assert_close(a, b[:, step])


@pytest.mark.parametrize(
    "kind, coverage", [*((kind, False) for kind in KINDS), ("additive", True), ("concat", True)]
)
def test_gradients(kind, coverage):
    attention, values, queries = made(kind, coverage=coverage)
    values, queries, lengths = values[:2, :3], queries[:2], torch.tensor([3, 2])
    covered = torch.rand(2, 3, **PLACE) if coverage else None
    weights = list(attention.parameters())

    def run(values, query, *_):
        seen = attention(query, attention.remember(values, lengths), covered)
        return seen.context, seen.weights

    inputs = (values.clone().requires_grad_(), queries[:, 0].clone().requires_grad_(), *weights)
    assert torch.autograd.gradcheck(run, inputs)


def test_the_formulas_of_the_papers():
    k, q = torch.randn(1, 1, 6, **PLACE), torch.randn(1, 6, **PLACE)

    def energy(kind):
        attention, *_ = made(kind)
        return attention, attention(q, attention.remember(k)).energies[0, 0]

    attention, found = energy("additive")
    by_hand = attention.energy.weight @ torch.tanh(
        attention.query.weight @ q[0] + attention.query.bias + attention.key.weight @ k[0, 0]
    )
    torch.testing.assert_close(found, by_hand[0])
    attention, found = energy("concat")
    by_hand = attention.energy.weight @ torch.tanh(attention.both.weight @ torch.cat([q[0], k[0, 0]]))
    torch.testing.assert_close(found, by_hand[0])
    attention, found = energy("general")
    torch.testing.assert_close(found, q[0] @ attention.key.weight @ k[0, 0])
    attention, found = energy("dot")
    torch.testing.assert_close(found, q[0] @ k[0, 0])
    attention, found = energy("location")
    torch.testing.assert_close(found, (attention.place.weight @ q[0] + attention.place.bias)[0])


def test_coverage_shifts_the_weights_and_its_loss_counts_what_is_seen_twice():
    attention, values, queries = made("additive", coverage=True)
    memory = attention.remember(values, LENGTHS)
    fresh, used = (
        attention(queries[:, 0], memory, seen)
        for seen in (torch.zeros(3, 5, **PLACE), memory.real.to(**PLACE) * 3)
    )
    assert not torch.allclose(fresh.weights, used.weights)
    once = torch.eye(3)[None]
    assert coverage_loss(once).tolist() == [0.0]
    assert coverage_loss(once[:, [0, 0, 1]]).tolist() == [1.0]


def test_an_observer_may_change_energies_and_weights():
    attention, values, queries = made("general")
    memory = attention.remember(values, LENGTHS)

    def shut(name, value):
        return value.index_fill(-1, torch.tensor([0]), -1e9) if name == "energies" else value

    seen = attention(queries[:, 0], memory, see=shut)
    assert (seen.weights[:, 0] == 0).all()
    torch.testing.assert_close(seen.weights.sum(-1), torch.ones(3, **PLACE))
    doubled = attention(queries[:, 0], memory, see=lambda name, v: 2 * v if name == "weights" else v)
    torch.testing.assert_close(doubled.context, 2 * attention(queries[:, 0], memory).context)


@pytest.mark.parametrize(
    "options, words",
    [
        ({"kind": "best"}, "one of additive"),
        ({"kind": 3}, "kind is a string"),
        ({"kind": "dot", "key_size": 5}, "one size"),
        ({"kind": "dot", "coverage": True}, "hidden layer"),
        ({"kind": "additive", "query_size": 0}, "query_size is a whole number"),
        ({"kind": "additive", "size": 1.5}, "size is"),
    ],
)
def test_what_does_not_fit_is_said(options, words):
    with pytest.raises(LessonError, match=words):
        Attention(**{"query_size": 6, "key_size": 6, **options})


def test_location_knows_its_places_only():
    attention, values, _ = made("location")
    with pytest.raises(LessonError, match="7 places and the source has 10"):
        attention.remember(torch.cat([values, values], 1))


@pytest.mark.parametrize("kind", KINDS)
def test_shapes_on_the_meta_device(kind):
    attention = Attention(kind, 6, 6, device="meta")
    memory = attention.remember(
        torch.empty(3, 5, 6, device="meta"), torch.empty(3, dtype=torch.long, device="meta")
    )
    assert attention(torch.empty(3, 4, 6, device="meta"), memory).weights.shape == (3, 4, 5)
