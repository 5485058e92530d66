"""Tunes made by rule, for when the old books cannot be had: valid ABC in the form of dance music.

A tune has two strains of eight bars, each repeated. A chord stands under every half bar; strong beats take
notes of the chord, weak ones step towards the next strong one, and every strain ends on the tonic. Nobody
danced to these: they have the form of the real ones and little of their wit.
"""

import random

from lessons.arguments import Count, Seed, explained

# dance, metre, eighths of a beat, beats of a bar
DANCES = (("reel", "C|", 4, 2), ("jig", "6/8", 3, 2), ("hornpipe", "2/4", 2, 2), ("slip jig", "9/8", 3, 3))
KEYS = ("D", "G", "A", "C", "F", "Am", "Em", "Dm", "Ador", "Edor", "Amix", "Dmix")
CHORDS = ((0, 2, 4), (3, 5, 7), (4, 6, 8), (1, 3, 5))  # of the first, fourth, fifth and second step
PHRASES = ((0, 0, 3, 2), (0, 3, 0, 2), (0, 1, 2, 2), (0, 3, 1, 2))  # chords of four bars, open at the end
LETTERS = "CDEFGAB"
HIGHEST, LOWEST = 9, -2  # steps above the tonic


def members() -> dict[str, bytes]:
    """The made tunes as the one file of a book, the same at every call."""
    return {"made/tunes.abc": make(1500, seed=0).encode()}


@explained
def make(count: Count, seed: Seed = 0) -> str:
    """`count` tunes in ABC, one after the other; the same for the same seed under every Python."""
    dice = random.Random(seed)
    return "\n\n".join(_tune(number, dice) for number in range(1, count + 1)) + "\n"


def _tune(number: int, dice: random.Random) -> str:
    dance, metre, eighths, beats = dice.choice(DANCES)
    key = dice.choice(KEYS)
    first = _strain(key, eighths, beats, dice, dice.choice((0, 2, 4)))
    second = _strain(key, eighths, beats, dice, dice.choice((4, 7)))
    head = f"X:{number}\nT:Made tune {number}\nR:{dance}\nM:{metre}\nL:1/8\nK:{key}\n"
    return head + "\n".join(f"|:{_lines(strain)}:|" for strain in (first, second))


def _strain(key: str, eighths: int, beats: int, dice: random.Random, start: int) -> list[str]:
    """Eight bars: a phrase, and the phrase again with an end on the tonic."""
    chords, step, bars = dice.choice(PHRASES), start, []
    for place, chord in enumerate(chords):
        steps, step = _bar(CHORDS[chord], step, eighths, beats, dice)
        bars.append(_written(key, steps, eighths, dice))
        if place == 3:
            break
    answer = bars[: dice.choice((2, 3))]
    while len(answer) < 3:
        steps, step = _bar(CHORDS[dice.choice((0, 2))], step, eighths, beats, dice)
        answer.append(_written(key, steps, eighths, dice))
    towards, _ = _bar(CHORDS[2], step, eighths, beats, dice)
    last = eighths * beats - eighths
    close = _written(key, towards[:last], eighths, dice) + " " * (beats > 1) + _note(key, 0) + str(eighths)
    return [*bars, *answer, close]


def _bar(
    chord: tuple[int, ...], step: int, eighths: int, beats: int, dice: random.Random
) -> tuple[list[int], int]:
    """Steps above the tonic, one an eighth; the step that the next bar starts from."""
    steps: list[int] = []
    for _ in range(beats):
        choices = [tone + 7 * octave for tone in chord for octave in (-1, 0, 1)]
        near = sorted((abs(tone - step), tone) for tone in choices if LOWEST <= tone <= HIGHEST)
        step = near[dice.choice((0, 0, 1))][1]
        steps.append(step)
        way = dice.choice((-1, 1))
        for _ in range(eighths - 1):
            if not LOWEST <= step + 2 * way <= HIGHEST:
                way = -way
            step += way * dice.choice((1, 1, 1, 2))
            steps.append(step)
    return steps, step


def _written(key: str, steps: list[int], eighths: int, dice: random.Random) -> str:
    groups = []
    for at in range(0, len(steps), eighths):
        group = [_note(key, step) for step in steps[at : at + eighths]]
        if eighths == 3 and dice.random() < 0.25:
            group = [f"{group[0]}2", group[2]]
        groups.append("".join(group))
    return " ".join(groups)


def _note(key: str, step: int) -> str:
    """A step above the tonic as a letter with its octave, the tonic somewhere from C to B."""
    place = LETTERS.index(key[0]) + step
    octave, letter = divmod(place, 7)
    name = LETTERS[letter]
    if octave <= 0:
        return name + "," * -octave
    return name.lower() + "'" * (octave - 1)


def _lines(bars: list[str]) -> str:
    return "|".join(bars[:4]) + "|\n" + "|".join(bars[4:])
