"""Five tasks for a machine with a memory, drawn from a generator: Graves et al. (2014), sections 4.1 to 4.5.

Each generator makes a batch of one length: `x` (B, T, I), `target` (B, T, O), both of zeros and ones
(priorities and counts aside), and `asked`, the steps at which an answer is asked for. Everything is made on
the CPU.
"""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Generator, Tensor

from lessons.arguments import Count, explained
from lessons.errors import LessonError

CONTEXT = 5  # bits that the next one hangs on, in the N-grams of section 4.4
ITEM_ROWS = 3  # vectors of an item, in associative recall
KEPT = 0.8  # share of the vectors that are to be sorted out: the paper's 16 of 20


class Episode(NamedTuple):
    """Sequences, what is right, and the steps that count."""

    x: Float[Tensor, "batch time input"]
    target: Float[Tensor, "batch time output"]
    asked: Bool[Tensor, " time"]


def bits(*shape: int, generator: Generator | None) -> Tensor:
    """Zeros and ones, each with the same probability."""
    return torch.randint(2, shape, generator=generator).float()


@explained
def copy(count: Count, length: Count, width: Count = 8, generator: Generator | None = None) -> Episode:
    """Say it again (section 4.1): begin, `length` random vectors, end, and the same vectors in their order.

    Inputs: the vector's bits, then one each for begin and end.
    """
    said = bits(count, length, width, generator=generator)
    x = torch.zeros(count, 2 * length + 2, width + 2)
    x[:, 0, width], x[:, length + 1, width + 1] = 1, 1
    x[:, 1 : length + 1, :width] = said
    target = torch.zeros(count, 2 * length + 2, width)
    target[:, length + 2 :] = said
    return Episode(x, target, torch.arange(2 * length + 2) > length + 1)


@explained
def repeat_copy(
    count: Count, length: Count, width: Count = 8, repeats: Count = 3, generator: Generator | None = None
) -> Episode:
    """Say it `repeats` times (section 4.2), and then that it is over.

    Inputs: the bits, begin, and how often, as a number at the step that ends the vectors: (repeats - 5) / 3,
    which has about mean 0 and variance 1 over 1 … 10. Outputs: the bits, and a one at the end.
    """
    said = bits(count, length, width, generator=generator)
    steps = length + 2 + repeats * length + 1
    x, target = torch.zeros(count, steps, width + 2), torch.zeros(count, steps, width + 1)
    x[:, 0, width], x[:, length + 1, width + 1] = 1, (repeats - 5) / 3
    x[:, 1 : length + 1, :width] = said
    target[:, length + 2 : -1, :width] = said.repeat(1, repeats, 1)
    target[:, -1, width] = 1
    return Episode(x, target, torch.arange(steps) > length + 1)


@explained
def associative_recall(
    count: Count, length: Count, width: Count = 6, generator: Generator | None = None
) -> Episode:
    """Which item came after this one? (section 4.3.) `length` items of three vectors, then one of them again.

    Inputs: the bits, a one before each item, a one before and after the item that is asked about. It is any
    item but the last; the answer is the one that followed. Items are random: two of 18 bits are hardly ever
    equal.
    """
    if length < 2:
        raise LessonError(f"Associative recall needs two items at least; length is {length}.")
    items = bits(count, length, ITEM_ROWS, width, generator=generator)
    which = torch.randint(length - 1, (count,), generator=generator)
    rows, item = torch.arange(count), ITEM_ROWS + 1
    steps = length * item + ITEM_ROWS + 2 + ITEM_ROWS
    x, target = torch.zeros(count, steps, width + 2), torch.zeros(count, steps, width)
    told = x[:, : length * item].view(count, length, item, width + 2)
    told[:, :, 0, width], told[:, :, 1:, :width] = 1, items
    asking = x[:, length * item : -ITEM_ROWS]
    asking[:, 0, width + 1], asking[:, -1, width + 1] = 1, 1
    asking[:, 1:-1, :width] = items[rows, which]
    target[:, -ITEM_ROWS:] = items[rows, which + 1]
    return Episode(x, target, torch.arange(steps) >= steps - ITEM_ROWS)


