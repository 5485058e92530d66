"""A network that labels every step of a sequence, reading forward, backward or both; and its training."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor, nn
from torch.nn import functional

from lessons import labelled
from lessons.arguments import Count, Share, explained
from lessons.directions import BACKWARD, FORWARD, Backwards, Bidirectional
from lessons.errors import LessonError
from lessons.labelled import Labelled, Part
from lessons.presets import Number, Preset
from lessons.recurrent import Lengths
from lessons.sequence_model import CELLS, parameters

BOTH = "both"
DIRECTIONS = (FORWARD, BACKWARD, BOTH)


@dataclass(frozen=True)
class TagPreset(Preset):
    """Sizes of a labelling task and of its network.

    task: "phonemes" or "roles". direction: of DIRECTIONS. hidden_size: of each direction of the network that
    reads both ways; the other two get as many units as make their weights as many. blanks: the share of
    symbols that are covered up in training, so that a network knows what a blank is. train, held_out:
    sequences that are used, None for all.
    """

    learning_rate: Number = 1e-2
    warmup: int = 20
    evaluate_every: int = 100
    precision: str = "float32"
    threads: int | None = 1
    task: str = "phonemes"
    direction: str = BOTH
    cell: str = "lstm"
    hidden_size: Count = 64
    num_layers: Count = 1
    merge: str = "concat"
    embedding_size: Count = 24
    dropout: Share = 0.0
    batch_size: Count = 128
    blanks: Share = 0.03
    train: Count | None = None
    held_out: Count | None = 2000


class Tagger(nn.Module):
    """An embedding, recurrent layers that read `direction`, and a readout at every step."""

    @explained
    def __init__(
        self,
        symbols: Count,
        labels: Count,
        direction: str = BOTH,
        cell: str = "lstm",
        hidden_size: Count = 64,
        num_layers: Count = 1,
        merge: str = "concat",
        embedding_size: Count = 24,
        dropout: Share = 0.0,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        if direction not in DIRECTIONS:
            raise LessonError(f"The direction is one of {', '.join(DIRECTIONS)}; {direction!r} is not.")
        if cell not in CELLS:
            raise LessonError(f"The cell is one of {', '.join(CELLS)}; {cell!r} is not.")
        self.direction = direction
        self._config = {
            "symbols": symbols, "labels": labels, "direction": direction, "cell": cell,
            "hidden_size": hidden_size, "num_layers": num_layers, "merge": merge,
            "embedding_size": embedding_size, "dropout": dropout,
        }  # fmt: skip
        place = {"device": device, "dtype": dtype}
        self.embedding = nn.Embedding(symbols, embedding_size, **place)
        self.recurrent: nn.Module
        if direction == BOTH:
            self.recurrent = Bidirectional(
                embedding_size, hidden_size, cell, num_layers, merge, dropout=dropout, **place
            )
        else:
            sizes = (embedding_size, hidden_size, num_layers)
            layer = CELLS[cell](*sizes, batch_first=True, dropout=float(dropout), **place)
            self.recurrent = layer if direction == FORWARD else Backwards(layer)
        width = self.recurrent.features if direction == BOTH else hidden_size
        self.readout = nn.Linear(width, labels, **place)

    def config(self) -> dict[str, Any]:
        """What rebuilds this network, weights aside: `Tagger(**tagger.config())`."""
        return dict(self._config)

    @explained
    def forward(
        self, tokens: Int[Tensor, "batch time"], lengths: Lengths = None, cut: str | None = None
    ) -> Float[Tensor, "batch time labels"]:
        """The logits of every step's label. `cut` holds a direction at 0, in a network that has both."""
        return self.answer(self.embedding(tokens), lengths, cut)

    def answer(
        self, embedded: Float[Tensor, "batch time features"], lengths: Lengths = None, cut: str | None = None
    ) -> Float[Tensor, "batch time labels"]:
        """The same from what the embedding gave."""
        if self.direction == BOTH:
            output, _ = self.recurrent(embedded, lengths=lengths, cut=cut)
        elif cut is None:
            output, _ = self.recurrent(embedded, lengths=lengths)
        else:
            raise LessonError("Only a network that reads both ways has a direction to cut.")
        return self.readout(output)


@lru_cache(maxsize=64)
def equal_size(direction: str, symbols: int, labels: int, preset: TagPreset) -> int:
    """The number of units with which a network of a direction has as many weights as that with both."""
    if direction == BOTH:
        return preset.hidden_size

    def weights(way: str, hidden: int) -> int:
        return parameters(tagger(symbols, labels, preset.but(direction=way), hidden, "meta"))

    wanted = weights(BOTH, preset.hidden_size)
    low, high = preset.hidden_size // 2, 4 * preset.hidden_size
    while low < high:  # the first size that has as many
        middle = (low + high) // 2
        low, high = (middle + 1, high) if weights(direction, middle) < wanted else (low, middle)
    return min((low - 1, low), key=lambda hidden: abs(weights(direction, hidden) - wanted))


