"""From a key to the painted picture in pages without a kernel: `python -m benchmarks.page_latency`.

Explorers of the gallery, opened from the disk. Milliseconds on the wall, timed in the page as
benchmarks.latency does: from `keydown` to the first task after the frame in which the picture changed.
"""

import argparse
import statistics
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from playwright.sync_api import Browser, sync_playwright
from plotly.offline import get_plotlyjs

from benchmarks.latency import ARM
from tools.lab import launch
from widgets import gallery

MEDIAN, LATE = 17, 35  # milliseconds that are promised


class Scrub(NamedTuple):
    """An exhibit, and where in its page arrow keys move it."""

    name: str
    focus: str


SCRUBS = (
    Scrub("microscope", ".un-map"),
    Scrub("strip", ".un-scroller"),
    Scrub("diagram", "input[type=range]"),
    Scrub("two-ways", "input[type=range]"),
    Scrub("gates", "input[type=range]"),
    Scrub("tape", "input[type=range]"),
)


def measure(chromium: Browser, address: str, focus: str, keys: int) -> list[float]:
    """Milliseconds of every key, one key after the other."""
    page = chromium.new_page(viewport={"width": 1100, "height": 1000})
    page.goto(address)
    target = page.locator(focus).first
    target.wait_for()
    page.wait_for_timeout(1500)
    page.evaluate(ARM, "")
    target.focus()
    for number in range(keys):
        page.keyboard.press("ArrowRight" if number // 10 % 2 == 0 else "ArrowLeft")
        page.wait_for_timeout(120)
    found = page.evaluate("() => window.latencies")
    page.close()
    return found


def main(arguments: Any = None) -> bool:
    """Print a table; whether every median and every 95th percentile keep the promise."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--keys", type=int, default=60)
    parser.add_argument("--pages", type=Path, help="a folder of explorers: build/site/html/explorers")
    asked, good = parser.parse_args(arguments), True
    print("| page | keys painted | median ms | 95 % ms |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as made, sync_playwright() as playwright:
        chromium = launch(playwright)
        (Path(made) / "plotly.min.js").write_text(get_plotlyjs(), encoding="utf-8")
        for name, focus in SCRUBS:
            path = (asked.pages or Path(made)) / f"{name}.html"
            if not asked.pages:
                gallery.find(name).page(path, plotly="plotly.min.js")
            times = measure(chromium, path.resolve().as_uri(), focus, asked.keys)
            median, late = statistics.median(times), statistics.quantiles(times, n=20)[-1]
            good &= median <= MEDIAN and late <= LATE
            print(f"| {name} | {len(times)} | {median:.1f} | {late:.1f} |", flush=True)
        chromium.close()
    return good


if __name__ == "__main__":
    raise SystemExit(not main())
