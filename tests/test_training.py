"""`fit`: what it records, how it stops, and that a killed run goes on as if nothing had happened."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest
import torch

from lessons import char_rnn, checkpoints, corpora, devices, fit, training
from lessons.errors import LessonError
from lessons.run import Run

ROOT = Path(__file__).resolve().parents[1]
TEXT = "".join(f"{n} green bottles, hanging on wall number {n * n}.\n" for n in range(300)).encode()
PRESET = char_rnn.preset("ci").but(
    steps=40, evaluate_every=20, hidden_size=16, num_layers=2, dropout=0.2, valid_characters=500
)


@pytest.fixture(autouse=True)
def foreground():
    """Ctrl-C as in a terminal: a shell starts what runs in its background with the signal ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def make(preset=PRESET, seed=0):
    """A small task: two layers, dropout, carried state."""
    corpus = corpora.user(TEXT, "bottles", quiet=True)
    return char_rnn.CharTask(char_rnn.build(corpus.vocabulary, preset, seed), corpus, preset)


def weights(task):
    return torch.cat([weight.detach().flatten() for weight in task.model.parameters()])


@pytest.fixture(scope="module")
def whole():
    """One run never interrupted: its record and its final weights."""
    task = make()
    return fit(task, progress=False), weights(task)


@pytest.fixture(autouse=True)
def quiet(monkeypatch):
    monkeypatch.setattr(corpora.sources, "notice", lambda text: None)


class Watch:
    """Notes what it is told; `at` maps a step to something to do there."""

    every = 1

    def __init__(self, at=None):
        self.at, self.told = at or {}, []

    def on_start(self, run, task):
        self.told.append("start")

    def on_step(self, run, task, step):
        assert run.step == step
        self.at.get(step, lambda run: None)(run)

    def on_evaluate(self, run, task, step, figures):
        self.told.append((step, sorted(figures)))

    def on_stop(self, run, task, reason):
        self.told.append(reason)


def test_the_loss_falls_and_everything_is_recorded(whole):
    run, _ = whole
    assert run.reason == "finished" and run.step == 40
    assert len(run.losses) == len(run.gradient_norms) == 40
    assert sum(run.losses[-5:]) < sum(run.losses[:5])
    assert [e["step"] for e in run.evaluations] == [0, 20, 40]
    assert run.evaluations[-1]["valid"] < run.evaluations[0]["valid"]
    assert run.baselines["uniform guess"] > run.evaluations[-1]["valid"]
    assert run.settings["hidden_size"] == 16 and run.settings["precision"] == "float32"
    assert run.provenance["source"] == "bottles" and run.versions["torch"] == torch.__version__


def test_the_same_seed_gives_the_same_run_and_another_seed_another(whole):
    run, final = whole
    task = make()
    torch.manual_seed(99)
    assert fit(task, progress=False).losses == run.losses
    assert torch.equal(weights(task), final)
    assert fit(make(), seed=1, progress=False).losses != run.losses


def test_a_model_and_a_text_are_enough():
    corpus = corpora.user(TEXT, "bottles", quiet=True)
    model = char_rnn.CharModel(corpus.vocabulary, hidden_size=8, embedding_size=4)
    run = fit(model, corpus, PRESET.but(steps=2), progress=False)
    assert run.step == 2 and run.settings["hidden_size"] == 8, "the record tells the model's sizes"
    assert not model.training


def test_threads_and_the_learners_random_numbers_are_left_alone():
    torch.manual_seed(5)
    expected, threads = torch.rand(3), torch.get_num_threads()
    torch.manual_seed(5)
    fit(make(PRESET.but(steps=2, threads=2)), progress=False)
    assert torch.equal(torch.rand(3), expected)
    assert torch.get_num_threads() == threads


def test_what_cannot_be_trained_is_refused():
    with pytest.raises(LessonError, match="neither"):
        fit(torch.nn.Linear(2, 2))
    with pytest.raises(LessonError, match="something to train on"):
        fit(make().model)
    with pytest.raises(LessonError, match="has its preset already"):
        fit(make(), preset="ci")
    with pytest.raises(LessonError, match="no device"):
        fit(make(), device="toaster")


