"""Lesson 11's drawing of two recurrences: from the output (Jordan) and from the hidden layer (Elman)."""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from lessons import waiting
from lessons.arguments import Count, explained
from lessons.errors import LessonError
from lessons.waiting import ELMAN, IN_STEPS, JORDAN, ONE_PASS, OWN, TRUTH
from widgets import theme
from widgets.explorer import Explorer, Pick, Slider, Time
from widgets.two_ways import row, sign, wire

INPUT, HIDDEN, OUTPUT, ANSWER = 0.0, 1.0, 2.0, 2.8  # heights of the rows
LONGEST = 8


@explained
def wiring(kind: str = JORDAN, fed: str = TRUTH, tick: int = 1, steps: Count = 6) -> theme.Figure:
    """A network unrolled over some steps; lit is what can be there after so many ticks of the clock.

    Each box holds the tick at which it can be computed (lessons.waiting.ticks). A pure function.
    """
    when = waiting.ticks(kind, fed, steps)
    tokens, notes, boxes, star = theme.tokens(), [], [], "*" if fed == TRUTH else ""
    for t, (h, y) in enumerate(when):
        ready = fed == TRUTH or t == 0 or tick >= when[t - 1][1]
        name = "⟨" if t == 0 else f"y{star}{_low(t - 1)}"
        notes.append(sign(t, INPUT, name, (tokens.f if fed == TRUTH else tokens.i) if ready else tokens.soft))
        boxes += [_box(t, HIDDEN, "ink", tick >= h), _box(t, OUTPUT, "g", tick >= y)]
        notes += [_tick(t, HIDDEN, h, tick >= h), _tick(t, OUTPUT, y, tick >= y)]
        notes.append(
            wire(t, INPUT + 0.2, t, HIDDEN - 0.24, "f" if fed == TRUTH else "i", ready and tick >= h)
        )
        notes.append(wire(t, HIDDEN + 0.24, t, OUTPUT - 0.24, "g", tick >= y))
        if t and kind == ELMAN:
            notes.append(wire(t - 0.76, HIDDEN, t - 0.25, HIDDEN, "ink", tick >= h, 2.6))
        if t and fed == OWN:
            notes.append(wire(t - 0.75, OUTPUT - 0.1, t - 0.12, INPUT + 0.2, "i", ready, 2.6))
        if fed == TRUTH:
            notes.append(sign(t, ANSWER, f"y*{_low(t)}", tokens.f))
    end, done = when[-1][1], sum(tick >= h for h, _ in when)
    told = (
        f"After tick {tick}, {done} of {steps} hidden layers are there; the last output comes at tick {end}."
    )
    rows = [("output y", OUTPUT, tokens.g), ("hidden h", HIDDEN, tokens.ink), ("fed", INPUT, tokens.ink)]
    rows += [("the truth y*", ANSWER, tokens.f)] if fed == TRUTH else []
    return theme.figure(
        go.Scatter(x=list(range(steps)), y=[HIDDEN] * steps, mode="markers", opacity=0,
                   text=[f"h{_low(t)} at tick {h}, y{_low(t)} at tick {y}" for t, (h, y) in enumerate(when)],
                   hovertemplate="%{text}<extra></extra>"),
        title=f"{kind}, fed {fed}: what has to wait?",
        summary=told,
        height=theme.TOP + 40 + 300, margin={"l": 112, "r": 24, "b": 40}, shapes=boxes,
        annotations=[*notes, *(row(*one) for one in rows)], x="step of the sequence",
        xaxis={"range": [-0.6, max(steps - 1, 5) + 0.6], "dtick": 1, "showgrid": False},
        yaxis={"range": [-0.35, 3.1], "visible": False},
    )  # fmt: skip


def explore() -> Explorer:
    """The drawing with the network, what it is fed, the clock and the number of steps to choose."""
    return Explorer(
        wiring,
        kind=Pick({"Jordan: from the output": JORDAN, "Elman: from the hidden layer": ELMAN}, JORDAN,
                  label="recurrence"),
        fed=Pick({TRUTH: TRUTH, OWN: OWN}, TRUTH, label="fed"),
        tick=Time(minimum=0, maximum=2 * LONGEST, value=1, label="tick of the clock", pace=500),
        steps=Slider(2, LONGEST, 6, label="steps T"),
    )  # fmt: skip


@explained
def seconds(found: Mapping[str, Sequence[float]], lengths: Sequence[int]) -> theme.Figure:
    """What lessons.waiting.seconds measured: milliseconds of a pass with its gradients, by length."""
    tokens = theme.tokens()
    if not lengths or any(len(times) != len(lengths) for times in found.values()):
        raise LessonError("Hand in what waiting.seconds(lengths) measured, and the same lengths.")
    looks = {
        f"{JORDAN} {ONE_PASS}": (tokens.f, "solid"),
        f"{JORDAN} {IN_STEPS}": (tokens.f, "dot"),
        f"{ELMAN} {IN_STEPS}": (tokens.ink, "dash"),
    }
    if set(found) != set(looks):
        raise LessonError(f"The times are of {', '.join(looks)}; hand in what waiting.seconds measured.")
    lines = [
        go.Scatter(x=lengths, y=[1000 * s for s in times], mode="lines+markers",
                   line={"color": looks[name][0], "dash": looks[name][1], "width": 2.4},
                   hovertemplate=f"{name}, T = %{{x}}: %{{y:.2f}} ms<extra></extra>")
        for name, times in found.items()
    ]  # fmt: skip
    top = 1000 * max(max(times) for times in found.values())
    notes, placed = [], -1.0
    for name, times in sorted(found.items(), key=lambda item: item[1][-1]):
        placed = max(1000 * times[-1], placed + 0.075 * top)
        notes.append({"text": name, "x": 1, "xref": "paper", "xanchor": "left", "xshift": 8, "y": placed,
                      "showarrow": False, "font": {"size": 13, "color": looks[name][0]}})  # fmt: skip
    once, steps = found[f"{JORDAN} {ONE_PASS}"][-1], found[f"{JORDAN} {IN_STEPS}"][-1]
    return theme.figure(
        *lines, title="What does waiting cost?",
        summary=f"At {lengths[-1]} steps Jordan's pass takes {1000 * once:.2f} ms all at once, "
        f"{1000 * steps:.2f} ms step by step: {steps / once:.1f} times as long.",
        height=theme.TOP + 56 + 280, margin={"r": 170}, annotations=notes,
        x="steps T of the sequence", y="pass with gradients, ms",
        xaxis={"range": [0, 1.03 * lengths[-1]], "tickvals": list(lengths)},
        yaxis={"range": [0, 1.1 * top]},
    )  # fmt: skip


def _low(t: int) -> str:
    return "".join("₀₁₂₃₄₅₆₇₈₉"[int(digit)] for digit in str(t))


def _tick(x: float, y: float, number: int, lit: bool) -> dict:
    return sign(x, y, str(number), theme.tokens().ink if lit else theme.tokens().soft, lit, 14)


def _box(x: float, y: float, colour: str, lit: bool) -> dict:
    drawn = theme.colour(colour)
    return {
        "type": "rect", "x0": x - 0.22, "x1": x + 0.22, "y0": y - 0.22, "y1": y + 0.22, "layer": "below",
        "line": {"color": drawn if lit else theme.tokens().rule, "width": 2},
        "fillcolor": theme.fade(drawn, 0.25 if lit else 0.0),
    }  # fmt: skip
