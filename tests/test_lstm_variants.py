"""Every wiring of the LSTM (lessons.wired_closed_form) and Cho's GRU, against equations, loops and Keras."""

import copy
import itertools
import os

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from lessons.errors import LessonError
from lessons.gradients import flow, reach
from lessons.lstm_variants import VARIANTS, ResetBeforeGRU, VariantLSTM, variant
from lessons.recurrent import LSTM
from lessons.tracing import trace
from lessons.wiring import Wiring

INPUT, HIDDEN, STEPS, BATCH = 3, 4, 6, 3
LENGTHS = torch.tensor([6, 2, 4])
FULL = torch.full((BATCH,), STEPS)


def all_options():
    """Every combination of options that is a wiring."""
    names = [*Wiring.__dataclass_fields__]
    switch, activations = (True, False), ("tanh", "identity", "sigmoid")
    values = (switch, switch, switch, activations, activations[:2], switch, switch)
    for chosen in itertools.product(*values):
        options = dict(zip(names, chosen, strict=True))
        try:
            Wiring(**options)
        except LessonError:
            continue
        yield options


def label(options):
    """A short name for a test's report."""
    odd = [f"{k}={v}" for k, v in options.items() if v != getattr(Wiring(), k)]
    return ",".join(odd) or "plain"


ALL = list(all_options())
SOME = [*VARIANTS.values(), {"coupled": True}, {"output_gate": False, "output_activation": "identity"}]


def act(name, v):
    """An activation by name."""
    return {"tanh": torch.tanh, "sigmoid": torch.sigmoid, "identity": lambda v: v}[name](v)


def step_by_equations(options, x, h, c, named):
    """One step of one sequence, as the equations of Greff et al. (2017), section II, have it."""
    o = vars(Wiring(**options))
    rows = ["i"] * o["input_gate"] + ["f"] * (o["forget_gate"] and not o["coupled"]) + ["g"]
    rows += ["o"] * o["output_gate"]
    sums = named["weight_ih"] @ x + named["weight_hh"] @ h
    if "bias_ih" in named:
        sums = sums + named["bias_ih"] + named["bias_hh"]
    sums = dict(zip(rows, sums.split(len(h)), strict=True))
    peeps = [name for name in rows if name != "g"] if o["peepholes"] else []
    peep = dict(zip(peeps, named.get("weight_peephole", []), strict=True))
    one = torch.ones_like(c)
    i = torch.sigmoid(sums["i"] + peep.get("i", 0) * c) if "i" in sums else one
    f = torch.sigmoid(sums["f"] + peep.get("f", 0) * c) if "f" in sums else one
    f = 1 - i if o["coupled"] else f
    g = act(o["input_activation"], sums["g"])
    c = f * c + i * g
    out = torch.sigmoid(sums["o"] + peep.get("o", 0) * c) if "o" in sums else one
    h = out * act(o["output_activation"], c)
    return {"i": i, "f": f, "g": g, "o": out, "c": c, "h": h}


def gru_by_equations(options, x, h, c, named):
    """One step of one sequence of the GRU of Cho et al. (2014), equations 5 to 8."""
    w_r, w_z, w_n = named["weight_ih"].chunk(3)
    u_r, u_z, u_n = named["weight_hh"].chunk(3)
    zero = torch.zeros(3 * len(h), dtype=h.dtype)
    b_r, b_z, b_n = named.get("bias_ih", zero).chunk(3)
    d_r, d_z, d_n = named.get("bias_hh", zero).chunk(3)
    r = torch.sigmoid(w_r @ x + u_r @ h + b_r + d_r)
    z = torch.sigmoid(w_z @ x + u_z @ h + b_z + d_z)
    q = u_n @ (r * h) + d_n
    n = torch.tanh(w_n @ x + b_n + q)
    return {"r": r, "z": z, "n": n, "q": q, "h": z * h + (1 - z) * n}


