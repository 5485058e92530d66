"""How one value differs from another, in a sentence that a learner can use."""

from __future__ import annotations

from typing import Any

import torch


def difference(part: str, seen: Any, expected: Any, tolerance: float) -> str:
    """One sentence on how `seen` differs from `expected`; empty if it does not."""
    if isinstance(expected, bool):
        return "" if bool(seen) == expected else f"it is {'not ' * expected}so that {part}"
    if isinstance(expected, str | tuple):
        return "" if seen == expected else f"{part} is {seen} where {expected} is expected"
    ours, theirs = _numbers(expected), _numbers(seen)
    if theirs is None:
        return f"{part} should be {describe(expected)}; it is {describe(seen)}"
    if ours.ndim == 0 and theirs.numel() == 1:
        theirs = theirs.reshape(())
    if ours.shape != theirs.shape:
        return f"{part} has shape {tuple(theirs.shape)} where {tuple(ours.shape)} is expected"
    if theirs.isnan().any():
        return f"{part} holds NaN, which is no number: {int(theirs.isnan().sum())} of {theirs.numel()} values"
    return _gap(part, theirs, ours, tolerance)


def describe(value: Any) -> str:
    """A value in words: a tensor by its shape, a number by itself, anything else by its type."""
    if isinstance(value, torch.Tensor):
        return f"a tensor of shape {tuple(value.shape)}"
    if isinstance(value, bool | int | float):
        return f"the number {value:.4g}"
    if isinstance(value, tuple | list):
        return f"a {type(value).__name__} of {len(value)} values"
    if value is None:
        return "None"
    return f"a value of type {type(value).__name__}"


def _numbers(value: Any) -> torch.Tensor | None:
    try:
        if isinstance(value, tuple | list):
            value = torch.stack([torch.as_tensor(part) for part in value])
        return torch.as_tensor(value).detach().to("cpu", torch.float64)
    except (TypeError, ValueError, RuntimeError):
        return None


def _gap(part: str, seen: torch.Tensor, expected: torch.Tensor, tolerance: float) -> str:
    gap = (seen - expected).abs()
    gap = torch.where(seen == expected, torch.zeros_like(gap), gap)  # equal infinities differ by nothing
    if bool((gap <= tolerance * (1 + expected.abs().nan_to_num(posinf=0))).all()):
        return ""
    if gap.ndim == 0:
        return f"{part} is {seen:.4g} where {expected:.4g} is expected"
    wrong = (gap > tolerance * (1 + expected.abs())) | gap.isnan()
    at = tuple(int(place) for place in wrong.nonzero()[0])
    place = f"position {at[0] if len(at) == 1 else list(at)}"
    return (
        f"{part}: {int(wrong.sum())} of {gap.numel()} values differ, by up to {gap.max():.3g}; "
        f"at {place} it is {seen[at]:.4g} where {expected[at]:.4g} is expected"
    )
