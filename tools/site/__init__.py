"""The course as static pages: `make site` writes build/site/html, which needs no server and no network."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = ROOT / "docs" / "site"  # what the pages look like: Sphinx's configuration, style, script
BUILD = ROOT / "build" / "site"
SOURCE = BUILD / "source"  # what Sphinx reads; written by tools.site.books and tools.site.pages
EXTRA = BUILD / "extra"  # what goes into the pages' folder as it is
HTML = BUILD / "html"
