"""Lesson 07: descents over a landscape, in space and from above, with clipping and without.

explore()                        # one unit's landscape
explore(lessons.cliff.Plane(task), rate=0.02)   # the same through a network that has trained
"""

import functools
import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Annotated, Any

import numpy as np
import plotly.graph_objects as go

from lessons import cliff as lesson
from lessons import gradient_clipping as clipping
from lessons.arguments import Between, explained
from lessons.cliff import Landscape, Path, Point, Surface
from lessons.errors import LessonError
from widgets import theme
from widgets.explorer import Explorer, Pick, Slider, Time
from widgets.gradient_clipping import WORDS, arrow, number, ten

COUNT = 60  # steps of a descent
TURN = 60  # degrees; where the eye stands
GROUND = {"light": ("#eef0f3", "#b3bac3"), "dark": ("#14171a", "#4d555f")}  # low and high ground
UNITS = {
    "one memory, 50 steps": lesson.ONE,
    "one memory, 10 steps": replace(lesson.ONE, steps=10),
    "two memories, 50 steps": lesson.TWO,
}

surface = functools.lru_cache(maxsize=8)(lesson.surface)
descend = functools.lru_cache(maxsize=32)(lesson.descend)


@explained
def figure(
    landscape: Landscape,
    step: Annotated[int, Between(0)] = 0,
    way: str = "by norm",
    threshold: float | int = 1.0,
    rate: float | int = 0.2,
    momentum: float | int = 0.9,
    first: float | int = 2.0,
    second: float | int = 0.5,
    turn: float | int = TURN,
) -> theme.Figure:
    """`step` steps of two descents from (first, second), one clipped and one not.

    The arrows leave from where the clipped descent is: the step that the gradient alone asks for, and what
    clipping leaves of it. Surface and descents are kept from call to call; the picture is a pure function.
    """
    scale, names = _Scale(surface(landscape)), ("none", way)
    paths = {
        name: descend(landscape, (first, second), rate, momentum, name, threshold, COUNT) for name in names
    }
    at = {name: min(step, len(path.losses) - 1) for name, path in paths.items()}
    across, up = landscape.bounds
    return theme.figure(
        _relief(scale),
        *(_in_space(paths[name], at[name], scale, landscape, name) for name in names),
        _map(scale),
        *(_from_above(paths[name], at[name], name) for name in names),
        *_arrows(paths[way], at[way], rate),
        title="Where does the descent end?",
        summary=_told(paths, way, at[way], landscape),
        height=theme.TOP + 56 + 420,
        margin={"l": 0, "r": 20},
        annotations=_keys(way),
        scene=_scene(landscape, scale, turn),
        xaxis={"domain": [0.57, 1], "range": list(across), "title": {"text": landscape.names[0]}},
        yaxis={"domain": [0, 0.94], "range": list(up), "title": {"text": landscape.names[1]}},
    )


@explained
def explore(landscape: Landscape | None = None, start: Point | None = None, **values: Any) -> Explorer:
    """The picture above with its controls; a click on the map starts there. One unit, or a landscape given.

    Further keywords say where the controls stand at first: `rate=0.02, threshold=1.0`. Raises LessonError for
    a start outside the landscape and for controls that there are not.
    """
    own = lesson.ONE if landscape is None else landscape
    lesson.known(own)
    begin = start or ((2.0, 0.5) if landscape is None else tuple(sum(ends) / 2 for ends in own.bounds))
    begin = dict(zip(("first", "second"), map(float, begin), strict=True))
    now = {"way": "by norm", "step": 0, "threshold": 1.0, "rate": 0.2, "momentum": 0.9, "turn": TURN, **begin}
    if strange := [name for name in values if name not in now]:
        raise LessonError(f"There is no control {strange[0]!r}; there are {', '.join(now)}.")
    now |= values
    if not _inside(begin.values(), own):
        raise LessonError(f"The descent starts inside the picture; {start} lies outside.")
    controls: dict[str, Any] = {
        "way": Pick({words: way for way, words in WORDS.items()}, now["way"], "clipping"),
        "step": Time(maximum=COUNT, value=now["step"], label="step of the descent"),
        "threshold": Slider(0.05, 3.0, now["threshold"], 0.05, "threshold"),
        "rate": Slider(0.01, 0.5, now["rate"], 0.01, "learning rate"),
        "momentum": Slider(0.0, 0.95, now["momentum"], 0.05, "momentum"),
    }
    for place, name in enumerate(("first", "second")):
        low, high = map(float, own.bounds[place])
        controls[name] = Slider(low, high, now[name], 0.05, f"start, {own.names[place].split()[-1]}")
    controls["turn"] = Slider(0, 360, now["turn"], 15, "turn the view")
    if landscape is not None:
        return Explorer(functools.partial(figure, landscape), clicked=clicked, **controls)
    controls["unit"] = Pick({name: name for name in UNITS}, next(iter(UNITS)), "unit")

    def picture(unit: str, **rest: Any) -> theme.Figure:
        return figure(UNITS[unit], **rest)

    return Explorer(picture, clicked=clicked, **controls)


