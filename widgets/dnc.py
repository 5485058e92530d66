"""The memory of a Differentiable Neural Computer as a debugger shows it (lesson 18).

debugger(machine, "sentences", size=5)      # scrub through a story; empty a slot, shut a gate, ask again
"""

import functools
from collections.abc import Callable
from typing import Annotated, Any

import numpy as np
import plotly.graph_objects as go

from lessons import dnc_tasks
from lessons.arguments import Between, explained
from lessons.dnc import DNC
from lessons.errors import LessonError
from lessons.slot_contents import origins
from widgets import slot_links, theme
from widgets.explorer import Explorer, Index, Pick, Slider, Time
from widgets.memory_scene import (
    BY_CONTENT,
    CHANGES,
    EMPTIED,
    KEPT,
    NOTHING,
    UNLINKED,
    UNWRITTEN,
    Scene,
    staged,
)

Whole = Annotated[int, Between(0)]
WIDE = 44  # characters of a caption in the list of slots
SOME = 0.25  # a weight below this is not looking at a slot
ROWS = 9  # answers that the list has room for
MODES = {"backward": "g", "content": "f", "forward": "o"}


Stage = Callable[[int, int, str, int, int], Scene]


@explained
def figure(
    machine: DNC,
    task: str = dnc_tasks.SENTENCES,
    size: Annotated[int, Between(1)] = 4,
    seed: Whole = 0,
    step: Whole = 0,
    head: Whole = 0,
    change: str = NOTHING,
    slot: Whole = 0,
    at: Whole = 0,
) -> theme.Figure:
    """Where a machine writes and reads and what is in use, what its slots hold, its links, gates and answers.

    size: of the sequence, as the task counts it. head: which reading head. change: one of CHANGES, done to
    `slot` or at step `at`. Steps beyond the last are the last. Raises LessonError for a slot or a head that
    is not there, and for a machine that was not made for the task.
    """
    return drawn(functools.partial(staged, machine, task), size, seed, step, head, change, slot, at)


@explained
def debugger(
    machine: DNC,
    task: str = dnc_tasks.SENTENCES,
    size: Annotated[int, Between(1)] = 4,
    least: Annotated[int, Between(1)] = 2,
    largest: Annotated[int, Between(1)] = 8,
) -> Explorer:
    """The picture above with everything to choose; click on weights or usage for a slot and a moment."""
    # One machine reads one sequence for all steps of a scrub; a new explorer looks at the machine anew.
    stage = functools.lru_cache(maxsize=16)(functools.partial(staged, machine, task))
    first = stage(size, 0, NOTHING, 0, 0)
    last = staged(machine, task, max(largest, size), 0, NOTHING, 0, 0).now.steps - 1
    step = first.asked[0]
    read = int(first.now["read weights"][0, step, 0].argmax())
    heads = {f"head {k}": k for k in range(machine.read_heads)}
    possible = [name for name in CHANGES if machine.linked or name not in (UNLINKED, BY_CONTENT)]
    return Explorer(
        functools.partial(drawn, stage),
        clicked=clicked,
        step=Time(maximum=last, value=step, label="time step", pace=500),
        size=Slider(min(least, size), max(largest, size), size, 1, label=dnc_tasks.problem(task).counts),
        seed=Index(999, 0, label="another sequence: seed"),
        head=Pick(heads, 0, label="reading head"),
        change=Pick({CHANGES[name]: name for name in possible}, NOTHING, label="change"),
        slot=Index(machine.slots - 1, read, label="slot"),
        at=Index(last, max(0, step - 1), label="step of the change"),
    )


def drawn(
    stage: Stage, size: int, seed: int, step: int, head: int, change: str, slot: int, at: int
) -> theme.Figure:
    """The picture of a scene, which `stage` makes of size, seed, change, slot and step of the change."""
    scene = stage(size, seed, change, slot, at)
    if head >= scene.machine.read_heads:
        raise LessonError(f"There is no reading head {head}; there are {scene.machine.read_heads}, from 0.")
    step = min(step, scene.now.steps - 1)
    held = origins(scene.now, step, deallocate=scene.machine.deallocate).numpy()
    return theme.figure(
        *_maps(scene, head),
        *_gates(scene, head),
        _held(scene, held),
        _asked(scene, step),
        *slot_links.traces(scene.now, step, head, scene.shown, slot),
        title="What stands where, and how is it found?",
        summary=told(scene, step, head, held),
        height=theme.TOP + 84 + 840,
        margin={"l": 66, "r": 20, "t": theme.TOP, "b": 84},
        shapes=_shapes(scene, step, slot),
        annotations=_headings(scene, step, head),
        barmode="stack",
        bargap=0.1,
        **_axes(scene),
    )


