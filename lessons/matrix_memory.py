"""A layer whose state is a matrix, looked into as lesson 17 looks into a machine's memory.

Row k of the matrix is what is stored under number k of the keys: a slot. A key says how much each slot is
written, a query how much each is read; there is no address beside that.
"""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from lessons.arguments import explained
from lessons.edits import Edit, Recorder, planned
from lessons.errors import LessonError
from lessons.later import Floor, Later
from lessons.linear_attention import LEAST, LinearAttentionFloor
from lessons.loop import loop
from lessons.memory_trace import MemoryTrace
from lessons.sequence_model import SequenceModel

CERTAIN = 1e-6  # probabilities stay this far from 0 and 1 when they are written as logits
Edits = Edit | None


@explained
@torch.no_grad()
def look(model: SequenceModel, x: Float[Tensor, "batch time input"], edit: Edits = None) -> MemoryTrace:
    """Run a model whose top layer has a matrix memory of one head, and keep what that layer did.

    "weights" are the shares of the query (head 0, "read") and of the key (head 1, "write") that fall on each
    slot; "memory" is what each slot holds, for linear attention divided by its own normaliser, so that it is
    the mean of what was written there; "key", "query" and "value" are those of the step. Logits are those of
    the answer's probabilities, class by class.
    edit: `Edit("memory", 0.0, units=[3], steps=[10])` empties slot 3 after the writing of step 10.
    Raises LessonError for a model without such a memory, and for edits of something else.
    """
    layer = memory_of(model)
    slots, steps = layer.width, x.shape[1]
    sizes = {"units": slots, "steps": steps, "layers": 1, "directions": 1}
    recorder = Recorder(within_the_head(planned(edit, ("memory",), sizes)), steps)
    below = model.recurrent.time_first(x)
    for lower in model.recurrent.layers[:-1]:
        below, _ = lower.parallel(below, lower.start(len(x)))
    h, _ = loop(layer, below, layer.start(len(x)), see=recorder)
    seen = {name: torch.stack(rows, 1) for name, rows in recorder.rows.items()}
    raw = seen["memory"][:, :, 0]
    values = {
        "key": seen["key"],
        "query": seen["query"],
        "value": seen["value"],
        "weights": torch.stack([shares(seen["query"]), shares(seen["key"])], 2),
        "memory": held(layer, raw),
        "read": seen["h"][:, :, None],
    }
    first = held(layer, layer.start(len(x))[1][:, 0])
    before = {"memory": first, "weights": torch.zeros_like(values["weights"][:, 0])}
    answers = model.readout(h.transpose(0, 1)).softmax(-1)
    return MemoryTrace(x, torch.logit(answers, CERTAIN), values, before, readers=1)


def memory_of(model: SequenceModel) -> Floor:
    """The layer with the memory. Raises LessonError where there is none, or more than one head."""
    stack: Any = model.recurrent
    layer = stack.layers[-1] if isinstance(stack, Later) else None
    if layer is None or "memory" not in layer.states or layer.heads != 1:
        raise LessonError(
            "A matrix memory to look into has a model of cell linear_attention, gated_attention or mlstm, "
            "with one head."
        )
    return layer


def within_the_head(edits: tuple[Edit, ...]) -> tuple[Edit, ...]:
    """Edits of slots as edits of the only head: the layer's memory has an axis for heads before the slots."""

    def on_head(one: Edit) -> Edit:
        def change(memory: Tensor, step: int) -> Tensor:
            slots = Edit("memory", one.value, units=one.units)
            return slots.apply(memory[:, 0], step)[:, None]

        return Edit("memory", change, steps=one.steps)

    return tuple(on_head(one) for one in edits)


def shares(v: Float[Tensor, "batch time slots"]) -> Float[Tensor, "batch time slots"]:
    """How much of a key or query falls on each slot; they sum to 1."""
    return v.abs() / v.abs().sum(-1, keepdim=True).clamp_min(LEAST)


def held(layer: Floor, memory: Float[Tensor, "*steps slots more"]) -> Tensor:
    """What the slots hold, without the column of the normaliser."""
    if isinstance(layer, LinearAttentionFloor):
        return memory[..., :-1] / (memory[..., -1:] + LEAST)
    return memory[..., :-1]
