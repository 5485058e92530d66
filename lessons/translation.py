"""Learning to translate: tasks, sizes and figures of lessons 11 and 12."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor
from torch.nn import functional

from lessons import presets
from lessons.arguments import Seed, explained
from lessons.attention import coverage_loss
from lessons.dates import dates
from lessons.decoding import translate
from lessons.errors import LessonError
from lessons.menus import menus
from lessons.number_words import SEVERAL, number_words, tagged
from lessons.pairs import Pairs
from lessons.presets import Number, Preset
from lessons.seq2seq import Seq2Seq, evaluating
from lessons.teacher_forcing import CONSTANT, Schedule, falling
from lessons.tokens import PAD

POOL = 8  # batches that are drawn together and dealt by length, so that little of them is padding


@dataclass(frozen=True)
class TranslationPreset(Preset):
    """Sizes of a task of translation and of its network.

    task: of TASKS. pieces: word pieces of each side, None for characters. train, held_out: pairs used.
    count, below, beyond: sizes of the task (lessons.number_words); dates know the first only.
    coverage_loss: how much looking twice at a place costs in training (lessons.attention.coverage_loss).
    schedule, ratio: what the decoder is fed with (lessons.teacher_forcing): "constant" keeps the chance of
        the truth at `ratio`, the others let it fall to `ratio` at the last step. own: "sample" or "best".
    The others are those of lessons.seq2seq.Seq2Seq.
    """

    learning_rate: Number = 4e-3
    warmup: int = 50
    evaluate_every: int = 250
    precision: str = "float32"
    task: str = "german"
    pieces: int | None = None
    cell: str = "lstm"
    decoder_cell: str | None = None
    hidden_size: int = 128
    num_layers: int = 1
    embedding_size: int = 32
    reading: str = "both"
    bridge: str = "linear"
    attention: str | None = "general"
    place: str = "after"
    feed: bool = False
    residual: bool = False
    dropout: Number = 0.0
    coverage: bool = False
    coverage_loss: Number = 0.0
    decay: Number = 0.5
    schedule: str = CONSTANT
    ratio: Number = 1.0
    own: str = "sample"
    batch_size: int = 64
    train: int | None = None
    held_out: int | None = 500
    count: int = 12_000
    below: int = 1_000_000
    beyond: int = 500

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.coverage_loss < 0:
            raise LessonError(f"coverage_loss is 0 or more; {self.coverage_loss} would reward looking twice.")


SIZES = TranslationPreset("cpu", steps=600, evaluate_every=100, threads=2)
PRESETS = {
    "ci": SIZES.but(
        name="ci", steps=12, evaluate_every=6, threads=1, hidden_size=16, embedding_size=8, batch_size=16,
        held_out=40, count=400,
    ),
    "cpu": SIZES,
    # Google's network on real sentences, small; with so few it does far better on those it has read.
    "gnmt": SIZES.but(
        name="gnmt", task="menus", pieces=600, steps=600, learning_rate=4e-3, hidden_size=128, num_layers=3,
        embedding_size=128, reading="bottom", attention="additive", place="bottom", residual=True,
        dropout=0.3,
    ),
    "gpu": SIZES.but(
        name="gpu", steps=20_000, learning_rate=1e-3, evaluate_every=1000, precision="auto", hidden_size=512,
        num_layers=4, embedding_size=256, reading="bottom", attention="additive", place="bottom",
        residual=True, dropout=0.2, batch_size=256, held_out=1000, count=100_000, threads=None,
    ),
}  # fmt: skip
WORDS = {"german": "de", "french": "fr", "danish": "da", "digits": "digits"}  # from English number words
TASKS = (*WORDS, "tagged", "dates", "menus")


def preset(name: str | None = None) -> TranslationPreset:
    """This lesson's preset: the one named, else UNROLLED_PRESET, else the device's."""
    return presets.choose(PRESETS, name)


@explained
def load(preset: TranslationPreset) -> Pairs:
    """The pairs of a preset's task. Raises LessonError for an unknown one."""
    if preset.task not in TASKS:
        raise LessonError(f"There is no task {preset.task!r}; there are {', '.join(TASKS)}.")
    if preset.task == "dates":
        return dates(preset.count)
    if preset.task == "menus":
        return menus()
    if preset.task == "tagged":
        return tagged(SEVERAL, preset.count, preset.below)
    return number_words("en", WORDS[preset.task], preset.count, preset.below, preset.beyond)


