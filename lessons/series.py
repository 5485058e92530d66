"""Series of numbers: a learner's CSV file read with suspicion, split in time, measured on its training part.

What is forecast must not leak into what is learnt from: the split is by time, never shuffled, and the scale
is that of the training part alone.
"""

import csv
import hashlib
import io
import math
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor

from lessons import readers
from lessons.arguments import explained
from lessons.corpora import Provenance
from lessons.errors import LessonError

SHORTEST, LONGEST = 200, 200_000  # values
DELIMITERS = (",", ";", "\t")
GAPS = {"", "na", "n/a", "nan", "null", "none", "-", "?"}  # how a missing value is written
SHARES = {"train": 0.8, "valid": 0.1}  # in the order of time; the rest is the test part
CLEAR_SEASON = 0.2  # an autocorrelation below this is no season
Row = tuple[int, list[str]]  # number of the line, its fields


@dataclass(frozen=True, eq=False, repr=False)
class Series:
    """Values at equal distances in time, float64, with where they come from."""

    name: str
    values: Float[Tensor, " time"]
    provenance: Provenance
    column: str = "value"
    columns: tuple[str, ...] = field(default=("value",))

    @property
    def cuts(self) -> tuple[int, int]:
        """Where the validation part and the test part begin."""
        first = int(SHARES["train"] * len(self.values))
        return first, first + int(SHARES["valid"] * len(self.values))

    @property
    def train(self) -> Float[Tensor, " train"]:
        """The earliest four fifths."""
        return self.values[: self.cuts[0]]

    @property
    def valid(self) -> Float[Tensor, " valid"]:
        """The tenth after them, to choose with."""
        return self.values[slice(*self.cuts)]

    @property
    def test(self) -> Float[Tensor, " test"]:
        """The last tenth, for the last figure."""
        return self.values[self.cuts[1] :]

    @property
    def mean(self) -> float:
        """Mean of the training part."""
        return float(self.train.mean())

    @property
    def deviation(self) -> float:
        """Standard deviation of the training part."""
        return float(self.train.std(correction=0))

    @cached_property
    def season(self) -> int | None:
        """After how many steps the training part repeats itself best; None if it hardly does."""
        return season(self.train)

    def __repr__(self) -> str:
        again = f", repeating after {self.season} steps" if self.season else ""
        return f"Series({self.name!r}, {len(self.values):,} values of {self.column!r}{again})"


