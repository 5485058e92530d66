"""Features by hand-made texts, scores by brute force, and units planted in noise that must be found."""

import json

import numpy as np
import pytest
import torch

from lessons import units
from lessons.char_rnn import CharModel
from lessons.errors import LessonError
from lessons.tracing import Trace, trace
from lessons.vocabulary import Vocabulary

PLAY = """# The Test

## ACT I

_Enter ANN and
BOB, with a drum_

**ANN**
Say "so (or [not]), O" Bob!
The end is NIGH.

**BOB**
Nay.

ANN
So, ANN.

"""
CODE = "def f(a):\n    # twice\n    return (a[0] +\n            a)  # so\n\n# end\nx = 1\n"
SCENE = (PLAY + CODE) * 30


def marked(text, name):
    """The text with everything but the feature's characters as dots, line ends as slashes."""
    labels = units.features(text)[name]
    return "".join(c if on else "." for c, on in zip(text.replace("\n", "/"), labels, strict=True))


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("a **B C**/d **e/f** *g*", "inside bold", "...*B C*.....*e/f*....."),
        ("****a", "inside bold", ".**.."),
        ("a//# ACT I/BO", "in a speaker's name", "............."),
        ("_a/b_ c _d//e", "inside italics", "_a/b...._d/.."),
        ('"a (b" c)', "inside quotation marks", '"a (b....'),
        ("“a” b", "inside quotation marks", "“a..."),
        ("(a [b] c) d) (e", "inside brackets", "(a [b] c......."),
        ("(a//b", "inside brackets", "(a/.."),
        ("# A b/c # d/#e", "inside a heading", "# A b.......#e"),
        ("x # a/# b/    # c", "in a comment", "..# a.........# c"),
        ("I am ANN. McX O'B", "in an upper-case word", "......NN.......'B"),
        ("it's a b1c", "in a word", "it's.a.b.c"),
        ("it's a b1c", "first letter of a word", "i....a.b.c"),
        ("ANN BO/He/ANN//BOB: /I//Enter", "in a speaker's name", ".NN BO..........OB: ........."),
        ("ANN/So/Y.//**BOB**/No./", "first line of a speech", "....So.............No.."),
        ("# ACT/So", "first line of a speech", "........"),
        ("a/b//c", "blank line", "..../."),
        ("aE, 7?", "vowel", "aE...."),
        ("aE, 7?", "capital letter", ".E...."),
        ("aE, 7?", "punctuation", "..,..?"),
        ("aE, 7?", "digit", "....7."),
    ],
)
def test_boolean_features(text, name, expected):
    assert marked(text.replace("/", "\n"), name) == expected


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("ab/c//d", "place in the line", "1201001"),
        ("ab/c//d", "place in the paragraph", "1234501"),
        ("ab c-de", "place in the word", "1201012"),
        ("a. B? c", "place in the sentence", "1012012"),
        ("a (b[c]) d", "depth of brackets", "0011221000"),
        ("  a b/ c/d", "indentation", "1222201100"),
    ],
)
def test_counts(text, name, expected):
    values = units.features(text.replace("/", "\n"))[name]
    assert values.dtype == np.float32
    assert "".join(str(int(value)) for value in values) == expected


def test_no_feature_looks_ahead():
    text = PLAY + CODE
    whole = units.features(text)
    for end in range(1, len(text), 7):
        for name, values in units.features(text[:end]).items():
            assert np.array_equal(values, whole[name][:end]), (name, end)


def test_features_of_an_empty_text_and_of_any_characters():
    assert {len(values) for values in units.features("").values()} == {0}
    assert {len(values) for values in units.features("é漢\ud800🎻").values()} == {4}


def test_features_cannot_be_changed_in_the_cache():
    with pytest.raises(ValueError, match="read-only"):
        units.features(PLAY)["vowel"][0] = True


def made_trace(text, activations, name="c"):
    """A trace of one layer in which one state is given: activations (T, H)."""
    values = torch.as_tensor(activations, dtype=torch.float32)[None]
    layers = (({key: values if key == name else torch.zeros_like(values) for key in "ifgoch"},),)
    first = {"h": values[:, 0], "c": values[:, 0]}
    return Trace("lstm", layers, values, (({**first},),), (tuple(text),))


def noise(hidden, seed=0):
    return np.random.default_rng(seed).standard_normal((len(SCENE), hidden))


def by_feature(found):
    return {score.feature: score for score in found}


def test_planted_units_are_found_with_their_sign():
    known, activations = units.features(SCENE), noise(12)
    activations[:, 3] += 6 * known["inside bold"]
    activations[:, 5] -= 6 * known["inside brackets"]
    activations[:, 8] += known["place in the line"]
    found = by_feature(units.scores(made_trace(SCENE, activations)))
    assert found["inside bold"].best == 3 and found["inside bold"].values[3] > 0.99
    assert found["inside brackets"].best == 5 and found["inside brackets"].values[5] < 0.01
    assert found["place in the line"].best == 8 and found["place in the line"].values[8] > 0.95
    for name in ("inside bold", "inside brackets", "place in the line"):
        assert found[name].clear and found[name].strength > 0.9
    assert "low there" in str(found["inside brackets"]) and "unit 3 of c" in str(found["inside bold"])


def test_noise_is_not_mistaken_for_meaning():
    found = [score for seed in range(4) for score in units.scores(made_trace(SCENE, noise(64, seed)))]
    assert sum(score.clear for score in found) <= 0.12 * len(found)
    assert all(abs(score.chance - (0.5 if score.measure == "AUC" else 0)) < 0.2 for score in found)


