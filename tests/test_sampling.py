"""The die: its distribution, its rolls, and whole passages."""

import math

import pytest
import torch

from lessons import sampling
from lessons.char_rnn import CharModel
from lessons.errors import LessonError
from lessons.sampling import distribution, draw, generate, generate_at, place, stream
from lessons.vocabulary import Vocabulary

VOCABULARY = Vocabulary.of("abcdefghij\n")


@pytest.fixture(params=["lstm", "gru", "rnn"])
def model(request):
    torch.manual_seed(1)
    model = CharModel(VOCABULARY, request.param, hidden_size=12, num_layers=2, embedding_size=6, dropout=0.5)
    with torch.no_grad():
        model.readout.weight.mul_(8)  # an untrained model is too even to tell settings apart
    return model


def logits(*values):
    return torch.tensor(values, dtype=torch.float64, device="cpu")


def test_temperature_divides_the_logits():
    x = logits(2.0, 1.0, -1.0)
    assert torch.allclose(distribution(x, 0.5), (x / 0.5).softmax(-1))
    assert torch.allclose(distribution(x), x.softmax(-1))
    rows = distribution(x.expand(3, 3), torch.tensor([0.0, 1.0, 2.0], device="cpu"))
    assert torch.allclose(rows[1], x.softmax(-1)) and torch.allclose(rows[2], (x / 2).softmax(-1))
    assert rows[0].tolist() == [1, 0, 0]


def test_temperature_zero_is_the_limit_and_takes_the_first_of_equals():
    assert distribution(logits(1.0, 3.0, 3.0), 0).tolist() == [0, 1, 0]
    assert distribution(logits(1.0, 3.0, 2.0), 1e-300).tolist() == [0, 1, 0]
    assert distribution(logits(1e30, -1e30), 1e-6).tolist() == [1, 0]


def test_top_k_keeps_k_and_top_p_the_smallest_set_worth_p():
    x = logits(0.4, 0.3, 0.2, 0.1).log()
    assert torch.allclose(distribution(x, top_k=2), logits(4 / 7, 3 / 7, 0, 0))
    assert torch.allclose(distribution(x, top_p=0.65), logits(4 / 7, 3 / 7, 0, 0))
    assert torch.allclose(distribution(x, top_p=0.71), logits(4 / 9, 3 / 9, 2 / 9, 0))
    assert distribution(x, top_p=1e-9).tolist() == [1, 0, 0, 0], "one always stays"
    assert torch.allclose(distribution(x, top_k=3, top_p=0.5), logits(4 / 7, 3 / 7, 0, 0)), "k first, then p"
    assert torch.allclose(distribution(x, top_k=4, top_p=1), x.exp())
    assert (distribution(logits(1.0, 1.0, 1.0), top_k=2) > 0).sum() == 2, "ties do not add to k"


@pytest.mark.parametrize("temperature", [-1, -1e-9, math.nan, math.inf])
def test_a_temperature_that_is_none(temperature, model):
    with pytest.raises(LessonError, match="temperature is a number from 0"):
        distribution(logits(1.0, 2.0), temperature)
    with pytest.raises(LessonError, match="temperature"):
        generate(model, "a", 3, temperature)
    with pytest.raises(LessonError, match="temperature"):
        next(stream(model, "a", temperature=temperature))


@pytest.mark.parametrize(
    "cut", [{"top_k": 0}, {"top_k": 12}, {"top_p": 0}, {"top_p": 1.01}, {"top_p": math.nan}]
)
def test_cuts_out_of_bounds(cut, model):
    with pytest.raises(LessonError, match=next(iter(cut))):
        generate(model, "a", 3, **cut)


def test_the_roll_falls_where_the_stacked_probabilities_say():
    p = torch.tensor([0.0, 0.25, 0.0, 0.5, 0.25, 0.0], device="cpu")
    rolls = torch.tensor([0.0, 0.2499, 0.25, 0.7499, 0.75, 1 - 2**-24], device="cpu")
    assert place(p.expand(6, 6), rolls).tolist() == [1, 1, 3, 3, 4, 4]
    assert place(p, torch.tensor(1.0, device="cpu")).item() == 4, "a symbol of probability 0 is never drawn"


