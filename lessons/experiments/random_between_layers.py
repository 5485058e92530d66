"""Lesson 08: masks that differ between layers or steps, or do not, in a stack of two LSTM layers.

Everything in the stack is equally wide, so that one mask fits all three places: before the lower layer,
between the layers, and after the upper one.
"""

from __future__ import annotations

from dataclasses import asdict

import torch
from jaxtyping import Float, Int
from torch import Tensor

from lessons import corpora
from lessons.char_rnn import State
from lessons.dropouts import Masks, kept
from lessons.experiments.best_weights import bits_at_best
from lessons.experiments.claim import Claim, Figures, Margin, Measure
from lessons.experiments.excerpt import excerpt
from lessons.recurrent import LayerMasks
from lessons.recurrent_dropout import DropoutPreset, DropoutReader, Learning

BITS = "bits per character on held-out plays"
# name: whether masks differ between layers, whether they differ between steps
PLANS = {
    "new in each layer, kept over time": (True, False),
    "one for all layers, kept over time": (False, False),
    "new in each layer and step": (True, True),
    "one for all layers, new in each step": (False, True),
}
BEST = next(iter(PLANS))
NONE, RATE = "no dropout", 0.25
READ = 30_000  # characters of the test text

SIZES = DropoutPreset(
    "cpu", steps=400, learning_rate=1e-2, final_rate=0.1, evaluate_every=50, precision="float32", threads=1,
    batch_size=16, length=32, hidden_size=64, train_characters=10_000, valid_characters=10_000,
    baseline_order=None, embedding_size=64, num_layers=2,
)  # fmt: skip


class PlannedReader(DropoutReader):
    """The lesson's reader, with masks that are planned here and handed to its layers; plan None drops
    nothing."""

    plan: tuple[bool, bool] | None = None

    def forward(
        self, tokens: Int[Tensor, "batch time"], state: State | None = None
    ) -> tuple[Float[Tensor, "batch time vocab"], State]:
        """Scores of the next character after every character, and the state after the last."""
        masks = self.planned(*reversed(tokens.shape)) if self.plan and self.training else None
        output, state = self.recurrent(self.embedding(tokens), state, masks=masks)
        return self.readout(output), state

    def planned(self, steps: int, batch: int) -> LayerMasks:
        """Masks for the three places in a stack of two layers."""
        between_layers, between_steps = self.plan
        weight, layers = self.readout.weight, self.recurrent.num_layers
        shape = (steps if between_steps else 1, batch, self.recurrent.hidden_size)
        masks = [
            kept(shape, RATE, device=weight.device, dtype=weight.dtype)
            for _ in range(layers + 1 if between_layers else 1)
        ]
        masks = masks if between_layers else masks * (layers + 1)
        inside = [Masks(input=mask) for mask in masks[:-2]]
        return (*((mask,) for mask in inside), (Masks(input=masks[-2], output=masks[-1]),))


def sizes(preset: str) -> DropoutPreset:
    """Some seconds a training; in `ci`, one."""
    small = {"name": "ci", "steps": 4, "evaluate_every": 4, "hidden_size": 8, "embedding_size": 8}
    return SIZES.but(**small, train_characters=2000, valid_characters=1000) if preset == "ci" else SIZES


def settings(preset: str) -> dict:
    """Everything that decides the result."""
    return {"sizes": asdict(sizes(preset)), "plans": PLANS, "rate": RATE, "excerpt": preset == "ci"}


def run(seed: int, preset: str) -> Figures:
    """Train all of them from the same first weights, and read plays that chose nothing."""
    corpus = corpora.load("shakespeare", quiet=True)
    corpus = excerpt(corpus) if preset == "ci" else corpus
    chosen, bits = sizes(preset), {}
    shape = (chosen.cell, chosen.hidden_size, chosen.num_layers, chosen.embedding_size)
    for name, plan in {NONE: None, **PLANS}.items():
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            model = PlannedReader(corpus.vocabulary, *shape)
        model.plan = plan
        bits[name] = bits_at_best(Learning(model, corpus, chosen, seed), seed, READ)
    return {BITS: bits}


CLAIM = Claim(
    name="random-between-layers",
    lesson="08_recurrent_dropout",
    statement="In a stack of two LSTM layers, dropout masks that are drawn anew for each layer and kept over "
    "the steps of a sequence do better than masks shared by the layers, and than masks new at each step.",
    source="Gal & Ghahramani 2016, A Theoretically Grounded Application of Dropout in Recurrent Neural "
    "Networks (arXiv 1512.05287), whose figure 1 shows a colour of masks for each layer, repeated over time.",
    budget="five trainings of 400 steps a seed, about twenty seconds on one core",
    measures=(Measure(BITS, "bits", (NONE, *PLANS)),),
    rules=tuple(
        Margin(BITS, "bits", lower=BEST, upper=other, by=0.01, share=0.8) for other in list(PLANS)[1:3]
    ),
    run=run,
    settings=settings,
    corpora=("shakespeare",),
    depends_on="what is shared",
)
