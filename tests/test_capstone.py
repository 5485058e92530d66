"""Lesson 19: what may be brought, files refused in one sentence, forecasts, strokes, splits in time."""

import json
import math
import random

import pytest
import torch

from lessons import brought, capstone, checkpoints, forecast, keep_best, made_series, pen, series, sketching
from lessons.errors import LessonError
from lessons.sequence_model import SequenceModel
from lessons.training import fit
from lessons.window_task import WindowTask

CI = capstone.PRESETS["ci"]
HEIGHTS = [math.sin(k / 3) + 0.01 * k for k in range(240)]


def csv(rows, header="date,height"):
    return "\n".join([header, *rows] if header else rows).encode()


def table(values=HEIGHTS):
    return csv([f"2020-01-{k},{value:.3f}" for k, value in enumerate(values)])


def abc(tunes=24):
    dice = random.Random(1)
    bars = [
        "".join(dice.choices("ABcdefga", k=3)) + " " + "".join(dice.choices("ABcdefga", k=3))
        for _ in range(999)
    ]
    heads = [f"X:{k}\nT:Tune {k}\nM:6/8\nL:1/8\nK:{'DGA'[k % 3]}\n" for k in range(tunes)]
    return "\n\n".join(head + "|".join(bars[8 * k : 8 * k + 8]) for k, head in enumerate(heads)).encode()


def strokes(words=("one", "two", "three", "four", "five", "six", "seven", "eight")):
    pieces = []
    for seed, word in enumerate(words):
        ink = pen.write(word, seed=seed)
        pieces.append({"text": word, "strokes": [stroke.tolist() for stroke in ink.strokes]})
    return json.dumps(pieces).encode()


PROSE = (
    "It was a dark night, and 3 ships lay off the coast. Nobody slept, or so they said.\n\n" * 160
).encode()


@pytest.mark.parametrize(
    ("content", "name", "kind"),
    [
        (table(), "heights.csv", "numbers"),
        (table(), "what was pasted", "numbers"),
        ("\n".join(map(str, HEIGHTS)).encode(), "", "numbers"),
        (abc(), "book.txt", "abc"),
        (strokes(), "own.json", "strokes"),
        (PROSE, "night.txt", "text"),
        (
            b"1914. A year.\n1915. Another, and a worse one for all who lived in it, on land or at sea.\n"
            * 150,
            "",
            "text",
        ),
    ],
)
def test_what_is_brought_is_recognised_and_told_in_one_sentence(content, name, kind):
    assert capstone.recognise(content, name) == kind
    mine = capstone.bring(content, name or None)
    assert mine.kind == kind and mine.preview
    assert str(mine).endswith(".") and " to test." in str(mine) and "\n" not in str(mine)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (csv(["a,b"] * 300), "No column of 'x.csv' holds numbers: its first row, line 2"),
        (csv([f"{k},{k}" for k in range(150)]), "'x.csv' has 150 values, too few"),
        (csv(["1,2"] * 220 + ["1,2,3"]), "Line 222 of 'x.csv' has 3 fields where the first line has 2"),
        (csv(["1,2"] * 220 + ["1,nan"]), "Line 222 of 'x.csv', column 'height', has no value"),
        (csv(["1,2"] * 220 + ["1,"]), "has no value; fill the gap"),
        (csv(["1,2"] * 220 + ["1,-inf"]), "is -inf; only finite numbers count"),
        (csv(["1,2"] * 220 + ["1,about 3"]), "says 'about 3', which is no number"),
        (csv(["1,2"] * 220 + ["1,1e200"]), "is 1e+200; only numbers below 1e100 count"),
        (csv(["1,2", "1,1e300"] * 120), "Value 2 of 'x.csv' is 1e+300; only numbers below 1e100 count"),
        (csv(["1,5", "2,7"] * 120, "mm"), "'1,5', seems to hold a decimal comma"),
        (csv(["1,2"] * 300), "never change"),
        (b"a,b\n1,2\n" + b'"' + b"x" * 200_000, "is no CSV"),
        (b"\0\1\2", "not a text file"),
        (b"x" * 50_000_000, "'x.csv' has 50.0 MB; use a part of it, at most 20 MB."),
        (b"  \n ", "is empty"),
        (csv(["1"] * (series.LONGEST + 1), None), "200,001 values; use a part of it, at most 200,000"),
    ],
)
def test_bad_files_get_one_sentence(content, words):
    with pytest.raises(LessonError) as error:
        capstone.bring(content, "x.csv")
    assert words in str(error.value) and str(error.value).count(". ") == 0 and str(error.value).endswith(".")


