"""A recurrent model is named by its cell, answers at the right step, and can be looked into."""

import pytest
import torch

from lessons import checkpoints
from lessons.errors import LessonError
from lessons.gradients import flow
from lessons.sequence_model import CELLS, SequenceModel, parameters
from lessons.tracing import trace


def made(cell="lstm", readout="last", **options):
    """A small model and a batch for it."""
    torch.manual_seed(0)
    return SequenceModel(3, 2, cell, 5, readout=readout, **options), torch.randn(4, 7, 3)


@pytest.mark.parametrize("cell", CELLS)
def test_every_cell_answers_traces_and_flows(cell):
    model, x = made(cell, num_layers=2)
    answer, _ = model(x)
    seen = trace(model, x)
    assert answer.shape == (4, 2)
    assert torch.allclose(seen.logits[:, -1], answer, atol=1e-5)
    x.requires_grad_()
    target = torch.autograd.grad(model(x)[0].square().sum(), x)[0]
    found = flow(model, x.detach(), lambda answer: answer.square().sum())
    assert torch.allclose(found.input, target, atol=1e-5)


def test_readout_at_each_sequences_last_step_or_at_all():
    lengths = [7, 2, 5, 1]
    last, x = made()
    every, _ = made(readout="all")
    every.load_state_dict(last.state_dict())
    answers = every(x, lengths=lengths)[0]
    expected = torch.stack([answers[b, end - 1] for b, end in enumerate(lengths)])
    assert torch.allclose(last(x, lengths=lengths)[0], expected, atol=1e-6)


def test_state_goes_on():
    model, x = made("gru", readout="all")
    whole = model(x)[0]
    first, state = model(x[:, :3])
    second, _ = model(x[:, 3:], state)
    assert torch.allclose(torch.cat([first, second], 1), whole, atol=1e-6)


def test_config_rebuilds_it():
    model, x = made("CIFG", num_layers=2, forget_bias=2.0, initialise={"orthogonal": 1.0})
    other = SequenceModel(**model.config())
    other.load_state_dict(model.state_dict())
    assert torch.equal(other(x)[0], model(x)[0])
    assert parameters(model) == sum(w.numel() for w in model.state_dict().values())


def test_a_checkpoint_brings_it_back(tmp_path):
    for cell, options in (("rnn_relu", {"initialise": {"identity": 1.0}}), ("NFG", {}), ("lstm", {})):
        model, x = made(cell, forget_bias=None, **options)
        checkpoints.save(tmp_path / cell, model)
        again = checkpoints.load(tmp_path / cell)
        assert again.config() == model.config() and torch.equal(again(x)[0], model(x)[0])


def test_starts_are_applied():
    model, _ = made("lstm", forget_bias=2.0, initialise={"identity": 0.5})
    assert torch.equal(model.recurrent.weight_hh_l0[:5], 0.5 * torch.eye(5))
    fresh, _ = made("lstm", forget_bias=2.0)
    total = fresh.recurrent.bias_ih_l0 + fresh.recurrent.bias_hh_l0
    assert torch.equal(total[5:10], torch.full((5,), 2.0))


def test_it_says_what_it_does_not_know():
    with pytest.raises(LessonError, match="NFG"):
        SequenceModel(1, 1, "lstn")
    with pytest.raises(LessonError, match="neither"):
        SequenceModel(1, 1, readout="first")


def test_meta():
    model = SequenceModel(3, 2, "peephole", 5, device="meta")
    assert model(torch.empty(4, 7, 3, device="meta"))[0].shape == (4, 2)
