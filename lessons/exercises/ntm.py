"""Exercises and quiz of lesson 17: find by content, turn the right way round, sharpen, erase and add."""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from lessons.exercises.exercise import Case, Exercise, Observations, behaves_like, returns, shows, stops_with
from lessons.exercises.questions import Option, Question

TINY = 1e-8

# -------------------------------------------------------------- the solutions, as the learner is shown them


def content_weights(
    memory: Float[Tensor, "batch slots width"],
    key: Float[Tensor, "batch width"],
    strength: Float[Tensor, "batch 1"],
) -> Float[Tensor, "batch slots"]:
    """A softmax, over the slots, of strength times the cosine between key and slot."""
    products = (memory @ key.unsqueeze(-1)).squeeze(-1)
    lengths = memory.norm(dim=-1) * key.norm(dim=-1, keepdim=True)
    return (strength * products / lengths.clamp(min=1e-8)).softmax(-1)


def turn_weights(
    weights: Float[Tensor, "batch slots"], turn: Float[Tensor, "batch 3"]
) -> Float[Tensor, "batch slots"]:
    """turn[:, 2] moves what is at slot i to slot i + 1: roll by +1 along the slots."""
    down, stay, up = turn.split(1, dim=1)
    return down * torch.roll(weights, -1, 1) + stay * weights + up * torch.roll(weights, 1, 1)


def sharpen_weights(
    weights: Float[Tensor, "batch slots"], power: Float[Tensor, "batch 1"]
) -> Float[Tensor, "batch slots"]:
    """Divide by the largest first: it stays 1 under any power, so the sum is never 0."""
    raised = (weights / weights.amax(-1, keepdim=True)) ** power
    return raised / raised.sum(-1, keepdim=True)


def write_memory(
    memory: Float[Tensor, "batch slots width"],
    weights: Float[Tensor, "batch slots"],
    erase: Float[Tensor, "batch width"],
    add: Float[Tensor, "batch width"],
) -> Float[Tensor, "batch slots width"]:
    """Erase, then add, each slot as much as the head's weight there."""
    share = weights.unsqueeze(-1)
    return memory * (1 - share * erase.unsqueeze(1)) + share * add.unsqueeze(1)


# ------------------------------------------------------------------------------------- 1: find by content


def _drawn(seed: int) -> Callable[..., Tensor]:
    dice = torch.Generator().manual_seed(seed)
    return lambda *shape: torch.randn(*shape, generator=dice, dtype=torch.float64)


def _sought(batch: int, slots: int, empty: bool = False) -> Callable[[], tuple]:
    def arguments() -> tuple:
        draw = _drawn(batch + slots)
        memory, key = 2 * draw(batch, slots, 3), draw(batch, 3)
        if empty:
            memory[:, 1] = 0
        return memory, key, 4 + draw(batch, 1).abs()

    return arguments


def _content(by_key: bool = True, by_slot: bool = True, axis: int = -1, inside: bool = True) -> Callable:
    """content_weights with one thing wrong."""

    def weights(memory: Tensor, key: Tensor, strength: Tensor) -> Tensor:
        values = (memory * key[:, None]).sum(-1)
        if by_key:
            values = values / key.norm(dim=-1, keepdim=True).clamp(min=TINY)
        if by_slot:
            values = values / memory.norm(dim=-1).clamp(min=TINY)
        return (strength * values).softmax(axis) if inside else strength * values.softmax(axis)

    return weights


def _cosines(memory: Tensor, key: Tensor, strength: Tensor) -> Tensor:
    return torch.cosine_similarity(memory, key[:, None], -1)


def _no_number(part: str) -> Callable[[Observations, Observations], bool]:
    def recognises(seen: Observations, expected: Observations) -> bool:
        return isinstance(seen[part], Tensor) and bool(seen[part].isnan().any())

    return recognises


