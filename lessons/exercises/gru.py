"""Exercises and quiz of lesson 05: the GRU's step, two bugs that everybody writes once, equal parameters."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from lessons.exercises.exercise import Case, Exercise, behaves_like, returns, stops_with
from lessons.exercises.questions import Option, Question

# -------------------------------------------------------------- the solutions, as the learner is shown them


def gru_cell(
    from_x: Float[Tensor, "batch rows"], from_h: Float[Tensor, "batch rows"], h: Float[Tensor, "batch hidden"]
) -> Float[Tensor, "batch hidden"]:
    """One step of torch's GRU: the reset gate multiplies what the candidate gets from h."""
    x_r, x_z, x_n = from_x.chunk(3, dim=-1)
    h_r, h_z, q = from_h.chunk(3, dim=-1)
    r = torch.sigmoid(x_r + h_r)
    z = torch.sigmoid(x_z + h_z)
    n = torch.tanh(x_n + r * q)
    return (1 - z) * n + z * h


def update_state(
    z: Float[Tensor, "batch hidden"], n: Float[Tensor, "batch hidden"], h: Float[Tensor, "batch hidden"]
) -> Float[Tensor, "batch hidden"]:
    """In torch z = 1 keeps the old state."""
    return z * h + (1 - z) * n


def candidate_of_cho(
    x_n: Float[Tensor, "batch hidden"],
    h: Float[Tensor, "batch hidden"],
    r: Float[Tensor, "batch hidden"],
    weight: Float[Tensor, "hidden hidden"],
    bias: Float[Tensor, " hidden"],
) -> Float[Tensor, "batch hidden"]:
    """The reset gate chooses what of h enters the product."""
    return torch.tanh(x_n + (r * h) @ weight.T + bias)


def equal_size(lstm_units: int, inputs: int) -> int:
    """Try GRU sizes until the next one would be further from the LSTM's number of weights."""

    def block(units: int) -> int:
        return units * (inputs + units + 2)

    wanted = 4 * block(lstm_units)
    return min(range(1, 2 * lstm_units + 2), key=lambda units: abs(3 * block(units) - wanted))


# ------------------------------------------------------------------------------------------- 1: the step


def _sums(batch: int, hidden: int) -> Callable[[], tuple]:
    def arguments() -> tuple:
        dice = torch.Generator().manual_seed(10 * batch + hidden)

        def draw(*shape: int) -> Tensor:
            return 1.5 * torch.randn(*shape, generator=dice, dtype=torch.float64)

        return draw(batch, 3 * hidden), draw(batch, 3 * hidden), torch.tanh(draw(batch, hidden))

    return arguments


def _step(
    *,
    order: str = "rzn",
    after: bool = True,
    keep: bool = True,
    squash: bool = True,
    reset: bool = True,
    gate: Callable = torch.sigmoid,
) -> Callable:
    """The solution with one thing done wrong."""

    def step(from_x: Tensor, from_h: Tensor, h: Tensor) -> Tensor:
        x = dict(zip(order, from_x.chunk(3, -1), strict=True))
        own = dict(zip(order, from_h.chunk(3, -1), strict=True))
        r, z = gate(x["r"] + own["r"]), gate(x["z"] + own["z"])
        gated = r * own["n"] if reset else own["n"]
        n = x["n"] + gated if after else r * (x["n"] + own["n"])
        n = torch.tanh(n) if squash else torch.sigmoid(n)
        return z * h + (1 - z) * n if keep else z * n + (1 - z) * h

    return step


def _on_the_state(from_x: Tensor, from_h: Tensor, h: Tensor) -> Tensor:
    x_r, x_z, x_n = from_x.chunk(3, -1)
    h_r, h_z, _ = from_h.chunk(3, -1)
    z = torch.sigmoid(x_z + h_z)
    return (1 - z) * torch.tanh(x_n + torch.sigmoid(x_r + h_r) * h) + z * h


