"""Lesson 12 in pictures: where a network looks while it translates, and what else it might see.

translations(task.model, "twenty-one")            # step, choose a place, shut it out, set its weight
translations({"additive": …, "dot": …}, "45")      # the same for several networks
lengths({"with attention": …, "without": …})       # accuracy against length
"""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import plotly.graph_objects as go

from lessons.arguments import Between, Share, explained
from lessons.attention_trace import AttentionTrace, look
from lessons.edits import Edit
from lessons.errors import LessonError
from lessons.number_words import MILLION, words
from lessons.seq2seq import Seq2Seq
from lessons.tokens import Characters
from widgets import theme
from widgets.explorer import Explorer, Index, Pick, Slider, Switch, Text, Time

LONGEST = 44  # symbols of either side that the picture has room for
BEST = 7  # symbols whose chances are drawn
SHUT, SET = "shut out", "set"
CHANGES = {"nothing": None, "shut the place out": SHUT, "set the place's weight": SET}
OUT = -1e9  # an energy that leaves no weight
Whole = Annotated[int, Between(0)]
DASHES = ("solid", "dash", "dot", "dashdot")


@dataclass(frozen=True)
class Scene:
    """One sentence in a network's hands: untouched, and with what was changed."""

    plain: AttentionTrace
    now: AttentionTrace
    step: int
    place: int
    change: str | None


@explained
def attend(
    models: Seq2Seq | Mapping[str, Seq2Seq], text: str, step: Whole = 0, place: Whole = 0,
    change: str | None = None, weight: Share = 0.0, always: bool = False, network: str | None = None,
) -> theme.Figure:  # fmt: skip
    """Where a network looks while it writes: energies, weights, context and chances of one step, all weights.

    text: a sentence; digits stand for the English words of their number. step: of the decoder. place: a
    source position, for `change`: "shut out" takes its energy away, so that the others share its weight;
    "set" gives it `weight`, the others share the rest. always: at every step, not only at this one.
    Raises LessonError for what the network cannot read, what is too long, and networks without attention.
    """
    model = chosen(models, network)
    scene = staged(model, spelt(model, text), step, place, change, weight, always)
    return theme.figure(
        _map(scene),
        _gaze(scene.now),
        *_bars(scene),
        *_chances(scene),
        _context(scene),
        title=f"Where does it look to write “{theme.glyph(scene.now.written_labels[0][scene.step])}”?",
        summary=told(scene, truth(model, text)),
        height=theme.TOP + 70 + 620,
        margin={"l": 66, "r": 30, "t": theme.TOP + 14},
        shapes=_frames(scene),
        annotations=_headings(),
        bargap=0.25,
        **_axes(scene),
    )


@explained
def translations(models: Seq2Seq | Mapping[str, Seq2Seq], text: str = "twenty-one") -> Explorer:
    """The picture above with everything to choose; click on the map for a step and a place."""
    if not isinstance(models, Seq2Seq) and not models:
        raise LessonError("There is no network to look into; hand in one, or several by their names.")
    several = {} if isinstance(models, Seq2Seq) else {"network": Pick({name: name for name in models},
               next(iter(models)), label="network")}  # fmt: skip
    return Explorer(
        functools.partial(attend, models),
        clicked=_clicked,
        text=Text(text, label="source"),
        step=Time(maximum=LONGEST - 1, label="decoder step", pace=400),
        place=Index(LONGEST - 1, 0, label="source place"),
        change=Pick(CHANGES, None, label="change"),
        weight=Slider(0.0, 1.0, 1.0, 0.05, label="weight to set"),
        always=Switch(False, label="at every step"),
        **several,
    )


def chosen(models: Seq2Seq | Mapping[str, Seq2Seq], network: str | None) -> Seq2Seq:
    """One of the networks. Raises LessonError for a name that is none."""
    if isinstance(models, Seq2Seq):
        return models
    network = next(iter(models)) if network is None else network
    if network not in models:
        raise LessonError(f"There is no network {network!r}; there are {', '.join(models)}.")
    return models[network]


def spelt(model: Seq2Seq, text: str) -> str:
    """The text, or the English words of a number in digits where the network reads no digits.

    A tag at the front stays there: "<2de> 45" is "<2de> forty-five".
    """
    tag, number = _headed(model, text)
    if number.isascii() and number.isdecimal() and not set("0123456789") & set(model.source.symbols):
        return f"{tag} {words(int(number))}".strip()
    return text


def _headed(model: Seq2Seq, text: str) -> tuple[str, str]:
    """The tag at the front, if the network knows some, and the rest without spaces around it."""
    tag, rest = model.source.headed(text) if isinstance(model.source, Characters) else ("", text)
    return tag, rest.strip()


