"""Line drawings as text: icons of one shape, 24 × 24, without what is the same in all of them.

An icon file begins and ends with the same 210 characters; a network would spend its first thousand steps on
learning them by heart. So they are taken off before training, and put back before a drawing is looked at.
"""

import io
import math
import re
import zipfile
from collections.abc import Iterator, Mapping

from lessons.errors import LessonError

SIZE = 24  # units of the square that an icon is drawn in
HEAD = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="24" height="24" viewBox="0 0 24 24" fill="none" '
    'stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round">\n'
)
FOOT = "</svg>\n"
NUMBER = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
PATH = re.compile(rf"[MmLlHhVvCcSsQqTtAaZz]|{NUMBER.pattern}")
TAKES = {"M": 2, "L": 2, "H": 1, "V": 1, "C": 6, "S": 4, "Q": 4, "T": 2, "A": 7, "Z": 0}  # numbers
Point = tuple[float, float]


def bodies(archive: bytes) -> Iterator[tuple[str, str]]:
    """(name, drawing) of every icon in a zip of SVG files, each element on a line of its own."""
    with zipfile.ZipFile(io.BytesIO(archive)) as files:
        for name in sorted(files.namelist()):
            if name.endswith(".svg"):
                yield name.removesuffix(".svg").rpartition("/")[2], stripped(files.read(name).decode())


def stripped(svg: str) -> str:
    """What stands inside an icon's <svg> element, without indentation."""
    inside = svg.partition(">")[2].rpartition("</svg>")[0]
    return "".join(f"{line.strip()}\n" for line in inside.splitlines() if line.strip())


def whole(drawing: str) -> str:
    """A drawing with head and foot put back: an SVG document, as valid as what stands between them."""
    return f"{HEAD}{drawing}{FOOT}"


def points(name: str, attributes: Mapping[str, str]) -> list[Point]:
    """The corners and ends of an element, those of a path by following its commands.

    Control points of curves are left out: a curve may stay inside while they do not. Raises ValueError for
    an attribute that is missing or no number, and for a path that breaks off or holds what no path may.
    """
    if name == "path":
        return path_points(attributes["d"])
    if name in ("polyline", "polygon"):
        numbers = list(map(_number, attributes["points"].replace(",", " ").split()))
        if len(numbers) < 4 or len(numbers) % 2:
            raise ValueError("points without their partners")
        return list(zip(numbers[::2], numbers[1::2], strict=True))
    value = {key: _number(attributes[key]) for key in NEEDED[name]}
    if name == "line":
        return [(value["x1"], value["y1"]), (value["x2"], value["y2"])]
    if name == "rect":
        x, y = (_number(attributes.get(key, "0")) for key in "xy")
        return [(x, y), (x + value["width"], y + value["height"])]
    rx, ry = (value["r"], value["r"]) if name == "circle" else (value["rx"], value["ry"])
    cx, cy = (_number(attributes.get(key, "0")) for key in ("cx", "cy"))
    return [(cx - rx, cy - ry), (cx + rx, cy + ry)]


NEEDED = {
    "line": ("x1", "y1", "x2", "y2"), "rect": ("width", "height"), "circle": ("r",), "ellipse": ("rx", "ry"),
    "path": ("d",), "polyline": ("points",), "polygon": ("points",),
}  # fmt: skip


def _number(text: str) -> float:
    """A number as SVG writes it: Python also takes nan, 1_0 and the digits of other scripts."""
    if not NUMBER.fullmatch(text.strip(" \t\r\n")) or not math.isfinite(float(text)):
        raise ValueError(f"{text[:20]!r} is no number")
    return float(text)


def path_points(data: str) -> list[Point]:
    """Where a path's commands end, in order (SVG 2, section 9.3). Raises ValueError for what is no path."""
    found, here, start = [], (0.0, 0.0), (0.0, 0.0)
    for letter, numbers in commands(data):
        kind, relative = letter.upper(), letter.islower()
        if kind == "Z":
            here = start
            continue
        x, y = here
        if kind == "H":
            here = (numbers[0] + x * relative, y)
        elif kind == "V":
            here = (x, numbers[0] + y * relative)
        else:
            here = (numbers[-2] + x * relative, numbers[-1] + y * relative)
        if kind == "M":
            start = here
        found.append(here)
    return found


def commands(data: str) -> Iterator[tuple[str, list[float]]]:
    """The commands of a path with their numbers; numbers that go on repeat the command."""
    tokens = _tokens(data)
    if not tokens or tokens[0] not in ("M", "m"):
        raise ValueError("a path begins with M")
    place = 0
    while place < len(tokens):
        letter = tokens[place]
        if letter.upper() not in TAKES:
            raise ValueError(f"a number too many in a path: {letter}")
        place, takes = place + 1, TAKES[letter.upper()]
        if not takes:
            yield letter, []
            continue
        first = True
        while first or (place < len(tokens) and tokens[place].upper() not in TAKES):
            numbers, place = _numbers(tokens, place, letter, takes)
            yield letter, numbers
            # What follows a move without a letter is a line.
            letter = {"M": "L", "m": "l"}.get(letter, letter)
            first = False


def _numbers(tokens: list[str], place: int, letter: str, takes: int) -> tuple[list[float], int]:
    """The numbers of one command, and where they end."""
    part = tokens[place : place + takes]
    if len(part) < takes or any(token.upper() in TAKES for token in part):
        raise ValueError(f"{letter} takes {takes} numbers in a path")
    numbers = list(map(float, part))
    if not all(map(math.isfinite, numbers)):
        raise ValueError("a number of a path is not finite")
    if letter.upper() == "A" and not {numbers[3], numbers[4]} <= {0.0, 1.0}:
        raise ValueError("the flags of an arc are 0 or 1")
    return numbers, place + takes


def _tokens(data: str) -> list[str]:
    """Letters and numbers of a path. The flags of an arc may stand without a gap: a1 1 0 012 2."""
    tokens, place, arc = [], 0, -1
    while place < len(data):
        if data[place] in " ,\t\r\n":
            place += 1
            continue
        flag = arc >= 0 and arc % 7 in (3, 4) and data[place] in "01"
        found = data[place] if flag else (match := PATH.match(data, place)) and match[0]
        if not found:
            raise ValueError(f"{data[place]!r} in a path")
        arc = (0 if found in "Aa" else -1) if found.isalpha() else arc + 1 if arc >= 0 else -1
        tokens.append(found)
        place += len(found)
    return tokens


def inside(corners: list[Point], margin: float = 0.0) -> bool:
    """Whether all points lie in the 24 × 24 square, give or take `margin` units."""
    if margin < 0:
        raise LessonError(f"The margin is 0 or more; {margin} is not.")
    return all(-margin <= value <= SIZE + margin for corner in corners for value in corner)
