"""Zone 1 of the London Underground as a map to walk in, for networks that were taught on made-up maps.

Lines and stations are facts typed by hand for this course, simplified where the file says so
(data/samples/underground-zone-1.json). A station's number is its place in the alphabet, so that a network
which was never told a name, only numbers, can be asked about it.
"""

import json
import random
from functools import lru_cache
from typing import Annotated, Any

from jaxtyping import Float
from torch import Generator, Tensor

from lessons import graphs, sources
from lessons.arguments import Between, Count, explained
from lessons.graphs import NAMES, Map, along
from lessons.memory_tasks import Episode

FILE = "underground-zone-1.json"
INPUTS, OUTPUTS = graphs.INPUTS, graphs.OUTPUTS
ALL = 65  # stations of the zone
Stations = Annotated[int, Between(3, ALL)]


@lru_cache(maxsize=1)
def facts() -> dict[str, Any]:
    """What the file says."""
    return json.loads((sources.data_folder() / "samples" / FILE).read_text(encoding="utf-8"))


def lines() -> dict[str, tuple[str, ...]]:
    """The stations of each line inside the zone, in their order."""
    return {line: tuple(stops) for line, stops in facts()["lines"].items()}


def places() -> dict[str, tuple[float, float]]:
    """About how many kilometres east and north of Charing Cross each station lies."""
    return {name: tuple(place) for name, place in facts()["places"].items()}


@lru_cache(maxsize=1)
def stations() -> tuple[str, ...]:
    """The names of all stations; a station's place here is its number."""
    return tuple(sorted({name for stops in lines().values() for name in stops}))


@lru_cache(maxsize=1)
def zone() -> Map:
    """The whole map, both ways along every line, stations by their numbers."""
    number = dict(zip(stations(), NAMES, strict=False))
    return tuple(
        edge for line, stops in lines().items() for edge in along(line, [number[name] for name in stops])
    )


def region(size: int, dice: random.Random) -> Map:
    """`size` stations that hang together, grown from a random one, and every stretch between two of them."""
    edges = zone()
    inside = {dice.choice(edges).start}
    while len(inside) < size:
        inside.add(dice.choice(sorted({edge.end for edge in edges if edge.start in inside} - inside)))
    return tuple(edge for edge in edges if edge.start in inside and edge.end in inside)


@explained
def traversal(count: Count, size: Stations, generator: Generator | None = None) -> Episode:
    """Walks, as lessons.graphs.traversal, in `count` regions of `size` stations; 65 are the whole zone."""
    return graphs.walks(lambda dice: region(size, dice), count, generator)


@explained
def shortest_path(count: Count, size: Stations, generator: Generator | None = None) -> Episode:
    """Shortest ways, as lessons.graphs.shortest_path, in `count` regions of `size` stations."""
    return graphs.ways(lambda dice: region(size, dice), count, size, generator)


def caption(x: Float[Tensor, " input"]) -> str:
    """The words of an input vector, stations by their names."""
    return graphs.caption(x, stations())


def answer(logits: Float[Tensor, " output"]) -> str:
    """The station that an answer, or a target, names."""
    return graphs.answer(logits, stations())
