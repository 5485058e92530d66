"""Lesson 11: what a decoder's first own mistake does to the rest of the sentence.

two_runs(model, "forty-five", "fünfundvierzig")   # fed the truth above, fed its own symbols below
after(exposure)                                   # right symbols by place, and behind the first mistake
ways(outcomes)                                    # several trainings side by side
"""

import functools
from collections.abc import Mapping, Sequence

import plotly.graph_objects as go
import torch

from lessons import switchboard
from lessons.arguments import Count, explained
from lessons.curriculum import Exposure
from lessons.errors import LessonError
from lessons.pairs import Pair
from lessons.seq2seq import Seq2Seq
from lessons.switchboard import Fed
from widgets import theme
from widgets.explorer import Explorer, Index

PLACES = 30  # of a sentence, in the picture by place
ROWS = {"the truth": 4.0, "fed the truth": 3.0, "fed its own": 2.0}  # heights of the letters


@explained
def two_runs(model: Seq2Seq, source: str, truth: str) -> theme.Figure:
    """The same trained network on the same sentence, fed the truth and fed its own symbols.

    Wrong symbols are red, the first mistake of either is framed; below, the probability of the right symbol.
    """
    forced = switchboard.under(model, source, truth)
    free = switchboard.under(model, source, truth, torch.zeros(len(forced.truth), dtype=torch.bool))
    tokens, steps = theme.tokens(), list(range(len(forced.truth)))
    return theme.figure(
        _chances(steps, forced, tokens.f, "solid", "truth fed"),
        _chances(steps, free, tokens.i, "dot", "own fed"),
        title="What follows the first own mistake?", summary=_tell(forced, free),
        height=theme.TOP + 56 + 380, margin={"l": 118, "r": 96},
        shapes=_frames(forced), annotations=[*_rows(source, forced, free), *_ends(forced, free)],
        x="symbol of the sentence",
        xaxis={"range": [-0.7, len(steps) - 0.3], "showgrid": False, "nticks": 12, "anchor": "y"},
        yaxis={"domain": [0, 0.46], "range": [-0.04, 1.06], "title": {"text": "chance of the right one"}},
        yaxis2={"domain": [0.52, 1], "range": [1.4, 5.1], "visible": False, "anchor": "x"},
    )  # fmt: skip


@explained
def explore(model: Seq2Seq, pairs: Sequence[Pair]) -> Explorer:
    """The picture above over some sentences, one of them picked by its number."""
    if not pairs:
        raise LessonError("There is no sentence to choose from; hand in pairs such as task.held['valid'].")
    kept = tuple(pairs)
    return Explorer(
        functools.partial(_picked, model=model, pairs=kept),
        sentence=Index(len(kept) - 1, 0, label="sentence"),
    )


@explained
def mistaken(model: Seq2Seq, pairs: Sequence[Pair], most: Count = 20) -> list[Pair]:
    """Pairs that the network gets wrong, those with the earliest first mistakes first; all if none is."""
    firsts = {pair: switchboard.under(model, *pair).first for pair in pairs[: 4 * most]}
    wrong = sorted((pair for pair in firsts if firsts[pair] is not None), key=firsts.get)
    return wrong[:most] or list(pairs[:most])