def test_one_line_stays_and_says_how_it_went(capsys):
    fit(make())
    assert (
        capsys.readouterr().out.strip().split("\r")[-1].strip().startswith("char_rnn, preset ci, 40 steps in")
    )


def test_watches_are_told_in_order():
    first, second = Watch(), Watch()
    second.every = 20
    seen = []
    second.on_step = lambda run, task, step: seen.append(step)
    fit(make(), watch=[first, second], progress=False)
    assert first.told == ["start", (0, ["valid"]), (20, ["valid"]), (40, ["valid"]), "finished"]
    assert seen == [20, 40]


def test_a_watch_does_not_change_the_run(whole):
    noisy = Watch({step: lambda run: torch.rand(7) for step in range(41)})
    assert fit(make(), watch=noisy, progress=False).losses == whole[0].losses


def test_losses_read_in_bunches_are_the_same(whole, monkeypatch):
    monkeypatch.setattr(training, "lag", lambda device: 20)
    assert fit(make(), progress=False).losses == whole[0].losses


def test_ctrl_c_keeps_the_run_and_it_goes_on(whole, tmp_path):
    watch = Watch({13: lambda run: signal.raise_signal(signal.SIGINT)})
    handler = signal.getsignal(signal.SIGINT)
    run = fit(make(), watch=watch, checkpoint=tmp_path / "run", progress=False)
    assert run.reason == "interrupted" and run.interrupted and run.step == 13
    assert signal.getsignal(signal.SIGINT) is handler
    task = make(seed=7)  # other first weights: the saved ones must replace them
    again = fit(task, checkpoint=tmp_path / "run", progress=False)
    assert again.reason == "finished" and again.losses == whole[0].losses
    assert again.evaluations == whole[0].evaluations
    assert torch.equal(weights(task), whole[1])


def test_a_second_ctrl_c_ends_it_at_once_and_keeps_the_run():
    def twice(run):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    run = fit(make(), watch=Watch({5: twice}), progress=False)
    assert run.reason == "interrupted" and run.step == 5
    assert run.message == "Ended within step 6; what was learnt is in the model only."


def test_after_a_second_ctrl_c_the_last_save_stands_and_is_named(whole, tmp_path, capsys):
    def twice(run):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    path = checkpoints.named(tmp_path / "run")
    early = fit(make(), watch=Watch({5: twice}), checkpoint=path, progress=False)
    assert "before anything was saved" in early.message and not path.exists()
    run = fit(make(PRESET.but(save_every=6)), watch=Watch({15: twice}), checkpoint=path)
    assert (
        run.message == f"Ended within step 16 and not saved again; {path} holds the training as of step 12."
    )
    assert run.message in capsys.readouterr().out
    task = make(PRESET.but(save_every=6), seed=7)
    again = fit(task, checkpoint=path, progress=False)
    assert again.losses == whole[0].losses and torch.equal(weights(task), whole[1])
    last = fit(make(PRESET.but(save_every=6)), watch=Watch({40: twice}), checkpoint=path, progress=False)
    assert last.reason == "finished", "there was no step left to interrupt"


