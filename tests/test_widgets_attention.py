"""Lesson 12: its pictures say what the network did, and what is changed by hand changes what is written."""

import itertools
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from lessons import crossing, length_study, translation
from lessons.attention_trace import look
from lessons.decoding import translate
from lessons.errors import LessonError
from lessons.experiments import attention_holds_with_length as experiment
from lessons.pairs import Pairs, provenance
from lessons.seq2seq import Seq2Seq, gnmt
from lessons.tokens import Characters
from lessons.training import fit
from widgets import attention as pictures
from widgets import gnmt as drawing
from widgets import theme

SIZES = translation.PRESETS["ci"].but(
    task="german", below=1000, beyond=0, count=1, steps=2, evaluate_every=2, hidden_size=32
)


@pytest.fixture(scope="module")
def mirror():
    """A network that has learnt to write three letters backwards: it must look from right to left."""
    rows = [("".join(word), "".join(word)[::-1]) for word in itertools.product("abc<", repeat=3)]
    parts = {"train": tuple(rows), "valid": tuple(rows[::7]), "test": tuple(rows[::5])}
    sizes = SIZES.but(steps=220, evaluate_every=220, learning_rate=2e-2, warmup=0, batch_size=32)
    task = translation.prepare(
        sizes, 0, Pairs("mirror", parts, provenance("mirror", rows, "1", "none", "these tests"))
    )
    fit(task, progress=False)
    assert task.scores("test")["exact"] > 0.9
    return task.model


@pytest.fixture(scope="module")
def german():
    """An untrained network of the lesson's letters."""
    return translation.prepare(SIZES).model


@pytest.fixture(autouse=True)
def light():
    yield
    theme.use("light")


def named(figure, name):
    return next(trace for trace in figure.data if trace.name == name)


def test_the_map_holds_the_trace(mirror):
    figure, seen = pictures.attend(mirror, "abc", 1), look(mirror, "abc")
    assert np.allclose(named(figure, "map").z, seen.numpy("weights"), atol=1e-6)
    assert np.allclose(named(figure, "energies").y, seen.numpy("energies")[1], atol=1e-6)
    assert np.allclose(named(figure, "weights").y, seen.numpy("weights")[1], atol=1e-6)
    context = np.asarray(named(figure, "context").z, dtype=float).ravel()[: seen.contexts.shape[-1]]
    assert np.allclose(context, seen.numpy("contexts")[1], atol=1e-6)
    chances = named(figure, "now")
    assert chances.x[-1] == pytest.approx(float(seen.probabilities[0, 1].max()))
    assert "Step 1 of “cba”" in figure.summary
    assert figure.layout.yaxis.ticktext == ("c", "b", "a", "⟩") and "“b”" in figure.layout.meta["title"]
    assert not named(figure, "untouched").visible and not figure.layout.shapes[1].visible


@pytest.mark.parametrize("always", [False, True])
def test_a_place_that_is_shut_out_has_no_weight_and_the_others_share(mirror, always):
    figure, plain = pictures.attend(mirror, "abc", 1, 1, "shut out", always=always), look(mirror, "abc")
    weights = np.asarray(named(figure, "map").z)
    assert weights[1, 1] == 0 and np.allclose(weights.sum(-1), 1, atol=1e-5)
    rest = plain.numpy("energies")[1][[0, 2]]
    assert np.allclose(weights[1, [0, 2]], np.exp(rest) / np.exp(rest).sum(), atol=1e-4)
    assert (weights[0, 1] == 0) == always
    assert named(figure, "energies").y[1] is None
    assert named(figure, "untouched").visible and "“b”, place 1, shut out" in figure.summary


def test_a_weight_that_is_set_takes_from_the_others_in_proportion(mirror):
    figure, plain = pictures.attend(mirror, "abc", 0, 0, "set", 0.25), look(mirror, "abc")
    weights, before = np.asarray(named(figure, "map").z)[0], plain.numpy("weights")[0]
    assert weights[0] == pytest.approx(0.25) and weights.sum() == pytest.approx(1, abs=1e-5)
    assert weights[1] / weights[2] == pytest.approx(before[1] / before[2], rel=1e-3)
    assert "at weight 0.25" in figure.summary


