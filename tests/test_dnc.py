"""The machine: every number of a run against plain Python, what never breaks, options, traces, training."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lessons import addressing, allocation, checkpoints, dnc_tasks, fit, machine_training
from lessons import dnc_training as training
from lessons import links as linkage
from lessons.dnc import DNC
from lessons.edits import Edit
from lessons.errors import LessonError
from lessons.machine import CONTROLLERS
from lessons.memory_trace import look

EXACT = {"dtype": torch.float64}
SMALL = {"hidden_size": 5, "slots": 6, "width": 3}
FIXES = ("masked", "deallocate", "sharpened")
CI = training.PRESETS["ci"]


def made(controller="lstm", seed=0, **options):
    torch.manual_seed(seed)
    machine = DNC(3, 2, controller, **{**SMALL, **EXACT, **options})
    with torch.no_grad():
        machine.ask.weight.mul_(4)  # gates that open and shut, keys that differ
    return machine


def begun(machine, batch):
    """A start at which no two slots are alike; which of them comes first would be decided by rounding."""
    memory, usage = torch.randn(batch, machine.slots, machine.width), torch.rand(batch, machine.slots) / 2
    return machine.start(batch)._replace(memory=memory.double(), usage=usage.double())


def squash(v):
    return 1 / (1 + math.exp(-v))


def oneplus(v):
    return 1 + math.log1p(math.exp(v))


def soft(values):
    raised = [math.exp(value - max(values)) for value in values]
    return [value / sum(raised) for value in raised]


def dot(a, b):
    return sum(x * y for x, y in zip(a, b, strict=True))


def flat(rows):
    return [value for row in rows for value in row]


def affine(rows, vector, bias):
    return [dot(row, vector) + c for row, c in zip(rows, bias, strict=True)]


def controlled(machine, w, seen, hidden, cell):
    """The controller's next hidden and cell."""
    if machine.controller == "feed-forward":
        return [math.tanh(v) for v in affine(w["control.weight"], seen, w["control.bias"])], cell
    own = affine(w["control.weight_ih"], seen, w["control.bias_ih"])
    back = affine(w["control.weight_hh"], hidden, w["control.bias_hh"])
    size = machine.hidden_size
    i, f, g, o = (
        [a + b for a, b in zip(own, back, strict=True)][k * size : (k + 1) * size] for k in range(4)
    )
    cell = [squash(f[k]) * cell[k] + squash(i[k]) * math.tanh(g[k]) for k in range(size)]
    return [squash(o[k]) * math.tanh(cell[k]) for k in range(size)], cell


def content_by_hand(memory, key, strength, mask):
    """Softmax of strength times cosine, both vectors seen through the mask."""
    cosines = []
    for slot in memory:
        a, b = ([m * v for m, v in zip(mask, vector, strict=True)] for vector in (key, slot))
        cosines.append(
            dot(a, b) / math.sqrt((dot(a, a) + addressing.NEAR_ZERO) * (dot(b, b) + addressing.NEAR_ZERO))
        )
    return soft([strength * cosine for cosine in cosines])


def sharp_by_hand(weights, power):
    top = max(weights) + linkage.NO_LINK
    raised = [(v / top) ** power for v in weights]
    return [v / (sum(raised) + linkage.NO_LINK) for v in raised]


def allocation_by_hand(used):
    """Equation by equation: sort by usage, give out what is left."""
    used = [allocation.LEAST + (1 - allocation.LEAST) * u for u in used]
    free_list, weights, product = sorted(range(len(used)), key=used.__getitem__), [0.0] * len(used), 1.0
    for slot in free_list:
        weights[slot] = (1 - used[slot]) * product
        product *= used[slot]
    return weights


