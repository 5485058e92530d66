"""Look at every page as a browser does: no dead link, no request to elsewhere, no error, nothing too wide.

Pages are opened from the disk, as whoever downloads them would.
"""

import html.parser
import urllib.parse
from collections import Counter
from pathlib import Path

from playwright.sync_api import Page, TimeoutError, sync_playwright

from tools.lab import launch

WIDTHS = (1280, 390)  # a desktop and a phone, in pixels
DRAWN = "() => [...document.querySelectorAll('.plot')].every((one) => one.querySelector('.main-svg'))"
PATIENCE = 120_000  # milliseconds; a crowded machine draws slowly
HEAVIEST = 4_000_000  # bytes of a page; plotly.min.js, which all share, is larger


class Links(html.parser.HTMLParser):
    """The addresses in a page and the names that can be led to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.names: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("href", "src", "srcset", "data-page") and value:
                self.links.append(value)
            if name in ("id", "name") and value:
                self.names.add(value)


def links(folder: Path) -> list[str]:
    """What leads nowhere: "page: address" for every link inside the pages without a target."""
    pages = {path.resolve(): Links(path.read_text(encoding="utf-8")) for path in folder.rglob("*.html")}
    dead = []
    for path, page in pages.items():
        for address in page.links:
            parts = urllib.parse.urlsplit(address)
            if parts.scheme or address.startswith("//"):
                continue
            target = (path.parent / urllib.parse.unquote(parts.path)).resolve() if parts.path else path
            target = target / "index.html" if target.is_dir() else target
            known = pages.get(target)
            if not target.exists() or (parts.fragment and known and parts.fragment not in known.names):
                dead.append(f"{path.relative_to(folder.resolve())}: {address}")
    return dead


def look(folder: Path, widths: tuple[int, ...] = WIDTHS) -> list[str]:
    """What the browser finds wrong with the pages, in a light desktop and on a dark phone."""
    found: list[str] = []
    with sync_playwright() as playwright:
        browser = launch(playwright)
        for width in widths:
            context = browser.new_context(
                viewport={"width": width, "height": 900}, reduced_motion="reduce",
                color_scheme="light" if width > 700 else "dark",
            )  # fmt: skip
            for path in sorted(folder.rglob("*.html")):
                found += [
                    f"{path.relative_to(folder)} at {width} px: {wrong}"
                    for wrong in open_(context.new_page(), path, width)
                ]
            context.close()
        browser.close()
    return found


def open_(page: Page, path: Path, width: int) -> list[str]:
    """Open one page, scroll through it so that all its pictures are drawn, and say what went wrong."""
    wrong: list[str] = []
    page.on("console", lambda message: wrong.append(message.text[:200]) if message.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(f"uncaught {error}"[:200]))
    page.on(
        "request", lambda request: None if inside(request.url) else wrong.append(f"asks for {request.url}")
    )
    page.set_default_timeout(PATIENCE)
    page.goto(path.resolve().as_uri())
    page.evaluate("""async () => { for (let y = 0; y < document.body.scrollHeight; y += 800) {
        scrollTo(0, y); await new Promise((done) => setTimeout(done, 40)); } }""")
    try:
        page.wait_for_function(DRAWN)
    except TimeoutError:
        wrong.append("does not draw its figures")
    wide = page.evaluate("() => document.documentElement.scrollWidth")
    if wide > width:
        wrong.append(f"is {wide} px wide")
    page.close()
    return wrong


def inside(address: str) -> bool:
    """Whether an address is on the disk, or in the page itself."""
    return address.startswith(("file:", "data:", "blob:"))


def sizes(folder: Path) -> list[str]:
    """Pages that are too heavy; prints what the site weighs."""
    weight: Counter[str] = Counter()
    for path in folder.rglob("*"):
        if path.is_file():
            weight[path.relative_to(folder).parts[0] if path.parent != folder else "."] += path.stat().st_size
    print(
        f"the site: {sum(weight.values()) / 1e6:.1f} MB",
        {name: f"{size / 1e6:.1f}" for name, size in weight.most_common(8)},
    )
    return [
        f"{path.relative_to(folder)} weighs {path.stat().st_size / 1e6:.1f} MB"
        for path in folder.rglob("*.html")
        if path.stat().st_size > HEAVIEST
    ]


def main(folder: Path) -> int:
    """0 if nothing is wrong with the pages."""
    if not folder.is_dir():
        raise SystemExit("There are no pages yet: make site")
    wrong = [f"dead link in {one}" for one in links(folder)] + sizes(folder) + look(folder)
    print("\n".join(wrong) or f"{len(list(folder.rglob('*.html')))} pages, nothing wrong")
    return 1 if wrong else 0
