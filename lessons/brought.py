"""Something brought to lesson 19, ready to be learnt from: its model, its task, its training, its trace."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from torch import nn

from lessons import char_rnn, forecast, sketching
from lessons.arguments import Count, Seed, explained
from lessons.char_rnn import BriefPreset, CharModel, CharTask
from lessons.corpora import Corpus
from lessons.errors import LessonError
from lessons.forecast import Forecaster
from lessons.keep_best import KeepBest
from lessons.presets import choose
from lessons.run import Run
from lessons.sequence_model import CELLS
from lessons.series import Series
from lessons.sketching import Sketcher, Strokes
from lessons.tracing import Trace, trace
from lessons.training import fit
from lessons.window_task import WindowTask

TEXT, NUMBERS, ABC, STROKES = "text", "numbers", "abc", "strokes"
KINDS = (TEXT, NUMBERS, ABC, STROKES)
CELL_NAMES = {
    TEXT: tuple(char_rnn.CELLS), ABC: tuple(char_rnn.CELLS), NUMBERS: tuple(CELLS), STROKES: tuple(CELLS)
}  # fmt: skip


@dataclass(frozen=True)
class CapstonePreset(BriefPreset):
    """One size for all kinds. corpus: whatever `bring` understands. embedding_size: for text and ABC."""

    corpus: str = "tides"
    hidden_size: int = 96
    embedding_size: int = 32
    precision: str = "float32"
    threads: int | None = 1
    valid_characters: int = 40_000


PRESETS = {
    "ci": CapstonePreset(
        "ci", steps=12, learning_rate=1e-2, warmup=4, evaluate_every=6, hidden_size=12, embedding_size=8,
        batch_size=8, length=24, valid_characters=3_000, baseline_order=None,
    ),
    "cpu": CapstonePreset("cpu", steps=900, learning_rate=8e-3, evaluate_every=150),
    "gpu": CapstonePreset(
        "gpu", steps=20_000, learning_rate=2e-3, evaluate_every=500, hidden_size=512, num_layers=2,
        embedding_size=64, dropout=0.3, batch_size=64, length=128, threads=None, valid_characters=400_000,
    ),
}  # fmt: skip


def preset(name: str | None = None) -> CapstonePreset:
    """This lesson's preset: the one named, else UNROLLED_PRESET, else the device's."""
    return choose(PRESETS, name)


@dataclass(frozen=True, eq=False, repr=False)
class Brought:
    """What was brought. kind: one of KINDS. data: a Corpus, a Series or Strokes. sentence: what it is.

    preview: its beginning, as text.
    """

    kind: str
    name: str
    data: Corpus | Series | Strokes
    sentence: str
    preview: str

    def __repr__(self) -> str:
        return self.sentence

    @property
    def cells(self) -> tuple[str, ...]:
        """The cells that can be chosen for this kind."""
        return CELL_NAMES[self.kind]

    @explained
    def model(
        self, cell: str = "lstm", hidden_size: Count | None = None, num_layers: Count = 1, seed: Seed = 0
    ) -> CharModel | Forecaster | Sketcher:
        """A new network for this kind of data; as many units as the preset says by default.

        Its first weights are drawn from `seed`. Raises LessonError for a cell that this kind cannot have.
        """
        if cell not in self.cells:
            raise LessonError(f"For {self.kind} the cell is one of {', '.join(self.cells)}; {cell!r} is not.")
        sizes = preset()
        hidden_size = hidden_size or sizes.hidden_size
        if isinstance(self.data, Corpus):
            shape = sizes.but(cell=cell, hidden_size=hidden_size, num_layers=num_layers)
            return char_rnn.build(self.data.vocabulary, shape, seed)
        build = forecast.build if isinstance(self.data, Series) else sketching.build
        return build(self.data, cell, hidden_size, num_layers, seed)

    @explained
    def task(
        self, model: nn.Module, preset: CapstonePreset | str | None = None, seed: Seed = 0
    ) -> CharTask | WindowTask:
        """What `fit` trains. Raises LessonError for a model of another kind."""
        chosen = preset if isinstance(preset, CapstonePreset) else choose(PRESETS, preset)
        make = self._made_for(model)
        if isinstance(self.data, Corpus):
            streams = len(self.data.train) // (chosen.length + 1)  # a short text fills fewer side by side
            return make(
                model, self.data, chosen.but(batch_size=max(1, min(chosen.batch_size, streams))), seed
            )
        recurrent = model.recurrent
        sizes = {"hidden_size": recurrent.hidden_size, "num_layers": recurrent.num_layers}
        return make(model, self.data, chosen.but(cell=model.cell, corpus=self.name, **sizes), seed)

    @explained
    def fit(
        self,
        model: nn.Module,
        preset: CapstonePreset | str | None = None,
        *,
        watch: Any = None,
        seed: Seed = 0,
        progress: bool = True,
    ) -> Run:
        """Train, and put the weights back that did best on held-out data: little is soon learnt by heart."""
        watches = [] if watch is None else list(watch) if isinstance(watch, list | tuple) else [watch]
        task = self.task(model, preset, seed)
        return fit(task, watch=[*watches, KeepBest(restore=True)], seed=seed, progress=progress)

    @explained
    def trace(self, model: nn.Module, steps: Count = 120) -> Trace:
        """Everything the network computes while it reads the first steps of the test part."""
        self._made_for(model)
        if isinstance(self.data, Corpus):
            return trace(model, self.data.test[:steps])
        if isinstance(self.data, Series):
            values = self.data.test[:steps]
            seen = trace(model, model.standard(values)[None])
            return replace(seen, labels=(tuple(f"{value:.4g}" for value in values.tolist()),))
        rows = self.data.parts["test"][:steps]
        seen = trace(model, rows[None].to(model.readout.weight))
        return replace(seen, labels=(tuple("lifted" if up > 0.5 else "down" for up in rows[:, 2].tolist()),))

    def _made_for(self, model: nn.Module) -> Callable:
        """How a task is made for this model; LessonError for a model of another kind."""
        kind, make = _TASKS[type(self.data)]
        if not isinstance(model, kind):
            raise LessonError(f"This model is none for {self.kind}; take one of mine.model(…).")
        return make


_TASKS: dict[type, tuple[type, Callable]] = {
    Corpus: (CharModel, CharTask), Series: (Forecaster, forecast.task), Strokes: (Sketcher, sketching.task)
}  # fmt: skip