@explained
def after(seen: Exposure, steps: Count = 12) -> theme.Figure:
    """The share of right symbols by their place, and by their distance from the sentence's first mistake."""
    tokens, lines = theme.tokens(), seen.after(steps)
    asked = seen.asked.sum(0)
    places = [place for place in range(min(PLACES, seen.asked.shape[1])) if asked[place] > 0]
    shares = [
        [float(right[:, place][seen.asked[:, place]].float().mean()) for place in places]
        for right in (seen.right_forced, seen.right_free)
    ]
    behind = list(range(1, steps + 1))
    known = [ahead for ahead, value in enumerate(lines["own"]) if value == value]
    told = "No sentence has a mistake with symbols behind it."
    if known:
        truth, own = ([lines[name][at] for at in known] for name in ("truth", "own"))
        told = (
            f"Behind the first mistake {sum(truth) / len(truth):.0%} of the next {len(known)} symbols are "
            f"right if the truth is fed, {sum(own) / len(own):.0%} if its own are."
        )
    return theme.figure(
        _line(places, shares[0], tokens.f, "solid", ""), _line(places, shares[1], tokens.i, "dot", ""),
        _line(behind, lines["truth"], tokens.f, "solid", "2"),
        _line(behind, lines["own"], tokens.i, "dot", "2"),
        title="How far does one mistake reach?",
        summary=f"{seen.forced:.1%} of all symbols are right fed the truth, {seen.free:.1%} alone. {told}",
        height=theme.TOP + 56 + 320, margin={"r": 96, "t": theme.TOP + 16},
        annotations=[
            _head("x", "y", "by place in the sentence"), _head("x2", "y2", "behind the first mistake"),
            *_names(lines, known),
        ],
        xaxis={"domain": [0, 0.45], "title": {"text": "place of the symbol"}},
        xaxis2={"domain": [0.55, 1], "anchor": "y2", "title": {"text": "symbols behind the first mistake"}},
        yaxis={"range": [-0.03, 1.05], "title": {"text": "share of symbols right"}},
        yaxis2={"range": [-0.03, 1.05], "anchor": "x2"},
    )  # fmt: skip


@explained
def ways(outcomes: Mapping[str, Exposure]) -> theme.Figure:
    """Several trainings: symbols right fed the truth, symbols right alone, whole sentences right alone."""
    if not outcomes:
        raise LessonError("There is no training to draw; hand in exposures by the name of the training.")
    tokens, names = theme.tokens(), list(outcomes)
    figures = {
        "symbols, truth fed": [100 * seen.forced for seen in outcomes.values()],
        "symbols, alone": [100 * seen.free for seen in outcomes.values()],
        "sentences, alone": [100 * whole(seen) for seen in outcomes.values()],
    }
    colours = (tokens.f, tokens.i, tokens.edge)
    bars = [
        go.Bar(x=names, y=values, name=name, marker={"color": colour}, width=0.26, offset=0.28 * k - 0.41,
               text=[f"{value:.0f}" for value in values], textposition="outside", cliponaxis=False,
               hovertemplate=f"%{{x}}, {name}: %{{y:.1f}} %<extra></extra>")
        for k, ((name, values), colour) in enumerate(zip(figures.items(), colours, strict=True))
    ]  # fmt: skip
    gaps = [fed - alone for fed, alone in zip(*list(figures.values())[:2], strict=True)]
    told = "; ".join(f"{name} {gap:.1f}" for name, gap in zip(names, gaps, strict=True))
    keys = [
        {"text": f"■ {name}", "x": 0.33 * k, "xref": "paper", "xanchor": "left", "y": 1.03, "yref": "paper",
         "yanchor": "bottom", "showarrow": False, "font": {"size": 13, "color": colour}}
        for k, (name, colour) in enumerate(zip(figures, (tokens.f, tokens.i, tokens.soft), strict=True))
    ]  # fmt: skip
    return theme.figure(
        *bars, title="Who writes best alone?",
        summary=f"Points between the symbols right fed the truth and alone: {told}.",
        height=theme.TOP + 56 + 330, margin={"t": theme.TOP + 28}, annotations=keys,
        x="the truth was fed while learning", y="right, %", xaxis={"showgrid": False},
        yaxis={"range": [0, 109]},
    )  # fmt: skip


def whole(seen: Exposure) -> float:
    """The share of sentences without any mistake."""
    return float((seen.right_free | ~seen.asked).all(1).float().mean())


def _picked(sentence: int, model: Seq2Seq, pairs: tuple[Pair, ...]) -> theme.Figure:
    return two_runs(model, *pairs[sentence])


