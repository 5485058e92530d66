"""Masks keep their invariants, every kind is what its paper's equations say, fused and loop forms agree."""

import copy
import math
import os
import pickle

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as some
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence

from lessons import dropouts, recurrent
from lessons.dropouts import GATES, Dropouts, Masks
from lessons.errors import LessonError
from lessons.gradients import flow
from lessons.lstm import SwappedLSTM
from lessons.lstm_variants import ResetBeforeGRU, VariantLSTM
from lessons.tracing import trace, xray
from tests.recurrent_cases import HIDDEN, INPUT, MODES, case, difference

quick = settings(max_examples=20, deadline=None, derandomize=True, database=None)
rates = some.floats(0.05, 0.9)
STEPS, BATCH, LENGTHS = 5, 3, torch.tensor([5, 2, 3])
FUSED = {
    "locked in and out": Dropouts(input=0.3, output=0.4),
    "new in and out": Dropouts(input=0.3, output=0.4, masks="step"),
    "weight drop": Dropouts(weight=0.5),
    "state, for the batch": Dropouts(recurrent=0.4, masks="batch"),
    "all of them": Dropouts(input=0.2, output=0.2, recurrent=0.3, weight=0.3, masks="batch"),
    "a mask per gate": Dropouts(input=0.3, recurrent=0.3, masks="batch", per_gate=True),
}
LOOPED = {
    "locked state": Dropouts(recurrent=0.4),
    "new state": Dropouts(recurrent=0.4, masks="step"),
    "per gate": Dropouts(input=0.3, recurrent=0.4, weight=0.2, per_gate=True),
    "zoneout": Dropouts(zoneout_h=0.3, output=0.2),
    "state and zoneout": Dropouts(recurrent=0.3, zoneout_h=0.2, masks="step", per_gate=True),
}
KINDS = FUSED | LOOPED


def dropping(mode, chosen, layers=1, both=False, **options):
    one = case(mode, layers, both, **options)
    one.x, one.layer.dropouts = one.x[:STEPS, :BATCH], chosen
    one.state = tuple(part[:, :BATCH] for part in one.state) if mode == "LSTM" else one.state[:, :BATCH]
    one.masks = one.layer.draw_masks(STEPS, BATCH, torch.Generator().manual_seed(7))
    return one


def own(mode):
    """Kinds that only some cells have."""
    extra = {"candidate": Dropouts(candidate=0.4), "new candidate": Dropouts(candidate=0.4, masks="step")}
    if mode == "LSTM":
        extra["both zones"] = Dropouts(zoneout_h=0.2, zoneout_c=0.4)
    return LOOPED | (extra if mode in ("LSTM", "GRU") else {})


def tensors(output, state):
    return [output, *(state if isinstance(state, tuple) else (state,))]


def apart(ours, theirs):
    return max(difference(a, b) for a, b in zip(ours, theirs, strict=True))


def in_the_loop(one, lengths=None):
    """The layer's output and final state, every direction in the loop, whatever the masks would allow."""
    x, state = one.x, one.state if isinstance(one.state, tuple) else (one.state,)
    finals, directions = [], 2 if one.layer.bidirectional else 1
    for index, row in enumerate(one.masks):
        outputs = []
        for d, mask in enumerate(row):
            start = tuple(part[index * directions + d] for part in state)
            weights = recurrent.weights(one.layer, index, d)
            y, final = recurrent.run_dropped(
                one.layer.mode, x, start, weights, mask, lengths, d == 1, fused=False
            )
            outputs.append(y)
            finals.append(final)
        x = torch.cat(outputs, -1)
    return [x, *(torch.stack(parts) for parts in zip(*finals, strict=True))]


@pytest.mark.parametrize("kind", FUSED)
@pytest.mark.parametrize("mode", MODES)
def test_fused_and_loop_forms_are_equal(mode, kind):
    lengths = LENGTHS if kind in ("all of them", "weight drop") else None
    one = dropping(mode, FUSED[kind], layers=2, both=True)
    assert FUSED[kind].kernel == "fused" and all(mask.fused for row in one.masks for mask in row)
    fused = tensors(*one.layer(one.x, one.state, lengths, one.masks))
    looped = in_the_loop(one, lengths)
    assert apart(fused, looped) < 1e-12
    own = list(one.layer.parameters())
    ours, theirs = (
        torch.autograd.grad(sum(part.tanh().sum() for part in found), own) for found in (fused, looped)
    )
    assert apart(ours, theirs) < 1e-11


