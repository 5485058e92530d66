"""The character model, its task, and what bits per character mean."""

import math

import pytest
import torch

from lessons import char_rnn, corpora
from lessons.char_rnn import CharModel, CharTask, bits_per_character
from lessons.errors import LessonError
from lessons.vocabulary import Vocabulary

VOCABULARY = Vocabulary.of("abcdefgh \n")
TEXT = "".join(f"{n} green bottles, hanging on wall number {n * n}.\n" for n in range(300)).encode()


@pytest.fixture
def corpus(monkeypatch):
    monkeypatch.setattr(corpora.sources, "notice", lambda text: None)
    return corpora.user(TEXT, "bottles", quiet=True)


def task(corpus, **changes):
    preset = char_rnn.preset("ci").but(**changes)
    return CharTask(char_rnn.build(corpus.vocabulary, preset), corpus, preset)


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
@pytest.mark.parametrize("layers", [1, 3])
def test_step_by_step_is_the_same_as_all_at_once(cell, layers):
    model = CharModel(VOCABULARY, cell, 7, layers, 5, dropout=0.3, dtype=torch.float64).eval()
    tokens = torch.randint(len(VOCABULARY), (3, 9), device="cpu")
    whole, final = model(tokens)
    state = None
    for t in range(9):
        logits, state = model.step(tokens[:, t], state)
        assert torch.allclose(logits, whole[:, t], atol=1e-12)
    pairs = zip(final, state, strict=True) if cell == "lstm" else [(final, state)]
    assert all(torch.allclose(a, b, atol=1e-12) for a, b in pairs)


def test_a_model_is_rebuilt_from_its_config():
    model = CharModel(VOCABULARY, "gru", 7, 2, 5, dropout=0.25)
    again = CharModel(**model.config())
    assert again.config() == model.config()
    assert [p.shape for p in again.parameters()] == [p.shape for p in model.parameters()]


def test_the_forget_bias_is_where_it_was_asked_for():
    layer = CharModel(VOCABULARY, hidden_size=6, forget_bias=2.5).recurrent
    bias = (layer.bias_ih_l0 + layer.bias_hh_l0).detach()
    assert torch.allclose(bias[6:12], torch.full((6,), 2.5, device="cpu"))


def test_shapes_are_right_without_memory():
    model = CharModel(VOCABULARY, hidden_size=1024, num_layers=2, device="meta")
    logits, (h, c) = model(torch.zeros(5, 11, dtype=torch.long, device="meta"))
    assert logits.shape == (5, 11, 10) and h.shape == c.shape == (2, 5, 1024)


def test_an_unknown_cell_is_refused():
    with pytest.raises(LessonError, match="'transformer' is not"):
        CharModel(VOCABULARY, "transformer")


def test_batches_go_on_where_the_last_one_ended(corpus):
    t = task(corpus, batch_size=4, length=16)
    text = corpus.train
    for step in range(t.steps_per_epoch):
        characters, following, afresh = t.batch(step)
        assert characters.shape == following.shape == (4, 16) and afresh == (step == 0)
        begin = step * 16
        assert corpus.vocabulary.decode(characters[0]) == text[begin : begin + 16]
        assert corpus.vocabulary.decode(following[0]) == text[begin + 1 : begin + 17]
    other = t.batch(t.steps_per_epoch)
    assert other[2] and not torch.equal(other[0], t.batch(0)[0]), "the next epoch cuts elsewhere"
    assert torch.equal(t.batch(3)[0], t.batch(3)[0])


def test_the_carried_state_has_no_gradient_and_changes_the_loss(corpus):
    t = task(corpus)
    t.model.eval()
    loss, state = t.loss(t.batch(0), t.start())
    assert loss.requires_grad and not any(s.requires_grad for s in state)
    carried, _ = t.loss(t.batch(1), state)
    alone, _ = t.loss(t.batch(1), None)
    assert carried.item() != alone.item()
    x, y, _ = t.batch(1)
    assert t.loss((x, y, True), state)[0].item() == alone.item(), "a new epoch forgets"


