"""What a step of a task of lesson 18 says, in words, and what an answer says."""

from collections.abc import Callable
from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor

from lessons import dnc_tasks, families, graphs, stories, underground
from lessons.dnc_tasks import COPY, FAMILY, PATH, RECALL, SENTENCES, STORIES, TRAVERSAL, UNDERGROUND

Say = Callable[[Float[Tensor, " numbers"]], str]


class Captions(NamedTuple):
    """step: the words of an input vector. answer: those of logits, or of a target times a large number."""

    step: Say
    answer: Say


def bits(logits: Float[Tensor, " numbers"]) -> str:
    """Zeros and ones, by sign."""
    return "".join("1" if number > 0 else "0" for number in logits.tolist())


def marked(signs: tuple[str, str]) -> Say:
    """The step of a task of bits: its vector, or what its last two numbers mark, or nothing."""

    def say(x: Float[Tensor, " numbers"]) -> str:
        *vector, first, last = (x > 0.5).tolist()
        if not x.any():  # a silent step; a vector of zeros alone looks the same
            return ""
        return signs[0] * first or signs[1] * last or "".join("01"[bit] for bit in vector)

    return say


CAPTIONS = {
    COPY: Captions(marked(("begin", "end")), bits),
    RECALL: Captions(marked(("item", "after this?")), bits),
    TRAVERSAL: Captions(graphs.caption, graphs.answer),
    PATH: Captions(graphs.caption, graphs.answer),
    STORIES: Captions(stories.caption, stories.answer),
    SENTENCES: Captions(stories.caption, stories.answer),
    FAMILY: Captions(families.caption, families.answer),
    UNDERGROUND: Captions(underground.caption, underground.answer),
}


def captions(task: str) -> Captions:
    """Those of a task. Raises LessonError for what is none."""
    dnc_tasks.problem(task)
    return CAPTIONS[task]