def machine_by_hand(machine, x, memory, usage):
    """The paper's equations for one sequence, one number at a time: nothing of the package's."""
    w = {name: tensor.tolist() for name, tensor in machine.state_dict().items()}
    heads, width, slots = machine.read_heads, machine.width, range(machine.slots)
    precedence, written = ([0.0] * machine.slots for _ in range(2))
    links, reading = [[0.0] * machine.slots for _ in slots], [[0.0] * machine.slots for _ in range(heads)]
    was_read = [[0.0] * width for _ in range(heads)]
    hidden, cell, answers = [0.0] * machine.hidden_size, [0.0] * machine.hidden_size, []
    for x_t in x.tolist():
        hidden, cell = controlled(machine, w, x_t + flat(was_read), hidden, cell)
        asked = iter(affine(w["ask.weight"], hidden, w["ask.bias"]))

        def take(count, asked=asked):
            return [next(asked) for _ in range(count)]

        keys = [take(width) for _ in range(heads + 1)]
        add = take(width)
        strengths = [oneplus(v) for v in take(heads + 1)]
        powers = [[oneplus(v) for v in take(2)] for _ in range(heads * machine.sharpened)]
        erase, free = [squash(v) for v in take(width)], [squash(v) for v in take(heads)]
        allocation_gate, write_gate = squash(take(1)[0]), squash(take(1)[0])
        masks = [
            [squash(v) for v in take(width)] if machine.masked else [1.0] * width for _ in range(heads + 1)
        ]
        modes = [soft(take(3)) for _ in range(heads * machine.linked)]

        retained = [math.prod(1 - free[r] * reading[r][n] for r in range(heads)) for n in slots]
        usage = [(usage[n] + written[n] - usage[n] * written[n]) * retained[n] for n in slots]
        offered = allocation_by_hand(usage)
        alike = content_by_hand(memory, keys[heads], strengths[heads], masks[heads])
        written = [
            write_gate * (allocation_gate * offered[n] + (1 - allocation_gate) * alike[n]) for n in slots
        ]
        for n in slots:
            for m in range(width):
                kept = memory[n][m] * (retained[n] if machine.deallocate else 1)
                memory[n][m] = kept * (1 - written[n] * erase[m]) + written[n] * add[m]
        links = [
            [
                0.0 if i == j else (1 - written[i] - written[j]) * links[i][j] + written[i] * precedence[j]
                for j in slots
            ]
            for i in slots
        ]
        precedence = [(1 - sum(written)) * precedence[n] + written[n] for n in slots]
        new = []
        for r in range(heads):
            found = content_by_hand(memory, keys[r], strengths[r], masks[r])
            if machine.linked:
                back = [sum(links[i][n] * reading[r][i] for i in slots) for n in slots]
                forth = [sum(links[n][i] * reading[r][i] for i in slots) for n in slots]
                if machine.sharpened:
                    back, forth = sharp_by_hand(back, powers[r][0]), sharp_by_hand(forth, powers[r][1])
                found = [dot(modes[r], three) for three in zip(back, found, forth, strict=True)]
            new.append(found)
        reading = new
        was_read = [
            [sum(reading[r][n] * memory[n][m] for n in slots) for m in range(width)] for r in range(heads)
        ]
        answers.append(affine(w["readout.weight"], hidden + flat(was_read), w["readout.bias"]))
    return answers, memory, usage, links if machine.linked else [], written, reading


@pytest.mark.parametrize("controller", CONTROLLERS)
@pytest.mark.parametrize(
    "options",
    [{}, {"read_heads": 3}, {"linked": False}, *({name: True, "read_heads": 2} for name in FIXES),
     {**dict.fromkeys(FIXES, True), "read_heads": 2}],
    ids=lambda options: " ".join(options) or "plain",
)  # fmt: skip
def test_every_number_is_the_papers(controller, options):
    machine, x = made(controller, **options), torch.randn(2, 7, 3, **EXACT)
    begin = begun(machine, 2)
    found, state = machine(x, begin)
    ours = (found, state.memory, state.usage, state.links, state.write_weights, state.read_weights)
    for b in range(2):
        for mine, theirs in zip(
            ours,
            machine_by_hand(machine, x[b], begin.memory[b].tolist(), begin.usage[b].tolist()),
            strict=True,
        ):
            torch.testing.assert_close(
                mine[b], torch.tensor(theirs, **EXACT).view_as(mine[b]), rtol=1e-9, atol=1e-12
            )


@pytest.mark.parametrize("options", [{}, {"read_heads": 2}, {"linked": False}, dict.fromkeys(FIXES, True)])
def test_gradients_through_time(options):
    machine = made(slots=3, width=2, hidden_size=2, **options)
    x = torch.randn(1, 3, 3, **EXACT, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x, *_: machine(x)[0], (x, *machine.parameters()), nondet_tol=0)


