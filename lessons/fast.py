"""Two facts about torch on a CPU, behind names: its sigmoid is several times faster than its tanh, and
oneDNN's matrix product is up to twice as fast as the default one on some processors. Neither is
differentiable here."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

MINUS_ONE = torch.full((), -1.0, device="cpu", dtype=torch.float32)


def linear(
    x: Float[Tensor, "*rows input"],
    weight: Float[Tensor, "output input"],
    bias: Float[Tensor, " output"] | None = None,
) -> Float[Tensor, "*rows output"]:
    """x W^T + b without gradients; through oneDNN where that is float32 on a CPU and large enough to gain."""
    if _suits_onednn(x):
        try:
            return torch.ops.mkldnn._linear_pointwise(x, weight, bias, "none", [], "")
        except (AttributeError, RuntimeError):  # a private operator: another torch may not have it
            return functional.linear(x, weight, bias)
    return functional.linear(x, weight, bias)


def _suits_onednn(x: Tensor) -> bool:
    return x.device.type == "cpu" and x.dtype == torch.float32 and x.numel() >= 1 << 15 and x.is_contiguous()


def by_sigmoid(x: Tensor) -> bool:
    """Whether tanh(v) is better computed as 2 sigmoid(2v) - 1, which is good to 1e-7 and no further."""
    return x.device.type == "cpu" and x.dtype == torch.float32


def double_rows(weight: Tensor | None, start: int = 0, end: int | None = None) -> Tensor | None:
    """A copy with the rows start..end doubled, so that a sigmoid of those sums is ready to become a tanh."""
    if weight is None:
        return None
    doubled = weight.detach().clone()
    doubled[start:end] *= 2
    return doubled


def tanh_of_doubled_(doubled: Tensor) -> Tensor:
    """tanh(v) in place, from 2v."""
    return sigmoid_to_tanh_(doubled.sigmoid_())


def sigmoid_to_tanh_(s: Tensor) -> Tensor:
    """2s - 1 in place, in one pass; s as `by_sigmoid` wants it."""
    return torch.add(MINUS_ONE, s, alpha=2, out=s)
