"""The studio: choose a medium and a temperature, begin a document, and see what the network makes of it.

Source and rendering stand side by side; below them what the judge says, and the memorisation meter: how much
of the document stands in the training text, too, with the longest copied span marked in the source.
"""

import html as escaping
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Annotated, Any

import ipywidgets as ipw

from lessons import generation, media, novelty, writing
from lessons.arguments import Between, explained
from lessons.char_rnn import CharModel
from lessons.corpora import Corpus
from lessons.errors import LessonError
from lessons.media import Judge, Medium
from lessons.temperature_study import SPAN
from lessons.writing import Written
from widgets import renderings, sanitised, slots, theme
from widgets.explorer import Control, Controlled, Pick, Slider, Text, Time, sentence, shut

ROLLS = 200
COLDEST, HOTTEST = 0.1, 1.5
HEIGHT = 320  # pixels of source and rendering; what is longer scrolls
OWN = "own"
TITLE = "What does the network write?"


@dataclass
class Desk:
    """A medium with who writes it and what it was trained on; both are loaded when first needed."""

    medium: Medium
    writer: CharModel | None = None
    text: Corpus | None = None

    @cached_property
    def model(self) -> CharModel:
        """The network that writes."""
        return self.writer or generation.pretrained(self.medium.name)

    @cached_property
    def corpus(self) -> Corpus:
        """What it was trained on."""
        return self.text or media.text(self.medium.name)

    @cached_property
    def lead(self) -> str:
        """A held-out document, read before writing."""
        return media.lead(self.corpus, self.model.vocabulary)

    @cached_property
    def source(self) -> novelty.Source:
        """The training text, to look for copies in."""
        return novelty.Source(self.corpus.train)


@dataclass(frozen=True)
class Sheet:
    """A document with everything that is said about it."""

    medium: Medium
    written: Written
    fault: str
    copied: float
    longest: novelty.Copied

    @property
    def verdict(self) -> str:
        """What the judge says, in a sentence."""
        if not self.written.ended:
            return f"Not finished after {len(self.written.text):,} characters."
        if self.fault:
            return f"Not well formed: {self.fault}."
        return f"Well formed: {self.medium.asks}." if self.medium.asks else "Finished; nothing else is asked."

    @property
    def meter(self) -> str:
        """What the memorisation meter says, in a sentence."""
        return (
            f"{self.copied:.0%} of its spans of {SPAN} characters stand in the training text; the longest "
            f"copied span has {self.longest.length} of its {len(self.written.text)} characters."
        )

    @property
    def html(self) -> str:
        """Source, rendering, verdict and meter as one page."""
        tokens = theme.tokens()
        start, length = self.longest.start, self.longest.length
        left = sanitised.source(self.written.text, (start, start + length))
        right = renderings.render(self.medium.name, self.written.text)
        well = self.written.ended and not self.fault
        colour, sign = (tokens.o, "✓") if well else (tokens.i, "✗")
        return (
            f'<div style="color:{tokens.ink};background:{tokens.card};padding:0 14px 12px">'
            '<div style="display:grid;gap:14px;'
            'grid-template-columns:repeat(auto-fit,minmax(min(260px,100%),1fr))">'
            f"{_box('source, the longest copied span marked', left)}{_box('rendered', right)}</div>"
            f'<p style="margin:10px 0 4px;color:{colour}"><strong>{sign} '
            f"{sanitised.plain(self.verdict)}</strong></p>{_bar(self.copied)}"
            f'<p style="margin:2px 0;color:{tokens.soft}">{sanitised.plain(self.meter)}</p></div>'
        )


