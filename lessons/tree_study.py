"""Learning to read trees: tasks, sizes, and the three ways to read that lesson 16 compares.

"tree" goes up the tree itself, "random" up a binary tree split at random over the same tokens, "tokens" reads
those tokens from left to right.
"""

import math
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor
from torch.nn import functional

from lessons import checkpoints, code_trees, listops, logic, opinions, presets, sources, tune_trees
from lessons.errors import LessonError
from lessons.presets import Number, Preset
from lessons.recursive import Recursive
from lessons.sequence_model import parameters
from lessons.token_reader import TokenReader, Tokens
from lessons.tree_tasks import NOBODY_KNOWS, Example, TreeTask
from lessons.trees import Forest, Tree, at_random

READINGS = TREE, RANDOM, TOKENS = ("tree", "random", "tokens")
TASKS = {
    "listops": listops.listops,
    "logic": logic.logic,
    "opinions": opinions.opinions,
    "code": code_trees.code,
    "tunes": tune_trees.tunes,
}
Reader = Recursive | TokenReader


@dataclass(frozen=True)
class TreePreset(Preset):
    """Sizes of a task on trees and of its network.

    task: of TASKS. count: trees to train on, None for all there are. held_out: of every other part.
    reading: of READINGS. cell, hidden_size, embedding_size, readout_size: those of
    lessons.recursive.Recursive;
        a network that reads tokens has the size with which it has as many weights.
    every: whether training asks at all nodes whose answer is known, or at the root only.
    """

    learning_rate: Number = 1e-2
    warmup: int = 50
    precision: str = "float32"
    threads: int | None = 1
    task: str = "listops"
    count: int | None = 20_000
    held_out: int = 500
    reading: str = TREE
    cell: str = "in order"
    hidden_size: int = 48
    embedding_size: int = 16
    readout_size: int = 0
    every: bool = True
    batch_size: int = 64


SIZES = TreePreset("cpu", steps=6000, evaluate_every=500)
PRESETS = {
    "ci": SIZES.but(
        name="ci", steps=12, evaluate_every=6, count=300, held_out=40, hidden_size=12, embedding_size=6,
        batch_size=16,
    ),
    "cpu": SIZES,
    "shipped": SIZES.but(name="shipped", steps=10_000, evaluate_every=1000, hidden_size=64),
    "gpu": SIZES.but(
        name="gpu", steps=40_000, learning_rate=3e-3, evaluate_every=1000, count=100_000, held_out=2000,
        hidden_size=256, embedding_size=64, batch_size=512, precision="auto", threads=None,
    ),
}  # fmt: skip


class Batch(NamedTuple):
    """Some trees, laid out as the network reads them, and the labels of all their nodes, -1 for none."""

    trees: Forest | Tokens
    labels: Int[Tensor, " nodes"]
    answers: Int[Tensor, " trees"]


def load(preset: TreePreset, seed: int = 0) -> TreeTask:
    """The trees of a preset's task, made or dealt by `seed`. Raises LessonError for an unknown task."""
    if preset.task not in TASKS:
        raise LessonError(f"There is no task {preset.task!r}; there are {', '.join(TASKS)}.")
    return TASKS[preset.task](count=preset.count, held_out=preset.held_out, seed=seed)


def build(task: TreeTask, preset: TreePreset, seed: int = 0) -> Reader:
    """A network of a preset's sizes, first weights drawn from `seed`; torch's generator is left alone."""
    if preset.reading not in READINGS:
        raise LessonError(f"A tree is read as one of {', '.join(READINGS)}; {preset.reading!r} is none.")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return network(
            task, preset, preset.hidden_size if preset.reading != TOKENS else equal_size(task, preset)
        )