def by_hand(one):
    """h at every step of one layer under masks, sequence by sequence, from the papers' equations."""
    mode, mask, gates = one.layer.mode, one.masks[0][0], GATES[one.layer.mode]
    w, u, *biases = recurrent.weights(one.layer, 0, 0)
    u = u if mask.weight is None else u * mask.weight
    b, d = biases
    state = one.state if isinstance(one.state, tuple) else (one.state,)
    rows = []

    def at(part, t, k):
        return part[t if len(part) > 1 else 0, k if part.shape[1] > 1 else 0]

    def product(weight, value, part, t, k):
        kept = torch.ones_like(value) if part is None else at(part, t, k)
        kept = kept if kept.dim() == 2 else kept.expand(gates, -1)
        return torch.cat([m @ (keep * value) for m, keep in zip(weight.chunk(gates), kept, strict=True)])

    def drop(part, value, t, k):
        return value if part is None else value * at(part, t, k)

    for k in range(BATCH):
        old = [part[0, k] for part in state]
        for t in range(STEPS):
            a = product(w, one.x[t, k], mask.input, t, k) + b
            r = product(u, old[0], mask.recurrent, t, k) + d
            if mode == "LSTM":
                i, f, g, o = (a + r).chunk(4)
                c = f.sigmoid() * old[1] + i.sigmoid() * drop(mask.candidate, g.tanh(), t, k)
                new = [o.sigmoid() * c.tanh(), c]
            elif mode == "GRU":
                (a_r, a_z, a_n), (u_r, u_z, u_n) = a.chunk(3), r.chunk(3)
                n = drop(mask.candidate, torch.tanh(a_n + (a_r + u_r).sigmoid() * u_n), t, k)
                z = (a_z + u_z).sigmoid()
                new = [(1 - z) * n + z * old[0]]
            else:
                new = [(a + r).tanh() if mode == "RNN_TANH" else (a + r).relu()]
            zones = (mask.zoneout_h, mask.zoneout_c)
            old = [
                value if zone is None else torch.where(at(zone, t, k) > 0, before, value)
                for value, before, zone in zip(new, old, zones, strict=False)
            ]
            rows.append(drop(mask.output, old[0], t, k))
    return torch.stack(rows).unflatten(0, (BATCH, STEPS)).transpose(0, 1)


@pytest.mark.parametrize("mode", MODES)
def test_every_kind_is_what_its_equations_say(mode):
    for kind, chosen in (FUSED | own(mode)).items():
        one = dropping(mode, chosen)
        assert difference(one.layer(one.x, one.state, masks=one.masks)[0], by_hand(one)) < 1e-12, kind
        assert (chosen.kernel == "loop") == (kind not in FUSED) != one.masks[0][0].fused


@pytest.mark.parametrize("mode", MODES)
def test_gradients_of_looped_kinds_are_right(mode):
    for kind in {"per gate", "state and zoneout", "new candidate", "both zones"} & own(mode).keys():
        one = dropping(mode, own(mode)[kind])
        layer, x = one.layer, one.x[:3, :2].clone().requires_grad_()
        masks = layer.draw_masks(3, 2, torch.Generator().manual_seed(1))

        def run(x, *own, layer=layer, masks=masks):
            names = [name for name, _ in layer.named_parameters()]
            return torch.func.functional_call(
                layer, dict(zip(names, own, strict=True)), (x,), {"masks": masks}
            )[0]

        weights = [w.detach().requires_grad_() for w in layer.parameters()]
        assert torch.autograd.gradcheck(run, (x, *weights), fast_mode=True), kind


