"""ABC notation read: from a text to bars of notes with pitches and exact lengths.

    tune = parse("M:6/8\\nL:1/8\\nK:D\\n|:dAF DFA|d3 d3:|\\n")
    tune.bars[0].length                 # Fraction(3, 4)
    tune.sounded()[0]                   # Sounded(start=0, length=1/8, pitches=(74,), note=0)

Read are notes with accidentals, octave marks and lengths, rests, chords, ties, tuplets, broken rhythm, bar
lines, repeats and endings, under one key, metre and unit. Passed over are annotations, ornaments, grace
notes, slurs and comments. What it cannot read is refused with one sentence that names the line.

Source: The abc music standard 2.1 (2011), sections 3 and 4.
"""

import re
from collections.abc import Iterator
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
SHIFTS = {"": None, "^": 1, "^^": 2, "_": -1, "__": -2, "=": 0}
IN_THE_TIME_OF = {2: 3, 3: 2, 4: 3, 6: 2, 8: 3}  # (p notes in the time of q; 5, 7, 9 depend on the metre
LOWEST, HIGHEST = 21, 108  # a piano's keys, as MIDI numbers
MOST = 20_000  # characters of a tune

_NOTE = r"(\^\^|\^|__|_|=)?([A-Ga-g])([,']*)"
LENGTH = r"(\d*)(/*)(\d*)"
TOKEN = re.compile(
    r"(?P<skip>[ \t\n\\`y]+|%[^\n]*|\"[^\"\n]*\"|![^!\n]*!|\{[^}\n]*\})"
    r"|(?P<field>\[[A-Za-z]:[^\]\n]*\])"
    r"|(?P<bar>(?::+\||\|)[|:\]]*|::|\[\|\]?)(?P<ending>[1-9]|\s*\[[1-9])?"
    r"|\[(?P<alone>[1-9])"
    r"|\((?P<tuplet>[2-9])(?::(?P<q>\d?)(?::(?P<r>\d?))?)?"
    rf"|\[(?P<chord>(?:{_NOTE}{LENGTH}-?)+)\](?P<chord_length>{LENGTH})"
    rf"|(?P<note>{_NOTE}|[zx])(?P<length>{LENGTH})"
    r"|(?P<broken><{1,3}|>{1,3})"
    r"|(?P<tie>-)"
    r"|(?P<mark>[~.()H-Wh-w])"
)


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
def parse(text: str) -> Tune:
    """Read a tune; raises LessonError with one sentence for a text that is no tune this reader knows."""
    reader = reading(text)
    bars = tuple(reader.bars())
    if not any(note.pitches for each in bars for note in each.notes):
        raise LessonError("There are no notes in this tune; write some after its key, such as GABc dedB.")
    return Tune(text, reader.fields, reader.bar, reader.unit, reader.key, bars, reader.notation)


@explained
def reading(text: str) -> "Reader":
    """A reader that has read a tune's header and stands before its first note; LessonError as for `parse`."""
    if len(text) > MOST:
        raise LessonError(f"This text has {len(text):,} characters; a tune has at most {MOST:,}.")
    fields, start = _fields(text)
    if "K" not in fields:
        raise LessonError("A tune names its key before its notes; begin with a line such as K:D.")
    bar = metre(fields.get("M") or "C")
    unit = _unit(fields["L"]) if fields.get("L") else Fraction(1, 16 if bar < Fraction(3, 4) else 8)
    return Reader(text, fields, start, key(fields["K"]), unit, bar)


def plain(tune: Tune) -> str:
    """A tune written anew from what was read of it: metre, unit, key and notes, and nothing else.

    This is what may be handed to another program: no titles, comments, annotations or `%%` directives, and no
    sign outside ABC's own alphabet, whatever stood in the text.
    """
    return f"{tune.header}{tune.notation}\n"


def readable(notes: str) -> bool:
    """Whether a tune's notes, without header, consist of signs that `parse` knows; much quicker than it."""
    return not TOKEN.sub("", notes)


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
    found = re.fullmatch(r"([1-9]\d?)/(1|2|4|8|16)", {"C": "4/4", "C|": "2/2"}.get(name, name))
    if not found:
        raise LessonError(f"{_short(name)} is no metre; write one such as M:6/8, M:C or M:C|.")
    return Fraction(int(found[1]), int(found[2]))


