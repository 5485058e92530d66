"""Exercises and quiz of lesson 15: a leaning Gaussian, a window, a density that is none, a bias."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from lessons.exercises.exercise import Case, Exercise, Observations, behaves_like, returns, shows, stops_with
from lessons.exercises.questions import Option, Question

# -------------------------------------------------------------- the solutions, as the learner is shown them


def log_gaussian(
    place: Float[Tensor, "points 2"], mean: Float[Tensor, " 2"], deviation: Float[Tensor, " 2"], rho: float
) -> Float[Tensor, " points"]:
    """The log density of a Gaussian whose two coordinates have the correlation rho."""
    x, y = ((place - mean) / deviation).unbind(-1)
    z = x**2 + y**2 - 2 * rho * x * y
    free = 1 - rho**2
    return -z / (2 * free) - torch.log(2 * math.pi * deviation.prod() * free**0.5)


def letters_read(
    alpha: Float[Tensor, "batch gaussians"],
    beta: Float[Tensor, "batch gaussians"],
    kappa: Float[Tensor, "batch gaussians"],
    letters: Float[Tensor, "batch places alphabet"],
) -> tuple[Float[Tensor, "batch places"], Float[Tensor, "batch alphabet"]]:
    """How much each place is read, and what is read: the letters, each as much as its place."""
    place = torch.arange(letters.shape[1])
    away = kappa[:, :, None] - place  # (B, K, U)
    phi = (alpha[:, :, None] * torch.exp(-beta[:, :, None] * away**2)).sum(1)
    return phi, (phi[:, :, None] * letters).sum(1)


def mixture_cost(
    weight_numbers: Float[Tensor, "batch components"], log_densities: Float[Tensor, "batch components"]
) -> Float[Tensor, " batch"]:
    """The weights of one point's mixture sum to 1, and all stays in logarithms."""
    log_weights = torch.log_softmax(weight_numbers, dim=-1)
    return -torch.logsumexp(log_weights + log_densities, dim=-1)


def sharpened(
    weight_numbers: Float[Tensor, "batch components"],
    log_deviation: Float[Tensor, "batch components 2"],
    bias: float,
) -> tuple[Float[Tensor, "batch components"], Float[Tensor, "batch components 2"]]:
    """Weights and deviations under a bias: likely components likelier, all of them narrower."""
    return torch.softmax(weight_numbers * (1 + bias), dim=-1), torch.exp(log_deviation - bias)


# ------------------------------------------------------------------------------------ 1: a leaning Gaussian


def _drawn(seed: int) -> Callable[..., Tensor]:
    dice = torch.Generator().manual_seed(seed)
    return lambda *shape: torch.randn(*shape, generator=dice, dtype=torch.float64)


def _leaning(rho: float, seed: int) -> Callable[[], tuple]:
    def arguments() -> tuple:
        draw = _drawn(seed)
        return draw(5, 2), draw(2), draw(2).exp(), rho

    return arguments


def _gaussian(
    scale: Callable = lambda d: d, square: Callable = lambda x, y, rho: x**2 + y**2 - 2 * rho * x * y,
    inside: Callable = lambda rho: 1 - rho**2, outside: Callable = lambda rho: (1 - rho**2) ** 0.5,
    two_pi: float = 2 * math.pi, volume: Callable = torch.prod, logarithm: bool = True,
) -> Callable:  # fmt: skip
    """log_gaussian with one thing wrong."""

    def wrong(place: Tensor, mean: Tensor, deviation: Tensor, rho: float) -> Tensor:
        x, y = ((place - mean) / scale(deviation)).unbind(-1)
        power = -square(x, y, rho) / (2 * inside(rho))
        factor = two_pi * volume(deviation) * outside(rho)
        return power - factor.log() if logarithm else power.exp() / factor

    return wrong


