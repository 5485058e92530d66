"""Exercises and quiz of lesson 01: the step, its weights, a memory by hand, a gradient without a past."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from lessons.exercises.difference import describe
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


def elman_states(
    x: Float[Tensor, "time input"],
    weight_ih: Float[Tensor, "hidden input"],
    weight_hh: Float[Tensor, "hidden hidden"],
    bias: Float[Tensor, " hidden"],
) -> Float[Tensor, "time hidden"]:
    """The same two matrices at every step; what changes is the letter and the state."""
    h, states = torch.zeros_like(bias), []
    for x_t in x:
        h = torch.tanh(weight_ih @ x_t + weight_hh @ h + bias)
        states.append(h)
    return torch.stack(states)


def count_weights(inputs: int, hidden: int, steps: int) -> int:
    """W_ih, W_hh and two biases; the number of steps plays no part, because the steps share them."""
    return hidden * inputs + hidden * hidden + 2 * hidden


def remember() -> tuple[float, float]:
    """One unit that holds a pulse: above 1 the recurrent weight pushes the state up again each time."""
    return 2.0, 2.0


def weight_gradient(
    h: Float[Tensor, "states hidden"], weight: Float[Tensor, "hidden hidden"], last: Float[Tensor, " hidden"]
) -> Float[Tensor, "hidden hidden"]:
    """Every step adds its share to the gradient of the one matrix, and hands the rest to the step before."""
    total, gradient = torch.zeros_like(weight), last
    for t in range(len(h) - 1, 0, -1):
        through_tanh = (1 - h[t] ** 2) * gradient
        total = total + torch.outer(through_tanh, h[t - 1])
        gradient = weight.T @ through_tanh
    return total


# ------------------------------------------------------------------------------------------- 1: the forward


def _dice(seed: int) -> torch.Generator:
    return torch.Generator(device="cpu").manual_seed(seed)


def _network(steps: int, inputs: int, hidden: int) -> Callable[[], tuple]:
    def arguments() -> tuple:
        dice, options = _dice(steps), {"dtype": torch.float32}  # as the torch.zeros of a first attempt
        sizes = ((steps, inputs), (hidden, inputs), (hidden, hidden), (hidden,))
        return tuple(torch.randn(*size, generator=dice, **options) for size in sizes)

    return arguments


def _forward(step: Callable) -> Callable:
    def run(x: Tensor, w: Tensor, u: Tensor, b: Tensor) -> Tensor:
        h, states = torch.zeros_like(b), []
        for x_t in x:
            h = step(x_t, h, w, u, b)
            states.append(h)
        return torch.stack(states)

    return run


ELMAN_STATES = Exercise(
    name="elman_states",
    statement="Run an Elman network over a sequence and return its state after every step.",
    stub='''def elman_states(x, weight_ih, weight_hh, bias):
    """x (T, I), W_ih (H, I), W_hh (H, H), b (H,) -> h after each step, (T, H); the start is zeros."""
    return ...
''',
    solution=elman_states,
    cases=(
        Case("4 steps of 3 numbers and 2 units", _network(4, 3, 2)),
        Case("3 steps of 3 numbers and 3 units", _network(3, 3, 3)),
    ),
    observe=returns("the states"),
    diagnoses=(
        behaves_like(
            _forward(lambda x, h, w, u, b: torch.tanh(w @ x + b)),
            "the state before is not used: without W_hh h every step stands alone.",
        ),
        behaves_like(
            lambda x, w, u, b: torch.tanh(x @ w.T + b + torch.zeros_like(b) @ u.T),
            "every step starts from zeros; h must go on from the step before.",
        ),
        behaves_like(
            _forward(lambda x, h, w, u, b: torch.tanh(w @ x + u.T @ h + b)),
            "W_hh is transposed: it is W_hh @ h, or h @ W_hh.T.",
        ),
        behaves_like(
            _forward(lambda x, h, w, u, b: torch.tanh(w @ x + u @ h)),
            "the bias is missing.",
        ),
        behaves_like(
            _forward(lambda x, h, w, u, b: w @ x + u @ h + b),
            "the tanh is missing: a linear network, whose states grow without bound.",
        ),
        behaves_like(
            _forward(lambda x, h, w, u, b: torch.sigmoid(w @ x + u @ h + b)),
            "that is a sigmoid; this network squashes with tanh, from −1 to 1.",
        ),
        behaves_like(
            lambda x, w, u, b: torch.cat([torch.zeros_like(b)[None], elman_states(x, w, u, b)[:-1]]),
            "the states stand one step late: collect h after the step, not before it.",
        ),
        behaves_like(
            _forward(lambda x, h, w, u, b: torch.relu(w @ x + u @ h + b)),
            "that is relu; this network squashes with tanh.",
        ),
        behaves_like(
            _forward(lambda x, h, w, u, b: torch.tanh(w @ x + b) + u @ h),
            "W_hh h stands outside the tanh; letter and state are added first, then squashed.",
        ),
        shows(
            lambda seen, expected: seen["the states"].ndim == 1,
            "that is the last state only; collect the state of every step.",
        ),
        shows(
            lambda seen, expected: (
                seen["the states"].ndim == 3
                and seen["the states"].squeeze().shape == expected["the states"].shape
            ),
            "an axis of length 1 is left over: there is no batch here, one state is (H,).",
        ),
        shows(
            lambda seen, expected: len(seen["the states"]) == len(expected["the states"]) + 1,
            "one state too many: the zeros at the start belong to no step.",
        ),
    ),
    hints=(
        "One line makes the new state from a letter and the old state. What must happen with it before the "
        "next?",
        "h = torch.tanh(weight_ih @ x_t + weight_hh @ h + bias), for x_t in x.",
        "Collect h in a list inside the loop, and return torch.stack(list).",
    ),
    shown="One line, the same weights at every step, and a state that goes on: that is recurrence.",
)

# -------------------------------------------------------------------------------------------- 2: the weights

COUNT_WEIGHTS = Exercise(
    name="count_weights",
    statement="Count the numbers that an Elman layer of torch learns.",
    stub='''def count_weights(inputs, hidden, steps):
    """Sizes of a torch.nn.RNN and the steps of its sequences -> how many numbers the layer learns."""
    return ...
''',
    solution=count_weights,
    cases=(
        Case("8 inputs, 16 units, 20 steps", lambda: (8, 16, 20)),
        Case("3 inputs, 5 units, 1 step", lambda: (3, 5, 1)),
    ),
    observe=returns("the count"),
    tolerance=1e-9,
    diagnoses=(
        behaves_like(
            lambda i, h, s: count_weights(i, h, s) * s,
            "every step has the same weights; unrolling copies the drawing, not the numbers.",
        ),
        behaves_like(
            lambda i, h, s: h * (i + h) + h,
            "torch keeps two bias vectors, bias_ih and bias_hh, though one would do.",
        ),
        behaves_like(lambda i, h, s: h * (i + h), "the biases are missing, two of `hidden` numbers each."),
        behaves_like(
            lambda i, h, s: h * i + 2 * h,
            "W_hh is missing: each unit looks at all units of the step before.",
        ),
        behaves_like(
            lambda i, h, s: h * i + h + 2 * h,
            "W_hh is no vector: each unit looks at all units of the step before, so it has hidden × hidden "
            "numbers.",
        ),
        behaves_like(
            lambda i, h, s: h * (i * s + h) + 2 * h,
            "W_ih is the same for every step, so the steps do not multiply it.",
        ),
    ),
    hints=(
        "Which matrices and vectors stand in the equation of one step? Which of them change from step to "
        "step?",
        "W_ih is (hidden, inputs), W_hh is (hidden, hidden), and torch has two biases.",
        "hidden * inputs + hidden * hidden + 2 * hidden",
    ),
    shown="A longer sequence costs time and no weights.",
)

# ------------------------------------------------------------------------------------- 3: a memory by hand

PULSE, NOTHING, SIGN = (
    "after a pulse of 1 the state is above 0.5 at each of 20 steps",
    "without a pulse the state stays at 0",
    "after a pulse of −1 the state is below −0.5 at each of 20 steps",
)


def _held(function: Callable) -> Observations:
    w, u = _two_numbers(function())
    ends = {}
    for pulse in (1.0, 0.0, -1.0):
        h, least = torch.tanh(torch.tensor(w * pulse, dtype=torch.float64)), []
        for _ in range(20):
            h = torch.tanh(u * h)
            least.append(float(h))
        ends[pulse] = least
    return {
        PULSE: min(ends[1.0]) > 0.5,
        NOTHING: max(map(abs, ends[0.0])) < 1e-9,
        SIGN: max(ends[-1.0]) < -0.5,
        "_end": ends[1.0][-1],
        "_alternates": ends[1.0][0] * ends[1.0][1] < 0,
    }


def _two_numbers(result: object) -> tuple[float, float]:
    try:
        w, u = (math.nan if isinstance(number, str) else float(number) for number in result)
    except (TypeError, ValueError, RuntimeError, OverflowError) as error:
        raise Unfit(f"the result should be two numbers, w and u; it is {describe(result)}") from error
    if not (math.isfinite(w) and math.isfinite(u)):
        raise Unfit("w and u should both be finite numbers")
    return w, u


class _Remember(Exercise):
    """Compares what the unit does, not which of the many right numbers were chosen."""

    def first_difference(self, seen: Observations, expected: Observations) -> str:
        public = {part: value for part, value in expected.items() if not part.startswith("_")}
        return super().first_difference(seen, public)


REMEMBER = _Remember(
    name="remember",
    statement="Choose the two weights of a single unit so that it remembers one pulse for 20 steps.",
    stub='''def remember():
    """-> w, u of h = tanh(w x + u h): at all 20 steps after one x = 1, h > 0.5; after x = −1, h < −0.5."""
    w, u = ..., ...
    return w, u
''',
    solution=remember,
    cases=(Case("a pulse of 1, of −1, and none", lambda: ()),),
    observe=_held,
    diagnoses=(
        shows(
            lambda seen, expected: bool(seen["_alternates"]),
            "the state changes its sign at every step: u is negative.",
        ),
        shows(
            lambda seen, expected: seen["_end"] == 0,
            "the unit never hears of the pulse, or forgets it at once: neither w nor u may be 0.",
        ),
        shows(
            lambda seen, expected: seen["_end"] < -0.5,
            "the unit remembers, with the wrong sign: w is negative.",
        ),
        shows(
            lambda seen, expected: 0 < seen["_end"] <= 0.05,
            "the state fades. tanh pulls towards 0, so a u below 1 cannot hold it, however large w is.",
        ),
        shows(
            lambda seen, expected: 0.05 < seen["_end"] <= 0.5,
            "the state holds, or fades slowly, and too low: with u = 1 it still sinks; h = tanh(u h) needs a "
            "solution above 0.5.",
        ),
        shows(
            lambda seen, expected: True,
            "the state starts below 0.5, and it must be above at each of the 20 steps. A larger w starts it "
            "higher.",
        ),
    ),
    hints=(
        "After the pulse only h = tanh(u h) happens. For which u does that have a solution other than 0?",
        "At u = 1 tanh touches the diagonal; above it, it crosses. Try numbers above 1.",
        "w = 2, u = 2: the state settles at 0.96.",
    ),
    shown="The unit has two states in which it can rest, and a pulse chooses one: one bit of memory.",
)

# ------------------------------------------------------------------------------------------- 4: find the bug


def _run(steps: int, hidden: int) -> Callable[[], tuple]:
    def arguments() -> tuple:
        dice, options = _dice(steps + hidden), {"dtype": torch.float64}
        h = torch.tanh(torch.randn(steps + 1, hidden, generator=dice, **options))
        return h, *(torch.randn(*size, generator=dice, **options) for size in ((hidden, hidden), (hidden,)))

    return arguments


def _through_time(share: Callable, back: Callable, keep: str = "all") -> Callable:
    def run(h: Tensor, weight: Tensor, last: Tensor) -> Tensor:
        gradient, shares = last, []
        for t in range(len(h) - 1, 0, -1):
            d = (1 - h[t] ** 2) * gradient
            shares.append(share(d, h, t, gradient))
            gradient = back(weight, d, gradient)
        chosen = {"all": shares, "first": shares[-1:], "last": shares[:1]}[keep]
        return torch.stack(chosen).sum(0)

    return run


def _outer(d: Tensor, h: Tensor, t: int, gradient: Tensor) -> Tensor:
    return torch.outer(d, h[t - 1])


def _transposed(weight: Tensor, d: Tensor, gradient: Tensor) -> Tensor:
    return weight.T @ d


def _first_gradient(h: Tensor, weight: Tensor, last: Tensor) -> Tensor:
    """dL/dh_1."""
    for after in h[2:].flip(0):
        last = weight.T @ ((1 - after**2) * last)
    return last


WEIGHT_GRADIENT = Exercise(
    name="weight_gradient",
    statement="Mend backpropagation through time so that every step counts.",
    stub='''def weight_gradient(h, weight, last):
    """h (T + 1, H) with the start first, W_hh (H, H), dL/dh_T (H,) -> dL/dW_hh (H, H)."""
    gradient = last
    for t in range(len(h) - 1, 0, -1):
        through_tanh = (1 - h[t] ** 2) * gradient
        total = torch.outer(through_tanh, h[t - 1])
        gradient = weight.T @ through_tanh
    return total
''',
    solution=weight_gradient,
    cases=(
        Case("5 steps of 3 units", _run(5, 3)),
        Case("2 steps of 4 units", _run(2, 4)),
        Case("a single step", _run(1, 2)),
    ),
    observe=returns("dL/dW_hh"),
    diagnoses=(
        behaves_like(
            _through_time(_outer, _transposed, "first"),
            "only one step's share is left, the first one's: each turn of the loop throws away the one "
            "before. All steps share one matrix, so their shares add up.",
        ),
        behaves_like(
            _through_time(_outer, _transposed, "last"),
            "only the last step's share is left: that is the gradient without a past.",
        ),
        behaves_like(
            _through_time(lambda d, h, t, g: torch.outer(d, h[t]), _transposed),
            "W_hh multiplied the state before the step, h[t − 1], not the one that came out.",
        ),
        behaves_like(
            _through_time(lambda d, h, t, g: torch.outer(h[t - 1], d), _transposed),
            "the outer product is turned round: rows belong to the new state, columns to the old one.",
        ),
        behaves_like(
            _through_time(_outer, lambda w, d, g: w @ d),
            "forward the state is multiplied by W_hh, so backward the gradient is multiplied by its "
            "transpose.",
        ),
        behaves_like(
            _through_time(_outer, lambda w, d, g: g),
            "the gradient is the same at every step; hand it on through tanh and W_hh.",
        ),
        behaves_like(
            _through_time(lambda d, h, t, g: torch.outer(g, h[t - 1]), _transposed),
            "the share must be taken after the slope of tanh: outer(through_tanh, …).",
        ),
        behaves_like(
            lambda h, weight, last: (
                weight_gradient(h, weight, last)
                - weight_gradient(h[:2], weight, _first_gradient(h, weight, last))
            ),
            "the first step's share is missing: the loop ends with t = 1, whose state before is h[0].",
        ),
        shows(
            lambda seen, expected: isinstance(seen["dL/dW_hh"], list) or seen["dL/dW_hh"].ndim == 3,
            "these are the shares themselves, one matrix a step; the gradient is their sum.",
        ),
        behaves_like(
            lambda h, weight, last: weight_gradient(h, weight, last) / (len(h) - 1),
            "that is the mean over the steps; the shares add up.",
        ),
        stops_with("shape|size", "the result is (H, H), like the matrix itself."),
    ),
    hints=(
        "How many matrices W_hh are there, and how many steps have something to say about it?",
        "Start with total = torch.zeros_like(weight) and add to it.",
        "total = total + torch.outer(through_tanh, h[t - 1])",
    ),
    shown="One matrix, one gradient: the sum of what all its uses say.",
)

EXERCISES = (ELMAN_STATES, COUNT_WEIGHTS, REMEMBER, WEIGHT_GRADIENT)

# ------------------------------------------------------------------------------------------------- the quiz

QUIZ = (
    Question(
        "A network has read 1,000 letters. How large is what it knows of them?",
        (
            Option("1,000 numbers, one a letter.", "The letters are gone; only the state goes on."),
            Option(
                "As large as its state: one number a unit.",
                "Everything that it will ever use of the past has to fit in there.",
                right=True,
            ),
            Option(
                "As large as its weights.",
                "The weights are the same before and after reading. They hold what training taught, not "
                "what was read.",
            ),
        ),
    ),
    Question(
        "What is unrolled when a network is unrolled?",
        (
            Option(
                "Its weights: each step gets a copy of its own.",
                "Copies that could differ would be another network; the steps share one set.",
            ),
            Option("Its training: one step of it for each letter.", "A training step reads whole sequences."),
            Option(
                "The drawing: one picture of the same cell for each step.",
                "So backpropagation can walk through it as through any other network.",
                right=True,
            ),
        ),
    ),
    Question(
        "Backpropagation through time gives W_hh a gradient from each of 20 steps. What does the optimizer "
        "get?",
        (
            Option(
                "Their sum.", "A weight that is used 20 times has 20 terms in its derivative.", right=True
            ),
            Option("The last one.", "It would be the gradient of a network that has no past."),
            Option(
                "All 20, one after the other.",
                "There is one matrix and one step of the optimizer for each batch.",
            ),
        ),
    ),
    Question(
        "A network reads “EabXcdYaB” and “EXabcdYdB” and answers XY to both. What must be true of its two "
        "last states?",
        (
            Option(
                "They are the same numbers.",
                "They may differ in whatever the answer does not look at.",
            ),
            Option(
                "The readout cannot tell them apart, or finds both nearest to XY.",
                "States are free to differ; what counts is the side of the readout's borders that they lie "
                "on.",
                right=True,
            ),
            Option(
                "They have passed through the same points of the plane.",
                "The paths differ, since the letters do.",
            ),
        ),
    ),
    Question(
        "The same network, with as many weights, is trained from the start on sequences of 60 steps instead "
        "of 20, and fails. What has changed?",
        (
            Option(
                "It needs three times as many weights.",
                "The number of weights does not depend on the steps.",
            ),
            Option(
                "The answer hangs on letters that lie further back than the gradient reaches.",
                "Lesson 03 measures how much of it arrives.",
                right=True,
            ),
            Option(
                "The state overflows.",
                "tanh keeps every unit between −1 and 1 for ever.",
            ),
        ),
    ),
)
