"""Lesson 09 in pictures: reading from both ends, and what each label owes to each side.

wired("knight")                    # input to forward, input to backward, both to output; step by step
influences(tasks["both"])          # type a word, cover a letter, cut a direction
growing(tasks)                     # the labels of a word that is still coming in
"""

import functools
from collections.abc import Mapping
from typing import Annotated

import numpy as np
import plotly.graph_objects as go

from lessons import bidirectional as lesson
from lessons.arguments import Between, explained
from lessons.bidirectional import Influence
from lessons.errors import LessonError
from lessons.labelled import Labelled, Signs
from lessons.tagging import BACKWARD, BOTH, FORWARD, Tagging
from widgets import theme, two_ways
from widgets.explorer import Explorer, Index, Pick, Text, Time
from widgets.two_ways import LONGEST, wired, wiring

__all__ = ["example", "growing", "grown", "influence", "influences", "wired", "wiring"]

Step = Annotated[int, Between(0)]
LABEL, LETTER = 1.0, 0.0  # heights of the rows over the matrix
MOST = 8.0  # bits at which a colour is full
CUTS = {"nothing": None, "the forward direction": FORWARD, "the backward direction": BACKWARD}
COLOURS = {FORWARD: "f", BACKWARD: "i", BOTH: "ink"}


@explained
def influence(
    task: Tagging, text: str, step: Step = 0, covered: Step | None = None, cut: str | None = None,
    method: str = "occlusion",
) -> theme.Figure:  # fmt: skip
    """What each label of a text owes to each sign of it, and arrows to the label of sign `step`.

    Blue arrows come from before, vermilion ones from behind; their width is the influence. A row of the
    matrix is a label, a column a sign; a cell names what the label becomes when the sign is covered, where it
    changes. covered, cut: a sign that is covered up and a direction held at 0, for the labels on top.
    Raises LessonError for what cannot be read, drawn or cut.
    """
    data = task.data
    signs, _ = data.read(text)
    if len(signs) > LONGEST:
        raise LessonError(f"The picture has room for {LONGEST} {data.sign}s; these are {len(signs)}.")
    if method not in ("occlusion", "gradient"):
        raise LessonError(f'The method is "occlusion" or "gradient"; {method!r} is neither.')
    step = min(step, len(signs) - 1)
    covered = None if covered is None else min(covered, len(signs) - 1)
    plain, now = lesson.read(task.model, data, text), lesson.read(task.model, data, text, covered, cut)
    found = (lesson.occlusion if method == "occlusion" else lesson.gradient)(task.model, data, text, cut)
    asked = [t for t, sign in enumerate(signs) if data.asks(sign)]
    if step not in asked:
        step = min(asked, key=lambda t: abs(t - step), default=step)
    return theme.figure(
        _matrix(found, asked, data, method),
        title=f"What does the label of “{signs[step]}” owe to the other {data.sign}s?",
        summary=_owes(data, found, plain.guess, now.guess, asked, step, covered, cut, method),
        height=theme.TOP + 56 + 470,
        margin={"l": 150, "r": 78},
        annotations=[
            *_over(data, signs, plain.guess, now.guess, asked, covered),
            *_arrows(found, step, method),
            two_ways.row("label", LABEL, theme.tokens().soft) | {"yref": "y2"},
            two_ways.row(data.sign, LETTER, theme.tokens().soft) | {"yref": "y2"},
        ],
        xaxis={"range": [-0.5, max(len(signs), 6) - 0.5], "tickvals": list(range(len(signs))),
               "showgrid": False, "ticktext": [_tick(sign) for sign in signs],
               "title": {"text": f"{data.sign} that is {'covered' if method == 'occlusion' else 'nudged'}"}},
        yaxis={"range": [len(asked) - 0.5, -0.5], "domain": [0, 0.62], "showgrid": False,
               "tickvals": list(range(len(asked))), "title": {"text": "label of each"},
               "ticktext": [f"{_tick(signs[t])} → {theme.escape(_shown(found.guess[t]))}" for t in asked]},
        yaxis2={"range": [-0.3, 1.35], "domain": [0.68, 1], "visible": False, "anchor": "x"},
    )  # fmt: skip


