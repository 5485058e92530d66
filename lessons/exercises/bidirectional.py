"""Exercises and quiz of lesson 09: reversing by length, merging, both ends in one vector, flipped padding."""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor

from lessons.exercises.exercise import Case, Exercise, behaves_like, returns, shows, stops_with
from lessons.exercises.questions import Option, Question

# -------------------------------------------------------------- the solutions, as the learner is shown them


def reverse_by_length(
    x: Float[Tensor, "batch time input"], lengths: Int[Tensor, " batch"]
) -> Float[Tensor, "batch time input"]:
    """Each sequence backwards inside its own length; the padding stays where it is."""
    turned = x.clone()
    for row, length in enumerate(lengths.tolist()):
        turned[row, :length] = x[row, :length].flip(0)
    return turned


def merge(
    forward: Float[Tensor, "batch time hidden"], backward: Float[Tensor, "batch time hidden"], mode: str
) -> Float[Tensor, "batch time features"]:
    """Keras's four ways to make one output of two."""
    if mode == "concat":
        return torch.cat([forward, backward], -1)
    return {"sum": forward + backward, "mul": forward * backward, "ave": (forward + backward) / 2}[mode]


def both_ends(
    output: Float[Tensor, "batch time features"], lengths: Int[Tensor, " batch"]
) -> Float[Tensor, "batch features"]:
    """The forward half where the sequence ends, the backward half where it begins."""
    forward, backward = output.chunk(2, -1)
    return torch.cat([forward[torch.arange(len(lengths)), lengths - 1], backward[:, 0]], -1)


def read_backward(
    x: Float[Tensor, "batch time input"],
    lengths: Int[Tensor, " batch"],
    weight_ih: Float[Tensor, "hidden input"],
    weight_hh: Float[Tensor, "hidden hidden"],
    bias: Float[Tensor, " hidden"],
) -> Float[Tensor, "batch time hidden"]:
    """On the padding the state is held at 0, so that each sequence begins at its own last step."""
    h = torch.zeros(len(x), len(bias), dtype=x.dtype)
    states = []
    for t in reversed(range(x.shape[1])):
        h = torch.tanh(x[:, t] @ weight_ih.T + h @ weight_hh.T + bias)
        h = h * (t < lengths)[:, None]
        states.insert(0, h)
    return torch.stack(states, 1)


def _dice(seed: int) -> torch.Generator:
    return torch.Generator(device="cpu").manual_seed(seed)


def _draw(*size: int, seed: int = 1) -> Tensor:
    return torch.randn(*size, generator=_dice(seed), dtype=torch.float64)


# ------------------------------------------------------------------------------- 1: reverse inside the length


def _padded(lengths: list[int], steps: int, features: int = 2) -> Callable[[], tuple]:
    def arguments() -> tuple:
        x, ends = _draw(len(lengths), steps, features), torch.tensor(lengths)
        return x * (torch.arange(steps) < ends[:, None])[..., None], ends

    return arguments


def _pushed(x: Tensor, lengths: Tensor) -> Tensor:
    turned = torch.zeros_like(x)
    for row, length in enumerate(lengths.tolist()):
        turned[row, : length - 1] = x[row, : length - 1].flip(0)
        turned[row, length - 1 :] = x[row, length - 1 :]
    return turned


def _one_more(x: Tensor, lengths: Tensor) -> Tensor:
    turned = x.clone()
    for row, length in enumerate(lengths.tolist()):
        turned[row, : length + 1] = x[row, : length + 1].flip(0)
    return turned


REVERSE_BY_LENGTH = Exercise(
    name="reverse_by_length",
    statement="Turn padded sequences round, each inside its own length.",
    stub='''def reverse_by_length(x, lengths):
    """x (B, T, I) padded with zeros, lengths (B,) -> each sequence backwards, its padding still last."""
    return ...
''',
    solution=reverse_by_length,
    cases=(
        Case("three sequences of 3, 5 and 2 steps", _padded([3, 5, 2], 5)),
        Case("sequences of 1 and 4 steps, padded to 6", _padded([1, 4], 6)),
    ),
    observe=returns("the sequences"),
    diagnoses=(
        behaves_like(
            lambda x, lengths: x.flip(1),
            "the whole row is turned, padding included, so a short sequence now begins with its padding.",
        ),
        behaves_like(
            lambda x, lengths: x.flip(0),
            "the order of the sequences is turned, and each of them is as it was: time is axis 1.",
        ),
        behaves_like(
            lambda x, lengths: x.flip(2),
            "the features are turned inside each step: time is axis 1.",
        ),
        behaves_like(
            lambda x, lengths: x, "nothing has moved. (A slice that is assigned to itself stays as it is.)"
        ),
        behaves_like(
            _pushed, "the last step of each sequence has stayed at its end: the slice is one step too short."
        ),
        behaves_like(
            _one_more,
            "one step of padding is turned along, and comes first: a sequence has the steps 0 to length − 1.",
        ),
        behaves_like(
            lambda x, lengths: reverse_by_length(x, lengths[:1].expand_as(lengths)),
            "all sequences are turned inside the length of the first one.",
        ),
        shows(
            lambda seen, expected: seen["the sequences"].shape[1] < expected["the sequences"].shape[1],
            "steps are missing: the result is padded like x.",
        ),
    ),
    hints=(
        "x.flip(1) is right for the sequences that fill the row. What about the others?",
        "A loop over the rows will do: flip the first `length` steps of each, leave the rest.",
        "turned = x.clone(); for row, length in enumerate(lengths.tolist()): turned[row, :length] = "
        "x[row, :length].flip(0)",
    ),
    shown="Each sequence begins with its own last step. Done twice, it is the sequence again.",
)