def test_looking_elsewhere_changes_what_is_written(mirror):
    """All weight on the wrong letter writes something else than the untouched network does."""
    texts = {pictures.staged(mirror, "abc", 0, place, "set", 1.0, True).now.texts[0] for place in range(3)}
    assert len(texts) > 1 and translate(mirror, "abc") == "cba"


def test_what_cannot_be_drawn_is_one_sentence_and_the_picture_stays(mirror, german):
    explorer = pictures.translations(mirror, "abc")
    before = explorer.figure
    for text, says in (
        ("abd", "'d'"),
        ("", "type something"),
        ("a" * 45, "room for 44"),
        ("١", "never seen"),
    ):
        explorer.value(text=text)
        assert says in explorer.message and explorer.figure is before, text
    explorer.value(text="cab", step=40, place=40)
    assert not explorer.message and "place" in explorer.summary
    explorer.value(text="a", change="shut out")
    assert "longer source" in explorer.message
    blind = Seq2Seq(Characters("ab"), Characters("ab"), hidden_size=4, attention=None)
    for picture in (pictures.attend, drawing.lit):
        with pytest.raises(LessonError, match="attention"):
            picture(blind, "ab")
    with pytest.raises(LessonError, match="no network"):
        pictures.attend({"dot": mirror}, "abc", network="general")
    with pytest.raises(LessonError, match="change"):
        pictures.attend(mirror, "abc", change="blind")
    for wrong in (lambda: pictures.attend(mirror, "abc", -1),
                  lambda: pictures.attend(mirror, "abc", weight=2.0),
                  lambda: pictures.translations({}), lambda: pictures.translations({"one": 3}),
                  lambda: pictures.translations(mirror, 3), lambda: drawing.network(None),
                  lambda: pictures.lengths({"one": {}}), lambda: pictures.lengths({"one": 3})):  # fmt: skip
        with pytest.raises(LessonError):
            wrong()


def test_a_click_chooses_step_and_place():
    def at(name, where):
        return pictures._clicked(SimpleNamespace(trace_name=name, point_inds=[where]))

    assert at("map", (2, 1)) == {"step": 2, "place": 1}
    assert at("weights", 3) == {"place": 3} and at("now", 3) is None


def test_digits_are_typed_for_words_and_the_right_answer_is_known(german):
    assert pictures.spelt(german, "45") == "forty-five" and pictures.truth(german, "45") == "fünfundvierzig"
    assert pictures.truth(german, "forty-five") == "" and pictures.truth(german, "1234567") == ""
    assert "fünfundvierzig is right" in pictures.attend(german, "45").summary
    digits = translation.prepare(SIZES.but(task="digits")).model
    assert pictures.truth(digits, "45") == "45"
    several = pictures.translations({"general": german, "digits": digits}, "45")
    several.value(network="digits")
    assert "45 is right" in several.summary


def test_a_tag_asks_for_its_language():
    model = translation.prepare(SIZES.but(task="tagged", below=100)).model
    assert (
        pictures.spelt(model, "<2da> 45") == "<2da> forty-five"
        and pictures.spelt(model, "45") == "forty-five"
    )
    assert pictures.truth(model, "<2da> 45") == "femogfyrre" and pictures.truth(model, "<2da> one") == ""
    figure = pictures.attend(model, "<2fr> 21")
    assert "vingt et un is right" in figure.summary or "vingt-et-un is right" in figure.summary
    assert figure.layout.xaxis.ticktext[0] == "<br>&lt;2fr&gt;"
    assert named(figure, "map").customdata[0][0] == "&lt;2fr&gt;"
    back = crossing.crossings(model, (21, 45), "da", "<2da> ")
    seen = look(model, ["<2da> forty-five"], ["femogfyrre"])
    places = (seen.weights * torch.arange(seen.weights.shape[-1])).sum(-1)[0]
    assert back[45] == pytest.approx(float(places[:3].mean() - places[5:10].mean()), abs=1e-4)


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_signs_are_escaped(mirror, mode):
    theme.use(mode)
    figure = pictures.attend(mirror, "<a<", 0)
    ticks = [*figure.layout.xaxis.ticktext, *figure.layout.yaxis.ticktext, *figure.layout.yaxis4.ticktext]
    assert "<" not in ticks and "&lt;" in ticks
    assert not any(
        "<<" in (note.text or "").replace("<b>", "") for note in drawing.lit(mirror, "<a<").layout.annotations
    )


