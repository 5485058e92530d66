"""What stands in the slots of a memory, said by when it was written (lesson 18).

A slot holds numbers that mean something to its machine alone. But every number in it was put there at some
step: a memory is a sum over steps of what each wrote, less what later steps erased. That sum is taken apart
here, exactly.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from lessons.arguments import explained
from lessons.errors import LessonError
from lessons.memory_trace import MemoryTrace

FAINT = 0.2  # of what the fullest slot holds: a slot with less counts as empty


@explained
@torch.no_grad()
def written(
    trace: MemoryTrace, step: int, sequence: int = 0, deallocate: bool = False
) -> Float[Tensor, "steps slots width"]:
    """What is left of the writing of each step up to `step`; the sum over steps is the memory then.

    For machines whose memory starts at 0 and that have one head to write. deallocate: as of the machine. Of a
    slot that was emptied from outside nothing is left; other changes from outside are in no summand.
    Raises LessonError for a step that the trace has not.
    """
    if not 0 <= step < trace.steps:
        raise LessonError(f"There is no step {step}; the trace has {trace.steps}, from 0.")
    rows = {name: trace[name][sequence] for name in ("write weights", "erase", "add", "memory")}
    left = torch.zeros_like(rows["memory"][: step + 1])
    for now in range(step + 1):
        weights = rows["write weights"][now].unsqueeze(-1)
        if deallocate:
            left *= trace["retention"][sequence, now].unsqueeze(-1)
        left *= 1 - weights * rows["erase"][now]
        left[now] = weights * rows["add"][now]
        left[:, (rows["memory"][now] == 0).all(-1)] = 0
    return left


def origins(
    trace: MemoryTrace, step: int, sequence: int = 0, deallocate: bool = False
) -> Float[Tensor, "steps slots"]:
    """For every slot the share that each step has in it, by length of what is left; they sum to 1.

    All shares are 0 where next to nothing stands, less than FAINT of what the fullest slot holds.
    """
    lengths = written(trace, step, sequence, deallocate).norm(dim=-1)
    total = lengths.sum(0)
    full = total > FAINT * total.max()
    return torch.where(full, lengths / total.where(full, 1), 0)
