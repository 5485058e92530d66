"""Exercises and quiz of lesson 04: the four layers, a gate in the wrong place, Keras's weights, peepholes."""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

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

# What torch says where shapes do not fit together; a name that happens to hold "size" is none of it.
MISFIT = r"mat1|must match|size mismatch|inconsistent tensor|values to unpack"

# -------------------------------------------------------------- the solutions, as the learner is shown them


def lstm_cell(
    total: Float[Tensor, "batch rows"], c: Float[Tensor, "batch hidden"]
) -> tuple[Float[Tensor, "batch hidden"], Float[Tensor, "batch hidden"]]:
    """From the sums of all four layers, in torch's order i f g o, to the new h and c."""
    i, f, g, o = total.chunk(4, dim=-1)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c), c


def new_cell(
    i: Float[Tensor, "batch hidden"],
    f: Float[Tensor, "batch hidden"],
    g: Float[Tensor, "batch hidden"],
    c: Float[Tensor, "batch hidden"],
) -> Float[Tensor, "batch hidden"]:
    """The forget gate keeps the old cell, the input gate lets the candidate in."""
    return f * c + i * g


def from_keras(
    kernel: Float[Tensor, "input rows"],
    recurrent_kernel: Float[Tensor, "hidden rows"],
    bias: Float[Tensor, " rows"],
) -> tuple[
    Float[Tensor, "rows input"], Float[Tensor, "rows hidden"], Float[Tensor, " rows"], Float[Tensor, " rows"]
]:
    """Keras's i f c o are torch's i f g o: nothing moves. Transpose, and leave the second bias at zero."""
    return kernel.T, recurrent_kernel.T, bias, torch.zeros_like(bias)


def peephole_output(
    o_total: Float[Tensor, "batch hidden"],
    peephole: Float[Tensor, " hidden"],
    c: Float[Tensor, "batch hidden"],
) -> Float[Tensor, "batch hidden"]:
    """The output gate looks at the new cell of its own unit, then lets it out."""
    o = torch.sigmoid(o_total + peephole * c)
    return o * torch.tanh(c)


# --------------------------------------------------------------------------------------- 1: the whole cell


def _drawn(*shapes: tuple[int, ...], scale: float = 1.0) -> Callable[[], tuple]:
    def arguments() -> tuple:
        dice = torch.Generator().manual_seed(4)
        return tuple(scale * torch.randn(*shape, generator=dice) for shape in shapes)

    return arguments


