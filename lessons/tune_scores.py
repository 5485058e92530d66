"""What can be checked about a tune: does it parse, do its bars add up, does it end where its key says?

None of this says that a tune is good. It says whether a musician could play from it without stopping.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from lessons.abc_reader import parse
from lessons.arguments import explained
from lessons.errors import LessonError
from lessons.repeats import closed
from lessons.tune_parts import Bar, Tune

STRONG = ("||", "|]", "|:", ":|", "::")
MEASURES = ("tunes that parse", "bars that add up", "tunes that end on the tonic", "repeats closed")


@dataclass(frozen=True)
class Verdict:
    """One tune judged. bars: how many there are; full: how many add up. tonic, repeats: see the measures.

    error: why it could not be read; all else is then 0 or False.
    """

    bars: int = 0
    full: int = 0
    tonic: bool = False
    repeats: bool = False
    inside: float = 0.0  # share of the sounding time on notes of the key's scale
    error: str = ""


@explained
def judge(text: str) -> Verdict:
    """Judge one tune, given with its header."""
    try:
        tune = parse(text)
    except LessonError as problem:
        return Verdict(error=str(problem))
    right = adds_up(tune)
    return Verdict(
        bars=len(right),
        full=sum(right),
        tonic=ends_on_the_tonic(tune),
        repeats=closed(tune.bars),
        inside=inside_the_key(tune),
    )


@explained
def summary(verdicts: Sequence[Verdict]) -> dict[str, float]:
    """Shares over many tunes, 0 to 1, under the names of MEASURES.

    Bars are counted over all tunes that could be read; a tune that could not be read neither ends on its
    tonic nor closes its repeats.
    """
    if not verdicts:
        raise LessonError("There are no tunes to judge; write at least one.")
    read = [verdict for verdict in verdicts if not verdict.error]
    bars = sum(verdict.bars for verdict in read)
    values = (
        len(read) / len(verdicts),
        sum(verdict.full for verdict in read) / max(bars, 1),
        sum(verdict.tonic for verdict in read) / len(verdicts),
        sum(verdict.repeats for verdict in read) / len(verdicts),
    )
    return dict(zip(MEASURES, values, strict=True))


@explained
def adds_up(tune: Tune) -> tuple[bool, ...]:
    """For each bar: do its notes last as long as the metre says?

    A short bar at the edge of a strain is right, too, if it makes one bar together with a short bar at the
    other end of its strain, or with the one across the bar line: a pick-up and what is missing for it. A
    first or second ending counts as an end of its strain.
    """
    lengths = [bar.length for bar in tune.bars]
    right = [length == tune.metre for length in lengths]
    for strain in strains(tune.bars):
        first, lasts = strain[0], [at for at in strain if _ends(tune.bars[at])]
        partners = {at: [first, at + 1] for at in lasts}
        partners[first] = [*partners.get(first, ()), *lasts, first - 1]
        for at, others in partners.items():
            inside = [other for other in others if 0 <= other < len(lengths) and other != at]
            right[at] = right[at] or any(lengths[at] + lengths[other] == tune.metre for other in inside)
    return tuple(right)


def strains(bars: Sequence[Bar]) -> list[list[int]]:
    """The numbers of the bars of each strain: strains end at repeats and double bars, not between endings."""
    found: list[list[int]] = [[]]
    for number, bar in enumerate(bars):
        found[-1].append(number)
        follows = number + 1 < len(bars) and bars[number + 1].ending > 1
        if bar.right in STRONG and not follows:
            found.append([])
    return [strain for strain in found if strain]


@explained
def ends_on_the_tonic(tune: Tune) -> bool:
    """Whether the last written note is the tonic of the key, in any octave (of a chord, its lowest)."""
    last = next(note for note in reversed(tune.notes) if note.pitches)
    return last.pitches[0] % 12 == tune.key.tonic


@explained
def inside_the_key(tune: Tune) -> float:
    """Share of the sounding time that is spent on notes of the key's scale."""
    within, total = Fraction(0), Fraction(0)
    for note in tune.notes:
        for pitch in note.pitches:
            total += note.length
            within += note.length * (pitch % 12 in tune.key.scale)
    return float(within / total)


def _ends(bar: Bar) -> bool:
    return bar.right in STRONG or bar.right == ""


@explained
def judge_all(texts: Iterable[str]) -> dict[str, float]:
    """`summary` of the verdicts on many tunes."""
    return summary([judge(text) for text in texts])
