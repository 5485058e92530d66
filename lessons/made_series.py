"""Series of the course's own: tides, a star's spots, and a walk that nobody can forecast.

Each is drawn from a seed, so that a claim can be tried on five of them. None is a measurement.
"""

import hashlib
from collections.abc import Callable
from typing import Annotated

import numpy
from numpy.random import Generator

from lessons import series
from lessons.arguments import Between, Seed, explained
from lessons.corpora import Provenance
from lessons.errors import LessonError
from lessons.series import LONGEST, SHORTEST, Series

Length = Annotated[int, Between(SHORTEST, LONGEST)]

# Periods in hours of the five largest partial tides (M2, S2, N2, K1, O1), and usual heights in metres.
TIDES = ((12.4206, 1.2), (12.0, 0.4), (12.6583, 0.25), (23.9345, 0.15), (25.8193, 0.1))
MONTHS = 132.0  # of a cycle of spots, on average


def tides(length: int, dice: Generator) -> numpy.ndarray:
    """Hourly sea level in metres: five partial tides of random phase, and wind that comes and goes."""
    hours = numpy.arange(length)
    phases = dice.uniform(0, 2 * numpy.pi, len(TIDES))
    level = sum(
        height * numpy.cos(2 * numpy.pi * hours / period + phase)
        for (period, height), phase in zip(TIDES, phases, strict=True)
    )
    return level + 0.15 * _lasting(length, 0.97, dice) + 0.03 * dice.normal(size=length)


def spots(length: int, dice: Generator) -> numpy.ndarray:
    """Monthly counts of spots on a star: cycles of about eleven years that differ in length and height.

    A cycle rises faster than it falls, and the counts scatter the more the higher they are.
    """
    found: list[numpy.ndarray] = []
    while sum(map(len, found)) < length + MONTHS:
        months = round(MONTHS * dice.uniform(0.8, 1.2))
        place = numpy.arange(months) / months
        shape = (place / 0.38) ** 2 * numpy.exp(1 - (place / 0.38) ** 2) * (1 - place**6)
        found.append(dice.uniform(60, 180) * shape)
    cut = dice.integers(MONTHS)
    mean = numpy.concatenate(found)[cut : cut + length]
    return numpy.maximum(0, mean + numpy.sqrt(mean + 4) * _lasting(length, 0.6, dice) * 1.5)


def walk(length: int, dice: Generator) -> numpy.ndarray:
    """Sums of independent steps: the last value is the best forecast there is."""
    return 100 + dice.normal(size=length).cumsum()


MADE: dict[str, tuple[Callable[[int, Generator], numpy.ndarray], str]] = {
    "tides": (tides, "sea level (m)"),
    "spots": (spots, "spots on a star"),
    "walk": (walk, "a random walk"),
}


@explained
def make(name: str, length: Length = 3000, seed: Seed = 0) -> Series:
    """A series of MADE; the same for the same seed. Raises LessonError for an unknown name."""
    if name not in MADE:
        raise LessonError(f"There is no series {name!r}; choose one of {', '.join(MADE)}.")
    function, column = MADE[name]
    values = function(length, numpy.random.default_rng(seed))
    digest = hashlib.sha256(values.tobytes()).hexdigest()
    told = f"made by lessons.made_series, seed {seed}, {length:,} values"
    provenance = Provenance(name, name, told, digest, "MIT", "", "made here")
    return series.of(values.tolist(), name, column, (column,), provenance=provenance)


def _lasting(length: int, memory: float, dice: Generator) -> numpy.ndarray:
    """Noise of unit variance that remembers a share of its last value."""
    found, value = numpy.empty(length), dice.normal()
    for step, push in enumerate(dice.normal(size=length) * numpy.sqrt(1 - memory**2)):
        value = memory * value + push
        found[step] = value
    return found
