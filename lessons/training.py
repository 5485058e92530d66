"""One training loop for every lesson. It knows no model: a task brings model, batches and loss."""

import math
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn
from tqdm import tqdm

from lessons.arguments import Seed, explained, shown
from lessons.devices import Machine
from lessons.errors import LessonError
from lessons.presets import Preset
from lessons.resume import Saver
from lessons.run import Run

SNAPSHOT_EVERY = 10  # steps between copies of the weights, to go back to when the loss is no number any more


@runtime_checkable
class Task(Protocol):
    """What a lesson gives to `fit`.

    Optional: `baselines() -> dict[str, float]` in the same unit, lines for the curve; and for several
    processes `shard(index, count) -> Task`, a fixed part of every batch.
    """

    name: str
    unit: str
    seed: int
    model: nn.Module
    preset: Preset
    provenance: Mapping[str, Any]

    def batch(self, step: int) -> Any:
        """The batch of a step: a function of step and `self.seed` alone, so that a resumed run repeats it."""

    def start(self) -> Any:
        """What is carried into the first step: a nest of tensors, or None."""

    def loss(self, batch: Any, carry: Any) -> tuple[Tensor, Any]:
        """The batch's mean loss in `unit`, and what is carried, detached, into the next step."""

    def evaluate(self) -> dict[str, float]:
        """Figures on held-out data, in `unit` unless their name says otherwise."""


@explained
def fit(
    model_or_task: Any,
    data: Any = None,
    preset: Preset | str | None = None,
    *,
    watch: Any = None,
    checkpoint: str | os.PathLike | None = None,
    resume: bool = True,
    seed: Seed = 0,
    device: torch.device | str | None = None,
    progress: bool = True,
) -> Run:
    """Train, and return the record of it. `fit(model, data)` or `fit(task)`.

    preset: a name, a Preset, or None for the one that fits this machine (see lessons.presets.choose).
    watch: an object, or a list of them, with any of on_start(run, task), on_step(run, task, step),
        on_evaluate(run, task, step, figures), on_stop(run, task, reason); on_step every `watch.every` steps.
    checkpoint: where to save as training goes. An unfinished run that is found there goes on with `resume`,
        and its losses are those of a run never interrupted, bit for bit on a CPU.
    seed: of the batches and of dropout; the model's first weights are drawn when it is built.

    Ctrl-C, the notebook's stop button or `run.stop()` end it after the step it is in, save, and keep the run.
    A second Ctrl-C ends it at once, within a step, where nothing whole can be saved: the save before that
    stands, and `run.message` says of which step it is. A loss that is no number ends it with a sentence, the
    model put back to its last good weights. A full disk costs the save, not the run. Afterwards the model is
    in eval mode; random generators and threads are as before.
    Raises LessonError for a task, preset, device or checkpoint that cannot be used, such as one that another
    training is writing.
    """
    task = _task(model_or_task, data, preset)
    task.seed = seed
    machine = Machine.open(device, task.preset.precision)
    machine.share(task.model.to(machine.device))
    loop = Loop(task, machine, Run.begin(task, machine, seed), Watches(watch))
    run = loop.run
    with (
        Saver(checkpoint, loop, resume) as saver,
        machine.at_work(task.preset.threads),
        _interruptible(run),
        _bar(run, progress and machine.main) as show,
    ):
        try:
            loop.train(saver, show)
        except KeyboardInterrupt:
            run.reason, run.message = "interrupted", saver.stands()
        finally:
            task.model.eval()
    run.message = " ".join(filter(None, [run.message, *saver.complaints]))
    loop.tell("on_stop", run.reason)
    if progress and machine.main:
        print("\n".join(filter(None, [str(run), run.message])))
    return run


