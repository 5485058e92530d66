"""One step of each recurrent cell, as its equations stand in the books and as torch.nn computes it.

The rest of the package is tested against these functions. They are slow (the whole input product is done
again at every step), and clear. Weights follow torch: one matrix holds the rows of all gates, in the order
`i f g o` for the LSTM and `r z n` for the GRU, and there are two bias vectors because cuDNN keeps two.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from lessons.errors import LessonError

Batch = Float[Tensor, "batch hidden"]


class RNNStep(NamedTuple):
    """What an Elman cell computes in one step: its new state."""

    h: Batch


class LSTMStep(NamedTuple):
    """What an LSTM cell computes in one step: gates i, f and o, candidate g, cell c, output h."""

    i: Batch
    f: Batch
    g: Batch
    o: Batch
    c: Batch
    h: Batch


class GRUStep(NamedTuple):
    """What a GRU cell computes in one step: gates r and z, candidate n, recurrent candidate q, state h."""

    r: Batch
    z: Batch
    n: Batch
    q: Batch
    h: Batch


def rnn_step(
    x: Float[Tensor, "batch input"],
    h: Float[Tensor, "batch hidden"],
    weight_ih: Float[Tensor, "hidden input"],
    weight_hh: Float[Tensor, "hidden hidden"],
    bias_ih: Float[Tensor, " hidden"] | None = None,
    bias_hh: Float[Tensor, " hidden"] | None = None,
    nonlinearity: str = "tanh",
) -> RNNStep:
    """One step of the simple recurrent network of Elman (1990), "Finding Structure in Time".

    h' = tanh(W_ih x + b_ih + W_hh h + b_hh), or with relu in place of tanh (Le, Jaitly and Hinton, 2015).
    Raises LessonError for any other nonlinearity.
    """
    if nonlinearity not in ("tanh", "relu"):
        raise LessonError(f"nonlinearity is {nonlinearity!r}, but an Elman cell here has 'tanh' or 'relu'.")
    total = affine(x, weight_ih, bias_ih) + affine(h, weight_hh, bias_hh)
    return RNNStep(h=torch.tanh(total) if nonlinearity == "tanh" else torch.relu(total))


def lstm_step(
    x: Float[Tensor, "batch input"],
    h: Float[Tensor, "batch hidden"],
    c: Float[Tensor, "batch hidden"],
    weight_ih: Float[Tensor, "4*hidden input"],
    weight_hh: Float[Tensor, "4*hidden hidden"],
    bias_ih: Float[Tensor, " 4*hidden"] | None = None,
    bias_hh: Float[Tensor, " 4*hidden"] | None = None,
) -> LSTMStep:
    """One step of the LSTM of Hochreiter and Schmidhuber (1997) with the forget gate of Gers et al. (2000).

    The three gates lie between 0 and 1: i lets the candidate g in, f keeps the old cell, o lets the cell out.
    """
    total = affine(x, weight_ih, bias_ih) + affine(h, weight_hh, bias_hh)
    i, f, g, o = total.chunk(4, dim=-1)
    i, f, g, o = torch.sigmoid(i), torch.sigmoid(f), torch.tanh(g), torch.sigmoid(o)
    c = f * c + i * g
    h = o * torch.tanh(c)
    return LSTMStep(i, f, g, o, c, h)


def gru_step(
    x: Float[Tensor, "batch input"],
    h: Float[Tensor, "batch hidden"],
    weight_ih: Float[Tensor, "3*hidden input"],
    weight_hh: Float[Tensor, "3*hidden hidden"],
    bias_ih: Float[Tensor, " 3*hidden"] | None = None,
    bias_hh: Float[Tensor, " 3*hidden"] | None = None,
) -> GRUStep:
    """One step of the gated recurrent unit of Cho et al. (2014), in torch's and cuDNN's form.

    The reset gate multiplies q = W_hn h + b_hn, after the matrix product; in the paper it multiplies h
    before it. Here z keeps the old state, as f does in an LSTM; the paper's equation 7 agrees, some text
    books swap z and 1 - z.
    """
    from_x, from_h = affine(x, weight_ih, bias_ih), affine(h, weight_hh, bias_hh)
    x_r, x_z, x_n = from_x.chunk(3, dim=-1)
    h_r, h_z, q = from_h.chunk(3, dim=-1)
    r = torch.sigmoid(x_r + h_r)
    z = torch.sigmoid(x_z + h_z)
    n = torch.tanh(x_n + r * q)
    h = (1 - z) * n + z * h
    return GRUStep(r, z, n, q, h)


def affine(
    x: Float[Tensor, "batch input"], weight: Float[Tensor, "rows input"], bias: Float[Tensor, " rows"] | None
) -> Float[Tensor, "batch rows"]:
    """weight x + bias for every row of the batch; no bias when it is None."""
    product = x @ weight.T
    return product if bias is None else product + bias
