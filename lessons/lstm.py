"""Lesson 04: four layers of neurons wired into one cell, and what happens when they squash the wrong way.

The cell itself is lessons.cells.lstm_step and lessons.recurrent.LSTM. Here are the lesson's sizes, an LSTM
whose gates and candidate may pass through another function than usual, and weights brought from Keras.
"""

from collections.abc import Callable
from typing import Any, NoReturn

import torch
from jaxtyping import Float
from torch import Tensor, nn

from lessons import char_rnn, tasks
from lessons.arguments import explained
from lessons.char_rnn import CharModel, CharPreset, CharTask
from lessons.errors import LessonError
from lessons.loop import LSTMCell, See, State, loop
from lessons.presets import choose
from lessons.recurrent import LSTM, Lengths, weights
from lessons.vocabulary import Vocabulary

SQUASHES: dict[str, Callable[[Tensor], Tensor]] = {"sigmoid": torch.sigmoid, "tanh": torch.tanh}

# Smaller than lesson 02's, and independent of it: this network is made to be looked into.
SIZES = {"corpus": "shakespeare-markdown", "baseline_order": 3}
PRESETS = {
    "ci": char_rnn.PRESETS["ci"].but(corpus=SIZES["corpus"]),
    "cpu": CharPreset(
        "cpu", steps=4000, learning_rate=4e-3, evaluate_every=500, hidden_size=128, threads=1, **SIZES
    ),
    "gpu": char_rnn.PRESETS["gpu"].but(steps=10_000, **SIZES),
}

TIMING = tasks.SequencePreset(
    "cpu", steps=800, learning_rate=1e-2, hidden_size=16, batch_size=16, interval=10, length=40, held_out=200
)
TIMINGS = {"ci": TIMING.but(name="ci", steps=20), "cpu": TIMING, "gpu": TIMING}


def preset(name: str | None = None) -> CharPreset:
    """This lesson's preset: the one named, else UNROLLED_PRESET, else the device's."""
    return choose(PRESETS, name)


def prepare(preset: CharPreset, seed: int = 0) -> CharTask:
    """The preset's corpus and a new model of its size, ready for `fit`."""
    return char_rnn.prepare(preset, seed)


@explained
def timing(cell: str, name: str | None = None, seed: int = 0) -> tasks.SequenceTask:
    """The task of spiking every 10 steps with a new model of a cell ("lstm", "peephole"), ready for `fit`."""
    return tasks.build("generating", choose(TIMINGS, name), seed, cell=cell)


class SwappedCell(LSTMCell):
    """lessons.loop's LSTM with the squashing of its gates, or of its candidate, chosen."""

    def __init__(self, gates: str, candidate: str, *own: Tensor) -> None:
        super().__init__(*own)
        self.gate, self.propose = SQUASHES[gates], SQUASHES[candidate]

    def step(self, from_x: Float[Tensor, "batch rows"], state: State, see: See) -> State:
        """The next (h, c)."""
        h, c = state
        i, f, g, o = torch.addmm(from_x, h, self.recurrent).chunk(4, dim=1)
        i, f = see("i", self.gate(i)), see("f", self.gate(f))
        g, o = see("g", self.propose(g)), see("o", self.gate(o))
        c = see("c", f * c + i * g)
        return see("h", o * torch.tanh(c)), c