def build(preset: TranslationPreset, pairs: Pairs, seed: int = 0) -> Seq2Seq:
    """A network of a preset's sizes, first weights drawn from `seed`; torch's generator is left alone."""
    names = (
        "cell", "decoder_cell", "hidden_size", "num_layers", "embedding_size", "reading", "bridge",
        "attention", "place", "feed", "residual", "dropout", "coverage", "decay",
    )  # fmt: skip
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Seq2Seq(*pairs.tokens(preset.pieces), **{name: getattr(preset, name) for name in names})


@explained
def prepare(preset: TranslationPreset, seed: Seed = 0, pairs: Pairs | None = None) -> "Translation":
    """The preset's task with a new network; what the command line trains."""
    pairs = pairs or load(preset)
    return Translation(build(preset, pairs, seed), pairs, preset, seed)


class Batch(NamedTuple):
    """Some sentences: sources, their lengths, translations with END; and the chance that truth is fed."""

    source: Int[Tensor, "batch source"]
    lengths: Int[Tensor, " batch"]
    target: Int[Tensor, "batch target"]
    ratio: float = 1.0


@dataclass
class Translation:
    """Learning to translate: a Task for `fit`. A batch is a function of step and seed."""

    model: Seq2Seq
    pairs: Pairs
    preset: TranslationPreset
    seed: int = 0
    unit: str = "bits per symbol"
    schedule: Schedule | None = None

    def __post_init__(self) -> None:
        self.name = self.pairs.name
        self.provenance: Mapping[str, Any] = self.pairs.provenance.as_dict()
        asked = self.preset
        if asked.coverage_loss and self.model.decoder.attention is None:
            raise LessonError("Without attention nothing is looked at twice, so coverage_loss is 0.")
        if self.schedule is None:
            self.schedule = falling(asked.schedule, asked.steps, asked.ratio)
        train = self.pairs.first(train=asked.train).parts["train"]
        self.train = self.numbered(train)
        self.held = self.pairs.first(valid=asked.held_out, test=None).parts
        self.part = slice(None)

    def rows(self, part: str) -> Sequence[tuple[str, str]]:
        """The pairs of a part, as many as are used of it. Raises LessonError for a part that is none."""
        if not self.held.get(part):
            raise LessonError(
                f"This task has no sentences in a part {part!r}; it has {', '.join(self.held)}."
            )
        return self.held[part]

    def numbered(self, rows: Sequence[tuple[str, str]]) -> Batch:
        """Pairs as numbers."""
        sources, targets = zip(*rows, strict=True)
        return Batch(*self.model.source.batch(sources), self.model.target.batch(targets, end=True)[0])

    def batch(self, step: int) -> Batch:
        """The sentences of a step: of POOL batches drawn together, those of like lengths."""
        pool, place = divmod(step, POOL)
        size, dice = self.preset.batch_size, Generator(device="cpu").manual_seed(self.seed * 1_000_003 + pool)
        rows = torch.randint(len(self.train.source), (POOL * size,), generator=dice)
        order = self.train.lengths[rows].argsort(stable=True)
        turn = torch.randperm(POOL, generator=dice)[place]
        mine = rows[order[turn * size : (turn + 1) * size]][self.part]
        return self.placed(cut(self.train, mine, self.schedule(step)))

    def placed(self, batch: Batch) -> Batch:
        """A batch on the model's device."""
        device = self.model.device
        return Batch(batch.source.to(device), batch.lengths.to(device), batch.target.to(device), batch.ratio)

    def start(self) -> None:
        """Nothing is carried from batch to batch."""
        return None

    def loss(self, batch: Batch, carry: None = None) -> tuple[Float[Tensor, ""], None]:
        """Mean cross-entropy of the symbols in bits, and what looking twice costs, if it costs anything."""
        reply = self.model(batch.source, batch.lengths, batch.target, batch.ratio, self.preset.own)
        loss = bits(reply.logits, batch.target)
        if self.preset.coverage_loss:
            real = batch.target != PAD
            twice = coverage_loss(reply.attended.weights * real[..., None]).sum() / real.sum()
            loss = loss + self.preset.coverage_loss * twice
        return loss, None

    @torch.no_grad()
    def evaluate(self, part: str = "valid") -> dict[str, float]:
        """Bits when the truth is fed, and how well whole sentences are written without it."""
        held = self.placed(self.numbered(self.rows(part)))
        with evaluating(self.model):
            logits = self.model(held.source, held.lengths, held.target).logits
        figures = {"valid": float(bits(logits, held.target))}
        return figures | self.scores(part)

    def scores(self, part: str = "valid") -> dict[str, float]:
        """The share of sentences that are right, for exact tasks; else BLEU and chrF."""
        sources, targets = zip(*self.rows(part), strict=True)
        written = translate(self.model, list(sources), longest=2 * max(map(len, targets)))
        if self.pairs.exact:
            return {"exact": exact(written, targets)}
        return {"exact": exact(written, targets), **quality(written, targets)}

    def baselines(self) -> dict[str, float]:
        """The bits of who knows how often each symbol is written, and nothing else."""
        counts = torch.bincount(self.train.target[self.train.target != PAD], minlength=len(self.model.target))
        chances = (counts + 1) / (counts + 1).sum()
        target = self.numbered(self.held["valid"]).target
        return {"symbol counts": float(-chances[target[target != PAD]].log2().mean())}

    def report(self) -> dict[str, float]:
        """Bits on the test part, for the command line."""
        return {"test": self.evaluate("test")["valid"]}

    def shard(self, index: int, count: int) -> "Translation":
        """Every `count`-th sentence of each batch, for one of several processes."""
        if self.preset.batch_size % count:
            raise LessonError(
                f"{self.preset.batch_size} sentences cannot be dealt to {count} processes evenly."
            )
        share = Translation(self.model, self.pairs, self.preset, self.seed, schedule=self.schedule)
        share.part = slice(index, None, count)
        return share