def reference(layer, x, state, lengths):
    """The whole layer, sequence by sequence and step by step; x (T, B, I).

    Returns the output (T, B, D H), the final states, and per layer and direction {name: (B, T, H)}.
    """
    gru = isinstance(layer, ResetBeforeGRU)
    step, options = (gru_by_equations, None) if gru else (step_by_equations, vars(layer.wiring))
    directions = 2 if layer.bidirectional else 1
    seen, finals = [], []
    for index in range(layer.num_layers):
        outputs, named_here = [], []
        for direction in range(directions):
            ending = f"_l{index}" + "_reverse" * direction
            named = {k.removesuffix(ending): v for k, v in layer.named_parameters() if k.endswith(ending)}
            sequences, ends = [], []
            for b, length in enumerate(lengths.tolist()):
                h, c = (part[index * directions + direction, b] for part in state)
                rows = [None] * STEPS
                for t in range(length)[:: -1 if direction else 1]:
                    rows[t] = step(options, x[t, b], h, c, named)
                    h, c = rows[t]["h"], rows[t].get("c", c)
                blank = {name: torch.zeros_like(part) for name, part in rows[0].items()}
                rows = [row or blank for row in rows]
                sequences.append({name: torch.stack([row[name] for row in rows]) for name in blank})
                ends.append((h, c))
            whole = {name: torch.stack([s[name] for s in sequences]) for name in sequences[0]}
            named_here.append(whole)
            outputs.append(whole["h"].transpose(0, 1))
            finals.append([torch.stack(part) for part in zip(*ends, strict=True)])
        x = torch.cat(outputs, -1)
        seen.append(named_here)
    return x, [torch.stack(part) for part in zip(*finals, strict=True)], seen


def made(options, layers=1, both=False, bias=True, dtype=torch.float64, kind=VariantLSTM):
    """A layer with weights large enough to leave the linear range, and input and state for it."""
    torch.manual_seed(0)
    layer = kind(INPUT, HIDDEN, layers, bias=bias, bidirectional=both, dtype=dtype, **options)
    with torch.no_grad():
        for weight in layer.parameters():
            weight.normal_(0, 0.7)
    x = torch.randn(STEPS, BATCH, INPUT, dtype=dtype)
    state = torch.randn(2, layers * (2 if both else 1), BATCH, HIDDEN, dtype=dtype)
    return layer, x, tuple(state)


def given(layer, state):
    """The state in the form that the layer takes."""
    return state[0] if isinstance(layer, ResetBeforeGRU) else state


def as_tuple(state):
    """A layer's final state as a tuple."""
    return state if isinstance(state, tuple) else (state,)


def apart(one, two):
    """The largest difference between two tensors, relative where numbers are large."""
    return float(((one - two).abs() / (1 + two.abs())).max().detach())


def gradients(outputs, leaves):
    """Gradients of a fixed weighted sum of some outputs."""
    total = sum(
        (part * torch.linspace(-1, 1, part.numel(), dtype=part.dtype).view_as(part)).sum() for part in outputs
    )
    return torch.autograd.grad(total, leaves)


def check_against_equations(layer, x, state, lengths, tolerance):
    """Output, final state and all gradients of a layer equal those of the reference."""
    x.requires_grad_()
    state = tuple(part.requires_grad_() for part in state)
    taken = state[:1] if isinstance(layer, ResetBeforeGRU) else state
    leaves = [x, *taken, *layer.parameters()]
    output, final = layer(x, given(layer, state), lengths)
    expected, ends, _ = reference(layer, x, state, lengths)
    ends = ends[: len(taken)]
    pairs = zip((output, *as_tuple(final)), (expected, *ends), strict=True)
    assert max(apart(one, two) for one, two in pairs) < tolerance
    ours, theirs = gradients((output, *as_tuple(final)), leaves), gradients((expected, *ends), leaves)
    assert max(apart(one, two) for one, two in zip(ours, theirs, strict=True)) < tolerance


@pytest.mark.parametrize("options", ALL, ids=label)
def test_every_wiring_equals_its_equations(options):
    layer, x, state = made(options)
    check_against_equations(layer, x, state, FULL, 1e-12)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("both", [True, False])
@pytest.mark.parametrize("options", SOME, ids=label)
def test_layers_directions_and_lengths(options, both, bias):
    layer, x, state = made(options, layers=2, both=both, bias=bias)
    check_against_equations(layer, x, state, LENGTHS, 1e-12)


