"""The machine: every number of a run against plain Python, extremes, traces, edits, tasks and training."""

import dataclasses
import math

import pytest
import torch

from lessons import addressing, checkpoints, fit, memory_tasks, ntm, sources
from lessons import memory_training as training
from lessons.edits import Edit
from lessons.errors import LessonError
from lessons.machine import CONTROLLERS
from lessons.memory_trace import look
from lessons.ntm import NTM

EXACT = {"dtype": torch.float64}
SMALL = {"hidden_size": 5, "slots": 6, "width": 3}
CI = training.PRESETS["ci"]


def made(controller="lstm", seed=0, **options):
    torch.manual_seed(seed)
    return NTM(3, 2, controller, **{**SMALL, **EXACT, **options})


def squash(v):
    return 1 / (1 + math.exp(-v))


def soft(values):
    raised = [math.exp(value - max(values)) for value in values]
    return [value / sum(raised) for value in raised]


def matrix(rows, vector, bias):
    return [
        sum(a * b for a, b in zip(row, vector, strict=True)) + c for row, c in zip(rows, bias, strict=True)
    ]


def machine_by_hand(machine, x):
    """The paper's equations for one sequence, one number at a time: nothing of the package's."""
    w = {name: tensor.tolist() for name, tensor in machine.state_dict().items()}
    readers, heads, width = machine.read_heads, machine.read_heads + machine.write_heads, machine.width
    writers, size, slots = machine.write_heads, machine.hidden_size, machine.slots
    memory, hidden, cell = w["first_memory"], w["first_hidden"], w["first_cell"]
    weights = [soft(row) for row in w["first_focus"]]
    was_read = [[math.tanh(v) for v in row] for row in w["first_read"]]
    answers = []
    for x_t in x.tolist():
        seen = x_t + [v for row in was_read for v in row]
        if machine.controller == "lstm":
            own = matrix(w["control.weight_ih"], seen, w["control.bias_ih"])
            back = matrix(w["control.weight_hh"], hidden, w["control.bias_hh"])
            i, f, g, o = (
                [a + b for a, b in zip(own, back, strict=True)][k * size : (k + 1) * size] for k in range(4)
            )
            cell = [squash(f[k]) * cell[k] + squash(i[k]) * math.tanh(g[k]) for k in range(size)]
            hidden = [squash(o[k]) * math.tanh(cell[k]) for k in range(size)]
        else:
            hidden = [math.tanh(v) for v in matrix(w["control.weight"], seen, w["control.bias"])]
        asked = iter(matrix(w["ask.weight"], hidden, w["ask.bias"]))

        def take(count, asked=asked):
            return [next(asked) for _ in range(count)]

        keys = [[math.tanh(v) for v in take(width)] for _ in range(heads)]
        adds = [[math.tanh(v) for v in take(width)] for _ in range(writers)]
        betas = [math.log1p(math.exp(v)) for v in take(heads)]
        gammas = [1 + math.log1p(math.exp(v)) for v in take(heads)]
        gates = [squash(v) for v in take(heads)]
        erases = [[squash(v) for v in take(width)] for _ in range(writers)]
        turns = [soft(take(machine.shifts)) for _ in range(heads)]
        new = []
        for k in range(heads):
            cosines = []
            for slot in memory:
                dot = sum(a * b for a, b in zip(keys[k], slot, strict=True))
                lengths = [
                    math.sqrt(sum(v * v for v in part) + addressing.NEAR_ZERO) for part in (keys[k], slot)
                ]
                cosines.append(dot / (lengths[0] * lengths[1]))
            content = soft([betas[k] * value for value in cosines])
            gated = [gates[k] * c + (1 - gates[k]) * b for c, b in zip(content, weights[k], strict=True)]
            reach = machine.shifts // 2
            turned = [
                sum(gated[(i - step) % slots] * turns[k][step + reach] for step in range(-reach, reach + 1))
                for i in range(slots)
            ]
            sharp = [value ** gammas[k] for value in turned]
            new.append([value / sum(sharp) for value in sharp])
        weights = new
        memory = [list(slot) for slot in memory]
        for n in range(slots):
            for m in range(width):
                for k in range(writers):
                    memory[n][m] *= 1 - weights[readers + k][n] * erases[k][m]
                for k in range(writers):
                    memory[n][m] += weights[readers + k][n] * adds[k][m]
        was_read = [
            [sum(weights[k][n] * memory[n][m] for n in range(slots)) for m in range(width)]
            for k in range(readers)
        ]
        answers.append(
            matrix(w["readout.weight"], hidden + [v for row in was_read for v in row], w["readout.bias"])
        )
    return answers, memory, weights


