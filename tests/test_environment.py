"""pyproject.toml, environment.yml and the lock say the same; Binder builds from what is here."""

import os
import pathlib
import re
import subprocess
import sys
import tomllib

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tools import lock, rehearsal

ROOT = pathlib.Path(__file__).resolve().parents[1]
CONDA_NAMES = {"torch": "pytorch"}


def pins(*names: str) -> dict[str, Version]:
    """name -> version of every `name==version` line in requirements files."""
    lines = [line for name in names for line in (ROOT / name).read_text(encoding="utf-8").splitlines()]
    found = [Requirement(line) for line in lines if line and line[0] not in "#-"]
    return {canonicalize_name(one.name): Version(next(iter(one.specifier)).version) for one in found}


def conda() -> dict:
    return yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))


LOCKED = pins("requirements.txt", "requirements-test.txt")
RUNTIME = [Requirement(line) for line in lock.direct()]
ALL = [Requirement(line) for line in lock.direct("songs", "build", "site", "test")]


@pytest.mark.parametrize("requirement", ALL, ids=lambda requirement: requirement.name)
def test_the_lock_satisfies_pyproject(requirement):
    assert requirement.specifier.contains(LOCKED[canonicalize_name(requirement.name)])


@pytest.mark.parametrize("requirement", ALL, ids=lambda requirement: requirement.name)
def test_ranges_are_open_above_and_their_bounds_are_the_lowest_set(requirement):
    (bound,) = requirement.specifier
    assert bound.operator == ">="
    assert pins("requirements-lowest.txt")[canonicalize_name(requirement.name)] == Version(bound.version)


def test_the_lock_pins_everything_and_keeps_test_tools_out_of_the_course():
    for name in ("requirements.txt", "requirements-test.txt"):
        lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
        assert all(re.fullmatch(r"#.*|-r requirements\.txt|[\w.-]+==[\w.]+", line) for line in lines)
    runtime, tests = pins("requirements.txt"), pins("requirements-test.txt")
    assert not set(runtime) & set(tests)
    assert {"pytest", "ruff", "playwright", "keras"} <= set(tests)
    assert runtime["torch"] == Version("2.13.0")


def test_the_lock_is_what_the_tests_run_under():
    if os.environ.get("RELEASES", "locked") != "locked":
        pytest.skip("the lock is not what this environment is made of")
    import torch

    assert Version(torch.__version__).public == str(LOCKED["torch"])


def test_conda_has_the_same_names_and_bounds_as_pyproject():
    wanted = {f"{CONDA_NAMES.get(one.name, one.name)}{one.specifier}" for one in RUNTIME}
    listed = {line for line in conda()["dependencies"] if not line.startswith(("python=", "pip"))}
    assert listed == wanted


def test_conda_installs_one_supported_python_in_the_form_that_repo2docker_reads():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (python,) = (line for line in conda()["dependencies"] if line.startswith("python="))
    version = python.removeprefix("python=")
    assert re.fullmatch(r"3\.\d+", version)
    assert Requirement(f"python{project['requires-python']}").specifier.contains(version)
    assert conda()["channels"] == ["conda-forge", "nodefaults"]


def test_conda_specs_can_be_read_by_a_solver():
    from rattler import MatchSpec

    for line in conda()["dependencies"]:
        assert str(MatchSpec(line).name)
    with pytest.raises(Exception, match="version"):
        MatchSpec("torch>=>2")


def test_no_pip_section_and_no_cuda_on_binder():
    text = (ROOT / "environment.yml").read_text(encoding="utf-8")
    assert all(isinstance(line, str) for line in conda()["dependencies"])
    assert not re.search(r"^\s*- .*(cuda|gpu|-e )", text, re.MULTILINE)


def test_binder_would_build_this_repository():
    """repo2docker writes its Dockerfile without an engine; it must use our files and the Python we named."""
    command = [
        sys.executable,
        "-m",
        "repo2docker",
        "--no-build",
        "--debug",
        "--user-id=1000",
        "--user-name=me",
    ]
    done = subprocess.run([*command, "."], cwd=ROOT, capture_output=True, text=True)
    shown = done.stdout + done.stderr
    assert done.returncode == 0, shown[-2000:]
    assert "unspecified" not in shown
    for part in ("python=3.12", '--file "environment.yml"', "RUN chmod +x postBuild", "RUN ./postBuild"):
        assert part in shown


def test_post_build_installs_the_course_and_fetches_the_texts():
    script = ROOT / "postBuild"
    text = script.read_text(encoding="utf-8")
    assert os.access(script, os.X_OK) and text.startswith("#!")
    assert "--no-deps -e ." in text and "lessons corpora fetch --all" in text
    subprocess.run(["bash", "-n", script], check=True)


@pytest.mark.parametrize("broken", [None, 2])
def test_post_build_assumes_a_python_and_the_tracked_files_only(tmp_path, broken):
    """Run in a copy of the tracked files, by a shell that knows nothing else; a step that fails ends it."""
    course = rehearsal.copy(tmp_path / "course")
    stub = tmp_path / "bin" / "python"
    stub.parent.mkdir()
    fails = f'[ "$(wc -l < {tmp_path}/asked)" = {broken} ] && exit 1' if broken else "true"
    stub.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\n{fails}\nexit 0\n')
    stub.chmod(0o755)
    bare = {"PATH": f"{stub.parent}:/usr/bin:/bin", "HOME": str(tmp_path)}
    done = subprocess.run(["./postBuild"], cwd=course, env=bare, capture_output=True, text=True)
    asked = (tmp_path / "asked").read_text().splitlines()
    assert (done.returncode, len(asked)) == ((1, 2) if broken else (0, 3)), done.stderr
    assert [line.split()[1] for line in asked] == ["pip", "pip", "lessons"][: len(asked)]
    assert all("--no-deps" in line for line in asked[:2])
    assert (course / "data" / "sources.toml").is_file() and not (course / "data" / "cache").exists()


def test_the_rehearsal_installs_what_conda_names():
    assert {canonicalize_name(name) for name in rehearsal.packages()} == {
        canonicalize_name(one.name) for one in RUNTIME
    }


def test_waiting_threads_sleep_wherever_the_course_is_started():
    value = re.search(r"GOMP_SPINCOUNT \?= (\d+)", (ROOT / "Makefile").read_text(encoding="utf-8"))[1]
    started = [
        "bash",
        str(ROOT / "start"),
        sys.executable,
        "-c",
        "import os; print(os.environ['GOMP_SPINCOUNT'])",
    ]
    assert os.access(ROOT / "start", os.X_OK)
    assert subprocess.run(started, capture_output=True, text=True).stdout.strip() == value
    clean = {name: text for name, text in os.environ.items() if name != "GOMP_SPINCOUNT"}
    imported = "import lessons, os, sys; print(os.environ['GOMP_SPINCOUNT'], 'torch' in sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", imported], cwd=ROOT, env=clean, capture_output=True, text=True
    )
    assert run.stdout.split() == [value, "False"]


def test_the_workflow_runs_the_lowest_and_the_newest_releases():
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "test.yml").read_text(encoding="utf-8"))
    matrix = workflow["jobs"]["test"]["strategy"]["matrix"]["include"]
    assert {row["releases"] for row in matrix} == {"lowest", "locked", "newest"}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lowest = project["requires-python"].removeprefix(">=")
    assert lowest in {row["python"] for row in matrix if row["releases"] == "lowest"}
