"""Peak memory and time of every notebook in a kernel of its own: `python -m tools.memory`.

Each notebook runs from top to bottom on a fresh JupyterLab server, through the server as in a browser, while
the resident memory of the kernel (with all it started) and of server and kernel together is read ten times a
second. What is measured already is skipped, so that a run which was cut off goes on; a notebook whose code
has changed since is measured again. data/measured/memory.json keeps it, docs/binder.md shows it.
"""

import argparse
import hashlib
import json
import os
import pathlib
import platform
import tempfile
import threading
import time
from datetime import UTC, datetime

import nbformat
import psutil

from lessons.run import versions
from tools.kernels import Kernel
from tools.lab import ROOT, Server

PLACE = ROOT / "data" / "measured" / "memory.json"
KERNEL, TOGETHER = 1000, 2000  # MB: what a lesson may take, and what Binder allows
PAUSE = 0.1  # seconds between two readings


def measure(name: str, preset: str, cores: int) -> dict:
    """One notebook on `cores` cores: peaks in MB, seconds of clock and of the kernel's processor time."""
    with tempfile.TemporaryDirectory() as folder, limited(cores):
        server = Server(pathlib.Path(folder), preset)
        try:
            kernel = Kernel(server, f"notebooks/{name}.ipynb", seconds=1800)
            with Reader(server.process.pid) as read:
                start = time.monotonic()
                for code in cells(name):
                    kernel.run(code)
                seconds = time.monotonic() - start
            kernel.close()
        finally:
            server.close()
    return {
        "kernel": read.kernel, "together": read.together, "server": read.before, "seconds": round(seconds),
        "processor": round(read.processor), "load": round(os.getloadavg()[0], 1), "text": digest(name),
        "date": datetime.now(UTC).date().isoformat(),
    }  # fmt: skip


class limited:
    """Meanwhile this process and what it starts keep to some cores, and torch to as many threads."""

    def __init__(self, cores: int):
        self.cores = cores

    def __enter__(self) -> None:
        self.before, self.threads = os.sched_getaffinity(0), os.environ.get("OMP_NUM_THREADS")
        os.sched_setaffinity(0, sorted(self.before)[-self.cores :])
        os.environ["OMP_NUM_THREADS"] = str(self.cores)

    def __exit__(self, *_: object) -> None:
        os.sched_setaffinity(0, self.before)
        os.environ.pop("OMP_NUM_THREADS")
        if self.threads is not None:
            os.environ["OMP_NUM_THREADS"] = self.threads


class Reader:
    """Reads the resident memory of a server and its kernels in a thread, and keeps the peaks, in MB."""

    def __init__(self, server: int):
        self.server, self.done = psutil.Process(server), threading.Event()
        self.kernel = self.together = 0
        self.processor = 0.0
        self.thread = threading.Thread(target=self.watch)

    def __enter__(self) -> "Reader":
        self.before = resident([self.server])
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.processor = sum(sum(one.cpu_times()[:4]) for one in self.server.children())
        self.done.set()
        self.thread.join()

    def watch(self) -> None:
        while not self.done.wait(PAUSE):
            kernels = resident(self.server.children(recursive=True))
            self.kernel = max(self.kernel, kernels)
            self.together = max(self.together, kernels + resident([self.server]))


def resident(processes: list[psutil.Process]) -> int:
    """Resident memory of processes in MB; one that has just ended has none."""
    total = 0
    for one in processes:
        try:
            total += one.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return round(total / 1e6)


def names() -> list[str]:
    return sorted(path.stem for path in (ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))


def cells(name: str) -> list[str]:
    book = nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", as_version=4)
    return [cell.source for cell in book.cells if cell.cell_type == "code"]


def digest(name: str) -> str:
    """Of the code of a notebook: prose may change without a new measurement."""
    return hashlib.sha256("\n".join(cells(name)).encode()).hexdigest()[:12]


def load() -> dict:
    """What is measured: preset -> cores -> notebook -> figures; empty where nothing is yet."""
    return json.loads(PLACE.read_text(encoding="utf-8")) if PLACE.is_file() else {"runs": {}}


def save(name: str, preset: str, cores: int, row: dict) -> None:
    """Add one notebook's figures to the file, with what they were measured on."""
    found = load()
    rows = found["runs"].setdefault(preset, {}).setdefault(str(cores), {})
    found |= {"command": "python -m tools.memory", "versions": versions(), "machine": machine()}
    rows[name] = row
    PLACE.parent.mkdir(exist_ok=True)
    PLACE.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def machine() -> str:
    """What the figures were measured on, in words."""
    memory = psutil.virtual_memory().total / 1e9
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, {memory:.0f} GB"


def table(preset: str = "cpu") -> str:
    """The measurements as a Markdown table, one notebook a row."""
    runs = load()["runs"].get(preset, {})
    one, two = runs.get("1", {}), runs.get("2", {})
    head = (
        "| notebook | kernel, peak | with the server | processor time on one core | on two |\n"
        "|---|--:|--:|--:|--:|"
    )
    rows = [line(name, one.get(name), two.get(name)) for name in names()]
    found = [row for rows_of in (one, two) for row in rows_of.values()]
    if not found:
        return "Not measured yet."
    about = load()
    when = max(row["date"] for row in found)
    told = f"`{about['command']}`, {when}, {about['machine']}, torch {about['versions']['torch']}."
    return "\n".join([told, "", head, *rows])


def line(name: str, one: dict | None, two: dict | None) -> str:
    found = [row for row in (one, two) if row]
    if not found:
        return f"| `{name}` | not measured yet | | | |"
    kernel, together = (max(row[key] for row in found) for key in ("kernel", "together"))
    times = [f"{row['processor']} s" if row else "–" for row in (one, two)]
    return f"| `{name}` | {kernel} MB | {together} MB | {times[0]} | {times[1]} |"


def main(argv: list[str] | None = None) -> int:
    """Measure; 1 if a notebook takes more than it may."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="such as 04_lstm; else all")
    parser.add_argument("--preset", default="cpu", help="size of the trainings (default: cpu)")
    parser.add_argument("--cores", type=int, nargs="+", default=[1, 2], help="how many cores it gets")
    parser.add_argument("--fresh", action="store_true", help="measure again what is measured already")
    asked = parser.parse_args(argv)
    over = 0
    for cores in asked.cores:
        for name in asked.names or names():
            row = load()["runs"].get(asked.preset, {}).get(str(cores), {}).get(name)
            if row is None or row["text"] != digest(name) or asked.fresh:
                row = measure(name, asked.preset, cores)
                save(name, asked.preset, cores, row)
            within = row["kernel"] <= KERNEL and row["together"] <= TOGETHER
            over += not within
            told = f"kernel {row['kernel']} MB, with the server {row['together']} MB, {row['seconds']} s"
            print(f"{name:24s} {cores} core(s): {told}{'' if within else '  <- TOO MUCH'}", flush=True)
    return int(over > 0)


if __name__ == "__main__":
    raise SystemExit(main())
