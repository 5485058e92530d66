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
from fractions import Fraction

from lessons.arguments import explained
from lessons.errors import LessonError
from lessons.tune_parts import NATURAL, Bar, Key, Note, Tune, key, metre, unit_of_length

SHIFTS = {"": None, "^": 1, "^^": 2, "_": -1, "__": -2, "=": 0}
COMPOUND = ("6/8", "9/8", "12/8")  # metres with three eighths to a beat
IN_THE_TIME_OF = {2: 3, 3: 2, 4: 3, 6: 2, 8: 3}  # (p notes in the time of q; 5, 7, 9 depend on the metre
LOWEST, HIGHEST = 21, 108  # a piano's keys, as MIDI numbers
MOST = 20_000  # characters of a tune

_NOTE = r"(\^\^|\^|__|_|=)?([A-Ga-g])([,']*)"
LENGTH = r"(\d{0,3})(/{0,6})(\d{0,3})"  # bounded: what is shown as a number must stay one
TOKEN = re.compile(
    r"(?P<skip>[ \t\r\n\\`y]+|%[^\n]*|\"[^\"\n]*\"|![^!\n]*!|\{[^}\n]*\})"
    r"|(?P<field>\[[A-Za-z]:[^\]\n]*\])"
    r"|(?P<bar>(?::+\||\|)[|:\]]*|::|\[\|\]?)(?P<ending>[1-9]|[ \t\n]*\[[1-9])?"
    r"|\[(?P<alone>[1-9])"
    r"|\((?P<tuplet>[2-9])(?::(?P<q>\d?)(?::(?P<r>\d?))?)?"
    rf"|\[(?P<chord>(?:{_NOTE}{LENGTH}-?)+)\](?P<chord_length>{LENGTH})"
    rf"|(?P<note>{_NOTE}|[zx])(?P<length>{LENGTH})"
    r"|(?P<broken><{1,3}|>{1,3})"
    r"|(?P<tie>-)"
    r"|(?P<mark>[~.()H-Wh-w])",
    re.ASCII,  # a digit is one of ABC's ten, in whatever script others are written
)


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
    unit = unit_of_length(fields["L"]) if fields.get("L") else Fraction(1, 16 if bar < Fraction(3, 4) else 8)
    return Reader(text, fields, start, key(fields["K"]), unit, bar)


@explained
def plain(tune: Tune) -> str:
    """A tune written anew from what was read of it: metre, unit, key and notes, and nothing else.

    This is what may be handed to another program: no titles, comments, annotations or `%%` directives, and no
    sign outside ABC's own alphabet, whatever stood in the text.
    """
    return f"{tune.header}{tune.notation}\n"


@explained
def readable(notes: str) -> bool:
    """Whether a tune's notes, without header, consist of signs that `parse` knows; much quicker than it."""
    return not TOKEN.sub("", notes)


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


class Reader:
    """One pass over the notes of a tune, with what has to be remembered on the way."""

    def __init__(
        self, text: str, fields: dict[str, str], start: int, key: Key, unit: Fraction, bar: Fraction
    ) -> None:
        self.text, self.fields, self.start = text, fields, start
        self.key, self.unit, self.bar = key, unit, bar
        self.compound = fields.get("M") in COMPOUND
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
