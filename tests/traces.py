"""Traces made up for tests of pictures: every value known, no model behind them."""

import torch

from lessons.tracing import NAMES, Trace


def made(cell="lstm", steps=12, hidden=5, batch=1, layers=1, directions=1, text=None) -> Trace:
    """A trace with values in each quantity's range; `text` labels the steps of every sequence."""
    generator = torch.Generator().manual_seed(0)

    def quantity(name: str) -> torch.Tensor:
        values = torch.randn(batch, steps, hidden, generator=generator).cumsum(1)
        return values.sigmoid() if name in "ifozr" else values if name in "cq" else values.tanh()

    one = tuple(
        tuple({name: quantity(name) for name in NAMES[cell]} for _ in range(directions))
        for _ in range(layers)
    )
    labels = (tuple(text or map(str, range(steps))),) * batch
    vocabulary = tuple(sorted(set(text))) if text else None
    output = torch.cat([direction["h"] for direction in one[-1]], dim=-1)
    return Trace(cell, one, output, (), labels, vocabulary=vocabulary)
