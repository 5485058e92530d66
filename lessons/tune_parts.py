"""What a tune consists of, once it is read: its key, its bars, its notes, and what is heard of them."""

import re
from dataclasses import dataclass
from fractions import Fraction

from lessons.arguments import explained
from lessons.errors import LessonError
from lessons.repeats import order

NATURAL = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}  # semitones above C
FIFTHS = {"C": 0, "D": 2, "E": 4, "F": -1, "G": 1, "A": 3, "B": 5}  # sharps of the major key
MODES = {
    "": 0, "maj": 0, "ion": 0, "mix": -1, "dor": -2, "m": -3, "min": -3, "aeo": -3, "phr": -4, "loc": -5,
    "lyd": 1,
}  # fmt: skip
CANONICAL = {"maj": "", "ion": "", "min": "m", "aeo": "m"}  # several names of one mode
SHARPS = "FCGDAEB"


@dataclass(frozen=True)
class Key:
    """A key: its name, its tonic as a pitch class 0 … 11 (0 is C), and its sharps (flats below 0)."""

    name: str
    tonic: int
    sharps: int

    @property
    def shifts(self) -> dict[str, int]:
        """By how many semitones the signature moves each letter."""
        raised = SHARPS[: max(self.sharps, 0)]
        lowered = SHARPS[::-1][: max(-self.sharps, 0)]
        return {letter: (letter in raised) - (letter in lowered) for letter in NATURAL}

    @property
    def scale(self) -> frozenset[int]:
        """The seven pitch classes of the key."""
        return frozenset((NATURAL[letter] + shift) % 12 for letter, shift in self.shifts.items())


@dataclass(frozen=True)
class Note:
    """A note, chord or rest: MIDI pitches (none in a rest), length in whole notes, and where it is written.

    The text from `begin` to `end` spells it. tied: the next note of the same pitch goes on with it.
    """

    pitches: tuple[int, ...]
    length: Fraction
    begin: int
    end: int
    tied: bool = False


@dataclass(frozen=True)
class Bar:
    """What stands between two bar lines, with the signs beside it; ending 1, 2 … or 0 for none."""

    notes: tuple[Note, ...]
    left: str
    right: str
    ending: int = 0

    @property
    def length(self) -> Fraction:
        """The sum of the notes' lengths, in whole notes."""
        return sum((note.length for note in self.notes), Fraction(0))


@dataclass(frozen=True)
class Sounded:
    """A note as it sounds: start and length in whole notes; `note` numbers it among the written ones."""

    start: Fraction
    length: Fraction
    pitches: tuple[int, ...]
    note: int


@dataclass(frozen=True)
class Tune:
    """A tune that was read. metre: length of a bar in whole notes. unit: of the lengths, as in L:1/8.

    notation: the signs that were read, without anything that was passed over.
    """

    text: str
    fields: dict[str, str]
    metre: Fraction
    unit: Fraction
    key: Key
    bars: tuple[Bar, ...]
    notation: str = ""

    @property
    def header(self) -> str:
        """Metre, unit and key in their plainest form, a line each."""
        over, below = self.metre.numerator, self.metre.denominator
        name = self.fields.get("M", "").strip() or "C"
        metre = name if re.fullmatch(r"C\|?|\d+/\d+", name) else f"{over}/{below}"
        return f"M:{metre}\nL:1/{self.unit.denominator}\nK:{self.key.name}\n"

    @property
    def notes(self) -> tuple[Note, ...]:
        """All notes and rests in the order they are written."""
        return tuple(note for bar in self.bars for note in bar.notes)

    def sounded(self, repeats: bool = True) -> tuple[Sounded, ...]:
        """What is heard, in order, ties made one; `repeats` False plays every bar once, as it is written."""
        first = [0]
        for bar in self.bars:
            first.append(first[-1] + len(bar.notes))
        played = order(self.bars) if repeats else range(len(self.bars))
        found: list[Sounded] = []
        now, held = Fraction(0), False
        for number in played:
            for offset, note in enumerate(self.bars[number].notes):
                if held and found[-1].pitches == note.pitches:
                    last = found[-1]
                    found[-1] = Sounded(last.start, last.length + note.length, last.pitches, last.note)
                elif note.pitches:
                    found.append(Sounded(now, note.length, note.pitches, first[number] + offset))
                held = note.tied and bool(found)
                now += note.length
        return tuple(found)


@explained
def key(name: str) -> Key:
    """A key such as `D`, `Bb`, `F#m`, `Ador`, `A Mixolydian`; LessonError for what is none."""
    found = re.fullmatch(r"([A-G])([b#]?) *([A-Za-z]*)", name.strip())
    written = found[3].lower()[:3] if found else ""
    mode = MODES.get(written) if found else None
    if mode is None:
        raise LessonError(f"{_short(name)} is no key; write one such as K:D, K:Bb, K:Am, K:Ador or K:Amix.")
    letter, sign, _ = found.groups()
    shift = {"": 0, "#": 1, "b": -1}[sign]
    sharps = FIFTHS[letter] + 7 * shift + mode
    if not -7 <= sharps <= 7:
        raise LessonError(f"The key {_short(name)} has more than seven sharps or flats; choose another.")
    return Key(f"{letter}{sign}{CANONICAL.get(written, written)}", (NATURAL[letter] + shift) % 12, sharps)


@explained
def metre(name: str) -> Fraction:
    """The length of a bar in whole notes: `C` and `C|` are one, 6/8 is three quarters of one."""
    name = name.strip()
    found = re.fullmatch(r"([1-9][0-9]?)/(1|2|4|8|16)", {"C": "4/4", "C|": "2/2"}.get(name, name))
    if not found:
        raise LessonError(f"{_short(name)} is no metre; write one such as M:6/8, M:C or M:C|.")
    return Fraction(int(found[1]), int(found[2]))


@explained
def unit_of_length(name: str) -> Fraction:
    found = re.fullmatch(r"1/(1|2|4|8|16|32)", name.strip())
    if not found:
        raise LessonError(f"{_short(name)} is no unit of length; write one such as L:1/8.")
    return Fraction(1, int(found[1]))


def _short(name: str) -> str:
    return repr(name if len(name) <= 20 else f"{name[:19]}…")