CONTENT_WEIGHTS = Exercise(
    name="content_weights",
    statement="Find the slots that hold something like the key.",
    stub='''def content_weights(memory, key, strength):
    """memory (B, N, M), key (B, M), strength (B, 1) -> weights (B, N); an empty slot has cosine 0."""
    return ...
''',
    solution=content_weights,
    cases=(
        Case("two memories of four slots", _sought(2, 4)),
        Case("three memories of five slots", _sought(3, 5)),
        Case("a memory with an empty slot", _sought(2, 3, empty=True)),
    ),
    observe=returns("the weights"),
    diagnoses=(
        behaves_like(
            _content(by_key=False, by_slot=False),
            "that is the plain product: a slot with large numbers wins whatever its direction. Divide by "
            "both lengths.",
        ),
        behaves_like(
            _content(by_slot=False),
            "the key's length is divided out, but not the slots': a slot with large numbers still wins.",
        ),
        behaves_like(
            _content(by_key=False),
            "the slots' lengths are divided out, but not the key's: a longer key then works like a strength.",
        ),
        behaves_like(
            lambda memory, key, strength: _cosines(memory, key, strength).softmax(-1),
            "the strength is not used: it multiplies the cosines before the softmax.",
        ),
        behaves_like(
            _content(inside=False),
            "the strength multiplies the weights, which then no longer sum to 1; multiply the cosines.",
        ),
        behaves_like(
            lambda memory, key, strength: (_cosines(memory, key, strength) / strength).softmax(-1),
            "the strength divides here, as a temperature does; a stronger head should look more narrowly.",
        ),
        behaves_like(
            _content(axis=0), "the softmax runs over the batch; the weights of one memory sum to 1."
        ),
        behaves_like(
            lambda memory, key, strength: strength * _cosines(memory, key, strength),
            "these are the cosines times the strength; a softmax makes weights of them.",
        ),
        shows(
            _no_number("the weights"),
            "the empty slot has length 0, and 0 / 0 is no number. Keep the length above something tiny, such "
            "as with clamp(min=1e-8).",
        ),
        stops_with(
            "must match|size mismatch|mat1|batch1|expected|broadcast",
            "memory is (B, N, M) and key (B, M): memory @ key.unsqueeze(-1) is (B, N, 1).",
        ),
    ),
    hints=(
        "Three lines: products with every slot, lengths, softmax.",
        "The cosine is the product divided by both lengths; memory.norm(dim=-1) is (B, N).",
        "(strength * products / lengths.clamp(min=1e-8)).softmax(-1)",
    ),
    shown="The key finds what is like it, not what is large, and an empty memory gives even weights.",
)

# ------------------------------------------------------------- 2: find the bug, a circle the wrong way round


def _turned(slots: int, seed: int) -> Callable[[], tuple]:
    def arguments() -> tuple:
        draw = _drawn(seed)
        return draw(2, slots).softmax(-1), draw(2, 3).softmax(-1)

    return arguments


def _one(slot: int, turn: tuple[float, ...]) -> Callable[[], tuple]:
    def arguments() -> tuple:
        weights = torch.zeros(1, 5, dtype=torch.float64)
        weights[0, slot] = 1
        return weights, torch.tensor([turn], dtype=torch.float64)

    return arguments


def _pushed(weights: Tensor, by: int) -> Tensor:
    """Moved without a circle: what leaves at one end is lost."""
    moved = torch.roll(weights, by, 1)
    moved[:, 0 if by > 0 else -1] = 0
    return moved


