"""Saved models come back the same; everything else is refused in one sentence, and nothing runs."""

import json

import pytest
import torch
from safetensors.torch import save_file

from lessons import char_rnn, checkpoints, corpora
from lessons.char_rnn import CharModel
from lessons.errors import LessonError
from lessons.vocabulary import Vocabulary

VOCABULARY = Vocabulary.of("abc\n", unknown="c")


def model(**changes):
    return CharModel(**({"vocabulary": VOCABULARY, "hidden_size": 5, "embedding_size": 3} | changes))


@pytest.fixture
def path(tmp_path):
    return checkpoints.save(tmp_path / "model", model(), figure=1.5)


def refused(said, path, into=None):
    """The one sentence with which loading is refused."""
    with pytest.raises(LessonError, match=said) as error:
        checkpoints.load(path, into)
    sentence = str(error.value)
    assert sentence.endswith(".") and "\n" not in sentence and "Traceback" not in sentence
    return sentence


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16, torch.float64])
def test_a_model_comes_back_the_same(tmp_path, cell, dtype):
    one = model(cell=cell, num_layers=2, dropout=0.25, forget_bias=0.5, dtype=dtype)
    two = checkpoints.load(checkpoints.save(tmp_path / "m", one))
    assert two.config() == one.config()
    for name, tensor in one.state_dict().items():
        assert torch.equal(two.state_dict()[name], tensor) and two.state_dict()[name].dtype == dtype


def test_weights_can_be_put_into_a_model_that_is_there(path):
    into = model()
    assert checkpoints.load(path, into) is into
    assert torch.equal(into.readout.weight, checkpoints.load(path).readout.weight)


def test_what_it_is_stands_beside_it_in_clear(path):
    beside = json.loads(path.with_suffix(".json").read_text())
    assert beside["figure"] == 1.5 and beside["config"]["hidden_size"] == 5
    assert checkpoints.describe(path)["figure"] == 1.5


def test_a_missing_file(tmp_path):
    refused("There is no checkpoint", tmp_path / "nothing")
    refused("There is no checkpoint", tmp_path)


@pytest.mark.parametrize("keep", [0, 4, 100, 900, -1])
def test_a_truncated_file(path, keep):
    path.write_bytes(path.read_bytes()[:keep])
    refused("damaged or cut short", path)


def test_every_flipped_byte_is_noticed(path):
    path.with_suffix(".json").unlink()
    whole = path.read_bytes()
    for place in range(8, len(whole), 37):
        data = bytearray(whole)
        data[place] ^= 4
        path.write_bytes(data)
        with pytest.raises(LessonError):
            checkpoints.load(path)


def test_noise_text_and_other_peoples_files(tmp_path):
    path = tmp_path / "x.safetensors"
    path.write_bytes(bytes(range(256)) * 8)
    refused("damaged", path)
    path.write_text("<html>404</html>")
    refused("damaged", path)
    save_file({"w": torch.zeros(2, device="cpu")}, path)
    refused("not a checkpoint of this course", path)


def test_a_newer_format(path, monkeypatch):
    monkeypatch.setattr(checkpoints, "FORMAT", 0)
    refused("format 1 and this version reads up to 0; update", path)


def test_another_size(path):
    assert "weight_ih_l0 is 20 × 3 in the file and 24 × 3" in refused(
        "does not fit", path, model(hidden_size=6)
    )
    refused("another kind of model", path, model(num_layers=2))


def test_another_vocabulary(path):
    other = Vocabulary.of("abd\n", unknown="d")
    refused("another vocabulary.*'c'", path, model(vocabulary=other))
    refused("another vocabulary.*order", path, model(vocabulary=Vocabulary(VOCABULARY.symbols[::-1], "c")))


def test_a_file_that_does_not_go_with_its_description(path, tmp_path):
    other = checkpoints.save(tmp_path / "other", model())
    path.write_bytes(other.read_bytes())
    refused("not the file that model.json describes", path)
    path.with_suffix(".json").write_text("{")
    refused("model.json is damaged", path)


@pytest.mark.parametrize(
    "kind", ["os.system", "lessons.run.Run", "lessons.nothing.Model", "lessons.char_rnn.Gone"]
)
def test_only_models_of_the_course_are_built(tmp_path, kind):
    path = tmp_path / "x.safetensors"
    checkpoints.write(path, {}, {"kind": kind, "config": {}})
    refused("holds (no model|a model that this version cannot build)", path)


def test_saving_over_a_file_replaces_it_whole(path):
    one = model()
    checkpoints.save(path, one)
    assert torch.equal(checkpoints.load(path).readout.weight, one.readout.weight)
    assert sorted(p.name for p in path.parent.iterdir()) == ["model.json", "model.safetensors"]


def test_a_full_disk_leaves_the_old_file_and_its_description(path, monkeypatch):
    before = {p.name: p.read_bytes() for p in path.parent.iterdir()}

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoints.os, "fsync", full)
    with pytest.raises(
        LessonError, match=r"No space left on device; make room .*; what was saved there before is untouched"
    ):
        checkpoints.save(path, model())
    assert {p.name: p.read_bytes() for p in path.parent.iterdir()} == before


def test_a_place_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(LessonError, match="Could not save"):
        checkpoints.save(tmp_path / "file" / "model", model())


def test_nests_come_back_the_same():
    t = torch.arange(3, device="cpu")
    value = {"a": [1, (2.5, None, "x")], "state": {0: {"step": t}, 1: True}, "v": VOCABULARY, "empty": {}}
    tensors = {}
    packed = json.loads(json.dumps(checkpoints.pack(value, "n", tensors)))
    back = checkpoints.unpack(packed, tensors)
    assert torch.equal(back["state"][0].pop("step"), value["state"][0].pop("step"))
    assert back == value and list(tensors) == ["n.state.0.step"]
    with pytest.raises(TypeError, match=r"n\.f is a function"):
        checkpoints.pack({"f": json.dumps}, "n", {})


def test_the_model_that_comes_with_the_course_is_intact_and_has_learnt():
    shipped = char_rnn.pretrained()
    meta = checkpoints.describe(char_rnn.data_folder() / "checkpoints" / "char_rnn")
    assert not shipped.training and shipped.config()["hidden_size"] == 128
    assert meta["run"]["provenance"]["source"] == "shakespeare-markdown"
    verse = "**HAMLET**  \nTo be, or not to be: that is the question:  \n" * 3
    assert char_rnn.bits_per_character(shipped, verse) < 3.2


def test_the_model_that_comes_with_the_course_is_the_one_its_record_tells_of():
    source = corpora.sources.find("shakespeare-markdown")
    try:
        corpora.sources.read(source, fetch=False)
    except corpora.sources.Unavailable:
        pytest.skip("the corpus is not here")
    meta = checkpoints.describe(char_rnn.data_folder() / "checkpoints" / "char_rnn")
    text = corpora.load(source.id, quiet=True)
    assert meta["run"]["provenance"]["content_sha256"] == text.provenance.content_sha256
    valid = text.valid[: meta["run"]["settings"]["valid_characters"]]
    measured = char_rnn.bits_per_character(char_rnn.pretrained(), valid)
    assert measured == pytest.approx(meta["figures"]["valid"], abs=1e-3)
    assert meta["run"]["evaluations"][-1]["valid"] == meta["figures"]["valid"]
