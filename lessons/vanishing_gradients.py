"""Lesson 03: how much of a loss at the last step arrives at each earlier one, for six recurrent networks.

All of them learn the adding problem (lessons.tasks.Adding), whose loss stands at the last step only. What
arrives is measured in float64 on a copy: over a hundred steps it can fall below what float32 can square.
"""

from collections.abc import Mapping
from copy import copy, deepcopy
from typing import Annotated, Any

import torch
from jaxtyping import Complex, Float
from torch import Tensor

from lessons import gradients, initialisation, presets, tasks
from lessons.arguments import Between, Count, Seed, explained
from lessons.errors import LessonError
from lessons.run import Run
from lessons.tasks import SequencePreset, SequenceTask, UntilSolved
from lessons.training import fit

TINY = 1e-60  # stands for a gradient that is zero, so that it has a logarithm
SEQUENCES = 64

# Cells and starts. Orthogonal: every direction keeps its length. Identity: Le, Jaitly and Hinton (2015).
NETWORKS: dict[str, dict[str, Any]] = {
    "tanh RNN": {"cell": "rnn"},
    "orthogonal RNN": {"cell": "rnn", "initialise": {"orthogonal": 1.0}},
    "ReLU RNN": {"cell": "rnn_relu"},
    "identity RNN": {"cell": "rnn_relu", "initialise": {"identity": 1.0}},
    "LSTM": {"cell": "lstm"},
    "GRU": {"cell": "gru"},
}
UNGATED = tuple(NETWORKS)[:4]

PRESETS = {
    "ci": SequencePreset(
        "ci", steps=10, learning_rate=1e-2, evaluate_every=10, length=20, batch_size=8, hidden_size=8,
        held_out=SEQUENCES, cell="gru",
    ),
    "cpu": SequencePreset(
        "cpu", steps=1200, learning_rate=1e-2, evaluate_every=50, length=100, batch_size=32, hidden_size=32,
        cell="gru",
    ),
    "gpu": SequencePreset(
        "gpu", steps=5000, learning_rate=2e-3, evaluate_every=100, length=400, batch_size=128,
        hidden_size=128, threads=None, cell="gru",
    ),
}  # fmt: skip

Place = Annotated[int, Between(0)]
Decay = dict[str, Float[Tensor, " time"]]


def preset(name: str | None = None) -> SequencePreset:
    """The sizes of this lesson; see lessons.presets.choose."""
    return presets.choose(PRESETS, name)


@explained
def prepare(preset: SequencePreset, seed: Seed = 0) -> SequenceTask:
    """The adding problem with the preset's network, for `fit`."""
    return tasks.build("adding", preset, seed)


@explained
def networks(preset: SequencePreset, seed: Seed = 0) -> dict[str, SequenceTask]:
    """The adding problem once for each of NETWORKS, first weights drawn from `seed`."""
    return {name: prepare(preset.but(**changes), seed) for name, changes in NETWORKS.items()}


@explained
def train(task: SequenceTask, watch: Any = None, progress: bool = True) -> Run:
    """`fit` until the task is solved, or to the preset's last step."""
    watches = [UntilSolved(), *([watch] if watch is not None else [])]
    return fit(task, watch=watches, seed=task.seed, progress=progress)


@explained
def decay(task: SequenceTask, count: Count = SEQUENCES) -> Decay:
    """The length of dL/dh_t (and dL/dc_t) at every step as a share of that at the last step.

    L is the task's loss on `count` held-out sequences; the share is the median over them. Pascanu,
    Mikolov and Bengio (2013), section 2.1, take the same product of Jacobians apart.
    """
    exact = in_double(task)
    x, target = (part[:count] for part in exact.held_out())
    flow = gradients.flow(exact.model, x, lambda answer: exact.cost(answer, target))
    shares = {}
    for state in flow.layers[-1][0]:
        norms = flow.norms(state).clamp_min(TINY)
        shares[state] = (norms / norms[:, -1:]).median(0).values
    return shares


@explained
def decays(networks: Mapping[str, SequenceTask]) -> dict[str, Decay]:
    """`decay` of each network by name."""
    return {name: decay(task) for name, task in networks.items()}


@explained
def reach(task: SequenceTask, sequence: Place = 0) -> Float[Tensor, " time"]:
    """The largest factor by which a nudge of the state at step t arrives in h at the last step.

    The spectral norm of dh_T / d(h_t, c_t) on one held-out sequence: no loss can receive more.
    """
    return torch.linalg.matrix_norm(last_gradient(task, sequence)[1], ord=2).clamp_min(TINY)


@explained
def arriving(task: SequenceTask, sequence: Place = 0) -> Float[Tensor, " time"]:
    """How long the loss's gradient is at each step, on one held-out sequence, for one at h_T of length 1.

    What is left of the loss's own direction after the same Jacobians; at most `reach`.
    """
    gradient, jacobians = last_gradient(task, sequence)
    unit = gradient / gradient.norm().clamp_min(TINY)
    return (unit @ jacobians).norm(dim=-1).clamp_min(TINY)


def last_gradient(
    task: SequenceTask, sequence: int
) -> tuple[Float[Tensor, " hidden"], Float[Tensor, "time hidden state"]]:
    """dL/dh_T of one held-out sequence, and dh_T / d(h_t, c_t) for every t."""
    exact = in_double(task)
    x, target = exact.held_out()
    if sequence >= len(x):
        raise LessonError(f"There is no held-out sequence {sequence}; there are {len(x)}, from 0.")
    x, target = x[sequence : sequence + 1], target[sequence : sequence + 1]
    flow = gradients.flow(exact.model, x, lambda answer: exact.cost(answer, target))
    hidden = exact.model.recurrent.hidden_size
    return flow["h"][0, -1], gradients.reach(exact.model, x).jacobians[:, :hidden]


@explained
def eigenvalues(task: SequenceTask) -> Complex[Tensor, " hidden"]:
    """The eigenvalues of an ungated network's recurrent matrix."""
    layer = task.model.recurrent
    if not layer.mode.startswith("RNN"):
        raise LessonError("A gated cell has a recurrent matrix for each gate; ask for an RNN's eigenvalues.")
    return torch.linalg.eigvals(layer.weight_hh_l0.detach().double().cpu())


def radius(task: SequenceTask) -> float:
    """The spectral radius of an ungated network: its largest eigenvalue in absolute value."""
    return float(eigenvalues(task).abs().max())


@explained
def with_radius(task: SequenceTask, radius: float | int) -> SequenceTask:
    """A copy whose recurrent matrix is scaled, as it is, to this spectral radius, a number above 0."""
    if not radius > 0:
        raise LessonError(f"A spectral radius to scale to is a number above 0; {radius} is not.")
    eigenvalues(task)
    scaled = in_double(task)
    initialisation.spectral_radius(scaled.model.recurrent, radius)
    return scaled


@explained
def in_double(task: SequenceTask) -> SequenceTask:
    """The task with a float64 copy of its model on the CPU, in evaluation mode."""
    twin = copy(task)
    twin.model = deepcopy(task.model).to("cpu", torch.float64).eval()
    twin._held_out = (None, None)
    return twin
