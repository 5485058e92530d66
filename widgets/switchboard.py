"""Lesson 11's switchboard: what a decoder is fed with, over a sentence and over a training.

board(kind, end, step, number, seed)        # no network: which switches stand where
explore(model)                              # the same, with what a trained network writes under them
"""

import functools

import numpy as np
import plotly.graph_objects as go

from lessons import switchboard, teacher_forcing
from lessons.errors import LessonError
from lessons.number_words import words
from lessons.seq2seq import Seq2Seq
from lessons.switchboard import Fed
from widgets import theme
from widgets.explorer import Explorer, Index, Pick, Slider, Time

STEPS, ROWS = 1000, 41  # of the training that is drawn, and how many of its moments
TRUTH_AT, FED_AT, OWN_AT = 2.0, 1.0, 0.0  # heights in the upper panel
NUMBER = 45


def board(
    kind: str = teacher_forcing.SIGMOID,
    end: float = 0.1,
    step: int = 600,
    number: int = NUMBER,
    seed: int = 0,
    model: Seq2Seq | None = None,
) -> theme.Figure:
    """Above: what each step of one German number is fed with at a training step; below: at all of them.

    kind, end: of lessons.teacher_forcing.falling over 1,000 steps. With a model, the lowest row is what it
    writes under these switches. A pure function; raises LessonError for what does not fit.
    """
    schedule = teacher_forcing.falling(kind, STEPS, end)
    source, truth = words(number, "en"), words(number, "de")
    symbols = (*truth, "⟩")
    moments = np.linspace(0, STEPS, ROWS).round().astype(int).tolist()
    rows = switchboard.board(schedule, moments, len(symbols), seed)
    now = switchboard.board(schedule, [step], len(symbols), seed)[0]
    seen = None if model is None else switchboard.under(model, source, truth, now)
    chances = [schedule(moment) for moment in moments]
    tokens, last = theme.tokens(), len(symbols) - 1
    shown = rows.float().numpy()
    shown[:, 0] = 1  # the first step reads the sign for begin, whatever the switch
    return theme.figure(
        go.Scatter(x=list(range(len(symbols))), y=[FED_AT] * len(symbols), mode="markers", opacity=0,
                   text=_hover(symbols, now.tolist(), seen), hovertemplate="%{text}<extra></extra>"),
        go.Heatmap(z=shown, x=list(range(len(symbols))), y=moments, xaxis="x2", yaxis="y2", xgap=1, ygap=1,
                   colorscale=[[0, tokens.i], [1, tokens.f]], zmin=0, zmax=1, showscale=False,
                   hovertemplate="training step %{y}, symbol %{x}<extra></extra>"),
        go.Scatter(x=chances, y=moments, xaxis="x3", yaxis="y3", mode="lines",
                   line={"color": tokens.ink, "width": 2.4},
                   hovertemplate="step %{y}: chance %{x:.2f}<extra></extra>"),
        go.Scatter(x=[schedule(step)], y=[step], xaxis="x3", yaxis="y3", mode="markers",
                   marker={"size": 10, "color": tokens.ink}, hoverinfo="skip"),
        title=f"What is the decoder fed at training step {step:,}?",
        summary=_tell(schedule(step), step, now.tolist(), seen),
        height=theme.TOP + 56 + 470, margin={"l": 118, "r": 20},
        shapes=[*_wires(now.tolist(), seen), _cursor(step)],
        annotations=[*_letters(symbols, now.tolist(), seen), *_names(source, seen is not None)],
        xaxis={"domain": [0, 1], "range": [-0.7, last + 0.7], "visible": False, "anchor": "y"},
        yaxis={"domain": [0.64, 1], "range": [-0.45, 2.6], "visible": False},
        xaxis2={"domain": [0, 0.66], "range": [-0.5, last + 0.5], "anchor": "y2", "showgrid": False,
                "title": {"text": "symbol of the sentence"}, "nticks": 10},
        yaxis2={"domain": [0, 0.5], "range": [STEPS + 13, -13], "anchor": "x2", "showgrid": False,
                "title": {"text": "training step"}, "nticks": 6},
        xaxis3={"domain": [0.72, 1], "range": [-0.04, 1.04], "anchor": "y3",
                "title": {"text": "chance of the truth"}},
        yaxis3={"domain": [0, 0.5], "range": [STEPS + 13, -13], "anchor": "x3", "nticks": 6,
                "showticklabels": False},
    )  # fmt: skip


