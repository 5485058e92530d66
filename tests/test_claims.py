"""The ledger: rules judge as they say, files are whole and belong to the code, every claim still runs."""

import json
import os
from dataclasses import replace

import joblib
import pytest

from lessons import __main__ as command_line
from lessons import claims, experiments, sources
from lessons.errors import LessonError
from lessons.experiments.claim import DEPENDS, FAILS, HOLDS, Claim, Margin, Measure, Trend

NAMES = tuple(experiments.catalogue())
LEDGER = sorted((sources.data_folder() / "claims").glob("*.json"))

calls: list[int] = []


def toy_run(seed, preset):
    calls.append(seed)
    return {"bits": {"a": 2.0 + seed / 100, "b": 2.1, "c": 2.2}}


TOY = Claim(
    name="toy",
    lesson="02_char_rnn",
    statement="a beats b.",
    source="nobody",
    budget="nothing",
    measures=(Measure("bits", "bits", ("a", "b", "c")),),
    rules=(Margin("bits", "bits", lower="a", upper="b", by=0.05, share=0.8),),
    run=toy_run,
    settings=lambda preset: {"size": {"hidden": 3}, "preset": preset},
)


@pytest.fixture
def toy(monkeypatch, tmp_path):
    calls.clear()
    monkeypatch.setattr(experiments, "catalogue", lambda: {"toy": TOY})
    monkeypatch.setattr(claims, "work_folder", lambda: tmp_path / "work")
    return tmp_path / "ledger"


def seeds(*margins):
    return [{"bits": {"a": 2.0, "b": 2.0 + margin}} for margin in margins]


@pytest.mark.parametrize(
    "margins, met",
    [
        ((0.06, 0.07, 0.08, 0.09, 0.1), True),
        ((0.06, 0.07, 0.08, 0.09, 0.01), True),
        ((0.06, 0.07, 0.08, 0.0, 0.01), False),
        ((-0.06,) * 5, False),
        ((0.06,), True),
    ],
)
def test_a_margin_counts_seeds(margins, met):
    judgement = TOY.rules[0].judge(seeds(*margins))
    assert judgement.met == met
    passed = sum(m >= 0.05 for m in margins)
    assert f"enough on {passed} of {len(margins)} seed" in judgement.sentence


@pytest.mark.parametrize(
    "margins, told",
    [
        ((0.055, 0.0781), "a is 0.055 to 0.078 bits below b"),
        ((-0.304, -0.2614), "a is 0.261 to 0.304 bits above b"),
        ((-0.01, 0.033), "a is between 0.01 bits above and 0.033 below b"),
        ((-0.0001, 0.016), "a is 0 to 0.016 bits below b"),
        ((-0.016, 0.0001), "a is 0 to 0.016 bits above b"),
        ((-0.0001, 0.0001), "a is as high as b"),
        ((12.906, 1339.5), "a is 12.9 to 1,340 bits below b"),
        ((2.0, 2.0), "a is 2 bits below b"),
    ],
)
def test_a_margin_is_told_by_its_side(margins, told):
    assert TOY.rules[0].judge(seeds(*margins)).sentence.startswith(f"bits: {told}, enough on")


def test_a_reason_names_each_measure_once_in_a_row():
    twice = replace(TOY, rules=(*TOY.rules, replace(TOY.rules[0], by=0.3), Trend("bits", ("a", "b"), True)))
    told = twice.verdict(seeds(0.2))[1]
    assert told.startswith("Bits: a is 0.2 bits below b") and told.lower().count("bits: ") == 1
    assert told.endswith("; rises at every step (2.00 to 2.20), end to end on 1 of 1 seed.")


def test_a_margins_limits_lie_below_the_other_condition():
    limits = TOY.rules[0].limits(seeds(0.2, 0.3))
    assert [(limit.seed, limit.condition, limit.side) for limit in limits] == [
        (0, "a", "below"),
        (1, "a", "below"),
    ]
    assert [limit.at for limit in limits] == pytest.approx([2.15, 2.25])


