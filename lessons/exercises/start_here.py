"""Exercises and quiz of lesson 00: reading the axes of a trace."""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from lessons.exercises.exercise import (
    Attempt,
    Case,
    Diagnosis,
    Exercise,
    behaves_like,
    returns,
    shows,
    stops_with,
)
from lessons.exercises.questions import Option, Question
from lessons.tracing import Trace

# -------------------------------------------------------------- the solutions, as the learner is shown them


def last_state(trace: Trace) -> Float[Tensor, "batch hidden"]:
    """The hidden state after the last real step of each sequence."""
    sequences = torch.arange(trace.batch_size)
    return trace["h"][sequences, trace.lengths - 1]


def longest_memory(trace: Trace) -> int:
    """The number of the unit whose forget gate is above 0.9 at the most steps of the first sequence."""
    is_open = trace["f"][0] > 0.9  # (time, hidden)
    return int(is_open.sum(dim=0).argmax())


# --------------------------------------------------------------------------------------- 1: the last states


def _lstm_trace(lengths: list[int], hidden: int = 2, **given: Tensor) -> Trace:
    """A trace as a padded run leaves it: numbers up to each length, zeros after it."""
    dice = torch.Generator().manual_seed(len(lengths))
    batch, time = len(lengths), max(lengths)
    real = torch.arange(time) < torch.tensor(lengths)[:, None]
    named = {
        name: given.get(name, torch.rand(batch, time, hidden, generator=dice)) * real[..., None]
        for name in ("i", "f", "g", "o", "c", "h")
    }
    start = {name: torch.zeros(batch, hidden) for name in ("h", "c")}
    labels = tuple(tuple("abcdefgh"[:length]) for length in lengths)
    return Trace("lstm", ((named,),), named["h"], ((start,),), labels, torch.tensor(lengths))


def _of(lengths: list[int]) -> Callable[[], tuple]:
    return lambda: (_lstm_trace(lengths),)


def _step_of_one(attempt: Attempt) -> bool:
    """Whether some one step was taken of all sequences, though they end at different ones."""
    (trace,) = attempt.case.arguments()
    seen = attempt.seen["the result"]
    return any(torch.equal(seen, trace["h"][:, step]) for step in range(1, trace.steps))


def _is_one_of(attempt: Attempt, names: str) -> bool:
    """Whether the last steps of another quantity were picked."""
    (trace,) = attempt.case.arguments()
    ends = torch.arange(trace.batch_size), trace.lengths - 1
    return any(torch.equal(attempt.seen["the result"], trace[name][ends]) for name in names)


