"""Learning to write by hand: sizes, the task for `fit`, and the figures of lesson 15."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from lessons import checkpoints, presets, sources
from lessons.errors import LessonError
from lessons.handwriting import Writer
from lessons.mixture_density import fitted, mean_nats, mixture, nats
from lessons.pages import LINES, WORDS, Page, Pages, pages
from lessons.presets import Number, Preset
from lessons.window_loop import Read

POOL = 8  # batches that are drawn together and dealt by length, so that little of them is padding
COMPARED = 20  # components of the constant mixture that the curve is compared with
FITTED = 5_000  # points it is fitted to
SHIPPED = "handwriting"


@dataclass(frozen=True)
class HandwritingPreset(Preset):
    """Sizes of the network (lessons.handwriting.Writer) and of what it learns from (lessons.pages.pages)."""

    learning_rate: Number = 4e-3
    clip: Number | None = 1.0
    evaluate_every: int = 100
    precision: str = "float32"
    threads: int | None = 1
    hidden_size: int = 96
    num_layers: int = 1
    components: int = 10
    gaussians: int = 5
    batch_size: int = 32
    pieces: str = WORDS
    hands: str = "clerk"
    count: int = 1500
    held_out: int = 100
    longest: int = 24


SIZES = HandwritingPreset("cpu", steps=1500)
PRESETS = {
    "ci": SIZES.but(
        name="ci", steps=12, evaluate_every=6, hidden_size=16, components=4, gaussians=3, batch_size=8,
        count=40, held_out=8,
    ),
    "cpu": SIZES,
    # What comes with the course: six hands, lines of a few words, two layers; some ten minutes on one core.
    "shipped": SIZES.but(
        name="shipped", steps=3000, evaluate_every=500, hidden_size=128, num_layers=2, components=16,
        gaussians=6, pieces=LINES, hands="clerk,leaning,round,shaky,print,narrow", count=3000, held_out=150,
        longest=16,
    ),
    "gpu": SIZES.but(
        name="gpu", steps=20_000, learning_rate=1e-3, evaluate_every=1000, hidden_size=400, num_layers=2,
        components=20, gaussians=10, batch_size=64, pieces=LINES, threads=None,
        hands="clerk,leaning,round,shaky,print,narrow", count=20_000, held_out=500, longest=40,
    ),
}  # fmt: skip


def preset(name: str | None = None) -> HandwritingPreset:
    """This lesson's preset: the one named, else UNROLLED_PRESET, else the device's."""
    return presets.choose(PRESETS, name)


def load(preset: HandwritingPreset) -> Pages:
    """The pages of a preset."""
    return pages(preset.pieces, preset.count, preset.held_out, preset.hands, preset.longest)


def build(preset: HandwritingPreset, seed: int = 0) -> Writer:
    """A network of a preset's sizes, first weights drawn from `seed`; torch's generator is left alone."""
    names = ("hidden_size", "num_layers", "components", "gaussians")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Writer(**{name: getattr(preset, name) for name in names})


def prepare(preset: HandwritingPreset, seed: int = 0, written: Pages | None = None) -> "Penmanship":
    """The preset's task with a new network; what the command line trains."""
    return Penmanship(build(preset, seed), written or load(preset), preset, seed)


def pretrained() -> Writer:
    """The network that comes with the course, in eval mode; how it was trained stands beside it."""
    return checkpoints.load(shipped()).eval()


def shipped() -> Path:
    """Where the network that comes with the course lies."""
    return sources.data_folder() / "checkpoints" / f"{SHIPPED}.safetensors"


