"""How much memory a training takes: counted parts are exact, the rest is a straight line in the batch."""

import pytest
import torch

from lessons import footprint, lstm, recurrence
from lessons.__main__ import main
from lessons.errors import LessonError

SMALL = recurrence.preset("ci").but(batch_size=32, hidden_size=16, length=20)


def test_weights_gradients_and_adam_are_counted():
    found = footprint.footprint(recurrence, SMALL)
    model = recurrence.prepare(SMALL, 0).model
    count = sum(weight.numel() for weight in model.parameters())
    assert found.parameters == count
    assert found.weights >= found.gradients == 4 * count
    assert found.optimizer == pytest.approx(8 * count, rel=0.2), (
        "two moments, and a step count for each tensor"
    )
    assert found.total > 2 * found.weights + found.gradients + found.optimizer + found.activations


def test_activations_of_a_whole_batch_are_foreseen_from_two_small_parts():
    found = footprint.footprint(recurrence, SMALL)
    parts = footprint.kept(recurrence.prepare(SMALL.but(precision="float32"), 0))
    whole = sum(parts)
    assert found.activations == pytest.approx(whole, rel=0.01)
    assert found.largest == pytest.approx(max(parts), rel=0.01)
    longer = footprint.footprint(recurrence, SMALL.but(length=40))
    assert longer.activations == pytest.approx(2 * whole, rel=0.1)


def test_an_lstm_keeps_its_gates_and_states():
    """Four gates and two states of every step are the least that a backward pass through an LSTM needs."""
    preset = lstm.preset("ci").but(batch_size=8, length=32, hidden_size=64, num_layers=1)
    found = footprint.footprint(lstm, preset)
    assert found.activations > 4 * (4 + 2) * 8 * 32 * 64
    assert torch.backends.mkldnn.is_available() == torch.backends.mkldnn.enabled


def test_a_batch_that_cannot_be_parted_is_refused():
    with pytest.raises(LessonError, match="divided by 4; this has 6"):
        footprint.footprint(recurrence, SMALL.but(batch_size=6))


def test_the_command_line_says_it_in_a_line(capsys):
    assert main(["memory", "recurrence", "--preset", "ci", "--set", "hidden_size=8"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("recurrence, preset ci, in MB: ") and "parameters; weights" in said