# ----------------------------------------------------------------------------------------------- 2: merging


def _halves(mode: str) -> Callable[[], tuple]:
    return lambda: (_draw(2, 3, 4, seed=2), _draw(2, 3, 4, seed=3), mode)


MERGE = Exercise(
    name="merge",
    statement="Make one output of the two directions' outputs, in Keras's four ways.",
    stub='''def merge(forward, backward, mode):
    """Two outputs (B, T, H); mode "concat", "sum", "mul" or "ave" -> (B, T, 2 H) or (B, T, H)."""
    return ...
''',
    solution=merge,
    cases=tuple(Case(f'mode "{mode}"', _halves(mode)) for mode in ("concat", "sum", "mul", "ave")),
    observe=returns("the output"),
    diagnoses=(
        behaves_like(
            lambda f, b, mode: torch.cat([f, b], 1) if mode == "concat" else merge(f, b, mode),
            "the directions stand behind one another in time. Concatenate features, the last axis.",
        ),
        behaves_like(
            lambda f, b, mode: torch.cat([f, b], 0) if mode == "concat" else merge(f, b, mode),
            "the directions stand behind one another in the batch. Concatenate features, the last axis.",
        ),
        behaves_like(
            lambda f, b, mode: merge(b, f, mode), "backward comes first; Keras and torch put forward first."
        ),
        behaves_like(
            lambda f, b, mode: merge(f, b.flip(1), mode),
            "backward is turned round once more. Both outputs are in the order of the input already.",
        ),
        behaves_like(
            lambda f, b, mode: merge(f, b, "sum" if mode == "ave" else mode),
            "the average is half of the sum.",
        ),
        behaves_like(
            lambda f, b, mode: (f * b).sum(-1) if mode == "mul" else merge(f, b, mode),
            "a product unit by unit is asked for; yours is added up over the units.",
        ),
        behaves_like(
            lambda f, b, mode: f @ b.mT if mode == "mul" else merge(f, b, mode),
            "that is a matrix product; a product unit by unit is asked for.",
        ),
        behaves_like(
            lambda f, b, mode: torch.stack([f, b], -1).flatten(2) if mode == "concat" else merge(f, b, mode),
            "units of the two directions alternate; all of forward comes first, then all of backward.",
        ),
        behaves_like(lambda f, b, mode: torch.cat([f, b], -1), "every mode concatenates; look at `mode`."),
    ),
    hints=(
        "Three of the modes work unit by unit and keep the shape; one makes the last axis twice as long.",
        'torch.cat([forward, backward], -1) is "concat"; "ave" is half of "sum".',
        'if mode == "concat": return torch.cat([forward, backward], -1); then +, * and the mean.',
    ),
    shown="A sum or a mean keeps the layer above small, and it can no longer tell the directions apart.",
)

# ----------------------------------------------------------------------------- 3: one vector of both ends


def _output(lengths: list[int], steps: int) -> Callable[[], tuple]:
    return lambda: _padded(lengths, steps, 6)()


def _taken(y: Tensor, lengths: Tensor, ahead: Tensor, back: Tensor) -> Tensor:
    """The forward half at steps `ahead`, the backward half at steps `back`."""
    forward, backward = y.chunk(2, -1)
    rows = torch.arange(len(lengths))
    return torch.cat([forward[rows, ahead], backward[rows, back]], -1)