@pytest.mark.parametrize("readers", [1, 3])
def test_the_gradient_written_out_is_autograds(readers):
    """lessons/dnc_closed_form.py against the same step left to autograd."""
    machine, x = made(read_heads=readers, slots=9), torch.randn(3, 8, 3, **EXACT)
    begin = begun(machine, 3)
    (fast, end), (slow, last) = machine(x, begin), machine(x, begin, lambda name, value: value)
    torch.testing.assert_close(fast, slow, rtol=0, atol=1e-14)
    weights = [torch.randn_like(value) for value in (fast, *end)]
    gradients = [
        torch.autograd.grad(
            sum((value * weight).sum() for value, weight in zip(values, weights, strict=True)),
            list(machine.parameters()),
        )
        for values in ((fast, *end), (slow, *last))
    ]
    for ours, theirs in zip(*gradients, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-12)


def driven(numbers, options, scale):
    """A trace of a machine with weights so large that gates are open or shut."""
    torch.manual_seed(numbers)
    machine = DNC(3, 2, **{**SMALL, **EXACT, "read_heads": 2, **options})
    with torch.no_grad():
        machine.ask.weight.mul_(scale)
    return look(machine, torch.randn(2, 9, 3, **EXACT))


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 10**6),
    st.sampled_from([{}, {"sharpened": True}, {"masked": True, "deallocate": True}]),
    st.sampled_from([0.0, 3.0, 30.0, 300.0]),
)
def test_what_never_breaks(numbers, options, scale):
    trace, little = driven(numbers, options, scale), 1e-6
    for name in ("write weights", "read weights", "allocation", "precedence", "backward", "forward"):
        assert bool((trace[name] >= -1e-12).all()) and bool((trace[name].sum(-1) <= 1 + little).all()), name
    for name in ("content", "write content", "modes"):
        torch.testing.assert_close(trace[name].sum(-1), torch.ones_like(trace[name].sum(-1)))
    for name in ("usage", "retention", "free", "write gate", "allocation gate"):
        assert float(trace[name].min()) >= 0 and float(trace[name].max()) <= 1 + little, name
    links = trace["links"]
    assert bool((links >= -1e-12).all()) and bool((links.diagonal(dim1=-2, dim2=-1) == 0).all())
    assert bool((links.sum(-1) <= 1 + little).all()) and bool((links.sum(-2) <= 1 + little).all())
    written = trace["write weights"].sum(-1)
    assert bool((written <= trace["write gate"][..., 0] + little).all())


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), st.booleans())
def test_shut_gates_conserve_memory_order_and_use(numbers, free):
    torch.manual_seed(numbers)
    machine = made(seed=numbers, read_heads=2)
    shut = {"write gate": lambda value, step: value * (step < 4)}
    trace = look(machine, torch.randn(1, 9, 3, **EXACT), shut if free else {**shut, "free": 0.0})
    for name in ("memory", "links", "precedence"):
        assert torch.equal(trace[name][:, 4:], trace[name][:, 3:4].expand_as(trace[name][:, 4:])), name
    used = trace["usage"][:, 4:]  # that of step 4 counts what step 3 wrote
    assert (
        bool((used[:, 1:] <= used[:, :-1] + 1e-12).all())
        if free
        else torch.equal(used, used[:, :1].expand_as(used))
    )


def test_freeing_empties_a_slot_only_where_it_deallocates():
    for deallocate in (False, True):
        machine = made(deallocate=deallocate)
        edits = [Edit("write gate", 0.0, steps=range(3, 6)), Edit("free", 1.0, steps=[4]),
                 Edit("read weights", torch.tensor([0.0, 1, 0, 0, 0, 0]), steps=[3])]  # fmt: skip
        trace = look(machine, torch.randn(1, 6, 3, **EXACT), edits)
        before, after = trace["memory"][0, 3, 1], trace["memory"][0, 4, 1]
        assert torch.equal(after, torch.zeros_like(after) if deallocate else before)
        assert float(trace["usage"][0, 4, 1]) == 0 and float(trace["usage"][0, 3, 1]) > 0


# ----------------------------------------------------------------------------------- steps in the clear


def test_free_slots_are_handed_out_in_their_order_of_use():
    used = torch.tensor([[0.5, 0.0, 1.0, 0.0]], **EXACT)
    torch.testing.assert_close(
        allocation.allocate(used), torch.tensor([[0.0, 1.0, 0.0, 0.0]], **EXACT), rtol=0, atol=1e-5
    )
    half = allocation.allocate(torch.tensor([[0.5, 0.5, 0.25]], **EXACT))
    torch.testing.assert_close(half, torch.tensor([[0.125, 0.0625, 0.75]], **EXACT), rtol=0, atol=1e-5)
    assert float(allocation.allocate(torch.ones(1, 4)).abs().max()) == 0