@pytest.mark.parametrize("lengths", [None, LENGTHS], ids=["full", "lengths"])
@pytest.mark.parametrize("kind", ["per gate", "state and zoneout"])
@pytest.mark.parametrize("mode", ["LSTM", "GRU"])
def test_depth_directions_and_lengths_in_the_loop(mode, kind, lengths):
    one = dropping(mode, LOOPED[kind], layers=2, both=True)
    found = tensors(*one.layer(one.x, one.state, lengths, one.masks))
    assert apart(found, in_the_loop(one, lengths)) < 1e-12
    assert found[0].shape == (STEPS, BATCH, 2 * HIDDEN)
    if lengths is not None:
        assert not found[0][2:, 1].any()
        x = torch.where(torch.arange(STEPS)[:, None, None] >= LENGTHS[:, None], 9.0, one.x)
        assert apart(tensors(*one.layer(x, one.state, lengths, one.masks)), found) < 1e-12


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mode", ["LSTM", "GRU"])
def test_evaluation_drops_nothing(mode, kind):
    one = dropping(mode, KINDS[kind], layers=2)
    one.layer.eval()
    found = one.layer(one.x, one.state)[0]
    assert difference(found, one.layer(one.x, one.state)[0]) == 0
    if not KINDS[kind].zones:
        assert difference(found, one.peer(one.x, one.state)[0]) < 1e-12
    assert difference(one.layer(one.x, one.state, masks=one.masks)[0], found) > 1e-3


@pytest.mark.parametrize("mode", MODES)
def test_evaluation_of_zoneout_mixes_old_and_new_in_its_shares(mode):
    zones = {"zoneout_h": 0.3} | ({"zoneout_c": 0.6} if mode == "LSTM" else {})
    one = dropping(mode, Dropouts(**zones))
    one.layer.eval()
    start = tuple(part[0] for part in (one.state if mode == "LSTM" else (one.state,)))
    step = {"LSTM": nn.LSTMCell, "GRU": nn.GRUCell}.get(mode)
    cell = step(INPUT, HIDDEN) if step else nn.RNNCell(INPUT, HIDDEN, nonlinearity=mode[4:].lower())
    cell = cell.double()
    for theirs, ours in zip(cell.parameters(), one.layer.parameters(), strict=True):
        theirs.data = ours.data
    rows, shares = [], list(zones.values())
    for x in one.x:
        new = cell(x, start if mode == "LSTM" else start[0])
        new = new if mode == "LSTM" else (new,)
        start = tuple(p * old + (1 - p) * now for p, old, now in zip(shares, start, new, strict=True))
        rows.append(start[0])
    assert difference(one.layer(one.x, one.state)[0], torch.stack(rows)) < 1e-12
    seen = trace(one.layer, one.x, one.state)
    assert difference(seen.output.transpose(0, 1), torch.stack(rows)) < 1e-12
    with pytest.raises(LessonError, match="zoneout"):
        flow(one.layer, one.x, lambda y: y.sum())


# ------------------------------------------------------------------------------------- invariants of masks


def settings_of(draw, mode):
    names = ["input", "output", "recurrent", "weight", "zoneout_h"]
    names += ["candidate"] * (mode in ("LSTM", "GRU")) + ["zoneout_c"] * (mode == "LSTM")
    chosen = draw(some.dictionaries(some.sampled_from(names), rates, min_size=1))
    sharing = draw(some.sampled_from(("sequence", "step", "batch")))
    return Dropouts(**chosen, masks=sharing, per_gate=draw(some.booleans()))


@some.composite
def drawn(draw):
    """A layer with dropouts, a number of steps and sequences, a seed."""
    mode = draw(some.sampled_from(list(MODES)))
    make, _, kind = MODES[mode]
    dtype = draw(some.sampled_from((torch.float32, torch.float64)))
    layer = make(
        5, 30, draw(some.integers(1, 3)), bidirectional=draw(some.booleans()), dtype=dtype,
        dropouts=settings_of(draw, mode), **kind,
    )  # fmt: skip
    return layer, draw(some.integers(1, 6)), draw(some.integers(1, 5)), draw(some.integers(0, 2**31))


def parts(masks: Masks):
    return {name: part for name, part in vars(masks).items() if part is not None}


