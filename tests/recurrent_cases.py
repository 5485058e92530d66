"""What the tests of layers, traces and gradients share: all kinds of layers, and a slow, plain reference."""

import itertools
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn

from lessons import cells, recurrent

DEVICES = ["cpu"]
if torch.cuda.is_available():
    torch.backends.cudnn.allow_tf32 = False
    DEVICES.append("cuda")
if torch.backends.mps.is_available():
    DEVICES.append("mps")

MODES = {
    "LSTM": (recurrent.LSTM, nn.LSTM, {}),
    "GRU": (recurrent.GRU, nn.GRU, {}),
    "RNN_TANH": (recurrent.RNN, nn.RNN, {}),
    "RNN_RELU": (recurrent.RNN, nn.RNN, {"nonlinearity": "relu"}),
}
SHAPES = list(itertools.product((1, 2), (False, True)))
TOLERANCE = {torch.float64: 1e-12, torch.float32: 1e-5}
INPUT, HIDDEN, STEPS, BATCH = 5, 7, 9, 4
LENGTHS, FULL = torch.tensor([9, 3, 1, 6]), torch.full((BATCH,), STEPS)


def on_every_layer(test):
    """Run a test with every mode, layers, both, lengths, dtype and device (which has that dtype)."""
    places = [(dtype, device) for dtype, device in itertools.product(TOLERANCE, DEVICES)]
    places = [(dtype, device) for dtype, device in places if (dtype, device) != (torch.float64, "mps")]
    for names, values, ids in (
        (("dtype", "device"), places, None),
        ("lengths", [FULL, LENGTHS], ["full", "lengths"]),
        (("layers", "both"), SHAPES, None),
        ("mode", MODES, None),
    ):
        test = pytest.mark.parametrize(names, values, ids=ids)(test)
    return test


def case(mode: str, layers: int = 1, both: bool = False, dtype=torch.float64, device: str = "cpu", **options):
    """Our layer and torch's with the same weights, and input and state for them."""
    torch.manual_seed(layers + 2 * both)
    ours, theirs, kind = MODES[mode]
    options = {"num_layers": layers, "bidirectional": both, "device": device, "dtype": dtype} | kind | options
    layer, peer = ours(INPUT, HIDDEN, **options), theirs(INPUT, HIDDEN, **options)
    peer.load_state_dict(layer.state_dict())
    sizes = (BATCH, STEPS) if layer.batch_first else (STEPS, BATCH)
    x = torch.randn(*sizes, INPUT, dtype=dtype, device=device)
    h, c = torch.randn(2, layers * (2 if both else 1), BATCH, HIDDEN, dtype=dtype, device=device)
    return SimpleNamespace(layer=layer, peer=peer, x=x, state=(h, c) if mode == "LSTM" else h)


def steps_of(mode: str, x: Tensor, state: tuple, weights: list, order) -> tuple[list, tuple]:
    """One sequence, (T, I), through the readable step functions: what each step gave, and the state."""
    rows, state = [None] * len(x), tuple(part[None] for part in state)
    for t in order:
        if mode == "LSTM":
            rows[t] = cells.lstm_step(x[t : t + 1], *state, *weights)
            state = (rows[t].h, rows[t].c)
        else:
            step = cells.gru_step if mode == "GRU" else cells.rnn_step
            options = {} if mode == "GRU" else {"nonlinearity": mode[4:].lower()}
            rows[t] = step(x[t : t + 1], *state, *weights, **options)
            state = (rows[t].h,)
    return rows, state


def reference(layer: nn.RNNBase, x: Tensor, state, lengths: Tensor) -> SimpleNamespace:
    """The whole layer, sequence by sequence and step by step. x is (T, B, I).

    `named` has per layer and direction {name: (T, B, H)}, zero in the padding; `steps` the steps of each
    sequence; `output` (T, B, D H) and `final` are as the layer returns them.
    """
    directions, mode = 2 if layer.bidirectional else 1, layer.mode
    state = state if isinstance(state, tuple) else (state,)
    seen = SimpleNamespace(named=[], steps=[], final=tuple(torch.zeros_like(part) for part in state))
    for index in range(layer.num_layers):
        named, steps = [], []
        for direction in range(directions):
            place = index * directions + direction
            weights = recurrent.weights(layer, index, direction)
            runs = []
            for b, length in enumerate(lengths.tolist()):
                order = range(length)[:: -1 if direction else 1]
                own = tuple(part[place, b] for part in state)
                run, after = steps_of(mode, x[:length, b], own, weights, order)
                for whole, part in zip(seen.final, after, strict=True):
                    whole[place, b] = part[0]
                runs.append(run)
            steps.append(runs)
            named.append({name: padded(runs, name, len(x)) for name in runs[0][0]._fields})
        x = torch.cat([rows["h"] for rows in named], -1)
        seen.named.append(named)
        seen.steps.append(steps)
    seen.output = x
    return seen


def padded(runs: list[list], name: str, steps: int) -> Tensor:
    """One quantity of all sequences, (T, B, H), with zeros past the end of each."""
    columns = [torch.cat([getattr(step, name) for step in run]) for run in runs]
    return torch.stack([torch.cat([c, c.new_zeros(steps - len(c), c.shape[1])]) for c in columns], 1)


def difference(a: Tensor, b: Tensor) -> float:
    """The largest absolute difference."""
    assert a.shape == b.shape
    return float((a - b).detach().abs().max())
