"""Google's translation network, scaled down, as a drawing whose parts light up with what they compute.

network(task.model, "forty-five")          # step through the decoder; layers, attention, context, output
"""

import functools

import numpy as np
import plotly.graph_objects as go

from lessons.arguments import explained
from lessons.attention_trace import AttentionTrace, look
from lessons.decoder import BOTTOM
from lessons.encoder import BOTTOM as BOTTOM_BOTH
from lessons.errors import LessonError
from lessons.seq2seq import Seq2Seq
from widgets import theme
from widgets.attention import Whole, spelt, truth
from widgets.explorer import Explorer, Text, Time

LONGEST = 20  # symbols of either side that the drawing has room for
GAP = 4  # columns between encoder and decoder, with the attention in the middle
MIDDLE, ABOVE = 1.3, 1.3  # the attention: right of the source, above the stacks
FAINT = 0.02  # weights below this have no line


@explained
def lit(model: Seq2Seq, text: str, step: Whole = 0) -> theme.Figure:
    """Both stacks of a network at one step of the decoder, as in Wu et al. (2016), figure 1.

    A box is a layer at a place or a step; its colour is how strong its output is, the root of the mean square
    of its numbers, sums of residual connections included. Lines to the attention are as wide as the weights.
    Raises LessonError for what cannot be read, has no room, and for networks without attention.
    """
    if model.decoder.attention is None:
        raise LessonError("This drawing is of a network with attention; this one has none.")
    source = spelt(model, text)
    if (length := len(model.source.encode(source))) > LONGEST:
        raise LessonError(f"The drawing has room for {LONGEST} symbols; these are {length}: take fewer.")
    seen = look(model, source, longest=LONGEST).select(0)
    step = min(step, seen.steps - 1)
    encoder, decoder = strengths(model, seen)
    rows, right = len(encoder), length + GAP
    top = max(rows, len(decoder))
    lighted = np.where(np.arange(seen.steps) <= step, decoder, np.nan)
    highest = float(max(encoder.max(), decoder.max()))
    return theme.figure(
        _boxes(encoder, 0, highest, "encoder", True),
        _boxes(lighted, right, highest, "decoder", False),
        title="What does each part of the network do at this step?",
        summary=_told(model, seen, step, truth(model, text)),
        height=theme.TOP + 40 + 76 * (top + 2),
        margin={"l": 74, "r": 90, "b": 40},
        shapes=[*_looks(seen, step, rows, length, top), *_context(model, step, len(decoder), right, top)],
        annotations=[
            *_letters(seen, step, right, top), *_names(rows, length, right, top, seen.steps),
            *_ways(model, rows, length),
        ],
        xaxis={"range": [-1.0, right + seen.steps], "visible": False},
        yaxis={"range": [-0.55, top + 1.9], "showgrid": False, "tickvals": list(range(1, top + 1)),
               "ticktext": [f"layer {k}" for k in range(1, top + 1)], "title": {"text": "stack of layers"}},
    )  # fmt: skip


@explained
def network(model: Seq2Seq, text: str = "forty-five") -> Explorer:
    """The drawing with the source to type and the decoder to step through."""
    return Explorer(
        functools.partial(lit, model),
        text=Text(text, label="source"),
        step=Time(maximum=LONGEST - 1, label="decoder step", pace=500),
    )


def strengths(model: Seq2Seq, seen: AttentionTrace) -> tuple[np.ndarray, np.ndarray]:
    """Root mean square of what each layer gives on: encoder (L, S) and decoder (L, U), of one sentence."""
    stack, given = [], None
    for layer in range(len(seen.decoder)):
        own = seen["h", layer][0]
        given = given + own if model.decoder.residual and layer else own
        stack.append(given)
    parts = [[part[0] for part in seen.encoder], stack]
    encoder, decoder = ([part.float().pow(2).mean(-1).sqrt().cpu().numpy() for part in row] for row in parts)
    return np.stack(encoder), np.stack(decoder)


def _boxes(values: np.ndarray, left: int, highest: float, name: str, scale: bool) -> go.Heatmap:
    shown = [[None if np.isnan(one) else float(one) for one in row] for row in values]  # JSON has no NaN
    return go.Heatmap(
        z=shown, x=left + np.arange(values.shape[1]), y=1 + np.arange(len(values)), zmin=0, zmax=highest,
        colorscale=theme.scale(theme.UNIT_SCALE), xgap=3, ygap=30, name=name, hoverongaps=False,
        showscale=scale, hovertemplate=name + ", layer %{y}: %{z:.2f}<extra></extra>",
        colorbar={"title": {"text": "strength"}, "thickness": 10, "len": 0.6, "outlinewidth": 0},
    )  # fmt: skip


