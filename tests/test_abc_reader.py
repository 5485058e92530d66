"""ABC read by our own reader: pitches, lengths, bars, repeats; and what it refuses, in one sentence."""

import random
from fractions import Fraction

import pytest

from lessons import abc_reader, made_tunes, repeats, tune_parts, tunes
from lessons.errors import LessonError

HEAD = "M:6/8\nL:1/8\nK:D\n"
LAWLESS = "|:][\"(){}<>^=_~-./\\%!+0123456789abcdefgzxABCDEFGZXyuvT \n\t':,&*@#$é\N{GRINNING FACE}KMLTw"


def pitches(body, key="C"):
    tune = abc_reader.parse(f"M:C\nL:1/8\nK:{key}\n{body}\n")
    return [note.pitches[0] if note.pitches else None for note in tune.notes]


def lengths(body, unit="1/8", metre="C"):
    tune = abc_reader.parse(f"M:{metre}\nL:{unit}\nK:C\n{body}\n")
    return [note.length / Fraction(1, 8) for note in tune.notes]


@pytest.mark.parametrize(
    ("body", "key", "expected"),
    [
        ("C c C, c' G,, b", "C", [60, 72, 48, 84, 43, 83]),
        ("F C f, =F F|F", "D", [66, 61, 66, 65, 65, 66]),  # an accidental lasts to the end of its bar
        ("^F f F,|F", "C", [66, 78, 54, 65]),  # in all octaves
        ("__B _A ^^G", "C", [69, 68, 69]),
        ("B E A", "Gm", [70, 63, 69]),
        ("F C G", "Amix", [66, 61, 67]),
        ("B E z x", "F", [70, 64, None, None]),
    ],
)
def test_pitches(body, key, expected):
    assert pitches(body, key) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("A A2 A/ A// A3/2 A/4 z3", [1, 2, 1 / 2, 1 / 4, 3 / 2, 1 / 4, 3]),
        ("A>B c<d A>>B", [3 / 2, 1 / 2, 1 / 2, 3 / 2, 7 / 4, 1 / 4]),
        ("(3ABc d", [2 / 3, 2 / 3, 2 / 3, 1]),
        ("(2AB (4ABcd", [3 / 2, 3 / 2, 3 / 4, 3 / 4, 3 / 4, 3 / 4]),
        ("(3:2:2A2B c", [4 / 3, 2 / 3, 1]),
        ("(3A>Bc", [1, 1 / 3, 2 / 3]),
        ("[ceg]2 [c2e2]", [2, 2]),
    ],
)
def test_lengths(body, expected):
    assert [float(one) for one in lengths(body)] == pytest.approx(expected)


def test_the_unit_stands_in_the_header():
    assert lengths("A2", unit="1/16") == [1] and lengths("A2", unit="1/4") == [4]
    default = [abc_reader.parse(f"M:{metre}\nK:C\nA\n").unit for metre in ("2/4", "6/8", "C")]
    assert default == [Fraction(1, 16), Fraction(1, 8), Fraction(1, 8)]


def test_five_notes_take_the_time_of_two_or_of_three():
    for metre, eighths in (("C", 2), ("3/4", 2), ("3/8", 2), ("6/8", 3), ("9/8", 3), ("12/8", 3)):
        assert sum(lengths("(5ABcde", metre=metre)) == eighths


def test_lines_may_end_as_on_windows():
    tune = abc_reader.parse("M:6/8\r\nL:1/8\r\nK:D\r\n|:ABc def|\r\nd3 d3:|\r\n")
    assert [bar.length for bar in tune.bars] == [Fraction(3, 4)] * 2
    assert abc_reader.plain(tune) == "M:6/8\nL:1/8\nK:D\n|:ABc def|\nd3 d3:|\n"


def test_bars_have_their_signs_and_endings():
    tune = abc_reader.parse(HEAD + "A|:dAF DFA|1ded cBA:|2ded c2z||[2g6|]")
    assert [(bar.left, bar.right, bar.ending) for bar in tune.bars] == [
        ("", "|:", 0), ("|:", "|", 0), ("|", ":|", 1), (":|", "||", 2), ("||", "|]", 2),
    ]  # fmt: skip
    assert [bar.length for bar in tune.bars] == [Fraction(1, 8)] + [Fraction(3, 4)] * 4


@pytest.mark.parametrize(
    ("body", "played"),
    [
        ("A|B|c|", "ABc"),
        ("A:|B|", "AAB"),
        ("|:A|B:|c|", "ABABc"),
        ("A|:B:|:c:|", "ABBcc"),
        ("A::B:|", "AABB"),
        ("|:A|1B:|2c|]d|", "ABAcd"),
        ("|:A|1B:|2c:|:d:|", "ABAcdd"),
        ("A||B:|c|", "ABBc"),
        ("|:A||B:|", "ABAB"),
        ("|:A|B|", "AB"),
        ("A|1B:|2c:|3d|]e|", "ABAcde"),
        (":|A:|", "AA"),
    ],
)
def test_repeats_and_endings_are_played_in_order(body, played):
    tune = abc_reader.parse("M:C\nL:1/4\nK:C\n" + body)
    names = [tune.text[tune.notes[one.note].begin] for one in tune.sounded()]
    assert "".join(names) == played
    assert len(tune.sounded(repeats=False)) == len(tune.notes)