def tagger(
    symbols: int, labels: int, preset: TagPreset, hidden: int, device: torch.device | str | None = None
) -> Tagger:
    """A Tagger of a preset with so many units."""
    return Tagger(
        symbols, labels, preset.direction, preset.cell, hidden, preset.num_layers, preset.merge,
        preset.embedding_size, preset.dropout, device,
    )  # fmt: skip


@dataclass
class Tagging:
    """Learning to label: a Task for `fit`. A batch is a function of step and seed."""

    model: Tagger
    data: Labelled
    preset: TagPreset
    seed: int = 0
    unit: str = "bits per label"
    held: Mapping[str, Part] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.name = f"{self.data.name}, {self.preset.direction}"
        self.provenance = self.data.provenance.as_dict()
        train, held = self.data.parts["train"], self.preset.held_out
        self.train = train.first(self.preset.train or len(train))
        self.held = {name: part.first(held or len(part)) for name, part in self.data.parts.items()}
        self.part = slice(None)

    def batch(self, step: int) -> Part:
        """The sequences of a step, some of their symbols covered up."""
        dice = Generator(device="cpu").manual_seed(self.seed * 1_000_003 + step)
        rows = torch.randint(len(self.train), (self.preset.batch_size,), generator=dice)
        part = self.train.some(rows)
        covered = torch.rand(part.x.shape, generator=dice) < self.preset.blanks
        mine, x = self.part, part.x.masked_fill(covered, 0)
        return self.placed(Part(part.signs[mine], x[mine], part.y[mine], part.lengths[mine]))

    def placed(self, part: Part) -> Part:
        """A part on the model's device."""
        device = self.model.readout.weight.device
        return Part(part.signs, *(tensor.to(device) for tensor in (part.x, part.y, part.lengths)))

    def start(self) -> None:
        """Every sequence begins with a zero state."""
        return None

    def loss(self, batch: Part, carry: None = None) -> tuple[Float[Tensor, ""], None]:
        """Mean cross-entropy of the labels in bits."""
        return bits(self.model(batch.x, batch.lengths), batch.y), None

    @torch.no_grad()
    def evaluate(self, part: str = "valid") -> dict[str, float]:
        """Bits, and what share of labels and of whole sequences is right, on held-out sequences."""
        training = self.model.training
        self.model.eval()
        held = self.placed(self.held[part])
        logits = torch.cat(
            [self.model(x, n) for x, n in zip(held.x.split(1000), held.lengths.split(1000), strict=True)]
        )
        self.model.train(training)
        labels, whole = labelled.accuracy(logits.argmax(-1), held.y)
        data = self.data
        return {
            "valid": float(bits(logits, held.y)), f"{data.sign}s right": labels, f"{data.item}s right": whole
        }  # fmt: skip

    def baselines(self) -> dict[str, float]:
        """The bits of who knows how often each symbol has each label, and reads nothing around it."""
        counts = torch.full((len(self.data.symbols), len(self.data.labels)), 1e-3)
        part, held = self.train, self.held["valid"]
        asked = part.y >= 0
        counts.index_put_((part.x[asked], part.y[asked]), torch.ones(()), accumulate=True)
        chances = counts / counts.sum(1, keepdim=True)
        asked = held.y >= 0
        alone = -chances[held.x[asked], held.y[asked]].log2().mean()
        return {f"the {self.data.sign} alone": float(alone)}

    def report(self) -> dict[str, float]:
        """Bits on the test part, for the command line."""
        return {"test": self.evaluate("test")["valid"]}

    def shard(self, index: int, count: int) -> "Tagging":
        """Every `count`-th sequence of each batch, for one of several processes."""
        if self.preset.batch_size % count:
            raise LessonError(
                f"{self.preset.batch_size} sequences cannot be dealt to {count} processes evenly."
            )
        share = Tagging(self.model, self.data, self.preset, self.seed)
        share.part = slice(index, None, count)
        return share


def bits(logits: Float[Tensor, "batch time labels"], y: Int[Tensor, "batch time"]) -> Float[Tensor, ""]:
    """Mean cross-entropy in bits over the steps that have a label."""
    return functional.cross_entropy(logits.flatten(0, 1), y.flatten(), ignore_index=-1) / math.log(2)
