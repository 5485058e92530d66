"""The watch of a training: it changes nothing, costs little, can stop, and leaves a picture that stays."""

import math

import numpy as np
import pytest
from ipywidgets.widgets.widget import _instances
from torch.nn import functional

from lessons import char_rnn, fit, training
from lessons.run import Run
from lessons.vocabulary import Vocabulary
from widgets import slots
from widgets import training as watching

SYMBOLS = "\n abcdefgh<>&"


class Alphabet:
    """A task of seconds: learn to repeat the alphabet."""

    name, unit, seed, provenance = "alphabet", "bits per character", 0, {}

    def __init__(self, steps=60):
        self.preset = training.Preset("ci", steps=steps, evaluate_every=20, threads=1, precision="float32")
        preset = char_rnn.preset("ci").but(hidden_size=12, embedding_size=6)
        self.model = char_rnn.build(Vocabulary(tuple(SYMBOLS)), preset, seed=1)
        self.text = self.model.encode("abcdefgh\n" * 6)

    def batch(self, step):
        return self.text

    def start(self):
        return None

    def loss(self, batch, carry):
        logits, _ = self.model(batch[:, :-1])
        entropy = functional.cross_entropy(logits.flatten(0, 1), batch[:, 1:].flatten())
        return entropy / math.log(2), None

    def evaluate(self):
        return {"valid": self.loss(self.text, None)[0].item()}

    def baselines(self):
        return {"uniform guess": math.log2(len(SYMBOLS)), "5-gram": 0.4}


class Handle:
    def __init__(self):
        self.shown = []

    def update(self, thing):
        self.shown.append(thing)


@pytest.fixture
def page(monkeypatch):
    """A notebook that is not there: what is displayed lands in two handles."""
    handles, displayed = [Handle(), Handle()], []

    def display(thing=None, **options):
        displayed.append(thing)
        return handles[len(displayed) - 1]

    monkeypatch.setattr(slots, "running_kernel", object)
    monkeypatch.setattr(slots, "running_cell", lambda: None)
    monkeypatch.setattr("IPython.display.display", display)
    return handles, displayed


def made(**changes) -> Run:
    values = {
        "losses": [3.0, 2.5, 2.0, 1.5],
        "gradient_norms": [0.5, 2.0, 1.5, 0.2],
        "seconds": 12.0,
        "settings": {"steps": 8, "clip": 1.0},
        "baselines": {"uniform guess": 3.7, "5-gram": 1.9},
        "evaluations": [{"step": 0, "valid": 3.1}, {"step": 4, "valid": 1.6}],
        "reason": "finished",
    }
    return Run("t", "ci", "bits per character", 0, "cpu", **{**values, **changes})


def test_the_curve_shows_the_runs_numbers():
    picture = watching.curve(made())
    losses, means, held_out, norms = picture.data
    assert np.allclose(losses.y, [3, 2.5, 2, 1.5]) and np.allclose(losses.x, [1, 2, 3, 4])
    assert np.allclose(means.y, [3, 2.75, 2.5, 2.25])
    assert np.allclose(held_out.y, [3.1, 1.6]) and np.allclose(norms.y, [0.5, 2, 1.5, 0.2])
    assert [shape.y0 for shape in picture.layout.shapes] == [3.7, 1.9, 1.0]
    assert picture.layout.xaxis.range == (0, 8)
    assert picture.layout.yaxis.title.text == "loss (bits per character)"


def test_the_summary_says_what_was_reached_and_how_it_ended():
    assert watching.curve(made()).summary == (
        "After 4 steps in 12 s, the held-out loss is 1.600 bits per character, 0.300 below “5-gram”; "
        "50 % of the gradients were clipped."
    )
    assert watching.curve(made(reason="interrupted")).summary.startswith("Interrupted after 4 steps")
    assert "no number" in watching.curve(made(reason="diverged", losses=[3.0, math.nan])).summary
    assert "0 steps" in watching.curve(made(losses=[], gradient_norms=[], evaluations=[])).summary


def test_labels_do_not_lie_on_one_another():
    picture = watching.curve(made(baselines={"a": 2.0, "b": 2.001, "c": 2.002}))
    notes = sorted((note for note in picture.layout.annotations if note.yref == "y"), key=lambda note: note.y)
    low, high = picture.layout.yaxis.range
    lines = [1 + note.text.count("<br>") for note in notes]
    assert lines == [1, 2, 2, 2]
    for below, above, first, second in zip(notes, notes[1:], lines, lines[1:], strict=False):
        assert above.y - below.y >= 0.99 * (high - low) * 16 / 250 * (first + second) / 2
    assert abs(np.mean([note.y for note in notes[1:]]) - 2.001) < 0.05 * (high - low), (
        "they stay where they belong"
    )


