"""The soft window: its equations, the fast loop against them, gradients, lengths, bounds."""

import pytest
import torch
from torch.nn import functional

from lessons import window_loop
from lessons.soft_window import WindowWeights, window, window_step

SIZES = {"steps": 7, "batch": 3, "inputs": 3, "hidden": 6, "places": 5, "alphabet": 4, "gaussians": 2}


def made(dtype=torch.float64, scale=0.5, device="cpu"):
    """Inputs, one-hot letters, which places are real, and weights that want gradients."""
    s, dice = SIZES, torch.Generator().manual_seed(3)

    def draw(*shape):
        return (scale * torch.randn(*shape, generator=dice, dtype=torch.float64)).to(device, dtype)

    rows, numbers = 4 * s["hidden"], 3 * s["gaussians"]
    shapes = [
        (rows, s["inputs"]),
        (rows, s["hidden"] + s["alphabet"]),
        (rows,),
        (numbers, s["hidden"]),
        (numbers,),
    ]
    weights = WindowWeights(*(draw(*shape).requires_grad_() for shape in shapes))
    codes = torch.randint(s["alphabet"], (s["batch"], s["places"]), generator=dice)
    real = torch.arange(s["places"]) < torch.tensor([5, 3, 4])[:, None]
    letters = functional.one_hot(codes, s["alphabet"]).to(device, dtype)
    return draw(s["steps"], s["batch"], s["inputs"]), letters, real.to(device), weights


def step_by_step(x, letters, real, weights):
    s, new = SIZES, x.new_zeros
    h, c, read = new(s["batch"], s["hidden"]), new(s["batch"], s["hidden"]), new(s["batch"], s["alphabet"])
    kappa, steps = new(s["batch"], s["gaussians"]), []
    for now in x:
        step = window_step(now, h, c, read, kappa, letters, real, weights)
        h, c, read, kappa = step.h, step.c, step.read, step.window.kappa
        steps.append(step)
    return steps


@pytest.mark.parametrize(("dtype", "close"), [(torch.float64, 1e-13), (torch.float32, 2e-6)])
def test_the_loop_is_the_steps(dtype, close):
    given = made(dtype)
    seen, steps = window_loop.run(*given), step_by_step(*given)
    for name, expected in {
        "h": [s.h for s in steps], "read": [s.read for s in steps], "c": [s.c for s in steps],
        "phi": [s.window.phi for s in steps], "kappa": [s.window.kappa for s in steps],
    }.items():  # fmt: skip
        assert torch.allclose(getattr(seen, name), torch.stack(expected), atol=close, rtol=0), name


def test_gradients_are_those_of_the_steps():
    given = made()
    x, weights = given[0], given[3]
    dice = torch.Generator().manual_seed(1)
    seen, steps = window_loop.run(*given), step_by_step(*given)
    to_h, to_read = (torch.randn(part.shape, generator=dice, dtype=x.dtype) for part in (seen.h, seen.read))

    def loss(h, read):
        return (h * to_h).sum() + (read * to_read).sum()

    expected = torch.autograd.grad(
        loss(torch.stack([s.h for s in steps]), torch.stack([s.read for s in steps])), weights
    )
    for name, one, other in zip(
        WindowWeights._fields, torch.autograd.grad(loss(seen.h, seen.read), weights), expected, strict=True
    ):
        assert torch.allclose(one, other, atol=1e-11), name


def test_gradcheck():
    x, letters, real, weights = made(scale=0.3)
    x = x[:3].requires_grad_()

    def layer(x, *weights):
        seen = window_loop.run(x, letters, real, WindowWeights(*weights))
        return seen.h, seen.read

    assert torch.autograd.gradcheck(layer, (x, *weights))


def test_bounds_hold_and_let_no_gradient_through():
    x, letters, real, weights = made(torch.float32)
    with torch.no_grad():
        weights.window_bias[:2] = 1e6  # alpha
        weights.window_bias[4:] = -1e6  # the step of kappa
    given = x, letters, real, weights
    seen, steps = window_loop.run(*given), step_by_step(*given)
    assert seen.h.isfinite().all() and seen.phi.isfinite().all()
    expected = torch.autograd.grad(torch.stack([s.read for s in steps]).sum(), weights.window_bias)[0]
    (slope,) = torch.autograd.grad(seen.read.sum(), weights.window_bias)
    assert slope.isfinite().all() and (slope[:2] == 0).all() and (slope[4:] == 0).all()
    assert torch.allclose(slope, expected, rtol=1e-3)


def test_kappa_only_moves_forwards_and_padding_is_not_read():
    seen = window_loop.run(*made(scale=2.0))
    assert (seen.kappa.diff(dim=0) > 0).all()
    assert (seen.phi[:, 1, 3:] == 0).all() and (seen.phi[:, 1, :3] > 0).any()


def test_a_window_is_a_sum_of_gaussians():
    numbers = torch.tensor([[0.0, 0.5, -1.0, 0.2, 0.7, -0.3]], dtype=torch.float64)
    seen = window(
        numbers, torch.tensor([[1.0, 2.0]], dtype=torch.float64), torch.ones(1, 5, dtype=torch.bool)
    )
    alpha, beta, kappa = torch.tensor([1.0, 2.0]).log().exp(), numbers[0, 2:4].exp(), seen.kappa[0]
    alpha = numbers[0, :2].exp()
    assert torch.allclose(kappa, torch.tensor([1.0, 2.0]).double() + numbers[0, 4:].exp())
    for u in range(5):
        expected = sum(a * torch.exp(-b * (k - u) ** 2) for a, b, k in zip(alpha, beta, kappa, strict=True))
        assert float(seen.phi[0, u]) == pytest.approx(float(expected))


def test_a_sequence_is_the_same_beside_a_longer_one():
    x, letters, real, weights = made()
    alone = window_loop.run(x[:4, 1:2], letters[1:2, :3], real[1:2, :3], weights)
    beside = window_loop.run(x, letters, real, weights)
    assert torch.allclose(alone.h[:, 0], beside.h[:4, 1], atol=1e-14)


def test_shapes_on_meta():
    x, letters, real, weights = made(torch.float32, device="meta")
    seen = window_loop.run(x, letters, real, weights)
    assert seen.h.shape == (7, 3, 6) and seen.phi.shape == (7, 3, 5)


def test_autocast_leaves_it_in_float32():
    given = made(torch.float32)
    with torch.autocast("cpu", torch.bfloat16):
        cast = window_loop.run(*given)
    assert torch.equal(cast.h, window_loop.run(*given).h)
