"""Lesson 10: a stack is torch's own deep layer, is traced and derived exactly, and its pictures show that."""

import numpy as np
import pytest
import torch
from torch import nn

from lessons import checkpoints, corpora, depth_study, gradients, tasks, time_scales, tracing
from lessons.deep_rnns import (
    PRESETS,
    DeepCharModel,
    DeepModel,
    DeepPreset,
    Stack,
    build,
    prepare,
    preset,
    reading,
)
from lessons.depth_study import Bottom, Entrant
from lessons.errors import LessonError
from lessons.experiments.excerpt import excerpt
from lessons.sequence_model import CELLS, parameters
from lessons.tracing import trace
from lessons.training import fit
from widgets import deep_rnns as pictures
from widgets import depth, layers_over_time, stack_drawing, theme, weights

SMALL = PRESETS["ci"].but(
    steps=4, evaluate_every=2, cell="lstm", hidden_size=6, num_layers=4, residual=True, valid_characters=1000
)
WIRINGS = [(False, False), (False, True), (True, False), (True, True)]
TORCH = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}


@pytest.fixture(autouse=True)
def light():
    yield
    theme.use("light")


@pytest.fixture(scope="module")
def plays():
    return excerpt(corpora.load("pydoc", quiet=True), documents=4, characters=6000)


@pytest.fixture(scope="module")
def model(plays):
    return build(plays.vocabulary, SMALL.but(num_layers=3, residual=True, norm=True), 1).eval()


@pytest.fixture
def few(monkeypatch):
    """Fewer depths in the picture of the bottom layer's gradient."""
    monkeypatch.setattr(depth, "DEPTHS", (1, 3))


@pytest.fixture(scope="module")
def outcomes(plays):
    entrants = [Entrant(1), Entrant(3), Entrant(3, residual=True, norm=True)]
    return depth_study.compare(plays, SMALL, entrants, progress=False)


