"""Exercises and quiz of lesson 07: two ways to clip, a third with weights, and two bugs that clip wrongly."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from lessons.exercises.exercise import (
    Case,
    Exercise,
    Observations,
    Unfit,
    behaves_like,
    returns,
    shows,
    stops_with,
)
from lessons.exercises.questions import Option, Question

# -------------------------------------------------------------- the solutions, as the learner is shown them


def clip_by_norm(gradients: Sequence[Tensor], threshold: float) -> list[Tensor]:
    """One length for all tensors together, so one factor for all; a short gradient stays as it is."""
    norm = torch.sqrt(sum((gradient**2).sum() for gradient in gradients))
    factor = min(1.0, threshold / float(norm)) if norm > 0 else 1.0
    return [gradient * factor for gradient in gradients]


def clip_by_value(gradients: Sequence[Tensor], threshold: float) -> list[Tensor]:
    """Every number on its own, from below and from above."""
    return [gradient.clamp(-threshold, threshold) for gradient in gradients]


def clip_rows(
    gradient: Float[Tensor, "rows columns"],
    weight: Float[Tensor, "rows columns"],
    threshold: float,
    floor: float = 1e-3,
) -> Float[Tensor, "rows columns"]:
    """Row by row: the gradient is at most `threshold` times as long as the weights, or as `floor`."""
    most = threshold * weight.norm(dim=1, keepdim=True).clamp(min=floor)
    length = gradient.norm(dim=1, keepdim=True)
    return torch.where(length > most, gradient * most / length, gradient)


def clip_each(gradients: Sequence[Tensor], threshold: float) -> list[Tensor]:
    """The length of all of them decides on one factor; now the direction stays."""
    norm = torch.cat([gradient.flatten() for gradient in gradients]).norm()
    return [gradient * min(1.0, threshold / norm) for gradient in gradients]


def clipped_step(
    model: nn.Module, optimizer: torch.optim.Optimizer, loss: Callable[[], Tensor], threshold: float
) -> float:
    """Clip between the backward pass, which makes the gradient, and the step, which uses it."""
    optimizer.zero_grad()
    value = loss()
    value.backward()
    norm = nn.utils.clip_grad_norm_(model.parameters(), threshold)
    optimizer.step()
    return float(norm)


# ------------------------------------------------------------------------------------- gradients to clip


def _gradients(
    *shapes: tuple[int, ...], scale: float, threshold: float, seed: int = 1
) -> Callable[[], tuple]:
    """Several tensors of random numbers, the second one longer than the others, and a threshold."""

    def arguments() -> tuple:
        dice = torch.Generator(device="cpu").manual_seed(seed)
        found = [scale * torch.randn(*shape, generator=dice, dtype=torch.float64) for shape in shapes]
        found[-1] *= 3
        return found, threshold

    return arguments


def _zeros() -> tuple:
    return [torch.zeros(2, 2, dtype=torch.float64), torch.zeros(2, dtype=torch.float64)], 1.0


LONG = Case("a long gradient of two tensors", _gradients((3, 4), (4,), scale=2.0, threshold=1.5))
SHORT = Case("a gradient shorter than the threshold", _gradients((2, 2), (2,), scale=0.01, threshold=1.0))
LOW = Case("three tensors and a threshold of 0.2", _gradients((2, 3), (3,), (2,), scale=1.0, threshold=0.2))
ZERO = Case("a gradient of zeros", _zeros)


def _parts(function: Callable, gradients: list[Tensor], threshold: float) -> Observations:
    """Each tensor of what comes back; to work in place, as torch does, is as right."""
    result, count = function(gradients, threshold), len(gradients)
    if not isinstance(result, list | tuple) or len(result) != count:
        raise Unfit(f"the function should return a list of {count} tensors, one for each gradient")
    return {f"tensor {place}": part for place, part in enumerate(result)}


def _scaled(length: Callable[[Sequence[Tensor]], Tensor], *, always: bool = False) -> Callable:
    """Clipping by some other length, or also where the gradient is short."""

    def run(gradients: Sequence[Tensor], threshold: float) -> list[Tensor]:
        factor = threshold / length(gradients)
        return [gradient * (factor if always else factor.clamp(max=1.0)) for gradient in gradients]

    return run


def _norm(gradients: Sequence[Tensor]) -> Tensor:
    return torch.cat([part.flatten() for part in gradients]).norm()


def _one_by_one(gradients: Sequence[Tensor], threshold: float) -> list[Tensor]:
    return [part * (threshold / part.norm()).clamp(max=1.0) for part in gradients]


EACH = behaves_like(
    _one_by_one,
    "each tensor is clipped by its own length. The long one is shortened and the short one is "
    "not, so together "
    "they point elsewhere: one factor for all tensors keeps the direction.",
)
ALWAYS = behaves_like(
    _scaled(_norm, always=True),
    "a short gradient is lengthened to the threshold. Clipping never lengthens: the factor is at most 1.",
)
CLAMPED = behaves_like(
    clip_by_value,
    "every number is cut on its own; that is clipping by value, and it turns the gradient.",
)
NOT_A_NUMBER = shows(
    lambda seen, expected: any(bool(torch.as_tensor(part).isnan().any()) for part in seen.values()),
    "a length of 0 is divided by: nothing is to be clipped then, or add 1e-6 to the length as torch does.",
)

TOO_LONG = shows(
    lambda seen, expected: (
        _shapes(seen) == _shapes(expected) and _all(seen).norm() > 1.001 * _all(expected).norm()
    ),
    "what comes back is longer than the threshold that was given: use the argument, not a fixed number.",
)
TOO_HIGH = shows(
    lambda seen, expected: (
        _shapes(seen) == _shapes(expected) and _all(seen).abs().max() > 1.001 * _all(expected).abs().max()
    ),
    "a number is above the threshold that was given: use the argument, not a fixed number.",
)


def _shapes(parts: Observations) -> list[torch.Size]:
    return [torch.as_tensor(part).shape for part in parts.values()]


def _all(parts: Observations) -> Tensor:
    """Every number of the tensors that came back."""
    return torch.cat([torch.as_tensor(part, dtype=torch.float64).flatten() for part in parts.values()])


# ----------------------------------------------------------------------------------------------- 1: by norm

CLIP_BY_NORM = Exercise(
    name="clip_by_norm",
    statement="Shorten a gradient of several tensors to a threshold without turning it.",
    stub='''def clip_by_norm(gradients, threshold):
    """A list of tensors and a number -> the list, together at most `threshold` long, not turned."""
    return ...
''',
    solution=clip_by_norm,
    cases=(LONG, SHORT, LOW, ZERO),
    observe=_parts,
    diagnoses=(
        EACH,
        ALWAYS,
        CLAMPED,
        behaves_like(
            _scaled(lambda gradients: _norm(gradients) ** 2),
            "divided by the square of the length: the root is missing.",
        ),
        behaves_like(
            _scaled(lambda gradients: torch.stack([part.norm() for part in gradients]).sum()),
            "the lengths of the tensors are added. Laid end to end, their squares are.",
        ),
        behaves_like(
            _scaled(lambda gradients: torch.stack([part.norm() for part in gradients]).max()),
            "divided by the longest tensor's length: all of them together are longer.",
        ),
        behaves_like(
            _scaled(lambda gradients: torch.stack([part.abs().max() for part in gradients]).max()),
            "divided by the largest number; the length is the root of the sum of all squares.",
        ),
        behaves_like(
            lambda gradients, threshold: [part * (_norm(gradients) / threshold) for part in gradients],
            "the factor is upside down: threshold / length, and at most 1.",
        ),
        behaves_like(
            lambda gradients, threshold: [part / _norm(gradients) for part in gradients],
            "the gradient is made one long, whatever the threshold and however short it was.",
        ),
        NOT_A_NUMBER,
        TOO_LONG,
    ),
    hints=(
        "First one number: how long are all tensors together, laid end to end?",
        "The root of the sum of all squares over all tensors. Then one factor, threshold / "
        "length, at most 1.",
        "factor = min(1.0, threshold / norm); [gradient * factor for gradient in gradients]; "
        "mind a norm of 0.",
    ),
    shown="One factor for every tensor: the length changes, the direction does not.",
)

# ---------------------------------------------------------------------------------------------- 2: by value

CLIP_BY_VALUE = Exercise(
    name="clip_by_value",
    statement="Cut every number of a gradient to a range.",
    stub='''def clip_by_value(gradients, threshold):
    """A list of tensors and a number -> the list, every number in it between -threshold and threshold."""
    return ...
''',
    solution=clip_by_value,
    cases=(LONG, SHORT, LOW),
    observe=_parts,
    diagnoses=(
        behaves_like(
            lambda gradients, threshold: [part.clamp(max=threshold) for part in gradients],
            "only large positive numbers are cut; the negative ones are left as long as they were.",
        ),
        behaves_like(
            lambda gradients, threshold: [part.abs().clamp(max=threshold) for part in gradients],
            "the signs are lost: cut from below at -threshold, from above at threshold.",
        ),
        behaves_like(
            lambda gradients, threshold: [
                torch.where(part.abs() > threshold, 0.0, part) for part in gradients
            ],
            "what is too large becomes 0; it should become the threshold, with its sign.",
        ),
        behaves_like(
            lambda gradients, threshold: [part.sign() * threshold for part in gradients],
            "every number becomes the threshold; the small ones should stay as they are.",
        ),
        behaves_like(
            lambda gradients, threshold: [part.clamp(0.0, threshold) for part in gradients],
            "all negative numbers have become 0; the lower end of the range is -threshold.",
        ),
        behaves_like(
            clip_by_norm,
            "all numbers are shortened by one factor; that is clipping by norm. Here each number "
            "is on its own.",
        ),
        behaves_like(
            _scaled(lambda gradients: torch.stack([part.abs().max() for part in gradients]).max()),
            "all numbers are scaled so that the largest fits. Here each number is on its own.",
        ),
        TOO_HIGH,
    ),
    hints=(
        "There is one torch function that cuts a tensor's numbers to a range.",
        "gradient.clamp(low, high), for each tensor. What is the lower end?",
        "[gradient.clamp(-threshold, threshold) for gradient in gradients]",
    ),
    shown="Each number on its own; where only some of them are cut, the gradient turns.",
)

# ----------------------------------------------------------------------------------------------- 3: adaptive


def _rows(threshold: float, *, tiny: bool = False, floor: float | None = None) -> Callable[[], tuple]:
    def arguments() -> tuple:
        dice = torch.Generator(device="cpu").manual_seed(3)
        gradient, weight = (torch.randn(4, 3, generator=dice, dtype=torch.float64) for _ in range(2))
        gradient[1] *= 0.001
        if tiny:
            weight[2] = 0
        return (gradient, weight, threshold) if floor is None else (gradient, weight, threshold, floor)

    return arguments


def _adaptive(lengths: Callable[[Tensor], Tensor], floor: float = 1e-3, always: bool = False) -> Callable:
    def run(gradient: Tensor, weight: Tensor, threshold: float, *_: float) -> Tensor:
        factor = threshold * lengths(weight).clamp(min=floor) / lengths(gradient)
        return gradient * (factor if always else factor.clamp(max=1.0))

    return run


CLIP_ROWS = Exercise(
    name="clip_rows",
    statement="Clip each row of a matrix's gradient by the length of its weights.",
    stub='''def clip_rows(gradient, weight, threshold, floor=1e-3):
    """Both (rows, columns) -> each row at most `threshold` times max(its weights' length, `floor`) long."""
    return ...
''',
    solution=clip_rows,
    cases=(
        Case("four rows, one with a short gradient", _rows(0.1)),
        Case("four rows, one with weights of zero", _rows(0.1, tiny=True)),
        Case("the same with threshold 0.5 and floor 0.2", _rows(0.5, tiny=True, floor=0.2)),
    ),
    observe=returns("the gradient"),
    diagnoses=(
        behaves_like(
            _adaptive(lambda matrix: matrix.norm()),
            "the whole matrix has one factor; here every row, a unit, has its own.",
        ),
        behaves_like(
            _adaptive(lambda matrix: matrix.norm(dim=0, keepdim=True)),
            "that goes by columns. A unit's weights stand in a row: dim=1.",
        ),
        behaves_like(
            _adaptive(lambda matrix: matrix.norm(dim=1, keepdim=True), always=True),
            "a row that was short enough is lengthened. The factor is at most 1.",
        ),
        behaves_like(
            lambda gradient, weight, threshold, *_: (
                gradient * (threshold / gradient.norm(dim=1, keepdim=True)).clamp(max=1.0)
            ),
            "the threshold alone is the limit; it is to be multiplied by the length of the row's weights.",
        ),
        behaves_like(
            lambda gradient, weight, threshold, *_: torch.minimum(
                torch.maximum(gradient, -threshold * weight.abs()), threshold * weight.abs()
            ),
            "each number is cut by its own weight; the lengths of whole rows are compared here.",
        ),
        shows(
            lambda seen, expected: not bool(seen["the gradient"][2].any()),
            "weights of zero never get a gradient that way: count them as `floor` long at least.",
        ),
        behaves_like(
            _adaptive(lambda matrix: matrix.norm(dim=1, keepdim=True), floor=1.0),
            "the floor is too high: it is only there for weights shorter than `floor`.",
        ),
        behaves_like(
            _adaptive(lambda matrix: matrix.norm(dim=1, keepdim=True)),
            "`floor` is given, and another number is used in its place.",
        ),
    ),
    hints=(
        "Two lengths for each row: that of its weights and that of its gradient. Keep them as columns.",
        "most = threshold * weight.norm(dim=1, keepdim=True).clamp(min=floor); a row longer than "
        "`most` shrinks.",
        "gradient * (most / gradient.norm(dim=1, keepdim=True)).clamp(max=1.0)",
    ),
    shown="Every unit may change by a share of its own size in one step, and not by more.",
    tolerance=1e-6,
)

# ----------------------------------------------------------------------------- 4 and 5: find the bug


CLIP_EACH = Exercise(
    name="clip_each",
    statement="Mend a clipping that keeps every tensor short and turns the gradient.",
    stub='''def clip_each(gradients, threshold):
    """A list of tensors and a number -> the list, together at most `threshold` long, direction kept."""
    return [gradient * min(1.0, threshold / gradient.norm()) for gradient in gradients]
''',
    solution=clip_each,
    cases=(LONG, SHORT, LOW),
    observe=_parts,
    diagnoses=(
        EACH,
        ALWAYS,
        CLAMPED,
        behaves_like(
            lambda gradients, threshold: [
                part * min(1.0, threshold / gradients[0].norm()) for part in gradients
            ],
            "the first tensor's length decides for all; all tensors together have one length.",
        ),
        behaves_like(
            _scaled(lambda gradients: torch.stack([part.norm() for part in gradients]).max()),
            "one factor, but the longest tensor's: together they are still longer than the threshold.",
        ),
        behaves_like(
            _scaled(lambda gradients: torch.stack([part.norm() for part in gradients]).mean()),
            "one factor, from the mean of the lengths: together they are still longer than the threshold.",
        ),
        behaves_like(
            lambda gradients, threshold: _one_by_one(gradients, threshold / len(gradients)),
            "a smaller threshold for each tensor turns the gradient as before.",
        ),
        TOO_LONG,
    ),
    hints=(
        "How many factors are there in this line, and how many may there be if the direction is to stay?",
        "Compute one length before the list: all tensors laid end to end.",
        "norm = torch.cat([gradient.flatten() for gradient in gradients]).norm()",
    ),
    shown="One factor for all. Keras's `clipnorm` is the line with the bug; `global_clipnorm` is yours.",
)


def _training(threshold: float) -> Callable[[], tuple]:
    """A small ReLU network whose gradient is far too long, an optimiser, and its loss."""

    def arguments() -> tuple:
        place = {"device": "cpu", "dtype": torch.float64}
        dice = torch.Generator(device="cpu").manual_seed(5)
        model = nn.RNN(1, 3, nonlinearity="relu", batch_first=True, **place)
        with torch.no_grad():
            for weight in model.parameters():
                weight.copy_(0.6 * torch.rand(weight.shape, generator=dice, **place))
        x = torch.rand(4, 12, 1, generator=dice, **place)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        return model, optimizer, lambda: (model(x)[0][:, -1] - 1).square().mean(), threshold

    return arguments


def _three_steps(function: Callable, model: nn.Module, optimizer: Any, loss: Callable, threshold: float):
    first = [weight.detach().clone() for weight in model.parameters()]
    norms = [function(model, optimizer, loss, threshold) for _ in range(3)]
    moved = [weight.detach() - start for weight, start in zip(model.parameters(), first, strict=True)]
    return {
        "what the function returned three times": norms,
        "the way that the weights went in three steps": torch.cat([part.flatten() for part in moved]),
    }


def _ordered(*actions: str, returned: str = "norm", clip: Callable = nn.utils.clip_grad_norm_) -> Callable:
    """A training step with its parts in another order, or without some of them."""

    def run(model: nn.Module, optimizer: Any, loss: Callable[[], Tensor], threshold: float) -> float:
        value, norm = loss(), torch.zeros(())
        for action in actions:
            if action == "zero":
                optimizer.zero_grad()
            elif action == "backward":
                value.backward()
            elif action == "clip":
                norm = clip(model.parameters(), threshold)
            else:
                optimizer.step()
        clipped = torch.cat(
            [w.grad.flatten() for w in model.parameters() if w.grad is not None] or [norm[None]]
        )
        results = {"norm": norm, "loss": value, "clipped": clipped.norm(), "none": value.new_zeros(())}
        return results[returned].item()

    return run


CLIPPED_STEP = Exercise(
    name="clipped_step",
    statement="Mend a training step in which clipping changes nothing.",
    stub='''def clipped_step(model, optimizer, loss, threshold):
    """One step with the gradient clipped by norm -> the gradient's length before clipping."""
    optimizer.zero_grad()
    value = loss()
    norm = torch.nn.utils.clip_grad_norm_(model.parameters(), threshold)
    value.backward()
    optimizer.step()
    return float(norm)
''',
    solution=clipped_step,
    cases=(
        Case("a ReLU network with a long gradient", _training(0.1)),
        Case("a threshold that is never reached", _training(1e6)),
    ),
    observe=_three_steps,
    diagnoses=(
        behaves_like(
            _ordered("zero", "clip", "backward", "step"),
            "the step is as long as the gradient. If the clipping comes first, there is no gradient yet that "
            "it could clip: `backward` makes it.",
        ),
        behaves_like(
            _ordered("zero", "backward", "step", "clip"),
            "the step is taken before the clipping, so it was taken with the long gradient.",
        ),
        behaves_like(
            _ordered("clip", "zero", "backward", "step"),
            "what is clipped is the gradient of the step before; `zero_grad` throws it away, and "
            "the new one is long.",
        ),
        behaves_like(
            _ordered("zero", "backward", "clip", "zero", "step"),
            "`zero_grad` comes after the backward pass, so the step is taken with no gradient.",
        ),
        behaves_like(
            _ordered("backward", "clip", "zero", "step"),
            "`zero_grad` comes after the backward pass, so the step is taken with no gradient.",
        ),
        behaves_like(
            _ordered("backward", "clip", "step"),
            "the gradients are never set to zero: each backward pass adds to those of the step before.",
        ),
        behaves_like(
            _ordered("zero", "backward", "clip", "step", returned="clipped"),
            "the step is right. What is returned is the length after clipping; clip_grad_norm_ "
            "returns the one "
            "before.",
        ),
        behaves_like(
            _ordered("zero", "backward", "clip", "step", returned="loss"),
            "the step is right. The loss is returned; the gradient's length is asked for.",
        ),
        behaves_like(
            _ordered("zero", "backward", "clip", "step", returned="none", clip=nn.utils.clip_grad_value_),
            "clip_grad_value_ cuts every number on its own and returns nothing; clip_grad_norm_ "
            "is asked for.",
        ),
        stops_with(
            "NoneType",
            "there is no gradient, or no length, where one is used; `backward` makes the gradients.",
        ),
    ),
    hints=(
        "Which line makes the gradient, which one uses it, and where must clipping stand?",
        "zero_grad, loss, backward, clip, step.",
        "Move the line with clip_grad_norm_ between value.backward() and optimizer.step().",
    ),
    shown="Clipping stands between the backward pass and the step; anywhere else it does nothing, silently.",
)

EXERCISES = (CLIP_BY_NORM, CLIP_BY_VALUE, CLIP_ROWS, CLIP_EACH, CLIPPED_STEP)

# ------------------------------------------------------------------------------------------------- the quiz

QUIZ = (
    Question(
        "A gradient of length 40 is clipped by norm at 1. What becomes of the loss after the step, for a "
        "learning rate so small that the loss is a straight line on the way?",
        (
            Option(
                "It falls by the same amount as without clipping.",
                "On a straight line half the way is half the fall, and this step is a fortieth as long.",
            ),
            Option(
                "It falls by a fortieth of what the full step would have brought.",
                "Same direction, a fortieth of the length. On a straight line clipping only "
                "costs time; it helps "
                "where the line is not straight.",
                right=True,
            ),
            Option(
                "It may rise, because the direction is another one.",
                "By norm every number is multiplied by the same factor, so the direction stays.",
            ),
        ),
    ),
    Question(
        "Why is a step at the foot of a cliff so long, when the loss is only a little higher there?",
        (
            Option(
                "Because the step is the gradient times the rate, and the gradient is the "
                "steepness, not the height.",
                "A wall can be thin: its steepness says how far to go only if it went on like that.",
                right=True,
            ),
            Option(
                "Because the learning rate grows at a cliff.",
                "The rate is the same everywhere; what grows is the gradient that it multiplies.",
            ),
            Option(
                "Because momentum adds up the steps before.",
                "It adds, but a single step without momentum leaves the picture just as well.",
            ),
        ),
    ),
    Question(
        "Clipping by value cuts some of the numbers of a gradient. Which gradients does it turn?",
        (
            Option(
                "None: it keeps all signs.",
                "The signs stay, but the numbers change in different proportions, and that is a turn.",
            ),
            Option(
                "All of them.",
                "If no number is above the threshold, nothing happens at all.",
            ),
            Option(
                "Those in which some numbers are cut more than others.",
                "Only if all numbers shrank by one factor would the direction stay.",
                right=True,
            ),
        ),
    ),
    Question(
        "The loss of your network is nan at step 300, and a gradient of length inf came just before. You add "
        "clip_grad_norm_ with threshold 1. What happens to that gradient?",
        (
            Option(
                "It becomes one long.",
                "The factor is 1 / inf = 0, and 0 times inf is no number.",
            ),
            Option(
                "It becomes nan: clipping cannot repair it, but with the steps before it clipped "
                "it may not come.",
                "Clipping is a fence before the cliff, not a net below it.",
                right=True,
            ),
            Option(
                "It becomes 0, so the step is skipped.",
                "The finite numbers in it become 0, the infinite ones become nan, and the step "
                "destroys the weights.",
            ),
        ),
    ),
    Question(
        "A network's gradients vanish on the way back through time, as in lesson 03. Does clipping help?",
        (
            Option(
                "Yes, it makes all gradients equally long.",
                "It shortens long ones; what is short stays as it is.",
            ),
            Option(
                "Yes, if the threshold is large enough.",
                "A larger threshold clips less. No threshold lengthens a gradient.",
            ),
            Option(
                "No: it only ever shortens.",
                "Against vanishing there are gates and starts; clipping is for the other end.",
                right=True,
            ),
        ),
    ),
    Question(
        "You translate `SGD(clipnorm=1.0)` from Keras. What is the same in PyTorch?",
        (
            Option(
                "clip_grad_norm_(weight, 1.0) for each weight on its own.",
                "Keras's clipnorm clips each variable by its own length, which turns the gradient.",
                right=True,
            ),
            Option(
                "clip_grad_norm_(model.parameters(), 1.0), once.",
                "That is Keras's global_clipnorm: one length and one factor for all variables.",
            ),
            Option(
                "clip_grad_value_(model.parameters(), 1.0).",
                "That is Keras's clipvalue: every number on its own.",
            ),
        ),
    ),
    Question(
        "With the optimiser Adam, clipping by norm often changes little. Why?",
        (
            Option(
                "Because Adam clips by itself.",
                "It has no threshold. It divides, which is something else.",
            ),
            Option(
                "Because Adam's steps are long anyway.",
                "Its steps are about the learning rate in every weight, however long the gradient is.",
            ),
            Option(
                "Because Adam divides each weight's gradient by its usual size, and so a long "
                "gradient makes no long step.",
                "Multiply all gradients by ten and Adam's steps stay as they are. One gradient "
                "far above the usual "
                "still counts for more.",
                right=True,
            ),
        ),
    ),
)
