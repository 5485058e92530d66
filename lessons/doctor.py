"""What is right and wrong with this installation, one line each, with what to do about it.

It must work where little else does, so everything but the standard library is imported where it is examined.
"""

import os
import platform
import shutil
import sys
import tomllib
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Literal, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
# Not requirements of ours, but nothing moves in a notebook without them.
KERNEL = ("ipykernel", "jupyterlab_widgets")


class Finding(NamedTuple):
    """One line: how serious, about what, what was found, and what to do if it is not ok."""

    level: Literal["ok", "warn", "problem"]
    about: str
    found: str
    remedy: str = ""

    def __str__(self) -> str:
        remedy = f" -> {self.remedy}" if self.remedy else ""
        return f"{self.level:8s} {self.about:12s} {self.found}{remedy}"


def python() -> Iterator[Finding]:
    """The interpreter: which, and where."""
    yield Finding("ok", "python", f"{platform.python_version()} at {sys.executable}")


def packages() -> Iterator[Finding]:
    """Every requirement of the course and the version that is here; nothing is imported."""
    from packaging.requirements import Requirement

    for text in [*requirements(), *KERNEL]:
        wanted = Requirement(text)
        if wanted.marker and not wanted.marker.evaluate({"extra": ""}):
            continue
        install = f'python -m pip install "{text}"'
        try:
            version = metadata.version(wanted.name)
        except metadata.PackageNotFoundError:
            yield Finding("problem", wanted.name, "not installed", install)
            continue
        fits = wanted.specifier.contains(version, prereleases=True)
        short = "" if fits else f"{wanted.specifier} is needed; {install}"
        yield Finding("ok" if fits else "problem", wanted.name, version, short)


def requirements() -> list[str]:
    """What the course needs, from the checkout's pyproject.toml or the installed distribution."""
    project = ROOT / "pyproject.toml"
    if project.is_file():
        return tomllib.loads(project.read_text(encoding="utf-8"))["project"]["dependencies"]
    try:
        return metadata.requires("unrolled") or []
    except metadata.PackageNotFoundError:
        return []


def device() -> Iterator[Finding]:
    """Where trainings will run."""
    import torch

    if torch.cuda.is_available():
        yield Finding("ok", "device", f"{torch.cuda.get_device_name()}, CUDA {torch.version.cuda}")
    elif torch.backends.mps.is_available():
        yield Finding("ok", "device", "Apple GPU (mps)")
    elif shutil.which("nvidia-smi") and torch.version.cuda is None:
        remedy = "the course works on the CPU; for the GPU install torch's CUDA build (pytorch.org)"
        yield Finding("warn", "device", "there is an NVIDIA GPU, but this torch is the CPU build", remedy)
    else:
        yield Finding("ok", "device", "CPU (every lesson's cpu preset is made for it)")


def speed() -> Iterator[Finding]:
    """Threads and bf16: what sets the speed on a CPU."""
    import torch

    from lessons.devices import bf16_pays

    threads, cores = torch.get_num_threads(), os.cpu_count() or 1
    found = f"{threads} for {cores} cores"
    if threads < min(2, cores):
        remedy = "a training takes up to twice as long; unset OMP_NUM_THREADS before you start Jupyter"
        yield Finding("warn", "threads", found, remedy)
    else:
        yield Finding("ok", "threads", found)
    native = bf16_pays("cpu")
    found = "native, LSTMs train about 1.5 times faster" if native else "not native, trainings use float32"
    yield Finding("ok", "bf16", found)


def texts() -> Iterator[Finding]:
    """The corpora: here, still to be fetched, fetched on request only, or damaged."""
    from lessons import inventory

    for name, state in inventory.verify().items():
        if state.startswith("ok") or state == "on request":
            yield Finding("ok", name, state.removeprefix("ok, "))
        elif state.startswith("not"):
            remedy = f"`python -m lessons corpora fetch {name}` before you go offline"
            yield Finding("warn", name, state, remedy)
        else:
            yield Finding("problem", name, state, f"`python -m lessons corpora fetch {name}`")


def models() -> Iterator[Finding]:
    """The trained models that come with the course."""
    from lessons import checkpoints, sources
    from lessons.errors import LessonError

    shipped = sorted((sources.data_folder() / "checkpoints").glob("*.safetensors"))
    if not shipped:
        yield Finding("problem", "models", "data/checkpoints is empty", "clone the course again")
    for path in shipped:
        try:
            checkpoints.read(path)
        except LessonError as error:
            yield Finding("problem", path.stem, str(error), f"`git checkout {path.name}` in data/checkpoints")
        else:
            yield Finding("ok", path.stem, f"{path.stat().st_size / 1e3:.0f} kB, intact")


def disk() -> Iterator[Finding]:
    """Room for texts and checkpoints, and whether they may be written."""
    from lessons import sources

    folder = sources.cache_folder()
    there = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(there).free / 1e9
    level = "ok" if free > 1 else "warn" if free > 0.2 else "problem"
    yield Finding(level, "disk", f"{free:.1f} GB free", "" if level == "ok" else "free some space")
    if not os.access(there, os.W_OK):
        yield Finding(
            "problem", "disk", f"{there} cannot be written", "set UNROLLED_DATA to a folder of your own"
        )


def preset() -> Iterator[Finding]:
    """Whether UNROLLED_PRESET names a preset."""
    from lessons import presets

    name = os.environ.get("UNROLLED_PRESET")
    if name and name not in presets.COMMON:
        yield Finding("warn", "preset", f"UNROLLED_PRESET is {name!r}", f"use {', '.join(presets.COMMON)}")
    elif name:
        yield Finding("ok", "preset", f"{name}, from UNROLLED_PRESET")


CHECKS: tuple[Callable[[], Iterator[Finding]], ...] = (
    python, packages, device, speed, preset, texts, models, disk,
)  # fmt: skip


def examine() -> list[Finding]:
    """All findings, in order; a check that cannot even run is a finding too."""
    found: list[Finding] = []
    for check in CHECKS:
        try:
            found += check()
        except (ImportError, OSError) as error:
            found.append(Finding("problem", check.__name__, f"{error}", "mend the packages above first"))
    return found


def main() -> int:
    """Print all findings and the verdict; returns 1 if there is a problem, else 0."""
    findings = examine()
    for finding in findings:
        print(finding)
    count = {level: sum(f.level == level for f in findings) for level in ("problem", "warn")}
    if not any(count.values()):
        print("All is well.")
    else:
        print(
            f"{count['problem']} problem(s), {count['warn']} warning(s): what to do stands after the arrows."
        )
    return int(count["problem"] > 0)
