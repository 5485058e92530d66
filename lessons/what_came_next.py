"""What lesson 20 trains live: three readers of plays side by side, and a memory of names and things."""

from lessons import char_rnn, tasks
from lessons.arguments import explained
from lessons.cell_tasks import Recall
from lessons.char_rnn import CharPreset, CharTask
from lessons.presets import choose
from lessons.tasks import Seed, SequencePreset, SequenceTask

BESIDE = {"LSTM": "lstm", "minLSTM": "minlstm", "selective": "selective"}

# `cell` is that of what the command line trains; the lesson puts the others in its place.
PRESETS = {
    "ci": CharPreset(
        "ci", steps=10, warmup=2, evaluate_every=5, precision="float32", threads=1, cell="minlstm",
        hidden_size=16, num_layers=2, embedding_size=8, batch_size=4, length=16, valid_characters=2_000,
        baseline_order=None,
    ),
    "cpu": CharPreset(
        "cpu", steps=400, learning_rate=1e-2, warmup=20, evaluate_every=100, precision="float32", threads=1,
        cell="minlstm", hidden_size=48, num_layers=2, embedding_size=32, batch_size=16, length=32,
        valid_characters=10_000, baseline_order=None,
    ),
    "gpu": CharPreset(
        "gpu", steps=10_000, warmup=100, evaluate_every=1000, cell="minlstm", hidden_size=384, num_layers=4,
        embedding_size=128, dropout=0.2, batch_size=64, length=256,
    ),
}  # fmt: skip

PAIRS = {
    "ci": SequencePreset("ci", steps=6, evaluate_every=3, held_out=20, batch_size=4, length=10, delay=4,
                         symbols=6, hidden_size=6, cell="linear_attention"),
    "cpu": SequencePreset("cpu", steps=600, learning_rate=1e-2, evaluate_every=50, held_out=200,
                          batch_size=32, length=14, delay=6, symbols=8, hidden_size=12,
                          cell="linear_attention"),
    "gpu": SequencePreset("gpu", steps=4000, learning_rate=3e-3, evaluate_every=200, batch_size=128,
                          length=64, delay=24, symbols=32, hidden_size=48, cell="linear_attention"),
}  # fmt: skip


def preset(name: str | None = None) -> CharPreset:
    """This lesson's preset for reading: the one named, else UNROLLED_PRESET, else the device's."""
    return choose(PRESETS, name)


def pairs(name: str | None = None) -> SequencePreset:
    """This lesson's preset for recalling: the one named, else UNROLLED_PRESET, else the device's."""
    return choose(PAIRS, name)


def prepare(preset: CharPreset, seed: int = 0) -> CharTask:
    """The preset's corpus and a new reader of its cell, ready for `fit`."""
    return char_rnn.prepare(preset, seed)


@explained
def recalling(preset: SequencePreset, seed: Seed = 0) -> SequenceTask:
    """Pairs of a name and a thing, and one layer with a matrix for a memory, ready for `fit`."""
    return tasks.build(Recall, preset, seed)
