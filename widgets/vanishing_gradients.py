"""Lesson 03 in pictures: what arrives of a loss at every step, what a spectral radius does to it.

before = lessons.vanishing_gradients.decays(networks)
explore(before)                        # six networks in one picture; explore(before, after) switches
radius(networks)                       # an ungated network with its recurrent matrix on a slider
nudge(networks)                        # Jacobian products against what the loss gets
remembered("rnn-forgets-lstm-remembers")  # the claim, all networks on one axis
"""

import functools
from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from lessons import claims
from lessons import vanishing_gradients as lesson
from lessons.arguments import explained
from lessons.errors import LessonError
from lessons.tasks import SequenceTask
from lessons.vanishing_gradients import Decay
from widgets import theme
from widgets.explorer import Explorer, Index, Pick, Slider, Time

FLOOR, CEILING = -24, 24  # decades that the pictures show at most
COLOURS = ("ink", "soft", "i", "g", "f", "o")  # in the order of lessons.vanishing_gradients.NETWORKS
DASHES = {"orthogonal RNN": "dash", "identity RNN": "dash", "GRU": "dashdot"}
SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
CLAIM = "rnn-forgets-lstm-remembers"
Decays = Mapping[str, Decay]


@explained
def figure(decays: Decays, step: int = 0, floor: int | None = None) -> theme.Figure:
    """What arrives at every step of a loss at the last one, for several networks, on a logarithmic scale.

    `decays` is what lessons.vanishing_gradients.decays returns; `step` is marked, and read in the summary.
    Lines that fall below `floor`, a power of ten, leave the picture. A pure function.
    """
    lines = _named(decays)
    steps = len(next(iter(lines.values())))
    if not 0 <= step < steps:
        raise LessonError(f"There is no step {step}; the sequences have the steps 0 to {steps - 1}.")
    low = _floor(lines.values()) if floor is None else floor
    top = max(1, *(_decades(values).max() for values in lines.values()))
    return theme.figure(
        *(_line(_decades(values), name, _colour(name), _dash(name)) for name, values in lines.items()),
        title=f"How much of the loss arrives at step {step}?",
        summary=_read(lines, step, steps),
        x="time step; the loss stands at the last one",
        height=theme.TOP + 56 + 360,
        margin={"l": 132, "r": 84},
        shapes=[_cursor(step)],
        annotations=_labels(
            [(name, float(_decades(values)[0]), _colour(name)) for name, values in lines.items()], low, top
        ),
        xaxis={"range": [0, steps - 1]},
        yaxis=_powers(low, top, "share of the gradient at the last step") | {"side": "right"},
    )