TURN_WEIGHTS = Exercise(
    name="turn_weights",
    statement="Find the bug: the machine writes its vectors forwards, and this head goes the other way.",
    stub='''def turn_weights(weights, turn):
    """weights (B, N); turn (B, 3): shares of -1, 0 and +1 slots -> weights (B, N), on a circle."""
    down, stay, up = turn.split(1, dim=1)
    return down * torch.roll(weights, 1, 1) + stay * weights + up * torch.roll(weights, -1, 1)
''',
    solution=turn_weights,
    cases=(
        Case("a head on slot 1 that goes one up", _one(1, (0.0, 0.0, 1.0))),
        Case("a head on the last slot that goes one up", _one(4, (0.0, 0.0, 1.0))),
        Case("weights and turns of every kind", _turned(6, 1)),
    ),
    observe=returns("the weights"),
    diagnoses=(
        behaves_like(
            lambda w, s: s[:, :1] * w.roll(1, 1) + s[:, 1:2] * w + s[:, 2:] * w.roll(-1, 1),
            "it still goes the wrong way round: torch.roll by +1 moves what is at slot 1 to slot 2, and that "
            "is what the share of +1 should do.",
        ),
        behaves_like(
            lambda w, s: s[:, :1] * _pushed(w, -1) + s[:, 1:2] * w + s[:, 2:] * _pushed(w, 1),
            "what leaves at one end is lost, and the weights no longer sum to 1: after the last slot comes "
            "slot 0.",
        ),
        behaves_like(
            lambda w, s: s[:, :1] * w.roll(-1, 0) + s[:, 1:2] * w + s[:, 2:] * w.roll(1, 0),
            "the sequences of the batch change places, not the slots: roll along axis 1.",
        ),
        behaves_like(
            lambda w, s: s[:, :1] * torch.roll(w, -1) + s[:, 1:2] * w + s[:, 2:] * torch.roll(w, 1),
            "without an axis torch.roll lays all sequences in one row, and their ends spill over: "
            "roll along axis 1.",
        ),
        behaves_like(
            lambda w, s: s[:, :1] * w.roll(1, 1) + s[:, 1:2] * w + s[:, 2:] * w.roll(1, 1),
            "both turns go up now; the share of -1 rolls by -1.",
        ),
        behaves_like(
            lambda w, s: s[:, 1:2] * w.roll(-1, 1) + s[:, :1] * w + s[:, 2:] * w.roll(1, 1),
            "the shares are mixed up: they stand in the order -1, 0, +1.",
        ),
        behaves_like(
            lambda w, s: s[:, :1] * w.roll(-2, 1) + s[:, 1:2] * w + s[:, 2:] * w.roll(2, 1),
            "it turns by two slots at a time; one is asked for.",
        ),
    ),
    hints=(
        "Put a head on slot 1 and let all of the turn be +1. Where should it be, and where is it?",
        "torch.roll(x, 1, 1) moves everything to the next higher place.",
        "down goes with torch.roll(weights, -1, 1), up with torch.roll(weights, 1, 1).",
    ),
    shown="A head steps from slot to slot whatever stands there, and after the last comes the first.",
)

# ----------------------------------------------------------------------------- 3: sharpen, without 0 / 0


def _blurred(power: float, even: bool = False) -> Callable[[], tuple]:
    def arguments() -> tuple:
        weights = (_drawn(3)(2, 5) * (not even)).softmax(-1).float()
        return weights, torch.full((2, 1), power)

    return arguments