def told(scene: Scene, step: int, head: int, held: np.ndarray) -> str:
    """The picture in words: what is said, where the head reads, what stands there, what is answered."""
    weights = scene.now["read weights"][0, step, head]
    place = int(weights.argmax())
    whose, share = int(held[:, place].argmax()), held[:, place].max()
    there = f"written at step {whose}, {_said(scene.words[whose])}" if share else "empty"
    where = f"reads slot {place} ({float(weights[place]):.0%}), {there}"
    if weights[place] < SOME:
        where = f"reads no slot in particular (at most {float(weights[place]):.0%} of one)"
    text = f"Step {step}, {_said(scene.words[step])}: head {head} {where}."
    rights = scene.right()
    good = sum(map(str.__eq__, scene.answers(scene.now), rights))
    if scene.change == NOTHING:
        return f"{text} {good} of {len(rights)} answers are right."
    before = sum(map(str.__eq__, scene.answers(scene.plain), rights))
    what = {
        EMPTIED: f"slot {scene.slot} emptied after step {scene.at}",
        UNWRITTEN: f"nothing written at step {scene.at}",
        KEPT: "no slot ever freed",
        UNLINKED: f"all links cut after step {scene.at}",
        BY_CONTENT: "content alone to read by",
    }[scene.change]
    return f"{text} With {what}, {good} of {len(rights)} answers are right; untouched, {before}."


def _said(words: str) -> str:
    """The words of a step inside a sentence."""
    return f"“{words.removesuffix(' .')}”" if words else "nothing is said"


def _maps(scene: Scene, head: int) -> list[go.Heatmap]:
    """Three heatmaps of slots over time: writing, reading, usage."""
    now = scene.now
    parts = (
        ("write weights", now.numpy("write weights"), "y"),
        ("read weights", now.numpy("read weights")[:, head], "y2"),
        ("usage", now.numpy("usage"), "y3"),
    )
    said = [theme.escape(word) for word in scene.words]
    slots = np.array(scene.shown)
    return [
        go.Heatmap(
            z=values[:, slots].T.round(4), zmin=0, zmax=1, name=name, yaxis=axis,
            colorscale=theme.scale(theme.UNIT_SCALE), xgap=1, ygap=1, showscale=name == "usage",
            customdata=np.broadcast_to(slots[:, None], (len(slots), now.steps)),
            text=[said] * len(slots),
            hovertemplate="step %{x}, %{text}<br>slot %{customdata}: %{z:.2f}<extra>" + name + "</extra>",
            colorbar={"orientation": "h", "len": 0.14, "x": 0.51, "xanchor": "right", "y": -0.03,
                      "yanchor": "top", "thickness": 9, "outlinewidth": 0, "tickvals": [0, 0.5, 1],
                      "title": {"text": "weight, usage", "side": "top", "font": {"size": 12}}},
        )
        for name, values, axis in parts
    ]  # fmt: skip