@explained
def season(values: Float[Tensor, " time"]) -> int | None:
    """The lag with the highest autocorrelation once it has fallen below zero; None if that is below 0.2.

    Looked for among lags up to a third of the series, so that every candidate is seen three times. The sums
    are divided by the same number at every lag, which prefers a season to its multiples.
    """
    apart = values.double() - values.double().mean()
    spectrum = torch.fft.rfft(apart, 2 * len(apart))
    together = torch.fft.irfft(spectrum.abs() ** 2)[: len(apart) // 3]
    below = (together < 0).nonzero()
    if not len(below) or not together[0] > 0:
        return None
    first = int(below[0])
    best = first + int(together[first:].argmax())
    return best if together[best] >= CLEAR_SEASON * together[0] else None


@explained
def read(content: bytes, name: str = "your numbers", column: str | int | None = None) -> Series:
    """The numbers of one column of a CSV file; by default of the last that holds little else.

    The delimiter is a comma, a semicolon or a tab; the first line may name the columns; with semicolons and
    tabs a decimal comma is understood. Raises LessonError, in one sentence that names the line, for what is
    no number, a gap, an infinity, rows of different lengths, and a file too short, too long or no text.
    """
    if len(content) > readers.LARGEST:
        readers.refuse_size(len(content), name)
    rows, delimiter = _rows(readers.decode(content, name), name)
    names, rows = _header(rows)
    _refuse_ragged(rows, len(names), name)
    _refuse_length(len(rows), name)
    place = _column(rows, names, delimiter, column, name)
    values = [_value(row, place, names[place], delimiter, name) for row in rows]
    found = torch.tensor(values, dtype=torch.float64, device="cpu")
    return of(found, name, names[place], names, hashlib.sha256(content).hexdigest())


@explained
def of(
    values: list[float | int] | Float[Tensor, " time"],
    name: str = "your numbers",
    column: str = "value",
    columns: tuple[str, ...] = ("value",),
    digest: str = "",
    provenance: Provenance | None = None,
) -> Series:
    """A Series of numbers that are there already. Raises LessonError as `read` does."""
    found = torch.as_tensor(values, dtype=torch.float64, device="cpu")
    _refuse_length(len(found), name)
    if not bool((found.abs() < 1e100).all()):
        odd = int((~(found.abs() < 1e100)).nonzero()[0])
        raise LessonError(
            f"Value {odd + 1} of {name!r} is {float(found[odd]):g}; only numbers below 1e100 count."
        )
    if provenance is None:
        digest = digest or hashlib.sha256(found.numpy().tobytes()).hexdigest()
        told = f"your own numbers, {len(found):,} values of {column!r}"
        provenance = Provenance(name, name, told, digest, "no licence stated", "", "yours")
    made = Series(name, found, provenance, column, tuple(columns))
    if not made.deviation > 1e-9 * max(1e-9, abs(made.mean)):
        raise LessonError(f"The first four fifths of {name!r} never change; there is nothing to forecast.")
    return made


def looks_numeric(text: str) -> bool:
    """Whether nearly all lines of a text end in, or consist of, fields that are numbers."""
    lines = [line for line in text.splitlines() if line.strip()][:500]
    if len(lines) < 2:
        return False
    delimiter = _delimiter(lines)
    numeric = sum(
        any(_number(part, delimiter) is not None for part in line.split(delimiter)) for line in lines
    )
    words = sum(len(line.split()) > 12 and line.count(delimiter) < 8 for line in lines)
    return numeric >= 0.9 * len(lines) and words < 0.1 * len(lines)


def _rows(text: str, name: str) -> tuple[list[Row], str]:
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        raise LessonError(f"{name!r} is empty; bring a CSV file with at least {SHORTEST} rows.")
    delimiter = _delimiter(lines)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        rows = [(reader.line_num, row) for row in reader if any(part.strip() for part in row)]
    except csv.Error as error:
        raise LessonError(f"Line {reader.line_num} of {name!r} is no CSV ({error}).") from error
    return rows, delimiter


def _delimiter(lines: list[str]) -> str:
    """The sign that most lines have equally often."""
    common = {
        sign: Counter(line.count(sign) for line in lines[:100]).most_common(1)[0] for sign in DELIMITERS
    }
    useful = {sign: lines_with for sign, (times, lines_with) in common.items() if times}
    # "1,5" on every line is more likely two fields than a decimal comma, unless semicolons are there, too.
    return max(useful, key=lambda sign: (useful[sign], sign == ";")) if useful else ","


def _header(rows: list[Row]) -> tuple[tuple[str, ...], list[Row]]:
    """Names of the columns, and the rows without them: a first row in which nothing is a number.

    A column may lack its name, as pandas and spreadsheets write it, where another has a name over a number.
    """
    first, after = rows[0][1], rows[1][1] if len(rows) > 1 else []
    named = [part.strip().lower() not in GAPS for part in first]
    above = any(has and _finite(below) for has, below in zip(named, after, strict=False))
    if after and not any(map(_finite, first)) and (all(named) or above):
        return tuple(part.strip()[:60] or f"column {k}" for k, part in enumerate(first, 1)), rows[1:]
    return tuple(f"column {k}" for k in range(1, len(first) + 1)), rows


def _refuse_ragged(rows: list[Row], width: int, name: str) -> None:
    for line, row in rows:
        if len(row) == 2 and width == 1 and all(part.strip().isdigit() for part in row):
            raise LessonError(
                f"Line {line} of {name!r}, {','.join(row)!r}, seems to hold a decimal comma; write points, "
                "or part columns by semicolons."
            )
        if len(row) != width:
            raise LessonError(
                f"Line {line} of {name!r} has {len(row)} fields where the first line has {width}; make all "
                "rows equally long."
            )


def _refuse_length(count: int, name: str) -> None:
    if count < SHORTEST:
        raise LessonError(f"{name!r} has {count:,} values, too few to learn from; bring {SHORTEST} or more.")
    if count > LONGEST:
        raise LessonError(f"{name!r} has {count:,} values; use a part of it, at most {LONGEST:,}.")


def _column(
    rows: list[Row], names: tuple[str, ...], delimiter: str, wanted: str | int | None, name: str
) -> int:
    if isinstance(wanted, str) and wanted in names:
        return names.index(wanted)
    if isinstance(wanted, int) and 1 <= wanted <= len(names):
        return wanted - 1
    if wanted is not None:
        raise LessonError(f"{name!r} has no column {wanted!r}; choose one of {', '.join(names[:12])}.")
    shares = [sum(_number(row[k], delimiter) is not None for _, row in rows) for k in range(len(names))]
    best = max(shares)
    if best < 0.5 * len(rows):
        line, row = rows[0]
        raise LessonError(
            f"No column of {name!r} holds numbers: its first row, line {line}, is {_short(','.join(row))!r}."
        )
    return max(k for k, count in enumerate(shares) if count >= 0.9 * best)


def _value(row: Row, place: int, column: str, delimiter: str, name: str) -> float:
    line, fields = row
    value = _number(fields[place], delimiter)
    if value is not None and math.isfinite(value):
        return value
    said = fields[place].strip()
    where = f"Line {line} of {name!r}, column {column!r},"
    if said.lower() in GAPS:
        raise LessonError(f"{where} has no value; fill the gap, or bring a stretch without gaps.")
    if value is not None:
        raise LessonError(f"{where} is {said}; only finite numbers count.")
    raise LessonError(f"{where} says {_short(said)!r}, which is no number; mend it or take the line out.")


def _number(text: str, delimiter: str) -> float | None:
    """A field as a number, infinities included; None for gaps and for what is no number."""
    text = text.strip()
    if delimiter != "," and text.count(",") == 1 and "." not in text:
        text = text.replace(",", ".")
    if text.lower() in GAPS or "_" in text:  # Python reads 1_000 as a number, nobody writes so in a CSV
        return None
    try:
        return float(text)
    except ValueError:
        return None


def _finite(text: str) -> bool:
    value = _number(text, ";")
    return value is not None and math.isfinite(value)


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:37]}..."
