"""Lesson 01: an Elman network unrolled, its gradient step by step, and its states as points in a plane.

The task is temporal order (lessons.tasks.TemporalOrder): in which order did X and Y come?
"""

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from lessons import presets, tasks
from lessons.arguments import Count, Seed, explained
from lessons.cells import rnn_step
from lessons.errors import LessonError
from lessons.recurrent import RNN
from lessons.run import Run
from lessons.tasks import SequencePreset, SequenceTask, TemporalOrder
from lessons.tracing import trace
from lessons.training import fit

ORDERS = ("XX", "XY", "YX", "YY")

PRESETS = {
    "ci": SequencePreset(
        "ci", steps=10, learning_rate=1e-2, evaluate_every=10, length=20, batch_size=8, hidden_size=4,
        held_out=60, cell="rnn", forget_bias=None,
    ),
    "cpu": SequencePreset(
        "cpu", steps=800, learning_rate=1e-2, evaluate_every=50, length=20, batch_size=32, hidden_size=16,
        cell="rnn", forget_bias=None,
    ),
    "gpu": SequencePreset(
        "gpu", steps=4000, learning_rate=3e-3, evaluate_every=100, length=30, batch_size=256, hidden_size=64,
        cell="rnn", forget_bias=None, threads=None,
    ),
}  # fmt: skip


def preset(name: str | None = None) -> SequencePreset:
    """The sizes of this lesson; see lessons.presets.choose."""
    return presets.choose(PRESETS, name)


@explained
def prepare(preset: SequencePreset, seed: Seed = 0) -> SequenceTask:
    """Temporal order with an Elman network of the preset's size, for `fit`."""
    return tasks.build("temporal order", preset, seed)


@explained
def train(task: SequenceTask, watch: Any = None, progress: bool = True) -> Run:
    """`fit` to the preset's last step: past the point where the task is solved, the states part further."""
    return fit(task, watch=watch, seed=task.seed, progress=progress)


@explained
def letters(x: Float[Tensor, "time symbols"]) -> str:
    """The symbols of one temporal-order sequence as letters."""
    if x.ndim != 2 or x.shape[1] != len(TemporalOrder.alphabet):
        raise LessonError(
            f"A sequence has the shape (time, {len(TemporalOrder.alphabet)}); this one has {tuple(x.shape)}."
        )
    return "".join(TemporalOrder.alphabet[k] for k in x.argmax(-1).tolist())


@explained
def one_hot(word: str) -> Float[Tensor, "time symbols"]:
    """A word of the letters E B X Y a b c d, one input for each; LessonError for others."""
    if not word or (wrong := [letter for letter in word if letter not in TemporalOrder.alphabet]):
        odd = f"; {wrong[0]!r} is none" if word else ", and at least one"
        raise LessonError(f"The network reads the letters {' '.join(TemporalOrder.alphabet)}{odd}.")
    places = torch.tensor([TemporalOrder.alphabet.index(letter) for letter in word], device="cpu")
    return nn.functional.one_hot(places, len(TemporalOrder.alphabet)).to(torch.float32)


@explained
def small_network(seed: Seed = 3) -> RNN:
    """An untrained Elman layer of two units that reads the eight letters: small enough to write down."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        layer = RNN(len(TemporalOrder.alphabet), 2, batch_first=True, device="cpu", dtype=torch.float32)
        for weight in layer.parameters():
            weight.data.mul_(1.5)
    return layer


@dataclass(frozen=True, eq=False)
class Unrolled:
    """An Elman layer's run over one sequence, and the way back of a gradient that enters at the last step.

    h: (T + 1, H), the states from the zero start on. gradient: dL/dh_t for t = 0 … T. shares: what step t
    adds to dL/dW_hh, (T, H, H); their sum is the gradient of the one matrix that all steps share.
    """

    word: str
    weight_ih: Float[Tensor, "hidden input"]
    weight_hh: Float[Tensor, "hidden hidden"]
    h: Float[Tensor, "states hidden"]
    gradient: Float[Tensor, "states hidden"]
    shares: Float[Tensor, "time hidden hidden"]

    @property
    def steps(self) -> int:
        """How many letters were read."""
        return len(self.word)


@explained
@torch.no_grad()
def unroll(layer: nn.RNNBase, word: str, gradient: Float[Tensor, " hidden"] | None = None) -> Unrolled:
    """Run a one-layer tanh network over a word, then backpropagate through time (Werbos 1990) by hand.

    gradient: dL/dh at the last step, (H,), ones by default (L is the sum of the last state). Raises
    LessonError for another kind of layer, or one that does not read the eight letters.
    """
    plain = layer.mode == "RNN_TANH" and layer.num_layers == 1 and layer.bias and not layer.bidirectional
    if not plain or layer.input_size != len(TemporalOrder.alphabet):
        raise LessonError(
            f"Only a tanh RNN of one layer and one direction, with biases and "
            f"{len(TemporalOrder.alphabet)} inputs, is unrolled here; give it such a layer."
        )
    if gradient is not None and gradient.shape != (layer.hidden_size,):
        raise LessonError(
            f"The gradient has one number for each of {layer.hidden_size} units; this has shape "
            f"{tuple(gradient.shape)}."
        )
    weight_ih, weight_hh, bias_ih, bias_hh = layer.parameters()
    states = [weight_hh.new_zeros(1, layer.hidden_size)]
    for x in one_hot(word).to(weight_hh):
        states.append(rnn_step(x[None], states[-1], weight_ih, weight_hh, bias_ih, bias_hh).h)
    h = torch.cat(states)
    gradients = [torch.ones_like(h[-1]) if gradient is None else gradient.to(h)]
    shares = []
    for after, before in zip(h[1:].flip(0), h[:-1].flip(0), strict=True):
        through_tanh = (1 - after**2) * gradients[-1]
        shares.append(torch.outer(through_tanh, before))
        gradients.append(weight_hh.T @ through_tanh)
    return Unrolled(word, weight_ih, weight_hh, h, torch.stack(gradients[::-1]), torch.stack(shares[::-1]))


@dataclass(frozen=True, eq=False)
class Plane:
    """The held-out sequences' states in the plane in which they differ most (principal components).

    points: (B, T, 2). words: the letters read. answers: which order each sequence has. variance: the share
    of all variance that the plane shows.
    """

    points: Float[Tensor, "batch time 2"]
    words: tuple[str, ...]
    answers: tuple[str, ...]
    variance: float


@explained
@torch.no_grad()
def plane(task: TemporalOrder, count: Count = 200) -> Plane:
    """The states of a task's network over `count` held-out sequences, projected; see Plane."""
    x, target = (part[:count] for part in task.held_out())
    states = trace(task.model, x)["h"].to("cpu", torch.float64)
    flat = states.flatten(0, 1)
    _, sizes, axes = torch.linalg.svd(flat - flat.mean(0), full_matrices=False)
    points = (states - flat.mean(0)) @ axes[:2].T
    shown = float((sizes[:2] ** 2).sum() / (sizes**2).sum())
    words = tuple(map(letters, x.cpu()))
    return Plane(points.float(), words, tuple(ORDERS[k] for k in target.tolist()), shown)