def test_a_column_without_a_name_leaves_the_others_theirs():
    for header, row, name in (
        (",mm", "{0},{1}", "mm"),
        ("day,mm,", "{0},{1},", "mm"),
        ("x,,mm", "a,,{1}", "mm"),
    ):
        made = series.read(csv([row.format(k, k % 7) for k in range(220)], header), "x.csv")
        assert made.column == name and len(made.values) == 220
    with pytest.raises(LessonError, match=r"Line 1 of 'x\.csv', column 'column 2', has no value"):
        series.read(csv([f"a,{k}" for k in range(220)], "a,"), "x.csv")


@pytest.mark.parametrize("what", ["no such file.csv", 5, None, "", [1.0, "a"]])
def test_what_is_nothing_to_bring_is_told(what):
    with pytest.raises(LessonError):
        capstone.bring(what)


def test_other_files_are_refused_by_their_own_kind():
    with pytest.raises(LessonError, match=r"3 tunes that can be read, of 3 that begin with X:"):
        capstone.bring(abc(3), "short.abc")
    with pytest.raises(LessonError, match="too few to learn from; write more pieces"):
        capstone.bring(strokes(("a",)), "a.json")
    with pytest.raises(LessonError, match="needs 'text' and 'strokes'"):
        capstone.bring(b'[{"strokes": []}]', "a.json")
    with pytest.raises(LessonError, match="has 5 bytes, too few"):
        capstone.bring(b"words", "a.txt")
    with pytest.raises(LessonError, match="kind is"):
        capstone.bring(PROSE, kind="music")


def test_columns_delimiters_and_decimal_commas():
    rows = [f"{k};{k % 7},5;x" for k in range(210)]
    read = series.read(csv(rows, "n;level;note"), "a.csv")
    assert (read.column, read.values[:3].tolist()) == ("level", [0.5, 1.5, 2.5])
    assert series.read(csv(rows, "n;level;note"), "a.csv", "n").values[5] == 5
    assert series.read(csv(rows, "n;level;note"), "a.csv", 1).column == "n"
    with pytest.raises(LessonError, match="no column 'depth'; choose one of n, level, note"):
        series.read(csv(rows, "n;level;note"), "a.csv", "depth")
    quoted = csv([f'"{k % 5}","a, b"' for k in range(210)], None)
    assert series.read(quoted).column == "column 1" and len(series.read(quoted).values) == 210


def test_a_file_is_found_by_its_path(tmp_path):
    (tmp_path / "mine.csv").write_bytes(table())
    assert capstone.bring(tmp_path / "mine.csv").name == "mine.csv"
    assert capstone.bring(HEIGHTS, "numbers").kind == "numbers"
    with pytest.raises(LessonError, match="the samples are tides, spots"):
        capstone.bring(tmp_path / "yours.csv")


def test_parts_are_cut_in_time_and_the_scale_is_the_training_parts():
    data = series.of([float(k) for k in range(300)])
    assert data.train[-1] < data.valid[0] and data.valid[-1] < data.test[0]
    assert (len(data.train), len(data.valid), len(data.test)) == (240, 30, 30)
    assert data.mean == data.train.mean() and data.mean < float(data.values.mean())
    model = forecast.build(data, "rnn", 4, 1)
    assert model.standard(data.train).mean().abs() < 1e-5 and float(model.standard(data.test).min()) > 1
    parts = sketching.sample().parts
    assert [part[-1, 2] for part in parts.values()] == [1, 1, 1]
    assert torch.equal(torch.cat(list(parts.values())), sketching.sample().offsets)


def test_season():
    steps = torch.arange(600, dtype=torch.float64)
    assert series.season(torch.sin(steps * 2 * torch.pi / 20)) == 20
    assert made_series.make("tides").season in (12, 25)
    assert series.season(made_series.make("walk", seed=3).values.diff()) is None
    assert series.season(torch.ones(300, dtype=torch.float64)) is None


@pytest.mark.parametrize("name", made_series.MADE)
def test_made_series_repeat_under_a_seed(name):
    one, same, other = (made_series.make(name, 400, seed).values for seed in (1, 1, 2))
    assert torch.equal(one, same) and not torch.equal(one, other) and len(one) == 400
    with pytest.raises(LessonError, match="choose one of tides"):
        made_series.make("waves")