@pytest.mark.parametrize("both", [True, False])
@pytest.mark.parametrize("lengths", [FULL, LENGTHS], ids=["full", "lengths"])
def test_reset_before_gru_equals_its_equations(lengths, both):
    layer, x, state = made({}, layers=2, both=both, kind=ResetBeforeGRU)
    check_against_equations(layer, x, state, lengths, 1e-12)
    layer, x, state = made({}, both=both, bias=False, kind=ResetBeforeGRU)
    check_against_equations(layer, x, state, lengths, 1e-12)


@pytest.mark.parametrize("options", SOME, ids=label)
def test_float32(options):
    layer, x, state = made(options, dtype=torch.float32, both=True)
    check_against_equations(layer, x, state, LENGTHS, 1e-5)


@pytest.mark.parametrize("options", SOME, ids=label)
def test_gradcheck_twice(options):
    layer, x, state = made(options)
    if layer.looped:
        leaves = [x.requires_grad_(), *(part.requires_grad_() for part in state), *layer.parameters()]

        def run(x, h, c, *weights):
            named = dict(zip(dict(layer.named_parameters()), weights, strict=True))
            output, final = torch.func.functional_call(layer, named, (x, (h, c)))
            return output, *final

        assert torch.autograd.gradcheck(run, leaves, fast_mode=True)
        assert torch.autograd.gradgradcheck(run, leaves, fast_mode=True)


def test_gradcheck_of_the_reset_before_gru():
    layer, x, state = made({}, kind=ResetBeforeGRU)
    leaves = [x.requires_grad_(), state[0].requires_grad_()]
    assert torch.autograd.gradcheck(lambda x, h: layer(x, h)[0], leaves)
    assert torch.autograd.gradgradcheck(lambda x, h: layer(x, h)[0], leaves, fast_mode=True)


def test_the_plain_wiring_is_the_fused_lstm():
    torch.manual_seed(1)
    layer = VariantLSTM(INPUT, HIDDEN, 2, bidirectional=True)
    peer = LSTM(INPUT, HIDDEN, 2, bidirectional=True)
    peer.load_state_dict(layer.state_dict())
    x = torch.randn(STEPS, BATCH, INPUT)
    assert not layer.looped
    assert torch.equal(layer(x)[0], peer(x)[0])
    assert torch.equal(layer(x, lengths=LENGTHS)[0], peer(x, lengths=LENGTHS)[0])
    assert variant("NP", INPUT, HIDDEN).wiring.plain


def test_names_are_those_of_greff():
    assert set(VARIANTS) == {"V", "NIG", "NFG", "NOG", "NIAF", "NOAF", "CIFG", "NP"}
    sizes = {name: sum(w.numel() for w in variant(name, 2, 3).parameters()) for name in VARIANTS}
    gate, peep = 2 * 3 + 3 * 3 + 2 * 3, 3
    assert sizes["V"] == sizes["NIAF"] == sizes["NOAF"] == 4 * gate + 3 * peep
    assert sizes["NIG"] == sizes["NFG"] == sizes["NOG"] == sizes["CIFG"] == 3 * gate + 2 * peep
    assert sizes["NP"] == 4 * gate
    with pytest.raises(LessonError, match="FGR"):
        variant("FGR", 2, 3)


def test_weights_keep_torchs_names_and_come_back():
    layer, x, state = made({"peepholes": True}, layers=2, both=True)
    names = set(nn.LSTM(INPUT, HIDDEN, 2, bidirectional=True).state_dict())
    peepholes = {name for name in layer.state_dict() if "peephole" in name}
    assert set(layer.state_dict()) - peepholes == names
    assert peepholes == {f"weight_peephole_l{k}{d}" for k in (0, 1) for d in ("", "_reverse")}
    other, _, _ = made({"peepholes": True}, layers=2, both=True)
    other.reset_parameters()
    assert not torch.equal(other(x, state)[0], layer(x, state)[0])
    other.load_state_dict(layer.state_dict())
    assert torch.equal(other(x, state)[0], layer(x, state)[0])
    assert torch.equal(copy.deepcopy(layer)(x, state)[0], layer(x, state)[0])
    assert layer.to(torch.float32)(x.float())[0].dtype == torch.float32


