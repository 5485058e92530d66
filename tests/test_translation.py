"""Tasks of translation: their sentences, their batches, their figures, and a network that learns one."""

import datetime
import struct

import pytest
import torch

from lessons import checkpoints, fit, readers, translation
from lessons.dates import dates, written
from lessons.decoding import translate
from lessons.errors import LessonError
from lessons.labelled import deal
from lessons.number_words import BEYOND, number_words, tag, tagged, words
from lessons.tokens import PAD, WordPieces
from lessons.translation import TASKS, exact, prepare, preset, quality


def test_numbers_in_words():
    assert (
        words(45, "en") == "forty-five"
        and words(45, "de") == "fünfundvierzig"
        and words(45, "digits") == "45"
    )
    for number, language in [(-1, "en"), (10**7, "en"), (3, "xx"), (1.5, "en")]:
        with pytest.raises(LessonError):
            words(number, language)


def test_number_words_are_dealt_by_number():
    pairs = number_words("en", "digits", 500, beyond=20)
    sides = {part: {int(target) for _, target in rows} for part, rows in pairs.parts.items()}
    assert sides["train"].isdisjoint(sides["valid"] | sides["test"]) and sides["valid"].isdisjoint(
        sides["test"]
    )
    assert all(deal(str(number)) == "test" for number in sides["test"])
    assert max(sides["test"] | sides["valid"]) < 1_000_000 < min(sides[BEYOND])
    assert {number for number in sides["train"] if number >= 10**6} == {10**6 * k for k in range(1, 10)}
    assert all(words(int(target)) == source for source, target in pairs.parts["test"][:20])
    assert number_words.__wrapped__("en", "digits", 500, beyond=20).parts == pairs.parts


def test_one_network_is_asked_for_several_languages_by_a_tag():
    pairs = tagged(("de", "da"), 1, 100)
    assert pairs.tags == ("<2de>", "<2da>") == (tag("de"), tag("da"))
    assert ("<2da> forty-five", "femogfyrre") in pairs.parts["train"] + pairs.parts["valid"]
    numbers = {part: {source.split(" ", 1)[1] for source, _ in rows} for part, rows in pairs.parts.items()}
    assert all(2 * len(numbers[part]) == len(rows) for part, rows in pairs.parts.items())
    assert numbers["train"].isdisjoint(numbers["valid"] | numbers["test"])
    source, target = pairs.characters()
    assert "<" not in source.alphabet and source.tags == pairs.tags and target.tags == ()
    task = prepare(preset("ci").but(task="tagged", below=100, count=1, steps=2, evaluate_every=2))
    assert fit(task, progress=False).reason == "finished" and task.model.source.tags[1] == "<2fr>"
    for languages in (("de",), ("de", "de"), ("de", "xx")):
        with pytest.raises(LessonError):
            tagged(languages, 1, 100)


def test_dates_are_read_as_written():
    pairs = dates(300)
    assert all(len(target) == 10 and target[4] == "-" for _, target in pairs.parts["train"])
    assert all(target[:4] in source for source, target in pairs.parts["train"])
    assert written(datetime.date(2090, 3, 11), "full", "it") == "sabato 11 marzo 2090"
    with pytest.raises(LessonError, match="Babel"):
        written(datetime.date(2090, 3, 11), "full", "xx")


def test_the_menus_or_what_stands_in_for_them(capsys):
    from lessons.menus import menus

    pairs = menus()
    if pairs.provenance.release.startswith("num2words"):
        assert "stand in" in capsys.readouterr().err
        return
    assert len(pairs.parts["train"]) > 1500 and not pairs.exact
    folded = [{source.casefold() for source, _ in rows} for rows in pairs.parts.values()]
    assert folded[0].isdisjoint(folded[1] | folded[2])


def catalogue(pairs):
    """A compiled gettext file."""
    rows = sorted({"": "Content-Type: text/plain; charset=UTF-8\n", **pairs}.items())
    head, tables, strings = 28, [], b""
    for side in (0, 1):
        for row in rows:
            text = row[side].encode()
            tables += [len(text), head + 16 * len(rows) + len(strings)]
            strings += text + b"\0"
    numbers = (0x950412DE, 0, len(rows), head, head + 8 * len(rows), 0, 0, *tables)
    return struct.pack(f"<{len(numbers)}I", *numbers) + strings


