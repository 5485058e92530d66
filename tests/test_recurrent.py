"""The layers are torch.nn's in numbers, arguments and weights; lengths and forget bias do what they say."""

import copy
import inspect
import io
import pickle

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from lessons import loop, padding, recurrent
from lessons.errors import LessonError
from tests.recurrent_cases import (
    BATCH,
    HIDDEN,
    INPUT,
    LENGTHS,
    MODES,
    SHAPES,
    STEPS,
    TOLERANCE,
    case,
    difference,
    on_every_layer,
    reference,
)


def tensors(output, state):
    """Everything that a layer returned."""
    output = output.data if isinstance(output, PackedSequence) else output
    return [output, *(state if isinstance(state, tuple) else (state,))]


def gradients(layer, results):
    """Gradients of a loss in which output and final state count."""
    loss = sum((torch.tanh(part) * (k + 1)).sum() for k, part in enumerate(results))
    return torch.autograd.grad(loss, list(layer.parameters()))


def apart(ours, theirs):
    """The largest difference over two lists of tensors."""
    return max(difference(a, b) for a, b in zip(ours, theirs, strict=True))


@on_every_layer
def test_a_layer_is_the_step_loop(mode, layers, both, lengths, dtype, device):
    one = case(mode, layers, both, dtype, device)
    with torch.no_grad():
        right = reference(one.layer, one.x, one.state, lengths)
        output, final = one.layer(one.x, one.state, lengths=lengths)
    assert apart(tensors(output, final), [right.output, *right.final]) < TOLERANCE[dtype]


@pytest.mark.parametrize("sorted_by_length", [True, False])
@pytest.mark.parametrize(("layers", "both"), SHAPES)
@pytest.mark.parametrize("mode", MODES)
def test_packed_sequences_give_what_torch_gives(mode, layers, both, sorted_by_length):
    one = case(mode, layers, both)
    lengths = LENGTHS.sort(descending=True).values if sorted_by_length else LENGTHS
    packed = pack_padded_sequence(one.x, lengths, enforce_sorted=sorted_by_length)
    ours, theirs = one.layer(packed, one.state), one.peer(packed, one.state)
    assert apart(tensors(*ours), tensors(*theirs)) < 1e-12
    for mine, other in zip(ours[0][1:], theirs[0][1:], strict=True):
        assert (mine is None and other is None) or mine.equal(other)
    assert apart(gradients(one.layer, tensors(*ours)), gradients(one.peer, tensors(*theirs))) < 1e-11


@pytest.mark.parametrize("mode", MODES)
def test_batch_first(mode):
    one = case(mode, 2, True, batch_first=True)
    assert apart(tensors(*one.layer(one.x)), tensors(*one.peer(one.x))) < 1e-12
    packed = pack_padded_sequence(one.x, LENGTHS, batch_first=True, enforce_sorted=False)
    padded, _ = pad_packed_sequence(one.peer(packed)[0], batch_first=True)
    assert difference(one.layer(one.x, lengths=LENGTHS.tolist())[0], padded) < 1e-12


@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize("mode", MODES)
def test_one_sequence_without_a_batch(mode, batch_first):
    one = case(mode, 2, True, batch_first=batch_first)
    x = torch.randn(STEPS, INPUT, dtype=torch.float64)
    state = tuple(part[:, 0] for part in one.state) if mode == "LSTM" else one.state[:, 0]
    assert apart(tensors(*one.layer(x, state)), tensors(*one.peer(x, state))) < 1e-12
    cut = one.layer(x, state, lengths=[4])
    assert apart([cut[0][:4]], [one.peer(x[:4], state)[0]]) < 1e-12


@pytest.mark.parametrize("mode", MODES)
def test_without_biases(mode):
    one = case(mode, 2, True, bias=False)
    assert apart(tensors(*one.layer(one.x)), tensors(*one.peer(one.x))) < 1e-12
    output, final = one.layer(one.x, lengths=LENGTHS)
    right = reference(
        one.layer,
        one.x,
        (torch.zeros(4, BATCH, HIDDEN, dtype=torch.float64),) * len(tensors(0, final)[1:]),
        LENGTHS,
    )
    assert apart(tensors(output, final), [right.output, *right.final]) < 1e-12


