"""`python -m lessons`: what it prints, and with which status it ends."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import lessons
from lessons import checkpoints, corpora, training
from lessons.__main__ import TRAINABLE, lesson_module, main, setting, title

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def small(monkeypatch, request):
    """A text of a page in place of the corpora; lesson 15, which keeps what it wrote, has the plays."""
    if getattr(request.node, "callspec", None) and request.node.callspec.params.get("slug") == "handwriting":
        return
    text = "".join(f"{n} green bottles, hanging on wall number {n * n}.\n" for n in range(300)).encode()
    monkeypatch.setattr(corpora.sources, "notice", lambda text: None)
    load = corpora.load

    def quick(name, quiet=True):
        return load(name, quiet=True) if name == "cmudict" else corpora.user(text, name, quiet=True)

    monkeypatch.setattr(corpora, "load", quick)


def test_the_front_door_is_quick_and_has_every_name():
    """`import lessons` loads nothing; asking for a name loads what it stands in."""
    code = (
        "import sys, lessons; assert 'torch' not in sys.modules;"
        "from lessons import CharModel, corpora, fit, trace, sampling, char_rnn, check, claims, gradients;"
        "assert callable(fit) and callable(trace) and set(lessons.__all__) <= set(dir(lessons));"
        "loaded = {'plotly', 'ipywidgets', 'anywidget', 'IPython', 'widgets'} & set(sys.modules);"
        "assert not loaded, loaded;"
        "[getattr(lessons, name) for name in lessons.__all__]"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        lessons.nonsense  # noqa: B018


def test_a_request_in_error_is_one_sentence_and_status_two():
    command = [sys.executable, "-m", "lessons", "train", "char_rnn", "--preset", "huge"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr == "There is no preset 'huge'; choose one of ci, cpu, gpu, shipped.\n"


def test_without_a_command_the_lessons_are_listed(capsys):
    assert main([]) == 0
    out = capsys.readouterr().out
    assert "train char_rnn --preset NAME, one of: ci, cpu, gpu, shipped" in out
    for path in (ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"):
        assert f"{path.stem:24s} {title(path)}" in out


def test_torchrun_trains_one_model_in_two_processes(tmp_path):
    """Two processes with half of each batch see the curve of one; the first of them speaks and writes."""
    train = ["-m", "lessons", "train", "char_rnn", "--preset", "ci", "--seed", "3", "--device", "cpu"]
    for change in ("steps=12", "evaluate_every=6", "dropout=0", 'precision="float32"'):
        train += ["--set", change]
    together = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2", *train]
    done, found = {}, {}
    for name, start in (("one", train), ("two", together)):
        where = ["--checkpoint", str(tmp_path / name), "--model", str(tmp_path / f"{name}-model")]
        done[name] = subprocess.run(
            [sys.executable, *start, *where], capture_output=True, text=True, cwd=ROOT
        )
        assert done[name].returncode == 0, done[name].stderr[-3000:]
        meta, tensors = checkpoints.read(checkpoints.named(tmp_path / name))
        processes = meta["run"]["settings"]["processes"]
        found[name] = processes, tensors["run.losses"], tensors["run.gradient_norms"]
    assert (found["one"][0], found["two"][0]) == (1, 2)
    assert torch.allclose(found["one"][1], found["two"][1], rtol=1e-5, atol=0)
    assert torch.allclose(found["one"][2], found["two"][2], rtol=1e-4, atol=0)
    assert not torch.equal(found["one"][2], found["two"][2]), "sums were made in another order"
    assert done["two"].stdout.count("The model is in") == done["two"].stdout.count("test: ") == 1


def test_a_notebooks_title_is_its_first_heading(tmp_path):
    cells = [
        {"cell_type": "code", "source": ["# no\n"]},
        {"cell_type": "markdown", "source": ["text\n", "# Yes?\n"]},
    ]
    path = tmp_path / "01_x.ipynb"
    path.write_text(json.dumps({"cells": cells}))
    assert title(path) == "Yes?"


def test_training_saves_resumes_and_hands_over_the_model(small, tmp_path, capsys):
    where, out = tmp_path / "run", tmp_path / "model"
    command = ["train", "char_rnn", "--preset", "ci", "--checkpoint", str(where), "--seed", "4"]
    command += ["--set", "steps=6", "--set", "hidden_size=8", "--corpus", "bottles", "--model", str(out)]
    assert main(command) == 0
    said = capsys.readouterr().out
    assert "preset ci, 6 steps" in said and "test: " in said and "The model is in" in said
    meta = checkpoints.describe(out)
    assert meta["command"] == "python -m lessons " + " ".join(command)
    assert meta["run"]["seed"] == 4 and meta["run"]["provenance"]["source"] == "bottles"
    assert meta["figures"]["test"] > 0 and checkpoints.load(out).recurrent.hidden_size == 8
    losses = checkpoints.read(checkpoints.named(where))[1]["run.losses"]
    assert main(command) == 0, "a finished run is picked up"
    assert checkpoints.read(checkpoints.named(where))[1]["run.losses"].equal(losses)
    assert main([*command, "--set", "steps=7"]) == 2
    assert "another steps (6 there, 7 now)" in capsys.readouterr().err
    assert main([*command, "--set", "steps=7", "--fresh"]) == 0


@pytest.mark.parametrize("slug", TRAINABLE)
def test_every_lesson_that_trains_is_interrupted_goes_on_and_is_loaded(slug, small, tmp_path, monkeypatch):
    """Stopped in the middle and run again, it ends with the losses of a run that nobody stopped."""
    assert set(lesson_module(slug).PRESETS) >= {"ci", "cpu", "gpu"}
    command = [
        "train",
        slug,
        "--preset",
        "ci",
        "--set",
        "steps=6",
        "--set",
        "evaluate_every=3",
        "--checkpoint",
    ]

    def losses(name):
        return checkpoints.read(checkpoints.named(tmp_path / name))[1]["run.losses"]

    assert main([*command, str(tmp_path / "whole")]) == 0
    evaluate = training.Loop.evaluate
    with monkeypatch.context() as impatient:
        impatient.setattr(
            training.Loop, "evaluate", lambda loop: (evaluate(loop), loop.run.step == 3 and loop.run.stop())
        )
        assert main([*command, str(tmp_path / "run")]) == 1
    assert len(losses("run")) == 3
    assert main([*command, str(tmp_path / "run"), "--model", str(tmp_path / "model")]) == 0
    assert losses("run").equal(losses("whole"))
    model, trained = checkpoints.load(tmp_path / "model"), checkpoints.load(tmp_path / "whole")
    assert model.config() == trained.config()
    assert all(map(torch.equal, model.state_dict().values(), trained.state_dict().values()))


def test_an_unfinished_training_does_not_replace_a_model(small, tmp_path, monkeypatch):
    from lessons import training
    from lessons.run import Run

    out = tmp_path / "model.safetensors"
    out.write_text("a whole model")
    monkeypatch.setattr(training.Loop, "evaluate", lambda loop: Run.stop(loop.run))
    command = ["train", "char_rnn", "--preset", "ci", "--checkpoint", str(tmp_path / "run")]
    assert main([*command, "--model", str(out)]) == 1
    assert out.read_text() == "a whole model"


def test_settings_are_numbers_or_words(capsys):
    assert setting("steps=10") == ("steps", 10) and setting("clip=null") == ("clip", None)
    assert setting("learning_rate=1e-3") == ("learning_rate", 1e-3) and setting("cell=gru") == ("cell", "gru")
    assert main(["train", "char_rnn", "--set", "steps"]) == 2
    assert "NAME=VALUE" in capsys.readouterr().err
    assert main(["train", "char_rnn", "--preset", "ci", "--set", "lr=1"]) == 2
    assert "no 'lr'; it has" in capsys.readouterr().err


@pytest.mark.parametrize(
    "wrong", [["fly"], ["train"], ["train", "baking"], ["train", "char_rnn", "--seed", "x"]]
)
def test_what_nobody_offers_is_status_two(wrong, capsys):
    with pytest.raises(SystemExit) as end:
        main(wrong)
    assert end.value.code == 2 and "usage" in capsys.readouterr().err


def test_commands_with_their_own_parser_get_their_arguments(capsys):
    assert main(["corpora", "list"]) in (0, 1)
    assert "shakespeare" in capsys.readouterr().out
