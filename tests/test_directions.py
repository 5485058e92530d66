"""Reading backward and both ways: the numbers of torch and Keras, at any depth, length, cell and merge."""

import os

import pytest
import torch
from torch import nn

from lessons.directions import MERGES, Backwards, Bidirectional
from lessons.errors import LessonError
from lessons.gradients import flow
from lessons.recurrent import GRU, LSTM
from lessons.sequence_model import CELLS
from lessons.tracing import trace

os.environ.setdefault("KERAS_BACKEND", "torch")
BATCH, STEPS, INPUT, HIDDEN = 3, 6, 4, 5
LENGTHS = [6, 2, 4]
TORCH = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}


def made(**options):
    """A float64 layer that reads both ways, and a batch."""
    torch.manual_seed(0)
    both = Bidirectional(INPUT, HIDDEN, dtype=torch.float64, **options)
    return both, torch.randn(BATCH, STEPS, INPUT, dtype=torch.float64)


def first(state):
    return state if isinstance(state, torch.Tensor) else state[0]


def close(a, b):
    assert a.shape == b.shape
    assert float((a - b).detach().abs().max()) < 1e-12


@pytest.mark.parametrize("cell", TORCH)
@pytest.mark.parametrize("depth", [1, 3])
def test_concat_is_torchs_own_of_any_depth(cell, depth):
    ours, x = made(cell=cell, num_layers=depth)
    theirs = TORCH[cell](INPUT, HIDDEN, depth, batch_first=True, bidirectional=True, dtype=torch.float64)
    weights = {
        name.split(".", 2)[2].replace("_l0", f"_l{name.split('.')[1]}"): value
        for name, value in ours.state_dict().items()
    }
    theirs.load_state_dict(weights)
    output, state = ours(x)
    expected, final = theirs(x)
    close(output, expected)
    close(first(state), first(final))


@pytest.mark.parametrize("cell", CELLS)
def test_every_cell_reads_each_sequence_as_if_it_were_alone(cell):
    ours, x = made(cell=cell, num_layers=2)
    output, state = ours(x, lengths=LENGTHS)
    for row, length in enumerate(LENGTHS):
        alone, final = ours(x[row : row + 1, :length])
        close(output[row : row + 1, :length], alone)
        close(first(state)[:, row : row + 1], first(final))
        assert not output[row, length:].any()


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn", "peephole"])
def test_the_backward_half_is_the_layer_run_on_the_reversed_sequence(cell):
    ours, x = made(cell=cell)
    own = {
        name.removeprefix("layers.0.").removesuffix("_reverse"): value
        for name, value in ours.state_dict().items()
        if name.endswith("_reverse")
    }
    plain = CELLS[cell](INPUT, HIDDEN, batch_first=True, dtype=torch.float64)
    plain.load_state_dict(own)
    output, state = Backwards(plain)(x)
    close(output, ours(x)[0][..., HIDDEN:])
    close(output, plain(x.flip(1))[0].flip(1))
    close(first(state)[0], output[:, 0])


@pytest.mark.parametrize("batch_first", [True, False])
def test_backwards_of_a_stack_with_lengths_starts_at_each_end(batch_first):
    torch.manual_seed(1)
    stack = GRU(INPUT, HIDDEN, 2, batch_first=batch_first, dtype=torch.float64)
    layer, x = Backwards(stack), torch.randn(BATCH, STEPS, INPUT, dtype=torch.float64)
    given = x if batch_first else x.transpose(0, 1)
    output, _ = layer(given, lengths=LENGTHS)
    output = output if batch_first else output.transpose(0, 1)
    for row, length in enumerate(LENGTHS):
        close(output[row, :length], layer(x[row, :length])[0])
        assert not output[row, length:].any()


@pytest.mark.parametrize("merge", MERGES)
def test_what_is_merged_and_what_cut(merge):
    ours, x = made(merge=merge)
    forward, backward = ours.layers[0](x)[0].chunk(2, -1)
    expected = {
        "concat": torch.cat([forward, backward], -1), "sum": forward + backward,
        "mul": forward * backward, "ave": 0.5 * forward + 0.5 * backward,
    }[merge]  # fmt: skip
    close(ours(x)[0], expected)
    assert ours(x)[0].shape[-1] == ours.features
    cut = ours(x, cut="backward")[0]
    changed = x.clone()
    changed[:, -1] += 1  # the future of every other step
    close(ours(changed, cut="backward")[0][:, :-1], cut[:, :-1])
    assert (ours(changed)[0][:, 0] != ours(x)[0][:, 0]).any()


