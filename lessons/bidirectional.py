"""Lesson 09: the past, the future, or both, on letters to phonemes and on roles in code.

The layers are in lessons.directions, the network and its training in lessons.tagging, the two tasks in
lessons.phonemes and lessons.roles. Here are the lesson's sizes, and what is looked at in trained networks:
what a label owes to each symbol, how it changes while a sequence is still coming in, and what a language
model cheats with that may read ahead.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from lessons import corpora, labelled, phonemes, presets, roles
from lessons.arguments import Between, Count, Seed, explained
from lessons.directions import BACKWARD, FORWARD, MERGES, Backwards, Bidirectional
from lessons.errors import LessonError
from lessons.labelled import Labelled, Part, Signs
from lessons.tagging import BOTH, DIRECTIONS, Tagger, Tagging, TagPreset, bits, equal_size, tagger

__all__ = [
    "BACKWARD",
    "BOTH",
    "DIRECTIONS",
    "FORWARD",
    "MERGES",
    "Backwards",
    "Bidirectional",
    "Tagger",
    "Tagging",
]

TASKS = ("phonemes", "roles")
Waits = tuple[Annotated[int, Between(0)], ...]

PRESETS = {
    "ci": TagPreset(
        "ci", steps=12, evaluate_every=6, hidden_size=8, embedding_size=8, batch_size=16, train=500,
        held_out=100,
    ),
    "cpu": TagPreset("cpu", steps=1800),
    "gpu": TagPreset(
        "gpu", steps=10_000, learning_rate=3e-3, evaluate_every=500, hidden_size=256, num_layers=2,
        embedding_size=64, dropout=0.3, batch_size=256, held_out=None, threads=None,
    ),
}  # fmt: skip


def preset(name: str | None = None) -> TagPreset:
    """This lesson's preset: the one named, else UNROLLED_PRESET, else the device's."""
    return presets.choose(PRESETS, name)


@explained
def load(preset: TagPreset, quiet: bool = False) -> Labelled:
    """The preset's task. Where the dictionary cannot be had, roles in code stand in, and that is said."""
    if preset.task not in TASKS:
        raise LessonError(f"There is no task {preset.task!r}; there are {', '.join(TASKS)}.")
    return loaded(preset.task, quiet)


@lru_cache
def loaded(task: str, quiet: bool) -> Labelled:
    """A task's sequences, read once."""
    corpus = corpora.load("cmudict" if task == "phonemes" else "python-stdlib", quiet=quiet)
    aligned = task == "phonemes" and not corpus.provenance.fallback
    return phonemes.from_corpus(corpus) if aligned else roles.from_corpus(corpus)


@explained
def prepare(preset: TagPreset, seed: Seed = 0, data: Labelled | None = None) -> Tagging:
    """The preset's task with a new network, first weights drawn from `seed`.

    torch's generator is left alone.
    """
    data = data or load(preset)
    sizes = len(data.symbols), len(data.labels)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = tagger(*sizes, preset, equal_size(preset.direction, *sizes, preset))
    return Tagging(model, data, preset, seed)


@explained
def networks(data: Labelled, preset: TagPreset, seed: Seed = 0) -> dict[str, Tagging]:
    """The task once for each direction, with equally many weights."""
    return {way: prepare(preset.but(direction=way), seed, data) for way in DIRECTIONS}


