"""Lesson 13: one network, several media. What to train, and the networks that come with the course.

    python -m lessons train generation --preset html --model data/checkpoints/generation_html

trains one of those again; the presets figure, html, journal and code are their sizes.
"""

from dataclasses import dataclass
from pathlib import Path

from lessons import char_rnn, checkpoints, media
from lessons.arguments import Seed, explained
from lessons.char_rnn import BriefPreset, CharModel, CharTask
from lessons.corpora import Corpus
from lessons.presets import choose
from lessons.sources import data_folder


@dataclass(frozen=True)
class GenerationPreset(BriefPreset):
    """Sizes of a network that writes a medium (lessons.media); `corpus` follows from the medium."""

    medium: str = "figure"


SHIPPED = GenerationPreset(
    "shipped", steps=2500, learning_rate=1e-2, evaluate_every=500, threads=1, hidden_size=256,
    embedding_size=32, batch_size=32, length=64,
)  # fmt: skip
PRESETS = {
    "ci": GenerationPreset(
        "ci", steps=30, learning_rate=1e-2, warmup=5, evaluate_every=15, precision="float32", threads=1,
        hidden_size=32, embedding_size=16, batch_size=8, length=32, valid_characters=4_000,
        baseline_order=None,
    ),
    "cpu": GenerationPreset(
        "cpu", steps=3000, learning_rate=1e-2, evaluate_every=300, hidden_size=192, embedding_size=24,
        batch_size=32, length=64, dropout=0.1, valid_characters=16_000,
    ),
    # Three layers as in Karpathy 2015, who trained on LaTeX, Linux and Wikipedia.
    "gpu": GenerationPreset(
        "gpu", steps=20_000, learning_rate=2e-3, evaluate_every=1000, hidden_size=512, num_layers=3,
        embedding_size=64, dropout=0.3, batch_size=64, length=128, medium="html",
    ),
    "figure": SHIPPED.but(name="figure", medium="figure", steps=2000, dropout=0.1),
    "html": SHIPPED.but(name="html", medium="html"),
    "journal": SHIPPED.but(name="journal", medium="journal", steps=1800),
    "code": SHIPPED.but(name="code", medium="code", steps=2000),
}  # fmt: skip


def preset(name: str | None = None) -> GenerationPreset:
    """This lesson's preset: the one named, else UNROLLED_PRESET, else the device's."""
    return choose(PRESETS, name)


class GenerationTask(CharTask):
    """Predict the next character of a medium; what `fit` trains in this lesson."""

    name = "generation"


@explained
def prepare(preset: GenerationPreset, seed: Seed = 0, corpus: Corpus | None = None) -> GenerationTask:
    """The preset's medium, or a corpus of the learner's, and a new model of its size, ready for `fit`."""
    corpus = corpus or media.text(preset.medium)
    return GenerationTask(char_rnn.build(corpus.vocabulary, preset, seed), corpus, preset, seed)


def checkpoint(medium: str) -> Path:
    """Where the network that comes with the course for a medium lies; Markdown's is that of lesson 02."""
    name = "char_rnn" if media.find(medium).name == "markdown" else f"generation_{medium}"
    return data_folder() / "checkpoints" / f"{name}.safetensors"


@explained
def pretrained(medium: str) -> CharModel:
    """The network that comes with the course for a medium, in eval mode."""
    return checkpoints.load(checkpoint(medium)).eval()


def bits(model: CharModel, corpus: Corpus) -> float:
    """Bits per character on the test text, which nothing was chosen with."""
    return char_rnn.bits_per_character(model, corpus.test)