@pytest.mark.parametrize("slots", [2, 40])
def test_allocation_has_a_gradient_where_nothing_is_used(slots):
    used = torch.zeros(1, slots, requires_grad=True)
    allocation.allocate(used)[0, 1].backward()
    torch.testing.assert_close(used.grad[0, 0], torch.tensor(1.0), rtol=1e-4, atol=1e-4)


def test_links_lead_from_writing_to_writing():
    links, precedence = torch.zeros(1, 4, 4), torch.zeros(1, 4)
    for slot in (2, 0, 3):
        writing = torch.eye(4)[slot][None]
        links, precedence = linkage.link(links, precedence, writing), linkage.precede(precedence, writing)
    assert links.nonzero().tolist() == [[0, 0, 2], [0, 3, 0]] and precedence.tolist() == [[0, 0, 0, 1]]
    at = torch.eye(4)[0][None, None]
    assert linkage.forward(links, at).argmax() == 3 and linkage.backward(links, at).argmax() == 2
    rewritten = linkage.link(links, precedence, torch.eye(4)[0][None])
    assert rewritten.nonzero().tolist() == [[0, 0, 3]]


def test_sharpening_narrows_and_leaves_nothing_nothing():
    blurred = torch.tensor([[[0.1, 0.3, 0.1, 0.0]]], **EXACT)
    same, narrow = (linkage.sharpen(blurred, torch.full((1, 1, 1), power, **EXACT)) for power in (1.0, 5.0))
    torch.testing.assert_close(same, blurred / 0.5, rtol=0, atol=1e-4)
    assert narrow[0, 0, 1] > 0.98
    assert float(linkage.sharpen(torch.zeros_like(blurred), torch.ones(1, 1, 1, **EXACT)).abs().max()) == 0


def test_a_mask_hides_numbers_from_a_lookup():
    memory = torch.tensor([[[1.0, 0.0, 5.0], [0.0, 1.0, -5.0]]], **EXACT)
    key, mask = torch.tensor([[[1.0, 0.0, -5.0]]], **EXACT), torch.tensor([[[1.0, 1.0, 0.0]]], **EXACT)
    strength = torch.full((1, 1, 1), 20.0, **EXACT)
    assert addressing.by_content(memory, key, strength).argmax() == 1
    assert addressing.by_content(memory, key, strength, mask).argmax() == 0
    ones = addressing.by_content(memory, key, strength, torch.ones_like(mask))
    torch.testing.assert_close(ones, addressing.by_content(memory, key, strength))


# ------------------------------------------------------------------------------------------- the machine


def test_gates_start_open_and_free_gates_shut():
    asked = DNC(3, 2, read_heads=2, masked=True).asked(torch.zeros(1, 64))
    assert bool((asked.free < 0.2).all())
    assert bool((asked.allocation_gate > 0.8).all()) and bool((asked.write_gate > 0.8).all())
    assert bool(((asked.erase - 0.5).abs() < 0.1).all()) and bool(((asked.read_mask - 0.5).abs() < 0.1).all())


def test_the_number_of_slots_is_no_weight():
    machine, x = made(), torch.randn(1, 4, 3, **EXACT)
    larger = machine.resized(50)
    assert larger.start(1).links.shape == (1, 50, 50) and machine.slots == 6
    assert larger.ask.weight is machine.ask.weight and larger.config() == {**machine.config(), "slots": 50}
    assert larger(x)[0].shape == machine(x)[0].shape
    assert {n: t.shape for n, t in larger.state_dict().items()} == {
        n: t.shape for n, t in machine.state_dict().items()
    }


@pytest.mark.parametrize("scale", [0.0, 1e4, 1e15, -1e30])
@pytest.mark.parametrize("options", [{}, dict.fromkeys(FIXES, True)])
def test_extremes_give_numbers(scale, options):
    torch.manual_seed(0)
    machine = DNC(3, 2, **SMALL, **options)
    with torch.no_grad():
        machine.ask.weight.mul_(1e2)
    answers, _ = machine(scale * torch.randn(2, 12, 3))
    assert bool(answers.isfinite().all())
    answers.square().mean().backward()
    assert all(bool(weight.grad.isfinite().all()) for weight in machine.parameters())


@pytest.mark.parametrize("options", [{}, {"linked": False}])
def test_a_run_may_be_cut_in_two(options):
    machine, x = made(**options), torch.randn(2, 6, 3, **EXACT)
    whole, end = machine(x)
    first, state = machine(x[:, :2])
    second, last = machine(x[:, 2:], state)
    torch.testing.assert_close(torch.cat([first, second], 1), whole, rtol=0, atol=0)
    assert all(torch.equal(a, b) for a, b in zip(end, last, strict=True))