@quick
@given(drawn())
def test_masks_have_their_values_and_share_what_they_say(given_):
    layer, steps, batch, seed = given_
    chosen, masks = layer.dropouts, layer.draw_masks(steps, batch, torch.Generator().manual_seed(seed))
    for index, row in enumerate(masks):
        for mask in row:
            found = parts(mask)
            asked = {name for name, rate in chosen.rates.items() if rate}
            assert set(found) == asked - ({"output"} if index < layer.num_layers - 1 else set())
            for name, part in found.items():
                rate = chosen.rates[name]
                high = 1.0 if name.startswith("zoneout") else 1 / (1 - rate)
                assert part.dtype == layer.weight_hh_l0.dtype and not part.requires_grad
                assert bool(((part == 0) | torch.isclose(part, torch.tensor(high, dtype=part.dtype))).all())
                if name == "weight":
                    assert part.shape == layer.weight_hh_l0.shape
                    continue
                own = name.startswith("zoneout") or chosen.masks == "step"
                wide = name.startswith("zoneout") or chosen.masks != "batch"
                assert part.shape[:2] == (steps if own else 1, batch if wide else 1)
                gated = chosen.per_gate and name in ("input", "recurrent")
                assert part.dim() == 3 + gated and (not gated or part.shape[2] == GATES[layer.mode])


@quick
@given(drawn())
def test_masks_repeat_from_a_seed_and_from_nothing_else(given_):
    layer, steps, batch, seed = given_

    def draw(seed):
        rows = layer.draw_masks(steps, batch, torch.Generator().manual_seed(seed))
        return [part for row in rows for mask in row for part in parts(mask).values()]

    first, again, other = draw(seed), draw(seed), draw(seed + 1)
    assert all(a.equal(b) for a, b in zip(first, again, strict=True))
    if sum(part.numel() for part in first) > 500 and min(layer.dropouts.rates.values()) < 0.9:
        assert not all(a.equal(b) for a, b in zip(first, other, strict=True))
    torch.manual_seed(seed)
    state = torch.get_rng_state()
    draw(seed)
    assert torch.equal(torch.get_rng_state(), state)


@quick
@given(rate=rates, seed=some.integers(0, 2**31), sharing=some.sampled_from(("sequence", "step", "batch")))
def test_masks_are_fresh_between_layers_directions_and_passes(rate, seed, sharing):
    chosen = Dropouts(recurrent=rate, input=rate, weight=rate, zoneout_h=rate, masks=sharing)
    layer = recurrent.GRU(60, 60, 2, bidirectional=True, dropouts=chosen)
    dice = torch.Generator().manual_seed(seed)
    for name in ("recurrent", "weight", "zoneout_h"):
        rows = [*layer.draw_masks(2, 2, dice), *layer.draw_masks(2, 2, dice)]
        every = [getattr(mask, name) for row in rows for mask in row]
        assert not any(a.equal(b) for k, a in enumerate(every) for b in every[:k])


@quick
@given(rate=rates, seed=some.integers(0, 2**31))
def test_masks_have_the_mean_that_leaves_the_expectation_alone(rate, seed):
    chosen = Dropouts(recurrent=rate, weight=rate, zoneout_h=rate)
    layer = recurrent.RNN(3, 100, dropouts=chosen)
    ((mask,),) = layer.draw_masks(10, 100, torch.Generator().manual_seed(seed))
    spread = math.sqrt(rate / (1 - rate) / 1e4)  # of the mean of ten thousand such numbers
    assert abs(float(mask.recurrent.mean()) - 1) < 6 * spread
    assert abs(float(mask.weight.mean()) - 1) < 6 * spread
    assert abs(float(mask.zoneout_h.mean()) - rate) < 6 * math.sqrt(rate * (1 - rate) / 1e5)


@pytest.mark.parametrize("kind", KINDS)
def test_training_draws_anew_and_repeats_from_torchs_seed(kind):
    one = dropping("GRU", KINDS[kind], layers=2)
    found = []
    for seed in (3, 3, None):
        if seed is not None:
            torch.manual_seed(seed)
        found.append(one.layer(one.x)[0])
    assert difference(found[0], found[1]) == 0 and difference(found[0], found[2]) > 1e-3


# ------------------------------------------------------------------------------------------ what else holds


