"""Lesson 14: a character LSTM that writes tunes in a chosen dance, metre and key.

Every tune of the corpus begins with the same four lines, so what they say is a condition that the network has
read before it writes the first note (as in Sturm et al. 2016, "Music transcription modelling and composition
using deep learning", whose tokens for metre and key stand first, too). Writing in A minor is nothing but
putting `K:Am` in front.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from lessons import char_rnn, corpora, sampling, tune_parts
from lessons.arguments import Count, Seed, explained
from lessons.char_rnn import BriefPreset, CharModel, CharPreset, CharTask
from lessons.corpora import Corpus
from lessons.errors import LessonError
from lessons.ngram import NGram
from lessons.presets import choose
from lessons.sampling import Heat
from lessons.tune_parts import Tune
from lessons.tunes import DANCES, METRES

PRESETS = {
    "ci": CharPreset(
        "ci", steps=40, learning_rate=1e-2, warmup=5, evaluate_every=20, precision="float32", threads=1,
        corpus="tunes", hidden_size=32, embedding_size=16, batch_size=8, length=32, valid_characters=4_000,
        baseline_order=None,
    ),
    "cpu": BriefPreset(
        "cpu", steps=2800, learning_rate=1e-2, evaluate_every=400, corpus="tunes", hidden_size=192,
        embedding_size=32, dropout=0.1, length=80,
    ),
    # Sturm et al. 2016 (section 3): three layers of 512, dropout 0.5.
    "gpu": CharPreset(
        "gpu", steps=20_000, evaluate_every=1000, corpus="tunes", hidden_size=512, num_layers=3,
        embedding_size=64, dropout=0.5, batch_size=64, length=128,
    ),
    # data/checkpoints/songs: `python -m lessons train songs --preset shipped --model ...`
    "shipped": BriefPreset(
        "shipped", steps=4500, learning_rate=8e-3, evaluate_every=1000, corpus="tunes", hidden_size=256,
        embedding_size=32, dropout=0.2, length=80, threads=1,
    ),
}  # fmt: skip

KEYS = ("G", "D", "A", "C", "F", "Bb", "Em", "Am", "Gm", "Dm", "Bm", "Ador", "Edor", "Amix", "Dmix")
UNITS = {"2/4": "1/16", "3/8": "1/16"}  # the unit of length that books use in these metres, else 1/8
END = "\n\n"  # between two tunes
Part = Literal["train", "valid", "test"]
LONGEST = 1200  # characters at which a tune that does not end is cut


@dataclass(frozen=True)
class Condition:
    """What a tune is to be: its dance, metre and key. unit: the L: line, by default the metre's usual one."""

    dance: str = "jig"
    metre: str = "6/8"
    key: str = "D"
    unit: str = ""

    def __post_init__(self) -> None:
        if self.dance not in DANCES:
            raise LessonError(f"There is no dance {self.dance!r}; choose one of {', '.join(DANCES)}.")
        if self.metre not in METRES:
            raise LessonError(f"There is no metre {self.metre!r}; choose one of {', '.join(METRES)}.")
        tune_parts.key(self.key)
        if self.unit != "":
            tune_parts.unit_of_length(self.unit)

    @property
    def header(self) -> str:
        """The four lines that stand before the notes."""
        unit = self.unit or UNITS.get(self.metre, "1/8")
        return f"R:{self.dance}\nM:{self.metre}\nL:{unit}\nK:{self.key}\n"


def preset(name: str | None = None) -> CharPreset:
    """This lesson's preset: the one named, else UNROLLED_PRESET, else the device's."""
    return choose(PRESETS, name)


class SongTask(CharTask):
    """Predict the next character of the tune books; what `fit` trains in this lesson."""

    name = "songs"


@explained
def prepare(preset: CharPreset, seed: Seed = 0) -> SongTask:
    """The tunes and a new model of the preset's size, ready for `fit`."""
    books = corpora.load(preset.corpus)
    return SongTask(char_rnn.build(books.vocabulary, preset, seed), books, preset, seed)


def pretrained() -> CharModel:
    """The LSTM that comes with the course, trained on the tune books, in eval mode."""
    return char_rnn.pretrained("songs")