def test_the_drawing_lights_up_with_what_the_layers_give():
    torch.manual_seed(0)
    model = gnmt(Characters("abc"), Characters("xyz"), hidden_size=8, num_layers=3, dropout=0.0)
    with torch.no_grad():
        model.decoder.readout.bias[2] = -9.0  # never ends
    figure, seen = drawing.lit(model, "abca", 2), look(model, "abca", longest=drawing.LONGEST).select(0)
    boxes = np.asarray(named(figure, "encoder").z)
    assert boxes.shape == (3, 4)
    assert np.allclose(boxes[2], seen.encoder[2][0].pow(2).mean(-1).sqrt(), atol=1e-6)
    lighted = np.asarray(named(figure, "decoder").z, dtype=float)
    assert np.isfinite(lighted[:, :3]).all() and np.isnan(lighted[:, 3:]).all()
    total = (seen["h", 0] + seen["h", 1] + seen["h", 2])[0].pow(2).mean(-1).sqrt()
    assert np.allclose(lighted[2, :3], total[:3], atol=1e-6)
    widths = [line.line.width for line in figure.layout.shapes[:4]]
    assert np.allclose(widths, 1 + 7 * seen.numpy("weights")[2], atol=1e-5)
    arrows = "".join(note.text for note in figure.layout.annotations if note.text)
    assert "⇄" in arrows and "→ +" in arrows and "lowest decoder layer asks" in figure.summary
    with pytest.raises(LessonError, match="room for 20"):
        drawing.lit(model, "a" * 21)


def test_crossing_is_where_the_gaze_goes(german):
    back = crossing.crossings(german, (21, 45))
    seen = look(german, ["twenty-one", "forty-five"], ["einundzwanzig", "fünfundvierzig"])
    places = (seen.weights * torch.arange(seen.weights.shape[-1])).sum(-1)
    assert back[21] == pytest.approx(float(places[0, :3].mean() - places[0, 6:13].mean()), abs=1e-4)
    assert back[45] == pytest.approx(float(places[1, :4].mean() - places[1, 7:14].mean()), abs=1e-4)
    assert len(crossing.CROSSED) == 72
    with pytest.raises(LessonError, match="not in 'fr'"):
        crossing.crossings(german, (21,), "fr")
    with pytest.raises(LessonError, match="30 has no units"):
        crossing.crossings(german, (21, 30))


def test_bands_sort_by_the_length_of_the_source(mirror):
    assert length_study.bands((5, 9)) == ("up to 5", "6 to 9", "over 9")
    rows = [("a" * n, "a") for n in (5, 6, 9, 10)]
    assert [len(found) for found in length_study.sorted_out(rows, (5, 9)).values()] == [1, 2, 1]
    right = length_study.by_length(mirror, [("abc", "cba"), ("cab", "bac"), ("ab", "?")], (2, 5))
    assert right == {"up to 2": 0.0, "3 to 5": 100.0}
    for ends in ((), (9, 5), (0, 3)):
        with pytest.raises(LessonError, match="rising"):
            length_study.bands(ends)
    figure = pictures.lengths({"one": right, "<b>": {"up to 2": 50.0}})
    assert figure.data[0].y == (0.0, 100.0) and "One: 0 % right at up to 2" in figure.summary
    assert "<b> 50" not in figure.data[1].text[0]
    with pytest.raises(LessonError, match="no network"):
        pictures.lengths({})


def test_both_networks_of_the_claim_have_about_as_many_weights():
    for preset in ("ci", "cpu"):
        own = experiment.sizes(preset)
        pairs = translation.load(SIZES)
        sizes = [
            sum(weight.numel() for weight in translation.build(one, pairs).parameters())
            for one in length_study.pair(own, experiment.WIDER[own.hidden_size]).values()
        ]
        assert abs(sizes[0] / sizes[1] - 1) < 0.04
