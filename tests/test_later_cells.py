"""The cells after the LSTM: their equations by other means, parallel form against step form, and what models,
traces, edits and gradients make of them."""

import math

import pytest
import torch
from torch.nn import functional

from lessons import CharModel, gradients, probes, trace
from lessons.errors import LessonError
from lessons.later_cells import CELLS
from lessons.minimal import MinGRU, MinLSTM
from lessons.sampling import generate
from lessons.scan import log_scan
from lessons.sequence_model import SequenceModel
from lessons.state_space import S4D, Selective
from lessons.vocabulary import Vocabulary
from lessons.xlstm import MLSTM, SLSTM

NAMES = list(CELLS)
DOUBLE = {"device": "cpu", "dtype": torch.float64}
LETTERS = Vocabulary(tuple("abcdefgh \n"))


def layer(name, input_size=4, hidden_size=6, layers=1, dtype=torch.float64, **options):
    torch.manual_seed(3)
    return CELLS[name](input_size, hidden_size, layers, dtype=dtype, **options)


def sequence(steps=23, batch=3, size=4, dtype=torch.float64):
    return torch.randn(steps, batch, size, generator=torch.Generator().manual_seed(4), dtype=dtype)


def detached(state):
    return state.detach() if isinstance(state, torch.Tensor) else tuple(part.detach() for part in state)


def both_ways(model, x, state=None):
    """Output, state and gradients, of the parallel form and of the step form."""
    found, weights = [], [x, *model.parameters()]
    weight = torch.randn(*x.shape[:2], model.hidden_size, generator=torch.Generator().manual_seed(5)).to(x)
    for parallel in (True, False):
        model.in_parallel = parallel
        y, after = model(x, state)
        parts = (after,) if isinstance(after, torch.Tensor) else after
        found.append((y, *parts, *torch.autograd.grad((y * weight).mean(), weights)))
    return zip(*found, strict=True)


@pytest.mark.parametrize("name", NAMES)
def test_the_parallel_form_is_the_step_form_in_double_precision(name):
    model = layer(name, layers=2)
    _, before = model(sequence(5))
    for one, other in both_ways(model, sequence(70).requires_grad_(), detached(before)):
        torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-10)


def far(one, other):
    """The greatest difference, of the greatest number where that is above 1."""
    assert torch.isfinite(one).all()
    one, other = one.detach(), other.detach()
    return float((one - other).abs().max()) / max(1.0, float(other.abs().max()))


def test_the_forms_agree_in_float32_over_two_thousand_steps():
    model = layer("minlstm", dtype=torch.float32)
    pairs = both_ways(model, sequence(2048, 1, dtype=torch.float32).requires_grad_())
    assert max(far(*pair) for pair in pairs) <= 1e-4


@pytest.mark.parametrize("name", [name for name in NAMES if not CELLS[name].kind.sequential])
def test_float32_keeps_its_digits_over_two_thousand_steps(name):
    model, found = layer(name), []
    for dtype in (torch.float32, torch.float64):
        model, x = model.to(dtype), sequence(2048, 1, dtype=torch.float32).to(dtype).requires_grad_()
        y, _ = model(x)
        found.append((y, *torch.autograd.grad(y.square().mean(), [x, *model.parameters()])))
    assert max(far(*pair) for pair in zip(*found, strict=True)) <= 1e-4


def test_minlstm_and_mingru_are_their_equations():
    x, h = sequence(6), torch.zeros(3, 6, **DOUBLE)
    model, by_hand = layer("minlstm"), []
    weight, bias = model.layers[0].reading.weight.chunk(3), model.layers[0].reading.bias.chunk(3)
    for x_t in x:
        i, f, g = (x_t @ w.T + b for w, b in zip(weight, bias, strict=True))
        i, f = 1 / (1 + (-i).exp()), 1 / (1 + (-f).exp())
        h = (f * h + i * g) / (f + i)
        by_hand.append(h)
    torch.testing.assert_close(model(x)[0], torch.stack(by_hand))
    model, h, by_hand = layer("mingru"), torch.zeros(3, 6, **DOUBLE), []
    weight, bias = model.layers[0].reading.weight.chunk(2), model.layers[0].reading.bias.chunk(2)
    for x_t in x:
        z, n = (x_t @ w.T + b for w, b in zip(weight, bias, strict=True))
        h = h + (n - h) / (1 + z.exp())
        by_hand.append(h)
    torch.testing.assert_close(model(x)[0], torch.stack(by_hand))