class Studio(Controlled):
    """What `explore` displays. `sheet` is the document that is shown, `value(...)` sets controls by name."""

    def __init__(self, desks: Mapping[str, Desk], medium: str, temperature: float, begin: str, roll: int):
        self.desks = dict(desks)
        names = {desk.medium.title: name for name, desk in self.desks.items()}
        controls: dict[str, Control] = {
            "medium": Pick(names, medium, label="medium"),
            "temperature": Slider(COLDEST, HOTTEST, temperature, 0.1, label="temperature"),
            "begin": Text(begin, label="begins with"),
            "roll": Time(maximum=ROLLS - 1, value=roll, label="roll of the dice", pace=1500),
        }
        super().__init__(controls)
        self.sheet = self.write(**self._values)
        self.controls = self._bar()
        self.page = ipw.HTMLMath(layout=ipw.Layout(display="block", width="100%", margin="0"))
        self.widget = ipw.VBox([self.controls, self.page])
        for name in ("unrolled-card", theme.tokens().name):
            self.widget.add_class(name)
        self._show()
        self.controls.observe(self._changed, names="values")
        slots.keep(self)

    def write(self, medium: str, temperature: float, begin: str, roll: int) -> Sheet:
        """One document, judged and compared with the training text. Raises LessonError for odd characters."""
        desk = self.desks[medium]
        written = writing.write(desk.model, 1, temperature, begin, seed=roll, lead=desk.lead)[0]
        text = written.text
        fault = desk.medium.judge(text)
        return Sheet(desk.medium, written, fault, desk.source.share(text, SPAN), desk.source.longest(text))

    def drawn(self, **values: Any) -> dict[str, Any]:
        """The sheet for these values as a page keeps it."""
        sheet = self.write(**values)
        return {"html": sheet.html, "title": TITLE, "summary": f"{sheet.verdict} {sheet.meter}"}

    @property
    def summary(self) -> str:
        """Verdict and meter in words."""
        return f"{self.sheet.medium.title}. {self.sheet.verdict} {self.sheet.meter}"

    def close(self) -> None:
        """Free the widgets in the kernel and on the page."""
        self.controls.unobserve_all()
        shut(self.widget, self.controls, self.page)

    def _changed(self, change: dict[str, Any]) -> None:
        asked = self.controls.asked
        try:
            values = {name: self._read(name, wire) for name, wire in change["new"].items()}
            if values["medium"] != self._values["medium"]:
                values["begin"] = ""  # what one medium begins with, another may not even spell
            if values == self._values:
                return
            sheet = self.write(**values)
        except (LessonError, OSError) as error:
            self._answer(asked, message=sentence(error))
            return
        self._values, self.sheet = values, sheet
        self._show()
        self._answer(asked, message="", values=self._wire(values))

    def _show(self) -> None:
        self.page.value = self.sheet.html
        self.controls.title = TITLE
        self.controls.summary = f"{self.sheet.verdict} {self.sheet.meter}"

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        return {**self.widget._repr_mimebundle_(**kwargs), "text/plain": self.summary}


@explained
def explore(
    medium: str = "figure",
    models: Mapping[str, CharModel] | None = None,
    own: tuple[CharModel, Corpus] | None = None,
    judge: Judge | None = None,
    *,
    temperature: Annotated[float | int, Between(COLDEST, HOTTEST)] = 0.6,
    begin: str = "",
    roll: Annotated[int, Between(0, ROLLS - 1)] = 0,
) -> Studio:
    """Open the studio on `medium` (a name of lessons.media, or "own").

    models: networks to write with instead of those that come with the course, by medium. own: a network that
    you trained on a corpus of yours, as one more medium; judge: what is asked of it (lessons.judges), nothing
    by default. Raises LessonError for an unknown medium, and where a network is missing.
    """
    for name in models or {}:
        media.find(name)
    desks = {name: Desk(one, (models or {}).get(name)) for name, one in media.MEDIA.items()}
    if own is not None:
        mine = Medium(OWN, "your own text", "", lambda text: "", "")
        if judge is not None:
            mine = replace(mine, judge=judge, asks="what your judge asks")
        desks[OWN] = Desk(mine, *own)
    if medium not in desks:
        raise LessonError(f"There is no medium {medium!r} here; choose one of {', '.join(desks)}.")
    return Studio(desks, medium, temperature, begin, roll)


def _box(name: str, inside: str) -> str:
    """A frame with a heading that the keyboard can scroll."""
    tokens = theme.tokens()
    return (
        f'<div><div style="color:{tokens.soft};font-size:13px;margin:2px 0">{escaping.escape(name)}</div>'
        f'<div tabindex="0" role="region" aria-label="{escaping.escape(name)}" style="height:{HEIGHT}px;'
        f"overflow:auto;border:1px solid {tokens.edge};border-radius:6px;padding:8px 12px;line-height:1.45;"
        f'color:{tokens.ink};background:{tokens.ground}">{inside}</div></div>'
    )


def _bar(share: float) -> str:
    """The memorisation meter: full where everything is copied."""
    tokens = theme.tokens()
    return (
        f'<div role="meter" aria-label="share copied" aria-valuemin="0" aria-valuemax="100" '
        f'aria-valuenow="{100 * share:.0f}" style="height:12px;border:1px solid {tokens.edge};'
        f'border-radius:6px;overflow:hidden"><div style="height:100%;width:{100 * share:.1f}%;'
        f'background:{tokens.g}"></div></div>'
    )
