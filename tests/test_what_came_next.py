"""Lesson 20: its tasks, the study of who can do what, its memory, costs and pictures."""

import numpy as np
import pytest
import torch

from lessons import cell_costs, cell_study, cell_tasks, experiments, tasks, trace, what_came_next
from lessons.cell_tasks import Copy, Depth, Recall, SelectiveCopy
from lessons.edits import Edit
from lessons.errors import LessonError
from lessons.matrix_memory import look
from lessons.sequence_model import SequenceModel, parameters
from lessons.tasks import SequencePreset
from widgets import cell_costs as costs
from widgets import gates, matrix_memory, theme
from widgets import what_came_next as pictures

SIZES = SequencePreset("ci", steps=2, length=12, delay=4, symbols=5, held_out=10, batch_size=4, hidden_size=6)
PAIRS = what_came_next.PAIRS["ci"]


@pytest.fixture(autouse=True)
def light():
    yield
    theme.use("light")


def drawn(kind, **sizes):
    task = tasks.build(kind, SIZES, 0, **sizes)
    return task.preset, *task.batch(0)


# ------------------------------------------------------------------------------------------------ the tasks


@pytest.mark.parametrize("kind", [Copy, SelectiveCopy])
def test_what_was_told_is_asked_for_in_its_order(kind):
    preset, x, target = drawn(kind)
    read = x.argmax(-1)
    assert (x.sum(-1) == 1).all()
    for row, right in zip(read, target, strict=True):
        assert row[row < preset.symbols].equal(right[-4:]) and (right[:-4] == -1).all()
        assert (row[-4:] == preset.symbols + 1).all()
    places = (read < preset.symbols).nonzero()[:, 1].view(4, 4)
    assert (places == torch.arange(4)).all() == (kind is Copy)


def test_a_name_is_answered_by_the_thing_it_came_with():
    _, x, target = drawn(Recall)
    names, things = x[..., :5].argmax(-1), x[..., 5:]
    assert (things[:, 4:] == 0).all() and (target[:, :4] == -1).all()
    for row in range(4):
        assert len(set(names[row, :4].tolist())) == 4
        book = dict(zip(names[row, :4].tolist(), things[row, :4].argmax(-1).tolist(), strict=True))
        assert [book[name] for name in names[row, 4:].tolist()] == target[row, 4:].tolist()


def test_depth_goes_up_and_down_between_its_walls():
    _, x, target = drawn(Depth, length=60)
    steps = 1 - 2 * x.argmax(-1).long()
    steps = -steps
    assert target.equal(steps.cumsum(1)) and target.min() == 0 and target.max() == 4


@pytest.mark.parametrize(
    ("kind", "sizes"),
    [
        (Copy, {"delay": 7}),
        (Copy, {"symbols": 1}),
        (Recall, {"delay": 6}),
        (Recall, {"delay": 0}),
        (Depth, {"delay": 0}),
    ],
)
def test_tasks_that_cannot_be_are_refused(kind, sizes):
    with pytest.raises(LessonError):
        tasks.build(kind, SIZES, 0, **sizes)


# ------------------------------------------------------------------------------------------------ the study


@pytest.mark.parametrize("cell", cell_study.CELLS)
def test_no_network_has_more_weights_than_the_lstms(cell):
    def cost(cell):
        own = cell_study.sizes("recall", cell)
        ends = Recall.sizes(own)
        return parameters(SequenceModel(*ends, own.cell, own.hidden_size, own.num_layers, device="meta"))

    assert 0.85 * cost("LSTM") < cost(cell) <= cost("LSTM")


def test_every_task_has_a_claim_of_this_lesson_over_all_cells():
    assert set(pictures.ASKED) == {*cell_study.TASKS, cell_study.CHARACTERS}
    for task, name in pictures.ASKED.items():
        claim = experiments.find(name)
        assert claim.lesson == "20_what_came_next" and claim.measures[0].conditions == tuple(cell_study.CELLS)
        assert claim.settings("cpu")["task"] == task


