"""Gradients through time equal autograd's, on the step loop, for every cell, layer, direction and length."""

import pytest
import torch
from torch import nn

from lessons import CharModel, adjoint, gradients
from lessons.errors import LessonError
from lessons.tracing import trace, xray
from lessons.vocabulary import Vocabulary
from tests.recurrent_cases import (
    BATCH,
    FULL,
    HIDDEN,
    LENGTHS,
    MODES,
    STEPS,
    TOLERANCE,
    case,
    difference,
    on_every_layer,
    reference,
)


def loss(y):
    """Something that every output matters to, each differently."""
    weight = torch.linspace(-1, 2, y.numel(), dtype=y.dtype, device=y.device).view_as(y)
    return (torch.tanh(y) * weight).sum()


def by_autograd(one, lengths):
    """dL/dh_t, dL/dc_t, dL/dx, dL/dh_0 and dL/dc_0 by autograd on the step loop."""
    x = one.x.clone().requires_grad_()
    state = one.state if isinstance(one.state, tuple) else (one.state,)
    state = tuple(part.clone().requires_grad_() for part in state)
    seen = reference(one.layer, x, state, lengths)
    for run in (run for layer in seen.steps for direction in layer for run in direction):
        for step in run:
            step.h.retain_grad()
            if one.layer.mode == "LSTM":
                step.c.retain_grad()
    loss(seen.output).backward()
    return seen, x.grad, [part.grad for part in state]


@on_every_layer
def test_flow_is_autograd(mode, layers, both, lengths, dtype, device):
    one = case(mode, layers, both, dtype, device)
    right, x, start = by_autograd(one, lengths)
    found = gradients.flow(one.layer, one.x, loss, one.state, lengths)
    for layer in range(layers):
        for direction in range(1 + both):
            for name in ("h", "c") if mode == "LSTM" else ("h",):
                flowed = found[name, layer, direction]
                for b, run in enumerate(right.steps[layer][direction]):
                    grads = torch.cat([getattr(step, name).grad for step in run])
                    assert difference(flowed[b, : len(run)], grads) < TOLERANCE[dtype]
                    assert not flowed[b, len(run) :].any()
            for part, name in zip(start, ("h", "c"), strict=False):
                place = layer * (1 + both) + direction
                assert difference(found.initial[layer][direction][name], part[place]) < TOLERANCE[dtype]
    assert difference(found.input, x.transpose(0, 1)) < TOLERANCE[dtype]


@pytest.mark.parametrize("mode", MODES)
def test_flow_from_an_xray_in_a_training_step(mode):
    one = case(mode, 2, True, torch.float32)
    output, _ = one.layer(one.x, one.state)
    output.retain_grad()
    seen = xray(output)
    loss(output).backward()
    found = gradients.flow(one.layer, seen, output.grad)
    plain = gradients.flow(one.layer, one.x, loss, one.state)
    for layer in (0, 1):
        for direction in (0, 1):
            assert difference(found["h", layer, direction], plain["h", layer, direction]) < 1e-5


@pytest.mark.parametrize("mode", MODES)
def test_flow_leaves_the_weights_gradients_alone(mode):
    one = case(mode)
    gradients.flow(one.layer, one.x, loss)
    assert all(parameter.grad is None for parameter in one.layer.parameters())


@pytest.mark.parametrize("mode", MODES)
def test_flow_takes_the_order_that_the_layer_has(mode):
    one = case(mode)
    first = case(mode, batch_first=True).layer
    first.load_state_dict(one.layer.state_dict())
    weight = torch.randn(STEPS, BATCH, HIDDEN, dtype=torch.float64)
    right = gradients.flow(one.layer, one.x, weight)
    found = gradients.flow(first, one.x.transpose(0, 1), weight.transpose(0, 1))
    assert difference(found["h"], right["h"]) < 1e-12
    assert (
        difference(
            gradients.flow(first, one.x.transpose(0, 1), lambda y: (y * weight.transpose(0, 1)).sum())["h"],
            right["h"],
        )
        < 1e-12
    )


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_flow_of_the_next_character(cell):
    vocabulary = Vocabulary(tuple(" abcd"), None)
    model = CharModel(vocabulary, cell, hidden_size=6, embedding_size=3, num_layers=2, dtype=torch.float64)
    texts = ["a cab", "dad"]
    found = gradients.flow(model, texts)
    total, predicted = 0.0, 0
    inputs = []
    for text in texts:
        inputs.append(model.embedding(model.encode(text)).detach().requires_grad_())
        logits = model.readout(model.recurrent(inputs[-1])[0])
        total = total + nn.functional.cross_entropy(
            logits[0, :-1], model.encode(text)[0, 1:], reduction="sum"
        )
        predicted += len(text) - 1
    (total / predicted).backward()
    for row, x in enumerate(inputs):
        assert difference(found.input[row, : x.shape[1]], x.grad[0]) < 1e-12
    assert found.norms().shape == (2, 5)
    assert difference(found.norms("h", 0)[0], found["h", 0][0].norm(dim=-1)) == 0