def test_the_density_of_a_value_is_torchs():
    numbers = torch.randn(5, 9, dtype=torch.float64)
    last, value = torch.randn(2, 5, dtype=torch.float64)
    weights, means, deviations = numbers.chunk(3, -1)
    mixture = torch.distributions.MixtureSameFamily(
        torch.distributions.Categorical(logits=weights),
        torch.distributions.Normal(last[:, None] + means, deviations.exp()),
    )
    cost = forecast.nats(forecast.density(numbers, last), value)
    assert torch.allclose(cost, -mixture.log_prob(value))
    far = forecast.nats(forecast.density(numbers, last), value + 1e6)
    assert bool(far.isfinite().all())


def test_the_cost_of_a_sequence_is_that_of_a_loop_over_its_steps():
    model = forecast.Forecaster("gru", 5).double()
    sequence = torch.randn(2, 6, 1, dtype=torch.float64)
    state, costs = None, []
    for t in range(5):
        numbers, state = model(sequence[:, t : t + 1], state)
        mix = forecast.density(numbers[:, 0], sequence[:, t, 0])
        costs.append(forecast.nats(mix, sequence[:, t + 1, 0]))
    assert torch.allclose(model.nats(sequence), torch.stack(costs, 1))


def test_paths_follow_the_density_and_the_seed():
    data = made_series.make("tides", 400)
    model = forecast.build(data, "lstm", 4, 2)
    paths = forecast.forecast(model, data.train, 3, 4000, seed=1)
    assert paths.shape == (4000, 3) and torch.equal(
        paths, forecast.forecast(model, data.train, 3, 4000, seed=1)
    )
    with torch.no_grad():
        numbers, _ = model(model.standard(data.train)[None])
        mix = forecast.density(numbers[0, -1], model.standard(data.train)[-1, 0])
    mean = float((mix.log_weights.exp() * mix.mean).sum()) * model.deviation + model.mean
    assert float(paths[:, 0].mean()) == pytest.approx(mean, abs=0.1 * model.deviation)
    quantiles = forecast.fan(paths)
    assert quantiles.shape == (5, 3) and bool((quantiles.diff(dim=0) >= 0).all())
    for history in (data.train[:0], torch.tensor([1.0, math.nan], dtype=torch.float64)):
        with pytest.raises(LessonError, match="finite values"):
            forecast.forecast(model, history)


def test_baselines_are_gaussians_with_the_usual_error():
    data = series.of(
        torch.tensor([0.0, 1.0, 0.0, -1.0], dtype=torch.float64).repeat(60) + torch.randn(240).double() * 0.1
    )
    found = forecast.baselines(data, "test")
    assert list(found) == [forecast.AVERAGE, forecast.LAST, forecast.SEASON] and data.season == 4
    errors = (data.values[1:] - data.values[:-1]) / data.deviation
    known, held = errors[: data.cuts[0] - 1], errors[data.cuts[1] - 1 :]
    normal = torch.distributions.Normal(known.mean(), known.std(correction=0))
    assert found[forecast.LAST] == pytest.approx(float(-normal.log_prob(held).mean()))
    assert min(found, key=found.get) == forecast.SEASON
    with pytest.raises(LessonError, match="neither"):
        forecast.baselines(data, "train")


def test_held_out_parts_are_read_with_what_came_before():
    data = made_series.make("spots", 700)
    model = forecast.build(data, "lstm", 4, 1)
    task = forecast.task(model, data, CI)
    whole = model.standard(data.values[: data.cuts[1]])[None]
    with torch.no_grad():
        costs = model.nats(whole[:, -(400 + len(data.valid)) :])[0, -len(data.valid) :]
    assert task.held_out("valid") == pytest.approx(float(costs.mean()), rel=1e-5)
    assert set(task.report()) >= {"test", "the last value on test"}


def test_windows_come_from_the_training_part_alone():
    data = series.of([float(k) for k in range(300)])
    task = forecast.task(forecast.build(data, "rnn", 3, 1), data, CI)
    assert isinstance(task, WindowTask)
    batches = torch.stack([task.batch(step) for step in range(60)])
    assert batches.shape[1:] == (CI.batch_size, CI.length + 1, 1)
    assert float(batches.max()) <= float(task.parts["train"].max())
    assert torch.equal(task.batch(3), task.batch(3)) and not torch.equal(task.batch(3), task.batch(4))
    halves = [task.shard(k, 2).batch(3) for k in (0, 1)]
    assert sorted(torch.cat(halves)[:, 0, 0].tolist()) == sorted(task.batch(3)[:, 0, 0].tolist())
    with pytest.raises(LessonError, match="evenly"):
        task.shard(0, 3)