LOG_GAUSSIAN = Exercise(
    name="log_gaussian",
    statement="How likely is a place under one leaning Gaussian? In logarithms.",
    stub='''def log_gaussian(place, mean, deviation, rho):
    """place (N, 2), mean (2,), deviation (2,), rho: correlation -> log density (N,)."""
    return ...
''',
    solution=log_gaussian,
    cases=(Case("a correlation of 0.6", _leaning(0.6, 1)), Case("a correlation of −0.9", _leaning(-0.9, 2))),
    observe=returns("the log densities"),
    diagnoses=(
        behaves_like(
            _gaussian(logarithm=False), "that is the density itself; the logarithm of it is wanted."
        ),
        behaves_like(
            _gaussian(square=lambda x, y, rho: x**2 + y**2),
            "the term −2 ρ x y is missing, so the Gaussian does not lean.",
        ),
        behaves_like(
            _gaussian(square=lambda x, y, rho: x**2 + y**2 + 2 * rho * x * y),
            "the term with ρ has the wrong sign: it leans the other way.",
        ),
        behaves_like(_gaussian(inside=lambda rho: 1.0), "Z is divided by 2 (1 − ρ²); you divide by 2 only."),
        behaves_like(
            _gaussian(outside=lambda rho: 1.0),
            "in front stands 1 / (2π σ₁ σ₂ √(1 − ρ²)); the root is missing, so it does not integrate to 1.",
        ),
        behaves_like(
            _gaussian(outside=lambda rho: 1 - rho**2),
            "in front stands the root of 1 − ρ², you have 1 − ρ² itself.",
        ),
        behaves_like(
            _gaussian(two_pi=math.sqrt(2 * math.pi)), "√(2π) belongs to one dimension; in two it is 2π."
        ),
        behaves_like(
            _gaussian(two_pi=1.0, volume=lambda d: torch.ones((), dtype=d.dtype), outside=lambda rho: 1.0),
            "the factor 1 / (2π σ₁ σ₂ √(1 − ρ²)) is missing: this is no density.",
        ),
        behaves_like(_gaussian(scale=lambda d: d**2), "each difference is divided by σ, you divide by σ²."),
        stops_with("must match|broadcast|size", "place is (N, 2): take x and y apart along the last axis."),
    ),
    hints=(
        "Subtract the mean, divide by the deviations, then there are two numbers, x and y, for each place.",
        "Z = x² + y² − 2 ρ x y, and log N = −Z / (2 (1 − ρ²)) − log(2π σ₁ σ₂ √(1 − ρ²)).",
        "-z / (2 * (1 - rho**2)) - torch.log(2 * math.pi * deviation.prod() * (1 - rho**2) ** 0.5)",
    ),
    shown="One Gaussian is six numbers: a weight, two means, two deviations, and how it leans.",
)

# ----------------------------------------------------------------------------------------- 2: the soft window


def _text(letters: int, seed: int) -> Callable[[], tuple]:
    def arguments() -> tuple:
        draw = _drawn(seed)
        one_hot = torch.eye(6, dtype=torch.float64)[torch.arange(2 * letters).view(2, letters) % 6]
        kappa = draw(2, 3).abs().cumsum(1)
        return draw(2, 3).exp(), draw(2, 3).exp(), kappa, one_hot

    return arguments


def _window(
    bump: Callable = lambda beta, away: torch.exp(-beta * away**2), first: int = 0,
    after: Callable = lambda phi: phi, axis: int = 1, height: bool = True,
) -> Callable:  # fmt: skip
    """letters_read with one thing wrong."""

    def wrong(alpha: Tensor, beta: Tensor, kappa: Tensor, letters: Tensor) -> tuple[Tensor, Tensor]:
        away = kappa[:, :, None] - torch.arange(first, first + letters.shape[1])
        bumps = bump(beta[:, :, None], away) * (alpha[:, :, None] if height else 1)
        phi = after(bumps.sum(1) if axis == 1 else bumps.amax(1))
        return phi, (phi[:, :, None] * letters).sum(1)

    return wrong


LETTERS_READ = Exercise(
    name="letters_read",
    statement="Slide a window of K Gaussians over the letters of a text.",
    stub='''def letters_read(alpha, beta, kappa, letters):
    """alpha, beta, kappa (B, K), letters one-hot (B, U, V) -> phi (B, U), read (B, V). Places start at 0."""
    return ...
''',
    solution=letters_read,
    cases=(Case("two texts of four letters", _text(4, 3)), Case("two texts of seven letters", _text(7, 4))),
    observe=returns("phi", "what is read"),
    diagnoses=(
        behaves_like(
            _window(after=lambda phi: phi / phi.sum(1, keepdim=True)),
            "you made phi sum to 1. In lesson 12 weights did; Graves' window need not, and may read nothing.",
        ),
        behaves_like(
            _window(after=lambda phi: phi.softmax(1)),
            "there is no softmax in this window; add the Gaussians up.",
        ),
        behaves_like(
            _window(bump=lambda beta, away: torch.exp(-(away**2) / (2 * beta**2))),
            "beta is a sharpness that multiplies the square, not a deviation that divides it.",
        ),
        behaves_like(
            _window(bump=lambda beta, away: torch.exp(-beta * away.abs())),
            "the distance is squared: a Gaussian, no tent.",
        ),
        behaves_like(
            _window(bump=lambda beta, away: torch.exp(beta * away**2)),
            "the sign is lost: places far away would be read most.",
        ),
        behaves_like(_window(first=1), "you count places from 1; here the first letter stands at 0."),
        behaves_like(_window(height=False), "alpha, the height of each Gaussian, is not used."),
        behaves_like(_window(axis=2), "the K Gaussians are added up; you took the highest."),
        stops_with(
            "must match|broadcast|size|expected",
            "bring all to (B, K, U): kappa[:, :, None] − torch.arange(U), and sum over K.",
        ),
    ),
    hints=(
        "There are three axes: batch, Gaussians, places. Which of them is in the answer?",
        "phi(u) = Σ_k alpha_k exp(−beta_k (kappa_k − u)²), with u = 0, 1, …, U − 1.",
        "phi = (alpha[:, :, None] * torch.exp(-beta[:, :, None] * away**2)).sum(1); "
        "read = (phi[:, :, None] * letters).sum(1)",
    ),
    shown="Nothing here compares letters with anything: the window looks by place, and only moves forwards.",
)

