"""A learner's own model in one page: the runtime equals torch over numbers and in half precision."""

import base64
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import torch

from lessons import CharModel, capstone, forecast, handwriting, mixture_density, sketching, trace
from lessons.errors import LessonError
from lessons.run import Run
from lessons.sequence_model import SequenceModel
from lessons.vocabulary import Vocabulary
from widgets import capstone as front
from widgets import esm, export, live_page, model_page, weights
from widgets import forecast as pictures
from widgets import sketching as sheets

CI = capstone.PRESETS["ci"]
SYMBOLS = Vocabulary(tuple("abcdefgh \n"))
NODE = shutil.which("node")
needs_node = pytest.mark.skipif(NODE is None, reason="node is not installed")


def b64(tensor):
    return base64.b64encode(tensor.contiguous().float().numpy().astype("<f4").tobytes()).decode()


def network_case(model, precision, steps=23, seed=0):
    """A network with what torch makes of its inputs, its weights rounded as the page holds them."""
    torch.manual_seed(seed)
    packed = weights.pack(model, precision=precision)
    if precision == "float16":
        model.load_state_dict({name: part.half().float() for name, part in model.state_dict().items()})
    reads = isinstance(model, CharModel)
    inputs = (
        torch.randint(len(SYMBOLS), (1, steps))
        if reads
        else torch.randn(1, steps, model.recurrent.input_size)
    )
    seen = trace(model, inputs)
    return {
        "name": f"{packed['name']} over {'characters' if reads else 'numbers'} in {precision}",
        "model": packed | {"weights": base64.b64encode(packed["weights"]).decode()},
        "ids" if reads else "inputs": inputs.flatten().tolist(),
        "answers": b64(seen.logits[0]),
        "layers": [{name: b64(seen[name, k][0]) for name in seen.names} for k in range(seen.num_layers)],
    }


def network_cases():
    for seed, cell in enumerate(("lstm", "gru", "rnn", "rnn_relu")):
        for layers, width in ((1, 1), (3, 3)):
            torch.manual_seed(seed)
            model = SequenceModel(width, 7, cell, 9, layers, "all").eval()
            yield network_case(model, "float32" if layers == 1 else "float16")
    for cell in ("lstm", "gru", "rnn"):
        yield network_case(CharModel(SYMBOLS, cell, 6, 2, embedding_size=5).eval(), "float16")


def density_cases():
    torch.manual_seed(1)
    value, pen = [], []
    for scale in (1.0, 5.0):
        numbers, last = scale * torch.randn(12), torch.randn(())
        mix = forecast.density(numbers, last)
        rows = torch.stack([mix.log_weights.exp(), mix.mean, mix.log_deviation.exp()], 1)
        value.append({"numbers": numbers.tolist(), "last": float(last), "mixture": rows.tolist()})
        for bias in (0.0, 1.5):
            numbers = scale * torch.randn(19)
            mix = mixture_density.mixture(numbers, bias)
            rows = torch.cat([mix.log_weights.exp()[:, None], mix.mean, mix.log_deviation.exp(),
                              mix.lean.tanh()[:, None]], 1)  # fmt: skip
            pen.append({"numbers": numbers.tolist(), "bias": bias, "mixture": rows.tolist(),
                        "lift": float(mix.lift.sigmoid())})  # fmt: skip
    return value, pen


