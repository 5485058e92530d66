"""Words as numbers and numbers as words, for tasks whose steps say several things at once (lesson 18).

A step of a graph names a station, a line and another station: three fields, each with an alphabet of its
own, each written as a one in its place. What is not said is zeros.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from lessons.errors import LessonError
from lessons.memory_tasks import Episode

SAID = 0.5  # a number above this says its word
Words = Mapping[str, str]


@dataclass(frozen=True)
class Fields:
    """Named fields in their order, each with its words. A vector has `size` numbers, a block a field."""

    alphabets: Mapping[str, tuple[str, ...]]

    @property
    def blocks(self) -> tuple[int, ...]:
        """How many numbers each field has."""
        return tuple(map(len, self.alphabets.values()))

    @property
    def size(self) -> int:
        """How many numbers a vector has."""
        return sum(self.blocks)

    @cached_property
    def places(self) -> dict[tuple[str, str], int]:
        """Where in a vector the one of each field and word stands."""
        pairs = ((name, word) for name, words in self.alphabets.items() for word in words)
        return {pair: place for place, pair in enumerate(pairs)}

    def write(self, sequences: Sequence[Sequence[Words]]) -> Float[Tensor, "batch time size"]:
        """Vectors of ones and zeros, on the CPU; shorter sequences have empty steps in front."""
        longest = max(map(len, sequences))
        ones = [
            (row, longest - len(steps) + step, self.place(name, word))
            for row, steps in enumerate(sequences)
            for step, words in enumerate(steps)
            for name, word in words.items()
        ]
        vectors = torch.zeros(len(sequences), longest, self.size, device="cpu", dtype=torch.float32)
        if ones:
            vectors[tuple(zip(*ones, strict=True))] = 1
        return vectors

    def place(self, name: str, word: str) -> int:
        """Where the one stands. Raises LessonError for a word that the field has not."""
        if (name, word) not in self.places:
            known = ", ".join(self.alphabets.get(name, ())) or "no words: there is no such field"
            raise LessonError(f"{word!r} is no word of the field {name!r}; it has {known}.")
        return self.places[name, word]

    def read(self, vector: Float[Tensor, " size"]) -> dict[str, str]:
        """The words of a vector of ones and zeros: in each field the largest number, if it says something."""
        found = {}
        for (name, words), block in zip(self.alphabets.items(), vector.split(self.blocks), strict=True):
            if block.max() > SAID:
                found[name] = words[int(block.argmax())]
        return found

    def guess(self, logits: Float[Tensor, " size"]) -> dict[str, str]:
        """The likeliest word in each field."""
        blocks = logits.split(self.blocks)
        return {
            name: words[int(block.argmax())]
            for (name, words), block in zip(self.alphabets.items(), blocks, strict=True)
        }


class Step(NamedTuple):
    """What is said in a step, and what is to be answered in it, if anything."""

    said: Words
    answer: Words | None = None


def episode(inputs: Fields, outputs: Fields, sequences: Sequence[Sequence[Step]]) -> Episode:
    """Sequences as tensors, their ends together. Questions stand at the same distance from the end in all."""
    x = inputs.write([[step.said for step in steps] for steps in sequences])
    target = outputs.write([[step.answer or {} for step in steps] for steps in sequences])
    longest = max(sequences, key=len)
    asked = torch.tensor([step.answer is not None for step in longest], device="cpu")
    return Episode(x, target, asked)
