"""Lesson 06 in pictures: a switchboard for the parts of an LSTM, and every seed of every variant.

lstm_variants.switchboard()                # tick parts off; equations, wiring and gates follow
lstm_variants.explore("variants-perform-alike")
"""

import functools
import math
from statistics import mean

import plotly.graph_objects as go

from lessons import claims, one_unit, tracing, variant_study
from lessons.arguments import explained
from lessons.errors import LessonError
from lessons.experiments.variants_perform_alike import BITS, STEPS
from lessons.wiring import Wiring
from widgets import cell_drawing, theme
from widgets.explorer import Explorer, Pick, Switch

MEASURES = {"adding": STEPS, "reading": BITS}
TITLES = {"adding": "Which cells learn to add, and how soon?", "reading": "Which cells read plays best?"}
SPREAD = 0.3  # how wide the seeds of one variant stand
LANES = ("value", "i", "f", "g", "o", "c", "h")
LANE, WIRES = 44, 212  # heights in pixels: of a lane, of the diagram
RANGES = {
    "value": (-1.3, 1.3), "i": (0, 1), "f": (0, 1), "o": (0, 1), "g": (-1.7, 1.7), "c": (-1.7, 1.7),
    "h": (-1.7, 1.7),
}  # fmt: skip
MARKS = {"write": "i", "clear": "f", "show": "o"}  # a wish and the gate that should answer it


@explained
def figure(
    result: claims.Result, task: str = "adding", order: str = "paper", cost: bool = False
) -> theme.Figure:
    """Every seed of every variant on one task; a dashed line at the mean of the full LSTM.

    task: "adding" or "reading". order: "paper" (Greff's), "result" or "cost". cost: below, how many numbers
    the recurrent layer learns. A pure picture of the claim's result; LessonError for another task or order.
    """
    if task not in MEASURES or order not in ("paper", "result", "cost"):
        raise LessonError(
            f"task is {' or '.join(MEASURES)}, order is paper, result or cost; not {task!r}, {order!r}."
        )
    _of_the_study(result)
    seeds = {name: result.values(MEASURES[task], name) for name in variant_study.NAMES}
    level = {name: mean(values) for name, values in seeds.items()}
    costs = {name: variant_study.cost(name) for name in seeds}
    names = list(seeds)
    if order != "paper":
        names.sort(key=level.get if order == "result" else costs.get)
    tokens, share = theme.tokens(), 0.3 if cost else 0.0
    values = [value for name in names for value in seeds[name]]
    log = task == "reading"  # one seed in a hundred may end far above the others
    ends = _ends(values, log)
    never = _never(result) if task == "adding" else None
    return theme.figure(
        _points(names, seeds), _means(names, level), _bars(names, costs, cost),
        title=TITLES[task], summary=_said(task, seeds, level, never),
        height=theme.TOP + 84 + (420 if cost else 320), margin={"b": 84, "l": 72, "r": 96},
        shapes=[_dashed(level["V"], tokens.f), *([_dashed(never, tokens.i)] if never else [])],
        annotations=[
            _edge(level["V"], "full LSTM", tokens.f, log),
            *([_edge(never, "not solved", tokens.i)] if never else []),
        ],
        xaxis={"range": [-0.6, len(names) - 0.4], "tickvals": list(range(len(names))), "showgrid": False,
               "ticktext": [_broken(name) for name in names], "anchor": "y2" if cost else "y"},
        yaxis={"range": ends, "type": "log" if log else "linear", "domain": [share + 0.06 * cost, 1],
               "tickvals": [3, 3.5, 4, 5, 6, 8, 10, 20, 30, 50] if log else None,
               "title": {"text": _axis(task)}},
        yaxis2={"domain": [0, max(share, 0.01)], "range": [0, 1.15 * max(costs.values())], "visible": cost,
                "title": {"text": "parameters"}, "nticks": 4},
    )  # fmt: skip


