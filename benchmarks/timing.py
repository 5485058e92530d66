"""Fair ratios on a busy machine: candidates take turns, medians are compared.

With one thread the clock is the processor time of this process, which other jobs on the machine hardly
touch; with more it is the clock on the wall.
"""

import gc
import statistics
import time
from collections.abc import Callable

import torch


def compare(
    candidates: dict[str, Callable[[], object]], rounds: int = 11, least: float = 0.03
) -> dict[str, float]:
    """Median seconds of one call of each candidate.

    Every round runs each candidate often enough to take `least` seconds, and every other round goes
    backwards, so that no candidate always follows the same one.
    """
    clock = time.process_time if torch.get_num_threads() == 1 else time.perf_counter
    calls = {name: _calls(run, least, clock) for name, run in candidates.items()}
    seconds: dict[str, list[float]] = {name: [] for name in candidates}
    gc.collect()
    gc.disable()
    try:
        for turn in range(rounds):
            for name in list(candidates)[:: 1 if turn % 2 == 0 else -1]:
                start = clock()
                for _ in range(calls[name]):
                    candidates[name]()
                seconds[name].append((clock() - start) / calls[name])
    finally:
        gc.enable()
    return {name: statistics.median(times) for name, times in seconds.items()}


def _calls(run: Callable[[], object], least: float, clock: Callable[[], float]) -> int:
    run()
    start = clock()
    run()
    run()
    return max(1, round(2 * least / max(clock() - start, 1e-6)))
