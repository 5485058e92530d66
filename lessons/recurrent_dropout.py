"""Lesson 08: a network that learns a short text by heart, and the same network kept from it by dropout.

The kinds of dropout are lessons.dropouts.Dropouts, the layers that take them lessons.recurrent; what their
masks look like is computed in lessons.mask_theatre. Here are the lesson's model, its text of some thousand
lines, its sizes, and the trace of a run under masks.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from lessons import char_rnn, padding, tracing
from lessons.arguments import Count, Seed, explained
from lessons.char_rnn import CharModel, CharPreset, CharTask, State
from lessons.dropouts import Dropouts, DroppedCell
from lessons.errors import LessonError
from lessons.gru import clock
from lessons.presets import choose
from lessons.recurrent import LSTM, LayerMasks, initial_state, time_first, weights
from lessons.tracing import Trace
from lessons.vocabulary import Vocabulary

KNOWN, UNKNOWN = "training text", "valid"  # the figures of an evaluation, bits per character
NOTHING = Dropouts()
COSTS = {
    "input and output, locked": Dropouts(input=0.3, output=0.3),
    "input and output, new each step": Dropouts(input=0.3, output=0.3, masks="step"),
    "weight drop": Dropouts(weight=0.3),
    "state, one for the batch": Dropouts(recurrent=0.3, masks="batch"),
    "state, locked": Dropouts(recurrent=0.3),
    "state, locked, a mask per gate": Dropouts(recurrent=0.3, per_gate=True),
    "candidate": Dropouts(candidate=0.3),
    "zoneout": Dropouts(zoneout_h=0.3, zoneout_c=0.3),
}


@dataclass(frozen=True)
class DropoutPreset(CharPreset):
    """Lesson 02's sizes, and what is dropped."""

    dropouts: Dropouts | Mapping[str, Any] = NOTHING

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "dropouts", Dropouts.of(self.dropouts))  # plain values, from --set


USUAL = Dropouts(input=0.1, output=0.4, weight=0.4)
SIZES = DropoutPreset(
    "cpu", steps=1400, learning_rate=8e-3, final_rate=0.1, evaluate_every=100, precision="float32", threads=1,
    hidden_size=128, embedding_size=32, batch_size=16, length=32, train_characters=20_000,
    valid_characters=20_000, baseline_order=3, dropouts=USUAL,
)  # fmt: skip
PRESETS = {
    "ci": SIZES.but(
        name="ci", steps=12, evaluate_every=6, hidden_size=16, batch_size=8, train_characters=4000,
        valid_characters=2000, baseline_order=None,
    ),
    "cpu": SIZES,
    "gpu": SIZES.but(
        name="gpu", steps=8000, evaluate_every=250, hidden_size=512, num_layers=2, embedding_size=128,
        batch_size=64, length=64, train_characters=1_000_000, valid_characters=100_000, threads=None,
        baseline_order=5,
    ),
}  # fmt: skip


def preset(name: str | None = None) -> DropoutPreset:
    """This lesson's preset: the one named, else UNROLLED_PRESET, else the device's."""
    return choose(PRESETS, name)


class DropoutReader(CharModel):
    """Lesson 02's character model whose recurrent layers drop what `dropouts` says.

    The first weights are those of a CharModel, whatever is dropped. dropouts: Dropouts, their plain values
    (as a checkpoint keeps them), or None.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        cell: str = "lstm",
        hidden_size: int = 128,
        num_layers: int = 1,
        embedding_size: int = 32,
        dropout: float | int = 0.0,
        forget_bias: float | int = 1.0,
        dropouts: Dropouts | Mapping[str, Any] | None = None,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        sizes = (cell, hidden_size, num_layers, embedding_size, dropout, forget_bias)
        super().__init__(vocabulary, *sizes, device=device, dtype=dtype)
        self.recurrent.dropouts = Dropouts.of(dropouts)

    def step(
        self, tokens: Int[Tensor, " batch"], state: State | None = None
    ) -> tuple[Float[Tensor, "batch vocab"], State]:
        """One character further; with zoneout, which evaluation sees too, by a sequence of one step."""
        if not self.recurrent.looped:
            return super().step(tokens, state)
        logits, state = self(tokens[:, None], state)
        return logits[:, 0], state

    def sizes(self) -> dict[str, Any]:
        """The settings of this model that a preset names too."""
        return super().sizes() | {"dropouts": self.recurrent.dropouts or NOTHING}

    def config(self) -> dict[str, Any]:
        """What rebuilds this model, weights aside: `DropoutReader(**model.config())`."""
        return super().config() | {"dropouts": (self.recurrent.dropouts or NOTHING).as_dict()}


class Learning(CharTask):
    """Lesson 02's task on the start of a text; evaluations read that start, too, with nothing dropped."""

    name = "recurrent_dropout"

    def evaluate(self) -> dict[str, float]:
        """Bits per character on held-out text, and on as much of the training text."""
        text = self.corpus.train[: self.preset.train_characters][: self.preset.valid_characters]
        return super().evaluate() | {KNOWN: char_rnn.bits_per_character(self.model, text)}