def explore(model: Seq2Seq | None = None, number: int = NUMBER, most: int = 999) -> Explorer:
    """The picture above with its controls: the schedule, its end, the training step, the number, the dice."""
    return Explorer(
        functools.partial(board, model=None if model is None else need(model)),
        kind=Pick({kind: kind for kind in teacher_forcing.KINDS}, teacher_forcing.SIGMOID, label="schedule"),
        end=Slider(0.0, 1.0, 0.1, 0.05, label="ratio at the end"),
        step=Time(minimum=0, maximum=STEPS, value=600, step=25, label="training step"),
        number=Index(most, number, label="number to write"),
        seed=Slider(0, 19, 0, label="roll of the dice"),
    )


def schedules(end: float = 0.1, steps: int = STEPS) -> theme.Figure:
    """All schedules from 1 to the same end, with the share of the truth in the whole training."""
    kinds, dashes = teacher_forcing.KINDS, ("dot", "dash", "dashdot", "solid")
    moments, tokens = np.linspace(0, steps, 101).round().astype(int), theme.tokens()
    colours, lines, shares = (tokens.soft, tokens.f, tokens.i, tokens.ink), [], {}
    for kind, dash, colour in zip(kinds, dashes, colours, strict=True):
        schedule = teacher_forcing.falling(kind, steps, end)
        chances = [schedule(int(moment)) for moment in moments]
        shares[kind] = float(np.mean([schedule(moment) for moment in range(steps)]))
        lines.append(
            go.Scatter(x=moments, y=chances, mode="lines", line={"color": colour, "width": 2.6, "dash": dash},
                       hovertemplate=f"{kind}, step %{{x}}: %{{y:.2f}}<extra></extra>")
        )  # fmt: skip
    notes = [
        {"text": f"{kind}: truth {shares[kind]:.0%} of the time", "x": 1, "xref": "paper", "xshift": 10,
         "xanchor": "left", "y": 0.95 - 0.12 * row, "yref": "paper", "showarrow": False,
         "font": {"size": 13, "color": colours[kinds.index(kind)]}}
        for row, kind in enumerate(sorted(kinds, key=shares.get, reverse=True))
    ]  # fmt: skip
    told = "; ".join(f"{kind} {shares[kind]:.0%}" for kind in kinds)
    return theme.figure(
        *lines, title="How fast is the truth taken away?",
        summary=f"Share of the truth over {steps:,} steps, ending at {end:.2f}: {told}.",
        height=theme.TOP + 56 + 280, margin={"r": 290}, annotations=notes, x="training step",
        y="chance of being fed the truth", yaxis={"range": [-0.03, 1.05]}, xaxis={"range": [0, steps]},
    )  # fmt: skip


def compare() -> Explorer:
    """All schedules with their end on a slider."""
    return Explorer(
        schedules,
        end=Slider(0.0, 1.0, 0.1, 0.05, label="ratio at the end"),
        steps=Slider(100, 2000, STEPS, 100, label="steps of the training"),
    )


def _letters(symbols: tuple[str, ...], told: list[bool], seen: Fed | None) -> list[dict]:
    """Three rows of letters: the truth, what was fed, what the network wrote (or a dot, without one)."""
    tokens, notes = theme.tokens(), []
    size = 15 if len(symbols) <= 30 else 12
    for t, symbol in enumerate(symbols):
        own = "?" if seen is None else seen.written[t]
        wrong = seen is not None and not seen.right[t]
        truth_fed = told[t] or t == 0
        fed = "⟨" if t == 0 else (symbols[t - 1] if truth_fed else ("?" if seen is None else seen.fed[t]))
        notes += [
            _sign(t, TRUTH_AT, symbol, tokens.ink, size),
            _sign(t, FED_AT, fed, tokens.f if truth_fed else tokens.i, size, bold=True),
            _sign(t, OWN_AT, own, tokens.i if wrong else tokens.ink, size, bold=wrong),
        ]
    return notes