def _gates(scene: Scene, head: int) -> list[go.Bar | go.Scatter]:
    """Gates of writing and freeing as lines; the modes of the head as bars that add up to 1."""
    now, steps = scene.now, np.arange(scene.now.steps)
    gates = {
        "write": (now.numpy("write gate")[:, 0], "i", "solid"),
        "allocate": (now.numpy("allocation gate")[:, 0], "ink", "dot"),
        "free": (now.numpy("free")[:, head], "f", "dash"),
    }
    lines = [
        go.Scatter(x=steps, y=values.round(4), yaxis="y4", name=f"{name} gate", mode="lines+markers",
                   line={"color": theme.colour(colour), "width": 2, "dash": dash}, marker={"size": 4},
                   hovertemplate=f"step %{{x}}, {name} gate: %{{y:.2f}}<extra></extra>")
        for name, (values, colour, dash) in gates.items()
    ]  # fmt: skip
    modes = now.numpy("modes")[:, head] if scene.machine.linked else np.ones((now.steps, 1))
    names = MODES if scene.machine.linked else {"content": MODES["content"]}
    bars = [
        go.Bar(x=steps, y=modes[:, k].round(4), yaxis="y5", name=name, marker={"color": theme.colour(colour)},
               hovertemplate=f"step %{{x}}, {name}: %{{y:.2f}}<extra></extra>")
        for k, (name, colour) in enumerate(names.items())
    ]  # fmt: skip
    return [*lines, *bars]


def _held(scene: Scene, held: np.ndarray) -> go.Scatter:
    """What each slot holds, in words, beside its row of the first map."""
    lines = []
    for slot in scene.shown:
        whose, share = int(held[:, slot].argmax()), held[:, slot].max()
        words = scene.words[whose] or "(nothing said)"
        words = words if len(words) <= WIDE else f"{words[: WIDE - 1]}…"
        lines.append(f"{theme.escape(words)}  <i>{share:.0%}, step {whose}</i>" if share > 0 else "–")
    style = {"size": 12 if len(lines) <= 16 else 11, "color": theme.tokens().ink}
    return go.Scatter(
        x=[0] * len(lines), y=list(range(len(lines))), xaxis="x2", yaxis="y6", mode="text", text=lines,
        textposition="middle right", textfont=style, name="contents", customdata=scene.shown,
        hoverinfo="skip", cliponaxis=False,
    )  # fmt: skip


