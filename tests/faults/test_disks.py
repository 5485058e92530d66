"""A disk that is full or read-only: one sentence says so, and what was there is untouched and alone."""

import re
import sys

import pytest
import torch

from lessons import CharModel, checkpoints, fit, own_hand, sources
from lessons.errors import LessonError
from lessons.experiments import result
from lessons.run import Run
from lessons.vocabulary import Vocabulary
from tests.faults.disks import ROOM, Disk
from tests.faults.kill_nine import PRESET, TEXT, make
from widgets import export, sampling

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs a disk of its own")


@pytest.fixture
def disk(tmp_path):
    disk = Disk(tmp_path / "disk")
    yield disk
    disk.close()


def model(seed=0):
    torch.manual_seed(seed)
    return CharModel(Vocabulary.of("abc\n"), hidden_size=80, embedding_size=8)


def record(seed):
    losses = torch.rand(9000, generator=torch.Generator("cpu").manual_seed(seed), device="cpu").tolist()
    return Run("a", "ci", "bits", seed, "cpu", losses=losses, gradient_norms=losses)


def page(seed, path):
    die = sampling.die(model(seed), "abc")
    try:
        return export.page(die, path)
    finally:
        die.close()


def strokes(seed):
    return [[[0.1 * k, (k + seed) / 7] for k in range(4999)]]


WRITERS = {
    "checkpoint": lambda folder, seed: checkpoints.save(folder / "model", model(seed)),
    "record of a run": lambda folder, seed: record(seed).save(folder / "run"),
    "own handwriting": lambda folder, seed: own_hand.save("me", "vi", strokes(seed), folder),
    "page": lambda folder, seed: page(seed, folder / "die.html"),
    "claim": lambda folder, seed: result.write(folder / "claim.json", {"x": str(seed) * ROOM}),
}


def one_sentence(error):
    said = str(error.value)
    assert said.endswith(".") and "\n" not in said and not re.search("Traceback|Errno", said)
    return said


@pytest.mark.parametrize("name", WRITERS)
def test_a_full_disk(name, disk):
    WRITERS[name](disk.folder, 1)
    before = disk.holds()
    with (
        disk.full(),
        pytest.raises(LessonError, match=r"(No space left on device|File too large); make room") as e,
    ):
        WRITERS[name](disk.folder, 2)
    one_sentence(e)
    assert disk.holds() == before
    WRITERS[name](disk.folder, 2)
    assert disk.holds() != before and disk.holds().keys() == before.keys()


@pytest.mark.parametrize("name", WRITERS)
def test_a_read_only_folder(name, disk):
    WRITERS[name](disk.folder, 1)
    before = disk.holds()
    with disk.read_only():
        with pytest.raises(LessonError, match=r"choose a place in a folder of your own") as e:
            WRITERS[name](disk.folder, 2)
        one_sentence(e)
        with pytest.raises(LessonError):
            WRITERS[name](disk.folder / "deeper", 1)
    assert disk.holds() == before


def test_a_training_in_a_read_only_folder_is_done_and_says_that_nothing_is_kept(disk, capsys):
    with disk.read_only():
        run = fit(make(), checkpoint=disk.folder / "run")
        assert run.reason == "finished" and run.step == PRESET.steps
        assert "Could not save" in run.message and "folder of your own" in run.message
        assert capsys.readouterr().out.count("Could not save") == 1
    assert not disk.holds()
    kept = fit(make(), checkpoint=disk.folder / "run", progress=False)
    with disk.read_only():
        again = fit(make(), checkpoint=disk.folder / "run", progress=False)
    assert again.losses == kept.losses == run.losses and not again.message, "what is finished is only read"


def test_a_disk_that_fills_up_while_it_trains_costs_the_saves_only(disk):
    whole = fit(make(), progress=False)
    first = fit(make(), checkpoint=disk.folder / "run", watch=Stop(12), progress=False)
    before = disk.holds()
    task = make()
    task.model.readout.register_buffer("ballast", torch.zeros(ROOM, device="cpu"), persistent=False)
    with disk.full():
        run = fit(task, checkpoint=disk.folder / "run", progress=False)
    if disk.mounted:
        assert "No space left on device; make room there" in run.message
        assert disk.holds() == before
    assert first.step == 12 and run.losses == whole.losses


class Stop:
    """Ends a training after so many steps."""

    every = 1

    def __init__(self, step):
        self.step = step

    def on_step(self, run, task, step):
        if step == self.step:
            run.stop()


def test_a_cache_of_the_teachers_can_be_read_by_the_class(tmp_path):
    path = tmp_path / "text.zip"
    sources.write_whole(path, TEXT)
    other = tmp_path / "other"
    other.write_bytes(b"")
    assert path.stat().st_mode == other.stat().st_mode, "as any file that its owner writes"


def test_a_read_only_cache_is_no_obstacle(disk, capsys, monkeypatch):
    monkeypatch.setenv("UNROLLED_DATA", str(disk.folder))
    source = sources.find("shakespeare")
    with disk.read_only():
        sources._keep(source, {"a": b"b"})
    told = capsys.readouterr().err
    assert "it is used from memory this time" in told and "Traceback" not in told
    assert not disk.holds()


def test_a_checkpoint_where_one_may_not_look(tmp_path):
    with pytest.raises(LessonError, match="There is no checkpoint"):
        checkpoints.load(tmp_path / ("x" * 300))
    with pytest.raises(LessonError, match="Could not save"):
        checkpoints.save(tmp_path / ("x" * 300), model())