@explained
def on_code(preset: TagPreset) -> TagPreset:
    """The sizes for roles in code, which are learnt sooner."""
    small = {"steps": max(2, preset.steps // 5), "hidden_size": max(8, preset.hidden_size // 2)}
    return preset.but(task="roles", batch_size=max(16, preset.batch_size // 2), **small)


@explained
def next_sign(preset: TagPreset) -> TagPreset:
    """The sizes for naming the next sign; nothing is covered up there."""
    return preset.but(steps=max(2, preset.steps // 6), blanks=0.0)


@explained
def uniform_bits(data: Labelled) -> float:
    """What it costs to give all labels the same probability."""
    return math.log2(len(data.labels))


@dataclass(frozen=True)
class Reading:
    """One sequence as a network labels it: signs, the guessed labels, and the probability of each label."""

    signs: Signs
    guess: Signs
    probabilities: Float[Tensor, "time labels"]


@explained
@torch.no_grad()
def read(
    model: Tagger, data: Labelled, text: str, blank: int | None = None, cut: str | None = None
) -> Reading:
    """Label a text, with the sign at `blank` covered up and a direction held at 0 if asked for.

    Raises LessonError for signs that the network was never taught, a place that is none, and a direction
    that the network does not have.
    """
    signs, x = data.read(text)
    if blank is not None:
        if not 0 <= blank < len(signs):
            raise LessonError(f"There is no {data.sign} {blank}; there are {len(signs)}, from 0.")
        x[0, blank] = 0
    chances = model(x.to(device(model)), cut=cut)[0].softmax(-1).cpu()
    return Reading(signs, tuple(data.labels[k] for k in chances.argmax(-1).tolist()), chances)


@dataclass(frozen=True)
class Influence:
    """What each label owes to each sign of a sequence. Row t is the label of sign t, column s the sign s.

    values: bits that the guessed label loses when s is covered up ("occlusion"), or how steeply its logarithm
    answers to s's embedding ("gradient"). labels: by occlusion, what the label becomes.
    """

    signs: Signs
    guess: Signs
    values: Float[Tensor, "time time"]
    labels: tuple[Signs, ...]

    def sides(self, step: int) -> tuple[float, float]:
        """The sum of what came from before the step and from behind it."""
        row = self.values[step].clamp_min(0)
        return float(row[:step].sum()), float(row[step + 1 :].sum())


@explained
@torch.no_grad()
def occlusion(model: Tagger, data: Labelled, text: str, cut: str | None = None) -> Influence:
    """Cover up one sign after the other and see what each label loses."""
    signs, x = data.read(text)
    steps = len(signs)
    covered = x.repeat(steps + 1, 1)
    covered[range(steps), range(steps)] = 0
    log2 = model(covered.to(device(model)), cut=cut).log_softmax(-1).cpu() / torch.tensor(2.0).log()
    best = log2[-1].argmax(-1)
    own = log2.gather(2, best.expand(steps + 1, -1)[..., None])[..., 0]
    names = [tuple(data.labels[k] for k in row) for row in log2.argmax(-1).tolist()]
    now = tuple(zip(*names[:-1], strict=True))
    return Influence(signs, names[-1], (own[-1] - own[:-1]).T, now)


@explained
def gradient(model: Tagger, data: Labelled, text: str, cut: str | None = None) -> Influence:
    """How steeply each label's log2 probability answers to each sign's embedding: the slope's length."""
    signs, x = data.read(text)
    steps = len(signs)
    embedded = model.embedding(x.to(device(model))).detach().repeat(steps, 1, 1).requires_grad_()
    log2 = model.answer(embedded, cut=cut).log_softmax(-1) / torch.tensor(2.0).log()
    best = log2[0].argmax(-1)
    own = log2[range(steps), range(steps), best]
    (slopes,) = torch.autograd.grad(own.sum(), embedded)
    guess = tuple(data.labels[k] for k in best.tolist())
    return Influence(signs, guess, slopes.norm(dim=-1).cpu(), (guess,) * steps)


@explained
@torch.no_grad()
def arriving(model: Tagger, data: Labelled, text: str) -> tuple[Signs, tuple[Signs, ...]]:
    """The labels while a sequence comes in: entry n - 1 has the labels after n signs."""
    signs, x = data.read(text)
    lengths = torch.arange(1, len(signs) + 1)
    guess = model(x.repeat(len(signs), 1).to(device(model)), lengths).argmax(-1).tolist()
    return signs, tuple(tuple(data.labels[k] for k in row[:n]) for n, row in enumerate(guess, 1))


@explained
@torch.no_grad()
def waiting(task: Tagging, waits: Waits = (0, 1, 2, 3, 4, 5), count: Count = 250) -> dict[str, float]:
    """The share of labels that are right when each is given so many signs after its own; "all": at the end.

    Measured on `count` held-out sequences. A network that reads backward begins at the last sign it has.
    """
    part = task.placed(task.held["valid"].first(count))
    shares = {str(wait): right(at_once(task.model, part, wait), part) for wait in waits}
    return shares | {"all": right(task.model(part.x, part.lengths).argmax(-1), part)}


def at_once(model: Tagger, part: Part, wait: int) -> Int[Tensor, "batch time"]:
    """Each step's label, guessed when no more than `wait` signs behind it are known."""
    batch, steps = part.x.shape
    ends = torch.arange(1, steps + 1, device=part.x.device) + wait
    lengths = torch.minimum(ends[None], part.lengths[:, None])
    guess = model(part.x.repeat_interleave(steps, 0), lengths.flatten()).argmax(-1)
    return guess.view(batch, steps, steps).diagonal(dim1=1, dim2=2)


def right(guess: Int[Tensor, "batch time"], part: Part) -> float:
    """The share of labels that are right."""
    return labelled.accuracy(guess, part.y)[0]


@explained
@torch.no_grad()
def leak(task: Tagging, count: Count = 250) -> dict[str, float]:
    """Bits per sign of a network that names the next sign: as it is trained, and as it would be used.

    "whole sequence": all of it is there, as in training. "prefix only": at each step only what has come so
    far is there. The two are the same for a network that reads forward.
    """
    part = task.placed(task.held["valid"].first(count))
    batch, steps = part.x.shape
    whole = task.model(part.x, part.lengths)
    lengths = torch.minimum(torch.arange(1, steps + 1, device=part.x.device)[None], part.lengths[:, None])
    prefixes = task.model(part.x.repeat_interleave(steps, 0), lengths.flatten())
    last = prefixes.view(batch, steps, steps, -1).diagonal(dim1=1, dim2=2).movedim(-1, 1)
    return {"whole sequence": float(bits(whole, part.y)), "prefix only": float(bits(last, part.y))}


def device(model: Tagger) -> torch.device:
    """Where a network lies."""
    return model.readout.weight.device


@explained
def helped(
    tasks: Mapping[str, Tagging], end: str, count: Count = 6
) -> list[tuple[Signs, Signs, dict[str, Signs]]]:
    """Held-out sequences with this last sign in which both directions make no mistake, the past alone does.

    For each its signs, its labels, and what every network says; those of about five signs come first.
    """
    if not {FORWARD, BOTH} <= set(tasks):
        raise LessonError(f"Give the networks {FORWARD!r} and {BOTH!r}; these are {', '.join(tasks)}.")
    data, part = tasks[BOTH].data, tasks[BOTH].held["valid"]
    guesses = {way: guess(task) for way, task in tasks.items()}
    fine = {way: whole(found, part) for way, found in guesses.items()}
    rows = (fine[BOTH] & ~fine[FORWARD]).nonzero().flatten().tolist()
    rows = [row for row in rows if part.signs[row][-1] == end]
    rows.sort(key=lambda row: (abs(len(part.signs[row]) - 5), row))

    def named(labels: Int[Tensor, "batch time"], row: int) -> Signs:
        return tuple(data.labels[k] for k in labels[row, : len(part.signs[row])].tolist())

    return [
        (part.signs[row], named(part.y, row), {way: named(found, row) for way, found in guesses.items()})
        for row in rows[:count]
    ]


@explained
@torch.no_grad()
def guess(task: Tagging, part: str = "valid") -> Int[Tensor, "batch time"]:
    """The likeliest label of every held-out step."""
    if part not in task.held:
        raise LessonError(f"There is no part {part!r}; there are {', '.join(task.held)}.")
    held = task.placed(task.held[part])
    return task.model(held.x, held.lengths).argmax(-1).cpu()


def whole(guess: Int[Tensor, "batch time"], part: Part) -> Bool[Tensor, " batch"]:
    """Which sequences have no mistake."""
    return ((guess == part.y) | (part.y < 0)).all(1)