GRU_CELL = Exercise(
    name="gru_cell",
    statement="One step of torch's GRU, from what x and h put on offer.",
    stub='''def gru_cell(from_x, from_h, h):
    """W x + b_ih and W h + b_hh, each (B, 3H) with rows r z n, and the old h (B, H) -> the new h (B, H)."""
    return ...
''',
    solution=gru_cell,
    cases=(
        Case("a batch of two with three units", _sums(2, 3)),
        Case("a single unit", _sums(1, 1)),
        Case("a batch of four with two units", _sums(4, 2)),
    ),
    observe=returns("the new state"),
    diagnoses=(
        behaves_like(
            _step(keep=False),
            "z and 1 − z are exchanged. In torch z = 1 keeps the old state: h = (1 − z) n + z h.",
        ),
        behaves_like(
            _step(order="zrn"), "the gates are read in the order z r n (Keras's); torch's rows are r z n."
        ),
        behaves_like(
            _step(after=False),
            "the reset gate multiplies the whole sum. It closes off the past only: n = tanh(x_n + r q).",
        ),
        behaves_like(
            _step(reset=False), "the reset gate is not used: the candidate takes r times what comes from h."
        ),
        behaves_like(
            _step(squash=False), "the candidate passes through tanh, not sigmoid: a state has a sign."
        ),
        behaves_like(
            lambda from_x, from_h, h: _on_the_state(from_x, from_h, h),
            "r multiplies h itself. In torch it multiplies q, what the product with h has made.",
        ),
        behaves_like(
            _step(gate=lambda v: v), "the gates are not squashed: r and z pass through sigmoid, 0 to 1."
        ),
        behaves_like(
            lambda from_x, from_h, h: torch.tanh(
                from_x.chunk(3, -1)[2]
                + torch.sigmoid((from_x + from_h).chunk(3, -1)[0]) * from_h.chunk(3, -1)[2]
            ),
            "that is the candidate; the new state mixes it with the old one by z.",
        ),
    ),
    hints=(
        "chunk(3, dim=-1) gives r, z and n, from x and from h. Two of the three simply add up.",
        "For n the part from h is multiplied by r before it is added to the part from x.",
        "n = torch.tanh(x_n + r * q), then (1 - z) * n + z * h",
    ),
    shown="Your step is torch's: gates r and z, the candidate with r after the product, and z keeps.",
)

# -------------------------------------------------------------------- 2: find the bug, z and 1 − z


def _mix(batch: int, hidden: int) -> Callable[[], tuple]:
    def arguments() -> tuple:
        dice = torch.Generator().manual_seed(batch + hidden)
        z, n, h = (torch.rand(batch, hidden, generator=dice, dtype=torch.float64) for _ in range(3))
        return z, 2 * n - 1, 2 * h - 1

    return arguments


UPDATE_STATE = Exercise(
    name="update_state",
    statement="Find the bug: a unit whose update gate learns to stay at 1 should remember, and it forgets.",
    stub='''def update_state(z, n, h):
    """Update gate, candidate and old state, each (B, H) -> the new state (B, H), as in torch.nn.GRU."""
    return z * n + (1 - z) * h
''',
    solution=update_state,
    cases=(
        Case("gates somewhere between 0 and 1", _mix(2, 3)),
        Case(
            "a gate at 1 and a gate at 0",
            lambda: (torch.tensor([[1.0, 0.0]]), torch.tensor([[0.2, 0.2]]), torch.tensor([[-0.9, -0.9]])),
        ),
    ),
    observe=returns("the new state"),
    diagnoses=(
        behaves_like(
            lambda z, n, h: z * n + (1 - z) * h,
            "z and 1 − z are exchanged. Many books write it so, and it learns as well; but weights of "
            "torch.nn.GRU mean the other: z = 1 keeps h.",
        ),
        behaves_like(
            lambda z, n, h: z * h + n, "the candidate comes in whole; it gets the share that is left, 1 − z."
        ),
        behaves_like(lambda z, n, h: z * h + z * n, "both have the share z; the two must add up to 1."),
        behaves_like(
            lambda z, n, h: h + (1 - z) * n, "the old state is kept whole; it must be multiplied by z."
        ),
        behaves_like(
            lambda z, n, h: torch.sigmoid(z) * h + (1 - torch.sigmoid(z)) * n,
            "z is a gate already, between 0 and 1; a second sigmoid is one too many.",
        ),
        behaves_like(
            lambda z, n, h: torch.tanh(z * h + (1 - z) * n),
            "a mean of two numbers between −1 and 1 needs no tanh; squashing it wears the memory away.",
        ),
    ),
    hints=(
        "Put z = 1 into the line. Whose value comes out, the old state's or the candidate's?",
        "In torch the update gate plays the part of an LSTM's forget gate: at 1 it keeps.",
        "return z * h + (1 - z) * n",
    ),
    shown="A gate at 1 keeps the old state, and a gate at 0 replaces it.",
)

# ------------------------------------------------------------- 3: find the bug, where the reset gate acts


def _parts(batch: int, hidden: int) -> Callable[[], tuple]:
    def arguments() -> tuple:
        dice = torch.Generator().manual_seed(7 * batch + hidden)

        def draw(*shape: int) -> Tensor:
            return torch.randn(*shape, generator=dice, dtype=torch.float64)

        return (
            draw(batch, hidden), torch.tanh(draw(batch, hidden)), torch.sigmoid(2 * draw(batch, hidden)),
            draw(hidden, hidden), draw(hidden),
        )  # fmt: skip

    return arguments


