"""The scan: equal to a loop, in values and gradients, by whichever way it runs."""

import pytest
import torch

from lessons import scan as scans
from lessons.errors import LessonError
from lessons.scan import by_chunks, by_doubling, by_steps, log_scan, running_max, scan

DOUBLE = {"device": "cpu", "dtype": torch.float64}


def by_hand(a, b, h):
    rows = []
    for a_t, b_t in zip(a, b, strict=True):
        h = a_t * h + b_t
        rows.append(h)
    return torch.stack(rows)


def drawn(steps, *shape, dtype=torch.float64, seed=0):
    generator = torch.Generator(device="cpu").manual_seed(seed)
    a = torch.rand(steps, *shape, generator=generator, dtype=torch.float64)
    b, h0 = (
        torch.randn(*size, generator=generator, dtype=torch.float64) for size in ((steps, *shape), shape)
    )
    return tuple(part.to(dtype) for part in (a, b, h0))


@pytest.mark.parametrize("steps", [1, 2, 7, 16, 65])
@pytest.mark.parametrize("way", [by_steps, by_doubling, by_chunks])
def test_every_way_gives_what_the_loop_gives(way, steps):
    a, b, h0 = drawn(steps, 3, 2)
    torch.testing.assert_close(way(a, b, h0), by_hand(a, b, h0), rtol=0, atol=1e-12)


@pytest.mark.parametrize("wide", [1, 10**9])
def test_gradients_are_those_of_the_loop(monkeypatch, wide):
    monkeypatch.setattr(scans, "WIDE", wide)
    parts = [part.requires_grad_() for part in drawn(33, 2, 3)]
    weight = torch.randn(33, 2, 3, **DOUBLE)
    ours = torch.autograd.grad((scan(*parts) * weight).sum(), parts)
    theirs = torch.autograd.grad((by_hand(*parts) * weight).sum(), parts)
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-12)


def test_it_passes_gradcheck_twice_over_with_complex_numbers_too():
    a, b, h0 = (part.requires_grad_() for part in drawn(5, 2))
    assert torch.autograd.gradcheck(scan, (a, b, h0))
    assert torch.autograd.gradgradcheck(scan, (a, b, h0))
    turning = torch.polar(a.detach(), b.detach()).requires_grad_()
    entering = torch.complex(b.detach(), a.detach()).requires_grad_()
    assert torch.autograd.gradcheck(scan, (turning, entering))


def test_float32_keeps_its_digits_over_two_thousand_steps():
    a, b, h0 = drawn(2048, 4)
    a = 1 - a / 100  # a long memory
    exact = by_hand(a, b, h0)
    for way in (by_steps, by_doubling, by_chunks):
        found = way(a.float(), b.float(), h0.float())
        assert torch.isfinite(found).all()
        assert (found - exact).abs().max() / exact.abs().max() < 1e-4


def test_a_decay_that_is_the_same_always_need_not_be_repeated():
    a, b, h0 = drawn(9, 2, 3)
    torch.testing.assert_close(scan(a[0], b, h0), by_hand(a[:1].expand_as(b), b, h0))


def test_without_a_start_it_starts_from_zero_and_a_start_counts():
    a, b, h0 = drawn(6, 2)
    torch.testing.assert_close(scan(a, b), by_hand(a, b, torch.zeros_like(h0)))
    assert not torch.allclose(scan(a, b), scan(a, b, h0))


def test_logarithms_give_the_same_in_double_precision_where_all_is_positive():
    a, b, h0 = drawn(300, 3)
    found = log_scan(a.log(), b.abs().log(), h0.abs().log()).exp()
    torch.testing.assert_close(found, by_hand(a, b.abs(), h0.abs()), rtol=1e-9, atol=0)


def test_logarithms_lose_digits_in_float32_that_the_scan_keeps():
    a, b, h0 = (part.abs() for part in drawn(2048, 3))
    exact = by_hand(a, b, h0)
    logs = log_scan(*(part.float().log() for part in (a, b, h0))).exp()
    plain = scan(a.float(), b.float(), h0.float())
    worst = [float(((found - exact) / exact).abs().max()) for found in (logs, plain)]
    assert worst[1] < 1e-6 < 1e-5 < worst[0]


def test_the_running_maximum_is_that_of_the_loop():
    _, b, m = drawn(37, 4)
    fading = -b[0].abs()
    rows, level = [], m
    for b_t in b:
        level = torch.maximum(level + fading, b_t)
        rows.append(level)
    torch.testing.assert_close(running_max(fading, b, m), torch.stack(rows))


def test_it_knows_its_shape_without_numbers():
    a = torch.empty(40, 2, 3, device="meta")
    assert scan(a, a, a[0]).shape == (40, 2, 3)


@pytest.mark.parametrize(
    ("a", "b", "h0"),
    [
        (torch.ones(3, 2), torch.ones(4, 2), None),
        (torch.ones(3, 2), torch.ones(3, 2), torch.ones(5)),
        (torch.ones(0, 2), torch.ones(0, 2), None),
        ([1.0], torch.ones(3, 2), None),
    ],
)
def test_what_does_not_fit_is_said_in_a_sentence(a, b, h0):
    with pytest.raises(LessonError):
        scan(a, b, h0)