@pytest.mark.parametrize("options", [{}, {"linked": False}, dict.fromkeys(FIXES, True)])
def test_shapes_on_the_meta_device(options):
    machine = DNC(3, 2, **SMALL, **options, device="meta")
    answers, state = machine(torch.empty(2, 4, 3, device="meta"))
    assert answers.shape == (2, 4, 2) and state.links.device.type == "meta"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"controller": "gru"}, "controller is one of"),
        ({"slots": 0}, "slots is a whole number"),
        ({"width": 1.5}, "width is"),
        ({"read_heads": None}, "read_heads is"),
        ({"masked": "yes"}, "masked is True or False"),
        ({"linked": False, "sharpened": True}, "Only links can be sharpened"),
    ],
)
def test_what_does_not_fit_is_said(options, words):
    with pytest.raises(LessonError, match=words):
        DNC(3, 2, **{**SMALL, **options})
    with pytest.raises(LessonError, match="slots is"):
        made().resized(-1)


def test_saved_and_loaded(tmp_path):
    machine = made(read_heads=2, **dict.fromkeys(FIXES, True))
    other = checkpoints.load(checkpoints.save(tmp_path / "machine", machine))
    x = torch.randn(1, 4, 3, **EXACT)
    assert torch.equal(other(x)[0], machine(x)[0])
    assert "6 slots of 3, 2 reading, linked, masked, deallocate, sharpened" in repr(machine)


# ------------------------------------------------------------------------------------------------- traces


def test_a_trace_holds_what_the_machine_did():
    machine, x = made(read_heads=2), torch.randn(2, 5, 3, **EXACT)
    trace, (answers, state) = look(machine, x), machine(x, see=lambda name, value: value)
    assert torch.equal(trace.logits, answers) and torch.equal(trace["memory"][:, -1], state.memory)
    assert trace["links"].shape == (2, 5, 6, 6) and trace["modes"].shape == (2, 5, 2, 3)
    assert trace.heads == ("read 0", "read 1", "write 0") and trace["weights"].shape == (2, 5, 3, 6)
    torch.testing.assert_close(trace["read"], trace["read weights"] @ trace["memory"])
    assert set(trace.before) >= {"memory", "usage", "links", "precedence", "write weights", "read weights"}
    assert trace.numpy("links", 1).shape == (5, 6, 6) and tuple(machine.units) == trace.names[:-1]
    assert "links" not in look(made(linked=False), x).names
    everything = look(made(**dict.fromkeys(FIXES, True)), x)
    assert {"read mask", "write mask", "sharpness"} <= set(everything.names)


def test_an_edited_slot_changes_what_follows_and_nothing_before():
    machine, x = made(), torch.randn(2, 6, 3, **EXACT)
    plain, changed = look(machine, x), look(machine, x, Edit("memory", 7.0, units=[0], steps=[3]))
    assert torch.equal(plain.logits[:, :3], changed.logits[:, :3])
    assert not torch.allclose(plain.logits[:, 3:], changed.logits[:, 3:])
    assert torch.equal(plain["memory"][:, 3, 1:], changed["memory"][:, 3, 1:])
    cut = look(machine, x, {"links": 0.0})
    assert float(cut["forward"].abs().max()) == 0


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        ({"gate": 0.0}, "no 'gate' to edit"),
        (Edit("memory", 0.0, units=[6]), "units .6."),
        (Edit("free", 0.0, units=[1]), "units .1."),
        (Edit("usage", 0.0, steps=[9]), "steps .9."),
        (Edit("links", torch.zeros(5)), "broadcast"),
    ],
)
def test_edits_that_point_at_nothing(edit, words):
    with pytest.raises(LessonError, match=words):
        look(made(), torch.zeros(1, 4, 3, **EXACT), edit)


# ------------------------------------------------------------------------------------- tasks and training


@pytest.mark.parametrize("network", ["dnc", "lstm"])
@pytest.mark.parametrize("task", dnc_tasks.PROBLEMS)
def test_every_task_trains(task, network):
    sizes = CI.but(task=task, network=network, shortest=3, steps=2, evaluate_every=2)
    subject = training.prepare(sizes)
    run = fit(subject, progress=False)
    assert run.reason == "finished" and run.last["valid"] == pytest.approx(
        next(iter(run.baselines.values())), rel=0.2
    )
    assert task in subject.provenance["source"] and not subject.solved(run.last)
    episode = subject.batch(3)
    assert episode.x.shape[2] == subject.preset.problem.inputs and episode.asked.any()


