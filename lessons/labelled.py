"""Sequences with a label at every step: letters with phonemes, tokens of code with their roles.

`Labelled` holds them in parts (train, valid, test), padded. Two tables that need no network stand beside:
the commonest label of a symbol, and of a window of symbols.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Any

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from lessons.arguments import Between, explained
from lessons.errors import LessonError

BLANK = "_"  # symbol 0: fills the padding, and stands for what is covered up
UNASKED = ""  # the label of a step at which no answer is asked for
HELD_OUT = {"test": 5, "valid": 5}  # per cent
Signs = tuple[str, ...]
Side = Annotated[int, Between(0)]
Pairs = Iterable[tuple[str, Signs, Signs]]  # (what it is dealt by, signs, labels)


@dataclass(frozen=True)
class Part:
    """Some of the sequences: their signs as they are shown, and symbols and labels as numbers.

    x is 0 past the end of a sequence; y is -1 there, and where no answer is asked for.
    """

    signs: tuple[Signs, ...]
    x: Int[Tensor, "batch time"]
    y: Int[Tensor, "batch time"]
    lengths: Int[Tensor, " batch"]

    def __len__(self) -> int:
        return len(self.signs)

    def some(self, rows: Int[Tensor, " rows"]) -> "Part":
        """The sequences of these rows, cut to the longest of them."""
        lengths = self.lengths[rows]
        end = int(lengths.max())
        signs = tuple(self.signs[row] for row in rows.tolist())
        return Part(signs, self.x[rows, :end], self.y[rows, :end], lengths)

    def first(self, count: int) -> "Part":
        """The first `count` sequences; all if there are fewer."""
        return self.some(torch.arange(min(count, len(self)), device=self.x.device))


@dataclass(frozen=True, repr=False)
class Labelled:
    """A task of labelling. `sign` and `item` say what a step and a sequence are ("letter", "word").

    `symbols` are what a network reads, the first one BLANK; `labels` what it answers. `cut` takes a text
    into signs, `symbol` a sign to its symbol, `asks` says whether a sign has a label. `provenance` names the
    source, `known` has the labels of all sequences.
    """

    name: str
    sign: str
    item: str
    symbols: Signs
    labels: Signs
    parts: Mapping[str, Part]
    provenance: Any
    cut: Callable[[str], Signs] = tuple
    symbol: Callable[[str], str] = str
    asks: Callable[[str], bool] = bool
    known: Mapping[Signs, Signs] = field(default_factory=dict)

    def __repr__(self) -> str:
        sizes = ", ".join(f"{name} {len(part):,}" for name, part in self.parts.items())
        return (
            f"{self.name}: {len(self.symbols) - 1} symbols, {len(self.labels)} labels; {self.item}s: {sizes}"
        )

    def read(self, text: Any) -> tuple[Signs, Int[Tensor, "one time"]]:
        """A text as signs and as a batch of one; LessonError for what the networks have never seen."""
        if not isinstance(text, str) or not (signs := self.cut(text.strip())):
            raise LessonError(f"Type a {self.item} of at least one {self.sign}.")
        numbers = {symbol: number for number, symbol in enumerate(self.symbols)}
        ids = [numbers.get(self.symbol(sign), -1) for sign in signs]
        if -1 in ids:
            place = ids.index(-1)
            raise LessonError(
                f"{signs[place]!r}, {self.sign} {place + 1}, is nothing that the networks were taught; "
                f"leave it out."
            )
        return signs, torch.tensor([ids])

    def truth(self, signs: Signs) -> Signs | None:
        """The labels that the source gives; None for a sequence that it does not have."""
        if signs in self.known:
            return self.known[signs]
        return None

    def reading_on(self) -> "Labelled":
        """The same sequences, each step labelled with the symbol that comes next, the last one with BLANK."""

        def shifted(part: Part) -> Part:
            y = torch.full_like(part.y, -1)
            y[:, :-1] = part.x[:, 1:]
            inside = torch.arange(y.shape[1], device=y.device) < part.lengths[:, None]
            return replace(
                part, y=y.where(inside & (y >= 0), y.new_tensor(0)).where(inside, y.new_tensor(-1))
            )

        parts = {name: shifted(part) for name, part in self.parts.items()}
        return replace(self, name=f"next {self.sign}", labels=self.symbols, parts=parts, known={}, asks=bool)


def build(
    name: str, sign: str, item: str, pairs: Pairs, provenance: Any, *, rare: float = 0.0, **ways: Any
) -> Labelled:
    """Number symbols and labels, and deal the sequences to parts by the hash of what they are dealt by.

    The sequences of a part stand in the order of a hash, so that the first of them are a fair sample.
    A label of "" asks for nothing. Sequences with a label that is rarer than `rare` of all labels are left
    out. `ways` are `cut`, `symbol` and `asks` of the task.
    """
    rows = list(pairs)
    counts: dict[str, int] = {}
    for _, _, labels in rows:
        for label in labels:
            counts[label] = counts.get(label, 0) + 1
    least = rare * sum(counts.values())
    kept = {label for label, count in counts.items() if count >= least or label == UNASKED}
    rows = [row for row in rows if kept.issuperset(row[2])]
    symbol = ways.get("symbol", str)
    found = sorted({symbol(sign) for _, signs, _ in rows for sign in signs} - {BLANK})
    symbols, labels = (
        (BLANK, *found),
        tuple(sorted(kept - {UNASKED}, key=lambda label: (-counts[label], label))),
    )
    dealt: dict[str, list] = {"train": [], **{part: [] for part in HELD_OUT}}
    for key, signs, own in sorted(rows, key=lambda row: digest(" ".join(row[1]))):
        dealt[deal(key)].append((signs, own))
    parts = {part: numbered(some, symbols, labels, symbol) for part, some in dealt.items()}
    known = {signs: own for _, signs, own in rows}
    return Labelled(name, sign, item, symbols, labels, parts, provenance, known=known, **ways)


def deal(key: str) -> str:
    """The part that a key belongs to, by its SHA-256: the same wherever and in whatever order it comes."""
    place = digest(key) % 100
    for part, share in HELD_OUT.items():
        if place < share:
            return part
        place -= share
    return "train"


def digest(text: str) -> int:
    """A number that a text is scattered to."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def numbered(
    rows: Sequence[tuple[Signs, Signs]], symbols: Signs, labels: Signs, symbol: Callable[[str], str]
) -> Part:
    """Rows of (signs, labels) as a Part; LessonError where there is no row."""
    if not rows:
        raise LessonError("There are too few sequences to hold some of them out; give more.")
    to_x, to_y = ({name: k for k, name in enumerate(names)} for names in (symbols, labels))
    to_y[UNASKED] = -1
    lengths = torch.tensor([len(signs) for signs, _ in rows])
    x, y = np.zeros((2, len(rows), int(lengths.max())), np.int64)
    y[:] = -1
    for k, (signs, own) in enumerate(rows):
        x[k, : len(signs)] = [to_x[symbol(sign)] for sign in signs]
        y[k, : len(signs)] = [to_y[label] for label in own]
    return Part(tuple(signs for signs, _ in rows), torch.from_numpy(x), torch.from_numpy(y), lengths)


