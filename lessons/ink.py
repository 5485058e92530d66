"""Ink: what a pen leaves behind, as offsets (dx, dy, lifted) from point to point, Graves (2013), section 4.1.

Units are heights of a small x; y grows upwards; the first offset leads from the start of the base line to
the first point. `lifted` is 1 at the last point of a stroke, so the offset after it is drawn in the air.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy

from lessons.errors import LessonError

Points = numpy.ndarray  # (N, 2)
LONGEST = 20_000  # points of one piece of ink; more is no handwriting


@dataclass(frozen=True, eq=False, repr=False)
class Ink:
    """Points of a pen. offsets: (T, 3), float32; letters: (T,), which letter of `text` each point belongs to.

    Raises LessonError for offsets that are none, not finite, or too many.
    """

    offsets: numpy.ndarray
    text: str = ""
    letters: numpy.ndarray = field(default_factory=lambda: numpy.zeros(0, dtype=numpy.int64))
    hand: str = ""

    def __post_init__(self) -> None:
        offsets = self.offsets
        if (
            not isinstance(offsets, numpy.ndarray)
            or offsets.ndim != 2
            or offsets.shape[1] != 3
            or not len(offsets)
        ):
            raise LessonError(
                "Ink is a row of offsets (dx, dy, lifted), at least one; this is something else."
            )
        if len(offsets) > LONGEST:
            raise LessonError(f"This ink has {len(offsets):,} points; take a piece of at most {LONGEST:,}.")
        if not numpy.isfinite(offsets).all():
            raise LessonError("An offset of this ink is no number; record the piece again.")

    def __len__(self) -> int:
        return len(self.offsets)

    def __repr__(self) -> str:
        strokes = int(self.offsets[:, 2].sum())
        return f"Ink({self.text!r}, {len(self)} points in {strokes} strokes, hand {self.hand!r})"

    @property
    def points(self) -> Points:
        """Where the pen was, from the start of the base line."""
        return self.offsets[:, :2].astype(numpy.float64).cumsum(0)

    @property
    def strokes(self) -> list[Points]:
        """The points stroke by stroke."""
        ends = numpy.flatnonzero(self.offsets[:, 2] > 0.5) + 1
        return [part for part in numpy.split(self.points, ends) if len(part)]

    def described(self) -> str:
        """One sentence for who cannot see it."""
        points = self.points
        wide, high = numpy.ptp(points, axis=0)
        text = f"“{self.text}” written in" if self.text else "Handwriting in"
        size = f"{wide:.1f} by {high:.1f} heights of an x"
        return f"{text} {len(self.strokes)} strokes, {len(self)} points, {size}."


def from_strokes(strokes: Sequence[Points], text: str = "", hand: str = "", letters=None) -> Ink:
    """Ink of strokes of absolute points (N, 2). Raises LessonError where there is none."""
    strokes = [numpy.asarray(stroke, dtype=numpy.float64) for stroke in strokes if len(stroke)]
    if not strokes:
        raise LessonError("There is no stroke here; draw something first.")
    points = numpy.concatenate(strokes)
    lifted = numpy.zeros(len(points))
    lifted[numpy.cumsum([len(stroke) for stroke in strokes]) - 1] = 1
    offsets = numpy.diff(points, axis=0, prepend=numpy.zeros((1, 2)))
    offsets = numpy.concatenate([offsets, lifted[:, None]], 1).astype(numpy.float32)
    belongs = (
        numpy.zeros(0, dtype=numpy.int64) if letters is None else numpy.asarray(letters, dtype=numpy.int64)
    )
    return Ink(offsets, text, belongs, hand)


def svg(ink: Ink, width: float = 0.06, margin: float = 0.5, ground: str = "none") -> str:
    """The ink as a picture on its own: an SVG document whose unit is the height of an x.

    The text goes in as the title, with everything escaped that could be markup. ground: a colour behind it.
    """
    points = ink.points * (1, -1)
    left, top = points.min(0) - margin
    wide, high = numpy.ptp(points, axis=0) + 2 * margin
    paths = "".join(f'<path d="{path(stroke)}"/>' for stroke in ink.strokes)
    title = "".join(f"&#{ord(c)};" if not (c.isalnum() or c == " ") else c for c in ink.text)
    sheet = f'<rect x="{left:.3f}" y="{top:.3f}" width="{wide:.3f}" height="{high:.3f}" fill="{ground}"/>'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{left:.3f} {top:.3f} {wide:.3f} {high:.3f}" '
        f'width="{40 * wide:.0f}"><title>{title}</title>{sheet}<g fill="none" stroke="#1b1f24" '
        f'stroke-width="{width}" stroke-linecap="round" stroke-linejoin="round">{paths}</g></svg>\n'
    )


def path(stroke: Points) -> str:
    """One stroke as the `d` of an SVG path; a single point becomes a dot."""
    places = [f"{x:.3f} {-y:.3f}" for x, y in stroke]
    return "M" + "L".join(places if len(places) > 1 else places * 2)