BOTH_ENDS = Exercise(
    name="both_ends",
    statement="Make one vector of a sequence read both ways, in which each direction has read all of it.",
    stub='''def both_ends(output, lengths):
    """Output (B, T, 2 H) of a layer that reads both ways, lengths (B,) -> one vector a sequence, (B, 2 H)."""
    return ...
''',
    solution=both_ends,
    cases=(
        Case("sequences of 4, 2 and 3 steps", _output([4, 2, 3], 4)),
        Case("sequences of 1 and 3 steps, padded to 5", _output([1, 3], 5)),
    ),
    observe=returns("the vectors"),
    diagnoses=(
        behaves_like(
            lambda y, n: y[torch.arange(len(n)), n - 1],
            "at its last step a sequence has been read whole by the forward half only; the backward half has "
            "just begun there. Where has it finished?",
        ),
        behaves_like(
            lambda y, n: y[:, 0],
            "at step 0 the backward half has read all, and the forward half one step.",
        ),
        behaves_like(
            lambda y, n: y[:, -1],
            "the last step of the row is padding for the shorter sequences.",
        ),
        behaves_like(
            lambda y, n: torch.cat([y[:, -1].chunk(2, -1)[0], y[:, 0].chunk(2, -1)[1]], -1),
            "the forward half is taken from the last step of the row, padding for shorter sequences.",
        ),
        behaves_like(
            lambda y, n: _taken(y, n, 0 * n, n - 1),
            "each half is taken where it has read one step only: the ends are swapped.",
        ),
        behaves_like(
            lambda y, n: torch.cat(list(reversed(both_ends(y, n).chunk(2, -1))), -1),
            "the halves have changed places; forward comes first.",
        ),
        behaves_like(
            lambda y, n: _taken(y, n, n - 2, 0 * n),
            "the forward half is taken one step too early: the last step of a sequence is length − 1.",
        ),
        behaves_like(
            lambda y, n: y.sum(1) / n[:, None],
            "that is the mean over the steps; asked for are the two states that have read everything.",
        ),
        stops_with(
            "out of bounds|out of range", "steps are counted from 0, so the last one is length − 1."
        ),
    ),
    hints=(
        "Which half of the output at step t has read steps 0 to t, and which has read t to the end?",
        "forward, backward = output.chunk(2, -1). Each of them has one step at which it has read everything.",
        "forward at step lengths − 1, backward at step 0: "
        "forward[torch.arange(len(lengths)), lengths - 1], backward[:, 0]",
    ),
    shown="This is what Keras gives with return_sequences=False, and h_n of torch's layer.",
)  # fmt: skip

# --------------------------------------------------------------------------------------- 4: find the bug


def _network(lengths: list[int], steps: int) -> Callable[[], tuple]:
    def arguments() -> tuple:
        x, ends = _padded(lengths, steps)()
        return x, ends, _draw(3, 2, seed=4), 0.7 * _draw(3, 3, seed=5), _draw(3, seed=6)

    return arguments


def _run(order: Callable, blank: bool = True, hold: bool = False, back: bool = True) -> Callable:
    """Variants of the loop: which rows are read in which order, and what is done about padding."""

    def run(x: Tensor, lengths: Tensor, w: Tensor, u: Tensor, b: Tensor) -> Tensor:
        h, states = torch.zeros(len(x), len(b), dtype=x.dtype), []
        for x_t in order(x, lengths).unbind(1):
            h = torch.tanh(x_t @ w.T + h @ u.T + b)
            states.append(h)
        out = torch.stack(states[::-1] if back else states, 1)
        inside = (torch.arange(x.shape[1]) < lengths[:, None])[..., None]
        return out * inside if blank else out

    return run


def _flipped(x: Tensor, lengths: Tensor) -> Tensor:
    return x.flip(1)


def _turned_states(x: Tensor, lengths: Tensor, w: Tensor, u: Tensor, b: Tensor) -> Tensor:
    states = _run(reverse_by_length, blank=False, back=False)(x, lengths, w, u, b)
    return reverse_by_length(states, lengths)


