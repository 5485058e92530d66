"""A sequence in the hands of a machine with a memory, untouched and changed: what a debugger shows."""

import functools
from dataclasses import dataclass

import torch
from torch import Generator

from lessons import dnc_tasks
from lessons.captions import captions
from lessons.dnc import DNC
from lessons.edits import Edit
from lessons.errors import LessonError
from lessons.memory_tasks import Episode
from lessons.memory_trace import MemoryTrace, look

MOST = 20  # slots that a picture has room for
NOTHING, EMPTIED, UNWRITTEN, KEPT = "nothing", "emptied", "not written to", "never freed"
UNLINKED, BY_CONTENT = "unlinked", "read by content alone"
CHANGES = {
    NOTHING: "nothing",
    EMPTIED: "empty the slot after the step",
    UNWRITTEN: "shut the write gate at the step",
    KEPT: "shut the free gates for good",
    UNLINKED: "cut all links after the step",
    BY_CONTENT: "let heads read by content alone",
}


@dataclass(frozen=True)
class Scene:
    """A sequence in a machine's hands, untouched and with a change, and its words."""

    machine: DNC
    task: str
    episode: Episode
    plain: MemoryTrace
    now: MemoryTrace
    change: str
    slot: int
    at: int

    @functools.cached_property
    def words(self) -> list[str]:
        """What each step says."""
        return [captions(self.task).step(x) for x in self.episode.x[0]]

    @functools.cached_property
    def asked(self) -> list[int]:
        """The steps that an answer is asked at."""
        return self.episode.asked.nonzero().flatten().tolist()

    @functools.cached_property
    def shown(self) -> list[int]:
        """The slots that there is room for, in their order: those that are written to most."""
        most = self.now["write weights"][0].amax(0)
        return sorted(most.topk(min(MOST, self.machine.slots)).indices.tolist())

    def answers(self, trace: MemoryTrace) -> list[str]:
        """What a machine answers, in words."""
        return [captions(self.task).answer(trace.logits[0, step]) for step in self.asked]

    def right(self) -> list[str]:
        """What should be answered: a target's ones as likely, its zeros as not."""
        return [captions(self.task).answer(self.episode.target[0, step] - 0.5) for step in self.asked]


def staged(machine: DNC, task: str, size: int, seed: int, change: str, slot: int, at: int) -> Scene:
    """Run the machine, once untouched and once with the change."""
    problem = dnc_tasks.problem(task)
    if (problem.inputs, problem.outputs) != (machine.input_size, machine.readout.out_features):
        raise LessonError(
            f"This machine was not made for {task}: it reads {machine.input_size} numbers and gives "
            f"{machine.readout.out_features}."
        )
    if change not in CHANGES:
        raise LessonError(f"A change is one of {', '.join(CHANGES)}; {change!r} is not.")
    if slot >= machine.slots:
        raise LessonError(f"There is no slot {slot}; the memory has {machine.slots}, from 0.")
    episode = problem.draw(1, size, Generator(device="cpu").manual_seed(seed))
    at = min(at, episode.x.shape[1] - 1)
    plain = look(machine, episode.x)
    now = plain if change == NOTHING else look(machine, episode.x, edit(machine, change, slot, at))
    return Scene(machine, task, episode, plain, now, change, slot, at)


def edit(machine: DNC, change: str, slot: int, at: int) -> Edit:
    """What each change does."""
    if change in (UNLINKED, BY_CONTENT) and not machine.linked:
        raise LessonError("This machine has no links; it was made with linked=False.")
    content = torch.tensor([0.0, 1.0, 0.0])
    return {
        EMPTIED: Edit("memory", 0.0, units=[slot], steps=[at]),
        UNWRITTEN: Edit("write gate", 0.0, steps=[at]),
        KEPT: Edit("free", 0.0),
        UNLINKED: Edit("links", 0.0, steps=[at]),
        BY_CONTENT: Edit("modes", lambda modes, step: content.to(modes).expand_as(modes)),
    }[change]