def _rows(source: str, forced: Fed, free: Fed) -> list[dict]:
    """The truth and both runs, letter by letter."""
    tokens, size = theme.tokens(), 15 if len(forced.truth) <= 30 else 12
    lines = (forced.truth, forced.written, free.written)
    right = ((True,) * len(forced.truth), forced.right, free.right)
    notes = [
        _note(t, y, f"<b>{_shown(symbol)}</b>" if not fine else _shown(symbol),
              tokens.ink if fine else tokens.i, size, family=theme.MONO)
        for y, line, fines in zip(ROWS.values(), lines, right, strict=True)
        for t, (symbol, fine) in enumerate(zip(line, fines, strict=True))
    ]  # fmt: skip
    for name, y in ROWS.items():
        notes.append(_note(0, y, name, tokens.ink, 13, xref="paper", xanchor="right", xshift=-8))
    heading = theme.escape(f"“{source}”; wrong symbols in red")
    return [*notes, _note(0, 4.9, heading, tokens.soft, 12, xref="paper", xanchor="left")]


def _frames(forced: Fed) -> list[dict]:
    """Both runs are the same up to the first mistake, so one frame holds both."""
    if forced.first is None:
        return []
    t = forced.first
    return [{
        "type": "rect", "x0": t - 0.46, "x1": t + 0.46, "y0": 1.55, "y1": 3.45, "yref": "y2",
        "line": {"color": theme.tokens().i, "width": 2.4},
    }]  # fmt: skip


def _chances(steps: list[int], fed: Fed, colour: str, dash: str, name: str) -> go.Scatter:
    return go.Scatter(
        x=steps, y=fed.chances, mode="lines+markers", marker={"size": 5},
        line={"color": colour, "dash": dash, "width": 2.2},
        hovertemplate=f"symbol %{{x}}, {name}: %{{y:.2f}}<extra></extra>",
    )  # fmt: skip


def _ends(forced: Fed, free: Fed) -> list[dict]:
    """Names at the ends of the two lines, kept apart."""
    tokens = theme.tokens()
    high, low = max(forced.chances[-1], 0.12), free.chances[-1]
    return [
        _note(1, y, name, colour, 13, xref="paper", xanchor="left", xshift=8, yref="y")
        for name, y, colour in (("truth fed", high, tokens.f), ("own fed", min(low, high - 0.12), tokens.i))
    ]


def _line(x: list[int], y: list[float], colour: str, dash: str, axis: str) -> go.Scatter:
    return go.Scatter(
        x=x, y=y, xaxis=f"x{axis}", yaxis=f"y{axis}", mode="lines+markers", marker={"size": 5},
        line={"color": colour, "dash": dash, "width": 2.4}, hovertemplate="%{x}: %{y:.2f}<extra></extra>",
    )  # fmt: skip


def _names(lines: Mapping[str, list[float]], known: list[int]) -> list[dict]:
    tokens = theme.tokens()
    truth, own = (lines[name][known[-1]] if known else 0.5 for name in ("truth", "own"))
    truth = max(truth, own + 0.09)
    return [
        _note(1, y, name, colour, 13, xref="paper", xanchor="left", xshift=8)
        for name, y, colour in (("truth fed", truth, tokens.f), ("own fed", own, tokens.i))
    ]


def _head(x: str, y: str, text: str) -> dict:
    place = {"xref": f"{x} domain", "yref": f"{y} domain", "xanchor": "left", "yanchor": "bottom"}
    return _note(0, 1.01, text, theme.tokens().ink, 13, **place)


def _note(x: float, y: float, text: str, colour: str, size: int, family: str = theme.SANS, **place) -> dict:
    font = {"size": size, "color": colour, "family": family}
    return {"x": x, "y": y, "yref": "y2", "text": text, "showarrow": False, "font": font} | place


def _shown(symbol: str) -> str:
    return theme.escape(theme.glyph(symbol))


def _tell(forced: Fed, free: Fed) -> str:
    if forced.first is None:
        return f"No mistake in {len(forced.truth)} symbols: being fed the truth or its own is then the same."
    rest = len(forced.truth) - forced.first - 1
    behind = [sum(seen.right[forced.first + 1 :]) for seen in (forced, free)]
    return (
        f"First mistake at symbol {forced.first}: {forced.written[forced.first]!r} for "
        f"{forced.truth[forced.first]!r}. Of the {rest} behind it {behind[0]} are right fed the truth, "
        f"{behind[1]} fed its own."
    )
