"""The tagger reads the way it says, with equally many weights; its task repeats and counts right."""

import itertools

import pytest
import torch

from lessons import bidirectional as lesson
from lessons import labelled
from lessons.errors import LessonError
from lessons.sequence_model import CELLS, parameters
from lessons.tagging import DIRECTIONS, Tagger, bits, equal_size
from lessons.training import fit

SIZES = lesson.PRESETS["ci"].but(
    steps=60, evaluate_every=30, hidden_size=6, batch_size=32, blanks=0.0, warmup=0
)


class From:
    """A provenance."""

    def as_dict(self):
        return {"source": "toy"}


@pytest.fixture(scope="module")
def data():
    """Words of four letters; a letter's label names its two neighbours."""
    words = ["".join(word) for word in itertools.product("abcde", repeat=4)]

    def labels(word):
        around = f".{word}."
        return tuple(around[t] + around[t + 2] for t in range(4))

    return labelled.build("toy", "letter", "word", [(w, tuple(w), labels(w)) for w in words], From())


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru", "peephole"])
@pytest.mark.parametrize("depth", [1, 2])
def test_sizes_make_weights_as_equal_as_can_be(cell, depth):
    preset = SIZES.but(cell=cell, num_layers=depth, hidden_size=20)
    wanted = parameters(Tagger(30, 50, "both", cell, 20, depth, embedding_size=8))
    for way in ("forward", "backward"):
        size = equal_size(way, 30, 50, preset)
        gaps = {h: abs(parameters(Tagger(30, 50, way, cell, h, depth, embedding_size=8)) - wanted)
                for h in (size - 1, size, size + 1)}  # fmt: skip
        assert min(gaps, key=gaps.get) == size > 20 and gaps[size] < 0.03 * wanted


@pytest.mark.parametrize("cell", CELLS)
def test_each_direction_sees_its_side_only(cell):
    torch.manual_seed(0)
    x = torch.randint(9, (1, 7))
    for way in DIRECTIONS:
        model = Tagger(9, 3, way, cell, 6, 2, embedding_size=4).eval()
        early, late = x.clone(), x.clone()
        early[0, 0], late[0, -1] = (x[0, 0] + 1) % 9, (x[0, -1] + 1) % 9
        past = (model(early) != model(x)).any(-1)[0, 1:-1].any()
        future = (model(late) != model(x)).any(-1)[0, 1:-1].any()
        assert (bool(past), bool(future)) == (way != "backward", way != "forward")


def test_padding_changes_no_label(data):
    for task in lesson.networks(data, SIZES).values():
        part = data.parts["valid"].first(8)
        alone = [task.model(x[None, :3])[0] for x in part.x]
        padded = task.model(part.x, torch.full((8,), 3))[:, :3]
        assert torch.allclose(torch.stack(alone), padded, atol=1e-6)


def test_training_with_both_finds_what_needs_both(data):
    shares = {}
    for way, task in lesson.networks(data, SIZES.but(steps=200, learning_rate=3e-2)).items():
        run = fit(task, progress=False)
        shares[way] = run.last["letters right"]
        assert list(run.baselines) == ["the letter alone"] and run.provenance["source"] == "toy"
    assert shares["both"] > max(shares["forward"], shares["backward"]) + 0.3


def test_a_batch_is_a_function_of_step_and_seed(data):
    task, again = (lesson.prepare(SIZES.but(blanks=0.2), 3, data) for _ in range(2))
    one, two = task.batch(5), again.batch(5)
    assert torch.equal(one.x, two.x) and not torch.equal(one.x, task.batch(6).x)
    assert 0.1 < float((one.x == 0).float().mean()) < 0.3 and (one.y >= 0).all()
    halves = [task.shard(k, 2).batch(5) for k in (0, 1)]
    assert torch.equal(halves[1].x, one.x[1::2]) and halves[0].signs == one.signs[::2]
    with pytest.raises(LessonError, match="evenly"):
        task.shard(0, 5)


def test_figures_are_what_they_say(data):
    task = lesson.prepare(SIZES, 0, data)
    figures, held = task.evaluate(), task.held["valid"]
    guess = task.model(held.x, held.lengths).argmax(-1)
    assert figures["letters right"] == pytest.approx(float((guess == held.y).float().mean()))
    assert figures["words right"] == pytest.approx(float((guess == held.y).all(1).float().mean()))
    assert float(bits(torch.zeros(2, 3, 4), torch.zeros(2, 3, dtype=torch.long))) == pytest.approx(2.0)
    counts = held.y.flatten().bincount() / held.y.numel()
    entropy = -float((counts * counts.log2()).sum())
    assert task.baselines()["the letter alone"] == pytest.approx(entropy, abs=0.3)
    assert set(task.report()) == {"test"}


def test_what_cannot_be_is_said(data):
    for bad in ({"direction": "up"}, {"cell": "lstn"}):
        with pytest.raises(LessonError, match="is one of"):
            Tagger(3, 2, **bad)
    with pytest.raises(LessonError, match="to cut"):
        Tagger(3, 2, "forward")(torch.zeros(1, 2, dtype=torch.long), cut="backward")
    with pytest.raises(LessonError, match="no task 'poems'"):
        lesson.load(SIZES.but(task="poems"))
    assert Tagger(3, 2, device="meta")(torch.zeros(1, 2, dtype=torch.long, device="meta")).shape == (1, 2, 2)
