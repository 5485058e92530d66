"""The steps of addressing, reading and writing against loops over numbers, and what always holds."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lessons import addressing, memory_closed_form
from lessons.addressing import Where

EXACT = {"dtype": torch.float64}


def drawn(seed=0, batch=2, heads=3, slots=7, width=4, shifts=3, scale=1.0):
    dice = torch.Generator().manual_seed(seed)

    def normal(*shape):
        return scale * torch.randn(*shape, generator=dice, **EXACT)

    memory, before = normal(batch, slots, width), normal(batch, heads, slots).softmax(-1)
    where = Where(
        normal(batch, heads, width),
        normal(batch, heads, 1).abs(),
        normal(batch, heads, 1).sigmoid(),
        normal(batch, heads, shifts).softmax(-1),
        1 + normal(batch, heads, 1).abs(),
    )
    return memory, before, where


def by_hand(memory, before, where):
    """Equations 5 to 9 for one head of one sequence, number by number, in plain Python."""
    key, beta, g, turn, gamma = (part.tolist() for part in where)
    slots = memory.tolist()
    cosines = []
    for slot in slots:
        dot = sum(a * b for a, b in zip(key, slot, strict=True))
        cosines.append(dot / (math.hypot(*key) * math.hypot(*slot)))
    raised = [math.exp(beta[0] * value) for value in cosines]
    content = [value / sum(raised) for value in raised]
    gated = [g[0] * c + (1 - g[0]) * w for c, w in zip(content, before.tolist(), strict=True)]
    count, reach = len(slots), len(turn) // 2
    turned = [0.0] * count
    for i in range(count):
        for j in range(count):  # as the paper writes it: s(i - j), indices modulo N
            apart = (i - j + reach) % count
            if apart < len(turn):
                turned[i] += gated[j] * turn[apart]
    sharp = [value ** gamma[0] for value in turned]
    return [value / sum(sharp) for value in sharp]


@pytest.mark.parametrize("shifts", [1, 3, 5])
def test_the_four_steps_are_the_papers_equations(shifts):
    memory, before, where = drawn(shifts, shifts=shifts)
    found = addressing.address(memory, before, where)
    for b in range(2):
        for k in range(3):
            expected = by_hand(memory[b], before[b, k], [part[b, k] for part in where])
            torch.testing.assert_close(found[b, k], torch.tensor(expected, **EXACT), rtol=1e-6, atol=1e-9)


def test_reading_and_writing_are_the_papers_equations():
    memory, weights, _ = drawn(1)
    dice = torch.Generator().manual_seed(1)
    erase, add = torch.rand(2, 2, 3, 4, generator=dice, **EXACT).unbind(0)
    new = memory.clone()
    for head in range(3):
        for slot in range(7):
            new[:, slot] *= 1 - weights[:, head, slot, None] * erase[:, head]
    for head in range(3):
        for slot in range(7):
            new[:, slot] += weights[:, head, slot, None] * add[:, head]
    torch.testing.assert_close(addressing.write(memory, weights, erase, add), new)
    alone = addressing.write(memory, weights[:, :1], erase[:, :1], add[:, :1])
    by_slot = memory * (1 - weights[:, 0, :, None] * erase[:, :1]) + weights[:, 0, :, None] * add[:, :1]
    torch.testing.assert_close(alone, by_slot)
    means = torch.stack([sum(weights[:, k, s, None] * memory[:, s] for s in range(7)) for k in range(3)], 1)
    torch.testing.assert_close(addressing.read(memory, weights), means)


def test_the_order_of_write_heads_does_not_matter():
    memory, weights, _ = drawn(2)
    erase, add = torch.rand(2, 2, 3, 4, **EXACT).unbind(0)
    turned = [2, 0, 1]
    torch.testing.assert_close(
        addressing.write(memory, weights, erase, add),
        addressing.write(memory, weights[:, turned], erase[:, turned], add[:, turned]),
    )


def test_a_turn_goes_the_way_it_says():
    weights = torch.eye(5, **EXACT)[None, None, 4]
    for turn, slot in (([1, 0, 0], 3), ([0, 1, 0], 4), ([0, 0, 1], 0)):
        moved = addressing.rotate(weights, torch.tensor([[turn]], **EXACT))
        assert moved.argmax() == slot and moved.sum() == 1


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    scale=st.sampled_from([0.0, 1e-30, 1e-3, 1.0, 30.0, 1e4, 1e12]),
    slots=st.integers(1, 9),
)
def test_weights_stay_on_the_simplex(seed, scale, slots):
    shifts = 3 if slots >= 3 else 1
    memory, before, where = drawn(seed, slots=slots, shifts=shifts, scale=scale)
    single = [part.float() for part in (memory, before, *where)]
    weights = addressing.address(single[0], single[1], Where(*single[2:]))
    assert bool((weights >= 0).all())
    torch.testing.assert_close(weights.sum(-1), torch.ones(2, 3))


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), heads=st.integers(1, 3))
def test_nothing_changes_where_nothing_is_erased_or_added(seed, heads):
    memory, weights, _ = drawn(seed, heads=heads)
    nothing = torch.zeros(2, heads, 4, **EXACT)
    assert torch.equal(addressing.write(memory, weights, nothing, nothing), memory)
    full = addressing.write(memory, weights, nothing + 1, nothing)
    assert bool((full.abs() <= memory.abs()).all())


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), gate=st.sampled_from([0.0, 1.0]))
def test_shut_gates_keep_the_weights_and_open_ones_forget_them(seed, gate):
    memory, before, where = drawn(seed)
    still = torch.tensor([0.0, 1.0, 0.0], **EXACT).expand_as(where.turn)
    plain = where._replace(
        gate=torch.full_like(where.gate, gate), turn=still, power=torch.ones_like(where.power)
    )
    content = addressing.by_content(memory, where.key, where.strength)
    torch.testing.assert_close(addressing.address(memory, before, plain), content if gate else before)


@pytest.mark.parametrize("heads", [1, 2])
def test_gradients(heads):
    memory, before, where = drawn(3, heads=heads, slots=4, width=2)
    erase, add = torch.rand(2, 2, heads, 2, **EXACT).unbind(0)

    def step(memory, before, erase, add, *asked):
        weights = addressing.address(memory, before, Where(*asked))
        after = addressing.write(memory, weights, erase, add)
        return weights, after, addressing.read(after, weights)

    inputs = [part.clone().requires_grad_() for part in (memory, before, erase, add, *where)]
    assert torch.autograd.gradcheck(step, inputs)


@pytest.mark.parametrize(("readers", "shifts"), [(1, 3), (2, 5), (3, 1)])
def test_the_gradient_written_out_is_autograds(readers, shifts):
    memory, before, where = drawn(6, heads=readers + 1, shifts=shifts)
    erase, add = torch.rand(2, 2, 1, 4, **EXACT).unbind(0)
    inputs = [part.clone().requires_grad_() for part in (memory, before, erase, add, *where)]

    def plain(memory, before, asked, erase, add):
        weights = addressing.address(memory, before, asked)
        after = addressing.write(memory, weights[:, -1:], erase, add)
        return after, weights, addressing.read(after, weights[:, :-1])

    memory, before, erase, add, *asked = inputs
    outputs = [way(memory, before, Where(*asked), erase, add) for way in (plain, memory_closed_form.move)]
    arriving = [torch.randn_like(part) for part in outputs[0]]
    for ours, theirs in zip(outputs[1], outputs[0], strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-14)
    slopes = [torch.autograd.grad(found, inputs, arriving) for found in outputs]
    for ours, theirs in zip(slopes[1], slopes[0], strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-12)


def test_gradients_are_numbers_where_weights_are_zero():
    memory, before, where = drawn(4)
    before = torch.zeros_like(before).index_fill(-1, torch.tensor([0]), 1.0)
    where = where._replace(gate=torch.zeros_like(where.gate), power=where.power + 200)
    inputs = [part.clone().requires_grad_() for part in (memory, before, *where)]
    weights = addressing.address(inputs[0], inputs[1], Where(*inputs[2:]))
    vector = torch.ones(2, 1, 4, **EXACT)
    _, same, _ = memory_closed_form.move(inputs[0], inputs[1], Where(*inputs[2:]), vector, vector)
    for found in (weights, same):
        grads = torch.autograd.grad(found.square().sum(), inputs)
        assert all(bool(grad.isfinite().all()) for grad in grads)


def test_shapes_on_the_meta_device():
    memory, before, where = (
        torch.empty(2, 7, 4, device="meta"),
        torch.empty(2, 3, 7, device="meta"),
        Where(*(torch.empty(2, 3, size, device="meta") for size in (4, 1, 1, 3, 1))),
    )
    weights = addressing.address(memory, before, where)
    vectors = torch.empty(2, 3, 4, device="meta")
    assert addressing.write(memory, weights, vectors, vectors).shape == memory.shape
