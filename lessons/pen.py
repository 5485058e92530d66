"""A pen that writes any line in several hands, and knows which letter every point belongs to.

Letters of Hershey's fonts are set on a base line, each a little different every time, joined where one ends
near the next, rounded, and sampled in equal times by a pen that slows down in curves: its speed grows with
the third root of the curve's radius, the two-thirds power law of Lacquaniti, Terzuolo and Viviani (1983).
"""

from dataclasses import dataclass, replace

import numpy
from numpy.random import Generator

from lessons.arguments import Seed, explained
from lessons.errors import LessonError
from lessons.hershey import ALPHABET, Glyph, letters
from lessons.ink import Ink, Points, from_strokes

LONGEST_LINE = 80  # characters
FINE = 6  # points between two of the font's, before the pen samples them
JOIN = (
    0.45  # heights of an x: a letter that starts so near the end of the last one goes on in the same stroke
)


@dataclass(frozen=True)
class Hand:
    """How somebody writes.

    font: of lessons.hershey.FONTS. slant: dx per dy. width: of letters. spacing: added between letters.
    sway: how much size, turn and place of letters vary. wave: height of the base line's waves. tremor: of
    every point. pace: the way between two points on a straight, in heights of an x.
    """

    name: str
    font: str = "scripts"
    slant: float = 0.0
    width: float = 1.0
    spacing: float = 0.0
    sway: float = 0.05
    wave: float = 0.05
    tremor: float = 0.008
    pace: float = 0.42


HANDS = {
    hand.name: hand
    for hand in (
        Hand("clerk"),
        Hand("leaning", slant=0.45, width=0.85),
        Hand("round", slant=-0.2, width=1.25),
        Hand("shaky", slant=0.1, sway=0.12, wave=0.15, tremor=0.025),
        Hand("print", "futural", spacing=0.04),
        Hand("narrow", "futural", slant=0.25, width=0.7),
    )
}


@explained
def write(text: str, hand: str | Hand = "clerk", seed: Seed = 0) -> Ink:
    """A line in a hand, different for each seed.

    Raises LessonError for an empty or too long line, a character the fonts have not, or an unknown hand.
    """
    check_line(text)
    if not isinstance(hand, Hand):
        if hand not in HANDS:
            raise LessonError(f"The hand is one of {', '.join(HANDS)}; {hand!r} is not.")
        hand = HANDS[hand]
    dice = numpy.random.default_rng(seed)
    font, strokes, belongs, x = letters().fonts[hand.font], [], [], 0.0
    for place, character in enumerate(text):
        glyph = font[character]
        for stroke in swayed(glyph, hand, dice):
            stroke = stroke + numpy.array((x, 0))
            near = strokes and numpy.linalg.norm(strokes[-1][-1] - stroke[0]) < JOIN
            if near and belongs[-1][-1] != place:
                strokes[-1] = numpy.concatenate([strokes[-1], stroke])
                belongs[-1] = numpy.concatenate([belongs[-1], numpy.full(len(stroke), place)])
            else:
                strokes.append(stroke)
                belongs.append(numpy.full(len(stroke), place))
        x += (glyph.width + hand.spacing) * hand.width
    if not strokes:
        raise LessonError("There is nothing to write in a line of spaces; type some letters.")
    waves = dice.uniform(0, 2 * numpy.pi), dice.uniform(0.15, 0.5)
    sampled = [pen(stroke, place, hand, waves, dice) for stroke, place in zip(strokes, belongs, strict=True)]
    return from_strokes([s for s, _ in sampled], text, hand.name, numpy.concatenate([p for _, p in sampled]))


def check_line(text: str, longest: int = LONGEST_LINE) -> None:
    """Raise LessonError, in one sentence, for a line that cannot be written."""
    if not text.strip():
        raise LessonError("The line is empty; type a word.")
    if len(text) > longest:
        raise LessonError(f"The line has {len(text)} characters; at most {longest} fit.")
    for place, character in enumerate(text, 1):
        if character not in ALPHABET:
            raise LessonError(
                f"The pen does not know {character!r} (character {place}); it knows the letters a to z, "
                f"A to Z, the space and {ALPHABET[1:9]}"
            )