@explained
def build(vocabulary: Vocabulary, preset: DropoutPreset, seed: Seed = 0) -> DropoutReader:
    """A model of a preset's sizes, its first weights drawn from `seed`; torch's generator is left alone."""
    sizes = (preset.cell, preset.hidden_size, preset.num_layers, preset.embedding_size, preset.dropout)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return DropoutReader(vocabulary, *sizes, dropouts=preset.dropouts)


@explained
def learning(corpus: Any, preset: DropoutPreset, seed: Seed = 0) -> Learning:
    """Learning the start of a corpus with the preset's network and dropouts, for `fit`."""
    return Learning(build(char_rnn.readable(corpus).vocabulary, preset, seed), corpus, preset, seed)


@explained
def prepare(preset: DropoutPreset, seed: Seed = 0) -> Learning:
    """The same with the preset's corpus; what the command line trains."""
    from lessons import corpora

    return learning(corpora.load(preset.corpus), preset, seed)


@explained
def pairs(corpus: Any, preset: DropoutPreset, seed: Seed = 0) -> dict[str, tuple[Learning, Learning]]:
    """For an LSTM and a GRU: the training with nothing dropped, and with the preset's dropouts."""
    return {
        cell.upper(): tuple(
            learning(corpus, preset.but(cell=cell, dropouts=dropouts), seed)
            for dropouts in (NOTHING, preset.dropouts)
        )
        for cell in ("lstm", "gru")
    }


@explained
def costs(preset: DropoutPreset, rounds: Count = 9) -> dict[str, float]:
    """A training step of the preset's LSTM layer with each of COSTS, over one without dropout.

    The layers take turns; on a CPU one thread works and its processor time is counted.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    layers = {"": None, **COSTS}
    try:
        steps = {name: _training_step(preset, dropouts) for name, dropouts in layers.items()}
        seconds = {name: [] for name in layers}
        for _ in range(rounds + 1):
            for name, step in steps.items():
                seconds[name].append(step())
    finally:
        torch.set_num_threads(threads)
    spent = {name: median(taken[1:]) for name, taken in seconds.items()}
    return {name: spent[name] / spent[""] for name in COSTS}


def _training_step(preset: DropoutPreset, dropouts: Dropouts | None) -> Callable[[], float]:
    """Forward and backward pass of a layer, as a call that returns its seconds."""
    layer = LSTM(preset.embedding_size, preset.hidden_size, dropouts=dropouts)
    x = torch.randn(preset.length, preset.batch_size, preset.embedding_size)
    own = list(layer.parameters())

    def run() -> float:
        begun = clock(x.device)
        output = layer(x)[0]
        torch.autograd.grad(output, own, torch.ones_like(output))
        return clock(x.device) - begun

    return run


@explained
@torch.no_grad()
def trace_masked(
    model: nn.Module, x: str | Sequence[str] | Tensor, masks: LayerMasks | None = None, seed: Seed = 0
) -> Trace:
    """A trace of what a model or a layer computes under masks, as a training step does.

    model: a CharModel or a layer of lessons.recurrent. x: what `trace` takes. masks: of `layer.draw_masks`,
    for as many steps and sequences as x has; else drawn from `seed`, the same each time. torch's dropout
    between layers is left out. `trace.output` is what the layers hand on: masked where outputs are dropped.
    Raises LessonError where the layer drops nothing and no masks are given, and for other layers.
    """
    layer = getattr(model, "recurrent", model)
    if not hasattr(layer, "draw_masks") or (layer is model and not isinstance(x, Tensor)):
        raise LessonError("Trace a text in a CharModel or a tensor in a layer of lessons.recurrent.")
    tokens, lengths = (None, None) if layer is model else tracing.numbered(model, x, None)
    x = time_first(layer, x) if layer is model else model.embedding(tokens).transpose(0, 1)
    lengths = padding.checked(lengths, x.shape[0], x.shape[1], x.device)
    if masks is None:
        if not layer.dropouts:
            raise LessonError("This layer drops nothing; set its dropouts, or give masks.")
        masks = layer.draw_masks(*x.shape[:2], torch.Generator(device=x.device).manual_seed(seed))
    state, directions, seen, initial = initial_state(layer, x, None), len(masks[0]), [], []
    for index, row in enumerate(masks):
        starts = [tuple(part[index * directions + d] for part in state) for d in range(directions)]
        cells = [DroppedCell(layer.mode, weights(layer, index, d), mask) for d, mask in enumerate(row)]
        seen.append(
            [
                tracing.run_in_loop(cell, x, start, lengths, d == 1, [])
                for d, (cell, start) in enumerate(zip(cells, starts, strict=True))
            ]
        )
        initial.append([dict(zip(("h", "c"), start, strict=False)) for start in starts])
        x = torch.cat([mask.on_output(named["h"]) for mask, named in zip(row, seen[-1], strict=True)], -1)
    cell = layer.mode.split("_")[0].lower()
    found = tracing.assembled(cell, seen, initial, lengths)
    found = replace(found, output=x.transpose(0, 1), origin="edit")
    return found if tokens is None else tracing.labelled(found, model, tokens)