def _wires(told: list[bool], seen: Fed | None) -> list[dict]:
    """From where each step's symbol comes: from the truth above, or from what was written one step before."""
    tokens, shapes = theme.tokens(), []
    for t, truth in enumerate(told[1:], 1):
        y, colour = (TRUTH_AT - 0.25, tokens.f) if truth else (OWN_AT + 0.25, tokens.i)
        ends = {"x0": t - 0.85, "y0": y, "x1": t - 0.1, "y1": FED_AT + (0.25 if truth else -0.25)}
        shapes.append({"type": "line", **ends, "line": {"color": colour, "width": 1.8}})
    if seen is not None and seen.first is not None:
        t = seen.first
        shapes.append({
            "type": "rect", "x0": t - 0.45, "x1": t + 0.45, "y0": OWN_AT - 0.3, "y1": OWN_AT + 0.3,
            "line": {"color": tokens.i, "width": 2.4},
        })  # fmt: skip
    return shapes


def _cursor(step: int) -> dict:
    return {
        "type": "line", "xref": "x2 domain", "yref": "y2", "x0": 0, "x1": 1, "y0": step, "y1": step,
        "line": {"color": theme.tokens().ink, "width": 2},
    }  # fmt: skip


def _names(source: str, written: bool) -> list[dict]:
    tokens = theme.tokens()
    names = [("the truth", TRUTH_AT, tokens.ink), ("fed", FED_AT, tokens.ink)]
    names.append(("written" if written else "own output", OWN_AT, tokens.ink))
    rows = [
        {"text": text, "x": 0, "xref": "paper", "xanchor": "right", "xshift": -8, "y": y, "showarrow": False,
         "font": {"size": 13, "color": colour}} for text, y, colour in names
    ]  # fmt: skip
    keys = f"“{source}”. Blue: fed the truth. Red: fed its own output. ⟨ begin, ⟩ end."
    return [
        *rows,
        {"text": theme.escape(keys), "x": 0, "xref": "paper", "xanchor": "left", "y": 0.565, "yref": "paper",
         "showarrow": False, "font": {"size": 12, "color": tokens.soft}},
    ]  # fmt: skip


def _sign(x: float, y: float, text: str, colour: str, size: int, bold: bool = False) -> dict:
    text = theme.escape(theme.glyph(text))
    return {
        "x": x, "y": y, "text": f"<b>{text}</b>" if bold else text, "showarrow": False,
        "font": {"size": size, "family": theme.MONO, "color": colour},
    }  # fmt: skip


def _hover(symbols: tuple[str, ...], told: list[bool], seen: Fed | None) -> list[str]:
    said = []
    for t, symbol in enumerate(symbols):
        source = "the sign for begin" if t == 0 else ("the truth" if told[t] else "its own output")
        wrote = "" if seen is None else f", writes {theme.glyph(seen.written[t])}"
        said.append(theme.escape(f"symbol {t}: fed {source}{wrote}; right is {theme.glyph(symbol)}"))
    return said


def _tell(chance: float, step: int, told: list[bool], seen: Fed | None) -> str:
    known = sum(told[1:])
    said = (
        f"The chance of the truth is {chance:.2f}: {known} of {len(told) - 1} steps after the first read it."
    )
    if seen is None:
        return said
    if seen.first is None:
        return f"{said} All {len(told)} symbols are written right."
    wrong = len(told) - sum(seen.right)
    return f"{said} First own mistake at symbol {seen.first}; {wrong} of {len(told)} are wrong."


def need(model: object) -> Seq2Seq:
    """The model, if it is one that translates; LessonError else."""
    if not isinstance(model, Seq2Seq):
        raise LessonError("Hand in a trained Seq2Seq, such as task.model of this lesson.")
    return model