class SwappedLSTM(LSTM):
    """An LSTM whose gates or candidate pass through "sigmoid" or "tanh", to see why the usual ones are usual.

    With gates="sigmoid" and candidate="tanh" it computes what lessons.recurrent.LSTM does, in the loop. Other
    arguments are those of that layer. It trains by autograd and can be traced; gradients through time
    (lessons.gradients) are not derived for it. Raises LessonError for any other squashing.
    """

    looped = True

    def __init__(self, *sizes: Any, gates: str = "sigmoid", candidate: str = "tanh", **options: Any) -> None:
        for name in (gates, candidate):
            if name not in tuple(SQUASHES):
                raise LessonError(f"Gates and candidate pass through {' or '.join(SQUASHES)}, not {name!r}.")
        self.gates, self.candidate = gates, candidate
        super().__init__(*sizes, **options)

    def flatten_parameters(self) -> None:
        """cuDNN does not know this cell, so its layout is left alone."""

    def cell(self, index: int, direction: int) -> SwappedCell:
        """A layer's cell in one direction, for lessons.loop."""
        return SwappedCell(self.gates, self.candidate, *weights(self, index, direction))

    def direction(
        self, x: Float[Tensor, "time batch input"], state: State, index: int, direction: int, lengths: Lengths
    ) -> tuple[Float[Tensor, "time batch hidden"], State]:
        """One layer in one direction: its output and its final state."""
        return loop(self.cell(index, direction), x, state, lengths, direction == 1)

    def adjoint(self, *_: Any) -> NoReturn:
        """Not derived for swapped squashes: raises LessonError."""
        raise LessonError(
            "Gradients through time are not derived for swapped squashes; take a usual LSTM, or autograd."
        )

    jacobians = adjoint

    def extra_repr(self) -> str:
        """torch's line, and how it squashes."""
        return f"{super().extra_repr()}, gates={self.gates}, candidate={self.candidate}"


@explained
def swapped(
    vocabulary: Vocabulary,
    preset: CharPreset,
    gates: str = "sigmoid",
    candidate: str = "tanh",
    seed: int = 0,
) -> CharModel:
    """Lesson 02's character model with the squashing of its one LSTM layer chosen; first weights from `seed`.

    The first weights are the same for every choice. Raises LessonError for more than one layer.
    """
    if preset.num_layers != 1:
        raise LessonError(f"Swapping is for one layer; this preset has {preset.num_layers}.")
    model = char_rnn.build(vocabulary, preset.but(cell="lstm"), seed)
    plain = model.recurrent
    if (gates, candidate) != ("sigmoid", "tanh"):
        sizes = (plain.input_size, plain.hidden_size)
        model.recurrent = SwappedLSTM(*sizes, batch_first=True, gates=gates, candidate=candidate)
        model.recurrent.load_state_dict(plain.state_dict())
    return model


@torch.no_grad()
def from_keras(kernels: Any) -> nn.LSTM:
    """A one-layer torch.nn.LSTM, batch first, with a Keras LSTM's weights: `from_keras(layer.get_weights())`.

    kernels: kernel (input, 4 * units), recurrent_kernel (units, 4 * units) and, where there is one, bias
    (4 * units). Keras's gate order is i f c o, torch's i f g o: the same four under other names, so nothing
    moves; the kernels are transposed, and the one bias goes into bias_ih. Raises LessonError for what is no
    list of numbers, and for shapes that do not fit.
    """
    kernel, recurrent, *bias = _tensors(kernels)
    if kernel.dim() != 2 or recurrent.dim() != 2 or recurrent.shape[1] != 4 * recurrent.shape[0]:
        raise LessonError(
            f"These are not the weights of a Keras LSTM: {tuple(kernel.shape)} and {tuple(recurrent.shape)}."
        )
    if kernel.shape[1] != recurrent.shape[1] or any(part.shape != kernel.shape[1:] for part in bias):
        raise LessonError("kernel, recurrent_kernel and bias do not have the same number of columns.")
    place = {"device": kernel.device, "dtype": kernel.dtype}
    layer = nn.LSTM(kernel.shape[0], recurrent.shape[0], batch_first=True, bias=bool(bias), **place)
    layer.weight_ih_l0.copy_(kernel.T)
    layer.weight_hh_l0.copy_(recurrent.T)
    if bias:
        layer.bias_ih_l0.copy_(bias[0])
        layer.bias_hh_l0.zero_()
    return layer


def _tensors(kernels: Any) -> list[Tensor]:
    """Two or three tensors of one dtype, as `get_weights()` of a Keras LSTM gives arrays."""
    try:
        parts = [torch.as_tensor(part) for part in kernels]
    except (TypeError, ValueError, RuntimeError) as error:
        raise LessonError("The weights are a list of arrays: `from_keras(layer.get_weights())`.") from error
    if len(parts) not in (2, 3):
        raise LessonError(
            f"A Keras LSTM has kernel, recurrent_kernel and mostly a bias; this list has {len(parts)} parts."
        )
    kind = torch.promote_types(parts[0].dtype, torch.float32)
    return [part.to(parts[0].device, kind) for part in parts]
