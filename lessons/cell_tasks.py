"""Tasks that tell the cells after the LSTM apart: copying, recall, the depth of brackets.

They are tasks of lessons.tasks, beside its latch and parity: what to remember, what to ignore, and what state
to be in.
"""

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor
from torch.nn import functional

from lessons.errors import LessonError
from lessons.tasks import Classification, SequencePreset, enough_symbols

Drawn = tuple[Float[Tensor, "batch time input"], Int[Tensor, "batch time"]]


class Copy(Classification):
    """Say again, in their order, the symbols read first (after Arjovsky et al. 2016).

    `delay` symbols come first; then blanks; in the last `delay` steps a mark asks for the symbols, one a
    step.
    """

    name = "copy"
    readout = "all"

    @classmethod
    def check(cls, preset: SequencePreset) -> None:
        """Symbols to tell apart, and room to say them twice."""
        enough_symbols(preset)
        if not 1 <= preset.delay <= preset.length // 2:
            raise LessonError(
                f"delay is {preset.delay}, the number of symbols; it lies between 1 and half the length, "
                f"{preset.length}."
            )

    @classmethod
    def sizes(cls, preset: SequencePreset) -> tuple[int, int]:
        """One input a symbol, one for the blank and one for the mark; one class a symbol."""
        return preset.symbols + 2, preset.symbols

    def draw(self, count: int, generator: Generator) -> Drawn:
        """Symbols, blanks and marks, and the symbols again."""
        said, symbols = self.preset.delay, self.preset.symbols
        told = torch.randint(symbols, (count, said), generator=generator)
        read = torch.full((count, self.preset.length), symbols)
        read.scatter_(1, self.places(count, generator), told)
        read[:, -said:] = symbols + 1
        target = torch.full_like(read, -1)
        target[:, -said:] = told
        return functional.one_hot(read, symbols + 2).float(), target

    def places(self, count: int, generator: Generator) -> Int[Tensor, "batch said"]:
        """At which steps the symbols stand: at the first ones."""
        return torch.arange(self.preset.delay).expand(count, -1)


class SelectiveCopy(Copy):
    """Copying where the symbols stand among the blanks, at steps drawn anew for every sequence.

    After Gu and Dao (2023), section 3.1: what is fixed in time can learn a delay, but not what to leave out.
    """

    name = "selective copy"

    def places(self, count: int, generator: Generator) -> Int[Tensor, "batch said"]:
        """Steps drawn without repetition, in order."""
        free = self.preset.length - self.preset.delay
        order = torch.rand(count, free, generator=generator).argsort(1)
        return order[:, : self.preset.delay].sort(1).values


class Recall(Copy):
    """What went with this one? `delay` pairs of a name and a thing are read, one a step; then names alone.

    The names are different ones of `symbols`, the things any; every later step asks for the thing that one of
    the names came with (after Graves et al. 2014, section 4.3, with pairs for items).
    """

    name = "recall"

    @classmethod
    def check(cls, preset: SequencePreset) -> None:
        """As many names as pairs, and a step to ask."""
        enough_symbols(preset)
        most = min(preset.symbols, preset.length - 1)
        if not 1 <= preset.delay <= most:
            raise LessonError(f"delay is {preset.delay}, the number of pairs; it lies between 1 and {most}.")

    @classmethod
    def sizes(cls, preset: SequencePreset) -> tuple[int, int]:
        """The names, then the things, one-hot; one class a thing."""
        return 2 * preset.symbols, preset.symbols

    def draw(self, count: int, generator: Generator) -> Drawn:
        """Pairs, then names; the things that belong to those."""
        pairs, symbols, steps = self.preset.delay, self.preset.symbols, self.preset.length
        names = torch.rand(count, symbols, generator=generator).argsort(1)[:, :pairs]
        things = torch.randint(symbols, (count, pairs), generator=generator)
        asked = torch.randint(pairs, (count, steps - pairs), generator=generator)
        x, target = torch.zeros(count, steps, 2 * symbols), torch.full((count, steps), -1)
        x[:, :, :symbols] = functional.one_hot(torch.cat([names, names.gather(1, asked)], 1), symbols)
        x[:, :pairs, symbols:] = functional.one_hot(things, symbols)
        target[:, pairs:] = things.gather(1, asked)
        return x, target


class Depth(Classification):
    """At every step: how many brackets are open? From none to `delay`.

    A random walk between two walls: at depth 0 only an opening bracket comes, at depth `delay` a closing one.
    """

    name = "bracket depth"
    readout = "all"

    @classmethod
    def check(cls, preset: SequencePreset) -> None:
        """Brackets to open."""
        super().check(preset)
        if preset.delay < 1:
            raise LessonError(f"delay is {preset.delay}, the greatest depth; it is at least 1.")

    @classmethod
    def sizes(cls, preset: SequencePreset) -> tuple[int, int]:
        """Opening or closing; a class for every depth."""
        return 2, preset.delay + 1

    def draw(self, count: int, generator: Generator) -> Drawn:
        """Brackets, and the depth after each."""
        deepest, depth = self.preset.delay, torch.zeros(count, dtype=torch.long)
        coins = torch.randint(2, (count, self.preset.length), generator=generator)
        opened, depths = torch.empty_like(coins), torch.empty_like(coins)
        for step, coin in enumerate(coins.unbind(1)):
            opening = ((coin == 1) | (depth == 0)) & (depth < deepest)
            depth = depth + 2 * opening.long() - 1
            opened[:, step], depths[:, step] = opening.long(), depth
        return functional.one_hot(opened, 2).float(), depths
