"""The order in which the bars of a tune are played: repeats, first and second endings."""

from collections.abc import Sequence
from typing import Any

DOUBLE = ("||", "|]")


def order(bars: Sequence[Any]) -> list[int]:
    """The numbers of the bars in the order they are played, each repeat twice.

    `:|` goes back to where the repeat opened; to the latest double bar, the end of the last repeat or the
    beginning if it never did (The abc music standard 2.1, section 4.8). The second time, bars of a first
    ending are passed over. A repeat that opens and never closes is played once.
    bars: have `left` and `right`, the signs beside them, and `ending`, 1, 2 … where one begins, else 0.
    """
    passages = endings(bars)
    played: list[int] = []
    number, back, opened, second = 0, 0, False, False
    while number < len(bars):
        bar, ending = bars[number], passages[number]
        if not second and bar.left.endswith(":"):
            back, opened = number, True
        elif not second and not opened and bar.left in DOUBLE:
            back = number
        passed_over = second and ending == 1
        if not passed_over:
            played.append(number)
        if bar.right.startswith(":") and not second:
            number, second = back, True
            continue
        last_of_ending = ending > 1 and (number + 1 == len(bars) or passages[number + 1] != ending)
        if second and not passed_over and (bar.right.startswith(":") or last_of_ending):
            back, opened, second = number + 1, False, False
        number += 1
    return played


def endings(bars: Sequence[Any]) -> list[int]:
    """For each bar the ending that it belongs to, 0 for none: it lasts until a repeat or a double bar."""
    found, now = [], 0
    for bar in bars:
        now = bar.ending or now
        found.append(now)
        if ":" in bar.right or bar.right in DOUBLE:
            now = 0
    return found


def closed(bars: Sequence[Any]) -> bool:
    """Whether every repeat that opens closes before the next one opens, and before the tune ends."""
    opened = False
    for bar in bars:
        if bar.left.endswith(":") and not bar.left.startswith(":") and opened:
            return False
        opened = (opened or bar.left.endswith(":")) and not bar.right.startswith(":")
    return not opened
