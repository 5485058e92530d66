"""Exercises and quiz of lesson 08: a locked mask, the scale, weight drop that never stops, zoneout."""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from lessons.exercises.exercise import (
    Case,
    Exercise,
    Observations,
    Unfit,
    behaves_like,
    returns,
    shows,
)
from lessons.exercises.questions import Option, Question

# -------------------------------------------------------------- the solutions, as the learner is shown them


def locked_mask(x: Float[Tensor, "batch time features"], p: float) -> Float[Tensor, "batch 1 features"]:
    """One mask a sequence; the axis of length 1 repeats it over all steps when it is multiplied."""
    keep = torch.rand(len(x), 1, x.shape[2], dtype=x.dtype, device=x.device) >= p
    return keep / (1 - p)


def drop_state(
    h: Float[Tensor, "batch hidden"], keep: Float[Tensor, "batch hidden"], p: float, training: bool
) -> Float[Tensor, "batch hidden"]:
    """Inverted dropout: what is kept grows by 1 / (1 - p) in training, and evaluation has nothing to do."""
    return h * keep / (1 - p) if training else h


def dropped_weight(weight: Float[Tensor, "rows hidden"], p: float, training: bool) -> Tensor:
    """functional.dropout drops unless it is told that the network does not train."""
    return functional.dropout(weight, p, training)


def zoneout(
    old: Float[Tensor, "batch hidden"],
    new: Float[Tensor, "batch hidden"],
    stay: Float[Tensor, "batch hidden"],
    p: float,
    training: bool,
) -> Float[Tensor, "batch hidden"]:
    """Where stay is 1 the old state stays; evaluation mixes both in the shares that training had."""
    return stay * old + (1 - stay) * new if training else p * old + (1 - p) * new


# --------------------------------------------------------------------------------------- 1: the locked mask

MASK = "the mask's shape"
RIGHT_VALUES = "every entry is 0 or 1 / (1 − p)"
RIGHT_SHARE = "a share of about p is dropped"
OWN = "sequences have masks of their own"
NEW = "the next call draws another mask"
UNSCALED = "what is kept stays as it is"
EXCHANGED = "a share of p is kept, and not dropped"


def _mask_seen(function: Callable, x: Tensor, p: float) -> Observations:
    mask = function(x, p)
    if not isinstance(mask, Tensor):
        raise Unfit(f"the function should return a tensor; it returned a {type(mask).__name__}")
    other, kept = function(x, p), (mask != 0).to(torch.float64)
    values = torch.isclose(mask.double(), torch.tensor(1 / (1 - p), dtype=torch.float64)) | (mask == 0)
    return {
        MASK: tuple(mask.shape),
        RIGHT_VALUES: bool(values.all()),
        RIGHT_SHARE: bool(abs(float(kept.mean()) - (1 - p)) < 0.1),
        OWN: bool((mask[:1] != mask).any()) if mask.dim() == 3 else False,
        NEW: not torch.equal(mask, other),
        UNSCALED: bool((mask[mask != 0] == 1).all()),
        EXCHANGED: bool(abs(float(kept.mean()) - p) < 0.1),
    }


def _input(batch: int, steps: int, features: int, p: float) -> Callable[[], tuple]:
    return lambda: (torch.ones(batch, steps, features), p)


def _shaped(*axes: int) -> Callable[[Observations, Observations], bool]:
    """Whether the mask has the full size along exactly these axes of (B, T, F)."""

    def symptom(seen: Observations, expected: Observations) -> bool:
        batch, _, features = expected[MASK]
        full = (batch, 12, features)
        return seen[MASK] == tuple(size if at in axes else 1 for at, size in enumerate(full))

    return symptom