def test_gettext_catalogues_are_read():
    pairs = {"Save": "Enregistrer", "menu\x04Open": "Ouvrir", "OK": "OK", "two\nlines": "deux\nlignes"}
    found = readers.messages({"fr/b.mo": catalogue(pairs), "fr/empty.mo": catalogue({"OK": "OK"})})
    assert found == (("b", "Open\tOuvrir\nSave\tEnregistrer\n"),)


def test_a_batch_is_a_function_of_step_and_seed():
    task = prepare(preset("ci"))
    first, again = task.batch(5), task.batch(5)
    assert all(torch.equal(a, b) for a, b in zip(first[:3], again[:3], strict=True))
    assert not torch.equal(first.target, prepare(preset("ci"), 1).batch(5).target)
    assert (first.target[:, -1] != PAD).any() and first.lengths.max() == first.source.shape[1]
    halves = [task.shard(index, 2).batch(5) for index in (0, 1)]
    assert sum(len(half.source) for half in halves) == len(first.source)
    with pytest.raises(LessonError, match="dealt to 3"):
        task.shard(0, 3)


def test_the_loss_leaves_padding_out():
    task = prepare(preset("ci"))
    batch = task.batch(0)
    wide = batch._replace(target=torch.nn.functional.pad(batch.target, (0, 7)))
    torch.testing.assert_close(task.loss(batch)[0], task.loss(wide)[0])


def test_looking_twice_costs_what_the_paper_says():
    plain, dear = (prepare(preset("ci").but(coverage_loss=price)) for price in (0.0, 0.5))
    batch = plain.batch(0)
    reply = plain.model(batch.source, batch.lengths, batch.target)
    cost, symbols = 0.0, 0
    for weights, target in zip(reply.attended.weights, batch.target, strict=True):
        before = torch.zeros_like(weights[0])
        for step in weights[: int((target != PAD).sum())]:
            cost, before = cost + float(torch.minimum(step, before).sum().detach()), before + step
            symbols += 1
    extra = dear.loss(batch)[0] - plain.loss(batch)[0]
    assert float(extra.detach()) == pytest.approx(0.5 * cost / symbols, rel=1e-3)
    with pytest.raises(LessonError, match="coverage_loss is 0"):
        prepare(preset("ci").but(coverage_loss=1.0, attention=None))


def test_a_part_that_is_none():
    with pytest.raises(LessonError, match="no sentences in a part 'exam'; it has"):
        prepare(preset("ci")).scores("exam")


def test_figures():
    assert exact(["a", "b"], ["a", "c"]) == 0.5
    assert quality(["the cat sat on the mat"], ["the cat sat on the mat"])["BLEU"] == pytest.approx(100)
    assert quality(["xyz"], ["the cat sat"])["chrF"] < 5


@pytest.mark.parametrize("task", ["digits", "dates"])
def test_every_task_at_the_smallest_size(task):
    run = fit(prepare(preset("ci").but(task=task, steps=2, evaluate_every=2)), progress=False)
    assert run.reason == "finished" and set(run.last) == {"valid", "exact"} and run.baselines
    assert "menus" in TASKS


def test_word_pieces_and_scheduled_sampling_train_and_resume(tmp_path):
    small = preset("ci").but(
        pieces=60, schedule="inverse sigmoid", ratio=0.0, feed=True, steps=4, evaluate_every=4
    )
    whole = fit(prepare(small), progress=False)
    task = prepare(small)
    assert isinstance(task.model.source, WordPieces)

    class Stop:
        every = 1

        def on_step(self, run, task, step):
            if step == 2:
                run.stop()

    fit(task, watch=Stop(), checkpoint=tmp_path / "run", progress=False)
    again = prepare(small)
    resumed = fit(again, checkpoint=tmp_path / "run", progress=False)
    assert resumed.losses == whole.losses
    loaded = checkpoints.load(tmp_path / "run").eval()
    assert translate(loaded, "ninety-one", longest=8) == translate(again.model, "ninety-one", longest=8)


def test_a_network_learns_to_write_numbers_below_a_hundred():
    small = preset("ci").but(
        task="digits", below=100, beyond=0, count=1, steps=120, evaluate_every=120, hidden_size=48,
        embedding_size=16, learning_rate=1e-2, batch_size=32,
    )  # fmt: skip
    task = prepare(small)
    fit(task, progress=False)
    sources, targets = zip(*task.pairs.parts["train"], strict=True)
    assert exact(translate(task.model, list(sources)), targets) > 0.9


def test_what_is_no_task():
    with pytest.raises(LessonError, match="no task 'poems'"):
        translation.load(preset("ci").but(task="poems"))
