"""The n-gram against a reference that follows the definition with dictionaries, and against its own rules."""

import math
from collections import Counter
from functools import cache

import pytest
import torch

from lessons.errors import LessonError
from lessons.ngram import NGram
from lessons.vocabulary import Vocabulary

TEXT = (
    "the cat sat on the mat; the rat ate the cat's hat. that cat! at the mat the cats chatter, and the bats "
    "scatter. a fat rat sat at a vat, and the cat that sat on that mat ate that. the end, at last; the end. "
) * 2 + "abracadabra, hocus pocus; what a hat that was and what a cat it had, the hatter said, and sat."
UNSEEN = "zebras eat that mat; the cats sat at a hatter's quiz"
VOCABULARY = Vocabulary.of(TEXT + UNSEEN)


def reference(text, order, symbols):
    """p(w | h) by the definition: Chen and Goodman's modified Kneser-Ney, with sets and dictionaries."""

    @cache
    def counts(length):
        if length == order:
            return Counter(text[i : i + length] for i in range(len(text) - length + 1))
        longer = {text[i : i + length + 1] for i in range(len(text) - length)}
        return Counter(gram[1:] for gram in longer)

    @cache
    def discounts(length):
        n = Counter(counts(length).values())
        if not all(n[k] for k in (1, 2, 3, 4)):
            return (0, 0.75, 0.75, 0.75)
        y = n[1] / (n[1] + 2 * n[2])
        d = [k - (k + 1) * y * n[k + 1] / n[k] for k in (1, 2, 3)]
        return (0, *d) if all(0 < d[k - 1] < k for k in (1, 2, 3)) else (0, 0.75, 0.75, 0.75)

    def p(w, h):
        length = len(h) + 1
        shorter = p(w, h[1:]) if h else 1 / len(symbols)
        c, d = counts(length), discounts(length)
        after = {s: c[h + s] for s in symbols}
        total = sum(after.values())
        if not total:
            return shorter
        taken = sum(d[min(k, 3)] for k in after.values())
        return (after[w] - d[min(after[w], 3)] + taken * shorter) / total

    return p


@pytest.mark.parametrize("order", [1, 2, 3, 5])
def test_equals_the_definition(order):
    model = NGram(order).fit(TEXT, VOCABULARY)
    p = reference(TEXT, order, VOCABULARY.symbols)
    for context in ("", "t", "the ", "cat", "zz", "quiz", "at th", "qui a", "the hatter and the ca"):
        h = context[max(len(context) - order + 1, 0) :]
        expected = [p(w, h) for w in VOCABULARY.symbols]
        assert model.predict(context).tolist() == pytest.approx(expected, rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("order", [1, 2, 3, 5, 8])
@pytest.mark.parametrize("text", [UNSEEN, TEXT[:60], "t"])
def test_bits_are_those_of_the_predictions(order, text):
    model = NGram(order).fit(TEXT, VOCABULARY)
    bits = [-math.log2(model.predict(text[:i])[VOCABULARY.symbols.index(c)]) for i, c in enumerate(text)]
    assert model.bits_per_character(text) == pytest.approx(sum(bits) / len(bits), rel=1e-12)


@pytest.mark.parametrize("order", [1, 3, 5])
def test_every_distribution_sums_to_one_and_excludes_nothing(order):
    model = NGram(order).fit(TEXT, VOCABULARY)
    for end in range(len(UNSEEN)):
        p = model.predict(UNSEEN[:end])
        assert p.shape == (len(VOCABULARY),) and p.min() > 0
        assert p.sum().item() == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("text", ["aaaaaaa", "abababab", "abcdefghijklmnop", "aab" * 5])
def test_texts_that_leave_nothing_to_estimate(text):
    model = NGram(3).fit(text)
    assert model.predict("a").sum().item() == pytest.approx(1)
    assert 0 <= model.bits_per_character(text) < math.inf


def test_longer_contexts_help_on_the_text_that_was_counted():
    bits = [NGram(order).fit(TEXT).bits_per_character(TEXT) for order in (1, 2, 3, 5)]
    assert bits == sorted(bits, reverse=True) and bits[-1] < bits[0] / 2


def test_uniform_noise_needs_all_its_bits():
    generator = torch.Generator().manual_seed(0)
    noise = "".join("abcdefgh"[k] for k in torch.randint(8, (6000,), generator=generator))
    bits = NGram(3).fit(noise[:3000]).bits_per_character(noise[3000:])
    assert 2.99 < bits < 3.3


def test_samples_are_repeatable_and_look_like_the_text():
    model = NGram(5).fit(TEXT)
    text = model.sample(200, context="the ", seed=3)
    assert len(text) == 200 and text == model.sample(200, context="the ", seed=3)
    assert text != model.sample(200, context="the ", seed=4)
    assert model.bits_per_character(text) < 2.5


def test_errors_are_sentences():
    with pytest.raises(LessonError, match="order 1 or more"):
        NGram(0)
    with pytest.raises(LessonError, match="counted nothing"):
        NGram(3).predict("a")
    with pytest.raises(LessonError, match="counted nothing"):
        NGram(3).bits_per_character("a")
    with pytest.raises(LessonError, match="longer than that"):
        NGram(3).fit("abc")
    with pytest.raises(LessonError, match="longer than that"):
        NGram(1).fit("")
    with pytest.raises(LessonError, match="too high"):
        NGram(15).fit(TEXT)
    with pytest.raises(LessonError, match="empty"):
        NGram(3).fit(TEXT).bits_per_character("")
    with pytest.raises(LessonError, match="Ω"):
        NGram(3).fit(TEXT).bits_per_character("Ω")


def test_repr_is_one_line():
    assert repr(NGram(3)) == "NGram(order=3, not fitted yet)"
    assert repr(NGram(1).fit("abcab")) == "NGram(order=1, 3 different)"