SHARPEN_WEIGHTS = Exercise(
    name="sharpen_weights",
    statement="Make blurred weights narrow again, whatever the power.",
    stub='''def sharpen_weights(weights, power):
    """weights (B, N), power (B, 1), at least 1 -> weights to that power, which sum to 1; never 0 / 0."""
    return ...
''',
    solution=sharpen_weights,
    cases=(
        Case("power 3", _blurred(3.0)),
        Case("power 1", _blurred(1.0)),
        Case("even weights and power 300", _blurred(300.0, even=True)),
    ),
    observe=returns("the weights"),
    diagnoses=(
        shows(
            _no_number("the weights"),
            "0.2 to the power of 300 is too small for float32: all weights are 0, and so is their sum. "
            "Divide by the largest weight before the power.",
        ),
        behaves_like(
            lambda w, p: w**p / ((w**p).sum(-1, keepdim=True) + 1e-16),
            "a small number in the divisor avoids the 0 / 0, but all weights are 0 then: the head reads "
            "nothing. Divide by the largest weight before the power.",
        ),
        behaves_like(
            lambda w, p: w**p, "the weights shrink: divide by their sum, so that they sum to 1 again."
        ),
        behaves_like(
            lambda w, p: (w / w.amax(-1, keepdim=True)) ** p,
            "the largest weight is 1 now; it is the sum that should be.",
        ),
        behaves_like(
            lambda w, p: (p * w).softmax(-1),
            "a softmax of power times weight is another thing: with power 1 it should change nothing.",
        ),
        behaves_like(
            lambda w, p: w ** (1 / p) / (w ** (1 / p)).sum(-1, keepdim=True),
            "that blurs: the weights are taken to the power itself, not to one over it.",
        ),
        behaves_like(
            lambda w, p: (p * w) / (p * w).sum(-1, keepdim=True),
            "times the power, and divided by the sum, is what it was before: raise the weights to it.",
        ),
        behaves_like(
            lambda w, p: (
                (w / w.amax(0, keepdim=True)) ** p
                / ((w / w.amax(0, keepdim=True)) ** p).sum(-1, keepdim=True)
            ),
            "the largest is taken over the batch; each sequence has a largest weight of its own.",
        ),
    ),
    hints=(
        "Raise, then divide by the sum. What happens to 0.2 to the power of 300 in float32?",
        "A factor common to all weights of a row cancels: you may divide them by their largest beforehand.",
        "raised = (weights / weights.amax(-1, keepdim=True)) ** power",
    ),
    shown="At power 1 nothing changes, the higher the narrower, and no power makes it fail.",
)

# ------------------------------------------------------------------------------------- 4: erase and add


def _written(slots: int, seed: int) -> Callable[[], tuple]:
    def arguments() -> tuple:
        draw = _drawn(seed)
        return draw(2, slots, 3), draw(2, slots).softmax(-1), draw(2, 3).sigmoid(), draw(2, 3)

    return arguments


def _outer(weights: Tensor, vector: Tensor) -> Tensor:
    return weights[..., None] * vector[:, None]


WRITE_MEMORY = Exercise(
    name="write_memory",
    statement="Write with one head: erase a part of each slot, then add.",
    stub='''def write_memory(memory, weights, erase, add):
    """memory (B, N, M), weights (B, N), erase (B, M) in 0 ... 1, add (B, M) -> the new memory (B, N, M)."""
    return ...
''',
    solution=write_memory,
    cases=(
        Case("two memories of four slots", _written(4, 1)),
        Case("two memories of three slots of three numbers", _written(3, 2)),
    ),
    observe=returns("the memory"),
    diagnoses=(
        behaves_like(
            lambda m, w, e, a: (m + _outer(w, a)) * (1 - _outer(w, e)),
            "it adds first and then erases a part of what it added; erase first.",
        ),
        behaves_like(
            lambda m, w, e, a: m * (1 - e[:, None]) + _outer(w, a),
            "every slot is erased alike: how much depends on the head's weight there, too.",
        ),
        behaves_like(
            lambda m, w, e, a: m * (1 - _outer(w, e)) + a[:, None],
            "every slot gets all of the new vector: add it times the head's weight there.",
        ),
        behaves_like(
            lambda m, w, e, a: m - _outer(w, e) + _outer(w, a),
            "erasing multiplies: it takes a share of what is there, and from an empty slot nothing.",
        ),
        behaves_like(
            lambda m, w, e, a: m * _outer(w, e) + _outer(w, a),
            "it keeps what it should erase: the factor is 1 minus weight times erase.",
        ),
        behaves_like(
            lambda m, w, e, a: m * (1 - w[..., None]) * (1 - e[:, None]) + _outer(w, a),
            "weight and erase are multiplied with one another before 1 minus: 1 - w e, not (1 - w)(1 - e).",
        ),
        behaves_like(
            lambda m, w, e, a: m * (1 - _outer(w, e)), "the new vector is missing: after erasing, add it."
        ),
        behaves_like(
            lambda m, w, e, a: m + _outer(w, a), "nothing is erased: the memory would only ever grow."
        ),
        stops_with(
            "must match|size mismatch|mat1|batch1|expected|broadcast",
            "weights is (B, N) and erase (B, M): weights.unsqueeze(-1) * erase.unsqueeze(1) is (B, N, M).",
        ),
    ),
    hints=(
        "A factor for every number of the memory, and a summand for every number.",
        "weights.unsqueeze(-1) * erase.unsqueeze(1) is (B, N, M): how much of each number is erased.",
        "memory * (1 - share * erase.unsqueeze(1)) + share * add.unsqueeze(1)",
    ),
    shown="With erase and add at 0 nothing changes; with weight and erase at 1 a slot holds what is added.",
)

