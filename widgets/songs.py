"""Lesson 14 in pictures and sound.

songs.book(model)                  # choose dance, metre and key; let the network write; see it and hear it
songs.roll(tune, model)            # one tune as a piano roll, coloured by the network's certainty
songs.curves(song_study.load())    # what adds up at each temperature, and what is copied
songs.follow(trace, score)         # one unit over a tune, its bars marked
"""

import plotly.graph_objects as go

from lessons.arguments import explained
from lessons.song_study import BOOKS, COPIED, COUNTED, LSTM, Study
from lessons.tracing import Trace
from lessons.tune_scores import MEASURES
from lessons.units import Score
from widgets import theme
from widgets.piano_roll import roll
from widgets.song_book import book

__all__ = ["book", "curves", "follow", "roll"]


@explained
def curves(study: Study) -> theme.Figure:
    """What adds up and what is copied at each temperature: network, n-gram, and held-out tunes as a line.

    Five small panels with one horizontal axis: the shares of tune_scores, and the longest copied span.
    """
    tokens, heats = theme.tokens(), list(study.temperatures)
    colours, dashes = {LSTM: tokens.f, COUNTED: tokens.i}, {LSTM: "solid", COUNTED: "dash"}
    measures = (*MEASURES, COPIED)
    traces, layout, notes = [], {}, []
    top = 1.1 * max(max(study.figures[n][COPIED]) for n in colours)
    for place, measure in enumerate(measures):
        row, column = divmod(place, 3)
        suffix = str(place + 1) if place else ""
        x_axis, y_axis = f"x{suffix}", f"y{suffix}"
        for writer, colour in colours.items():
            values = study.figures[writer][measure]
            traces.append(go.Scatter(
                x=heats, y=values, mode="lines+markers", xaxis=x_axis, yaxis=y_axis,
                line={"color": colour, "width": 2.2, "dash": dashes[writer]}, marker={"size": 6},
                hovertemplate=f"{writer}, temperature %{{x:g}}: %{{y:.2f}}<extra></extra>",
            ))  # fmt: skip
        books = study.books[measure]
        traces.append(go.Scatter(
            x=[heats[0], heats[-1]], y=[books, books], mode="lines", xaxis=x_axis, yaxis=y_axis,
            line={"color": tokens.soft, "width": 1.4, "dash": "dot"},
            hovertemplate=f"{BOOKS}: {books:.2f}<extra></extra>",
        ))  # fmt: skip
        left, lower = column * 0.355, 0.58 if row == 0 else 0.0
        layout[f"xaxis{suffix}"] = {
            "domain": [left, left + 0.28], "anchor": y_axis, "range": [heats[0] - 0.05, heats[-1] + 0.05],
            "title": {"text": "temperature"}, "nticks": 6,
        }  # fmt: skip
        layout[f"yaxis{suffix}"] = {
            "domain": [lower, lower + 0.38], "anchor": x_axis,
            "range": [0, top] if measure == COPIED else [-0.03, 1.05],
            "title": {"text": "characters" if measure == COPIED else "share"},
        }  # fmt: skip
        notes.append({
            "text": f"<b>{measure}</b>", "x": 0, "xref": f"{x_axis} domain", "xanchor": "left", "y": 1.03,
            "yref": f"{y_axis} domain", "yanchor": "bottom", "showarrow": False,
        })  # fmt: skip
    for place, (writer, colour) in enumerate([*colours.items(), (BOOKS, tokens.soft)]):
        sign = {LSTM: "───", COUNTED: "– – –"}.get(writer, "· · · ·")
        notes.append({
            "text": f"{sign} {writer}", "x": 0.73, "xref": "paper", "xanchor": "left",
            "y": 0.3 - 0.08 * place, "yref": "paper", "showarrow": False,
            "font": {"color": colour, "size": 14},
        })  # fmt: skip
    return theme.figure(
        *traces, title="How hot may a network be that keeps the bar?", summary=_compared(study),
        height=theme.TOP + 56 + 480, annotations=notes, margin={"t": theme.TOP + 26}, **layout,
    )  # fmt: skip


def _compared(study: Study) -> str:
    bars = MEASURES[1]
    cool, hot = study.temperatures[0], study.temperatures[-1]
    network, counted = (study.figures[writer][bars] for writer in (LSTM, COUNTED))
    return (
        f"Bars that add up, from temperature {cool:g} to {hot:g}: the network's {network[0]:.0%} to "
        f"{network[-1]:.0%}, the {COUNTED}'s {counted[0]:.0%} to {counted[-1]:.0%}; in held-out tunes "
        f"{study.books[bars]:.0%}."
    )


@explained
def follow(seen: Trace, score: Score, signal: str | None = None) -> theme.Figure:
    """The unit that follows a feature best, over one tune, the trace's first sequence.

    Dotted lines stand at bar lines. A pure picture.
    """
    signal = signal or score.signal
    values = seen.numpy(signal, score.layer)[:, score.best]
    labels = seen.labels[0]
    limit = float(abs(values).max()) or 1.0
    tokens = theme.tokens()
    marks = [k for k, sign in enumerate(labels) if sign == "|"]
    line = go.Scatter(
        x=list(range(len(labels))), y=values, mode="lines+markers", marker={"size": 4},
        line={"color": tokens.ink, "width": 1.8}, customdata=[theme.escape(theme.glyph(c)) for c in labels],
        hovertemplate="%{customdata}: %{y:.2f}<extra></extra>",
    )  # fmt: skip
    return theme.figure(
        line, title=f"When does unit {score.best} know that “{score.feature}”?", summary=str(score),
        x="the tune, character by character", y=f"{signal} of unit {score.best}",
        height=theme.TOP + 56 + 280, margin={"b": 72},
        shapes=[
            {"type": "line", "x0": at, "x1": at, "yref": "paper", "y0": 0, "y1": 1, "layer": "below",
             "line": {"color": tokens.edge, "width": 1, "dash": "dot"}} for at in marks
        ],
        xaxis={
            "range": [-0.5, len(labels) - 0.5], "showgrid": False, "ticks": "",
            "tickvals": list(range(len(labels))), "ticktext": [theme.escape(theme.glyph(c)) for c in labels],
            "tickangle": 0, "tickfont": {"family": theme.MONO, "size": 10 if len(labels) <= 90 else 8},
        },
        yaxis={"range": [-1.1 * limit, 1.1 * limit]},
    )  # fmt: skip