@pytest.mark.parametrize("controller", CONTROLLERS)
@pytest.mark.parametrize(("readers", "writers", "shifts"), [(1, 1, 3), (2, 2, 5), (1, 3, 1)])
def test_every_number_is_the_papers(controller, readers, writers, shifts):
    machine = made(controller, read_heads=readers, write_heads=writers, shifts=shifts, start="random")
    x = torch.randn(2, 5, 3, **EXACT)
    found, state = machine(x)
    for b in range(2):
        answers, memory, weights = machine_by_hand(machine, x[b])
        for ours, theirs in ((found, answers), (state.memory, memory), (state.weights, weights)):
            torch.testing.assert_close(ours[b], torch.tensor(theirs, **EXACT), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("controller", CONTROLLERS)
def test_gradients_through_time(controller):
    machine = made(controller, slots=4, width=2, hidden_size=3)
    x = torch.randn(1, 3, 3, **EXACT, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x, *_: machine(x)[0], (x, *machine.parameters()), nondet_tol=0)


@pytest.mark.parametrize("scale", [0.0, 1e4, 1e15, -1e30])
@pytest.mark.parametrize("start", ntm.STARTS)
def test_extremes_give_numbers(scale, start):
    torch.manual_seed(0)
    machine = NTM(3, 2, start=start, **SMALL)
    with torch.no_grad():
        machine.ask.weight.mul_(1e3)
    answers, state = machine(scale * torch.randn(2, 12, 3))
    assert bool(answers.isfinite().all()) and bool(state.memory.isfinite().all())
    torch.testing.assert_close(state.weights.sum(-1), torch.ones(2, 2))
    answers.square().mean().backward()
    assert all(bool(weight.grad.isfinite().all()) for weight in machine.parameters())


def test_a_run_may_be_cut_in_two():
    machine, x = made(), torch.randn(2, 6, 3, **EXACT)
    whole, end = machine(x)
    first, state = machine(x[:, :2])
    second, last = machine(x[:, 2:], state)
    torch.testing.assert_close(torch.cat([first, second], 1), whole, rtol=0, atol=0)
    assert all(torch.equal(a, b) for a, b in zip(end, last, strict=True))


def test_heads_begin_on_slot_0_and_a_constant_memory_is_constant():
    state = made().start(2)
    assert bool((state.weights[..., 0] > 0.9).all()) and state.memory.unique().tolist() == [ntm.EMPTY]
    assert made(start="random").start(1).memory.std() > 0.1
    assert isinstance(made(start="learned").first_memory, torch.nn.Parameter)


def test_shapes_on_the_meta_device():
    machine = NTM(3, 2, **SMALL, device="meta")
    answers, state = machine(torch.empty(2, 4, 3, device="meta"))
    assert answers.shape == (2, 4, 2) and state.memory.device.type == "meta"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"controller": "gru"}, "controller is one of"),
        ({"start": "zeros"}, "start is one of"),
        ({"shifts": 2}, "odd number"),
        ({"shifts": 9}, "odd number up to the 6 slots"),
        ({"slots": 0}, "slots is a whole number"),
        ({"width": 1.5}, "width is"),
        ({"read_heads": None}, "read_heads is"),
    ],
)
def test_what_does_not_fit_is_said(options, words):
    with pytest.raises(LessonError, match=words):
        NTM(3, 2, **{**SMALL, **options})


