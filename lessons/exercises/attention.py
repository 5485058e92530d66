"""Exercises and quiz of lesson 12: energies, a mask by length, a misplaced mask, beams of all lengths."""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from lessons.exercises.exercise import Case, Exercise, Observations, behaves_like, returns, shows, stops_with
from lessons.exercises.questions import Option, Question

# -------------------------------------------------------------- the solutions, as the learner is shown them


def additive_energies(
    query: Float[Tensor, "batch query"],
    keys: Float[Tensor, "batch source key"],
    w_query: Float[Tensor, "size query"],
    w_key: Float[Tensor, "size key"],
    v: Float[Tensor, " size"],
) -> Float[Tensor, "batch source"]:
    """One number for each source position: v · tanh(W q + U k)."""
    asked = (query @ w_query.T).unsqueeze(1)  # (B, 1, A): the same question to all positions
    return torch.tanh(asked + keys @ w_key.T) @ v


def dot_attention(
    query: Float[Tensor, "batch size"],
    keys: Float[Tensor, "batch source size"],
    values: Float[Tensor, "batch source features"],
    lengths: Int[Tensor, " batch"],
) -> tuple[Float[Tensor, "batch source"], Float[Tensor, "batch features"]]:
    """Weights over the real positions of each source, and the mean of its values by these weights."""
    energies = (keys @ query.unsqueeze(-1)).squeeze(-1)
    real = torch.arange(keys.shape[1]) < lengths.unsqueeze(1)
    weights = energies.masked_fill(~real, -torch.inf).softmax(-1)
    return weights, (weights.unsqueeze(1) @ values).squeeze(1)


def masked_weights(
    energies: Float[Tensor, "batch source"], real: Bool[Tensor, "batch source"]
) -> Float[Tensor, "batch source"]:
    """What is shut out before the softmax has no share in its sum."""
    return energies.masked_fill(~real, -torch.inf).softmax(-1)


def beam_scores(
    log_probabilities: Float[Tensor, " beam"], lengths: Int[Tensor, " beam"], alpha: float
) -> Float[Tensor, " beam"]:
    """Each log-probability divided by GNMT's penalty of its length."""
    return log_probabilities / ((5 + lengths) / 6) ** alpha


# ----------------------------------------------------------------------------- 1: the energies of Bahdanau


def _drawn(seed: int) -> Callable[..., Tensor]:
    dice = torch.Generator().manual_seed(seed)
    return lambda *shape: torch.randn(*shape, generator=dice, dtype=torch.float64)


def _asked(batch: int, source: int) -> Callable[[], tuple]:
    def arguments() -> tuple:
        draw = _drawn(batch + source)
        return draw(batch, 3), draw(batch, source, 4), draw(6, 3), draw(6, 4), draw(6)

    return arguments


ADDITIVE_ENERGIES = Exercise(
    name="additive_energies",
    statement="Compare a decoder's state with every position of the source, by a small network.",
    stub='''def additive_energies(query, keys, w_query, w_key, v):
    """query (B, Q), keys (B, S, K), matrices (A, Q) and (A, K), v (A,) -> energies (B, S)."""
    return ...
''',
    solution=additive_energies,
    cases=(
        Case("two sources of four positions", _asked(2, 4)),
        Case("three sources of five positions", _asked(3, 5)),
    ),
    observe=returns("the energies"),
    diagnoses=(
        behaves_like(
            lambda q, k, wq, wk, v: ((q @ wq.T)[:, None] + k @ wk.T) @ v,
            "tanh is missing. Without it the query adds the same number to every position, and softmax takes "
            "that out again: it would look at the same place whatever it asks.",
        ),
        behaves_like(
            lambda q, k, wq, wk, v: ((q @ wq.T)[:, None] + torch.tanh(k @ wk.T)) @ v,
            "tanh holds the keys only; the sum of both goes through it, or query and key never meet.",
        ),
        behaves_like(
            lambda q, k, wq, wk, v: torch.sigmoid((q @ wq.T)[:, None] + k @ wk.T) @ v,
            "Bahdanau's small network has tanh where you have a sigmoid.",
        ),
        behaves_like(
            lambda q, k, wq, wk, v: (torch.tanh((q @ wq.T)[:, None] + k @ wk.T) @ v).softmax(-1),
            "these are the weights already; the energies are wanted, before the softmax.",
        ),
        behaves_like(
            lambda q, k, wq, wk, v: torch.tanh((q @ wq.T)[:, None] + k @ wk.T).sum(-1),
            "the hidden units are added up as they are; v weighs each of them.",
        ),
        behaves_like(
            lambda q, k, wq, wk, v: torch.tanh((q @ wq.T)[:, None] * (k @ wk.T)) @ v,
            "query and key are multiplied; in additive attention they are added.",
        ),
        stops_with(
            "must match the size|broadcast",
            "W q is (B, A) and U k is (B, S, A): give W q an axis of length 1 for the positions, with "
            "unsqueeze(1).",
        ),
        stops_with(
            "mat1|cannot be multiplied|size mismatch|dot product",
            "weights keep a row for each output, as in torch: query @ w_query.T is (B, A).",
        ),
    ),
    hints=(
        "One query meets S keys. Which axis does the query lack?",
        "(query @ w_query.T).unsqueeze(1) is (B, 1, A); keys @ w_key.T is (B, S, A). Add, squash, weigh.",
        "torch.tanh((query @ w_query.T).unsqueeze(1) + keys @ w_key.T) @ v",
    ),
    shown="Every position gets its own answer to the same question; a softmax makes weights of them.",
)

