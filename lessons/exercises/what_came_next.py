"""Exercises and quiz of lesson 20: two steps in one, a scan, a minLSTM, a memory written and read."""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from lessons.exercises.exercise import Case, Exercise, behaves_like, returns, stops_with
from lessons.exercises.questions import Option, Question

Steps = Float[Tensor, "time hidden"]
State = Float[Tensor, " hidden"]

# -------------------------------------------------------------- the solutions, as the learner is shown them


def two_in_one(a1: Tensor, b1: Tensor, a2: Tensor, b2: Tensor) -> tuple[Tensor, Tensor]:
    """a2 (a1 h + b1) + b2 = (a2 a1) h + (a2 b1 + b2): a step of the same kind."""
    return a2 * a1, a2 * b1 + b2


def scan_in_chunks(a: Steps, b: Steps, h0: State) -> Steps:
    """Each chunk of two steps from nothing, then what enters it is added, faded; only the ends go in turn."""
    a, b, rows, h = a.unflatten(0, (-1, 2)), b.unflatten(0, (-1, 2)), [], h0
    second = a[:, 1] * b[:, 0] + b[:, 1]
    for k in range(len(a)):
        rows += [a[k, 0] * h + b[k, 0], a[k, 1] * a[k, 0] * h + second[k]]
        h = rows[-1]
    return torch.stack(rows)


def min_lstm(i: Steps, f: Steps, g: Steps, h0: State) -> Steps:
    """Squash the gates, divide by their sum, then an ordinary weighted mean of old and new."""
    i, f, rows, h = torch.sigmoid(i), torch.sigmoid(f), [], h0
    for i_t, f_t, g_t in zip(i, f, g, strict=True):
        h = f_t / (f_t + i_t) * h + i_t / (f_t + i_t) * g_t
        rows.append(h)
    return torch.stack(rows)


def recall(
    keys: Float[Tensor, "pairs key"], values: Float[Tensor, "pairs value"], query: Float[Tensor, " key"]
) -> Float[Tensor, " value"]:
    """Write every pair as an outer product; read with the query; divide by how much the keys agree."""
    memory = keys.T @ values
    return query @ memory / (keys @ query).sum()


# --------------------------------------------------------------------------------------------- drawn cases


def _drawn(seed: int) -> Callable[..., Tensor]:
    dice = torch.Generator().manual_seed(seed)
    return lambda *shape: torch.randn(*shape, generator=dice)


def _pairs(hidden: int) -> Callable[[], tuple]:
    def arguments() -> tuple:
        draw = _drawn(hidden)
        return tuple(draw(hidden) for _ in range(4))

    return arguments


def _steps(steps: int, hidden: int) -> Callable[[], tuple]:
    def arguments() -> tuple:
        draw = _drawn(steps + hidden)
        return draw(steps, hidden).sigmoid(), draw(steps, hidden), draw(hidden)

    return arguments


def _sums(steps: int, hidden: int) -> Callable[[], tuple]:
    def arguments() -> tuple:
        draw = _drawn(10 * steps + hidden)
        return *(draw(steps, hidden) for _ in range(3)), draw(hidden)

    return arguments


def _memory(pairs: int, width: int, size: int) -> Callable[[], tuple]:
    def arguments() -> tuple:
        draw = _drawn(pairs + width)
        return draw(pairs, width).exp(), draw(pairs, size), draw(width).exp()

    return arguments


# -------------------------------------------------------------------------------------- 1: two steps in one

