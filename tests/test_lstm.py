"""Lesson 04: swapped squashes, weights from Keras, and the kernel side of the cell diagram."""

import gc
import re
import shutil
import subprocess
import weakref
from pathlib import Path

import pytest
import torch

from lessons import CharModel, char_rnn, lstm, trace
from lessons.errors import LessonError
from lessons.gradients import flow, reach
from lessons.recurrent import LSTM
from lessons.training import fit
from lessons.vocabulary import Vocabulary
from widgets import esm, page, theme
from widgets import lstm as pictures

TEXT = "to be or not to be"
SIZES = char_rnn.PRESETS["ci"].but(hidden_size=5, embedding_size=3)


def model(cell="lstm", layers=1):
    torch.manual_seed(0)
    return CharModel(Vocabulary.of(TEXT), cell, 6, layers, embedding_size=4)


# ------------------------------------------------------------------------------------------- swapped squashes


@pytest.mark.parametrize("lengths", [None, torch.tensor([7, 3])])
def test_the_usual_squashes_are_the_usual_lstm(lengths):
    torch.manual_seed(0)
    plain, x = LSTM(3, 4, batch_first=True), torch.randn(2, 7, 3)
    loop = lstm.SwappedLSTM(3, 4, batch_first=True)
    loop.load_state_dict(plain.state_dict())
    (mine, state), (theirs, expected) = loop(x, lengths=lengths), plain(x, lengths=lengths)
    torch.testing.assert_close(mine, theirs)
    torch.testing.assert_close(state, expected)


@pytest.mark.parametrize(
    ("swap", "name", "low"), [({"candidate": "sigmoid"}, "g", 0), ({"gates": "tanh"}, "f", -1)]
)
def test_a_swap_changes_the_range_and_nothing_before_it(swap, name, low):
    vocabulary = Vocabulary.of(TEXT)
    usual, other = lstm.swapped(vocabulary, SIZES), lstm.swapped(vocabulary, SIZES, **swap)
    for mine, theirs in zip(usual.parameters(), other.parameters(), strict=True):
        assert torch.equal(mine, theirs)
    was, now = (trace(one, TEXT)[name][0] for one in (usual, other))
    h = torch.zeros(1, 5)
    x = usual.embedding(usual.encode(TEXT))[:, 0]
    layer = usual.recurrent
    total = (x @ layer.weight_ih_l0.T + layer.bias_ih_l0 + h @ layer.weight_hh_l0.T + layer.bias_hh_l0)[0]
    mine = dict(zip("ifgo", total.chunk(4), strict=True))[name]
    squash = torch.sigmoid if name == "g" else torch.tanh
    torch.testing.assert_close(now[0], squash(mine).detach())
    assert not torch.allclose(was[0], now[0])
    assert (now > low).all() and (now < 1).all()


def test_swapped_models_train_and_refuse():
    from lessons import corpora

    text = corpora.load("pydoc", quiet=True)
    small = SIZES.but(steps=3, evaluate_every=3, corpus="pydoc")
    for swap in ({"gates": "tanh"}, {"candidate": "sigmoid"}):
        one = lstm.swapped(text.vocabulary, small, **swap)
        before = one.recurrent.weight_hh_l0.detach().clone()
        fit(one.task(text, small), progress=False)
        assert not torch.equal(before, one.recurrent.weight_hh_l0)
    with pytest.raises(LessonError, match="sigmoid or tanh, not 'relu'"):
        lstm.SwappedLSTM(2, 3, gates="relu")
    with pytest.raises(LessonError, match="one layer"):
        lstm.swapped(text.vocabulary, small.but(num_layers=2))


def test_gradients_through_swapped_squashes_are_refused():
    layer, x = lstm.SwappedLSTM(2, 3, batch_first=True, gates="tanh"), torch.randn(1, 4, 2)
    for ask in (lambda: flow(layer, x, lambda output: output.sum()), lambda: reach(layer, x)):
        with pytest.raises(LessonError, match="not derived for swapped squashes"):
            ask()
    x.requires_grad_()
    layer(x)[0].sum().backward()  # autograd still goes back through it
    assert x.grad.abs().sum() > 0