@pytest.mark.parametrize(
    ("body", "closed"),
    [
        ("|:A:|", True),
        ("|:A|:B:|", False),
        ("A:|B|", True),
        ("|:A|", False),
        ("A::B:|", True),
        ("A::B|", False),
    ],
)
def test_a_repeat_that_opens_must_close(body, closed):
    assert repeats.closed(abc_reader.parse("K:C\n" + body).bars) == closed


def test_ties_make_one_sound_and_rests_none():
    heard = abc_reader.parse(HEAD + "A3-A3|z2A-|A3 B3|").sounded()
    assert [(one.start, one.length) for one in heard] == [
        (0, Fraction(3, 4)), (1, Fraction(1, 2)), (Fraction(3, 2), Fraction(3, 8)),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ABc\n", "K:D"),
        ("", "K:D"),
        ("K:H\nA", "is no key"),
        ("K:C\n", "no notes"),
        ("K:C\nz4|", "no notes"),
        ("M:7\nK:C\nA", "no metre"),
        ("M:4/3\nK:C\nA", "no metre"),
        ("L:1/3\nK:C\nA", "no unit"),
        ("K:C\nA&B", "'&B'"),
        ("K:C\nA|\nK:D\nB", "leave out the change"),
        ("K:C\nA[K:D]B", "leave out the change"),
        ("K:C\n(3AB", "inside a tuplet"),
        ("K:C\nA>", "broken rhythm"),
        ("K:C\n>A", "between two notes"),
        ("K:C\n-A", "a tie follows"),
        ("K:C\nA,,,,,,", "piano"),
        ("K:C\nA0", "longer than 0"),
        ("K:C\nA/0", "longer than 0"),
        ("K:C\nA" + "9" * 5000, "longer than 0"),
        ("K:C\nA/" + "9" * 5000, "no sign"),
        ("K:C\nA" + "/" * 5000, "no sign"),
        ("K:C\nA\u0663", "no sign"),  # a three in Arabic script
        ("M:1\u0662/8\nK:C\nA", "no metre"),
        ("K:C\nA\0", "no sign"),
        ("K:C\nA\ud800", "no sign"),
        ("K:C\n[ce", "'[ce'"),
        ("K:C\n(3(3ABc", "finish the first"),
        ("K:Fbloc\nA", "seven"),
        ("K:C\n" + "A" * 30_000, "at most"),
        (None, "a string; None is not"),
        (b"K:C\nA", "a string; b'K:C"),
    ],
)
def test_what_is_wrong_is_one_sentence(text, words):
    with pytest.raises(LessonError) as problem:
        abc_reader.parse(text)
    assert words in str(problem.value) and "\n" not in str(problem.value)


@pytest.mark.parametrize("seed", range(300))
def test_whatever_a_network_may_write_is_read_or_refused(seed):
    dice = random.Random(seed)
    body = "".join(dice.choice(LAWLESS) for _ in range(dice.randrange(1, 60)))
    try:
        tune = abc_reader.parse(f"M:{dice.choice(['C', '6/8', '2/4'])}\nK:G\n{body}")
    except LessonError as problem:
        assert "\n" not in str(problem)
        return
    assert set(abc_reader.plain(tune)) <= set(PLAIN), body
    assert abc_reader.parse(abc_reader.plain(tune)).sounded() == tune.sounded()


PLAIN = "ABCDEFGabcdefgzx0123456789/,'^_=<>(:|[]- \nMLKm"  # what another program may get to see
HOSTILE = """X:1
T:<script>alert(1)</script>
%%abc-include /etc/passwd
%%beginsvg
%%text <img src=x onerror=alert(1)>
C:"><svg onload=alert(1)>
M:6/8
L:1/8
K:D dorian %%MIDI program 1
"<b>bold</b>" A2B {g}!trill!c3 |
%%MIDI program 40
w:<iframe>la
I:abc-include secret.abc
(ABc) .d3 :|
"""


def test_nothing_but_notes_is_left_of_a_hostile_tune():
    tune = abc_reader.parse(HOSTILE)
    assert abc_reader.plain(tune) == "M:6/8\nL:1/8\nK:Ddor\nA2B c3 |\nABc d3 :|\n"


def test_plain_keeps_every_sound():
    for raw in tunes.split(made_tunes.make(40, seed=3)):
        tune = abc_reader.parse(raw)
        assert abc_reader.parse(abc_reader.plain(tune)).sounded() == tune.sounded()


def test_keys_know_their_scale():
    assert tune_parts.key("D").scale == tune_parts.key("Bm").scale == tune_parts.key("A mixolydian").scale
    assert (tune_parts.key("E Dorian").name, tune_parts.key("A minor").name) == ("Edor", "Am")
    assert tune_parts.key("Bb").tonic == 10 and tune_parts.key("F#m").sharps == 3