TWO_IN_ONE = Exercise(
    name="two_in_one",
    statement="Put two steps h → a h + b together into one.",
    stub='''def two_in_one(a1, b1, a2, b2):
    """First h -> a1 h + b1, then h -> a2 h + b2, all (H,). Returns a and b of the one step that does both."""
    return ..., ...
''',
    solution=two_in_one,
    cases=(Case("steps of three units", _pairs(3)), Case("steps of five units", _pairs(5))),
    observe=returns("a", "b"),
    diagnoses=(
        behaves_like(
            lambda a1, b1, a2, b2: (a2 * a1, a1 * b2 + b1),
            "that is the second step before the first: a2 acts on what the first step gave.",
        ),
        behaves_like(
            lambda a1, b1, a2, b2: (a2 * a1, b1 + b2),
            "b1 passes through the second step, too: it arrives as a2 b1.",
        ),
        behaves_like(
            lambda a1, b1, a2, b2: (a2 + a1, a2 * b1 + b2), "what is kept twice is multiplied, not added."
        ),
        behaves_like(
            lambda a1, b1, a2, b2: (a2 * a1, a2 * a1 * b1 + b2),
            "b1 came in after a1 had acted: only a2 still fades it.",
        ),
        behaves_like(lambda a1, b1, a2, b2: (a2, b2), "that is the second step alone; the first is lost."),
        behaves_like(
            lambda a1, b1, a2, b2: (a2 * a1, a2 * (b1 + b2)), "b2 comes in last: nothing multiplies it."
        ),
    ),
    hints=(
        "Write a2 (a1 h + b1) + b2 and sort it by h.",
        "What stands before h is the new a; all the rest is the new b.",
        "return a2 * a1, a2 * b1 + b2",
    ),
    shown="So steps may be put together in any grouping, and a tree of them has a depth of log T.",
)

# -------------------------------------------------------------------------------- 2: a scan, find the bug


def _chunks(start: Callable, inside: Callable) -> Callable:
    """scan_in_chunks with other ways to start a chunk and to end one."""

    def scanned(a: Steps, b: Steps, h0: State) -> Steps:
        rows: list[Tensor] = []
        for k in range(0, len(a), 2):
            h = start(k, h0, rows)
            rows += [a[k] * h + b[k], inside(a[k], b[k], a[k + 1], b[k + 1], h)]
        return torch.stack(rows)

    return scanned


def _before(k: int, h0: Tensor, rows: list[Tensor]) -> Tensor:
    return rows[-1] if k else h0


def _second(a1: Tensor, b1: Tensor, a2: Tensor, b2: Tensor, h: Tensor) -> Tensor:
    return a2 * (a1 * h + b1) + b2


SCAN_IN_CHUNKS = Exercise(
    name="scan_in_chunks",
    statement="Find the bug in a scan that takes two steps at a time.",
    stub='''def scan_in_chunks(a, b, h0):
    """h_t = a_t h_{t-1} + b_t at all steps: a, b (T, H) with T even, h0 (H,) -> h (T, H)."""
    a, b, rows, h = a.unflatten(0, (-1, 2)), b.unflatten(0, (-1, 2)), [], torch.zeros_like(h0)
    second = a[:, 1] * b[:, 0] + b[:, 1]
    for k in range(len(a)):
        rows += [a[k, 0] * h + b[k, 0], a[k, 1] * a[k, 0] * h + second[k]]
        h = rows[-1]
    return torch.stack(rows)
''',
    solution=scan_in_chunks,
    cases=(
        Case("eight steps of three units", _steps(8, 3)),
        Case("two steps of four units", _steps(2, 4)),
    ),
    observe=returns("the states"),
    diagnoses=(
        behaves_like(
            _chunks(lambda k, h0, rows: rows[-1] if k else torch.zeros_like(h0), _second),
            "the state before the first step is thrown away: a text cut in two would be read as two.",
        ),
        behaves_like(
            _chunks(lambda k, h0, rows: h0, _second),
            "every chunk begins with h0; each begins where the one before it ended.",
        ),
        behaves_like(
            _chunks(lambda k, h0, rows: torch.zeros_like(h0), _second),
            "every chunk begins with nothing: what came before it is missing, faded by the products of a.",
        ),
        behaves_like(
            _chunks(_before, lambda a1, b1, a2, b2, h: a2 * h + a2 * b1 + b2),
            "what enters a chunk fades twice by its second step: by a1 and by a2.",
        ),
        behaves_like(
            _chunks(_before, lambda a1, b1, a2, b2, h: a2 * a1 * h + b2),
            "the second step has lost what came in at the first.",
        ),
        behaves_like(
            lambda a, b, h0: a * h0 + b, "each step sees h0 only: that is one step, done at every place."
        ),
        stops_with("stack|empty|size", "rows holds two tensors (H,) a chunk, in their order."),
    ),
    hints=(
        "Run it by hand on two steps, with h0 = 1 and b = 0.",
        "With b = 0 the result should be a_1 h0, a_2 a_1 h0. What is it?",
        "h starts as h0, not as zeros.",
    ),
    shown="With the state that goes before, a sequence in two parts gives what it gives in one.",
)

