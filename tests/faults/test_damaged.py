"""Checkpoints that are cut, flipped, forged or somebody else's: one sentence each, and nothing changes."""

import json
import random
import re

import pytest
import torch
from safetensors.torch import save as safetensors_bytes

from lessons import CharModel, checkpoints, corpora, fit
from lessons.char_rnn import CharTask, build
from lessons.errors import LessonError
from lessons.run import Run
from lessons.vocabulary import Vocabulary
from tests.faults.kill_nine import PRESET, TEXT, make


class Stop:
    """Ends a training after five steps."""

    every = 1

    def on_step(self, run, task, step):
        if step == 5:
            run.stop()


@pytest.fixture(scope="module")
def unfinished(tmp_path_factory):
    """The bytes of an unfinished training's file."""
    path = checkpoints.named(tmp_path_factory.mktemp("training") / "run")
    fit(make(), checkpoint=path, watch=Stop(), progress=False)
    return path.read_bytes()


@pytest.fixture
def training(unfinished, tmp_path):
    """An unfinished training on disk, and its bytes."""
    path = tmp_path / "run.safetensors"
    path.write_bytes(unfinished)
    return path, unfinished


@pytest.fixture(scope="module")
def task():
    """One training to go on with; a refusal leaves it as it is."""
    return make()


def refused(path, task):
    """The sentences with which a file is refused, as a model and as a training; neither changes anything."""
    before = path.read_bytes(), [weight.clone() for weight in task.model.parameters()]
    said = []
    for read in (
        lambda: checkpoints.load(path),
        lambda: checkpoints.load(path, task.model),
        lambda: fit(task, checkpoint=path, progress=False),
    ):
        with pytest.raises(LessonError) as error:
            read()
        said.append(str(error.value))
        assert said[-1].endswith(".") and "\n" not in said[-1] and "Traceback" not in said[-1]
    assert path.read_bytes() == before[0]
    assert all(map(torch.equal, task.model.parameters(), before[1]))
    assert [one.name for one in path.parent.iterdir()] == [path.name], "no part and no lock is left"
    return said


def test_cut_at_every_kilobyte(training, task):
    path, whole = training
    for length in range(0, len(whole), 1024):
        path.write_bytes(whole[:length])
        assert all("damaged or cut short" in said for said in refused(path, task)), length


def test_flipped_bytes(training, task):
    path, whole = training
    dice = random.Random(0)
    for place in [*range(8), *dice.sample(range(8, len(whole)), 40)]:
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1 << dice.randrange(8)]) + whole[place + 1 :])
        assert all("damaged" in said or "not a checkpoint" in said for said in refused(path, task)), place


def test_of_another_model_and_of_another_text(training):
    path, whole = training
    other = CharTask(build(make().corpus.vocabulary, PRESET.but(hidden_size=24), 0), make().corpus, PRESET)
    with pytest.raises(LessonError, match="another hidden size"):
        fit(other, checkpoint=path, progress=False)
    text = corpora.user(TEXT.replace(b"wall", b"W@LL"), "bottles", quiet=True)
    with pytest.raises(LessonError, match="another training text"):
        fit(CharTask(build(text.vocabulary, PRESET, 0), text, PRESET), checkpoint=path, progress=False)
    with pytest.raises(LessonError, match="not in the model's vocabulary"):
        fit(CharTask(make().model, text, PRESET), checkpoint=path, progress=False)
    with pytest.raises(LessonError, match=r"another vocabulary.*for example"):
        checkpoints.load(path, build(text.vocabulary, PRESET, 0))
    assert path.read_bytes() == whole
    run = fit(make(), checkpoint=path, progress=False)
    assert run.reason == "finished" and run.losses == fit(make(), progress=False).losses


MODEL = CharModel(Vocabulary.of("abc\n"), hidden_size=5, embedding_size=3)
CONFIG = checkpoints.pack(MODEL.config(), "config", {})
KIND = checkpoints.kind(MODEL)


def forged(**changes):
    return {"format": 1, "kind": KIND, "config": CONFIG | changes}


# Files with a right SHA-256, as someone who means harm would make them.
FORGERIES = {
    "nested without end": '{"format": 1, "config": ' + "[" * 100_000 + "]" * 100_000 + "}",
    "no object": [1],
    "a format that is no number": {**forged(), "format": "1"},
    "more than memory": forged(hidden_size=10**9),
    "no size": forged(hidden_size=-1),
    "a size in letters": forged(hidden_size="5"),
    "no number": forged(dropout=float("nan")),
    "a config that is none": {**forged(), "config": [1]},
    "no vocabulary": forged(vocabulary=None),
    "characters twice": forged(vocabulary={"$vocabulary": "aab", "unknown": None}),
    "no characters": forged(vocabulary={"$vocabulary": 5}),
    "a tensor that is not there": forged(vocabulary={"$tensor": "nope"}),
    "something to run": {**forged(), "kind": "os.system"},
    "something of ours to run": {**forged(), "kind": "lessons.__main__.main"},
    "a device of its own": forged(device="meta"),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_forged(name, tmp_path):
    text = FORGERIES[name] if isinstance(FORGERIES[name], str) else json.dumps(FORGERIES[name])
    tensors = {f"model.{key}": tensor for key, tensor in MODEL.state_dict().items()}
    path = tmp_path / "forged.safetensors"
    header = {"unrolled": text, "sha256": checkpoints._digest(text, tensors)}
    path.write_bytes(safetensors_bytes(tensors, metadata=header))
    for read in (checkpoints.load, Run.load):
        with pytest.raises(LessonError) as error:
            read(path)
        said = str(error.value)
        assert "forged" in said and said.endswith(".") and not re.search(r"\n|Traceback|\.\)", said)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"run": {"name": "x"}}, "not one that this version reads"),
        ({"run": None}, "not one that this version reads"),
        ({"optimizer": {"state": {}, "param_groups": []}}, "cannot go on with"),
        ({"optimizer": 5}, "cannot go on with"),
        ({"carry": {"$tensor": "gone"}}, "cannot go on with"),
    ],
)
def test_a_training_of_another_version(training, task, change, words):
    path, _ = training
    meta, tensors = checkpoints.read(path)
    checkpoints.write(path, tensors, meta | change)
    with pytest.raises(LessonError, match=words):
        fit(task, checkpoint=path, progress=False)
