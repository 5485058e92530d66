"""The doctor finds what is wrong, says what to do, and does not need a healthy patient."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from lessons import doctor

ROOT = Path(__file__).resolve().parents[1]


def levels(findings):
    return {finding.about: finding.level for finding in findings}


def test_this_installation_has_no_problem(capsys):
    status = doctor.main()
    out = capsys.readouterr().out
    assert status == 0, out
    for name in (
        "python",
        "torch",
        "ipywidgets",
        "anywidget",
        "device",
        "threads",
        "bf16",
        "char_rnn",
        "disk",
    ):
        assert any(line.split()[1] == name for line in out.splitlines()), name


def test_every_requirement_is_looked_at_and_no_widget_is_imported():
    code = (
        "import sys; from lessons import doctor; found = {f.about for f in doctor.examine()};"
        "assert {'plotly', 'jupyterlab', 'ipykernel'} <= found, found;"
        "loaded = {'plotly', 'ipywidgets', 'anywidget', 'IPython'} & set(sys.modules);"
        "assert not loaded, loaded"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr


def test_missing_and_old_packages_are_problems_with_a_remedy(monkeypatch, capsys):
    monkeypatch.setattr(
        doctor, "requirements", lambda: ["nonsuch>=1", "torch>=99", "numpy>=1", "x; python_version<'3'"]
    )
    findings = {f.about: f for f in doctor.packages()}
    assert findings["nonsuch"].level == findings["torch"].level == "problem"
    assert 'pip install "nonsuch>=1"' in findings["nonsuch"].remedy and ">=99" in findings["torch"].remedy
    assert findings["numpy"].level == "ok" and "x" not in findings
    assert doctor.main() == 1
    assert "2 problem(s)" in capsys.readouterr().out


def test_without_torch_it_still_speaks():
    code = (
        "import sys; sys.modules['torch'] = None; from lessons.__main__ import main; exit(main(['doctor']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "mend the packages above" in done.stdout


def test_damaged_and_missing_models_are_problems(monkeypatch, tmp_path):
    from lessons import sources

    monkeypatch.setattr(sources, "data_folder", lambda: tmp_path)
    assert [f.level for f in doctor.models()] == ["problem"]
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "char_rnn.safetensors").write_bytes(b"cut sh")
    assert [f.level for f in doctor.models()] == ["problem"]


def test_few_threads_are_a_warning(monkeypatch):
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    assert levels(doctor.speed())["threads"] == "warn"
    monkeypatch.setattr(torch, "get_num_threads", lambda: 8)
    assert levels(doctor.speed())["threads"] == "ok"


def test_a_full_disk_is_a_problem(monkeypatch):
    usage = doctor.shutil.disk_usage(".")
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda path: usage._replace(free=int(5e8)))
    assert levels(doctor.disk())["disk"] == "warn"
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda path: usage._replace(free=int(5e7)))
    assert levels(doctor.disk())["disk"] == "problem"


def test_texts_that_are_not_here_are_warned_of(monkeypatch):
    from lessons import inventory

    states = {"a": "ok, cache", "b": "not fetched yet", "c": "WRONG: hash"}
    monkeypatch.setattr(inventory, "verify", lambda: states)
    assert levels(doctor.texts()) == {"a": "ok", "b": "warn", "c": "problem"}


@pytest.mark.parametrize(("name", "level"), [("ci", "ok"), ("fast", "warn")])
def test_the_environments_preset_is_checked(monkeypatch, name, level):
    monkeypatch.setenv("UNROLLED_PRESET", name)
    assert levels(doctor.preset())["preset"] == level