# ------------------------------------------------------------------------------------------- 3: a minLSTM


def _cell(keep: Callable, enter: Callable, squash: bool = True, g_of: Callable = lambda g: g) -> Callable:
    """min_lstm with one thing wrong."""

    def cell(i: Steps, f: Steps, g: Steps, h0: State) -> Steps:
        rows, h = [], h0
        if squash:
            i, f = torch.sigmoid(i), torch.sigmoid(f)
        for i_t, f_t, g_t in zip(i, f, g, strict=True):
            h = keep(i_t, f_t) * h + enter(i_t, f_t) * g_of(g_t)
            rows.append(h)
        return torch.stack(rows)

    return cell


MIN_LSTM = Exercise(
    name="min_lstm",
    statement="Run a minLSTM over time, given what its gates and its candidate get from the input.",
    stub='''def min_lstm(i, f, g, h0):
    """i, f, g (T, H): W x + b of each, not squashed yet; h0 (H,) -> the states (T, H)."""
    return ...
''',
    solution=min_lstm,
    cases=(Case("five steps of three units", _sums(5, 3)), Case("three steps of two units", _sums(3, 2))),
    observe=returns("the states"),
    diagnoses=(
        behaves_like(
            _cell(lambda i, f: f, lambda i, f: i),
            "the gates are not divided by their sum: h may grow without end, as an LSTM's cell may.",
        ),
        behaves_like(
            _cell(lambda i, f: i / (i + f), lambda i, f: f / (i + f)),
            "the gates have changed places: f multiplies the old state, i the candidate.",
        ),
        behaves_like(
            _cell(lambda i, f: f / (f + i), lambda i, f: i / (f + i), g_of=torch.tanh),
            "an LSTM squashes g by tanh; a minLSTM leaves it as it is.",
        ),
        behaves_like(
            _cell(lambda i, f: f / (f + i), lambda i, f: i),
            "only f is divided by the sum; i is, too, so that both share out one whole.",
        ),
        behaves_like(
            _cell(lambda i, f: f / (f + i), lambda i, f: i / (f + i), squash=False),
            "the gates are not squashed: take their sigmoid before dividing.",
        ),
        behaves_like(
            _cell(lambda i, f: torch.sigmoid(f) + 0 * i, lambda i, f: 1 - torch.sigmoid(f) + 0 * i, False),
            "that is a minGRU: the input gate i is not used.",
        ),
        behaves_like(
            lambda i, f, g, h0: _cell(lambda i, f: f / (f + i), lambda i, f: i / (f + i))(
                i, f, g, torch.zeros_like(h0)
            ),
            "h0 is not used: the first step fades it like any other state.",
        ),
    ),
    hints=(
        "No gate needs h: all of them are known before the first step.",
        "f / (f + i) and i / (f + i), of the squashed gates, add up to 1.",
        "h = f_t / (f_t + i_t) * h + i_t / (f_t + i_t) * g_t",
    ),
    shown="The state is a mean of h0 and all candidates so far: it never leaves the range they span.",
)

# ------------------------------------------------------------------------------- 4: written and read again


