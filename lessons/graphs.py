"""Graphs to learn by heart and to walk in: after the graph tasks of Graves et al. (2016), "Hybrid computing".

A map is told as triples in random order, one a step: from a station, on a line in a direction, to the next
station. Then comes a question. Maps are drawn at random, little undergrounds with stations that have numbers
instead of names, so that nothing can be known of a map but what was told.

    traversal       start at 37, take the red line up: where? then the blue one down: where? ...
    shortest_path   from 37 to 52: which stations does the shortest way go through?
"""

import itertools
import random
from collections import deque
from collections.abc import Callable, Sequence
from typing import Annotated, NamedTuple

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from lessons.arguments import Between, Count, explained
from lessons.errors import LessonError
from lessons.fields import Fields, Step, episode
from lessons.memory_tasks import Episode

LINES = ("Bakerloo", "Central", "Circle", "District", "Hammersmith & City", "Jubilee", "Metropolitan",
         "Northern (Bank)", "Northern (Charing Cross)", "Piccadilly", "Victoria",
         "Waterloo & City")  # fmt: skip
WAYS = ("up", "down")
DIGITS = tuple("0123456789")
NAMES = tuple(f"{number:02d}" for number in range(100))
INPUTS = Fields(
    {"from, tens": DIGITS, "from, ones": DIGITS, "line": LINES, "way": WAYS, "to, tens": DIGITS,
     "to, ones": DIGITS, "sign": ("?",)}
)  # fmt: skip
OUTPUTS = Fields({"tens": DIGITS, "ones": DIGITS})
ASKED = 8  # steps of a traversal that are asked for
FARTHEST = 4  # hops of one walk, and of a shortest path
PLANNING = 4  # empty steps between a question for a shortest path and its answer
TRIES = 200  # maps drawn before giving up on one with a shortest path of a certain length
Stations = Annotated[int, Between(3, len(NAMES))]


class Edge(NamedTuple):
    """From a station on a line, one way, to the next."""

    start: str
    line: str
    way: str
    end: str


Map = tuple[Edge, ...]
Draw = Callable[[random.Random], Map]


@explained
def traversal(count: Count, size: Stations, generator: Generator | None = None) -> Episode:
    """Walk: `count` random maps of `size` stations, each with questions at its last ASKED steps.

    A question names a station, a line and a way, and is answered at once with the next station. Questions
    that follow name no station: they go on from there, for one to `size` - 2 hops in all, at most FARTHEST.
    """
    return walks(lambda dice: random_map(size, dice), count, generator)


@explained
def shortest_path(count: Count, size: Stations, generator: Generator | None = None) -> Episode:
    """The way: `count` random maps of `size` stations, and two stations of each.

    PLANNING empty steps follow the question, then the stations after the first are asked for, one a step.
    In all maps of a batch the way is equally long, and the only one of its length.
    """
    return ways(lambda dice: random_map(size, dice), count, size, generator)


def walks(draw: Draw, count: int, generator: Generator | None) -> Episode:
    """Traversal of maps from `draw`."""
    dice = seeded(generator)
    return episode(INPUTS, OUTPUTS, [walk(draw(dice), dice) for _ in range(count)])


