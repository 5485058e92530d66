"""How much was copied: by fingerprints, as slow counting by hand would have it."""

import random

import pytest

from lessons import novelty
from lessons.errors import LessonError


def by_hand(text: str, written: str) -> int:
    spans = {written[a:b] for a in range(len(written)) for b in range(a + 1, len(written) + 1)}
    return max((len(span) for span in spans if span in text), default=0)


@pytest.mark.parametrize("seed", range(12))
def test_the_longest_copied_span_is_the_one_that_counting_finds(seed):
    dice = random.Random(seed)
    text = "".join(dice.choice("ab\n—"[: 2 + seed % 3]) for _ in range(400))
    written = (
        "".join(dice.choice("ab\n—"[: 2 + seed % 3]) for _ in range(30)) + text[90 : 90 + 7 * (seed % 4)]
    )
    found = novelty.Source(text).longest(written)
    assert found.length == by_hand(text, written) == len(found.text)
    assert found.text in text and written[found.start :].startswith(found.text)


def test_a_whole_copy_and_nothing_at_all():
    text = "".join(random.Random(1).choices("abcdefgh", k=3000))
    source = novelty.Source(text)
    assert source.longest(text[500:1500]).length == 1000
    assert source.longest("xyz") == novelty.Copied(0, 0, "") and source.longest("").length == 0
    assert source.longest("zzaz") == novelty.Copied(1, 2, "a")
    assert novelty.spans(source, [text[:40], "z"]) == [40, 0]


def test_the_share_of_copied_spans_counts_every_place():
    source = novelty.Source("abcdefgh" * 3)
    assert source.share("abcdefghabcd", 4) == 1
    assert source.share("abcdxxxx", 4) == pytest.approx(1 / 5)
    assert source.share("abc", 4) == 0


def test_a_source_needs_a_text():
    with pytest.raises(LessonError, match="trained on"):
        novelty.Source("")