@pytest.mark.parametrize(
    "rows, met",
    [
        ([(3, 2, 1)] * 5, True),
        ([(3, 2, 1)] * 4 + [(1, 2, 3)], True),
        ([(3, 2, 1)] * 3 + [(1, 2, 3)] * 2, False),
        ([(3, 3, 1)] * 5, False),
        ([(3, 4, 1)] * 5, False),
    ],
)
def test_a_trend_looks_at_the_mean_and_at_the_ends(rows, met):
    names = ("0.3", "0.6", "0.9")
    falls = Trend("share", names, rises=False, share=0.8)
    rises = Trend("share", names, rises=True, share=0.8)
    down = [{"share": dict(zip(names, row, strict=True))} for row in rows]
    up = [{"share": dict(zip(names, row[::-1], strict=True))} for row in rows]
    assert falls.judge(down).met == met == rises.judge(up).met
    assert not rises.judge([down[0]] * 5).met


def test_the_text_of_a_rule_is_made_of_its_numbers():
    rule = TOY.rules[0]
    assert rule.text == "bits: a at least 0.05 bits below b on at least 4 of 5 seeds"
    assert "0.07 bits below b on every seed" in replace(rule, by=0.07, share=1.0).text


def test_verdicts():
    both = replace(TOY, rules=(TOY.rules[0], Trend("bits", ("b", "a"), rises=True)))
    figures = seeds(*[0.2] * 5)
    assert TOY.verdict(figures)[0] == HOLDS
    assert both.verdict(figures)[0] == FAILS
    assert replace(both, depends_on="the direction").verdict(figures)[0] == f"{DEPENDS} the direction"
    assert replace(both, depends_on="the direction").verdict(seeds(*[0.0] * 5))[0] == FAILS


def test_a_run_is_written_with_everything(toy):
    result = claims.run("toy", 5, "cpu", folder=toy, say=lambda line: None)
    assert result.verdict == HOLDS and result == claims.load("toy", folder=toy)
    assert result.values("bits", "a") == [2.0, 2.01, 2.02, 2.03, 2.04]
    assert result.spread["bits"]["a"]["mean"] == pytest.approx(2.02)
    assert result.command == "python -m lessons claim toy --seeds 5 --preset cpu"
    assert result.rule == TOY.rule and result.digest == TOY.digest() and "torch" in result.versions
    assert not result.stale and [p.name for p in toy.iterdir()] == ["toy.json"]
    assert "toy: holds (5 seeds, preset cpu" in repr(result)


def test_seeds_done_are_kept_until_something_changes(toy, monkeypatch):
    quiet = dict(preset="cpu", folder=toy, say=lambda line: None)
    claims.run("toy", 3, **quiet)
    claims.run("toy", 5, **quiet)
    assert calls == [0, 1, 2, 3, 4]
    claims.run("toy", 5, fresh=True, **quiet)
    assert calls == [0, 1, 2, 3, 4] * 2
    monkeypatch.setattr(
        experiments, "catalogue", lambda: {"toy": replace(TOY, settings=lambda p: {"size": 4})}
    )
    claims.run("toy", 1, **quiet)
    assert calls[10:] == [0]


def test_a_run_that_is_cut_off_goes_on(toy, monkeypatch):
    def stops(seed, preset):
        if seed == 2:
            raise KeyboardInterrupt
        return toy_run(seed, preset)

    quiet = dict(preset="cpu", folder=toy, say=lambda line: None)
    stopping = replace(TOY, run=stops)
    monkeypatch.setattr(experiments, "catalogue", lambda: {"toy": stopping})
    with pytest.raises(KeyboardInterrupt):
        claims.run("toy", 5, **quiet)
    assert not toy.exists()
    monkeypatch.setattr(experiments, "catalogue", lambda: {"toy": TOY})
    assert len(claims.run("toy", 5, **quiet).seeds) == 5
    assert calls == [0, 1, 2, 3, 4]


