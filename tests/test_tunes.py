"""Tune books become documents without names and copies; tunes made by rule; what is checked of tunes."""

import os
import re

import numpy as np
import pytest

from lessons import abc_reader, corpora, made_tunes, sources, tune_features, tune_scores, tunes
from lessons.errors import LessonError

BOOK = """% a comment
X:1
T:The First
T:Another Name
R:double jig
M:6/8
L:1/8
Z:"Transcribed by Some Body, some.body@example.org"
N:"collected by N. N."
K:D % two sharps
(A/B/)|"D"dAF {g}DFA |~d2e .fed|[1 edc d2A:|[2 edc d3|]
P:B
|:f3 !trill!gfe|dAF\\
DFA:||

X:2
T:Changes
M:C
K:G
GABc|
K:D
dedB|
"""


def test_a_tune_is_put_into_the_plain_form():
    first, second = tunes.split(BOOK)
    assert tunes.clean(first) == (
        "R:jig\nM:6/8\nL:1/8\nK:D\nA/B/|dAF DFA|d2e fed|1edc d2A:|2edc d3|]\n|:f3 gfe|dAF\nDFA:|\n"
    )
    assert tunes.clean(second) is None and tunes.title(first) == "The First"


def test_names_and_addresses_of_transcribers_do_not_come_through():
    ((name, text),) = tunes.tunes({"corpus/book/a.abc": BOOK.encode()})
    assert name == "book: The First" and "@" not in text and "Some" not in text


def test_copies_go_in_any_key_and_with_a_few_notes_changed():
    one = "K:D\n" + "dAFA dfaf|gfed cABc|dAFA dfaf|gfec d2d2|" * 2
    up = one.translate(str.maketrans("ABCDEFGabcdefg", "BCDEFGabcdefga"))
    changed = one.replace("gfec", "gfeg", 1)
    other = "K:D\n" + "ABcd efga|fdec dBAF|GBdB AFDF|EFGA BcdB|" * 2
    documents = [("one", one), ("up", up), ("changed", changed), ("other", other)]
    assert [name for name, _ in tunes.without_copies(documents)] == ["one", "other"]


@pytest.mark.parametrize(
    ("found", "bar"),
    [(" | ", "|"), ("||:", "|:"), (":||", ":|"), (":||:", "::"), ("|1 ", "|1"), (":|[2", ":|2")],
)
def test_bar_lines_have_one_spelling(found, bar):
    assert tunes._notes(f"ABc{found}dec|") == f"ABc{bar}dec|"


def test_made_tunes_keep_all_rules_and_are_always_the_same():
    made = made_tunes.make(60, seed=1)
    assert made == made_tunes.make(60, seed=1) != made_tunes.make(60, seed=2)
    found = tune_scores.judge_all([tunes.clean(raw) for raw in tunes.split(made)])
    assert set(found.values()) == {1.0}


def test_the_fallback_is_there_without_a_network():
    corpus = corpora.load("made-tunes", quiet=True)
    assert len(corpus.documents) > 1000 and not corpus.provenance.fallback
    assert corpus.provenance.way == "made here"


def test_made_tunes_are_those_that_the_registry_describes():
    assert sources.content_hash(made_tunes.members()) == sources.find("made-tunes").content_sha256