@pytest.mark.parametrize("mode", MODES)
def test_dropout_between_layers_draws_as_torch_draws(mode):
    one = case(mode, 3, dropout=0.5)
    found = []
    for layer in (one.layer, one.peer):
        torch.manual_seed(5)
        found.append(layer(one.x)[0])
    assert difference(*found) < 1e-12
    assert difference(one.layer.eval()(one.x)[0], one.peer.eval()(one.x)[0]) < 1e-12
    padded = one.layer(one.x, lengths=LENGTHS)[0]
    assert not padded[3:, 1].any()


@pytest.mark.parametrize("mode", MODES)
def test_arguments_and_weights_are_those_of_torch(mode):
    ours, theirs, kind = MODES[mode]
    layer = ours(3, 4, 2, batch_first=True, bidirectional=True, **kind)
    assert isinstance(layer, theirs)
    assert list(layer.state_dict()) == list(
        theirs(3, 4, 2, batch_first=True, bidirectional=True).state_dict()
    )
    positional = (3, 4, 2, "relu", False) if mode == "RNN_RELU" else (3, 4, 2, False)
    if mode != "RNN_TANH":
        assert ours(*positional).bias is theirs(*positional).bias is False
    torch.manual_seed(0)
    drawn = ours(3, 4).state_dict()
    torch.manual_seed(0)
    assert all(drawn[name].equal(part) for name, part in theirs(3, 4).state_dict().items())


def test_the_lstms_signature_is_torchs_with_a_forget_bias_and_dropouts():
    names = list(inspect.signature(recurrent.LSTM).parameters)
    assert names[:7] == [
        "input_size",
        "hidden_size",
        "num_layers",
        "bias",
        "batch_first",
        "dropout",
        "bidirectional",
    ]
    assert names[7:] == ["proj_size", "device", "dtype", "forget_bias", "dropouts"]


@pytest.mark.parametrize("mode", MODES)
def test_copies_and_files(mode):
    one = case(mode, 2)
    buffer = io.BytesIO()
    torch.save(one.layer.state_dict(), buffer)
    buffer.seek(0)
    fresh = case(mode, 2).layer
    fresh.load_state_dict(torch.load(buffer, weights_only=True))
    for other in (copy.deepcopy(one.layer), pickle.loads(pickle.dumps(one.layer)), fresh):
        assert difference(other(one.x)[0], one.layer(one.x)[0]) == 0


@pytest.mark.parametrize("mode", MODES)
def test_a_layer_without_gradients_and_a_layer_without_numbers(mode):
    one = case(mode, 2, True)
    with torch.no_grad():
        quiet, _ = one.layer(one.x, lengths=LENGTHS)
    assert not quiet.requires_grad
    assert difference(quiet, one.layer(one.x, lengths=LENGTHS)[0]) == 0
    bare = case(mode, 2, True, torch.float32, "meta")
    for lengths in (None, LENGTHS):
        output, final = bare.layer(bare.x, lengths=lengths)
        assert output.is_meta and output.shape == (STEPS, BATCH, 2 * HIDDEN)
        assert tensors(output, final)[-1].shape == (4, BATCH, HIDDEN)


@pytest.mark.parametrize("mode", MODES)
def test_autocast_runs_as_torch_runs(mode):
    one = case(mode, 2, dtype=torch.float32)
    with torch.autocast("cpu", torch.bfloat16):
        ours, theirs = one.layer(one.x)[0], one.peer(one.x)[0]
        assert ours.dtype == theirs.dtype
        assert difference(ours.float(), theirs.float()) < 1e-6
        assert difference(one.layer(one.x, lengths=LENGTHS)[0][:3, 1].float(), theirs[:3, 1].float()) < 2e-2


def test_the_lstm_is_fused_with_lengths_too():
    one = case("LSTM", 1, True, torch.float32)
    output, _ = one.layer(one.x, lengths=LENGTHS)
    waiting, names = [output.grad_fn], []
    while waiting:
        node = waiting.pop()
        names.append(node.name())
        waiting += [below for below, _ in node.next_functions if below is not None]
    assert sum(name.startswith("MkldnnRnnLayer") for name in names) == 2


@pytest.mark.parametrize("mode", MODES)
def test_what_stands_in_the_padding_changes_nothing(mode):
    one = case(mode, 2, True)
    right = tensors(*one.layer(one.x, one.state, LENGTHS))
    x = torch.where(padding.beyond(LENGTHS, STEPS), 1e3, one.x)
    assert apart(tensors(*one.layer(x, one.state, LENGTHS)), right) == 0


