"""Lesson 15's networks, pages, task and writing: shapes, alignment, seeds, ends, priming, legibility."""

import math
import re

import numpy
import pytest
import torch

from lessons import checkpoints, handwritten, legibility, pages, pen, penmanship
from lessons.errors import LessonError
from lessons.handwriting import Writer
from lessons.handwritten import handwrite, handwrite_all
from lessons.ink import Ink
from lessons.mixture_density import mixture
from lessons.training import fit

CI = penmanship.PRESETS["ci"]


@pytest.fixture(scope="module")
def task():
    return penmanship.prepare(CI)


def small(**sizes):
    torch.manual_seed(0)
    return Writer(**{"hidden_size": 12, "components": 3, "gaussians": 2, **sizes})


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("gaussians", [0, 3])
def test_all_steps_at_once_are_the_steps(layers, gaussians):
    model = small(num_layers=layers, gaussians=gaussians).double()
    offsets = torch.randn(2, 6, 3, dtype=torch.float64)
    text = model.encode(["abc", "a"]) if gaussians else None
    whole, seen = model(offsets, text)
    x, state = torch.zeros(2, 3, dtype=torch.float64), model.start(2)
    for t in range(6):
        told, state, window = model.step(x, state, text)
        assert torch.allclose(told, whole[:, t], atol=1e-12)
        if gaussians:
            assert torch.allclose(window.phi, seen.phi[t], atol=1e-12)
        x = offsets[:, t]
    assert whole.shape == (2, 6, 19) and (seen is None) == (not gaussians)


def test_a_point_does_not_see_itself_or_what_follows():
    model, offsets = small(), torch.randn(1, 5, 3)
    changed = offsets.clone()
    changed[:, 3:] += 1
    text = model.encode(["ab"])
    first, second = model(offsets, text)[0], model(changed, text)[0]
    assert torch.equal(first[:, :4], second[:, :4]) and not torch.equal(first[:, 4], second[:, 4])


def test_models_of_the_lesson_on_meta():
    model = small(num_layers=2, device="meta")
    text = model.spelled(torch.zeros(2, 4, dtype=torch.long, device="meta"), torch.ones(2, dtype=torch.long))
    assert model(torch.zeros(2, 5, 3, device="meta"), text)[0].shape == (2, 5, 19)


def test_a_saved_network_is_the_same(tmp_path):
    model = small(num_layers=2)
    again = checkpoints.load(checkpoints.save(tmp_path / "writer", model))
    assert again.config() == model.config()
    assert torch.equal(
        handwrite(again, "ab", seed=3, points=9).numbers, handwrite(model, "ab", seed=3, points=9).numbers
    )


@pytest.mark.parametrize(
    ("sizes", "words"),
    [
        ({"hidden_size": 0}, "hidden_size"),
        ({"num_layers": 3}, "num_layers"),
        ({"gaussians": -1}, "gaussians"),
    ],
)
def test_sizes_that_cannot_be(sizes, words):
    with pytest.raises(LessonError, match=words):
        small(**sizes)
    with pytest.raises(LessonError, match="needs a text"):
        small()(torch.zeros(1, 2, 3))
    with pytest.raises(LessonError, match="never read '7'"):
        small().encode(["7"])


def test_pages_know_every_letter(task):
    page, inks = task.pages.parts["train"], task.pages.inks["train"]
    assert len(page) == CI.count and len(task.pages.parts["test"]) == CI.held_out
    for row in range(5):
        ink, end = inks[row], int(page.lengths[row])
        assert end == len(ink) + 1 and int(page.spelled[row]) == len(ink.text)
        assert (page.belongs[row, :end][:-1] == torch.from_numpy(ink.letters)).all()
        assert int(page.belongs[row, end - 1]) == len(ink.text) and (page.belongs[row, end:] == -1).all()
        assert page.offsets[row, end:].abs().sum() == 0 and page.offsets[row, end - 1, 2] == 1
        assert float(page.offsets[row, :end, 1].sum()) == pytest.approx(0, abs=1e-4)  # back on the base line
        spelled = "".join(pages.ALPHABET[code - 1] for code in page.codes[row].tolist() if code)
        assert spelled == ink.text