def test_an_interrupted_save_leaves_the_last_one_and_no_part(tmp_path, monkeypatch):
    path = checkpoints.named(tmp_path / "run")
    fit(make(PRESET.but(save_every=6)), watch=Watch({6: Run.stop}), checkpoint=path, progress=False)
    before = path.read_bytes()

    def impatient(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(checkpoints.os, "fsync", impatient)
    run = fit(make(PRESET.but(save_every=6)), checkpoint=path, progress=False)
    assert run.reason == "interrupted" and "holds the training as of step 6" in run.message
    assert path.read_bytes() == before and [p.name for p in tmp_path.iterdir()] == [path.name]


def test_a_button_can_stop_it():
    run = fit(make(), watch=Watch({9: Run.stop}), progress=False)
    assert run.reason == "stopped" and run.step == 9 and "9 of 40 steps" in str(run)


def test_it_trains_outside_the_main_thread(whole):
    runs = []
    thread = threading.Thread(target=lambda: runs.append(fit(make(), progress=False)))
    thread.start()
    thread.join()
    assert runs[0].losses == whole[0].losses


def test_a_finished_run_is_returned_at_once(whole, tmp_path):
    fit(make(), checkpoint=tmp_path / "run", progress=False)
    task, watch = make(seed=3), Watch()
    run = fit(task, checkpoint=tmp_path / "run", watch=watch, progress=False)
    assert run.losses == whole[0].losses and torch.equal(weights(task), whole[1])
    assert watch.told == ["start", "finished"]


def test_the_checkpoint_of_a_training_is_a_models_checkpoint_too(tmp_path):
    task = make()
    fit(task, checkpoint=tmp_path / "run", progress=False)
    model = checkpoints.load(tmp_path / "run")
    assert model.config() == task.model.config()
    assert all(map(torch.equal, model.state_dict().values(), task.model.state_dict().values()))


def test_bf16_is_recorded_and_trains():
    run = fit(make(PRESET.but(precision="bf16")), progress=False)
    assert run.settings["precision"] == "bf16" and "bf16" in str(run)
    assert sum(run.losses[-5:]) < sum(run.losses[:5])


def test_an_automatic_precision_is_bf16_only_where_it_pays(monkeypatch):
    preset = PRESET.but(precision="auto", steps=1)
    for pays, cell, expected in (
        (True, "lstm", "bf16"),
        (False, "lstm", "float32"),
        (True, "gru", "float32"),
    ):
        monkeypatch.setattr(devices, "bf16_pays", lambda device, pays=pays: pays)
        run = fit(make(preset.but(cell=cell)), progress=False)
        assert run.settings["precision"] == expected


def test_a_checkpoint_of_another_run_is_refused(tmp_path):
    path = tmp_path / "run"
    fit(make(), checkpoint=path, progress=False)
    with pytest.raises(LessonError, match=r"another learning rate \(0.01 there, 0.02 now\)"):
        fit(make(PRESET.but(learning_rate=0.02)), checkpoint=path, progress=False)
    with pytest.raises(LessonError, match="another seed"):
        fit(make(), checkpoint=path, seed=1, progress=False)
    assert fit(make(), checkpoint=path, seed=1, resume=False, progress=False).seed == 1
    checkpoints.save(path, make().model)
    with pytest.raises(LessonError, match="no training to go on with"):
        fit(make(), checkpoint=path, progress=False)


def test_a_loss_that_is_no_number_stops_with_advice(tmp_path, capsys):
    task = make(PRESET.but(learning_rate=1e5, clip=None, warmup=0))
    run = fit(task, checkpoint=tmp_path / "run")
    assert run.reason == "diverged" and run.step < 40
    assert torch.isfinite(weights(task)).all()
    assert "learning rate below 100000, or clip the gradient" in capsys.readouterr().out
    assert not (tmp_path / "run.safetensors").exists(), "a broken state must not be saved"


def test_a_broken_gradient_restores_the_last_good_weights(whole):
    class Poisoned(char_rnn.CharTask):
        def loss(self, batch, carry):
            loss, carry = super().loss(batch, carry)
            return (loss * float("nan") if torch.equal(batch[0], spoiled) else loss), carry

    kept = {}
    plain = make()
    fit(plain, watch=Watch({10: lambda run: kept.update(at=weights(plain))}), progress=False)
    task = make()
    task.__class__ = Poisoned
    spoiled = task.batch(17)[0]
    run = fit(task, progress=False)
    assert run.reason == "diverged" and run.step == 18
    assert run.losses[:17] == whole[0].losses[:17]
    assert torch.equal(weights(task), kept["at"])
    assert "after step 10" in run.message


CHILD = """
import sys
sys.path[:0] = [{root!r}, {tests!r}]
import test_training as t
from lessons import fit

class Tell(t.Watch):
    def on_step(self, run, task, step):
        print(step, flush=True)

run = fit(t.make(t.PRESET.but(save_every=6)), watch=Tell(), checkpoint=sys.argv[1], progress=False)
print(run.reason, flush=True)
"""


def child(*arguments, prelude=""):
    """A process that trains the small task and prints every step."""
    code = prelude + textwrap.dedent(CHILD).format(root=str(ROOT), tests=str(ROOT / "tests"))
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"}
    )


