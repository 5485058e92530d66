"""Lesson 08: training under masks repeats and resumes, the theatre shows what the masks do."""

import numpy as np
import pytest
import torch

from lessons import checkpoints, claims, corpora, experiments, mask_theatre, tracing
from lessons import recurrent_dropout as lesson
from lessons.char_rnn import CharModel
from lessons.dropouts import Dropouts, Masks
from lessons.errors import LessonError
from lessons.experiments.excerpt import excerpt
from lessons.experiments.random_between_layers import PLANS, PlannedReader
from lessons.mask_theatre import KINDS
from lessons.recurrent import GRU, LSTM
from lessons.run import Run
from lessons.sampling import generate
from lessons.training import fit
from widgets import recurrent_dropout as pictures
from widgets import theme

SMALL = lesson.PRESETS["ci"].but(
    steps=6, evaluate_every=3, hidden_size=6, embedding_size=4, batch_size=3, length=8, train_characters=900,
    valid_characters=60, save_every=2,
)  # fmt: skip
MANY = Dropouts(input=0.3, output=0.4, recurrent=0.3, weight=0.2, zoneout_h=0.2)
TRAINED = {
    "usual": lesson.USUAL,
    "state": Dropouts(recurrent=0.3),
    "all": Dropouts(0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2, masks="step", per_gate=True),
}


@pytest.fixture(autouse=True)
def light():
    yield
    theme.use("light")


@pytest.fixture(scope="module")
def plays():
    return excerpt(corpora.load("pydoc", quiet=True), documents=4, characters=1500)


def quiet(task, **options):
    return fit(task, progress=False, **options)


# ------------------------------------------------------------ training


@pytest.mark.parametrize("kind", TRAINED)
def test_a_run_that_was_cut_off_resumes_to_the_same_numbers(plays, tmp_path, kind):
    class Stop:
        every = 1

        def on_step(self, run, task, step):
            if step == 3:
                run.stop("stopped")

    preset = SMALL.but(dropouts=TRAINED[kind])
    whole = quiet(lesson.learning(plays, preset, 1), seed=1)
    path = tmp_path / "run"
    quiet(lesson.learning(plays, preset, 1), seed=1, checkpoint=path, watch=Stop())
    second = lesson.learning(plays, preset, 1)
    rest = quiet(second, seed=1, checkpoint=path)
    assert rest.losses == whole.losses and rest.evaluations == whole.evaluations
    twin = checkpoints.load(path)
    assert isinstance(twin, lesson.DropoutReader) and twin.recurrent.dropouts == TRAINED[kind]
    with pytest.raises(LessonError, match="another dropouts"):
        quiet(lesson.learning(plays, SMALL.but(dropouts=Dropouts(input=0.1)), 1), seed=1, checkpoint=path)


def test_dropout_changes_the_training_and_not_the_first_weights(plays):
    plain, dropped = lesson.pairs(plays, SMALL)["GRU"]
    first = dict(plain.model.state_dict())
    assert all(first[name].equal(part) for name, part in dropped.model.state_dict().items())
    lesson_02 = CharModel(plays.vocabulary, "lstm", 6, 1, 4)
    lesson_02.load_state_dict(lesson.build(plays.vocabulary, SMALL).state_dict())
    runs = [quiet(task) for task in (plain, dropped)]
    assert runs[0].losses != runs[1].losses and runs[0].evaluations[0] == runs[1].evaluations[0]
    assert set(runs[0].last) == {lesson.KNOWN, lesson.UNKNOWN}
    assert runs[1].settings["dropouts"]["weight"] == lesson.USUAL.weight


def test_presets_of_other_lessons_know_nothing_of_it():
    from lessons.char_rnn import CharPreset

    assert "dropouts" not in CharPreset.__dataclass_fields__
    assert lesson.preset("ci").name == "ci" and "dropouts" in str(lesson.preset("cpu"))
    assert lesson.preset("cpu").dropouts.kernel == "fused"
    assert lesson.prepare(lesson.PRESETS["ci"]).model.recurrent.dropouts == lesson.USUAL


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_a_reader_with_zoneout_writes_as_it_evaluates(plays, cell):
    zones = {"zoneout_h": 0.4} | ({"zoneout_c": 0.2} if cell == "lstm" else {})
    model = lesson.build(plays.vocabulary, SMALL.but(cell=cell, dropouts=Dropouts(**zones))).eval()
    tokens = model.encode("help")
    with torch.no_grad():
        whole = model(tokens)[0]
        state, rows = None, []
        for token in tokens.unbind(1):
            logits, state = model.step(token, state)
            rows.append(logits)
    assert torch.allclose(torch.stack(rows, 1), whole, atol=1e-6)
    assert torch.allclose(tracing.trace(model, "help").logits, whole, atol=1e-6)
    assert len(generate(model, "he", 5, seed=1).text) == 5


