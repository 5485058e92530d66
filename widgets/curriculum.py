"""Lesson 11: what each way of feeding does to a network as its training goes on.

progress({"always": seen, "linear": other})    # each a lessons.curriculum.Progress that watched its training
"""

from collections.abc import Mapping

import plotly.graph_objects as go

from lessons import teacher_forcing
from lessons.arguments import explained
from lessons.curriculum import ALONE, TOLD, WHOLE, Progress
from lessons.errors import LessonError
from widgets import theme
from widgets.layers_over_time import ends

PANELS = ((TOLD, "% of symbols wrong, fed the truth"), (ALONE, "edits per 100 symbols, alone"))
TOP = 105.0  # what runs on without an end can be far above
# The schedules look as they do in the picture of the schedules; constant ratios have colours of their own.
LOOKS = {
    teacher_forcing.LINEAR: ("f", "dash"), teacher_forcing.EXPONENTIAL: ("i", "dashdot"),
    teacher_forcing.SIGMOID: ("ink", "solid"),
}  # fmt: skip
CONSTANT = (("o", "solid"), ("g", "dash"), ("soft", "dot"))


@explained
def progress(seen: Mapping[str, Progress]) -> theme.Figure:
    """Over the steps of several trainings: wrong symbols with the truth fed (left), edits without it (right).

    Raises LessonError where a training left nothing to draw.
    """
    if not seen or not all(one.rows for one in seen.values()):
        raise LessonError("There is nothing to draw yet; hand each Progress to fit(task, watch=…) first.")
    seen = {str(name): one for name, one in seen.items()}
    looks = _looks(list(seen))
    lines = [
        _line(one, name, looks[name], measure, place)
        for place, (measure, _) in enumerate(PANELS)
        for name, one in seen.items()
    ]
    worst, most = (
        min(TOP, max(row[measure] for one in seen.values() for row in one.rows)) for measure in (ALONE, TOLD)
    )
    names = ends(
        [(theme.escape(name), one.rows[-1][ALONE], theme.colour(looks[name][0]))
         for name, one in seen.items()], 0.0, worst,
    )  # fmt: skip
    heads = [
        {"text": text, "x": 0, "xref": f"x{number} domain", "xanchor": "left", "y": 1.01,
         "yref": f"y{number} domain", "yanchor": "bottom", "showarrow": False, "font": {"size": 13}}
        for number, text in (("", "fed the truth"), ("2", "alone"))
    ]  # fmt: skip
    last = max(row["step"] for one in seen.values() for row in one.rows)
    return theme.figure(
        *lines, title="What does each way of feeding do, as training goes on?", summary=_tell(seen),
        height=theme.TOP + 56 + 340, margin={"r": 120, "t": theme.TOP + 16},
        annotations=[*heads, *(name | {"yref": "y2"} for name in names)],
        xaxis={"domain": [0, 0.44], "range": [0, last], "title": {"text": "training step"}},
        xaxis2={"domain": [0.56, 1], "range": [0, last], "anchor": "y2", "title": {"text": "training step"}},
        yaxis={"range": [-0.03 * most, 1.05 * most], "title": {"text": PANELS[0][1]}},
        yaxis2={"range": [-0.03 * worst, 1.05 * worst], "anchor": "x2", "title": {"text": PANELS[1][1]}},
    )  # fmt: skip


def _looks(names: list[str]) -> dict[str, tuple[str, str]]:
    """Colour and dash of each training."""
    others = [name for name in names if name not in LOOKS]
    return {name: CONSTANT[place % 3] for place, name in enumerate(others)} | {
        name: LOOKS[name] for name in names if name in LOOKS
    }


def _line(one: Progress, name: str, look: tuple[str, str], measure: str, place: int) -> go.Scatter:
    axis = "2" if place else ""
    return go.Scatter(
        x=[row["step"] for row in one.rows], y=[row[measure] for row in one.rows], name=name, mode="lines",
        xaxis=f"x{axis}", yaxis=f"y{axis}",
        line={"color": theme.colour(look[0]), "dash": look[1], "width": 2.4},
        hovertemplate=f"{theme.escape(name)}, step %{{x}}: %{{y:.1f}}<extra></extra>",
    )  # fmt: skip


def _tell(seen: Mapping[str, Progress]) -> str:
    told = ", ".join(f"{name} {one.rows[-1][ALONE]:.1f}" for name, one in seen.items())
    best = max(seen, key=lambda name: seen[name].rows[-1][WHOLE])
    whole = seen[best].rows[-1][WHOLE]
    return f"Edits per 100 symbols at the end: {told}. Most whole numbers right: {best}, {whole:.0f} %."
