"""Exercises and quiz of lesson 06: peepholes, coupled gates, where forgetting starts, what a part costs."""

from __future__ import annotations

from collections.abc import Callable

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
    stops_with,
)
from lessons.exercises.questions import Option, Question

# -------------------------------------------------------------- the solutions, as the learner is shown them


def peephole_cell(
    total: Float[Tensor, "batch rows"], c: Float[Tensor, "batch hidden"], peephole: Float[Tensor, "3 hidden"]
) -> tuple[Float[Tensor, "batch hidden"], Float[Tensor, "batch hidden"]]:
    """One step of an LSTM whose gates see the cell: i and f the old one, o the new one."""
    i, f, g, o = total.chunk(4, dim=-1)
    p_i, p_f, p_o = peephole
    i = torch.sigmoid(i + p_i * c)
    f = torch.sigmoid(f + p_f * c)
    c = f * c + i * torch.tanh(g)
    o = torch.sigmoid(o + p_o * c)
    return o * torch.tanh(c), c


def coupled_cell(
    i: Float[Tensor, "batch hidden"], g: Float[Tensor, "batch hidden"], c: Float[Tensor, "batch hidden"]
) -> Float[Tensor, "batch hidden"]:
    """With coupled gates a cell forgets exactly as much as it takes in."""
    f = 1 - i
    return f * c + i * g


def open_forget_gates(lstm: nn.LSTM, value: float) -> nn.LSTM:
    """The forget rows of both biases: they are added, so one gets the value and the other 0."""
    hidden = lstm.hidden_size
    forget = slice(hidden, 2 * hidden)  # the rows stand in the order i f g o
    with torch.no_grad():
        for layer in range(lstm.num_layers):
            getattr(lstm, f"bias_ih_l{layer}")[forget] = value
            getattr(lstm, f"bias_hh_l{layer}")[forget] = 0.0
    return lstm


def count_parameters(inputs: int, hidden: int, blocks: int, peepholes: int) -> int:
    """A block has a row for every unit: its weights of x and h, two biases. A peephole is one number."""
    return blocks * hidden * (inputs + hidden + 2) + peepholes * hidden


# ------------------------------------------------------------------------------------------- 1: peepholes


def _cell(batch: int, hidden: int) -> Callable[[], tuple]:
    def arguments() -> tuple:
        dice = torch.Generator().manual_seed(10 * batch + hidden)

        def draw(*shape: int) -> Tensor:
            return 1.5 * torch.randn(*shape, generator=dice, dtype=torch.float64)

        return draw(batch, 4 * hidden), draw(batch, hidden), draw(3, hidden)

    return arguments


def _peeping(
    *, late: bool = True, see_old: bool = True, order: tuple[int, int, int] = (0, 1, 2), squash: bool = True
) -> Callable:
    """The solution with one thing done wrong."""

    def cell(total: Tensor, c: Tensor, peephole: Tensor) -> tuple[Tensor, Tensor]:
        i, f, g, o = total.chunk(4, -1)
        p_i, p_f, p_o = (peephole[k] for k in order)
        old = c if see_old else torch.zeros_like(c)
        new = torch.sigmoid(f + p_f * old) * c + torch.sigmoid(i + p_i * old) * torch.tanh(g)
        o = torch.sigmoid(o + p_o * (new if late else c))
        return o * (torch.tanh(new) if squash else new), new

    return cell


def _peeping_candidate(total: Tensor, c: Tensor, peephole: Tensor) -> tuple[Tensor, Tensor]:
    i, f, g, o = total.chunk(4, -1)
    i, f = torch.sigmoid(i + peephole[0] * c), torch.sigmoid(f + peephole[1] * c)
    new = f * c + i * torch.tanh(g + peephole[2] * c)
    return torch.sigmoid(o) * torch.tanh(new), new


def _swapped(total: Tensor, c: Tensor, peephole: Tensor) -> tuple[Tensor, Tensor]:
    return peephole_cell(total, c, peephole)[::-1]