# ------------------------------------------------------------ a masked trace


@pytest.mark.parametrize("make", [LSTM, GRU])
@pytest.mark.parametrize("both", [False, True])
def test_a_masked_trace_is_the_masked_pass(make, both):
    layer = make(4, 5, 2, batch_first=True, bidirectional=both, dtype=torch.float64, dropouts=MANY)
    x = torch.randn(3, 6, 4, dtype=torch.float64)
    masks = layer.draw_masks(6, 3)
    seen, output = lesson.trace_masked(layer, x, masks), layer(x, masks=masks)[0]
    assert torch.allclose(seen.output, output, atol=1e-12)
    top = torch.cat([seen["h", -1, d] for d in range(1 + both)], -1)
    kept = torch.cat([mask.output.transpose(0, 1).expand(3, 6, 5) for mask in masks[-1]], -1)
    assert torch.allclose(top * kept, output, atol=1e-12)
    again, other = (lesson.trace_masked(layer, x, seed=seed).output for seed in (4, 5))
    assert torch.equal(again, lesson.trace_masked(layer, x, seed=4).output) and not torch.equal(again, other)
    with pytest.raises(LessonError, match="drops nothing"):
        lesson.trace_masked(make(4, 5), x.float().transpose(0, 1))


def test_a_masked_trace_of_a_text_has_its_letters(plays):
    model = lesson.build(plays.vocabulary, SMALL)
    seen = lesson.trace_masked(model, "help me", seed=2)
    assert "".join(seen.labels[0]) == "help me" and seen.logits.shape == (1, 7, len(plays.vocabulary))
    columns = (seen.output[0] == 0).all(0)
    assert torch.equal(columns, (seen.output[0, 0] == 0)) and (seen["h"] != 0).all()


# ------------------------------------------------------------ the theatre


@pytest.mark.parametrize("kind", KINDS)
def test_the_theatre_shows_what_the_masks_do(kind):
    seen = mask_theatre.scene(kind, 0.5, seed=3, steps=12, layer=1)
    again = mask_theatre.scene(kind, 0.5, seed=3, steps=12, layer=1)
    other = mask_theatre.scene(kind, 0.5, seed=4, steps=12, layer=1)
    assert torch.equal(seen.mask, again.mask) and torch.equal(seen.h, again.h)
    assert not torch.equal(seen.mask, other.mask) and torch.equal(seen.plain_h, other.plain_h)
    locked = bool((seen.mask == seen.mask[:1]).all())
    assert locked == ("locked" in kind or "batch" in kind or kind == "weight drop")
    assert seen.survives[0] == 1 and seen.gradient.shape == (12,)
    if kind == "state, new each step":
        assert abs(float(seen.survives[3]) - 0.5**3) < 0.05 and seen.survives[-1] < 0.02
    elif kind in ("state, locked", "weight drop"):
        assert abs(float(seen.survives[-1]) - 0.5) < 0.06 and seen.survives[1] == seen.survives[-1]
    elif kind != "state, one for the batch":
        assert (seen.survives == 1).all()
    assert (seen.apart > 0.01) == (kind != "output, locked")


@pytest.mark.parametrize("kind", KINDS)
def test_evaluation_is_off_on_the_stage(kind):
    seen = mask_theatre.scene(kind, 0.5, training=False)
    assert (seen.mask == 1).all() and (seen.apart == 0) == (kind != "zoneout")
    assert mask_theatre.scene(kind, 0.0).apart == 0
    summary = pictures.figure(kind, 0.5, training=False).summary
    assert ("mixes" if kind == "zoneout" else "drops nothing") in summary