@pytest.mark.parametrize("lengths", [FULL, LENGTHS], ids=["full", "lengths"])
@pytest.mark.parametrize("direction", [0, 1])
@pytest.mark.parametrize("mode", MODES)
def test_reach_is_the_jacobian_of_autograd(mode, direction, lengths):
    one, sequence = case(mode, 2, True), 3
    found = gradients.reach(one.layer, one.x, sequence, 0, direction, one.state, lengths)
    seen = trace(one.layer, one.x, one.state, lengths)
    end = int(lengths[sequence])
    states = ("h", "c") if mode == "LSTM" else ("h",)
    assert found.jacobians.shape[0] == end
    for t in (0, 2, end - 1):
        inputs = one.x[:t].flip(0) if direction else one.x[t + 1 : end]
        start = torch.cat([seen[name, 0, direction][sequence, t] for name in states])
        jacobian = torch.autograd.functional.jacobian(
            lambda s, inputs=inputs: run_on(one, inputs[:, sequence], s, direction), start
        )
        assert difference(found.jacobians[t], jacobian) < 1e-12
        assert float(found.norms()[t]) == pytest.approx(
            float(torch.linalg.matrix_norm(jacobian[:HIDDEN, :HIDDEN], 2))
        )


def run_on(one, x, state, direction):
    """The last state, when one sequence goes on from a state."""
    parts = [part[None] for part in state.split(HIDDEN)]
    cell = {"LSTM": torch.lstm_cell, "GRU": torch.gru_cell, "RNN_TANH": torch.rnn_tanh_cell}
    cell = cell.get(one.layer.mode, torch.rnn_relu_cell)
    for row in x:
        after = cell(row[None], parts if len(parts) == 2 else parts[0], *one.layer.all_weights[direction])
        parts = list(after) if isinstance(after, tuple) else [after]
    return torch.cat(parts, 1)[0]


def test_reach_is_asked_by_state():
    found = gradients.reach(case("LSTM").layer, case("LSTM").x)
    assert difference(found["h", "c"], found.jacobians[:, :HIDDEN, HIDDEN:]) == 0
    assert difference(found["c", "h"], found.jacobians[:, HIDDEN:, :HIDDEN]) == 0
    with pytest.raises(LessonError, match="the states are h, c"):
        found["h", "z"]


def test_flow_through_time_and_reach_agree():
    one = case("GRU")
    weight = torch.zeros(STEPS, BATCH, HIDDEN, dtype=torch.float64)
    weight[-1] = 1
    flowed = gradients.flow(one.layer, one.x, weight)["h"][2]
    jacobians = gradients.reach(one.layer, one.x, 2).jacobians
    assert difference(flowed, jacobians.sum(1)) < 1e-12


def test_what_has_no_gradient_is_refused():
    one, other = case("LSTM"), case("LSTM", 2)
    with pytest.raises(LessonError, match="edited"):
        gradients.flow(one.layer, trace(one.layer, one.x, edit={"f": 0.0}), loss)
    with pytest.raises(LessonError, match="another network"):
        gradients.flow(other.layer, trace(one.layer, one.x), loss)
    with pytest.raises(LessonError, match="at least two"):
        gradients.flow(CharModel(Vocabulary(("a", "b"), None), hidden_size=6), "a")
    with pytest.raises(LessonError, match="no loss"):
        gradients.flow(one.layer, one.x)
    with pytest.raises(LessonError, match="shape"):
        gradients.flow(one.layer, one.x, torch.zeros(2, 2))
    with pytest.raises(LessonError, match="no gradient for 'f'"):
        gradients.flow(one.layer, one.x, loss)["f"]
    dropping = case("LSTM", 2, dtype=torch.float32, dropout=0.5)
    seen = xray(dropping.layer(dropping.x)[0])
    with pytest.raises(LessonError, match="dropout"):
        gradients.flow(dropping.layer, seen, loss)


def test_shapes_without_numbers():
    one = case("GRU", 2, True, torch.float32, "meta")
    assert gradients.flow(one.layer, one.x, loss)["h", 0, 1].shape == (BATCH, STEPS, HIDDEN)
    assert adjoint.tanh(torch.zeros(2, 3)).shape == (2, 3)