@explained
def influences(task: Tagging, text: str | None = None) -> Explorer:
    """The picture above with everything to choose; click on a cell to see the arrows of its row."""
    text = example(task.data) if text is None else text
    sign = task.data.sign
    rows = [t for t, one in enumerate(task.data.read(text)[0]) if task.data.asks(one)]
    ways = CUTS if task.preset.direction == BOTH else {"nothing": None}
    return Explorer(
        functools.partial(influence, task),
        text=Text(text, label=task.data.item),
        step=Time(maximum=LONGEST - 1, value=rows[0], label=f"label of {sign}"),
        covered=Index(LONGEST - 1, None, all="none", label=f"cover {sign}"),
        cut=Pick(ways, None, label="cut"),
        method=Pick({"covering": "occlusion", "slopes": "gradient"}, "occlusion", label="influence by"),
    )


@explained
def example(data: Labelled) -> str:
    """A text to begin with."""
    return "knight" if data.item == "word" else "total = price.scale(rate, key=x)"


def _matrix(found: Influence, asked: list[int], data: Labelled, method: str) -> go.Heatmap:
    values = found.values.numpy()[asked]
    labels = [found.labels[t] for t in asked]
    told = [
        [
            theme.escape(_shown(label)) if method == "occlusion" and label != found.guess[t] else ""
            for label in row
        ]
        for t, row in zip(asked, labels, strict=True)
    ]
    hover = [[f"{_tick(found.signs[s])}: {value:.2f}" for s, value in enumerate(row)] for row in values]
    return go.Heatmap(
        z=np.clip(values, -MOST, MOST).tolist(), zmin=-MOST, zmax=MOST, xgap=1, ygap=1,
        colorscale=theme.scale(theme.SIGNED_SCALE), text=told, texttemplate="%{text}",
        textfont={"family": theme.MONO, "size": 12}, customdata=hover,
        hovertemplate="%{y}: %{customdata}<extra>%{text}</extra>",
        colorbar={"title": {"text": "bits lost" if method == "occlusion" else "bits per unit"}, "len": 0.62,
                  "y": 0, "yanchor": "bottom", "thickness": 12, "outlinewidth": 0},
    )  # fmt: skip


def _over(
    data: Labelled, signs: Signs, plain: Signs, now: Signs, asked: list[int], covered: int | None
) -> list[dict]:
    """The signs, and over them the labels; a label that has changed is vermilion."""
    tokens, notes = theme.tokens(), []
    for t, sign in enumerate(signs):
        shown = "▢" if t == covered else _short(sign)
        notes.append(two_ways.sign(t, LETTER, shown, tokens.ink, True) | {"yref": "y2"})
        if t in asked:
            changed = plain[t] != now[t]
            colour = tokens.i if changed else tokens.ink
            notes.append(two_ways.sign(t, LABEL + 0.1, _shown(now[t]), colour, changed, 14) | {"yref": "y2"})
    return notes


def _arrows(found: Influence, step: int, method: str) -> list[dict]:
    row = found.values[step].clamp_min(0).numpy()
    most = max(MOST / 2 if method == "occlusion" else 0.0, float(row.max()), 1e-9)
    notes = []
    for s, value in enumerate(row):
        if value > 0.05 * most:
            colour = "ink" if s == step else "f" if s < step else "i"
            aim = step + 0.12 * np.sign(s - step)
            wire = two_ways.wire(s, LETTER + 0.2, aim, LABEL - 0.1, colour, True, 1 + 5 * float(value) / most)
            notes.append(wire | {"yref": "y2", "ayref": "y2", "arrowsize": 0.6})
    return notes


def _owes(
    data: Labelled, found: Influence, plain: Signs, now: Signs, asked: list[int], step: int,
    covered: int | None, cut: str | None, method: str,
) -> str:  # fmt: skip
    signs = found.signs
    unit = "bits" if method == "occlusion" else "bits per unit"
    before, behind = found.sides(step)
    text = (
        f"“{signs[step]}” is labelled {_shown(found.guess[step])}; that owes {before:.1f} {unit} to what "
        f"came before and {behind:.1f} to what follows."
    )
    changed = [t for t in asked if plain[t] != now[t]]
    if covered is None and cut is None:
        return f"{text} {_verdict(data, signs, plain, asked)}".rstrip()
    what = [f"“{signs[covered]}” covered"] if covered is not None else []
    what += [f"the {cut} direction cut"] if cut else []
    told = ", ".join(f"{signs[t]} {_shown(plain[t])} → {_shown(now[t])}" for t in changed) or "nothing"
    return f"With {' and '.join(what)}, of {len(asked)} labels {len(changed)} change: {told}."