@pytest.mark.parametrize(
    "options",
    [
        {"coupled": True, "input_gate": False},
        {"coupled": True, "forget_gate": False},
        {"input_activation": "relu"},
        {"output_activation": "sigmoid"},
        {"peepholes": True, "input_gate": False, "forget_gate": False, "output_gate": False},
        {"peephole": True},
    ],
    ids=str,
)
def test_options_that_cannot_be_are_refused(options):
    with pytest.raises(LessonError):
        VariantLSTM(INPUT, HIDDEN, **options)


@pytest.mark.parametrize("options", [{}, {"peepholes": True}, {"coupled": True}], ids=label)
def test_forget_bias_is_where_forgetting_starts(options):
    layer = VariantLSTM(INPUT, HIDDEN, 2, bidirectional=True, forget_bias=2.0, **options)
    with torch.no_grad():
        for name, weight in layer.named_parameters():
            if "bias" not in name:
                weight.zero_()
    seen = trace(layer, torch.zeros(1, 1, INPUT))
    for place in itertools.product((0, 1), (0, 1)):
        assert torch.allclose(seen["f", *place], torch.sigmoid(torch.tensor(2.0)))
    with pytest.raises(LessonError):
        VariantLSTM(INPUT, HIDDEN, forget_gate=False).set_forget_bias(1.0)


@pytest.mark.parametrize("kind", [VariantLSTM, ResetBeforeGRU])
def test_shapes_packing_and_meta(kind):
    options = {"peepholes": True} if kind is VariantLSTM else {}
    layer = kind(INPUT, HIDDEN, batch_first=True, bidirectional=True, **options)
    x = torch.randn(BATCH, STEPS, INPUT)
    padded, final = layer(x, lengths=LENGTHS)
    packed, packed_final = layer(pack_padded_sequence(x, LENGTHS, True, enforce_sorted=False))
    assert torch.equal(pad_packed_sequence(packed, batch_first=True)[0], padded)
    assert all(map(torch.equal, as_tuple(final), as_tuple(packed_final)))
    assert torch.allclose(layer(x[0])[0], layer(x)[0][0], atol=1e-6)
    with torch.no_grad():
        assert torch.equal(layer(x)[0], layer(x)[0])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert layer(x)[0].dtype == torch.float32
    far = kind(INPUT, HIDDEN, 2, device="meta", **options)
    y, final = far(torch.empty(STEPS, BATCH, INPUT, device="meta"))
    assert y.is_meta and y.shape == (STEPS, BATCH, HIDDEN)
    assert as_tuple(final)[0].shape == (2, BATCH, HIDDEN)


# Layers for traces and gradients: every named wiring, and Cho's GRU.
CASES = [*((options, VariantLSTM) for options in SOME), ({}, ResetBeforeGRU)]


@pytest.mark.parametrize("both", [True, False])
@pytest.mark.parametrize(("options", "kind"), CASES, ids=str)
def test_a_trace_shows_every_gate_and_state(options, kind, both):
    layer, x, state = made(options, layers=2, both=both, kind=kind)
    seen = trace(layer, x, given(layer, state), LENGTHS)
    expected, _, named = reference(layer, x, state, LENGTHS)
    assert apart(seen.output.transpose(0, 1), expected) < 1e-12
    for index, direction in itertools.product(range(2), range(2 if both else 1)):
        rows = named[index][direction]
        assert set(rows) == set(seen.names)
        for name, part in rows.items():
            assert apart(seen[name, index, direction], part) < 1e-12


@pytest.mark.parametrize(("options", "kind"), CASES, ids=str)
def test_edits_change_what_follows(options, kind):
    layer, x, state = made(options, kind=kind)
    before = trace(layer, x, given(layer, state))
    name = "g" if kind is VariantLSTM else "n"
    after = trace(layer, x, given(layer, state), edit={name: 0.0})
    assert after[name].abs().max() == 0
    assert not torch.equal(after["h"], before["h"])
    same = trace(layer, x, given(layer, state), edit={name: lambda value, step: value})
    assert torch.allclose(same["h"], before["h"], atol=1e-12)


