"""Labelled sequences: letters aligned with phonemes, names with their roles, dealt fairly, counted right."""

import os
from dataclasses import replace

import pytest
import torch

from lessons import corpora, labelled, phonemes, readers, roles
from lessons.errors import LessonError

CLOSED = "http://127.0.0.1:9/simple"
DICT = b"""'bout B AW1 T
bake B EY1 K # a comment
bake(2) B EY2 K
knight N AY1 T
mc-x M
queue K Y UW1
"""


def spelt(spec):
    return [(word, tuple(sounds.split())) for word, sounds in spec.items()]


WORDS = spelt({
    "bat": "B AE T", "tab": "T AE B", "bit": "B IH T", "tib": "T IH B", "bite": "B AY T", "tibe": "T AY B",
    "kit": "K IH T", "kite": "K AY T", "knit": "N IH T", "knight": "N AY T", "night": "N AY T",
    "box": "B AA K S", "tax": "T AE K S", "nab": "N AE B", "tin": "T IH N", "ban": "B AE N",
    "sax": "S AE K S", "sit": "S IH T", "site": "S AY T", "kin": "K IH N", "tight": "T AY T",
    "sight": "S AY T", "six": "S IH K S",
})  # fmt: skip


def test_the_reader_takes_plain_words_once_without_stress():
    documents = dict(readers.pronunciations({"cmudict.dict": DICT}))
    assert documents == {"b": "bake B EY K\n", "k": "knight N AY T\n", "q": "queue K Y UW\n"}


def test_alignment_finds_silent_letters_and_double_sounds():
    found = dict(zip([word for word, _ in WORDS], phonemes.align(WORDS, learnt_from=99), strict=True))
    assert found["knight"] == ("-", "N", "AY", "-", "-", "T")
    assert found["bite"] == ("B", "AY", "T", "-") and found["box"] == ("B", "AA", "K+S")
    for word, sounds in WORDS:
        assert len(found[word]) == len(word)
        told = [part for label in found[word] if label != "-" for part in label.split("+")]
        assert tuple(told) == sounds


def test_what_cannot_be_aligned_gets_no_labels():
    (labels,) = phonemes.align([("ab", ("A", "B", "A", "B", "A"))], learnt_from=1)
    assert labels == () and not phonemes.fits("ab", ("A",) * 5) and not phonemes.fits("a" * 15, ("A",))


def test_expectation_is_a_probability_and_grows_likelier():
    names = sorted({sound for _, sounds in WORDS for sound in sounds})
    batch = phonemes.grouped(WORDS, names)[0]
    expected = batch.paths(phonemes.first_table(len(names)))
    assert torch.allclose(expected.sum((2, 3)), torch.ones(()), atol=1e-4)  # each letter emits something
    best = batch.paths(phonemes.first_table(len(names)), best=True)
    assert set(best.unique().tolist()) <= {0.0, 1.0} and torch.equal(best.sum((2, 3)).unique(), torch.ones(1))


@pytest.mark.parametrize(
    "family", [("bake", "bakes", "baked", "baking", "bakers"), ("walk", "walks", "walked", "walking")]
)
def test_a_stem_keeps_its_family_together(family):
    assert len({phonemes.stem(word) for word in family}) == 1
    assert len({labelled.deal(phonemes.stem(word)) for word in family}) == 1


def test_the_alignment_is_kept_and_a_damaged_copy_made_anew(tmp_path, monkeypatch):
    monkeypatch.setenv("UNROLLED_DATA", str(tmp_path))
    first = phonemes.kept(WORDS, "a")
    (place,) = tmp_path.glob("phonemes-*.json")
    monkeypatch.setattr(phonemes, "align", lambda words: pytest.fail("aligned again"))
    assert phonemes.kept(WORDS, "a") == first
    place.write_text('["x"]')
    monkeypatch.setattr(phonemes, "align", lambda words: first)
    assert phonemes.kept(WORDS, "a") == first and place.stat().st_size > 100


def test_a_full_disk_is_no_obstacle(tmp_path, monkeypatch, capsys):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("UNROLLED_DATA", str(tmp_path / "file" / "cache"))
    assert len(phonemes.kept(WORDS, "a")) == len(WORDS)
    assert "could not be kept" in capsys.readouterr().err


def test_without_a_network_code_stands_in_and_it_is_said(tmp_path, monkeypatch, capsys):
    from lessons import bidirectional

    for variable in ("PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS"):
        monkeypatch.setenv(variable, "")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", CLOSED)
    monkeypatch.setenv("UNROLLED_DATA", str(tmp_path))
    monkeypatch.setattr(roles, "CHARACTERS", 50_000)
    bidirectional.loaded.cache_clear()
    data = bidirectional.load(bidirectional.PRESETS["ci"])
    assert data.name == "roles in code" and data.provenance.fallback and data.provenance.asked == "cmudict"
    assert "FALLBACK: 'python-stdlib' stands in for 'cmudict'" in capsys.readouterr().err
    bidirectional.loaded.cache_clear()
    with pytest.raises(LessonError, match="no phonemes"):
        phonemes.from_corpus(corpora.load("cmudict", quiet=True))


CODE = """import os.path as p
from a.b import c
class A(B):
    async def f(self, x, *y, k=1, **z):
        é = g(x.m(1), k=f'{x!r}') + x.n
        for i, j in y: i += 1
        return lambda q: q
"""