class Loop:
    """One training under way: what it holds, and its steps."""

    def __init__(self, task: Task, machine: Machine, run: Run, watches: "Watches") -> None:
        self.task, self.machine, self.run, self.watches = task, machine, run, watches
        self.share = machine.shard(task)
        self.weights = [weight for weight in task.model.parameters() if weight.requires_grad]
        self.optimizer = task.preset.optimizer(self.weights)
        self.carry = self.share.start()
        self.unread: list[Tensor] = []
        self.wait = lag(machine.device)

    def train(self, saver: Saver, show: Callable[[], None]) -> None:
        """All steps that are left, with evaluations, saves and watches between them."""
        run, preset, watches = self.run, self.task.preset, self.watches
        self.clock = time.perf_counter() - run.seconds
        self.good = Snapshot(self.task.model, run.step)
        run.baselines = run.baselines or dict(getattr(self.task, "baselines", dict)())
        self.tell("on_start")
        self.task.model.train()
        if not run.evaluations:
            self.evaluate()
        for step in range(run.step, preset.steps):
            self.update(step)
            done = step + 1
            evaluating = done % preset.evaluate_every == 0 or done == preset.steps
            if evaluating or watches.due(done) or saver.due(done) or len(self.unread) >= self.wait:
                if not self.read():
                    return self.diverged()
                show()
            if watches.due(done):
                self.tell("on_step", done)
            if evaluating:
                self.evaluate()
            if done == preset.steps or run.stopping or saver.due(done):
                if not self.read():
                    return self.diverged()
                saver.save()
            if run.stopping:
                break
        run.reason = "finished" if run.step == preset.steps else run.stopping

    def update(self, step: int) -> None:
        """Batch, loss, gradient, step; the loss and the gradient's norm are left in `unread`."""
        self.machine.reseed(self.run.seed, step)
        for group in self.optimizer.param_groups:
            group["lr"] = self.task.preset.rate(step)
        with self.machine.autocast():
            loss, self.carry = self.share.loss(self.share.batch(step), self.carry)
        self.optimizer.zero_grad()
        loss.backward()
        loss = loss.detach().float()
        gradients = [weight.grad for weight in self.weights if weight.grad is not None]
        self.machine.average([loss, *gradients])
        clip = self.task.preset.clip
        norm = nn.utils.get_total_norm(gradients)
        if clip is not None:
            nn.utils.clip_grads_with_norm_(self.weights, clip, norm)
        self.optimizer.step()
        self.unread.append(torch.stack([loss, norm.float()]))

    def read(self) -> bool:
        """Write the unread steps into the run; False if one of their losses or norms is no number."""
        rows = torch.stack(self.unread).tolist() if self.unread else []
        self.unread.clear()
        self.run.seconds = time.perf_counter() - self.clock
        for loss, norm in rows:
            self.run.losses.append(loss)
            self.run.gradient_norms.append(norm)
            if not (math.isfinite(loss) and math.isfinite(norm)):
                return False
        if self.run.step - self.good.step >= SNAPSHOT_EVERY:
            self.good.take(self.run.step)
        return True

    def evaluate(self) -> None:
        """Add the held-out figures to the run."""
        figures = self.task.evaluate()
        self.task.model.train()
        self.run.evaluations.append({"step": self.run.step, **figures})
        self.run.seconds = time.perf_counter() - self.clock
        self.tell("on_evaluate", self.run.step, figures)

    def diverged(self) -> None:
        """Put the last good weights back, and say what to try."""
        preset, step = self.task.preset, self.run.step
        self.good.restore()
        self.run.reason = "diverged"
        remedy = f"a learning rate below {preset.learning_rate:g}"
        if preset.clip is None:
            remedy += ", or clip the gradient (clip=1.0)"
        self.run.message = (
            f"The loss or its gradient stopped being a number at step {step}, so training stopped and the "
            f"model is back where it was after step {self.good.step}; try {remedy}."
        )

    def tell(self, event: str, *details: Any) -> None:
        """Call a hook of every watch that has it."""
        self.watches.tell(event, self.run, self.task, *details)


class Watches:
    """None, one or several watches as one."""

    def __init__(self, watch: Any) -> None:
        self.watches = [] if watch is None else list(watch) if isinstance(watch, list | tuple) else [watch]

    def due(self, done: int) -> bool:
        """Whether some watch wants to look after so many steps."""
        return any(done % getattr(watch, "every", 20) == 0 for watch in self.watches)

    def tell(self, event: str, run: Run, task: Task, *details: Any) -> None:
        """Call a hook where it exists; `on_step` only where it is due."""
        for watch in self.watches:
            if event == "on_step" and details[0] % getattr(watch, "every", 20):
                continue
            if hasattr(watch, event):
                getattr(watch, event)(run, task, *details)


class Snapshot:
    """A copy of a model's weights in memory, taken while the loss was a number."""

    def __init__(self, model: nn.Module, step: int) -> None:
        self.model, self.step = model, step
        self.weights = {name: tensor.clone() for name, tensor in model.state_dict().items()}

    def take(self, step: int) -> None:
        """Replace the copy by the weights of now."""
        self.step = step
        for name, tensor in self.model.state_dict().items():
            self.weights[name].copy_(tensor)

    def restore(self) -> None:
        """Give the model the copied weights."""
        self.model.load_state_dict(self.weights)


def lag(device: torch.device) -> int:
    """How many steps' losses gather before they are read: on a GPU reading every one would stall it."""
    return 1 if device.type == "cpu" else 20


def _task(model_or_task: Any, data: Any, preset: Preset | str | None) -> Any:
    if not hasattr(model_or_task, "loss"):
        if not hasattr(model_or_task, "task"):
            raise LessonError(f"fit trains a model of a lesson or a task; {shown(model_or_task)} is neither.")
        if data is None:
            raise LessonError(
                "fit(model, data) needs something to train on, such as corpora.load('shakespeare')."
            )
        return model_or_task.task(data, preset)
    if isinstance(preset, str):
        raise LessonError("A task has its preset already; name it where the task is made.")
    if preset is not None:
        model_or_task.preset = preset
    return model_or_task


@contextmanager
def _interruptible(run: Run) -> Iterator[None]:
    """The first Ctrl-C ends the training after its step; a second one ends it at once."""
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or before is None:
        yield
        return

    def first(*_: Any) -> None:
        run.stop("interrupted")
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, first)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _bar(run: Run, visible: bool) -> Iterator[Callable[[], None]]:
    """A line of text with the time left, for terminals and notebooks; it goes when the training ends."""
    name, total = f"{run.name} · {run.preset}", run.settings["steps"]
    shown = {"initial": run.step, "unit": "step", "mininterval": 0.5, "leave": False, "file": sys.stdout}
    with tqdm(total=total, desc=name, disable=not visible, dynamic_ncols=True, **shown) as bar:

        def show() -> None:
            if visible:
                figures = ", ".join(f"{name} {value:.3f}" for name, value in run.last.items())
                bar.set_postfix_str(f"{run.losses[-1]:.3f} {run.unit}; {figures}", refresh=False)
                bar.update(run.step - bar.n)

        yield show
