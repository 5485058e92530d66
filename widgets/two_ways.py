"""The drawing of a network that reads both ways: input to forward, input to backward, both to output."""

from typing import Annotated

import plotly.graph_objects as go

from lessons.arguments import Between, explained
from lessons.errors import LessonError
from lessons.tagging import BACKWARD, BOTH, DIRECTIONS, FORWARD
from widgets import theme
from widgets.explorer import Explorer, Pick, Text, Time

LONGEST = 14  # signs that a picture has room for
INPUT, AHEAD, BACK, OUTPUT = 0.0, 1.0, 1.9, 2.9  # heights of the rows
ASIDE = 0.1  # by how much the two directions' states stand beside one another


@explained
def wiring(word: str, step: Annotated[int, Between(0)] = 0, way: str = BOTH) -> theme.Figure:
    """A network unrolled over a word, one way or both; lit is what the output at `step` can know.

    A pure function; no weights are needed. Raises LessonError for words that do not fit and unknown ways.
    """
    if not 0 < len(word) <= LONGEST:
        raise LessonError(f"The drawing needs a word of 1 to {LONGEST} letters.")
    if way not in DIRECTIONS:
        raise LessonError(f"The way is one of {', '.join(DIRECTIONS)}; {way!r} is not.")
    step = min(step, len(word) - 1)
    tokens, last = theme.tokens(), len(word) - 1
    notes, boxes = [], []
    for t, letter in enumerate(word):
        notes.append(sign(t, INPUT, letter, tokens.ink if _known(t, step, way) else tokens.soft, True))
        boxes.append(_box(t, OUTPUT, "ink", t == step, 0.28))
        if way != BACKWARD:
            boxes.append(_box(t - ASIDE, AHEAD, "f", t <= step))
            notes.append(wire(t - ASIDE, INPUT + 0.2, t - ASIDE, AHEAD - 0.24, "f", t <= step))
            notes.append(wire(t - 0.21, AHEAD + 0.24, t - 0.21, OUTPUT - 0.24, "f", t == step))
            if t:
                notes.append(wire(t - 0.89, AHEAD, t - 0.29, AHEAD, "f", t <= step))
        if way != FORWARD:
            boxes.append(_box(t + ASIDE, BACK, "i", t >= step))
            notes.append(wire(t + 0.21, INPUT + 0.2, t + 0.21, BACK - 0.24, "i", t >= step))
            notes.append(wire(t + ASIDE, BACK + 0.24, t + ASIDE, OUTPUT - 0.24, "i", t == step))
            if t < last:
                notes.append(wire(t + 0.89, BACK, t + 0.29, BACK, "i", t >= step))
    rows = [("output", OUTPUT, tokens.ink), ("input", INPUT, tokens.ink)]
    rows += [("forward →", AHEAD, tokens.f)] if way != BACKWARD else []
    rows += [("← backward", BACK, tokens.i)] if way != FORWARD else []
    return theme.figure(
        go.Scatter(x=list(range(len(word))), y=[OUTPUT] * len(word), mode="markers", opacity=0,
                   text=[theme.escape(_knows(word, t, way)) for t in range(len(word))],
                   hovertemplate="%{text}<extra></extra>"),
        title=f"What can the output at “{word[step]}” know?", summary=f"{_knows(word, step, way)}.",
        height=theme.TOP + 40 + 300, margin={"l": 104, "r": 24, "b": 40}, shapes=boxes,
        annotations=[*notes, *(row(*one) for one in rows)],
        x="step", xaxis={"range": [-0.6, max(last, 5) + 0.6], "dtick": 1, "showgrid": False},
        yaxis={"range": [-0.35, 3.3], "visible": False},
    )  # fmt: skip


@explained
def wired(word: str = "knight") -> Explorer:
    """The drawing above with the step, the way and the word to choose."""
    return Explorer(
        wiring,
        step=Time(maximum=LONGEST - 1, value=max(0, min(2, len(word) - 1)), label="step"),
        way=Pick({"forward only": FORWARD, "backward only": BACKWARD, "both": BOTH}, BOTH, label="reads"),
        word=Text(word, label="word"),
    )


def _known(t: int, step: int, way: str) -> bool:
    return way == BOTH or (t <= step if way == FORWARD else t >= step)


def _knows(word: str, step: int, way: str) -> str:
    known = {FORWARD: word[: step + 1], BACKWARD: word[step:], BOTH: word}[way]
    sides = {
        FORWARD: "The forward states bring what came before",
        BACKWARD: "The backward states bring what comes after",
        BOTH: "The two directions meet",
    }[way]
    return f"{sides}: at step {step} the output knows “{known}”, {len(known)} of {len(word)} letters"


def sign(x: float, y: float, text: str, colour: str, bold: bool = False, size: int = 16) -> dict:
    """A letter, escaped."""
    text = theme.escape(theme.glyph(text))
    return {
        "x": x, "y": y, "text": f"<b>{text}</b>" if bold else text, "showarrow": False,
        "font": {"size": size, "family": theme.MONO, "color": colour},
    }  # fmt: skip


def _box(x: float, y: float, colour: str, lit: bool, width: float = 0.18) -> dict:
    drawn = theme.colour(colour)
    return {
        "type": "rect", "x0": x - width, "x1": x + width, "y0": y - 0.22, "y1": y + 0.22, "layer": "below",
        "line": {"color": drawn if lit else theme.tokens().rule, "width": 2},
        "fillcolor": theme.fade(drawn, 0.25 if lit else 0.0),
    }  # fmt: skip


def wire(x0: float, y0: float, x1: float, y1: float, colour: str, lit: bool, width: float = 2.0) -> dict:
    """An arrow from (x0, y0) to (x1, y1)."""
    return {
        "x": x1, "y": y1, "ax": x0, "ay": y0, "xref": "x", "yref": "y", "axref": "x", "ayref": "y",
        "text": "", "showarrow": True, "arrowhead": 2, "arrowsize": 0.9, "arrowwidth": width if lit else 1.0,
        "arrowcolor": theme.colour(colour) if lit else theme.tokens().rule,
    }  # fmt: skip


def row(text: str, y: float, colour: str) -> dict:
    """The name of a row, left of the picture."""
    return {
        "text": text, "x": 0, "xref": "paper", "xanchor": "right", "xshift": -8, "y": y, "showarrow": False,
        "font": {"size": 13, "color": colour},
    }  # fmt: skip