def _unit(name: str) -> Fraction:
    found = re.fullmatch(r"1/(1|2|4|8|16|32)", name.strip())
    if not found:
        raise LessonError(f"{_short(name)} is no unit of length; write one such as L:1/8.")
    return Fraction(1, int(found[1]))


def _fields(text: str) -> tuple[dict[str, str], int]:
    """The header's fields, first of each name, and where the notes begin: after the line with the key."""
    fields, at = {}, 0
    for line in text.splitlines(keepends=True):
        found = re.match(r"([A-Za-z]):(?![|:])(.*)", line)
        if not found and line.strip() and not line.startswith("%"):
            break
        at += len(line)
        if found:
            fields.setdefault(found[1], found[2].partition("%")[0].strip())
            if found[1] == "K":
                break
    return fields, at


def _short(name: str) -> str:
    return repr(name if len(name) <= 20 else f"{name[:19]}…")


class Reader:
    """One pass over the notes of a tune, with what has to be remembered on the way."""

    def __init__(
        self, text: str, fields: dict[str, str], start: int, key: Key, unit: Fraction, bar: Fraction
    ) -> None:
        self.text, self.fields, self.start = text, fields, start
        self.key, self.unit, self.bar = key, unit, bar
        self.compound = bar.numerator % 3 == 0 and bar.denominator in (4, 8)
        self.notes: list[Note] = []
        self.kept: list[str] = []
        self.changed: dict[str, int] = {}  # accidentals hold for all octaves until the bar ends
        self.left_in_tuplet, self.stretch = 0, Fraction(1)
        self.scale_next: Fraction | None = None  # what a broken rhythm does to the note after it

    @property
    def notation(self) -> str:
        """The signs read so far, with single spaces and line ends between them."""
        return re.sub(r" *\n[ \n]*", "\n", re.sub(" +", " ", "".join(self.kept))).strip()

    def bars(self) -> Iterator[Bar]:
        """Cut the notes into bars; a bar line at the very beginning only opens the first bar."""
        left, ending = "", 0
        for token in self.tokens():
            if token["bar"] or token["alone"]:
                sign = token["bar"] or "|"
                number = int((token["ending"] or token["alone"] or "0")[-1])
                if self.notes:
                    yield Bar(tuple(self.notes), left, sign, ending)
                    left = ""
                left, ending = (left if sign == "|" else "") or sign, number
                self.new_bar()
            else:
                self.read(token)
        if self.left_in_tuplet or self.scale_next is not None:
            raise LessonError(
                "The tune ends inside a tuplet or a broken rhythm; write the notes it still needs."
            )
        if self.notes:
            yield Bar(tuple(self.notes), left, "", ending)

    def tokens(self) -> Iterator[re.Match]:
        """The signs of the notes' part one after the other; LessonError at the first that is none."""
        at = self.start
        while at < len(self.text):
            line_start = at == 0 or self.text[at - 1] == "\n"
            if line_start and (field := re.match(r"([A-Za-z]):(?![|:])[^\n]*\n?", self.text[at:])):
                if field[1] in "KMLV":
                    self.refuse(at, "a tune keeps its key, metre, unit and voice here; leave out the change")
                at += field.end()
                continue
            token = TOKEN.match(self.text, at)
            if token is None:
                self.refuse(at, "this is no sign of a tune; take it out or write it otherwise")
            if token["field"]:
                self.refuse(at, "a tune keeps its key, metre and unit here; leave out the change")
            if token["skip"]:
                self.kept.append("\n" if "\n" in token[0] else " ")
            elif not token["mark"]:
                self.kept.append(token[0])
                yield token
            at = token.end()

    def read(self, token: re.Match) -> None:
        """A note, chord or rest, or what changes the length of the ones around it."""
        if token["tuplet"]:
            if self.left_in_tuplet:
                self.refuse(token.start(), "a tuplet begins inside another; finish the first one")
            p = int(token["tuplet"])
            q = int(token["q"] or 0) or IN_THE_TIME_OF.get(p) or (3 if self.compound else 2)
            self.left_in_tuplet, self.stretch = int(token["r"] or 0) or p, Fraction(q, p)
        elif token["broken"]:
            self.break_rhythm(token)
        elif token["tie"]:
            if not self.notes or not self.notes[-1].pitches:
                self.refuse(token.start(), "a tie follows a note; put one before it")
            last = self.notes[-1]
            self.notes[-1] = Note(last.pitches, last.length, last.begin, token.end(), True)
        elif token["chord"]:
            found = list(re.finditer(_NOTE + LENGTH, token["chord"]))
            inside = spelled_length(*found[0].groups()[3:])
            pitches = tuple(sorted({self.pitch(note.groups()[:3], token.start()) for note in found}))
            self.add(
                pitches, inside * spelled_length(*re.fullmatch(LENGTH, token["chord_length"]).groups()), token
            )
        else:
            parts = re.fullmatch(_NOTE, token["note"])
            pitches = (self.pitch(parts.groups(), token.start()),) if parts else ()
            self.add(pitches, spelled_length(*re.fullmatch(LENGTH, token["length"]).groups()), token)

    def add(self, pitches: tuple[int, ...], times: Fraction, token: re.Match) -> None:
        """Append a note of `times` units, stretched by a tuplet and by a broken rhythm before it."""
        if not 0 < times * self.unit <= 8:
            self.refuse(token.start(), "a note lasts longer than 0 and at most eight whole notes")
        length = times * self.a_unit
        self.left_in_tuplet, self.scale_next = max(self.left_in_tuplet - 1, 0), None
        self.notes.append(Note(pitches, length, token.start(), token.end()))

    @property
    def a_unit(self) -> Fraction:
        """How long a note of one unit would be now, in whole notes, after what stands before it."""
        stretch = self.stretch if self.left_in_tuplet else 1
        return self.unit * stretch * (self.scale_next or 1)

    def new_bar(self) -> None:
        """Forget what only holds until the bar ends."""
        self.notes, self.changed = [], {}

    def break_rhythm(self, token: re.Match) -> None:
        """`a>b`: the first note half as long again, the second half as long; `<` the other way round."""
        if not self.notes or self.scale_next is not None:
            self.refuse(token.start(), "a broken rhythm stands between two notes of a bar")
        part = Fraction(1, 2 ** len(token["broken"]))
        longer, shorter = 2 - part, part
        if token["broken"][0] == "<":
            longer, shorter = shorter, longer
        last = self.notes[-1]
        self.notes[-1] = Note(last.pitches, last.length * longer, last.begin, last.end, last.tied)
        self.scale_next = shorter

    def pitch(self, spelled: tuple[str | None, str, str], at: int) -> int:
        """The MIDI number of a note, by its accidental, those before it in the bar, and the key."""
        sign, letter, marks = spelled[0] or "", spelled[1], spelled[2]
        name = letter.upper()
        if sign:
            self.changed[name] = SHIFTS[sign]
        shift = self.changed.get(name, self.key.shifts[name])
        octave = letter.islower() + marks.count("'") - marks.count(",")
        found = 60 + NATURAL[name] + shift + 12 * octave
        if not LOWEST <= found <= HIGHEST:
            self.refuse(at, "this note is outside a piano's keys; take some octave marks away")
        return found

    def refuse(self, at: int, why: str) -> None:
        """Raise a LessonError that names the line and shows the sign."""
        line = self.text.count("\n", 0, at) + 1
        shown = self.text[at : at + 12].split("\n")[0]
        raise LessonError(f"Line {line}, at {shown!r}: {why}.")


def spelled_length(whole: str, slashes: str, below: str) -> Fraction:
    """`3`, `3/2`, `/`, `//` and so on, in units; a number below only counts after one slash."""
    divisor = int(below) if below and len(slashes) == 1 else 2 ** len(slashes)
    return Fraction(int(whole or 1), divisor) if divisor else Fraction(0)