def test_go_backwards_swaps_the_halves():
    ours, x = made()
    swapped = Bidirectional(INPUT, HIDDEN, go_backwards=True, dtype=torch.float64)
    swapped.load_state_dict(ours.state_dict())
    forward, backward = ours(x)[0].chunk(2, -1)
    close(swapped(x)[0], torch.cat([backward, forward], -1))
    assert "go_backwards" in repr(swapped) and "merge=concat" in repr(ours)


def keras_run(keras, cell, merge, x, weights, sequences=True, backwards=False):
    """Keras's wrapper with our weights: per direction kernel, recurrent kernel, biases."""
    kind = {"lstm": keras.layers.LSTM, "gru": keras.layers.GRU, "rnn": keras.layers.SimpleRNN}[cell]
    one, other = (
        kind(HIDDEN, return_sequences=sequences, go_backwards=way, dtype="float64")
        for way in (backwards, not backwards)
    )
    both = keras.layers.Bidirectional(one, merge_mode=merge, backward_layer=other, dtype="float64")
    both.build(tuple(x.shape))
    both.set_weights([w for direction in weights for w in direction])
    with torch.no_grad():
        return torch.as_tensor(both(x)).cpu()


def for_keras(layer, cell, backward):
    """One direction's weights as Keras has them: transposed, GRU's gates z r n, one bias (two for a GRU)."""
    end = "_reverse" if backward else ""
    parts = [
        getattr(layer, f"{name}_l0{end}").detach()
        for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    ]
    if cell == "gru":
        parts = [torch.cat([p.chunk(3)[k] for k in (1, 0, 2)]) for p in parts]
    kernel, recurrent, b, c = parts
    bias = torch.stack([b, c]) if cell == "gru" else b + c
    return [part.numpy() for part in (kernel.T, recurrent.T, bias)]


@pytest.fixture(scope="module")
def keras():
    return pytest.importorskip("keras")


@pytest.mark.parametrize("merge", MERGES)
@pytest.mark.parametrize("cell", TORCH)
def test_keras_merges_to_the_same(keras, cell, merge):
    ours, x = made(cell=cell, merge=merge)
    weights = [for_keras(ours.layers[0], cell, backward) for backward in (False, True)]
    output, state = ours(x)
    assert float((keras_run(keras, cell, merge, x, weights) - output).detach().abs().max()) < 1e-6
    last = keras_run(keras, cell, merge, x, weights, sequences=False)
    assert float((last - ours.summary(state)).detach().abs().max()) < 1e-6


def test_keras_go_backwards_is_ours_turned_round(keras):
    ours, x = made(go_backwards=True)
    weights = [for_keras(ours.layers[0], "lstm", backward) for backward in (True, False)]
    theirs = keras_run(keras, "lstm", "concat", x, weights, backwards=True)
    assert float((theirs.flip(1) - ours(x)[0]).detach().abs().max()) < 1e-6


def test_gradients_reach_both_ends_and_autograd_agrees():
    ours, x = made(cell="lstm")
    x.requires_grad_()
    ours(x)[0][:, 2].sum().backward()
    assert (x.grad.abs().sum((0, 2)) > 0).all()
    layer = ours.layers[0]

    def loss(output):
        return output[:, 2].sum()

    close(flow(layer, x.detach(), loss).input, x.grad)
    assert trace(layer, x.detach()).num_directions == 2


def test_meta_state_and_dropout():
    model = Bidirectional(INPUT, HIDDEN, num_layers=2, device="meta")
    assert model(torch.empty(BATCH, STEPS, INPUT, device="meta"))[0].shape == (BATCH, STEPS, 2 * HIDDEN)
    ours, x = made(num_layers=2, dropout=0.5)
    one, two = ours(x)[0], ours(x)[0]
    assert (one != two).any()
    ours.eval()
    hx = tuple(torch.randn(4, BATCH, HIDDEN, dtype=torch.float64) for _ in range(2))
    assert (ours(x, hx)[0] != ours(x)[0]).any()
    close(ours(x)[0], ours(x)[0])


@pytest.mark.parametrize(
    "options, words",
    [({"cell": "lstn"}, "NFG"), ({"merge": "max"}, "concat"), ({"num_layers": 0}, "from 1 upwards")],
)
def test_what_does_not_exist_is_said(options, words):
    with pytest.raises(LessonError, match=words):
        Bidirectional(INPUT, HIDDEN, **options)
    ours, x = made()
    with pytest.raises(LessonError, match="none of them"):
        ours(x, cut="both")
    with pytest.raises(LessonError, match="reads one way"):
        Backwards(LSTM(2, 3, bidirectional=True))
    with pytest.raises(LessonError, match="lengths"):
        ours(x, lengths=[7, 1, 1])
