"""The learner's own handwriting: strokes from the pad, kept as JSON in data/user, read back, deleted.

A file holds {"text": what it says, "strokes": [[[x, y], ...], ...]} in heights of an x, the base line at y 0.
Git ignores data/user, nothing is sent anywhere, and `delete` removes the file. A file from elsewhere is read
with suspicion: size before content, then types, counts and numbers, each refused with one sentence.
"""

import json
import os
import re
from pathlib import Path
from typing import Any, NoReturn

import numpy

from lessons import sources
from lessons.arguments import explained
from lessons.errors import LessonError, refusal
from lessons.ink import LONGEST, Ink, from_strokes
from lessons.pen import HANDS, times

LARGEST = 1_000_000  # bytes of a file
MOST_POINTS, MOST_STROKES = 5_000, 1_000
FARTHEST = 1_000.0  # heights of an x from the start
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _-]{0,39}")
Strokes = list[list[list[float]]]


def folder() -> Path:
    """Where own handwriting is kept."""
    return sources.data_folder() / "user" / "handwriting"


def names(place: Path | None = None) -> list[str]:
    """What is kept, by name."""
    return sorted(path.stem for path in (place or folder()).glob("*.json") if NAME.fullmatch(path.stem))


@explained
def save(name: str, text: str, strokes: Any, place: Path | None = None) -> Path:
    """Keep a piece under a name; one that is there under this name is replaced.

    Raises LessonError for a name that is none, for what is no handwriting, and if the disk refuses.
    """
    path = _path(name, place)
    piece = {"text": _text(text), "strokes": checked(strokes)}
    try:
        sources.write_whole(path, json.dumps(piece).encode())
    except OSError as error:
        raise LessonError(f"{name!r} could not be saved: {refusal(error)}.") from error
    return path


@explained
def load(name: str, place: Path | None = None) -> tuple[str, Strokes]:
    """The text and the strokes kept under a name. Raises LessonError if there is none or it is damaged."""
    path = _path(name, place)
    if not path.is_file():
        raise LessonError(f"There is no handwriting {name!r}; {_told(names(place))}.")
    return read(path)


@explained
def read(path: str | os.PathLike) -> tuple[str, Strokes]:
    """The text and the strokes of a file from anywhere. Raises LessonError for what is no such file."""
    path = Path(path)
    try:
        size = path.stat().st_size
        _refuse(size, path.name)
        return parse(path.read_bytes(), path.name)
    except OSError as error:
        raise LessonError(f"{path.name} cannot be read: {error.strerror or error}.") from error


def parse(content: bytes, name: str = "This file") -> tuple[str, Strokes]:
    """The text and the strokes of a file's bytes; raises LessonError in one sentence."""
    _refuse(len(content), name)
    try:
        found = json.loads(content, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:  # UnicodeDecodeError is a ValueError
        raise LessonError(f"{name} is no JSON that can be read; export it again from the pad.") from error
    if not isinstance(found, dict) or not {"text", "strokes"} <= found.keys():
        raise LessonError(f"{name} is JSON but no handwriting; it needs 'text' and 'strokes'.")
    return _text(found["text"]), checked(found["strokes"])


def _refuse(size: int, name: str) -> None:
    if size > LARGEST:
        most = f"{LARGEST / 1e6:.0f} MB"
        raise LessonError(f"{name} has {size / 1e6:.1f} MB, and handwriting at most {most}; record less.")


def checked(strokes: Any) -> Strokes:
    """Strokes as plain numbers; raises LessonError unless they are lists of points (x, y) within bounds."""
    if not isinstance(strokes, list) or not strokes:
        raise LessonError("There is no stroke here; write something first.")
    if len(strokes) > MOST_STROKES or sum(len(s) for s in strokes if isinstance(s, list)) > MOST_POINTS:
        raise LessonError(
            f"Handwriting has at most {MOST_STROKES:,} strokes and {MOST_POINTS:,} points; record less."
        )
    return [_stroke(stroke) for stroke in strokes]


def _stroke(stroke: Any) -> list[list[float]]:
    if not isinstance(stroke, list) or not stroke:
        raise LessonError("A stroke is a list of points (x, y), at least one; this file has something else.")
    for point in stroke:
        if not isinstance(point, list) or len(point) != 2 or not all(map(_fits, point)):
            raise LessonError(
                f"A point is two numbers, at most {FARTHEST:,.0f} heights of an x away; this file has others."
            )
    return [[float(x), float(y)] for x, y in stroke]


def _fits(value: Any) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and abs(value) <= FARTHEST  # never true of nan; math.isfinite fails on a huge int


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number of JSON")


def _text(text: Any) -> str:
    if not isinstance(text, str) or len(text) > 60:
        raise LessonError("What the handwriting says is a text of at most 60 characters; shorten it.")
    return text.strip()


@explained
def delete(name: str, place: Path | None = None) -> None:
    """Remove what is kept under a name, for good. Raises LessonError if there is nothing."""
    path = _path(name, place)
    try:
        path.unlink()
    except FileNotFoundError as error:
        raise LessonError(f"There is no handwriting {name!r}; {_told(names(place))}.") from error
    except OSError as error:
        raise LessonError(f"{name!r} could not be deleted: {error.strerror or error}.") from error


def ink(text: str, strokes: Strokes, hand: str = "own") -> Ink:
    """Strokes as the pen of the course samples them: rounded off, in equal times, from the left end on.

    Raises LessonError for a way so long that it would take more than LONGEST points.
    """
    left, room, sampled = min(x for stroke in strokes for x, _ in stroke), LONGEST, []
    for stroke in strokes:
        sampled.append(paced(numpy.array(stroke) - (left, 0), room))
        room -= len(sampled[-1])
    return from_strokes(sampled, text, hand)


def paced(stroke: numpy.ndarray, room: int = LONGEST) -> numpy.ndarray:
    """One stroke at the usual pace; neighbours within a tenth of a height are one point first.

    Raises LessonError, before anything is made, if that takes more than `room` points.
    """
    kept = [stroke[0]]
    for point in stroke[1:]:
        if numpy.linalg.norm(point - kept[-1]) >= 0.1:
            kept.append(point)
    fine = numpy.array(kept)
    if len(fine) < 3:
        return fine
    time = numpy.concatenate([[0.0], times(fine, HANDS["clerk"].pace).cumsum()])
    if time[-1] > room:
        raise LessonError(f"This handwriting goes so far that it takes over {LONGEST:,} points; write less.")
    at = numpy.linspace(0, time[-1], max(2, 1 + round(time[-1])))
    return numpy.stack([numpy.interp(at, time, axis) for axis in fine.T], 1)


def _path(name: str, place: Path | None) -> Path:
    if not NAME.fullmatch(name):
        raise LessonError(
            "A name has 1 to 40 letters, digits, spaces, '-' or '_' and begins with a letter or digit; "
            "choose another."
        )
    return (place or folder()) / f"{name}.json"


def _told(found: list[str]) -> str:
    return f"there is {', '.join(found)}" if found else "nothing is kept yet"