PEEPHOLE_CELL = Exercise(
    name="peephole_cell",
    statement="One step of an LSTM with peepholes, from the sums before the gates' nonlinearities.",
    stub='''def peephole_cell(total, c, peephole):
    """total (B, 4H): sums before i f g o; old c (B, H); peephole (3, H) for i f o -> new h, new c."""
    return ...
''',
    solution=peephole_cell,
    cases=(
        Case("a batch of three with two units", _cell(3, 2)),
        Case("a single unit", _cell(1, 1)),
        Case("a batch of two with five units", _cell(2, 5)),
    ),
    observe=returns("h", "c"),
    diagnoses=(
        behaves_like(
            _peeping(late=False),
            "the output gate looks at the old cell. It decides what is shown of the new one, and sees that: "
            "compute c first, then o.",
        ),
        behaves_like(
            _peeping(see_old=False),
            "the input and forget gates do not look at the cell; add p · c to their sums too.",
        ),
        behaves_like(
            _peeping(order=(1, 0, 2)),
            "the peepholes of i and f are swapped: the rows stand in the order i f o.",
        ),
        behaves_like(
            _peeping_candidate,
            "the third peephole went to the candidate g. Only gates look at the cell: the rows are i f o.",
        ),
        behaves_like(_peeping(squash=False), "h is o · tanh(c); the cell is shown without its tanh."),
        behaves_like(_swapped, "h and c are returned in the wrong order: h first."),
        stops_with(
            "mat1|must match|size mismatch",
            "a peephole is one number a unit and multiplies its own unit's cell only: p * c, not a matrix "
            "product.",
        ),
    ),
    hints=(
        "Which cell can each gate know when it is computed: the old one or the new one?",
        "i and f need the old c to make the new one. o comes after that.",
        "p_i, p_f, p_o = peephole; i = torch.sigmoid(i + p_i * c); … c = f * c + i * torch.tanh(g); then o.",
    ),
    shown="Your gates see what they can see: i and f the old cell, o the new one.",
)

# -------------------------------------------------------------------- 2: find the bug, coupled gates


def _gates(batch: int, hidden: int) -> Callable[[], tuple]:
    def arguments() -> tuple:
        dice = torch.Generator().manual_seed(batch + hidden)
        i = torch.rand(batch, hidden, generator=dice, dtype=torch.float64)
        g, c = (2 * torch.rand(batch, hidden, generator=dice, dtype=torch.float64) - 1 for _ in range(2))
        return i, g, 2 * c

    return arguments


COUPLED_CELL = Exercise(
    name="coupled_cell",
    statement="Find the bug: with these coupled gates a unit that takes nothing in loses everything.",
    stub='''def coupled_cell(i, g, c):
    """Input gate, candidate and old cell, each (B, H) -> the new cell (B, H), one gate for both jobs."""
    f = i
    return f * c + i * g
''',
    solution=coupled_cell,
    cases=(
        Case("gates somewhere between 0 and 1", _gates(2, 3)),
        Case(
            "a closed and an open gate",
            lambda: (torch.tensor([[0.0, 1.0]]), torch.tensor([[0.5, 0.5]]), torch.tensor([[2.0, 2.0]])),
        ),
    ),
    observe=returns("the new cell"),
    diagnoses=(
        behaves_like(
            lambda i, g, c: i * c + i * g,
            "f = i opens both at once: a unit that takes nothing in (i = 0) also keeps nothing, and one that "
            "takes all in keeps all. Coupled gates share one budget: f = 1 − i.",
        ),
        behaves_like(
            lambda i, g, c: i * c + (1 - i) * g,
            "exchanged: here i keeps and 1 − i lets in, as a GRU's z does; an input gate lets in.",
        ),
        behaves_like(
            lambda i, g, c: c + i * g, "nothing is forgotten: the old cell must be multiplied by f = 1 − i."
        ),
        behaves_like(
            lambda i, g, c: (1 - i) * c + g,
            "the candidate comes in whole; it must be multiplied by the input gate.",
        ),
        behaves_like(
            lambda i, g, c: (1 - g) * c + i * g,
            "f is one minus the candidate; it is one minus the input gate.",
        ),
        behaves_like(
            lambda i, g, c: (1 - torch.sigmoid(i)) * c + torch.sigmoid(i) * g,
            "i is a gate already, between 0 and 1; a second sigmoid is one too many.",
        ),
    ),
    hints=(
        "Put i = 0 into the two lines. What should the new cell be, and what is it?",
        "Keeping and taking in add up to 1.",
        "f = 1 - i",
    ),
    shown="A unit that takes nothing in keeps everything, and one that takes all in keeps nothing.",
)

# --------------------------------------------------------------------- 3: where forgetting starts


def _layer(hidden: int, layers: int) -> Callable[[], tuple]:
    def arguments() -> tuple:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(layers)
            return nn.LSTM(2, hidden, layers), 1.5

    return arguments


def _forget(lstm: nn.LSTM) -> slice:
    return slice(lstm.hidden_size, 2 * lstm.hidden_size)


def _biases(function: Callable, lstm: nn.LSTM, value: float) -> Observations:
    result = function(lstm, value)
    if result is not lstm:
        raise Unfit("the function should return the LSTM that it was given, changed, and no other")
    seen, place = {}, _forget(lstm)
    for layer in range(lstm.num_layers):
        sums = getattr(lstm, f"bias_ih_l{layer}") + getattr(lstm, f"bias_hh_l{layer}")
        seen[f"the forget bias of layer {layer}"] = sums.detach()[place].clone()
        rest = torch.cat([sums[: place.start], sums[place.stop :]]).detach().clone()
        seen[f"the biases of i, g and o in layer {layer}"] = rest
    return seen


