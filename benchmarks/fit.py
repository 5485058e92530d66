"""What `fit` costs beside a bare torch loop, and what looking at live gates costs beside `fit`.

Every row is measured in one run with its baseline beside it. `python -m benchmarks.fit`
"""

import argparse
import contextlib
import io
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import torch
from torch.nn.functional import cross_entropy
from torch.nn.utils import clip_grad_norm_

from benchmarks.timing import compare
from lessons import char_rnn, corpora, training
from lessons.tracing import trace

LIMIT = 1.05
MODELS = (("lstm", 1, 128), ("lstm", 2, 256), ("gru", 1, 128), ("rnn", 1, 128))


class Row(NamedTuple):
    """One measured ratio with its limit."""

    what: str
    against: str
    model: str
    milliseconds: float
    ratio: float


class Quiet(char_rnn.CharTask):
    """The character task without evaluations, which are no part of a loop's overhead."""

    def evaluate(self) -> dict[str, float]:
        """Nothing."""
        return {}


class LiveGates:
    """What a live picture needs, without drawing: every gate of a few sequences, every 20th step."""

    every = 20

    def on_step(self, run: Any, task: Any, step: int) -> None:
        """Trace four sequences of the batch, and take the arrays that a picture would be made of."""
        characters, _, _ = task.batch(step)
        seen = trace(task.model, characters[:4])
        self.arrays = [seen.numpy(name) for name in seen.names]


def rows(steps: int, rounds: int) -> Iterator[Row]:
    """All measurements, one model after the other."""
    corpus = corpora.load("shakespeare", quiet=True)
    for cell, layers, hidden in MODELS:
        sizes = {"cell": cell, "num_layers": layers, "hidden_size": hidden, "precision": "float32"}
        preset = char_rnn.preset("cpu").but(steps=steps, baseline_order=None, **sizes)
        candidates = {
            "bare": bare_loop(corpus, preset),
            "fit": fitted(corpus, preset),
            "live": fitted(corpus, preset, LiveGates()),
        }
        seconds = compare(candidates, rounds)
        name = f"{cell} {layers}×{hidden}"
        for what, against in (("fit", "bare"), ("live", "fit")):
            yield Row(what, against, name, seconds[what] / steps * 1e3, seconds[what] / seconds[against])


def bare_loop(corpus: Any, preset: char_rnn.CharPreset) -> Callable[[], None]:
    """A tutorial's loop: streams, carried state, clipping, fused AdamW, the loss read every step."""
    model = char_rnn.build(corpus.vocabulary, preset)
    ids = model.vocabulary.encode(corpus.train)
    size = len(ids) // preset.batch_size
    streams = ids[: size * preset.batch_size].view(preset.batch_size, size)

    def run() -> None:
        optimizer = torch.optim.AdamW(model.parameters(), lr=preset.learning_rate, fused=True)
        state, losses = None, []
        model.train()
        for step in range(preset.steps):
            window = streams[:, step * preset.length : (step + 1) * preset.length + 1]
            logits, state = model(window[:, :-1], state)
            state = state.detach() if preset.cell != "lstm" else tuple(part.detach() for part in state)
            loss = cross_entropy(logits.flatten(0, 1), window[:, 1:].flatten())
            optimizer.zero_grad()
            loss.backward()
            clip_grad_norm_(model.parameters(), preset.clip)
            optimizer.step()
            losses.append(loss.item())

    return run


def fitted(corpus: Any, preset: char_rnn.CharPreset, watch: Any = None) -> Callable[[], None]:
    """The same by `fit`, its progress bar included."""
    model = char_rnn.build(corpus.vocabulary, preset)
    task = Quiet(model, corpus, preset)
    task.baselines = dict

    def run() -> None:
        with contextlib.redirect_stdout(io.StringIO()):
            training.fit(task, watch=watch)

    return run


def main() -> bool:
    """Print the table as Markdown; whether all limits hold."""
    parser = argparse.ArgumentParser("python -m benchmarks.fit", description=__doc__)
    parser.add_argument("--steps", type=int, default=40, help="in one measurement")
    parser.add_argument("--rounds", type=int, default=9, help="median of how many")
    parser.add_argument("--threads", type=int, default=1)
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    print(f"torch {torch.__version__}, {asked.threads} thread(s), B 32, T 64, float32\n")
    print("| what | model | ms a step | against | ratio | limit | ok |\n|---|---|---|---|---|---|---|")
    names = {"fit": "`fit`", "live": "`fit`, gates every 20th step", "bare": "bare torch loop"}
    good = True
    for row in rows(asked.steps, asked.rounds):
        held = row.ratio <= LIMIT
        good &= held
        cells = (names[row.what], row.model, f"{row.milliseconds:.2f}", names[row.against])
        print(f"| {' | '.join(cells)} | {row.ratio:.3f} | {LIMIT} | {'yes' if held else 'NO'} |", flush=True)
    return good


if __name__ == "__main__":
    raise SystemExit(0 if main() else 1)