# ------------------------------------------------- 3: find the bug, weights that sum to 1 over the wrong axis


def _answers(rows: list[list[float]], far: float) -> Callable[[], tuple]:
    def arguments() -> tuple:
        numbers = torch.tensor(rows, dtype=torch.float64)
        return numbers, torch.linspace(-1, 1, numbers.numel(), dtype=torch.float64).view_as(numbers) - far

    return arguments


def _infinite(seen: Observations, expected: Observations) -> bool:
    cost = seen["the cost"]
    return isinstance(cost, Tensor) and bool(cost.isinf().any() | cost.isnan().any())


MIXTURE_COST = Exercise(
    name="mixture_cost",
    statement="Find the bug: what a point costs depends on which other points are in the batch.",
    stub='''def mixture_cost(weight_numbers, log_densities):
    """weight_numbers (B, M), log density of each component (B, M) -> cost in nats (B,)."""
    log_weights = torch.log_softmax(weight_numbers, dim=0)
    return -torch.logsumexp(log_weights + log_densities, dim=-1)
''',
    solution=mixture_cost,
    cases=(
        Case("three points, four components", _answers([[0.0, 1, 2, -1], [1, 1, 0, 0.5], [3, -2, 0, 1]], 0)),
        Case("a batch of one point", _answers([[0.5, -0.5, 1.0, 0.0]], 0)),
        Case("points a thousand nats away", _answers([[0.5, -0.5, 1.0], [0.0, 1.0, 2.0]], 1000)),
    ),
    observe=returns("the cost"),
    diagnoses=(
        behaves_like(
            lambda numbers, logs: -(numbers.log_softmax(0) + logs).logsumexp(-1),
            "the softmax runs over the batch. Each point has a mixture of its own, whose M weights sum to 1; "
            "in a batch of one every weight would be 1, and the mixture no density.",
        ),
        behaves_like(
            lambda numbers, logs: -(numbers + logs).logsumexp(-1),
            "the weights are not normalised at all: a network makes this cost as low as it likes by raising "
            "them.",
        ),
        behaves_like(
            lambda numbers, logs: -(numbers.softmax(-1) + logs).logsumexp(-1),
            "log_densities is a logarithm, so the weights must be logarithms too: log_softmax.",
        ),
        behaves_like(
            lambda numbers, logs: (numbers.log_softmax(-1) + logs).logsumexp(-1),
            "that is the log likelihood; the cost is minus it.",
        ),
        behaves_like(
            lambda numbers, logs: -(numbers.log_softmax(-1) + logs).sum(-1),
            "a mixture is a sum of densities: logsumexp, not the sum of the logarithms.",
        ),
        behaves_like(
            lambda numbers, logs: -(numbers.log_softmax(-1) + logs).amax(-1),
            "that is the cost of the likeliest component alone; add all of them up.",
        ),
        shows(
            _infinite,
            "exp(−1000) is 0 and log 0 is infinite. Stay in logarithms: logsumexp takes the largest out.",
        ),
    ),
    hints=(
        "Feed it one point. What are its weights?",
        "Which axis of (B, M) holds the components of one point?",
        "torch.log_softmax(weight_numbers, dim=-1)",
    ),
    shown="Weights sum to 1 for every point by itself, so the density integrates to 1 and its cost means "
    "something.",
)

# ------------------------------------------------------------------------------------------------ 4: the bias


def _told(bias: float, seed: int) -> Callable[[], tuple]:
    def arguments() -> tuple:
        draw = _drawn(seed)
        return draw(3, 4), draw(3, 4, 2), bias

    return arguments