@pytest.mark.parametrize("kind", ["numbers", "strokes", "text", "abc"])
@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_every_kind_trains_and_opens_with_every_cell(kind, cell, tmp_path):
    content = {"numbers": table(), "strokes": strokes(), "text": PROSE, "abc": abc()}[kind]
    mine = capstone.bring(content, "mine")
    model = mine.model(cell, 6)
    run = mine.fit(model, CI.but(steps=4, evaluate_every=2), progress=False)
    assert run.reason == "finished" and run.baselines and run.model is model
    assert run.best("valid") == pytest.approx(mine.task(model, CI).evaluate()["valid"], rel=1e-4)
    seen = mine.trace(model, 20)
    assert seen.cell == cell and seen.steps == 20 and len(seen.labels[0]) == 20
    again = checkpoints.load(checkpoints.save(tmp_path / "mine", model))
    assert torch.equal(again.readout.weight, model.readout.weight) and again.config() == model.config()


def test_variants_serve_numbers_and_strokes():
    for sample in ("tides", "pen"):
        mine = capstone.bring(sample)
        model = mine.model("peephole", 4)
        assert mine.trace(model, 10)["f"].shape == (1, 10, 4)
    with pytest.raises(LessonError, match="For text the cell is one of lstm, gru, rnn"):
        capstone.bring(PROSE).model("peephole")
    with pytest.raises(LessonError, match="none for text"):
        capstone.bring(PROSE).task(SequenceModel(1, 1))


def test_the_best_weights_are_put_back():
    class Falling:
        name, unit, seed, provenance, preset = "t", "u", 0, {}, CI.but(steps=4, evaluate_every=1)

        def __init__(self):
            self.model = torch.nn.Linear(1, 1, bias=False)
            self.figures, self.seen = iter([3.0, 1.0, 2.0, 5.0, 4.0]), []

        def batch(self, step):
            return None

        def start(self):
            return None

        def loss(self, batch, carry):
            return (self.model.weight**2).sum(), None

        def evaluate(self):
            self.seen.append(self.model.weight.detach().clone())
            return {"valid": next(self.figures)}

    task, watch = Falling(), keep_best.KeepBest(restore=True)
    fit(task, watch=watch, progress=False)
    assert (watch.step, watch.lowest) == (1, 1.0)
    assert torch.equal(task.model.weight, task.seen[1]) and not torch.equal(task.seen[1], task.seen[-1])


def test_strokes_go_on_from_ink_and_from_a_blank_sheet():
    model = sketching.build(sketching.sample(), "lstm", 6, 1)
    ink = sketching.draw_on(model, points=30, seed=2)
    assert len(ink) == 30 and ink.offsets[-1, 2] == 1
    assert (sketching.draw_on(model, points=30, seed=2).offsets == ink.offsets).all()
    assert (sketching.draw_on(model, pen.write("a"), 30, seed=2).offsets != ink.offsets).any()
    with pytest.raises(LessonError, match="bias is"):
        sketching.draw_on(model, bias=-1)


def test_the_pads_own_pieces_are_read(tmp_path, monkeypatch):
    monkeypatch.setattr(sketching.own_hand, "folder", lambda: tmp_path)
    with pytest.raises(LessonError, match="0 points"):
        capstone.bring("own hand")
    for piece in json.loads(strokes()):
        sketching.own_hand.save(piece["text"], piece["text"], piece["strokes"])
    assert capstone.bring("own hand").kind == "strokes"


def test_models_stand_on_the_device_and_dtype_that_are_asked_for():
    for model in (forecast.Forecaster(device="meta"), sketching.Sketcher(device="meta")):
        width = model.recurrent.input_size
        assert model.nats(torch.empty(2, 5, width, device="meta")).shape == (2, 4)
    assert forecast.Forecaster(dtype=torch.float64).readout.weight.dtype == torch.float64


def test_the_command_line_trains_what_it_is_given(tmp_path, capsys):
    (tmp_path / "mine.csv").write_bytes(table())
    task = capstone.prepare(CI.but(corpus=str(tmp_path / "mine.csv"), cell="gru"), seed=3)
    assert task.model.cell == "gru" and "is numbers" in capsys.readouterr().out
    assert brought.PRESETS is capstone.PRESETS
