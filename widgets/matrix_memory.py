"""The matrix memory of linear attention or an mLSTM in the memory explorer of lesson 17 (lesson 20).

recalled(model, preset)     # names and things are written, then names asked for; empty a slot and see
"""

import functools
from typing import Annotated

import numpy as np
import torch
from torch.nn import functional

from lessons.arguments import Between, explained
from lessons.cell_tasks import Recall
from lessons.edits import Edit
from lessons.errors import LessonError
from lessons.matrix_memory import look, memory_of
from lessons.memory_tasks import Episode
from lessons.sequence_model import SequenceModel
from lessons.tasks import SequencePreset
from widgets import memory_tape, theme
from widgets.explorer import Explorer, Index, Pick, Time
from widgets.memory_tape import EMPTIED, NOTHING, SWAPPED, Scene

Whole = Annotated[int, Between(0)]
CHANGES = {NOTHING: "nothing", EMPTIED: "empty the slot", SWAPPED: "swap it with the next"}


@explained
def figure(
    model: SequenceModel,
    preset: SequencePreset,
    seed: Whole = 0,
    step: Whole = 0,
    change: str = NOTHING,
    slot: Whole = 0,
    at: Whole = 0,
) -> theme.Figure:
    """One sequence of pairs and questions: input, where it is written and read, answers, and the matrix.

    change: "nothing", "emptied" or "swapped with the next", done to `slot` after the writing of step `at`.
    Raises LessonError for a model without a matrix memory, and for a slot that is not there.
    """
    scene = staged(model, preset, seed, step, change, slot, at)
    largest = float(np.quantile(np.abs(scene.now.numpy("memory")), 0.99))
    limit = max(1.0, round(largest, 1))
    return memory_tape.picture(scene, list(range(scene.now["memory"].shape[2])), limit)


@explained
def recalled(model: SequenceModel, preset: SequencePreset) -> Explorer:
    """The picture above with everything to choose; click on weights or memory for a slot and a moment."""
    slots, last = memory_of(model).width, preset.length - 1
    first = look(model, example(model, preset, 0).x)["weights"][0, 0, 1]
    return Explorer(
        functools.partial(figure, model, preset),
        clicked=memory_tape.clicked,
        step=Time(maximum=last, value=min(last, preset.delay), label="time step", pace=300),
        seed=Index(999, 0, label="another sequence: seed"),
        change=Pick({said: name for name, said in CHANGES.items()}, NOTHING, label="change"),
        slot=Index(slots - 1, int(first.argmax()), label="slot"),
        at=Index(last, min(last, preset.delay - 1), label="after step"),
    )


def staged(
    model: SequenceModel, preset: SequencePreset, seed: int, step: int, change: str, slot: int, at: int
) -> Scene:
    """Run the model over a sequence, once untouched and once with the change."""
    if change not in CHANGES:
        raise LessonError(f"A change is one of {', '.join(CHANGES)}; {change!r} is not.")
    slots = memory_of(model).width
    if slot >= slots:
        raise LessonError(f"There is no slot {slot}; the memory has {slots}, from 0.")
    episode = example(model, preset, seed)
    step, at = min(step, preset.length - 1), min(at, preset.length - 1)
    plain = look(model, episode.x)
    if change == NOTHING:
        return Scene(episode, plain, plain, step, slot, at, change)
    empty = change == EMPTIED
    units = [slot] if empty else [slot, (slot + 1) % slots]
    edit = Edit("memory", 0.0 if empty else lambda memory, step: memory.flip(1), units=units, steps=[at])
    return Scene(episode, plain, look(model, episode.x, edit), step, slot, at, change)


def example(model: SequenceModel, preset: SequencePreset, seed: int) -> Episode:
    """One sequence of the recall task, its answers as ones among zeros."""
    x, target = Recall(model, preset).draw(1, torch.Generator(device="cpu").manual_seed(seed))
    asked = target[0] >= 0
    ones = functional.one_hot(target.clamp_min(0), preset.symbols) * asked[:, None]
    return Episode(x, ones.to(x.dtype), asked)
