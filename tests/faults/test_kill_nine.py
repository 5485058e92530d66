"""kill -9 at any moment of a training or of a save: nothing saved is lost, and the run is the same."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from lessons import checkpoints, fit
from lessons.errors import LessonError
from tests.faults import kill_nine

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs fork and SIGKILL")


def report(*arguments):
    """What `python -m tests.faults.kill_nine` found out."""
    command = [sys.executable, "-m", "tests.faults.kill_nine", *map(str, arguments)]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | {"OMP_NUM_THREADS": "1"}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_killed_at_twenty_random_points_a_training_goes_on_bit_for_bit(tmp_path):
    found = report("training", tmp_path, 20, 8)
    assert found["whole"]["reason"] == "finished" and len(found["whole"]["losses"]) == 40
    assert sum(run["killed"] for run in found["runs"]) >= 5, "a crowded machine may be late with the rest"
    assert not found["left"], "no part and no lock of the killed ones is left"
    steps = {run["step"] for run in found["runs"]}
    assert len(steps) > 1, f"they died at different steps: {steps}"
    for run in found["runs"]:
        assert run["told"] == found["whole"], (
            f"killed after {run['after']:.3f} s, saved at step {run['step']}"
        )


def test_killed_before_any_line_of_a_save_the_old_file_or_the_new_one_is_there(tmp_path):
    found = report("saving", tmp_path)
    assert len(found["read"]) > 10
    assert found["read"][0] == ["old"] and found["read"][-1] == ["new"]
    assert all(len(names) == 1 for names in found["read"]), "each time one of the two, whole"
    assert found["left"] == ["model.json", "model.safetensors"], "the next save cleans up"


HOLD = """
import sys
from pathlib import Path
from lessons import checkpoints
from lessons.lone_writer import LoneWriter
writer = LoneWriter(checkpoints.named(Path(sys.argv[1])))
print("held", flush=True)
sys.stdin.read()
"""


def test_two_kernels_cannot_train_into_the_same_file(tmp_path):
    path = tmp_path / "run"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as other:  # fmt: skip
        assert other.stdout.readline() == "held\n"
        with pytest.raises(LessonError) as refused:
            fit(kill_nine.make(), checkpoint=path, progress=False)
        assert f"Another training (process {other.pid}) is writing {checkpoints.named(path)}" in str(
            refused.value
        )
        assert not checkpoints.named(path).exists()
        other.kill()
    run = fit(kill_nine.make(), checkpoint=path, progress=False)
    assert run.reason == "finished" and not run.message
    assert [one.name for one in tmp_path.iterdir()] == ["run.safetensors"]
    assert fit(kill_nine.make(), checkpoint=path, progress=False).losses == run.losses