@explained
def explore(before: Decays, after: Decays | None = None) -> Explorer:
    """The picture above with a time slider; with `after`, a choice between the networks then and now."""
    stages = {"untrained": before} | ({"trained": after} if after else {})
    lines = [values for stage in stages.values() for values in _named(stage).values()]
    steps, low = len(lines[0]), _floor(lines)
    controls = {"step": Time(maximum=steps - 1, value=steps // 2, label="time step")}
    if after:
        controls["stage"] = Pick({name: name for name in stages}, "trained", label="networks")

    def picture(step: int, stage: str = "untrained") -> theme.Figure:
        return figure(stages[stage], step, low)

    return Explorer(picture, **controls)


@explained
def scaled(
    networks: Mapping[str, SequenceTask], name: str = "tanh RNN", radius: float | int = 1.0
) -> theme.Figure:
    """An ungated network scaled to a spectral radius: what arrives of the gradient, and its eigenvalues.

    The pale line is the network as it stands; the dotted one falls (or rises) by the radius at every step.
    """
    if name not in networks or name not in lesson.UNGATED:
        raise LessonError(f"A radius needs an ungated network: {', '.join(lesson.UNGATED)}; not {name!r}.")
    task, changed = networks[name], lesson.with_radius(networks[name], radius)
    own, now = (_decades(lesson.decay(one)["h"].numpy()) for one in (task, changed))
    steps, values = len(now), lesson.eigenvalues(changed).numpy()
    law = np.arange(steps - 1, -1, -1) * np.log10(radius)
    end = min(CEILING, int(np.ceil((steps - 1) * np.log10(2))))
    tokens, turn = theme.tokens(), np.linspace(0, 2 * np.pi, 121)
    ends = [("as it is", own[0], tokens.soft), (f"radius {radius:.2f}", now[0], tokens.f),
            ("radius ᵀ⁻ᵗ", law[0], tokens.i)]  # fmt: skip
    return theme.figure(
        _line(own, "as it is", theme.fade(tokens.soft, 0.7), "solid"),
        _line(law, "radius to the power of the steps", tokens.i, "dot"),
        _line(now, f"radius {radius:.2f}", tokens.f, "solid"),
        go.Scatter(x=np.cos(turn), y=np.sin(turn), xaxis="x2", yaxis="y2", mode="lines", hoverinfo="skip",
                   line={"color": tokens.soft, "width": 1.5}),
        go.Scatter(x=values.real, y=values.imag, xaxis="x2", yaxis="y2", mode="markers",
                   marker={"color": tokens.f, "size": 7},
                   hovertemplate="%{x:.2f} + %{y:.2f} i<extra>eigenvalue</extra>"),
        title="What does the spectral radius do to the gradient?",
        summary=_grows(name, lesson.radius(task), radius, now, own),
        height=theme.TOP + 56 + 340,
        margin={"l": 104, "r": 20},
        annotations=_labels(ends, -end, end),
        shapes=[_level()],
        xaxis={"range": [0, steps - 1], "domain": [0, 0.5], "title": {"text": "time step"}},
        yaxis=_powers(-end, end, "share of the last step's gradient") | {"side": "right"},
        xaxis2={"range": [-2.1, 2.1], "domain": [0.68, 1], "anchor": "y2", "title": {"text": "real part"},
                "zeroline": True},
        yaxis2={"range": [-2.1, 2.1], "anchor": "x2", "title": {"text": "imaginary part"}, "zeroline": True,
                "scaleanchor": "x2"},
    )  # fmt: skip


@explained
def radius(networks: Mapping[str, SequenceTask], name: str = "tanh RNN") -> Explorer:
    """The picture above with the network to choose and its spectral radius on a slider."""
    return Explorer(
        functools.partial(scaled, networks),
        name=Pick({key: key for key in lesson.UNGATED}, name, label="network"),
        radius=Slider(0.2, 2.0, 1.0, 0.05, label="spectral radius"),
    )


@explained
def nudged(networks: Mapping[str, SequenceTask], name: str = "LSTM", sequence: int = 0) -> theme.Figure:
    """The norm of the Jacobian products of one sequence, and what they leave of the loss's own direction."""
    if name not in networks:
        raise LessonError(f"There is no network {name!r}; there are {', '.join(networks)}.")
    most = lesson.reach(networks[name], sequence).numpy()
    got = lesson.arriving(networks[name], sequence).numpy()
    decades, tokens, steps = (_decades(most), _decades(got)), theme.tokens(), len(most)
    summary = (
        f"{name}, sequence {sequence}: a nudge of the first state arrives at the end times {_power(most[0])} "
        f"at most; in the loss's direction times {_power(got[0])}."
    )
    ends = [("largest factor", decades[0][0], tokens.ink), ("the loss's factor", decades[1][0], tokens.f)]
    low, top = _floor([most, got]), max(1, float(decades[0].max()))
    return theme.figure(
        _line(decades[0], "largest factor", tokens.ink, "solid"),
        _line(decades[1], "the loss's factor", tokens.f, "dash"),
        title="How far does a nudge of the state travel?", summary=summary,
        x="time step of the nudge", height=theme.TOP + 56 + 300, margin={"l": 132, "r": 84},
        annotations=_labels(ends, low, top), shapes=[_level()],
        xaxis={"range": [0, steps - 1]},
        yaxis=_powers(low, top, "factor on the way to the last step") | {"side": "right"},
    )  # fmt: skip


@explained
def nudge(networks: Mapping[str, SequenceTask], name: str = "LSTM") -> Explorer:
    """The picture above with the network and the sequence to choose."""
    if name not in networks:
        raise LessonError(f"There is no network {name!r}; there are {', '.join(networks) or 'none'}.")
    last = networks[name].preset.held_out - 1
    return Explorer(
        functools.partial(nudged, networks),
        name=Pick({key: key for key in networks}, name, label="network"),
        sequence=Index(min(last, 99), 0, label="sequence"),
    )


@explained
def remembered(result: claims.Result | str) -> theme.Figure:
    """Every seed of the lesson's claim on one logarithmic axis of errors: a network a column, lengths in it.

    Takes a Result or the claim's name in the ledger; raises LessonError for another claim.
    """
    result = claims.load(result) if isinstance(result, str) else result
    if result.name != CLAIM:
        raise LessonError(f"This picture is of {CLAIM}; draw {result.name} with widgets.claims.every_seed.")
    cells, solved = list(result.spread), 0.01
    lengths = list(result.spread[cells[0]])
    x, y, colours, texts, ticks = [], [], [], [], []
    for column, cell in enumerate(cells):
        for place, length in enumerate(lengths):
            values = result.values(cell, length)
            at = column + (place - (len(lengths) - 1) / 2) / (len(lengths) + 0.6)
            ticks.append((at, length))
            x += list(at + np.linspace(-0.07, 0.07, len(values)))
            y += [float(np.log10(value)) for value in values]
            colours += [theme.colour("f" if value < solved else "i") for value in values]
            texts += [f"{cell}, {length} steps: {value:.4f}" for value in values]
    shares = (f"{cell} {_solved(result, cell, solved)}" for cell in cells)
    return theme.figure(
        go.Scatter(x=x, y=y, mode="markers", text=texts, hovertemplate="%{text}<extra></extra>",
                   marker={"color": colours, "size": 9, "symbol": ["circle" if v < -2 else "x" for v in y]}),
        title=f"{result.verdict[0].upper()}{result.verdict[1:]}: who learns to add over how many steps?",
        summary=f"Seeds that solved it at {', '.join(lengths)} steps: {'; '.join(shares)}.",
        x="steps of a sequence", y="held-out mean squared error", height=theme.TOP + 56 + 320,
        margin={"l": 80, "r": 84},
        annotations=[*(_heading(column, cell) for column, cell in enumerate(cells)),
                     _beside("always 1", np.log10(1 / 6)), _beside("solved", np.log10(solved))],
        shapes=[_dashed(np.log10(1 / 6)), _dashed(np.log10(solved))],
        xaxis={"range": [-0.55, len(cells) - 0.45], "tickvals": [at for at, _ in ticks],
               "ticktext": [length for _, length in ticks], "showgrid": False},
        yaxis={"range": [-3, -0.4], "tickvals": [-3, -2, -1], "ticktext": ["0.001", "0.01", "0.1"]},
    )  # fmt: skip


def _solved(result: claims.Result, cell: str, solved: float) -> str:
    counts = (sum(value < solved for value in result.values(cell, length)) for length in result.spread[cell])
    return ", ".join(map(str, counts)) + f" of {len(result.seeds)}"


def _heading(column: int, text: str) -> dict:
    return {
        "text": f"<b>{text}</b>",
        "x": column,
        "y": 1,
        "yref": "paper",
        "yanchor": "top",
        "showarrow": False,
    }


def _beside(text: str, y: float) -> dict:
    return {
        "text": text, "x": 1, "xref": "paper", "xanchor": "left", "xshift": 6, "y": y, "yanchor": "middle",
        "showarrow": False, "font": {"size": 12, "color": theme.tokens().soft},
    }  # fmt: skip


def _dashed(y: float) -> dict:
    return _level() | {"y0": y, "y1": y, "line": {"color": theme.tokens().soft, "width": 1.5, "dash": "dash"}}


def _named(decays: Decays) -> dict[str, np.ndarray]:
    """One line a state: "tanh RNN", but "LSTM h" and "LSTM c"."""
    if not decays:
        raise LessonError("There is no network to draw; give the decays of one at least.")
    return {
        name if len(states) == 1 else f"{name} {state}": values.numpy()
        for name, states in decays.items()
        for state, values in states.items()
    }


def _decades(values: np.ndarray) -> np.ndarray:
    return np.log10(np.maximum(values, lesson.TINY))


def _floor(lines: Sequence[np.ndarray]) -> int:
    return max(FLOOR, min(-2, *(int(np.floor(_decades(values).min())) for values in lines)))


def _colour(name: str) -> str:
    networks = list(lesson.NETWORKS)
    plain = name.removesuffix(" h").removesuffix(" c")
    return theme.colour(COLOURS[networks.index(plain)] if plain in networks else "ink")


def _dash(name: str) -> str:
    return "dot" if name.endswith(" c") else DASHES.get(name, "solid")


def _line(decades: np.ndarray, name: str, colour: str, dash: str) -> go.Scatter:
    return go.Scatter(
        x=np.arange(len(decades)), y=decades, mode="lines", name=name,
        line={"color": colour, "width": 2.4, "dash": dash},
        hovertemplate=f"step %{{x}}<br>{name} 10^%{{y:.1f}}<extra></extra>",
    )  # fmt: skip


def _powers(low: float, top: float, title: str) -> dict:
    """An axis of decades."""
    every = max(1, int(np.ceil((top - low) / 8)))
    places = [k for k in range(int(np.floor(low)), int(np.ceil(top)) + 1) if k % every == 0]
    return {
        "range": [low - 0.02 * (top - low), top + 0.02 * (top - low)], "tickvals": places,
        "ticktext": [f"10{str(k).translate(SUPERSCRIPT)}" for k in places], "title": {"text": title},
    }  # fmt: skip


def _labels(ends: list[tuple[str, float, str]], low: float, top: float) -> list[dict]:
    """Names at the left ends of lines, inside the picture and apart; ↓ or ↑ where the line has left it."""
    least, ends = 0.058 * (top - low), sorted(ends, key=lambda end: end[1])
    places = [min(max(value, low), top) for _, value, _ in ends]
    for k in range(1, len(places)):  # upwards, until none stands on another
        places[k] = max(places[k], places[k - 1] + least)
    places[-1] = min(places[-1], top)
    for k in reversed(range(len(places) - 1)):  # and down again, where the top one has left the picture
        places[k] = min(places[k], places[k + 1] - least)
    return [
        {
            "text": f"{name}{' ↓' if value < low else ' ↑' if value > top else ''}", "x": 0, "xref": "paper",
            "xanchor": "right", "xshift": -6, "y": y, "yanchor": "middle", "showarrow": False,
            "font": {"size": 12, "color": colour},
        }
        for (name, value, colour), y in zip(ends, places, strict=True)
    ]  # fmt: skip


def _cursor(step: int) -> dict:
    return {
        "type": "line", "xref": "x", "yref": "paper", "x0": step, "x1": step, "y0": 0, "y1": 1,
        "line": {"color": theme.tokens().mark, "width": 2},
    }  # fmt: skip


def _level() -> dict:
    return {
        "type": "line", "xref": "x domain", "x0": 0, "x1": 1, "yref": "y", "y0": 0, "y1": 0,
        "line": {"color": theme.tokens().edge, "width": 1},
    }  # fmt: skip


def _power(value: float) -> str:
    """A number in words that stay short: 0.42, 3.1, or a power of ten."""
    if 0.01 <= value < 100:
        return f"{value:.2g}"
    return f"10{str(round(float(np.log10(max(value, lesson.TINY))))).translate(SUPERSCRIPT)}"


def _read(lines: Mapping[str, np.ndarray], step: int, steps: int) -> str:
    ordered = sorted(lines.items(), key=lambda line: -line[1][step])
    shares = ", ".join(f"{name} {_power(values[step])}" for name, values in ordered)
    return f"Step {step}, {steps - 1 - step} before the last, gets of the last step's gradient: {shares}."


def _grows(name: str, own: float, radius: float, now: np.ndarray, before: np.ndarray) -> str:
    return (
        f"{name} with radius {radius:.2f}: the first step gets {_power(10 ** now[0])} of the last one's "
        f"gradient. As it is, with radius {own:.2f}, it gets {_power(10 ** before[0])}."
    )
