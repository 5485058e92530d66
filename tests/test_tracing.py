"""Traces equal the step loop, whichever way they were come by; edits do what they say and no more."""

import copy
import gc
import weakref

import pytest
import torch
from torch import nn

from lessons import CharModel, tracing
from lessons.edits import Edit
from lessons.errors import LessonError
from lessons.tracing import trace, trace_step, xray
from lessons.vocabulary import Vocabulary
from lessons.xray import XrayUnavailable
from tests.recurrent_cases import (
    BATCH,
    FULL,
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


def differences(seen, right):
    """The largest difference between a trace and the reference, over everything in it."""
    return max(
        difference(seen[name, layer, direction], values.transpose(0, 1))
        for layer, directions in enumerate(right.named)
        for direction, rows in enumerate(directions)
        for name, values in rows.items()
    )


@on_every_layer
def test_a_trace_is_the_step_loop(mode, layers, both, lengths, dtype, device):
    one = case(mode, layers, both, dtype, device)
    with torch.no_grad():
        right = reference(one.layer, one.x, one.state, lengths)
    for model in (one.layer, one.peer):
        seen = trace(model, one.x, one.state, lengths)
        assert set(seen.names) == set(right.named[0][0])
        assert differences(seen, right) < TOLERANCE[dtype]
        assert difference(seen.output, right.output.transpose(0, 1)) < TOLERANCE[dtype]
        assert not seen.output.requires_grad


@pytest.mark.parametrize("mode", MODES)
def test_the_recovery_that_other_devices_use_is_the_step_loop_too(mode, monkeypatch):
    monkeypatch.setattr("lessons.closed_form.serves", lambda mode, x: False)
    monkeypatch.setattr("lessons.fast.by_sigmoid", lambda x: False)
    for both in (False, True):
        one = case(mode, 2, both)
        right = reference(one.layer, one.x, one.state, LENGTHS)
        assert differences(trace(one.layer, one.x, one.state, LENGTHS), right) < 1e-12


@pytest.mark.parametrize("mode", MODES)
def test_batch_first_and_packed_and_unbatched_input(mode):
    one = case(mode, 2, True)
    whole = trace(one.layer, one.x, None, LENGTHS)
    packed = nn.utils.rnn.pack_padded_sequence(one.x, LENGTHS, enforce_sorted=False)
    assert difference(trace(one.layer, packed)["h"], whole["h"]) == 0
    first = copy.deepcopy(one.layer)
    first.batch_first = True
    assert difference(trace(first, one.x.transpose(0, 1), None, LENGTHS)["h", 0, 1], whole["h", 0, 1]) == 0
    alone = trace(one.layer, one.x[:3, 1])
    assert difference(alone["h"], whole.select(1)["h"]) < 1e-12


@pytest.mark.parametrize(("layers", "both"), SHAPES)
@pytest.mark.parametrize("mode", MODES)
def test_an_xray_is_the_trace_and_outlives_backward(mode, layers, both):
    one = case(mode, layers, both, torch.float32)
    models = [one.layer, one.peer] if mode == "LSTM" else [one.layer]
    for model in models:
        output, _ = model(one.x, one.state)
        seen, plain = xray(output), trace(model, one.x, one.state)
        output.sum().backward()
        assert seen.labels == plain.labels
        for layer in range(layers):
            for direction in range(1 + both):
                for name in plain.names:
                    assert difference(seen[name, layer, direction], plain[name, layer, direction]) < 1e-5
                for name, part in plain.initial[layer][direction].items():
                    assert difference(seen.initial[layer][direction][name], part) == 0


@pytest.mark.parametrize("hidden", [4, 7, 16, 64, 128])
def test_the_workspace_rows_are_found_at_every_width(hidden):
    layer, x = nn.LSTM(3, hidden, bidirectional=True), torch.randn(5, 2, 3)
    seen, plain = xray(layer(x)[0]), trace(layer, x)
    assert max(difference(seen["f", 0, d], plain["f", 0, d]) for d in (0, 1)) < 1e-6


@pytest.mark.parametrize("mode", MODES)
def test_an_xray_knows_lengths(mode):
    one = case(mode, 2, True, torch.float32)
    output, _ = one.layer(one.x, one.state, LENGTHS)
    seen, plain = xray(output, LENGTHS), trace(one.layer, one.x, one.state, LENGTHS)
    for name in plain.names:
        assert max(difference(seen[name, k, d], plain[name, k, d]) for k in (0, 1) for d in (0, 1)) < 1e-5


def test_an_xray_refuses_what_it_cannot_read():
    one = case("LSTM", dtype=torch.float32)
    with pytest.raises(XrayUnavailable, match="gradients on"), torch.no_grad():
        xray(one.layer(one.x)[0])
    with pytest.raises(XrayUnavailable, match="No readable"):
        xray(case("LSTM").layer(case("LSTM").x)[0])
    with pytest.raises(XrayUnavailable, match="No readable"):
        xray(case("GRU").peer(case("GRU").x)[0])
    output, _ = one.layer(one.x)
    output.sum().backward()
    with pytest.raises(XrayUnavailable, match="before backward"):
        xray(output)
    with torch.autocast("cpu", torch.bfloat16), pytest.raises(XrayUnavailable):
        xray(one.layer(one.x)[0])


def test_an_xray_notices_another_layout(monkeypatch):
    monkeypatch.setattr("lessons.xray.row_length", lambda floats: floats + 16)
    with pytest.raises(XrayUnavailable, match="not laid out"):
        xray(nn.LSTM(3, 8)(torch.randn(5, 2, 3))[0])


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dtype", TOLERANCE)
def test_trace_step_is_a_forward_pass_and_its_trace(mode, dtype):
    one = case(mode, 2, True, dtype)
    output, _, seen = trace_step(one.layer, one.x, one.state)
    assert output.requires_grad
    assert difference(output.transpose(0, 1), seen.output) < TOLERANCE[dtype]
    assert differences(seen, reference(one.layer, one.x, one.state, FULL)) < TOLERANCE[dtype]


@pytest.mark.parametrize("mode", MODES)
def test_an_edited_run_that_changes_nothing_is_the_run(mode):
    one = case(mode, 2, True)
    for lengths in (FULL, LENGTHS):
        plain = trace(one.layer, one.x, one.state, lengths)
        same = trace(one.layer, one.x, one.state, lengths, {name: lambda v, t: v for name in plain.names})
        assert (same.origin, plain.origin) == ("edit", "trace")
        for layer in (0, 1):
            for direction in (0, 1):
                for name in plain.names:
                    assert difference(same[name, layer, direction], plain[name, layer, direction]) < 1e-12


@pytest.mark.parametrize("name", ["i", "f", "g", "o", "c", "h"])
def test_an_edit_holds_where_it_says_and_the_rest_follows(name):
    one = case("LSTM", 2, True)
    plain = trace(one.layer, one.x, one.state)
    edit = Edit(name, value=0.25, units=[2, 5], steps=range(3, 6), layer=0, direction=0)
    seen = trace(one.layer, one.x, one.state, edit=edit)
    held = seen[name, 0, 0][:, 3:6, [2, 5]]
    assert difference(held, torch.full_like(held, 0.25)) == 0
    assert difference(seen["h", 0, 0][:, :3], plain["h", 0, 0][:, :3]) < 1e-12
    assert difference(seen["h", 0, 1], plain["h", 0, 1]) < 1e-12
    assert difference(seen["h", 0, 0][:, 6:], plain["h", 0, 0][:, 6:]) > 1e-3
    assert difference(seen["h", 1, 0], plain["h", 1, 0]) > 1e-3
    assert difference(seen["c", 1, 1], plain["c", 1, 1]) > 1e-3


def test_a_shut_forget_gate_forgets():
    one = case("LSTM")
    seen = trace(one.layer, one.x, one.state, edit={"f": 0.0})
    assert difference(seen["c"], seen["i"] * seen["g"]) < 1e-12
    assert difference(seen["h"], seen["o"] * torch.tanh(seen["c"])) < 1e-12


def test_an_edit_takes_a_number_a_tensor_or_a_function_of_value_and_step():
    one = case("GRU")
    number = trace(one.layer, one.x, edit={"z": 1})
    assert difference(number["h"], torch.zeros(BATCH, STEPS, HIDDEN, dtype=torch.float64)) == 0
    column = torch.arange(BATCH, dtype=torch.float64)[:, None]
    assert difference(trace(one.layer, one.x, edit={"h": column})["h"][:, 4], column.expand(-1, HIDDEN)) == 0
    steps = trace(one.layer, one.x, edit={"r": lambda r, t: r * 0 + t})
    assert [float(value) for value in steps["r"][0, :, 0]] == list(range(STEPS))


def test_steps_of_an_edit_are_positions_in_the_input_in_both_directions():
    one = case("RNN_TANH", 1, True)
    seen = trace(one.layer, one.x, one.state, LENGTHS, Edit("h", 0.5, steps=[1], units=[0]))
    plain = trace(one.layer, one.x, one.state, LENGTHS)
    for direction in (0, 1):
        assert seen["h", 0, direction][:, 1, 0].tolist() == [0.5, 0.5, 0.0, 0.5]
    assert difference(seen["h", 0, 1][:, 2:], plain["h", 0, 1][:, 2:]) < 1e-12


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        ({"r": 0.0}, "no 'r'"),
        (Edit("f", 0.0, units=[7]), "units \\[7\\]"),
        (Edit("f", 0.0, steps=[9]), "steps \\[9\\]"),
        (Edit("f", 0.0, layer=1), "layers \\[1\\]"),
        (Edit("f", 0.0, direction=1), "directions \\[1\\]"),
        (Edit("f", torch.zeros(3), units=[1, 2]), "broadcast"),
    ],
)
def test_an_edit_that_points_at_nothing_is_refused(edit, words):
    with pytest.raises(LessonError, match=words):
        trace(case("LSTM").layer, case("LSTM").x, edit=edit)


