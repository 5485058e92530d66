"""The record of a training: one line, one file."""

import json
import math

import pytest

from lessons.errors import LessonError
from lessons.run import Run


@pytest.fixture
def run():
    return Run(
        "char_rnn",
        "cpu",
        "bits per character",
        3,
        "cpu",
        settings={"steps": 4, "precision": "bf16", "clip": None},
        versions={"torch": "2.13.0"},
        provenance={"source": "shakespeare", "fallback": False},
        baselines={"5-gram": 2.07},
        losses=[4.1, 0.1 + 0.2, math.pi],
        gradient_norms=[1.0, 2.0, math.e],
        evaluations=[{"step": 0, "valid": 6.3}, {"step": 2, "valid": 2.25}, {"step": 3, "valid": 2.5}],
        seconds=61.7,
        reason="interrupted",
        message="Why it ended.",
    )


def test_one_line_says_it_all(run):
    how, result = "3 of 4 steps in 62 s (cpu, bf16, seed 3)", "valid 2.500 bits per character, interrupted"
    assert str(run) == f"char_rnn, preset cpu, {how}: {result}"


def test_saved_and_loaded_it_is_the_same_to_the_last_bit(run, tmp_path):
    path = run.save(tmp_path / "run")
    again = Run.load(path)
    assert vars(again) == vars(run)
    assert json.loads(path.with_suffix(".json").read_text())["run"]["baselines"] == {"5-gram": 2.07}


def test_figures_are_found(run):
    assert run.step == 3 and run.last == {"valid": 2.5} and run.best() == 2.25
    assert math.isnan(run.best("nonsense"))
    assert Run("a", "ci", "nats", 0, "cpu").last == {}


def test_a_damaged_record_is_refused(run, tmp_path):
    path = run.save(tmp_path / "run")
    data = bytearray(path.read_bytes())
    data[-3] ^= 1
    path.write_bytes(data)
    with pytest.raises(LessonError, match="SHA-256"):
        Run.load(path)


def test_a_model_is_no_record(tmp_path):
    from lessons import CharModel, checkpoints
    from lessons.vocabulary import Vocabulary

    model = CharModel(Vocabulary.of("ab"), hidden_size=2, embedding_size=2)
    path = checkpoints.save(tmp_path / "model", model)
    with pytest.raises(LessonError, match="no record of a training"):
        Run.load(path)


def test_a_figure_from_an_earlier_step_says_which(run):
    run.evaluations.pop()
    assert "valid 2.250 bits per character, at step 2" in str(run)
