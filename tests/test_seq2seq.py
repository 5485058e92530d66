"""Encoder and decoder: one pass against the loop, lengths, decoding, traces, saving."""

import pytest
import torch

from lessons import checkpoints
from lessons.attention_trace import look
from lessons.decoding import decode, translate
from lessons.edits import Edit
from lessons.errors import LessonError
from lessons.jordan import Jordan
from lessons.seq2seq import Seq2Seq, gnmt
from lessons.sequence_model import CELLS
from lessons.tokens import BEGIN, END, PAD, Characters

ABC = Characters("abcdefgh")
WIRINGS = {
    "plain": {},
    "one vector": {"attention": None},
    "Bahdanau": {"attention": "additive", "place": "before", "cell": "gru"},
    "input feeding": {"feed": True},
    "coverage": {"attention": "concat", "coverage": True, "num_layers": 2},
    "location": {"attention": "location", "reading": "forward"},
    "gnmt": {
        "attention": "additive",
        "place": "bottom",
        "reading": "bottom",
        "num_layers": 3,
        "residual": True,
    },
    "gnmt, fed": {"attention": "dot", "place": "bottom", "encoder_size": 4, "feed": True, "num_layers": 2},
    "jordan": {"decoder_cell": "jordan", "attention": "dot"},
    "mixed cells": {"cell": "gru", "decoder_cell": "lstm"},
    "other mixture": {"cell": "lstm", "decoder_cell": "rnn", "reading": "backward", "bridge": "copy"},
    "no bridge": {"bridge": "zero", "num_layers": 2},
}
FUSED = ("plain", "one vector", "location", "gnmt", "jordan", "mixed cells", "other mixture", "no bridge")


def network(name="plain", **options):
    torch.manual_seed(1)
    options = {"dtype": torch.float64, **WIRINGS.get(name, {}), **options}
    return Seq2Seq(ABC, ABC, hidden_size=8, embedding_size=4, **options).eval()


def sentences():
    source, lengths = ABC.batch(["abc", "hgfedcba", "e"])
    target, _ = ABC.batch(["cb", "abcdefg", "hh"], end=True)
    return source, lengths, target


def largest(a, b):
    return float((a - b).abs().max().detach())


@pytest.mark.parametrize("name", WIRINGS)
def test_one_pass_is_the_loop(name):
    model, batch = network(name), sentences()
    assert model.decoder.fused == (name in FUSED)
    together, stepwise = model(*batch), model(*batch, loop=True)
    assert largest(together.logits, stepwise.logits) < 1e-12
    if together.attended:
        assert largest(together.attended.weights, stepwise.attended.weights) < 1e-12
    if name not in FUSED:
        with pytest.raises(LessonError, match="step by step"):
            read = model.read(*batch[:2])
            model.decoder(batch[2], read.states, read.memory)


@pytest.mark.parametrize("cell", CELLS)
def test_every_cell_of_the_course_translates(cell):
    model, batch = network(cell=cell, num_layers=2), sentences()
    assert largest(model(*batch).logits, model(*batch, loop=True).logits) < 1e-12


@pytest.mark.parametrize("name", WIRINGS)
def test_gradients_of_the_pass_are_those_of_the_loop(name):
    model, batch = network(name), sentences()

    def gradients(loop):
        model.zero_grad()
        model(*batch, loop=loop).logits.square().mean().backward()
        return [None if w.grad is None else w.grad.clone() for w in model.parameters()]

    for one, other in zip(gradients(False), gradients(True), strict=True):
        assert (one is None) == (other is None)
        assert one is None or largest(one, other) < 1e-10


def test_gradcheck_through_the_whole_network():
    model, (source, lengths, target) = network("gnmt"), sentences()
    weights = [model.decoder.attention.query.bias, model.bridge.maps["h"].bias]

    def run(*_):
        return model(source[:1, :3], lengths[:1], target[:1, :2]).logits

    assert torch.autograd.gradcheck(run, weights)


@pytest.mark.parametrize("name", WIRINGS)
def test_a_sentence_is_the_same_alone_and_among_longer_ones(name):
    model, (source, lengths, target) = network(name), sentences()
    together = model(source, lengths, target)
    alone = model(source[:1, :3], lengths[:1], target[:1, :3])
    assert largest(together.logits[:1, :3], alone.logits) < 1e-12
    changed = source.clone()
    changed[0, 3:] = 5
    assert largest(together.logits, model(changed, lengths, target).logits) < 1e-12
    assert translate(model, ["abc", "hgfedcba"], longest=6)[0] == translate(model, "abc", longest=6)