def test_labels_are_moved_as_little_as_it_takes():
    assert watching.spread([1.0, 5.0], [2.0], 0.0, 9.0) == [1.0, 5.0]
    assert watching.spread([4.0, 4.0], [2.0], 0.0, 9.0) == [3.0, 5.0]
    assert watching.spread([8.9, 9.0, 9.0], [1.0, 1.0], 0.0, 9.0) == [7.0, 8.0, 9.0]
    assert watching.spread([0.0, 0.1], [3.0], 0.0, 9.0) == [0.0, 3.0]
    assert watching.spread([0.0, 0.0, 0.0], [6.0, 6.0], 0.0, 9.0)[0] == 0.0, (
        "without room, from the lower end"
    )
    assert watching.spread([], [], 0.0, 1.0) == []


def test_the_title_names_the_baseline_whatever_it_is_called():
    picture = watching.curve(made(baselines={"always 1": 1.9, "uniform guess": 3.7}))
    assert picture.layout.meta["title"] == "Does the loss fall below “always 1”?"
    assert "0.300 below “always 1”" in picture.summary


def test_long_runs_are_thinned_without_losing_the_mean():
    values = np.arange(12_345, dtype=np.float32)
    where, means = watching.thin(values)
    assert len(means) <= 1_000 and where[-1] <= 12_345
    assert means[0] == pytest.approx(values[: int(where[0])].mean())


def test_watching_does_not_change_the_training(page):
    plain = fit(Alphabet(), progress=False)
    watched = fit(Alphabet(), watch=watching.live("abc", temperatures=(0.5, 1.0)), progress=False)
    assert plain.losses == watched.losses


def test_afterwards_a_static_picture_and_the_samples_remain_and_no_widget(page):
    handles, displayed = page
    before = len(_instances)
    live = watching.live("abc", length=30)
    run = fit(Alphabet(), watch=live, progress=False)
    assert len(_instances) == before
    assert handles[0].shown[-1].summary == watching.curve(run).summary
    assert list(handles[1].shown[-1].stages) == ["at the start", "after 40 steps", "after 60 steps"]
    assert sorted(live.samples) == [0, 20, 40, 60]
    assert isinstance(displayed[0], watching.Panel)


def test_the_panel_follows_the_run(page, monkeypatch):
    monkeypatch.setattr(watching, "PAUSE", 0.0)
    monkeypatch.setattr(watching, "SHARE", 1.0)
    live, seen = watching.live("abc"), []
    draw = live._draw
    monkeypatch.setattr(
        live, "_draw", lambda run, task: (draw(run, task), seen.append(live.panel.get_state()))
    )
    fit(Alphabet(), watch=live, progress=False)
    last = seen[-1]
    assert last["share"] == 1.0 and last["curve"]["steps"] == 60
    assert len(last["curve"]["losses"]) == 4 * 60
    assert last["curve"]["baselines"] == [["uniform guess", math.log2(len(SYMBOLS))], ["5-gram", 0.4]]
    assert (last["gates"]["steps"], last["gates"]["units"], last["gates"]["signal"]) == (3, 12, "c")
    assert last["gates"]["characters"] == ["a", "b", "c"]


@pytest.mark.parametrize("wrong", [{"text": "abcxyz"}, {"text": "abc", "name": "z"}])
def test_gates_that_cannot_be_shown_do_not_end_the_training(page, capsys, wrong):
    run = fit(Alphabet(), watch=watching.live(**wrong, temperatures=()), progress=False)
    assert run.reason == "finished"
    assert capsys.readouterr().out.count("No gates are shown: ") == 1


def test_the_stop_button_ends_the_training_and_keeps_it(page, monkeypatch):
    live = watching.live(temperatures=())
    step = live.on_step

    def press(run, task, done):
        live.panel.stop = live.panel.stop or done >= 10
        step(run, task, done)

    monkeypatch.setattr(live, "on_step", press)
    run = fit(Alphabet(), watch=live, progress=False)
    assert run.reason == "stopped" and 10 <= run.step < 60
    assert page[0][0].shown[-1].summary.startswith("Stopped by hand after")


def test_pictures_are_held_back_when_they_cost_too_much(page, monkeypatch):
    drawn = []
    monkeypatch.setattr(watching, "PAUSE", 0.0)
    monkeypatch.setattr(watching, "SHARE", 0.0)
    live = watching.live(temperatures=())
    draw = live._draw
    monkeypatch.setattr(live, "_draw", lambda run, task: (drawn.append(run.step), draw(run, task)))
    fit(Alphabet(), watch=live, progress=False)
    assert drawn == [0]


def test_a_terminal_gets_text(capsys, monkeypatch):
    monkeypatch.setattr(slots, "running_kernel", lambda: None)
    fit(Alphabet(), watch=watching.live(length=10), progress=False)
    told = capsys.readouterr().out
    assert "After 60 steps" in told and "at the start, temperature 0.5" in told


def test_a_held_out_figure_from_an_earlier_step_says_which():
    stale = made(evaluations=[{"step": 0, "valid": 3.1}], reason="stopped")
    assert "after 4 steps in 12 s, the held-out loss at step 0 was 3.100" in watching.curve(stale).summary


def test_losses_that_are_no_numbers_leave_a_picture():
    picture = watching.curve(made(losses=[3.0, math.inf, math.nan, 1.5], reason="diverged"))
    assert all(math.isfinite(end) for end in picture.layout.yaxis.range)