@explained
def explore(result: claims.Result | str = "variants-perform-alike") -> Explorer:
    """The picture above with its task, order and cost to choose. Takes a Result or its claim's name."""
    result = claims.load(result) if isinstance(result, str) else result
    _of_the_study(result)
    return Explorer(
        functools.partial(figure, result),
        task=Pick({"adding two numbers": "adding", "reading plays": "reading"}, "adding", label="task"),
        order=Pick({"as in the paper": "paper", "by result": "result", "by cost": "cost"}, "paper"),
        cost=Switch(False, label="show parameters"),
    )


@explained
def wiring(
    input_gate: bool = True,
    forget_gate: bool = True,
    output_gate: bool = True,
    coupled: bool = False,
    peepholes: bool = False,
    input_tanh: bool = True,
    output_tanh: bool = True,
) -> theme.Figure:
    """One unit with these parts: its wires, its equations, and what it does with two values to store.

    Raises LessonError for a wiring that cannot be, such as coupled gates of which one is missing.
    """
    parts = Wiring(
        input_gate, forget_gate, output_gate, "tanh" if input_tanh else "identity",
        "tanh" if output_tanh else "identity", coupled, peepholes,
    )  # fmt: skip
    layer, x = one_unit.register(**vars(parts)), one_unit.signals()
    seen = tracing.trace(layer, x)
    series = {"value": x[0, :, 0].numpy()} | {name: seen.numpy(name)[:, 0] for name in seen.names}
    height = WIRES + LANE * len(LANES) + 26
    tops = {name: 1 - (WIRES + 26 + LANE * k) / height for k, name in enumerate(LANES)}
    lanes = {
        f"yaxis{k + 1 if k else ''}": _lane(name, [tops[name] - (LANE - 8) / height, tops[name]])
        for k, name in enumerate(LANES)
    }
    return theme.figure(
        *(_bars_of(name, values, k) for k, (name, values) in enumerate(_ordered(series))),
        *cell_drawing.wires(parts),
        title="What is each part of an LSTM for?",
        summary=_stored(parts, series),
        height=theme.TOP + 50 + height, margin={"l": 108, "r": 24, "b": 50}, bargap=0.15,
        shapes=[*_signals(tops, height), *cell_drawing.boxes(parts)],
        annotations=[*_lane_names(tops, height), *cell_drawing.labels(parts), *_lines(parts, height),
                     *_signal_names(tops)],
        x="time step",
        xaxis={"range": [-0.6, one_unit.STEPS - 0.4], "anchor": f"y{len(LANES)}", "showgrid": False},
        xaxis2={"domain": [0, 0.5], "range": [0, 100], "visible": False, "anchor": "y9"},
        yaxis9={"domain": [1 - WIRES / height, 1], "range": [-4, 50], "visible": False, "anchor": "x2"},
        **lanes,
    )  # fmt: skip


def switchboard() -> Explorer:
    """Tick parts of an LSTM on and off; wires, equations and gates follow."""
    return Explorer(
        wiring,
        input_gate=Switch(True, label="input gate"),
        forget_gate=Switch(True, label="forget gate"),
        output_gate=Switch(True, label="output gate"),
        input_tanh=Switch(True, label="tanh on the way in"),
        output_tanh=Switch(True, label="tanh on the way out"),
        coupled=Switch(False, label="coupled: f = 1 − i"),
        peepholes=Switch(False, label="peepholes"),
    )


def equations(parts: Wiring) -> list[str]:
    """The cell's equations, one a line, for plotly's labels (its HTML). What is missing is not written."""

    def total(name: str) -> str:
        cell = "c" if name == "o" else "c₋₁"
        peep = f" + p<sub>{name}</sub> {cell}" if name in parts.peeping else ""
        return f"W<sub>{name}</sub> x + R<sub>{name}</sub> h₋₁{peep} + b<sub>{name}</sub>"

    lines = [f"{name} = σ({total(name)})" for name in "if" if name in parts.rows]
    if parts.coupled:
        lines.append("f = 1 − i")
    lines.append(f"g = tanh({total('g')})" if parts.input_activation == "tanh" else f"g = {total('g')}")
    kept = "f · c₋₁" if parts.forget_gate else "c₋₁"
    lines.append(f"c = {kept} + {'i · g' if parts.input_gate else 'g'}")
    if parts.output_gate:
        lines.append(f"o = σ({total('o')})")
    shown = "tanh(c)" if parts.output_activation == "tanh" else "c"
    return [*lines, f"h = {'o · ' if parts.output_gate else ''}{shown}"]


