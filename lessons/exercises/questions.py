"""What a quiz question is: options of which one is right, and an explanation for each of them."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Option:
    """An answer to choose from, and why it is right or what makes it tempting and wrong."""

    text: str
    why: str
    right: bool = False


@dataclass(frozen=True)
class Question:
    """A question with two or more options, exactly one of them right. `Backticks` mark code."""

    text: str
    options: tuple[Option, ...]

    def __post_init__(self) -> None:
        if sum(option.right for option in self.options) != 1 or len(self.options) < 2:
            raise ValueError(
                f"a question needs two options or more, exactly one of them right: {self.text!r}"
            )

    def plain(self) -> dict:
        """The question as JSON-ready dicts and lists."""
        return asdict(self)
