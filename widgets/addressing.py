"""One step of a Neural Turing Machine's addressing taken apart (lesson 17), with its numbers on sliders.

taken_apart(machine)        # step through a sequence; move a slider and see what the head would look at then
"""

import functools
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import plotly.graph_objects as go
import torch
from torch import Tensor

from lessons import addressing, memory_tasks, memory_training
from lessons.addressing import Where
from lessons.arguments import Between, Count, Share, explained
from lessons.errors import LessonError
from lessons.memory_trace import MemoryTrace, look
from lessons.ntm import NTM
from widgets import theme
from widgets.explorer import Explorer, Index, Pick, Slider, Time

Whole = Annotated[int, Between(0)]
Positive = Annotated[float | int, Between(0, 1000)]
Sharp = Annotated[float | int, Between(1, 1000)]
# The rows of the picture: name of the weights, heading, colour.
STAGES = (
    ("before", "weights of the step before", "soft"),
    ("content", "1  by content: softmax of strength × cosine", "f"),
    ("gated", "2  gate: how much of 1, the rest from before", "i"),
    ("turned", "3  turn: moved round the circle", "g"),
    ("weights", "4  sharpen: to a power, sum 1", "o"),
)
SETTINGS = ("strength", "gate", "turn", "power")
STRONGEST, SHARPEST = 30.0, 30.0  # where sliders end, unless the machine goes further


@dataclass(frozen=True)
class Moment:
    """One head at one step: the memory and weights that it finds, what it asks for, what it makes of it."""

    memory: Tensor
    asked: Where
    stages: dict[str, Tensor]


def moment(trace: MemoryTrace, step: int, head: int) -> Moment:
    """What a head did at a step of a trace of one sequence."""

    def found(name: str) -> Tensor:
        return trace.before[name] if step == 0 else trace[name][:, step - 1]

    def own(name: str) -> Tensor:
        return trace[name][:, step, head : head + 1]

    asked = Where(*(own(name) for name in Where._fields))
    stages = {name: own(name) for name, *_ in STAGES[1:]}
    return Moment(found("memory"), asked, {"before": found("weights")[:, head : head + 1], **stages})


def otherwise(
    now: Moment, key: int | None = None, strength: float | None = None, gate: float | None = None,
    turn: float | None = None, power: float | None = None,
) -> Moment:  # fmt: skip
    """The same moment with other settings; None leaves the machine's own. `key` is a slot to look for.

    A turn between two whole steps is shared out between them.
    """
    asked, own = now.asked, settings(now.asked)
    if key is not None:
        asked = asked._replace(key=now.memory[:, key : key + 1])
    for name, value in (("strength", strength), ("gate", gate), ("turn", turn), ("power", power)):
        if value is None or value == own[name]:
            continue
        like = getattr(asked, name)
        new = shared_out(value, like) if name == "turn" else torch.full_like(like, value)
        asked = asked._replace(**{name: new})
    made = {"before": now.stages["before"]}

    def see(name: str, value: Tensor) -> Tensor:
        made[name] = value
        return value

    addressing.address(now.memory, made["before"], asked, see)
    return Moment(now.memory, asked, made)


def mean_turn(asked: Where) -> float:
    """Where a turn goes on average, in slots."""
    reach = asked.turn.shape[-1] // 2
    steps = torch.arange(-reach, reach + 1, dtype=asked.turn.dtype, device=asked.turn.device)
    return float((asked.turn[0, 0] * steps).sum())


def shared_out(turn: float, like: Tensor) -> Tensor:
    """A turn of so many slots as a distribution over whole steps."""
    reach = like.shape[-1] // 2
    low = int(np.clip(np.floor(turn), -reach, reach))
    shares = torch.zeros_like(like)
    shares[..., low + reach] = 1 - (turn - low)
    if turn > low:
        shares[..., low + reach + 1] = turn - low
    return shares


@explained
def figure(
    machine: NTM,
    task: str = memory_tasks.COPY,
    length: Count = 10,
    seed: Whole = 0,
    step: Whole = 0,
    head: Whole = 0,
    key: Whole | None = None,
    strength: Positive | None = None,
    gate: Share | None = None,
    turn: float | int | None = None,
    power: Sharp | None = None,
) -> theme.Figure:
    """The four stages of one head at one step, from the weights before to those after, and what it finds.

    head: read heads come first. key, strength, gate, turn, power: in place of the machine's own; `key` is the
    number of a slot whose content is looked for. Pale outlines show what the machine itself did.
    Raises LessonError for places that are not there.
    """
    trace = seen(machine, task, length, seed)
    if step >= trace.steps or head >= len(trace.heads) or (key or 0) >= machine.slots:
        raise LessonError(
            f"There are the steps 0 to {trace.steps - 1}, the heads 0 to {len(trace.heads) - 1} and the "
            f"slots 0 to {machine.slots - 1}."
        )
    if turn is not None and abs(turn) > machine.shifts // 2:
        raise LessonError(f"This machine turns by up to {machine.shifts // 2} slots; {turn} is further.")
    own = moment(trace, step, head)
    now = otherwise(own, key, strength, gate, turn, power)
    places = trace.places()
    return theme.figure(
        _memory(now, places),
        _key(now),
        *_rows(own, now, places),
        title=f"Where does the {trace.heads[head]} head look at step {step}, and why?",
        summary=told(own, now, trace.heads[head], step, key),
        height=theme.TOP + 60 + 660,
        margin={"l": 66, "r": 24, "t": theme.TOP + 14},
        annotations=_headings(now),
        bargap=0.2,
        barmode="overlay",
        **_axes(places, machine),
    )


