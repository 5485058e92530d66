"""The song book: a tune is written, read, seen as a score and as a piano roll, and heard."""

import base64
from typing import Any

import anywidget
import traitlets

from lessons import abc_reader, char_rnn, engraving, songs, synthesiser, tunes
from lessons.errors import LessonError
from lessons.tune_parts import Tune
from widgets import esm, explorer, piano_roll, sanitised, slots, theme

EXAMPLE = "R:jig\nM:6/8\nL:1/8\nK:D\n|:dAF DFA|ded cBA|dAF DFA|Bcd e2c:|\n"


class SongBook(anywidget.AnyWidget):
    """What `book` displays.

    text: the tune in the box. choice: dance, metre, key, temperature and seed. asked: what the page wants,
    "write", "continue" or "read", numbered; done: the last number that was answered.
    """

    _esm = esm.bundle("songbook.js")
    _css = f"{esm.style()}\n{esm.read('songbook.css')}"
    _options = traitlets.Dict().tag(sync=True)
    _notes = traitlets.Dict().tag(sync=True)
    _score = traitlets.Dict().tag(sync=True)
    _sound = traitlets.Bytes(b"").tag(sync=True)
    _midi = traitlets.Bytes(b"").tag(sync=True)
    text = traitlets.Unicode("").tag(sync=True)
    choice = traitlets.Dict().tag(sync=True)
    repeats = traitlets.Bool(False).tag(sync=True)
    asked = traitlets.Dict().tag(sync=True)
    done = traitlets.Int(0).tag(sync=True)
    title = traitlets.Unicode("").tag(sync=True)
    summary = traitlets.Unicode("").tag(sync=True)
    message = traitlets.Unicode("").tag(sync=True)
    theme = traitlets.Enum(("auto", "light", "dark"), "auto").tag(sync=True)
    _still: Any = None

    def __init__(self, model: char_rnn.CharModel | None, **state: Any) -> None:
        super().__init__(**state)
        self._model = model
        self.observe(self._answer, names="asked")

    def write(self) -> None:
        """Let the network write a tune in the dance, metre and key of `choice`."""
        condition = songs.Condition(*(self.choice[name] for name in ("dance", "metre", "key")))
        self._generate(condition.header)

    def go_on(self) -> None:
        """Let the network continue the notes in the box, up to the last one that can be read."""
        self._generate(piano_roll.beginning(abc_reader.parse(self.text)))

    def read(self) -> None:
        """Draw and sound the tune in the box; raises LessonError and changes nothing if it cannot be read."""
        tune = abc_reader.parse(self.text)
        sound = synthesiser.wav(tune, self.repeats)
        chances = piano_roll.certainty(tune, self._model)
        with self.hold_sync():
            self._notes = piano_roll.on_the_roll(tune, chances, self.repeats)
            self._sound, self._midi = sound, synthesiser.midi(tune, self.repeats)
            self._score = score(tune)
            self.title = "What does the network write, and how sure is it?"
            self.summary = piano_roll.said(tune, chances)
        self._still = piano_roll.roll(tune, chances, self.repeats)

    def _generate(self, header: str) -> None:
        if self._model is None:
            raise LessonError("There is no network in this song book; make one with songs.book(model).")
        heat, seed = (self.choice[name] for name in ("temperature", "seed"))
        self.text = songs.write(self._model, [header], heat, seed)[0]
        self.read()

    def _answer(self, change: dict[str, Any]) -> None:
        deed = {"write": self.write, "continue": self.go_on, "read": self.read}.get(change["new"].get("what"))
        try:
            if deed is not None:
                deed()
            self.message = ""
        except (LessonError, OSError) as error:
            self.message = explorer.sentence(error)
        self.done = int(change["new"].get("number", 0))

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle = super()._repr_mimebundle_(**kwargs)
        bundle = bundle[0] if isinstance(bundle, tuple) else bundle
        still = theme.png(self._still) if self._still is not None else {}
        return {**bundle, **still, "text/plain": self.message or f"{self.summary}\n\n{self.text}"}


def book(
    model: char_rnn.CharModel | None = None,
    text: str | None = None,
    *,
    dance: str = "jig",
    metre: str = "6/8",
    key: str = "D",
    temperature: float = 0.7,
    seed: int = 0,
    repeats: bool = False,
) -> SongBook:
    """A tune to see and to hear: `text` in ABC, or else one that the model writes at once.

    Without a model the notes have no certainty, and nothing can be written. Problems are said in the widget's
    message line; nothing is raised.
    """
    choice = {"dance": dance, "metre": metre, "key": key, "temperature": temperature, "seed": seed}
    options = {"dance": tunes.DANCES, "metre": tunes.METRES, "key": songs.KEYS} if model is not None else {}
    widget = SongBook(
        model,
        theme="dark" if theme.tokens() is theme.DARK else "auto",
        choice=choice,
        repeats=bool(repeats),
        text=text if isinstance(text, str) else "" if model is not None else EXAMPLE,
        _options={name: list(values) for name, values in options.items()},
    )
    slots.keep(widget)
    widget.asked = {"what": "write" if model is not None and text is None else "read", "number": 1}
    return widget


def score(tune: Tune) -> dict[str, str]:
    """The tune's score as a harmless picture, with words for it; or only the words that say why not."""
    try:
        drawing = sanitised.rebuilt(engraving.svg(tune))
    except (LessonError, ValueError) as problem:
        return {"words": str(problem)}
    data = base64.b64encode(drawing.encode()).decode()
    words = f"score of {len(tune.bars)} bars in {tune.key.name}, metre {tune.fields.get('M', 'C')}"
    return {"picture": f"data:image/svg+xml;base64,{data}", "words": words}