LAST_STATE = Exercise(
    name="last_state",
    statement="From a trace of sequences of different lengths, pick h after the last step of each.",
    stub='''def last_state(trace):
    """A Trace of B sequences with trace.lengths (B,) -> the last h of each sequence, (B, H)."""
    return ...
''',
    solution=last_state,
    cases=(
        Case("three sequences of 4, 2 and 3 steps", _of([4, 2, 3])),
        Case("two sequences of equal length", _of([3, 3])),
        Case("a single sequence", _of([5])),
    ),
    observe=returns("the result"),
    tolerance=1e-6,
    diagnoses=(
        behaves_like(
            lambda trace: trace["h"][:, -1],
            "the last column is the last step of the longest sequence only; the shorter ones have ended "
            "before "
            "it, and what stands there is padding. trace.lengths says where each one ends.",
        ),
        behaves_like(
            lambda trace: trace["c"][torch.arange(trace.batch_size), trace.lengths - 1],
            "that is the cell state c; the hidden state is h.",
        ),
        behaves_like(
            lambda trace: trace["c"][:, -1],
            "two things: that is the cell state c, where the hidden state is h; and the last column is the "
            "last step of the longest sequence only.",
        ),
        Diagnosis(
            lambda attempt: _step_of_one(attempt),
            "the same step is taken of every sequence, but each ends at a step of its own: its entry of "
            "trace.lengths, minus 1.",
        ),
        behaves_like(
            lambda trace: trace["h"][..., -1],
            "the last axis is the units, so that is the last unit at every step. Time is the second axis.",
        ),
        Diagnosis(
            lambda attempt: _is_one_of(attempt, "ifgo"),
            "that is a gate, or the candidate, at the last steps; the hidden state is h.",
        ),
        behaves_like(
            lambda trace: trace["h"].amax(1),
            "the largest value of each unit over the steps; only the last step is asked for.",
        ),
        behaves_like(
            lambda trace: trace["h"].sum(1),
            "the sum over the steps; only the last one is asked for.",
        ),
        behaves_like(
            lambda trace: trace["h"].mean(1),
            "the mean over the steps, padding included; only the last one is asked for.",
        ),
        stops_with(
            "dimension 0",
            "the first axis is the batch, and a length is not the number of a sequence. Time is the second: "
            "h[torch.arange(B), lengths - 1].",
        ),
        behaves_like(
            lambda trace: trace["h"][torch.arange(trace.batch_size), trace.lengths - 2],
            "one step too early: the last of n steps has the number n − 1.",
        ),
        behaves_like(lambda trace: trace["h"][:, 0], "that is the first step."),
        behaves_like(
            lambda trace: trace["h"][-1],
            "h[-1] is the last sequence with all its steps. The axes are (batch, time, hidden): time is "
            "the second.",
        ),
        behaves_like(
            lambda trace: trace["h"].sum(1) / trace.lengths[:, None],
            "the mean over the steps; only the last one is asked for.",
        ),
        stops_with(
            "out of (bounds|range)",
            "steps are counted from 0, so the last of n steps has the number n − 1: trace.lengths - 1.",
        ),
        shows(
            lambda seen, expected: seen["the result"].ndim == 3 and seen["the result"].shape[1] == 1,
            "an axis of length 1 is left over: index time by a number, not by a slice, or squeeze(1).",
        ),
        shows(
            lambda seen, expected: seen["the result"].ndim == 3,
            "h[:, lengths] picks every length for every sequence. Pair them: h[torch.arange(B), lengths "
            "- 1].",
        ),
        shows(
            lambda seen, expected: seen["the result"].ndim == 1,
            "that is one sequence; each of the B sequences has its own last state.",
        ),
    ),
    hints=(
        "The axes of trace['h'] are (batch, time, hidden). Which of them does trace.lengths talk about?",
        "Two index tensors of the same length are paired: h[[0, 1], [3, 1]] is h[0, 3] and h[1, 1].",
        "trace['h'][torch.arange(trace.batch_size), trace.lengths - 1]",
    ),
    shown="You read h at each sequence's own last step, and no padding.",
)

# ------------------------------------------------------------------------------------ 2: the longest memory

# One column a unit, made so that each way to read the table wrongly points at a unit of its own.
_FORGET = torch.tensor(
    [
        [0.05, 0.89, 0.30, 0.55, 0.40, 0.95, 0.10, 0.10, 0.20],
        [0.05, 0.89, 0.30, 0.55, 0.40, 0.95, 0.10, 0.10, 0.20],
        [0.05, 0.89, 0.30, 0.55, 0.40, 0.95, 0.10, 0.999, 0.20],
        [0.05, 0.89, 0.30, 0.55, 0.40, 0.95, 0.10, 0.10, 0.20],
        [0.05, 0.89, 0.30, 0.55, 0.40, 0.10, 0.10, 0.10, 0.20],
        [0.05, 0.45, 0.30, 0.55, 0.40, 0.10, 0.97, 0.10, 0.20],
    ]
)
_INPUT = torch.tensor([0.1] * 8 + [0.95]).repeat(6, 1)


def _gates(forget: Tensor, inputs: Tensor) -> Callable[[], tuple]:
    return lambda: (
        _lstm_trace([len(forget)], forget.shape[1], f=forget[None].clone(), i=inputs[None].clone()),
    )


