"""Write the lock files: `make lock`.

requirements.txt          all that `make lab` installs, direct and transitive, pinned
requirements-test.txt     what `make test` and `make notebook` install on top of it
requirements-lowest.txt   the lower bounds of pyproject.toml, which `make test RELEASES=lowest` installs
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile
import tomllib
import venv

ROOT = pathlib.Path(__file__).resolve().parents[1]
# The release the course is measured with; a range would let pip take a newer one.
TORCH = "torch==2.13.0"
HEAD = "# Written by `make lock`: {}.\n"


def project() -> dict:
    """The [project] table of pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def direct(*extras: str) -> list[str]:
    """Requirements named in pyproject.toml: the runtime's, then those of the extras."""
    table = project()
    named = table["dependencies"] + [one for extra in extras for one in table["optional-dependencies"][extra]]
    return [requirement for requirement in named if not requirement.startswith("unrolled[")]


def freeze(python: str) -> set[str]:
    """What is installed, one `name==version` each, without the build tag of a local wheel."""
    listed = subprocess.check_output([python, "-m", "pip", "freeze", "--exclude", "pip"], text=True).split()
    return {re.sub(r"\+\w+$", "", line) for line in listed}


def write(name: str, what: str, lines: list[str]) -> None:
    (ROOT / name).write_text(HEAD.format(what) + "\n".join(lines) + "\n")
    print(f"{name}: {len(lines)} lines")


def main() -> None:
    """Resolve twice in a throw-away environment, so that test tools never decide what a learner gets."""
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python = str(pathlib.Path(folder, "Scripts" if os.name == "nt" else "bin", "python"))
        install = [python, "-m", "pip", "install", "-q", TORCH]
        subprocess.check_call([*install, *direct("songs")])
        runtime = freeze(python)
        pins = pathlib.Path(folder, "pins.txt")
        pins.write_text("\n".join(runtime))
        subprocess.check_call([*install, "-c", str(pins), *direct("songs", "build", "site", "test")])
        tests = freeze(python) - runtime
    write("requirements.txt", "what a learner needs", sorted(runtime, key=str.lower))
    write(
        "requirements-test.txt",
        "what tests and builds add",
        ["-r requirements.txt", *sorted(tests, key=str.lower)],
    )
    lowest = [requirement.replace(">=", "==") for requirement in direct("songs", "build", "site", "test")]
    write("requirements-lowest.txt", "the lower bounds of pyproject.toml", lowest)


if __name__ == "__main__":
    sys.exit(main())