@needs_node
def test_the_runtime_equals_torch_over_numbers_and_in_half_precision(tmp_path):
    value, pen = density_cases()
    path = tmp_path / "cases.json"
    path.write_text(json.dumps({"networks": list(network_cases()), "value": value, "pen": pen}))
    done = subprocess.run(
        [NODE, "--test", "--test-reporter=spec", str(Path(__file__).parent / "js" / "numbers.test.mjs")],
        env={**os.environ, "UNROLLED_CASES": str(path)}, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert "fail 0" in done.stdout


@needs_node
@pytest.mark.parametrize(
    "module",
    [esm.bundle("forecast.js"), esm.bundle("sketch.js"), esm.bundle("capstone.js"), model_page.module()],
)
def test_bundles_are_modules_that_can_be_read(module, tmp_path):
    (tmp_path / "module.mjs").write_text(module)
    done = subprocess.run([NODE, "--check", "module.mjs"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert re.findall(r"^export .*", module, re.MULTILINE)[-1].startswith("export default { render")
    assert not re.search(r"^import\b", module, re.MULTILINE)


def mine(kind):
    brought = capstone.bring(kind)
    return brought, brought.model("gru", 6)


def state(path):
    text = Path(path).read_text(encoding="utf-8")
    assert set(re.findall(r"\w+://[^\s\"'`]*", text)) <= {"http://www.w3.org/2000/svg"}
    return json.loads(re.search(r'id="state" type="application/json">(.*?)</script>', text, re.S)[1])


def test_a_page_of_a_forecaster_holds_weights_history_and_truth(tmp_path):
    brought, model = mine("tides")
    found = state(export.live_page(model, tmp_path / "p.html", brought))
    data = brought.data
    assert found["values"] == pytest.approx(data.values[data.cuts[1] - 200 : data.cuts[1]].tolist())
    assert found["_series"]["truth"] == pytest.approx(data.test[:60].tolist())
    assert base64.b64decode(found["_model"]["weights"]["$base64"]) == weights.pack(model)["weights"]
    assert len(state(export.live_page(model, tmp_path / "p.html"))["values"]) == 200
    assert len(state(export.live_page(model, tmp_path / "p.html", torch.arange(30.0)))["values"]) == 30


def test_a_page_of_a_sketcher_begins_with_strokes_or_blank(tmp_path):
    brought, model = mine("pen")
    found = state(export.live_page(model, tmp_path / "p.html", brought))
    given = [row for row in found["offsets"] if not row[3]]
    assert given == found["_sample"] and given[-1][2] == 1 and len(found["offsets"]) == len(given) + 160
    assert sheets.pace(brought.data) == pytest.approx(0.42, abs=0.15) and sheets.pace(None) == sheets.PACE
    assert {row[3] for row in state(export.live_page(model, tmp_path / "p.html"))["offsets"]} == {1}


def test_a_page_of_a_writer_holds_die_and_microscope_over_one_model(tmp_path):
    model = CharModel(SYMBOLS, "lstm", 8, embedding_size=4)
    run = Run("t", "ci", "bits", 0, "cpu")
    run.model = model
    found = state(export.live_page(run, tmp_path / "p.html", "a bad cab é\n" * 40, title="Mine"))
    assert found["text"] == ("a bad cab \n" * 40)[:200] and found["seed_text"] == found["text"][:24]
    assert len(found["_models"]) == 1 and found["_models"][0]["precision"] == "float32"
    assert "<title>Mine</title>" in (tmp_path / "p.html").read_text()
    assert len(state(export.live_page(model, tmp_path / "p.html"))["text"]) == 200


@pytest.mark.parametrize(("hidden", "precision"), [(256, "float16"), (96, "float32")])
def test_pages_of_cpu_presets_stay_below_two_megabytes(hidden, precision, tmp_path):
    model = CharModel(Vocabulary.of("".join(map(chr, range(32, 120)))), "lstm", hidden)
    path = export.live_page(model, tmp_path / "p.html", "to be or not to be")
    assert path.stat().st_size < 2_000_000
    assert state(path)["_models"][0]["precision"] == precision == live_page.precision(model)


def test_a_writer_by_hand_gets_a_page_of_lines(tmp_path):
    model = handwriting.Writer(6, components=2, gaussians=2)
    assert export.live_page(model, tmp_path / "p.html", "ab").stat().st_size > 10_000


def test_what_cannot_run_in_a_page_is_told(tmp_path):
    path = tmp_path / "p.html"
    with pytest.raises(LessonError, match="loaded from disk is the record alone"):
        export.live_page(Run("t", "ci", "bits", 0, "cpu"), path)
    with pytest.raises(LessonError, match="SequenceModel has no page"):
        export.live_page(SequenceModel(1, 1), path)
    with pytest.raises(LessonError, match="this model's are a VariantLSTM"):
        export.live_page(forecast.Forecaster("peephole", 4), path)
    with pytest.raises(LessonError, match="could not be written"):
        export.live_page(forecast.Forecaster("rnn", 4), tmp_path / "no" / "p.html")
    broken = forecast.Forecaster("rnn", 4)
    with torch.no_grad():
        broken.readout.weight.fill_(float("nan"))
    with pytest.raises(LessonError):
        export.live_page(broken, path)
    assert not path.exists()


def test_the_still_fan_draws_history_paths_and_truth():
    history, paths = torch.arange(20.0).double(), torch.randn(50, 6).double()
    figure = pictures.figure(history, paths, torch.zeros(9).double(), "<b>m</b>", shown=5)
    past, truth = figure.data[3], figure.data[4]
    assert list(past.x) == [-4, -3, -2, -1, 0] and list(past.y) == [15, 16, 17, 18, 19]
    assert list(truth.x) == [1, 2, 3, 4, 5, 6] and "of 6 steps" in figure.summary
    assert list(figure.data[2].y[1:]) == pytest.approx(paths.quantile(0.5, 0).tolist())
    assert figure.layout.xaxis.title.text.startswith("steps from now")


def test_explorers_say_what_is_wrong_and_raise_nothing():
    model = forecast.Forecaster("rnn", 4)
    assert "2 to 60 steps" in pictures.fan(model, horizon=99).message
    assert "finite values" in pictures.fan(model, torch.tensor([float("nan")])).message
    assert "model is" in repr(pictures.fan(5))
    sketcher = sketching.Sketcher("peephole", 4)
    assert "plain layers" in sheets.sketch(sketcher).message and "model is" in repr(sheets.sketch(None))


@pytest.fixture
def door(tmp_path, monkeypatch):
    monkeypatch.setenv("UNROLLED_PRESET", "ci")
    door = front.door(tmp_path)
    yield door
    door.close()


def asks(door, what, buffers=(), **more):
    door.door.busy = True
    door._asked(None, {"ask": what, **more}, list(buffers))
    assert not door.door.busy
    return door.door.message


def test_the_front_door_from_a_sample_to_a_page(door, tmp_path):
    assert asks(door, "sample", name="spots") == "" and "'spots' is numbers" in door.door.sentence
    assert 200 < len(door.door._values) <= 1000 and "peephole" in door.door._choices
    door.door.cell = "gru"
    assert asks(door, "train") == "" and door.run.model is door.model and door.model.cell == "gru"
    assert "than the best simple guess" in door.door.result and len(door.curve.children) == 1
    assert asks(door, "open") == "" and isinstance(door.opened.children[0], pictures.Fan)
    assert asks(door, "page").startswith("Saved as spots.html")
    assert door.door._page["text"] == (tmp_path / "spots.html").read_text()
    assert repr(door).startswith("'spots' is numbers")


def test_the_front_door_takes_bytes_and_pasted_text(door):
    upload = "\n".join(str(k % 9) for k in range(300)).encode()
    assert asks(door, "bring", [memoryview(upload)], name="mine.csv") == ""
    assert door.brought.name == "mine.csv"
    assert asks(door, "paste", text="It was so.\n" * 1200) == "" and door.brought.kind == "text"
    assert door.door._choices == ["lstm", "gru", "rnn"] and door.door._values == []


def test_errors_at_the_front_door_are_one_sentence_and_keep_what_is_there(door):
    assert asks(door, "train").startswith("There is nothing to learn from yet")
    assert asks(door, "open").startswith("There is no trained network yet")
    asks(door, "sample", name="tides")
    asks(door, "train")
    model, told = door.model, door.door.sentence
    assert "'big.txt' has 50.0 MB" in asks(door, "bring", [b"x" * 50_000_000], name="big.txt")
    assert "is empty" in asks(door, "paste", text=" ")
    assert "200 or more" in asks(door, "bring", [b"a,b\n1,2\n3,4\n"], name="a.csv")
    assert door.model is model and door.door.sentence == told
    door.door.cell = "peephole"
    asks(door, "train")
    assert "plain layers" in asks(door, "page")
    door.pages = Path(os.devnull) / "x"
    door.door.cell = "rnn"
    asks(door, "train")
    assert "could not be saved" in asks(door, "page")
    assert asks(door, "dance") == ""


def test_what_a_run_came_to_is_said_beside_the_best_guess():
    brought = capstone.bring("tides")
    run = Run(
        "t", "ci", "nats per value", 0, "cpu", {"cell": "gru", "steps": 2}, baselines={"b": 1.0, "a": 2.0}
    )
    run.evaluations, run.reason, run.losses = [{"step": 2, "valid": 0.75}], "finished", [1.0, 1.0]
    assert "0.25 better than the best simple guess, “b” (1.00)" in front.result(brought, run)
    run.evaluations = [{"step": 2, "valid": 1.5}]
    assert "0.50 worse" in front.result(brought, run)