def swayed(glyph: Glyph, hand: Hand, dice: Generator) -> list[Points]:
    """The strokes of a letter, this time a little larger, turned, moved."""
    size, turn, shift = dice.normal(0, 1, 2), dice.normal(), dice.normal(0, 1, 2)
    across, up = hand.width * (1 + hand.sway * size[0]), 1 + hand.sway * size[1]
    turn = 0.6 * hand.sway * turn
    matrix = numpy.array([[across, -turn * across], [turn * up, up]])
    return [stroke @ matrix.T + 0.3 * hand.sway * shift for stroke in glyph.strokes]


def pen(
    stroke: Points, belongs: numpy.ndarray, hand: Hand, waves: tuple[float, float], dice: Generator
) -> tuple[Points, numpy.ndarray]:
    """One stroke as a pen samples it, and the letter of each of its points."""
    fine, belongs = rounded(stroke), numpy.repeat(belongs, FINE)[: (len(stroke) - 1) * FINE + 1]
    phase, pitch = waves
    y = fine[:, 1] + hand.wave * numpy.sin(phase + pitch * fine[:, 0])
    fine = numpy.stack([fine[:, 0] + hand.slant * y, y], 1)
    time = numpy.concatenate([[0.0], times(fine, hand.pace).cumsum()])
    count = max(2, 1 + round(time[-1]))
    at = numpy.linspace(0, time[-1], count)
    sampled = numpy.stack([numpy.interp(at, time, axis) for axis in fine.T], 1)
    places = numpy.searchsorted(time, at).clip(0, len(fine) - 1)
    return sampled + dice.normal(0, hand.tremor, sampled.shape), belongs[places]


def rounded(stroke: Points) -> Points:
    """A Catmull-Rom curve through the points of a stroke, FINE points for every one."""
    if len(stroke) < 2:
        return stroke
    before = numpy.concatenate([stroke[:1], stroke[:-1]])[:-1, None]
    after = numpy.concatenate([stroke[1:], stroke[-1:]])[1:, None]
    a, b = stroke[:-1, None], stroke[1:, None]
    t = numpy.linspace(0, 1, FINE, endpoint=False)[None, :, None]
    curve = 0.5 * (
        2 * a + (b - before) * t + (2 * before - 5 * a + 4 * b - after) * t**2
        + (3 * a - before - 3 * b + after) * t**3
    )  # fmt: skip
    return numpy.concatenate([curve.reshape(-1, 2), stroke[-1:]])


def times(fine: Points, pace: float) -> numpy.ndarray:
    """How long each piece of a curve takes, in samples of the pen: longer where the curve is tight."""
    way = numpy.diff(fine, axis=0)
    length = numpy.linalg.norm(way, axis=1)
    if len(way) < 2:
        return length / pace
    heading = numpy.unwrap(numpy.arctan2(way[:, 1], way[:, 0]))
    turning = numpy.abs(numpy.gradient(heading))
    turning = numpy.convolve(numpy.pad(turning, 2, mode="edge"), numpy.full(5, 0.2), mode="valid")
    radius = length / numpy.maximum(turning, 1e-6)
    speed = (radius / (radius + 0.15)) ** (1 / 3)  # near 1 on a straight
    return length / (pace * numpy.maximum(speed, 0.4))


def varied(hand: Hand, dice: Generator) -> Hand:
    """A hand like this one, as another day or another person would have it."""
    slant, width, pace = dice.normal(0, 1, 3)
    return replace(
        hand, slant=hand.slant + 0.08 * slant, width=hand.width * (1 + 0.06 * width),
        pace=hand.pace * (1 + 0.05 * pace),
    )  # fmt: skip
