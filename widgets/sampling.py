"""The weighted die: the next character's probabilities, rolled, forced, and rolled again.

`die(model, "ROMEO:")` runs in the browser; under the same seed it writes what `lessons.sampling.generate`
writes. `temperatures` lays samples at several temperatures beside one another.
"""

import html
from collections.abc import Mapping, Sequence
from typing import Any

import anywidget
import plotly.graph_objects as go
import torch
import traitlets

from lessons import CharModel, sampling
from lessons.arguments import Seed, explained, sort_out
from lessons.errors import LessonError
from widgets import esm, slots, theme, weights

SHOWN = 16  # characters in the static picture


class Die(anywidget.AnyWidget):
    """What `die` displays.

    picks: the characters added so far, as [number in the vocabulary, roll], the roll None where the character
    was forced. used: how many rolls were taken from the seed's sequence. top_k 0 and top_p 1 cut nothing.
    """

    _esm = esm.bundle("die.js")
    _css = f"{esm.style()}\n{esm.read('die.css')}"
    _model = traitlets.Dict().tag(sync=True)
    seed_text = traitlets.Unicode("").tag(sync=True)
    picks = traitlets.List().tag(sync=True)
    used = traitlets.Int(0).tag(sync=True)
    temperature = traitlets.Float(1.0).tag(sync=True)
    top_k = traitlets.Int(0).tag(sync=True)
    top_p = traitlets.Float(1.0).tag(sync=True)
    seed = traitlets.Int(0).tag(sync=True)
    theme = traitlets.Enum(("auto", "light", "dark"), "auto").tag(sync=True)
    message = traitlets.Unicode("").tag(sync=True)

    @property
    def text(self) -> str:
        """The text so far: what was given and what was added."""
        vocabulary = self._model.get("vocabulary", ())
        return self.seed_text + "".join(vocabulary[index] for index, _ in self.picks)

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle = super()._repr_mimebundle_(**kwargs)
        return {**(bundle[0] if isinstance(bundle, tuple) else bundle), **self._still}

    _still: Mapping[str, str] = {"text/plain": "The weighted die."}


def die(
    model: CharModel,
    seed_text: str = "",
    *,
    temperature: sampling.Heat = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    seed: Seed = 0,
) -> Die:
    """Roll for the next character after `seed_text`, again and again, or choose it yourself.

    The model runs in the browser, so that rolling needs no kernel and works in an exported page. Problems are
    said in the widget's message line, what is wrong is left as it would be without; nothing is raised.
    `.text` is what has been written so far.
    """
    asked = {"seed_text": seed_text, "temperature": temperature, "top_k": top_k, "top_p": top_p, "seed": seed}
    settings, wrong = sort_out(die, asked)
    text, cuts = settings.pop("seed_text", ""), {k: v for k, v in settings.items() if k != "seed"}
    widget = Die(seed_text=text, theme="dark" if theme.tokens() is theme.DARK else "auto")
    slots.keep(widget)
    try:
        widget._model = weights.pack(model)
        level = torch.zeros(len(model.vocabulary), device="cpu", dtype=torch.float32)
        sampling.distribution(level, **cuts)  # refuses settings before the text is read
        for name, value in settings.items():
            setattr(widget, name, _UNCUT[name] if value is None else value)
        if wrong:
            raise LessonError(wrong[0])
        picture = chances(model, text, **cuts)
    except LessonError as problem:
        widget.message = str(problem)
        return widget
    widget._still = {**theme.png(picture), "text/plain": picture.summary}
    return widget


_UNCUT = {"top_k": 0, "top_p": 1.0}


