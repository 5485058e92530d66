"""Exercises and quiz of lesson 02: sampling, bits per character, and two bugs that every char-RNN has had."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from lessons.exercises.difference import describe
from lessons.exercises.exercise import (
    Case,
    Diagnosis,
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


def softmax_sample(
    logits: Float[Tensor, "batch vocab"], temperature: float, generator: torch.Generator
) -> Int[Tensor, " batch"]:
    """Draw one character for each row from softmax(logits / temperature); temperature 0 is greedy."""
    if temperature == 0:
        return logits.argmax(dim=-1)
    scaled = logits / temperature
    scaled = (
        scaled - scaled.max(dim=-1, keepdim=True).values
    )  # the largest exponent is 0: exp cannot overflow
    weights = scaled.exp()
    probabilities = weights / weights.sum(dim=-1, keepdim=True)
    return torch.multinomial(probabilities, 1, generator=generator)[:, 0]


def bits_per_character(
    logits: Float[Tensor, "batch time vocab"], targets: Int[Tensor, "batch time"]
) -> Float[Tensor, ""]:
    """The mean of −log₂ of the probability that the network gave to the character that came."""
    log_probabilities = torch.log_softmax(logits, dim=-1)
    of_targets = log_probabilities.gather(-1, targets[..., None])[..., 0]
    return -of_targets.mean() / math.log(2)


def next_window(
    stream: Int[Tensor, " stream"], start: int, length: int
) -> tuple[Int[Tensor, " time"], Int[Tensor, " time"]]:
    """Characters start … start+length−1, and as targets the character that follows each of them."""
    window = stream[start : start + length + 1]
    return window[:-1], window[1:]


def train_window(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    inputs: Int[Tensor, "batch time"],
    targets: Int[Tensor, "batch time"],
    state: tuple[Tensor, Tensor] | None,
) -> tuple[float, tuple[Tensor, Tensor]]:
    """One step of stateful truncated backpropagation: the state goes on, its history does not."""
    logits, (h, c) = model(inputs, state)
    loss = F.cross_entropy(logits.flatten(0, 1), targets.flatten())
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item(), (h.detach(), c.detach())


def nucleus(probabilities: Float[Tensor, " vocab"], top_p: float) -> Float[Tensor, " vocab"]:
    """Keep the fewest likeliest characters that reach top_p together; share out the rest among them."""
    ordered, order = probabilities.sort(descending=True)
    before = ordered.cumsum(0) - ordered  # what the likelier characters already add up to
    kept = torch.where(before < top_p, ordered, torch.zeros_like(ordered))
    result = torch.zeros_like(probabilities)
    result[order] = kept / kept.sum()
    return result


# ----------------------------------------------------------------------------- 1: sampling with temperature

_ROWS = 4000  # shares of 2000 draws are within 0.05 of their probability in all but 1 of 100,000 checks


def _dice(
    even: list, odd: list, temperature: float, dtype: torch.dtype = torch.float32
) -> Callable[[], tuple]:
    def arguments() -> tuple:
        return (
            torch.tensor([even, odd], dtype=dtype).repeat(_ROWS // 2, 1),
            temperature,
            torch.Generator().manual_seed(7),
        )

    return arguments


def _draws(
    function: Callable, logits: Tensor, temperature: float, generator: torch.Generator
) -> Observations:
    again = torch.Generator().manual_seed(7)
    drawn = function(logits.clone(), temperature, generator)
    try:
        drawn = torch.as_tensor(drawn)
    except (TypeError, ValueError, RuntimeError) as error:
        raise Unfit(f"the result should be a tensor of indices; it is {describe(drawn)}") from error
    if tuple(drawn.shape) != (_ROWS,):
        return {"the result's shape": tuple(drawn.shape)}
    torch.rand(1)  # move the global generator on: only the given one is wound back
    repeat = torch.as_tensor(function(logits.clone(), temperature, again))
    even, odd = (_shares(drawn[side::2], logits.shape[1]) for side in (0, 1))
    return {
        "the result's shape": tuple(drawn.shape),
        "the share of each symbol among draws from the first kind of row": even,
        "the share of each symbol among draws from the second kind of row": odd,
        "two generators with the same seed give the same draws": bool((drawn == repeat).all()),
    }


def _shares(drawn: Tensor, symbols: int) -> Tensor:
    if bool((drawn != drawn.round()).any()) or bool((drawn < 0).any()) or bool((drawn >= symbols).any()):
        raise Unfit(f"the result should hold indices from 0 to {symbols - 1}; {float(drawn[0]):.4g} is none")
    return torch.bincount(drawn.long(), minlength=symbols) / len(drawn)


def _draw(probabilities: Tensor, generator: torch.Generator) -> Tensor:
    return torch.multinomial(probabilities, 1, generator=generator)[:, 0]


def _after_softmax(logits: Tensor, temperature: float, generator: torch.Generator) -> Tensor:
    return _draw(torch.softmax(logits, -1) / temperature, generator)


SOFTMAX_SAMPLE = Exercise(
    name="softmax_sample",
    statement="Draw one character for each row of logits from softmax(logits / temperature); 0 is greedy.",
    stub='''def softmax_sample(logits, temperature, generator):
    """logits (batch, vocab) -> indices (batch,), drawn from softmax(logits / temperature)."""
    return ...
''',
    solution=softmax_sample,
    cases=(
        Case("rows that prefer different symbols", _dice([3, 0, 0], [0, 0, 3], 1.0)),
        Case("logits 2, 1, 0 at temperature 1", _dice([2, 1, 0], [2, 1, 0], 1.0)),
        Case("logits 2, 1, 0 at temperature 0.5", _dice([2, 1, 0], [2, 1, 0], 0.5)),
        Case("logits 2, 1, 0 at temperature 2", _dice([2, 1, 0], [2, 1, 0], 2.0)),
        Case("logits of 1000 and 999.8 at temperature 0.2", _dice([1000, 999.8, 0], [1000, 999.8, 0], 0.2)),
        Case("logits of −1000 and −1001", _dice([-1000, -1001, -1001], [-1001, -1000, -1001], 1.0)),
        Case("temperature 0", _dice([2, 1, 0], [0, 1, 2], 0.0)),
        Case(
            "temperature 0 and logits that differ by less than a billionth",
            _dice([1e-12, 0, 0], [0, 0, 1e-12], 0.0, torch.float64),
        ),
    ),
    observe=_draws,
    tolerance=0.05,
    diagnoses=(
        Diagnosis(
            lambda attempt: "1000" in attempt.case.label,  # all else was right
            "exp overflows on large logits, and on very negative ones every weight becomes 0. Subtract each "
            "row's largest logit first: the distribution stays the same.",
        ),
        Diagnosis(
            lambda attempt: "billionth" in attempt.case.label,
            "a tiny temperature is not 0: where logits differ by less than it, the others are drawn as well. "
            "At exactly 0 take argmax, without dividing or drawing.",
        ),
        Diagnosis(
            lambda attempt: attempt.case.label == "temperature 0",
            "nothing can be divided by 0. Towards 0 all probability goes to the largest logit, so "
            "temperature 0 is argmax, without a draw.",
        ),
        shows(
            lambda seen, expected: seen["the result's shape"] == (_ROWS, 1),
            "torch.multinomial(p, 1) returns a column; take its only entry with [:, 0] or .squeeze(-1).",
        ),
        shows(
            lambda seen, expected: seen["the result's shape"] == (_ROWS, 3),
            "that is one number for each symbol, so still the distribution: a draw from it is missing.",
        ),
        shows(
            lambda seen, expected: seen["the result's shape"] in ((), (1,)),
            "one draw for the whole batch; each row is a sequence of its own and needs its own draw.",
        ),
        behaves_like(
            lambda logits, temperature, generator: logits.argmax(-1),
            "that is the likeliest symbol every time (argmax). Sampling also takes the others, as often as "
            "their probability says.",
        ),
        behaves_like(
            lambda logits, temperature, generator: _draw(torch.softmax(logits * temperature, -1), generator),
            "the logits are multiplied by the temperature; dividing makes a low temperature sharp.",
        ),
        behaves_like(
            _after_softmax,
            "the temperature has no effect. Dividing probabilities by it is undone when they are made to "
            "add up to 1; divide the logits, before the softmax.",
        ),
        behaves_like(
            lambda logits, temperature, generator: _draw(torch.ones_like(logits), generator),
            "every symbol is drawn equally often: the logits are not used, or were flattened to one value.",
        ),
        behaves_like(
            lambda logits, temperature, generator: _draw(torch.softmax(logits / temperature, 0), generator),
            "the softmax runs over the batch (dim 0). Each row must add up to 1 by itself: dim=-1.",
        ),
        shows(
            lambda seen, expected: not seen["two generators with the same seed give the same draws"],
            "the draw uses the global generator; pass generator=generator on, or no sample can be repeated.",
        ),
    ),
    hints=(
        "What must happen to the logits so that a low temperature makes the differences between them larger?",
        "Divide the logits by the temperature, then softmax over the last axis, then torch.multinomial.",
        "torch.multinomial(probabilities, 1, generator=generator) gives a column: take [:, 0]. If you write "
        "exp yourself, subtract each row's maximum first.",
    ),
    shown="Your shares match softmax(logits / temperature) at temperatures from 0.2 to 2; logits of "
    "±1000 do not break it, and temperature 0 is greedy.",
)

# ------------------------------------------------------------------------------------ 2: bits per character


def _guesses(scale: float) -> Callable[[], tuple]:
    def arguments() -> tuple:
        dice = torch.Generator().manual_seed(2)
        logits = scale * torch.randn(2, 5, 7, generator=dice, dtype=torch.float64)
        return logits.float(), torch.randint(7, (2, 5), generator=dice)

    return arguments


BITS_PER_CHARACTER = Exercise(
    name="bits_per_character",
    statement="Turn logits and targets into bits per character.",
    stub='''def bits_per_character(logits, targets):
    """logits (batch, time, vocab), targets (batch, time) -> mean of −log2 p(target), one number."""
    return ...
''',
    solution=bits_per_character,
    cases=(
        Case(
            "a network that finds all 8 characters equally likely",
            lambda: (torch.zeros(2, 3, 8), torch.tensor([[0, 1, 2], [3, 4, 5]])),
        ),
        Case("random logits for 2 sequences of 5 characters", _guesses(1.0)),
        Case("a network that is very sure (logits of some hundreds)", _guesses(300.0)),
    ),
    observe=returns("the number of bits"),
    diagnoses=(
        shows(
            lambda seen, expected: not math.isfinite(float(seen["the number of bits"])),
            "a probability was rounded to 0 before its logarithm. log_softmax never leaves the logarithm.",
        ),
        behaves_like(
            lambda logits, targets: bits_per_character(logits, targets) * math.log(2),
            "these are nats: cross-entropy uses the natural logarithm. One bit is ln 2 = 0.693 nats, so "
            "divide by math.log(2).",
        ),
        behaves_like(
            lambda logits, targets: bits_per_character(logits, targets) * math.log(2) ** 2,
            "multiplied by ln 2 where dividing by it turns nats into bits.",
        ),
        behaves_like(
            lambda logits, targets: bits_per_character(logits, targets) * math.log10(2),
            "that is the logarithm to base 10; bits need base 2.",
        ),
        behaves_like(
            lambda logits, targets: -bits_per_character(logits, targets),
            "the sign: the logarithm of a probability is negative, and bits are its opposite.",
        ),
        behaves_like(
            lambda logits, targets: 2 ** bits_per_character(logits, targets),
            "that is the perplexity, 2 to the power of the bits.",
        ),
        behaves_like(
            lambda logits, targets: bits_per_character(logits, targets) * targets.numel(),
            "a sum over all characters; bits per character is their mean.",
        ),
        behaves_like(
            lambda logits, targets: bits_per_character(logits, targets) * targets.shape[1],
            "a sum over the steps, then a mean over the batch; take the mean over both.",
        ),
        behaves_like(
            lambda logits, targets: bits_per_character(torch.softmax(logits, -1), targets),
            "softmax twice: cross-entropy takes logits and does its own softmax.",
        ),
        behaves_like(
            lambda logits, targets: (
                F.cross_entropy(logits.reshape(2, -1, targets.shape[1]), targets) / math.log(2)
            ),
            "reshape does not turn axes round, it only cuts the same numbers into other pieces. Use "
            "logits.transpose(1, 2), or flatten batch and time on both sides.",
        ),
        behaves_like(
            lambda logits, targets: (
                -torch.log_softmax(logits, 1).gather(-1, targets[..., None]).mean() / math.log(2)
            ),
            "the softmax runs over time (dim 1); the probabilities of one step must add up to 1: dim=-1.",
        ),
        stops_with(
            "[Ee]xpected target size|shape|size",
            "cross_entropy wants the classes on axis 1. Flatten batch and time: "
            "F.cross_entropy(logits.flatten(0, 1), targets.flatten()).",
        ),
        shows(
            lambda seen, expected: seen["the number of bits"].numel() > 1,
            "one number for each character; take the mean over batch and time.",
        ),
    ),
    hints=(
        "Which probability of each step matters: all of them, or the one of the character that came?",
        "F.cross_entropy gives the mean in nats; it wants (characters, vocab) and (characters,).",
        "F.cross_entropy(logits.flatten(0, 1), targets.flatten()) / math.log(2)",
    ),
    shown="8 equally likely characters cost 3 bits each, and your number also holds for random and for very "
    "sure networks.",
)

# --------------------------------------------------------------------- 3: find the bug, windows of a stream


def _stream(start: int, length: int) -> Callable[[], tuple]:
    return lambda: (torch.tensor([3, 8, 1, 6, 0, 7, 2, 9, 4, 5, 12, 10, 11]), start, length)


NEXT_WINDOW = Exercise(
    name="next_window",
    statement="Find the bug: the loss falls to 0 within seconds, and the samples are nonsense.",
    stub='''def next_window(stream, start, length):
    """stream (characters,) -> inputs (length,), and targets (length,): the character after each input."""
    inputs = stream[start : start + length]
    targets = stream[start : start + length]
    return inputs, targets
''',
    solution=next_window,
    cases=(
        Case("the first five characters of the stream", _stream(0, 5)),
        Case("six characters from the middle", _stream(4, 6)),
        Case("a window of one character", _stream(7, 1)),
        Case("the last window that has a next character", _stream(7, 5)),
    ),
    observe=returns("inputs", "targets"),
    diagnoses=(
        behaves_like(
            lambda stream, start, length: (stream[start : start + length],) * 2,
            "inputs and targets are the same characters, so the network is asked to repeat what it reads. It "
            "learns that within seconds (loss 0) and has learnt nothing about what comes next.",
        ),
        behaves_like(
            lambda stream, start, length: (
                stream[start : start + length],
                torch.cat([stream[start + 1 : start + length], stream[start : start + 1]]),
            ),
            "the window is rolled: its last target is its own first character. The last input must be "
            "followed by the next character of the stream.",
        ),
        behaves_like(
            lambda stream, start, length: (
                stream[start + 1 : start + length + 1],
                stream[start : start + length],
            ),
            "inputs and targets are swapped: this network learns to say what came before.",
        ),
        behaves_like(
            lambda stream, start, length: (
                stream[start : start + length],
                stream[start + 2 : start + length + 2],
            ),
            "shifted by two: one character is skipped.",
        ),
        behaves_like(
            lambda stream, start, length: (
                stream[start : start + length],
                stream.roll(1)[start : start + length],
            ),
            "shifted the wrong way: the target is the character before the input. Moving the start of the "
            "slice up by one looks one character ahead.",
        ),
        shows(
            lambda seen, expected: len(seen["inputs"]) != len(expected["inputs"]),
            "a window has `length` inputs and `length` targets: it reads length + 1 characters.",
        ),
        shows(
            lambda seen, expected: len(seen["targets"]) == len(expected["targets"]) - 1,
            "the targets end where the inputs end. They reach one character further: start + length + 1.",
        ),
    ),
    hints=(
        "Write out inputs and targets for the stream h e l l o, start 0, length 4. What belongs under the h?",
        "The targets are the same slice, one character later.",
        "targets = stream[start + 1 : start + length + 1]",
    ),
    shown="Each target is the character that follows its input, also at the last place of a window.",
)

# --------------------------------------------------------------------------- 4: find the bug, carried state


class _TinyNetwork(nn.Module):
    """Embed, LSTM, readout: CharModel in miniature, float64 and the same numbers on every machine."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(5, 3, dtype=torch.float64)
        self.recurrent = nn.LSTM(3, 4, batch_first=True, dtype=torch.float64)
        self.readout = nn.Linear(4, 5, dtype=torch.float64)
        dice = torch.Generator().manual_seed(3)
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.uniform_(-1.2, 1.2, generator=dice)

    def forward(
        self, tokens: Tensor, state: Sequence[Tensor] | None = None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        hidden, state = self.recurrent(self.embedding(tokens), state)
        return self.readout(hidden), state


_FREE = "the loss that comes back has let go of its graph"


def _three_windows(function: Callable, text: Tensor, only_graph: bool = False) -> Observations:
    """Train on three windows in a row; the state that one call returns is given to the next.

    `only_graph` looks at nothing but whether a loss that is kept would keep all its tensors alive.
    """
    model = _TinyNetwork()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    state, seen = None, {}
    for window in range(3):
        inputs, targets = (text[:, 4 * window + shift : 4 * window + shift + 4] for shift in (0, 1))
        result = function(model, optimizer, inputs, targets, state)
        if not isinstance(result, tuple | list) or len(result) != 2:
            raise Unfit(
                f"the function should return 2 values, loss and state; it returned {describe(result)}"
            )
        loss, state = result
        if only_graph:
            return {_FREE: getattr(loss, "grad_fn", None) is None}
        seen[f"the loss of window {window + 1}"] = loss
        if not (isinstance(state, tuple | list) and len(state) == 2):
            raise Unfit(f"the returned state should be the pair (h, c); it is {describe(state)}")
    return seen | {"the readout's weight after three windows": model.readout.weight.detach().clone()}


def _train_like(*, carry: bool = True, learn: bool = True, wipe: bool = True, swap: bool = False) -> Callable:
    """The solution with one thing done wrong."""

    def step(model, optimizer, inputs, targets, state):  # type: ignore[no-untyped-def]
        logits, (h, c) = model(inputs, state if carry else None)
        loss = F.cross_entropy(logits.flatten(0, 1), targets.flatten())
        if wipe:
            optimizer.zero_grad()
        loss.backward()
        if learn:
            optimizer.step()
        return loss.item(), (c.detach(), h.detach()) if swap else (h.detach(), c.detach())

    return step


def _stream_of_two() -> Tensor:
    return torch.tensor([[0, 1, 2, 3, 4, 3, 2, 1, 0, 2, 4, 1, 3], [1, 1, 3, 0, 2, 2, 4, 0, 1, 3, 3, 4, 0]])


TRAIN_WINDOW = Exercise(
    name="train_window",
    statement="Find the bug: this step trains, but the network never learns anything longer than a window.",
    stub='''def train_window(model, optimizer, inputs, targets, state):
    """One training step on a window; returns the loss and the state for the next window."""
    logits, state = model(inputs)
    loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten())
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item(), state
''',
    solution=train_window,
    cases=(
        Case("three windows of four characters in a row", lambda: (_stream_of_two(),)),
        Case("the loss that a run keeps", lambda: (_stream_of_two(), True)),
    ),
    observe=_three_windows,
    tolerance=1e-7,
    diagnoses=(
        stops_with(
            "second time",
            "the state still carries the graph of the window before, and backward cannot run through it "
            "twice. Detach both tensors, h and c, between windows.",
        ),
        stops_with(
            "inplace operation",
            "with retain_graph=True the gradient reaches back into earlier windows, whose weights have "
            "changed since. Do not keep the graph: detach the state between windows.",
        ),
        behaves_like(
            _train_like(carry=False),
            "every window starts from a zero state: `state` comes in and is not given to the model.",
        ),
        stops_with(
            "it is None",
            "the state that came in is returned, so nothing is handed on. Return the model's new state.",
        ),
        behaves_like(
            _train_like(wipe=False),
            "gradients of earlier windows are added to this one's: optimizer.zero_grad() is missing.",
        ),
        behaves_like(
            _train_like(learn=False),
            "the weights do not change: optimizer.step() is missing, or the gradients are wiped before it.",
        ),
        behaves_like(_train_like(swap=True), "h and c have changed places: the state is the pair (h, c)."),
        shows(
            lambda seen, expected: seen.get(_FREE) is False,
            "the numbers are right, but the loss still holds the graph of its window, and a list of losses "
            "would hold them all. Return loss.item(), or loss.detach().",
        ),
    ),
    hints=(
        "Follow `state` through the function. Who reads the one that comes in?",
        "Give the state to the model. Then backward will complain at the second window: why does the first "
        "window's graph hang on the state?",
        "logits, state = model(inputs, state), and at the end: tuple(s.detach() for s in state)",
    ),
    shown="The state goes from window to window, and the gradient stops at each border: three losses and the "
    "final weights match.",
)

# ------------------------------------------------------------------------------------------- 5: the nucleus


def _top(probabilities: list[float], top_p: float) -> Callable[[], tuple]:
    return lambda: (torch.tensor(probabilities), top_p)


_PROBES = {
    "8 equally likely ones at top_p 0.8": ([0.125] * 8, 0.8),
    "0.97 and three of 0.01 at top_p 0.8": ([0.01, 0.97, 0.01, 0.01], 0.8),
    "0.3, 0.25, 0.25, 0.1, 0.1 at top_p 0.75": ([0.3, 0.25, 0.25, 0.1, 0.1], 0.75),
}  # dice on which other ways to cut keep other numbers of characters than the nucleus


def _cuts(function: Callable, probabilities: Tensor, top_p: float) -> Observations:
    """The result, and how many characters are kept of other dice."""
    seen = {"the result": function(probabilities, top_p)}
    for name, (die, share) in _PROBES.items():
        seen[f"how many are kept of {name}"] = _positive(function(torch.tensor(die), share))
    return seen


def _positive(result: Any) -> int | None:
    """How many numbers of a result are above zero; None where it holds no numbers."""
    try:
        return int((torch.as_tensor(result).real > 0).sum())
    except (TypeError, ValueError, RuntimeError):
        return None


def _kept(seen: Observations) -> list[int]:
    return [seen[f"how many are kept of {name}"] for name in _PROBES]


def _keeps_a_number(seen: Observations) -> bool:
    """Whether the cut is after a number of characters: always the same, as far as there are so many."""
    sizes, kept = [len(die) for die, _ in _PROBES.values()], _kept(seen)
    return 1 < max(kept) < max(sizes) and kept == [min(max(kept), size) for size in sizes]


def _keeps_a_share(seen: Observations) -> bool:
    """Whether the cut is after a share top_p of the characters, however rounded."""
    wanted = [share * len(die) for die, share in _PROBES.values()]
    return any(_kept(seen) == [one(count) for count in wanted] for one in (math.floor, round, math.ceil))


def _nucleus(probabilities: Tensor, top_p: float, *, cross: bool = True, share: bool = True) -> Tensor:
    ordered, order = probabilities.sort(descending=True)
    reached = ordered.cumsum(0) - (ordered if cross else 0)
    kept = torch.where(reached < top_p, ordered, 0)
    return torch.zeros_like(probabilities).scatter(0, order, kept / kept.sum() if share else kept)


def _above(probabilities: Tensor, threshold: float) -> Tensor:
    kept = torch.where(probabilities > threshold, probabilities, 0)
    return kept / kept.sum()


NUCLEUS = Exercise(
    name="nucleus",
    statement="Keep the smallest set of likeliest characters whose probabilities reach top_p, renormalised.",
    stub='''def nucleus(probabilities, top_p):
    """probabilities (vocab,) -> probabilities (vocab,): zero outside the nucleus, adding up to 1."""
    return ...
''',
    solution=nucleus,
    cases=(
        Case("0.4, 0.3, 0.15, 0.1, 0.05 with top_p 0.8", _top([0.4, 0.3, 0.15, 0.1, 0.05], 0.8)),
        Case("one character with probability 0.9 and top_p 0.6", _top([0.04, 0.9, 0.05, 0.01], 0.6)),
        Case("probabilities in mixed order with top_p 0.7", _top([0.05, 0.42, 0.1, 0.21, 0.22], 0.7)),
        Case("top_p 1, which keeps everything", _top([0.0625, 0.1875, 0.25, 0.5], 1.0)),
    ),
    observe=_cuts,
    tolerance=1e-5,
    diagnoses=(
        shows(
            lambda seen, expected: _keeps_a_number(seen),
            "the same number of characters is kept whatever their probabilities, which is top-k. The nucleus "
            "is small where the network is sure and large where it is not: add up until top_p is reached.",
        ),
        shows(
            lambda seen, expected: _keeps_a_share(seen),
            "top_p is taken as a share of the characters. It is a share of the probability: add the "
            "likeliest up until they reach it.",
        ),
        behaves_like(
            lambda probabilities, top_p: _nucleus(probabilities, top_p, cross=False),
            "the character that crosses top_p is dropped; the set must reach top_p, so it belongs to it.",
        ),
        behaves_like(
            lambda probabilities, top_p: _nucleus(probabilities, top_p, share=False),
            "what is left does not add up to 1: divide by its sum.",
        ),
        behaves_like(
            lambda probabilities, top_p: _nucleus(probabilities, top_p).sort(descending=True).values,
            "right values, in sorted order: each must go back to its own character's place.",
        ),
        behaves_like(lambda probabilities, top_p: probabilities, "nothing is cut off: the input comes back."),
        behaves_like(
            lambda probabilities, top_p: F.one_hot(probabilities.argmax(), len(probabilities)).float(),
            "only the likeliest character is left; more are needed until they reach top_p together.",
        ),
        behaves_like(
            lambda probabilities, top_p: _above(probabilities, 1 - top_p),
            "each character is compared with a threshold by itself. top_p is what those that stay reach "
            "together: add up from the likeliest down.",
        ),
        behaves_like(
            lambda probabilities, top_p: _nucleus(probabilities, top_p * probabilities.max().item()),
            "top_p is compared with the largest probability; it is a share of the whole.",
        ),
        shows(
            lambda seen, expected: bool(seen["the result"].isnan().any()),
            "nothing was kept, and 0/0 is no probability. The likeliest character always stays.",
        ),
        shows(
            lambda seen, expected: (
                int((seen["the result"] > 0).sum()) > int((expected["the result"] > 0).sum())
            ),
            "more characters are kept than needed. Sort from the likeliest down before adding up.",
        ),
    ),
    hints=(
        "Sort the probabilities from the largest down. At which place does their running sum reach top_p?",
        "Keep a character if the likelier ones before it add up to less than top_p.",
        "sort(descending=True) also returns the order: result[order] = kept puts each value in its place.",
    ),
    shown="The nucleus is the smallest set that reaches top_p, in its old places, adding up to 1.",
)

EXERCISES = (SOFTMAX_SAMPLE, BITS_PER_CHARACTER, NEXT_WINDOW, TRAIN_WINDOW, NUCLEUS)

# ------------------------------------------------------------------------------------------------- the quiz

QUIZ = (
    Question(
        "A network has 3.0 bits per character on held-out text. What does that say?",
        (
            Option(
                "It names the right character in one case of three.",
                "Bits measure the probability given to what came, not how often the best guess is right.",
            ),
            Option(
                "It is as unsure, on average, as someone choosing among 8 equally likely characters.",
                "2³ = 8. The perplexity of 3 bits is 8; the alphabet itself has about 80 characters.",
                right=True,
            ),
            Option(
                "Its samples look like English 3 times as often as chance.",
                "The number says nothing about samples: they also depend on the temperature.",
            ),
            Option(
                "Each character needs 3 units of the hidden state.",
                "Bits are about the prediction, not about how the network stores what it read.",
            ),
        ),
    ),
    Question(
        "You lower the temperature from 1 to 0.3. What happens to the probability of the likeliest one?",
        (
            Option(
                "It falls, because every logit becomes smaller.",
                "Dividing by 0.3 makes logits larger, and only the differences between them count.",
            ),
            Option(
                "It stays, because softmax always adds up to 1.",
                "The sum stays 1, but it is shared out differently.",
            ),
            Option(
                "It rises: the gaps between the logits grow by 1/0.3.",
                "Each ratio of probabilities is raised to the power 1/0.3; towards 0 only argmax is left.",
                right=True,
            ),
        ),
    ),
    Question(
        "The training loss falls to 0.01 nats within a minute, and the samples are one letter repeated. "
        "Where do you look first?",
        (
            Option(
                "At the targets: they may be the inputs, not shifted by one.",
                "Text cannot be predicted that well. Copying the input can, and a network that copies "
                "repeats its first letter for ever.",
                right=True,
            ),
            Option(
                "At the learning rate: it is too high.",
                "A learning rate that is too high makes the loss jump or diverge; it does not bring it to 0.",
            ),
            Option(
                "At the size of the network: it has learnt the plays by heart.",
                "Learning 5 million characters by heart takes longer, and it would recite, not repeat.",
            ),
            Option(
                "At the temperature: it is too low.",
                "A low temperature can make samples repeat, but it has no part in the training loss.",
            ),
        ),
    ),
    Question(
        "Between two windows of training, `state` is detached. What would go wrong without it?",
        (
            Option(
                "The state would be lost, and each window would start from zeros.",
                "Detaching keeps the values. It cuts only the way back that gradients would take.",
            ),
            Option(
                "The network would see the targets.",
                "The state holds what was read so far; detaching changes nothing about what is read.",
            ),
            Option(
                "`backward` would run through the window before as well, whose graph is already freed.",
                "PyTorch stops with an error; with the graphs kept, each step would cost more than the last.",
                right=True,
            ),
        ),
    ),
    Question(
        "Windows are 64 characters long and the state is carried. Can the network use something it read 200 "
        "characters ago?",
        (
            Option(
                "Yes: the value gets there by the state, though no gradient goes back that far to teach it.",
                "What is learnt within 64 steps (such as holding a unit) can go on working for longer.",
                right=True,
            ),
            Option(
                "No: nothing outside the window can play a part.",
                "True if the state were reset at each window. Here its value goes on.",
            ),
            Option(
                "Yes: the gradient flows through all 200 characters.",
                'It stops at the border of the window; that is the "truncated" in truncated backpropagation.',
            ),
        ),
    ),
    Question(
        "Your LSTM beats a 5-gram on held-out plays. Which comparison would be unfair?",
        (
            Option(
                "Giving the 5-gram the same training plays.",
                "That is what makes it fair: the same text in, the same held-out text out.",
            ),
            Option(
                "Letting the 5-gram back off to shorter contexts.",
                "Without back-off an unseen context gets probability 0, so infinite bits: it needs back-off.",
            ),
            Option(
                "Measuring the 5-gram on the plays it was counted on.",
                "Unfair to the LSTM: on its own training text an n-gram knows every context by heart.",
                right=True,
            ),
        ),
    ),
)