def test_a_trace_answers_by_name_layer_and_direction():
    one = case("LSTM", 2, True)
    seen = trace(one.layer, one.x, one.state, LENGTHS)
    assert seen["f"] is seen.layers[1][0]["f"]
    assert seen["f", -2] is seen["f", 0] is seen.layers[0][0]["f"]
    assert seen["f", 0, 1] is seen.layers[0][1]["f"]
    assert (seen.num_layers, seen.num_directions, seen.hidden_size) == (2, 2, HIDDEN)
    assert (seen.batch_size, seen.steps, seen.names) == (BATCH, STEPS, ("i", "f", "g", "o", "c", "h"))
    assert difference(seen.initial[1][0]["c"], one.state[1][2]) == 0
    assert seen.labels[1] == ("0", "1", "2")
    assert "lstm" in repr(seen) and len(repr(seen)) < 100
    for key, words in (("r", "no 'r'"), (("f", 2), "no layer 2"), (("f", 0, 2), "no direction 2")):
        with pytest.raises(LessonError, match=words):
            seen[key]
    with pytest.raises(AttributeError):
        seen.cell = "gru"


def test_one_sequence_is_cut_to_its_length():
    one = case("LSTM", 1, True)
    seen = trace(one.layer, one.x, None, LENGTHS)
    alone = seen.select(1)
    assert (alone.batch_size, alone.steps, alone.lengths, alone.labels) == (1, 3, None, (("0", "1", "2"),))
    assert difference(alone["c", 0, 1], trace(one.layer, one.x[:3, 1:2])["c", 0, 1]) < 1e-12
    assert seen.numpy("c", direction=1, sequence=-1).shape == (6, HIDDEN)
    assert seen.numpy("c").dtype == "float32"
    with pytest.raises(LessonError, match="no sequence 4"):
        seen.select(4)