@explained
def taken_apart(machine: NTM, task: str = memory_tasks.COPY, length: Count = 10, seed: Whole = 0) -> Explorer:
    """The picture above with everything to choose; at another step or head the sliders show its numbers."""
    trace = seen(machine, task, length, seed)
    top = {name: float(trace[name].max()) for name in ("strength", "power")}
    reach = float(machine.shifts // 2)
    begin, writer = min(length // 2, trace.steps - 1), trace.readers
    first = settings(moment(trace, begin, writer).asked)
    return Apart(
        functools.partial(figure, machine, task, length, seed),
        trace,
        step=Time(maximum=trace.steps - 1, value=begin, label="time step", pace=500),
        head=Pick({name: k for k, name in enumerate(trace.heads)}, writer, label="head"),
        key=Index(machine.slots - 1, None, all="its own", label="key: as in slot"),
        strength=Slider(
            0.0, max(STRONGEST, np.ceil(top["strength"])), first["strength"], 0.1, label="strength β"
        ),
        gate=Slider(0.0, 1.0, first["gate"], 0.01, label="gate g"),
        turn=Slider(-reach, reach, first["turn"], 0.05, label="turn s"),
        power=Slider(1.0, max(SHARPEST, np.ceil(top["power"])), first["power"], 0.1, label="power γ"),
    )


class Apart(Explorer):
    """An explorer whose sliders show a head's own settings whenever another step or head is chosen."""

    def __init__(self, picture, trace: MemoryTrace, **controls) -> None:
        self.trace = trace
        super().__init__(picture, **controls)

    def _changed(self, change: dict) -> None:
        wire = change["new"]
        if any(wire.get(name) != self._wire(self._values)[name] for name in ("step", "head")):
            own = self._wire({**self._values, **self._own(wire), "key": None})
            settled = {**wire, **{name: own[name] for name in ("key", *SETTINGS)}}
            if settled != wire:
                self.controls.values = settled  # which comes back here, with nothing left to settle
                return
        super()._changed(change)

    def drawn(self, **values: Any) -> dict[str, Any]:
        """As a page keeps it: at every step and head the settings are the head's own."""
        return super().drawn(**{**values, **self._own(values), "key": None})

    def _own(self, wire: dict) -> dict[str, float]:
        """The settings of the head and step that are asked for; of none, where there is no such place."""
        step, head = wire.get("step"), wire.get("head")
        if not isinstance(step, int) or not isinstance(head, int):
            return {}
        inside = 0 <= step < self.trace.steps and 0 <= head < len(self.trace.heads)
        return settings(moment(self.trace, step, head).asked) if inside else {}


def settings(asked: Where) -> dict[str, float]:
    """What the sliders stand at when they change nothing, to two places."""
    plain = {name: float(getattr(asked, name)[0, 0, 0]) for name in ("strength", "gate", "power")}
    rounded = {name: round(value, 2) for name, value in {**plain, "turn": mean_turn(asked)}.items()}
    return {**rounded, "power": max(1.0, rounded["power"])}


@functools.lru_cache(maxsize=4)
def _seen(machine: NTM, task: str, length: int, seed: int, version: int) -> MemoryTrace:
    return look(machine, memory_training.example(machine, task, length, seed).x)


def seen(machine: NTM, task: str, length: int, seed: int) -> MemoryTrace:
    """The trace of one example; kept, as long as the machine's weights are not changed in place."""
    return _seen(machine, task, length, seed, machine.readout.weight._version)


def told(own: Moment, now: Moment, head: str, step: int, key: int | None) -> str:
    """The picture in words."""
    at, before = _peak(now, "weights"), _peak(now, "before")
    content = _peak(now, "content")
    way = f"from slot {before[0]} to slot {at[0]}" if at[0] != before[0] else f"at slot {at[0]} as before"
    asked = settings(now.asked)
    numbers = (
        f"β {asked['strength']:.1f}, g {asked['gate']:.2f}, s {asked['turn']:+.2f}, γ {asked['power']:.1f}"
    )
    first = f"Step {step}, {head} head: {way}, with {at[1]:.0%} of the weight ({numbers})."
    if not _differs(own, now):
        return f"{first} By content alone it would be slot {content[0]} with {content[1]:.0%}."
    was = _peak(own, "weights")
    return f"{first} By itself the machine is at slot {was[0]} with {was[1]:.0%}."


def _differs(own: Moment, now: Moment) -> bool:
    return any(not torch.equal(a, b) for a, b in zip(own.asked, now.asked, strict=True))


def _peak(now: Moment, name: str) -> tuple[int, float]:
    values = now.stages[name][0, 0]
    at = int(values.argmax())
    return at, float(values[at])


def _memory(now: Moment, places: list[int]) -> go.Heatmap:
    values = now.memory[0, places].T.to("cpu", torch.float32).numpy()
    return go.Heatmap(
        z=values, zmin=-1, zmax=1, colorscale=theme.scale(theme.SIGNED_SCALE), showscale=False, name="memory",
        customdata=np.broadcast_to(places, values.shape), xaxis="x", yaxis="y",
        hovertemplate="slot %{customdata}, number %{y}: %{z:.2f}<extra></extra>",
    )  # fmt: skip


def _key(now: Moment) -> go.Heatmap:
    values = now.asked.key[0, 0][:, None].to("cpu", torch.float32).numpy()
    return go.Heatmap(
        z=values, zmin=-1, zmax=1, colorscale=theme.scale(theme.SIGNED_SCALE), name="key", xaxis="x2",
        yaxis="y",
        hovertemplate="key, number %{y}: %{z:.2f}<extra></extra>",
        colorbar={"len": 0.3, "y": 1, "yanchor": "top", "thickness": 10, "outlinewidth": 0,
                  "tickvals": [-1, 0, 1]},
    )  # fmt: skip


def _rows(own: Moment, now: Moment, places: list[int]) -> list[go.Bar]:
    """Two traces a stage: what it is now, and as an outline what the machine itself did."""
    bars, differs = [], _differs(own, now)
    for row, (name, _, colour) in enumerate(STAGES):
        for whose, source in (("now", now), ("own", own)):
            values = source.stages[name][0, 0, places].to("cpu", torch.float32).numpy()
            fill = theme.colour(colour) if whose == "now" else "rgba(0,0,0,0)"
            edge = {"color": theme.tokens().edge, "width": 1.5 if whose == "own" and differs else 0}
            bars.append(
                go.Bar(x=np.arange(len(places)), y=values, name=f"{name}, {whose}", yaxis=f"y{row + 2}",
                       marker={"color": fill, "line": edge}, customdata=places,
                       hovertemplate="slot %{customdata}: %{y:.3f}<extra>" + whose + "</extra>")
            )  # fmt: skip
    return bars


def _domains() -> list[tuple[float, float]]:
    """From the top: the memory, then a row for each of the stages."""
    rows, top, gap = len(STAGES), 0.7, 0.05
    height = top / rows
    return [(0.755, 0.985), *((top - (k + 1) * height, top - k * height - gap) for k in range(rows))]


def _headings(now: Moment) -> list[dict]:
    asked = settings(now.asked)
    values = ("", f"β = {asked['strength']:.1f}", f"g = {asked['gate']:.2f}", f"s = {asked['turn']:+.2f}",
              f"γ = {asked['power']:.1f}")  # fmt: skip
    texts = ["the memory that it finds, a slot a column"]
    texts += [
        f"{title}{', ' * bool(value)}{value}" for (_, title, _), value in zip(STAGES, values, strict=True)
    ]
    style = {"xref": "paper", "yref": "paper", "xanchor": "left", "yanchor": "bottom", "yshift": 2,
             "showarrow": False, "font": {"size": 13, "color": theme.tokens().ink}}  # fmt: skip
    named = [
        {"text": text, "x": 0, "y": high, **style} for text, (_, high) in zip(texts, _domains(), strict=True)
    ]
    return [*named, {"text": "key", "x": 0.93, "y": _domains()[0][1], **style}]


def _axes(places: list[int], machine: NTM) -> dict[str, dict]:
    tokens, every = theme.tokens(), max(1, len(places) // 16)
    ticks = list(range(0, len(places), every))
    shown = f"slot, {len(places)} of {machine.slots}" if len(places) < machine.slots else "slot"
    axes = {
        "xaxis": {"domain": [0, 0.9], "range": [-0.5, len(places) - 0.5], "tickvals": ticks, "anchor": "y6",
                  "ticktext": [str(places[k]) for k in ticks], "title": {"text": shown}, "showgrid": False},
        "xaxis2": {"domain": [0.93, 0.965], "anchor": "y", "tickvals": [], "showgrid": False},
        "yaxis": {"domain": list(_domains()[0]), "title": {"text": "number"}, "showgrid": False,
                  "range": [machine.width - 0.5, -0.5], "tickvals": [0, machine.width - 1]},
    }  # fmt: skip
    for row, domain in enumerate(_domains()[1:], start=2):
        axes[f"yaxis{row}"] = {"domain": list(domain), "range": [0, 1.03], "tickvals": [0, 1], "anchor": "x",
                               "title": {"text": "weight", "font": {"color": tokens.soft}}}  # fmt: skip
    return axes
