"""Real strokes to train on: KanjiVG's characters, in the order in which a hand writes them.

KanjiVG is by Ulrich Apel, under CC BY-SA 3.0. It is fetched on request only (`python -m lessons corpora fetch
kanjivg`) and never shipped: neither strokes nor networks trained on them come with the course. Whoever shares
either names KanjiVG and keeps the licence. The files are read as text, without an XML parser, for the paths
alone.
"""

import re
from collections.abc import Iterator

import numpy

from lessons import sources
from lessons.arguments import Count, explained
from lessons.errors import LessonError
from lessons.ink import Ink, Points, from_strokes
from lessons.labelled import digest
from lessons.own_hand import paced
from lessons.pages import PARTS, Pages, page

PATH = re.compile(r'<path [^>]*?\bd="([^"]+)"')
TOKEN = re.compile(r"[MmCcSs]|-?\d*\.?\d+")
NUMBERS = {"m": 2, "c": 6, "s": 4}  # how many follow a command of a path
TALL = 109 / 3  # units of the drawing's 109 that make the height of an x
FINE = 8  # points on each piece of a curve
NOTICE = "Strokes: KanjiVG, copyright Ulrich Apel, CC BY-SA 3.0; what is made from them keeps this licence."


@explained
def kanji(count: Count = 1000, held_out: Count = 100) -> Pages:
    """So many characters to train on, others to choose and test with, as ink of no text; prints the notice.

    For a network without a window. Raises LessonError where KanjiVG has not been fetched.
    """
    source = sources.find("kanjivg")
    try:
        members, way = sources.read(source, fetch=False)
    except sources.Unavailable as error:
        raise LessonError(
            f"KanjiVG is not here; fetch it with `python -m lessons corpora fetch kanjivg` ({source.size}, "
            f"{source.licence})."
        ) from error
    sources.notice(NOTICE)
    names = sorted(members, key=digest)
    sizes = dict(zip(PARTS, (count, held_out, held_out), strict=True))
    inks, start = {}, 0
    for part, size in reversed(sizes.items()):
        inks[part] = tuple(ink(members[name].decode("utf-8")) for name in names[start : start + size])
        start += size
    provenance = {
        "pieces": "kanji", "hands": "KanjiVG", "release": source.release, "licence": source.licence,
        "attribution": source.attribution, "content_sha256": source.content_sha256, "way": way,
    }  # fmt: skip
    return Pages(inks, {part: page(found) for part, found in inks.items()}, provenance)


def ink(drawing: str) -> Ink:
    """The strokes of one SVG file at the pen's pace. Raises LessonError where it has none."""
    strokes = [curve(path) for path in PATH.findall(drawing)]
    if not strokes:
        raise LessonError("There is no stroke in this file of KanjiVG; fetch it again.")
    placed = [(points - (0, 109)) * (1, -1) / TALL for points in strokes]
    left = min(points[:, 0].min() for points in placed)
    return from_strokes([paced(points - (left, 0)) for points in placed], hand="KanjiVG")


def curve(path: str) -> Points:
    """The points of an SVG path of moves and cubic curves; raises LessonError for other pieces."""
    points, here, bend = [], numpy.zeros(2), None
    for command, numbers in pieces(path):
        ends = numpy.array(numbers).reshape(-1, 2) + (here if command.islower() else 0)
        if command in "Mm":
            points.append(ends)
        else:
            first = ends[0] if command in "Cc" else 2 * here - (here if bend is None else bend)
            bend, end = ends[-2], ends[-1]
            t = numpy.linspace(0, 1, FINE + 1)[1:, None]
            ways = here * (1 - t) ** 3 + 3 * first * t * (1 - t) ** 2 + 3 * bend * t**2 * (1 - t) + end * t**3
            points.append(ways)
        here = ends[-1]
    return numpy.concatenate(points)


def pieces(path: str) -> Iterator[tuple[str, list[float]]]:
    """The commands of a path with their numbers; a command holds until the next one."""
    command, numbers = "", []
    if TOKEN.sub("", path).strip(" ,\t\r\n"):
        raise LessonError("This drawing has a kind of line that is not read here; leave it out.")
    for token in TOKEN.findall(path):
        if token.isalpha():
            command = token
            continue
        numbers.append(float(token))
        if len(numbers) == NUMBERS.get(command.lower(), 0):
            yield command, numbers
            numbers = []