def test_presets_and_timing():
    for name in ("ci", "cpu", "gpu"):
        assert lstm.preset(name).corpus == "shakespeare-markdown" and lstm.preset(name).name == name
    task = lstm.timing("peephole", "ci")
    assert task.model.cell == "peephole" and task.preset.interval == 10


# ----------------------------------------------------------------------------------------- weights from Keras


@pytest.mark.parametrize("biased", [True, False])
def test_weights_from_keras_compute_what_keras_computes(biased, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    keras = pytest.importorskip("keras")
    layer, x = keras.layers.LSTM(4, return_sequences=True, use_bias=biased), torch.randn(2, 5, 3)
    layer.build(x.shape)
    kernels = [torch.randn(tuple(weight.shape)).numpy() for weight in layer.weights]
    layer.set_weights(kernels)
    theirs = layer(x).detach()
    mine, _ = lstm.from_keras(kernels)(x)
    torch.testing.assert_close(mine.detach(), theirs, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(
    "shapes",
    [
        ((3, 8), (2, 7)),
        ((3, 8), (8, 2)),
        ((3, 12), (2, 8)),
        ((3, 8), (2, 8), (4,)),
        ((3, 8),),
        ((3, 8), (8,)),
        ((3, 8), (2, 8), (8,), (8,)),
    ],
)
def test_what_is_no_keras_lstm_is_refused(shapes):
    with pytest.raises(LessonError):
        lstm.from_keras([torch.zeros(shape) for shape in shapes])


# ----------------------------------------------------------------------------------------------- the diagram


def test_the_diagram_starts_where_it_is_told():
    shown = pictures.diagram(model(layers=2), TEXT, unit=3, step=5, layer=0, drawing="greff")
    assert (shown.text, shown.unit, shown.time, shown.layer, shown.drawing) == (TEXT, 3, 5, 0, "greff")
    assert shown.message == "" and len(shown._models) == 1
    assert repr(shown) == f"LSTM diagram (greff): unit 3 at step 6 of {TEXT!r}"


def test_scores_choose_the_unit():
    values = [0.5, 0.4, 0.97, 0.5, 0.5, 0.5]
    row = {"feature": "x", "measure": "AUC", "signal": "c", "layer": 0, "values": values}
    assert pictures.diagram(model(), TEXT, scores=[row]).unit == 2


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"model": torch.nn.LSTM(2, 3)}, "this is a LSTM"),
        ({"model": model("gru")}, "this is a gru"),
        ({"text": ""}, "at least one character"),
        ({"text": 7}, "at least one character"),
        ({"drawing": "monet"}, "no drawing 'monet'"),
        ({"unit": 6}, "units 0 to 5"),
        ({"layer": 1}, "no layer 1"),
        ({"unit": "3"}, "unit is a whole number"),
        ({"step": 1.5}, "step is a whole number"),
        ({"scores": 5}, "scores is a list"),
    ],
)
def test_problems_are_said_in_the_message_line(given, words):
    shown = pictures.diagram(**{"model": model(), "text": TEXT} | given)
    assert words in shown.message and shown._models == [] and words in repr(shown)


def test_it_follows_the_chosen_theme_and_is_freed():
    try:
        theme.use("dark")
        shown = pictures.diagram(model(), TEXT)
    finally:
        theme.use("light")
    assert shown.theme == "dark" and pictures.diagram(model(), TEXT).theme == "auto"
    seen = weakref.ref(shown)
    shown.close()
    assert shown._models == [] and "closed" in repr(shown)
    del shown
    gc.collect()
    assert seen() is None


def test_the_bundle_and_the_page_carry_everything():
    text = esm.bundle("lstm.js")
    assert re.findall(r"^export .*", text, re.MULTILINE) == ["export default { render };"]
    assert text.count("://") == 1
    used = set(re.findall(r"var\((--\w+)\)", esm.read("lstm.css")))
    assert used <= set(re.findall(r"(--\w+):", esm.style()))
    document = page.document(pictures.diagram(model(), TEXT))
    assert "un-lstm-grid" in document and '"drawing":"olah"' in document


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_node():
    file = Path(__file__).parent / "js" / "lstm.test.mjs"
    done = subprocess.run(["node", "--test", str(file)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