def ways(draw: Draw, count: int, size: int, generator: Generator | None) -> Episode:
    """Shortest paths in maps from `draw`, whose maps have `size` stations."""
    dice = seeded(generator)
    hops = dice.randint(1, min(FARTHEST, size // 2))
    return episode(INPUTS, OUTPUTS, [way(draw, hops, dice) for _ in range(count)])


def walk(edges: Map, dice: random.Random, asked: int = ASKED) -> list[Step]:
    """A map told in random order, and `asked` questions in walks; small maps have short walks."""
    steps, farthest = told(edges, dice), min(FARTHEST, len({edge.start for edge in edges}) - 2)
    while asked:
        hops = min(asked, dice.randint(1, farthest))
        place = dice.choice(edges).start
        for hop in range(hops):
            edge = dice.choice([one for one in edges if one.start == place])
            begin = station("from", place) if hop == 0 else {}
            steps.append(Step({**begin, "line": edge.line, "way": edge.way, "sign": "?"}, named(edge.end)))
            place = edge.end
        asked -= hops
    return steps


def way(draw: Draw, hops: int, dice: random.Random) -> list[Step]:
    """A map told in random order, two stations `hops` apart, and the stations between them."""
    for _ in range(TRIES):
        edges = draw(dice)
        pairs = [(a, b) for a in sorted({edge.start for edge in edges}) for b in apart(edges, a, hops)]
        if pairs:
            start, end = dice.choice(pairs)
            (only,) = shortest(edges, start, end)
            asks = Step({**station("from", start), **station("to", end)})
            answers = [Step({"sign": "?"}, named(name)) for name in only[1:]]
            return [*told(edges, dice), asks, *[Step({})] * PLANNING, *answers]
    raise LessonError(f"No map with two stations {hops} hops apart was found; ask for larger maps.")


def random_map(size: int, dice: random.Random) -> Map:
    """A connected map: each station is joined to one of the last two, and some more pairs to one another.

    There are few lines, so that neither the station nor the line alone tells where an edge leads; from a
    station at most one edge leads along a line one way.
    """
    names, lines = dice.sample(NAMES, size), dice.sample(LINES, min(len(LINES), max(2, size // 2)))
    pairs = [(names[dice.randrange(max(0, k - 2), k)], names[k]) for k in range(1, size)]
    apart = [(a, b) for k, b in enumerate(names) for a in names[:k] if (a, b) not in pairs]
    pairs += dice.sample(apart, min(len(apart), size // 3))
    edges: list[Edge] = []
    for a, b in pairs:
        taken = {(edge.start, edge.line, edge.way) for edge in edges}
        free = [
            along(line, ends)
            for line in lines
            for ends in ((a, b), (b, a))
            if not taken & {edge[:3] for edge in along(line, ends)}
        ]
        edges += dice.choice(free or [along(_spare(taken, a, b), (a, b))])
    return tuple(edges)


def _spare(taken: set[tuple[str, str, str]], a: str, b: str) -> str:
    """A line that neither station is on yet, for stations where many lines meet."""
    return next(line for line in LINES if not {(a, line, WAYS[0]), (b, line, WAYS[1])} & taken)


def along(line: str, stations: Sequence[str]) -> list[Edge]:
    """The edges of a line that stops at these stations: up in their order, and down again."""
    pairs = list(itertools.pairwise(stations))
    return [Edge(a, line, WAYS[0], b) for a, b in pairs] + [Edge(b, line, WAYS[1], a) for a, b in pairs]


def told(edges: Map, dice: random.Random) -> list[Step]:
    """A map as triples in random order."""
    return [
        Step({**station("from", start), "line": line, "way": way, **station("to", end)})
        for start, line, way, end in dice.sample(edges, len(edges))
    ]


def apart(edges: Map, start: str, hops: int) -> list[str]:
    """The stations so many hops away to which only one way is that short."""
    found = {name: paths for name, paths in _reach(edges, start).items() if len(paths[0]) == hops + 1}
    return sorted(name for name, paths in found.items() if len(paths) == 1)


def shortest(edges: Map, start: str, end: str) -> list[list[str]]:
    """All shortest ways between two stations, as lists of stations, both ends included."""
    return _reach(edges, start).get(end, [])


def _reach(edges: Map, start: str) -> dict[str, list[list[str]]]:
    """All shortest ways to every station that can be reached, the nearest first."""
    found, queue = {start: [[start]]}, deque([start])
    while queue:
        place = queue.popleft()
        for end in sorted({edge.end for edge in edges if edge.start == place}):
            longer = [[*path, end] for path in found[place]]
            if end not in found:
                found[end] = longer
                queue.append(end)
            elif len(found[end][0]) == len(longer[0]):
                found[end] += longer
    return found


def station(field: str, name: str) -> dict[str, str]:
    """A station's two digits in the fields "from" or "to"."""
    return {f"{field}, tens": name[0], f"{field}, ones": name[1]}


def named(name: str) -> dict[str, str]:
    """A station's two digits as an answer."""
    return {"tens": name[0], "ones": name[1]}


def seeded(generator: Generator | None) -> random.Random:
    """Python's dice, thrown by torch's."""
    return random.Random(int(torch.randint(2**31, (), generator=generator)))


def caption(x: Float[Tensor, " input"], names: Sequence[str] = NAMES) -> str:
    """The words of an input vector; `names` stand for the numbers of stations."""
    words = INPUTS.read(x)
    parts = [_name(words, "from, ", names), words.get("line"), words.get("way"), _name(words, "to, ", names)]
    if parts[0] and parts[3] and not parts[1]:
        parts.insert(1, "to")
    return " ".join(filter(None, [*parts, words.get("sign")]))


def answer(logits: Float[Tensor, " output"], names: Sequence[str] = NAMES) -> str:
    """The station that an answer, or a target, names."""
    return _name(OUTPUTS.guess(logits), "", names)


def _name(words: dict[str, str], field: str, names: Sequence[str]) -> str:
    number = words.get(f"{field}tens", "") + words.get(f"{field}ones", "")
    return names[int(number)] if len(number) == 2 and int(number) < len(names) else number