def test_jobs_give_the_same_figures_in_the_same_order(toy):
    one = claims.run("toy", 5, "cpu", folder=toy, fresh=True, say=lambda line: None)
    with joblib.parallel_config(backend="threading"):
        two = claims.run("toy", 5, "cpu", jobs=2, folder=toy, fresh=True, say=lambda line: None)
    assert one.figures == two.figures and [seed["seed"] for seed in two.seeds] == list(range(5))


def test_dask_workers_give_the_figures_of_the_serial_run(monkeypatch, tmp_path):
    distributed = pytest.importorskip("distributed")
    name, quiet = "rnn-forgets-lstm-remembers", lambda line: None
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("UNROLLED_DATA", str(tmp_path))  # the workers keep their seeds there
    serial = claims.run(name, 3, "ci", fresh=True, say=quiet)
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as local:
        with claims.cluster(local.scheduler_address):
            spread = claims.run(name, 3, "ci", jobs=-1, fresh=True, say=quiet)
        with distributed.Client(local) as client:
            workers = client.run(os.getpid).values()
    assert os.getpid() not in workers and len(set(workers)) == 2
    assert spread.figures == serial.figures and [seed["seed"] for seed in spread.seeds] == [0, 1, 2]


def test_a_cluster_that_is_not_there_is_a_sentence(monkeypatch):
    distributed = pytest.importorskip("distributed")

    def refused(*_, **__):
        raise OSError("Timed out trying to connect")

    monkeypatch.setattr(distributed, "Client", refused)
    with pytest.raises(LessonError, match="No Dask scheduler answers at 'tcp://away:1'"):
        claims.main(["rnn-forgets-lstm-remembers", "--dask", "tcp://away:1"])


def test_few_seeds_and_ci_stay_out_of_the_ledger(toy):
    said = []
    claims.run("toy", 4, "cpu", folder=toy, say=said.append)
    claims.run("toy", 5, "ci", folder=toy, say=said.append)
    assert not toy.exists() and any("fewer than the 5" in line for line in said)
    assert claims.run("toy", 5, "gpu", folder=toy, say=said.append).preset == "gpu"
    assert [p.name for p in toy.iterdir()] == ["toy.gpu.json"]


def test_a_stale_file_is_noticed(toy, monkeypatch):
    result = claims.run("toy", 5, "cpu", folder=toy, say=lambda line: None)
    assert "experiment 'toy' has changed" in replace(result, digest="0" * 64).stale
    assert "(hidden)" in replace(result, settings={"size": {"hidden": 4}, "preset": "cpu"}).stale
    assert "rule" in replace(result, verdict="does not hold").stale
    wider = replace(TOY, settings=lambda preset: {"size": {"hidden": 3, "new": 1}, "preset": preset})
    monkeypatch.setattr(experiments, "catalogue", lambda: {"toy": wider})
    assert not result.stale, "a setting that did not exist then changes nothing"


@pytest.mark.parametrize(
    "damage, words",
    [
        (lambda c: "{", "cannot be read"),
        (lambda c: "[]", "no claim's result"),
        (lambda c: json.dumps({**c, "schema": 99}), "no claim's result"),
        (lambda c: json.dumps({k: v for k, v in c.items() if k != "rule"}), "no claim's result"),
        (lambda c: json.dumps({**c, "seeds": [{"seed": 0, "figures": {}, "seconds": 1}]}), "not those"),
        (lambda c: json.dumps({**c, "seeds": [{"seed": 0}]}), "each seed has"),
        (lambda c: json.dumps(c).replace("2.04", "NaN"), "not a finite number"),
    ],
)
def test_a_damaged_file_is_one_sentence(toy, damage, words):
    claims.run("toy", 5, "cpu", folder=toy, say=lambda line: None)
    path = toy / "toy.json"
    path.write_text(damage(json.loads(path.read_text())))
    with pytest.raises(LessonError, match=words):
        claims.load("toy", folder=toy)


