"""The text strip's kernel side."""

import numpy as np
import pytest
import torch

from lessons import CharModel, trace
from lessons.vocabulary import Vocabulary
from widgets import text

LINE = "the quick brown fox\n"


def model(cell="lstm", hidden=8, layers=1):
    torch.manual_seed(0)
    return CharModel(Vocabulary.of(LINE), cell, hidden, layers, embedding_size=6)


def test_a_model_brings_its_weights_and_both_texts():
    widget = text.strip(model(layers=2), LINE, search=LINE * 3, unit=4)
    assert widget.message == "" and len(widget._models) == 1 and widget._trace == {}
    assert (widget.text, widget.search, widget.unit, widget.layer, widget.colour) == (
        LINE,
        LINE * 3,
        4,
        1,
        "c",
    )
    assert text.strip(model(), LINE, name="f").colour == "f"
    assert text.strip(model("gru"), LINE).colour == "h"


def test_it_says_in_one_line_what_it_is():
    assert repr(text.strip(model(), LINE, unit=3)) == "TextStrip: 20 characters, coloured by c of unit 3"
    assert "has its own text" in repr(text.strip(trace(model(), LINE), LINE))


def test_a_unit_that_is_low_where_its_feature_holds_starts_with_its_lowest_places():
    def score(sign):
        values = {"values": [0.5] * 8, "units": list(range(8)), "sign": sign}
        return [{"feature": "x", "measure": "AUC", "signal": "c", "layer": 0, **values}]

    assert text.strip(model(), LINE, scores=score(-1)).direction == "lowest"
    assert text.strip(model(), LINE, scores=score(1)).direction == "highest"


def test_a_trace_brings_its_values_in_order():
    seen = trace(model("gru", layers=2), [LINE, LINE[:5]])
    widget = text.strip(seen)
    packed = widget._trace
    values = np.frombuffer(packed["values"], "<f4").reshape(len(packed["names"]), 2, len(LINE), 8)
    for n, name in enumerate(packed["names"]):
        for layer in range(2):
            np.testing.assert_array_equal(values[n, layer], seen.numpy(name, layer))
    assert "".join(packed["characters"]) == LINE and widget._models == []


def test_a_large_trace_sends_its_states_only_and_a_huge_one_nothing(monkeypatch):
    seen = trace(model(), LINE)
    monkeypatch.setattr(text, "MOST_VALUES", 3 * len(LINE) * 8)
    assert text.strip(seen)._trace["names"] == ["c", "h"]
    monkeypatch.setattr(text, "MOST_VALUES", 10)
    widget = text.strip(seen)
    assert "too large" in widget.message and widget._trace == {}


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: text.strip(model(), ""), "nothing to read"),
        (lambda: text.strip(model()), "nothing to read"),
        (lambda: text.strip(model(), b"bytes"), "text is a string or None; b'bytes' is not"),
        (lambda: text.strip(torch.nn.Linear(2, 2), LINE), "model is a CharModel; a Linear is not"),
        (lambda: text.strip(trace(model(), LINE), LINE), "has its own text"),
        (lambda: text.strip(model(), "日本語"), "'日', '本', '語' (first at position 0)"),
        (lambda: text.strip(model(), LINE, "语"), "'语' (first at position 0)"),
        (lambda: text.strip(model(), LINE, unit=8), "no unit 8"),
        (lambda: text.strip(model(), LINE, layer=1), "no layer 1"),
        (lambda: text.strip(model(), LINE, name="z"), "no signal 'z'"),
    ],
)
def test_problems_are_said_in_the_message_line(call, words):
    assert words in call().message
