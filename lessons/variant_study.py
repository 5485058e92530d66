"""Greff's odyssey in miniature (lesson 06): nine ways to wire a cell, each trained on two tasks.

One task asks for memory (adding two marked numbers), the other is reading plays. All cells have as many
units, the same steps and the same learning rate, which Greff et al. (2017, section IV) chose for each anew.
"""

from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from lessons import char_rnn, corpora, tasks
from lessons.arguments import Count, explained
from lessons.char_rnn import CharModel, CharPreset, CharTask, State
from lessons.errors import LessonError
from lessons.presets import choose
from lessons.sequence_model import CELLS, parameters
from lessons.tasks import SequencePreset, UntilSolved
from lessons.training import fit
from lessons.vocabulary import Vocabulary

NAMES = {
    "V": "full LSTM",
    "NIG": "no input gate",
    "NFG": "no forget gate",
    "NOG": "no output gate",
    "NIAF": "no input activation",
    "NOAF": "no output activation",
    "CIFG": "coupled gates",
    "NP": "no peepholes",
    "GRU": "GRU",
}

MEMORY = SequencePreset(
    "cpu", steps=800, learning_rate=1e-2, evaluate_every=50, length=20, batch_size=32, hidden_size=32,
    held_out=500,
)  # fmt: skip
READING = CharPreset(
    "cpu", steps=300, learning_rate=2e-2, warmup=20, evaluate_every=300, precision="float32", threads=1,
    hidden_size=32, embedding_size=16, batch_size=32, length=32, train_characters=200_000,
    valid_characters=20_000, baseline_order=None,
)  # fmt: skip

# The one network that the lesson trains live, with whatever wiring the reader chose.
PRESETS = {
    "ci": READING.but(name="ci", steps=20, evaluate_every=10, batch_size=8, hidden_size=16),
    "cpu": READING.but(
        steps=1500, evaluate_every=250, hidden_size=64, train_characters=None, baseline_order=3
    ),
    "gpu": READING.but(
        name="gpu", steps=6000, evaluate_every=500, hidden_size=256, embedding_size=64, batch_size=64,
        length=64, train_characters=None, valid_characters=100_000, baseline_order=5,
    ),
}  # fmt: skip


# The latch that the lesson trains live from several starts.
LATCH = {
    "ci": MEMORY.but(name="ci", steps=20, evaluate_every=10, length=10, held_out=50),
    "cpu": MEMORY.but(steps=600, length=30),
    "gpu": MEMORY.but(name="gpu", steps=2000, length=100, batch_size=128, hidden_size=64),
}


def preset(name: str | None = None) -> CharPreset:
    """This lesson's preset for reading: the one named, else UNROLLED_PRESET, else the device's."""
    return choose(PRESETS, name)


def latch(name: str | None = None) -> SequencePreset:
    """This lesson's preset for the latch: the one named, else UNROLLED_PRESET, else the device's."""
    return choose(LATCH, name)


class Reader(CharModel):
    """Lesson 02's character model around any cell of lessons.sequence_model: a variant's name, or "GRU".

    forget_bias: where the forget gates start. Raises LessonError for an unknown cell.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        cell: str = "V",
        hidden_size: int = 32,
        embedding_size: int = 16,
        forget_bias: float | int = 1.0,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        name, place = known(cell), {"device": device, "dtype": dtype}
        super().__init__(vocabulary, "lstm", hidden_size, 1, embedding_size, forget_bias=forget_bias, **place)
        options = {} if name.startswith("gru") else {"forget_bias": forget_bias}
        self.cell = cell
        self.recurrent = CELLS[name](embedding_size, hidden_size, batch_first=True, **options, **place)

    def config(self) -> dict[str, Any]:
        """What rebuilds this model, weights aside: `Reader(**model.config())`."""
        kept = ("vocabulary", "cell", "hidden_size", "embedding_size", "forget_bias")
        return {name: value for name, value in super().config().items() if name in kept}

    def step(
        self, tokens: Int[Tensor, " batch"], state: State | None = None
    ) -> tuple[Float[Tensor, "batch vocab"], State]:
        """One character further, by a sequence of one step: torch has no cell of these kinds."""
        logits, state = self(tokens[:, None], state)
        return logits[:, 0], state


@explained
def known(cell: str) -> str:
    """A cell's name in lessons.sequence_model, where the GRU is written small; LessonError for others."""
    name = "gru" if cell == "GRU" else cell
    if name not in CELLS or name.startswith("rnn"):
        raise LessonError(f"The cell is one of {', '.join(NAMES)}; {cell!r} is not.")
    return name


def reading(cell: str, corpus, preset: CharPreset = READING, seed: int = 0) -> CharTask:
    """Learning to read a corpus with a cell, for `fit`; first weights and batches are drawn from `seed`."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = Reader(corpus.vocabulary, cell, preset.hidden_size, preset.embedding_size)
    return CharTask(model, corpus, preset, seed)


def prepare(preset: CharPreset, seed: int = 0) -> CharTask:
    """The preset's corpus and a new network with the cell that the preset names, ready for `fit`."""
    return reading(preset.cell, corpora.load(preset.corpus), preset, seed)


def bits(cell: str, corpus, preset: CharPreset = READING, seed: int = 0) -> float:
    """Bits per character on the start of plays that trained nothing and chose nothing."""
    task = reading(cell, corpus, preset, seed)
    fit(task, seed=seed, progress=False)
    return char_rnn.bits_per_character(task.model, corpus.test[: preset.valid_characters])


def steps_until_solved(
    cell: str, preset: SequencePreset = MEMORY, seed: int = 0, task: str = "adding"
) -> int:
    """Steps until a task counts as solved; `never(preset)` where it does not within the preset's steps."""
    watch = UntilSolved()
    fit(tasks.build(task, preset, seed, cell=known(cell)), watch=watch, seed=seed, progress=False)
    return watch.step if watch.solved else never(preset)


def never(preset: SequencePreset) -> int:
    """What stands for "not solved": one evaluation later than the last."""
    return preset.steps + preset.evaluate_every


@explained
def cost(cell: str, input_size: Count = 16, hidden_size: Count = 32) -> int:
    """How many numbers a recurrent layer of this cell learns."""
    return parameters(CELLS[known(cell)](input_size, hidden_size, device="meta"))