def test_a_unit_that_turns_around_in_the_second_half_is_not_clear():
    activations, half = noise(8), len(SCENE) // 2
    bold = units.features(SCENE)["inside bold"]
    activations[:half, 2] += 6 * bold[:half]
    activations[half:, 2] -= 6 * bold[half:]
    score = by_feature(units.scores(made_trace(SCENE, activations)))["inside bold"]
    assert score.best == 2 and score.sign == 1 and score.strength < -0.9 and not score.clear


def test_a_unit_that_follows_in_the_first_half_only_is_not_clear():
    activations, half = noise(8), len(SCENE) // 2
    activations[:half, 2] += 6 * units.features(SCENE)["inside bold"][:half]
    score = by_feature(units.scores(made_trace(SCENE, activations)))["inside bold"]
    assert score.best == 2 and score.strength < 0.3


def test_values_are_those_of_the_definitions():
    activations = noise(4).round(1)  # many ties
    found = by_feature(units.scores(made_trace(SCENE, activations)))
    half, known = len(SCENE) // 2, units.features(SCENE)
    for unit in range(4):
        a, label = activations[half:, unit], known["inside bold"][half:]
        on, off = a[label][:, None], a[~label][None]
        auc = ((on > off) + 0.5 * (on == off)).mean()
        assert found["inside bold"].values[unit] == pytest.approx(auc, abs=1e-5)

        ranks = [
            (x[:, None] > x[None]).sum(1) + 0.5 * (x[:, None] == x[None]).sum(1)
            for x in (a, known["place in the line"][half:])
        ]
        expected = np.corrcoef(*ranks)[0, 1]
        assert found["place in the line"].values[unit] == pytest.approx(expected, abs=1e-5)


def test_a_dead_unit_scores_nothing():
    activations = noise(3)
    activations[:, 1] = 0.25
    for score in units.scores(made_trace(SCENE, activations)):
        assert score.values[1] == pytest.approx(0.5 if score.measure == "AUC" else 0, abs=1e-6)
        assert score.units[-1] == 1


def test_scores_become_plain_rows():
    rows = [dict(score) for score in units.scores(made_trace(SCENE, noise(5)))]
    assert json.loads(json.dumps(rows))[0]["measure"] in {"AUC", "correlation"}
    for row in rows:
        assert len(row["values"]) == 5 and sorted(row["units"]) == list(range(5)) and row["layer"] == 0
    with pytest.raises(KeyError):
        units.scores(made_trace(SCENE, noise(5)))[0]["nothing"]


def test_table_names_the_best_units_and_what_is_chance():
    activations = noise(6)
    activations[:, 3] += 6 * units.features(SCENE)["inside bold"]
    found = units.scores(made_trace(SCENE, activations))
    head, bold, *_ = units.table(found, top=2).split("\n")
    assert head.startswith("feature") and bold.split()[:3] == ["inside", "bold", "0"]
    assert bold.split()[5] == "3:" and "no better than chance" in units.table(found)
    assert len(units.table(found).split("\n")) == len(found) + 1
    assert units.table(found, features=["vowel"], top=6).count(":") == 6
    with pytest.raises(LessonError, match="no scores of 'inside quotes'"):
        units.table(found, features=["inside quotes"])


@pytest.mark.parametrize(("sign", "arrow"), [(1, "↑"), (-1, "↓")])
def test_table_scores_a_low_unit_like_a_high_one(sign, arrow):
    activations = noise(6)
    activations[:, 3] += sign * 6 * units.features(SCENE)["inside bold"]
    found = units.scores(made_trace(SCENE, activations))
    row = units.table(found, top=1, features=["inside bold"]).split("\n")[1]
    best = next(score for score in found if score.feature == "inside bold").values[3]
    assert row.endswith(f"3: {max(best, 1 - best):.2f} {arrow}") and max(best, 1 - best) > 0.9


@pytest.mark.parametrize(("cell", "signal"), [("lstm", "c"), ("gru", "h"), ("rnn", "h")])
def test_scores_of_a_model(cell, signal):
    torch.manual_seed(0)
    model = CharModel(Vocabulary.of(SCENE), cell=cell, hidden_size=10, num_layers=2, embedding_size=8)
    seen = trace(model, SCENE)
    found = units.scores(seen, SCENE)
    assert {score.layer for score in found} == {0, 1} and {score.signal for score in found} == {signal}
    strengths = [score.strength for score in found if score.clear]
    assert strengths == sorted(strengths, reverse=True) and len(strengths) > 10
    assert [dict(score) for score in units.scores(seen)] == [dict(score) for score in found]
    assert {score.signal for score in units.scores(seen, signal="h")} == {"h"}


def test_scores_of_a_batch_of_different_lengths():
    torch.manual_seed(0)
    model = CharModel(Vocabulary.of(SCENE), hidden_size=6, embedding_size=8)
    texts = [SCENE[:1500], SCENE[700:3000]]
    found = units.scores(trace(model, texts), texts)
    assert found and all(len(score.values) == 6 for score in found)


def test_errors_are_sentences():
    with pytest.raises(LessonError, match="the text that was traced"):
        units.scores(made_trace(SCENE, noise(2)), SCENE[1:])
    with pytest.raises(LessonError, match="500 characters or more"):
        units.scores(made_trace(PLAY, np.zeros((len(PLAY), 2))))
    with pytest.raises(LessonError, match="often enough"):
        units.scores(made_trace("a" * 600, np.zeros((600, 2))))