def test_the_loss_is_in_bits(corpus):
    t = task(corpus)
    torch.nn.init.zeros_(t.model.readout.weight)
    torch.nn.init.zeros_(t.model.readout.bias)
    even = math.log2(len(corpus.vocabulary))
    assert t.loss(t.batch(0), None)[0].item() == pytest.approx(even, rel=1e-5)
    assert t.evaluate()["valid"] == pytest.approx(even, rel=1e-5)
    assert t.baselines()["uniform guess"] == even


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_bits_per_character_carries_the_state_across_windows(cell):
    torch.manual_seed(0)
    model = CharModel(VOCABULARY, cell, hidden_size=6, embedding_size=4)
    text = "abc def\ngh" * 40
    ids = model.encode(text)
    with torch.no_grad():
        logits, _ = model(ids[:, :-1])
    expected = -logits.log_softmax(-1).gather(-1, ids[:, 1:, None]).mean().item() / math.log(2)
    assert bits_per_character(model, text, streams=1, length=17) == pytest.approx(expected, rel=1e-5)
    assert bits_per_character(model, text) == pytest.approx(expected, rel=1e-5), "too short to divide"
    assert model.training


def test_bits_per_character_of_nothing():
    with pytest.raises(LessonError, match="at least two"):
        bits_per_character(CharModel(VOCABULARY), "a")


def test_the_streams_divide_among_processes_without_loss(corpus):
    t = task(corpus, batch_size=6)
    parts = [t.shard(k, 3) for k in range(3)]
    together = torch.cat([p.batch(2)[0] for p in parts])
    assert sorted(together.tolist()) == sorted(t.batch(2)[0].tolist())
    with pytest.raises(LessonError, match="evenly"):
        t.shard(0, 4)


def test_tasks_of_one_text_share_it(corpus):
    """Twenty tasks of lesson 10 that each held five million long integers took a gigabyte and a half."""
    first, second = task(corpus), task(corpus, hidden_size=9)
    assert first.train is second.train and first.train.element_size() == 2
    assert first.batch(0)[0].dtype == torch.long
    assert corpus.vocabulary.decode(first.train[:40].long()) == corpus.train[:40]


def test_the_ngram_is_a_line_in_the_curve(corpus):
    found = task(corpus, baseline_order=5).baselines()
    assert found["5-gram"] < found["letter frequencies"] < found["uniform guess"]


def test_the_report_is_on_the_test_text(corpus):
    t = task(corpus, baseline_order=3)
    report = t.report()
    assert report["test"] == bits_per_character(t.model, corpus.test)
    assert report["3-gram on test"] == char_rnn.ngram_bits(corpus, 3, corpus.test)


def test_less_text_is_less_for_the_ngram_too(corpus):
    t = task(corpus, baseline_order=3, train_characters=2000)
    assert corpus.vocabulary.decode(t.train) == corpus.train[:2000]
    assert t.baselines()["3-gram"] == char_rnn.ngram_bits(corpus, 3, t.valid, 2000)
    assert t.baselines()["3-gram"] != task(corpus, baseline_order=3).baselines()["3-gram"]


def test_a_text_too_short_for_its_batches_is_refused(corpus):
    with pytest.raises(LessonError, match="too few for 4000 streams of 32"):
        task(corpus, batch_size=4000)


def test_building_leaves_the_learners_random_numbers_alone():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    one, two = (char_rnn.build(VOCABULARY, char_rnn.preset("ci"), seed=s) for s in (0, 0))
    assert torch.equal(torch.rand(3), expected)
    assert torch.equal(one.readout.weight, two.readout.weight)
    assert not torch.equal(
        one.readout.weight, char_rnn.build(VOCABULARY, char_rnn.preset("ci"), 1).readout.weight
    )


def test_a_text_is_no_corpus_and_a_batch_is_not_empty():
    model = char_rnn.CharModel(Vocabulary(tuple("ab")), hidden_size=2, embedding_size=2)
    with pytest.raises(LessonError, match=r"corpora\.load"):
        model.task("abab", char_rnn.preset("ci"))
    with pytest.raises(LessonError, match="at least 1"):
        char_rnn.preset("ci").but(batch_size=0)


def test_the_preset_for_minutes_lets_adam_forget_in_a_hundred_steps():
    preset = char_rnn.PRESETS["cpu"]
    model = char_rnn.build(Vocabulary(("a", "b")), preset.but(hidden_size=4))
    assert preset.optimizer(model.parameters()).defaults["betas"] == (0.9, 0.99)
    assert preset.but(beta2=0.5).optimizer(model.parameters()).defaults["betas"] == (0.9, 0.5)
    with pytest.raises(LessonError, match="beta2 is a number from 0 to 1; 2 is not"):
        preset.but(beta2=2)