def network(task: TreeTask, preset: TreePreset, hidden: int, device: str | None = None) -> Reader:
    """The network that reads as a preset says, with so many units."""
    sizes = {
        "hidden_size": hidden,
        "embedding_size": preset.embedding_size,
        "readout_size": preset.readout_size,
    }
    if preset.reading == TOKENS:
        return TokenReader(task.symbols, len(task.labels), **sizes, device=device)
    cell = "in order" if preset.reading == RANDOM else preset.cell
    return Recursive(task.symbols, len(task.labels), cell, places=task.places, **sizes, device=device)


def equal_size(task: TreeTask, preset: TreePreset) -> int:
    """The units with which a reader of tokens has about as many weights as the network in pairs."""
    wanted = parameters(network(task, preset.but(reading=RANDOM), preset.hidden_size, "meta"))
    sizes = range(1, 4 * preset.hidden_size)
    return 1 + bisect_left(
        sizes, wanted, key=lambda hidden: parameters(network(task, preset, hidden, "meta"))
    )


def shaped(example: Example, reading: str, seed: int) -> Example:
    """An example as it is read: its own tree, or one split at random, whose inner nodes have no answers."""
    if reading != RANDOM:
        return example
    tree = at_random(example.tree, seed)
    return Example(tree, (example.answer, *[NOBODY_KNOWS] * (tree.size - 1)))


@dataclass
class TreeStudy:
    """Learning to answer at the nodes of trees: a Task for `fit`. A batch is a function of step and seed."""

    model: Reader
    data: TreeTask
    preset: TreePreset
    seed: int = 0
    unit: str = "bits per answer"

    def __post_init__(self) -> None:
        self.name = f"{self.data.name}, {self.preset.reading}"
        self.provenance: dict[str, Any] = self.data.provenance.as_dict()
        self.train = [shaped(example, self.preset.reading, self.seed) for example in self.data.parts["train"]]
        self.plans = [self.model.plan(example.tree) for example in self.train]
        self.part = slice(None)

    def batch(self, step: int) -> Batch:
        """The trees of a step."""
        dice = Generator(device="cpu").manual_seed(self.seed * 1_000_003 + step)
        rows = torch.randint(len(self.train), (self.preset.batch_size,), generator=dice).tolist()[self.part]
        return self.laid_out([self.train[row] for row in rows], [self.plans[row] for row in rows])

    def laid_out(self, examples: Sequence[Example], plans: Sequence[Any]) -> Batch:
        """Planned examples as the network reads them, on its device."""
        device = next(self.model.parameters()).device
        trees = self.model.gather(plans) if isinstance(self.model, TokenReader) else Forest.of(plans, device)
        labels = [label for example in examples for label in example.labels]
        answers = [example.answer for example in examples]
        return Batch(trees, torch.tensor(labels, device=device), torch.tensor(answers, device=device))

    def start(self) -> None:
        """Nothing is carried from batch to batch."""
        return None

    def loss(self, batch: Batch, carry: None = None) -> tuple[Float[Tensor, ""], None]:
        """Mean cross-entropy in bits, over all nodes with an answer or over the roots."""
        if not self.preset.every:
            return bits(self.model(batch.trees), batch.answers), None
        states, trees = self.model.states(batch.trees), batch.trees
        states, nodes = (states, trees.ends) if isinstance(trees, Tokens) else (states[0], trees.nodes)
        asked = batch.labels >= 0
        return bits(self.model.readout(states[nodes[asked]]), batch.labels[asked]), None

    @torch.no_grad()
    def evaluate(self, part: str = "valid") -> dict[str, float]:
        """Bits, and what share of the answers at the roots is right, on held-out trees."""
        training = self.model.training
        self.model.eval()
        logits, answers = self.answered(part)
        self.model.train(training)
        right = float((logits.argmax(1) == answers).float().mean())
        return {"valid": float(bits(logits, answers)), "right": right}

    def answered(self, part: str) -> tuple[Float[Tensor, "trees labels"], Int[Tensor, " trees"]]:
        """The logits at the roots of a part, and the right answers."""
        found = [self.forward(some) for some in chunks(self.held(part), 200)]
        return torch.cat([logits for logits, _ in found]), torch.cat([answers for _, answers in found])

    def held(self, part: str) -> list[Example]:
        """A part as it is read. Raises LessonError for one that is not there."""
        if part not in self.data.parts:
            raise LessonError(f"There is no part {part!r}; there are {', '.join(self.data.parts)}.")
        return [shaped(example, self.preset.reading, self.seed) for example in self.data.parts[part]]

    def forward(self, examples: Sequence[Example]) -> tuple[Tensor, Tensor]:
        """Logits at the roots of some examples, and their right answers."""
        batch = self.laid_out(examples, [self.model.plan(example.tree) for example in examples])
        return self.model(batch.trees), batch.answers

    @torch.no_grad()
    def right_by(self, part: str, group: Callable[[Tree], Any]) -> dict[Any, float]:
        """What share of a part's answers is right, for each value of `group`, in the order of the values."""
        logits, answers = self.answered(part)
        hits: dict[Any, list[bool]] = {}
        for example, hit in zip(self.data.parts[part], (logits.argmax(1) == answers).tolist(), strict=True):
            hits.setdefault(group(example.tree), []).append(hit)
        return {name: sum(hits[name]) / len(hits[name]) for name in sorted(hits)}

    def baselines(self) -> dict[str, float]:
        """The bits of who knows how often each answer is right, and sees no tree."""
        counts = torch.bincount(
            torch.tensor([example.answer for example in self.train]), minlength=len(self.data.labels)
        )
        chances = (counts + 1) / (counts + 1).sum()
        asked = torch.tensor([example.answer for example in self.data.parts["valid"]])
        return {"answer counts": float(-chances[asked].log2().mean())}

    def report(self) -> dict[str, float]:
        """Bits on the test part, for the command line."""
        return {"test": self.evaluate("test")["valid"]}

    def shard(self, index: int, count: int) -> "TreeStudy":
        """Every `count`-th tree of each batch, for one of several processes."""
        if self.preset.batch_size % count:
            raise LessonError(f"{self.preset.batch_size} trees cannot be dealt to {count} processes evenly.")
        share = TreeStudy(self.model, self.data, self.preset, self.seed)
        share.part = slice(index, None, count)
        return share