def _set(rows: Callable[[int], slice], both: float = 0.0, layers: int | None = None) -> Callable:
    """The solution with other rows, another value for the second bias, or fewer layers."""

    def fill(lstm: nn.LSTM, value: float) -> nn.LSTM:
        place = rows(lstm.hidden_size)
        with torch.no_grad():
            for layer in range(layers or lstm.num_layers):
                getattr(lstm, f"bias_ih_l{layer}")[place] = value
                getattr(lstm, f"bias_hh_l{layer}")[place] = both * value
        return lstm

    return fill


def _added(lstm: nn.LSTM, value: float) -> nn.LSTM:
    with torch.no_grad():
        for layer in range(lstm.num_layers):
            getattr(lstm, f"bias_ih_l{layer}")[_forget(lstm)] += value
    return lstm


def _only_one(lstm: nn.LSTM, value: float) -> nn.LSTM:
    with torch.no_grad():
        for layer in range(lstm.num_layers):
            getattr(lstm, f"bias_ih_l{layer}")[_forget(lstm)] = value
    return lstm


OPEN_FORGET_GATES = Exercise(
    name="open_forget_gates",
    statement="Make the forget gates of a torch.nn.LSTM start at sigmoid(value), in every layer.",
    stub='''def open_forget_gates(lstm, value):
    """Change a torch.nn.LSTM so that bias_ih + bias_hh of its forget gates is value; return it."""
    return ...
''',
    solution=open_forget_gates,
    cases=(Case("an LSTM of one layer", _layer(3, 1)), Case("an LSTM of two layers", _layer(5, 2))),
    observe=_biases,
    diagnoses=(
        behaves_like(
            _set(lambda h: slice(h, 2 * h), both=1.0),
            "both bias vectors got the value, and torch adds them: the gates start at twice of it.",
        ),
        behaves_like(
            _only_one,
            "the other bias vector still holds torch's random draw, and is added; set its rows to 0.",
        ),
        behaves_like(
            _added, "the value was added to the random draw; the sum of both vectors must be the value."
        ),
        behaves_like(
            _set(lambda h: slice(0, h)),
            "those are the rows of the input gate: the order is i f g o, so f has the second H rows.",
        ),
        behaves_like(
            _set(lambda h: slice(2 * h, 3 * h)),
            "those are the rows of the candidate: Keras writes i f c o, and f is second in both.",
        ),
        behaves_like(
            _set(lambda h: slice(None)),
            "all four blocks got the value; the other gates and the candidate stay as they were.",
        ),
        behaves_like(
            _set(lambda h: slice(h, 2 * h), layers=1),
            "only the first layer was set; every layer has biases of its own, bias_ih_l0, bias_ih_l1, …",
        ),
        stops_with(
            "in-place|leaf",
            "a parameter may not be changed in place while gradients are recorded: with torch.no_grad().",
        ),
    ),
    hints=(
        "torch's LSTM has two bias vectors of 4H numbers. Which H of them belong to f, and what becomes of "
        "the two vectors?",
        "Rows H to 2H. The two vectors are added, so set one to the value and the other to 0.",
        "lstm.bias_ih_l0[H:2*H] = value; lstm.bias_hh_l0[H:2*H] = 0, with torch.no_grad(), for each layer.",
    ),
    shown="Your forget gates start where you said, in every layer, and nothing else moved.",
)

# ---------------------------------------------------------------------------------- 4: what a part costs


def _counts(*sizes: int) -> Callable[[], tuple]:
    return lambda: sizes