def test_draws_are_as_frequent_as_they_are_probable():
    p = torch.tensor([0.1, 0.2, 0.0, 0.7], device="cpu")
    generator = torch.Generator("cpu").manual_seed(0)
    counts = draw(p.expand(20_000, 4), generator).bincount(minlength=4) / 20_000
    assert torch.allclose(counts, p, atol=0.015)


def test_a_passage_comes_with_every_distribution(model):
    sample = generate(model, "abc", 50, temperature=0.8, top_k=5, seed=3)
    assert len(sample.text) == 50 and str(sample) == "abc" + sample.text
    assert VOCABULARY.decode(sample.indices) == sample.text
    assert sample.probabilities.shape == (50, 11) and sample.rolls.shape == (50,)
    assert torch.allclose(sample.probabilities.sum(-1), torch.ones(50, device="cpu"))
    assert torch.equal(place(sample.probabilities, sample.rolls), sample.indices), (
        "the rolls explain the text"
    )
    assert (sample.bits >= 0).all() and torch.isfinite(sample.bits).all()


def test_stepping_with_cells_gives_what_the_whole_model_gives(model):
    sample = generate(model.double(), "abc", 30, seed=1)
    model.eval()
    with torch.no_grad():
        whole, _ = model(model.encode(str(sample)))
    assert torch.allclose(whole[0, 2:-1].softmax(-1), sample.probabilities, atol=1e-12)


def test_a_seed_repeats_and_another_differs(model):
    first = generate(model, "abc", 60, seed=4)
    torch.rand(3)
    assert generate(model, "abc", 60, seed=4).text == first.text
    assert generate(model, "abc", 60, seed=5).text != first.text


def test_greedy_is_temperature_zero(model):
    greedy = generate(model, "abc", 20, greedy=True)
    assert greedy.text == generate(model, "abc", 20, temperature=0, seed=9).text
    assert greedy.probabilities.max(-1).values.eq(1).all()


def test_several_temperatures_share_their_rolls(model):
    samples = generate_at(model, [0, 0.5, 1, 2], "abc", 30, seed=2)
    assert [s.temperature for s in samples] == [0, 0.5, 1, 2]
    assert all(torch.equal(s.rolls, samples[0].rolls) for s in samples)
    assert len({s.text for s in samples}) > 1
    assert samples[2].text == generate(model, "abc", 30, 1, seed=2).text


def test_the_stream_goes_on_as_long_as_one_takes_from_it(model):
    taken = [symbol for symbol, _ in zip(stream(model, "ab", seed=4), range(25), strict=False)]
    sample = generate(model, "ab", 25, seed=4)
    assert "".join(d.symbol for d in taken) == sample.text
    assert [d.index for d in taken] == sample.indices.tolist()
    assert [d.roll for d in taken] == sample.rolls.tolist()
    assert torch.equal(taken[-1].probabilities, sample.probabilities[-1])


def test_an_empty_seed_starts_a_line(model):
    assert generate(model, "", 20, seed=1).text == generate(model, "\n", 20, seed=1).text
    assert str(generate(model, "", 5)) == generate(model, "", 5).text
    without = CharModel(Vocabulary.of("ab"), hidden_size=4, embedding_size=2)
    with pytest.raises(LessonError, match="never seen a newline"):
        generate(without, "", 5)


def test_characters_outside_the_vocabulary_are_named(model):
    with pytest.raises(LessonError, match=r"'<', 's' \(first at position 0"):
        generate(model, "<s", 5)


def test_no_characters_asked_for(model):
    with pytest.raises(LessonError, match="at least one character; 0"):
        generate(model, "a", 0)


def test_ctrl_c_keeps_what_was_drawn(model, monkeypatch):
    rolls = iter(range(8))
    real = sampling.place

    def interrupted(*arguments):
        if next(rolls) == 7:
            raise KeyboardInterrupt
        return real(*arguments)

    monkeypatch.setattr(sampling, "place", interrupted)
    sample = generate(model, "abc", 30)
    assert sample.interrupted and len(sample.text) == 7 and sample.probabilities.shape == (7, 11)
    assert model.training, "the model is as it was"


def test_the_model_and_the_learners_random_numbers_are_left_alone(model):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    model.train()
    generate(model, "abc", 10)
    assert model.training and torch.equal(torch.rand(3), expected)


def test_scores_that_are_no_numbers_are_refused():
    with pytest.raises(LessonError, match="no numbers"):
        sampling.distribution(torch.full((3,), float("nan"), device="cpu", dtype=torch.float32))