def clicked(points: Any) -> dict[str, float] | None:
    """A click on the map, as a new start; on the relief it means nothing."""
    if getattr(points, "zs", None) or not points.xs:
        return None
    first, second = (round(20 * float(part[0])) / 20 for part in (points.xs, points.ys))
    return {"first": first, "second": second, "step": 0}


class _Scale:
    """A landscape with its heights: the loss itself, or its logarithm where it spans many powers of ten."""

    def __init__(self, ground: Surface) -> None:
        self.first, self.second, loss = (part.numpy() for part in (ground.first, ground.second, ground.loss))
        self.log = bool(np.nanmax(loss) > 1000)
        self.heights = self(loss).astype(np.float32)
        seen = self.heights[np.isfinite(self.heights)]
        self.low, self.high = float(seen.min()), float(seen.max())
        self.gap = 0.5 if self.log else (self.high - self.low) / 12  # between contour lines

    def __call__(self, loss: np.ndarray) -> np.ndarray:
        return np.log10(np.maximum(loss, 1e-3)) if self.log else loss

    def axis(self) -> dict[str, Any]:
        """The third axis."""
        room, places = 0.04 * (self.high - self.low), range(math.ceil(self.low), math.floor(self.high) + 1, 3)
        ticks = (
            {"tickvals": list(places), "ticktext": [ten(k) for k in places]} if self.log else {"nticks": 5}
        )
        return {
            "range": [self.low - room, self.high + room],
            "title": {"text": "loss", "font": {"size": 12}},
            **ticks,
        }

    def ground(self) -> dict[str, Any]:
        """What relief and map share."""
        low, high = GROUND[theme.tokens().name]
        return {
            "x": self.first, "y": self.second, "z": self.heights, "colorscale": [[0, low], [1, high]],
            "showscale": False,
        }  # fmt: skip

    def lines(self) -> dict[str, float]:
        """Where contour lines run."""
        return {"size": self.gap, "start": self.low, "end": self.high}


def _relief(scale: _Scale) -> go.Surface:
    return go.Surface(
        **scale.ground(), hoverinfo="skip",
        lighting={"ambient": 0.75, "diffuse": 0.5, "specular": 0.02, "roughness": 1},
        contours={"z": {"show": True, "color": theme.tokens().edge, "width": 1, **scale.lines()}},
    )  # fmt: skip


def _map(scale: _Scale) -> go.Contour:
    height = "loss 10^%{z:.1f}" if scale.log else "loss %{z:.3f}"
    return go.Contour(
        **scale.ground(), line={"width": 0.7, "color": theme.tokens().edge},
        contours={"coloring": "heatmap", **scale.lines()},
        hovertemplate=f"%{{x:.2f}}, %{{y:.2f}}: {height}<extra></extra>",
    )  # fmt: skip


def _in_space(path: Path, step: int, scale: _Scale, landscape: Landscape, way: str) -> go.Scatter3d:
    """A path on the relief; what is outside it is left out."""
    points = path.points[: step + 1].numpy()
    heights = scale(path.losses[: step + 1].numpy()) + 0.01 * (scale.high - scale.low)
    inside = np.array([_inside(point, landscape) for point in points])
    x, y, z = (np.where(inside, part, np.nan) for part in (*points.T, heights))
    colour = _colour(way)
    return go.Scatter3d(
        x=x, y=y, z=z, mode="lines+markers", hoverinfo="skip", line={"color": colour, "width": 5},
        marker={"size": 2.5, "color": colour},
    )  # fmt: skip


