"""Gates kept side by side, by name and over time; and what lessons.recovery makes of a layer's outputs."""

import pytest
import torch

from lessons import cells, recovery, side_by_side

PLACE = {"device": "cpu", "dtype": torch.float64}


def test_gates_get_their_names_in_torchs_order():
    gates = torch.arange(8.0, **PLACE).reshape(1, 1, 8)
    state = torch.zeros(1, 1, 2, **PLACE)
    named = side_by_side.name_lstm(gates, state, state)
    assert {k: v.flatten().tolist() for k, v in named.items() if k in "ifgo"} == {
        "i": [0, 1], "f": [2, 3], "g": [4, 5], "o": [6, 7],
    }  # fmt: skip
    assert list(side_by_side.name_gru(gates[..., :6], state, state)) == ["r", "z", "n", "q", "h"]


@pytest.mark.parametrize("backward", [False, True])
def test_the_scan_is_the_cells_recursion(backward):
    gates = torch.rand(5, 2, 12, generator=torch.Generator().manual_seed(0), **PLACE)
    start = torch.ones(2, 3, **PLACE)
    found = side_by_side.scan(gates, start, backward)
    c = start
    for t in reversed(range(5)) if backward else range(5):
        i, f, g, _ = gates[t].chunk(4, -1)
        c = f * c + i * g
        assert torch.allclose(found[t], c, atol=1e-12)


def test_gates_recovered_from_outputs_are_those_of_the_steps():
    layer = torch.nn.LSTM(3, 4, **PLACE)
    x = torch.randn(6, 2, 3, generator=torch.Generator().manual_seed(0), **PLACE)
    h = c = torch.zeros(2, 4, **PLACE)
    steps = []
    for now in x:
        step = cells.lstm_step(now, h, c, *layer.parameters())
        steps.append(step)
        h, c = step.h, step.c
    outputs = torch.stack([step.h for step in steps])
    zero = torch.zeros(2, 4, **PLACE)
    with torch.no_grad():
        named = recovery.recover("LSTM", x, outputs, (zero, zero), list(layer.parameters()))
    for name in "ifgoc":
        assert torch.allclose(named[name], torch.stack([getattr(s, name) for s in steps]), atol=1e-12)
