"""Starts do to the weights what their papers say, in every layer and direction."""

import pytest
import torch
from torch import nn

from lessons import initialisation
from lessons.errors import LessonError
from lessons.lstm_variants import VariantLSTM, variant
from lessons.recurrent import GRU, LSTM, RNN


def totals(layer, rows):
    """bias_ih + bias_hh of some rows, for every layer and direction."""
    return [(one + two)[rows] for one, two in initialisation.biases(layer)]


def test_forget_bias():
    layer = initialisation.forget_bias(LSTM(2, 4, 2, bidirectional=True), 3.0)
    assert all(torch.equal(part, torch.full((4,), 3.0)) for part in totals(layer, slice(4, 8)))
    with pytest.raises(LessonError):
        initialisation.forget_bias(GRU(2, 4))


@pytest.mark.parametrize("kind", [LSTM, lambda *sizes: VariantLSTM(*sizes, peepholes=True)])
def test_chrono_spreads_time_scales(kind):
    torch.manual_seed(0)
    layer = initialisation.chrono(kind(2, 500), 100)
    (i,), (f,) = totals(layer, slice(0, 500)), totals(layer, slice(500, 1000))
    assert torch.equal(i, -f)
    scale = f.exp()
    assert scale.min() >= 1 and scale.max() <= 99
    assert abs(scale.mean() - 50) < 5


def test_chrono_knows_every_cell():
    (z,) = totals(initialisation.chrono(GRU(2, 8), 50), slice(8, 16))
    assert (z >= 0).all()
    (i,) = totals(initialisation.chrono(variant("CIFG", 2, 8), 50), slice(0, 8))
    assert (i <= 0).all()
    with pytest.raises(LessonError, match="no gates"):
        initialisation.chrono(RNN(2, 8), 50)
    with pytest.raises(LessonError, match="bias=True"):
        initialisation.chrono(LSTM(2, 8, bias=False), 50)
    with pytest.raises(LessonError, match="at least 3"):
        initialisation.chrono(LSTM(2, 8), 2)


def test_chrono_repeats_with_a_generator():
    first, second = (
        initialisation.chrono(LSTM(2, 8), 50, torch.Generator().manual_seed(5)).bias_ih_l0[:16]
        for _ in range(2)
    )
    assert torch.equal(first, second)


@pytest.mark.parametrize("kind", [nn.RNN, LSTM, GRU])
def test_recurrent_matrices(kind):
    layer = kind(2, 6, 2, bidirectional=True)

    def blocks():
        return [b for name, w in layer.named_parameters() if "weight_hh" in name for b in w.detach().split(6)]

    initialisation.orthogonal(layer, 2.0)
    assert all(torch.allclose(b @ b.T, 4 * torch.eye(6), atol=1e-5) for b in blocks())
    nn.init.normal_(layer.weight_hh_l0)
    initialisation.spectral_radius(layer, 0.7)
    assert all(abs(float(torch.linalg.eigvals(b).abs().max()) - 0.7) < 1e-4 for b in blocks())
    initialisation.identity(layer, 0.5)
    assert all(torch.equal(b, 0.5 * torch.eye(6)) for b in blocks())
    assert not layer.bias_ih_l1_reverse.any()
    with pytest.raises(LessonError, match="radius 0"):
        initialisation.spectral_radius(initialisation.identity(layer, 0.0))


def test_by_name():
    layer = initialisation.apply(LSTM(2, 4), {"orthogonal": 1.0, "forget_bias": 2.0})
    assert torch.equal(totals(layer, slice(4, 8))[0], torch.full((4,), 2.0))
    with pytest.raises(LessonError, match="no start"):
        initialisation.apply(layer, {"orthogonl": 1.0})