def test_words_that_are_held_out_are_never_trained_on(task):
    texts = {part: {ink.text for ink in inks} for part, inks in task.pages.inks.items()}
    assert not texts["train"] & (texts["valid"] | texts["test"]) and not texts["valid"] & texts["test"]
    assert all(re.fullmatch("[a-z]{3,7}", text) for text in texts["train"])


def test_lines_are_whole_words_of_known_letters():
    text = "A long line of words; and more\nSHOUT SHOUT\nshort\nIt’s fine — isn’t it?\nunknown é here"
    assert list(pages.lines(text, 14)) == ["A long line of", "It's fine -"]
    with pytest.raises(LessonError, match="Pieces are"):
        pages.pages("chapters")
    with pytest.raises(LessonError, match="The hand is one of"):
        pages.pages(hands="nobody")


def test_batches_are_a_function_of_step_and_seed(task):
    again = penmanship.prepare(CI)
    for step in (0, 5, 11):
        assert torch.equal(task.batch(step).offsets, again.batch(step).offsets)
    assert not torch.equal(task.batch(0).lengths, task.batch(1).lengths)
    halves = [task.shard(k, 2).batch(3).lengths.tolist() for k in range(2)]
    assert sorted(halves[0] + halves[1]) == sorted(task.batch(3).lengths.tolist())
    with pytest.raises(LessonError, match="evenly"):
        task.shard(0, 3)


def test_training_lowers_the_cost_and_repeats():
    costs = []
    for _ in range(2):
        task = penmanship.prepare(CI.but(steps=30, evaluate_every=30))
        run = fit(task, progress=False, seed=4)
        costs.append(run.losses)
        assert run.evaluations[-1]["valid"] < run.evaluations[0]["valid"] - 0.1
        assert set(run.baselines) == {"one Gaussian", "constant mixture of 20"}
        assert run.baselines["constant mixture of 20"] < run.baselines["one Gaussian"]
    assert costs[0] == costs[1]


def test_alignment_counts_the_points_read_at_their_letter(task):
    page = task.pages.parts["valid"]
    places = int(page.spelled.max()) + 1
    right = torch.nn.functional.one_hot(page.belongs.clamp_min(0), places).float()
    assert penmanship.alignment(right, page)["aligned"] == 1
    late = right.roll(1, -1)
    figures = penmanship.alignment(late, page)
    assert figures["aligned"] < 0.1 and figures["aligned within one"] > 0.9
    assert 0.3 < figures["even pace"] < 1


def test_writing_repeats_under_a_seed_and_ends():
    model = small()
    one, same, other = (handwrite(model, "abc", seed=seed, points=30) for seed in (1, 1, 2))
    assert numpy.array_equal(one.ink.offsets, same.ink.offsets)
    assert one.ink.offsets.shape != other.ink.offsets.shape or (one.ink.offsets != other.ink.offsets).any()
    assert one.phi.shape == (len(one.ink), 4) and one.numbers.shape == (len(one.ink), 19)
    assert one.ink.offsets[-1, 2] == 1
    with torch.no_grad():
        model.window.bias[-2:] = 2.0  # a window in a hurry: seven letters a step
    assert len(handwrite(model, "abc", points=40).ink) < 40
    with pytest.raises(LessonError, match="before its first point"):
        handwrite(model, "abc", prime=pen.write("no", seed=1))
    with torch.no_grad():
        model.window.bias[-2:] = -6.0  # one that stands still
    slow = handwrite(model, "ab", points=25)
    assert not slow.finished and len(slow.ink) == 25 and "stopped before" in repr(slow)


