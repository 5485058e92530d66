"""What a class costs: `python -m tools.classroom` opens thirty kernels at once, and every page of the demo.

Each kernel belongs to one notebook on one server and opens an explorer over a saved model, as the first
minutes of a lesson do. Measured are its share of memory (PSS: pages that several kernels map count in parts),
the time from asking for the kernel to the first picture, and whether each still answers when all are open.
data/measured/classroom.json keeps the figures, docs/classroom.md shows them.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime
from statistics import median
from typing import Any

import psutil

from lessons.run import versions
from tools.kernels import Failed, Kernel
from tools.lab import ROOT, Server, launch
from tools.memory import machine

PLACE = ROOT / "data" / "measured" / "classroom.json"
# The first cells of lesson 04: a saved model reads a line, and its cell is drawn.
OPEN = """
from lessons import char_rnn
from widgets import lstm
reader = char_rnn.pretrained()
lstm.diagram(reader, "To be, or not to be: that is the question.", step=12)
"""
ANSWER = "6 * 7"
READY = "() => document.body.dataset.ready"


class Pupil(threading.Thread):
    """One kernel: opened, asked for a picture, and asked once more when all others are open."""

    def __init__(self, server: Server, number: int, all_open: threading.Barrier):
        super().__init__()
        self.server, self.number, self.all_open = server, number, all_open
        self.seconds: float | None = None
        self.lost = ""

    def run(self) -> None:
        start, kernel = time.monotonic(), None
        try:
            kernel = Kernel(self.server, f"notebooks/{self.number:02d}.ipynb", seconds=280)
            for output in kernel.outputs(OPEN):
                if "application/vnd.jupyter.widget-view+json" in output.get("data", {}):
                    self.seconds = time.monotonic() - start
        except (Failed, OSError) as problem:
            self.lost = str(problem)
        self.all_open.wait()  # all are open, and are measured
        self.all_open.wait()
        try:
            if kernel and not any(
                out.get("data", {}).get("text/plain") == "42" for out in kernel.outputs(ANSWER)
            ):
                self.lost = "no answer"
        except Failed as problem:
            self.lost = str(problem)


def kernels(count: int) -> dict:
    """Open `count` kernels at once; seconds to their pictures, MB of each, MB of all with the server."""
    with tempfile.TemporaryDirectory() as folder:
        server, gate = Server(pathlib.Path(folder), "cpu"), threading.Barrier(count + 1)
        pupils = [Pupil(server, number, gate) for number in range(count)]
        try:
            for pupil in pupils:
                pupil.start()
            gate.wait()
            main = psutil.Process(server.process.pid)
            shares = sorted(share(one) for one in main.children())
            whole = sum(shares) + share(main)
            gate.wait()
            for pupil in pupils:
                pupil.join()
        finally:
            server.close()
    times = sorted(pupil.seconds for pupil in pupils if pupil.seconds is not None)
    lost = [pupil.lost for pupil in pupils if pupil.lost or pupil.seconds is None]
    return {
        "kernels": count, "lost": len(lost), "together": whole, "server": whole - sum(shares),
        "share": {"median": round(median(shares)), "most": shares[-1]},
        "seconds": {"first": round(times[0]), "median": round(median(times)), "last": round(times[-1])},
    }  # fmt: skip


def share(process: psutil.Process) -> int:
    """A process's proportional share of memory in MB; where the system does not tell, what is its own."""
    told = process.memory_full_info()
    return round(getattr(told, "pss", told.uss) / 1e6)


def demo() -> dict[str, dict[str, float]]:
    """Seconds from the start of `make demo` to each lesson's first picture, each in a program of its own."""
    from playwright.sync_api import sync_playwright

    from widgets.showcase import TOPICS

    found = {}
    with sync_playwright() as playwright:
        chromium = launch(playwright)
        for topic in TOPICS:
            found[topic] = opened(topic, chromium)
            print(topic, found[topic], flush=True)
        chromium.close()
    return found


def opened(topic: str, chromium: Any) -> dict[str, float]:
    """Start the demo with one lesson, wait until its picture is painted, and stop it."""
    start = time.monotonic()
    command = [sys.executable, "-m", "tools.demo", topic, "--no-browser"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as program:
        try:
            address = program.stdout.readline().split()[-1]
            up = time.monotonic()
            page = chromium.new_page(viewport={"width": 1280, "height": 720})
            page.goto(address, wait_until="commit", timeout=60_000)
            page.wait_for_function(READY, timeout=60_000)
            painted = time.monotonic()
            page.close()
        finally:
            program.terminate()
    return {"server": round(up - start, 1), "picture": round(painted - up, 1)}


def load() -> dict:
    return json.loads(PLACE.read_text(encoding="utf-8")) if PLACE.is_file() else {}


def save(**figures: object) -> None:
    """Keep figures, with what they were measured on."""
    about = {"date": datetime.now(UTC).date().isoformat(), "machine": machine(), "versions": versions()}
    PLACE.parent.mkdir(exist_ok=True)
    PLACE.write_text(
        json.dumps({**load(), **about, **figures}, indent=1, sort_keys=True) + "\n", encoding="utf-8"
    )


def kernels_table() -> str:
    """The thirty kernels as a Markdown table."""
    found = load()
    if "kernels" not in found:
        return "Not measured yet."
    row, rows = found["kernels"], []
    rows.append(("kernels opened at once, lost", f"{row['kernels']}, {row['lost']}"))
    rows.append(
        ("memory of a kernel (PSS): median, most", f"{row['share']['median']}, {row['share']['most']} MB")
    )
    rows.append(("memory of all, the server's included", f"{row['together'] / 1000:.1f} GB"))
    times = row["seconds"]
    told = f"{times['first']}, {times['median']}, {times['last']} s"
    rows.append(("from asking for a kernel to its picture: first, median, last", told))
    table = "\n".join(f"| {name} | {value} |" for name, value in rows)
    return f"Measured {found['date']} on {found['machine']}.\n\n| | |\n|---|--:|\n{table}"


def demo_table() -> str:
    """Seconds to each lesson's first picture, as a Markdown table."""
    found = load().get("demo", {})
    rows = [f"| {topic} | {row['server']} | {row['picture']} |" for topic, row in found.items()]
    head = "| lesson | program up after, s | first picture after that, s |\n|---|--:|--:|"
    return "\n".join([head, *rows]) if rows else "Not measured yet."


def main(argv: list[str] | None = None) -> int:
    """Measure; 1 if a kernel was lost."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kernels", type=int, default=30, help="how many (0: none)")
    parser.add_argument("--demo", action="store_true", help="time the demo's pages, too")
    asked = parser.parse_args(argv)
    lost = 0
    if asked.kernels:
        found = kernels(asked.kernels)
        lost = found["lost"]
        save(kernels=found)
        print(kernels_table())
    if asked.demo:
        save(demo=demo())
        print(demo_table())
    return int(lost > 0)


if __name__ == "__main__":
    raise SystemExit(main())