@pytest.mark.parametrize("layers", [1, 2])
def test_the_forget_bias_is_the_sum_of_both(layers):
    layer = recurrent.LSTM(3, 4, layers, bidirectional=True, forget_bias=1.0)
    for name, part in layer.named_parameters():
        if name.startswith("bias_ih"):
            total = part + getattr(layer, name.replace("bias_ih", "bias_hh"))
            assert total[4:8].tolist() == [1.0] * 4
            assert total[:4].abs().min() > 0
    layer.set_forget_bias(-2.0)
    assert (layer.bias_ih_l0 + layer.bias_hh_l0)[4:8].tolist() == [-2.0] * 4
    layer.reset_parameters()
    assert (layer.bias_ih_l0_reverse + layer.bias_hh_l0_reverse)[4:8].tolist() == [1.0] * 4


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda: recurrent.LSTM(3, 4, proj_size=2), "proj_size"),
        (lambda: recurrent.GRU(3, 4, proj_size=2), "proj_size"),
        (lambda: recurrent.RNN(3, 4, proj_size=2), "proj_size"),
        (lambda: recurrent.LSTM(3, 4, bias=False, forget_bias=1.0), "needs biases"),
        (lambda: recurrent.LSTM(3, 4, bias=False).set_forget_bias(1.0), "needs biases"),
        (lambda: recurrent.GRU(3, 4)(torch.zeros(5, 2, 3), lengths=[5]), "one length for each of 2"),
        (lambda: recurrent.GRU(3, 4)(torch.zeros(5, 2, 3), lengths=[5, 6]), "between 1 and the 5 steps"),
        (lambda: recurrent.GRU(3, 4)(torch.zeros(5, 2, 3), lengths=[5, 0]), "between 1 and the 5 steps"),
        (lambda: recurrent.GRU(3, 4)(torch.zeros(5, 2, 3, 1)), "not 4"),
        (lambda: recurrent.GRU(3, 4)(torch.zeros(0, 2, 3)), "no step"),
        (lambda: recurrent.GRU(3, 4)(torch.zeros(5, 2, 3), torch.zeros(2, 2, 4)), "\\(1, 2, 4\\)"),
        (lambda: recurrent.LSTM(3, 4)(torch.zeros(5, 2, 3), torch.zeros(1, 2, 4), [5, 1]), "a pair of"),
        (lambda: recurrent.LSTM(3, 4)(torch.zeros(5, 2, 3), torch.zeros(1, 2, 4)), "a pair of"),
        (lambda: recurrent.LSTM(3, 4)(torch.zeros(5, 2, 7)), "3 features a step, not 7"),
        (lambda: recurrent.GRU(3, 4)(torch.zeros(5, 2, 3, dtype=torch.float64)), "float32"),
    ],
)
def test_what_does_not_fit_is_refused_in_a_sentence(ask, words):
    with pytest.raises(LessonError, match=words):
        ask()


@pytest.mark.parametrize("mode", MODES)
def test_the_loop_runs_any_cell_with_gradients(mode):
    one = case(mode)
    x, states = one.x.clone().requires_grad_(), one.state if mode == "LSTM" else (one.state,)
    for backward in (False, True):
        cell = loop.CELLS[mode](*recurrent.weights(one.layer, 0, 0))
        output, final = loop.loop(cell, x, tuple(part[0] for part in states), LENGTHS, backward)
        start = tuple(part[0] for part in states)
        right, after = recurrent.run_direction(
            mode, x, start, recurrent.weights(one.layer, 0, 0), LENGTHS, backward
        )
        assert apart([output, *final], [right, *after]) < 1e-12
        ours, theirs = (
            torch.autograd.grad(y.square().sum(), [x, *one.layer.parameters()]) for y in (output, right)
        )
        assert apart(ours, theirs) < 1e-11


def test_reversing_twice_changes_nothing():
    x = torch.arange(2.0 * STEPS * BATCH).view(STEPS, BATCH, 2)
    once = padding.reverse(x, LENGTHS)
    assert once[:3, 1].equal(x[:3, 1].flip(0)) and once[3:, 1].equal(x[3:, 1])
    assert padding.reverse(once, LENGTHS).equal(x)
    assert padding.last(x, LENGTHS)[1].equal(x[2, 1])


def test_nn_lstm_stays_as_it_was():
    assert nn.LSTM.forward is not recurrent.LSTM.forward