def test_the_window_in_no_hurry_ends_where_the_text_ends():
    model = small()
    with torch.no_grad():
        model.window.weight.zero_()
        model.window.bias.copy_(torch.tensor([0.0, 0, 2, 2, *[float(numpy.log(0.25))] * 2]))
        model.readout.bias[-1] = 50.0  # always lifted
    written = handwrite(model, "abcd", points=99)
    with torch.no_grad():
        model.readout.bias[-1] = -50.0  # never lifted: never done
    assert not handwrite(model, "abcd", points=30).finished
    assert written.finished and len(written.ink) == 14  # kappa passes 3.5 with the 15th step
    assert written.ink.offsets[:, 2].all()
    assert written.ink.letters.tolist() == [math.ceil(0.25 * t - 0.5) for t in range(1, 15)]


def test_several_texts_at_once():
    model = small()
    found = handwrite_all(model, ["ab", "abcdef"], seed=1, points=20)
    assert [one.ink.text for one in found] == ["ab", "abcdef"]
    assert [one.phi.shape[1] for one in found] == [7, 7] or found[0].phi.shape[1] == 3


def test_several_texts_are_checked_like_one():
    for wrong in (
        {"texts": []},
        {"texts": ["a"], "bias": math.nan},
        {"texts": ["a"], "seed": -1},
        {"texts": [5]},
    ):
        with pytest.raises(LessonError):
            handwrite_all(small(), **wrong)


def test_a_primed_network_goes_on_from_the_sample():
    model, sample = small(), pen.write("hi", "print", seed=1)
    plain, primed = (
        handwrite(model, "abc", seed=1, points=8),
        handwrite(model, "abc", seed=1, prime=sample, points=8),
    )
    assert not torch.equal(plain.numbers[0], primed.numbers[0])
    assert primed.phi.shape[1] == 4
    whole = model.encode(["hi abc"])
    offsets = torch.from_numpy(sample.offsets)[None]
    after = model(torch.cat([offsets, torch.zeros(1, 1, 3)], 1), whole)[0][0, -1]
    assert torch.allclose(primed.numbers[0], after, atol=1e-5)


def test_without_a_window_it_writes_whatever_it_likes():
    written = handwrite(small(gaussians=0), points=50, seed=2)
    assert len(written.ink) == 50 and written.phi.shape == (50, 0) and not written.finished


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"text": ""}, "empty"), ({"text": "x" * 41}, "at most 40"), ({"text": "a7"}, "does not know '7'"),
        ({"text": "a", "bias": -1}, "bias"), ({"text": "a", "seed": 1.5}, "seed"), ({"text": 3}, "text"),
        ({"text": "a", "points": 0}, "points"), ({"text": "a", "prime": "clerk"}, "prime"),
    ],
)  # fmt: skip
def test_what_cannot_be_written(asked, words):
    with pytest.raises(LessonError, match=words):
        handwrite(small(), **asked)


def test_the_density_of_a_step_is_the_one_it_was_drawn_from():
    written = handwrite(small(), "ab", bias=2.0, seed=1, points=6)
    assert torch.equal(written.density(3).mean, mixture(written.numbers[3], 2.0).mean)
    assert handwritten.MOST > 20


def test_legibility_is_nought_for_the_letters_taught_and_grows_with_noise():
    exact = [pen.write("ab", pen.HANDS["print"], seed=1)]
    clean = legibility.distance(exact[0])
    dice = numpy.random.default_rng(0)
    noisy = exact[0].offsets + dice.normal(0, 0.25, exact[0].offsets.shape) * (1, 1, 0)
    worse = legibility.distance(Ink(noisy.astype(numpy.float32), "ab", exact[0].letters))
    assert clean < 0.08 < worse
    swapped = Ink(exact[0].offsets, "ba", exact[0].letters)
    assert legibility.distance(swapped) > 1.5 * clean
    one, two = pen.write("ab", seed=1), pen.write("ab", seed=2)
    assert legibility.variety([one, one]) == 0 < legibility.variety([one, two])
    gone = Ink(one.offsets, "ab", numpy.zeros_like(one.letters))
    assert legibility.distance(gone) > legibility.distance(one) + 0.3
    with pytest.raises(LessonError, match="of no text"):
        legibility.distance(Ink(one.offsets))
    with pytest.raises(LessonError, match="same text"):
        legibility.variety([one])
