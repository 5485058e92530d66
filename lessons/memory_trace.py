"""All that a machine with a memory did, step by step: a record to draw, and a way to meddle."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy
import torch
from jaxtyping import Float
from torch import Tensor

from lessons.arguments import Count, explained
from lessons.dnc import DNC
from lessons.edits import Edit, Recorder, Value, planned
from lessons.errors import LessonError
from lessons.ntm import NTM

Edits = Mapping[str, Value] | Edit | Sequence[Edit] | None


@dataclass(frozen=True, eq=False, repr=False)
class MemoryTrace:
    """What a machine did with B sequences of T steps: N slots of width M, K heads, those that read first.

    x: (B, T, I). logits: (B, T, O). values: by name, what each step made, with the steps as the second axis.
    Both machines have "memory" (B, T, N, M), as it stands after the step's writing, "weights" (B, T, K, N) of
    all heads, "erase", "add" (B, T, W, M), what was written, and "read" (B, T, R, M), what was read.
    An NTM has also "key" (B, T, K, M), "strength", "gate", "power" (B, T, K, 1) and "turn" (B, T, K, shifts),
    which the heads asked for, and the stages of addressing: "content", "gated", "turned" (B, T, K, N).
    A DNC has what its `units` lists, among it "usage", "allocation", "write weights" (B, T, N), "links"
    (B, T, N, N), "modes" (B, T, R, 3) and "read weights" (B, T, R, N).
    before: what stood in the machine's state before the first step. readers: how many heads read.
    """

    x: Float[Tensor, "batch time input"]
    logits: Float[Tensor, "batch time output"]
    values: Mapping[str, Tensor]
    before: Mapping[str, Tensor]
    readers: int

    def __repr__(self) -> str:
        batch, steps = self.x.shape[:2]
        slots, width = self["memory"].shape[2:]
        return f"MemoryTrace({batch} x {steps} steps, {slots} slots of {width}: {' '.join(self.names)})"

    def __getitem__(self, name: str) -> Tensor:
        """What was made under a name at every step."""
        if name not in self.values:
            raise LessonError(f"This trace has no {name!r}; it has {', '.join(self.names)}.")
        return self.values[name]

    @property
    def names(self) -> tuple[str, ...]:
        """What there is, in the order in which a step makes it."""
        return tuple(self.values)

    @property
    def steps(self) -> int:
        """How many steps."""
        return self.x.shape[1]

    @property
    def heads(self) -> tuple[str, ...]:
        """The heads by name, in the order of the axis K."""
        kinds = ["read"] * self.readers + ["write"] * (self["weights"].shape[2] - self.readers)
        if len(kinds) == 2:
            return tuple(kinds)
        return tuple(f"{kind} {kinds[:k].count(kind)}" for k, kind in enumerate(kinds))

    @property
    def bits(self) -> Float[Tensor, "batch time output"]:
        """The answers as probabilities of a one."""
        return self.logits.sigmoid()

    @explained
    def numpy(self, name: str, sequence: int = 0) -> numpy.ndarray:
        """Of one sequence, float32, time first; also "x", "logits" and "bits"."""
        if not -len(self.x) <= sequence < len(self.x):
            raise LessonError(f"There is no sequence {sequence}; the trace has {len(self.x)}, from 0.")
        found = getattr(self, name) if name in ("x", "logits", "bits") else self[name]
        return found[sequence].to("cpu", torch.float32).numpy()

    @explained
    def places(self, sequence: int = 0, least: Count = 16, margin: int = 2) -> list[int]:
        """The stretch of the circle of slots that the heads visit, in its order, for pictures.

        From before the first slot that ever gets a tenth of some head's weight to behind the last one,
        `margin` more on both sides, at least `least` slots and at most all of them.
        """
        weights = self["weights"][sequence].amax((0, 1))
        slots = len(weights)
        visited = (weights > 0.1).nonzero().flatten().tolist() or [int(weights.argmax())]
        # The stretch begins after the widest gap between visited slots.
        gaps = [(visited[(k + 1) % len(visited)] - slot - 1) % slots for k, slot in enumerate(visited)]
        widest = max(range(len(visited)), key=gaps.__getitem__)
        first = visited[(widest + 1) % len(visited)]
        inside = slots - gaps[widest] if len(visited) > 1 else 1
        length = min(slots, max(least, inside + 2 * margin))
        return [(first - margin + k) % slots for k in range(length)]


@explained
@torch.no_grad()
def look(machine: NTM | DNC, x: Float[Tensor, "batch time input"], edit: Edits = None) -> MemoryTrace:
    """Run a machine over sequences and keep everything.

    edit: what a step makes may be replaced, and the rest follows from that. `Edit("memory", 0.0, units=[3],
    steps=[10])` empties slot 3 after the writing of step 10; units count along the first axis behind the
    batch: slots in "memory" and a DNC's "usage", heads in "read".
    A value is a number, a tensor that broadcasts to (B, units, ·) or a function of the old value and the
    step.
    Raises LessonError for edits that point at nothing, and for sequences that the machine cannot read.
    """
    if x.dim() != 3 or x.shape[-1] != machine.input_size or 0 in x.shape:
        raise LessonError(
            f"This machine reads sequences of shape (B, T, {machine.input_size}); {tuple(x.shape)} is not."
        )
    recorder = Recorder(_checked(machine.units, edit, x.shape[1]), x.shape[1])
    was, machine.training = machine.training, False
    x = x.to(machine.readout.weight)
    state = machine.start(len(x))
    before = {name.replace("_", " "): value for name, value in state._asdict().items()}
    kept = []
    one_step = type(machine).step  # the machine's own may be translated, and nobody can look into that
    for step, x_t in enumerate(x.unbind(1)):
        state = one_step(machine, x_t, state, lambda name, value, step=step: recorder(step, name, value))
        kept.append(torch.cat([state.hidden, state.read.flatten(1)], -1))
    machine.training = was
    values = {name: torch.stack(recorder.rows[name], 1) for name in machine.units}
    if "weights" not in values:
        values["weights"] = torch.cat([values["read weights"], values["write weights"].unsqueeze(2)], 2)
    return MemoryTrace(x, machine.readout(torch.stack(kept, 1)), values, before, machine.read_heads)


def _checked(units: Mapping[str, int], edit: Edits, steps: int) -> tuple[Edit, ...]:
    """The edits as a tuple, each checked against what it names."""
    sizes, names = {"steps": steps, "layers": 1, "directions": 1}, tuple(units)
    edits = planned(edit, names, {"units": max(units.values()), **sizes})
    for one in edits:
        planned(one, names, {"units": units[one.name], **sizes})
    return edits
