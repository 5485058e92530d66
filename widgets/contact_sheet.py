"""Drawings that get better while a network trains: a row of them at every evaluation.

    run = fit(task, watch=[training.live(), contact_sheet.growing()])

Every row is written with the same dice, so what changes from row to row is the network.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from lessons import icons, judges, media, writing
from lessons.arguments import Count, Seed, explained
from lessons.run import Run
from lessons.sampling import Heat
from lessons.writing import Written
from widgets import sanitised, slots, theme

CELL = 74  # pixels of a drawing in the picture
LONGEST = 700  # characters of a drawing; the longest icon has 680
ROWS = 8  # most rows of the picture


@explained
def picture(rows: Mapping[int, Sequence[Written]]) -> theme.Figure:
    """Drawings by training step, first above, at most eight rows; what is no drawing is an empty frame."""
    steps = _some(sorted(rows))
    wide = max((len(rows[step]) for step in steps), default=1)
    images, frames = [], []
    for row, step in enumerate(steps):
        for column, one in enumerate(rows[step]):
            frames.append(_frame(column, row, well=_well(one)))
            if (data := _data(one)) is not None:
                images.append(_image(column, row, data))
    shares = [sum(map(_well, rows[step])) for step in steps]
    return theme.figure(
        title="What it draws, from noise to icons",
        summary=_tell(steps, rows),
        height=theme.TOP + 24 + CELL * max(len(steps), 1),
        margin={"l": 118, "r": 92, "t": theme.TOP, "b": 20},
        images=images,
        shapes=frames,
        xaxis={"range": [0, wide], "visible": False},
        yaxis={
            "range": [max(len(steps), 1), 0], "tickvals": [row + 0.5 for row in range(len(steps))],
            "ticktext": [f"after {step:,}<br>steps" for step in steps], "showgrid": False, "ticks": "",
        },
        annotations=[
            {"x": 1, "xref": "paper", "xanchor": "left", "xshift": 6, "y": row + 0.5, "showarrow": False,
             "text": f"{share} of {len(rows[step])}<br>well formed", "align": "left",
             "font": {"size": 12, "color": theme.tokens().soft}}
            for row, (step, share) in enumerate(zip(steps, shares, strict=True))
        ],
    )  # fmt: skip


class Growing:
    """A watch for `fit`; see `growing`. `rows`: what was written at every evaluation, by step."""

    def __init__(self, count: int, temperature: float, seed: int) -> None:
        self.count, self.temperature, self.seed = count, temperature, seed
        self.rows: dict[int, list[Written]] = {}
        self._handle: Any = None

    def on_start(self, run: Run, task: Any) -> None:
        """Put an empty sheet on the page."""
        self.rows = {}
        if slots.running_kernel() is not None:
            from IPython.display import display

            self._handle = display(self, display_id=True)

    def on_evaluate(self, run: Run, task: Any, step: int, figures: Mapping[str, float]) -> None:
        """Write a row with the network as it is now."""
        self.rows[step] = writing.write(
            task.model, self.count, self.temperature, "<", LONGEST, self.seed, media.lead(task.corpus)
        )
        if self._handle is not None:
            self._handle.update(self)

    def on_stop(self, run: Run, task: Any, reason: str) -> None:
        """Leave the picture, or in a terminal its sentence."""
        if self._handle is None:
            print(_tell(sorted(self.rows), self.rows))
        elif self.rows:
            self._handle.update(picture(self.rows))

    def __repr__(self) -> str:
        return _tell(sorted(self.rows), self.rows)

    def _repr_html_(self) -> str:
        """The rows so far as images: quicker on the page than a plot made anew."""
        lines = [
            f'<div style="display:flex;gap:4px;align-items:center;margin:3px 0">'
            f'<span style="width:9em">after {step:,} steps</span>'
            + "".join(
                sanitised.svg(icons.whole(one.text), 56, f"drawing {k}") for k, one in enumerate(row, 1)
            )
            + "</div>"
            for step, row in ((step, self.rows[step]) for step in _some(sorted(self.rows)))
        ]
        return "".join(lines) or "<p>The first drawings come with the first evaluation.</p>"


@explained
def growing(count: Count = 10, *, temperature: Heat = 0.6, seed: Seed = 0) -> Growing:
    """Watch drawings grow: `fit(task, watch=[training.live(), contact_sheet.growing()])`.

    `count` drawings at every evaluation, with the same dice each time. Every drawing is rebuilt from harmless
    elements before it is shown (widgets.sanitised).
    """
    return Growing(count, temperature, seed)


def _some(steps: Sequence[int]) -> list[int]:
    """At most eight steps: the first, the last, and some between them."""
    if len(steps) <= ROWS:
        return list(steps)
    return [steps[round(k * (len(steps) - 1) / (ROWS - 1))] for k in range(ROWS)]


def _well(one: Written) -> bool:
    return one.ended and not judges.figure(one.text)


def _data(one: Written) -> str | None:
    try:
        return sanitised.picture(icons.whole(one.text))
    except ValueError:
        return None


def _tell(steps: Sequence[int], rows: Mapping[int, Sequence[Written]]) -> str:
    if not steps:
        return "Nothing has been drawn yet."
    first, last = (sum(map(_well, rows[steps[k]])) for k in (0, -1))
    return (
        f"Of {len(rows[steps[0]])} drawings {first} are well formed at step {steps[0]:,} and {last} at step "
        f"{steps[-1]:,}; an empty frame is no XML."
    )


def _image(column: int, row: int, data: str) -> dict:
    return {
        "source": data, "xref": "x", "yref": "y", "x": column + 0.5, "y": row + 0.5, "sizex": 0.8,
        "sizey": 0.8, "xanchor": "center", "yanchor": "middle", "sizing": "contain",
    }  # fmt: skip


def _frame(column: int, row: int, well: bool) -> dict:
    """White paper under a drawing, framed green where it is well formed."""
    tokens = theme.tokens()
    return {
        "type": "rect", "xref": "x", "yref": "y", "x0": column + 0.06, "x1": column + 0.94, "y0": row + 0.06,
        "y1": row + 0.94, "fillcolor": "#ffffff", "layer": "below",
        "line": {"width": 1.5, "color": tokens.o if well else tokens.rule},
    }  # fmt: skip
