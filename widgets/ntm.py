"""How far a machine and an LSTM go beyond what they were taught (lesson 17).

beyond({"NTM": machine, "LSTM": plain}, preset)     # copy 20 vectors, 60, 120: how much is wrong?
"""

import functools
from collections.abc import Mapping
from typing import Annotated

import numpy as np
import plotly.graph_objects as go
import torch
from torch import nn

from lessons import memory_tasks, memory_training
from lessons.arguments import Between, explained
from lessons.errors import LessonError
from lessons.memory_tasks import Episode
from lessons.memory_training import MemoryPreset
from widgets import theme
from widgets.explorer import Explorer, Index, Slider

LONGEST = 120
LENGTHS = (5, 10, 15, 20, 30, 40, 50, 60, 80, 100, 120)
MOST = 4  # networks that the picture has room for
COLOURS, DASHES = ("f", "i", "g", "o"), ("solid", "dash", "dashdot", "dot")
Models = Mapping[str, nn.Module]
Shares = Mapping[str, Mapping[int, float]]
Length = Annotated[int, Between(1, LONGEST)]
Whole = Annotated[int, Between(0)]


@explained
def shares(
    models: Models, preset: MemoryPreset, lengths: tuple[int, ...] = LENGTHS
) -> dict[str, dict[int, float]]:
    """For each network the share of bits that are wrong, in %, by length; 50 is guessing."""
    found = {}
    for name, model in models.items():
        wrong = memory_training.by_length(model, preset, lengths)
        found[name] = {length: 100 * value / (length * preset.bits) for length, value in wrong.items()}
    return found


@explained
def figure(
    models: Models, wrong: Shares, taught: int = 20, length: Length = 20, seed: Whole = 0
) -> theme.Figure:
    """One sequence of `length` vectors to copy, what each network says, how much is wrong at every length.

    wrong: what `shares` returns. taught: the longest length of training, which is marked.
    Raises LessonError for networks that were not taught to copy, for none and for more than four.
    """
    if not 1 <= len(models) <= MOST or set(wrong) != set(models):
        raise LessonError(f"From one to {MOST} networks have room here, each with its shares of wrong bits.")
    episode = memory_training.example(next(iter(models.values())), memory_tasks.COPY, length, seed)
    right = episode.target[0, episode.asked].numpy()
    said = {name: _said(model, episode) for name, model in models.items()}
    return theme.figure(
        *_sequences({"to say": right, **said}, right),
        *_lines(wrong),
        title="Who goes on where teaching ended?",
        summary=told(said, right, length, taught),
        height=theme.TOP + 56 + 90 * (1 + len(said)) + 270,
        margin={"l": 86, "r": 96, "t": theme.TOP + 14},
        shapes=[_line(length, theme.tokens().mark, "solid"), _line(taught, theme.tokens().soft, "dash")],
        annotations=_labels(wrong, taught),
        **_axes(list(said), length, right.shape[1]),
    )


@explained
def beyond(models: Models, preset: MemoryPreset, lengths: tuple[int, ...] = LENGTHS) -> Explorer:
    """The picture above with a length and a sequence to choose."""
    if not models:
        raise LessonError("There is no network to look at; hand in one, or several by their names.")
    return Explorer(
        functools.partial(figure, models, shares(models, preset, lengths), preset.longest),
        length=Slider(1, LONGEST, min(LONGEST, 2 * preset.longest), 1, label="vectors to copy"),
        seed=Index(999, 0, label="another sequence: seed"),
    )


@torch.no_grad()
def _said(model: nn.Module, episode: Episode) -> np.ndarray:
    """Probabilities of a one at the steps that count, (T, O)."""
    return memory_training.answers(model, episode)[0].sigmoid().to("cpu", torch.float32).numpy()


def told(said: Mapping[str, np.ndarray], right: np.ndarray, length: int, taught: int) -> str:
    """The picture in words."""
    counts = [f"{name} {int(((answer > 0.5) != (right > 0.5)).sum())}" for name, answer in said.items()]
    where = (
        "a length of training" if length <= taught else f"{length / taught:.1f} times the longest of training"
    )
    vectors = "1 vector" if length == 1 else f"{length} vectors"
    return f"{vectors}, {where}. Wrong bits of {right.size}: {', '.join(counts)}."