CANDIDATE_OF_CHO = Exercise(
    name="candidate_of_cho",
    statement="Find the bug: weights of a Keras GRU with reset_after=False give other numbers here.",
    stub='''def candidate_of_cho(x_n, h, r, weight, bias):
    """x's share (B, H), old h (B, H), reset gate r (B, H), W_hn (H, H), b_hn (H,) -> candidate n (B, H)."""
    return torch.tanh(x_n + r * (h @ weight.T + bias))
''',
    solution=candidate_of_cho,
    cases=(
        Case("a batch of two with three units", _parts(2, 3)),
        Case("a batch of three with four units", _parts(3, 4)),
    ),
    observe=returns("the candidate"),
    diagnoses=(
        behaves_like(
            lambda x_n, h, r, weight, bias: torch.tanh(x_n + r * (h @ weight.T + bias)),
            "the reset gate acts after the product, as in torch. Cho et al. (2014, equation 8) multiply h by "
            "r first, so that r of one unit decides what all the others see of it.",
        ),
        behaves_like(
            lambda x_n, h, r, weight, bias: torch.tanh(x_n + r * (h @ weight.T) + bias),
            "r still acts after the product; only the bias was taken out of its reach.",
        ),
        behaves_like(
            lambda x_n, h, r, weight, bias: torch.tanh(x_n + (r * h) @ weight + bias),
            "the matrix is not transposed: torch keeps a row for each unit, so it is @ weight.T.",
        ),
        behaves_like(
            lambda x_n, h, r, weight, bias: torch.tanh(x_n + (r * h) @ weight.T),
            "the bias b_hn is missing.",
        ),
        behaves_like(
            lambda x_n, h, r, weight, bias: x_n + (r * h) @ weight.T + bias,
            "the candidate passes through tanh.",
        ),
        behaves_like(
            lambda x_n, h, r, weight, bias: torch.tanh(x_n + ((1 - r) * h) @ weight.T + bias),
            "r and 1 − r are exchanged: a reset gate at 1 lets the past in.",
        ),
        stops_with(
            "mat1|must match|size mismatch",
            "(r * h) is (B, H) and weight (H, H): (r * h) @ weight.T is (B, H).",
        ),
    ),
    hints=(
        "Unit 3 has r = 0. In Cho's GRU, which units' candidates no longer depend on unit 3's state?",
        "All of them: r multiplies h before the matrix mixes the units.",
        "torch.tanh(x_n + (r * h) @ weight.T + bias)",
    ),
    shown="The reset gate chooses what of the state enters the product, as in Cho et al.'s equation 8.",
)

# ---------------------------------------------------------------------------- 4: equal parameters


def _sizes(units: int, inputs: int) -> Callable[[], tuple]:
    return lambda: (units, inputs)


def _exact(units: int, inputs: int) -> float:
    """The size at which the weights would be equal, were there parts of units."""
    half = (inputs + 2) / 2
    return math.sqrt(half**2 + 4 / 3 * units * (units + inputs + 2)) - half


