"""Exercises and quiz of lesson 11: what is fed next, a schedule, an evaluation that helps, first mistakes."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from jaxtyping import Bool, Float, Int
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
    stops_with,
)
from lessons.exercises.questions import Option, Question

# -------------------------------------------------------------- the solutions, as the learner is shown them


def next_fed(
    truth: Int[Tensor, " batch"], logits: Float[Tensor, "batch vocab"], told: Bool[Tensor, " batch"]
) -> Int[Tensor, " batch"]:
    """The truth for the sentences whose switch says so, the likeliest own symbol for the others."""
    return torch.where(told, truth, logits.argmax(-1))


def inverse_sigmoid(step: int, k: float) -> float:
    """k / (k + exp(step / k)); the exponent is kept from overflowing, where the chance is 0 anyway."""
    return k / (k + math.exp(min(step / k, 700.0)))


def symbols_right(step: Callable, state: Tensor, truth: Int[Tensor, "batch time"]) -> Tensor:
    """Each step reads what the network wrote before; the truth is only compared with."""
    symbol, right = torch.ones_like(truth[:, 0]), []
    for t in range(truth.shape[1]):
        logits, state = step(symbol, state)
        symbol = logits.argmax(-1)
        right.append(symbol == truth[:, t])
    return torch.stack(right, 1).float().mean()


def first_mistakes(
    written: Int[Tensor, "batch time"], truth: Int[Tensor, "batch time"]
) -> Int[Tensor, " batch"]:
    """The product of all "right" so far is 1 up to the first mistake and 0 from there on."""
    return (written == truth).long().cumprod(1).sum(1)


# ------------------------------------------------------------------------------------------- 1: what is fed


def _step_before(batch: int, vocab: int, seed: int) -> Callable[[], tuple]:
    def arguments() -> tuple:
        dice = torch.Generator().manual_seed(seed)
        logits = torch.randn(batch, vocab, generator=dice)
        truth = (logits.argmax(-1) + 1 + torch.randint(vocab - 1, (batch,), generator=dice)) % vocab
        return truth, logits, torch.arange(batch) % 3 != 1

    return arguments


NEXT_FED = Exercise(
    name="next_fed",
    statement="Choose, for each sentence of a batch, what the decoder is fed next.",
    stub='''def next_fed(truth, logits, told):
    """truth (B,), logits (B, V) of the step before, told (B,) True for the truth -> symbols (B,) to feed.

    Where told is False, the network is fed the symbol that it finds likeliest.
    """
    return ...
''',
    solution=next_fed,
    cases=(
        Case("8 sentences, 5 symbols", _step_before(8, 5, 11)),
        Case("4 sentences, 30 symbols", _step_before(4, 30, 12)),
    ),
    observe=returns("the symbols fed"),
    diagnoses=(
        behaves_like(
            lambda truth, logits, told: torch.where(told, logits.argmax(-1), truth),
            "the switch is the wrong way round: told is True where the truth is fed.",
        ),
        behaves_like(
            lambda truth, logits, told: truth,
            "the truth is fed everywhere: that is teacher forcing, ratio 1.",
        ),
        behaves_like(
            lambda truth, logits, told: logits.argmax(-1),
            "its own symbol is fed everywhere: that is ratio 0.",
        ),
        behaves_like(
            lambda truth, logits, told: torch.where(told, truth, logits.argmin(-1)),
            "argmin takes the symbol that the network finds least likely.",
        ),
        shows(
            lambda seen, expected: getattr(seen["the symbols fed"], "ndim", 1) == 2,
            "one symbol a sentence is asked for; take the argmax over the last axis, that of the vocabulary.",
        ),
        shows(
            lambda seen, expected: torch.as_tensor(seen["the symbols fed"]).is_floating_point(),
            "the truth and the scores are mixed as numbers; a symbol is one or the other, not half of both.",
        ),
        stops_with(
            "size of tensor|shape|broadcast|must match|ambiguous",
            "truth, told and the own symbols have one entry a sentence; the argmax goes over the last axis, "
            "and torch.where chooses entry by entry.",
        ),
    ),
    hints=(
        "What would the network have written? One symbol a sentence, out of the V scores.",
        "torch.where(condition, a, b) takes a where the condition is True, and b elsewhere.",
        "torch.where(told, truth, logits.argmax(-1))",
    ),
    shown="Each sentence has a switch of its own; no gradient goes through the choice.",
)

# -------------------------------------------------------------------------------------- 2: the schedule

INVERSE_SIGMOID = Exercise(
    name="inverse_sigmoid",
    statement="Write the schedule that takes the truth away slowly, then fast, then slowly.",
    stub='''def inverse_sigmoid(step, k):
    """The chance of the truth at a training step, k / (k + exp(step / k)), for any step."""
    return ...
''',
    solution=inverse_sigmoid,
    cases=(
        Case("step 5 with k = 10", lambda: (5, 10.0)),
        Case("step 0 with k = 10", lambda: (0, 10.0)),
        Case("step 500 with k = 120", lambda: (500, 120.0)),
        Case("step 100,000 with k = 10, where exp is larger than any float", lambda: (100_000, 10.0)),
    ),
    observe=returns("the chance"),
    diagnoses=(
        stops_with(
            "range|[Oo]verflow|too large",
            "math.exp overflows long before the training ends. Keep the exponent below 700: there the chance "
            "is 0 to all digits.",
        ),
        behaves_like(
            lambda step, k: 1 - inverse_sigmoid(step, k),
            "that is the chance of its own symbol; the truth's falls.",
        ),
        behaves_like(
            lambda step, k: 1 / (1 + math.exp(min(step / k, 700.0))),
            "it begins at one half: the k before the exponential is missing, k / (k + exp(step / k)).",
        ),
        behaves_like(
            lambda step, k: k / (k + math.exp(-min(step / k, 700.0))),
            "it rises to 1: the exponent is step / k, without a minus.",
        ),
        behaves_like(
            lambda step, k: k / (k + math.exp(min(step, 700))),
            "the exponent is step / k. Without the k the truth is gone after a handful of steps.",
        ),
        behaves_like(
            lambda step, k: k / (k + math.exp(min(k * step, 700))),
            "the exponent is step / k, not their product.",
        ),
        behaves_like(
            lambda step, k: math.exp(-step / k),
            "that is the exponential schedule, which falls at once.",
        ),
        behaves_like(
            lambda step, k: max(0.0, 1 - step / k),
            "that is the linear schedule.",
        ),
    ),
    hints=(
        "At step 0 it is k / (k + 1), a little below 1.",
        "What does math.exp do with 10,000? Where the exponent is large, the chance is 0.",
        "k / (k + math.exp(min(step / k, 700.0)))",
    ),
    shown="It begins near 1, passes one half at step k ln k, and goes to 0.",
    tolerance=1e-6,
)

# ---------------------------------------------------------------------------------------- 3: find the bug

SHARE, READ = "the share of symbols right", "what the network is fed, step by step"
SIGNS = 7


def _network(symbol: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
    """A small machine that errs for some sentences, and goes astray behind its first mistake."""
    return functional.one_hot((3 * symbol + state) % SIGNS, SIGNS).float(), state + 1


def _judged(function: Callable, truth: Tensor) -> Observations:
    fed: list[Tensor] = []

    def step(symbol: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        fed.append(symbol)
        return _network(symbol, state)

    share = function(step, torch.arange(len(truth)), truth.clone())
    if not isinstance(share, Tensor | float | int):
        raise Unfit(f"the function should return one number; it returned a {type(share).__name__}")
    if len(fed) != truth.shape[1]:
        raise Unfit(f"the network should take {truth.shape[1]} steps; it took {len(fed)}")
    if any(not isinstance(one, Tensor) or one.shape != truth[:, 0].shape for one in fed):
        raise Unfit("the network should be fed one symbol a sentence at each step, a tensor of shape (B,)")
    return {SHARE: share, READ: torch.stack(fed, 1), "the truth": truth}


def _sentences(wrong: dict[int, int]) -> Callable[[], tuple]:
    """Truths that the machine writes, but for one symbol in some sentences: {sentence: place}."""

    def arguments() -> tuple:
        symbol, state = torch.ones(6, dtype=torch.long), torch.arange(6)
        rows = []
        for t in range(8):
            logits, state = _network(symbol, state)
            symbol = logits.argmax(-1)
            for sentence, place in wrong.items():
                if place == t:
                    symbol[sentence] = (symbol[sentence] + 1) % SIGNS
            rows.append(symbol)
        return (torch.stack(rows, 1),)

    return arguments


def _late(step: Callable, state: Tensor, truth: Tensor) -> Tensor:
    """What was written is read one step too late."""
    symbol = waiting = torch.ones_like(truth[:, 0])
    right = []
    for t in range(truth.shape[1]):
        logits, state = step(symbol, state)
        symbol, waiting = waiting, logits.argmax(-1)
        right.append(waiting == truth[:, t])
    return torch.stack(right, 1).float().mean()


SYMBOLS_RIGHT = Exercise(
    name="symbols_right",
    statement="Measure what a decoder gets right when nobody tells it the truth.",
    stub='''def symbols_right(step, state, truth):
    """step(symbols (B,), state) -> logits (B, V), state; truth (B, T); 1 begins a sentence.

    -> the share of symbols that are right when the network writes alone.
    """
    symbol, right = torch.ones_like(truth[:, 0]), []
    for t in range(truth.shape[1]):
        logits, state = step(symbol, state)
        right.append(logits.argmax(-1) == truth[:, t])
        symbol = truth[:, t]
    return torch.stack(right, 1).float().mean()
''',
    solution=symbols_right,
    cases=(
        Case("6 sentences, two of them with a mistake", _sentences({1: 2, 4: 0})),
        Case("6 sentences without a mistake", _sentences({})),
        Case("6 sentences with a late mistake each", _sentences({row: 6 for row in range(6)})),
    ),
    observe=_judged,
    diagnoses=(
        shows(
            lambda seen, expected: (
                torch.equal(seen[READ][:, 1:], seen["the truth"][:, :-1])
                and not torch.equal(seen[READ], expected[READ])
            ),
            "the network is fed the truth: each step begins as if all before it had been right. Alone, it "
            "reads what it wrote.",
        ),
        shows(
            lambda seen, expected: bool((seen[READ] == 1).all()),
            "every step reads the sign for begin; hand on what was written.",
        ),
        behaves_like(_late, "what was written is fed one step late."),
        shows(
            lambda seen, expected: (
                torch.equal(seen[READ], expected[READ])
                and abs(float(seen[SHARE]) + float(expected[SHARE]) - 1) < 1e-4
            ),
            "that is the share of symbols that are wrong.",
        ),
        shows(
            lambda seen, expected: torch.equal(seen[READ], expected[READ]),
            "the right symbols are fed; what is counted is something else than the share of all symbols.",
        ),
        shows(
            lambda seen, expected: not torch.equal(seen[READ][:, 0], expected[READ][:, 0]),
            "the first step reads 1, the sign for begin.",
        ),
        shows(
            lambda seen, expected: torch.equal(seen[READ][:, 1], expected[READ][:, 1]),
            "the first two steps are right; is the state handed on from step to step?",
        ),
    ),
    hints=(
        "Which line decides what the next step reads?",
        "Whole sentences would not have shown it: up to its first mistake a sentence is fed the same.",
        "symbol = logits.argmax(-1); right.append(symbol == truth[:, t])",
    ),
    shown="Nothing of the truth reaches the network; whole sentences would never have shown the difference.",
)

# ----------------------------------------------------------------------------------- 4: the first mistake


def _written(seed: int) -> Callable[[], tuple]:
    def arguments() -> tuple:
        dice = torch.Generator().manual_seed(seed)
        truth = torch.randint(3, 9, (5, 10), generator=dice)
        written = truth.clone()
        for row, places in enumerate(((4,), (2, 7), (), (9,), (0, 3, 4))):
            for place in places:
                written[row, place] += 1
        return written, truth

    return arguments


FIRST_MISTAKES = Exercise(
    name="first_mistakes",
    statement="Find where each sentence goes wrong first.",
    stub='''def first_mistakes(written, truth):
    """written and truth (B, T), symbols -> (B,) the place of each first mistake, T if there is none."""
    return ...
''',
    solution=first_mistakes,
    cases=(
        Case("5 sentences of 10 symbols", _written(13)),
        Case("one sentence that is right", lambda: (torch.tensor([[4, 5, 6]]), torch.tensor([[4, 5, 6]]))),
    ),
    observe=returns("the places"),
    diagnoses=(
        behaves_like(
            lambda written, truth: (written != truth).long().argmax(1),
            "where there is no mistake, argmax gives 0, as if the first symbol were wrong.",
        ),
        behaves_like(
            lambda written, truth: (written == truth).sum(1),
            "that counts all right symbols, those behind the mistake too.",
        ),
        behaves_like(
            lambda written, truth: (written != truth).sum(1),
            "that counts the mistakes.",
        ),
        behaves_like(
            lambda written, truth: (written == truth).long().cumprod(1).sum(1) + 1,
            "counted from 1; places are counted from 0.",
        ),
        behaves_like(
            lambda written, truth: torch.where(
                (written == truth).all(1),
                written.shape[1],
                written.shape[1] - 1 - (written != truth).long().flip(1).argmax(1),
            ),
            "that is the last mistake.",
        ),
        behaves_like(
            lambda written, truth: (written == truth).long().argmax(1),
            "that is the first symbol that is right.",
        ),
        behaves_like(
            lambda written, truth: (written == truth).long().cumprod(0).sum(1),
            "the product runs over the sentences; it should run over the steps, axis 1.",
        ),
    ),
    hints=(
        "Up to the first mistake all are right. How many are that?",
        "cumprod(1) of ones and zeros stays 1 until the first zero.",
        "(written == truth).long().cumprod(1).sum(1)",
    ),
    shown="Up to there, being fed the truth and being alone are the same; everything else comes after.",
)

EXERCISES = (NEXT_FED, INVERSE_SIGMOID, SYMBOLS_RIGHT, FIRST_MISTAKES)

# ------------------------------------------------------------------------------------------------- the quiz

QUIZ = (
    Question(
        "What is a decoder fed at step t with teacher forcing?",
        (
            Option("The symbol that it wrote at step t − 1.", "that is what it reads when it writes alone."),
            Option(
                "The right symbol of step t − 1.",
                "whatever it wrote itself is only compared with the truth.",
                right=True,
            ),
            Option("The right symbol of step t.", "then it would only have to copy what it reads."),
        ),
    ),
    Question(
        "A network writes greedily. Why is the share of whole sentences that are right the same, fed the "
        "truth or alone?",
        (
            Option(
                "Up to its first mistake it reads the same symbols either way.",
                "so a sentence without a mistake fed the truth is also written without one alone.",
                right=True,
            ),
            Option("Because training saw the truth.", "it would be so for a network that is not trained."),
            Option("It is not: alone it is lower.", "only symbols behind a first mistake can differ."),
        ),
    ),
    Question(
        "What is exposure bias?",
        (
            Option(
                "The network has seen too little data.", "more data of the same kind would not change it."
            ),
            Option(
                "Gradients that are too large at the first steps.",
                "this has nothing to do with what is fed.",
            ),
            Option(
                "It learns behind right symbols only, and must write behind its own.",
                "behind a mistake it reads what it has never read while learning.",
                right=True,
            ),
        ),
    ),
    Question(
        "Which of these networks can be trained over all steps at once when it is fed the truth?",
        (
            Option(
                "Jordan's, from output to hidden layer.",
                "its inputs are known beforehand, so no step waits for another.",
                right=True,
            ),
            Option(
                "Elman's, from hidden layer to hidden layer.", "h waits for the h before, whatever is fed."
            ),
            Option("Both, if the truth is fed.", "the truth cuts the way through the output, not through h."),
        ),
    ),
    Question(
        "With scheduled sampling, what gradient goes through a symbol that the network drew itself?",
        (
            Option(
                "The gradient of its logits.", "a drawn symbol is a whole number; nothing goes through it."
            ),
            Option(
                "None.",
                "the choice is taken as given, as in Bengio et al. (2015).",
                right=True,
            ),
            Option("The gradient of the truth.", "the truth is a number as well and has no gradient."),
        ),
    ),
    Question(
        "An inverse sigmoid and a straight line fall from 1 to the same ratio in the same number of steps. "
        "Which takes the truth away later?",
        (
            Option("The straight line.", "it begins to fall at the first step."),
            Option("Neither.", "only their ends are the same."),
            Option(
                "The inverse sigmoid.",
                "it stays near 1 at first, while the network can hardly write yet.",
                right=True,
            ),
        ),
    ),
)
