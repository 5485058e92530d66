"""Training steps of the Neural Turing Machine beside a straightforward one, head by head, in one run.

`python -m benchmarks.ntm`; it ends with status 1 if a limit is not kept. `--compile` adds torch.compile,
which takes half a minute to translate. The straightforward machine gives every head its own linear maps,
compares keys with slots by cosine_similarity and turns weights one sequence at a time, as published code
does; "batched turn" is the same with the turn over the whole batch.

Measured on 24 November 2026 (torch 2.13, one busy core), times slower than ours, head by head and with a
batched turn: batch 1 2.3 and 2.2, batch 16 4.6 and 2.3, batch 32 6.5 and 2.7; with four heads of each kind
at batch 16 9.0 and 4.2.
"""

import sys
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.timing import compare
from lessons import memory_tasks
from lessons.ntm import NTM

LENGTH, SLOTS, WIDTH, HIDDEN = 10, 128, 20, 100  # copy 10 vectors, as the paper sizes its machine
LIMITS = {(1, 1): 1.4, (16, 1): 2.5, (32, 1): 2.5, (16, 4): 4.0}  # (batch, heads of each kind): times faster


class Head(nn.Module):
    """One head: linear maps for all that it asks for, and its own addressing."""

    def __init__(self, writes: bool, turn_by_sequence: bool) -> None:
        super().__init__()
        self.writes, self.turn_by_sequence = writes, turn_by_sequence
        self.key, self.strength, self.gate = (
            nn.Linear(HIDDEN, WIDTH),
            nn.Linear(HIDDEN, 1),
            nn.Linear(HIDDEN, 1),
        )
        self.turn, self.power = nn.Linear(HIDDEN, 3), nn.Linear(HIDDEN, 1)
        if writes:
            self.erase, self.add = nn.Linear(HIDDEN, WIDTH), nn.Linear(HIDDEN, WIDTH)

    def forward(self, h: Tensor, memory: Tensor, before: Tensor) -> tuple[Tensor, Tensor]:
        """(weights, what was read) for a reading head, (weights, the new memory) for a writing one."""
        key, strength = torch.tanh(self.key(h)), functional.softplus(self.strength(h))
        gate, turn = torch.sigmoid(self.gate(h)), torch.softmax(self.turn(h), -1)
        power = 1 + functional.softplus(self.power(h))
        cosine = functional.cosine_similarity(memory + 1e-16, key.unsqueeze(1) + 1e-16, dim=-1)
        content = torch.softmax(strength * cosine, -1)
        gated = gate * content + (1 - gate) * before
        turned = self.turned(gated, turn)
        sharp = turned**power
        weights = sharp / (sharp.sum(-1, keepdim=True) + 1e-16)
        if not self.writes:
            return weights, (weights.unsqueeze(1) @ memory).squeeze(1)
        erase, add = torch.sigmoid(self.erase(h)), torch.tanh(self.add(h))
        erased = memory * (1 - weights.unsqueeze(-1) * erase.unsqueeze(1))
        return weights, erased + weights.unsqueeze(-1) * add.unsqueeze(1)

    def turned(self, gated: Tensor, turn: Tensor) -> Tensor:
        """The weights turned round the circle of slots."""
        if not self.turn_by_sequence:
            return sum(torch.roll(gated, k - 1, -1) * turn[:, k : k + 1] for k in range(3))
        rows = []
        for row, shares in zip(gated, turn, strict=True):
            circle = torch.cat([row[-1:], row, row[:1]])
            rows.append(functional.conv1d(circle[None, None], shares.flip(0)[None, None])[0, 0])
        return torch.stack(rows)


class PerHead(nn.Module):
    """The machine written straight from the paper, a head after the other."""

    def __init__(self, inputs: int, outputs: int, heads: int, turn_by_sequence: bool = True) -> None:
        super().__init__()
        self.cell = nn.LSTMCell(inputs + heads * WIDTH, HIDDEN)
        self.writers = nn.ModuleList(Head(True, turn_by_sequence) for _ in range(heads))
        self.readers = nn.ModuleList(Head(False, turn_by_sequence) for _ in range(heads))
        self.readout = nn.Linear(HIDDEN + heads * WIDTH, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Answers at every step."""
        batch, heads = len(x), len(self.readers)
        memory = x.new_full((batch, SLOTS, WIDTH), 1e-6)
        focus = functional.one_hot(torch.zeros(batch, dtype=torch.long), SLOTS).to(x)
        weights = [focus] * (2 * heads)
        state, was_read = None, [x.new_zeros(batch, WIDTH)] * heads
        answers = []
        for x_t in x.unbind(1):
            state = self.cell(torch.cat([x_t, *was_read], -1), state)
            for k, head in enumerate(self.writers):
                weights[k], memory = head(state[0], memory, weights[k])
            for k, head in enumerate(self.readers):
                weights[heads + k], was_read[k] = head(state[0], memory, weights[heads + k])
            answers.append(self.readout(torch.cat([state[0], *was_read], -1)))
        return torch.stack(answers, 1)


def training_step(
    answer: Callable[[Tensor], Tensor], weights: list[Tensor], batch: int, length: int = LENGTH
) -> Callable[[], object]:
    """Forward and backward pass of copying, as a call without arguments."""
    x, target, asked = memory_tasks.copy(batch, length, generator=torch.Generator().manual_seed(0))

    def step() -> object:
        loss = functional.binary_cross_entropy_with_logits(answer(x)[:, asked], target[:, asked])
        return torch.autograd.grad(loss, weights)

    return step


def measure(batch: int, heads: int, compiled: bool = False, rounds: int = 7) -> dict[str, float]:
    """Seconds of a training step of every machine."""
    torch.manual_seed(0)
    ours = NTM(10, 8, read_heads=heads, write_heads=heads)
    candidates = {"ours": training_step(lambda x: ours(x)[0], list(ours.parameters()), batch)}
    if compiled:
        quick = NTM(10, 8, read_heads=heads, write_heads=heads)
        quick.step = torch.compile(quick.step)
        candidates["ours, compiled"] = training_step(lambda x: quick(x)[0], list(quick.parameters()), batch)
    for name, by_sequence in (("head by head", True), ("batched turn", False)):
        other = PerHead(10, 8, heads, by_sequence)
        candidates[name] = training_step(other, list(other.parameters()), batch)
    return compare(candidates, rounds)


def main() -> bool:
    """Print one table; whether all limits hold."""
    torch.set_num_threads(1)
    compiled, kept = "--compile" in sys.argv, True
    names = ["ours", *(["ours, compiled"] * compiled), "head by head", "batched turn"]
    print(f"copying {LENGTH} vectors, memory {SLOTS} x {WIDTH}, one thread; milliseconds (times ours)\n")
    print(f"| batch, heads | {' | '.join(names)} | at least |\n|{'---|' * (len(names) + 2)}")
    for (batch, heads), limit in LIMITS.items():
        seconds = measure(batch, heads, compiled)
        told = [f"{1000 * seconds[name]:.1f} ({seconds[name] / seconds['ours']:.1f})" for name in names]
        kept &= seconds["head by head"] >= limit * seconds["ours"]
        print(f"| {batch}, {heads} + {heads} | {' | '.join(told)} | {limit} |")
    return kept


if __name__ == "__main__":
    sys.exit(not main())