def accuracy(guess: Int[Tensor, "batch time"], y: Int[Tensor, "batch time"]) -> tuple[float, float]:
    """The share of labels that are right, and of sequences in which all are."""
    asked = y >= 0
    right = (guess == y) & asked
    whole = (right | ~asked).all(1)
    return float(right.sum() / asked.sum()), float(whole.float().mean())


@explained
def window(data: Labelled, left: Side = 0, right: Side = 0, part: str = "valid") -> tuple[float, float]:
    """What a table of windows gets right: the commonest label of `left` symbols before to `right` after.

    Counted on the training part. A window never seen there is narrowed, the wider side first, to the symbol
    alone. Returns the shares of labels and of sequences that are right.
    """
    if part not in data.parts:
        raise LessonError(f"There is no part {part!r}; there are {', '.join(data.parts)}.")
    if len(data.symbols) ** (left + right + 1) * len(data.labels) >= 2**63:
        raise LessonError(f"A window of {left + right + 1} {data.sign}s is too wide to count; take fewer.")
    train, held = data.parts["train"], data.parts[part]
    asked = held.y.numpy() >= 0
    guess = np.full(asked.sum(), -1)
    while True:
        seen, best = _commonest(windows(train, left, right, len(data.symbols)), train, len(data.labels))
        keys = windows(held, left, right, len(data.symbols))[asked]
        place = np.searchsorted(seen, keys).clip(max=len(seen) - 1)
        fits = (guess < 0) & (seen[place] == keys)
        guess[fits] = best[place][fits]
        if left == right == 0:
            break
        left, right = (left - 1, right) if left >= right and left else (left, right - 1)
    full = np.full(asked.shape, -1)
    full[asked] = guess
    return accuracy(torch.from_numpy(full), held.y)


def windows(part: Part, left: int, right: int, symbols: int) -> np.ndarray:
    """Each step's window as one number, in base `symbols`; beyond the ends stands BLANK."""
    x = np.pad(part.x.numpy(), ((0, 0), (left, right)))
    steps = part.x.shape[1]
    keys = np.zeros(part.x.shape, np.int64)
    for shift in range(left + right + 1):
        keys = keys * symbols + x[:, shift : shift + steps]
    return keys


def _commonest(keys: np.ndarray, part: Part, labels: int) -> tuple[np.ndarray, np.ndarray]:
    """The windows that occur, sorted, and the commonest label of each."""
    y = part.y.numpy()
    pairs, counts = np.unique(keys[y >= 0] * labels + y[y >= 0], return_counts=True)
    order = np.lexsort((counts, pairs // labels))
    pairs = pairs[order]
    last = np.append(pairs[1:] // labels != pairs[:-1] // labels, True)
    return pairs[last] // labels, pairs[last] % labels
