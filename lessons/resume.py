"""Saving a training as it goes, and going on where it stopped."""

import os
import time
from typing import Any

from lessons import checkpoints
from lessons.errors import LessonError
from lessons.lone_writer import LoneWriter
from lessons.run import Run


class Saver:
    """Writes weights, optimizer state, carried state and run record of a training's loop to one file.

    The file is a model's checkpoint too: `checkpoints.load(path)` opens it. Without `path` it does nothing.
    Used as a context: if a file is there and `resume` is wanted, entering puts the loop where that file left
    off. Raises LessonError if it is damaged, belongs to a different run, or another training is writing it.
    """

    def __init__(self, path: str | os.PathLike | None, loop: Any, resume: bool) -> None:
        self.path = None if path is None else checkpoints.named(path)
        self.loop = loop
        self.complaints: list[str] = []
        self.saved_at = time.monotonic()
        self.step: int | None = None  # of the last save
        self.resume, self.writer = resume, None

    def __enter__(self) -> "Saver":
        if self.path is not None and self.loop.machine.main:
            self.writer = LoneWriter(self.path)
        try:
            if self.path and self.resume and os.path.exists(self.path):
                self._resume()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self.writer is not None:
            self.writer.release()

    def due(self, done: int) -> bool:
        """Whether to save after so many steps: every `save_every` steps, or by the clock."""
        preset = self.loop.task.preset
        if self.path is None:
            return False
        if preset.save_every and done % preset.save_every == 0:
            return True
        # Several processes save together, so only what they all count alike may decide.
        return self.loop.machine.processes == 1 and time.monotonic() - self.saved_at > preset.save_seconds

    def save(self) -> None:
        """Write the file, whole or not at all; a disk that refuses is noted once in `complaints`."""
        if self.path is None:
            return
        loop, model = self.loop, self.loop.task.model
        carry = loop.machine.gather(loop.carry)
        self.saved_at = time.monotonic()
        if not loop.machine.main:
            return
        tensors: checkpoints.Tensors = dict(loop.run.curves())
        tensors.update({f"model.{name}": tensor for name, tensor in model.state_dict().items()})
        meta = {
            "kind": checkpoints.kind(model),
            "config": checkpoints.pack(model.config(), "config", tensors)
            if hasattr(model, "config")
            else None,
            "optimizer": checkpoints.pack(loop.optimizer.state_dict(), "optimizer", tensors),
            "carry": checkpoints.pack(carry, "carry", tensors),
            "run": loop.run.record(),
        }
        try:
            checkpoints.write(self.path, tensors, meta)
            self.step = loop.run.step
        except LessonError as error:
            if str(error) not in self.complaints:
                self.complaints.append(str(error))

    def stands(self) -> str:
        """A sentence on what is kept when a training ends within a step."""
        within = f"Ended within step {self.loop.run.step + 1:,}"
        if self.path is None:
            return f"{within}; what was learnt is in the model only."
        if self.step is None:
            return f"{within}, before anything was saved; what was learnt is in the model only."
        return f"{within} and not saved again; {self.path} holds the training as of step {self.step:,}."

    def _resume(self) -> None:
        loop, model = self.loop, self.loop.task.model
        meta, tensors = checkpoints.read(self.path)
        if "optimizer" not in meta:
            raise LessonError(
                f"{self.path} holds a model, but no training to go on with; choose another path, or "
                f"resume=False to write over it."
            )
        run = Run.rebuild(meta.get("run") or {}, tensors)
        self._check_same(run)
        weights = {n.removeprefix("model."): t for n, t in tensors.items() if n.startswith("model.")}
        checkpoints.put(weights, model, self.path)
        try:
            loop.optimizer.load_state_dict(checkpoints.unpack(meta["optimizer"], tensors))
            mine = {n: loop.machine.mine(t) for n, t in tensors.items() if n.startswith("carry")}
            loop.carry = checkpoints.unpack(meta["carry"], mine)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise LessonError(
                f"{self.path} holds a training that this version cannot go on with ({error}); choose another "
                "path, or resume=False to start afresh and write over it."
            ) from error
        self.step = run.step
        loop.run.__dict__.update(run.__dict__ | {"reason": "running", "message": "", "stopping": ""})

    def _check_same(self, run: Run) -> None:
        """Refuse to go on with a run that had other settings: its curve would be of two trainings."""
        now = self.loop.run.record()
        then = run.record()
        pairs = [(name, then[name], now[name]) for name in ("name", "unit", "seed")]
        text = "content_sha256"  # how the same text came here is no difference
        pairs.append(("training text", then["provenance"].get(text), now["provenance"].get(text)))
        names = then["settings"].keys() | now["settings"].keys()
        pairs += [(n, then["settings"].get(n), now["settings"].get(n)) for n in sorted(names)]
        for name, there, here in pairs:
            # The precision chosen and the threads belong to the machine; a run may move to another.
            if there != here and name not in ("precision", "threads", "save_every", "save_seconds"):
                raise LessonError(
                    f"{self.path} holds a run with another {name.replace('_', ' ')} ({there} there, {here} "
                    f"now); choose another path, or resume=False to start afresh and write over it."
                )