def _verdict(data: Labelled, signs: Signs, guess: Signs, asked: list[int]) -> str:
    """What the source says to the labels; nothing where it has nothing to say."""
    truth = data.truth(signs)
    if truth is None:
        return "Not in the dictionary." if data.item == "word" else ""
    wrong = [f"{signs[t]} is {_shown(truth[t])}" for t in asked if truth[t] != guess[t]]
    return f"Wrong: {', '.join(wrong[:3])}." if wrong else "All labels are right."


def _shown(label: str) -> str:
    return {"-": "–"}.get(label, label)


def _short(sign: str) -> str:
    return theme.glyph(sign if len(sign) <= 9 else f"{sign[:8]}…")


def _tick(sign: str) -> str:
    return theme.escape(_short(sign))


@explained
def grown(tasks: Mapping[str, Tagging], text: str, way: str = BOTH) -> theme.Figure:
    """The labels of a text while it comes in, a row for each new sign; vermilion is what changes later."""
    if way not in tasks:
        raise LessonError(f"There is no network {way!r}; there are {', '.join(tasks) or 'none'}.")
    task = tasks[way]
    signs, rows = lesson.arriving(task.model, task.data, text)
    if len(signs) > LONGEST:
        raise LessonError(f"The picture has room for {LONGEST} {task.data.sign}s; these are {len(signs)}.")
    steps, final = len(signs), rows[-1]
    asked = [task.data.asks(sign) for sign in signs]
    told = [
        [theme.escape(_shown(row[t])) if t < len(row) and asked[t] else "" for t in range(steps)]
        for row in rows
    ]
    z = [[(1.0 if row[t] != final[t] else 0.0) if t < len(row) and asked[t] else None for t in range(steps)]
         for row in rows]  # fmt: skip
    taken_back = sum(cell == 1.0 for row in z for cell in row)
    late = sum(any(row[t] == 1.0 for row in z) for t in range(steps))
    tokens = theme.tokens()
    return theme.figure(
        go.Heatmap(z=z, zmin=0, zmax=1, xgap=2, ygap=2, showscale=False, hoverongaps=False, text=told,
                   colorscale=[[0, theme.fade(tokens.f, 0.16)], [1, theme.fade(tokens.i, 0.55)]],
                   texttemplate="%{text}", textfont={"family": theme.MONO, "size": 13, "color": tokens.ink},
                   hovertemplate="after %{y}: %{text}<extra></extra>"),
        title="What would it have said so far?",
        summary=f"Network reading {_reads(way)}: {late} of {sum(asked)} labels are taken back after they "
        f"were said, in {taken_back} cells (vermilion).",
        x=f"label of each {task.data.sign}", y=f"{task.data.sign}s read so far",
        height=theme.TOP + 56 + 330, margin={"l": 130},
        xaxis={"range": [-0.5, max(steps, 6) - 0.5], "tickvals": list(range(steps)), "showgrid": False,
               "ticktext": [_tick(sign) for sign in signs]},
        yaxis={"range": [steps - 0.5, -0.5], "tickvals": list(range(steps)), "showgrid": False,
               "ticktext": [_so_far(signs[: n + 1]) for n in range(steps)]},
    )  # fmt: skip


@explained
def growing(tasks: Mapping[str, Tagging], text: str | None = None) -> Explorer:
    """The picture above with the text and the network to choose."""
    if not tasks:
        raise LessonError("Give at least one network by direction.")
    data = next(iter(tasks.values())).data
    return Explorer(
        functools.partial(grown, tasks),
        text=Text(example(data) if text is None else text, label=data.item),
        way=Pick(
            {_reads(way): way for way in tasks}, BOTH if BOTH in tasks else next(iter(tasks)), label="reads"
        ),
    )


def _so_far(signs: Signs) -> str:
    whole = "".join(_short(sign) for sign in signs)
    return theme.escape(whole if len(whole) <= 12 else f"…{whole[-11:]}")


def _reads(way: str) -> str:
    return "both ways" if way == BOTH else f"{way} only"