def numbers(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def of_torch(stack, layer):
    """torch's deep layer with the weights of a stack."""
    layer.load_state_dict(
        {
            name.replace("_l0", f"_l{k}"): weight
            for k, part in enumerate(stack.layers)
            for name, weight in part.state_dict().items()
        }
    )
    return layer.double()


# ------------------------------------------------------------------------------------------------ the stack


@pytest.mark.parametrize("cell", TORCH)
@pytest.mark.parametrize("lengths", [None, [5, 2, 4]])
def test_a_plain_stack_is_torchs_deep_layer(cell, lengths):
    stack = Stack(3, 4, 3, cell, dtype=torch.float64)
    layer = of_torch(stack, TORCH[cell](3, 4, 3, batch_first=True, dtype=torch.float64))
    x, start = numbers(3, 5, 3), numbers(3, 3, 4, seed=1)
    state = (start, numbers(3, 3, 4, seed=2)) if cell == "lstm" else start
    mine, own = stack(x, state, lengths)
    if lengths is None:
        theirs, final = layer(x, state)
    else:
        packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        theirs, final = layer(packed, state)
        theirs = nn.utils.rnn.pad_packed_sequence(theirs, batch_first=True)[0]
    assert torch.allclose(mine, theirs, atol=1e-12)
    pairs = zip(own, final, strict=True) if cell == "lstm" else [(own, final)]
    assert all(torch.allclose(a, b, atol=1e-12) for a, b in pairs)


@pytest.mark.parametrize("residual, norm", WIRINGS)
def test_what_stands_between_the_layers(residual, norm):
    stack = Stack(3, 4, 3, "gru", residual, norm, dtype=torch.float64)
    for parameter in stack.norms.parameters():
        nn.init.normal_(parameter, 1.0, 0.3)
    x = given = numbers(2, 5, 3)
    for k, layer in enumerate(stack.layers):
        read = given
        if norm and k:
            middle = given.mean(-1, keepdim=True)
            spread = ((given - middle) ** 2).mean(-1, keepdim=True)
            read = (given - middle) / (spread + 1e-5).sqrt() * stack.norms[k].weight + stack.norms[k].bias
        output = layer(read)[0]
        given = given + output if residual and k else output
    assert torch.allclose(stack(x)[0], given, atol=1e-12)
    assert len(list(stack.norms.parameters())) == (4 if norm else 0)


@pytest.mark.parametrize("cell", sorted(CELLS))
def test_every_cell_of_the_course_can_be_stacked_and_traced(cell):
    stack = Stack(3, 4, 3, cell, residual=True, norm=True, dtype=torch.float64)
    x = numbers(2, 5, 3)
    output, state = stack(x, lengths=[5, 3])
    seen = trace(stack, x, lengths=torch.tensor([5, 3]))
    assert torch.allclose(seen.output, output, atol=1e-12)
    assert seen.num_layers == 3 and seen["h", 0].shape == seen["h", 2].shape == (2, 5, 4)
    assert torch.equal(output[1, 3:], torch.zeros(2, 4, dtype=torch.float64))
    h = state[0] if isinstance(state, tuple) else state
    assert all(torch.allclose(h[k, 1], seen["h", k][1, 2], atol=1e-12) for k in range(3))


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn", "rnn_relu", "peephole", "gru_reset_before"])
@pytest.mark.parametrize("residual, norm", WIRINGS)
def test_the_flow_through_a_stack_is_what_autograd_says(cell, residual, norm):
    stack = Stack(3, 4, 3, cell, residual, norm, dtype=torch.float64)
    for parameter in stack.norms.parameters():
        nn.init.normal_(parameter, 1.0, 0.3)
    x, lengths, weight = numbers(2, 5, 3), [5, 3], numbers(2, 5, 4, seed=1)
    flow = gradients.flow(stack, x, lambda output: (output * weight).sum(), lengths=torch.tensor(lengths))
    read = x.clone().requires_grad_()
    start = torch.zeros(3, 2, 4, dtype=torch.float64, requires_grad=True)
    state = (start, torch.zeros_like(start)) if stack.mode == "LSTM" else start
    loss = (stack(read, state, lengths)[0] * weight).sum()
    to_x, to_start = torch.autograd.grad(loss, (read, start))
    assert torch.allclose(flow.input, to_x, atol=1e-12)
    for k in range(3):
        assert torch.allclose(flow.initial[k][0]["h"], to_start[k], atol=1e-12)


def test_reach_and_edits_know_the_layers_of_a_stack():
    stack = Stack(3, 4, 2, "gru", residual=True, dtype=torch.float64)
    x = numbers(1, 5, 3)
    jacobians = gradients.reach(stack, x, layer=1)["h", "h"]
    below = stack.layers[0](x)[0]
    alone = gradients.reach(stack.layers[1], below)["h", "h"]
    assert torch.allclose(jacobians, alone, atol=1e-12)
    edited = trace(stack, x, edit=[tracing.Edit("h", 0.0, layer=0)])
    assert edited["h", 0].abs().max() == 0 and edited.origin == "edit"
    assert not torch.allclose(edited["h", 1], trace(stack, x)["h", 1])


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_an_xray_tells_layers_from_directions_round_a_residual_connection(cell):
    stack = Stack(3, 4, 3, cell, residual=True, norm=True)
    x = numbers(2, 5, 3).float()
    seen, expected = tracing.xray(stack(x)[0]), trace(stack, x)
    assert (seen.num_layers, seen.num_directions) == (3, 1)
    assert all(torch.allclose(seen["h", k], expected["h", k], atol=1e-5) for k in range(3))
    with pytest.raises(LessonError, match="sums of residual"):
        gradients.flow(stack, seen, torch.ones(2, 5, 4))
    output, _, step = tracing.trace_step(stack, x)
    assert step.origin == "trace" and torch.allclose(step.output, output, atol=1e-5)


def test_dropout_acts_between_layers_while_training_only():
    stack = Stack(3, 40, 2, "gru", dropout=0.5)
    x = torch.ones(1, 4, 3)
    stack.train()
    assert not torch.equal(stack(x)[0], stack(x)[0])
    stack.eval()
    assert torch.equal(stack(x)[0], stack(x)[0])
    single = Stack(3, 4, 1, "gru", dropout=0.5).train()
    assert torch.equal(single(x)[0], single(x)[0])


def test_a_stack_refuses_in_one_sentence():
    with pytest.raises(LessonError, match="cell is one of"):
        Stack(3, 4, 2, "elephant")
    for sizes in ((0, 4, 2), (3, 0, 2), (3, 4, 0), (3, 4, True)):
        with pytest.raises(LessonError, match="whole number from 1"):
            Stack(*sizes)
    with pytest.raises(LessonError, match="dropout"):
        Stack(3, 4, 2, dropout=1.5)
    with pytest.raises(LessonError, match="initial state"):
        Stack(3, 4, 2, "gru")(torch.zeros(1, 2, 3), torch.zeros(1, 1, 4))
    with pytest.raises(LessonError, match="3 features"):
        Stack(3, 4, 2, "gru")(torch.zeros(1, 2, 5))
    with pytest.raises(LessonError, match="lengths="):
        Stack(3, 4, 2, "gru").starts(torch.zeros(2, 3), None)


def test_a_stack_works_without_storage():
    stack = Stack(3, 4, 8, "lstm", residual=True, norm=True, device="meta")
    assert stack(torch.zeros(2, 5, 3, device="meta"))[0].shape == (2, 5, 4)


# ----------------------------------------------------------------------------------------------- the models


def test_any_top_layer_at_the_end_or_at_every_step(tmp_path):
    x, lengths = torch.randn(3, 6, 2), [6, 3, 1]
    top = nn.Sequential(nn.Linear(5, 7), nn.Tanh(), nn.Linear(7, 4))
    for model in (DeepModel(2, top=top, hidden_size=5), DeepModel(2, 4, hidden_size=5, norm=True)):
        answers, _ = model(x, lengths=lengths)
        output, _ = model.recurrent(x, lengths=lengths)
        expected = model.readout(torch.stack([output[0, 5], output[1, 2], output[2, 0]]))
        assert answers.shape == (3, 4) and torch.allclose(answers, expected, atol=1e-6)
    every = DeepModel(2, 4, readout="all", hidden_size=5, residual=True)
    assert every(x)[0].shape == (3, 6, 4)
    for wrong in ({}, {"output_size": 4, "top": top}):
        with pytest.raises(LessonError, match="give one of them"):
            DeepModel(2, **wrong)
    path = checkpoints.save(tmp_path / "every", every)
    assert torch.equal(checkpoints.load(path)(x)[0], every(x)[0])
    own = DeepModel(2, top=top, hidden_size=5)
    path = checkpoints.save(tmp_path / "own", own)
    with pytest.raises(LessonError, match="top layer of its own"):
        checkpoints.load(path)
    twin = DeepModel(2, top=nn.Sequential(nn.Linear(5, 7), nn.Tanh(), nn.Linear(7, 4)), hidden_size=5)
    assert torch.equal(checkpoints.load(path, twin)(x)[0], own(x)[0])


def test_a_deep_model_learns_a_task_of_the_course():
    sizes = tasks.SequencePreset("ci", steps=2, evaluate_every=1, length=6, batch_size=4, held_out=20)
    numbers_in, answers = tasks.Latch.sizes(sizes)
    model = DeepModel(numbers_in, answers, "gru", 5, 3, residual=True)
    run = fit(tasks.Latch(model, sizes), progress=False)
    assert run.step == 2 and run.reason == "finished"


def test_a_character_model_is_saved_stepped_and_traced(model, plays, tmp_path):
    loaded = checkpoints.load(checkpoints.save(tmp_path / "deep", model)).eval()
    assert isinstance(loaded, DeepCharModel) and loaded.config() == model.config()
    tokens = plays.vocabulary.encode(plays.train[:12])[None]
    logits, state = model(tokens)
    assert torch.allclose(loaded(tokens)[0], logits)
    after = None
    for k in range(12):
        one, after = model.step(tokens[:, k], after)
        assert torch.allclose(one, logits[:, k], atol=1e-5)
    assert all(torch.allclose(a, b, atol=1e-5) for a, b in zip(after, state, strict=True))
    seen = trace(model, plays.train[:12])
    assert torch.allclose(seen.logits, logits, atol=1e-5) and seen.labels[0] == tuple(plays.train[:12])


def test_presets_train(plays):
    assert preset("ci") is PRESETS["ci"] and isinstance(preset("cpu"), DeepPreset)
    assert set(PRESETS) >= {"ci", "cpu", "gpu"}
    task = reading(plays, SMALL, 0)
    run = fit(task, progress=False)
    assert run.name == "deep_rnns" and run.settings["residual"] is True and run.settings["num_layers"] == 4
    again = fit(build(plays.vocabulary, SMALL, 0), plays, SMALL, progress=False)
    assert again.losses == run.losses
    assert (
        prepare(SMALL.but(corpus="pydoc")).model.config()
        == build(corpora.load("pydoc", quiet=True).vocabulary, SMALL).config()
    )


# ------------------------------------------------------------------------------------------- depth measured


@pytest.mark.parametrize("layers", [1, 2, 4, 8])
def test_equal_parameters_is_the_nearest_size(plays, layers):
    sizes = PRESETS["cpu"]
    wanted = depth_study.weights(1, sizes.hidden_size, sizes, plays.vocabulary)
    found = depth_study.equal_parameters(layers, sizes, plays.vocabulary)
    gaps = {
        size: abs(depth_study.weights(layers, size, sizes, plays.vocabulary) - wanted)
        for size in range(max(1, found - 2), found + 3)
    }
    assert min(gaps, key=gaps.get) == found
    made = build(plays.vocabulary, Entrant(layers, hidden_size=found).sized(sizes))
    assert parameters(made) == depth_study.weights(layers, found, sizes.but(residual=False), plays.vocabulary)


def test_a_comparison_trains_each_alone_on_the_same_batches(plays, outcomes):
    alone = depth_study.compare(plays, SMALL, [Entrant(3)], progress=False)[0]
    assert alone.run.losses == outcomes[1].run.losses and alone.name == "3 layers"
    assert [o.name for o in outcomes] == ["1 layer", "3 layers", "3 layers, residual, norm"]
    assert outcomes[2].task.model.recurrent.norm and outcomes[0].parameters < outcomes[1].parameters
    assert depth_study.tested(alone) == pytest.approx(depth_study.tested(outcomes[1]))
    with pytest.raises(LessonError, match="at least one"):
        depth_study.compare(plays, SMALL, [])


@pytest.mark.parametrize("clip", [None, 1e-3])
def test_the_bottoms_gradient_is_read_before_clipping(plays, clip):
    sizes = SMALL.but(steps=1, clip=clip)
    task, twin = reading(plays, sizes, 3), reading(plays, sizes, 3)
    watch = Bottom(every=1)
    run = fit(task, watch=watch, seed=3, progress=False)
    twin.model.train()
    twin.loss(twin.batch(0), None)[0].backward()
    grads = torch.cat([weight.grad.flatten() for weight in twin.model.recurrent.layers[0].parameters()])
    assert watch.norms[0][0] == 1 and watch.norms[0][1] == pytest.approx(float(grads.norm()), rel=1e-3)
    assert watch.norms[0][1] <= run.gradient_norms[0] * 1.001


def test_what_arrives_at_each_layer(plays):
    text = plays.train[:30]
    made = build(plays.vocabulary, SMALL.but(num_layers=3, residual=False)).double()
    found = depth_study.arriving(made, text)
    flow = gradients.flow(made, text)
    assert found.shape == (3,) and found[1] == pytest.approx(float(flow.norms("h", 1).mean()))
    by_depth = depth_study.bottom_of(plays.vocabulary, text, (1, 6), SMALL.but(cell="rnn", residual=False))
    skips = depth_study.bottom_of(plays.vocabulary, text, (6,), SMALL.but(cell="rnn", residual=True))
    assert by_depth[6] < 0.1 * by_depth[1] < skips[6]


# ---------------------------------------------------------------------------------------------- time scales


def test_autocorrelation_of_known_signals():
    steps = torch.arange(4000, dtype=torch.float64)
    wave = torch.stack([torch.sin(steps * 2 * torch.pi / 16), torch.cos(steps * 2 * torch.pi / 16)], -1)
    noise = numbers(1, 4000, 2)
    seen = tracing.Trace(
        "rnn", (({"h": noise},), ({"h": wave[None]},)), wave[None], (({},), ({},)), (("",) * 4000,)
    )
    found = time_scales.autocorrelation(seen, 20)
    assert found[:, 0].tolist() == [1, 1] and found[0, 1:].abs().max() < 0.1
    assert torch.allclose(found[1], torch.cos(torch.arange(20) * torch.pi / 8).double(), atol=0.01)
    with pytest.raises(LessonError, match="at least 8000 steps"):
        time_scales.autocorrelation(seen, 4000)


def test_a_curve_falls_between_steps():
    assert time_scales.falls_to(torch.tensor([1.0, 0.5, 0.25]), 0.375) == pytest.approx(1.5)
    assert time_scales.falls_to(torch.tensor([0.0, 1.0, 0.5, 0.0]), 0.25) == pytest.approx(2.5)
    assert time_scales.falls_to(torch.tensor([1.0, 0.9, 0.8]), 0.1) == 2.0


def test_a_change_is_seen_from_its_place_on(model, plays):
    text = plays.train[:30]
    letter = "x" if text[10] != "x" else "y"
    found = time_scales.spread(model, text, 10, letter)
    assert found.changed[10] == letter and found.changed[:10] == text[:10]
    assert found.distances.shape == (3, 30)
    assert found.distances[:, :10].abs().max() == 0 and bool((found.distances[:, 10] > 0).all())
    seen = trace(model, [text, found.changed])
    apart = (seen["h", 1][0] - seen["h", 1][1]).norm(dim=-1)
    ratio = found.distances[1, 10:] / apart[10:]
    assert torch.allclose(ratio, ratio[0].expand_as(ratio), rtol=1e-4) and len(found.reaches) == 3
    for place, symbol, words in (
        (30, "x", "no character 30"),
        (3, "xy", "one character"),
        (3, "", "one char"),
    ):
        with pytest.raises(LessonError, match=words):
            time_scales.spread(model, text, place, symbol)
    with pytest.raises(LessonError, match="already"):
        time_scales.spread(model, text, 10, text[10])


def test_unrelated_moments_are_one_apart():
    h = numbers(4, 100, 3)
    assert float(time_scales.unrelated(h)) == pytest.approx(float((h[0] - h[1]).norm(dim=-1).mean()), rel=0.2)


def test_mean_spread_changes_one_character_of_each_window(model, plays):
    windows, changed = time_scales._windows(model, plays.train, 20, 12, 5)
    assert windows.shape == (12, time_scales.WARM + 20)
    assert ((windows != changed).sum(1) == 1).all() and (windows != changed)[:, time_scales.WARM].all()
    found = time_scales.mean_spread(model, plays.train, 20, 12, 5)
    assert found.shape == (3, 20) and bool((found[:, 0] > 0).all())
    curves = time_scales.curves(model, plays.train[:4000], 20, 12)
    assert {name: rows.shape for name, rows in curves.items()} == dict.fromkeys(time_scales.LEVELS, (3, 20))
    assert all(0 < step <= 19 for steps in time_scales.scales(curves).values() for step in steps)
    with pytest.raises(LessonError, match="longer"):
        time_scales.mean_spread(model, plays.train[:50], 20)
    with pytest.raises(LessonError, match="at least 100"):
        time_scales.windows(model, plays.train[:50], 100)


# ------------------------------------------------------------------------------------------------- pictures


def test_the_drawing_counts_the_way():
    plain, skips = stack_drawing.drawn(4, 2), stack_drawing.drawn(4, 2, residual=True)
    assert (
        "7 cells: 4 along the bottom and 3 up" in plain.summary and "4 cells: the bypasses" in skips.summary
    )
    boxes = [shape for shape in plain.layout.shapes if shape.type == "rect"]
    assert len(boxes) == 4 * stack_drawing.STEPS
    assert sum(shape.type == "path" for shape in skips.layout.shapes) == 3 * stack_drawing.STEPS
    assert len(stack_drawing.drawn(4, norm=True).data[0].x) == 3 * stack_drawing.STEPS
    texts = [note.text for note in stack_drawing.drawn(2, answers="all").layout.annotations]
    assert sum("return_sequences=True" in text for text in texts) == 2
    assert sum(text.startswith("y<sub>") for text in texts) == stack_drawing.STEPS
    for wrong in ({"layers": 9}, {"source": 6}, {"answers": "some"}):
        with pytest.raises(LessonError):
            stack_drawing.drawn(**wrong)


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_states_of_every_layer_are_the_traces(model, plays, mode):
    theme.use(mode)
    seen = trace(model, plays.train[:25])
    maps = pictures.state(seen, 4)
    assert [np.allclose(m.z, seen.numpy("h", k).T) for k, m in enumerate(maps.data[:3])] == [True] * 3
    assert [trace.visible for trace in maps.data] == [True] * 3 + [False] * 3
    assert maps.layout.yaxis.domain[1] < maps.layout.yaxis2.domain[0] < maps.layout.yaxis3.domain[0]
    lines = pictures.state(seen, 4, 5)
    assert np.allclose(lines.data[5].y, seen.numpy("h", 2)[:, 5]) and "unit 5" in lines.layout.title.text
    assert f"layer 2 {seen.numpy('h', 2)[4, 5]:.2f}".replace("-", "−") in lines.summary
    for wrong, words in (({"step": 25}, "no step 25"), ({"unit": 6}, "no unit 6")):
        with pytest.raises(LessonError, match=words):
            pictures.state(seen, **wrong)
    with pytest.raises(LessonError, match="room for"):
        pictures.state(trace(Stack(2, 3, 9, "rnn"), torch.zeros(1, 4, 2)))


@pytest.mark.parametrize("scale", ["linear", "log"])
def test_a_change_is_drawn_as_measured(model, plays, scale):
    text = plays.train[:30]
    letter = "x" if text[7] != "x" else "y"
    found = time_scales.spread(model, text, 7, letter)
    figure = pictures.change(model, text, 7, letter, scale)
    drawn = np.asarray(figure.data[2].y, dtype=float)[7:]
    expected = found.distances[2].numpy()[7:]
    assert np.allclose(10**drawn if scale == "log" else drawn, expected, rtol=1e-4)
    assert np.allclose(figure.data[3].z, found.distances.numpy())
    assert f"layer 2 {found.reaches[2]:.0f}" in figure.summary
    with pytest.raises(LessonError, match="linear"):
        pictures.change(model, text, 7, letter, "cubic")


def test_time_scales_are_marked_on_their_curves(model, plays):
    curves = time_scales.curves(model, plays.train[:4000], 20, 12)
    for measure, level in time_scales.LEVELS.items():
        figure = pictures.scale(curves, measure)
        assert np.allclose(figure.data[1].y, curves[measure][1].numpy())
        assert list(figure.data[3].x) == time_scales.scales(curves)[measure]
        assert figure.layout.shapes[0].y0 == level
    with pytest.raises(LessonError, match="measure is one of"):
        pictures.scale(curves, "weight")


def test_the_bottom_is_drawn_for_every_wiring(plays, few):
    text = plays.train[:21]
    figure = pictures.arrived(plays.vocabulary, text, SMALL, "rnn")
    wired = SMALL.but(cell="rnn", residual=False, norm=True)
    found = depth_study.bottom_of(plays.vocabulary, text, depth.DEPTHS, wired)
    assert np.allclose(10 ** np.array(figure.data[1].y), list(found.values()))
    assert [note.text for note in figure.layout.annotations if note.text in depth.WIRINGS]


@pytest.mark.parametrize("shown", ["training", "held-out", "bottom"])
@pytest.mark.parametrize("over", ["steps", "seconds"])
def test_a_comparison_is_drawn_as_it_was(outcomes, shown, over):
    figure = pictures.learnt(outcomes, shown, over)
    assert len(figure.data) == 3
    end = outcomes[0].run.step if over == "steps" else outcomes[0].seconds
    assert figure.data[0].x[-1] == pytest.approx(end, rel=1e-5) or shown == "bottom"
    if shown == "held-out":
        assert figure.data[2].y[-1] == pytest.approx(outcomes[2].valid)
    if shown == "bottom":
        assert 10 ** figure.data[1].y[-1] == pytest.approx(outcomes[1].bottom[-1][1], rel=1e-4)
    best = min(outcomes, key=lambda outcome: outcome.valid)
    assert f"{best.name} reads best, {best.valid:.2f}" in figure.summary
    with pytest.raises(LessonError, match="steps or seconds"):
        pictures.learnt(outcomes, over="hours")
    with pytest.raises(LessonError, match="nothing to compare"):
        pictures.learnt([])


def test_every_explorer_follows_its_controls(model, plays, outcomes, few):
    text = plays.train[:30]
    letters = [symbol for symbol in "xyz" if symbol not in (text[0], text[5])]
    seen, curves = trace(model, text), time_scales.curves(model, plays.train[:4000], 20, 12)
    makers = (
        (pictures.stack(), {"layers": 5, "residual": True, "norm": True, "source": 3, "answers": "all"}),
        (pictures.states(seen), {"step": 3, "unit": 2}),
        (pictures.changes(model, text, letter=letters[0]), {"place": 5, "scale": "log"}),
        (pictures.scales(curves, curves), {"measure": "changed character", "stage": "untrained"}),
        (pictures.bottom(plays.vocabulary, text, SMALL), {"cell": "rnn"}),
        (pictures.compare(outcomes), {"shown": "bottom", "over": "seconds"}),
    )
    for made, change in makers:
        before = made.figure.to_dict()
        made.value(**change)
        assert not made.message and made.figure.to_dict() != before
        made.close()


def test_a_click_and_a_wrong_letter(model, plays):
    made = pictures.changes(model, plays.train[:30], letter="x")

    class Points:
        point_inds = ([1, 9],)

    assert made._clicked(Points) == {"place": 9}
    before = made.summary
    made.value(letter="xy")
    assert "one character" in made.message and made.summary == before
    made.value(letter="q")
    assert not made.message
    made.close()
    states = pictures.states(trace(model, plays.train[:30]))
    assert states._clicked(Points) == {"step": 9, "unit": 1}
    states.close()


def test_colours_of_layers_are_legible():
    for name in ("light", "dark"):
        theme.use(name)
        colours = [layers_over_time.ramp(k, 8) for k in range(8)]
        assert len(set(colours)) == 8
        assert min(theme.contrast(colour, theme.tokens().card) for colour in colours) > 3
    assert layers_over_time.ramp(0, 1) == theme.tokens().f


def test_the_browsers_explorers_refuse_a_stack_in_one_sentence(model):
    with pytest.raises(LessonError, match=r"runs plain layers .* this model's are a Stack"):
        weights.pack(model)
