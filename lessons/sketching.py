"""A network that goes on drawing: strokes as offsets of a pen, the next one drawn from a density.

It is the prediction network of Graves (2013, section 4) with any cell: it reads offsets (dx, dy, lifted) and
answers with a mixture of two-dimensional Gaussians (lessons.mixture_density). It is told no text, so strokes
of any kind will do: letters, doodles, kanji.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy
import torch
from jaxtyping import Float
from torch import Generator, Tensor

from lessons import mixture_density, own_hand, pen
from lessons.arguments import Count, Seed, Share, explained
from lessons.corpora import Provenance
from lessons.errors import LessonError
from lessons.handwritten import Bias
from lessons.ink import Ink
from lessons.mixture_density import PER_COMPONENT
from lessons.pages import moved_on, written
from lessons.sequence_model import SequenceModel
from lessons.window_task import WindowTask

FEWEST = 200  # points of a pen, in all pieces together
HELD = {"train": 0.8, "valid": 0.1}
UNIT = "nats per point"
COMPARED = 10  # components of the constant mixture that the curve is compared with
MOST_FITTED = 5_000  # points that mixture is fitted to
SAMPLE = """
and all the world was still the river ran under a white moon and over the hill came the sound of a bell
as if somebody far away had begun to write a long letter about the sea and the wind that moves it in
winter when ships stay at home and men tell stories of islands nobody has seen since their fathers were
young then one by one the lamps go out and only the clock goes on counting minutes until morning
"""


@dataclass(frozen=True, eq=False, repr=False)
class Strokes:
    """Pieces of ink in the order in which they were written, with where they come from."""

    name: str
    inks: tuple[Ink, ...]
    provenance: Provenance

    @property
    def offsets(self) -> Float[Tensor, "points 3"]:
        """All pieces as one row, the hand moving on in the air between them."""
        rows = [numpy.concatenate([ink.offsets, [moved_on(ink)]]) for ink in self.inks]
        return torch.from_numpy(numpy.concatenate(rows).astype(numpy.float32))

    @property
    def parts(self) -> dict[str, Float[Tensor, "points 3"]]:
        """The offsets cut in time, each cut at the end of a stroke."""
        rows, ends, start, found = self.offsets, [], 0, {}
        ends = (rows[:, 2] > 0.5).nonzero()[:, 0] + 1
        for part, share in HELD.items():
            wanted = start + share * len(rows)
            later = ends[ends >= wanted]
            end = int(later[0]) if len(later) and later[0] < len(rows) - 2 else round(wanted)
            found[part], start = rows[start:end], end
        return found | {"test": rows[start:]}

    def __repr__(self) -> str:
        lifted = sum(int(ink.offsets[:, 2].sum()) for ink in self.inks)
        return (
            f"Strokes({self.name!r}, {len(self.inks)} pieces, {lifted} strokes, {len(self.offsets):,} points)"
        )


@explained
def of(inks: Sequence[Ink], name: str = "your strokes", provenance: Provenance | None = None) -> Strokes:
    """Strokes of pieces of ink. Raises LessonError for fewer than 200 points."""
    points = sum(map(len, inks))
    if points < FEWEST:
        raise LessonError(
            f"{name!r} has {points} points of a pen, too few to learn from; write more pieces, {FEWEST} "
            "points or more in all."
        )
    if provenance is None:
        digest = hashlib.sha256(b"".join(ink.offsets.tobytes() for ink in inks)).hexdigest()
        told = f"your own strokes, {points:,} points"
        provenance = Provenance(name, name, told, digest, "no licence stated", "", "yours")
    return Strokes(name, tuple(inks), provenance)


@explained
def read(content: bytes, name: str = "your strokes") -> Strokes:
    """Strokes of a file of the pad, one piece or a list; LessonError as from lessons.own_hand."""
    if len(content) > own_hand.LARGEST:
        own_hand.parse(content, name)
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        found = None  # parse says what is wrong
    pieces = found if isinstance(found, list) and found else [None]
    texts = [content] if pieces == [None] else [json.dumps(piece).encode() for piece in pieces]
    return of([own_hand.ink(*own_hand.parse(text, name)) for text in texts], name)


@explained
def kept() -> Strokes:
    """All that the pad keeps in data/user/handwriting. Raises LessonError where it keeps too little."""
    pieces = [own_hand.ink(*own_hand.load(name), name) for name in own_hand.names()]
    return of(pieces, "your own hand")


@explained
def sample(hand: str = "clerk", words: Count = 60) -> Strokes:
    """Words written by the course's pen (lessons.pen): strokes to try things with."""
    if hand not in pen.HANDS:
        raise LessonError(f"The hand is one of {', '.join(pen.HANDS)}; {hand!r} is not.")
    inks = [written(word, [hand]) for word in SAMPLE.split()[:words]]
    digest = hashlib.sha256(b"".join(ink.offsets.tobytes() for ink in inks)).hexdigest()
    told = f"written by lessons.pen in the hand {hand!r}, with A. V. Hershey's letters"
    return of(inks, "pen", Provenance("pen", "pen", told, digest, "MIT", "", "made here"))