def test_a_disk_that_refuses_leaves_the_old_file(toy, monkeypatch):
    result = claims.run("toy", 5, "cpu", folder=toy, say=lambda line: None)

    def full(*args):
        raise OSError(28, "No space left on device")

    before = (toy / "toy.json").read_text()
    monkeypatch.setattr(sources.os, "replace", full)
    with pytest.raises(LessonError, match="No space left"):
        claims.save(replace(result, seconds=0.0), toy)
    assert (toy / "toy.json").read_text() == before and len(list(toy.iterdir())) == 1


def test_unknown_names_and_numbers_are_one_sentence(toy, capsys):
    with pytest.raises(LessonError, match=r"no claim 'tov'.*Did you mean toy\?"):
        claims.run("tov")
    with pytest.raises(LessonError, match="no preset 'huge'"):
        claims.run("toy", 5, "huge")
    with pytest.raises(LessonError, match="at least one seed"):
        claims.run("toy", 0)
    with pytest.raises(LessonError, match="not been run yet: python -m lessons claim toy"):
        claims.load("toy", folder=toy)
    assert command_line.main(["claim", "tov"]) == 2
    assert "There is no claim 'tov'" in capsys.readouterr().err


def test_the_command_lists_and_runs(toy, capsys):
    assert claims.main([]) == 0
    assert "a beats b." in capsys.readouterr().out
    assert claims.main(["toy", "--seeds", "2", "--preset", "ci"]) == 0
    text = capsys.readouterr().out
    assert "seed 1: bits: a 2.010" in text and "Rule, fixed beforehand" in text and "toy: holds" in text


def test_the_table_has_a_row_for_every_claim(toy):
    assert "| 02 | a beats b. | not run yet | – |" in claims.table(toy)
    claims.run("toy", 5, "cpu", folder=toy, say=lambda line: None)
    assert "| **holds**. Bits: a is 0.06 to 0.1 bits below b" in claims.table(toy)


def test_a_text_that_cannot_be_had_stops_the_claim(toy, monkeypatch):
    from lessons import corpora

    monkeypatch.setattr(experiments, "catalogue", lambda: {"toy": replace(TOY, corpora=("shakespeare",))})
    stand_in = corpora.load("pydoc", quiet=True)
    stand_in = replace(stand_in, provenance=replace(stand_in.provenance, asked="shakespeare"))
    monkeypatch.setattr(corpora, "load", lambda name, quiet: stand_in)
    with pytest.raises(LessonError, match="about shakespeare, which cannot be had"):
        claims.run("toy", 5, "cpu", folder=toy)
    assert not calls
    assert claims.run("toy", 1, "ci", folder=toy, say=lambda line: None).provenance[0]["fallback"]


def repeatable(figures):
    """Figures without those that a clock gave."""
    return {name: values for name, values in figures.items() if not name.startswith(("time ", "seconds "))}


@pytest.mark.parametrize("name", NAMES)
def test_every_claim_runs_small_and_repeats(name, monkeypatch, tmp_path):
    monkeypatch.setattr(claims, "work_folder", lambda: tmp_path)
    result = claims.run(name, 1, "ci", fresh=True, say=lambda line: None)
    assert result.rule == experiments.find(name).rule and result.seeds[0]["figures"]
    assert repeatable(experiments.find(name).run(0, "ci")) == repeatable(result.figures[0])
    assert claims.read(claims.save(result, tmp_path / "ledger")) == result


@pytest.mark.parametrize("path", LEDGER, ids=lambda path: path.stem)
def test_the_ledger_belongs_to_the_code(path):
    result = claims.read(path)
    assert not result.stale, result.stale
    assert len(result.seeds) >= claims.ENOUGH and path.stem.split(".")[0] == result.name
    assert [seed["seed"] for seed in result.seeds] == list(range(len(result.seeds)))
    assert not any(text["fallback"] for text in result.provenance)
    assert result.statement == experiments.find(result.name).statement
