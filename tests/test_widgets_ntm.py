"""Lesson 17's pictures: they hold what the machine did, and what is changed by hand changes what it says."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from lessons import addressing as maths
from lessons import memory_tasks, memory_training
from lessons.errors import LessonError
from lessons.memory_trace import look
from lessons.ntm import NTM
from widgets import addressing, memory_tape, ngrams, theme
from widgets import ntm as pictures

SIZES = memory_training.PRESETS["ci"].but(slots=12, hidden_size=16, width=6)


@pytest.fixture(scope="module")
def machine():
    return memory_training.prepare(SIZES, 5).model.eval()


@pytest.fixture(scope="module")
def tape_machine():
    """A machine that copies one vector without having learnt it: it adds what it sees to slot 0."""
    made = NTM(10, 8, "feed-forward", hidden_size=10, slots=16, width=8)
    with torch.no_grad():
        for weight in made.parameters():
            weight.zero_()
        made.first_focus[:, 0] = 40.0
        # The controller passes the input on; a tanh of 9 is 1.
        made.control.weight[:, :10] = 9 * torch.eye(10)
        keys, positive, share, turn = (part.clone() for part in made.ask.bias.split(made.parts))
        share[:] = -40.0  # gates shut, nothing erased
        positive[2:] = 10.0  # sharp
        turn[:] = torch.tensor([-40.0, 40.0, -40.0, -40.0, 40.0, -40.0])  # stay
        made.ask.bias.copy_(torch.cat([keys, positive, share, turn]))
        adds = slice(16, 24)
        made.ask.weight[adds, :8] = torch.eye(8)  # what is written is what is read
        made.readout.weight[:, 10:] = 40 * torch.eye(8)
        made.readout.bias.fill_(-10.0)
    return made


@pytest.fixture(autouse=True)
def light():
    yield
    theme.use("light")


def named(figure, name):
    return next(trace for trace in figure.data if trace.name == name)


def values(trace):
    return np.asarray(trace.z, dtype=float)


def trace_of(machine, length, seed=0):
    return look(machine, memory_training.example(machine, "copy", length, seed).x)


# ------------------------------------------------------------------------------------ one step, taken apart


@pytest.mark.parametrize(("step", "head"), [(0, 0), (4, 1)])
def test_the_stages_are_the_traces(machine, step, head):
    figure, trace = addressing.figure(machine, "copy", 4, 0, step, head), trace_of(machine, 4)
    places = trace.places()
    for name in ("content", "gated", "turned", "weights"):
        for whose in ("now", "own"):
            shown = np.asarray(named(figure, f"{name}, {whose}").y)
            assert np.allclose(shown, trace.numpy(name)[step, head, places], atol=1e-6)
    before = trace.before["memory"][0] if step == 0 else trace["memory"][0, step - 1]
    assert np.allclose(values(named(figure, "memory")), before[places].T, atol=1e-6)
    assert np.allclose(values(named(figure, "key"))[:, 0], trace.numpy("key")[step, head], atol=1e-6)
    assert f"Step {step}, {trace.heads[head]} head" in figure.summary


def test_sliders_do_what_the_equations_say(machine):
    trace = trace_of(machine, 4)
    own = addressing.moment(trace, 3, 1)
    chosen = {"key": 2, "strength": 7.5, "gate": 0.25, "turn": 0.5, "power": 3.0}
    figure = addressing.figure(machine, "copy", 4, 0, 3, 1, **chosen)
    memory = own.memory
    content = maths.by_content(memory, memory[:, 2:3], torch.full((1, 1, 1), 7.5))
    gated = 0.25 * content + 0.75 * own.stages["before"]
    turned = 0.5 * gated + 0.5 * gated.roll(1, -1)
    sharp = turned**3 / (turned**3).sum()
    places = trace.places()
    for name, expected in (("content", content), ("gated", gated), ("turned", turned), ("weights", sharp)):
        assert np.allclose(named(figure, f"{name}, now").y, expected[0, 0, places], atol=1e-5), name
    assert np.allclose(named(figure, "weights, own").y, trace.numpy("weights")[3, 1, places], atol=1e-6)
    assert "By itself" in figure.summary and "g 0.25" in figure.summary


def test_own_settings_change_nothing(machine):
    trace = trace_of(machine, 4)
    own = addressing.moment(trace, 2, 0)
    same = addressing.otherwise(own, None, **addressing.settings(own.asked))
    for name, stage in own.stages.items():
        torch.testing.assert_close(same.stages[name], stage)


def test_another_step_or_head_puts_the_sliders_to_its_numbers(machine):
    explorer = addressing.taken_apart(machine, "copy", 4)
    explorer.value(gate=0.9, key=3)
    assert explorer.value()["gate"] == 0.9 and "By itself" in explorer.summary
    for change in ({"step": 3}, {"head": 0}):
        explorer.value(**change)
        at = explorer.value()
        own = addressing.settings(addressing.moment(trace_of(machine, 4), at["step"], at["head"]).asked)
        assert {name: at[name] for name in own} == pytest.approx(own) and at["key"] is None
        assert "By itself" not in explorer.summary and explorer.controls.values["gate"] == at["gate"]
    before = explorer.figure
    explorer.controls.values = {**explorer.controls.values, "step": 99}
    assert "time step" in explorer.message and explorer.figure is before


def test_a_turn_is_shared_out():
    like = torch.zeros(1, 1, 3)
    assert addressing.shared_out(-1.0, like).flatten().tolist() == [1, 0, 0]
    assert addressing.shared_out(1.0, like).flatten().tolist() == [0, 0, 1]
    assert addressing.shared_out(-0.25, like).flatten().tolist() == pytest.approx([0.25, 0.75, 0])


# -------------------------------------------------------------------------------------------------- the tape


def test_the_tape_holds_the_trace(machine):
    figure, trace = memory_tape.figure(machine, "copy", 4, 1, 6), trace_of(machine, 4, 1)
    places = trace.places()
    assert np.allclose(values(named(figure, "input")), trace.numpy("x").T, atol=1e-4)
    for name, head in (("write weights", 1), ("read weights", 0)):
        assert np.allclose(values(named(figure, name)), trace.numpy("weights")[:, head, places].T, atol=1e-4)
    assert np.allclose(values(named(figure, "memory")), trace.numpy("memory")[6, places], atol=1e-6)
    answer = values(named(figure, "answer"))
    assert np.isnan(answer[:, :6]).all() and np.allclose(answer[:, 6:], trace.numpy("bits")[6:].T, atol=1e-4)
    episode = memory_training.example(machine, "copy", 4, 1)
    wrong = (trace.numpy("bits") > 0.5) != (episode.target[0].numpy() > 0.5)
    assert len(named(figure, "wrong").x) == wrong[6:].sum()
    assert f"Of the 32 bits asked for {wrong[6:].sum()} are wrong." in figure.summary


@pytest.mark.parametrize("change", ["emptied", "negated", "swapped with the next"])
def test_a_changed_slot_is_what_is_drawn(machine, change):
    scene = memory_tape.staged(machine, "copy", 4, 0, 5, change, 11, 3)
    before, after = (trace.numpy("memory")[3] for trace in (scene.plain, scene.now))
    expected = before.copy()
    if change == "emptied":
        expected[11] = 0
    elif change == "negated":
        expected[11] *= -1
    else:
        expected[[11, 0]] = before[[0, 11]]
    assert np.allclose(after, expected)
    summary = memory_tape.figure(machine, "copy", 4, 0, 5, change, 11, 3).summary
    assert f"slot 11 {change} after step 3" in summary and "untouched" in summary


def test_a_vector_that_is_taken_from_the_memory_is_missing_in_the_answer(tape_machine):
    """This machine holds all that it has seen in slot 0: emptied before the end, it says only zeros."""
    episode = memory_training.example(tape_machine, "copy", 1)
    scene = memory_tape.staged(tape_machine, "copy", 1, 0, 3, "emptied", 0, 2)
    assert scene.wrong(scene.plain).sum() == 0
    assert scene.wrong(scene.now).sum() == episode.target.sum() > 0
    untouched = memory_tape.staged(tape_machine, "copy", 1, 0, 3, "emptied", 5, 2)
    assert untouched.wrong(untouched.now).sum() == 0


def test_a_click_chooses_slot_and_moment():
    def at(name, where, slots=((5, 5), (6, 6))):
        return memory_tape.clicked(SimpleNamespace(trace_name=name, point_inds=[where], customdata=slots))

    assert at("write weights", (1, 0)) == {"slot": 6, "at": 0}
    assert at("memory", (0, 1)) == {"slot": 5} and at("answer", (0, 1)) is None


def test_a_click_on_a_row_chooses_the_slot_that_is_drawn_there(machine):
    explorer = memory_tape.tape(machine, length=4)
    weights = named(explorer.canvas, "write weights")
    explorer._click(weights, SimpleNamespace(trace_name="write weights", point_inds=[[3, 2]]), None)
    assert explorer.value()["slot"] == weights.customdata[3][2] and explorer.value()["at"] == 2


def test_steps_and_places_that_are_not_there(machine):
    explorer = memory_tape.tape(machine, length=4)
    explorer.value(step=60, at=60, change="emptied", slot=11)
    assert not explorer.message and "Step 9" in explorer.summary
    before = explorer.figure
    explorer.controls.values = {**explorer.controls.values, "length": 99}
    assert "length" in explorer.message and explorer.figure is before
    plain = memory_training.build(SIZES.but(network="lstm"))
    for wrong in (
        lambda: memory_tape.figure(machine, slot=12, change="emptied"),
        lambda: memory_tape.figure(machine, change="burnt"),
        lambda: memory_tape.figure(machine, "juggle"),
        lambda: memory_tape.figure(machine, "repeat copy", 4),
        lambda: memory_tape.figure(machine, length=31),
        lambda: memory_tape.tape(plain),
        lambda: addressing.figure(machine, step=99),
        lambda: addressing.figure(machine, key=12),
        lambda: addressing.figure(machine, turn=2.0),
        lambda: addressing.figure(machine, gate=1.5),
        lambda: addressing.figure(machine, "n-grams"),
        lambda: addressing.taken_apart("machine"),
        lambda: memory_training.example("machine", "copy", 3),
    ):
        with pytest.raises(LessonError):
            wrong()


@pytest.mark.parametrize("task", memory_tasks.TASKS)
def test_every_task_and_several_heads_can_be_drawn(task):
    sizes = SIZES.but(task=task, bits=3, read_heads=2, write_heads=2)
    machine = memory_training.build(sizes)
    assert "first read head" in memory_tape.figure(machine, task, 3, 0, 2).summary
    assert "write 1 head" in addressing.figure(machine, task, 3, 0, 2, 3).summary


# ------------------------------------------------------------------------------------------ how far it goes


def test_what_is_said_and_how_much_is_wrong(machine):
    models = {"NTM": machine, "LSTM": memory_training.prepare(SIZES.but(network="lstm")).model}
    wrong = pictures.shares(models, SIZES, (2, 5))
    figure = pictures.figure(models, wrong, 4, 5, 3)
    episode = memory_training.example(machine, "copy", 5, 3)
    right = episode.target[0, episode.asked].numpy()
    assert np.array_equal(values(named(figure, "to say")), right.T)
    for name, model in models.items():
        said = memory_training.answers(model, episode)[0].detach().sigmoid().numpy()
        assert np.allclose(values(named(figure, name)), said.T, atol=1e-6)
        count = int(((said > 0.5) != (right > 0.5)).sum())
        assert len(named(figure, f"{name}, wrong").x) == count and f"{name} {count}" in figure.summary
        share = named(figure, f"{name}, share")
        assert share.x == (2, 5) and 30 < share.y[0] < 70
        expected = memory_training.by_length(model, SIZES, [5])[5] / 40 * 100
        assert share.y[1] == pytest.approx(expected)
    assert "1.2 times the longest" in figure.summary
    explorer = pictures.beyond(models, SIZES, (2, 5))
    explorer.value(length=3)
    assert "a length of training" in explorer.summary


def test_networks_that_cannot_be_compared(machine):
    for wrong in (
        lambda: pictures.beyond({}, SIZES),
        lambda: pictures.figure({"NTM": machine}, {"LSTM": {2: 1.0}}),
        lambda: pictures.figure({"NTM": machine}, {"NTM": {2: 1.0}}, length=121),
        lambda: pictures.figure({"NTM": torch.nn.Linear(2, 2)}, {"NTM": {2: 1.0}}),
    ):
        with pytest.raises(LessonError):
            wrong()


# ------------------------------------------------------------------------------------------ n-grams


@pytest.fixture(scope="module")
def predictor():
    return memory_training.prepare(SIZES.but(task="n-grams")).model.eval()


def test_predictions_stand_beside_what_counting_says(predictor):
    paid = ngrams.costs(predictor, 20, 6)
    figure = ngrams.figure(predictor, paid, 20, 3, 14)
    episode = memory_training.example(predictor, "n-grams", 20, 3)
    answer = memory_training.answers(predictor, episode)[0, :, 0].detach().sigmoid()
    best = memory_tasks.best_guess(episode)[0, episode.asked]
    assert np.allclose(named(figure, ngrams.MACHINE).y, answer) and np.allclose(
        named(figure, ngrams.BEST).y, best
    )
    came = episode.target[0, episode.asked, 0]
    assert np.array_equal(np.asarray(named(figure, "what came").y) > 0.5, came > 0.5)
    cost = torch.nn.functional.binary_cross_entropy(best, came) / np.log(2)
    assert f"counting {cost:.2f}, a coin 1." in figure.summary
    assert named(figure, f"{ngrams.BEST}, cost").y[0] == pytest.approx(
        paid[ngrams.BEST][:10].mean(), abs=1e-5
    )


def test_the_bit_that_is_told_of_is_counted_by_hand(predictor):
    episode = memory_training.example(predictor, "n-grams", 60, 1)
    bits = [*episode.x[0, :, 0].int().tolist(), int(episode.target[0, -1, 0])]
    chances = ngrams.said(predictor, episode)
    for step in (0, 30, 59):
        before = bits[step : step + 5]
        followed = [bits[k] for k in range(5, step + 5) if bits[k - 5 : k] == before]
        words = f"a one followed {sum(followed)} of {len(followed)} times" if followed else "new here"
        told = ngrams.told(chances, episode, step)
        assert f"Bit {step}, after {''.join(map(str, before))} ({words})" in told
        assert f"a {bits[step + 5]} came" in told


def test_a_bit_and_a_sequence_can_be_chosen_and_only_of_n_grams(predictor, machine):
    explorer = ngrams.beside(predictor, 12)
    explorer.value(step=11, seed=4)
    assert "Bit 11," in explorer.summary and not explorer.message
    for wrong in (
        lambda: ngrams.beside(machine),
        lambda: ngrams.costs("machine"),
        lambda: ngrams.figure(predictor, {}, 12),
        lambda: ngrams.beside(predictor, 0),
    ):
        with pytest.raises(LessonError):
            wrong()


def test_pictures_in_the_dark_have_titles_and_named_axes(machine, predictor):
    theme.use("dark")
    wrong = {"NTM": {2: 50.0, 4: 48.0}}
    for figure in (addressing.figure(machine, length=4), memory_tape.figure(machine, length=4),
                   pictures.figure({"NTM": machine}, wrong, 4, 3),
                   ngrams.figure(predictor, ngrams.costs(predictor, 12, 3), 12)):  # fmt: skip
        assert (
            figure.layout.paper_bgcolor is None and figure.layout.template.layout.paper_bgcolor == "#1a1d21"
        )
        assert figure.layout.meta["title"].endswith("?") and figure.summary.endswith(".")
        assert figure.layout.xaxis.title.text and figure.layout.yaxis.title.text