@explained
def ngrams(count: Count, length: Count, generator: Generator | None = None) -> Episode:
    """Predict the next bit of a source that hangs on the last five (section 4.4).

    Every sequence has a source of its own: for each of the 32 contexts the probability of a one, drawn from
    Beta(1/2, 1/2). The first five bits are fair coins. Input: the bit, and the answer asked for is the next
    one, from the step on at which five bits are known. `length` bits are to be predicted.
    """
    chances = torch.empty(count, 2**CONTEXT)
    # Beta(1/2, 1/2) is the square of the sine of a uniform angle: no generator for Beta is needed.
    chances.uniform_(0, torch.pi / 2, generator=generator).sin_().square_()
    drawn = [bits(count, generator=generator).long() for _ in range(CONTEXT)]
    dice = torch.rand(count, length, generator=generator)
    for step in range(length):
        chance = chances.gather(1, contexts(torch.stack(drawn[-CONTEXT:], 1))[:, -1:])[:, 0]
        drawn.append((dice[:, step] < chance).long())
    said = torch.stack(drawn, 1).float()[..., None]
    steps = CONTEXT + length - 1
    return Episode(said[:, :-1], said[:, 1:], torch.arange(steps) >= CONTEXT - 1)


@explained
def priority_sort(
    count: Count, length: Count, width: Count = 8, generator: Generator | None = None
) -> Episode:
    """Put them in order (section 4.5): vectors with priorities come in, the highest four fifths go out.

    Inputs: the bits, the priority, a number from -1 to 1, at the same step, and a one at the end. The highest
    priority comes first.
    """
    said = bits(count, length, width, generator=generator)
    priority = torch.rand(count, length, generator=generator) * 2 - 1
    kept = max(1, round(KEPT * length))
    x = torch.zeros(count, length + 1 + kept, width + 2)
    x[:, :length, :width], x[:, :length, width], x[:, length, width + 1] = said, priority, 1
    order = priority.argsort(1, descending=True)[:, :kept]
    target = torch.zeros(count, length + 1 + kept, width)
    target[:, length + 1 :] = said.gather(1, order[..., None].expand(-1, -1, width))
    return Episode(x, target, torch.arange(length + 1 + kept) > length)


def contexts(said: Int[Tensor, "batch time"]) -> Int[Tensor, "batch windows"]:
    """The number of each window of five bits, 0 … 31, the oldest bit counting most."""
    worth = 2 ** torch.arange(CONTEXT - 1, -1, -1)
    return (said.unfold(1, CONTEXT, 1) * worth).sum(-1)


@explained
def best_guess(episode: Episode) -> Float[Tensor, "batch time"]:
    """What can be known of the next bit of an N-gram source, and no more (equation 10 of section 4.4).

    (ones + 1/2) / (ones + zeros + 1), counted over what followed the same five bits before. Steps at which
    nothing is asked hold 1/2.
    """
    said = torch.cat([episode.x[:, :, 0], episode.target[:, -1:, 0]], 1).long()
    where = contexts(said[:, :-1])
    seen = torch.zeros(len(said), 2**CONTEXT, 2)
    guesses = [torch.full((len(said),), 0.5) for _ in range(CONTEXT - 1)]
    rows = torch.arange(len(said))
    for step, context in enumerate(where.unbind(1)):
        zeros, ones = seen[rows, context].unbind(-1)
        guesses.append((ones + 0.5) / (ones + zeros + 1))
        seen[rows, context, said[:, CONTEXT + step]] += 1
    return torch.stack(guesses, 1)


COPY, REPEAT, RECALL, NGRAMS, SORT = "copy", "repeat copy", "associative recall", "n-grams", "priority sort"
TASKS = (COPY, REPEAT, RECALL, NGRAMS, SORT)


@explained
def draw(
    task: str,
    count: Count,
    length: Count,
    width: Count = 8,
    repeats: Count = 1,
    generator: Generator | None = None,
) -> Episode:
    """`count` sequences of one of TASKS; those that know no width or repeats ignore them."""
    if known(task) == NGRAMS:
        return ngrams(count, length, generator)
    if task == REPEAT:
        return repeat_copy(count, length, width, repeats, generator)
    return {COPY: copy, RECALL: associative_recall, SORT: priority_sort}[task](
        count, length, width, generator
    )


def sizes(task: str, width: int) -> tuple[int, int]:
    """Numbers in and out at each step."""
    if known(task) == NGRAMS:
        return 1, 1
    return width + 2, width + (task == REPEAT)


def known(task: str) -> str:
    """The task's name. Raises LessonError for what is none of TASKS."""
    if task not in TASKS:
        raise LessonError(f"There is no task {task!r}; there are {', '.join(TASKS)}.")
    return task
