"""The microscope's kernel side: what goes to the browser, what comes back, and how problems are said."""

import gc
import weakref

import numpy as np
import pytest
import torch

from lessons import CharModel, trace
from lessons.errors import LessonError
from lessons.units import Score
from lessons.vocabulary import Vocabulary
from widgets import esm, theme, weights
from widgets.microscope import microscope

TEXT = "to be or not to be"


def model(cell="lstm", hidden=8, layers=1, symbols=TEXT, **settings):
    torch.manual_seed(0)
    return CharModel(Vocabulary.of(symbols, **settings), cell, hidden, layers, embedding_size=6)


def score(layer=0, values=(0.5, 0.9, 0.1), units=(2, 1, 0), clear=True):
    chance = 0.7 if clear else 0.99
    return Score("inside bold", "AUC", "c", layer, values, units, -1, chance)


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_weights_arrive_whole_and_in_place(cell):
    one = model(cell, layers=2)
    packed = weights.pack(one)
    floats = np.frombuffer(packed["weights"], "<f4")
    named = {f"recurrent.{k}": v for k, v in one.recurrent.named_parameters()}
    named |= {f"readout.{k}": v for k, v in one.readout.named_parameters()} | {
        "embedding": one.embedding.weight
    }
    assert len(packed["tensors"]) == len(named)
    for name, place in packed["tensors"].items():
        tensor = named.get(name, named.get(f"recurrent.{name}"))
        part = floats[place["offset"] : place["offset"] + tensor.numel()]
        assert place["shape"] == list(tensor.shape)
        np.testing.assert_array_equal(part.reshape(tensor.shape), tensor.detach().numpy())
    assert len(floats) == sum(p.numel() for p in one.parameters())
    assert packed["vocabulary"] == sorted(set(TEXT)) and packed["cell"] == cell


def test_weights_of_any_precision_go_as_float32():
    one = model()
    half = weights.pack(model().to(torch.bfloat16))
    assert len(half["weights"]) == len(weights.pack(one)["weights"])


def test_weights_that_are_not_finite_are_refused():
    one = model()
    with torch.no_grad():
        one.readout.bias[0] = float("nan")
    with pytest.raises(LessonError, match="bias is not finite"):
        weights.pack(one)
    assert "not finite" in microscope(one, TEXT).message


def test_it_starts_where_it_is_told():
    widget = microscope(model(layers=2), TEXT, unit=3, step=5, layer=0)
    assert (widget.text, widget.unit, widget.time, widget.layer, widget.colour) == (TEXT, 3, 5, 0, "c")
    assert widget._start == {name: getattr(widget, name) for name in widget._start}
    assert widget.message == "" and len(widget._models) == 1
    assert microscope(model("gru"), TEXT).colour == "h"


def test_scores_choose_the_first_unit_and_the_order():
    widget = microscope(model(hidden=3), TEXT, [score(), score(clear=False)])
    assert (widget.unit, widget.order) == (2, "follow:inside bold")
    assert [row["clear"] for row in widget._scores] == [True, False]
    assert widget._scores[0]["values"] == [0.5, 0.9, 0.1] and widget._scores[0]["chance"] == 0.7
    plain = {"feature": "x", "measure": "correlation", "signal": "h", "layer": 0, "values": [0.1, -0.8, 0.3]}
    assert microscope(model(hidden=3), TEXT, [plain]).unit == 1
    assert microscope(model(hidden=3, layers=2), TEXT, [score(layer=0)]).order == "swing"


def test_two_models_with_one_vocabulary_are_compared():
    widget = microscope(model(), TEXT, compare=model("gru", 5), names=("before", "after"))
    assert [one["name"] for one in widget._models] == ["before", "after"]
    other = microscope(model(), TEXT, compare=model(symbols="abc"))
    assert "another vocabulary" in other.message and len(other._models) == 1 and other.text == TEXT


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((torch.nn.LSTM(2, 3), TEXT), "model is a CharModel; an LSTM is not"),
        ((model(), 7), "text is a string; 7 is not"),
        ((model(), TEXT, [score()]), "scores are for 3 units and the model has 8"),
    ],
)
def test_problems_are_said_in_the_message_line(arguments, words):
    widget = microscope(*arguments)
    assert words in widget.message and widget._models == []


@pytest.mark.parametrize(("where", "words"), [({"unit": 8}, "units 0 to 7"), ({"layer": 2}, "no layer 2")])
def test_places_that_are_not_there_are_named(where, words):
    assert words in microscope(model(), TEXT, **where).message


def test_what_is_held_can_be_traced():
    one = model(layers=2)
    widget = microscope(one, TEXT)
    widget.edits = [
        {"model": 0, "layer": 1, "unit": 2, "name": "f", "value": 0.0, "steps": None},
        {"model": 0, "layer": 0, "unit": 1, "name": "c", "value": 1.0, "steps": [4, None]},
        {"model": 1, "layer": 0, "unit": 0, "name": "h", "value": 1.0, "steps": None},
    ]
    seen = trace(one, widget.text, edit=widget.clamps)
    assert len(widget.clamps) == 2
    assert (seen["f", 1][0, :, 2] == 0).all()
    assert (seen["c", 0][0, 4:, 1] == 1).all() and (seen["c", 0][0, :4, 1] != 1).all()


def test_what_is_read_is_what_the_model_knows():
    widget = microscope(model(), "to é be\n")
    assert widget.reads == "to  be"
    widget.text = "o" * 700
    assert len(widget.reads) == 600 and "600;" in esm.read("experiment.js")
    assert microscope(model(unknown="?"), "é to").reads == "? to"
    assert microscope(None, "é to").reads == ""


def test_it_says_in_one_line_what_it_is():
    assert (
        repr(microscope(model(), TEXT, unit=3))
        == "Microscope: LSTM 1 × 8 reads 18 characters; unit 3, step 1"
    )
    assert "model is a CharModel" in repr(microscope(None, TEXT))


def test_it_follows_the_chosen_theme():
    try:
        theme.use("dark")
        assert microscope(model(), TEXT).theme == "dark"
    finally:
        theme.use("light")
    assert microscope(model(), TEXT).theme == "auto"


def test_a_closed_microscope_is_freed():
    widget = microscope(model(), TEXT)
    seen = weakref.ref(widget)
    widget.close()
    assert widget._models == []
    del widget
    gc.collect()
    assert seen() is None
