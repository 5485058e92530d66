"""The tasks of lesson 18 by name, and what counts as a wrong answer in each.

Every task draws `count` sequences of one size from a generator. Copy and associative recall ask for bits, as
in lesson 17. The others ask for words: their outputs are blocks, one for each word of an answer, and the
likeliest word of each block is what a network says.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Generator, Tensor
from torch.nn import functional

from lessons import families, graphs, memory_tasks, stories, underground
from lessons.errors import LessonError
from lessons.fields import Fields
from lessons.memory_tasks import Episode

Draw = Callable[[int, int, Generator], Episode]
Logits = Float[Tensor, "batch asked output"]
BITS, ANSWERS = "wrong bits", "wrong answers, %"


class Problem(NamedTuple):
    """How a task is drawn, numbers in and out, the blocks of an answer (none: bits), what its sizes count."""

    draw: Draw
    inputs: int
    outputs: int
    blocks: tuple[int, ...]
    counts: str

    @property
    def measure(self) -> str:
        """What is wrong: bits of a sequence, or answers of a hundred."""
        return ANSWERS if self.blocks else BITS

    def cost(self, logits: Logits, right: Logits) -> Float[Tensor, ""]:
        """Mean cross-entropy in bits, of a bit or of a word."""
        if not self.blocks:
            return functional.binary_cross_entropy_with_logits(logits, right) / math.log(2)
        said = [block.log_softmax(-1) for block in logits.split(self.blocks, -1)]
        return -(torch.cat(said, -1) * right).sum() / right.sum() / math.log(2)

    def wrong(self, logits: Logits, right: Logits) -> float:
        """Wrong bits a sequence, or wrong answers in %; an answer is right if all its words are."""
        if not self.blocks:
            return float(((logits > 0) != (right > 0.5)).float().sum((1, 2)).mean())
        return 100 * (1 - float(self.hits(logits, right).float().mean()))

    def hits(self, logits: Logits, right: Logits) -> Bool[Tensor, "batch asked"]:
        """Which answers of words are right."""
        blocks = zip(logits.split(self.blocks, -1), right.split(self.blocks, -1), strict=True)
        good = [(said.argmax(-1) == true.argmax(-1)) | (true.sum(-1) == 0) for said, true in blocks]
        return torch.stack(good).all(0)


def bits(task: str, width: int, counts: str) -> Problem:
    """A task of lesson 17, of vectors so wide."""

    def draw(count: int, size: int, generator: Generator) -> Episode:
        return memory_tasks.draw(task, count, size, width, 1, generator)

    return Problem(draw, *memory_tasks.sizes(task, width), (), counts)


def words(draw: Draw, inputs: int, outputs: Fields, counts: str) -> Problem:
    """A task that asks for words."""
    return Problem(draw, inputs, outputs.size, outputs.blocks, counts)


COPY, RECALL = "copy", "associative recall"
TRAVERSAL, PATH, STORIES, SENTENCES, FAMILY = "traversal", "shortest path", "stories", "sentences", "family"
UNDERGROUND = "underground"
PROBLEMS = {
    COPY: bits(memory_tasks.COPY, 8, "vectors"),
    RECALL: bits(memory_tasks.RECALL, 6, "items"),
    TRAVERSAL: words(graphs.traversal, graphs.INPUTS.size, graphs.OUTPUTS, "stations"),
    PATH: words(graphs.shortest_path, graphs.INPUTS.size, graphs.OUTPUTS, "stations"),
    STORIES: words(stories.draw, stories.INPUTS.size, stories.OUTPUTS, "statements"),
    SENTENCES: words(stories.whole, stories.WHOLE_INPUTS.size, stories.OUTPUTS, "statements"),
    FAMILY: words(families.draw, families.INPUTS.size, families.OUTPUTS, "children"),
    UNDERGROUND: words(underground.traversal, underground.INPUTS.size, underground.OUTPUTS, "stations"),
}


def problem(task: str) -> Problem:
    """The task of a name. Raises LessonError for what is none of PROBLEMS."""
    if task not in PROBLEMS:
        raise LessonError(f"There is no task {task!r}; there are {', '.join(PROBLEMS)}.")
    return PROBLEMS[task]
