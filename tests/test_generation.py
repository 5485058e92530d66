"""Lesson 13: media, whole documents by networks and n-grams, the study over temperature, and its pictures."""

import lzma
import random
import re

import pytest
import sympy
import torch

from lessons import (
    corpora,
    documents,
    generation,
    journals,
    latex,
    media,
    novelty,
    temperature_study,
    writing,
)
from lessons.char_rnn import CharModel
from lessons.errors import LessonError
from lessons.ngram import NGram
from lessons.training import fit
from lessons.vocabulary import Vocabulary
from lessons.writing import Written
from tools import icons as sheet_of_icons
from widgets import contact_sheet, renderings, sanitised, studio
from widgets import generation as pictures

TEXT = "<a />\n\n<bb />\n\n<a />\n<bb />\n\n" * 60
VOCABULARY = Vocabulary.of(TEXT)


@pytest.fixture(scope="module")
def model():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return CharModel(VOCABULARY, hidden_size=16, embedding_size=8)


def by_hand(model, begin, temperature, seed, longest):
    """One document with a full forward pass for every character."""
    dice, text = torch.Generator().manual_seed(seed), begin
    while not text.endswith("\n\n") and len(text) < len(begin) + longest:
        with torch.no_grad():
            scores = model(model.encode("\n\n" + text))[0][0, -1]
        stacked = (scores / temperature).softmax(-1).cumsum(0)
        roll = torch.rand(1, generator=dice)
        text += VOCABULARY.symbols[int(torch.searchsorted(stacked, roll, right=True))]
    return text


@pytest.mark.parametrize("begin", ["", "<a", "<a />\n"])
def test_a_document_is_what_rolling_by_hand_gives(model, begin):
    for seed in range(4):
        one = writing.write(model, 1, 0.9, begin, 90, seed)[0]
        expected = by_hand(model, begin, 0.9, seed, 90)
        assert one.ended == ("\n\n" in expected)
        assert one.text == (expected.partition("\n\n")[0] + "\n" if one.ended else expected)


def test_documents_end_by_themselves_or_are_cut(model):
    many = writing.write(model, 40, 1.0, "<", 70, seed=2)
    assert {one.ended for one in many} == {True, False} and len({one.text for one in many}) > 20
    assert all(one.text.endswith("\n") and "\n\n" not in one.text for one in many if one.ended)
    assert all(len(one.text) == 71 for one in many if not one.ended)
    assert many == writing.write(model, 40, 1.0, "<", 70, seed=2)
    assert model.training  # as it was before


def test_an_ngram_writes_by_the_same_rules():
    counted = NGram(4).fit(TEXT, VOCABULARY)
    some = writing.write(counted, 30, 0.3, "<", 80, seed=1)
    assert all(one.ended for one in some) and {one.text for one in some} <= set(documents.split(TEXT))
    cold = writing.write(counted, 2, 0, "<a", 80, seed=1)
    assert cold[0] == cold[1]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"temperature": -1}, "temperature"), ({"count": 0}, "count"), ({"begin": "é"}, "vocabulary"),
        ({"longest": 0}, "longest"), ({"seed": -1}, "seed"), ({"temperature": float("nan")}, "temperature"),
    ],
)  # fmt: skip
def test_odd_requests_get_a_sentence(model, change, words):
    with pytest.raises(LessonError, match=words):
        writing.write(model, **change)


def test_a_writer_without_line_ends_is_refused():
    with pytest.raises(LessonError, match="line end"):
        writing.write(NGram(2).fit("abcabc"))
    with pytest.raises(LessonError, match="line end"):
        writing.write(NGram(2))


def test_articles_are_well_formed_and_those_that_are_kept_are_what_is_written():
    made = journals.articles(40)
    assert [latex.fault(one) for one in made] == [""] * 40
    assert len(set(made)) == 40 and all("\n\n" not in one for one in made)
    if sympy.__version__ == journals.WRITTEN_WITH:
        assert journals.read()[:40] == made


@pytest.mark.parametrize("subject", journals.SUBJECTS, ids=lambda subject: subject.__name__)
def test_every_subject_keeps_to_the_commands_that_may_be_typeset(subject):
    dice = random.Random(3)
    for _ in range(6):
        article = subject(dice)
        assert latex.fault(article) == ""
        assert "<code>" not in sanitised.latex(article)


def test_the_journal_is_a_corpus_like_others():
    corpus = journals.corpus(60)
    parts = [corpus.train, corpus.valid, corpus.test]
    assert all(parts) and sum(len(documents.split(part)) for part in parts) == 60
    assert corpus.provenance.way == "generated" and not corpus.provenance.fallback
    with pytest.raises(LessonError, match="at least"):
        journals.corpus(5)


