"""The memory debugger shows what the machine did, says slots in words, and its changes are real ones."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import Generator

from lessons import captions, dnc_tasks, graphs
from lessons.dnc import DNC
from lessons.edits import Edit
from lessons.errors import LessonError
from lessons.memory_trace import look
from lessons.slot_contents import FAINT, origins, written
from widgets import dnc, memory_scene, slot_links, theme

TASK = dnc_tasks.SENTENCES


def made(task=TASK, **options):
    problem = dnc_tasks.problem(task)
    torch.manual_seed(3)
    machine = DNC(problem.inputs, problem.outputs, hidden_size=12, slots=9, width=6, **options)
    with torch.no_grad():  # larger weights, so that something is written somewhere
        machine.ask.weight.mul_(6)
    return machine.eval()


@pytest.fixture(scope="module")
def machine():
    return made(read_heads=2)


@pytest.fixture(autouse=True)
def light():
    yield
    theme.use("light")


def named(figure, name):
    return next(trace for trace in figure.data if trace.name == name)


def values(trace):
    return np.asarray(trace.z, dtype=float)


def episode(size=5, seed=0, task=TASK):
    return dnc_tasks.problem(task).draw(1, size, Generator().manual_seed(seed))


# -------------------------------------------------------------------------------------- what a slot holds


@pytest.mark.parametrize("options", [{}, {"deallocate": True}, {"masked": True, "sharpened": True}])
def test_what_is_left_of_all_writings_is_the_memory(options):
    machine = made(**options)
    trace = look(machine, torch.cat([episode(6, 0).x, episode(6, 1).x]))
    for sequence in (0, 1):
        for step in (0, 4, trace.steps - 1):
            left = written(trace, step, sequence, machine.deallocate)
            assert left.shape == (step + 1, 9, 6)
            torch.testing.assert_close(left.sum(0), trace["memory"][sequence, step], atol=1e-5, rtol=1e-4)
            shares = origins(trace, step, sequence, machine.deallocate)
            sums = shares.sum(0)
            assert ((sums - 1).abs().lt(1e-5) | sums.eq(0)).all() and (sums > 0).any()


def test_of_an_emptied_slot_nothing_is_left_but_what_comes_later(machine):
    x = episode(6).x
    trace = look(machine, x, Edit("memory", 0.0, units=[2], steps=[4]))
    assert written(trace, 4)[:, 2].abs().sum() == 0
    later = written(trace, 7)
    assert later[:5, 2].abs().sum() == 0
    torch.testing.assert_close(later.sum(0), trace["memory"][0, 7], atol=1e-5, rtol=1e-4)


def test_next_to_nothing_counts_as_nothing(machine):
    trace = look(machine, episode(6).x)
    lengths = written(trace, 5).norm(dim=-1).sum(0)
    faint = lengths <= FAINT * lengths.max()
    assert torch.equal(origins(trace, 5).sum(0) == 0, faint)
    for wrong in (-1, trace.steps, "5"):
        with pytest.raises(LessonError):
            written(trace, wrong)


def test_words_of_bits_and_of_words():
    copy = dnc_tasks.problem(dnc_tasks.COPY).draw(1, 2, Generator().manual_seed(0))
    said = captions.captions(dnc_tasks.COPY)
    words = [said.step(x) for x in copy.x[0]]
    assert words[0] == "begin" and words[3] == "end" and set(words[1]) <= {"0", "1"} and len(words[1]) == 8
    assert said.answer(copy.target[0, -1] - 0.5) == words[2] and words[4:] == ["", ""]
    assert set(captions.CAPTIONS) == set(dnc_tasks.PROBLEMS)
    with pytest.raises(LessonError):
        captions.captions("juggle")


# ------------------------------------------------------------------------------------------- the picture


@pytest.mark.parametrize("head", [0, 1])
def test_the_maps_are_the_traces(machine, head):
    figure, trace = dnc.figure(machine, TASK, 5, 1, 3, head), look(machine, episode(5, 1).x)
    assert np.allclose(values(named(figure, "write weights")), trace.numpy("write weights").T, atol=1e-4)
    assert np.allclose(
        values(named(figure, "read weights")), trace.numpy("read weights")[:, head].T, atol=1e-4
    )
    assert np.allclose(values(named(figure, "usage")), trace.numpy("usage").T, atol=1e-4)
    assert np.allclose(named(figure, "write gate").y, trace.numpy("write gate")[:, 0], atol=1e-4)
    assert np.allclose(named(figure, "allocate gate").y, trace.numpy("allocation gate")[:, 0], atol=1e-4)
    assert np.allclose(named(figure, "free gate").y, trace.numpy("free")[:, head], atol=1e-4)
    for k, mode in enumerate(("backward", "content", "forward")):
        assert np.allclose(named(figure, mode).y, trace.numpy("modes")[:, head, k], atol=1e-4)
    assert f"head {head}" in figure.summary and figure.summary.startswith("Step 3, ")


def test_slots_are_said_in_words(machine):
    one = episode(5, 1)
    figure, trace = dnc.figure(machine, TASK, 5, 1, 6), look(machine, one.x)
    held, words = origins(trace, 6), [captions.captions(TASK).step(x) for x in one.x[0]]
    for slot, line in zip(named(figure, "contents").customdata, named(figure, "contents").text, strict=True):
        shares = held[:, slot]
        if shares.sum() == 0:
            assert line == "–"
        else:
            whose = int(shares.argmax())
            assert line.startswith(words[whose]) and f"{float(shares.max()):.0%}, step {whose}" in line


def test_answers_are_told_from_right_ones(machine):
    one = episode(5, 1)
    figure, trace = dnc.figure(machine, TASK, 5, 1, 2), look(machine, one.x)
    logits, right = trace.logits[:, one.asked], one.target[:, one.asked]
    good = int(dnc_tasks.problem(TASK).hits(logits, right).sum())
    lines = named(figure, "answers").text
    assert len(lines) == int(one.asked.sum()) and sum("✓" in line for line in lines) == good
    assert sum("✕ right is" in line for line in lines) == len(lines) - good
    assert f"{good} of {len(lines)} answers are right" in figure.summary
    assert sum(line.startswith("▸") for line in lines) == 1


def test_arrows_are_links(machine):
    trace = look(machine, episode(6, 2).x)
    shown = list(range(9))
    drawn = slot_links.traces(trace, 7, 0, shown, 3)
    arrows = sum(sum(x is None for x in one.x) for one in drawn if one.name.startswith("links"))
    links = trace.numpy("links")[7]
    assert arrows == (links >= slot_links.FAINT).sum()
    discs = next(one for one in drawn if one.name == "slots")
    assert np.allclose(discs.marker.color, trace.numpy("usage")[7]) and discs.text[3] == "<b>3</b>"
    rings = {one.name: one.marker.opacity for one in drawn if one.name in ("written", "read")}
    assert np.allclose(rings["written"], trace.numpy("write weights")[7], atol=1e-3)
    assert np.allclose(rings["read"], trace.numpy("read weights")[7, 0], atol=1e-3)


def one_link(slots, before, after):
    """The way of the only arrow, (points, 2), and where the slots stand, (slots, 2)."""
    links = np.zeros((1, slots, slots))
    links[0, after, before] = 0.9
    trace = SimpleNamespace(names=("links",), numpy=lambda name: {
        "links": links, "usage": np.zeros((1, slots)), "write weights": np.zeros((1, slots)),
        "read weights": np.zeros((1, 1, slots))}[name])  # fmt: skip
    drawn = slot_links.traces(trace, 0, 0, list(range(slots)), 0)
    arrow, discs = drawn[2], drawn[-1]
    assert arrow.x[-1] is None and None not in arrow.x[:-1] and not any(one.x for one in drawn[:2])
    assert [size > 0 for size in arrow.marker.size] == [False] * (len(arrow.x) - 2) + [True, False]
    return np.stack([arrow.x[:-1], arrow.y[:-1]], 1).astype(float), np.stack([discs.x, discs.y], 1)


@pytest.mark.parametrize("slots", [2, 3, 9, memory_scene.MOST])
def test_one_link_is_one_arrow_the_right_way_and_clear_of_all_slots(slots):
    for after in range(1, slots):
        for one, other in ((0, after), (after, 0)):
            way, places = one_link(slots, one, other)
            assert np.linalg.norm(way[0] - places[one]) == pytest.approx(slot_links.INSIDE)
            assert np.linalg.norm(way[-1] - places[other]) == pytest.approx(slot_links.INSIDE)
            apart = np.linalg.norm(way[:, None] - places[None], axis=-1)
            assert apart.min() > 0.75 * slot_links.INSIDE  # a disc is 0.1 wide from its middle
            gone = np.diff(way, axis=0) @ (places[other] - places[one])
            assert gone.sum() > 0 and gone[-1] > -0.1  # on the whole from one to the other


def test_numbers_on_discs_are_legible_in_a_page_that_swaps_the_colours_of_the_theme():
    for shade in ("light", "dark"):
        theme.use(shade)
        assert not {slot_links.ON_DARK, slot_links.ON_LIGHT} & set(vars(theme.tokens()).values())


def test_an_arrow_there_and_one_back_are_two():
    there, back = one_link(6, 0, 3)[0], one_link(6, 3, 0)[0]
    assert np.linalg.norm(there[len(there) // 2] - back[len(back) // 2]) > 0.1


# ------------------------------------------------------------------------------------------- the changes


@pytest.mark.parametrize("change", list(memory_scene.CHANGES))
def test_changes_are_made_and_told(machine, change):
    scene = memory_scene.staged(machine, TASK, 5, 0, change, 2, 3)
    now, plain = scene.now, scene.plain
    if change == memory_scene.EMPTIED:
        assert now["memory"][0, 3, 2].abs().sum() == 0 < plain["memory"][0, 3, 2].abs().sum()
    if change == memory_scene.UNWRITTEN:
        assert now["write weights"][0, 3].abs().sum() == 0
        assert torch.equal(now["memory"][0, 3], now["memory"][0, 2])
    if change == memory_scene.KEPT:
        assert (now["retention"] == 1).all()
    if change == memory_scene.UNLINKED:
        assert now["links"][0, 3].abs().sum() == 0
    if change == memory_scene.BY_CONTENT:
        assert torch.equal(now["read weights"], now["content"])
    if change != memory_scene.NOTHING:
        summary = dnc.figure(machine, TASK, 5, 0, 3, 0, change, 2, 3).summary
        assert "answers are right; untouched, " in summary
        assert not torch.equal(now.logits, plain.logits)
        assert torch.equal(now.logits[:, :2], plain.logits[:, :2]) or change in (
            "never freed",
            "read by content alone",
        )


def test_controls_choose_and_refuse(machine):
    explorer = dnc.debugger(machine, TASK, 4, 2, 6)
    explorer.value(step=5, head=1)
    assert "Step 5, " in explorer.summary and "head 1" in explorer.summary
    explorer.value(size=6, seed=7, change=memory_scene.EMPTIED, slot=4, at=2)
    assert "With slot 4 emptied after step 2" in explorer.summary and not explorer.message
    before = explorer.figure
    explorer.controls.values = {**explorer.controls.values, "slot": 99}
    assert "slot" in explorer.message and explorer.figure is before
    assert {control["name"] for control in explorer.controls.spec} == {
        "step", "size", "seed", "head", "change", "slot", "at"}  # fmt: skip


def test_clicks_choose_the_slots_that_are_shown():
    """As plotly sends them: the place in the trace, not what stands there."""
    explorer = dnc.debugger(made(dnc_tasks.TRAVERSAL).resized(40), dnc_tasks.TRAVERSAL, 6, 3, 6)
    usage = next(k for k, trace in enumerate(explorer.figure.data) if trace.name == "usage")
    discs = next(k for k, trace in enumerate(explorer.figure.data) if trace.name == "slots")
    shown = explorer.figure.data[discs].customdata

    def click(trace, place):
        hit = explorer.canvas.data[trace]
        explorer._click(hit, SimpleNamespace(trace_name=hit.name, point_inds=[place]), None)

    click(usage, [5, 3])
    assert explorer.value()["slot"] == shown[5] and explorer.value()["at"] == 3
    click(discs, 7)
    assert explorer.value()["slot"] == shown[7]
    before = explorer.value()
    click(next(k for k, trace in enumerate(explorer.figure.data) if trace.name == "answers"), 0)
    assert explorer.value() == before


@pytest.mark.parametrize("task", list(dnc_tasks.PROBLEMS))
def test_every_task_can_be_looked_at(task):
    figure = dnc.figure(made(task), task, 4, 0, 3)
    assert figure.summary.startswith("Step 3, ") and named(figure, "answers").text


def test_machines_without_links_and_with_many_slots():
    plain = made(linked=False)
    explorer = dnc.debugger(plain, TASK, 3, 2, 4)
    assert not {"backward", "forward"} & {trace.name for trace in explorer.figure.data}
    changes = next(control for control in explorer.controls.spec if control["name"] == "change")["options"]
    assert memory_scene.CHANGES[memory_scene.UNLINKED] not in changes
    large = made(dnc_tasks.TRAVERSAL).resized(60)
    figure = dnc.figure(large, dnc_tasks.TRAVERSAL, 12, 0, 20)
    shown = named(figure, "slots").customdata
    assert len(shown) == memory_scene.MOST and list(shown) == sorted(shown)
    one = graphs.traversal(1, 12, Generator().manual_seed(0))
    most = look(large, one.x)["write weights"][0].amax(0)
    assert most[list(shown)].min() >= most.sort(descending=True).values[memory_scene.MOST - 1]


def test_what_cannot_be_shown(machine):
    for wrong in (
        lambda: dnc.figure(machine, dnc_tasks.FAMILY),
        lambda: dnc.figure(machine, "juggle"),
        lambda: dnc.figure(machine, slot=9),
        lambda: dnc.figure(machine, head=2),
        lambda: dnc.figure(machine, change="burnt"),
        lambda: dnc.figure(machine, size=0),
        lambda: dnc.figure("machine"),
        lambda: dnc.figure(made(linked=False), change=memory_scene.UNLINKED),
        lambda: dnc.debugger(machine, dnc_tasks.COPY),
    ):
        with pytest.raises(LessonError):
            wrong()


def test_in_the_dark_with_titles_and_named_axes(machine):
    theme.use("dark")
    figure = dnc.figure(machine, TASK, 4, 0, 2)
    assert figure.layout.template.layout.paper_bgcolor == "#1a1d21"
    assert figure.layout.meta["title"].endswith("?") and figure.summary.endswith(".")
    axes = (figure.layout.xaxis, figure.layout.yaxis, figure.layout.yaxis2, figure.layout.yaxis3,
            figure.layout.yaxis4, figure.layout.yaxis5)  # fmt: skip
    assert all(axis.title.text for axis in axes)
