"""Training steps of the differentiable neural computer beside a straightforward one, in one run.

`python -m benchmarks.dnc`; it ends with status 1 if a limit is not kept. `--compile` adds torch.compile,
which takes about a minute to translate. The straightforward machine is written from the paper's equations as
published code does it: a linear map for each thing that is asked for, the heads one after the other, keys and
slots compared by cosine_similarity, a concatenated product for the allocation.
"""

import sys

import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.ntm import training_step
from benchmarks.timing import compare
from lessons.dnc import DNC
from lessons.machine_training import translated

LENGTH = 8  # vectors to copy
SMALL, LARGE = (64, 16, 16, 1), (64, 64, 20, 4)  # hidden units, slots, width, heads that read
LIMITS = {(sizes, batch): 1.2 if sizes == SMALL else 2.0 for sizes in (SMALL, LARGE) for batch in (1, 16, 32)}


class Straightforward(nn.Module):
    """The machine written straight from the paper."""

    def __init__(self, inputs: int, outputs: int, hidden: int, slots: int, width: int, heads: int) -> None:
        super().__init__()
        self.slots, self.width, self.heads = slots, width, heads
        self.cell = nn.LSTMCell(inputs + heads * width, hidden)
        each = {"key": width, "strength": 1, "free": 1, "modes": 3}
        once = {"key": width, "strength": 1, "erase": width, "add": width, "allocation": 1, "gate": 1}
        self.readers = nn.ModuleList(_maps(hidden, each) for _ in range(heads))
        self.writer = _maps(hidden, once)
        self.readout = nn.Linear(hidden + heads * width, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Answers at every step."""
        batch, slots = len(x), self.slots
        memory, links = x.new_zeros(batch, slots, self.width), x.new_zeros(batch, slots, slots)
        usage, precedence, writing = (x.new_zeros(batch, slots) for _ in range(3))
        reading = [x.new_zeros(batch, slots)] * self.heads
        was_read, state, answers = [x.new_zeros(batch, self.width)] * self.heads, None, []
        for x_t in x.unbind(1):
            state = self.cell(torch.cat([x_t, *was_read], -1), state)
            h = state[0]
            retained = torch.ones_like(usage)
            for maps, weights in zip(self.readers, reading, strict=True):
                retained = retained * (1 - torch.sigmoid(maps["free"](h)) * weights)
            usage = (usage + writing - usage * writing) * retained
            writing = self.place(h, memory, usage)
            erase, add = torch.sigmoid(self.writer["erase"](h)), self.writer["add"](h)
            memory = memory * (1 - writing.unsqueeze(2) * erase.unsqueeze(1))
            memory = memory + writing.unsqueeze(2) * add.unsqueeze(1)
            links = (1 - writing.unsqueeze(2) - writing.unsqueeze(1)) * links
            links = links + writing.unsqueeze(2) * precedence.unsqueeze(1)
            links = links * (1 - torch.eye(slots, device=x.device, dtype=x.dtype))
            precedence = (1 - writing.sum(1, keepdim=True)) * precedence + writing
            reading = [
                self.look(maps, h, memory, links, weights)
                for maps, weights in zip(self.readers, reading, strict=True)
            ]
            was_read = [(weights.unsqueeze(1) @ memory).squeeze(1) for weights in reading]
            answers.append(self.readout(torch.cat([h, *was_read], -1)))
        return torch.stack(answers, 1)

    def place(self, h: Tensor, memory: Tensor, usage: Tensor) -> Tensor:
        """Where to write."""
        rising, order = (1e-6 + (1 - 1e-6) * usage).sort(1)
        product = torch.cumprod(torch.cat([torch.ones_like(rising[:, :1]), rising], 1), 1)[:, :-1]
        offered = torch.zeros_like(usage).scatter(1, order, (1 - rising) * product)
        gate = torch.sigmoid(self.writer["allocation"](h))
        return torch.sigmoid(self.writer["gate"](h)) * (
            gate * offered + (1 - gate) * _content(self.writer, h, memory)
        )

    def look(self, maps: nn.ModuleDict, h: Tensor, memory: Tensor, links: Tensor, before: Tensor) -> Tensor:
        """Where one head reads."""
        modes = torch.softmax(maps["modes"](h), 1)
        back = (links.transpose(1, 2) @ before.unsqueeze(2)).squeeze(2)
        forth = (links @ before.unsqueeze(2)).squeeze(2)
        return modes[:, :1] * back + modes[:, 1:2] * _content(maps, h, memory) + modes[:, 2:] * forth


def _maps(hidden: int, sizes: dict[str, int]) -> nn.ModuleDict:
    return nn.ModuleDict({name: nn.Linear(hidden, size) for name, size in sizes.items()})


def _content(maps: nn.ModuleDict, h: Tensor, memory: Tensor) -> Tensor:
    cosine = functional.cosine_similarity(memory, maps["key"](h).unsqueeze(1), dim=2, eps=1e-6)
    return torch.softmax((1 + functional.softplus(maps["strength"](h))) * cosine, 1)


def measure(
    sizes: tuple[int, int, int, int], batch: int, compiled: bool = False, rounds: int = 7
) -> dict[str, float]:
    """Seconds of a training step of every machine."""
    torch.manual_seed(0)
    hidden, slots, width, heads = sizes
    machines = {"ours": DNC(10, 8, "lstm", hidden, slots, width, heads)}
    if compiled:
        machines["ours, compiled"] = translated(DNC(10, 8, "lstm", hidden, slots, width, heads))
    candidates = {
        name: training_step(lambda x, one=one: one(x)[0], list(one.parameters()), batch, LENGTH)
        for name, one in machines.items()
    }
    other = Straightforward(10, 8, *sizes)
    candidates["straightforward"] = training_step(other, list(other.parameters()), batch, LENGTH)
    return compare(candidates, rounds)


def main() -> bool:
    """Print one table; whether all limits hold."""
    torch.set_num_threads(1)
    compiled, kept = "--compile" in sys.argv, True
    names = ["ours", *(["ours, compiled"] * compiled), "straightforward"]
    print(f"copying {LENGTH} vectors of 8 bits, one thread; milliseconds (times ours)\n")
    print(f"| slots x width, heads, batch | {' | '.join(names)} | at least |\n|{'---|' * (len(names) + 2)}")
    for (sizes, batch), limit in LIMITS.items():
        seconds = measure(sizes, batch, compiled)
        told = [f"{1000 * seconds[name]:.1f} ({seconds[name] / seconds['ours']:.2f})" for name in names]
        kept &= seconds["straightforward"] >= limit * seconds["ours"]
        print(f"| {sizes[1]} x {sizes[2]}, {sizes[3]}, {batch} | {' | '.join(told)} | {limit} |", flush=True)
    return kept


if __name__ == "__main__":
    sys.exit(not main())