def test_the_gradient_on_the_stage_is_autograds():
    """One sequence, the whole network differentiated at once, nudged at one step by finite differences."""
    seen = mask_theatre.scene("state, locked", 0.3, 1, 8, 0)
    assert torch.isfinite(seen.gradient).all() and seen.gradient[-1] > 0
    stage, x = mask_theatre.network(), mask_theatre.sequences()[:8]
    nothing = ((Masks(),),) * 2
    h, _ = mask_theatre.perform(stage, x, nothing, 1)
    with torch.no_grad():
        assert torch.allclose(h, stage(x)[0][:, 0], atol=1e-6)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"kind": "sleep"}, "no kind 'sleep'"),
        ({"kind": "zoneout", "steps": 1}, "2 to 40"),
        ({"kind": "zoneout", "layer": 2}, "0 to 1"),
        ({"kind": "zoneout", "p": 1.0}, "below 1"),
    ],
)
def test_the_theatre_refuses_what_there_is_not(asked, words):
    with pytest.raises(LessonError, match=words):
        mask_theatre.scene(**asked)


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_pictures_hold_the_scene(mode):
    theme.use(mode)
    figure, seen = (
        pictures.figure("state, new each step", 0.4, 2),
        mask_theatre.scene("state, new each step", 0.4, 2),
    )
    assert np.array_equal(figure.data[0].z, seen.mask.T.numpy())
    assert np.allclose(figure.data[1].z - figure.data[2].z, seen.plain_h.T.numpy(), atol=1e-6)
    assert np.allclose(figure.data[3].y, 0.6 ** np.arange(24))
    assert np.allclose(figure.data[5].y, seen.survives)
    assert np.allclose(10 ** figure.data[7].y, seen.gradient, rtol=1e-4)
    assert f"{float(seen.survives[-1]):.1%}" in figure.summary
    every = pictures.every_kind(0.4, 2)
    assert len(every.data) == len(KINDS) == 9
    titles = [note.text for note in every.layout.annotations]
    assert all(f"<b>{kind}</b>" in titles for kind in KINDS)


def test_explorers_follow_their_controls():
    made = pictures.theatre()
    for change in (
        {"kind": "zoneout"},
        {"p": 0.6},
        {"seed": 3},
        {"steps": 30},
        {"layer": 1},
        {"training": False},
    ):
        before = made.summary
        made.value(**change)
        assert made.summary != before and not made.message, change
    made.value(p=0.0)
    assert not made.message
    made.close()
    side = pictures.explore()
    before = side.figure.data[0].z.copy()
    side.value(seed=5)
    assert not np.array_equal(before, side.figure.data[0].z)
    side.close()


def test_curves_are_the_runs_figures():
    def run(*rows):
        evaluations = [{"step": 5 * k, "valid": v, lesson.KNOWN: t} for k, (v, t) in enumerate(rows)]
        return Run("recurrent_dropout", "ci", "bits per character", 0, "cpu", {"steps": 10}, {}, {},
                   losses=[1.0] * 10, gradient_norms=[1.0] * 10, evaluations=evaluations)  # fmt: skip

    pair = run((6, 6), (3.2, 3), (3.5, 2)), run((6, 6), (3.3, 3.1), (3.1, 2.8))
    figure = pictures.curves({"LSTM": pair, "GRU": pair})
    assert [list(line.y) for line in figure.data[:2]] == [[6, 3.2, 3.5], [6, 3, 2]]
    assert "LSTM 3.20 without, 3.10 with" in figure.summary and len(figure.data) == 8
    with pytest.raises(LessonError, match="one to three"):
        pictures.curves({})


# ------------------------------------------------------------ the rest


def test_costs_are_ratios_to_a_step_without():
    found = lesson.costs(SMALL, rounds=1)
    assert list(found) == list(lesson.COSTS) and min(found.values()) > 0
    kernels = {name: kind.kernel for name, kind in lesson.COSTS.items()}
    assert list(kernels.values()) == ["fused"] * 4 + ["loop"] * 4


@pytest.mark.parametrize("name", PLANS)
def test_planned_masks_share_what_they_say(plays, name):
    layers, steps = PLANS[name]
    model = PlannedReader(plays.vocabulary, "lstm", 40, 2, 40)
    model.plan = PLANS[name]
    (lower,), (upper,) = model.planned(6, 4)
    masks = [lower.input, upper.input, upper.output]
    assert all(mask.shape == (6 if steps else 1, 4, 40) for mask in masks)
    assert lower.output is None
    assert len({id(mask) for mask in masks}) == (3 if layers else 1)
    assert torch.equal(masks[0], masks[1]) != layers
    tokens = model.encode("help me")
    torch.manual_seed(1)
    noisy = model(tokens)[0]
    assert not torch.equal(noisy, model(tokens)[0]) and torch.equal(model.eval()(tokens)[0], model(tokens)[0])


@pytest.mark.parametrize(
    "name", ["dropout-before-a-layer-harms", "one-mask-for-all-steps", "random-between-layers"]
)
def test_the_claims_are_in_the_ledger_as_they_came_out(name):
    result, claim = claims.load(name), experiments.find(name)
    assert len(result.seeds) >= 5 and not result.stale
    assert result.verdict == claim.verdict(result.figures)[0]
