"""What a step of training costs as sequences grow, and what one more character costs (lesson 20).

Seconds are processor time where one thread computes, so that other work on the machine hardly counts.
"""

import statistics
import time
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from lessons.arguments import Count, explained
from lessons.later import Later
from lessons.later_cells import CELLS
from lessons.recurrent import LSTM

ONE_AT_A_TIME, ALL_AT_ONCE = "in a loop", "by the scan"


@explained
def training_step(
    cell: str, steps: Count, batch: Count = 4, hidden_size: Count = 64, parallel: bool = True
) -> Callable[[], object]:
    """A forward and backward pass of one layer over random numbers, as a call without arguments.

    cell: "lstm", which runs on torch's kernel, or a name of lessons.later_cells.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        layer = LSTM(hidden_size, hidden_size) if cell == "lstm" else CELLS[cell](hidden_size, hidden_size)
        x = torch.randn(steps, batch, hidden_size)
    if isinstance(layer, Later):
        layer.in_parallel = parallel
    weights = list(layer.parameters())
    return lambda: torch.autograd.grad(layer(x)[0].mean(), weights, allow_unused=True)


@explained
def one_more(cell: str, length: Count, hidden_size: Count = 64) -> Callable[[], object]:
    """One step after `length` others, without a gradient: a call that leaves the state as it is.

    cell: a name of lessons.later_cells; or "attention", one head of softmax attention, which reads all the
    keys and values that it has kept.
    """
    if cell == "attention":
        return Attending(length, hidden_size)
    layer = CELLS[cell](hidden_size, hidden_size)
    x = torch.zeros(1, hidden_size)
    with torch.no_grad():
        _, state = layer(torch.zeros(length, 1, hidden_size))
    return torch.no_grad()(lambda: layer.advance(x, state))


class Attending(nn.Module):
    """One head of softmax attention that has read `length` steps: what it keeps grows by each of them."""

    def __init__(self, length: int, hidden_size: int) -> None:
        super().__init__()
        self.reading = nn.Linear(hidden_size, 3 * hidden_size)
        self.kept = torch.zeros(2, length, hidden_size)
        self.x = torch.zeros(1, hidden_size)

    @torch.no_grad()
    def forward(self) -> Tensor:
        """Read one more step: every key kept is compared with one query."""
        query, key, value = self.reading(self.x).chunk(3, -1)
        keys, values = torch.cat([self.kept, torch.stack([key, value])], 1)
        return torch.softmax(query @ keys.T * query.shape[-1] ** -0.5, -1) @ values


@explained
def seconds(call: Callable[[], object], rounds: Count = 5, least: float | int = 0.01) -> float:
    """The median of several rounds, each of so many calls that it takes `least` seconds."""
    clock = time.process_time if torch.get_num_threads() == 1 else time.perf_counter
    call()
    start = clock()
    call()
    calls = max(1, round(least / max(clock() - start, 1e-6)))
    found = []
    for _ in range(rounds):
        start = clock()
        for _ in range(calls):
            call()
        found.append((clock() - start) / calls)
    return statistics.median(found)


@explained
def training_costs(
    cell: str, lengths: Sequence[int], rounds: Count = 3, **sizes: int
) -> dict[str, dict[int, float]]:
    """Seconds of a training step by length, for the loop and for the parallel form."""
    ways = {ONE_AT_A_TIME: False, ALL_AT_ONCE: True}
    return {
        way: {
            steps: seconds(training_step(cell, steps, parallel=parallel, **sizes), rounds)
            for steps in lengths
        }
        for way, parallel in ways.items()
    }


@explained
def character_costs(cell: str, lengths: Sequence[int], rounds: Count = 5) -> dict[int, float]:
    """Seconds of one more step by how many came before."""
    return {length: seconds(one_more(cell, length), rounds) for length in lengths}