def test_every_name_has_its_role():
    found = [list(zip(*line, strict=True)) for line in roles.lines(CODE)]
    told = [{sign: role for sign, role in line if role} for line in found]
    assert told[0] == dict.fromkeys(("os", "path", "p"), "import")
    assert told[1] == dict.fromkeys("abc", "import")
    assert told[2] == {"A": "class", "B": "read"}
    assert told[3] == {"f": "function", **dict.fromkeys(("self", "x", "y", "k", "z"), "parameter")}
    assert told[4] == {
        "é": "set",
        "g": "called",
        "x": "read",
        "m": "method",
        "k": "keyword",
        "n": "attribute",
    }
    assert told[5] == {"i": "set", "j": "set", "y": "read"}
    assert told[6] == {"q": "read"} and ("q", "parameter") in found[6]
    assert all(role == "" for line in found for sign, role in line if roles.symbol(sign) != roles.NAME)


@pytest.mark.parametrize(
    "sign, symbol",
    [("x_1", "name"), ("for", "for"), ("0x1f", "number"), (".5", "number"), ("b'a'", "string"), (":=", ":=")],
)
def test_names_numbers_and_strings_are_hidden(sign, symbol):
    assert roles.symbol(sign) == symbol


def test_a_typed_line_is_cut_or_refused():
    assert roles.cut('f(x, f"{a}")')[:4] == ("f", "(", "x", ",")
    with pytest.raises(LessonError, match="tokens"):
        roles.cut("x = '''")
    with pytest.raises(LessonError, match="no whole piece"):
        list(roles.lines("def f(:\n"))


def toy():
    """Sequences of two letters; the label is the other letter's, so that only the neighbour tells."""
    pairs = [(f"{a}{b}{k}", (a, b, "x"), (b, a, "")) for a in "abc" for b in "abc" for k in range(150)]
    return labelled.build("toy", "letter", "word", pairs, None)


def test_parts_are_dealt_by_key_and_numbered():
    data = toy()
    assert {name: len(part) for name, part in data.parts.items()}.keys() == {"train", "test", "valid"}
    part = data.parts["train"]
    assert len(part) > 0.8 * 1350 and part.x.shape == (len(part), 3)
    row = 5
    assert [data.symbols[k] for k in part.x[row].tolist()] == list(part.signs[row])
    assert part.y[row, 2] == -1 and data.labels[part.y[row, 0]] == part.signs[row][1]
    assert data.symbols[0] == labelled.BLANK and data.truth(("a", "b", "x")) == ("b", "a", "")
    assert data.truth(("z",)) is None and "toy: 4 symbols, 3 labels" in repr(data)
    some = part.some(torch.tensor([3, 1]))
    assert some.signs == (part.signs[3], part.signs[1])


def test_windows_count_what_they_say():
    data = toy()
    assert labelled.window(data, 1, 1) == (1.0, 1.0)
    alone, right = labelled.window(data)[0], labelled.window(data, 0, 1)[0]
    assert 0.2 < alone < 0.5 < right < 1.0
    guess = torch.tensor([[0, 1, 2], [0, 0, 0]])
    y = torch.tensor([[0, 1, -1], [0, 1, 2]])
    assert labelled.accuracy(guess, y) == (pytest.approx(3 / 5), 0.5)


def test_reading_on_asks_for_the_next_symbol():
    data = toy().reading_on()
    part = data.parts["train"]
    assert data.labels == data.symbols
    assert torch.equal(part.y[:, :-1], part.x[:, 1:]) and not part.y[:, -1].any()
    short = labelled.numbered([(("a",), ("a",)), (("a", "b"), ("a", "b"))], ("_", "a", "b"), ("a", "b"), str)
    pair = labelled.Labelled("s", "letter", "word", ("_", "a", "b"), ("a", "b"), {"train": short}, None)
    assert pair.reading_on().parts["train"].y.tolist() == [[0, -1], [2, 0]]


@pytest.mark.parametrize("text, words", [("", "at least one"), (3, "at least one"), ("ab!", "'!', letter 3")])
def test_what_cannot_be_read_is_said(text, words):
    with pytest.raises(LessonError, match=words):
        toy().read(text)


def test_rare_labels_take_their_sequences_with_them():
    pairs = [(str(k), ("a",), ("x" if k else "y",)) for k in range(300)]
    data = labelled.build("toy", "letter", "word", pairs, None, rare=0.01)
    assert data.labels == ("x",) and sum(map(len, data.parts.values())) == 299
    with pytest.raises(LessonError, match="too few"):
        labelled.build("toy", "letter", "word", pairs[:1], None)


def test_the_real_dictionary_or_its_fallback():
    corpus = corpora.load("cmudict", quiet=True)
    if corpus.provenance.fallback:
        pytest.skip("the dictionary cannot be had here")
    data = phonemes.from_corpus(replace(corpus, documents=corpus.documents[10:12]))  # k and l
    assert 7_000 < sum(map(len, data.parts.values())) < 15_000 and 35 < len(data.labels) < 70
    assert data.truth(tuple("knight")) == ("-", "N", "AY", "-", "-", "T")
    stems = {name: {phonemes.stem("".join(s)) for s in part.signs} for name, part in data.parts.items()}
    assert not stems["train"] & (stems["valid"] | stems["test"])
    alone, both = labelled.window(data)[0], labelled.window(data, 2, 2)[0]
    assert alone < 0.75 < both
