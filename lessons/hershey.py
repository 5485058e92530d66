"""The letters that A. V. Hershey drew for plotters in the 1960s, as strokes of a pen.

They come in the package Hershey-Fonts, whose one module holds 32 fonts as packed text. That text is read as
data, the module is never imported. Where the package cannot be had, a committed sample stands in: the same
letters of two fonts, written once by our own pen (`python -m lessons.hershey`).
"""

import ast
import base64
import binascii
import io
import json
import tarfile
from dataclasses import dataclass
from functools import lru_cache

import numpy

from lessons import sources
from lessons.corpora import Provenance
from lessons.errors import LessonError

ALPHABET = " !',-.:;?ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
FONTS = {
    "scripts": 9,
    "futural": 14,
}  # single-stroke fonts used here, with the height of their x in font units
BASE = 9  # the line on which letters stand; y grows downwards in the font
ORIGIN = ord("R")  # coordinates are letters counted from here
SAMPLE = "handwriting-letters.json"


@dataclass(frozen=True, eq=False)
class Glyph:
    """One letter: strokes of points (N, 2) in heights of an x, the base line at y 0, y upwards; its width."""

    strokes: tuple[numpy.ndarray, ...]
    width: float


@dataclass(frozen=True)
class Letters:
    """Fonts by name, each with a glyph for every character of ALPHABET, and where they come from."""

    fonts: dict[str, dict[str, Glyph]]
    provenance: Provenance


@lru_cache(maxsize=1)
def letters() -> Letters:
    """The fonts from the package, else from the sample, which says that it stands in.

    Raises LessonError if the package's file is not the one that was described.
    """
    source = sources.find("hershey")
    try:
        members, way = sources.read(source)
    except sources.Unavailable as error:
        return _sample(str(error))
    fonts = unpacked(next(iter(members.values())))
    found = {name: {c: glyph(fonts[name][c], height) for c in ALPHABET} for name, height in FONTS.items()}
    content = sources.content_hash(members)
    where = (source.id, source.id, source.release, content, source.licence, source.attribution, way)
    return Letters(found, Provenance(*where))


def unpacked(module: bytes) -> dict[str, dict[str, str]]:
    """The fonts in the package's module: for each name the line of every printable character.

    Raises LessonError where the module does not hold them as expected.
    """
    try:
        packed = next(
            node.value.value
            for node in ast.walk(ast.parse(module))
            if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "").endswith("fonts_base64")
        )
        with tarfile.open(fileobj=io.BytesIO(base64.b64decode(packed))) as archive:
            texts = {file.name: archive.extractfile(file).read().decode("ascii") for file in archive}
    except (
        StopIteration,
        SyntaxError,
        AttributeError,
        tarfile.TarError,
        binascii.Error,
        ValueError,
    ) as error:
        raise LessonError(
            f"The package Hershey-Fonts is not as expected ({error}); fetch it again."
        ) from error
    lines = {name: [line for line in text.splitlines() if line[:1] != "#"] for name, text in texts.items()}
    return {name: {chr(32 + n): line for n, line in enumerate(found)} for name, found in lines.items()}


def glyph(line: str, height: float) -> Glyph:
    """One line of a font: number, length, left and right margin, then points, " R" lifting the pen."""
    left, right = (ord(side) - ORIGIN for side in line[8:10])
    strokes = []
    for part in line[10:].split(" R"):
        numbers = [ord(character) - ORIGIN for character in part]
        points = numpy.array(numbers, dtype=numpy.float64).reshape(-1, 2)
        if len(points):
            strokes.append((points - (left, BASE)) * (1, -1) / height)
    return Glyph(tuple(strokes), (right - left) / height)


def _sample(reason: str) -> Letters:
    path = sources.data_folder() / "samples" / SAMPLE
    try:
        content = path.read_bytes()
        found = json.loads(content)
    except (OSError, ValueError) as error:
        raise LessonError(
            f"{SAMPLE} is missing from data/samples; restore it or connect to a network."
        ) from error
    sources.notice(f"FALLBACK: the committed letters in {SAMPLE} stand in for 'hershey': {reason}.")
    where = Provenance(
        "hershey", "hershey-sample", found["release"], found["sha256"], found["licence"],
        found["attribution"], "committed", reason,
    )  # fmt: skip
    fonts = {
        name: {
            c: Glyph(tuple(numpy.array(stroke, dtype=numpy.float64) for stroke in strokes), width)
            for c, (width, strokes) in font.items()
        }
        for name, font in found["fonts"].items()
    }
    return Letters(fonts, where)


def sample() -> str:
    """The text of the committed sample, made from the package."""
    found = letters()
    fonts = {
        name: {c: [round(g.width, 3), [s.round(3).tolist() for s in g.strokes]] for c, g in font.items()}
        for name, font in found.fonts.items()
    }
    told = found.provenance
    about = {
        "made by": "python -m lessons.hershey",
        "what": "every letter written once by the course's pen, in heights of an x: width, strokes of points",
        "release": told.release, "sha256": told.content_sha256, "licence": told.licence,
        "attribution": told.attribution, "fonts": fonts,
    }  # fmt: skip
    return json.dumps(about, separators=(",", ":")) + "\n"


if __name__ == "__main__":
    sources.write_whole(sources.data_folder() / "samples" / SAMPLE, sample().encode())