def test_what_is_fed():
    model, (source, lengths, target) = network(), sentences()
    truth = model(source, lengths, target).fed
    assert truth[:, 0].tolist() == [1, 1, 1] and torch.equal(truth[:, 1:], target[:, :-1])
    own = model(source, lengths, target, ratio=0.0, own="best")
    assert torch.equal(own.fed[:, 1:], own.logits[..., END:].argmax(-1)[:, :-1] + END)
    torch.manual_seed(0)
    half = model(source, lengths, target, ratio=0.5, own="best").fed[:, 1:] == truth[:, 1:]
    assert 0 < half.float().mean() < 1
    with pytest.raises(LessonError, match="own is"):
        model(source, lengths, target, own="worst")
    with pytest.raises(LessonError, match="ratio is a chance"):
        model(source, lengths, target, ratio=1.5)


def test_jordans_hidden_layer_does_not_see_itself():
    layer = Jordan(3, 4, decay=0.0, dtype=torch.float64)
    x = torch.randn(2, 5, 3, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(layer(x)[0][:, 4].sum(), x)
    assert (slope[:, :4] == 0).all() and (slope[:, 4] != 0).any()
    (slope,) = torch.autograd.grad(Jordan(3, 4, decay=0.5, dtype=torch.float64)(x)[0][:, 4].sum(), x)
    assert (slope != 0).any(-1).all()


def test_jordan_goes_on_where_it_stopped():
    layer, x = Jordan(3, 4, dtype=torch.float64), torch.randn(2, 6, 3, dtype=torch.float64)
    whole, _ = layer(x)
    first, state = layer(x[:, :2])
    second, _ = layer(x[:, 2:], state)
    assert largest(whole, torch.cat([first, second], 1)) < 1e-12


@pytest.mark.parametrize("name", WIRINGS)
def test_a_trace_has_what_was_translated_and_gates_that_fit(name):
    model = network(name)
    seen = look(model, ["abc", "hgfedcba"], longest=6)
    assert list(seen.texts) == translate(model, ["abc", "hgfedcba"], longest=6)
    one = seen.select(0)
    assert one.source_labels == (("a", "b", "c"),) and one.logits.shape[1] == len(one.written_labels[0])
    assert one.numpy("h", layer=0).shape == (len(one.written_labels[0]), 8)
    assert len(seen.encoder) == len(model.encoder.layers) and len(seen.decoder) == len(model.decoder.layers)
    if model.decoder.attention:
        assert one.weights.shape[2] == 3
        torch.testing.assert_close(seen.weights.sum(-1), torch.ones_like(seen.weights[..., 0]))
        assert (seen.weights[0, :, 3:] == 0).all()
    else:
        with pytest.raises(LessonError, match="no attention"):
            one.numpy("weights")


def test_a_trace_of_a_known_translation_is_the_pass():
    model = network("gnmt")
    source, lengths = ABC.batch(["abc"])
    target, _ = ABC.batch(["cba"], end=True)
    seen, reply = look(model, "abc", "cba"), model(source, lengths, target)
    assert largest(seen.logits, reply.logits) < 1e-12
    assert largest(seen.weights, reply.attended.weights) < 1e-12
    assert seen.fed_labels == (("⟨", "c", "b", "a"),)


def test_edits_reach_attention_and_gates():
    model = network("gnmt")
    plain = look(model, "abc", "cba")
    shut = look(model, "abc", "cba", edit=[Edit("energies", -1e9, units=[1], steps=[2])])
    assert shut.weights[0, 2, 1] == 0 and torch.equal(shut.weights[0, :2], plain.weights[0, :2])
    torch.testing.assert_close(shut.weights.sum(-1), plain.weights.sum(-1))
    only = torch.tensor([0.0, 0.0, 1.0])
    forced = look(model, "abc", "cba", edit=[Edit("weights", only, steps=[0])])
    torch.testing.assert_close(forced.contexts[0, 0], forced.memory[0, 2])
    assert largest(forced.logits, plain.logits) > 1e-6
    closed = look(model, "abc", "cba", edit=[Edit("f", 0.0, layer=1)])
    assert (closed["f", 1] == 0).all() and (closed["f", 0] > 0).all()


@pytest.mark.parametrize(
    "edit, words",
    [
        ({"z": 0.0}, "no 'z'"),
        ([Edit("weights", 0.0, units=[3])], "units .3.; there are 3"),
        ([Edit("f", 0.0, layer=9)], "names layers"),
        ([Edit("weights", torch.ones(7))], "must broadcast"),
    ],
)
def test_edits_that_point_at_nothing(edit, words):
    with pytest.raises(LessonError, match=words):
        look(network("gnmt"), "abc", "cba", edit=edit)


def test_decoding_stops_at_the_end_and_the_seed_decides_what_is_drawn():
    model = network()
    source, lengths, _ = sentences()
    with torch.no_grad():
        model.decoder.readout.bias[END] = 0.5
    drawn = [decode(model, source, lengths, 30, temperature=1.0, seed=seed) for seed in (0, 0, 1)]
    assert torch.equal(drawn[0], drawn[1]) and not (
        drawn[0].shape == drawn[2].shape and torch.equal(drawn[0], drawn[2])
    )
    for row in drawn[0].tolist():
        end = row.index(END) if END in row else len(row)
        assert set(row[end + 1 :]) <= {PAD} and not {PAD, BEGIN} & set(row[:end])
    with torch.no_grad():
        model.decoder.readout.bias[END] = 50.0
    assert decode(model, source, lengths).tolist() == [[END]] * 3


@pytest.mark.parametrize("name", WIRINGS)
def test_a_saved_network_translates_as_before(name, tmp_path):
    model = network(name)
    checkpoints.save(tmp_path / "model", model)
    again = checkpoints.load(tmp_path / "model")
    assert again.config() == model.config()
    assert translate(again.eval(), "abcdef", longest=6) == translate(model, "abcdef", longest=6)


def test_googles_network():
    model = gnmt(ABC, ABC, 8, 4, dropout=0.0, dtype=torch.float64)
    assert [layer.bidirectional for layer in model.encoder.layers] == [True, False, False, False]
    assert [layer.input_size for layer in model.decoder.layers] == [8, 16, 16, 16]
    assert model.decoder.fused and not gnmt(ABC, ABC, 8, 2, feed=True).decoder.fused
    assert largest(model(*sentences()).logits, model(*sentences(), loop=True).logits) < 1e-12


@pytest.mark.parametrize("name", WIRINGS)
def test_shapes_on_the_meta_device(name):
    model = network(name, device="meta")
    source, target = (torch.empty(2, n, dtype=torch.long, device="meta") for n in (5, 4))
    lengths = torch.empty(2, dtype=torch.long, device="meta")
    assert model(source, lengths, target).logits.shape == (2, 4, len(ABC))


@pytest.mark.parametrize(
    "options, words",
    [
        ({"cell": "brain"}, "cell is one of"),
        ({"decoder_cell": "brain"}, "decoder's cell"),
        ({"reading": "sideways"}, "encoder reads"),
        ({"bridge": "ferry"}, "bridge is one of"),
        ({"bridge": "copy", "encoder_size": 3}, "cannot be copied"),
        ({"attention": "best"}, "kind of attention"),
        ({"place": "top"}, "Attention stands"),
        ({"attention": None, "feed": True}, "nothing to cover"),
        ({"hidden_size": 0}, "hidden_size is"),
        ({"dropout": 2}, "dropout is"),
        ({"source": "abc"}, "source is"),
    ],
)
def test_what_cannot_be_built_is_said(options, words):
    with pytest.raises(LessonError, match=words):
        Seq2Seq(**{"source": ABC, "target": ABC, **options})


@pytest.mark.parametrize(
    "sentence, words",
    [
        ("", "Give a sentence"),
        ([], "Give a sentence"),
        ("xyz", "never seen 'x'"),
        (["a", ""], "empty"),
        (7, "sentences is"),
    ],
)
def test_sentences_that_cannot_be_read(sentence, words):
    with pytest.raises(LessonError, match=words):
        translate(network(), sentence)


def test_scores_that_are_no_numbers():
    model = Seq2Seq(ABC, ABC, hidden_size=4, embedding_size=3)
    with pytest.raises(LessonError, match="no numbers"):
        look(model, "abc", edit=Edit("weights", torch.tensor(torch.nan), steps=[0]), longest=2)
    with torch.no_grad():
        model.decoder.readout.bias[3] = torch.nan
    source, target = torch.tensor([[3, 4]]), torch.tensor([[5, 6, 7]])
    assert not model(source, None, target, ratio=0.0).logits.isfinite().all()  # drawn from, and no crash
    with pytest.raises(LessonError, match="no numbers"):
        look(model, "abc")


def test_as_many_translations_as_sentences():
    with pytest.raises(LessonError, match="as many translations"):
        look(network(), ["a", "b"], ["c"])


def test_a_network_in_training_stays_there_whatever_happens():
    model = Seq2Seq(ABC, ABC, hidden_size=4, embedding_size=3).train()
    gap = Edit("weights", torch.tensor(torch.nan))
    for wrong in (lambda: look(model, "abc?"), lambda: translate(model, "?"),
                  lambda: look(model, "abc", edit=Edit("weights", torch.ones(9))),
                  lambda: look(model, "abc", edit=gap, longest=1)):  # fmt: skip
        with pytest.raises(LessonError):
            wrong()
        assert model.training and model.encoder.training
