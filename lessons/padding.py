"""Sequences of different lengths in one rectangle: padded and masked, never packed.

On the CPU a packed LSTM is 3 to 12 times slower than a padded one and computes the same numbers, so this
package pads. Time is the first axis here, as inside torch's kernels.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float, Int, Shaped
from torch import Tensor

from lessons.errors import LessonError


def checked(
    lengths: Int[Tensor, " batch"] | Sequence[int] | None, steps: int, batch: int, device: torch.device
) -> Int[Tensor, " batch"] | None:
    """The lengths as a tensor on the device, or None where every sequence fills all the steps.

    Raises LessonError when there is not one length per sequence or a length is not between 1 and `steps`.
    """
    if lengths is None:
        return None
    lengths = torch.as_tensor(lengths)
    if lengths.shape != (batch,):
        raise LessonError(
            f"lengths has shape {tuple(lengths.shape)}; give one length for each of {batch} sequences."
        )
    if lengths.is_meta:
        return lengths
    if batch and not 1 <= int(lengths.min()) <= int(lengths.max()) <= steps:
        raise LessonError(f"lengths must lie between 1 and the {steps} steps given, not {lengths.tolist()}.")
    return None if bool((lengths == steps).all()) else lengths.to(device)


def beyond(lengths: Int[Tensor, " batch"], steps: int) -> Bool[Tensor, "time batch 1"]:
    """True where a step lies past the end of its sequence."""
    return (torch.arange(steps, device=lengths.device)[:, None] >= lengths)[..., None]


def blank(
    x: Float[Tensor, "time batch axis"], lengths: Int[Tensor, " batch"] | None
) -> Float[Tensor, "time batch axis"]:
    """x with zeros past the end of each sequence."""
    return x if lengths is None else x.masked_fill(beyond(lengths, x.shape[0]), 0.0)


def reverse(
    x: Shaped[Tensor, "time batch axis"], lengths: Int[Tensor, " batch"] | None
) -> Shaped[Tensor, "time batch axis"]:
    """Each sequence read backwards inside its own length, its padding left at the end. Twice gives x."""
    if lengths is None:
        return x.flip(0)
    step = torch.arange(x.shape[0], device=x.device)[:, None]
    source = torch.where(step < lengths, lengths - 1 - step, step)
    return x.gather(0, source[..., None].expand_as(x))


def last(
    x: Float[Tensor, "time batch axis"], lengths: Int[Tensor, " batch"] | None
) -> Float[Tensor, "batch axis"]:
    """The last step of each sequence."""
    if lengths is None:
        return x[-1]
    return x[lengths - 1, torch.arange(x.shape[1], device=x.device)]


def first(x: Tensor, lengths: Int[Tensor, " batch"] | None, backward: bool) -> tuple:
    """The index, in the order of the input, of the step at which each sequence begins to be read."""
    if not backward:
        return (0,)
    if lengths is None:
        return (-1,)
    return lengths - 1, torch.arange(x.shape[1], device=x.device)


def before(
    x: Float[Tensor, "time batch axis"],
    start: Float[Tensor, "batch axis"],
    lengths: Int[Tensor, " batch"] | None = None,
    backward: bool = False,
) -> Float[Tensor, "time batch axis"]:
    """For each step the state that it began with, when x holds the states that the steps ended with."""
    earlier = torch.empty_like(x, memory_format=torch.contiguous_format)
    if backward:
        earlier[:-1] = x[1:]
    else:
        earlier[1:] = x[:-1]
    earlier[first(x, lengths, backward)] = start
    return earlier