def cut(batch: Batch, rows: Int[Tensor, " rows"], ratio: float) -> Batch:
    """Some sentences, as wide as the longest of them."""
    lengths, target = batch.lengths[rows], batch.target[rows]
    wide = int((target != PAD).sum(1).max())
    return Batch(batch.source[rows, : int(lengths.max())], lengths, target[:, :wide], ratio)


def bits(
    logits: Float[Tensor, "batch target vocab"], target: Int[Tensor, "batch target"]
) -> Float[Tensor, ""]:
    """Mean cross-entropy in bits over the symbols that are no padding."""
    loss = functional.cross_entropy(logits.flatten(0, 1), target.flatten(), ignore_index=PAD)
    return loss / math.log(2)


def exact(written: Sequence[str], right: Sequence[str]) -> float:
    """The share of sentences that are right as a whole."""
    return sum(a == b for a, b in zip(written, right, strict=True)) / len(right)


def quality(written: Sequence[str], right: Sequence[str]) -> dict[str, float]:
    """BLEU (Papineni et al. 2002) and chrF (Popović 2015), 0 to 100, as sacrebleu computes them."""
    from sacrebleu.metrics import BLEU, CHRF

    return {
        "BLEU": BLEU(effective_order=False).corpus_score(list(written), [list(right)]).score,
        "chrF": CHRF().corpus_score(list(written), [list(right)]).score,
    }