def test_saved_and_loaded(tmp_path):
    machine = made(start="random", shifts=5, write_heads=2)
    other = checkpoints.load(checkpoints.save(tmp_path / "machine", machine))
    x = torch.randn(1, 4, 3, **EXACT)
    assert torch.equal(other(x)[0], machine(x)[0])


# ------------------------------------------------------------------------------------------------- traces


def test_a_trace_holds_what_the_machine_did():
    machine, x = made(read_heads=2), torch.randn(2, 5, 3, **EXACT)
    trace, (answers, state) = look(machine, x), machine(x)
    assert torch.equal(trace.logits, answers) and torch.equal(trace["memory"][:, -1], state.memory)
    assert trace["weights"].shape == (2, 5, 3, 6) and trace["turn"].shape == (2, 5, 3, 3)
    assert trace.heads == ("read 0", "read 1", "write 0") and look(made(), x).heads == ("read", "write")
    before = torch.cat([trace.before["weights"][:, None], trace["weights"][:, :-1]], 1)
    gated = torch.lerp(before, trace["content"], trace["gate"])
    torch.testing.assert_close(trace["gated"], gated)
    torch.testing.assert_close(trace["read"], trace["weights"][:, :, :2] @ trace["memory"])
    assert trace.numpy("memory", 1).shape == (5, 6, 3) and trace.numpy("bits").max() <= 1
    assert "5 steps, 6 slots of 3" in repr(trace)


def test_an_edited_slot_changes_what_follows_and_nothing_before():
    machine, x = made(), torch.randn(2, 6, 3, **EXACT)
    plain, changed = look(machine, x), look(machine, x, Edit("memory", 7.0, units=[4], steps=[3]))
    assert torch.equal(plain.logits[:, :3], changed.logits[:, :3])
    assert not torch.allclose(plain.logits[:, 3:], changed.logits[:, 3:])
    assert bool((changed["memory"][:, 3, 4] == 7).all())
    others = [0, 1, 2, 3, 5]
    assert torch.equal(plain["memory"][:, 3, others], changed["memory"][:, 3, others])
    shut = look(machine, x, {"erase": 0.0, "add": 0.0})
    assert torch.equal(shut["memory"][:, -1], shut.before["memory"])


def test_places_are_a_stretch_of_the_circle():
    torch.manual_seed(0)
    trace = look(NTM(3, 2, hidden_size=5, slots=40, width=3), torch.randn(1, 4, 3))
    for visited, expected in (([39, 0, 1], [37, 38, 39, 0, 1, 2, 3]), ([10, 12], [8, 9, 10, 11, 12, 13, 14])):
        weights = torch.zeros_like(trace["weights"])
        weights[..., visited] = 0.3
        moved = type(trace)(trace.x, trace.logits, {**trace.values, "weights": weights}, trace.before, 1)
        assert moved.places(least=5) == expected
    assert len(trace.places(least=100)) == 40


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        ({"forget": 0.0}, "no 'forget' to edit"),
        (Edit("memory", 0.0, units=[6]), "units .6."),
        (Edit("gate", 0.0, units=[2]), "units .2."),
        (Edit("gate", 0.0, steps=[9]), "steps .9."),
        (Edit("memory", torch.zeros(5)), "broadcast"),
    ],
)
def test_edits_that_point_at_nothing(edit, words):
    with pytest.raises(LessonError, match=words):
        look(made(), torch.zeros(1, 4, 3, **EXACT), edit)


def test_what_cannot_be_looked_at():
    trace = look(made(), torch.zeros(1, 4, 3, **EXACT))
    for wrong, words in (
        (lambda: look(made(), torch.zeros(1, 4, 2, **EXACT)), r"\(B, T, 3\)"),
        (lambda: look(made(), torch.zeros(1, 0, 3, **EXACT)), r"\(B, T, 3\)"),
        (lambda: look("machine", torch.zeros(1, 4, 3)), "machine is an NTM"),
        (lambda: trace["cell"], "no 'cell'"),
        (lambda: trace.numpy("read", 1), "no sequence 1"),
    ):
        with pytest.raises(LessonError, match=words):
            wrong()