LOCKED_MASK = Exercise(
    name="locked_mask",
    statement="Draw a dropout mask that stays the same over all steps of a sequence.",
    stub='''def locked_mask(x, p):
    """x (B, T, F), the share p to drop -> a mask (B, 1, F) to multiply x with; its mean is 1."""
    return ...
''',
    solution=locked_mask,
    cases=(
        Case("40 sequences of 12 steps with 30 features, p = 0.4", _input(40, 12, 30, 0.4)),
        Case("the same with p = 0.75", _input(40, 12, 30, 0.75)),
    ),
    observe=_mask_seen,
    diagnoses=(
        shows(
            _shaped(0, 1, 2),
            "there is a new mask at each step: an axis of length T. One of length 1 is the same for all of "
            "them.",
        ),
        shows(
            _shaped(2),
            "all sequences share one mask. That keeps the fused kernel, but here each sequence has its own.",
        ),
        shows(
            _shaped(0),
            "all features of a sequence live or die together: draw one number for each of them.",
        ),
        shows(
            lambda seen, expected: len(seen[MASK]) == 2,
            "the axis of time is missing; (B, F) does not line up with (B, T, F). Keep it with length 1.",
        ),
        shows(
            lambda seen, expected: seen[EXCHANGED],
            "p and 1 − p are exchanged: p is the share that goes, and 1 − p what the rest is divided by.",
        ),
        shows(
            lambda seen, expected: seen[MASK] == expected[MASK] and seen[UNSCALED] and seen[OWN],
            "what is kept is not scaled up: with a share p gone, 1 / (1 − p) brings the mean back to 1.",
        ),
        shows(
            lambda seen, expected: seen[MASK] == expected[MASK] and not seen[OWN],
            "the mask is not random, or the same for every sequence.",
        ),
        shows(
            lambda seen, expected: not seen[RIGHT_VALUES],
            "what is kept is scaled by something else than 1 / (1 − p).",
        ),
        shows(
            lambda seen, expected: not seen[NEW],
            "each call gives the same mask: a seed is set inside. A batch needs a new one.",
        ),
    ),
    hints=(
        "One random number for each sequence and feature, none for the steps. Which shape is that?",
        "torch.rand(B, 1, F) >= p is True with probability 1 − p. Divide by what restores the mean.",
        "(torch.rand(len(x), 1, x.shape[2]) >= p) / (1 - p)",
    ),
    shown="Your mask has one row a sequence, the same for all steps, and leaves the mean of x alone.",
)

# ------------------------------------------------------------------------------------------- 2: the scale


def _state(p: float, training: bool) -> Callable[[], tuple]:
    def arguments() -> tuple:
        dice = torch.Generator().manual_seed(8)
        h = torch.randn(3, 6, generator=dice, dtype=torch.float64)
        keep = (torch.rand(3, 6, generator=dice) >= p).to(torch.float64)
        return h, keep, p, training

    return arguments


DROP_STATE = Exercise(
    name="drop_state",
    statement="Scale what dropout keeps, so that evaluation has nothing to do.",
    stub='''def drop_state(h, keep, p, training):
    """h and keep (B, H), keep 1 or 0, the share p dropped -> what the recurrent product sees of h."""
    return ...
''',
    solution=drop_state,
    cases=(
        Case("a training step with p = 0.4", _state(0.4, True)),
        Case("evaluation", _state(0.4, False)),
        Case("a training step with p = 0.9", _state(0.9, True)),
    ),
    observe=returns("the state seen"),
    diagnoses=(
        behaves_like(
            lambda h, keep, p, training: h * keep if training else h,
            "nothing is scaled in training, so the next step gets less than in evaluation. Dropout was first "
            "published so, with evaluation scaled down; inverted dropout scales up in training instead.",
        ),
        behaves_like(
            lambda h, keep, p, training: h * keep * (1 - p) if training else h,
            "scaled down where it must be scaled up: a share of 1 − p is left, so divide by it.",
        ),
        behaves_like(
            lambda h, keep, p, training: h * keep / p if training else h,
            "divided by p, the share that is gone; divide by the share that is left.",
        ),
        behaves_like(
            lambda h, keep, p, training: h * keep / (1 - p),
            "evaluation is dropped, too: there h stays as it is.",
        ),
        behaves_like(
            lambda h, keep, p, training: h * (1 - keep) / (1 - p) if training else h,
            "keep is 1 where a unit stays; here it is the others that stay.",
        ),
        behaves_like(
            lambda h, keep, p, training: h / (1 - p) if training else h,
            "nothing is dropped: multiply by keep.",
        ),
        behaves_like(
            lambda h, keep, p, training: h if training else h * keep / (1 - p),
            "training and evaluation are exchanged.",
        ),
    ),
    hints=(
        "In the mean over masks the recurrent product should get what it gets in evaluation.",
        "A share of 1 − p is left of h. What must it be divided by to have the old mean?",
        "return h * keep / (1 - p) if training else h",
    ),
    shown="What is left is as much, in the mean, as there was; evaluation has nothing to make up for.",
)

# ------------------------------------------------------------------------------------- 3: find the bug

TRAINED = "in training a share of about p is dropped and the rest scaled by 1 / (1 − p)"
TWICE = "two training steps drop different weights"
QUIET = "evaluation gets the weight as it is"
ALONE = "the weight itself is left alone"
LEARNS = "the gradient reaches the weight where it was kept, and only there"


