"""Mixture densities: against torch's distributions, on a grid, by gradient, at the edge of numbers, drawn."""

import math

import pytest
import torch
from torch.distributions import Bernoulli, Categorical, MixtureSameFamily, MultivariateNormal

from lessons import mixture_density
from lessons.errors import LessonError
from lessons.mixture_density import Mixture, draw, fitted, grid, log_density, mean_nats, mixture, nats


def numbers(components: int, *shape: int, seed: int = 0, scale: float = 0.7) -> torch.Tensor:
    dice = torch.Generator().manual_seed(seed)
    return scale * torch.randn(*shape, 6 * components + 1, generator=dice, dtype=torch.float64)


def by_torch(told: torch.Tensor) -> tuple[MixtureSameFamily, Bernoulli]:
    """Graves' equations written once more, with torch.distributions."""
    components = (told.shape[-1] - 1) // 6
    weights, mean, spread, lean, lift = told.split(
        [components, 2 * components, 2 * components, components, 1], -1
    )
    mean, deviation = mean.unflatten(-1, (components, 2)), spread.unflatten(-1, (components, 2)).exp()
    across = lean.tanh() * deviation.prod(-1)
    rows = [deviation[..., 0] ** 2, across, across, deviation[..., 1] ** 2]
    covariance = torch.stack(rows, -1).unflatten(-1, (2, 2))
    mix = MixtureSameFamily(Categorical(logits=weights), MultivariateNormal(mean, covariance))
    return mix, Bernoulli(logits=lift[..., 0])


@pytest.mark.parametrize("components", [1, 3, 20])
def test_the_cost_is_that_of_torchs_distributions(components):
    told, dice = numbers(components, 2, 9, seed=components), torch.Generator().manual_seed(5)
    places = torch.randn(2, 9, 2, generator=dice, dtype=torch.float64)
    lifted = torch.randint(2, (2, 9), generator=dice).double()
    density, pen = by_torch(told)
    expected = -density.log_prob(places) - pen.log_prob(lifted)
    seen = nats(mixture(told), torch.cat([places, lifted[..., None]], -1))
    assert torch.allclose(seen, expected, atol=1e-12)


@pytest.mark.parametrize("bias", [0.0, 1.5])
def test_a_density_integrates_to_one(bias):
    axis = torch.linspace(-9, 9, 721, dtype=torch.float64)
    density = grid(mixture(numbers(4, seed=3, scale=0.5), bias), axis, axis)
    assert float(density.sum()) * (18 / 720) ** 2 == pytest.approx(1, abs=1e-6)
    assert density.shape == (721, 721)


def test_rows_of_the_grid_go_up():
    told = torch.zeros(7, dtype=torch.float64)
    told[1], told[2] = 2.0, -1.0  # the mean of the only component
    density = grid(mixture(told), torch.linspace(-3, 3, 7).double(), torch.linspace(-3, 3, 7).double())
    row, column = divmod(int(density.argmax()), 7)
    assert (row, column) == (2, 5)


def test_gradients_of_the_cost():
    offsets = torch.tensor([[0.3, -0.2, 1.0], [-1.0, 0.5, 0.0]], dtype=torch.float64)
    told = numbers(3, 2, seed=8).requires_grad_()
    assert torch.autograd.gradcheck(lambda told: nats(mixture(told), offsets), told)


@pytest.mark.parametrize("value", [1e4, -1e4, 1e30, -1e30])
@pytest.mark.parametrize("where", ["all", "means", "deviations", "lean", "weights"])
def test_extreme_numbers_cost_much_and_are_numbers(value, where):
    told = torch.zeros(5, 13, dtype=torch.float32)
    places = {"all": slice(0, 13), "weights": slice(0, 1), "means": slice(2, 6), "deviations": slice(6, 10)}
    told[:, places.get(where, slice(10, 12))] = (
        value if abs(value) < 1e15 or where != "means" else value * 1e-18
    )
    told.requires_grad_()
    offsets = torch.tensor([[0.0, 0, 0], [1, 1, 1], [-50, 50, 0], [1e3, 0, 1], [0, 0.01, 0]])
    cost = nats(mixture(told), offsets)
    assert cost.isfinite().all()
    cost.sum().backward()
    assert told.grad.isfinite().all()


