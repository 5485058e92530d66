"""The readable step functions agree with torch's cells and with Keras, which shares no code with either."""

import os

import pytest
import torch
from torch import nn

from lessons import cells
from lessons.errors import LessonError
from tests.recurrent_cases import BATCH, HIDDEN, INPUT, difference


def weights_of(cell):
    return cell.weight_ih, cell.weight_hh, cell.bias_ih, cell.bias_hh


def inputs(dtype=torch.float64):
    torch.manual_seed(3)
    return torch.randn(BATCH, INPUT, dtype=dtype), *torch.randn(2, BATCH, HIDDEN, dtype=dtype)


@pytest.mark.parametrize("bias", [True, False])
def test_steps_are_those_of_torch(bias):
    x, h, c = inputs()
    options = {"bias": bias, "dtype": torch.float64}
    lstm, gru = nn.LSTMCell(INPUT, HIDDEN, **options), nn.GRUCell(INPUT, HIDDEN, **options)
    step, (right_h, right_c) = cells.lstm_step(x, h, c, *weights_of(lstm)), lstm(x, (h, c))
    assert max(difference(step.h, right_h), difference(step.c, right_c)) < 1e-14
    assert difference(cells.gru_step(x, h, *weights_of(gru)).h, gru(x, h)) < 1e-14
    for nonlinearity in ("tanh", "relu"):
        rnn = nn.RNNCell(INPUT, HIDDEN, nonlinearity=nonlinearity, **options)
        step = cells.rnn_step(x, h, *weights_of(rnn), nonlinearity=nonlinearity)
        assert difference(step.h, rnn(x, h)) < 1e-14


def test_a_step_shows_its_gates():
    x, h, c = inputs()
    lstm = cells.lstm_step(x, h, c, *weights_of(nn.LSTMCell(INPUT, HIDDEN, dtype=torch.float64)))
    assert lstm._fields == ("i", "f", "g", "o", "c", "h")
    assert difference(lstm.c, lstm.f * c + lstm.i * lstm.g) == 0
    gru = cells.gru_step(x, h, *weights_of(nn.GRUCell(INPUT, HIDDEN, dtype=torch.float64)))
    assert gru._fields == ("r", "z", "n", "q", "h")
    assert difference(gru.h, gru.n + gru.z * (h - gru.n)) < 1e-14
    assert all(gate.min() > 0 and gate.max() < 1 for gate in (lstm.i, lstm.f, lstm.o, gru.r, gru.z))


def test_another_nonlinearity_is_refused():
    x, h, _ = inputs()
    weights = weights_of(nn.RNNCell(INPUT, HIDDEN, dtype=torch.float64))
    with pytest.raises(LessonError, match="'sin'"):
        cells.rnn_step(x, h, *weights, nonlinearity="sin")


def test_shapes_without_numbers():
    cell = nn.LSTMCell(INPUT, HIDDEN, device="meta")
    x, h = torch.zeros(BATCH, INPUT, device="meta"), torch.zeros(BATCH, HIDDEN, device="meta")
    assert cells.lstm_step(x, h, h, *weights_of(cell)).c.shape == (BATCH, HIDDEN)


@pytest.fixture(scope="module")
def keras():
    os.environ["KERAS_BACKEND"] = "torch"
    return pytest.importorskip("keras")


def keras_run(layer, x, weights, columns):
    """A Keras layer over x (B, T, I) with torch's weights; `columns` reorders the blocks of gates."""
    layer.build(x.shape)
    blocks = [weights[0].T, weights[1].T, weights[2] + weights[3]]
    reordered = [torch.cat([block.chunk(len(columns), -1)[k] for k in columns], -1) for block in blocks]
    layer.set_weights([block.detach().numpy() for block in reordered])
    return layer(x).detach()


def through_time(step, x, *state):
    """Outputs of a step function over x (B, T, I)."""
    rows = []
    for x_t in x.unbind(1):
        seen = step(x_t, *state)
        state = (seen.h, seen.c) if len(state) == 2 else (seen.h,)
        rows.append(seen.h.detach())
    return torch.stack(rows, 1)


def test_lstm_steps_are_those_of_keras(keras):
    x, zero = torch.randn(BATCH, 6, INPUT), torch.zeros(BATCH, HIDDEN)
    weights = weights_of(nn.LSTMCell(INPUT, HIDDEN))
    theirs = keras_run(keras.layers.LSTM(HIDDEN, return_sequences=True), x, weights, (0, 1, 2, 3))
    ours = through_time(lambda x, h, c: cells.lstm_step(x, h, c, *weights), x, zero, zero)
    assert difference(theirs, ours) < 1e-5


def test_gru_steps_are_those_of_keras(keras):
    x, zero = torch.randn(BATCH, 6, INPUT), torch.zeros(BATCH, HIDDEN)
    weights = weights_of(nn.GRUCell(INPUT, HIDDEN))
    ih, hh, b_ih, b_hh = ([part.chunk(3)[k] for k in (1, 0, 2)] for part in weights)
    layer = keras.layers.GRU(HIDDEN, return_sequences=True)
    layer.build(x.shape)
    own = [torch.cat(ih).T, torch.cat(hh).T, torch.stack([torch.cat(b_ih), torch.cat(b_hh)])]
    layer.set_weights([part.detach().numpy() for part in own])
    ours = through_time(lambda x, h: cells.gru_step(x, h, *weights), x, zero)
    assert difference(layer(x).detach(), ours) < 1e-5


@pytest.mark.parametrize("nonlinearity", ["tanh", "relu"])
def test_elman_steps_are_those_of_keras(keras, nonlinearity):
    x, zero = torch.randn(BATCH, 6, INPUT), torch.zeros(BATCH, HIDDEN)
    weights = weights_of(nn.RNNCell(INPUT, HIDDEN))
    layer = keras.layers.SimpleRNN(HIDDEN, activation=nonlinearity, return_sequences=True)
    theirs = keras_run(layer, x, weights, (0,))
    ours = through_time(lambda x, h: cells.rnn_step(x, h, *weights, nonlinearity=nonlinearity), x, zero)
    assert difference(theirs, ours) < 1e-5
