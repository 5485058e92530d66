"""What a musician who reads a tune knows at each of its characters: how much of the bar is over, and so on.

Every label depends only on the characters up to and including its own, so a network that reads from left to
right could know it; only a bar line of several signs counts as read at its first.

    units.scores(trace(model, tunes), tunes, describe=tune_features.features)
"""

import re
from fractions import Fraction

import numpy as np

from lessons import abc_reader
from lessons.arguments import explained
from lessons.features import Features
from lessons.tune_scores import STRONG

NAMES = {
    "place in the bar": np.float32,  # share of the bar that is over
    "the bar is full": bool,
    "bar of the strain": np.float32,
    "strain of the tune": np.float32,
    "inside a repeat": bool,
    "sharps of the key": np.float32,
    "three to a beat": bool,
    "in the header": bool,
}
_BEGUN = re.compile(r"(?:\[[^\]]*\]|(?:\^\^|\^|__|_|=)?[A-Ga-gzx][,']*)(\d*)(/*)(\d*)-?")


@explained
def features(text: str) -> Features:
    """Labels for every character of some tunes with blank lines between them; names as in NAMES.

    Raises LessonError for a text that `abc_reader` cannot read.
    """
    found: dict[str, list] = {name: [] for name in NAMES}
    for part in re.split(r"((?:(?<=\n)|^)\n+)", text):
        rows = [dict.fromkeys(NAMES, 0)] * len(part) if not part.strip() else _rows(part)
        for name, values in found.items():
            values.extend(row[name] for row in rows)
    return {name: np.array(values, NAMES[name]) for name, values in found.items()}


def _rows(text: str) -> list[dict[str, float]]:
    """The labels of each character of one tune."""
    reader = abc_reader.reading(text)
    now = dict.fromkeys(NAMES, 0) | {"in the header": 1}
    known = {"sharps of the key": reader.key.sharps, "three to a beat": reader.compound}
    rows = [now.copy() for _ in range(reader.start)]
    settled, over, count = Fraction(0), Fraction(0), 0  # of the bar: before its last note, with it; its notes
    now |= {**known, "in the header": 0}
    for token in reader.tokens():
        rows += [now.copy() for _ in range(token.start() - len(rows))]
        if token["bar"] or token["alone"]:
            _turn(now, token["bar"] or "|", bool(reader.notes))
            reader.new_bar()
            settled, over, count = Fraction(0), Fraction(0), 0
            rows += [now.copy() for _ in token[0]]
            continue
        for end in range(1, len(token[0]) + 1):
            rows.append(_at(now, over + _begun(token[0][:end]) * reader.a_unit, reader.bar))
        reader.read(token)
        if len(reader.notes) > count:
            settled, count = over, len(reader.notes)
        if reader.notes:
            over = settled + reader.notes[-1].length  # a broken rhythm may have changed it
        now = _at(now, over, reader.bar)
        if not token["note"] and not token["chord"]:
            rows[token.start() :] = [now.copy() for _ in token[0]]
    return rows + [now.copy() for _ in range(len(text) - len(rows))]


def _at(now: dict[str, float], over: Fraction, bar: Fraction) -> dict[str, float]:
    return now | {"place in the bar": min(float(over / bar), 1.5), "the bar is full": over >= bar}


def _begun(spelled: str) -> Fraction:
    """How many units the note lasts whose first characters these are; 0 before its letter is read."""
    found = _BEGUN.fullmatch(spelled)
    return abc_reader.spelled_length(*found.groups()) if found else Fraction(0)


def _turn(now: dict[str, float], sign: str, behind_notes: bool) -> None:
    """A bar line: the bar begins anew, a strong one begins a strain, and repeats open and close."""
    now |= {"place in the bar": 0, "the bar is full": 0}
    if sign in STRONG and behind_notes:
        now |= {"bar of the strain": 0, "strain of the tune": now["strain of the tune"] + 1}
    elif behind_notes:
        now["bar of the strain"] += 1
    if ":" in sign:
        now["inside a repeat"] = sign.endswith(":")