def test_a_killed_run_goes_on_bit_for_bit(whole, tmp_path):
    path = tmp_path / "run"
    with child(path) as process:
        for line in process.stdout:
            if int(line) == 23:
                process.kill()
                break
    assert process.returncode not in (0, None), "killed, not finished"
    _, tensors = checkpoints.read(checkpoints.named(path))
    assert len(tensors["run.losses"]) in (18, 24), "the last save before the kill"
    task = make(PRESET.but(save_every=6), seed=7)
    run = fit(task, checkpoint=path, progress=False)
    assert run.reason == "finished"
    assert run.losses == whole[0].losses
    assert run.gradient_norms == whole[0].gradient_norms
    assert run.evaluations == whole[0].evaluations
    assert torch.equal(weights(task), whole[1])


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on file sizes")
def test_a_full_disk_costs_the_save_and_not_the_run(tmp_path):
    """The kernel refuses to write past 4 kB, as a full disk would, after the first good save."""
    path = checkpoints.named(tmp_path / "run")
    fit(make(PRESET.but(save_every=6)), watch=Watch({6: Run.stop}), checkpoint=path, progress=False)
    before = path.read_bytes()
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
    with child(path, prelude=limit) as process:
        out = process.stdout.read().split()
    assert process.returncode == 0 and out[-1] == "finished"
    assert path.read_bytes() == before, "the previous save is intact"
    assert [p.name for p in tmp_path.iterdir()] == [path.name], "no half-written file is left"


def test_a_full_disk_is_told_in_one_sentence(tmp_path, monkeypatch, capsys):
    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoints.os, "fsync", full)
    task = make(PRESET.but(save_every=10))
    run = fit(task, checkpoint=tmp_path / "run")
    out = capsys.readouterr().out
    assert run.reason == "finished" and run.step == 40
    assert out.count("No space left on device") == 1 and "Traceback" not in out


WORKER = """
import hashlib, json, sys
sys.path[:0] = [{root!r}, {tests!r}]
import test_training as t
from lessons import fit
from accelerate import Accelerator
rank = Accelerator(cpu=True).process_index
preset = t.PRESET.but(dropout=0.0, save_every=10)
task = t.make(preset, seed=rank)  # the first process's weights must win
if sys.argv[2] == "stop":
    watch = t.Watch({{20: lambda run: run.stop()}})
    fit(task, checkpoint=sys.argv[1] + "/run", watch=watch, progress=False)
run = fit(task, checkpoint=sys.argv[1] + "/run", progress=False)
digest = hashlib.sha256(t.weights(task).numpy()).hexdigest()
with open(f"{{sys.argv[1]}}/{{rank}}.json", "w") as file:
    json.dump({{"losses": run.losses, "norms": run.gradient_norms, "weights": digest}}, file)
"""


def test_two_processes_agree_with_each_other_and_with_one(tmp_path):
    script = tmp_path / "worker.py"
    script.write_text(textwrap.dedent(WORKER).format(root=str(ROOT), tests=str(ROOT / "tests")))
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node=2", "--master_port=0"]
    command += ["--rdzv_backend=c10d", "--rdzv_endpoint=localhost:0", script, tmp_path, "stop"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr[-3000:]
    first, second = (json.loads((tmp_path / f"{rank}.json").read_text()) for rank in (0, 1))
    assert first == second
    task = make(PRESET.but(dropout=0.0))
    run = fit(task, progress=False)
    assert first["losses"] == pytest.approx(run.losses, rel=1e-4)
    assert first["norms"] == pytest.approx(run.gradient_norms, rel=1e-3)
    assert first["weights"] != hashlib.sha256(weights(make(seed=1)).numpy()).hexdigest()
