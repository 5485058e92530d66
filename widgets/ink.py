"""Pictures of ink: lines under one another, where offsets lie, which letter is read at which point."""

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go
import torch
from jaxtyping import Float, Int
from torch import Tensor

from lessons.arguments import explained
from lessons.errors import LessonError
from lessons.ink import Ink
from lessons.mixture_density import Mixture, log_density, nats
from widgets import theme

GAP = 4.2  # heights of an x between two base lines
WIDE = 30.0  # heights of an x that a sheet shows at least
CELLS = 81
REACH = 1.6  # heights of an x that the map of offsets shows to each side
SHOWN = 1500  # offsets at most
AT_MOST = 12
DOT = 0.06  # heights of an x: what is smaller is drawn as a dot of this radius


@explained
def sheet(inks: Mapping[str, Ink], title: str = "Lines written by hand") -> theme.Figure:
    """Ink under ink, each with its name on the left. A pure picture; LessonError for none or too many."""
    if not 1 <= len(inks) <= AT_MOST:
        raise LessonError(f"A sheet shows 1 to {AT_MOST} lines; {len(inks)} were given.")
    x, y, wide, top, bottom = [], [], WIDE, 2.9, -GAP * (len(inks) - 1) - 2.3
    for row, ink in enumerate(inks.values()):
        points = ink.points
        wide = max(wide, float(points[:, 0].max()) + 0.5)
        top = max(top, float(points[:, 1].max()) - GAP * row + 0.5)
        bottom = min(bottom, float(points[:, 1].min()) - GAP * row - 0.5)
        for stroke in ink.strokes:
            if np.ptp(stroke, axis=0).max() < DOT:  # a line without length is not drawn at all
                stroke = stroke.mean(0) + DOT * np.array([[-1, 0], [1, 0], [0, -1], [0, 1]])
            x += [*stroke[:, 0].tolist(), None]
            y += [*(stroke[:, 1] - GAP * row).tolist(), None]
    lines = go.Scatter(
        x=x, y=y, mode="lines", line={"color": theme.tokens().ink, "width": 1.8}, connectgaps=False,
        hoverinfo="skip",
    )  # fmt: skip
    rows = [-GAP * row for row in range(len(inks))]
    height = 30 + 800 * (top - bottom) / (wide + 1)
    return theme.figure(
        lines,
        title=title,
        summary=_told(inks),
        height=int(min(760, height)) + theme.TOP + 56,
        margin={"l": 118, "r": 20},
        x="heights of an x",
        xaxis={"range": [-0.6, wide], "showgrid": False},
        yaxis={
            "range": [bottom, top], "scaleanchor": "x", "constrain": "range", "tickvals": rows,
            "ticktext": [theme.escape(name) for name in inks], "ticks": "",
        },
    )  # fmt: skip


def _told(inks: Mapping[str, Ink]) -> str:
    points = [len(ink) for ink in inks.values()]
    texts = {ink.text for ink in inks.values()}
    what = f"“{next(iter(texts))}”" if len(texts) == 1 and next(iter(texts)) else f"{len(inks)} lines"
    many = f"{min(points)}" if min(points) == max(points) else f"{min(points)} to {max(points)}"
    return f"{what} in {many} points a line."


def offsets(points: Float[Tensor, "points 3"], mix: Mixture) -> theme.Figure:
    """Where the pen went next, as dots, over the density of a mixture that stays the same at every point."""
    axis = torch.linspace(-REACH, REACH, CELLS, dtype=mix.mean.dtype, device="cpu")
    places = torch.stack(torch.meshgrid(axis, axis, indexing="xy"), -1)
    spread = Mixture(*(part.expand(CELLS, CELLS, *part.shape) for part in mix))
    density = log_density(spread, places).exp()
    shown = points[:: max(1, len(points) // SHOWN)][:SHOWN]
    tokens, many = theme.tokens(), len(mix.log_weights)
    which = "one Gaussian" if many == 1 else f"a mixture of {many} Gaussians"
    cost = float(_cost(points, mix))
    return theme.figure(
        go.Heatmap(
            z=(density**0.3).float().numpy(), x=axis.tolist(), y=axis.tolist(), showscale=False,
            colorscale=[[0, tokens.card], [1, tokens.f]], hoverinfo="skip",
        ),
        go.Scatter(
            x=shown[:, 0].tolist(), y=shown[:, 1].tolist(), mode="markers",
            marker={"size": 3, "color": tokens.i, "opacity": 0.55},
            hovertemplate="%{x:.2f} across, %{y:.2f} up<extra></extra>",
        ),
        title="Where does the pen go next?",
        summary=f"Dots: real offsets. Blue: {which}, the best that stays the same everywhere; a point costs "
        f"{cost:.2f} nats under it.".replace("-", "−"),
        height=theme.TOP + 56 + 400,
        x="across (heights of an x)",
        y="up (heights of an x)",
        xaxis={"range": [-REACH, REACH], "constrain": "domain", "showgrid": False},
        yaxis={"range": [-REACH, REACH], "scaleanchor": "x", "showgrid": False},
    )  # fmt: skip


def _cost(points: Tensor, mix: Mixture) -> Tensor:
    spread = Mixture(*(part.expand(len(points), *part.shape) for part in mix))
    return nats(spread, points.double()).mean()


def reading(phi: Float[Tensor, "time letters"], belongs: Int[Tensor, " time"], text: str) -> theme.Figure:
    """Which letter is read (bright) while which is written (the line), point by point.

    phi: of one piece, the place behind the text last; belongs: the letter of each point.
    """
    letters = [theme.glyph(letter) for letter in text] + ["■"]
    right = float((phi.argmax(1) == belongs).float().mean())
    tokens, steps = theme.tokens(), list(range(len(phi)))
    return theme.figure(
        go.Heatmap(
            z=phi.T.float().numpy(), x=steps, y=list(range(len(letters))),
            colorscale=theme.scale(theme.UNIT_SCALE), zmin=0, zmax=float(phi.max()), showscale=False,
            hovertemplate="point %{x}, letter %{y}: %{z:.2f}<extra></extra>",
        ),
        go.Scatter(
            x=steps, y=belongs.tolist(), mode="lines", line={"color": tokens.i, "width": 2.4, "shape": "hvh"},
            hoverinfo="skip",
        ),
        title="Which letter is read while which is written?",
        summary=f"Bright: how much a letter is read. Line: the letter that the pen was writing, "
        f"read most at {right:.0%} of {len(phi)} points.",
        height=theme.TOP + 56 + max(150, 26 * len(letters)),
        x="point of the pen",
        y="letter",
        xaxis={"range": [-0.5, len(phi) - 0.5], "showgrid": False},
        yaxis={
            "tickvals": list(range(len(letters))), "ticktext": letters, "range": [len(letters) - 0.5, -0.5],
            "showgrid": False, "tickfont": {"family": theme.MONO},
        },
    )  # fmt: skip