def _cell(
    order: str = "ifgo",
    candidate: Callable = torch.tanh,
    out: Callable = torch.tanh,
    gate: Callable = torch.sigmoid,
) -> Callable:
    def cell(total: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        parts = dict(zip(order, total.chunk(4, dim=-1), strict=True))
        i, f, o = (gate(parts[name]) for name in "ifo")
        c = f * c + i * candidate(parts["g"])
        return o * out(c), c

    return cell


def _swapped_cell(total: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
    h, c = lstm_cell(total, c)
    return c, h


def _old_cell_shown(total: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
    return torch.sigmoid(total.chunk(4, dim=-1)[3]) * torch.tanh(c), lstm_cell(total, c)[1]


LSTM_CELL = Exercise(
    name="lstm_cell",
    statement="From the sums of the four layers, in torch's order, and the old cell, make the new h and c.",
    stub='''def lstm_cell(total, c):
    """total (batch, 4 * hidden) in the order i f g o, old c (batch, hidden) -> new h and new c."""
    return ...
''',
    solution=lstm_cell,
    cases=(
        Case("two sequences and three units", _drawn((2, 12), (2, 3))),
        Case("gates that are nearly open or shut, five units", _drawn((3, 20), (3, 5), scale=6.0)),
    ),
    observe=returns("the new h", "the new c"),
    diagnoses=(
        behaves_like(_swapped_cell, "h and c are right, and change places: the function returns h first."),
        behaves_like(
            _cell("ifog"), "the blocks are read as i f o g, the order of some papers; torch's is i f g o."
        ),
        behaves_like(
            _cell("figo"),
            "i and f have changed places: torch's rows stand in the order i f g o; f keeps the old cell, and "
            "i lets the candidate in.",
        ),
        behaves_like(
            _cell(candidate=torch.sigmoid),
            "the candidate went through sigmoid with the gates. It can then only add to the cell; tanh can "
            "take away too.",
        ),
        behaves_like(
            _cell(candidate=lambda g: g), "the candidate is not squashed: tanh keeps it between −1 and 1."
        ),
        behaves_like(
            _cell(out=lambda c: c),
            "the cell goes out unsquashed: h = o · tanh(c), and c itself has no bound.",
        ),
        behaves_like(
            _old_cell_shown,
            "h shows the old cell. The output gate opens on the cell of this step, the new one.",
        ),
        behaves_like(
            _cell(gate=torch.tanh),
            "the gates went through tanh. A gate is a share, from 0 to 1: sigmoid for i, f and o.",
        ),
        behaves_like(
            _cell(gate=lambda v: v, candidate=lambda v: v),
            "total holds sums that nothing has squashed yet: sigmoid for i, f and o, tanh for g.",
        ),
        behaves_like(
            _cell(gate=lambda v: v),
            "total holds sums that nothing has squashed yet: the gates i, f and o pass through sigmoid.",
        ),
        stops_with(MISFIT, "total holds four blocks of hidden columns: chunk(4, dim=-1)."),
    ),
    hints=(
        "total.chunk(4, dim=-1) gives the four blocks. Which of them become gates?",
        "sigmoid for i, f and o; tanh for g. Then c = f · c + i · g, and h = o · tanh(c) with the new c.",
    ),
    shown="Your step gives the new h and c to within 0.0001, gates wide open and shut included.",
)

# ------------------------------------------------------------------------------------ 2: find the bug, a gate


def _gates_and_values(drawn: Tensor) -> tuple[Tensor, ...]:
    """Gates i and f from 0 to 1; candidate g from -1 to 1 and cell c from -2 to 2."""
    i, f, g, c = drawn
    return i, f, 2 * g - 1, 4 * c - 2


NEW_CELL = Exercise(
    name="new_cell",
    statement="Mend the cell whose gates sit on the wrong wires.",
    stub='''def new_cell(i, f, g, c):
    """Gates i and f, candidate g, old cell c, all (batch, hidden) -> the new cell."""
    return i * c + f * g
''',
    solution=new_cell,
    cases=(
        Case(
            "gates between 0 and 1",
            lambda: _gates_and_values(torch.rand(4, 2, 3, generator=torch.Generator().manual_seed(1))),
        ),
        Case(
            "a cell to be kept whole (f = 1, i = 0)",
            lambda: (
                torch.zeros(1, 2),
                torch.ones(1, 2),
                torch.full((1, 2), 0.5),
                torch.tensor([[3.0, -2.0]]),
            ),
        ),
    ),
    observe=returns("the new cell"),
    diagnoses=(
        behaves_like(
            lambda i, f, g, c: i * c + f * g,
            "the forget gate is on the candidate. With f open and i shut the memory should stay as it was; "
            "here it is thrown away and the candidate written.",
        ),
        behaves_like(
            lambda i, f, g, c: f * g + i * g, "the old cell c is in neither term, so nothing is remembered."
        ),
        behaves_like(
            lambda i, f, g, c: (1 - f) * c + i * g,
            "a forget gate of 1 keeps everything, in spite of its name: f · c, without the 1 −.",
        ),
        behaves_like(
            lambda i, f, g, c: f * c + (1 - f) * g,
            "that is a coupled cell, i = 1 − f; here i is a gate of its own.",
        ),
        behaves_like(
            lambda i, f, g, c: torch.tanh(f * c + i * g),
            "the cell is squashed. Only what leaves it is: c itself is a plain sum.",
        ),
        behaves_like(
            lambda i, f, g, c: torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g),
            "i, f and g have been squashed already; doing it again is once too often.",
        ),
        behaves_like(
            lambda i, f, g, c: torch.sigmoid(f) * c + torch.sigmoid(i) * g,
            "i and f are gates already, between 0 and 1; a second sigmoid is one too many.",
        ),
        behaves_like(
            lambda i, f, g, c: f * c + i * torch.tanh(g),
            "g is the candidate already, between −1 and 1; a second tanh is one too many.",
        ),
        behaves_like(
            lambda i, f, g, c: f * c + g, "the candidate comes in whole; it must be multiplied by i."
        ),
    ),
    hints=(
        "Set f to 1 and i to 0. What should come out? What does?",
        "The forget gate multiplies the old cell, the input gate the candidate.",
    ),
    shown="Your cell keeps with f and writes with i; with f = 1 and i = 0 it comes out as it went in.",
)

# --------------------------------------------------------------------------------- 3: find the bug, the order


def _blocks(order: tuple[int, ...], transpose: bool = True, both: bool = False) -> Callable:
    def read(kernel: Tensor, recurrent_kernel: Tensor, bias: Tensor) -> tuple[Tensor, ...]:
        parts = [
            torch.cat([part.chunk(4, -1)[k] for k in order], -1) for part in (kernel, recurrent_kernel, bias)
        ]
        first, second, bias = (part.T if transpose and part.dim() == 2 else part for part in parts)
        return first, second, bias, bias if both else torch.zeros_like(bias)

    return read


def _weights(function: Callable, kernel: Tensor, recurrent_kernel: Tensor, bias: Tensor) -> Observations:
    """torch adds its two biases, so only their sum matters."""
    seen = returns("weight_ih", "weight_hh", "bias_ih", "bias_hh")(function, kernel, recurrent_kernel, bias)
    both = [seen["bias_ih"], seen["bias_hh"]]
    if any(getattr(part, "shape", None) != bias.shape for part in both):
        raise Unfit(f"bias_ih and bias_hh should be two tensors of shape {tuple(bias.shape)}, as in torch")
    return {name: seen[name] for name in ("weight_ih", "weight_hh")} | {"bias_ih + bias_hh": sum(both)}


FROM_KERAS = Exercise(
    name="from_keras",
    statement="Mend the reading of a Keras LSTM's weights into torch's tensors.",
    stub='''def from_keras(kernel, recurrent_kernel, bias):
    """Keras (input, 4H), (H, 4H), (4H,) in the order i f c o -> weight_ih, weight_hh, bias_ih, bias_hh."""

    def reorder(part):
        i, f, c, o = part.chunk(4, dim=-1)
        return torch.cat([i, f, o, c], dim=-1)

    return reorder(kernel).T, reorder(recurrent_kernel).T, reorder(bias), reorder(bias)
''',
    solution=from_keras,
    cases=(
        Case("an LSTM of 3 inputs and 2 units", _drawn((3, 8), (2, 8), (8,))),
        Case("an LSTM of 5 inputs and 3 units", _drawn((5, 12), (3, 12), (12,))),
    ),
    observe=_weights,
    diagnoses=(
        shows(
            lambda seen, expected: tuple(seen["weight_ih"].shape) == (3, 8),
            "the kernels are not transposed: torch has one row for each neuron, Keras one column.",
        ),
        shows(
            lambda seen, expected: tuple(seen["weight_hh"].shape) == (2, 8),
            "recurrent_kernel is not transposed: torch has one row for each neuron, Keras one column.",
        ),
        behaves_like(
            lambda k, r, b: (k.reshape(k.shape[::-1]), r.reshape(r.shape[::-1]), b, torch.zeros_like(b)),
            "the shapes are right and the numbers stand elsewhere: reshape and view do not turn axes; .T "
            "does.",
        ),
        behaves_like(
            _blocks((0, 1, 3, 2), both=True),
            "Keras's c is not the cell state but the candidate, torch's g: i f c o and i f g o are one "
            "order. A second trap follows.",
        ),
        behaves_like(
            _blocks((0, 1, 3, 2)), "c and o change places; Keras's c is torch's g, so nothing moves."
        ),
        behaves_like(
            _blocks((0, 1, 2, 3), both=True),
            "the bias is there twice: torch adds bias_ih and bias_hh. Keras has one; leave the other at 0.",
        ),
        behaves_like(_blocks((1, 0, 2, 3)), "i and f change places; both libraries begin with i."),
        behaves_like(
            lambda k, r, b: (r.T, k.T, b, torch.zeros_like(b)),
            "the two matrices change places: kernel is weight_ih.",
        ),
    ),
    hints=(
        "Which of torch's four letters is Keras's c? Look at the third row in both drawings.",
        "The orders are the same. What is left: transpose, and one bias where torch adds two.",
    ),
    shown="Your tensors make torch.nn.LSTM compute what the Keras layer does.",
)

# ---------------------------------------------------------------------------------------------- 4: peepholes


def _without_peephole(o_total: Tensor, peephole: Tensor, c: Tensor) -> Tensor:
    return torch.sigmoid(o_total) * torch.tanh(c)


PEEPHOLE_OUTPUT = Exercise(
    name="peephole_output",
    statement="Let the output gate look at the cell that it opens, and return h.",
    stub='''def peephole_output(o_total, peephole, c):
    """o_total (batch, hidden), peephole (hidden,), new cell c (batch, hidden) -> h (batch, hidden)."""
    return ...
''',
    solution=peephole_output,
    cases=(
        Case("two sequences and three units", _drawn((2, 3), (3,), (2, 3))),
        Case("three sequences and three units", _drawn((3, 3), (3,), (3, 3))),
    ),
    observe=returns("h"),
    diagnoses=(
        behaves_like(
            _without_peephole, "the gate does not see the cell: add peephole · c inside the sigmoid."
        ),
        behaves_like(
            lambda total, p, c: (torch.sigmoid(total) + p * c) * torch.tanh(c),
            "the peephole is added behind the sigmoid; the gate can then leave 0 … 1. It belongs inside.",
        ),
        behaves_like(
            lambda total, p, c: torch.sigmoid(total + p * torch.tanh(c)) * torch.tanh(c),
            "the gate sees the squashed cell; the peephole looks at c itself, before tanh.",
        ),
        behaves_like(
            lambda total, p, c: torch.sigmoid(total + p * c) * c, "the cell goes out unsquashed: o · tanh(c)."
        ),
        behaves_like(
            lambda total, p, c: torch.sigmoid(total + p * c), "that is the gate o alone; h is o · tanh(c)."
        ),
        behaves_like(
            lambda total, p, c: torch.sigmoid(total + (c @ p)[:, None]) * torch.tanh(c),
            "every gate sees the cells of all units. A peephole is one number a unit: multiply, no matrix.",
        ),
        stops_with(
            MISFIT, "peephole has a number for each unit, and c a row for each sequence: peephole * c."
        ),
    ),
    hints=(
        "A peephole is one weight for each unit: which product is that, · or @?",
        "o = sigmoid(o_total + peephole * c), then h as always.",
    ),
    shown="Your gate looks through the peephole at its own cell, and lets it out.",
)

EXERCISES = (LSTM_CELL, NEW_CELL, FROM_KERAS, PEEPHOLE_OUTPUT)

# --------------------------------------------------------------------------------------------------- the quiz

QUIZ = (
    Question(
        "An LSTM layer has 128 units. How many neurons, each a weighted sum and a squash, is that?",
        (
            Option(
                "128, one a unit.",
                "A unit is a cell with three gates and a candidate: each is a sum of its own.",
            ),
            Option(
                "512: i, f, g and o are layers of 128 neurons each.",
                "The four layers read the same input and last state; their outputs are wired, not weighted.",
                right=True,
            ),
            Option("256, for h and for c.", "h and c are what the wiring makes; they have no weights."),
        ),
    ),
    Question(
        "f is 1 and i is 0 for a hundred steps. What is the cell then?",
        (
            Option(
                "What it was, exactly.",
                "c = 1 · c + 0 · g at every step; its gradient comes through as unchanged.",
                right=True,
            ),
            Option(
                "Zero: the forget gate is at its largest.", "In spite of its name, f = 1 keeps everything."
            ),
            Option("tanh of what it was.", "tanh is on the way out only; the cell is never squashed itself."),
        ),
    ),
    Question(
        "Why can the candidate not go through sigmoid and all stay as it is?",
        (
            Option(
                "Its gradient would vanish at once.",
                "Sigmoid's slope is smaller, but the cell's path is the sum.",
            ),
            Option(
                "i · g could then only be positive: the cell could grow, and shrink by forgetting alone.",
                "With tanh a unit can write in both directions.",
                right=True,
            ),
            Option(
                "Keras and PyTorch would no longer agree.", "They would: both could swap it in the same way."
            ),
        ),
    ),
    Question(
        "Keras's blocks are i f c o, PyTorch's i f g o. What must be moved when weights are carried over?",
        (
            Option(
                "The third and fourth block change places.",
                "The names differ, the blocks do not: o is last in both.",
            ),
            Option("The first and second block change places.", "Both begin with the input gate."),
            Option(
                "Nothing: Keras's c is the candidate that PyTorch calls g.",
                "The matrices are transposed, and Keras's one bias goes into one of torch's two.",
                right=True,
            ),
        ),
    ),
    Question(
        "What does a peephole add to a cell of H units?",
        (
            Option(
                "Three numbers a unit: each gate sees its own cell.",
                "3 H weights, i and f look at the old cell, o at the new one.",
                right=True,
            ),
            Option("Three matrices of H × H.", "That is what seeing the cells of all units would take."),
            Option(
                "Nothing to learn: the cell is added to the gates.",
                "It is added with a weight, which is learnt.",
            ),
        ),
    ),
)
