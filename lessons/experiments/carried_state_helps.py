"""Lesson 02: training with the state carried from window to window, against a zero state in each window.

The held-out plays are read in one go, the state carried, by both networks: what differs is only how they
were trained. What the second network makes of the same plays when its state is reset every 64 characters, as
it was in training, is measured too, and no rule hangs on it.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import torch
from torch import Tensor

from lessons import char_rnn, corpora
from lessons.char_rnn import CharPreset, CharTask
from lessons.experiments.claim import Claim, Figures, Margin, Measure
from lessons.experiments.excerpt import excerpt
from lessons.training import fit

BITS = "bits per character on held-out plays"
CARRIED, RESET, RESET_BOTH = "state carried", "state reset in training", "reset in training and reading"

SIZES = CharPreset(
    "cpu", steps=1000, learning_rate=4e-3, evaluate_every=1000, precision="float32", hidden_size=128,
    embedding_size=64, batch_size=32, length=64, valid_characters=100_000, baseline_order=None,
)  # fmt: skip


class ResetTask(CharTask):
    """Lesson 02's task, but every window starts from a zero state."""

    def loss(self, batch: tuple, carry: Any) -> tuple[Tensor, Any]:
        """Mean bits per character of one window; what was carried is dropped."""
        return super().loss(batch, None)


def sizes(preset: str) -> CharPreset:
    """Small enough for half a minute; in `ci`, for two seconds."""
    return SIZES.but(name="ci", steps=20, hidden_size=32, batch_size=8) if preset == "ci" else SIZES


def settings(preset: str) -> dict:
    """Everything that decides the result."""
    return {"lstm": asdict(sizes(preset)), "excerpt": preset == "ci"}


def run(seed: int, preset: str) -> Figures:
    """Train both ways from the same first weights on the same windows; read the held-out plays."""
    corpus = corpora.load("shakespeare", quiet=True)
    corpus = excerpt(corpus) if preset == "ci" else corpus
    models = {}
    for condition, kind in ((CARRIED, CharTask), (RESET, ResetTask)):
        models[condition] = char_rnn.build(corpus.vocabulary, sizes(preset), seed)
        fit(kind(models[condition], corpus, sizes(preset), seed), seed=seed, progress=False)
    bits = {name: char_rnn.bits_per_character(model, corpus.test) for name, model in models.items()}
    bits[RESET_BOTH] = bits_in_windows(models[RESET], corpus.test, SIZES.length)
    return {BITS: bits}


@torch.no_grad()
def bits_in_windows(model: char_rnn.CharModel, text: str, length: int) -> float:
    """Bits per character when every window of `length` predictions starts from a zero state."""
    ids = model.encode(text)[0]
    windows = ids[: (len(ids) - 1) // length * length].view(-1, length)
    following = ids[1 : windows.numel() + 1].view(-1, length)
    logits, _ = model(windows)
    likely = logits.log_softmax(-1).gather(-1, following[..., None])
    return float(-likely.mean() / torch.log(torch.tensor(2.0)))


CLAIM = Claim(
    name="carried-state-helps",
    lesson="02_char_rnn",
    statement="Carrying the LSTM's state from one training window of 64 characters to the next lowers "
    "bits per character on held-out plays, against a zero state in each window, with as many steps.",
    source="Zaremba, Sutskever & Vinyals 2014, Recurrent Neural Network Regularization (arXiv 1409.2329), "
    "section 4.1, where the final state of a minibatch starts the next one; the comparison is ours.",
    budget="two trainings of 1000 steps a seed, about half a minute on two cores",
    measures=(Measure(BITS, "bits", (CARRIED, RESET, RESET_BOTH)),),
    rules=(Margin(BITS, "bits", lower=CARRIED, upper=RESET, by=0.01, share=0.8),),
    run=run,
    settings=settings,
    corpora=("shakespeare",),
)