def _of_the_study(result: claims.Result) -> None:
    """Raise LessonError unless the result has all the variants."""
    if not set(MEASURES.values()) <= set(result.spread):
        raise LessonError(
            f"This picture is of variants-perform-alike; {result.name!r} measures other things."
        )


def _points(names: list[str], seeds: dict[str, list[float]]) -> go.Scatter:
    tokens = theme.tokens()
    count = len(seeds[names[0]])
    shift = [SPREAD * (at / max(1, count - 1) - 0.5) for at in range(count)]
    rows = [(k + shift[at], seeds[name][at], at, name) for k, name in enumerate(names) for at in range(count)]
    return go.Scatter(
        x=[row[0] for row in rows], y=[row[1] for row in rows], mode="markers", customdata=rows,
        hovertemplate="%{customdata[3]}, seed %{customdata[2]}: %{y:.4g}<extra></extra>",
        marker={"size": 9, "color": tokens.f, "line": {"color": tokens.card, "width": 1}},
    )  # fmt: skip


def _means(names: list[str], level: dict[str, float]) -> go.Scatter:
    x, y = [], []
    for k, name in enumerate(names):
        x += [k - 0.3, k + 0.3, None]
        y += [level[name]] * 2 + [None]
    return go.Scatter(
        x=x, y=y, mode="lines", hoverinfo="skip", line={"color": theme.tokens().ink, "width": 2.5}
    )


def _bars(names: list[str], costs: dict[str, int], shown: bool) -> go.Bar:
    return go.Bar(
        x=list(range(len(names))), y=[costs[name] for name in names], yaxis="y2", width=0.6, visible=shown,
        marker={"color": theme.tokens().soft}, hovertemplate="%{y:,} parameters<extra></extra>",
    )  # fmt: skip


def _broken(name: str) -> str:
    """A variant's name in words on two or three lines, Greff's letters below."""
    words = variant_study.NAMES[name].replace(" ", "<br>")
    return words if name == "GRU" else f"{words}<br>({name})"


def _axis(task: str) -> str:
    return "steps until solved" if task == "adding" else "bits per character (held-out)"


def _never(result: claims.Result) -> int:
    sizes = result.settings["adding"]
    return sizes["steps"] + sizes["evaluate_every"]


def _said(task: str, seeds: dict[str, list[float]], level: dict[str, float], never: int | None) -> str:
    best, worst = min(level, key=level.get), max(level, key=level.get)
    words = variant_study.NAMES
    if task == "reading":
        return (
            f"From {level[best]:.2f} ({words[best]}) to {level[worst]:.2f} bits ({words[worst]}); "
            f"the full LSTM reads at {level['V']:.2f}."
        )
    whole = [name for name, steps in seeds.items() if max(steps) < never]
    return (
        f"{len(whole)} of {len(seeds)} cells solve it on every seed; in the mean {words[best]} is first "
        f"({level[best]:.0f} steps), {words[worst]} last."
    )