def test_padding_has_no_say():
    told, real = numbers(2, 2, 6).requires_grad_(), torch.arange(6) < torch.tensor([[4], [6]])
    offsets = torch.randn(2, 6, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    offsets[..., 2] = 0
    loss = mean_nats(mixture(told), offsets, real)
    with_junk = offsets.masked_fill(~real[..., None], 1e30)
    assert torch.equal(loss, mean_nats(mixture(told), with_junk, real))
    (slope,) = torch.autograd.grad(loss, told)
    assert (slope[0, 4:] == 0).all() and (slope[0, :4] != 0).any()
    assert float(loss.detach()) == pytest.approx(float(nats(mixture(told), offsets)[real].mean().detach()))


def test_draws_have_the_moments_of_the_mixture_and_repeat():
    told = numbers(3, seed=4).expand(60_000, -1)
    drawn = draw(mixture(told), torch.Generator().manual_seed(0))
    again = draw(mixture(told), torch.Generator().manual_seed(0))
    assert torch.equal(drawn, again)
    density, pen = by_torch(told[0])
    assert torch.allclose(drawn[:, :2].mean(0), density.mean, atol=0.03)
    assert torch.allclose(drawn[:, :2].var(0), density.variance, rtol=0.05)
    assert float(drawn[:, 2].mean()) == pytest.approx(float(pen.mean), abs=0.01)
    one = numbers(1, seed=6).expand(60_000, -1)
    together = torch.corrcoef(draw(mixture(one), torch.Generator().manual_seed(1))[:, :2].T)[0, 1]
    assert float(together) == pytest.approx(float(one[0, 5].tanh()), abs=0.02)


def test_a_bias_is_graves_two_equations():
    told = numbers(4, seed=9)
    plain, biased = mixture(told), mixture(told, bias=0.8)
    assert torch.allclose(biased.log_deviation, plain.log_deviation - 0.8)
    assert torch.allclose(biased.log_weights.exp(), (told[:4] * 1.8).softmax(-1))
    assert torch.equal(biased.mean, plain.mean)


def test_the_best_constant_mixture():
    dice = torch.Generator().manual_seed(2)
    left = torch.randn(400, 2, generator=dice, dtype=torch.float64) * 0.1 - 1
    right = (
        torch.randn(1200, 2, generator=dice, dtype=torch.float64)
        @ torch.tensor([[0.3, 0.2], [0, 0.2]]).double()
    )
    points = torch.cat([torch.cat([left, right]), torch.zeros(1600, 1)], 1).double()
    points[::4, 2] = 1
    one, two = fitted(points), fitted(points, 2)
    assert torch.allclose(one.mean[0], points[:, :2].mean(0))
    assert torch.allclose(torch.corrcoef(points[:, :2].T)[0, 1], one.lean[0].tanh())
    assert sorted(two.log_weights.exp().tolist()) == pytest.approx([0.25, 0.75], abs=0.02)

    def cost(mix):
        return float(nats(Mixture(*(part.expand(1600, *part.shape) for part in mix)), points).mean())

    assert cost(two) < cost(one) - 0.3
    assert float(one.lift.sigmoid()) == pytest.approx(0.25)


def test_more_gaussians_than_offsets_are_not_fitted():
    for count, wrong in ((3, 4), (3, 0), (3, 1.5), (0, 1)):
        with pytest.raises(LessonError, match=r"not fitted|components is"):
            fitted(torch.zeros(count, 3), wrong)


def test_a_row_of_another_length_is_refused():
    with pytest.raises(LessonError, match="6 M \\+ 1"):
        mixture(torch.zeros(12))
    with pytest.raises(LessonError, match="6 M \\+ 1"):
        mixture(torch.zeros(1))


def test_shapes_on_meta():
    mix = mixture(torch.zeros(2, 5, 19, device="meta"))
    assert log_density(mix, torch.zeros(2, 5, 2, device="meta")).shape == (2, 5)
    assert math.exp(mixture_density.WIDEST) > 100
