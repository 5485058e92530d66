"""A network that reads characters and guesses the next: embed, run the recurrence, read out."""

import math
from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn, optim
from torch.nn.functional import cross_entropy

from lessons import checkpoints, later_cells
from lessons.arguments import Between, Count, Share, explained
from lessons.errors import LessonError
from lessons.presets import Number, Preset, choose
from lessons.recurrent import GRU, LSTM, RNN
from lessons.sources import data_folder
from lessons.vocabulary import Vocabulary

CELLS = {"lstm": LSTM, "gru": GRU, "rnn": RNN}

State = Float[Tensor, "layers batch *rest"] | tuple[Float[Tensor, "layers batch *_"], ...]


class CharModel(nn.Module):
    """A character-level language model: embedding, recurrent layers, readout to one score a character.

    `cell` is "lstm", "gru", "rnn" (Elman) or one of lessons.later_cells, such as "minlstm". `dropout` acts
    between layers and before the readout, while training. `forget_bias` is where the forget gates start
    (Jozefowicz et al. 2015, section 3).
    """

    @explained
    def __init__(
        self,
        vocabulary: Vocabulary,
        cell: str = "lstm",
        hidden_size: Count = 128,
        num_layers: Count = 1,
        embedding_size: Count = 64,
        dropout: Share = 0.0,
        forget_bias: float | int = 1.0,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        kinds = {**CELLS, **later_cells.CELLS}
        if cell not in kinds:
            raise LessonError(f"The cell is one of {', '.join(kinds)}; {cell!r} is not.")
        self.vocabulary = vocabulary
        self.cell = cell
        self.forget_bias = forget_bias
        place = {"device": device, "dtype": dtype}
        between = dropout if num_layers > 1 else 0.0
        self.embedding = nn.Embedding(len(vocabulary), embedding_size, **place)
        bias = {} if cell in ("gru", "rnn") else {"forget_bias": forget_bias}
        self.recurrent = kinds[cell](
            embedding_size, hidden_size, num_layers, batch_first=True, dropout=between, **bias, **place
        )
        self.dropout = nn.Dropout(dropout)
        self.readout = nn.Linear(hidden_size, len(vocabulary), **place)

    def forward(
        self, tokens: Int[Tensor, "batch time"], state: State | None = None
    ) -> tuple[Float[Tensor, "batch time vocab"], State]:
        """Scores (logits) of the next character after every character, and the state after the last."""
        output, state = self.recurrent(self.embedding(tokens), state)
        return self.readout(self.dropout(output)), state

    def step(
        self, tokens: Int[Tensor, " batch"], state: State | None = None
    ) -> tuple[Float[Tensor, "batch vocab"], State]:
        """One character further, layer by layer with single cells: the fast way on a CPU when T = 1."""
        x = self.embedding(tokens)
        layer = self.recurrent
        if self.cell in later_cells.CELLS:
            x, state = layer.advance(x, state)
            return self.readout(self.dropout(x)), state
        if state is None:
            zeros = x.new_zeros(layer.num_layers, len(tokens), layer.hidden_size)
            state = (zeros, zeros) if self.cell == "lstm" else zeros
        cell = {"lstm": torch.lstm_cell, "gru": torch.gru_cell, "rnn": torch.rnn_tanh_cell}[self.cell]
        before = list(zip(*state, strict=True)) if self.cell == "lstm" else list(state)
        after = []
        for weights, previous in zip(layer.all_weights, before, strict=True):
            after.append(cell(x, previous, *weights))
            x = after[-1][0] if self.cell == "lstm" else after[-1]
        stacked = (
            tuple(map(torch.stack, zip(*after, strict=True))) if self.cell == "lstm" else torch.stack(after)
        )
        return self.readout(self.dropout(x)), stacked

    def encode(self, text: str) -> Int[Tensor, "1 time"]:
        """A text as a batch of one, on the model's device."""
        return self.vocabulary.encode(text, device=self.readout.weight.device)[None]

    def decode(self, ids: Int[Tensor, "*time"]) -> str:
        """The text that a sequence of numbers stands for."""
        return self.vocabulary.decode(ids)

    def task(self, corpus: Any, preset: "CharPreset | str | None" = None) -> "CharTask":
        """Learning to predict a corpus, for `fit`; the sizes noted in its preset are this model's."""
        return CharTask(self, corpus, preset if isinstance(preset, Preset) else choose(PRESETS, preset))

    def sizes(self) -> dict[str, Any]:
        """The settings of this model that a preset names too."""
        return {
            name: value for name, value in self.config().items() if name not in ("vocabulary", "forget_bias")
        }

    def config(self) -> dict[str, Any]:
        """What rebuilds this model, weights aside: `CharModel(**model.config())`."""
        return {
            "vocabulary": self.vocabulary,
            "cell": self.cell,
            "hidden_size": self.recurrent.hidden_size,
            "num_layers": self.recurrent.num_layers,
            "embedding_size": self.embedding.embedding_dim,
            "dropout": self.dropout.p,
            "forget_bias": self.forget_bias,
        }


@dataclass(frozen=True)
class CharPreset(Preset):
    """Sizes of the character model and of its batches.

    batch_size streams are read side by side, `length` characters at a time; the state goes on from one batch
    to the next, the gradient stops at their edges (truncated back-propagation through time).
    train_characters: how much of the training text is used, by the n-gram too; None is all of it.
    valid_characters: how much of the validation text each evaluation reads.
    baseline_order: the n-gram drawn into the curve; None for none.
    """

    corpus: str = "shakespeare"
    cell: str = "lstm"
    hidden_size: int = 128
    num_layers: int = 1
    embedding_size: int = 64
    dropout: Number = 0.0
    batch_size: int = 32
    length: int = 64
    train_characters: int | None = None
    valid_characters: int = 100_000
    baseline_order: int | None = 5

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.batch_size < 1 or self.length < 1:
            raise LessonError(
                f"batch_size and length are at least 1; they are {self.batch_size} and {self.length}."
            )


@dataclass(frozen=True)
class BriefPreset(CharPreset):
    """For a training of minutes: Adam averages squared gradients over 1 / (1 - beta2) steps, a hundred."""

    beta2: Annotated[Number, Between(0, 1)] = 0.99

    def optimizer(self, parameters: Iterable[nn.Parameter | Tensor]) -> optim.Optimizer:
        """AdamW, fused, with this preset's second beta."""
        return optim.AdamW(
            parameters,
            lr=self.learning_rate,
            weight_decay=self.weight_decay,
            fused=True,
            betas=(0.9, self.beta2),
        )


PRESETS = {
    "ci": CharPreset(
        "ci", steps=30, learning_rate=1e-2, warmup=5, evaluate_every=15, precision="float32", threads=1,
        hidden_size=32, embedding_size=16, batch_size=8, length=32, valid_characters=4_000,
        baseline_order=None,
    ),
    # 1e-2 is high for such a network; with beta2 0.99 it was worth 0.1 bits over 4e-3 (at 2,500 steps).
    "cpu": BriefPreset("cpu", steps=6000, learning_rate=1e-2, evaluate_every=1000, hidden_size=256),
    # The sizes and the batches of Karpathy, Johnson and Li (2016, section 3); about fifty epochs.
    "gpu": CharPreset(
        "gpu", steps=20_000, evaluate_every=1000, hidden_size=512, num_layers=3, embedding_size=128,
        dropout=0.3, batch_size=100, length=100, valid_characters=400_000,
    ),
    # data/checkpoints/char_rnn: `python -m lessons train char_rnn --preset shipped --model ...`
    "shipped": CharPreset(
        "shipped", steps=20_000, learning_rate=4e-3, evaluate_every=1000, embedding_size=48,
        corpus="shakespeare-markdown",
    ),
}  # fmt: skip


def preset(name: str | None = None) -> CharPreset:
    """This lesson's preset: the one named, else UNROLLED_PRESET, else the device's."""
    return choose(PRESETS, name)


@explained
def build(vocabulary: Vocabulary, preset: CharPreset, seed: int = 0) -> CharModel:
    """A model of a preset's size, its first weights drawn from `seed`; torch's generator is left alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return CharModel(
            vocabulary,
            preset.cell,
            preset.hidden_size,
            preset.num_layers,
            preset.embedding_size,
            preset.dropout,
        )


@explained
def prepare(preset: CharPreset, seed: int = 0) -> "CharTask":
    """The preset's corpus and a new model of its size, ready for `fit`; what the command line trains."""
    from lessons import corpora

    corpus = corpora.load(preset.corpus)
    return CharTask(build(corpus.vocabulary, preset, seed), corpus, preset, seed)


class CharTask:
    """Predict the next character of a corpus, for `fit`; losses and figures are bits per character.

    The training text is cut into `batch_size` streams of equal length. Every epoch cuts it at other places.
    """

    name = "char_rnn"
    unit = "bits per character"

    def __init__(self, model: CharModel, corpus: Any, preset: CharPreset, seed: int = 0) -> None:
        readable(corpus)
        self.model, self.corpus, self.seed = model, corpus, seed
        self.preset = preset.but(corpus=corpus.name, **model.sizes())
        if model.cell != "lstm" and preset.precision == "auto":
            self.preset = self.preset.but(precision="float32")  # bf16 slows the other cells by a quarter
        self.streams = range(preset.batch_size)
        self.provenance = corpus.provenance.as_dict()
        self.train = numbered(model.vocabulary, corpus.train[: preset.train_characters])
        self.valid = corpus.valid[: preset.valid_characters]
        self.steps_per_epoch = (len(self.train) // preset.batch_size - 1) // preset.length
        if self.steps_per_epoch < 1:
            raise LessonError(
                f"The training text has {len(self.train):,} characters, too few for "
                f"{preset.batch_size} streams of {preset.length}; take a longer text or a smaller batch_size."
            )
        self._epoch: tuple[Any, Tensor] = (None, self.train)

    def batch(self, step: int) -> tuple[Int[Tensor, "batch time"], Int[Tensor, "batch time"], bool]:
        """Characters, the ones that follow each of them, and whether the streams start afresh here."""
        epoch, place = divmod(step, self.steps_per_epoch)
        streams, start = self._cut(epoch), place * self.preset.length
        window = streams[:, start : start + self.preset.length + 1].long()
        return window[:, :-1], window[:, 1:], place == 0

    def start(self) -> None:
        """Nothing is carried into the first step: the model begins with zeros."""
        return None

    def loss(self, batch: tuple, carry: State | None) -> tuple[Float[Tensor, ""], State]:
        """Mean bits per character, and the state that the next batch begins with, its gradient cut off."""
        characters, following, afresh = batch
        logits, state = self.model(characters, None if afresh else carry)
        nats = cross_entropy(logits.flatten(0, 1).float(), following.flatten())
        return nats / math.log(2), _detached(state)

    def evaluate(self) -> dict[str, float]:
        """Bits per character on the first `valid_characters` of the validation text."""
        return {"valid": bits_per_character(self.model, self.valid)}

    def baselines(self) -> dict[str, float]:
        """What guessing costs: all characters alike, by their frequency, and an n-gram with back-off."""
        found = {"uniform guess": math.log2(len(self.model.vocabulary))}
        if self.preset.baseline_order:
            for order, name in ((1, "letter frequencies"), (self.preset.baseline_order, None)):
                found[name or f"{order}-gram"] = self._ngram_bits(order, self.valid)
        return found

    def report(self) -> dict[str, float]:
        """Bits per character on the test text, which nothing was chosen with, and the n-gram's beside it."""
        found = {"test": bits_per_character(self.model, self.corpus.test)}
        if self.preset.baseline_order:
            order = self.preset.baseline_order
            found[f"{order}-gram on test"] = self._ngram_bits(order, self.corpus.test)
        return found

    def shard(self, index: int, count: int) -> "CharTask":
        """Every `count`-th stream, for one of several processes."""
        if self.preset.batch_size % count:
            raise LessonError(
                f"{self.preset.batch_size} streams cannot be dealt to {count} processes evenly."
            )
        part = copy(self)
        part.streams = self.streams[index::count]
        return part

    def _ngram_bits(self, order: int, text: str) -> float:
        return ngram_bits(self.corpus, order, text, self.preset.train_characters)

    def _cut(self, epoch: int) -> Int[Tensor, "batch time"]:
        """The streams of an epoch, on the model's device; the first begins somewhere else each time."""
        key, device = (epoch, self.seed), self.model.readout.weight.device
        if self._epoch[0] != key:
            generator = torch.Generator(device="cpu").manual_seed(self.seed * 1_000_003 + epoch)
            begin = int(torch.randint(len(self.train), (), generator=generator, device="cpu")) if epoch else 0
            size = len(self.train) // self.preset.batch_size
            whole = self.train.roll(-begin)[: size * self.preset.batch_size]
            rows = whole.view(self.preset.batch_size, size)[list(self.streams)]
            self._epoch = (key, rows.to(device))
        return self._epoch[1]


@lru_cache(maxsize=4)
def numbered(vocabulary: Vocabulary, text: str) -> Int[Tensor, " time"]:
    """A text as numbers, kept small and shared: a notebook may hold twenty tasks that read the same plays."""
    return vocabulary.encode(text).to(torch.int16 if len(vocabulary) < 2**15 else torch.int32)


@explained
@torch.no_grad()
def bits_per_character(model: CharModel, text: str, streams: Count = 64, length: Count = 256) -> float:
    """The mean of -log2 p(next character) over a text, in float32, the state carried all the way.

    The text is cut into `streams` parts read side by side, each from the zero state (fewer if they would be
    shorter than 1,000 characters); the first character of each part and a remainder are not predicted.
    """
    ids = model.vocabulary.encode(text, device=model.readout.weight.device)
    streams = max(1, min(streams, len(ids) // 1000))
    size = len(ids) // streams
    if size < 2:
        raise LessonError("Bits per character need a text of at least two characters.")
    rows = ids[: streams * size].view(streams, size)
    was_training, total, state = model.training, 0.0, None
    model.eval()
    for start in range(0, size - 1, length):
        window = rows[:, start : start + length + 1]
        logits, state = model(window[:, :-1], state)
        total += float(cross_entropy(logits.flatten(0, 1), window[:, 1:].flatten(), reduction="sum"))
    model.train(was_training)
    return total / (streams * (size - 1)) / math.log(2)


@explained
def ngram_bits(corpus: Any, order: Count, text: str, train_characters: int | None = None) -> float:
    """Bits per character on `text` of an n-gram of the corpus's training text (or its start); fitted once."""
    train = corpus.train[:train_characters]
    return _ngram(train, corpus.vocabulary, order).bits_per_character(text)


@lru_cache(maxsize=8)
def _ngram(text: str, vocabulary: Vocabulary, order: int) -> Any:
    from lessons.ngram import NGram  # here, because fitting is not for everyone who wants a model

    return NGram(order).fit(text, vocabulary)


def readable(corpus: Any) -> Any:
    """The corpus itself; LessonError for what is none."""
    if not all(hasattr(corpus, part) for part in ("train", "valid", "provenance")):
        raise LessonError("Train on a corpus: corpora.load(name), or corpora.user(...) for a text of yours.")
    return corpus


def _detached(state: State) -> State:
    return state.detach() if isinstance(state, Tensor) else tuple(part.detach() for part in state)


@explained
def pretrained(name: str = "char_rnn") -> CharModel:
    """The small LSTM that comes with the course, trained on Shakespeare's plays in Markdown, in eval mode."""
    return checkpoints.load(data_folder() / "checkpoints" / name).eval()
