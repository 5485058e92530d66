"""The memory that each lesson's gpu preset takes: `python -m tools.gpu_memory`, for docs/scale.md.

Estimates are lessons.footprint's. One of them is checked: the same training makes two steps on this CPU, in a
program of its own, and its resident memory is read at the peak. data/measured/gpu_memory.json keeps both.
"""

import argparse
import json
import subprocess
import sys
import time
from dataclasses import asdict
from datetime import UTC, datetime

from lessons.__main__ import TRAINABLE, lesson_module
from lessons.errors import LessonError
from lessons.footprint import Footprint, footprint
from tools.lab import ROOT
from tools.memory import machine

PLACE = ROOT / "data" / "measured" / "gpu_memory.json"
CHECKED = "char_rnn"
STEPS = """
import resource, sys
from lessons import fit
from lessons.__main__ import lesson_module
lesson = lesson_module(sys.argv[1])
task = lesson.prepare(lesson.preset(sys.argv[2]).but(precision="float32", steps=2), 0)
task.evaluate, task.baselines = dict, dict
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
before = peak()
fit(task, progress=False, device="cpu")
print(before, peak())
"""


def measured(slug: str, preset: str) -> float:
    """How far two steps lift a program's peak memory above what model and texts take, in MB (on Linux)."""
    command = [sys.executable, "-c", STEPS, slug, preset]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    before, after = map(int, done.stdout.split()[-2:])
    return (after - before) * 1024 / 1e6


def estimates(slugs: list[str]) -> dict[str, dict]:
    """Each lesson's footprint at its gpu preset; what cannot be estimated is said and left out."""
    found = {}
    for slug in slugs:
        lesson, start = lesson_module(slug), time.monotonic()
        try:
            one = footprint(lesson, lesson.preset("gpu"))
        except LessonError as problem:
            print(f"{slug}: {problem}", flush=True)
            continue
        found[slug] = asdict(one)
        print(f"{slug}: {one} ({time.monotonic() - start:.0f} s)", flush=True)
    return found


def load() -> dict:
    return json.loads(PLACE.read_text(encoding="utf-8")) if PLACE.is_file() else {"presets": {}}


def save(**figures: object) -> None:
    PLACE.parent.mkdir(exist_ok=True)
    text = json.dumps({**load(), **figures}, indent=1, sort_keys=True)
    PLACE.write_text(f"{text}\n", encoding="utf-8")


def table() -> str:
    """The estimates as a Markdown table, and the one that was checked."""
    found = load()
    names = ("lesson", "parameters", "weights, twice", "gradients", "optimizer", "for the backward pass")
    head = f"| {' | '.join(names)} | together |\n|---{'|--:' * len(names)}|"
    rows = [row(slug, Footprint(**found["presets"][slug])) for slug in TRAINABLE if slug in found["presets"]]
    return "\n".join([head, *rows, *checked(found)])


def row(slug: str, one: Footprint) -> str:
    kept = one.activations + one.largest
    parts = [2 * one.weights, one.gradients, one.optimizer, kept, one.total]
    return (
        " | ".join([f"| `{slug}`", f"{one.parameters:,}", *(f"{part / 1e6:,.0f} MB" for part in parts)])
        + " |"
    )


def checked(found: dict) -> list[str]:
    """The sentence on the estimate that was checked."""
    if "checked" not in found or CHECKED not in found["presets"]:
        return []
    total = Footprint(**found["presets"][CHECKED]).total / 1e6
    return [
        f"\nChecked: two steps of `{CHECKED}` at this preset lift a program's memory by "
        f"{found['checked']:,.0f} MB on the CPU ({found['machine']}, {found['date']}); the estimate says "
        f"{total:,.0f} MB."
    ]


def main(argv: list[str] | None = None) -> int:
    """Estimate, check one, and keep both."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("lessons", nargs="*", choices=[*TRAINABLE, []], help="such as char_rnn; else all")
    asked = parser.parse_args(argv)
    slugs = asked.lessons or list(TRAINABLE)
    save(presets={**load()["presets"], **estimates(slugs)})
    if CHECKED in slugs:
        today = datetime.now(UTC).date().isoformat()
        save(checked=round(measured(CHECKED, "gpu")), date=today, machine=machine())
    print(table())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