def prepare(preset: TreePreset, seed: int = 0, data: TreeTask | None = None) -> TreeStudy:
    """The preset's task with a new network; what the command line trains."""
    data = data or load(preset, seed)
    return TreeStudy(build(data, preset, seed), data, preset, seed)


def preset(name: str | None = None) -> TreePreset:
    """This lesson's preset: the one named, else UNROLLED_PRESET, else the device's."""
    return presets.choose(PRESETS, name)


def pretrained(cell: str = "in order", data: TreeTask | None = None) -> TreeStudy:
    """A network that comes with the course, with the lists that it learnt from and those that it never read.

    cell: "in order" or "child-sum"; both learnt ListOps in as many steps, from the preset "shipped".
    data: other lists in the place of those.
    """
    files = {"in order": "recursive", "child-sum": "recursive_sums"}
    if cell not in files:
        raise LessonError(f"There are networks of the cells {' and '.join(files)}; {cell!r} is none of them.")
    preset = PRESETS["shipped"].but(cell=cell)
    network = checkpoints.load(sources.data_folder() / "checkpoints" / files[cell])
    return TreeStudy(network.eval(), data or load(preset), preset)


def chunks(examples: Sequence[Example], size: int) -> list[Sequence[Example]]:
    """Neighbouring examples, at most `size` at a time."""
    return [examples[start : start + size] for start in range(0, len(examples), size)]


def bits(logits: Float[Tensor, "trees labels"], answers: Int[Tensor, " trees"]) -> Float[Tensor, ""]:
    """Mean cross-entropy in bits."""
    return functional.cross_entropy(logits, answers) / math.log(2)