EXERCISES = (CONTENT_WEIGHTS, TURN_WEIGHTS, SHARPEN_WEIGHTS, WRITE_MEMORY)

# ------------------------------------------------------------------------------------------------ the quiz

QUIZ = (
    Question(
        "The memory gets ten times as many slots. How many more weights do the heads need?",
        (
            Option(
                "Ten times as many.", "a head asks with a key, a turn and a few numbers, not slot by slot."
            ),
            Option(
                "None, but for where the heads begin.",
                "key, strength, gate, turn and power have the same sizes for any number of slots.",
                right=True,
            ),
            Option("One for every slot.", "only the learnt first focus has a number for each slot."),
        ),
    ),
    Question(
        "While it copies, a head goes from slot to slot. Which part of the addressing does that?",
        (
            Option("The key.", "a key finds what is like it; the next vector is random, and like nothing."),
            Option("The power.", "sharpening keeps the head where it is, and narrow."),
            Option(
                "The turn.",
                "with the gate shut, each step moves the weights of the step before by one slot.",
                right=True,
            ),
        ),
    ),
    Question(
        "What if weights were sharpened first and turned afterwards?",
        (
            Option(
                "A turn that is not all on one step leaves them blurred.",
                "each step would widen them a little more, and nothing would make them narrow again.",
                right=True,
            ),
            Option("Nothing: the two may change places.", "a power of a sum is not the sum of the powers."),
            Option("They would no longer sum to 1.", "both steps keep the sum; it is the width that grows."),
        ),
    ),
    Question(
        "Gate 0, all of the turn on 0, power 1. What does the head do?",
        (
            Option("It looks everywhere alike.", "that is content addressing with strength 0, and gate 1."),
            Option(
                "It stays exactly where it was.", "each of the three steps then changes nothing.", right=True
            ),
            Option("It looks for its key.", "with the gate at 0 the weights by content are not used."),
        ),
    ),
    Question(
        "Why does an LSTM that copies 20 vectors fail at 40?",
        (
            Option(
                "Its gates close after 20 steps.", "gates have no clock; they see the input and the state."
            ),
            Option("It has too few weights.", "the machine beside it has no more of them."),
            Option(
                "It has learnt to hold each vector in units of its own, and there are no more.",
                "the machine has learnt what to do with the next vector, whichever it is.",
                right=True,
            ),
        ),
    ),
    Question(
        "Why does the memory start at 1e-6 everywhere rather than at random numbers?",
        (
            Option(
                "So that no slot can be told from another before it is written.",
                "content addressing then starts even, and what is found was written by the machine.",
                right=True,
            ),
            Option(
                "Because 0 would stop the gradient.", "it is near 0 anyway; lengths get a small number added."
            ),
            Option("To save memory.", "a number takes four bytes whatever its value."),
        ),
    ),
)