LONGEST_MEMORY = Exercise(
    name="longest_memory",
    statement="Find the unit whose forget gate is open (above 0.9) at the most steps.",
    stub='''def longest_memory(trace):
    """A Trace of one sequence -> the number of the unit whose f is above 0.9 at the most steps."""
    return ...
''',
    solution=longest_memory,
    cases=(
        Case("a trace of 6 steps and 9 units", _gates(_FORGET, _INPUT)),
        Case("the same units in reverse order", _gates(_FORGET.flip(1), _INPUT.flip(1))),
    ),
    observe=returns("the unit"),
    tolerance=1e-6,
    diagnoses=(
        behaves_like(
            lambda trace: trace["f"][0].mean(0).argmax(),
            "that unit has the highest average, but is never above 0.9. Count the steps above 0.9 instead.",
        ),
        behaves_like(
            lambda trace: (trace["f"][0] > 0.9).sum(1).argmax(),
            "that is a step: the sum ran over the units. In (time, hidden), summing over time is dim=0.",
        ),
        behaves_like(
            lambda trace: (trace["f"][0] > 0.9).sum(0).max(),
            "that is how many steps it is open; asked for is which unit: argmax instead of max.",
        ),
        behaves_like(
            lambda trace: (trace["i"][0] > 0.9).sum(0).argmax(),
            'that is the input gate; the forget gate is trace["f"].',
        ),
        behaves_like(
            lambda trace: (trace["f"][0] > 0.5).sum(0).argmax(),
            "that unit is above 0.5 all the time and never above 0.9; a gate at 0.55 has lost half of "
            "what it "
            "held after one step.",
        ),
        behaves_like(
            lambda trace: trace["f"][0, -1].argmax(),
            "that looks at the last step only.",
        ),
        behaves_like(
            lambda trace: trace["f"][0].max(0).values.argmax(),
            "that unit has the highest single value, at one step; open long means many steps.",
        ),
        behaves_like(
            lambda trace: (trace["f"][0] > 0.9).sum(0).argmin(),
            "that unit is open the least: f = 1 keeps what the cell holds, f = 0 wipes it.",
        ),
        shows(
            lambda seen, expected: seen["the unit"].numel() > 1,
            "one number is asked for: the sequence axis goes by [0], the time axis by a sum, then argmax.",
        ),
    ),
    hints=(
        "trace['f'] is (batch, time, hidden). Which axis do you count along, and which one is left?",
        "A comparison gives True and False, and their sum over time counts the steps.",
        "(trace['f'][0] > 0.9).sum(dim=0).argmax()",
    ),
    shown="Counting along time and choosing along the units finds the gate that stays open longest.",
)

EXERCISES = (LAST_STATE, LONGEST_MEMORY)

# ------------------------------------------------------------------------------------------------- the quiz

QUIZ = (
    Question(
        "A trace of 3 texts, the longest of 20 characters, through 64 units. "
        'What is the shape of `trace["f"]`?',
        (
            Option(
                "(20, 3, 64)",
                "Time first is how some PyTorch layers have it by default; here the batch always comes "
                "first.",
            ),
            Option(
                "(3, 64)",
                "That is one step. A trace keeps every step.",
            ),
            Option("(3, 20, 64)", "Batch, time, hidden: the order everywhere in this course.", right=True),
            Option(
                "(1, 3, 64)",
                "That is the shape of `h_n`, which keeps PyTorch's order (layers, batch, hidden).",
            ),
        ),
    ),
    Question(
        "A text of 12 characters is padded to 20. What stands in `h` from step 12 on?",
        (
            Option(
                "What the network made of the padding characters.",
                "It would be, if padding were read like text. The run stops each sequence at its own length.",
            ),
            Option(
                "Zeros: the text has ended, and nothing was computed for it.",
                "So a mean over time needs the lengths, and the last column is not the last state.",
                right=True,
            ),
            Option(
                "The last real state, repeated.",
                "A common choice elsewhere; here nothing is invented past the end.",
            ),
        ),
    ),
    Question(
        "A unit's forget gate is 0.99 at each of 100 steps, and its input gate is 0. How much of its "
        "cell state "
        "is left at the end?",
        (
            Option(
                "About a third: 0.99¹⁰⁰ = 0.37.",
                "The gate multiplies the cell at every step. To hold something for 100 steps it must be "
                "closer "
                "to 1 than it looks.",
                right=True,
            ),
            Option("Nearly all: 99 %.", "That is what is left after one step. Each step multiplies again."),
            Option(
                "Nothing: 100 steps are too long for an LSTM.",
                "There is no fixed limit: how long a cell holds depends on its gate, and 0.999 would "
                "leave 90 %.",
            ),
        ),
    ),
    Question(
        "You clamp a forget gate with `edit=` and the next-character probabilities hardly move. What "
        "have you shown?",
        (
            Option(
                "The gate is broken.",
                "A gate can work as learnt and still matter little at this place of this text.",
            ),
            Option(
                "The network does not use its memory.",
                "One unit in one text says nothing about the others; clamp more units, or another text.",
            ),
            Option(
                "What this unit held makes little difference to the prediction here.",
                "An intervention tells what matters for this output, at these steps, and no more than that.",
                right=True,
            ),
        ),
    ),
    Question(
        "A lesson says that a claim holds “on 4 of 5 seeds (rule fixed beforehand: at least 4)”. Why was "
        "the rule "
        "fixed beforehand?",
        (
            Option(
                "So that the result cannot choose the rule.",
                "With five numbers in hand there is always a rule that they pass. Written down first, it "
                "can fail.",
                right=True,
            ),
            Option(
                "So that the run takes less time.",
                "The rule costs nothing and saves nothing.",
            ),
            Option(
                "So that every seed gives the same number.",
                "Seeds differ, and they should: the spread tells how far a single run can be trusted.",
            ),
        ),
    ),
)