def test_in_logarithms_a_positive_minlstm_and_mingru_are_the_same():
    x, start = sequence(40), torch.rand(1, 3, 6, **DOUBLE) + 0.1
    model = layer("minlstm", positive=True)
    i, f, g = model.layers[0].gates(model.layers[0].reading(x))
    logs = log_scan(f.log(), (i * g).log(), start[0].log()).exp()
    torch.testing.assert_close(model(x, start)[0], logs)
    model = layer("mingru", positive=True)
    z, n = model.layers[0].gates(model.layers[0].reading(x))
    torch.testing.assert_close(
        model(x, start)[0], log_scan(z.log(), ((1 - z) * n).log(), start[0].log()).exp()
    )
    assert (n > 0).all()


@pytest.mark.parametrize("name", ["linear_attention", "gated_attention"])
def test_linear_attention_is_attention_without_a_softmax(name):
    x, model = sequence(9), layer(name)
    sums = model.layers[0].reading(x)
    key, query, value = sums[..., :18].chunk(3, -1)
    key, query = functional.elu(key) + 1, functional.elu(query) + 1
    f = torch.sigmoid(sums[..., 18:]) if name == "gated_attention" else torch.ones_like(sums[..., :1])
    entering = 1 - f if name == "gated_attention" else f
    for t in range(9):
        left = [f[s + 1 : t + 1].prod(0) * entering[s] for s in range(t + 1)]
        share = torch.stack([(query[t] * key[s]).sum(-1, keepdim=True) * left[s] for s in range(t + 1)])
        mean = (share * value[: t + 1]).sum(0) / (share.sum(0) + 1e-6)
        torch.testing.assert_close(model(x)[0][t], mean)


def test_heads_read_memories_of_their_own():
    whole, model = layer("mlstm", heads=2), layer("mlstm", heads=1)
    assert whole(sequence())[1][1].shape == (1, 3, 2, 3, 4)
    assert model(sequence())[1][1].shape == (1, 3, 1, 6, 7)


def test_s4d_is_a_convolution():
    x, model = sequence(12), layer("s4d")
    own = model.layers[0]
    g, rate = own.reading(x), torch.complex(-own.log_fading.exp(), own.turning)
    step, steps = own.log_step.exp()[:, None], torch.arange(12, **DOUBLE)
    entry = (torch.exp(step * rate) - 1) / rate * torch.view_as_complex(own.output)
    kernel = 2 * torch.einsum("hn,hnt->ht", entry, torch.exp((step * rate)[..., None] * steps)).real
    said = torch.stack([sum(kernel[:, t - s] * g[s] for s in range(t + 1)) for t in range(12)])
    torch.testing.assert_close(model(x)[0], functional.gelu(said + own.through * g))


def test_the_selective_layer_is_its_equations_and_with_one_number_a_gate():
    x, model = sequence(7), layer("selective", state_size=1)
    own = model.layers[0]
    with torch.no_grad():
        own.log_rate.zero_()  # A = -1
    sums = own.reading(x)
    g = sums * torch.sigmoid(sums)
    rank, entry, reading = own.choosing(g).split([1, 1, 1], -1)
    f = 1 - torch.sigmoid(own.stepping(rank))  # theorem 1: exp(-softplus(v)) = 1 - sigmoid(v)
    c, rows = torch.zeros(3, 6, **DOUBLE), []
    for t in range(7):
        c = f[t] * c - f[t].log() * g[t] * entry[t]
        rows.append(reading[t] * c + own.through * g[t])
    torch.testing.assert_close(model(x)[0], torch.stack(rows))


def test_slstm_is_its_equations_without_a_stabiliser():
    x, model = sequence(8), layer("slstm", heads=2)
    own = model.layers[0]
    matrix = torch.zeros(6, 24, **DOUBLE)
    for k in range(2):
        blocks = own.recurrent[k].chunk(4, -1)
        for gate in range(4):
            matrix[3 * k : 3 * k + 3, 6 * gate + 3 * k : 6 * gate + 3 * k + 3] = blocks[gate]
    h = c = norm = torch.zeros(3, 6, **DOUBLE)
    for t in range(8):
        i, f, g, o = (own.reading(x[t]) + h @ matrix).chunk(4, -1)
        f, o = torch.sigmoid(f), torch.sigmoid(o)
        c, norm = f * c + i.exp() * torch.tanh(g), f * norm + i.exp()
        h = o * c / norm
        torch.testing.assert_close(model(x)[0][t], h)