def _asked(scene: Scene, step: int) -> go.Scatter:
    """The answers around this step: what is said, and what should be."""
    said = scene.answers(scene.now), scene.right(), scene.answers(scene.plain)
    answers = list(zip(scene.asked, *said, strict=True))
    near = min(range(len(answers)), key=lambda k: abs(answers[k][0] - step))
    first = max(0, min(near - ROWS // 2, len(answers) - ROWS))
    lines = []
    for place, said, right, before in answers[first : first + ROWS]:
        mark = "✓" if said == right else f"✕ right is {theme.escape(right)}"
        was = f", untouched {theme.escape(before)}" if before != said else ""
        asks, says = theme.escape(_question(scene, place)), theme.escape(said)
        lines.append(f"{'▸' if place == step else '–'} {asks} <b>{says}</b> {mark}{was}")
    return go.Scatter(
        x=[0] * len(lines), y=list(range(len(lines))), xaxis="x2", yaxis="y7", mode="text", text=lines,
        textposition="middle right", textfont={"size": 12, "color": theme.tokens().ink}, name="answers",
        hoverinfo="skip", cliponaxis=False,
    )  # fmt: skip


def _question(scene: Scene, place: int) -> str:
    """The words that an answer belongs to: of its own step, or of the last that said more than a sign."""
    spoken = [word for word in scene.words[: place + 1] if len(word) > 1]
    words = spoken[-1] if spoken else ""
    return words if len(words) <= WIDE else f"{words[: WIDE - 1]}…"


def _shapes(scene: Scene, step: int, slot: int) -> list[dict]:
    """The cursor over all that runs in time, the chosen slot's rows, the moment of a change."""
    tokens = theme.tokens()
    shapes = [
        {"type": "line", "xref": "x", "yref": "paper", "x0": step, "x1": step, "y0": 0, "y1": 1,
         "line": {"color": tokens.mark, "width": 2}}
    ]  # fmt: skip
    row, last = scene.shown.index(slot) if slot in scene.shown else 0, scene.now.steps - 0.5
    for axis in ("y", "y2", "y3"):
        shapes.append(
            {"type": "rect", "xref": "x", "yref": axis, "x0": -0.5, "x1": last, "y0": row - 0.5,
             "y1": row + 0.5, "visible": slot in scene.shown, "line": {"color": tokens.i, "width": 1.6}}
        )  # fmt: skip
    shapes.append(
        {"type": "line", "xref": "x", "yref": "paper", "x0": scene.at + 0.5, "x1": scene.at + 0.5, "y0": 0,
         "y1": 1, "visible": scene.change in (EMPTIED, UNWRITTEN, UNLINKED),
         "line": {"color": tokens.i, "width": 2, "dash": "dash"}}
    )  # fmt: skip
    return shapes


DOMAINS = {"y": (0.685, 0.98), "y2": (0.435, 0.64), "y3": (0.235, 0.39), "y4": (0.125, 0.19), "y5": (0, 0.08)}


def _headings(scene: Scene, step: int, head: int) -> list[dict]:
    tokens = theme.tokens()
    style = {"xref": "paper", "yref": "paper", "xanchor": "left", "yanchor": "bottom", "yshift": 2,
             "showarrow": False, "font": {"size": 13, "color": tokens.ink}}  # fmt: skip

    def coloured(names: dict[str, str]) -> str:
        return ", ".join(
            f'<span style="color:{theme.colour(key)}">{name}</span>' for name, key in names.items()
        )

    modes = MODES if scene.machine.linked else {"content": "f"}
    texts = {
        "y": "where it writes",
        "y2": f"where head {head} reads",
        "y3": "usage: how much of a slot is taken",
        "y4": "gates: " + coloured({"write": "i", "allocate": "ink", f"free (head {head})": "f"}),
        "y5": f"how head {head} finds its place: " + coloured(modes),
    }
    named = [{"text": text, "x": 0, "y": DOMAINS[axis][1], **style} for axis, text in texts.items()]
    right = [(f"what the slots hold after step {step}", "y"), ("answers", "y2")]
    named += [{"text": text, "x": 0.55, "y": DOMAINS[axis][1], **style} for text, axis in right]
    links = f"links after step {step} to what came next" if scene.machine.linked else "slots"
    return [*named, {"text": links, "x": 0.55, "y": DOMAINS["y3"][1], **style}]


def _axes(scene: Scene) -> dict[str, dict]:
    steps, rows = scene.now.steps, len(scene.shown)
    every = max(1, -(-rows // 10))
    kept = list(range(0, rows, every))
    slots = {"tickvals": kept, "ticktext": [str(scene.shown[k]) for k in kept], "showgrid": False,
             "range": [rows - 0.5, -0.5], "title": {"text": "slot"}, "anchor": "x"}  # fmt: skip
    unit = {"range": [-0.04, 1.04], "tickvals": [0, 1], "anchor": "x"}
    bare = {"visible": False, "anchor": "x2"}
    domains = {axis: {"domain": list(domain)} for axis, domain in DOMAINS.items()}
    return {
        "xaxis": {"domain": [0, 0.51], "range": [-0.5, steps - 0.5], "anchor": "y5", "showgrid": False,
                  "title": {"text": "time step"}},
        "xaxis2": {"domain": [0.55, 1], "range": [0, 1], "visible": False, "anchor": "y6"},
        "xaxis3": {"domain": [0.6, 0.95], "range": [-1.3, 1.3], "visible": False, "anchor": "y8"},
        "yaxis": {**slots, **domains["y"]},
        "yaxis2": {**slots, **domains["y2"]},
        "yaxis3": {**slots, **domains["y3"]},
        "yaxis4": {**unit, **domains["y4"], "title": {"text": "gate"}},
        "yaxis5": {**unit, "range": [0, 1], **domains["y5"], "title": {"text": "mode"}},
        "yaxis6": {**bare, **domains["y"], "range": [rows - 0.5, -0.5]},
        "yaxis7": {**bare, **domains["y2"], "range": [ROWS - 0.5, -0.5]},
        "yaxis8": {"visible": False, "anchor": "x3", "domain": [0, 0.385], "range": [-1.3, 1.3]},
    }  # fmt: skip


def clicked(points: Any) -> dict[str, int] | None:
    """What a click on a trace chooses: on weights or usage slot and moment, in the links a slot."""
    if points.trace_name in ("write weights", "read weights", "usage"):
        row, column = points.point_inds[0]
        return {"slot": int(points.customdata[row][column]), "at": int(column)}
    if points.trace_name == "slots":
        return {"slot": int(points.customdata[points.point_inds[0]])}
    return None