READ_BACKWARD = Exercise(
    name="read_backward",
    statement="Mend a backward run whose state has seen padding before it sees the sequence.",
    stub='''def read_backward(x, lengths, weight_ih, weight_hh, bias):
    """x (B, T, I) padded with zeros, lengths (B,) -> states (B, T, H) of a tanh network that reads each
    sequence from its last step: place t holds the state after reading step t, and padding holds 0."""
    h = torch.zeros(len(x), len(bias), dtype=x.dtype)
    states = []
    for t in reversed(range(x.shape[1])):
        h = torch.tanh(x[:, t] @ weight_ih.T + h @ weight_hh.T + bias)
        states.insert(0, h * (t < lengths)[:, None])
    return torch.stack(states, 1)
''',
    solution=read_backward,
    cases=(
        Case("sequences of 4, 2 and 3 steps", _network([4, 2, 3], 4)),
        Case("sequences of 1 and 2 steps, padded to 5", _network([1, 2], 5)),
    ),
    observe=returns("the states"),
    diagnoses=(
        behaves_like(
            _run(_flipped),
            "the padding's outputs are blanked, but the state that is carried on has read it: with a bias, "
            "zeros are not nothing. Blank h itself.",
        ),
        behaves_like(
            _run(_flipped, blank=False),
            "the run begins with the padding, and a bias moves the state there. Hold h at 0 until the "
            "sequence begins.",
        ),
        behaves_like(
            _turned_states,
            "inside the sequences all is right; the places of the padding must hold 0.",
        ),
        behaves_like(
            lambda x, n, w, u, b: read_backward(x, n, w, u, b).flip(1),
            "the states stand from the last step to the first; place t belongs to step t.",
        ),
        behaves_like(
            lambda x, n, w, u, b: _run(lambda x, n: x, back=False)(x, n, w, u, b),
            "this reads forward, from step 0.",
        ),
        behaves_like(
            lambda x, n, w, u, b: read_backward(x, n, w, u, torch.zeros_like(b)),
            "without the bias the padding does no harm, and the network is another one. Keep the bias.",
        ),
        behaves_like(
            lambda x, n, w, u, b: read_backward(x, n - 1, w, u, b),
            "the last step of each sequence is blanked as well: padding begins at step `length`.",
        ),
        behaves_like(
            lambda x, n, w, u, b: read_backward(x, n, w, u * 0, b),
            "the state is reset at every step, so that nothing is carried on.",
        ),
    ),
    hints=(
        "Print h after the first step of the loop for the shortest sequence. What has it read?",
        "x is 0 on the padding, but tanh(bias) is not. h must be 0 for as long as t >= lengths.",
        "Make h itself 0 there: h = h * (t < lengths)[:, None], then states.insert(0, h).",
    ),
    shown="A sequence gets the same states whatever it is padded to, as if it were alone.",
)

EXERCISES = (REVERSE_BY_LENGTH, MERGE, BOTH_ENDS, READ_BACKWARD)

# ------------------------------------------------------------------------------------------------- the quiz

QUIZ = (
    Question(
        "A layer reads both ways. Which steps can its output at step 3 of 10 depend on?",
        (
            Option("Steps 0 to 3.", "That is the forward half alone."),
            Option("All ten.", "0 to 3 by the forward states, 3 to 9 by the backward ones.", right=True),
            Option("Steps 3 to 9.", "That is the backward half alone."),
        ),
    ),
    Question(
        "You want one vector a sentence from torch's LSTM with bidirectional=True and take output[:, -1]. "
        "What is in its second half?",
        (
            Option(
                "The backward state after one step.",
                "It began at the last step. After all steps it stands at step 0, and in h_n.",
                right=True,
            ),
            Option("The backward state after all steps.", "That stands at step 0 of the output."),
            Option("Zeros.", "Only past the end of a padded sequence."),
        ),
    ),
    Question(
        "Padded sequences are turned round with x.flip(1) and read by an LSTM. What goes wrong with the "
        "short ones?",
        (
            Option("Nothing, zeros add nothing.", "Biases do: the state moves on zeros as well."),
            Option("Their gradients explode.", "Nothing grows here; the states are simply other ones."),
            Option(
                "Their state has read padding before it reads the first real step.",
                "How much, depends on what they were batched with: the same word gets another label in "
                "another batch.",
                right=True,
            ),
        ),
    ),
    Question(
        "A language model that reads both ways has 0.0 bits a letter on held-out text. What has it learnt?",
        (
            Option(
                "To copy the next letter, which the backward states have read.",
                "Take what follows away, as in use, and it knows less than one that reads forward.",
                right=True,
            ),
            Option("The text by heart.", "The text was held out."),
            Option("The language, better than one that reads forward.", "Look at what it reads to answer."),
        ),
    ),
    Question(
        "For which of these can a network that reads both ways not be used as it is?",
        (
            Option("Spelling to sound, word by word.", "The word is there as a whole."),
            Option(
                "Captions that appear while somebody speaks.",
                "The future has not been spoken yet; each new sound may change all labels before it.",
                right=True,
            ),
            Option("Finding names in a document.", "The document is there as a whole."),
        ),
    ),
    Question(
        "Two networks have equally many weights; one reads forward with 97 units, the other both ways with "
        "64 each. Why not 64 against 64 + 64?",
        (
            Option("Because 97 is faster.", "Speed is not what is compared."),
            Option("Because odd numbers break symmetry.", "Random first weights do that."),
            Option(
                "Because the second would have about twice the weights, and might win by that alone.",
                "What is to be compared is what they can see.",
                right=True,
            ),
        ),
    ),
)