EQUAL_SIZE = Exercise(
    name="equal_size",
    statement="Find the GRU size whose number of weights is nearest to that of an LSTM.",
    stub='''def equal_size(lstm_units, inputs):
    """Units of an LSTM layer and its inputs -> units of the GRU layer nearest to it in parameters."""
    return ...
''',
    solution=equal_size,
    cases=(
        Case("an LSTM of 64 units with 32 inputs", _sizes(64, 32)),
        Case("an LSTM of 128 units with 16 inputs", _sizes(128, 16)),
        Case("an LSTM of 10 units with 200 inputs", _sizes(10, 200)),
        Case("an LSTM of 32 units with 32 inputs", _sizes(32, 32)),
        Case("an LSTM of 16 units with 20 inputs", _sizes(16, 20)),
    ),
    observe=returns("the number of units"),
    diagnoses=(
        behaves_like(
            lambda units, inputs: round(units * 4 / 3),
            "weights do not grow in proportion to the units: the recurrent matrix grows with their square.",
        ),
        behaves_like(
            lambda units, inputs: round(units * (4 / 3) ** 0.5),
            "the square root counts the recurrent matrices only; the inputs' weights grow in proportion.",
        ),
        behaves_like(
            lambda units, inputs: min(
                range(1, 2 * units + 2),
                key=lambda u: abs(4 * u * (u + inputs + 2) - 3 * units * (units + inputs + 2)),
            ),
            "3 and 4 are exchanged: an LSTM has four blocks of rows, a GRU three, so its layer may be wider.",
        ),
        behaves_like(
            lambda units, inputs: units, "that is equal size; a GRU of it has a quarter fewer weights."
        ),
        behaves_like(
            lambda units, inputs: min(
                range(1, 2 * units + 2), key=lambda u: abs(3 * u * (inputs + 2) - 4 * units * (inputs + 2))
            ),
            "the recurrent matrix is missing: every row also reads all units.",
        ),
        behaves_like(
            lambda units, inputs: 3 * units * (units + inputs + 2),
            "that is a number of weights; the question is how many units the GRU has.",
        ),
        behaves_like(
            lambda units, inputs: min(
                range(1, 2 * units + 2),
                key=lambda u: abs(3 * u * (u + inputs) - 4 * units * (units + inputs)),
            ),
            "the biases are missing: two for every row, which shows where layers are small.",
        ),
        behaves_like(
            lambda units, inputs: math.floor(_exact(units, inputs)),
            "the size is rounded down, and the next whole number is nearer.",
        ),
        behaves_like(
            lambda units, inputs: math.ceil(_exact(units, inputs)),
            "the size is rounded up, and the whole number below is nearer.",
        ),
        behaves_like(_exact, "that many units there cannot be: give the nearest whole number."),
    ),
    hints=(
        "A block of rows holds units * (inputs + units + 2) numbers. How many blocks has each of the two?",
        "3 u (inputs + u + 2) should be near 4 H (inputs + H + 2). Trying all u is good enough.",
        "min(range(1, 2 * H + 2), key=lambda u: abs(3 * u * (inputs + u + 2) - 4 * H * (inputs + H + 2)))",
    ),
    shown="Your GRU has as many weights as the LSTM, as nearly as whole units allow.",
)

EXERCISES = (GRU_CELL, UPDATE_STATE, CANDIDATE_OF_CHO, EQUAL_SIZE)

# ------------------------------------------------------------------------------------------------ the quiz

QUIZ = (
    Question(
        "In torch's GRU the update gate of a unit stays at 1 for a hundred steps. What becomes of its state?",
        (
            Option("It is replaced by the candidate at every step.", "that is z = 0 in torch's convention."),
            Option("It stays what it was.", "h = (1 − z) n + z h is h when z is 1.", right=True),
            Option("It decays to 0.", "nothing multiplies it by less than 1."),
        ),
    ),
    Question(
        "Which of an LSTM's gates has no counterpart in a GRU?",
        (
            Option(
                "the output gate: a GRU shows its whole state",
                "h is both the memory and what everybody sees.",
                right=True,
            ),
            Option("the forget gate", "z keeps the old state as f does."),
            Option("the input gate", "1 − z lets the candidate in; it is coupled to z."),
        ),
    ),
    Question(
        "All reset gates stand at 1. How do torch's GRU and Cho's differ, with the same weights?",
        (
            Option("By the bias b_hn.", "with r = 1 it is added once in both."),
            Option("Cho's forgets everything.", "r = 1 lets the past in; r = 0 would shut it out."),
            Option("Not at all.", "1 · (W h + b) and W (1 · h) + b are the same numbers.", right=True),
        ),
    ),
    Question(
        "Why did cuDNN, and so torch, put the reset gate after the product?",
        (
            Option(
                "It learns better.",
                "no paper shows that in general; the two are different networks of about the same strength.",
            ),
            Option(
                "One product with h serves all three blocks of rows.",
                "before the product, r must be known first, and the product for n has to wait.",
                right=True,
            ),
            Option("It saves a bias.", "it needs one more: b_hn must stand inside what r multiplies."),
        ),
    ),
    Question(
        "A GRU has a quarter fewer weights than an LSTM of the same size. Must its training step be faster?",
        (
            Option(
                "Yes, by a quarter.",
                "arithmetic is only a part of a step's time; how the kernel is written decides the rest.",
            ),
            Option(
                "No: it depends on the kernel that runs it.",
                "on a CPU torch's LSTM is one fused kernel and its GRU is not.",
                right=True,
            ),
            Option(
                "No: it must be slower.", "where both are fused, as in cuDNN, less work can take less time."
            ),
        ),
    ),
    Question(
        "A GRU reached the target loss in fewer steps than an LSTM, at one learning rate. Is the GRU better?",
        (
            Option(
                "It was, for this task, this rate and this target.",
                "another rate may suit the LSTM better; and fewer steps need not be fewer seconds.",
                right=True,
            ),
            Option("Yes, steps are what counts.", "steps of two networks can differ in what they cost."),
            Option("No, since LSTMs are better on long texts.", "that was not measured here either."),
        ),
    ),
)