@explained
def chances(
    model: CharModel,
    text: str,
    temperature: sampling.Heat = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
) -> theme.Figure:
    """The likeliest next characters after `text` as bars; a line marks each at temperature 1, uncut.

    A pure picture. Raises LessonError for characters the model has never seen and settings out of bounds.
    """
    draw = next(sampling.stream(model, text, temperature=temperature, top_k=top_k, top_p=top_p))
    plain = next(sampling.stream(model, text)).probabilities
    now = draw.probabilities
    order = now.argsort(descending=True, stable=True)[:SHOWN].tolist()
    names = [theme.escape(theme.glyph(model.vocabulary.symbols[index])) for index in order]
    shares, marks = 100 * now[order].cpu(), 100 * plain[order].cpu()
    rows = list(range(len(order)))
    bars = go.Bar(
        x=shares.numpy(), y=rows, orientation="h", marker={"color": theme.colour("f")}, customdata=names,
        texttemplate="%{x:.1f} %", textposition="outside", cliponaxis=False,
        hovertemplate="%{customdata} %{x:.2f} %<extra></extra>",
    )  # fmt: skip
    lines = go.Scatter(
        x=marks.numpy(), y=rows, mode="markers", hoverinfo="skip",
        marker={"symbol": "line-ns", "size": 15, "line": {"width": 2, "color": theme.tokens().mark}},
    )  # fmt: skip
    drawn = [bars] if temperature == 1 and not top_k and not top_p else [bars, lines]
    return theme.figure(
        *drawn,
        title=f"What comes after “{_end(text)}”?" if text else "What comes first?",
        summary=_spread(now, model, order[0], len(drawn) > 1),
        x="probability (%)",
        height=theme.TOP + 56 + 22 * len(rows),
        margin={"l": 44, "r": 64, "t": theme.TOP, "b": 56},
        bargap=0.25,
        yaxis={"tickvals": rows, "ticktext": names, "range": [len(rows) - 0.5, -0.5], "ticks": "",
               "showgrid": False, "tickfont": {"family": theme.MONO, "color": theme.tokens().ink}},
        xaxis={"range": [0, 100]},
    )  # fmt: skip


class Samples:
    """A table of passages: a row for each temperature, a column for each stage of the training."""

    def __init__(self, stages: Mapping[str, Mapping[float, str]]):
        self.stages = {name: dict(passages) for name, passages in stages.items()}
        self.temperatures = sorted({heat for passages in self.stages.values() for heat in passages})

    def __repr__(self) -> str:
        blocks = [
            f"{name}, temperature {heat:g}:\n{passages[heat]}"
            for name, passages in self.stages.items()
            for heat in self.temperatures
            if heat in passages
        ]
        return "\n\n".join(blocks)

    def _repr_html_(self) -> str:
        head = "".join(f"<th style='text-align:left'>{html.escape(name)}</th>" for name in self.stages)
        rows = "".join(self._row(heat) for heat in self.temperatures)
        return (
            "<table style='width:100%;table-layout:fixed'><thead><tr>"
            f"<th style='width:7.5em;text-align:left'>temperature</th>{head}</tr></thead>"
            f"<tbody>{rows}</tbody></table>"
        )

    def _row(self, heat: float) -> str:
        cells = "".join(_cell(passages.get(heat, "")) for passages in self.stages.values())
        return f"<tr><th style='text-align:left;vertical-align:top'>{heat:g}</th>{cells}</tr>"


@explained
def temperatures(
    samples: Sequence[sampling.Sample] | Mapping[str, Sequence[sampling.Sample]],
) -> Samples:
    """Samples (`lessons.sampling.Sample`) at several temperatures as a table.

    One sequence of samples, or several named ones: {"before": …, "during": …, "after": …}.
    """
    stages = samples if isinstance(samples, Mapping) else {"sample": samples}
    return Samples({name: {s.temperature: str(s) for s in some} for name, some in stages.items()})


def _cell(text: str) -> str:
    style = "white-space:pre-wrap;overflow-wrap:anywhere;font-family:monospace;text-align:left"
    return f"<td style='{style};vertical-align:top'>{html.escape(text)}</td>"


def _end(text: str) -> str:
    shown = "".join(theme.glyph(symbol) if symbol != " " else " " for symbol in text[-24:])
    return f"…{shown}" if len(text) > 24 else shown


def _spread(now: torch.Tensor, model: CharModel, first: int, lines: bool) -> str:
    stacked = now.sort(descending=True).values.cumsum(0)
    many = int((stacked < 0.9 - 1e-6).sum()) + 1
    symbol = theme.glyph(model.vocabulary.symbols[first])
    note = " Lines: at temperature 1, uncut." if lines else ""
    return (
        f"“{symbol}” is likeliest with {100 * float(now[first]):.1f} %; {many} of {len(now)} characters hold "
        f"90 % of the probability.{note}"
    )
