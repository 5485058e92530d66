"""How far a written sentence is from the right one, whatever its length (Levenshtein 1966)."""

from collections.abc import Sequence

from lessons.arguments import explained
from lessons.errors import LessonError


@explained
def edits(written: str, right: str) -> int:
    """How many symbols must at least be put in, taken out or exchanged to make one sentence the other."""
    before = list(range(len(right) + 1))
    for row, symbol in enumerate(written, 1):
        now = [row]
        for column, wanted in enumerate(right, 1):
            now.append(min(before[column] + 1, now[-1] + 1, before[column - 1] + (symbol != wanted)))
        before = now
    return before[-1]


@explained
def symbols_wrong(written: Sequence[str], right: Sequence[str]) -> float:
    """Edits for each hundred symbols of the right sentences. Raises LessonError where there are none."""
    if len(written) != len(right) or not any(right):
        raise LessonError("Each written sentence needs the right one beside it, and one must not be empty.")
    return 100 * sum(map(edits, written, right)) / sum(map(len, right))
