"""Does attention cross where German does? twenty-one is einundzwanzig, one-and-twenty (lesson 12)."""

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor

from lessons.arguments import explained
from lessons.attention_trace import AttentionTrace, look
from lessons.errors import LessonError
from lessons.number_words import words
from lessons.seq2seq import Seq2Seq

AND = {"de": "und", "da": "og"}  # what stands between units and tens
CROSSED = tuple(number for number in range(21, 100) if number % 10)  # units before tens


def gaze(seen: AttentionTrace) -> Float[Tensor, "batch target"]:
    """The mean place that is looked at in each step, by the weights. LessonError without attention."""
    if seen.weights is None:
        raise LessonError("This network has no attention, so it looks nowhere; take one that has.")
    places = seen.weights.new_tensor(range(seen.weights.shape[-1]))
    return seen.weights @ places


@explained
def crossings(
    model: Seq2Seq, numbers: Sequence[int] = CROSSED, language: str = "de", tag: str = ""
) -> dict[int, float]:
    """By how many places attention goes back, for each number, from writing its units to writing its tens.

    The known words are fed, so that a mistake does not hide where the network looks. Above 0 is back: English
    has the tens first. numbers: of 21 to 99 without 30, 40, ...; language: German or Danish, "de" or "da";
    tag: what the source begins with, such as "<2da> ". LessonError for others.
    """
    if language not in AND:
        raise LessonError(f"Units come before tens in {' and '.join(AND)} here, not in {language!r}.")
    if strange := [number for number in numbers if number not in CROSSED]:
        raise LessonError(f"{strange[0]} has no units that German says before its tens; take 21, or 45.")
    known, between = [words(number, language) for number in numbers], AND[language]
    seen = look(model, [tag + words(number) for number in numbers], known)
    found = {}
    for number, text, places in zip(numbers, known, gaze(seen), strict=True):
        units = text.index(between, 1)
        units_at, tens_at = places[:units].mean(), places[units + len(between) : len(text)].mean()
        found[number] = float(units_at - tens_at)
    return found
