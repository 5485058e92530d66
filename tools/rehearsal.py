"""What Binder does with this repository, rehearsed without Binder: `python -m tools.rehearsal`.

A copy of the tracked files, an environment with nothing but the packages that environment.yml names,
postBuild in it, and then, with the network cut, `start` and lessons from the first cell to the last. The
packages come from PyPI in the locked releases: names are the same, and conda's builds are conda's affair.
"""

import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

from tools.lab import ROOT

OFFLINE = ("unshare", "--map-root-user", "--net", "sh", "-c")
PIP_NAMES = {"pytorch": "torch"}
LESSONS = (("00_start_here", "cpu"), ("05_gru", "ci"))


def packages() -> list[str]:
    """What environment.yml names, as pip calls it; Python and pip itself are there."""
    lines = (ROOT / "environment.yml").read_text(encoding="utf-8").splitlines()
    named = [line.split("#")[0].strip().removeprefix("- ") for line in lines if line.startswith("  - ")]
    found = [line for line in named if ">=" in line]
    return [PIP_NAMES.get(name := line.split(">=")[0], name) for line in found]


def copy(folder: pathlib.Path) -> pathlib.Path:
    """The tracked files, as a clone would have them."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    for name in filter(None, listed.stdout.split("\0")):
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_file():
            shutil.copy2(ROOT / name, place)
    return folder


def clean(folder: pathlib.Path) -> dict[str, str]:
    """The variables of a fresh account: a home of its own, and of this machine only where pip looks."""
    kept = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_", "HTTPS_"))}
    (folder / "home").mkdir()
    path = f"{folder / 'env' / 'bin'}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
    return {**kept, "PATH": path, "HOME": str(folder / "home"), "LANG": "C.UTF-8"}


def rehearse(folder: pathlib.Path) -> bool:
    """All of it in a folder; whether every step went through."""
    course, environment = copy(folder / "course"), clean(folder)
    python = folder / "env" / "bin" / "python"
    install = [python, "-m", "pip", "install", "-q", "-c", "requirements.txt", *packages()]
    steps = {
        "an empty environment": [sys.executable, "-m", "venv", folder / "env"],
        "the packages of environment.yml": install,
        "postBuild": ["bash", "-c", "chmod +x postBuild && ./postBuild"],
    }
    for lesson, preset in LESSONS:
        run = f"python -m tools.memory {lesson} --preset {preset} --cores 1 --fresh"
        steps[f"{lesson} at {preset}, without a network"] = [*OFFLINE, f"ip link set lo up && ./start {run}"]
    for name, command in steps.items():
        start = time.monotonic()
        done = subprocess.run(
            list(map(str, command)), cwd=course, env=environment, capture_output=True, text=True
        )
        said = done.stdout.strip().splitlines()[-1:] if done.returncode == 0 else [done.stdout + done.stderr]
        verdict = "ok" if done.returncode == 0 else "FAILED"
        print(f"{verdict}  {name}, {time.monotonic() - start:.0f} s. {''.join(said)[-2000:]}", flush=True)
        if done.returncode:
            return False
    return True


def main(argv: list[str] | None = None) -> int:
    """Rehearse in a throw-away folder; 1 if a step fails."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.parse_args(argv)
    if shutil.which("unshare") is None:
        print("The network cannot be cut here: this needs `unshare` (util-linux).")
        return 1
    with tempfile.TemporaryDirectory() as folder:
        return int(not rehearse(pathlib.Path(folder)))


if __name__ == "__main__":
    raise SystemExit(main())
