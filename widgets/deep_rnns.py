"""Lesson 10 in pictures: a stack unrolled, all its hidden states at once, and how long each layer remembers.

stack()                                # drawn: layers, residuals, norms, the shortest way through
states(lessons.trace(model, text))     # hidden states of every layer over one time axis
changes(model, text)                   # change one character, see every layer move
scales(before, after)                  # lessons.time_scales.curves of a stack, untrained and trained
bottom(vocabulary, text, preset)       # what arrives at the bottom layer, against depth
compare(outcomes)                      # lessons.depth_study.compare: loss, gradient, seconds
"""

import functools
from collections.abc import Sequence
from typing import Any

from lessons.arguments import explained
from lessons.deep_rnns import DeepPreset
from lessons.depth_study import Outcome
from lessons.tracing import Trace
from lessons.vocabulary import Vocabulary
from widgets import theme
from widgets.depth import arrived, learnt
from widgets.explorer import Explorer, Index, Pick, Slider, Switch, Text, Time
from widgets.layers_over_time import Curves, change, scale, state
from widgets.stack_drawing import STEPS, TALLEST, drawn

__all__ = [
    "arrived",
    "bottom",
    "change",
    "changes",
    "compare",
    "drawn",
    "learnt",
    "scale",
    "scales",
    "stack",
    "state",
    "states",
]


def stack() -> Explorer:
    """A drawn stack, unrolled in time, with its wiring in your hand."""
    return Explorer(
        drawn,
        layers=Slider(1, TALLEST, 3, label="layers"),
        source=Slider(0, STEPS - 1, 0, label="read at step"),
        residual=Switch(False, label="residual connections"),
        norm=Switch(False, label="layer norm"),
        answers=Pick({"at the last step": "last", "at every step": "all"}, "last", label="answers"),
    )


@explained
def states(seen: Trace, unit: int | None = None) -> Explorer:
    """The picture above: scrub through time, choose a unit by number or by a click on a map."""
    texts = tuple(map(theme.glyph, seen.labels[0])) if seen.vocabulary else None
    controls = {
        "step": Time(maximum=seen.steps - 1, label="time step", texts=texts),
        "unit": Index(seen.hidden_size - 1, unit, all="all units", label="unit"),
    }
    if seen.batch_size > 1:
        controls["sequence"] = Pick({str(k): k for k in range(seen.batch_size)}, 0, label="sequence")
    return Explorer(functools.partial(state, seen), clicked=_cell("step", "unit"), **controls)


@explained
def changes(model: Any, text: str, place: int = 0, letter: str = "x") -> Explorer:
    """The picture above: click a step of the map, scrub, or type another character."""
    texts = tuple(map(theme.glyph, text))
    return Explorer(
        functools.partial(change, model, text),
        clicked=_cell("place"),
        place=Time(maximum=len(text) - 1, value=place, label="place of the change", texts=texts),
        letter=Text(letter, label="character to put there"),
        scale=Pick({"linear": "linear", "logarithmic": "log"}, "linear", label="scale"),
    )


@explained
def scales(before: Curves, after: Curves) -> Explorer:
    """The picture above, for a stack untrained and trained, by both measures."""
    stages = {"untrained": before, "trained": after}

    def picture(measure: str, stage: str) -> theme.Figure:
        return scale(stages[stage], measure, stage)

    return Explorer(
        picture,
        measure=Pick({name: name for name in after}, "autocorrelation", label="measure"),
        stage=Pick({name: name for name in stages}, "trained", label="stack"),
    )


@explained
def bottom(vocabulary: Vocabulary, text: str, preset: DeepPreset) -> Explorer:
    """The picture above, with the cell to choose."""
    return Explorer(
        functools.partial(arrived, vocabulary, text, preset),
        cell=Pick({"LSTM": "lstm", "GRU": "gru", "tanh RNN": "rnn"}, "lstm", label="cell"),
    )


@explained
def compare(outcomes: Sequence[Outcome]) -> Explorer:
    """The picture above: what is shown, over steps or seconds."""
    return Explorer(
        functools.partial(learnt, outcomes),
        shown=Pick(
            {"training loss": "training", "held-out plays": "held-out", "gradient at the bottom": "bottom"},
            "training", label="show",
        ),
        over=Pick({"steps": "steps", "seconds": "seconds"}, "steps", label="over"),
    )  # fmt: skip


def _cell(*names: str):
    """A click on a map as new values: its step, and its row where a second name is given."""

    def clicked(points: Any) -> dict[str, int] | None:
        place = points.point_inds[0]
        if isinstance(place, list | tuple):
            return dict(zip(names, (int(place[1]), int(place[0])), strict=False))
        return {names[0]: int(place)}

    return clicked
