"""What markup makes a reader keep in mind: which elements are open, how deep, and whether this is a formula.

Like all of lessons.features, every label depends on the characters up to its own only. A text without tags
has no labels for tags, and one without environments none for LaTeX. A blank line closes everything.
"""

import re
from collections.abc import Iterable

import numpy as np
from jaxtyping import Float

from lessons import features as general

TAG = re.compile(r"<(/?)([A-Za-z]\w*)[^<>\n]*?(/?)>")
ENVIRONMENT = re.compile(r"\\(begin|end)\{(\w+)\}")
VOID = {"br", "hr"}
FEWEST = 5  # times that an element is opened, to have a label of its own
Labels = dict[str, np.ndarray]
Change = tuple[int, int]  # where, and by how much


def features(text: str) -> Labels:
    """All labels of lessons.features and those below, for `units.scores(…, describe=nesting.features)`."""
    return {**general.features(text), **labels(text)}


def labels(text: str) -> Labels:
    """Labels per character: "inside a tag", "depth of elements", "inside <p>", "inside a formula", …"""
    found: Labels = {}
    if "</" in text:
        found |= _elements(text)
    if "\\begin{" in text:
        found |= _formulas(text)
    return found


def _elements(text: str) -> Labels:
    """Which elements are open: an element counts from the > of its start tag to that of its end tag."""
    changes: dict[str, list[Change]] = {}
    for tag in TAG.finditer(text):
        closing, name, empty = tag.groups()
        if name not in VOID and not empty:
            changes.setdefault(name, []).append((tag.end() - 1, -1 if closing else 1))
    often = {name: each for name, each in changes.items() if sum(by > 0 for _, by in each) >= FEWEST}
    everything = [change for each in changes.values() for change in each]
    return {
        "inside a tag": _within(text, "<", ">"),
        "depth of elements": _depth(text, everything),
        **{f"inside <{name}>": _depth(text, each) > 0 for name, each in often.items()},
    }


def _formulas(text: str) -> Labels:
    """Which environments are open, and what stands between dollars or in an equation."""
    environments, equations = [], []
    for found in ENVIRONMENT.finditer(text):
        change = (found.end() - 1, 1 if found[1] == "begin" else -1)
        environments.append(change)
        if found[2] == "equation":
            equations.append(change)
    dollars = [
        (place, 1 - 2 * (k % 2)) for k, place in enumerate(m.start() for m in re.finditer(r"\$", text))
    ]
    return {
        "depth of environments": _depth(text, environments),
        "inside a formula": (_depth(text, equations) > 0) | (_depth(text, dollars) > 0),
    }


def _depth(text: str, changes: Iterable[Change]) -> Float[np.ndarray, " time"]:
    """How many are open at every character; a blank line closes all, and no depth is below 0."""
    by = np.zeros(len(text) + 1, np.int64)
    for place, change in changes:
        by[place] += change
    total = np.cumsum(by[:-1])
    blank = np.array([found.end() - 1 for found in re.finditer(r"\n\n", text)], np.int64)
    before = np.zeros(len(text), np.int64)
    before[blank] = np.diff(total[blank], prepend=0) if len(blank) else 0
    return np.maximum(total - np.cumsum(before), 0).astype(np.float32)


def _within(text: str, first: str, last: str) -> np.ndarray:
    """From each `first` up to the next `last`, both included."""
    open_now, inside = False, np.zeros(len(text), bool)
    for place, character in enumerate(text):
        open_now = open_now or character == first
        inside[place] = open_now
        open_now = open_now and character != last
    return inside
