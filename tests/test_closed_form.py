"""The hand-written backward passes: gradcheck, torch's gradients, second derivatives, 200 training steps."""

import pytest
import torch
from torch import nn

from lessons import closed_form, recurrent
from tests.recurrent_cases import BATCH, HIDDEN, INPUT, MODES, STEPS, TOLERANCE, case, difference

CLOSED = [mode for mode in MODES if mode != "LSTM"]


def small(mode, bias=True):
    """Leaves for one layer, small enough for gradcheck and off relu's kink."""
    torch.manual_seed(1)
    rows = 3 * 3 if mode == "GRU" else 3
    shapes = [(4, 2, 2), (2, 3), (rows, 2), (rows, 3)] + ([(rows,)] * 2 if bias else [])
    return [torch.randn(shape, dtype=torch.float64, requires_grad=True) for shape in shapes]


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("mode", CLOSED)
def test_gradcheck(mode, bias, backward):
    def run(x, h0, *weights):
        return closed_form.run(mode, x, h0, list(weights), backward).h

    assert torch.autograd.gradcheck(run, small(mode, bias))


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("mode", CLOSED)
def test_second_derivatives(mode, backward):
    def run(x, h0, *weights):
        return closed_form.run(mode, x, h0, list(weights), backward).h

    assert torch.autograd.gradgradcheck(run, small(mode))


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize("mode", CLOSED)
def test_outputs_and_gradients_are_those_of_torch(mode, both, dtype):
    one = case(mode, 2, both, dtype)
    weight = torch.randn(STEPS, BATCH, HIDDEN * (1 + both), dtype=dtype)
    found = []
    for layer in (one.layer, one.peer):
        x, state = one.x.clone().requires_grad_(), one.state.clone().requires_grad_()
        output, final = layer(x, state)
        total = (output * weight).sum() + final.square().sum()
        found.append([output, final, *torch.autograd.grad(total, [x, state, *layer.parameters()])])
    assert max(difference(*pair) for pair in zip(*found, strict=True)) < 10 * TOLERANCE[dtype]


@pytest.mark.parametrize("mode", CLOSED)
def test_only_what_is_asked_for_gets_gradients(mode):
    one = case(mode)
    one.layer.weight_hh_l0.requires_grad_(False)
    one.layer(one.x)[0].sum().backward()
    one.peer(one.x)[0].sum().backward()
    assert one.layer.weight_hh_l0.grad is None
    assert difference(one.layer.weight_ih_l0.grad, one.peer.weight_ih_l0.grad) < 1e-12


def test_tied_weights_add_their_gradients_up():
    def total(kind):
        torch.manual_seed(0)
        layer = kind(HIDDEN, HIDDEN, 2, dtype=torch.float64)
        layer.weight_hh_l1 = layer.weight_ih_l1 = layer.weight_hh_l0
        layer(torch.linspace(-1, 1, 3 * BATCH * HIDDEN, dtype=torch.float64).view(3, BATCH, HIDDEN))[
            0
        ].sum().backward()
        return layer.weight_hh_l0.grad

    assert difference(total(recurrent.GRU), total(nn.GRU)) < 1e-12


def test_two_hundred_steps_of_adam_end_where_torch_ends():
    one = case("GRU")
    target = torch.randn(STEPS, BATCH, HIDDEN, dtype=torch.float64)
    for layer in (one.layer, one.peer):
        optimiser = torch.optim.Adam(layer.parameters(), lr=1e-3)
        for _ in range(200):
            optimiser.zero_grad()
            loss = (layer(one.x)[0] - target).square().mean()
            loss.backward()
            optimiser.step()
    pairs = zip(one.layer.parameters(), one.peer.parameters(), strict=True)
    assert max(difference(ours, theirs) for ours, theirs in pairs) < 1e-12


def test_functional_transforms_pass_through():
    one = case("GRU")

    def total(layer):
        def run(parameters):
            return torch.func.functional_call(layer, parameters, (one.x,))[0].square().sum()

        return torch.func.grad(run)(dict(layer.named_parameters()))

    ours, theirs = total(one.layer), total(one.peer)
    assert max(difference(ours[name], theirs[name]) for name in theirs) < 1e-12


def test_where_it_serves():
    x = torch.zeros(STEPS, BATCH, INPUT)
    assert closed_form.serves("GRU", x) and closed_form.serves("RNN_RELU", x.double())
    assert not closed_form.serves("LSTM", x)
    assert not closed_form.serves("GRU", x.half()) and not closed_form.serves("GRU", x.to("meta"))
    with torch.autocast("cpu", torch.bfloat16):
        assert not closed_form.serves("GRU", x)
