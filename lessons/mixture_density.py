"""A network that answers with a density: a mixture of Gaussians over the pen's next offset.

Graves (2013), section 4.1: M bivariate Gaussians and one Bernoulli for lifting the pen, all read off one
vector of 6 M + 1 numbers. Everything is computed in logarithms, so that no number of a network is too
large: a density of exp(-900) is a loss of 900 nats and not an infinite one.
"""

import math
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Generator, Tensor
from torch.nn import functional

from lessons.arguments import Count, Seed, explained
from lessons.errors import LessonError

NARROWEST, WIDEST = -5.0, 5.0  # logarithms of standard deviations, in heights of an x
FARTHEST = 1e9  # standard deviations; the square of it is still a number in float32
LEANEST = 3.0  # tanh of it is the strongest correlation, 0.995
PER_COMPONENT = 6
Offsets = Float[Tensor, "*batch 3"]


class Mixture(NamedTuple):
    """A density of the next offset. log_weights: (..., M), their exponentials sum to 1.

    mean: (..., M, 2). log_deviation: (..., M, 2). lean: (..., M), its tanh is the correlation.
    lift: (...), the log-odds that the pen is lifted after the point.
    """

    log_weights: Float[Tensor, "*batch components"]
    mean: Float[Tensor, "*batch components 2"]
    log_deviation: Float[Tensor, "*batch components 2"]
    lean: Float[Tensor, "*batch components"]
    lift: Float[Tensor, "*batch"]


def mixture(numbers: Float[Tensor, "*batch numbers"], bias: float = 0.0) -> Mixture:
    """The mixture that 6 M + 1 numbers stand for, equations 18 to 22 of Graves (2013).

    Weights by a softmax, deviations by exp, correlations by tanh, within bounds that no sensible pen leaves.
    bias: 0 samples what was learnt; more makes deviations smaller and likely components likelier (section
    5.4, equations 61 and 62). Raises LessonError for a row of another length.
    """
    components, odd = divmod(numbers.shape[-1] - 1, PER_COMPONENT)
    if odd or components < 1:
        raise LessonError(f"A mixture of M Gaussians takes 6 M + 1 numbers; {numbers.shape[-1]} are not.")
    weights, means, deviations, lean, lift = numbers.split(
        [components, 2 * components, 2 * components, components, 1], -1
    )
    return Mixture(
        (weights * (1 + bias)).log_softmax(-1),
        means.unflatten(-1, (components, 2)),
        (deviations.clamp(NARROWEST, WIDEST) - bias).unflatten(-1, (components, 2)),
        lean.clamp(-LEANEST, LEANEST),
        lift[..., 0],
    )


def log_gaussians(mix: Mixture, place: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch components"]:
    """The log density of every component at a place, equation 24.

    With z the place in standard deviations from the mean, the density factors into that of z_x and that of
    z_y given z_x, whose deviation is sqrt(1 - correlation^2) = 1 / cosh(lean): nothing is divided by 0.
    """
    z = (place.unsqueeze(-2) - mix.mean) * (-mix.log_deviation).exp()
    across, up = z.clamp(-FARTHEST, FARTHEST).unbind(-1)
    sharper = mix.lean.cosh()
    given = (up - mix.lean.tanh() * across) * sharper
    return sharper.log() - mix.log_deviation.sum(-1) - (across**2 + given**2) / 2 - math.log(2 * math.pi)


def log_density(mix: Mixture, place: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch"]:
    """The log density of the mixture at a place, per square height of an x."""
    return (mix.log_weights + log_gaussians(mix, place)).logsumexp(-1)


def nats(mix: Mixture, offsets: Offsets) -> Float[Tensor, "*batch"]:
    """What each offset costs: minus its log likelihood, lift included (equation 26)."""
    lifted = functional.binary_cross_entropy_with_logits(mix.lift, offsets[..., 2], reduction="none")
    return lifted - log_density(mix, offsets[..., :2])


def draw(mix: Mixture, generator: Generator) -> Float[Tensor, "batch 3"]:
    """One offset from each mixture of a batch; the same for the same generator's state."""
    rows = torch.arange(len(mix.lift), device=mix.lift.device)
    chosen = torch.multinomial(mix.log_weights.exp(), 1, generator=generator)[:, 0]
    mean, deviation = mix.mean[rows, chosen], mix.log_deviation[rows, chosen].exp()
    lean = mix.lean[rows, chosen]
    place = {"device": mean.device, "dtype": mean.dtype, "generator": generator}
    across, up = torch.randn(2, len(rows), **place)
    up = lean.tanh() * across + up / lean.cosh()
    lifted = torch.rand(len(rows), **place) < mix.lift.sigmoid()
    return torch.cat([mean + deviation * torch.stack([across, up], 1), lifted[:, None].to(mean)], 1)


def grid(
    mix: Mixture, x: Float[Tensor, " columns"], y: Float[Tensor, " rows"]
) -> Float[Tensor, "rows columns"]:
    """The density of one mixture (no batch axes) at the crossings of a grid."""
    places = torch.stack(torch.meshgrid(x, y, indexing="xy"), -1)
    spread = Mixture(*(part.expand(*places.shape[:2], *part.shape) for part in mix))
    return log_density(spread, places).exp()


def mean_nats(
    mix: Mixture, offsets: Float[Tensor, "batch time 3"], real: Bool[Tensor, "batch time"]
) -> Float[Tensor, ""]:
    """Mean cost of the real points, in nats a point; what stands in the padding is not looked at."""
    cost = nats(mix, offsets.masked_fill(~real[..., None], 0))
    return cost.masked_fill(~real, 0).sum() / real.sum()


@explained
def fitted(
    offsets: Float[Tensor, "points 3"], components: Count = 1, rounds: Count = 30, seed: Seed = 0
) -> Mixture:
    """The constant mixture that fits offsets best (no batch axes): what a network must beat.

    One component is the Gaussian with their mean and covariance; more are fitted by expectation
    maximisation, started at points drawn from `seed`. In float64. Raises LessonError for fewer offsets than
    components.
    """
    if len(offsets) < components:
        raise LessonError(f"{components} Gaussians are not fitted to {len(offsets)} offsets; give more.")
    places, lifted = offsets[:, :2].double(), offsets[:, 2].double().mean()
    dice = Generator(device="cpu").manual_seed(seed)
    start = torch.randperm(len(places), generator=dice)[:components].to(places.device)
    whole = places.var(0, correction=0).log() / 2
    log_weights = places.new_full((components,), -math.log(components))
    mix = Mixture(log_weights, places[start], whole.expand(components, 2), log_weights * 0, lifted.logit())
    for _ in range(rounds if components > 1 else 1):
        each = Mixture(*(part.expand(len(places), *part.shape) for part in mix))
        share = (mix.log_weights + log_gaussians(each, places)).softmax(-1)
        mix = moments(places, share, mix.lift)
    return mix


def moments(
    places: Float[Tensor, "points 2"], share: Float[Tensor, "points components"], lift: Tensor
) -> Mixture:
    """The components whose shares of the points are given: weights, means, deviations, correlations."""
    total = share.sum(0)
    mean = share.T @ places / total[:, None]
    away = places[:, None] - mean
    variance = (share[..., None] * away**2).sum(0) / total[:, None]
    together = (share * away.prod(-1)).sum(0) / total
    deviation = variance.clamp_min(math.exp(2 * NARROWEST)).sqrt()
    lean = (together / deviation.prod(-1)).clamp(-math.tanh(LEANEST), math.tanh(LEANEST)).atanh()
    return Mixture((total / total.sum()).log(), mean, deviation.log(), lean, lift)