def _sequences(rows: Mapping[str, np.ndarray], right: np.ndarray) -> list[go.Heatmap | go.Scatter]:
    """What is right and what each network says, a column a vector; a cross on every wrong bit."""
    traces: list[go.Heatmap | go.Scatter] = []
    for k, (name, values) in enumerate(rows.items()):
        axis = "y" if k == 0 else f"y{k + 1}"
        traces.append(
            go.Heatmap(
                x=np.arange(1, len(values) + 1), z=values.T, zmin=0, zmax=1, name=name, yaxis=axis,
                colorscale=theme.scale(theme.UNIT_SCALE), showscale=k == 0,
                hovertemplate="vector %{x}, bit %{y}: %{z:.2f}<extra>" + name + "</extra>",
                colorbar={"len": 0.28, "y": 0.99, "yanchor": "top", "thickness": 10, "outlinewidth": 0,
                          "tickvals": [0, 0.5, 1], "title": {"text": "P(1)", "side": "top"}},
            )
        )  # fmt: skip
        steps, bits = ((values > 0.5) != (right > 0.5)).nonzero()
        traces.append(
            go.Scatter(x=steps + 1, y=bits, yaxis=axis, mode="markers", name=f"{name}, wrong",
                       hoverinfo="skip", marker={"symbol": "x", "size": 7, "color": theme.tokens().i,
                               "line": {"width": 1, "color": "#fff"}})
        )  # fmt: skip
    return traces


def _lines(wrong: Shares) -> list[go.Scatter]:
    """The share of wrong bits against the length, a line a network."""
    return [
        go.Scatter(
            x=list(values), y=list(values.values()), xaxis="x2", yaxis="y6", name=f"{name}, share",
            mode="lines+markers", line={"color": theme.colour(COLOURS[k]), "width": 2.4, "dash": DASHES[k]},
            marker={"color": theme.colour(COLOURS[k]), "size": 7},
            hovertemplate="%{x} vectors: %{y:.1f} % wrong<extra>" + name + "</extra>",
        )
        for k, (name, values) in enumerate(wrong.items())
    ]  # fmt: skip


def _line(x: float, colour: str, dash: str) -> dict:
    return {
        "type": "line", "xref": "x2", "yref": "y6", "x0": x, "x1": x, "y0": 0, "y1": 55,
        "line": {"color": colour, "width": 1.8, "dash": dash},
    }  # fmt: skip


def _labels(wrong: Shares, taught: int) -> list[dict]:
    """Names at the right ends of the lines, apart from one another; where teaching ended."""
    ends = sorted((values[max(values)], k, name) for k, (name, values) in enumerate(wrong.items()))
    labels, last = [], -10.0
    for value, k, name in ends:
        last = max(value, last + 5)
        labels.append(
            {"text": name, "x": max(wrong[name]), "xref": "x2", "y": last, "yref": "y6", "xanchor": "left",
             "xshift": 8, "showarrow": False, "font": {"size": 13, "color": theme.colour(COLOURS[k])}}
        )  # fmt: skip
    note = {"text": "taught up to here", "x": taught, "xref": "x2", "y": 57, "yref": "y6", "xanchor": "left",
            "xshift": -8, "yanchor": "bottom", "showarrow": False,
            "font": {"size": 12, "color": theme.tokens().soft}}  # fmt: skip
    return [*labels, note]


def _axes(names: list[str], length: int, bits: int) -> dict[str, dict]:
    rows, below = ["to say", *names], 270 / (270 + 90 * (1 + len(names)))
    height = (1 - below) / len(rows)
    axes = {
        "xaxis": {"range": [0.5, length + 0.5], "anchor": "free", "position": below, "showgrid": False,
                  "title": {"text": "vector"}, "nticks": 12},
        "xaxis2": {"range": [0, LONGEST + 2], "anchor": "y6", "title": {"text": "vectors to copy"}},
        "yaxis6": {"domain": [0, below - 0.17], "range": [-2, 57], "anchor": "x2",
                   "title": {"text": "wrong bits, %"}, "tickvals": [0, 25, 50]},
    }  # fmt: skip
    for k, name in enumerate(rows):
        top = 1 - k * height
        axes["yaxis" if k == 0 else f"yaxis{k + 1}"] = {
            "domain": [top - height * 0.82, top], "range": [bits - 0.5, -0.5], "tickvals": [],
            "showgrid": False, "anchor": "x", "title": {"text": name},
        }  # fmt: skip
    return axes
