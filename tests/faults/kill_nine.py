"""Real trainings and real saves that end by SIGKILL: `python -m tests.faults.kill_nine training FOLDER 20 8`.

Everything is imported once; each fault happens in a child made by fork, so that twenty of them take seconds.
What came out is printed as JSON for tests/faults/test_kill_nine.py.
"""

import hashlib
import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch

from lessons import char_rnn, checkpoints, corpora, fit
from lessons.run import Run

TEXT = "".join(f"{n} green bottles, hanging on wall number {n * n}.\n" for n in range(300)).encode()
PRESET = char_rnn.preset("ci").but(
    steps=40, evaluate_every=20, hidden_size=16, num_layers=2, dropout=0.2, valid_characters=200, save_every=3
)


def make(seed: int = 0) -> char_rnn.CharTask:
    """A small task that has all that a resumed run must bring back: two layers, dropout, carried state."""
    corpus = corpora.user(TEXT, "bottles", quiet=True)
    return char_rnn.CharTask(char_rnn.build(corpus.vocabulary, PRESET, seed), corpus, PRESET)


class Begun:
    """Tells through a pipe that the first step is about to be made."""

    def __init__(self, pipe: int) -> None:
        self.pipe = pipe

    def on_start(self, run: Run, task: char_rnn.CharTask) -> None:
        os.write(self.pipe, b"!")


def train(path: Path, pipe: int) -> None:
    """Train, or go on, at `path`; leave what came out beside it."""
    task = make()
    run = fit(task, checkpoint=path, watch=Begun(pipe), progress=False)
    weights = torch.cat([weight.detach().flatten() for weight in task.model.parameters()])
    digest = hashlib.sha256(weights.numpy()).hexdigest()
    told = {"losses": run.losses, "norms": run.gradient_norms, "figures": run.evaluations, "weights": digest}
    path.with_suffix(".told").write_text(json.dumps({"reason": run.reason, **told}), encoding="utf-8")


def child(work: Callable[[int], None], moment: float | None = None) -> tuple[int, float]:
    """Do `work(pipe)` in a child and kill it `moment` seconds after it has written to the pipe.

    Returns the signal that it died of, 0 if it came to its end, and the seconds since it wrote.
    """
    ear, pipe = os.pipe()
    number = os.fork()
    if number == 0:
        try:
            work(pipe)
        except BaseException as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
            os._exit(1)
        os._exit(0)
    os.close(pipe)
    os.read(ear, 1)
    start = time.monotonic()
    if moment is not None:
        time.sleep(moment)
        os.kill(number, signal.SIGKILL)
    status = os.waitpid(number, 0)[1]
    os.close(ear)
    assert not os.WEXITSTATUS(status), "the child failed, see above"
    return os.WTERMSIG(status), time.monotonic() - start


def killed_trainings(folder: Path, points: int, seed: int) -> dict:
    """Trainings killed at random moments and taken up again, beside one that was left alone."""
    _, lasted = child(lambda pipe: train(folder / "whole", pipe))
    dice, found = random.Random(seed), []
    for k in range(points):
        path, moment = folder / f"run{k}", dice.uniform(0.0, lasted)
        died, _ = child(lambda pipe, path=path: train(path, pipe), moment)
        saved = checkpoints.named(path)
        step = len(checkpoints.read(saved)[1]["run.losses"]) if saved.exists() else 0
        child(lambda pipe, path=path: train(path, pipe))
        told = json.loads(path.with_suffix(".told").read_text())
        found.append({"killed": died == signal.SIGKILL, "after": moment, "step": step, "told": told})
    left = sorted(path.name for path in folder.iterdir() if path.name.startswith("."))
    return {"whole": json.loads((folder / "whole.told").read_text()), "runs": found, "left": left}


def die_at(line: int) -> None:
    """Kill this process before the `line`-th line that the writing of files runs through."""
    passed = 0

    def trace(frame, event, _):
        nonlocal passed
        if frame.f_code.co_filename != checkpoints.__file__ or frame.f_code.co_name != "_replace":
            return None if event == "call" else trace
        if event == "line":
            passed += 1
            if passed == line:
                os.kill(os.getpid(), signal.SIGKILL)
        return trace

    sys.settrace(trace)


def killed_saves(folder: Path) -> dict:
    """Saves over an earlier one, killed before every line in turn, and what can then be read."""
    old, new, found = make(0).model, make(1).model, []
    path = checkpoints.named(folder / "model")

    def save(line: int) -> None:
        die_at(line)
        checkpoints.save(path, new, mark="new")

    for line in range(1, 1000):
        checkpoints.save(path, old, mark="old")
        died, _ = child(lambda pipe, line=line: save(line))
        there = checkpoints.load(path).readout.weight
        same = {"old": torch.equal(there, old.readout.weight), "new": torch.equal(there, new.readout.weight)}
        found.append([name for name, equal in same.items() if equal])
        if not died:
            break
    return {"read": found, "left": sorted(one.name for one in folder.iterdir())}


def warm_up() -> None:
    """Have imported here what every child would import anew; no gradient, which does not go with fork."""
    weight = torch.nn.Parameter(torch.zeros(1, device="cpu"))
    weight.grad = torch.zeros(1, device="cpu")
    PRESET.optimizer([weight]).step()


if __name__ == "__main__":
    what, place, *more = sys.argv[1:]
    warm_up()
    done = killed_saves(Path(place)) if what == "saving" else killed_trainings(Path(place), *map(int, more))
    print(json.dumps(done))
