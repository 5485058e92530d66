"""Right and wrong answers to the exercises of lesson 08, for test_exercises."""

import torch
from torch.nn import functional

FIND_THE_BUG = {"dropped_weight"}


def by_bernoulli(x, p):
    return torch.empty(x.shape[0], 1, x.shape[-1]).bernoulli_(1 - p).div(1 - p)


def by_torchs_dropout(x, p):
    return functional.dropout(torch.ones_like(x[:, :1]), p, training=True)


def mask(shape, share=lambda p: 1 - p, scale=lambda p: 1 - p):
    def draw(x, p):
        return torch.empty(shape(x)).bernoulli_(share(p)) / scale(p)

    return draw


def row(x):
    return (len(x), 1, x.shape[2])


def seeded(x, p):
    torch.manual_seed(0)
    return by_bernoulli(x, p)


def by_hand(weight, p, training):
    if not training:
        return weight
    return weight * (torch.rand(weight.shape) >= p) / (1 - p)


def in_place(weight, p, training):
    if training:
        weight.data *= torch.rand(weight.shape) >= p
        weight.data /= 1 - p
    return weight


RIGHT = {
    "locked_mask": [by_bernoulli, by_torchs_dropout],
    "drop_state": [
        lambda h, keep, p, training: torch.where(keep > 0, h / (1 - p), 0.0) if training else h,
        lambda h, keep, p, training: h * (keep / (1 - p) if training else torch.ones_like(keep)),
    ],
    "dropped_weight": [by_hand, lambda w, p, training: functional.dropout(w, p, training=training)],
    "zoneout": [
        lambda old, new, stay, p, training: torch.lerp(
            new, old, stay if training else torch.full_like(stay, p)
        ),
        lambda old, new, stay, p, training: (
            torch.where(stay > 0, old, new) if training else new + p * (old - new)
        ),
    ],
}

WRONG = {
    "locked_mask": [
        (mask(lambda x: x.shape), "new mask at each step"),
        (mask(lambda x: (1, 1, x.shape[2])), "share one mask"),
        (mask(lambda x: (len(x), 1, 1)), "live or die together"),
        (mask(lambda x: (len(x), x.shape[2])), "Keep it with length 1"),
        (mask(row, scale=lambda p: 1), "not scaled up"),
        (mask(row, share=lambda p: p, scale=lambda p: p), "exchanged"),
        (mask(row, share=lambda p: p), "exchanged"),
        (mask(row, scale=lambda p: 1 + p), "something else"),
        (lambda x, p: torch.ones(row(x)), "not random"),
        (seeded, "a seed is set"),
    ],
    "drop_state": [
        (lambda h, keep, p, training: h * keep if training else h, "nothing is scaled"),
        (lambda h, keep, p, training: h * keep if training else h * (1 - p), "first published"),
        (lambda h, keep, p, training: h * keep * (1 - p) if training else h, "scaled down"),
        (lambda h, keep, p, training: h * keep / p if training else h, "divided by p"),
        (lambda h, keep, p, training: h * keep / (1 - p), "evaluation is dropped"),
        (lambda h, keep, p, training: h * (1 - keep) / (1 - p) if training else h, "others that stay"),
        (lambda h, keep, p, training: h / (1 - p) if training else h, "nothing is dropped"),
        (lambda h, keep, p, training: h if training else h * keep / (1 - p), "exchanged"),
    ],
    "dropped_weight": [
        (lambda w, p, training: functional.dropout(w, p), "knows of no mode"),
        (in_place, "lost for good"),
        (
            lambda w, p, training: w * functional.dropout(torch.ones(1, w.shape[1]), p, training).double(),
            "whole rows or columns",
        ),
        (lambda w, p, training: functional.dropout(w.detach(), p, training), "cut it off"),
        (lambda w, p, training: functional.dropout(w, p, not training), "exchanged"),
        (lambda w, p, training: w * (torch.rand(w.shape) >= p) if training else w, "not scaled"),
        (lambda w, p, training: functional.dropout(w, p, training) * (1 if training else 1 - p), "scales"),
        (lambda w, p, training: w, "nothing is dropped"),
    ],
    "zoneout": [
        (
            lambda old, new, stay, p, training: torch.lerp(
                new, old, stay if training else torch.full_like(stay, 0.3)
            ),
            "fixed numbers",
        ),
        (
            lambda old, new, stay, p, training: (
                torch.where(stay > 0, new, old) if training else p * old + (1 - p) * new
            ),
            "old and new are exchanged",
        ),
        (lambda old, new, stay, p, training: (1 - stay) * new / (1 - p) if training else new, "dropout"),
        (lambda old, new, stay, p, training: torch.lerp(new, old, stay) if training else new, "alone"),
        (lambda old, new, stay, p, training: torch.lerp(new, old, stay), "draws as well"),
        (
            lambda old, new, stay, p, training: (
                torch.lerp(new, old, stay) if training else (1 - p) * old + p * new
            ),
            "share of the old state",
        ),
        (
            lambda old, new, stay, p, training: (
                stay * old + (1 - stay) * new / (1 - p) if training else p * old + (1 - p) * new
            ),
            "scaled up",
        ),
        (lambda old, new, stay, p, training: p * old + (1 - p) * new, "training mixes"),
    ],
}