def test_a_claim_runs_and_is_the_same_again():
    first, again = (cell_study.share_right("parity", "minLSTM", 7, "ci") for _ in range(2))
    assert first == again and 0 <= first <= 1


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: cell_study.sizes("chess", "LSTM"),
        lambda: cell_study.sizes("copy", "maxLSTM"),
        lambda: cell_study.share_right("copy", "LSTM", -1),
        lambda: cell_costs.training_step("lstm", 0),
        lambda: pictures.figure({}),
        lambda: pictures.beside({}),
        lambda: costs.costs({}, {}),
        lambda: pictures.who_can({}),
    ],
)
def test_what_there_is_not_is_said_in_a_sentence(wrong):
    with pytest.raises(LessonError):
        wrong()


def test_chance_is_one_of_as_many_classes():
    assert cell_study.chance("parity") == 0.5


# --------------------------------------------------------------------------------------- the matrix memory


@pytest.fixture(scope="module")
def recalling():
    return what_came_next.recalling(PAIRS, 2).model.eval()


@pytest.mark.parametrize("cell", ["linear_attention", "gated_attention", "mlstm"])
def test_the_memory_seen_is_the_memory_used(cell):
    torch.manual_seed(0)
    model = SequenceModel(12, 6, cell, 8, 2, readout="all").eval()
    x = cell_tasks.Recall(model, PAIRS).draw(2, torch.Generator().manual_seed(1))[0]
    seen = look(model, x)
    probabilities = model(x)[0].softmax(-1)
    torch.testing.assert_close(seen.bits, probabilities.clamp(1e-6, 1 - 1e-6), atol=1e-5, rtol=1e-4)
    assert seen["memory"].shape == (2, 10, 8, 8) and seen.heads == ("read", "write")
    torch.testing.assert_close(seen["weights"].sum(-1), torch.ones(2, 10, 2))
    if cell == "linear_attention":  # what is read is the mean of what the slots hold
        state = model.recurrent(x)[1][1][-1, :, 0]
        held = state[..., :-1] / state[..., -1:]
        torch.testing.assert_close(seen["memory"][:, -1], held, atol=1e-4, rtol=1e-4)


def test_an_emptied_slot_is_empty_and_changes_nothing_before(recalling):
    x = cell_tasks.Recall(recalling, PAIRS).draw(1, torch.Generator().manual_seed(1))[0]
    plain, changed = look(recalling, x), look(recalling, x, Edit("memory", 0.0, units=[2], steps=[3]))
    assert changed["memory"][0, 3, 2].abs().max() < 1e-6
    torch.testing.assert_close(changed["memory"][:, :3], plain["memory"][:, :3])
    assert not torch.allclose(changed.logits[:, 4:], plain.logits[:, 4:])


def test_only_a_matrix_memory_can_be_opened():
    for model in (
        SequenceModel(3, 2, "lstm", 4),
        SequenceModel(3, 2, "minlstm", 4),
    ):
        with pytest.raises(LessonError, match="matrix memory"):
            look(model, torch.zeros(1, 2, 3))


def test_the_tape_shows_the_memory_and_a_change_is_told(recalling):
    figure = matrix_memory.figure(recalling, PAIRS, step=5)
    seen = look(recalling, matrix_memory.example(recalling, PAIRS, 0).x)
    memory = next(part for part in figure.data if part.name == "memory")
    assert np.allclose(np.asarray(memory.z, dtype=float), seen.numpy("memory")[5], atol=1e-5)
    changed = matrix_memory.figure(recalling, PAIRS, step=5, change="emptied", slot=1, at=2)
    assert "slot 1 emptied after step 2" in changed.summary
    with pytest.raises(LessonError, match="no slot"):
        matrix_memory.figure(recalling, PAIRS, slot=99)
    with pytest.raises(LessonError, match="change"):
        matrix_memory.figure(recalling, PAIRS, change="painted")