class Sketcher(SequenceModel):
    """Recurrent layers that read a pen's offsets and answer with a density of the next one.

    cell: a name of lessons.sequence_model.CELLS. components: Gaussians of the mixture. name: of what it
    learnt from, for pages and pictures.
    """

    @explained
    def __init__(
        self,
        cell: str = "lstm",
        hidden_size: Count = 96,
        num_layers: Count = 1,
        components: Count = 10,
        name: str = "strokes",
        dropout: Share = 0.0,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__(
            3, PER_COMPONENT * components + 1, cell, hidden_size, num_layers, "all",
            dropout=dropout if num_layers > 1 else 0.0, device=device, dtype=dtype,
        )  # fmt: skip
        self.components, self.name = components, name

    def nats(self, sequence: Float[Tensor, "batch steps 3"]) -> Float[Tensor, "batch following"]:
        """The cost of every offset but the first, given those before it."""
        numbers, _ = self(sequence[:, :-1])
        return mixture_density.nats(mixture_density.mixture(numbers), sequence[:, 1:])

    def config(self) -> dict[str, Any]:
        """What rebuilds this model, weights aside."""
        shared = super().config()
        kept = {name: shared[name] for name in ("cell", "hidden_size", "num_layers", "dropout")}
        return kept | {"components": self.components, "name": self.name}


@explained
@torch.no_grad()
def draw_on(
    model: Sketcher, ink: Ink | None = None, points: Count = 200, bias: Bias = 0.5, seed: Seed = 0
) -> Ink:
    """So many points more, going on from a piece of ink or from a blank sheet; the same for the same seed."""
    weight, dice = model.readout.weight, Generator(device="cpu").manual_seed(seed)
    before = torch.zeros(1, 3, device="cpu") if ink is None else torch.from_numpy(ink.offsets)
    numbers, state = model(before.to(weight)[None])
    numbers, found = numbers[:, -1], []
    for _ in range(points):
        x = mixture_density.draw(mixture_density.mixture(numbers.cpu().float(), bias), dice)
        found.append(x[0])
        numbers, state = model(x.to(weight)[None], state)
        numbers = numbers[:, -1]
    found[-1] = found[-1].clone()
    found[-1][2] = 1  # the last point ends its stroke, whatever was drawn
    return Ink(torch.stack(found).numpy().astype(numpy.float32), "", hand=model.name)


@explained
def task(model: Sketcher, data: Strokes, preset: Any, seed: Seed = 0) -> WindowTask:
    """Learning to draw, for `fit`."""
    return WindowTask(
        model, data.parts, preset, seed, name="sketching", unit=UNIT, provenance=asdict(data.provenance),
        constant=lambda part: baselines(data, part),
    )  # fmt: skip


@explained
def build(data: Strokes, cell: str, hidden_size: Count, num_layers: Count, seed: Seed = 0) -> Sketcher:
    """A new network, first weights drawn from `seed`; torch's generator is left alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Sketcher(cell, hidden_size, num_layers, name=data.name)


@explained
def baselines(data: Strokes, part: str = "valid") -> dict[str, float]:
    """Nats per point of densities that stay the same at every point: one Gaussian, and a mixture of ten."""
    parts, found = data.parts, {}
    known, held = parts["train"][:MOST_FITTED], parts[part].double()
    for components, name in ((1, "one Gaussian"), (COMPARED, f"constant mixture of {COMPARED}")):
        mix = mixture_density.fitted(known, components)
        spread = type(mix)(*(one.expand(len(held), *one.shape) for one in mix))
        found[name] = float(mixture_density.nats(spread, held).mean())
    return found
