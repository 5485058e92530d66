"""A network that forecasts a series: a density of the next value, and paths drawn from it step by step.

The answer is a mixture of Gaussians (Bishop 1994, Mixture density networks), so that a forecast says how sure
it is. Its means are counted from the last value: a network that has learnt nothing yet forecasts "as now",
give or take, which is the baseline that it must beat.
"""

import math
from dataclasses import asdict
from typing import Annotated, Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from lessons.arguments import Between, Count, Seed, Share, explained
from lessons.errors import LessonError
from lessons.sequence_model import SequenceModel
from lessons.series import Series
from lessons.window_task import WindowTask

NARROWEST, WIDEST = -6.0, 3.0  # logarithms of standard deviations, in those of the training part
PER_COMPONENT = 3
UNIT = "nats per value"
AVERAGE, LAST, SEASON = "always the average", "the last value", "one season ago"
Quantile = Annotated[float | int, Between(0, 1)]


class Density(NamedTuple):
    """A mixture of Gaussians over the next value, (..., M): log weights, means, log standard deviations."""

    log_weights: Float[Tensor, "*batch components"]
    mean: Float[Tensor, "*batch components"]
    log_deviation: Float[Tensor, "*batch components"]


def density(numbers: Float[Tensor, "*batch numbers"], last: Float[Tensor, "*batch"]) -> Density:
    """The mixture that 3 M numbers stand for, its means counted from the last value."""
    weights, means, deviations = numbers.chunk(PER_COMPONENT, -1)
    return Density(weights.log_softmax(-1), last[..., None] + means, deviations.clamp(NARROWEST, WIDEST))


def nats(mix: Density, value: Float[Tensor, "*batch"]) -> Float[Tensor, "*batch"]:
    """What a value costs: minus its log density."""
    z = (value[..., None] - mix.mean) * (-mix.log_deviation).exp()
    each = mix.log_weights - mix.log_deviation - z**2 / 2 - math.log(2 * math.pi) / 2
    return -each.logsumexp(-1)


def draw(mix: Density, generator: Generator) -> Float[Tensor, " batch"]:
    """One value from each mixture of a batch."""
    chosen = torch.multinomial(mix.log_weights.exp(), 1, generator=generator)
    mean, deviation = (part.gather(-1, chosen)[:, 0] for part in (mix.mean, mix.log_deviation))
    place = {"device": mean.device, "dtype": mean.dtype}
    return mean + deviation.exp() * torch.randn(len(mean), generator=generator, **place)