def test_mlstm_is_its_equations_without_a_stabiliser():
    x, model = sequence(8), layer("mlstm")
    sums = model.layers[0].reading(x)
    key, query, value, o = sums[..., :24].chunk(4, -1)
    i, f = sums[..., 24:25].exp(), torch.sigmoid(sums[..., 25:])
    memory, norm = torch.zeros(3, 6, 6, **DOUBLE), torch.zeros(3, 6, **DOUBLE)
    for t in range(8):
        k = key[t] / math.sqrt(6)
        memory = f[t][..., None] * memory + i[t][..., None] * value[t][..., None] * k[:, None]
        norm = f[t] * norm + i[t] * k
        below = (norm * query[t]).sum(-1, keepdim=True).abs().clamp_min(1.0)
        read = (memory @ query[t][..., None])[..., 0] / below
        torch.testing.assert_close(model(x)[0][t], torch.sigmoid(o[t]) * read)


def test_exponential_gates_stay_in_range():
    for name in ("slstm", "mlstm"):
        model = layer(name, dtype=torch.float32)
        x = 200 * sequence(40, dtype=torch.float32)
        y, _ = model(x)
        grads = torch.autograd.grad(y.sum(), list(model.parameters()))
        assert all(torch.isfinite(part).all() for part in (y, *grads))


def test_rwkv_is_a_weighted_mean():
    x, model = sequence(9), layer("rwkv")
    own = model.layers[0]
    with torch.no_grad():
        own.mixture.uniform_(0, 1)
        own.bonus.normal_()
    earlier = torch.cat([torch.zeros_like(x[:1]), x[:-1]])
    o, key, value = (
        (mu * x + (1 - mu) * earlier) @ w.T
        for mu, w in zip(own.mixture, own.reading.weight.chunk(3), strict=True)
    )
    for t in range(9):
        worth = [key[s] - (t - 1 - s) * own.log_decay.exp() for s in range(t)] + [key[t] + own.bonus]
        mean = (torch.stack(worth).softmax(0) * value[: t + 1]).sum(0)
        torch.testing.assert_close(model(x)[0][t], torch.sigmoid(o[t]) * mean)


