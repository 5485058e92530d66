"""Lesson 07: clipping is torch's, slopes are autograd's, descents and pictures show what is computed."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from lessons import claims, cliff, fit
from lessons import gradient_clipping as lesson
from lessons.errors import LessonError
from lessons.experiments import both_ways_work_alike as both_ways
from lessons.experiments.clipping_changes_nothing import Same
from lessons.run import Run
from widgets import cliff as landscapes
from widgets import gradient_clipping as pictures
from widgets import theme

SIZES = lesson.PRESETS["ci"].but(length=12, delay=3, hidden_size=5, steps=3, held_out=20, batch_size=4)


@pytest.fixture(scope="module")
def task():
    return lesson.prepare(SIZES)


@pytest.fixture(autouse=True)
def light():
    yield
    theme.use("light")


def draw(scale=1.0, seed=0):
    dice = torch.Generator().manual_seed(seed)
    return [scale * torch.randn(*shape, generator=dice) for shape in ((4, 3), (4,), (2, 4))]


@pytest.mark.parametrize("scale", [0.01, 1.0, 1e6])
@pytest.mark.parametrize(
    "way, theirs", [("by norm", nn.utils.clip_grad_norm_), ("by value", nn.utils.clip_grad_value_)]
)
def test_clipping_is_what_torch_does(way, theirs, scale):
    gradients = draw(scale)
    weights = [nn.Parameter(torch.zeros_like(part)) for part in gradients]
    for weight, part in zip(weights, gradients, strict=True):
        weight.grad = part.clone()
    theirs(weights, 0.7)
    ours = lesson.clip(way, gradients, weights, 0.7)
    assert all(torch.allclose(o, w.grad, rtol=1e-5, atol=0) for o, w in zip(ours, weights, strict=True))
    assert lesson.total_norm(gradients) == pytest.approx(float(nn.utils.get_total_norm(gradients)))


def test_a_zero_gradient_stays_zero():
    zeros = [torch.zeros(2, 2), torch.zeros(3)]
    for way in lesson.WAYS:
        assert not any(bool(part.any()) for part in lesson.clip(way, zeros, zeros, 1.0))


def test_adaptive_clipping_goes_by_the_rows():
    gradient, weight = [torch.tensor([[3.0, 4.0], [0.3, 0.4]])], [torch.tensor([[1.0, 0.0], [0.0, 9.0]])]
    assert torch.allclose(lesson.adaptive(gradient, weight, 0.1)[0], torch.tensor([[0.06, 0.08], [0.3, 0.4]]))
    unborn = lesson.adaptive(gradient, [torch.zeros(2, 2)], 0.1, floor=0.5)[0]
    assert torch.allclose(unborn.norm(dim=1), torch.tensor([0.05, 0.05]))
    bias = lesson.adaptive([torch.tensor([3.0, 4.0])], [torch.tensor([1.0, 0.0])], 0.1)[0]
    assert bias.norm() == pytest.approx(0.1), "a vector counts as one unit"


def test_which_ways_keep_the_direction():
    gradients, weights = draw(10.0), draw(1.0, seed=1)
    turned = {w: lesson.angle(gradients, lesson.clip(w, gradients, weights, 0.5)) for w in lesson.WAYS}
    assert turned["none"] < 1e-6 and turned["by norm"] < 1e-3
    assert all(turned[way] > 5 for way in ("by value", "adaptive", "each by norm"))
    assert lesson.angle([torch.tensor([1.0, 0.0])], [torch.tensor([0.0, 2.0])]) == pytest.approx(90)
    assert math.isnan(lesson.angle([torch.zeros(2)], [torch.ones(2)]))


@pytest.mark.parametrize("way, threshold", [("sideways", 1.0), ("by norm", 0), ("by value", True)])
def test_nonsense_is_one_sentence(way, threshold):
    with pytest.raises(LessonError):
        lesson.clip(way, draw(), draw(), threshold)
    with pytest.raises(LessonError):
        SIZES.but(clip_way=way, clip_at=threshold)


def test_the_optimizer_clips_before_its_step_and_the_run_keeps_the_norm_before():
    task = lesson.prepare(SIZES.but(steps=1, momentum=0.0, clip_way="by value", clip_at=1e-4))
    before = [weight.detach().clone() for weight in task.model.parameters()]
    run = lesson.train(task, progress=False)
    after = [weight.detach() for weight in task.model.parameters()]
    moved = max((w - b).abs().max().item() for w, b in zip(after, before, strict=True))
    assert moved == pytest.approx(0.1 * 1e-4, rel=1e-2) and run.gradient_norms[0] > 1e-3
    with pytest.raises(LessonError, match="Momentum"):
        SIZES.but(momentum=1.0)


def test_presets_train_and_the_reader_reads():
    assert lesson.preset("cpu").clip is None and lesson.preset("cpu").cell == "rnn_relu"
    reader = lesson.reader("ci")
    assert reader.preset.clip is None and math.isfinite(reader.loss(reader.batch(0), None)[0].item())


@pytest.mark.parametrize("landscape", [cliff.ONE, cliff.TWO, cliff.Cliff(steps=7)])
@pytest.mark.parametrize("place", [(1.39, -0.14), (0.3, 0.9), (2.8, -0.5), (-1.5, 0.2)])
def test_the_units_slope_is_autograds_and_its_layer_agrees(landscape, place):
    w, b = (torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in place)
    loss = landscape.loss(w, b)
    expected = torch.autograd.grad(loss, (w, b))
    assert landscape.slope(*place) == pytest.approx((loss.item(), *(g.item() for g in expected)), rel=1e-9)
    layer = landscape.network(*place)
    x = torch.zeros(len(landscape.starts), landscape.steps, 1, dtype=torch.float64)
    h_0 = torch.tensor(landscape.starts, dtype=torch.float64).view(1, -1, 1)
    ends = layer(x, h_0)[0][:, -1, 0]
    assert (ends - torch.tensor(landscape.targets)).square().mean().item() == pytest.approx(
        loss.item(), rel=1e-6
    )


def test_a_surface_holds_the_losses_of_its_places():
    ground = cliff.surface(cliff.ONE, 5)
    for column in range(5):
        for row in range(5):
            place = float(ground.first[column]), float(ground.second[row])
            assert float(ground.loss[row, column]) == pytest.approx(cliff.ONE.slope(*place)[0])


@pytest.mark.parametrize("cell", ["rnn_relu", "rnn"])
def test_a_plane_at_its_origin_is_the_network_itself(cell):
    task = lesson.prepare(SIZES.but(cell=cell))
    plane = cliff.Plane(task, step=2, sequences=3)
    x, target = (part[:3] for part in task.batch(2))
    own = task.cost(task.model(x)[0], target).item()
    assert plane.slope(1.0, 0.0)[0] == pytest.approx(own, rel=1e-5)
    loss, by_gain, by_shift = plane.slope(1.2, 0.1)
    places = torch.tensor([[1.201, 1.199, 1.2, 1.2], [0.1, 0.1, 0.101, 0.099]], dtype=torch.float64)
    up, down, right, left = plane.loss(*places).tolist()
    assert by_gain == pytest.approx((up - down) / 0.002, rel=0.05, abs=1e-3)
    assert by_shift == pytest.approx((right - left) / 0.002, rel=0.05, abs=1e-3)
    with torch.no_grad():
        task.model.recurrent.weight_hh_l0.mul_(1.2)
        task.model.recurrent.bias_hh_l0.add_(0.1)
    assert loss == pytest.approx(task.cost(task.model(x)[0], target).item(), rel=1e-5)


def test_a_plane_in_pieces_is_the_plane(monkeypatch):
    """A landscape is computed some places at a time, so that it does not fill the memory."""
    plane = cliff.Plane(lesson.prepare(SIZES), sequences=3)
    whole = cliff.surface(plane, 9).loss
    monkeypatch.setattr(cliff, "TOGETHER", 7)
    assert torch.allclose(cliff.surface(plane, 9).loss, whole, equal_nan=True)


def test_a_plane_needs_one_elman_layer():
    for changes in ({"cell": "lstm"}, {"num_layers": 2}):
        with pytest.raises(LessonError, match="one Elman layer"):
            cliff.Plane(lesson.prepare(SIZES.but(initialise=None, **changes)))
    with pytest.raises(LessonError, match="whole number of steps"):
        cliff.Cliff(steps=0)
    with pytest.raises(LessonError, match="do not pair"):
        cliff.Cliff(starts=(0.5,), targets=(0.1, 0.2))


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_a_descent_is_torchs_sgd_with_torchs_clipping(momentum):
    path = cliff.descend(cliff.ONE, (2.0, 0.5), 0.2, momentum, "by norm", 1.0, 25)
    place = [nn.Parameter(torch.tensor(v, dtype=torch.float64)) for v in (2.0, 0.5)]
    optimizer = torch.optim.SGD(place, lr=0.2, momentum=momentum)
    for point in path.points:
        assert torch.allclose(torch.stack([p.detach() for p in place]), point, rtol=1e-4, atol=1e-5)
        optimizer.zero_grad()
        cliff.ONE.loss(*place).backward()
        nn.utils.clip_grad_norm_(place, 1.0)
        optimizer.step()
    assert len(path.losses) == 26 and bool(path.clipped.any()) == (momentum > 0)


def test_clipping_saves_the_descent_over_the_cliff():
    thrown, kept = (cliff.descend(cliff.ONE, (2.0, 0.5), way=way) for way in ("none", "by norm"))
    assert thrown.losses[-1] > 0.05 and thrown.points[-1].norm() > 5
    assert kept.losses[-1] < 1e-3 and kept.norms.max() > 5
    assert torch.equal(thrown.points[:18], kept.points[:18])


class Edge:
    """A landscape that ends: no number beyond 1."""

    names, bounds = ("first", "second"), ((0.0, 2.0), (0.0, 2.0))

    def loss(self, first, second):
        return torch.where(first > 1, math.nan, -5 * first + 0 * second)

    def slope(self, first, second):
        return (-5 * first, -5.0, 0.0) if first <= 1 else (math.nan,) * 3


def test_a_descent_ends_where_there_is_no_number():
    path = cliff.descend(Edge(), (0.5, 1.0), 0.1, 0.0, "none", 1.0, 20)
    assert path.points[:, 0].tolist() == pytest.approx([0.5, 1.0])
    figure = landscapes.figure(Edge(), 30, "by norm", 0.5, 0.1, 0.0, 0.5, 1.0)
    assert "no number after step" in figure.summary
    with pytest.raises(LessonError, match=r"no gradient at 1\.5"):
        cliff.descend(Edge(), (1.5, 0.0))


def test_a_step_along_the_gradient_changes_no_network(task):
    before = [weight.detach().clone() for weight in task.model.parameters()]
    lengths = torch.tensor([1e-9, 0.01], dtype=torch.float64)
    losses = lesson.along(task, 0, lengths)
    own = task.loss(task.batch(0))[0].item()
    norm = float(lesson.total_norm(lesson.gradients(task, 0)))
    assert float(losses[0]) == pytest.approx(own, rel=1e-5)
    assert float(losses[1]) == pytest.approx(own - 0.01 * norm, rel=1e-2)
    assert all(torch.equal(a, b) for a, b in zip(before, task.model.parameters(), strict=True))
    assert all(weight.grad is None for weight in task.model.parameters())


def test_angles_leave_the_training_as_it_is():
    runs = []
    for watch in (None, lesson.Angles({"by norm": 1e-3, "by value": 1e-3, "adaptive": 1e6}, every=1)):
        runs.append(lesson.train(lesson.prepare(SIZES), watch=watch, progress=False))
    assert runs[0].losses == runs[1].losses
    assert watch.steps == [1, 2, 3] and watch.middle("by norm") < 0.1 < watch.middle("by value")
    assert all(map(math.isnan, watch.turned["adaptive"])) and watch.middle("adaptive") == 0
    figure = pictures.turns(watch)
    assert [line.name for line in figure.data] == [None] * 3 and "by norm 0°" in figure.summary
    with pytest.raises(LessonError, match="Nothing was measured"):
        pictures.turns(lesson.Angles({"by norm": 1.0}))


def record(losses, norms, clip, reason="finished"):
    settings = {"clip": clip, "steps": len(losses)}
    return Run("echo", "ci", "bits", 0, "cpu", settings, losses=losses, gradient_norms=norms, reason=reason)


def test_history_marks_what_was_clipped_and_where_it_ended():
    fell = record([1.0, 0.9, math.nan], [0.5, 40.0, math.nan], None, "diverged")
    held = record([1.0, 0.8, 0.2], [0.5, 3.0, 0.1], 1.0)
    figure = pictures.history({"no clipping": fell, "clip 1": held})
    dots = figure.data[5]
    assert list(dots.x) == [2] and list(dots.y) == [3.0] and not len(figure.data[2].x)
    assert "no number at step 3" in figure.summary and "33 % were clipped" in figure.summary
    assert any("no number at step 3" in note.text for note in figure.layout.annotations)
    assert pictures.history({"clip 1": held}).data[0].line.color == theme.colour("f")
    with pytest.raises(LessonError, match="one or two runs"):
        pictures.history({})


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_every_picture_in_both_themes(mode, task):
    theme.use(mode)
    figure = landscapes.figure(cliff.ONE, 18)
    assert figure.data[0].z.shape == (70, 70) and "clipped to 1, turned by 0°" in figure.summary
    path = cliff.descend(cliff.ONE, (2.0, 0.5))
    raw, used = figure.data[6], figure.data[7]
    here = path.points[18].numpy()
    assert np.allclose([raw.x[1], raw.y[1]], here - 0.2 * path.raw[18].numpy())
    assert np.allclose([used.x[1], used.y[1]], here - 0.2 * path.used[18].numpy())
    plane = landscapes.figure(cliff.Plane(task), 3, rate=0.02, first=1.0, second=0.0)
    assert plane.layout.xaxis.title.text == "recurrent gain"
    wall = pictures.wall(task, 0)
    assert wall.layout.xaxis.type == "log" and "asks for a step of" in wall.summary
    result = claims.load("both-ways-work-alike")
    dots = pictures.thresholds(result).data[0]
    assert len(dots.x) == 16 * len(result.seeds) == len(set(dots.x))


def test_every_explorer_follows_its_controls(task):
    makers = (
        (landscapes.explore(), [{"step": 19}, {"way": "adaptive"}, {"unit": "two memories, 50 steps"},
                                {"threshold": 0.3}, {"rate": 0.1}, {"first": 1.2}, {"second": -0.4}]),
        (landscapes.explore(cliff.Plane(task), rate=0.02), [{"step": 3}, {"first": 1.4}, {"second": 0.2}]),
        (pictures.ways(), [{"way": "by value"}, {"degrees": 60}, {"length": 1.5}, {"threshold": 0.5}]),
    )  # fmt: skip
    for made, changes in makers:
        for change in changes:
            before = made.summary
            made.value(**change)
            assert made.summary != before and not made.message, change
        made.close()


def test_turning_moves_the_eye_alone():
    one, other = (landscapes.figure(cliff.ONE, 18, turn=turn).to_plotly_json() for turn in (60, 150))
    assert one["layout"]["scene"].pop("camera") != other["layout"]["scene"].pop("camera")
    assert one["layout"] == other["layout"]


class Click:
    def __init__(self, xs, ys, zs=None):
        self.xs, self.ys, self.zs, self.point_inds = xs, ys, zs, [0]


def test_a_click_on_the_map_starts_there():
    assert landscapes.clicked(Click([1.234], [-0.31])) == {"first": 1.25, "second": -0.3, "step": 0}
    assert landscapes.clicked(Click([1.0], [1.0], [2.0])) is None
    made = landscapes.explore()
    made._click(made.canvas.data[0], Click([1.0], [0.4]), None)
    assert made.value()["first"] == 1.0 and made.value()["step"] == 0
    made.close()


def test_clipped_shows_both_arrows():
    figure = pictures.clipped("by value", 3.0, 20, 1.0)
    assert "turned by" in figure.summary and figure.data[4].x[1] == pytest.approx(1.0)
    with pytest.raises(LessonError, match="A way to clip"):
        pictures.clipped("none")


def test_numbers_stay_short():
    said = [pictures.number(v) for v in (0.0, 0.03125, 961.2, 5910.4, 59100.0, 2e-5, math.inf)]
    assert said == ["0", "0.0312", "961", "5,910", "5.9 × 10⁴", "2.0 × 10⁻⁵", "no number"]


def test_a_rule_compares_each_way_at_its_best():
    def seed(norm, value):
        return {"by norm": dict(zip(("10", "1", "0.1", "0.01"), norm, strict=True)),
                "by value": dict(zip(("1", "0.1", "0.01", "0.001"), value, strict=True))}  # fmt: skip

    rule = both_ways.AsGood("by value", "by norm")
    good, bad = seed((0.5, 1.0, 0.5, 0.5), (0.5, 0.5, 1.0, 0.5)), seed((0.5, 1.0, 0.5, 0.5), (0.5,) * 4)
    assert rule.judge([good] * 4 + [bad]).met and not rule.judge([good] * 3 + [bad] * 2).met
    assert (
        "by value at 0.01 solves it on 4 of 5, by norm at 1 on 5" in rule.judge([good] * 4 + [bad]).sentence
    )
    assert [limit.condition for limit in rule.limits([good, bad])] == ["0.01", "0.01"]


def test_a_rule_that_asks_for_no_difference():
    rule = Same("bits", "a", "b", 0.02, "bits")
    seeds = [{"bits": {"a": 2.0, "b": 2.01}}] * 4 + [{"bits": {"a": 2.0, "b": 1.9}}]
    assert rule.judge(seeds).met and not rule.judge([*seeds[:3], seeds[4], seeds[4]]).met
    assert "differ by at most 0.02 bits on at least 4 of 5 seeds" in rule.text
    assert rule.limits(seeds)[0].at == pytest.approx(2.02)


def test_fit_takes_the_lesson_task(task):
    assert fit(lesson.prepare(SIZES), progress=False).reason == "finished"