def test_a_damaged_journal_says_how_to_write_it_again(monkeypatch, tmp_path):
    monkeypatch.setattr(journals, "sample", lambda: tmp_path / "journals.tex.xz")
    assert journals.read() == []
    (tmp_path / "journals.tex.xz").write_bytes(lzma.compress(b"x")[:-9] + b"123456789")
    with pytest.raises(LessonError, match=r"lessons\.journals"):
        journals.read()


@pytest.mark.parametrize("name", media.MEDIA)
def test_what_people_wrote_is_well_formed_in_every_medium(name):
    medium, corpus = media.find(name), media.text(name)
    if corpus.provenance.fallback:
        pytest.skip("the text is not here")
    some = media.whole(corpus, "valid", 60)
    assert sum(medium.judge(one) == "" for one in some) >= 0.95 * len(some)
    assert sum(one.startswith(medium.begin) for one in some) > 0


def test_an_unknown_medium_names_those_there_are():
    with pytest.raises(LessonError, match="figure, html"):
        media.find("opera")


@pytest.mark.parametrize("name", media.MEDIA)
def test_the_networks_that_come_with_the_course_write_their_medium(name):
    model = generation.pretrained(name)
    medium = media.find(name)
    assert generation.checkpoint(name).stat().st_size < 4_000_000
    written = writing.write(model, 12, 0.7, medium.begin, 900, seed=5, lead=media.lead(media.text(name)))
    assert sum(one.ended and not medium.judge(one.text) for one in written) >= 2


def test_a_training_goes_down_and_draws_rows_of_drawings():
    corpus = corpora.user(TEXT * 8, "shapes", quiet=True)
    preset = generation.PRESETS["ci"].but(steps=12, evaluate_every=6)
    sheet = contact_sheet.growing(3)
    run = fit(generation.prepare(preset, corpus=corpus), watch=sheet, progress=False)
    assert run.losses[-1] < run.losses[0] and sorted(sheet.rows) == [0, 6, 12]
    assert all(len(row) == 3 for row in sheet.rows.values()) and "drawings" in repr(sheet)
    assert sheet._repr_html_().count("after") == 3


GOOD = Written('<path d="m2 2 20 20" />\n', True)
BAD = Written('<path d="m2 2 <script>alert(1)</script>', False)


def test_the_contact_sheet_shows_drawings_and_frames():
    rows = {step: [GOOD, BAD] for step in range(0, 2000, 100)}
    figure = contact_sheet.picture(rows)
    assert len(figure.layout.images) == 8 and len(figure.layout.shapes) == 16  # eight rows are shown
    assert all(image.source.startswith("data:image/svg+xml;base64,") for image in figure.layout.images)
    assert "1 are well formed" in figure.summary and "script" not in str(figure.layout.images)
    assert contact_sheet.picture({}).summary == "Nothing has been drawn yet."


def test_a_measure_counts_faults_and_copies():
    source = novelty.Source(GOOD.text * 20)
    found = temperature_study.measure(media.find("figure"), source, [GOOD, BAD])
    assert found["well formed"] == 0.5 and found["inside the frame"] == 1
    assert 0.5 < found["copied"] < 1 and found["longest copy"] == (len(GOOD.text) + 14) / 2


def test_a_curve_has_a_row_for_each_temperature(model):
    medium = media.find("figure")
    rows = temperature_study.curve(medium, model, novelty.Source(TEXT), (0.2, 1.0), 3, 40)
    assert [row["temperature"] for row in rows] == [0.2, 1.0]
    assert all(0 <= row[name] <= 1 for row in rows for name in ("well formed", "copied"))


def test_the_results_that_come_with_the_course_belong_to_its_networks():
    study = temperature_study.load()
    assert list(study["media"]) == list(media.MEDIA)
    for name, found in study["media"].items():
        assert found["checkpoint"]["sha256"] == temperature_study.digest(name)
        assert set(found["curves"]) == {temperature_study.NETWORK, temperature_study.COUNTED}
        for rows in found["curves"].values():
            assert [row["temperature"] for row in rows] == list(temperature_study.TEMPERATURES)
        assert found["held out"]["well formed"] > 0.9 and not found["provenance"]["fallback"]
        kept = found["samples"]["well formed"]
        assert kept and [media.find(name).judge(text) for text in kept] == [""] * len(kept)


def test_the_curves_are_the_results():
    study = temperature_study.load()
    figure = pictures.curves(study)
    assert len(figure.data) == 2 * 3 * len(study["media"])
    rows = study["media"]["html"]["curves"][temperature_study.NETWORK]
    column = list(study["media"]).index("html")
    drawn = figure.data[3 * 2 * column]
    assert drawn.y.tolist() == pytest.approx([100 * row["well formed"] for row in rows], abs=0.01)
    assert figure.layout.xaxis6.title.text == "temperature" and figure.layout.yaxis.title.text
    assert "html" in figure.summary
    assert len(pictures.curves(study, ["code"]).data) == 6
    with pytest.raises(LessonError, match="opera"):
        pictures.curves(study, ["opera"])