def _dashed(value: float, colour: str) -> dict:
    line = {"dash": "dash", "width": 1.5, "color": colour}
    return {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": value, "y1": value, "line": line}


def _ends(values: list[float], log: bool) -> list[float]:
    """The range of the axis, with room; of a logarithmic one in powers of ten, as plotly has it."""
    ends = [math.log10(value) if log else value for value in (min(values), max(values))]
    room = 0.08 * (ends[1] - ends[0]) or 0.5
    return [ends[0] - room, ends[1] + room]


def _edge(value: float, text: str, colour: str, log: bool = False) -> dict:
    return {
        "text": text, "x": 1, "xref": "paper", "xanchor": "left", "xshift": 6,
        "y": math.log10(value) if log else value,
        "yanchor": "middle", "showarrow": False, "font": {"size": 12, "color": colour},
    }  # fmt: skip


def _ordered(series: dict) -> list[tuple]:
    return [(name, series[name]) for name in LANES]


def _bars_of(name: str, values, k: int) -> go.Bar:
    colour = theme.tokens().soft if name == "value" else theme.colour(name)
    return go.Bar(
        x=list(range(len(values))), y=values, yaxis=f"y{k + 1}" if k else "y",
        marker={"color": colour, "line": {"width": 0}},
        hovertemplate=f"step %{{x}}: {name} %{{y:.2f}}<extra></extra>",
    )  # fmt: skip


def _lane(name: str, domain: list[float]) -> dict:
    low, high = RANGES[name]
    return {
        "domain": domain, "range": [low - 0.04 * (high - low), high], "tickvals": [int(low), int(high)],
        "tickfont": {"size": 10}, "showgrid": False, "zeroline": True, "ticklen": 2,
        "zerolinecolor": theme.tokens().edge, "zerolinewidth": 1,
    }  # fmt: skip


def _lane_names(tops: dict[str, float], height: int) -> list[dict]:
    words = {"value": "value read", "i": "input i", "f": "forget f", "g": "candidate g", "o": "output o",
             "c": "cell c", "h": "shown h"}  # fmt: skip
    return [
        {
            "text": words[name], "x": 0, "xref": "paper", "xanchor": "left", "xshift": -102,
            "showarrow": False, "y": top - (LANE - 8) / 2 / height, "yref": "paper", "yanchor": "middle",
            "font": {"size": 12, "color": theme.tokens().soft if name == "value" else theme.colour(name)},
        }
        for name, top in tops.items()
    ]  # fmt: skip


def _wishes() -> list[tuple[str, list[int]]]:
    return [("write", list(one_unit.WRITES)), ("clear", [one_unit.CLEAR]), ("show", list(one_unit.SHOWS))]


def _signals(tops: dict[str, float], height: int) -> list[dict]:
    """A pale column at every step at which something is wished."""
    top, bottom = tops[LANES[0]], tops[LANES[-1]] - (LANE - 8) / height
    return [
        {
            "type": "rect", "xref": "x", "yref": "paper", "x0": step - 0.5, "x1": step + 0.5, "y0": bottom,
            "y1": top, "line": {"width": 0}, "layer": "below",
            "fillcolor": theme.fade(theme.colour(MARKS[wish]), 0.2),
        }
        for wish, steps in _wishes()
        for step in steps
    ]  # fmt: skip


def _signal_names(tops: dict[str, float]) -> list[dict]:
    names = [(step, f"write {value:+.0f}".replace("-", "−"), "i") for step, value in one_unit.WRITES.items()]
    names += [(one_unit.CLEAR, "clear", "f")]
    names += [(sum(pair) / 2, "show", "o") for pair in (one_unit.SHOWS[:2], one_unit.SHOWS[2:])]
    return [
        {
            "text": text, "x": step, "y": tops[LANES[0]], "yref": "paper", "yanchor": "bottom",
            "showarrow": False, "font": {"size": 12, "color": theme.colour(gate)},
        }
        for step, text, gate in names
    ]  # fmt: skip


def _lines(parts: Wiring, height: int) -> list[dict]:
    """The equations to the right of the diagram."""
    return [
        {
            "text": line, "x": 0.54, "xref": "paper", "xanchor": "left", "y": 1 - (22 + 30 * k) / height,
            "yref": "paper", "yanchor": "middle", "showarrow": False,
            "font": {"family": theme.MONO, "size": 13, "color": theme.colour(line[0])},
        }
        for k, line in enumerate(equations(parts))
    ]  # fmt: skip


def _stored(parts: Wiring, series: dict) -> str:
    """What the unit shows when it is asked to, and what the clearing left."""
    first, second = one_unit.SHOWS[0], one_unit.SHOWS[2]
    after = one_unit.CLEAR

    def of(name: str, step: int) -> str:
        return f"{series[name][step]:.2f}".replace("-", "−")

    blocks = f"{len(parts.rows)} block{'s' * (len(parts.rows) > 1)} of weights"
    return (
        f"Asked at step {first}, it shows {of('h', first)} for the stored +1, at step {second} "
        f"{of('h', second)} for the stored −1; the clearing leaves {of('c', after)}. "
        f"It learns {blocks}{' and peepholes' if parts.peeping else ''}."
    )
