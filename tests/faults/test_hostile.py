"""Hostile text in pictures of what users typed, files hold or models wrote: it is shown, not read."""

import itertools
import re

import pytest
import torch

from lessons import CharModel, bidirectional, labelled, seq2seq, trace
from lessons.run import Run
from lessons.tokens import Characters
from lessons.vocabulary import Vocabulary
from widgets import attention, deep_rnns, gates, gnmt, training
from widgets import bidirectional as ways

HOSTILE = "<img src=x onerror=alert(1)><a href='javascript:alert(1)'>x</a><script>alert(1)</script>&lt;"
SIGNS = "".join(sorted(set(HOSTILE)))
ACTIVE = re.compile(r"<(?!/?(b|i|br|sub|sup|span|em|extra)\b)")  # plotly's own, written by the pictures


def model():
    torch.manual_seed(0)
    return CharModel(Vocabulary.of(HOSTILE), hidden_size=8, num_layers=2, embedding_size=4)


def translator(**kind):
    torch.manual_seed(8)
    return seq2seq.Seq2Seq(Characters(SIGNS), Characters(SIGNS), hidden_size=8, **kind)


def both_ways():
    class From:
        def as_dict(self):
            return {}

    words = ["".join(word) for word in itertools.product("<>&;", repeat=4)]
    data = labelled.build("<script>", "<b>", "<i>", [(w, tuple(w), (*w[1:], "&")) for w in words], From())
    return bidirectional.networks(data, bidirectional.PRESETS["ci"])["both"]


def run():
    done = Run("<script>alert(1)</script>", "<img>", "bits", 0, "cpu", {"steps": 3}, losses=[3.0, 2.0, 1.0])
    done.gradient_norms, done.reason = [1.0, 1.0, 1.0], "<b>finished</b>"
    done.evaluations = [{"step": 0, "valid": 3.0}, {"step": 3, "valid": 1.0}]
    done.baselines = {HOSTILE: 2.0}
    return done


PICTURES = {
    "gates": lambda: gates.explore(trace(model(), HOSTILE), name="f"),
    "states of a stack": lambda: deep_rnns.states(trace(model(), HOSTILE)),
    "changes in a stack": lambda: deep_rnns.changes(model(), HOSTILE, place=5, letter="<"),
    "translations": lambda: attention.translations({HOSTILE: translator(attention="dot")}, HOSTILE[:30]),
    "eight layers": lambda: gnmt.network(
        seq2seq.gnmt(Characters(SIGNS), Characters(SIGNS), hidden_size=8, num_layers=3), HOSTILE[:12]
    ),
    "both directions": lambda: ways.influences(both_ways(), "<>&;"),
    "a training": lambda: training.curve(run()),
}


def strings(value):
    """All strings of a figure that plotly reads as its small HTML."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inside in value.items():
            if key not in ("meta", "template"):
                yield from strings(inside)
    elif isinstance(value, list | tuple):
        for inside in value:
            yield from strings(inside)


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_shows_it_as_text(name):
    shown = PICTURES[name]()
    figure = getattr(shown, "figure", shown).to_plotly_json()
    found = list(strings({"data": [dict(one) for one in figure["data"]], "layout": figure["layout"]}))
    assert found and any("&lt;" in one for one in found), "some of it is shown"
    assert not [one for one in found if ACTIVE.search(one)]
    if hasattr(shown, "close"):
        shown.close()