@pytest.mark.parametrize("kind", ["all of them", "per gate", "state and zoneout"])
@pytest.mark.parametrize("mode", ["LSTM", "GRU", "RNN_TANH"])
def test_packed_copied_meta_and_single(mode, kind):
    one = dropping(mode, KINDS[kind], layers=2)
    packed = pack_padded_sequence(one.x, LENGTHS, enforce_sorted=False)
    padded = one.layer(one.x, one.state, LENGTHS, one.masks)
    found = one.layer(packed, one.state, masks=one.masks)
    kept = torch.cat([padded[0][t, torch.argsort(-LENGTHS, stable=True)][: int((t < LENGTHS).sum())]
                      for t in range(STEPS)])  # fmt: skip
    assert difference(found[0].data, kept) < 1e-12
    for twin in (copy.deepcopy(one.layer), pickle.loads(pickle.dumps(one.layer))):
        assert twin.dropouts == KINDS[kind]
        assert difference(twin(one.x, masks=one.masks)[0], one.layer(one.x, masks=one.masks)[0]) == 0
    bare = case(mode, 2, True, torch.float32, "meta")
    bare.layer.dropouts = KINDS[kind]
    assert bare.layer(bare.x[:STEPS, :BATCH])[0].shape == (STEPS, BATCH, 2 * HIDDEN)
    alone = one.layer(one.x[:, 0], masks=one.layer.draw_masks(STEPS, 1))[0]
    assert alone.shape == (STEPS, HIDDEN)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mode", ["LSTM", "GRU"])
def test_autocast(mode, kind):
    one = dropping(mode, KINDS[kind], dtype=torch.float32)
    plain = one.layer(one.x, masks=one.masks)[0]
    with torch.autocast("cpu", torch.bfloat16):
        assert difference(one.layer(one.x, masks=one.masks)[0].float(), plain) < 5e-2


def test_fused_kinds_stay_on_onednn_and_can_be_x_rayed():
    for kind, chosen in FUSED.items():
        one = dropping("LSTM", chosen, dtype=torch.float32)
        output = one.layer(one.x, masks=one.masks)[0]
        seen = xray(output)
        assert seen.cell == "lstm", kind
        shown = seen["h"].transpose(0, 1)
        assert difference(one.masks[0][0].on_output(shown), output) < 1e-6
        with pytest.raises(LessonError, match="masks of dropout"):
            flow(one.layer, seen, lambda y: y.sum())


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda: Dropouts(input=1.0), "from 0 to below 1"),
        (lambda: Dropouts(recurrent=-0.1), "'recurrent'"),
        (lambda: Dropouts(weight=float("nan")), "'weight'"),
        (lambda: Dropouts(output=True), "True is not"),
        (lambda: Dropouts(masks="time"), "sequence, step, batch"),
        (lambda: recurrent.RNN(3, 4, dropouts=Dropouts(candidate=0.1)), "no candidate"),
        (lambda: recurrent.GRU(3, 4, dropouts=Dropouts(zoneout_c=0.1)), "Only an LSTM"),
        (lambda: dropouts.checked(0.3, "GRU"), "0.3 is none"),
        (lambda: Dropouts.of({"sleep": 0.1}), "no 'sleep'"),
        (lambda: VariantLSTM(3, 4, peepholes=True, dropouts=Dropouts(input=0.1)), "dropouts"),
        (lambda: ResetBeforeGRU(3, 4, dropouts=Dropouts(input=0.1)), "cells of its own"),
        (lambda: setattr(SwappedLSTM(3, 4), "dropouts", Dropouts(input=0.1)), "cells of its own"),
        (lambda: recurrent.GRU(3, 4)(torch.zeros(5, 2, 3), masks=((Masks(),),) * 2), "1 x 1 Masks"),
        (lambda: dropouts.fitting(((1,), (2,)), 2, 1, torch.zeros(5, 2, 3)), "2 x 1 Masks"),
        (lambda: dropouts.fitting(0.5, 2, 1, torch.zeros(5, 2, 3)), "2 x 1 Masks"),
        (
            lambda: (one := dropping("GRU", Dropouts(input=0.2))).layer(one.x[:, :2], masks=one.masks),
            "draw them anew",
        ),
    ],
)
def test_what_does_not_fit_is_refused_in_a_sentence(ask, words):
    with pytest.raises(LessonError, match=words):
        ask()