def test_without_network_and_cache_made_tunes_stand_in_and_say_so(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("UNROLLED_DATA", str(tmp_path))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    corpus = corpora.load("tunes")
    shown = capsys.readouterr()
    assert corpus.name == "made-tunes" and corpus.provenance.as_dict()["fallback"] is True
    assert "FALLBACK: 'made-tunes' stands in for 'tunes'" in shown.err and "FALLBACK for tunes" in shown.out


def test_real_books_or_their_fallback(capsys):
    corpus = corpora.load("tunes")
    if corpus.provenance.fallback:
        assert corpus.name == "made-tunes" and "stands in for 'tunes'" in capsys.readouterr().err
        return
    assert len(corpus.documents) == 3714 and len(corpus.vocabulary) == 59
    assert not re.search(r"@|http|www|%|\"", corpus.text)
    heads = re.findall(r"(?m)^([A-Z]):", corpus.text)
    assert heads == ["R", "M", "L", "K"] * 3714
    held = [text for name, text in corpus.documents if name in corpus.parts["test"]]
    shares = tune_scores.judge_all(held)
    assert shares["tunes that parse"] > 0.99 and shares["bars that add up"] > 0.97


def full(body, metre="6/8"):
    return list(tune_scores.adds_up(abc_reader.parse(f"M:{metre}\nL:1/8\nK:C\n{body}")))


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("A6|B6|", [True, True]),
        ("A6|B5|c6|", [True, False, True]),
        ("A|B6|c5:|d|e6|f5|]", [True] * 6),  # pick-ups, each with its own last bar
        ("A|B6|c6|", [False, True, True]),
        ("A6|B4:|c2|d6|e4|]", [True] * 5),  # a strain without pick-up, then one with
        ("A|B6|1c5:|2d5|]", [True] * 4),
        ("A|B6|1c5:|2d4|]", [True, True, True, False]),
        ("A6|B7|c6|]", [True, False, True]),
        ("A3:|B3|c6|]", [True] * 3),  # a bar cut in two by the repeat
    ],
)
def test_bars_add_up_pick_ups_allowed_for(body, expected):
    assert full(body) == expected


def test_a_verdict_says_what_it_says():
    good = tune_scores.judge("M:C\nL:1/4\nK:Am\n|:ABcd|edcA:|\n")
    assert good == tune_scores.Verdict(2, 2, True, True, 1.0)
    bad = tune_scores.judge("M:C\nL:1/4\nK:Am\n|:ABc|^e^dBd|\n")
    assert (bad.full, bad.tonic, bad.repeats) == (1, False, False) and bad.inside < 0.8
    assert "is no key" in tune_scores.judge("K:X\nA").error
    shares = tune_scores.summary([good, tune_scores.judge("K:X\nA")])
    assert list(shares.values()) == [0.5, 1.0, 0.5, 0.5]
    with pytest.raises(LessonError, match="at least one"):
        tune_scores.summary([])


TUNE = "R:jig\nM:6/8\nL:1/8\nK:D\nA|:d2e f(3gab|d>ef:|\n"


def test_features_know_only_what_has_been_read():
    whole = tune_features.features(TUNE)
    for end in range(22, len(TUNE)):
        part = TUNE[:end]
        if part[-1] in ">|:3(" or part.endswith(("(3g", "(3ga", "d>")):
            continue  # the reader refuses a tune that ends here
        seen = tune_features.features(part)
        for name, values in seen.items():
            assert np.array_equal(values, whole[name][:end]), (name, part)


def test_labels_say_where_there_are_three_eighths_to_a_beat():
    for metre, three in (("C", 0), ("3/4", 0), ("3/8", 0), ("6/8", 1), ("9/8", 1), ("12/8", 1)):
        found = tune_features.features(f"M:{metre}\nL:1/8\nK:D\nABc|")
        assert found["three to a beat"][-2] == three


def test_the_length_of_a_bar_is_followed_through_broken_rhythms_and_tuplets():
    found = tune_features.features("M:C\nL:1/8\nK:D\nA>B c<<d (3efg [Ac]2|A8|")
    places = found["place in the bar"]
    ends = {sign: place for sign, place in zip("A>B c<<d (3efg [Ac]2|", places[-24:-3], strict=True)}
    assert [ends[sign] for sign in "Bdg2"] == pytest.approx([1 / 4, 1 / 2, 3 / 4, 1])


def test_features_of_several_tunes_one_after_the_other():
    both = tune_features.features("\n" + TUNE + "\n" + TUNE)
    alone = tune_features.features(TUNE)
    for name, values in both.items():
        assert np.array_equal(values[1 : 1 + len(TUNE)], alone[name]), name
        assert np.array_equal(values[-len(TUNE) :], alone[name]), name
    at = TUNE.index("d2e")
    assert alone["place in the bar"][at : at + 3] == pytest.approx([1 / 6, 2 / 6, 3 / 6])
    assert alone["the bar is full"][TUNE.index("ab|") + 1] and not alone["the bar is full"][at + 2]
    assert alone["sharps of the key"][at] == 2 and alone["inside a repeat"][at]
