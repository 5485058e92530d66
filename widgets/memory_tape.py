"""The memory of a Neural Turing Machine as a tape (lesson 17): what is written where, and read again.

tape(machine)               # scrub through a sequence; change a slot in mid-run and see what is recalled
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import plotly.graph_objects as go
from torch import Tensor

from lessons import memory_tasks, memory_training
from lessons.arguments import Between, explained
from lessons.edits import Edit
from lessons.errors import LessonError
from lessons.memory_tasks import Episode
from lessons.memory_trace import MemoryTrace, look
from lessons.ntm import NTM
from widgets import theme
from widgets.explorer import Explorer, Index, Pick, Slider, Time

LONGEST = 30  # vectors or items that the picture has room for
Whole = Annotated[int, Between(0)]
Length = Annotated[int, Between(1, LONGEST)]

NOTHING, EMPTIED, TURNED, SWAPPED = "nothing", "emptied", "negated", "swapped with the next"
CHANGES = {
    NOTHING: "nothing",
    EMPTIED: "empty the slot",
    TURNED: "change its signs",
    SWAPPED: "swap it with the next",
}


@dataclass(frozen=True)
class Scene:
    """A sequence in a machine's hands, untouched and with a slot changed."""

    episode: Episode
    plain: MemoryTrace
    now: MemoryTrace
    step: int
    slot: int
    at: int
    change: str

    def wrong(self, trace: MemoryTrace) -> np.ndarray:
        """Which bits are answered wrongly, (T, O); False where nothing is asked."""
        answer, right = trace.numpy("bits") > 0.5, self.episode.target[0].numpy() > 0.5
        return (answer != right) & self.episode.asked.numpy()[:, None]


@explained
def figure(
    machine: NTM,
    task: str = memory_tasks.COPY,
    length: Length = 12,
    seed: Whole = 0,
    step: Whole = 0,
    change: str = NOTHING,
    slot: Whole = 0,
    at: Whole = 0,
) -> theme.Figure:
    """Input, weights of the first write and read head over time, answer, and the memory after one step.

    change: "nothing", "emptied", "negated" or "swapped with the next", done to `slot` after the writing of
    step `at`. Steps beyond the last are the last. Raises LessonError for a slot that is not there.
    """
    scene = staged(machine, task, length, seed, step, change, slot, at)
    return picture(scene, scene.now.places(least=min(machine.slots, max(16, length + 4))))


def picture(scene: Scene, places: list[int], limit: float = 1.0) -> theme.Figure:
    """The scene drawn, these slots of it; the memory's colours end at `limit`."""
    return theme.figure(
        *_strips(scene, places),
        *_marks(scene),
        _memory(scene, places, limit),
        title="What is written where, and found again?",
        summary=told(scene),
        height=theme.TOP + 56 + 720,
        margin={"l": 66, "r": 30, "t": theme.TOP + 14},
        shapes=_shapes(scene, places),
        annotations=_headings(scene),
        **_axes(scene, places),
    )


