"""The soft window: attention from before attention, Graves (2013), section 5.1.

At every step K Gaussians stand over the letters of a text. Each has a height alpha, a sharpness beta and a
place kappa that only ever moves forwards. What the network reads of the text is the mean of its letters
under them. Here stand the equations, and one step of the LSTM that carries a window; lessons.window_loop
computes the same for training.
"""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from lessons.cells import lstm_step

HIGHEST = 8.0  # bound of the logarithms of alpha, beta and the step of kappa: exp(8) is about 3,000
Gaussians = Float[Tensor, "batch gaussians"]
PerLetter = Float[Tensor, "batch letters"]


class Window(NamedTuple):
    """A window at one step. phi: how much each letter is read, one place more than there are letters."""

    alpha: Gaussians
    beta: Gaussians
    kappa: Gaussians
    phi: PerLetter


class WindowStep(NamedTuple):
    """What one step leaves: h and c, what was read of the letters, and the window that it was read by."""

    h: Float[Tensor, "batch hidden"]
    c: Float[Tensor, "batch hidden"]
    read: Float[Tensor, "batch alphabet"]
    window: Window


class WindowWeights(NamedTuple):
    """The weights of an LSTM with a window. weight_ih takes the offset, weight_hh state and what was read.

    window_weight and window_bias make 3 K numbers of h: the logarithms of alpha, beta and kappa's step.
    """

    weight_ih: Float[Tensor, "rows input"]
    weight_hh: Float[Tensor, "rows across"]
    bias: Float[Tensor, " rows"]
    window_weight: Float[Tensor, "numbers hidden"]
    window_bias: Float[Tensor, " numbers"]


def window(
    numbers: Float[Tensor, "batch numbers"], kappa: Gaussians, real: Bool[Tensor, "batch letters"]
) -> Window:
    """The window that 3 K numbers stand for, equations 46 to 51.

    kappa: where the Gaussians stood before. real: False on padding, which is never read; the places count
    from 0.
    """
    alpha, beta, ahead = numbers.clamp(-HIGHEST, HIGHEST).exp().chunk(3, -1)
    kappa = kappa + ahead
    place = torch.arange(real.shape[1], device=kappa.device, dtype=kappa.dtype)
    away = kappa[..., None] - place
    phi = (alpha[..., None] * (-beta[..., None] * away**2).exp()).sum(1)
    return Window(alpha, beta, kappa, phi.masked_fill(~real, 0))


def window_step(
    x: Float[Tensor, "batch input"],
    h: Float[Tensor, "batch hidden"],
    c: Float[Tensor, "batch hidden"],
    read: Float[Tensor, "batch alphabet"],
    kappa: Gaussians,
    letters: Float[Tensor, "batch letters alphabet"],
    real: Bool[Tensor, "batch letters"],
    weights: WindowWeights,
) -> WindowStep:
    """One step: the LSTM sees the offset and what was read before; its new h moves the window and reads anew.

    letters: one-hot, a row of zeros for the place after the last letter.
    """
    state = lstm_step(
        torch.cat([x, read], 1), h, c,
        torch.cat([weights.weight_ih, weights.weight_hh[:, h.shape[1] :]], 1),
        weights.weight_hh[:, : h.shape[1]], weights.bias,
    )  # fmt: skip
    seen = window(state.h @ weights.window_weight.T + weights.window_bias, kappa, real)
    return WindowStep(state.h, state.c, (seen.phi[:, None] @ letters)[:, 0], seen)