VOCABULARY = Vocabulary(tuple(" abcd"), None)


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_a_text_is_traced_with_its_characters(cell):
    model = CharModel(VOCABULARY, cell, hidden_size=6, num_layers=2, embedding_size=3, dropout=0.5)
    seen = trace(model, ["a cab", "dad"])
    assert seen.labels == (tuple("a cab"), tuple("dad"))
    assert seen.vocabulary == tuple(" abcd")
    assert seen.probabilities.shape == (2, 5, 5)
    alone, numbers = trace(model, "dad"), trace(model, model.encode("dad"))
    assert difference(alone.logits, seen.select(1).logits) < 1e-6
    assert difference(alone.logits, numbers.logits) == 0
    assert difference(alone.logits, trace(model, model.encode("dad")[0]).logits) == 0
    assert difference(alone.logits, model.eval()(model.encode("dad"))[0].detach()) < 1e-6
    assert difference(alone.probabilities.sum(-1), torch.ones(1, 3)) < 1e-6


def test_a_training_step_of_a_text_model_can_be_read():
    model = CharModel(VOCABULARY, hidden_size=6, embedding_size=3)
    logits, _, seen = trace_step(model, model.encode("a cab"))
    assert logits.requires_grad
    assert difference(seen["f"], trace(model, "a cab")["f"]) < 1e-6


