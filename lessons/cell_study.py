"""Who can do what (lesson 20): the cells after the LSTM on seven tasks, with as many weights as the LSTM has.

Every network has two layers of one cell and a readout, and as many units as give it at most the weights of
the LSTM's network. Forgetting starts at the same value where there is a forget gate. A run ends when its task
is solved, or when the steps are used up.
"""

import math
from dataclasses import asdict
from functools import cache, partial
from typing import Any

import torch

from lessons import char_rnn, corpora, tasks
from lessons.arguments import explained
from lessons.cell_tasks import Copy, Depth, Recall, SelectiveCopy
from lessons.char_rnn import CharModel, CharPreset, CharTask
from lessons.errors import LessonError
from lessons.sequence_model import SequenceModel, parameters
from lessons.tasks import Latch, Parity, SequencePreset, SequenceTask, UntilSolved
from lessons.training import fit

CELLS = {
    "LSTM": "lstm",
    "sLSTM": "slstm",
    "mLSTM": "mlstm",
    "minLSTM": "minlstm",
    "linear attention": "gated_attention",
    "selective": "selective",
}
TASKS: dict[str, type[SequenceTask]] = {
    kind.name: kind for kind in (Latch, Copy, SelectiveCopy, Recall, Parity, Depth)
}
CHARACTERS = "characters"
TRACKING = (Parity.name, Depth.name)  # judged on sequences of twice the length, where a rule is needed
UNITS = 24  # of the LSTM, a layer

SIZES = SequencePreset(
    "cpu", steps=800, learning_rate=1e-2, evaluate_every=50, length=32, batch_size=16, held_out=200,
    num_layers=2, forget_bias=3.0, symbols=6, delay=5,
)  # fmt: skip
OWN = {
    Copy.name: {"length": 24, "delay": 8},
    SelectiveCopy.name: {"length": 24, "delay": 6},
    Recall.name: {"length": 20, "delay": 8, "symbols": 10},
    Parity.name: {"length": 20},
    Depth.name: {"length": 20},
}
READING = CharPreset(
    "cpu", steps=300, learning_rate=1e-2, warmup=20, evaluate_every=300, precision="float32", threads=1,
    hidden_size=48, num_layers=2, embedding_size=16, batch_size=32, length=32, train_characters=200_000,
    valid_characters=20_000, baseline_order=None,
)  # fmt: skip


@explained
def sizes(task: str, cell: str, preset: str = "cpu") -> SequencePreset:
    """What a cell is trained with on a task, by their names in TASKS and CELLS; `preset` "ci" is short.

    Raises LessonError for names that are none.
    """
    kind, base = known(task), SIZES.but(**OWN.get(task, {}))
    if preset == "ci":
        base = base.but(name="ci", steps=4, evaluate_every=2, held_out=20, batch_size=4)
    return base.but(cell=chosen(cell), hidden_size=units(chosen(cell), *kind.sizes(base)))


def known(task: str) -> type[SequenceTask]:
    """A task by name; LessonError for others."""
    if task not in TASKS:
        raise LessonError(f"There is no task {task!r}; there are {', '.join(TASKS)}.")
    return TASKS[task]


def chosen(cell: str) -> str:
    """A cell's name in lessons.sequence_model, from what the study calls it; LessonError for others."""
    if cell not in CELLS:
        raise LessonError(f"There is no cell {cell!r}; there are {', '.join(CELLS)}.")
    return CELLS[cell]


@cache
def units(cell: str, input_size: int, output_size: int, lstm: int = UNITS) -> int:
    """How many units a cell may have so that its network has no more weights than the LSTM's."""

    def cost(cell: str, hidden: int) -> int:
        return parameters(SequenceModel(input_size, output_size, cell, hidden, 2, device="meta"))

    most = cost("lstm", lstm)
    low, high = 1, 16 * lstm
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if cost(cell, middle) <= most else (low, middle - 1)
    return low


@explained
def share_right(task: str, cell: str, seed: int = 0, preset: str = "cpu") -> float:
    """The share of right answers when training ends, on held-out sequences: in TRACKING, twice as long."""
    own = sizes(task, cell, preset)
    learner = tasks.build(known(task), own, seed)
    fit(learner, seed=seed, watch=UntilSolved(), progress=False)
    longer = own.but(length=2 * own.length) if task in TRACKING else own
    return known(task)(learner.model, longer, seed).evaluate()["share right"]


@explained
def reading(cell: str, preset: str = "cpu") -> CharPreset:
    """What a cell reads plays with, at the weights of an LSTM of READING's units."""
    base = (
        READING if preset == "cpu" else READING.but(name="ci", steps=4, batch_size=4, valid_characters=2000)
    )
    return base.but(
        cell=chosen(cell), hidden_size=units(chosen(cell), base.embedding_size, 65, base.hidden_size)
    )


@explained
def bits(cell: str, seed: int = 0, preset: str = "cpu") -> float:
    """Bits per character on the start of plays that trained nothing and chose nothing."""
    own, corpus = reading(cell, preset), corpora.load(READING.corpus, quiet=True)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = CharModel(corpus.vocabulary, own.cell, own.hidden_size, own.num_layers, own.embedding_size,
                          forget_bias=SIZES.forget_bias)  # fmt: skip
    task = CharTask(model, corpus, own, seed)
    fit(task, seed=seed, progress=False)
    return char_rnn.bits_per_character(model, corpus.test[: own.valid_characters])


def of_every_cell(task: str, seed: int = 0, preset: str = "cpu") -> dict[str, float]:
    """What each cell comes to: its share of right answers; for CHARACTERS its bits per character."""
    if task == CHARACTERS:
        return {cell: bits(cell, seed, preset) for cell in CELLS}
    return {cell: share_right(task, cell, seed, preset) for cell in CELLS}


def settings(task: str, preset: str = "cpu") -> dict[str, Any]:
    """Everything that decides what a task's networks come to."""
    chosen = partial(reading, preset=preset) if task == CHARACTERS else partial(sizes, task, preset=preset)
    return {"task": task, "networks": {cell: asdict(chosen(cell)) for cell in CELLS}}


def chance(task: str) -> float:
    """The share of right answers of a guess."""
    return 2.0 ** -math.log2(known(task).sizes(SIZES)[1])