RECALL = Exercise(
    name="recall",
    statement="Store pairs in a matrix, and read it with a query.",
    stub='''def recall(keys, values, query):
    """keys (N, K) above 0, values (N, V), query (K,) above 0 -> what linear attention reads (V,)."""
    return ...
''',
    solution=recall,
    cases=(
        Case("four pairs", _memory(4, 3, 2)),
        Case("two pairs with keys of five numbers", _memory(2, 5, 3)),
    ),
    observe=returns("what is read"),
    diagnoses=(
        behaves_like(
            lambda k, v, q: q @ (k.T @ v),
            "it is not divided by the sum of weights: with more pairs the result only grows.",
        ),
        behaves_like(
            lambda k, v, q: (k @ q).softmax(0) @ v,
            "that is softmax attention, which has to keep all keys; here the weights are the products alone.",
        ),
        behaves_like(
            lambda k, v, q: q @ (k.T @ v) / q.sum(),
            "it is divided by the sum of the query; divide by the sum over all pairs of key · query.",
        ),
        behaves_like(
            lambda k, v, q: q @ (k.T @ v) / len(k),
            "it is divided by the number of pairs; divide by how much their keys agree with the query.",
        ),
        behaves_like(
            lambda k, v, q: q @ (k.T @ v) / k.sum(),
            "it is divided by the sum of the keys; each counts as much as it agrees with the query.",
        ),
        behaves_like(
            lambda k, v, q: v[(k @ q).argmax()],
            "that picks the best pair: it has no gradient, and a matrix has no pairs to pick from.",
        ),
        behaves_like(lambda k, v, q: v.mean(0), "the query is not used: this is the mean of all values."),
        stops_with(
            "shapes cannot be multiplied|size mismatch|inconsistent|must match",
            "keys.T @ values is (K, V): the sum of the outer products of all pairs.",
        ),
    ),
    hints=(
        "The sum over pairs of the outer product key value^T is one product of matrices.",
        "query @ memory is the sum of values, each times key · query. What is the sum of those weights?",
        "return query @ (keys.T @ values) / (keys @ query).sum()",
    ),
    shown="The matrix has K × V numbers whatever N is: what was stored is read without going through it.",
)

EXERCISES = (TWO_IN_ONE, SCAN_IN_CHUNKS, MIN_LSTM, RECALL)

# ------------------------------------------------------------------------------------------------ the quiz

QUIZ = (
    Question(
        "What did minLSTM, linear attention and state spaces give up, and an sLSTM did not?",
        (
            Option("The forget gate.", "minLSTM, Mamba and the mLSTM all have one; it is at the heart."),
            Option(
                "That the state feeds the gates.",
                "their gates see the input alone, so all of them are known before the first step.",
                right=True,
            ),
            Option(
                "The state.", "all of them carry one; that is why a character more costs always the same."
            ),
        ),
    ),
    Question(
        "Why can h_t = a_t h_{t-1} + b_t be computed over all steps at once?",
        (
            Option(
                "Two steps of it are one step of the same kind.",
                "so they can be put together in any grouping, like a sum.",
                right=True,
            ),
            Option("Because a_t is below 1.", "that keeps it in range; the grouping holds for any a."),
            Option("Because it has no weights.", "a and b come from weights, through the input."),
        ),
    ),
    Question(
        "Training in parallel: what does it do for generation, one character at a time?",
        (
            Option("It makes it faster by the same factor.", "each character needs the one before it."),
            Option("It makes it impossible.", "the step form is there, too, with the same weights."),
            Option(
                "Nothing: there is one step to compute at a time.",
                "but its cost stays the same, where attention's grows with all that was read.",
                right=True,
            ),
        ),
    ),
    Question(
        "A selective layer takes a step of length 0. What does it do?",
        (
            Option(
                "It keeps its state and takes nothing in.",
                "exp(0 A) = 1 and 0 B = 0: a forget gate of 1 and an input gate of 0 in one.",
                right=True,
            ),
            Option("It forgets everything.", "that is a very long step."),
            Option("It repeats its input.", "what it takes in is multiplied by the length of the step."),
        ),
    ),
    Question(
        "What is a row of an mLSTM's matrix?",
        (
            Option("The pair stored at one step.", "steps are added on top of one another; none has a row."),
            Option(
                "What was stored under one number of the keys.",
                "a key says how much each row is written, a query how much each is read.",
                right=True,
            ),
            Option("The gates of one unit.", "the gates are two numbers a head, not part of the matrix."),
        ),
    ),
    Question(
        "Why is parity hard for a cell whose gates see the input alone?",
        (
            Option("It has too little memory.", "one bit is all that parity takes."),
            Option(
                "A one must turn the state over, and a factor between 0 and 1 cannot.",
                "an LSTM's gates see the state, and can write the opposite of what it holds.",
                right=True,
            ),
            Option(
                "Its gradients vanish.", "it holds single symbols over as many steps, as the latch shows."
            ),
        ),
    ),
)
