"""Presets: which one is chosen, what they refuse, how the learning rate goes."""

import pytest
import torch

from lessons import presets
from lessons.errors import LessonError
from lessons.presets import Preset, choose

THREE = {name: Preset(name, steps=10) for name in presets.COMMON}


def test_the_argument_goes_before_the_environment_and_that_before_the_device(monkeypatch):
    monkeypatch.delenv("UNROLLED_PRESET", raising=False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert choose(THREE).name == "cpu"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert choose(THREE).name == "gpu"
    assert choose({"cpu": THREE["cpu"]}).name == "cpu"
    monkeypatch.setenv("UNROLLED_PRESET", "ci")
    assert choose(THREE).name == "ci"
    assert choose(THREE, "cpu").name == "cpu"


def test_an_unknown_name_is_answered_with_the_known_ones(monkeypatch):
    with pytest.raises(LessonError, match="'huge'; choose one of ci, cpu, gpu"):
        choose(THREE, "huge")
    monkeypatch.setenv("UNROLLED_PRESET", "tiny")
    with pytest.raises(LessonError, match="'tiny'"):
        choose(THREE)


@pytest.mark.parametrize(
    "changes",
    [
        {"steps": 0},
        {"learning_rate": 0},
        {"learning_rate": float("nan")},
        {"clip": 0},
        {"clip": float("nan")},
        {"precision": "fp8"},
        {"evaluate_every": 0},
        {"save_every": 0},
        {"lr": 1e-3},
    ],
)
def test_nonsense_is_refused(changes):
    with pytest.raises(LessonError):
        THREE["cpu"].but(**changes)


def test_a_changed_preset_is_another_one():
    preset = THREE["cpu"].but(steps=20, clip=None)
    assert (preset.steps, preset.clip, THREE["cpu"].steps) == (20, None, 10)
    assert type(preset) is Preset


def test_the_rate_warms_up_and_then_falls():
    preset = Preset("p", steps=100, learning_rate=1.0, warmup=10, final_rate=0.1)
    rates = [preset.rate(step) for step in range(100)]
    assert rates[0] == pytest.approx(0.1, abs=1e-3) and max(rates) == rates[9]
    assert rates[:10] == sorted(rates[:10]) and rates[9:] == sorted(rates[9:], reverse=True)
    assert rates[50] == pytest.approx(0.55, abs=1e-9) and rates[99] == pytest.approx(0.1, abs=1e-3)
    assert Preset("p", steps=1, learning_rate=1.0, warmup=0).rate(0) == 1.0


def test_the_optimizer_takes_the_presets_numbers():
    weight = torch.nn.Parameter(torch.ones(2, device="cpu"))
    optimizer = Preset("p", steps=1, learning_rate=0.5, weight_decay=0.25).optimizer([weight])
    group = optimizer.param_groups[0]
    assert (group["lr"], group["weight_decay"], group["fused"]) == (0.5, 0.25, True)


def test_a_preset_is_told_in_words():
    told = str(Preset("ci", steps=3, clip=None))
    assert told.startswith("preset ci: steps 3, learning rate 0.002") and "clip" not in told
    assert max(map(len, told.splitlines())) <= 88
