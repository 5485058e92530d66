"""Deep recurrent networks (lesson 10): models around a Stack of layers, and the sizes they are trained at."""

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from lessons.arguments import Count, Seed, Share, explained
from lessons.char_rnn import CharModel, CharPreset, CharTask, readable
from lessons.errors import LessonError
from lessons.presets import choose
from lessons.recurrent import State
from lessons.sequence_model import SequenceModel
from lessons.stack import Stack
from lessons.vocabulary import Vocabulary

__all__ = [
    "PRESETS",
    "DeepCharModel",
    "DeepModel",
    "DeepPreset",
    "DeepTask",
    "Stack",
    "build",
    "prepare",
    "preset",
    "reading",
]


class DeepModel(SequenceModel):
    """A stack with any top layer: it answers at each sequence's last step ("last") or at every one ("all").

    top: any module that takes (..., hidden_size); without one, a linear layer of `output_size` is made.
    A model with a top of its own is saved as others are; to load it, build it and give it to
    `checkpoints.load(path, model)`.
    """

    @explained
    def __init__(
        self,
        input_size: Count,
        output_size: Count | None = None,
        cell: str = "lstm",
        hidden_size: Count = 64,
        num_layers: Count = 2,
        readout: str = "last",
        residual: bool = False,
        norm: bool = False,
        dropout: Share = 0.0,
        forget_bias: float | int | None = 1.0,
        top: nn.Module | None = None,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        if (output_size is None) == (top is None):
            raise LessonError(
                "A deep model has either an output_size or a top layer of its own: give one of them."
            )
        place = {"device": device, "dtype": dtype}
        sizes = (input_size, hidden_size, num_layers)
        stack = Stack(*sizes, cell, residual, norm, dropout, forget_bias, **place)
        super().__init__(input_size, output_size or 1, "rnn", hidden_size, readout=readout, **place)
        self.cell, self.output_size, self.recurrent = cell, output_size, stack
        if top is not None:
            self.readout = top

    def config(self) -> dict[str, Any]:
        """What rebuilds this model, weights aside: `DeepModel(**model.config())`."""
        return self.recurrent.config() | {"output_size": self.output_size, "readout": self.at}


class DeepCharModel(CharModel):
    """Lesson 02's character model around a Stack. Raises LessonError as Stack does."""

    @explained
    def __init__(
        self,
        vocabulary: Vocabulary,
        cell: str = "lstm",
        hidden_size: Count = 64,
        num_layers: Count = 2,
        embedding_size: Count = 32,
        dropout: Share = 0.0,
        residual: bool = False,
        norm: bool = False,
        forget_bias: float | int = 1.0,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        place = {"device": device, "dtype": dtype}
        sizes = (embedding_size, hidden_size, num_layers)
        stack = Stack(*sizes, cell, residual, norm, dropout, forget_bias, **place)
        super().__init__(vocabulary, "rnn", hidden_size, 1, embedding_size, dropout, **place)
        self.recurrent, self.cell, self.forget_bias = stack, cell, forget_bias

    def step(
        self, tokens: Int[Tensor, " batch"], state: Tensor | State | None = None
    ) -> tuple[Float[Tensor, "batch vocab"], Tensor | State]:
        """One character further, by a sequence of one step."""
        logits, state = self(tokens[:, None], state)
        return logits[:, 0], state

    def task(self, corpus: Any, preset: "DeepPreset | str | None" = None) -> "DeepTask":
        """Learning to predict a corpus, for `fit`; the sizes noted in its preset are this model's."""
        return DeepTask(self, corpus, preset if isinstance(preset, DeepPreset) else choose(PRESETS, preset))

    def config(self) -> dict[str, Any]:
        """What rebuilds this model, weights aside: `DeepCharModel(**model.config())`."""
        return super().config() | {"residual": self.recurrent.residual, "norm": self.recurrent.norm}


@dataclass(frozen=True)
class DeepPreset(CharPreset):
    """Sizes of a deep character model. residual, norm: as Stack has them."""

    residual: bool = False
    norm: bool = False


# Three GRU layers: the network that the lesson looks inside of.
SIZES = DeepPreset(
    "cpu", steps=1000, learning_rate=1e-2, warmup=50, evaluate_every=200, precision="float32", threads=1,
    cell="gru", hidden_size=64, num_layers=3, embedding_size=32, batch_size=32, length=32,
    valid_characters=20_000, baseline_order=3,
)  # fmt: skip
PRESETS = {
    "ci": SIZES.but(
        name="ci", steps=12, evaluate_every=6, hidden_size=12, embedding_size=8, batch_size=8, length=16,
        train_characters=60_000, valid_characters=2_000, baseline_order=1,
    ),
    "cpu": SIZES,
    "gpu": SIZES.but(
        name="gpu", steps=10_000, learning_rate=2e-3, evaluate_every=500, precision="auto", threads=None,
        cell="lstm", hidden_size=512, num_layers=6, embedding_size=128, batch_size=128, length=128,
        dropout=0.2, residual=True, norm=True, valid_characters=100_000, baseline_order=5,
    ),
}  # fmt: skip


def preset(name: str | None = None) -> DeepPreset:
    """This lesson's preset: the one named, else UNROLLED_PRESET, else the device's."""
    return choose(PRESETS, name)


@explained
def build(vocabulary: Vocabulary, preset: DeepPreset, seed: Seed = 0) -> DeepCharModel:
    """A model of a preset's sizes, its first weights drawn from `seed`; torch's generator is left alone."""
    names = ("cell", "hidden_size", "num_layers", "embedding_size", "dropout", "residual", "norm")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return DeepCharModel(vocabulary, **{name: getattr(preset, name) for name in names})


class DeepTask(CharTask):
    """Predict the next character of a corpus with a stack."""

    name = "deep_rnns"


@explained
def reading(corpus: Any, preset: DeepPreset, seed: Seed = 0) -> DeepTask:
    """Learning to read a corpus with a stack of a preset's sizes, for `fit`."""
    return DeepTask(build(readable(corpus).vocabulary, preset, seed), corpus, preset, seed)


@explained
def prepare(preset: DeepPreset, seed: Seed = 0) -> DeepTask:
    """The preset's corpus and a new stack of its size; what the command line trains."""
    from lessons import corpora

    return reading(corpora.load(preset.corpus), preset, seed)
