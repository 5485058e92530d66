"""What depth does to a stack (lesson 10): loss, time, and the gradient that arrives at the bottom layer."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from lessons import char_rnn, deep_rnns, gradients
from lessons.arguments import Count, Seed, check_fields, explained
from lessons.deep_rnns import DeepCharModel, DeepPreset, DeepTask, build, reading
from lessons.errors import LessonError
from lessons.presets import choose
from lessons.run import Run
from lessons.sequence_model import parameters
from lessons.training import fit
from lessons.vocabulary import Vocabulary

# The stacks that the lesson compares, each at a depth and a wiring of its own.
PRESETS = {
    "ci": deep_rnns.PRESETS["ci"].but(steps=8, evaluate_every=4, cell="lstm", valid_characters=1000),
    "cpu": deep_rnns.SIZES.but(steps=400, evaluate_every=100, cell="lstm"),
    "gpu": deep_rnns.PRESETS["gpu"].but(steps=4000, hidden_size=256, dropout=0.0, residual=False, norm=False),
}


def preset(name: str | None = None) -> DeepPreset:
    """The sizes of the comparison: those named, else what UNROLLED_PRESET says, else the device's."""
    return choose(PRESETS, name)


@dataclass(frozen=True)
class Entrant:
    """A stack that takes part in a comparison."""

    num_layers: Count
    residual: bool = False
    norm: bool = False
    hidden_size: Count | None = None  # None is the preset's

    def __post_init__(self) -> None:
        check_fields(self)

    @property
    def name(self) -> str:
        """As "4 layers, residual"."""
        layers = "1 layer" if self.num_layers == 1 else f"{self.num_layers} layers"
        return ", ".join([layers, *["residual"] * self.residual, *["norm"] * self.norm])

    def sized(self, preset: DeepPreset) -> DeepPreset:
        """The preset with this stack's sizes."""
        hidden = self.hidden_size or preset.hidden_size
        return preset.but(
            num_layers=self.num_layers, residual=self.residual, norm=self.norm, hidden_size=hidden
        )


@dataclass
class Outcome:
    """What one stack did. bottom: (step, gradient norm of the lowest layer's weights, before clipping).

    parameters: of the whole model. seconds: of training and its evaluations.
    """

    entrant: Entrant
    task: DeepTask = field(repr=False)
    run: Run = field(repr=False)
    bottom: list[tuple[int, float]] = field(repr=False)
    hidden_size: int
    parameters: int

    @property
    def name(self) -> str:
        """The entrant's name."""
        return self.entrant.name

    @property
    def valid(self) -> float:
        """Held-out bits per character at the end."""
        return self.run.last["valid"]

    @property
    def seconds(self) -> float:
        """What it took."""
        return self.run.seconds


class Bottom:
    """A watch for `fit`: the norm of the lowest layer's gradient, as it was before clipping."""

    def __init__(self, every: int = 2) -> None:
        self.every, self.norms = every, []

    def on_step(self, run: Run, task: DeepTask, step: int) -> None:
        """Read the gradient that the step just taken has left, and undo the clipping."""
        grads = [weight.grad for weight in task.model.recurrent.layers[0].parameters()]
        whole, clip = run.gradient_norms[-1], task.preset.clip
        cut = min(1.0, clip / whole) if clip is not None and whole > 0 else 1.0
        self.norms.append((step, float(torch.nn.utils.get_total_norm(grads)) / cut))


@explained
def compare(
    corpus: Any,
    preset: DeepPreset,
    entrants: Sequence[Entrant],
    seed: Seed = 0,
    progress: bool = True,
    watch: Any = None,
) -> list[Outcome]:
    """Train stacks one after the other on the same batches, each by `fit`; what each of them did."""
    done = []
    for entrant in entrants:
        task, bottom = reading(corpus, entrant.sized(preset), seed), Bottom()
        watches = [bottom] if watch is None else [bottom, watch]
        run = fit(task, watch=watches, seed=seed, progress=progress)
        hidden, count = task.preset.hidden_size, parameters(task.model)
        done.append(Outcome(entrant, task, run, bottom.norms, hidden, count))
    if not done:
        raise LessonError("A comparison needs at least one entrant.")
    return done


def tested(outcome: Outcome) -> float:
    """Bits per character on the start of a test text that trained nothing and chose nothing."""
    task = outcome.task
    return char_rnn.bits_per_character(task.model, task.corpus.test[: task.preset.valid_characters])


@explained
def equal_parameters(num_layers: Count, preset: DeepPreset, vocabulary: Vocabulary) -> int:
    """The hidden size at which a stack's model has nearest as many weights as one layer of the preset's size.

    Embedding and readout count too.
    """
    wanted = weights(1, preset.hidden_size, preset, vocabulary)
    low, high = 1, preset.hidden_size
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (
            (middle, high) if weights(num_layers, middle, preset, vocabulary) <= wanted else (low, middle)
        )
    return min((low, high), key=lambda size: abs(weights(num_layers, size, preset, vocabulary) - wanted))


@lru_cache(maxsize=512)
def weights(num_layers: int, hidden_size: int, preset: DeepPreset, vocabulary: Vocabulary) -> int:
    """How many numbers a model of these sizes learns; counted on a model without storage."""
    model = DeepCharModel(
        vocabulary, preset.cell, hidden_size, num_layers, preset.embedding_size,
        residual=preset.residual, norm=preset.norm, device="meta",
    )  # fmt: skip
    return parameters(model)


@explained
def at_equal_parameters(
    depths: Sequence[int],
    preset: DeepPreset,
    vocabulary: Vocabulary,
    residual: bool = False,
    norm: bool = False,
) -> list[Entrant]:
    """Stacks of these depths, each narrowed to the weights of one layer of the preset's size."""
    return [Entrant(depth, residual, norm, equal_parameters(depth, preset, vocabulary)) for depth in depths]


def arriving(model: DeepCharModel, text: str) -> Float[Tensor, " layers"]:
    """How much of the loss arrives at each layer: the mean length of dL/dh_t over the steps of a text.

    L is the mean cross-entropy of the text's next characters; total derivatives, so everything that comes
    back through time and through the layers above is in it (lessons.gradients.flow).
    """
    flow = gradients.flow(model, text)
    return torch.stack([flow.norms("h", layer).mean() for layer in range(model.recurrent.num_layers)])


@explained
def bottom_of(
    vocabulary: Vocabulary, text: str, depths: Sequence[int], preset: DeepPreset, seed: Seed = 0
) -> dict[int, float]:
    """What arrives at the lowest layer of untrained stacks of several depths, wired as the preset says."""
    found = {}
    for depth in depths:
        model = build(vocabulary, preset.but(num_layers=depth), seed).double()
        found[depth] = float(arriving(model, text)[0])
    return found


def decades(value: float) -> float:
    """A positive number's power of ten; what is below 1e-30 counts as that."""
    return math.log10(max(value, 1e-30))