class Forecaster(SequenceModel):
    """Recurrent layers that read a series and answer at every step with a density of the next value.

    cell: a name of lessons.sequence_model.CELLS. components: Gaussians of the mixture. mean, deviation: of
    the training part; the network sees and answers in standardised values, `forecast` in the series' own.
    name: of the series, for pages and pictures.
    """

    @explained
    def __init__(
        self,
        cell: str = "lstm",
        hidden_size: Count = 64,
        num_layers: Count = 1,
        components: Count = 3,
        mean: float | int = 0.0,
        deviation: float | int = 1.0,
        name: str = "a series",
        dropout: Share = 0.0,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__(
            1, PER_COMPONENT * components, cell, hidden_size, num_layers, "all",
            dropout=dropout if num_layers > 1 else 0.0, device=device, dtype=dtype,
        )  # fmt: skip
        if not deviation > 0:
            raise LessonError(f"The deviation is above 0; {deviation} is not.")
        self.components, self.mean, self.deviation, self.name = components, mean, deviation, name

    def standard(self, values: Float[Tensor, " time"]) -> Float[Tensor, "time 1"]:
        """Values as the network reads them: in standard deviations from the training part's mean."""
        return ((values - self.mean) / self.deviation)[:, None].to(self.readout.weight)

    def nats(self, sequence: Float[Tensor, "batch steps 1"]) -> Float[Tensor, "batch following"]:
        """The cost of every standardised value but the first, given those before it."""
        numbers, _ = self(sequence[:, :-1])
        return nats(density(numbers, sequence[:, :-1, 0]), sequence[:, 1:, 0])

    def config(self) -> dict[str, Any]:
        """What rebuilds this model, weights aside."""
        own = {name: getattr(self, name) for name in ("components", "mean", "deviation", "name")}
        shared = super().config()
        return {name: shared[name] for name in ("cell", "hidden_size", "num_layers", "dropout")} | own


@explained
@torch.no_grad()
def forecast(
    model: Forecaster,
    history: Float[Tensor, " time"],
    horizon: Count = 24,
    paths: Count = 200,
    seed: Seed = 0,
) -> Float[Tensor, "paths horizon"]:
    """Paths that go on from a history, in its own unit, each value drawn from the density that led to it.

    Raises LessonError for a history that is empty or holds what is no finite number.
    """
    if not len(history) or not bool(history.isfinite().all()):
        raise LessonError("A forecast goes on from finite values; this history has none or a gap.")
    training = model.training
    model.eval()
    numbers, state = model(model.standard(history)[None])
    last = model.standard(history[-1:])[:, 0].expand(paths)
    numbers, state = numbers[:, -1].expand(paths, -1), _repeated(state, paths)
    dice, found = Generator(device=last.device).manual_seed(seed), []
    for step in range(horizon):
        last = draw(density(numbers, last), dice)
        found.append(last)
        if step + 1 < horizon:
            numbers, state = model(last[:, None, None], state)
            numbers = numbers[:, -1]
    model.train(training)
    return (torch.stack(found, 1).to("cpu", torch.float64) * model.deviation) + model.mean


def _repeated(state: Any, paths: int) -> Any:
    """A state of one sequence for many."""
    if isinstance(state, Tensor):
        return state.expand(-1, paths, -1).contiguous()
    return tuple(_repeated(part, paths) for part in state)


@explained
def task(model: Forecaster, data: Series, preset: Any, seed: Seed = 0) -> WindowTask:
    """Learning to forecast a series, for `fit`."""
    parts = {part: model.standard(getattr(data, part)).cpu() for part in ("train", "valid", "test")}
    return WindowTask(
        model, parts, preset, seed, name="forecast", unit=UNIT, provenance=asdict(data.provenance),
        constant=lambda part: baselines(data, part),
    )  # fmt: skip


@explained
def build(data: Series, cell: str, hidden_size: Count, num_layers: Count, seed: Seed = 0) -> Forecaster:
    """A new network for a series, first weights drawn from `seed`; torch's generator is left alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Forecaster(
            cell, hidden_size, num_layers, mean=data.mean, deviation=data.deviation, name=data.name
        )


@explained
def baselines(data: Series, part: str = "valid") -> dict[str, float]:
    """Nats per value of forecasts that need no network, each with the error it usually makes.

    The average of the training part, the last value (with the usual change), and, where the series repeats
    itself, the value one season ago; Gaussians whose mean and deviation of error are the training part's.
    """
    if part not in ("valid", "test"):
        raise LessonError(f'Baselines are for "valid" or "test"; {part!r} is neither.')
    begin, end = (data.cuts[0], data.cuts[1]) if part == "valid" else (data.cuts[1], len(data.values))
    found = {}
    for name, guessed in simple(data).items():
        errors = (data.values - guessed) / data.deviation
        known = errors[: data.cuts[0]]
        known = known[known.isfinite()]
        mean, deviation = known.mean(), known.std(correction=0).clamp_min(math.exp(NARROWEST))
        cost = ((errors[begin:end] - mean) / deviation) ** 2 / 2 + deviation.log()
        found[name] = float(cost.mean()) + math.log(2 * math.pi) / 2
    return found


@explained
def simple(data: Series) -> dict[str, Float[Tensor, " time"]]:
    """The one-step forecasts of the baselines at every place, in the series' unit; nan where is none."""
    ways = {AVERAGE: torch.full_like(data.values, data.mean), LAST: _behind(data.values, 1)}
    if data.season:
        ways[SEASON] = _behind(data.values, data.season)
    return ways


def _behind(values: Tensor, steps: int) -> Tensor:
    """Each value's place taken by the one so many steps before it."""
    return torch.cat([values.new_full((steps,), math.nan), values[:-steps]])


@explained
def fan(
    paths: Float[Tensor, "paths horizon"], at: tuple[Quantile, ...] = (0.05, 0.25, 0.5, 0.75, 0.95)
) -> Float[Tensor, "quantiles horizon"]:
    """Quantiles of paths at every step ahead."""
    return paths.quantile(torch.tensor(at, dtype=paths.dtype, device=paths.device), 0)