def test_the_explorer_answers_without_a_kernel(recalling):
    explorer = matrix_memory.recalled(recalling, PAIRS)
    explorer.value(step=1)
    assert "Step 1" in explorer.summary


# --------------------------------------------------------------------------------------------- the pictures


@pytest.fixture(scope="module")
def traces():
    torch.manual_seed(0)
    x, names = torch.randn(1, 7, 3), ("lstm", "minlstm", "selective", "mlstm")
    return {name: trace(SequenceModel(3, 2, name, 5, 2), x) for name in names}


def test_side_by_side_shows_what_each_cell_computed(traces):
    figure = pictures.figure(traces, step=3, layer=0)
    assert len(figure.data) == 12
    kept = next(part for part in figure.data if part.name == "minlstm")
    assert np.allclose(np.asarray(kept.z), traces["minlstm"].numpy("f", 0).T)
    mean = traces["minlstm"].numpy("f", 0)[3].mean()
    assert f"minlstm {mean:.2f}" in figure.summary
    texts = [note.text for note in figure.layout.annotations]
    assert "lets in: step size d" in texts and "holds: cell state c" in texts


def test_a_cell_without_a_gate_leaves_its_place_empty():
    seen = trace(SequenceModel(3, 2, "linear_attention", 5), torch.randn(1, 4, 3))
    figure = pictures.figure({"linear": seen})
    assert len(figure.data) == 2 and "no such gate" in figure.layout.annotations[0].text
    assert "none of these cells" in figure.summary


def test_sequences_of_other_lengths_and_other_steps_are_refused(traces):
    other = trace(SequenceModel(3, 2, "gru", 5), torch.randn(1, 9, 3))
    with pytest.raises(LessonError):
        pictures.figure({"a": traces["lstm"], "b": other})
    with pytest.raises(LessonError, match="no step"):
        pictures.figure(traces, step=7)


def test_the_explorer_steps_and_picks_a_layer(traces):
    explorer = pictures.beside(traces)
    explorer.value(step=2, layer=0)
    assert explorer.summary == pictures.figure(traces, 2, 0).summary


@pytest.mark.parametrize("name", ["selective", "mlstm"])
def test_lesson_04s_explorer_takes_the_new_cells(traces, name):
    for part in traces[name].names:
        assert gates.figure(traces[name], part).summary
    assert gates.figure(traces[name], "f", unit=2).summary


def test_who_can_shows_means_and_spread():
    results = pictures.kept()
    figure = pictures.who_can()
    texts = [note.text for note in figure.layout.annotations]
    found = results["parity"].spread[pictures.measured(results["parity"])]["LSTM"]
    assert f"<b>{found['mean']:.2f}</b><br>{found['low']:.2f} – {found['high']:.2f}" in texts
    assert len(texts) == len(results) * len(cell_study.CELLS)
    assert "Best in the mean" in figure.summary


def test_costs_are_drawn_in_milliseconds_and_microseconds():
    training = {"loop": {64: 0.01, 256: 0.04}, "scan": {64: 0.002, 256: 0.004}}
    figure = costs.costs(training, {"attention": {64: 1e-5, 256: 3e-5}})
    assert list(figure.data[0].y) == [10, 40] and np.allclose(figure.data[2].y, [10, 30])
    assert "loop ×4, scan ×2" in figure.summary and "attention ×3" in figure.summary


def test_costs_are_measured_for_every_way():
    found = cell_costs.training_costs("minlstm", [4, 8], 1, batch=1, hidden_size=4)
    assert {way: set(line) for way, line in found.items()} == {
        cell_costs.ONE_AT_A_TIME: {4, 8},
        cell_costs.ALL_AT_ONCE: {4, 8},
    }
    assert set(cell_costs.character_costs("attention", [4, 8], 1)) == {4, 8}


def test_attention_reads_all_that_it_has_kept():
    one = cell_costs.Attending(5, 4)
    assert one.kept.shape == (2, 5, 4) and one().shape == (1, 4)