@explained
def tape(machine: NTM, task: str = memory_tasks.COPY, length: Length = 12) -> Explorer:
    """The picture above with everything to choose; click on weights or memory for a slot and a moment."""
    last = memory_training.example(machine, task, LONGEST).x.shape[1] - 1
    plain = look(machine, memory_training.example(machine, task, length).x)
    steps, early = plain.steps, plain.steps // 6
    written = int(plain["weights"][0, early, plain.readers].argmax())
    return Explorer(
        functools.partial(figure, machine, task),
        clicked=clicked,
        step=Time(maximum=last, value=steps // 2, label="time step", pace=300),
        length=Slider(2, LONGEST, length, 1, label="length"),
        seed=Index(999, 0, label="another sequence: seed"),
        change=Pick({said: name for name, said in CHANGES.items()}, NOTHING, label="change"),
        slot=Index(machine.slots - 1, written, label="slot"),
        at=Index(last, steps // 2, label="after step"),
    )


def staged(
    machine: NTM, task: str, length: int, seed: int, step: int, change: str, slot: int, at: int
) -> Scene:
    """Run the machine, once untouched and once with the change."""
    if change not in CHANGES:
        raise LessonError(f"A change is one of {', '.join(CHANGES)}; {change!r} is not.")
    if slot >= machine.slots:
        raise LessonError(f"There is no slot {slot}; the memory has {machine.slots}, from 0.")
    episode = memory_training.example(machine, task, length, seed)
    last = episode.x.shape[1] - 1
    step, at = min(step, last), min(at, last)
    plain = look(machine, episode.x)
    if change == NOTHING:
        return Scene(episode, plain, plain, step, slot, at, change)
    units, value = edits(machine, slot)[change]
    now = look(machine, episode.x, Edit("memory", value, units=units, steps=[at]))
    return Scene(episode, plain, now, step, slot, at, change)


def edits(machine: NTM, slot: int) -> dict[str, tuple[list[int], Callable[[Tensor, int], Tensor]]]:
    """What each change does to which slots."""
    return {
        EMPTIED: ([slot], lambda memory, step: memory * 0),
        TURNED: ([slot], lambda memory, step: -memory),
        SWAPPED: ([slot, (slot + 1) % machine.slots], lambda memory, step: memory.flip(1)),
    }


def told(scene: Scene) -> str:
    """The picture in words: where the heads are, what is recalled, what a change changes."""
    now, asked = scene.now, int(scene.episode.asked.sum())
    weights = now.numpy("weights")[scene.step]
    where = " and ".join(
        f"the {name} head is at slot {int(weights[k].argmax())}" for k, name in enumerate(now.heads[:2])
    ) if len(now.heads) == 2 else f"the first read head is at slot {int(weights[0].argmax())}"  # fmt: skip
    bits = asked * scene.episode.target.shape[2]
    after = scene.wrong(now)
    first = f"Step {scene.step}: {where}."
    if scene.change == NOTHING:
        return f"{first} Of the {bits} bits asked for {int(after.sum())} are wrong."
    begin = int(scene.episode.asked.numpy().argmax())
    rows = [int(row) - begin + 1 for row in after.any(1).nonzero()[0]]
    which = f", in answer {', '.join(map(str, rows[:6]))}{' …' * (len(rows) > 6)}" if rows else ""
    return (
        f"{first} With slot {scene.slot} {scene.change} after step {scene.at}, {int(after.sum())} of {bits} "
        f"bits are wrong{which}; untouched, {int(scene.wrong(scene.plain).sum())}."
    )


def _strips(scene: Scene, places: list[int]) -> list[go.Heatmap]:
    """Four heatmaps over time: input, weights of a write head and of a read head, answer."""
    now, writer = scene.now, scene.now.readers
    weights = now.numpy("weights")[:, :, places]
    answer = np.where(scene.episode.asked.numpy()[:, None], now.numpy("bits"), np.nan).T
    unit, signed = theme.scale(theme.UNIT_SCALE), theme.scale(theme.SIGNED_SCALE)
    slots = np.broadcast_to(np.array(places)[:, None], weights[:, 0].T.shape)
    parts = (
        ("input", now.numpy("x").T, signed, -1, "y", "number %{y}"),
        ("write weights", weights[:, writer].T, unit, 0, "y2", "slot %{customdata}"),
        ("read weights", weights[:, 0].T, unit, 0, "y3", "slot %{customdata}"),
        ("answer", answer, unit, 0, "y4", "bit %{y}"),
    )
    return [
        go.Heatmap(
            z=_gaps(values), zmin=low, zmax=1, colorscale=scale, name=name, yaxis=axis, xgap=1, ygap=1,
            showscale=name == "answer", customdata=slots if "weights" in name else None, hoverongaps=False,
            hovertemplate=f"step %{{x}}, {place}: %{{z:.2f}}<extra>{name}</extra>",
            colorbar={"len": 0.18, "y": 0, "yanchor": "bottom", "thickness": 10, "outlinewidth": 0,
                      "x": 0.72, "tickvals": [0, 0.5, 1]},
        )
        for name, values, scale, low, axis, place in parts
    ]  # fmt: skip


def _gaps(values: np.ndarray) -> list[list[float | None]]:
    """Rows for plotly, with None where there is nothing."""
    return [[None if np.isnan(one) else round(float(one), 4) for one in row] for row in values]


def _marks(scene: Scene) -> list[go.Scatter]:
    """A cross on every wrong bit of the answer, and a ring around those that the change has made wrong."""
    now, before = scene.wrong(scene.now), scene.wrong(scene.plain)
    marks = []
    # A light edge, so that the cross is seen on light and dark cells alike.
    for name, chosen, symbol, size, width, edge in (
        ("wrong", now, "x", 10, 1.2, "#fff"),
        ("by the change", now & ~before, "circle-open", 16, 2, theme.tokens().i),
    ):
        steps, outputs = chosen.nonzero()
        marks.append(
            go.Scatter(x=steps, y=outputs, yaxis="y4", mode="markers", name=name, hoverinfo="skip",
                       marker={"symbol": symbol, "size": size, "color": theme.tokens().i,
                               "line": {"width": width, "color": edge}})
        )  # fmt: skip
    return marks


def _memory(scene: Scene, places: list[int], limit: float) -> go.Heatmap:
    values = scene.now.numpy("memory")[scene.step][places]
    slots = np.broadcast_to(np.array(places)[:, None], values.shape)
    return go.Heatmap(
        z=values, zmin=-limit, zmax=limit, colorscale=theme.scale(theme.SIGNED_SCALE), name="memory",
        xaxis="x2",
        yaxis="y5", customdata=slots, xgap=1, ygap=1,
        hovertemplate="slot %{customdata}, number %{x}: %{z:.2f}<extra>memory</extra>",
        colorbar={"len": 0.5, "y": 0.99, "yanchor": "top", "thickness": 10, "outlinewidth": 0,
                  "tickvals": [-limit, 0, limit]},
    )  # fmt: skip


def _shapes(scene: Scene, places: list[int]) -> list[dict]:
    """The cursor over all that runs in time; where and when the slot was changed."""
    tokens, changed = theme.tokens(), scene.change != NOTHING
    shapes = [
        {"type": "line", "xref": "x", "yref": "paper", "x0": scene.step, "x1": scene.step, "y0": 0, "y1": 1,
         "line": {"color": tokens.mark, "width": 2}}
    ]  # fmt: skip
    row = places.index(scene.slot) if scene.slot in places else 0
    seen = changed and scene.slot in places
    box = {"type": "rect", "y0": row - 0.5, "y1": row + 0.5, "visible": seen,
           "line": {"color": tokens.i, "width": 2}}  # fmt: skip
    last = scene.now.steps - 0.5
    for axis in ("y2", "y3"):
        shapes.append({**box, "xref": "x", "yref": axis, "x0": scene.at + 0.5, "x1": last})
    width = scene.now["memory"].shape[-1]
    shapes.append({**box, "xref": "x2", "yref": "y5", "x0": -0.5, "x1": width - 0.5})
    return shapes


def _domains() -> dict[str, tuple[float, float]]:
    return {
        "input": (0.86, 0.985),
        "write weights": (0.53, 0.81),
        "read weights": (0.2, 0.48),
        "answer": (0, 0.15),
    }


def _headings(scene: Scene) -> list[dict]:
    style = {"xref": "paper", "yref": "paper", "xanchor": "left", "yanchor": "bottom", "yshift": 2,
             "showarrow": False, "font": {"size": 13, "color": theme.tokens().ink}}  # fmt: skip
    texts = {
        "input": "input: a column a step",
        "write weights": "where it writes",
        "read weights": "where it reads",
        "answer": "answer: probability of a one; ✕ is wrong",
    }
    named = [{"text": text, "x": 0, "y": _domains()[name][1], **style} for name, text in texts.items()]
    return [*named, {"text": f"memory, step {scene.step}", "x": 0.78, "y": 0.985, **style}]


def _axes(scene: Scene, places: list[int]) -> dict[str, dict]:
    steps, every = scene.now.steps, max(1, len(places) // 8)
    rows = list(range(0, len(places), every))
    slot_ticks = {"tickvals": rows, "ticktext": [str(places[k]) for k in rows], "showgrid": False,
                  "range": [len(places) - 0.5, -0.5], "title": {"text": "slot"}}  # fmt: skip
    inputs, outputs = scene.now.x.shape[2], scene.now.logits.shape[2]

    def bits(count: int) -> dict[str, Any]:
        return {"range": [count - 0.5, -0.5], "tickvals": [0, count - 1], "showgrid": False}

    domains = {name: list(domain) for name, domain in _domains().items()}
    return {
        "xaxis": {"domain": [0, 0.7], "range": [-0.5, steps - 0.5], "anchor": "y4", "showgrid": False,
                  "title": {"text": "time step"}},
        "xaxis2": {"domain": [0.78, 0.965], "range": [-0.5, scene.now["memory"].shape[-1] - 0.5],
                   "anchor": "y5", "showgrid": False, "title": {"text": "number"}},
        "yaxis": {"domain": domains["input"], "title": {"text": "input"}, **bits(inputs)},
        "yaxis2": {"domain": domains["write weights"], "anchor": "x", **slot_ticks},
        "yaxis3": {"domain": domains["read weights"], "anchor": "x", **slot_ticks},
        "yaxis4": {"domain": domains["answer"], "anchor": "x", "title": {"text": "bit"}, **bits(outputs)},
        "yaxis5": {"domain": [0.2, 0.985], "anchor": "x2", **slot_ticks},
    }  # fmt: skip


def clicked(points: Any) -> dict[str, Any] | None:
    """A click on weights chooses slot and moment, one on the memory its slot."""
    if points.trace_name not in ("write weights", "read weights", "memory"):
        return None
    row, column = points.point_inds[0]
    slot = int(points.customdata[row][column]) if hasattr(points, "customdata") else row
    return {"slot": slot} if points.trace_name == "memory" else {"slot": slot, "at": int(column)}