# ------------------------------------------------------------------ 2: attention by dot product, and a mask


def _looked(lengths: tuple[int, ...]) -> Callable[[], tuple]:
    def arguments() -> tuple:
        draw = _drawn(sum(lengths))
        batch, source = len(lengths), max(lengths)
        return draw(batch, 3), draw(batch, source, 3), draw(batch, source, 2), torch.tensor(lengths)

    return arguments


def _attention(
    real: Callable = lambda places, lengths: places < lengths, fill: float = -torch.inf, axis: int = -1,
    scale: float = 1.0, mean_of: str = "values",
) -> Callable:  # fmt: skip
    """dot_attention with one thing wrong."""

    def attend(query: Tensor, keys: Tensor, values: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        energies = scale * (keys * query[:, None]).sum(-1)
        kept = real(torch.arange(keys.shape[1]), lengths[:, None]).expand_as(energies)
        weights = energies.masked_fill(~kept, fill).softmax(axis)
        shared = weights[..., None] * (keys if mean_of == "keys" else values)
        return weights, shared.mean(1) if mean_of == "mean" else shared.sum(1)

    return attend


DOT_ATTENTION = Exercise(
    name="dot_attention",
    statement="Attend by dot product to sources of several lengths in one padded batch.",
    stub='''def dot_attention(query, keys, values, lengths):
    """query (B, H), keys (B, S, H), values (B, S, F), lengths (B,) -> weights (B, S), context (B, F)."""
    return ...
''',
    solution=dot_attention,
    cases=(
        Case("sources of 4 and 2 positions", _looked((4, 2))),
        Case("sources of 1, 5 and 3 positions", _looked((1, 5, 3))),
    ),
    observe=returns("the weights", "the context"),
    diagnoses=(
        behaves_like(
            _attention(lambda places, lengths: places < lengths + 10**6),
            "padding gets weight too: positions from `lengths` on must be shut out before the softmax.",
        ),
        behaves_like(
            _attention(fill=0.0),
            "an energy of 0 is not a weight of 0: exp(0) = 1. Shut a position out with an energy of −inf.",
        ),
        behaves_like(
            _attention(lambda places, lengths: places <= lengths),
            "one position too many is kept: places count from 0, so a source of 2 has the places 0 and 1.",
        ),
        behaves_like(
            _attention(lambda places, lengths: places >= lengths),
            "the mask is the wrong way round: it keeps the padding and shuts out the source.",
        ),
        behaves_like(_attention(axis=0), "the softmax runs over the batch; the weights of one source are 1."),
        behaves_like(
            _attention(scale=3**-0.5),
            "the energies are divided by the root of the size, as in a transformer (Vaswani et al. 2017); "
            "Luong's dot is the plain product.",
        ),
        behaves_like(
            _attention(mean_of="keys"),
            "the weights are right, but the context is a mean of the keys; take the values.",
        ),
        behaves_like(
            _attention(mean_of="mean"),
            "the weights sum to 1 already: add up weight times value, and divide by nothing.",
        ),
        shows(
            lambda seen, expected: _untrue(seen["the weights"]),
            "some weights are no numbers: all of a source is shut out. Is the mask the wrong way round?",
        ),
        stops_with(
            "must match|size mismatch|mat1|batch1|expected|broadcast",
            "keys is (B, S, H) and query (B, H): keys @ query.unsqueeze(-1) is (B, S, 1).",
        ),
    ),
    hints=(
        "Four lines: energies, which places are real, weights, context.",
        "torch.arange(S) < lengths.unsqueeze(1) is True where a place is real; masked_fill the others with "
        "−inf.",
        "weights.unsqueeze(1) @ values is (B, 1, F): squeeze(1).",
    ),
    shown="All sources of a batch are attended to at once, and padding has no say.",
)


def _untrue(weights: object) -> bool:
    return isinstance(weights, Tensor) and bool(weights.isnan().any())


# ---------------------------------------------------------- 3: find the bug, the mask comes after the softmax


def _energies(rows: list[list[float]], lengths: list[int]) -> Callable[[], tuple]:
    def arguments() -> tuple:
        energies = torch.tensor(rows)
        return energies, torch.arange(energies.shape[1]) < torch.tensor(lengths)[:, None]

    return arguments


def _leaks(seen: Observations, expected: Observations) -> bool:
    weights, right = seen["the weights"], expected["the weights"]
    fits = isinstance(weights, Tensor) and weights.shape == right.shape
    return fits and bool((weights[right == 0] > 0).any())


def _empty(padded: bool) -> Callable[[Observations, Observations], bool]:
    """Whether weights are no numbers in a row that has padding, or in one that has none."""

    def recognises(seen: Observations, expected: Observations) -> bool:
        weights, right = seen["the weights"], expected["the weights"]
        if not isinstance(weights, Tensor) or weights.shape != right.shape:
            return False
        rows = weights.isnan().any(-1)
        return bool((rows & ((right == 0).any(-1) == padded)).any())

    return recognises


MASKED_WEIGHTS = Exercise(
    name="masked_weights",
    statement="Find the bug: the same sentence is translated otherwise when a longer one is in the batch.",
    stub='''def masked_weights(energies, real):
    """energies (B, S), real (B, S): False on padding -> weights (B, S)."""
    return torch.softmax(energies, dim=-1) * real
''',
    solution=masked_weights,
    cases=(
        Case(
            "a source of 2 beside one of 4",
            _energies([[1.0, 0.5, 0.0, 2.0], [0.3, -0.2, 1.5, 1.0]], [4, 2]),
        ),
        Case(
            "padding that answers a hundred times louder than the source",
            _energies([[1.0, 2.0, 0.0, 150.0], [0.0, 1.0, -1.0, 0.5]], [2, 4]),
        ),
        Case(
            "a source that answers far below zero",
            _energies([[-99.0, -100.5, 1.0], [-2.0, 0.0, 1.0]], [2, 3]),
        ),
    ),
    observe=returns("the weights"),
    diagnoses=(
        behaves_like(
            lambda energies, real: energies.softmax(-1) * real,
            "the padding took its share in the softmax before it was blanked, so the weights that are left "
            "do not sum to 1: the context shrinks with the padding beside it.",
        ),
        behaves_like(
            lambda energies, real: (energies * real).softmax(-1),
            "multiplied by 0 an energy is 0, and exp(0) = 1: padding still has weight.",
        ),
        shows(
            _empty(padded=True),
            "dividing afterwards mends the sum, until padding answers so loudly that nothing is left to "
            "divide: 0 / 0. Shut it out before the softmax.",
        ),
        shows(
            _empty(padded=False),
            "the mask is the wrong way round: `real` is True where the source is, so it is ~real that is "
            "shut out.",
        ),
        behaves_like(
            lambda energies, real: torch.sigmoid(energies) * real,
            "a sigmoid judges each position alone; weights of a source sum to 1.",
        ),
        shows(_leaks, "padding still has some weight: its energy must be lower than any other, −inf."),
    ),
    hints=(
        "Add up the weights of one row. What should come out?",
        "The softmax divides by a sum. Who must not be in that sum?",
        "energies.masked_fill(~real, -torch.inf).softmax(-1)",
    ),
    shown="Weights sum to 1 over the source alone, so a sentence means the same beside any other.",
)

# ------------------------------------------------------------------------------- 4: beams of several lengths


def _beam(alpha: float) -> Callable[[], tuple]:
    return lambda: (
        torch.tensor([-2.0, -2.4, -3.5, -9.0], dtype=torch.float64),
        torch.tensor([2, 5, 9, 30]),
        alpha,
    )


BEAM_SCORES = Exercise(
    name="beam_scores",
    statement="Judge translations of several lengths fairly, as Google's network did.",
    stub='''def beam_scores(log_probabilities, lengths, alpha):
    """log P (N,), symbols with END (N,), alpha -> scores (N,): log P / lp, lp = ((5 + |Y|) / 6) ** alpha."""
    return ...
''',
    solution=beam_scores,
    cases=(
        Case("four translations with alpha 0.6", _beam(0.6)),
        Case("the same with alpha 1", _beam(1.0)),
        Case("the same with alpha 0", _beam(0.0)),
    ),
    observe=returns("the scores"),
    diagnoses=(
        behaves_like(
            lambda logs, lengths, alpha: logs,
            "the lengths are not used: every symbol more makes log P smaller, so short ones win.",
        ),
        behaves_like(
            lambda logs, lengths, alpha: logs * ((5 + lengths) / 6) ** alpha,
            "log P is negative, so multiplying by the penalty makes long ones worse still: divide by it.",
        ),
        behaves_like(
            lambda logs, lengths, alpha: logs / lengths**alpha,
            "that is |Y|^alpha; GNMT's penalty is (5 + |Y|)^alpha / 6^alpha, gentler on short ones.",
        ),
        behaves_like(
            lambda logs, lengths, alpha: logs / (5 + lengths) ** alpha,
            "6^alpha is missing: a translation of one symbol should keep its log P.",
        ),
        behaves_like(
            lambda logs, lengths, alpha: logs / ((5 + lengths) ** alpha / 6),
            "6 is raised to alpha too: (5 + |Y|)^alpha / 6^alpha.",
        ),
        behaves_like(
            lambda logs, lengths, alpha: logs / ((6 + lengths) / 6) ** alpha,
            "|Y| counts END already; it is 5 + |Y|.",
        ),
        behaves_like(
            lambda logs, lengths, alpha: logs.exp() / ((5 + lengths) / 6) ** alpha,
            "divide the logarithm, not the probability: a penalty on P would favour short ones again.",
        ),
        behaves_like(
            lambda logs, lengths, alpha: logs / (alpha * (5 + lengths) / 6),
            "alpha is an exponent, not a factor; with alpha 0 the penalty is 1.",
        ),
    ),
    hints=(
        "At alpha 0 nothing changes, at alpha 1 you nearly have a mean of the log-probabilities of symbols.",
        "lp of one symbol is 1 whatever alpha is.",
        "log_probabilities / ((5 + lengths) / 6) ** alpha",
    ),
    shown="alpha turns from the likeliest whole to the likeliest by symbol.",
)

EXERCISES = (ADDITIVE_ENERGIES, DOT_ATTENTION, MASKED_WEIGHTS, BEAM_SCORES)

# ------------------------------------------------------------------------------------------------ the quiz

QUIZ = (
    Question(
        "The decoder's state alone carries the source. What happens to a source that is twice as long?",
        (
            Option("It gets a vector of twice the size.", "the state has as many units for any sentence."),
            Option(
                "It must go into the same numbers.",
                "that is the bottleneck attention removes: the memory then grows with the source.",
                right=True,
            ),
            Option("It is read twice.", "the encoder reads every source once, whatever its length."),
        ),
    ),
    Question(
        "A constant is added to all energies of one step. What happens to the weights?",
        (
            Option("Nothing.", "softmax divides exp(e + k) by a sum with the same factor.", right=True),
            Option("They grow.", "they sum to 1 before and after."),
            Option("They become more even.", "a smaller factor on the energies would do that."),
        ),
    ),
    Question(
        "Which of these cannot look at a place because of what stands there?",
        (
            Option("dot", "it compares the state with the features of each place."),
            Option("additive", "keys go through its small network with the query."),
            Option("location", "its energies come from the decoder's state alone.", right=True),
        ),
    ),
    Question(
        "With attention after the new state and no input feeding, training is one pass. Why?",
        (
            Option(
                "No state needs a context.",
                "all states are known from the fed symbols, then all queries look at once.",
                right=True,
            ),
            Option("The softmax is fast.", "it is the same softmax in a loop."),
            Option("Attention needs no gradient.", "it is trained like everything else."),
        ),
    ),
    Question(
        "You change one weight of a trained network by hand, and the output stays. What does it show?",
        (
            Option("Attention does nothing.", "one place at one step was tried; others may matter."),
            Option(
                "This place was not needed here.",
                "neighbours may know the same, since each place's features come from a network that read "
                "everything around it.",
                right=True,
            ),
            Option("The weights were not trained.", "the other weights may well have been."),
        ),
    ),
    Question(
        "Beam search with alpha 0 returns translations that stop too early. What helps?",
        (
            Option("A wider beam.", "it finds even likelier, even shorter ones."),
            Option("A higher temperature.", "beams do not draw; and the ranking would stay the same."),
            Option(
                "Dividing log P by a penalty that grows with the length.",
                "then a symbol more need not lose.",
                right=True,
            ),
        ),
    ),
)