@dataclass
class Penmanship:
    """Learning to write: a Task for `fit`. A batch is a function of step and seed."""

    model: Writer
    pages: Pages
    preset: HandwritingPreset
    seed: int = 0
    name: str = "handwriting"
    unit: str = "nats per point"

    def __post_init__(self) -> None:
        self.provenance: Mapping[str, Any] = self.pages.provenance
        self.part = slice(None)

    def batch(self, step: int) -> Page:
        """The pieces of a step: of POOL batches drawn together, those of like lengths."""
        pool, place = divmod(step, POOL)
        size, dice = self.preset.batch_size, Generator(device="cpu").manual_seed(self.seed * 1_000_003 + pool)
        train = self.pages.parts["train"]
        rows = torch.randint(len(train), (POOL * size,), generator=dice, device="cpu")
        order = train.lengths[rows].argsort(stable=True)
        turn = torch.randperm(POOL, generator=dice, device="cpu")[place]
        return train.some(rows[order[turn * size : (turn + 1) * size]][self.part])

    def start(self) -> None:
        """Nothing is carried from batch to batch."""
        return None

    def loss(self, batch: Page, carry: None = None) -> tuple[Float[Tensor, ""], None]:
        """Mean cost of the points in nats."""
        numbers, _ = self.answer(batch)
        device = numbers.device
        real = batch.belongs.to(device) >= 0
        return mean_nats(mixture(numbers.float()), batch.offsets.to(device), real), None

    def answer(self, batch: Page) -> tuple[Float[Tensor, "batch time numbers"], Read | None]:
        """What the network says of a page, the truth before every point given."""
        text = self.model.spelled(batch.codes, batch.spelled) if self.model.gaussians else None
        weight = self.model.readout.weight
        return self.model(batch.offsets.to(weight), text)

    @torch.no_grad()
    def evaluate(self, part: str = "valid") -> dict[str, float]:
        """Nats per point, and with a window the share of points that it reads at their letter."""
        training = self.model.training
        self.model.eval()
        page = self.pages.parts[part]
        figures = {"valid": float(self.loss(page)[0])}
        if self.model.gaussians:
            figures |= alignment(self.answer(page)[1].phi.transpose(0, 1).cpu(), page)
        self.model.train(training)
        return figures

    def baselines(self) -> dict[str, float]:
        """The cost of densities that stay the same at every point: one Gaussian, and the best mixture."""
        train, held = (self.pages.parts[part].points() for part in ("train", "valid"))
        return {
            "one Gaussian": constant(train, held, 1),
            f"constant mixture of {COMPARED}": constant(train, held, COMPARED),
        }

    def report(self) -> dict[str, float]:
        """Figures on the test part, for the command line."""
        figures = self.evaluate("test")
        return {"test": figures.pop("valid"), **figures}

    def shard(self, index: int, count: int) -> "Penmanship":
        """Every `count`-th piece of each batch, for one of several processes."""
        if self.preset.batch_size % count:
            raise LessonError(f"{self.preset.batch_size} pieces cannot be dealt to {count} processes evenly.")
        share = Penmanship(self.model, self.pages, self.preset, self.seed)
        share.part = slice(index, None, count)
        return share


def constant(train: Float[Tensor, "train 3"], held: Float[Tensor, "held 3"], components: int) -> float:
    """What held-out offsets cost under the constant mixture that fits the training offsets."""
    mix = fitted(train[:FITTED], components)
    spread = type(mix)(*(part.expand(len(held), *part.shape) for part in mix))
    return float(nats(spread, held.double()).mean())


def alignment(phi: Float[Tensor, "batch time letters"], page: Page) -> dict[str, float]:
    """How often the letter that a window reads most is the one being written, and how often a neighbour.

    For comparison: a window that walks through the text at one pace, from the first point to the last.
    """
    real = page.belongs >= 0
    steps = torch.arange(page.belongs.shape[1], device="cpu") + 0.5
    even = (steps / page.lengths[:, None] * page.spelled[:, None]).floor()
    away = (phi.argmax(-1) - page.belongs).abs()[real]
    return {
        "aligned": float((away == 0).float().mean()),
        "aligned within one": float((away <= 1).float().mean()),
        "even pace": float((even == page.belongs)[real].float().mean()),
    }
