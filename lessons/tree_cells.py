"""One step of each recursive cell: from the states of a node's children to its own, for many nodes at once.

    h, c    (nodes, places, hidden): the children's states in order, 0 where a node has no further child
    x       (nodes, 4 hidden): what the node's own symbol adds to the sums in the gates, W e + b for its
    embedding
            e. It depends on the symbol alone, so that it is computed once a symbol and not once a node.

Gates have the letters of lesson 04: i f g o. Tai, Socher and Manning call the candidate g u.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

Below = Float[Tensor, "nodes places hidden"]
Own = Float[Tensor, "nodes gates"]
New = Float[Tensor, "nodes hidden"]


class RecStep(NamedTuple):
    """What the plain cell computes at a node: its state."""

    h: New


class TreeStep(NamedTuple):
    """What a Tree-LSTM computes at a node: gates i and o, a gate f for every child, candidate g, c and h."""

    i: New
    f: Below
    g: New
    o: New
    c: New
    h: New


def rec_step(x: New, h: Below, weight_hh: Float[Tensor, "hidden places*hidden"]) -> RecStep:
    """The plain recursive network: h' = tanh(x + U [h_1; h_2; …]), with a block of U for every place.

    Goller and Küchler 1996; Socher, Lin, Ng and Manning 2011, with two children and nothing of the node's
    own.
    """
    return RecStep(torch.tanh(x + h.flatten(1) @ weight_hh.T))


def child_sum_step(x: Own, h: Below, c: Below, weight_hh: Float[Tensor, "4*hidden hidden"]) -> TreeStep:
    """The Child-Sum Tree-LSTM, any number of children in any order; rows of the weights in the order i f g o.

    Tai, Socher and Manning 2015, section 3.1: i, g and o see the sum of the children's states, each child's f
    sees that child alone; c' = i g + sum over children of f_k c_k, h' = o tanh(c').
    """
    hidden = h.shape[-1]
    u_i, u_f, u_g, u_o = weight_hh.split(hidden)
    x_i, x_f, x_g, x_o = x.split(hidden, 1)
    total = h.sum(1)
    i = torch.sigmoid(x_i + total @ u_i.T)
    f = torch.sigmoid(x_f[:, None] + h @ u_f.T)
    g = torch.tanh(x_g + total @ u_g.T)
    o = torch.sigmoid(x_o + total @ u_o.T)
    new = i * g + (f * c).sum(1)
    return TreeStep(i, f, g, o, new, o * torch.tanh(new))


def n_ary_step(x: Own, h: Below, c: Below, weight_hh: Float[Tensor, "rows places*hidden"]) -> TreeStep:
    """The N-ary Tree-LSTM: every place among the children has weights of its own, so their order counts.

    weight_hh has the rows i g o f_1 … f_N, (3 + N) H of them, and a block of columns for every place: each
    gate sees all children. Tai, Socher and Manning 2015, section 3.2.
    """
    nodes, places, hidden = h.shape
    x_i, x_f, x_g, x_o = x.split(hidden, 1)
    u_i, u_g, u_o, u_f = (h.flatten(1) @ weight_hh.T).split([hidden, hidden, hidden, places * hidden], 1)
    i = torch.sigmoid(x_i + u_i)
    f = torch.sigmoid(x_f[:, None] + u_f.view(nodes, places, hidden))
    g = torch.tanh(x_g + u_g)
    o = torch.sigmoid(x_o + u_o)
    new = i * g + (f * c).sum(1)
    return TreeStep(i, f, g, o, new, o * torch.tanh(new))
