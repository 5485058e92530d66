"""What length costs (lesson 20): a training step, and one more step, for loops, scans and attention.

costs(training, characters)     # both by name, then length, in seconds: lessons.cell_costs measures them
"""

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go

from lessons.arguments import Count, explained
from lessons.errors import LessonError
from widgets import theme

MOST = 4  # lines that a panel has room for
COLOURS, DASHES = ("f", "i", "g", "o"), ("solid", "dash", "dashdot", "dot")
MICRO, MILLI = 1e6, 1e3
SCALE = {"type": "log", "dtick": "D2"}  # ticks at 1, 2 and 5 of every power of ten
Seconds = Mapping[str, Mapping[int, float]]


@explained
def costs(training: Seconds, characters: Seconds, least: Count = 1) -> theme.Figure:
    """Two panels on logarithmic axes: a training step by length, and one more step by how many came before.

    Both are by name, then length, in seconds. `least`: lengths below it are left out.
    """
    panels = (training, characters)
    if not all(panels) or max(map(len, panels)) > MOST:
        raise LessonError(f"From one to {MOST} lines have room in each panel.")
    lines, notes = [], []
    for place, (panel, scale) in enumerate(zip(panels, (MILLI, MICRO), strict=True), start=1):
        ends = sorted((line[max(line)] * scale, k, name) for k, (name, line) in enumerate(panel.items()))
        floor = 0.0
        for value, k, name in ends:
            floor = max(value, floor * 1.45)
            notes.append(_end(panel[name], floor, k, name, place))
        for k, (name, line) in enumerate(panel.items()):
            kept = {length: value for length, value in line.items() if length >= least}
            lines.append(
                go.Scatter(
                    x=list(kept), y=[value * scale for value in kept.values()], name=name,
                    xaxis=_axis("x", place), yaxis=_axis("y", place), mode="lines+markers",
                    marker={"size": 7},
                    line={"color": theme.colour(COLOURS[k]), "dash": DASHES[k], "width": 2.4},
                    hovertemplate="%{x}: %{y:.3g}<extra>" + theme.escape(name) + "</extra>",
                )
            )  # fmt: skip
    return theme.figure(
        *lines,
        title="What does length cost?",
        summary=" ".join((_growth(training, "Training"), _growth(characters, "One more step"))),
        height=theme.TOP + 56 + 300,
        annotations=notes,
        margin={"r": 150},
        xaxis=_length(training, [0, 0.36], "steps of a sequence", "y"),
        xaxis2=_length(characters, [0.62, 1], "steps before", "y2"),
        yaxis={"title": {"text": "a training step, ms"}, "anchor": "x", **SCALE},
        yaxis2={"title": {"text": "one more step, microseconds"}, "anchor": "x2", **SCALE},
    )


def _length(panel: Seconds, domain: list[float], title: str, anchor: str) -> dict:
    ends = np.log10([length for line in panel.values() for length in line])
    span = [float(ends.min()) - 0.15, float(ends.max()) + 0.15]
    return {"domain": domain, "range": span, "title": {"text": title}, "anchor": anchor, **SCALE, "dtick": 1}


def _end(line: Mapping[int, float], value: float, k: int, name: str, place: int) -> dict:
    return {
        "text": theme.escape(name), "x": np.log10(max(line)), "y": np.log10(value), "xref": _axis("x", place),
        "yref": _axis("y", place), "xanchor": "left", "xshift": 8, "showarrow": False,
        "font": {"size": 12, "color": theme.colour(COLOURS[k])},
    }  # fmt: skip


def _growth(panel: Seconds, what: str) -> str:
    said = []
    for name, line in panel.items():
        first, last = min(line), max(line)
        said.append(f"{name} ×{line[last] / line[first]:.2g}")
    return f"{what}, ×{max(line) // min(line)} as long: {', '.join(said)}."


def _axis(name: str, place: int) -> str:
    """An axis as plotly numbers it: the first has no number."""
    return name if place == 1 else f"{name}{place}"