def _from_above(path: Path, step: int, way: str) -> go.Scatter:
    x, y = path.points[: step + 1].numpy().T
    dash, symbol = ("dot", "diamond") if way == "none" else ("solid", "circle")
    return go.Scatter(
        x=x, y=y, mode="lines+markers", line={"color": _colour(way), "width": 2, "dash": dash},
        marker={"size": [*[4] * step, 10], "color": _colour(way), "symbol": symbol},
        hovertemplate=f"{WORDS[way]}: %{{x:.2f}}, %{{y:.2f}}<extra></extra>",
    )  # fmt: skip


def _arrows(path: Path, step: int, rate: float) -> list[go.Scatter]:
    here = path.points[step].numpy()
    ends = (here - rate * gradient[step].numpy() for gradient in (path.raw, path.used))
    return [arrow(here, end, _colour(name), 2.5) for end, name in zip(ends, ("none", "clipped"), strict=True)]


def _colour(way: str) -> str:
    """Without clipping vermilion, with it blue."""
    return theme.colour("i" if way == "none" else "f")


def _keys(way: str) -> list[dict[str, Any]]:
    """What the two colours mean, above the map."""
    keys = [(0.57, "◆ no clipping", "none"), (0.8, f"● {WORDS[way]}", way)][: 1 if way == "none" else 2]
    return [
        {"text": f"<b>{text}</b>", "x": x, "xref": "paper", "xanchor": "left", "y": 0.95, "yref": "paper",
         "yanchor": "bottom", "showarrow": False, "font": {"size": 13, "color": _colour(name)}}
        for x, text, name in keys
    ]  # fmt: skip


def _scene(landscape: Landscape, scale: _Scale, turn: int) -> dict[str, Any]:
    tokens, angle = theme.tokens(), math.radians(turn)
    axis = {
        "color": tokens.soft, "gridcolor": tokens.rule, "showbackground": False, "zeroline": False,
        "tickfont": {"size": 11, "color": tokens.soft}, "showspikes": False,
    }  # fmt: skip
    across, up = (
        {**axis, "title": {"text": name, "font": {"size": 12}}, "range": list(ends), "nticks": 5}
        for name, ends in zip(landscape.names, landscape.bounds, strict=True)
    )
    eye = {"x": 2.1 * math.cos(angle), "y": 2.1 * math.sin(angle), "z": 1.2}
    return {
        "domain": {"x": [0, 0.5], "y": [0, 1]}, "dragmode": "turntable", "bgcolor": tokens.card,
        "aspectmode": "manual", "aspectratio": {"x": 1, "y": 1, "z": 0.62},
        "xaxis": across, "yaxis": up, "zaxis": {**axis, **scale.axis()},
        "camera": {"eye": eye, "center": {"x": 0, "y": 0, "z": -0.12}},
    }  # fmt: skip


def _inside(point: Iterable[float], landscape: Landscape) -> bool:
    return all(low <= value <= high for value, (low, high) in zip(point, landscape.bounds, strict=True))


def _told(paths: Mapping[str, Path], way: str, step: int, landscape: Landscape) -> str:
    path = paths[way]
    told = f"Step {step}: loss {number(path.losses[step])}, the gradient {number(path.norms[step])} long"
    if bool(path.clipped[step]):
        turned = clipping.angle([path.raw[step]], [path.used[step]])
        told += f", clipped to {number(path.used[step].norm())}, turned by {turned:.0f}°"
    elif way != "none":
        told += ", not clipped"
    ends = (f"{WORDS[name]} {_ended(paths[name], landscape)}" for name in dict.fromkeys((way, "none")))
    return f"{told}. Loss after {COUNT} steps: {'; '.join(ends)}."


def _ended(path: Path, landscape: Landscape) -> str:
    if len(path.losses) <= COUNT:
        return f"no number after step {len(path.losses) - 1}"
    where = "" if _inside(path.points[-1].numpy(), landscape) else ", outside the picture"
    return f"{number(path.losses[-1])}{where}"
