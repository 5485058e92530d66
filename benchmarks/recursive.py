"""What it is worth to compute a forest by levels: a training step beside the recursion, with the same
weights.

Trees of ListOps. "by levels" lays planned trees out and computes each level at once; "per node" visits one
node after the other, as `lessons.tree_trace.recurse` does. `python -m benchmarks recursive`
"""

import sys
from collections.abc import Callable

import torch

from benchmarks.timing import compare
from lessons import tree_study
from lessons.recursive import Recursive
from lessons.tree_tasks import Example
from lessons.tree_trace import recurse
from lessons.trees import Forest, binary

LEAST = 15  # times as fast as per node, in batches of 64 trees
CELLS = ("in order", "child-sum")
BATCHES = (16, 64)


def candidates(network: Recursive, examples: list[Example]) -> dict[str, Callable[[], object]]:
    """A training step by levels, the same with the trees still to be planned, and per node."""
    trees = [example.tree for example in examples]
    plans = [network.plan(tree) for tree in trees]
    shaped = [binary(tree) if network.pairs else tree for tree in trees]
    answers = torch.tensor([example.answer for example in examples])
    weights = list(network.parameters())

    def step(states: Callable[[], torch.Tensor]) -> Callable[[], object]:
        def run() -> object:
            loss = tree_study.bits(network.readout(states()), answers)
            return torch.autograd.grad(loss, weights)

        return run

    def levels(forest: Forest) -> torch.Tensor:
        return network.states(forest)[0][forest.roots]

    return {
        "by levels": step(lambda: levels(Forest.of(plans))),
        "by levels, planned anew": step(lambda: levels(network.forest(trees))),
        "per node": step(lambda: torch.cat([recurse(network, tree)[0] for tree in shaped])),
    }


def main() -> bool:
    """Print a table; whether the least is kept where it is asked for."""
    torch.set_num_threads(1)
    kept = True
    preset = tree_study.PRESETS["cpu"].but(count=200, held_out=20)
    data = tree_study.load(preset)
    print("| cell | trees | nodes | per node, ms | by levels, ms | times as fast | planned anew | |")
    print("|---|---|---|---|---|---|---|---|")
    for cell in CELLS:
        network = tree_study.build(data, preset.but(cell=cell))
        for batch in BATCHES:
            examples = list(data.parts["train"][:batch])
            seconds = compare(candidates(network, examples), rounds=5)
            slow, fast, anew = (
                seconds[name] for name in ("per node", "by levels", "by levels, planned anew")
            )
            under = batch == BATCHES[-1] and slow / fast < LEAST
            kept &= not under
            nodes = sum(example.tree.size for example in examples)
            print(
                f"| {cell} | {batch} | {nodes} | {1000 * slow:.0f} | {1000 * fast:.1f} | {slow / fast:.0f} | "
                f"{slow / anew:.0f} | {'under' if under else ''} |"
            )
    return kept


if __name__ == "__main__":
    sys.exit(not main())