def test_the_picture_of_the_readme_is_made_of_the_samples():
    kept = temperature_study.load()["media"]["figure"]["samples"]["well formed"]
    drawn = sheet_of_icons.sheet(kept)
    assert sheet_of_icons.PLACE.read_text(encoding="utf-8") == drawn, "run `python -m tools.icons`"
    assert drawn.count("<svg ") == len(kept) + 1
    assert "alert" not in sheet_of_icons.sheet(['<path d="M1 1" onload="alert(1)" />'])


def test_missing_results_say_how_to_make_them(monkeypatch, tmp_path):
    monkeypatch.setattr(temperature_study, "place", lambda: tmp_path / "generation.json")
    with pytest.raises(LessonError, match="temperature_study"):
        temperature_study.load()
    (tmp_path / "generation.json").write_text('{"schema": 0}')
    with pytest.raises(LessonError, match="another form"):
        temperature_study.load()


HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)>$\\href{javascript:1}{x}$"


@pytest.mark.parametrize("name", [*media.MEDIA, "own"])
@pytest.mark.parametrize(
    "text", [HOSTILE, "", "def f():\n    return '<img src=x onerror=alert(1)>'\n", "\x00"]
)
def test_a_rendering_never_acts(name, text):
    shown = renderings.render(name, text)
    assert not re.search(r"<(script|img src=x|iframe|a )|[$\\](?!</span>)", shown)


def test_the_outline_shows_what_the_parser_sees():
    shown = renderings.outline(
        "def f(x):\n    if x > 1:\n        return x\n    try:\n        g()\n    except E:\n        h()\n"
    )
    assert re.findall(r"<strong>(\w+)", shown) == ["FunctionDef", "If", "Return", "Try", "Expr", "Expr"]
    assert "if x &gt; 1:" in shown and shown.count("<ul>") == shown.count("</ul>")
    assert "Nothing that Python can parse" in renderings.outline("def f(:")


@pytest.fixture
def desk(model):
    corpus = corpora.user(TEXT * 8, "shapes", quiet=True)
    opened = studio.explore("own", own=(model, corpus), temperature=1.0)
    yield opened
    opened.close()


def test_the_studio_writes_judges_and_measures(desk, model):
    lead = media.lead(corpora.user(TEXT * 8, "shapes", quiet=True))
    assert lead.endswith("\n\n") and len(lead) <= media.LEAD
    assert desk.sheet.written == writing.write(model, 1, 1.0, "", seed=0, lead=lead)[0]
    assert "Finished; nothing" in desk.summary or "Not finished" in desk.summary
    assert desk.sheet.copied == novelty.Source(TEXT * 8).share(desk.sheet.written.text, 12)
    desk.value(roll=3, temperature=0.5)
    assert desk.sheet.written == writing.write(model, 1, 0.5, "", seed=3, lead=lead)[0]
    assert f"{desk.sheet.longest.length} of its" in desk.controls.summary
    assert desk.controls.values == {"medium": 5, "temperature": 0.5, "begin": "", "roll": 3}


def test_the_studio_says_what_is_wrong_and_keeps_what_was(desk):
    before = desk.page.value
    desk.value(begin="é")
    assert "vocabulary" in desk.message and desk.page.value == before and desk.value()["begin"] == ""
    desk.value(begin="<a")
    assert desk.message == "" and desk.sheet.written.text.startswith("<a")
    with pytest.raises(LessonError, match="no control"):
        desk.value(heat=1)


def test_another_medium_begins_afresh(desk):
    desk.value(begin="<a")
    desk.value(medium="figure")
    assert desk.value()["begin"] == "" and desk.sheet.medium.name == "figure" and desk.message == ""
    assert desk.controls.values["begin"] == "" and 'role="meter"' in desk.page.value


@pytest.mark.parametrize(
    "change",
    [{"medium": ["figure"]}, {"models": 5}, {"own": (1, 2)}, {"judge": 3}, {"temperature": 9}, {"roll": 1.5}],
)
def test_the_studio_says_what_it_opens_with(change):
    with pytest.raises(LessonError, match=f"^{next(iter(change))} is"):
        studio.explore(**change)


@pytest.mark.parametrize("change", [{"medium": "opera"}, {"models": {"opera": None}}])
def test_the_studio_knows_its_media(change):
    with pytest.raises(LessonError, match="opera"):
        studio.explore(**change)
