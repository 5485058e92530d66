"""The Chromium that browser tests and notebook builds drive. `python -m tools.browser` finds or installs it.

Standard library only: it runs before anything is installed.
"""

import os
import pathlib
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
MAC = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
MISSING = (
    "No Chromium: the browser tests cannot run. Install the package `chromium` (or Chrome) with your "
    "system's package manager, or set CHROMIUM to the program's path."
)
PACKAGES = ("chromium", "fonts-dejavu-core")


def find() -> str | None:
    """Path of the browser: $CHROMIUM, else the first known name on PATH, else Chrome's place on a Mac."""
    named = os.environ.get("CHROMIUM")
    if named:
        return named if pathlib.Path(named).exists() else None
    found = (shutil.which(name) for name in NAMES)
    return next((path for path in found if path), MAC if pathlib.Path(MAC).exists() else None)


def install() -> None:
    """Install Debian's chromium where this user may; elsewhere do nothing."""
    if shutil.which("apt-get") is None:
        return
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    if not root and subprocess.call(["sh", "-c", "sudo -n true 2>&1"], stdout=subprocess.DEVNULL):
        return
    print("Chromium for the browser tests: apt-get install chromium", flush=True)
    prefix = [] if root else ["sudo", "-n"]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (("update",), ("install", "-y", "--no-install-recommends", *PACKAGES)):
        subprocess.run([*prefix, "apt-get", "-qq", *arguments], env=environment, stdin=subprocess.DEVNULL)


def main() -> int:
    """Exit status: 1 if CI has no browser, else 0 (a sentence says what is skipped)."""
    if find() is None:
        install()
    path = find()
    print(f"Browser for the tests: {path}" if path else MISSING)
    return 1 if path is None and os.environ.get("CI") else 0


if __name__ == "__main__":
    sys.exit(main())