def truth(model: Seq2Seq, text: str) -> str:
    """What is right for a number typed in digits: words in the tag's language, or German ones, or the digits.

    Empty where nothing is known of what the network writes.
    """
    tag, number = _headed(model, text)
    if spelt(model, text) == text or int(number) >= MILLION:
        return ""
    written = set(model.target.symbols)
    if tag:
        return words(int(number), tag[2:-1])
    return words(int(number), "de") if {"ü", "ß"} <= written else number if {"0", "9"} <= written else ""


def staged(
    model: Seq2Seq, text: str, step: int, place: int, change: str | None, weight: float, always: bool
) -> Scene:
    """Translate twice, untouched and changed; step and place move to the nearest that there is."""
    if model.decoder.attention is None:
        raise LessonError("This network has no attention, so there is nothing to see; take one that has.")
    if change not in CHANGES.values():
        raise LessonError(f"A change is {SHUT!r}, {SET!r} or None; {change!r} is none of these.")
    length = len(model.source.encode(text))
    if length > LONGEST:
        raise LessonError(f"The picture has room for {LONGEST} symbols; these are {length}: take fewer.")
    plain = look(model, text, longest=LONGEST).select(0)
    place = min(place, length - 1)
    if change is None:
        return Scene(plain, plain, min(step, plain.steps - 1), place, None)
    at = min(step, plain.steps - 1)
    steps = None if always else [at]
    if change == SHUT:
        if length == 1:
            raise LessonError("Of one symbol none can be shut out; type a longer source.")
        edit = Edit("energies", OUT, units=[place], steps=steps)
    else:
        edit = Edit("weights", functools.partial(_shared, place, weight), steps=steps)
    now = look(model, text, edit=edit, longest=LONGEST).select(0)
    return Scene(plain, now, min(at, now.steps - 1), place, change)


def _shared(place: int, weight: float, weights: Any, step: int) -> Any:
    """Weights (B, S) with `weight` at one place and the rest of 1 dealt to the others as before."""
    others = weights.clone()
    others[:, place] = 0
    dealt = (1 - weight) * others / others.sum(-1, keepdim=True).clamp_min(1e-12)
    dealt[:, place] = weight
    return dealt


def told(scene: Scene, right: str) -> str:
    """The picture in words: what is written, where it looks, and what a change changes."""
    now, plain, step = scene.now, scene.plain, scene.step
    weights, chances = now.numpy("weights")[step], now.numpy("probabilities")[step]
    source, best = now.source_labels[0], int(chances.argmax())
    at = int(weights.argmax())
    sign = theme.glyph(now.vocabulary[best])
    where = f"{weights[at]:.0%} of the weight is on “{theme.glyph(source[at])}”, place {at}"
    if scene.change is None:
        verdict = "" if not right else " Right." if right == now.texts[0] else f" Wrong: {right} is right."
        says = f"“{sign}” is written with {chances[best]:.0%}"
        return f"Step {step} of “{now.texts[0]}”: {where}; {says}.{verdict}"
    what = "shut out" if scene.change == SHUT else f"at weight {weights[scene.place]:.2f}"
    before = min(step, plain.steps - 1)
    old = plain.numpy("probabilities")[before]
    first = int(old.argmax())
    same = now.texts[0] == plain.texts[0]
    whole = "the translation stays" if same else f"it writes “{now.texts[0]}”, no longer “{plain.texts[0]}”"
    moved = f"“{theme.glyph(plain.vocabulary[first])}” goes from {old[first]:.0%} to {chances[first]:.0%}"
    return f"“{theme.glyph(source[scene.place])}”, place {scene.place}, {what}: {moved}; {whole}."


def _map(scene: Scene) -> go.Heatmap:
    weights = scene.now.numpy("weights")
    source = [theme.escape(theme.glyph(sign)) for sign in scene.now.source_labels[0]]
    return go.Heatmap(
        z=weights, zmin=0, zmax=1, colorscale=theme.scale(theme.UNIT_SCALE), name="map", xgap=1, ygap=1,
        customdata=[source] * len(weights),
        hovertemplate="step %{y}, place %{x} “%{customdata}”: weight %{z:.3f}<extra></extra>",
        colorbar={"len": 0.5, "y": 0, "yanchor": "bottom", "x": 0.715,
                  "thickness": 10, "outlinewidth": 0, "tickvals": [0, 0.5, 1]},
    )  # fmt: skip


def _gaze(trace: AttentionTrace) -> go.Scatter:
    """From step to step, the place with the most weight."""
    best = trace.numpy("weights").argmax(-1)
    return go.Scatter(
        x=best, y=np.arange(len(best)), mode="lines", name="gaze", hoverinfo="skip",
        line={"color": "rgba(255,255,255,0.75)", "width": 1.5, "dash": "dot"},
    )  # fmt: skip