@pytest.mark.parametrize("text", ["", [], ["ab", ""]])
def test_an_empty_text_is_refused(text):
    with pytest.raises(LessonError, match="empty text"):
        trace(CharModel(VOCABULARY, hidden_size=6), text)


def test_an_intervention_changes_the_next_character():
    model = CharModel(VOCABULARY, hidden_size=6, embedding_size=3)
    shut = trace(model, "a cab", edit={"o": 0.0})
    assert difference(shut.logits, model.readout.bias.expand_as(shut.logits)) < 1e-6
    assert difference(shut.logits, trace(model, "a cab").logits) > 1e-3


@pytest.mark.parametrize("mode", MODES)
def test_shapes_without_numbers(mode):
    one = case(mode, 2, True, torch.float32, "meta")
    seen = trace(one.layer, one.x)
    assert seen["h"].is_meta and seen["h", 0, 1].shape == (BATCH, STEPS, HIDDEN)
    assert trace(one.layer, one.x, edit={"h": 0.0})["h"].is_meta


def test_autocast_does_not_blur_a_trace():
    one = case("GRU", dtype=torch.float32)
    plain = trace(one.layer, one.x)
    with torch.autocast("cpu", torch.bfloat16):
        assert difference(trace(one.layer, one.x)["z"], plain["z"]) < 1e-6


def test_names_are_those_of_the_cells():
    assert tracing.NAMES["gru"] == ("r", "z", "n", "q", "h")
    assert INPUT != HIDDEN


def test_a_trace_does_without_the_xray(monkeypatch):
    one = case("LSTM", 2, True, torch.float32)
    plain = trace(one.layer, one.x, one.state)
    monkeypatch.setattr("lessons.xray.may_read", lambda mode, x: False)
    again = trace(one.layer, one.x, one.state)
    for name in plain.names:
        assert difference(again[name, 1, 1], plain[name, 1, 1]) < 1e-5


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("mode", MODES)
def test_a_layer_without_biases_is_traced(mode, dtype):
    one = case(mode, 2, True, dtype, bias=False)
    right = reference(one.layer, one.x, one.state, FULL)
    assert differences(trace(one.layer, one.x, one.state), right) < TOLERANCE[dtype]


@pytest.mark.parametrize("mode", MODES)
def test_a_network_that_has_blown_up_can_be_looked_at(mode):
    one = case(mode, dtype=torch.float32)
    one.x[4, 1] = float("nan")
    seen = trace(one.layer, one.x)
    assert seen["h"][1, :4].isfinite().all() and seen["h"][0].isfinite().all()
    assert seen["h"][1, 4:].isnan().all()


def test_a_trace_does_not_hold_the_model():
    one = case("LSTM", dtype=torch.float32)
    weights = weakref.ref(one.layer.weight_ih_l0)
    seen = trace(one.layer, one.x)
    del one
    gc.collect()
    assert weights() is None and seen["f"].isfinite().all()