SHARPENED = Exercise(
    name="sharpened",
    statement="Let a trained network write neater without training it again.",
    stub='''def sharpened(weight_numbers, log_deviation, bias):
    """weight_numbers (B, M), log_deviation (B, M, 2), bias -> weights (B, M), deviations (B, M, 2)."""
    return ...
''',
    solution=sharpened,
    cases=(
        Case("a bias of 0.4", _told(0.4, 6)),
        Case("a bias of 1", _told(1.0, 5)),
        Case("no bias", _told(0.0, 7)),
    ),
    observe=returns("the weights", "the deviations"),
    diagnoses=(
        behaves_like(
            lambda w, s, b: (w.softmax(-1), s.exp()), "the bias is not used; with bias 0 this is right."
        ),
        behaves_like(
            lambda w, s, b: (w.softmax(-1), (s - b).exp()),
            "the deviations are right; the weights sharpen too: their numbers are multiplied by 1 + b. "
            "(A softmax does not notice what is added to all its numbers.)",
        ),
        behaves_like(
            lambda w, s, b: ((w * (1 + b)).softmax(-1), s.exp()),
            "the weights are right; the deviations shrink too: b is subtracted from their logarithm.",
        ),
        behaves_like(
            lambda w, s, b: ((w * (1 + b)).softmax(-1), (s + b).exp()),
            "the deviations grow with the bias; neater writing needs them to shrink.",
        ),
        behaves_like(
            lambda w, s, b: ((w * (1 + b)).softmax(-1), s.exp() - b),
            "subtract b from the logarithm, before exp: a deviation must stay above 0.",
        ),
        behaves_like(
            lambda w, s, b: ((w * b).softmax(-1), (s - b).exp()),
            "1 + b, not b: without bias the numbers must stay as they are.",
        ),
        behaves_like(
            lambda w, s, b: (w.softmax(-1) * (1 + b), (s - b).exp()),
            "multiply before the softmax, or the weights sum to 1 + b.",
        ),
    ),
    hints=(
        "Both are ways to make a likely thing likelier. What is the temperature of a softmax?",
        "Graves 2013, equations 61 and 62: exp(σ̂ − b), and exp(π̂ (1 + b)) over its sum.",
        "torch.softmax(weight_numbers * (1 + bias), -1), torch.exp(log_deviation - bias)",
    ),
    shown="The bias is the temperature of lesson 02 for a density; turned high, all lines look alike.",
)

EXERCISES = (LOG_GAUSSIAN, LETTERS_READ, MIXTURE_COST, SHARPENED)

# ------------------------------------------------------------------------------------------------ the quiz

QUIZ = (
    Question(
        "The cost of a held-out point is −0.5 nats. Is something wrong?",
        (
            Option("Yes, a cost is never below 0.", "that holds for probabilities; this is a density."),
            Option(
                "No.",
                "a density may be above 1, and the unit matters: in other units of length it would be "
                "another number.",
                right=True,
            ),
            Option("The network has overfitted.", "the point is held out."),
        ),
    ),
    Question(
        "Why a mixture, when one Gaussian has the same mean?",
        (
            Option("It trains faster.", "each step costs more."),
            Option(
                "The next point may lie here or there, and between them there is no ink.",
                "the mean of two ways round is neither of them.",
                right=True,
            ),
            Option("One Gaussian cannot lean.", "it has a correlation as well."),
        ),
    ),
    Question(
        "Which of these can attention of lesson 12 do, and the soft window cannot?",
        (
            Option("Read two letters at once.", "several Gaussians, or a wide one, do that."),
            Option(
                "Go back to an earlier letter.",
                "the place of every Gaussian grows by exp of something, which is above 0.",
                right=True,
            ),
            Option("Be trained by gradients.", "both are smooth, and a gradient passes through either."),
        ),
    ),
    Question(
        "How does the network know that it has finished?",
        (
            Option("It draws an END sign.", "it draws offsets and lifts; there is no sign."),
            Option(
                "Its window reads the place behind the last letter most.",
                "that is the rule of section 5.3; nothing else in the network says so.",
                right=True,
            ),
            Option("It counts points.", "two lines of one text have different numbers of points."),
        ),
    ),
    Question(
        "You raise the bias from 0 to 5. What do you expect?",
        (
            Option("Letters that the network had not learnt.", "it writes the same, more surely."),
            Option("Larger letters.", "the means of the components stay where they are."),
            Option(
                "Tidier lines that differ less from draw to draw.",
                "deviations shrink by exp(5) and the likeliest component wins nearly always.",
                right=True,
            ),
        ),
    ),
    Question(
        "To write in your hand, the network first reads a line of yours. Which of its weights change?",
        (
            Option("The readout's.", "nothing is trained here."),
            Option("None.", "your hand is in the state that the line leaves behind.", right=True),
            Option("The window's.", "the window only moves on."),
        ),
    ),
)