@pytest.mark.parametrize("both", [True, False])
@pytest.mark.parametrize(("options", "kind"), CASES, ids=str)
def test_flow_equals_autograd(options, kind, both):
    layer, x, state = made(options, layers=2, both=both, kind=kind)
    x.requires_grad_()
    start = tuple(part.requires_grad_() for part in state)
    expected, _, _ = reference(layer, x, start, LENGTHS)
    weight = torch.randn_like(expected)
    flowing = flow(layer, x.detach(), weight, given(layer, tuple(p.detach() for p in state)), LENGTHS)
    total = (expected * weight).sum()
    assert apart(flowing.input.transpose(0, 1), torch.autograd.grad(total, x, retain_graph=True)[0]) < 1e-12
    parts = ("h", "c") if kind is VariantLSTM else ("h",)
    for place, name in enumerate(parts):
        back = torch.autograd.grad(total, start[place], retain_graph=True)[0]
        for index, direction in itertools.product(range(2), range(2 if both else 1)):
            found = flowing.initial[index][direction][name]
            assert apart(found, back[index * (2 if both else 1) + direction]) < 1e-12


@pytest.mark.parametrize(("options", "kind"), CASES, ids=str)
def test_reach_equals_autograd(options, kind):
    layer, x, state = made(options, kind=kind)
    x, state = x[:, :1], tuple(part[:, :1] for part in state)
    seen = trace(layer, x, given(layer, state))
    found = reach(layer, seen).jacobians
    cell = layer.cell(0, 0)
    inputs = cell.hoist(x)

    def rest(flat):
        state = tuple(part[None] for part in flat.split(HIDDEN))
        for t in range(1, STEPS):
            state = cell.step(inputs[t], state, lambda name, value: value)
        return torch.cat([part[0] for part in state])

    first = torch.cat([seen[name][0, 0] for name in cell.states])
    expected = torch.autograd.functional.jacobian(rest, first)
    assert apart(found[0], expected) < 1e-12
    assert apart(found[-1], torch.eye(len(expected), dtype=expected.dtype)) < 1e-12


@pytest.fixture(scope="module")
def keras():
    """Keras on torch; it is a second opinion, not a dependency."""
    os.environ.setdefault("KERAS_BACKEND", "torch")
    return pytest.importorskip("keras", exc_type=ImportError)


def keras_weights(layer, order):
    """A layer's weights as Keras keeps them: transposed, its gates in `order`."""
    blocks = [[w.chunk(len(order))[k] for k in order] for w in layer.parameters()]
    return [torch.cat(part).detach().numpy().T for part in blocks]


def keras_run(layer, weights, x):
    """A Keras layer's output for x (B, T, I)."""
    layer.build(x.shape)
    layer.set_weights(weights)
    return layer(x.numpy()).detach().cpu()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("after", [True, False], ids=["reset_after", "reset_before"])
def test_keras_agrees_on_both_grus(keras, after):
    from lessons.recurrent import GRU

    torch.manual_seed(2)
    layer = (GRU if after else ResetBeforeGRU)(INPUT, HIDDEN, batch_first=True)
    w, u, b, d = keras_weights(layer, (1, 0, 2))  # Keras has z, r, h
    peer = keras.layers.GRU(HIDDEN, reset_after=after, return_sequences=True)
    x = torch.randn(BATCH, STEPS, INPUT)
    bias = torch.stack([torch.tensor(b), torch.tensor(d)]).numpy() if after else b + d
    assert apart(layer(x)[0], keras_run(peer, [w, u, bias], x)) < 1e-5


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("options", "activations"),
    [({}, {}), ({"output_activation": "identity", "input_activation": "identity"}, {"activation": "linear"})],
    ids=["tanh", "linear"],
)
def test_keras_agrees_on_the_lstm(keras, options, activations):
    torch.manual_seed(3)
    layer = VariantLSTM(INPUT, HIDDEN, batch_first=True, **options)
    w, u, b, d = keras_weights(layer, (0, 1, 2, 3))  # Keras has i, f, c, o
    peer = keras.layers.LSTM(HIDDEN, return_sequences=True, **activations)
    x = torch.randn(BATCH, STEPS, INPUT)
    assert apart(layer(x)[0], keras_run(peer, [w, u, b + d], x)) < 1e-5
