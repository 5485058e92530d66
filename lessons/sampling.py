"""From scores to text: the next-character distribution, the roll of the die, and whole passages.

The distribution is always returned with the choice, so that a picture can show what could have come instead.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor
from torch.nn.functional import one_hot

from lessons.arguments import Between, Seed, explained
from lessons.errors import LessonError

Number = float | int
Heat = Annotated[Number, Between(0)]


class Draw(NamedTuple):
    """One choice: the symbol, its number, the distribution it was drawn from, and the roll in [0, 1)."""

    symbol: str
    index: int
    probabilities: Float[Tensor, " vocab"]
    roll: float


@dataclass(frozen=True, eq=False)
class Sample:
    """A generated passage: `seed_text` was given, `text` was drawn, one row of `probabilities` a character.

    `interrupted` says that a KeyboardInterrupt ended it early; what had been drawn by then is kept.
    """

    seed_text: str
    text: str
    indices: Int[Tensor, " time"]
    probabilities: Float[Tensor, "time vocab"]
    rolls: Float[Tensor, " time"]
    temperature: float
    top_k: int | None
    top_p: Number | None
    seed: int
    interrupted: bool = False

    @property
    def bits(self) -> Float[Tensor, " time"]:
        """How surprising each drawn character was under the distribution it was drawn from."""
        return -self.probabilities.gather(-1, self.indices[:, None])[:, 0].log2()

    def __str__(self) -> str:
        return self.seed_text + self.text


@explained
def distribution(
    logits: Float[Tensor, "*batch vocab"],
    temperature: Heat | Float[Tensor, "*batch"] = 1.0,
    top_k: int | None = None,
    top_p: Number | None = None,
) -> Float[Tensor, "*batch vocab"]:
    """softmax(logits / temperature), cut to the `top_k` likeliest, then to the smallest set worth `top_p`.

    Temperature 0 is the limit: all probability on the likeliest symbol (the first, if several tie). A tensor
    gives each row its own temperature. `top_p` keeps the nucleus of Holtzman et al. 2020, section 3.1.
    Raises LessonError for a temperature below 0 or not a number, and for cuts out of bounds.
    """
    if not logits.numel():
        raise LessonError("There are no scores to make a distribution of: the tensor is empty.")
    _check(temperature, top_k, top_p, logits.shape[-1])
    return _distribution(logits, temperature, top_k, top_p)


def _distribution(
    logits: Tensor, temperature: Number | Tensor, top_k: int | None, top_p: Number | None
) -> Tensor:
    """`distribution` of settings that were checked."""
    vocab = logits.shape[-1]
    scores = logits - logits.amax(-1, keepdim=True)  # so that a small temperature cannot overflow
    if not logits.is_meta and bool(scores.isnan().any()):  # an infinite score leaves nothing to compare
        raise LessonError("The model's scores are no numbers; train it again, with a lower learning rate.")
    if isinstance(temperature, Tensor):
        cold = (temperature == 0)[..., None]
        warm = (scores / temperature[..., None].masked_fill(cold, 1)).softmax(-1)
        probabilities = torch.where(cold, _greedy(scores), warm)
    else:
        probabilities = (scores / temperature).softmax(-1) if temperature else _greedy(scores)
    if top_k is not None and top_k < vocab:
        kept = torch.zeros_like(probabilities, dtype=torch.bool)
        kept.scatter_(-1, probabilities.topk(top_k, dim=-1).indices, True)
        probabilities = _renormalise(probabilities * kept)
    if top_p is not None and top_p < 1:
        ranked, order = probabilities.sort(dim=-1, descending=True, stable=True)
        needed = ranked.cumsum(-1) - ranked < top_p
        kept = torch.zeros_like(needed).scatter_(-1, order, needed)
        probabilities = _renormalise(probabilities * kept)
    return probabilities


@explained
def draw(
    probabilities: Float[Tensor, "*batch vocab"], generator: Generator | None = None
) -> Int[Tensor, "*batch"]:
    """One index a row: roll a number in [0, 1) and look where it falls on the stacked probabilities.

    Raises LessonError for a row that is no distribution: negative, not a number, or nothing but zeros.
    """
    if not probabilities.is_meta:
        total = probabilities.sum(-1)
        if not probabilities.numel() or bool((probabilities < 0).any()) or not bool((total > 0).all()):
            raise LessonError("These are no probabilities to draw from: they are 0 or more and not all 0.")
    device = generator.device if generator is not None else probabilities.device
    rolls = torch.rand(probabilities.shape[:-1], generator=generator, device=device)
    return place(probabilities, rolls.to(probabilities))


def place(
    probabilities: Float[Tensor, "*batch vocab"], rolls: Float[Tensor, "*batch"]
) -> Int[Tensor, "*batch"]:
    """The index whose stretch of the stacked probabilities holds the roll; never one of probability 0."""
    stacked = probabilities.cumsum(-1)
    total = stacked[..., -1]
    target = torch.minimum(rolls * total, torch.nextafter(total, torch.zeros_like(total)))
    return torch.searchsorted(stacked, target[..., None].contiguous(), right=True)[..., 0]


@explained
def stream(
    model: torch.nn.Module,
    seed_text: str = "",
    *,
    temperature: Heat = 1.0,
    top_k: int | None = None,
    top_p: Number | None = None,
    seed: Seed = 0,
) -> Iterator[Draw]:
    """Draws without end, one character at a time; take as many as you like.

    Steps with the model's cells (`model.step`), about 3.5 times faster on a CPU than a fused layer at T = 1.
    The rolls come from the CPU's generator whatever the model's device, so a seed means the same everywhere.
    An empty `seed_text` starts as after a newline, at the beginning of a line.
    """
    _check(temperature, top_k, top_p, _vocabulary(model))
    symbols = model.vocabulary.symbols
    steps = _steps(model, seed_text, [temperature], top_k, top_p, seed)
    return (Draw(symbols[int(i[0])], int(i[0]), probabilities[0], roll) for i, probabilities, roll in steps)


@explained
def generate(
    model: torch.nn.Module,
    seed_text: str = "",
    length: int = 200,
    temperature: Heat = 1.0,
    top_k: int | None = None,
    top_p: Number | None = None,
    seed: Seed = 0,
    greedy: bool = False,
) -> Sample:
    """`length` characters after `seed_text`, with every distribution; `greedy` is temperature 0.

    An empty `seed_text` starts as after a newline. Ctrl-C (or the notebook's stop button) returns what is
    there, marked interrupted. Raises LessonError for settings out of bounds or unknown characters.
    """
    heat = 0.0 if greedy else temperature
    return generate_at(model, [heat], seed_text, length, top_k=top_k, top_p=top_p, seed=seed)[0]


@explained
def generate_at(
    model: torch.nn.Module,
    temperatures: Sequence[Heat],
    seed_text: str = "",
    length: int = 200,
    *,
    top_k: int | None = None,
    top_p: Number | None = None,
    seed: Seed = 0,
) -> tuple[Sample, ...]:
    """Passages at several temperatures in one batched run, all with the same rolls of the die."""
    if not len(temperatures):
        raise LessonError("Give at least one temperature to write at, such as [0.5, 1.0].")
    for temperature in temperatures:
        _check(temperature, top_k, top_p, _vocabulary(model))
    vocabulary = model.vocabulary
    if length < 1:
        raise LessonError(f"Ask for at least one character; {length} were asked for.")
    chosen, seen, rolls, interrupted = [], [], [], False
    try:
        for indices, probabilities, roll in _steps(model, seed_text, temperatures, top_k, top_p, seed):
            chosen.append(indices)
            seen.append(probabilities)
            rolls.append(roll)
            if len(chosen) == length:
                break
    except KeyboardInterrupt:
        interrupted = True
    rows = len(temperatures)
    indices = torch.stack(chosen, 1).cpu() if chosen else torch.empty(rows, 0, dtype=torch.long)
    spread = torch.stack(seen, 1).cpu() if seen else torch.empty(rows, 0, len(vocabulary))
    rolled = torch.tensor(rolls)
    return tuple(
        Sample(seed_text, vocabulary.decode(i), i, p, rolled, float(t), top_k, top_p, seed, interrupted)
        for i, p, t in zip(indices, spread, temperatures, strict=True)
    )


def _steps(
    model: torch.nn.Module,
    seed_text: str,
    temperatures: Sequence[Number],
    top_k: int | None,
    top_p: Number | None,
    seed: int,
) -> Iterator[tuple[Tensor, Tensor, float]]:
    """Endless (indices, probabilities, roll), one row a temperature."""
    context = seed_text or "\n"
    if context not in model.vocabulary and not seed_text:
        raise LessonError(
            "This model has never seen a newline to start from; give it a few characters first."
        )
    device = next(model.parameters()).device
    rows = len(temperatures)
    tokens = model.encode(context).expand(rows, -1)
    generator = Generator(device="cpu").manual_seed(seed)
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad():
            logits, state = model(tokens)
            logits = logits[:, -1]
            heats = torch.tensor(temperatures, dtype=logits.dtype, device=device)
            heats = heats if rows > 1 else temperatures[0]
            while True:
                probabilities = _distribution(logits, heats, top_k, top_p)
                roll = torch.rand((), generator=generator, device="cpu")
                indices = place(probabilities, roll.to(probabilities).expand(rows))
                yield indices, probabilities, float(roll)
                logits, state = model.step(indices, state)
    finally:
        model.train(was_training)


def _vocabulary(model: torch.nn.Module) -> int:
    """How many characters a model knows; LessonError for a model that knows none."""
    if not hasattr(model, "vocabulary"):
        raise LessonError(f"Text is written by a CharModel; a {type(model).__name__} has no characters.")
    return len(model.vocabulary)


def _greedy(scores: Tensor) -> Tensor:
    return one_hot(scores.argmax(-1), scores.shape[-1]).to(scores.dtype)


def _renormalise(probabilities: Tensor) -> Tensor:
    return probabilities / probabilities.sum(-1, keepdim=True)


def _check(temperature: Number | Tensor, top_k: int | None, top_p: Number | None, vocab: int) -> None:
    heats = temperature.flatten().tolist() if isinstance(temperature, Tensor) else [temperature]
    for heat in heats:
        if not (math.isfinite(heat) and heat >= 0):
            raise LessonError(
                f"The temperature is a number from 0 (always the likeliest) upwards; {heat} is not."
            )
    if top_k is not None and not 1 <= top_k <= vocab:
        raise LessonError(
            f"top_k lies between 1 and the {vocab} characters of the vocabulary; {top_k} does not."
        )
    if top_p is not None and not 0 < top_p <= 1:
        raise LessonError(f"top_p is a share above 0 and at most 1; {top_p} is not.")