def _weights_seen(function: Callable, rows: int, p: float) -> Observations:
    dice = torch.Generator().manual_seed(9)
    weight = (torch.rand(rows, 40, generator=dice, dtype=torch.float64) + 0.5).requires_grad_()
    before = weight.detach().clone()
    used, again, quiet = function(weight, p, True), function(weight, p, True), function(weight, p, False)
    if not all(isinstance(part, Tensor) and part.shape == weight.shape for part in (used, again, quiet)):
        raise Unfit(f"the function should return a weight of shape {tuple(weight.shape)}")
    ratio = (used / before).detach()
    kept = (ratio != 0).double()
    scaled = bool(torch.isclose(ratio[ratio != 0], torch.tensor(1 / (1 - p), dtype=torch.float64)).all())
    grad = torch.autograd.grad(used.sum(), weight, allow_unused=True)[0] if used.requires_grad else None
    return {
        ALONE: torch.equal(weight.detach(), before),
        TRAINED: scaled and abs(float(kept.mean()) - (1 - p)) < 0.1,
        TWICE: not torch.equal(used, again),
        QUIET: torch.equal(quiet.detach(), before),
        LEARNS: grad is not None and torch.equal(grad != 0, ratio != 0),
        "what evaluation gets": "random" if not torch.equal(quiet, function(weight, p, False)) else "fixed",
        "what is kept": "whole rows or columns" if _lines(kept) else "single weights",
        "what training keeps": "unscaled" if bool((ratio[ratio != 0] == 1).all()) else "scaled",
    }


def _lines(kept: Tensor) -> bool:
    mean = kept.mean()
    rows, columns = (bool((kept.mean(axis) % 1 == 0).all()) for axis in (0, 1))
    return (rows or columns) and 0 < float(mean) < 1


DROPPED_WEIGHT = Exercise(
    name="dropped_weight",
    statement="Find the bug: this network reads the same text another way at each evaluation.",
    stub='''def dropped_weight(weight, p, training):
    """W_hh (rows, H), the share p, whether it trains -> the weight that this pass multiplies with."""
    return torch.nn.functional.dropout(weight, p)
''',
    solution=dropped_weight,
    cases=(
        Case("160 rows and p = 0.4", lambda: (160, 0.4)),
        Case("120 rows and p = 0.5", lambda: (120, 0.5)),
    ),
    observe=_weights_seen,
    diagnoses=(
        shows(
            lambda seen, expected: not seen[ALONE],
            "the weight itself is changed, so that what is dropped is lost for good. Return a new tensor.",
        ),
        shows(
            lambda seen, expected: seen["what is kept"] == "whole rows or columns",
            "whole rows or columns go together. Weight drop draws for each single weight.",
        ),
        shows(
            lambda seen, expected: seen[TRAINED] and seen["what evaluation gets"] == "random",
            "weights are dropped at evaluation, too. functional.dropout, unlike nn.Dropout, knows of no "
            "mode: its third argument, training, is True unless you say otherwise.",
        ),
        shows(
            lambda seen, expected: seen[TRAINED] and not seen[LEARNS],
            "the weight gets no gradient, or one where it was dropped: .data, .detach() and no_grad cut it "
            "off.",
        ),
        shows(
            lambda seen, expected: not seen[TWICE] and seen["what training keeps"] == "unscaled",
            "training drops nothing: training and evaluation are exchanged, or nothing is dropped at all.",
        ),
        shows(
            lambda seen, expected: seen["what training keeps"] == "unscaled",
            "what is kept is not scaled by 1 / (1 − p), so evaluation has weights larger than training had.",
        ),
        shows(
            lambda seen, expected: not seen[TWICE],
            "the same weights go at each step: the mask is drawn once, or a seed is set.",
        ),
        shows(
            lambda seen, expected: not seen[TRAINED],
            "p and 1 − p are exchanged: p is the share that goes.",
        ),
        shows(
            lambda seen, expected: seen[TRAINED] and not seen[QUIET],
            "evaluation scales the weight. Training has scaled it up already.",
        ),
    ),
    hints=(
        "Read the same text twice in evaluation. What should be equal, and is not?",
        "torch.nn.functional.dropout has a third argument. What is its default?",
        "return torch.nn.functional.dropout(weight, p, training)",
    ),
    shown="Training drops other weights each time; evaluation uses all of them, and always the same.",
)

# --------------------------------------------------------------------------------------------- 4: zoneout


def _zones(training: bool, p: float = 0.3) -> Callable[[], tuple]:
    def arguments() -> tuple:
        dice = torch.Generator().manual_seed(10)
        old, new = torch.randn(2, 3, 5, generator=dice, dtype=torch.float64)
        return old, new, (torch.rand(3, 5, generator=dice) < p).to(torch.float64), p, training

    return arguments


