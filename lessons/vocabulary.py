"""Characters to numbers and back: the first and the last step of every lesson on text."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Int
from torch import Tensor

from lessons.arguments import explained
from lessons.errors import LessonError


@dataclass(frozen=True)
class Vocabulary:
    """An ordered set of single characters; a character's number is its place in `symbols`.

    `unknown`, if given, is the symbol that stands for every character outside the vocabulary (corpora map
    rare characters to it). Without it such characters are refused with a sentence that names them.
    """

    symbols: tuple[str, ...]
    unknown: str | None = None

    def __post_init__(self) -> None:
        if not self.symbols:
            raise LessonError("A vocabulary needs at least one character; this one is empty.")
        long = [symbol for symbol in self.symbols if len(symbol) != 1]
        if long:
            raise LessonError(f"A vocabulary holds single characters, and {long[0]!r} is not one.")
        if len(set(self.symbols)) != len(self.symbols):
            raise LessonError("A vocabulary lists every character once; this one repeats some.")
        if self.unknown is not None and self.unknown not in self.symbols:
            raise LessonError(
                f"The symbol for unknown characters, {self.unknown!r}, must be in the vocabulary."
            )

    @classmethod
    def of(cls, text: str, unknown: str | None = None) -> "Vocabulary":
        """The sorted characters of a text."""
        return cls(tuple(sorted(set(text) | ({unknown} if unknown else set()))), unknown)

    def __len__(self) -> int:
        return len(self.symbols)

    def __contains__(self, symbol: object) -> bool:
        return symbol in self._index

    @cached_property
    def _index(self) -> dict[str, int]:
        return {symbol: number for number, symbol in enumerate(self.symbols)}

    @cached_property
    def _table(self) -> Tensor:
        """Code point -> number; -1 where there is none. The last entry catches all larger code points."""
        table = torch.full((max(map(ord, self.symbols)) + 2,), -1, dtype=torch.long, device="cpu")
        table[[ord(symbol) for symbol in self.symbols]] = torch.arange(len(self), device="cpu")
        return table

    @explained
    def encode(self, text: str, device: torch.device | str | None = None) -> Int[Tensor, " time"]:
        """The numbers of a text's characters; a million characters take about ten milliseconds.

        Raises LessonError, naming the characters and the place of the first, if some are outside the
        vocabulary and `unknown` is not set.
        """
        if not text:
            return torch.empty(0, dtype=torch.long, device=device)
        raw = bytearray(text.encode("utf-32-le", "surrogatepass"))
        codes = torch.frombuffer(raw, dtype=torch.int32).long()
        ids = self._table[codes.clamp_(max=len(self._table) - 1)]
        missing = ids < 0
        if missing.any():
            if self.unknown is None:
                raise LessonError(self._complaint(text, missing))
            ids[missing] = self._index[self.unknown]
        return ids.to(device)

    def decode(self, ids: Int[Tensor, "*time"] | Iterable[int]) -> str:
        """The text that a sequence of numbers stands for."""
        numbers = ids.flatten().tolist() if isinstance(ids, Tensor) else list(ids)
        if any(not isinstance(number, int) or not 0 <= number < len(self) for number in numbers):
            raise LessonError(f"A character's number lies between 0 and {len(self) - 1} in this vocabulary.")
        return "".join(self.symbols[number] for number in numbers)

    def _complaint(self, text: str, missing: Tensor) -> str:
        places = missing.nonzero().flatten().tolist()
        names = sorted({text[place] for place in places})
        shown = ", ".join(map(repr, names[:8])) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
        these = "This character is" if len(names) == 1 else "These characters are"
        return (
            f"{these} not in the model's vocabulary of {len(self)}: {shown} (first at position "
            f"{places[0]}); leave out or replace what the model has never seen."
        )