@explained
@torch.no_grad()
def write(
    model: CharModel,
    headers: Sequence[str],
    temperature: Heat = 0.7,
    seed: Seed = 0,
    longest: Count = LONGEST,
) -> list[str]:
    """A tune for every header, side by side in one batch; each ends at a blank line or after `longest`.

    A header may go on with the beginning of a tune, which is then continued. Tunes come with their headers.
    Raises LessonError for characters that the model has never seen.
    """
    if isinstance(headers, str):
        raise LessonError("headers is a list of strings; put this one header in brackets.")
    if not headers:
        raise LessonError("Give at least one header to write a tune for, such as Condition().header.")
    device = model.readout.weight.device
    given = [model.vocabulary.encode("\n" + header) for header in headers]
    lengths = torch.tensor([len(one) for one in given], device="cpu")
    forced = torch.nn.utils.rnn.pad_sequence(given, batch_first=True)
    generator = torch.Generator(device="cpu").manual_seed(seed)
    ahead, state = forced[:, 0], None
    tunes, finished = [[] for _ in headers], [False] * len(headers)
    was_training = model.training
    model.eval()
    for step in range(1, int(lengths.max()) + longest):
        logits, state = model.step(ahead.to(device), state)
        chances = sampling.distribution(logits.float(), temperature).cpu()
        rolls = torch.rand(len(headers), generator=generator, device="cpu")
        drawn = sampling.place(chances, rolls)
        known = forced[:, min(step, forced.shape[1] - 1)]
        ahead = torch.where(step < lengths, known, drawn)
        for row, number in enumerate(ahead.tolist()):
            _append(tunes, finished, row, model.vocabulary.symbols[number], longest + int(lengths[row]))
        if all(finished):
            break
    model.train(was_training)
    return ["".join(tune).strip("\n") + "\n" for tune in tunes]


def _append(tunes: list[list[str]], finished: list[bool], row: int, symbol: str, most: int) -> None:
    """Add a character to a tune that has not ended; a blank line after notes ends it."""
    if finished[row]:
        return
    tune = tunes[row]
    tune.append(symbol)
    finished[row] = (symbol == "\n" and len(tune) > 1 and tune[-2] == "\n") or len(tune) >= most


@explained
def write_by_counts(
    counted: NGram, headers: Sequence[str], temperature: Heat = 0.7, seed: Seed = 0, longest: Count = LONGEST
) -> list[str]:
    """The same by an n-gram: what can be had from the last few characters alone."""
    generator = torch.Generator(device="cpu").manual_seed(seed)
    return [_counted(counted, header, temperature, generator, longest) for header in headers]


def _counted(
    counted: NGram, header: str, temperature: float, generator: torch.Generator, longest: int
) -> str:
    text = header
    while len(text) < len(header) + longest and not text.endswith(END):
        scores = counted.predict(text).float().log()
        chances = sampling.distribution(scores, temperature)
        roll = torch.rand((), generator=generator, device="cpu")
        text += counted.vocabulary.symbols[int(sampling.place(chances, roll))]
    return text.strip("\n") + "\n"


@explained
@torch.no_grad()
def chances(model: CharModel, text: str) -> Float[Tensor, " time"]:
    """The probability that the model gave each character of a tune before it came, at temperature 1."""
    ids = model.encode("\n" + text)
    logits, _ = model(ids[:, :-1])
    return logits[0].softmax(-1).gather(-1, ids[0, 1:, None])[:, 0].cpu()


@explained
def certainty(model: CharModel, tune: Tune) -> list[float]:
    """For each written note: the probability of its characters, sign, letter, octave, length, in a row."""
    each = chances(model, tune.text).tolist()
    found = []
    for note in tune.notes:
        product = 1.0
        for chance in each[note.begin : note.end]:
            product *= chance
        found.append(product)
    return found


@explained
def headers(corpus: Corpus, part: Part = "test", most: Count | None = None) -> list[str]:
    """The headers of a part of the corpus, in its order: what real tunes of these books are like."""
    return [header(text) for text in bodies(corpus, part)][:most]


@explained
def header(text: str) -> str:
    """The header of a tune in the plain form."""
    head, _, rest = text.partition("\nK:")
    return f"{head}\nK:{rest.partition(chr(10))[0]}\n"


@explained
def bodies(corpus: Corpus, part: Part = "test") -> list[str]:
    """The tunes of a part of the corpus."""
    wanted = set(corpus.parts[part])
    return [text for name, text in corpus.documents if name in wanted]