def _bars(scene: Scene) -> list[go.Bar]:
    """Energies and weights of the step over the source; the place that was changed is vermilion."""
    tokens = theme.tokens()
    touched = scene.place if scene.change else -1
    bars = []
    for name, axis in (("energies", "y3"), ("weights", "y2")):
        values = scene.now.numpy(name)[scene.step]
        values = np.where(values <= OUT / 2, np.nan, values)
        colours = [tokens.i if s == touched else tokens.f for s in range(len(values))]
        bars.append(
            go.Bar(x=np.arange(len(values)), y=[None if np.isnan(v) else float(v) for v in values], name=name,
                   yaxis=axis, marker={"color": colours}, hovertemplate="place %{x}: %{y:.3f}<extra></extra>")
        )  # fmt: skip
    return bars


def _chances(scene: Scene) -> list[go.Bar]:
    """The likeliest symbols of the step, with their chances now and, if something is changed, before."""
    tokens, now = theme.tokens(), scene.now.numpy("probabilities")[scene.step]
    old = scene.plain.numpy("probabilities")[min(scene.step, scene.plain.steps - 1)]
    best = np.argsort(-np.maximum(now, old), kind="stable")[:BEST][::-1]
    names = [f"{theme.escape(theme.glyph(scene.now.vocabulary[k]))} " for k in best]
    rows = [("untouched", old, tokens.edge), ("now", now, tokens.i if scene.change else tokens.f)]
    return [
        go.Bar(x=values[best], y=np.arange(len(best)), orientation="h", name=name, xaxis="x2", yaxis="y4",
               marker={"color": colour}, customdata=names, visible=name == "now" or scene.change is not None,
               hovertemplate="%{customdata}: %{x:.1%} " + name + "<extra></extra>")
        for name, values, colour in rows
    ]  # fmt: skip