def _looks(seen: AttentionTrace, step: int, rows: int, length: int, top: int) -> list[dict]:
    """Lines from the encoder's top to the attention, as wide as the weights."""
    tokens, x, y = theme.tokens(), length + MIDDLE, top + ABOVE
    weights = seen.numpy("weights")[step]
    lines = [
        {"type": "line", "x0": place, "y0": rows + 0.34, "x1": x, "y1": y, "layer": "below",
         "line": {"color": tokens.i, "width": 1 + 7 * float(weight)}, "visible": bool(weight > FAINT)}
        for place, weight in enumerate(weights)
    ]  # fmt: skip
    circle = {"type": "circle", "x0": x - 0.5, "x1": x + 0.5, "y0": y - 0.17, "y1": y + 0.17,
              "fillcolor": tokens.i, "line": {"color": tokens.i}}  # fmt: skip
    return [*lines, circle]


def _context(model: Seq2Seq, step: int, layers: int, right: int, top: int) -> list[dict]:
    """The question that a layer asks, the way of the context to who reads it, and a frame around the step."""
    tokens, column, x, y = theme.tokens(), right + step, right - GAP + MIDDLE, top + ABOVE
    bottom = model.decoder.place == BOTTOM
    asks, lane = (1 if bottom else layers), column + 0.66
    readers = [*(range(2, layers + 1) if bottom else ()), top + 0.8]
    left, floor = column - 0.62, 0.53
    query = f"M {column - 0.5} {asks - 0.2} L {left} {asks - 0.2} L {left} {floor} L {x} {floor} L {x} {y}"
    context = f"M {x} {y} L {lane} {y} L {lane} {readers[0]}"
    context += "".join(f" M {lane} {reader} L {column + 0.5} {reader}" for reader in readers)
    frame = {"type": "rect", "x0": column - 0.5, "x1": column + 0.5, "y0": 0.64, "y1": layers + 0.36,
             "line": {"color": tokens.mark, "width": 2}}  # fmt: skip
    return [
        {"type": "path", "path": query, "line": {"color": tokens.f, "width": 2, "dash": "dot"}},
        {"type": "path", "path": context, "line": {"color": tokens.i, "width": 2}},
        frame,
    ]


def _letters(seen: AttentionTrace, step: int, right: int, top: int) -> list[dict]:
    """What is read below, what is written above; steps to come are left out."""
    tokens = theme.tokens()

    def letter(x: float, y: float, sign: str, colour: str) -> dict:
        return {"x": x, "y": y, "text": f"<b>{theme.escape(theme.glyph(sign))}</b>", "showarrow": False,
                "font": {"family": theme.MONO, "size": 15, "color": colour}}  # fmt: skip

    read = [letter(x, 0.25, sign, tokens.ink) for x, sign in enumerate(seen.source_labels[0])]
    so_far = seen.fed_labels[0][: step + 1]
    fed = [letter(right + x, 0.25, sign, tokens.soft) for x, sign in enumerate(so_far)]
    written = [
        letter(right + x, top + 0.8, sign, tokens.i if x == step else tokens.ink)
        for x, sign in enumerate(seen.written_labels[0][: step + 1])
    ]
    return [*read, *fed, *written]


def _names(rows: int, length: int, right: int, top: int, steps: int) -> list[dict]:
    tokens = theme.tokens()
    places = [
        ((length - 1) / 2, -0.3, "encoder reads the source", tokens.soft),
        (right + (steps - 1) / 2, -0.3, "decoder reads what was written", tokens.soft),
        (length + MIDDLE, top + ABOVE + 0.38, "attention", tokens.i),
        (right + (steps - 1) / 2, top + ABOVE + 0.3, "written", tokens.soft),
    ]
    return [
        {"x": x, "y": y, "text": text, "showarrow": False, "font": {"size": 13, "color": colour}}
        for x, y, text, colour in places
    ]  # fmt: skip


def _ways(model: Seq2Seq, rows: int, length: int) -> list[dict]:
    """Which way each layer of the encoder reads, at its end; a plus where a residual connection adds."""
    reading = model.encoder.reading
    both = [reading == "both" or (reading == BOTTOM_BOTH and row == 0) for row in range(rows)]
    plus = [model.encoder.residual and row > 0 and not both[row - 1] for row in range(rows)]
    return [
        {"x": length - 0.1, "y": row + 1, "xanchor": "left", "showarrow": False,
         "text": f"{'⇄' if both[row] else '←' if reading == 'backward' else '→'}{' +' if plus[row] else ''}",
         "font": {"size": 15, "color": theme.tokens().soft}}
        for row in range(rows)
    ]  # fmt: skip


def _told(model: Seq2Seq, seen: AttentionTrace, step: int, right: str) -> str:
    weights, chances = seen.numpy("weights")[step], seen.numpy("probabilities")[step]
    at, best = int(weights.argmax()), int(chances.argmax())
    asks = "lowest" if model.decoder.place == BOTTOM else "highest"
    source, sign = seen.source_labels[0][at], seen.vocabulary[best]
    verdict = "" if not right else " Right." if right == seen.texts[0] else f" Wrong: {right} is right."
    return (
        f"Step {step} of “{seen.texts[0]}”: the {asks} decoder layer asks, {weights[at]:.0%} of the answer "
        f"comes from “{theme.glyph(source)}”, “{theme.glyph(sign)}” is written with {chances[best]:.0%}."
        f"{verdict}"
    )
