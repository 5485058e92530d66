"""The temporal links of a memory as a graph (lesson 18): slots round a circle, arrows to what came next."""

import numpy as np
import plotly.graph_objects as go

from lessons.memory_trace import MemoryTrace
from widgets import theme

FAINT = 0.1  # a weaker link is not drawn
BANDS = ((FAINT, 0.4, 1.0), (0.4, 0.7, 2.0), (0.7, 1.01, 3.2))  # from, up to, width of the arrow
INSIDE = 0.16  # where an arrow begins and ends, from the middle of a slot
INWARD = 0.5  # how far an arrow bends to the middle of the circle
ASIDE = 0.12  # how far it keeps out of the way of one that leads back
BENDS = 15  # points of an arrow
ON_DARK, ON_LIGHT = "#fdfdfd", "#101316"  # numbers on discs; no colours of the theme, which a page swaps


def traces(trace: MemoryTrace, step: int, head: int, shown: list[int], slot: int) -> list[go.Scatter]:
    """Arrows by strength; slots, filled by usage; rings: written (vermilion) and read (blue) in this step.

    On the axes x3 and y8. shown: which slots, from the top clockwise. slot: the chosen one, larger.
    """
    angles = np.pi / 2 - 2 * np.pi * np.arange(len(shown)) / len(shown)
    places = np.stack([np.cos(angles), np.sin(angles)], 1)
    links = trace.numpy("links")[step][np.ix_(shown, shown)] if "links" in trace.names else np.zeros((1, 1))
    return [
        *(_arrows(links, places, *band) for band in BANDS),
        *_slots(trace, step, head, shown, places, slot),
    ]


def _arrows(links: np.ndarray, places: np.ndarray, low: float, high: float, width: float) -> go.Scatter:
    """links[i, j]: how much i was written right after j; the arrow goes from j to i."""
    x: list[float | None] = []
    y: list[float | None] = []
    for after, before in zip(*((links >= low) & (links < high)).nonzero(), strict=True):
        way = _bent(places[before], places[after])
        x += [*way[:, 0].tolist(), None]
        y += [*way[:, 1].tolist(), None]
    colour = theme.tokens().soft
    return go.Scatter(
        x=x, y=y, xaxis="x3", yaxis="y8", mode="lines+markers", name=f"links from {low:.1f}",
        hoverinfo="skip", line={"color": colour, "width": width},
        marker={"symbol": "arrow", "angleref": "previous", "color": colour,
                "opacity": 1, "line": {"width": 0},
                "size": [10 + 1.5 * width if following is None else 0 for following in [*x[1:], 0]]},
    )  # fmt: skip


def _bent(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """(BENDS, 2): from slot to slot inside the circle, so that no other slot is in the way."""
    along = end - start
    middle = (1 - INWARD) * (start + end) / 2 + ASIDE * np.array([along[1], -along[0]])
    start, end = (one + INSIDE * (middle - one) / np.linalg.norm(middle - one) for one in (start, end))
    share = np.linspace(0, 1, BENDS)[:, None]
    return (1 - share) ** 2 * start + 2 * share * (1 - share) * middle + share**2 * end


def _slots(
    trace: MemoryTrace, step: int, head: int, shown: list[int], places: np.ndarray, slot: int
) -> list[go.Scatter]:
    written = trace.numpy("write weights")[step][shown]
    read = trace.numpy("read weights")[step][head][shown]
    usage = trace.numpy("usage")[step][shown]
    rings = [
        go.Scatter(
            x=places[:, 0], y=places[:, 1], xaxis="x3", yaxis="y8", mode="markers", hoverinfo="skip",
            name=name, marker={"size": size, "symbol": "circle-open", "color": theme.colour(colour),
                    "opacity": weights.clip(0, 1).round(3), "line": {"width": 3.5}},
        )
        for name, weights, colour, size in (("written", written, "i", 37), ("read", read, "f", 30))
    ]  # fmt: skip
    tokens = theme.tokens()
    discs = go.Scatter(
        x=places[:, 0], y=places[:, 1], xaxis="x3", yaxis="y8", mode="markers+text", name="slots",
        text=[f"<b>{one}</b>" if one == slot else str(one) for one in shown],
        textfont={"size": 11, "color": [ON_DARK if used < 0.55 else ON_LIGHT for used in usage]},
        customdata=shown,
        marker={"size": [26 if one == slot else 22 for one in shown], "color": usage, "cmin": 0, "cmax": 1,
                "colorscale": theme.scale(theme.UNIT_SCALE), "opacity": 1,
                "line": {"width": 1, "color": tokens.edge}},
        hovertemplate="slot %{customdata}: usage %{marker.color:.2f}<extra></extra>",
    )  # fmt: skip
    return [*rings, discs]
