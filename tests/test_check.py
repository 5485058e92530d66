"""The surface of lessons.check: what is printed, word for word where a notebook would compare it."""

import random

import numpy
import pytest
import torch

from lessons import check, exercises
from lessons.errors import LessonError


def said(capsys) -> str:
    return capsys.readouterr().out


@pytest.mark.parametrize("nothing", [lambda p, q: ..., lambda p, q: None, lambda p, q: (..., ...)])
def test_a_stub_is_not_attempted(capsys, nothing):
    check.nucleus(nothing)
    assert said(capsys) == "nucleus: not attempted yet.\n"


def test_not_implemented_is_not_attempted(capsys):
    def nucleus(probabilities, top_p):
        raise NotImplementedError

    check.nucleus(nucleus)
    assert said(capsys) == "nucleus: not attempted yet.\n"


def test_a_missing_return_is_named(capsys):
    def nucleus(probabilities, top_p):
        probabilities = probabilities / probabilities.sum()

    check.nucleus(nucleus)
    assert "as if its `return` line were missing." in said(capsys)


def test_nothing_in_one_case_only_is_no_stub(capsys):
    check.nucleus(lambda p, q: exercises.find("nucleus").solution(p, q) if q > 0.65 else None)
    assert "top_p 0.6, the function returns nothing, as if" in said(capsys)


def test_the_learners_error_is_one_sentence_with_their_line(capsys):
    def nucleus(probabilities, top_p):
        kept = probabilities[:2]
        return kept + probabilities  # sizes 2 and 5

    check.nucleus(nucleus)
    text = said(capsys)
    assert "stopped with RuntimeError: The size of tensor a (2)" in text
    assert "`return kept + probabilities  # sizes 2 and 5`" in text
    assert "Traceback" not in text and "File" not in text and text.count("\n") == 2


def test_addresses_and_long_messages_are_cut(capsys):
    class Odd(Exception):
        pass

    def nucleus(probabilities, top_p):
        raise Odd(f"{object()} " + "x" * 500)

    check.nucleus(nucleus)
    text = said(capsys)
    assert "0x…" in text and "x" * 200 not in text


@pytest.mark.parametrize(
    "answer, words",
    [
        (None, "not None"),
        (3, "takes the function itself"),
        (torch.zeros(2), "a tensor of shape (2,)"),
        (lambda: 1, "cannot be called with 2 arguments"),
        (lambda p, q: "text", "a value of type str"),
        (lambda p, q: {"p": p}, "a value of type dict"),
        (lambda p, q: torch.full_like(p, float("nan")), "holds NaN"),
        (lambda p, q: p[:2], "shape (2,) where (5,) is expected"),
        (lambda p, q: p.to(torch.complex64) * 1j, "differ"),
    ],
)
@pytest.mark.filterwarnings("ignore:Casting complex")
def test_strange_answers_are_answered(capsys, answer, words):
    check.nucleus(answer)
    text = said(capsys)
    assert text.startswith("nucleus: not yet.") and words in text


def test_nothing_of_the_input_is_shared_with_the_reference(capsys):
    def nucleus(probabilities, top_p):
        probabilities.zero_()
        return probabilities

    check.nucleus(nucleus)
    assert "not yet" in said(capsys)


def test_right_and_wrong_texts_are_the_same_at_every_run(capsys):
    def shaky(logits, temperature, generator):
        return torch.multinomial(torch.rand_like(logits), 1)[:, 0]

    def legacy(logits, temperature, generator):
        random.random()
        return torch.from_numpy(numpy.random.randint(0, 3, len(logits)))

    for answer in (shaky, legacy, exercises.find("softmax_sample").solution):
        texts = set()
        for _ in range(2):
            check.softmax_sample(answer)
            texts.add(said(capsys))
            torch.rand(3), random.random(), numpy.random.rand()
        assert len(texts) == 1


def test_checking_leaves_the_learners_dice_alone():
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    check.softmax_sample(exercises.find("softmax_sample").solution)
    assert torch.equal(before, torch.random.get_rng_state())


def test_an_unknown_exercise_lists_the_names():
    with pytest.raises(
        LessonError, match=r"nucleos.*Did you mean nucleus\?.*softmax_sample, bits_per_character"
    ):
        _ = check.nucleos
    assert not hasattr(check, "_repr_html_") and not hasattr(check, "nucleos")
    assert {"nucleus", "solution", "predict"} <= set(dir(check))
    with pytest.raises(LessonError, match="no exercise"):
        check.solution("nothing")


def test_hints_go_on_and_end_at_the_solution(capsys, monkeypatch):
    monkeypatch.setattr(check, "_hints_given", check.Counter())
    texts = []
    for _ in range(4):
        check.hint("next_window")
        texts.append(said(capsys))
    assert [text[:11] for text in texts] == ["Hint 1 of 3", "Hint 2 of 3", "Hint 3 of 3", "Hint 3 of 3"]
    assert 'check.solution("next_window")' in texts[-1]
    check.hint("next_window", 1)
    assert said(capsys) == texts[0]


def test_the_solution_is_shown_as_source(capsys):
    check.solution("next_window")
    text = said(capsys)
    assert text.startswith("def next_window(") and "return window[:-1], window[1:]" in text


def test_same_compares_parts(capsys):
    a, b = torch.ones(2, 3), (torch.zeros(2), 1.0)
    check.same({"h": a, "s": b}, {"h": a + 1e-7, "s": b})
    assert said(capsys) == "same: all 9 numbers agree to within 1e-05.\n"
    check.same({"h": a, "s": b}, {"h": a, "s": (b[0], 2.0)})
    assert said(capsys) == "different: the result['s'][1] is 1 where 2 is expected.\n"
    check.same(a, b)
    assert said(capsys).startswith("different: 1 parts")


def test_a_guess_is_noted_and_compared(capsys):
    guess = check.predict("runs that end in nan", 7, low=0, high=10, unit="runs")
    assert said(capsys) == "runs that end in nan: you say 7 runs. Noted.\n"
    guess.reveal(4)
    assert said(capsys) == "runs that end in nan: it is 4 runs; you said 7, 30% of the range above.\n"
    guess.reveal(7)
    assert said(capsys) == "runs that end in nan: it is 7 runs, as you said.\n"
    guess.reveal(float("nan"))
    assert "it is nan" in said(capsys)


def test_no_guess_and_odd_guesses_do_not_stop_the_notebook(capsys):
    guess = check.predict("bits", ..., low=0, high=8)
    assert said(capsys) == "bits: no guess yet. Put a number from 0 to 8 in place of the dots.\n"
    guess.reveal(2.1)
    assert said(capsys) == "bits: it is 2.1; you made no guess.\n"
    for odd in (9, "two", True, float("nan")):
        assert check.predict("bits", odd, low=0, high=8).value is None
        assert "Nothing is noted" in said(capsys)
