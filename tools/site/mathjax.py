"""MathJax beside the pages, from its npm package: fetched once by npm, kept in build/, never from a CDN."""

import json
import shutil
import subprocess
import tarfile
from pathlib import Path

from tools.site import BUILD

PACKAGES = {
    "mathjax": ("4.1.3", ("tex-svg.js", "a11y/assistive-mml.js")),
    "@mathjax/mathjax-newcm-font": ("4.1.3", ("svg/dynamic",)),
}
# Alphabets that no formula of the course is written in; without them the font is a quarter as large.
UNUSED = (
    "greek",
    "cyrillic",
    "hebrew",
    "arabic",
    "devanagari",
    "cherokee",
    "braille",
    "phonetic",
    "latin",
    "PUA",
    "marrows",
)


def install(folder: Path) -> None:
    """Put MathJax into `folder`. Stops with a sentence where npm is missing or cannot fetch it."""
    for package, (version, wanted) in PACKAGES.items():
        kept = BUILD / "npm" / f"{package.replace('/', '-').strip('@')}-{version}"
        if not kept.is_dir():
            unpack(f"{package}@{version}", kept)
        for part in wanted:
            target = folder / ("font" / Path(part) if "font" in package else Path(part))
            copy(kept / part, target)


def unpack(package: str, folder: Path) -> None:
    """Fetch one npm package into `folder`."""
    parent = folder.parent
    parent.mkdir(parents=True, exist_ok=True)
    if shutil.which("npm") is None:
        raise SystemExit("MathJax comes as an npm package, and there is no npm here: install Node.js once.")
    done = subprocess.run(["npm", "pack", "--json", package], cwd=parent, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"npm could not fetch {package}: {done.stderr.strip().splitlines()[-1]}")
    archive = parent / json.loads(done.stdout)[0]["filename"].replace("@", "").replace("/", "-")
    with tarfile.open(archive) as packed:
        packed.extractall(parent / "unpacked", filter="data")
    (parent / "unpacked" / "package").rename(folder)
    archive.unlink()


def copy(source: Path, target: Path) -> None:
    """A file, or a folder less the alphabets that are not used."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_file():
        shutil.copy(source, target)
        return
    skip = shutil.ignore_patterns(*(f"{name}*" for name in UNUSED))
    shutil.copytree(source, target, dirs_exist_ok=True, ignore=skip)
