"""Lesson 13 in pictures: what temperature does to every medium.

curves()     # well formed and copied, network and n-gram, over the temperature; one column a medium
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from lessons import media, temperature_study
from lessons.arguments import explained
from lessons.errors import LessonError
from lessons.temperature_study import COUNTED, NETWORK
from widgets import theme

ROWS = {"well formed": "well formed (%)", "copied": "copied spans (%)"}
SAID = 0.6  # temperature that the summary speaks of
GAP = 0.024  # between two columns


@explained
def curves(study: Mapping[str, Any] | None = None, names: Sequence[str] | None = None) -> theme.Figure:
    """Share of well-formed documents (above) and of copied spans (below) over the temperature, by medium.

    Solid blue: the network. Dashed vermilion: the n-gram of the same text. Dotted: documents that neither has
    read. `study` is what lessons.temperature_study wrote, by default the results that come with the course.
    """
    study = study or temperature_study.load()
    names = list(names or study["media"])
    if missing := [name for name in names if name not in study["media"]]:
        raise LessonError(f"There are no results for {missing[0]!r}; there are {', '.join(study['media'])}.")
    traces, axes, notes = [], {}, []
    for column, name in enumerate(names):
        found = study["media"][name]
        for row, measure in enumerate(ROWS):
            number = row * len(names) + column + 1
            traces += _lines(found, measure, number)
            axes |= _axes(number, column, row, len(names))
        notes.append(_heading(column, len(names), media.find(name).title))
    return theme.figure(
        *traces,
        title="Hotter dice: more faults, fewer copies?",
        summary=_tell(study, names),
        height=theme.TOP + 56 + 420,
        margin={"l": 62, "r": 16, "t": theme.TOP + 34, "b": 56},
        annotations=[*notes, *_key()],
        **axes,
    )


def _lines(found: Mapping[str, Any], measure: str, number: int) -> list[go.Scatter]:
    place = {"xaxis": f"x{_number(number)}", "yaxis": f"y{_number(number)}"}
    tokens = theme.tokens()
    looks = {NETWORK: (tokens.f, "solid", "circle"), COUNTED: (tokens.i, "dash", "square")}
    drawn = []
    for writer, (colour, dash, symbol) in looks.items():
        rows = found["curves"][writer]
        x = np.array([row["temperature"] for row in rows], np.float32)
        y = 100 * np.array([row[measure] for row in rows], np.float32)
        copies = [row["longest copy"] for row in rows]
        drawn.append(
            go.Scatter(
                x=x, y=y, mode="lines+markers", line={"color": colour, "width": 2.2, "dash": dash},
                marker={"size": 6, "color": colour, "symbol": symbol}, customdata=copies, **place,
                hovertemplate=f"{writer}, temperature %{{x:.1f}}<br>{measure} %{{y:.0f}} %<br>longest copy "
                "%{customdata:.0f} characters<extra></extra>",
            )
        )  # fmt: skip
    held = 100 * found["held out"][measure]
    drawn.append(
        go.Scatter(
            x=x[[0, -1]], y=[held, held], mode="lines", **place,
            line={"color": tokens.soft, "width": 1.6, "dash": "dot"},
            hovertemplate=f"held-out documents: {measure} %{{y:.0f}} %<extra></extra>",
        )
    )  # fmt: skip
    return drawn


def _number(number: int) -> str:
    return "" if number == 1 else str(number)


def _axes(number: int, column: int, row: int, columns: int) -> dict[str, Any]:
    """The axes of one panel; names stand at the outer ones only, all have the same ranges."""
    name, wide = _number(number), (1 - GAP * (columns - 1)) / columns
    left = column * (wide + GAP)
    top = 1.0 - row * 0.54
    lowest, first = row == len(ROWS) - 1, column == 0
    return {
        f"xaxis{name}": {
            "domain": [left, left + wide], "anchor": f"y{name}", "range": [0.1, 1.5], "dtick": 0.4,
            "tick0": 0.2, "title": {"text": "temperature" if lowest else ""}, "showticklabels": lowest,
        },
        f"yaxis{name}": {
            "domain": [max(top - 0.46, 0.0), top], "anchor": f"x{name}", "range": [-3, 103], "dtick": 25,
            "title": {"text": list(ROWS.values())[row] if first else ""}, "showticklabels": first,
        },
    }  # fmt: skip


def _heading(column: int, columns: int, title: str) -> dict[str, Any]:
    wide = (1 - GAP * (columns - 1)) / columns
    return {
        "x": column * (wide + GAP) + wide / 2, "y": 1, "xref": "paper", "yref": "paper", "xanchor": "center",
        "yanchor": "bottom", "yshift": 4, "text": f"<b>{theme.escape(title)}</b>", "showarrow": False,
    }  # fmt: skip


def _key() -> list[dict[str, Any]]:
    """What the three lines are, in their colours, above the panels on the right."""
    tokens = theme.tokens()
    words = (("— network", tokens.f), (f"- - {COUNTED}", tokens.i), ("··· held-out documents", tokens.soft))
    text = "   ".join(f'<span style="color:{colour}">{name}</span>' for name, colour in words)
    return [
        {"x": 1, "y": 1, "xref": "paper", "yref": "paper", "xanchor": "right", "yanchor": "bottom",
         "yshift": 26, "text": text, "showarrow": False, "font": {"size": 13}}
    ]  # fmt: skip


def _tell(study: Mapping[str, Any], names: Sequence[str]) -> str:
    """The shares at one temperature, in words."""

    def share(name: str, writer: str) -> float:
        rows = study["media"][name]["curves"][writer]
        return min(rows, key=lambda row: abs(row["temperature"] - SAID))["well formed"]

    parts = [f"{name} {share(name, NETWORK):.0%} against {share(name, COUNTED):.0%}" for name in names]
    return f"Well formed at temperature {SAID:g}, network against {COUNTED}: {', '.join(parts)}."