ZONEOUT = Exercise(
    name="zoneout",
    statement="Let some units skip a step: they keep their old state instead of falling to 0.",
    stub='''def zoneout(old, new, stay, p, training):
    """Old and new state (B, H), stay (1 with probability p, else 0) -> the state to go on with."""
    return ...
''',
    solution=zoneout,
    cases=(
        Case("a training step", _zones(True)),
        Case("evaluation", _zones(False)),
        Case("evaluation with p = 0.6", _zones(False, 0.6)),
    ),
    observe=returns("the state"),
    diagnoses=(
        behaves_like(
            lambda old, new, stay, p, training: (
                (1 - stay) * old + stay * new if training else p * old + (1 - p) * new
            ),
            "old and new are exchanged: where stay is 1, the old state stays.",
        ),
        behaves_like(
            lambda old, new, stay, p, training: stay * old + (1 - stay) * new if training else new,
            "evaluation takes the new state alone. In training a share of p was old; evaluation mixes the "
            "two in these shares.",
        ),
        behaves_like(
            lambda old, new, stay, p, training: (1 - stay) * new / (1 - p) if training else new,
            "that is dropout: units fall to 0. With zoneout they keep what they had.",
        ),
        behaves_like(
            lambda old, new, stay, p, training: stay * old + (1 - stay) * new,
            "evaluation draws as well; there p takes the place of stay.",
        ),
        behaves_like(
            lambda old, new, stay, p, training: (
                stay * old + (1 - stay) * new if training else (1 - p) * old + p * new
            ),
            "in evaluation p and 1 − p are exchanged: p is the share of the old state.",
        ),
        behaves_like(
            lambda old, new, stay, p, training: (
                stay * old + (1 - stay) * new / (1 - p) if training else p * old + (1 - p) * new
            ),
            "the new state is scaled up. Nothing is lost here, so nothing is to be made up for.",
        ),
        behaves_like(
            lambda old, new, stay, p, training: p * old + (1 - p) * new,
            "training mixes, too: there each unit has either its old or its new state, as stay says.",
        ),
        behaves_like(
            lambda old, new, stay, p, training: 0.3 * old + 0.7 * new,
            "the shares are fixed numbers; p is given, and not always the same.",
        ),
    ),
    hints=(
        "In training a unit has either its old or its new state. What is stay * old, and what is missing?",
        "In the mean over stay the state is p old + (1 − p) new. Evaluation uses that.",
        "stay * old + (1 - stay) * new if training else p * old + (1 - p) * new",
    ),
    shown="A unit that is zoned out keeps its state, and its gradient a way straight back.",
)

EXERCISES = (LOCKED_MASK, DROP_STATE, DROPPED_WEIGHT, ZONEOUT)

# ------------------------------------------------------------------------------------------------- the quiz

QUIZ = (
    Question(
        "A new mask drops a share p of the state h at each of T steps. Which share of the units has come "
        "through all T uncut?",
        (
            Option("1 − p.", "that is one locked mask, the same at each step."),
            Option("(1 − p) to the power of T.", "each step halves, or thins, what is left.", right=True),
            Option("1 − p T.", "what is dropped at one step may be dropped again at another."),
        ),
    ),
    Question(
        "Why does an LSTM survive dropout of its candidate g at every step better than dropout of its cell?",
        (
            Option(
                "What is written is dropped, what is remembered is not.",
                "c = f c + i d(g): the product with f is never cut.",
                right=True,
            ),
            Option("g is small.", "it lies between −1 and 1, as h does."),
            Option("Gates are never dropped.", "no gate is dropped either way; the difference is in c."),
        ),
    ),
    Question(
        "Which of these keeps cuDNN's or oneDNN's fused kernel?",
        (
            Option(
                "A mask of h for each sequence.",
                "it would need another W_hh for each sequence of the batch.",
            ),
            Option("Zoneout.", "the state is changed between two steps, inside the kernel's loop."),
            Option(
                "Weight drop.",
                "it is the same kernel with another W_hh, one for the whole pass.",
                right=True,
            ),
        ),
    ),
    Question(
        "A network with weight drop gives other bits per character each time the same text is evaluated. "
        "What is the likeliest reason?",
        (
            Option(
                "It still drops in evaluation.",
                "functional.dropout drops unless it is given training=False.",
                right=True,
            ),
            Option("The text is too short.", "a short text gives an uncertain number, but always the same."),
            Option("Rounding.", "rounding differs in the last digits, not from run to run on one machine."),
        ),
    ),
    Question(
        "Training bits with dropout are worse than without, and held-out bits are better. Is that a fault?",
        (
            Option("Yes: training must be made better first.", "it can be made better by learning by heart."),
            Option(
                "No: it knows less by heart.",
                "what it could have learnt of this text alone is what it was kept from.",
                right=True,
            ),
            Option(
                "Yes: evaluation forgot to drop.", "evaluation must not drop; that is how both were measured."
            ),
        ),
    ),
    Question(
        "What does zoneout do in evaluation?",
        (
            Option("Nothing, like dropout.", "then its states would be newer than any it has trained with."),
            Option("It draws units to keep.", "nothing is random in evaluation."),
            Option(
                "It mixes old and new state, in shares p and 1 − p.",
                "that is what training had in the mean.",
                right=True,
            ),
        ),
    ),
)