def _context(scene: Scene) -> go.Heatmap:
    """The context's numbers as a block; the last row may have gaps."""
    values = scene.now.numpy("contexts")[scene.step]
    wide = max(8, 2 ** round(np.log2(max(1, len(values))) / 2))
    padded = np.full(-(-len(values) // wide) * wide, np.nan, dtype=np.float32)
    padded[: len(values)] = values
    rows = [[None if np.isnan(one) else float(one) for one in row] for row in padded.reshape(-1, wide)]
    return go.Heatmap(
        z=rows, zmin=-1, zmax=1, colorscale=theme.scale(theme.SIGNED_SCALE), xaxis="x3",
        yaxis="y5", showscale=False, name="context", xgap=1, ygap=1, hoverongaps=False,
        hovertemplate="%{z:.3f}<extra></extra>",
    )  # fmt: skip


def _frames(scene: Scene) -> list[dict]:
    """A frame around the row of the step, and around the column of the place where it is changed."""
    tokens, source = theme.tokens(), len(scene.now.source_labels[0])
    line = {"type": "rect", "x0": -0.5, "x1": source - 0.5, "y0": scene.step - 0.5, "y1": scene.step + 0.5,
            "line": {"color": tokens.i, "width": 2.5}}  # fmt: skip
    column = {"type": "rect", "x0": scene.place - 0.5, "x1": scene.place + 0.5, "y0": -0.5,
              "y1": scene.now.steps - 0.5, "visible": scene.change is not None,
              "line": {"color": tokens.i, "width": 1.5, "dash": "dash"}}  # fmt: skip
    return [line, column]


def _headings() -> list[dict]:
    """The four stages by number, over their panels."""
    places = (
        ("1  energies: how well each place answers", 0, 0.985),
        ("2  softmax: weights, together 1", 0, 0.81),
        ("all steps: a row is a step, a colour a weight", 0, 0.6),
        ("3  context: weighted mean", 0.79, 0.985),
        ("4  next symbol", 0.79, 0.6),
    )
    return [
        {"text": text, "x": x, "y": y, "xref": "paper", "yref": "paper", "xanchor": "left",
         "yanchor": "bottom", "yshift": 3, "showarrow": False,
         "font": {"size": 13, "color": theme.tokens().ink}}
        for text, x, y in places
    ]  # fmt: skip


def _axes(scene: Scene) -> dict[str, dict]:
    now, tokens = scene.now, theme.tokens()
    source, written = now.source_labels[0], now.written_labels[0]
    energies = now.numpy("energies")
    seen = energies[energies > OUT / 2]
    low, high = min(0.0, float(seen.min())), max(0.0, float(seen.max()))
    room = 0.06 * max(high - low, 0.1)
    small = {"family": theme.MONO, "color": tokens.ink}
    best = np.argsort(-np.maximum(
        now.numpy("probabilities")[scene.step],
        scene.plain.numpy("probabilities")[min(scene.step, scene.plain.steps - 1)],
    ), kind="stable")[:BEST][::-1]  # fmt: skip
    return {
        "xaxis": {"domain": [0, 0.7], "range": [-0.5, len(source) - 0.5], "showgrid": False, "anchor": "y",
                  "tickvals": list(range(len(source))), "tickangle": 0,
                  "title": {"text": "source, place by place"},
                  "ticktext": [_under(sign) for sign in source],
                  "tickfont": small | {"size": 13 if len(source) < 32 else 10}},
        "yaxis": {"domain": [0, 0.57], "range": [len(written) - 0.5, -0.5], "showgrid": False,
                  "tickvals": list(range(len(written))), "title": {"text": "written, step by step"},
                  "ticktext": [theme.escape(theme.glyph(sign)) for sign in written],
                  "tickfont": small | {"size": 13 if len(written) < 24 else 9}},
        "yaxis2": {"domain": [0.65, 0.79], "range": [0, 1.02], "anchor": "x", "tickvals": [0, 0.5, 1],
                   "title": {"text": "weight"}},
        "yaxis3": {"domain": [0.85, 0.98], "range": [low - room, high + room], "anchor": "x", "nticks": 4,
                   "title": {"text": "energy"}},
        "xaxis2": {"domain": [0.79, 1], "range": [0, 1], "anchor": "y4", "tickvals": [0, 0.5, 1],
                   "tickformat": ".0%", "title": {"text": "chance"}},
        "yaxis4": {"domain": [0, 0.57], "range": [-0.6, BEST - 0.4], "anchor": "x2", "showgrid": False,
                   "tickvals": list(range(len(best))), "tickfont": small | {"size": 14},
                   "ticktext": [theme.escape(theme.glyph(now.vocabulary[k])) for k in best]},
        "xaxis3": {"domain": [0.79, 1], "anchor": "y5", "visible": True, "showticklabels": False, "ticks": "",
                   "showgrid": False, "title": {"text": f"{now.contexts.shape[-1]} numbers, −1 to 1"}},
        "yaxis5": {"domain": [0.71, 0.97], "anchor": "x3", "visible": False},
    }  # fmt: skip


def _under(sign: str) -> str:
    """A source symbol below its column; a tag is wider than that, so it stands a line lower."""
    tag = sign.startswith("<2") and sign.endswith(">")
    return "<br>" * tag + theme.escape(theme.glyph(sign))


def _clicked(points: Any) -> dict[str, int] | None:
    """A cell of the map is a step and a place; a bar over the source is a place."""
    where = points.point_inds[0]
    if points.trace_name == "map":
        return {"step": int(where[0]), "place": int(where[1])}
    return {"place": int(where)} if points.trace_name in ("energies", "weights") else None


@explained
def lengths(found: Mapping[str, Mapping[str, float]]) -> theme.Figure:
    """The share of sentences right, in %, over the length of the source: a line for each network.

    found: what lessons.length_study.by_length gives, by network.
    """
    if not found or not all(found.values()):
        raise LessonError("There is no network to draw; give what by_length found for one at least.")
    bands = list(dict.fromkeys(band for shares in found.values() for band in shares))
    told = "; ".join(
        f"{name}: {shares[short]:.0f} % right at {short} characters, {shares[long]:.0f} % at {long}"
        for name, shares in found.items()
        for short, long in [(next(iter(shares)), list(shares)[-1])]
    )
    return theme.figure(
        *(_by_band(name, shares, place) for place, (name, shares) in enumerate(found.items())),
        title="How long may a sentence be?", summary=f"{told[0].upper()}{told[1:]}.",
        x="length of the source, characters", y="sentences right as a whole, %",
        height=theme.TOP + 56 + 300, margin={"r": 190},
        xaxis={"type": "category", "categoryarray": bands, "range": [-0.2, len(bands) - 0.95]},
        yaxis={"range": [0, 112], "tickvals": [0, 25, 50, 75, 100]},
    )  # fmt: skip


def _by_band(name: str, shares: Mapping[str, float], place: int) -> go.Scatter:
    """One network's line, its name beside the last point."""
    colour, texts = theme.colour("figo"[place % 4]), [f"{value:.0f} %" for value in shares.values()]
    texts[-1] = f" {theme.escape(name)} {texts[-1]}"
    return go.Scatter(
        x=list(shares), y=list(shares.values()), name=name, mode="lines+markers+text", cliponaxis=False,
        text=texts, textposition=["top center"] * (len(texts) - 1) + ["middle right"],
        line={"color": colour, "dash": DASHES[place % 4], "width": 2.5}, textfont={"color": colour},
        hovertemplate="%{x} characters: %{y:.1f} %<extra></extra>",
    )  # fmt: skip
