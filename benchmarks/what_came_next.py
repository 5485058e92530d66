"""Scan against loop, and the cost of one more character, for the cells after the LSTM (lesson 20).

`python -m benchmarks what_came_next`; it ends with status 1 if a limit is not kept. Candidates of a row take
turns in one process on one thread.
"""

import sys

import torch

from benchmarks.timing import compare
from lessons.cell_costs import one_more, training_step
from lessons.later_cells import CELLS

LENGTHS = (64, 256, 1024, 4096)
BEFORE = (64, 1024, 16384)
LEAST = 3.0  # times that the loop must cost the parallel form at the greatest length
GROWS, STAYS = 4.0, 1.5  # one more step after 16,384 against after 64: attention at least, the others at most


def training() -> bool:
    """A table of training steps; whether the parallel form is ahead by enough at the greatest length."""
    kept = True
    print("\nA training step of one layer, (B, H) = (4, 32), one thread: loop / all at once, ms\n")
    print("| cell | " + " | ".join(f"T = {steps}" for steps in LENGTHS) + " | ratio at the last |")
    print("|---" * (len(LENGTHS) + 2) + "|")
    for name, kind in CELLS.items():
        if kind.kind.sequential:
            continue
        cells, ratio = [], 0.0
        for steps in LENGTHS:
            ways = {
                str(way): training_step(name, steps, hidden_size=32, parallel=way) for way in (False, True)
            }
            found = compare(ways, rounds(steps), least=0.0)
            ratio = found["False"] / found["True"]
            cells.append(f"{1000 * found['False']:.1f} / {1000 * found['True']:.1f}")
        kept &= ratio >= LEAST
        print(
            f"| {name} | {' | '.join(cells)} | {ratio:.1f} {'' if ratio >= LEAST else 'too little'} |",
            flush=True,
        )
    fused = [
        1000 * compare({"lstm": training_step("lstm", steps, hidden_size=32)}, rounds(steps), 0.0)["lstm"]
        for steps in LENGTHS
    ]
    print(f"| LSTM, fused | {' | '.join(f'{ms:.1f}' for ms in fused)} | |")
    return kept


def rounds(steps: int) -> int:
    """How often each candidate is measured: thousands of steps in a loop take seconds, and vary little."""
    return 3 if steps < 1024 else 1


def characters() -> bool:
    """A table of one more step; whether it stays the same for the cells and grows for attention."""
    kept = True
    print("\nOne more step after so many, (B, H) = (1, 64), one thread, microseconds\n")
    print(
        "| cell | " + " | ".join(map(str, BEFORE)) + " | last / first |\n" + "|---" * (len(BEFORE) + 2) + "|"
    )
    for name in (*CELLS, "attention"):
        found = compare({str(length): one_more(name, length) for length in BEFORE}, rounds=7)
        ratio = found[str(BEFORE[-1])] / found[str(BEFORE[0])]
        kept &= ratio >= GROWS if name == "attention" else ratio <= STAYS
        print(
            f"| {name} | {' | '.join(f'{1e6 * value:.0f}' for value in found.values())} | {ratio:.2f} |",
            flush=True,
        )
    return kept


def main() -> bool:
    """Print both tables; whether all limits hold."""
    torch.set_num_threads(1)
    return all([training(), characters()])


if __name__ == "__main__":
    sys.exit(not main())
