"""The N-ary Tree-LSTM over a whole forest, forward and backward by hand.

Autograd would copy the states of all lower levels once a level, forward and backward. Here they stand in one
buffer, every level is one matrix product and one sigmoid, and the slopes go down the levels the same way.
Equal to `lessons.tree_cells.n_ary_step` at every node, and to its derivative.
"""

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.autograd.function import once_differentiable

from lessons.fast import by_sigmoid

Rows = Float[Tensor, "rows hidden"]
Level = tuple[int, int, int]


class NAryForest(torch.autograd.Function):
    """h and c of all rows of a forest; see `lessons.trees.Forest` for rows, numbers, children and levels."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Float[Tensor, "symbols gates"],
        weight: Float[Tensor, "sums inputs"],
        numbers: Int[Tensor, " inner"],
        children: Int[Tensor, "inner places"],
        levels: Sequence[Level],
    ) -> tuple[Rows, Rows]:
        """x (V, 4H) in the order i f g o, weight ((3 + N) H, N H) with the rows i g o f_1 … f_N."""
        symbols, hidden = x.shape[0], x.shape[1] // 4
        places = weight.shape[1] // hidden
        sums = spread(x, places)
        first = 1 + symbols  # row of the lowest inner node
        h, c, squashed = x.new_zeros(3, first + len(numbers), hidden).unbind(0)
        gates = x.new_empty(first + len(numbers), weight.shape[0])
        for begin, end, _ in [(-symbols, 0, 0), *levels]:
            mine = slice(first + begin, first + end)
            z = gates[mine]
            if begin < 0:  # the leaves
                z.copy_(sums)
            else:
                below = children[begin:end]
                torch.mm(h[below].flatten(1), weight.T, out=z)
                z += sums[numbers[begin:end]]
            i, g, o, f = z.split([hidden, hidden, hidden, places * hidden], 1)
            for gate in (i, o, f):
                gate.sigmoid_()
            tanh_(g)
            torch.mul(i, g, out=c[mine])
            if begin >= 0:
                c[mine] += (f.view(end - begin, places, hidden) * c[below]).sum(1)
            squashed[mine] = tanh_(c[mine].clone())
            torch.mul(o, squashed[mine], out=h[mine])
        ctx.save_for_backward(weight, numbers, children, h, c, squashed, gates)
        ctx.levels = levels
        return h, c

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dh: Rows, dc: Rows) -> tuple[Tensor | None, ...]:
        """From the highest level down: the slopes of a node's sums, and through them those of its
        children."""
        weight, numbers, children, h, c, squashed, gates = ctx.saved_tensors
        hidden = h.shape[1]
        places = weight.shape[1] // hidden
        first = len(h) - len(numbers)
        dh, dc = dh.clone(), dc.clone()
        slopes = torch.empty_like(gates)
        for begin, end, _ in [*reversed(ctx.levels), (1 - first, 0, 0)]:
            mine = slice(first + begin, first + end)
            i, g, o, f = gates[mine].split([hidden, hidden, hidden, places * hidden], 1)
            di, dg, do, df = slopes[mine].split([hidden, hidden, hidden, places * hidden], 1)
            t, above = squashed[mine], dh[mine]
            through = dc[mine] + above * o * (1 - t * t)
            torch.mul(above * t, o * (1 - o), out=do)
            torch.mul(through * g, i * (1 - i), out=di)
            torch.mul(through * i, 1 - g * g, out=dg)
            if begin < 0:
                df.zero_()
                continue
            below = children[begin:end]
            keep = f.view(-1, places, hidden)
            kept = through[:, None] * keep
            torch.mul((kept * c[below]).flatten(1), 1 - f, out=df)
            rows = below.flatten()
            dc.index_add_(0, rows, kept.flatten(0, 1))
            dh.index_add_(0, rows, (slopes[mine] @ weight).view(-1, hidden))
        inner = slopes[first:]
        d_weight = inner.T @ h[children].flatten(1)
        d_sums = slopes[1:first].index_add(0, numbers, inner)
        return gathered(d_sums, places), d_weight, None, None, None


def spread(x: Float[Tensor, "symbols gates"], places: int) -> Float[Tensor, "symbols sums"]:
    """The columns i f g o as i g o and f once for every child."""
    i, f, g, o = x.chunk(4, 1)
    return torch.cat([i, g, o, *[f] * places], 1)


def gathered(sums: Float[Tensor, "symbols sums"], places: int) -> Float[Tensor, "symbols gates"]:
    """The slopes of i f g o from those of `spread`."""
    hidden = sums.shape[1] // (3 + places)
    i, g, o, f = sums.split([hidden, hidden, hidden, places * hidden], 1)
    return torch.cat([i, f.view(-1, places, hidden).sum(1), g, o], 1)


def tanh_(x: Tensor) -> Tensor:
    """tanh in place; on a CPU in float32 by the sigmoid, which is faster there and as good as float32
    needs."""
    if by_sigmoid(x):
        return x.mul_(2).sigmoid_().mul_(2).sub_(1)
    return x.tanh_()