@pytest.mark.parametrize("name", NAMES)
def test_a_step_at_a_time_is_the_whole_and_the_state_carries_over(name):
    model = layer(name, layers=2)
    x = sequence(6)
    whole, final = model(x)
    state = None
    for x_t, y_t in zip(x, whole, strict=True):
        y, state = model.advance(x_t, state)
        torch.testing.assert_close(y, y_t)
    _, middle = model(x[:3])
    again, after = model(x[3:], middle)
    torch.testing.assert_close(again, whole[3:])
    for one, other in zip(*((s if isinstance(s, tuple) else (s,)) for s in (after, final)), strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("name", NAMES)
def test_a_padded_sequence_ends_where_it_ends(name):
    model, x = layer(name, layers=2, batch_first=True), sequence(9).transpose(0, 1)
    y, state = model(x, lengths=[9, 4, 7])
    alone, end = model(x[1:2, :4])
    torch.testing.assert_close(y[1:2, :4], alone)
    assert (y[1, 4:] == 0).all()
    parts = zip(*((s if isinstance(s, tuple) else (s,)) for s in (state, end)), strict=True)
    for one, other in parts:
        torch.testing.assert_close(one[:, 1:2], other)


@pytest.mark.parametrize("name", NAMES)
def test_a_trace_is_what_the_model_computes_and_an_edit_changes_it(name):
    torch.manual_seed(0)
    model = CharModel(LETTERS, name, hidden_size=6, num_layers=2, embedding_size=4).eval()
    seen = trace(model, "abc def")
    torch.testing.assert_close(seen.logits, model(model.encode("abc def"))[0])
    assert seen.names == CELLS[name].kind.names and seen["h"].shape == (1, 7, 6)
    assert all(seen[part, 0].shape == (1, 7, 6) for part in seen.names)
    changed = trace(model, "abc def", edit={"h": lambda h, step: h + 1})
    assert changed.origin == "edit" and not torch.allclose(changed.logits, seen.logits)
    assert trace(model, ["abc", "abcdef"]).select(0).steps == 3


def test_a_forget_gate_held_open_and_an_input_gate_held_shut_keep_the_state():
    torch.manual_seed(0)
    model = CharModel(LETTERS, "minlstm", hidden_size=5, embedding_size=4).eval()
    held = trace(model, "abcdef", edit=[*_from(3, "f", 1.0), *_from(3, "i", 0.0)])
    torch.testing.assert_close(held["h"][:, 3:], held["h"][:, 2:3].expand(-1, 3, -1))


def _from(step, name, value):
    from lessons.edits import Edit

    return [Edit(name, value, steps=range(step, 6))]


def test_the_flow_through_a_minlstm_is_its_adjoint():
    model, x = layer("minlstm", batch_first=True), sequence(11).transpose(0, 1)
    grad = torch.randn(3, 11, 6, **DOUBLE)
    f, flow = trace(model, x)["f"], gradients.flow(model, x, grad)
    adjoint = torch.zeros(3, 6, **DOUBLE)
    for t in reversed(range(11)):
        adjoint = grad[:, t] + adjoint
        torch.testing.assert_close(flow["h"][:, t], adjoint)
        adjoint = adjoint * f[:, t]
    torch.testing.assert_close(flow.initial[0][0]["h"], adjoint)


def test_a_probe_adds_nothing_and_only_to_the_state():
    own = layer("mlstm").layers[0]
    probe, value = probes.Probes(own, own.start(2)), torch.ones(2, 6, **DOUBLE)
    assert probe(0, "f", value) is value
    torch.testing.assert_close(probe(0, "h", value), value)
    assert list(probe.added) == ["h"] and probe.added["h"][0].requires_grad


@pytest.mark.parametrize("name", NAMES)
def test_the_flow_into_the_input_is_autograds_and_states_are_shown(name):
    model, x = layer(name, layers=2, batch_first=True), sequence(8).transpose(0, 1)
    weight = torch.randn(3, 8, 6, **DOUBLE)
    flow = gradients.flow(model, x, weight)
    leaf = x.clone().requires_grad_()
    (theirs,) = torch.autograd.grad((model(leaf)[0] * weight).sum(), leaf)
    torch.testing.assert_close(flow.input, theirs)
    assert flow.norms("h", 0).shape == (3, 8)


@pytest.mark.parametrize("name", NAMES)
def test_shapes_are_known_without_numbers_and_models_write(name):
    model = SequenceModel(3, 2, name, 4, 2, readout="all", device="meta")
    assert model(torch.empty(2, 5, 3, device="meta"))[0].shape == (2, 5, 2)
    assert all(weight.is_meta for weight in model.parameters())
    text = generate(CharModel(LETTERS, name, 6, embedding_size=4), "ab", 5)
    assert len(text.text) == 5
    rebuilt = SequenceModel(**model.config())
    assert rebuilt.cell == name


@pytest.mark.parametrize("name", ["minlstm", "mingru", "gated_attention", "mlstm", "slstm"])
def test_forgetting_starts_where_it_is_told(name):
    model = layer(name, forget_bias=2.0, batch_first=True)
    with torch.no_grad():
        for weight in model.parameters():
            if weight.dim() > 1:
                weight.zero_()
    seen = trace(model, torch.zeros(1, 4, 4, **DOUBLE))
    gate = seen["z" if name == "mingru" else "f"]
    if name in ("slstm", "mlstm"):  # relative to the stabiliser, which only the input gate can lift
        gate = torch.exp(functional.logsigmoid(torch.tensor(2.0, **DOUBLE))).expand_as(gate)
        start = model.layers[0].reading.bias
        assert (start[6:12] == 2).all() if name == "slstm" else start[-1] == 2
    torch.testing.assert_close(gate, torch.sigmoid(torch.full_like(gate, 2.0)))


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: CELLS["minlstm"](3, 4, bidirectional=True),
        lambda: CELLS["minlstm"](3, 4, bias=False),
        lambda: CELLS["mlstm"](3, 5, heads=2),
        lambda: CELLS["slstm"](3, 4, heads=0),
        lambda: CELLS["minlstm"](3, 0),
        lambda: layer("minlstm")(torch.zeros(5, 3, 7, **DOUBLE)),
        lambda: layer("minlstm")(torch.zeros(0, 3, 4, **DOUBLE)),
        lambda: layer("minlstm")(sequence(), torch.zeros(1, 2, 6, **DOUBLE)),
        lambda: layer("mlstm")(sequence(), torch.zeros(1, 3, 6, **DOUBLE)),
        lambda: gradients.reach(layer("minlstm"), sequence()),
        lambda: gradients.flow(layer("minlstm"), trace(layer("minlstm"), sequence()), torch.sum),
        lambda: SequenceModel(3, 2, "minlstm", initialise={"chrono": 10}),
        lambda: CharModel(LETTERS, "maxlstm"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(wrong):
    with pytest.raises(LessonError):
        wrong()


def test_classes_say_which_cell_they_are():
    kinds = (MinLSTM, MinGRU, S4D, Selective, SLSTM, MLSTM)
    assert [kind.mode for kind in kinds] == ["minlstm", "mingru", "s4d", "selective", "slstm", "mlstm"]
    assert "4, 6" in repr(layer("minlstm"))