COUNT_PARAMETERS = Exercise(
    name="count_parameters",
    statement="Count the numbers that a layer learns, from its blocks of rows and its peepholes.",
    stub='''def count_parameters(inputs, hidden, blocks, peepholes):
    """Sizes, blocks of rows (4 for i f g o), gates with a peephole -> the layer's number of parameters."""
    return ...
''',
    solution=count_parameters,
    cases=(
        Case("a plain LSTM, 3 inputs and 5 units", _counts(3, 5, 4, 0)),
        Case("a GRU, 7 inputs and 2 units", _counts(7, 2, 3, 0)),
        Case("a full LSTM with three peepholes", _counts(3, 5, 4, 3)),
        Case("coupled gates with two peepholes", _counts(16, 32, 3, 2)),
    ),
    observe=returns("the number of parameters"),
    diagnoses=(
        behaves_like(
            lambda inputs, hidden, blocks, peepholes: (
                blocks * hidden * (inputs + hidden + 1) + peepholes * hidden
            ),
            "one bias is missing: torch keeps two vectors, bias_ih and bias_hh.",
        ),
        behaves_like(
            lambda inputs, hidden, blocks, peepholes: (
                blocks * hidden * (inputs + hidden) + peepholes * hidden
            ),
            "the biases are missing: two for every row.",
        ),
        behaves_like(
            lambda inputs, hidden, blocks, peepholes: blocks * hidden * (inputs + 2) + peepholes * hidden,
            "the recurrent matrix is missing: every row also reads all of h.",
        ),
        behaves_like(
            lambda inputs, hidden, blocks, peepholes: (
                blocks * hidden * (inputs + hidden + 2) + peepholes * hidden * hidden
            ),
            "a peephole is one number a unit: each gate sees its own unit's cell only.",
        ),
        behaves_like(
            lambda inputs, hidden, blocks, peepholes: blocks * (inputs + hidden + 2) + peepholes * hidden,
            "a block has one row for every unit: multiply by hidden.",
        ),
        behaves_like(
            lambda inputs, hidden, blocks, peepholes: blocks * hidden * (inputs + hidden + 2),
            "the peepholes are not counted: one number a unit for each.",
        ),
    ),
    hints=(
        "A block is a gate or the candidate. How many rows has it, and what does one row hold?",
        "A row: a weight for each input, one for each unit of h, and two biases.",
        "blocks * hidden * (inputs + hidden + 2) + peepholes * hidden",
    ),
    shown="Your count is right for an LSTM, a GRU, and both with parts put in or taken out.",
)

EXERCISES = (PEEPHOLE_CELL, COUPLED_CELL, OPEN_FORGET_GATES, COUNT_PARAMETERS)

# ------------------------------------------------------------------------------------------------ the quiz

QUIZ = (
    Question(
        "An LSTM without a forget gate reads a text of a million characters, its state never reset. What "
        "happens to its cell?",
        (
            Option(
                "It goes back to 0 by itself.",
                "nothing multiplies the old cell by less than 1, so what has been added stays added.",
            ),
            Option(
                "It can only add and subtract; nothing ever removes what was written.",
                "that is why Gers et al. (2000) put the gate in: for input that does not end.",
                right=True,
            ),
            Option(
                "The output gate empties it.",
                "the output gate decides what is shown of the cell; it never changes the cell itself.",
            ),
        ),
    ),
    Question(
        "Two gates are coupled, f = 1 − i. How many blocks of rows does the layer keep?",
        (
            Option("three", "i, g and o; f is computed from i and has no weights of its own.", right=True),
            Option("four", "f needs no weights: it is whatever i leaves over."),
            Option("two", "that would leave out the candidate or the output gate, which have their weights."),
        ),
    ),
    Question(
        "You set bias_ih and bias_hh of the forget gates of `torch.nn.LSTM` both to 1. Where do they start?",
        (
            Option("at sigmoid(1) = 0.73", "torch adds both vectors, so the sum is 2."),
            Option("at 1", "a gate reaches 1 only in the limit of a large sum; a bias goes through sigmoid."),
            Option("at sigmoid(2) = 0.88", "the two vectors are added before the sigmoid.", right=True),
        ),
    ),
    Question(
        "A forget gate stays at 0.73 (bias 1). What is left of what the cell held, 30 steps later?",
        (
            Option("less than a thousandth", "0.73 to the power of 30 is 0.00008.", right=True),
            Option("about a quarter", "1 − 0.73 is what one single step loses; the steps multiply."),
            Option("0.73 of it", "that is after one step; each further step multiplies again."),
        ),
    ),
    Question(
        "What does a peephole let a gate see?",
        (
            Option(
                "The hidden state h of the step before.",
                "every gate sees that anyway, through its recurrent weights.",
            ),
            Option(
                "The cells of all units, through a matrix.",
                "the peepholes of Gers & Schmidhuber (2000) are one number a unit: its own cell only.",
            ),
            Option(
                "The cell state of its own unit, even while the output gate is shut.",
                "that is the point: h says nothing of a cell that is not shown.",
                right=True,
            ),
        ),
    ),
    Question(
        "A variant does worse than the full LSTM at one learning rate and equal steps. What has been shown?",
        (
            Option(
                "That the missing part is needed.",
                "perhaps another learning rate suits the variant better; Greff et al. searched for each one.",
            ),
            Option(
                "That it does worse in this setting; a search over settings would say more.",
                "a result belongs to its setting, which is why the ledger keeps all of it.",
                right=True,
            ),
            Option(
                "Nothing, since a single comparison never shows anything.",
                "it shows something about this setting, and several seeds show how far it can be trusted.",
            ),
        ),
    ),
)
