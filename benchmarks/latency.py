"""From a key to the painted picture in a real JupyterLab, drawn by a module in the page or by the kernel.

`python -m benchmarks.latency`. Milliseconds on the wall, so let the machine be quiet. Key and paint are timed
in the page: from `keydown` to the first task after the frame in which the picture has changed.
"""

import argparse
import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from playwright.sync_api import sync_playwright

from tools.lab import Lab, Server, launch

SETUP = """
import torch
from lessons import char_rnn, trace
from lessons.recurrent import LSTM
from widgets import gates, sampling, text
model, line = char_rnn.pretrained(), "To be, or not to be: that is the question" * 5
torch.manual_seed(0)
seen = trace(LSTM(16, 128, batch_first=True), torch.randn(1, 200, 16))
"""
# Arms the page: from now on every key is timed until the selected part has changed and been painted. Without
# a selector, until the frame after the key: a module in the page draws in its handler, or in that frame.
ARM = """selector => {
  window.latencies = []; let pressed = null;
  document.addEventListener('keydown', () => {
    pressed = performance.now(); if (!selector) queueMicrotask(painted); }, true);
  const painted = () => { if (pressed === null) return; const start = pressed; pressed = null;
    requestAnimationFrame(() => { const after = new MessageChannel();
      after.port1.onmessage = () => window.latencies.push(performance.now() - start);
      after.port2.postMessage(0); }); };
  if (selector) new MutationObserver(painted).observe(document.querySelector(selector),
    { subtree: true, childList: true, attributes: true, characterData: true }); }"""


class Explorer(NamedTuple):
    """What is opened, where a key is pressed, and which part of the page must change."""

    name: str
    cell: str
    ready: str
    focus: str
    changed: str
    limit: float


EXPLORERS = (
    Explorer("heat map of 128 units × 200 steps, redrawn by the kernel", "gates.explore(seen, name='f')",
             ".js-plotly-plot .heatmaplayer image", "input[type=range][aria-label='time step']",
             ".js-plotly-plot", 90),
    Explorer("gate microscope", "gates.microscope(model, line[:120], unit=57)",
             ".un-map", ".un-map", "", 35),
    Explorer("text strip", "text.strip(model, line)", ".un-scroller", ".un-scroller", "", 35),
)  # fmt: skip


def measure(explorer: Explorer, lab: Lab, keys: int) -> list[float]:
    """Milliseconds of every key, one key after the other."""
    page = lab.run(SETUP, explorer.cell)
    page.wait_for_selector(explorer.ready)
    page.wait_for_timeout(3000)
    page.evaluate(ARM, explorer.changed)
    page.locator(explorer.focus).first.focus()
    for _ in range(keys):
        page.keyboard.press("ArrowRight")
        page.wait_for_timeout(250)
    found = page.evaluate("() => window.latencies")
    page.close()
    return found


def rows(keys: int) -> Iterator[tuple[Explorer, list[float]]]:
    """Every explorer with its times."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        chromium, server = launch(playwright), Server(Path(folder))
        try:
            for explorer in EXPLORERS:
                lab = Lab(server, chromium, f"latency {explorer.name}")
                yield explorer, measure(explorer, lab, keys)
                lab.close(failed=True)
        finally:
            chromium.close()
            server.close()


def main(arguments: Any = None) -> bool:
    """Print a table; whether every median is within its limit."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--keys", type=int, default=40)
    good = True
    print("| explorer | keys painted | median ms | 95 % ms | limit |\n|---|---|---|---|---|")
    for explorer, times in rows(parser.parse_args(arguments).keys):
        median, late = statistics.median(times), statistics.quantiles(times, n=20)[-1]
        good &= median <= explorer.limit
        print(
            f"| {explorer.name} | {len(times)} | {median:.1f} | {late:.1f} | {explorer.limit} |", flush=True
        )
    return good


if __name__ == "__main__":
    raise SystemExit(not main())