def test_answers_of_words_are_judged_word_by_word():
    two = dnc_tasks.Problem(None, 1, 5, (2, 3), "things")
    right = torch.tensor([[[1.0, 0, 0, 1, 0], [0, 1, 0, 0, 0]]])  # the second answer has one word only
    perfect = 50 * right
    assert two.wrong(perfect, right) == 0 and float(two.cost(perfect, right)) < 1e-6
    assert float(two.cost(torch.zeros(1, 2, 5), right)) == pytest.approx((1 + math.log2(3) + 1) / 3)
    half = perfect.clone()
    half[0, 0, 2] = 99
    assert two.wrong(half, right) == 50 and two.hits(half, right).tolist() == [[False, True]]


def test_bits_are_judged_bit_by_bit():
    copy = dnc_tasks.problem("copy")
    right = torch.ones(2, 3, 8)
    assert copy.wrong(right, right) == 0 and copy.wrong(-right, right) == 24
    assert float(copy.cost(0 * right, right)) == pytest.approx(1)


def test_a_training_stops_when_it_has_learnt_and_an_lstm_has_as_many_weights():
    words, said = training.prepare(CI.but(task="stories")), training.prepare(CI)
    assert words.solved({"wrong answers, %": 1.9}) and not words.solved({"wrong answers, %": 2.1})
    assert said.solved({"wrong bits": 0.4}) and not said.solved({"wrong bits": 0.5})
    for task in dnc_tasks.PROBLEMS:
        sizes = training.PRESETS["cpu"].but(task=task)
        counts = [
            sum(weight.numel() for weight in training.build(sizes.but(network=kind)).parameters())
            for kind in ("dnc", "lstm")
        ]
        assert abs(counts[0] - counts[1]) < 0.02 * counts[0]


def test_sizes_beyond_training_are_measured():
    found = training.by_size(training.prepare(CI).model, CI, [2, 5])
    assert set(found) == {2, 5} and all(0 < found[size] <= 8 * size for size in found)


@pytest.mark.parametrize("task", training.SHIPPED)
def test_the_machine_that_comes_with_the_course_has_learnt_its_task_and_more_than_the_lstm(task):
    sizes = training.PRESETS[task].but(held_out=60)
    machine, plain = (training.pretrained(task, network) for network in ("dnc", "lstm"))
    wrong = [
        training.by_size(one, sizes, [sizes.longest], fresh=True)[sizes.longest] for one in (machine, plain)
    ]
    assert wrong[0] < 15 and wrong[0] < wrong[1] - 8
    counts = [sum(weight.numel() for weight in one.parameters()) for one in (machine, plain)]
    assert abs(counts[0] - counts[1]) < 0.02 * counts[0]
    episode = training.example(machine, task, 4)
    assert look(machine, episode.x)["memory"].shape[2:] == (machine.slots, machine.width)
    with pytest.raises(LessonError, match="not taught family"):
        training.example(machine, "family", 4)


def test_what_does_not_come_with_the_course_is_said():
    with pytest.raises(LessonError, match="for traversal and sentences"):
        training.pretrained("juggle")
    with pytest.raises(LessonError, match="model is a model"):
        training.example("machine", "copy", 3)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"task": "juggle"}, "no task 'juggle'"),
        ({"shortest": 9}, "longest is longer"),
        ({"network": "ntm"}, 'network is "dnc" or "lstm"'),
        ({"optimiser": "sgd"}, "optimiser is"),
        ({"bits": 3}, "no 'bits'"),
    ],
)
def test_presets_that_cannot_be(changes, words):
    with pytest.raises(LessonError, match=words):
        CI.but(**changes)


def test_every_preset_builds():
    for sizes in training.PRESETS.values():
        assert training.build(sizes).input_size == sizes.problem.inputs


def test_without_a_compiler_the_option_says_so(monkeypatch):
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(LessonError, match="no-such-compiler is not on this"):
        training.build(CI.but(compiled=True))
    monkeypatch.setattr(machine_training.shutil, "which", lambda name: "/somewhere/" + name)
    monkeypatch.setattr(torch, "compile", lambda step: ("translated", step))
    assert training.build(CI.but(compiled=True)).step[0] == "translated"
