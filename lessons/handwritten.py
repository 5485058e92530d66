"""Writing with a trained network: point by point, each drawn from the density that those before it led to."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy
import torch
from jaxtyping import Float
from torch import Generator, Tensor

from lessons.arguments import Between, Count, Seed, explained
from lessons.errors import LessonError
from lessons.handwriting import State, Writer
from lessons.ink import Ink
from lessons.mixture_density import Mixture, draw, mixture
from lessons.pen import check_line

MOST = 45  # points for a letter, before a line is given up
Bias = Annotated[float | int, Between(0, 10)]
LONGEST_TYPED = 40  # characters of a line to be written


@dataclass(frozen=True, eq=False, repr=False)
class Written:
    """What a network wrote, with how it came to every point.

    ink: the points, their letters those that the window read most. numbers: (T, 6 M + 1), what stood before
    each point was drawn. phi: (T, U + 1), how much each letter was read, the place behind the text last; no
    columns without a window. finished: whether the window left the text: the network knew that it was done.
    """

    ink: Ink
    numbers: Float[Tensor, "time numbers"]
    phi: Float[Tensor, "time letters"]
    bias: float
    seed: int
    finished: bool

    def __repr__(self) -> str:
        end = "finished" if self.finished else "stopped before it was finished"
        return (
            f"Written({self.ink.text!r}, {len(self.ink)} points, bias {self.bias:g}, seed {self.seed}, {end})"
        )

    def density(self, step: int | None = None) -> Mixture:
        """The mixture that the point of a step was drawn from; of all steps by default."""
        return mixture(self.numbers if step is None else self.numbers[step], self.bias)


@explained
def handwrite(
    model: Writer, text: str = "", bias: Bias = 0.0, seed: Seed = 0, prime: Ink | None = None,
    points: Count | None = None,
) -> Written:  # fmt: skip
    """Write a text; the same for the same seed on the same machine.

    bias: 0 writes as the network learnt, more writes neater and more alike (Graves 2013, section 5.4).
    prime: ink of a known text, which is read first, so that the network goes on in its hand (section 5.5).
    points: stop after so many; by default when the window has left the text, as in section 5.3, and the pen
    is lifted. A network without a window writes 400 points of whatever it likes.
    Raises LessonError for a text that cannot be written.
    """
    return handwrite_all(model, [text], bias, seed, prime, points)[0]


@explained
@torch.no_grad()
def handwrite_all(
    model: Writer,
    texts: Sequence[str],
    bias: Bias = 0.0,
    seed: Seed = 0,
    prime: Ink | None = None,
    points: Count | None = None,
) -> list[Written]:
    """The same for several texts at once, with one sequence of draws for all. LessonError for no text."""
    if not texts:
        raise LessonError("There is no text to write; give at least one.")
    longest = points or limit(model, texts)
    before = "" if prime is None else prime.text + " "
    text = model.encode([before + text for text in texts]) if model.gaussians else None
    weight = model.readout.weight
    dice = Generator(device=weight.device).manual_seed(seed)
    x, state = primed(model, text, prime, len(texts))
    ends = torch.tensor([len(before + one) for one in texts], device=weight.device)
    left = finished = torch.zeros_like(ends, dtype=torch.bool)
    drawn, numbers, looks, counts = [], [], [], torch.zeros_like(ends)
    for _ in range(longest):
        told, state, seen = model.step(x, state, text)
        if seen is not None:
            # The window leaves the text a point or two before the last letter is done: wait for the lift.
            left = left | (seen.phi.argmax(1) == ends) | (seen.phi.amax(1) == 0)
            finished = finished | (left & (x[:, 2] > 0.5))
            looks.append(seen.phi)
        if bool(finished.all()):
            break
        x = draw(mixture(told, bias), dice)
        drawn.append(x)
        numbers.append(told)
        counts += ~finished
    if not drawn:
        raise LessonError("The network took the text for written before its first point; train it longer.")
    offsets, told = torch.stack(drawn, 1).cpu(), torch.stack(numbers, 1).cpu()
    phi = torch.stack(looks, 1).cpu() if looks else offsets.new_zeros(len(texts), len(drawn), 0)
    return [
        _written(
            text if model.gaussians else "",
            offsets[row, :end],
            told[row, :end],
            phi[row, :end, len(before) :],
            bias,
            seed,
            done,
        )
        for row, (text, end, done) in enumerate(zip(texts, counts.tolist(), finished.tolist(), strict=True))
        if end
    ]


def limit(model: Writer, texts: Sequence[str]) -> int:
    """How many points are drawn at most. Raises LessonError for texts that cannot be written."""
    if not model.gaussians:
        return 400
    for text in texts:
        check_line(text, LONGEST_TYPED)
    return MOST * max(map(len, texts))


def primed(model: Writer, text, prime: Ink | None, batch: int) -> tuple[Tensor, State]:
    """The point to go on from and the state: of a blank page, or after reading a piece of ink."""
    weight, state = model.readout.weight, model.start(batch)
    x = weight.new_zeros(batch, 3)
    if prime is None:
        return x, state
    for offset in torch.from_numpy(prime.offsets).to(weight):
        _, state, _ = model.step(x, state, text)
        x = offset.expand(batch, 3)
    return x, state


def _written(
    text: str, offsets: Tensor, numbers: Tensor, phi: Tensor, bias: float, seed: int, done: bool
) -> Written:
    offsets = offsets.clone()
    offsets[-1, 2] = 1  # the last point ends its stroke, whatever was drawn
    letters = (
        phi[:, : len(text)].argmax(1).numpy()
        if phi.shape[1]
        else numpy.zeros(len(offsets), dtype=numpy.int64)
    )
    ink = Ink(offsets.numpy().astype(numpy.float32), text, letters, "network")
    return Written(ink, numbers, phi, float(bias), seed, done)
