"""An LSTM of one unit whose weights are set by hand, so that one can see what each part is for.

It reads four numbers a step: a value, and the wishes to write it, to clear what is stored, and to show it.
The values are noisy all the time; only two of them are to be stored.
"""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from lessons.errors import LessonError
from lessons.lstm_variants import VariantLSTM, Wiring

STEPS = 30
WRITES = {4: 1.0, 19: -1.0}  # step -> the value that is to be stored there
CLEAR = 15
SHOWS = (9, 10, 24, 25)
INPUTS = ("value", "write", "clear", "show")
PLACE = {"device": "cpu", "dtype": torch.float32}

# How each gate reads value, write, clear, show; its bias; what its peephole would add of the cell.
WEIGHTS = {
    "i": ((0.0, 8.0, 0.0, 0.0), -4.0, 0.0),
    "f": ((0.0, 0.0, -9.0, 0.0), 5.0, 0.0),
    "g": ((1.6, 0.0, 0.0, 0.0), 0.0, 0.0),
    "o": ((0.0, 0.0, 0.0, 8.0), -4.0, 2.0),
}


def signals() -> Float[Tensor, "1 time 4"]:
    """What the unit reads: two values to store among noise, one clearing, two showings."""
    noise = torch.Generator(device="cpu").manual_seed(5)
    x = torch.zeros(1, STEPS, len(INPUTS), **PLACE)
    x[0, :, 0] = 0.25 * torch.randn(STEPS, generator=noise, **PLACE)
    for step, value in WRITES.items():
        x[0, step, :2] = torch.tensor([value, 1.0], **PLACE)
    x[0, CLEAR, 2] = 1.0
    x[0, list(SHOWS), 3] = 1.0
    return x


@torch.no_grad()
def register(**wiring: Any) -> VariantLSTM:
    """The unit, with any options of lessons.wiring.Wiring; LessonError for others, and for what cannot be."""
    parts = Wiring.__dataclass_fields__
    if unknown := [name for name in wiring if name not in parts]:
        raise LessonError(f"{unknown[0]} is no part of the unit's wiring; there are {', '.join(parts)}.")
    layer = VariantLSTM(len(INPUTS), 1, batch_first=True, forget_bias=None, **PLACE, **wiring)
    for weight in layer.parameters():
        weight.zero_()
    for row, name in enumerate(layer.wiring.rows):
        weights, bias, _ = WEIGHTS[name]
        layer.weight_ih_l0[row] = torch.tensor(weights, **PLACE)
        layer.bias_ih_l0[row] = bias
    for row, name in enumerate(layer.wiring.peeping):
        layer.weight_peephole_l0[row] = WEIGHTS[name][2]
    return layer