# -------------------------------------------------------------------------------------- tasks and training


def drawn(task, count=4, length=6, repeats=2, seed=1):
    return memory_tasks.draw(task, count, length, 8, repeats, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("task", memory_tasks.TASKS)
def test_episodes_fit_together_and_hang_on_the_generator_alone(task):
    one, same, other = drawn(task), drawn(task), drawn(task, seed=2)
    sizes = memory_tasks.sizes(task, 8)
    assert (one.x.shape[2], one.target.shape[2]) == sizes and one.x.shape[:2] == one.target.shape[:2]
    assert one.asked.shape == one.x.shape[1:2] and one.asked[-1]
    assert torch.equal(one.x, same.x) and not torch.equal(one.x, other.x)
    assert set(one.target.unique().tolist()) <= {0.0, 1.0}
    if task != memory_tasks.NGRAMS:
        assert bool((one.x[:, one.asked] == 0).all()) and bool((one.target[:, ~one.asked] == 0).all())


def test_copies_are_copies():
    once, thrice = drawn("copy"), drawn("repeat copy", repeats=3)
    assert torch.equal(once.target[:, 8:], once.x[:, 1:7, :8])
    said = thrice.x[:, 1:7, :8]
    assert torch.equal(thrice.target[:, 8:-1, :8], torch.cat([said, said, said], 1))
    assert thrice.target[:, :, 8].sum(1).tolist() == [1.0] * 4 and bool((thrice.target[:, -1, 8] == 1).all())
    assert bool((thrice.x[:, 7, 9] == (3 - 5) / 3).all())


def test_the_item_after_the_one_that_is_asked_about():
    episode = drawn("associative recall", count=20)
    for x, target in zip(episode.x, episode.target, strict=True):
        items = [x[4 * k + 1 : 4 * k + 4, :8] for k in range(6)]
        asked = x[25:28, :8]
        (place,) = [k for k, item in enumerate(items) if torch.equal(item, asked)]
        assert torch.equal(target[-3:], items[place + 1])
        assert x[:, 8].nonzero().flatten().tolist() == [0, 4, 8, 12, 16, 20]
        assert x[:, 9].nonzero().flatten().tolist() == [24, 28]
    with pytest.raises(LessonError, match="two items"):
        drawn("associative recall", length=1)


def test_sorted_means_the_highest_priority_first():
    episode = drawn("priority sort", length=10)
    for x, target in zip(episode.x, episode.target, strict=True):
        order = sorted(range(10), key=lambda k: -float(x[k, 8]))[:8]
        assert torch.equal(target[11:], x[order, :8]) and x[10, 9] == 1


def test_the_best_guess_counts_what_followed_the_same_five_bits():
    episode = drawn("n-grams", count=3, length=60)
    guess = memory_tasks.best_guess(episode)
    for row in range(3):
        said = [*episode.x[row, :, 0].tolist(), float(episode.target[row, -1, 0])]
        for step in range(4, 64):
            before = said[step - 4 : step + 1]
            followed = [said[k + 5] for k in range(step - 4) if said[k : k + 5] == before]
            by_hand = (sum(followed) + 0.5) / (len(followed) + 1)
            assert float(guess[row, step]) == pytest.approx(by_hand), (row, step)
    assert bool((guess[:, :4] == 0.5).all())


def test_nobody_beats_the_best_guess_and_it_beats_a_coin():
    episode = drawn("n-grams", count=300, length=100)
    best = training.optimum(episode)
    chances = memory_tasks.best_guess(episode)[:, episode.asked]
    target = episode.target[:, episode.asked, 0]
    for bend in (0.5, 1.5):  # more timid, and bolder
        other = torch.sigmoid(bend * torch.logit(chances))
        assert torch.nn.functional.binary_cross_entropy(other, target) / math.log(2) > best
    assert 0.6 < best < 0.8


def test_an_lstm_of_as_many_weights():
    for task in memory_tasks.TASKS:
        sizes = training.PRESETS["cpu"].but(task=task)
        machine, plain = (training.build(sizes.but(network=kind)) for kind in ("ntm", "lstm"))
        counts = [training.parameters(model) for model in (machine, plain)]
        assert abs(counts[0] - counts[1]) < 0.01 * counts[0]


@pytest.mark.parametrize("network", ["ntm", "lstm"])
@pytest.mark.parametrize("task", memory_tasks.TASKS)
def test_every_task_trains(task, network):
    sizes = CI.but(task=task, network=network, shortest=2, steps=2, evaluate_every=2)
    run = fit(training.prepare(sizes), progress=False)
    assert run.reason == "finished" and 0.5 < run.last["valid"] < 2
    assert ("all that can be known" in run.baselines) == (task == "n-grams")


@pytest.mark.parametrize("task", memory_tasks.TASKS)
def test_the_machine_that_comes_with_the_course_is_the_one_its_record_tells_of(task):
    name = task.replace(" ", "_").replace("-", "_")
    meta = checkpoints.describe(sources.data_folder() / "checkpoints" / f"ntm_{name}")
    machine, settings = training.pretrained(task), meta["run"]["settings"]
    sizes = training.PRESETS[settings["name"]].but(steps=settings["steps"])
    assert settings.items() >= dataclasses.asdict(sizes).items() and settings["task"] == task
    assert not machine.training and machine.config()["slots"] == sizes.slots
    found = training.MemoryTask(machine, sizes).evaluate()
    if task == memory_tasks.NGRAMS:
        assert found["valid"] == pytest.approx(meta["figures"]["valid"], abs=1e-3)
    else:
        assert found["wrong bits"] == pytest.approx(
            meta["figures"][f"wrong bits at {sizes.longest}"], abs=0.1
        )


def test_a_task_repeats_and_is_dealt_out():
    task, same = training.prepare(CI, 3), training.prepare(CI, 3)
    assert torch.equal(task.batch(5).x, same.batch(5).x)
    assert not torch.equal(task.model.ask.weight, training.prepare(CI, 4).model.ask.weight)
    parts = [task.shard(k, 2).batch(5).x for k in range(2)]
    assert torch.equal(torch.stack(parts, 1).flatten(0, 1), task.batch(5).x)
    with pytest.raises(LessonError, match="evenly"):
        task.shard(0, 3)
    lengths = {task.batch(step).asked.sum().item() for step in range(60)}
    assert lengths == {1, 2, 3, 4}


def test_training_ends_after_three_good_evaluations_in_a_row():
    watch, stopped = training.UntilLearnt(), []
    run = type("Run", (), {"stop": lambda self, why: stopped.append(why)})()
    task = training.prepare(CI)
    for step, wrong in enumerate((0.2, 0.1, 0.9, 0.1, 0.2, 0.4)):
        watch.on_evaluate(run, task, step, {"wrong bits": wrong})
    assert stopped == ["learnt"] and watch.learnt and watch.step == 5


def test_wrong_bits_are_counted():
    episode = drawn("copy")
    perfect = 20 * (2 * training.right(torch.zeros(4, 6, 8), episode) - 1)
    assert training.wrong(perfect, episode) == 0 and float(training.cost(perfect, episode)) < 1e-6
    spoilt = perfect.clone()
    spoilt[0, 0, :4] *= -1
    assert training.wrong(spoilt, episode) == 1.0
    assert float(training.cost(torch.zeros_like(perfect), episode)) == pytest.approx(1)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"task": "juggle"}, "no task 'juggle'"),
        ({"shortest": 9}, "longest is longer"),
        ({"network": "gru"}, 'network is "ntm" or "lstm"'),
        ({"optimiser": "sgd"}, "optimiser is"),
        ({"bits": 0}, "bits is"),
        ({"heads": 2}, "no 'heads'"),
    ],
)
def test_presets_that_cannot_be(changes, words):
    with pytest.raises(LessonError, match=words):
        CI.but(**changes)


def test_every_preset_builds():
    for sizes in training.PRESETS.values():
        assert training.build(sizes).input_size == memory_tasks.sizes(sizes.task, sizes.bits)[0]