def test_dropouts_say_what_they_are():
    told = Dropouts(input=0.2, weight=0.5, per_gate=True)
    assert str(told) == "input 0.2, weight 0.5, a mask per sequence, one for each gate"
    assert Dropouts.of(told.as_dict()) == told == Dropouts.of(told) and bool(told)
    assert not Dropouts() and Dropouts.of(None) == Dropouts()
    assert str(Dropouts()) == "nothing dropped"
    assert "dropouts=(input 0.2" in repr(recurrent.LSTM(3, 4, dropouts=told))
    assert "dropouts" not in repr(recurrent.LSTM(3, 4, dropouts=Dropouts()))
    layer = recurrent.LSTM(3, 4, dropouts=Dropouts(zoneout_h=0.1))
    layer.dropouts = None
    assert not layer.looped and layer.dropouts is None


# --------------------------------------------------------------------------------------------------- Keras


@pytest.fixture(scope="module")
def keras():
    os.environ.setdefault("KERAS_BACKEND", "torch")
    return pytest.importorskip("keras", exc_type=ImportError)


def keras_masks(layer, x):
    """A Keras layer's output in training, and the masks that it drew on the way: inputs, then state."""
    found, create = [], layer.cell._create_dropout_mask

    def watched(step_input, rate):
        found.append(create(step_input, rate))
        return found[-1]

    layer.cell._create_dropout_mask = watched
    output = layer(x.numpy(), training=True)
    return output.detach().cpu(), found


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("rate", [0.0, 0.4])
@pytest.mark.parametrize("mode", ["LSTM", "GRU", "RNN_TANH"])
def test_keras_drops_the_same(keras, mode, rate):
    """With the masks that Keras drew, our layer gives what Keras gave: dropout and recurrent_dropout."""
    name, order = {
        "LSTM": ("LSTM", (0, 1, 2, 3)),
        "GRU": ("GRU", (1, 0, 2)),
        "RNN_TANH": ("SimpleRNN", (0,)),
    }[mode]
    torch.manual_seed(2)
    layer = MODES[mode][0](INPUT, HIDDEN, batch_first=True)
    w, u, b, d = ([part.chunk(len(order))[k] for k in order] for part in layer.parameters())
    w, u, b, d = (torch.cat(part).detach() for part in (w, u, b, d))
    bias = torch.stack([b, d]) if mode == "GRU" else b + d
    peer = getattr(keras.layers, name)(
        HIDDEN, return_sequences=True, dropout=0.3, recurrent_dropout=rate, seed=1
    )
    x = torch.randn(BATCH, STEPS, INPUT)
    peer.build(x.shape)
    peer.set_weights([w.T.numpy(), u.T.numpy(), bias.numpy()])
    theirs, masks = keras_masks(peer, x)
    assert len(masks) == (2 if rate else 1)

    def ours(mask):
        if isinstance(mask, list):  # Keras has a mask for each gate as soon as there is recurrent_dropout
            mask = torch.stack([mask[k] for k in order], 1)
        return mask.detach().cpu()[None]

    inside = Masks(**dict(zip(("input", "recurrent"), map(ours, masks), strict=False)))
    gated = bool(rate) and mode != "RNN_TANH"
    assert inside.input.dim() == 3 + gated
    expected = Dropouts(input=0.3, recurrent=rate, per_gate=gated)
    layer.dropouts = expected
    ((drawn,),) = layer.draw_masks(STEPS, BATCH)
    assert {n: part.shape for n, part in parts(drawn).items()} == {
        n: p.shape for n, p in parts(inside).items()
    }
    assert set(inside.input.unique().tolist()) <= {0.0, *drawn.input.unique().tolist()}
    assert difference(layer(x, masks=((inside,),))[0], theirs) < 1e-5
    quiet = layer.eval()(x)[0]
    assert difference(quiet, peer(x.numpy(), training=False).detach().cpu()) < 1e-5
