"""Beam search against the list of all translations."""

import itertools
import math

import pytest
import torch

from lessons.beam import beam_search, length_penalty
from lessons.decoding import translate
from lessons.errors import LessonError
from lessons.seq2seq import Seq2Seq
from lessons.tokens import END, Characters

AB, ABC = Characters("ab"), Characters("abc")
LONGEST = 4


def network(**options):
    torch.manual_seed(3)
    model = Seq2Seq(ABC, AB, hidden_size=8, embedding_size=4, dtype=torch.float64, **options).eval()
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(2.5)  # so that translations are told apart
        model.decoder.readout.bias[END] -= 1
    return model


def every(model, sentence, alpha, beta):
    """All translations of up to LONGEST symbols, END included, with the score of equation 14, best first."""
    source, lengths = ABC.batch([sentence])
    found = []
    for length in range(LONGEST):
        for symbols in itertools.product("ab", repeat=length):
            target, _ = AB.batch(["".join(symbols)], end=True) if symbols else (torch.tensor([[END]]), None)
            reply = model(source, lengths, target)
            logp = float(reply.logits.log_softmax(-1).gather(2, target[..., None]).sum().detach())
            score = logp / ((5 + length + 1) / 6) ** alpha
            if beta:
                covered = reply.attended.weights[0].sum(0).clamp(max=1.0)
                score += beta * float(covered.log().sum().detach())
            found.append((score, "".join(symbols)))
    return sorted(found, reverse=True)


@pytest.mark.parametrize("alpha, beta", [(0, 0), (0.6, 0), (1.0, 0.4), (0, 1.0)])
@pytest.mark.parametrize("options", [{}, {"attention": "additive", "place": "before"}, {"feed": True}])
def test_a_wide_beam_finds_what_is_best_of_all(options, alpha, beta):
    model = network(**options)
    for sentence in ("abc", "cb"):
        wanted = every(model, sentence, alpha, beta)
        found = beam_search(model, sentence, 2**LONGEST, alpha, beta, longest=LONGEST).hypotheses[0]
        assert [one.text for one in found[:5]] == [text for _, text in wanted[:5]]
        for one, (score, _) in zip(found, wanted, strict=False):
            assert math.isclose(one.score, score, abs_tol=1e-9)


def test_a_narrow_beam_gives_true_scores_and_never_a_better_one():
    model = network()
    wanted = {text: score for score, text in every(model, "abc", 0.6, 0.2)}
    for width in (1, 2, 3):
        found = beam_search(model, "abc", width, 0.6, 0.2, longest=LONGEST).hypotheses[0]
        assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
        for one in found:
            assert not one.ended or math.isclose(one.score, wanted[one.text], abs_tol=1e-9)
        assert found[0].score <= max(wanted.values()) + 1e-9


def test_sentences_together_are_as_alone():
    model = network()
    together = beam_search(model, ["abc", "b", "cab"], 3, 0.6, 0.2, longest=6)
    for sentence, found in zip(["abc", "b", "cab"], together.hypotheses, strict=True):
        alone = beam_search(model, sentence, 3, 0.6, 0.2, longest=6).hypotheses[0]
        assert [one.text for one in found] == [one.text for one in alone]
        assert all(math.isclose(a.score, b.score, abs_tol=1e-9) for a, b in zip(found, alone, strict=True))
    assert together.best == [found[0].text for found in together.hypotheses]


def test_a_translation_that_never_ends_is_cut_and_said_to_be():
    model = network()
    with torch.no_grad():
        model.decoder.readout.bias[END] = -torch.inf
    best = beam_search(model, "abc", 2, longest=3).hypotheses[0][0]
    assert len(best.text) == 3 and not best.ended


def test_the_steps_for_a_picture():
    steps = beam_search(network(), "abc", 2, longest=LONGEST).steps
    assert all(len(step.parents) == len(step.symbols) == 2 for step in steps)
    assert set(steps[0].parents) == {0} and set(itertools.chain(*(step.symbols for step in steps))) <= set(
        "ab"
    )


def test_the_length_penalty_of_the_paper():
    assert length_penalty(1, 0.7) == 1 and length_penalty(7, 1) == 2 and length_penalty(7, 0) == 1


@pytest.mark.parametrize(
    "options, words",
    [
        ({"alpha": -1}, "not below 0"),
        ({"width": 0}, "width is"),
        ({"sentences": ""}, "Give a sentence|empty"),
        ({"sentences": "xyz"}, "never seen"),
        ({"beta": "much"}, "beta is"),
    ],
)
def test_what_does_not_fit(options, words):
    with pytest.raises(LessonError, match=words):
        beam_search(**{"model": network(), "sentences": "abc", **options})


def test_scores_that_are_no_numbers():
    model = network()
    with torch.no_grad():
        model.decoder.readout.bias[3] = torch.nan
    with pytest.raises(LessonError, match="no numbers"):
        beam_search(model, "abc", longest=3)


def test_no_coverage_without_attention():
    with pytest.raises(LessonError, match="beta is 0"):
        beam_search(network(attention=None), "abc", beta=0.2)


def test_the_model_stays_as_it_was():
    model = network().train()
    beam_search(model, "abc", longest=2)
    translate(model, "abc", longest=2)
    assert model.training
