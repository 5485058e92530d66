"""Right and wrong answers to the exercises of lesson 07, for test_exercises."""

import torch
from torch import nn

FIND_THE_BUG = {"clip_each", "clipped_step"}


def flat_norm(gradients):
    return torch.cat([part.reshape(-1) for part in gradients]).norm()


def by_torch(clip):
    """The answer that lets torch's own function work on parameters made for it."""

    def run(gradients, threshold):
        weights = [nn.Parameter(torch.zeros_like(part)) for part in gradients]
        for weight, part in zip(weights, gradients, strict=True):
            weight.grad = part.clone()
        clip(weights, threshold)
        return [weight.grad for weight in weights]

    return run


def in_place(gradients, threshold):
    norm = sum(float(part.square().sum()) for part in gradients) ** 0.5
    if norm > threshold:
        for part in gradients:
            part.mul_(threshold / norm)
    return gradients


def scaled(length, always=False):
    def run(gradients, threshold):
        factor = threshold / length(gradients)
        return [part * (factor if always else min(1.0, float(factor))) for part in gradients]

    return run


def lengths(gradients):
    return torch.stack([part.norm() for part in gradients])


def one_by_one(gradients, threshold):
    return [part / max(1.0, float(part.norm()) / threshold) for part in gradients]


def by_minimum(gradients, threshold):
    high = torch.tensor(threshold, dtype=torch.float64)
    return tuple(torch.maximum(torch.minimum(part, high), -high) for part in gradients)


def by_hand(gradients, threshold):
    return [part.numpy().clip(-threshold, threshold) for part in gradients]


def rows_in_a_loop(gradient, weight, threshold, floor=1e-3):
    rows = []
    for g, w in zip(gradient, weight, strict=True):
        most = threshold * max(float(w.norm()), floor)
        rows.append(g * min(1.0, most / float(g.norm())))
    return rows


def rows_in_place(gradient, weight, threshold, floor=1e-3):
    most = threshold * weight.square().sum(1).sqrt().clamp_min(floor)
    gradient *= (most / gradient.square().sum(1).sqrt()).clamp_max(1.0)[:, None]
    return gradient


def rows(
    weight_length="w.norm(dim=1, keepdim=True)", length="g.norm(dim=1, keepdim=True)", most=".clamp(max=1.0)"
):
    source = f"""
def clip_rows(g, w, threshold, floor=1e-3):
    limit = threshold * ({weight_length}).clamp(min=floor)
    return g * (limit / {length}){most}
"""
    room = {"torch": torch}
    exec(source, room)
    return room["clip_rows"]


def no_floor(g, w, threshold):
    return g * (threshold * w.norm(dim=1, keepdim=True) / g.norm(dim=1, keepdim=True)).clamp(max=1.0)


def step(*lines, result="float(norm)"):
    """A training step of these lines, in this order; `value` and `norm` are there from the start."""
    body = "\n    ".join(lines)
    source = f"""
def clipped_step(model, optimizer, loss, threshold):
    value, norm = loss(), 0.0
    {body}
    return {result}
"""
    room = {"torch": torch, "utils": nn.utils, "norm_of": norm_of}
    exec(source, room)
    return room["clipped_step"]


def norm_of(model):
    return nn.utils.get_total_norm([weight.grad for weight in model.parameters()])


ZERO, BACK, STEP = "optimizer.zero_grad()", "value.backward()", "optimizer.step()"
CLIP = "norm = utils.clip_grad_norm_(model.parameters(), threshold)"
VALUE = "utils.clip_grad_value_(model.parameters(), threshold)"

RIGHT = {
    "clip_by_norm": [in_place, by_torch(nn.utils.clip_grad_norm_)],
    "clip_by_value": [by_minimum, by_hand, by_torch(nn.utils.clip_grad_value_)],
    "clip_rows": [rows_in_a_loop, rows_in_place],
    "clip_each": [in_place, by_torch(nn.utils.clip_grad_norm_)],
    "clipped_step": [
        step(BACK, CLIP, STEP, ZERO),
        step(
            "model.zero_grad(set_to_none=False)",
            BACK,
            "norm = norm_of(model)",
            "utils.clip_grads_with_norm_(model.parameters(), threshold, norm)",
            STEP,
            result="norm",
        ),
    ],
}

WRONG = {
    "clip_by_norm": [
        (one_by_one, "its own length"),
        (scaled(flat_norm, always=True), "never lengthens"),
        (by_hand, "clipping by value"),
        (scaled(lambda parts: flat_norm(parts) ** 2), "root is missing"),
        (scaled(lambda parts: lengths(parts).sum()), "are added"),
        (scaled(lambda parts: lengths(parts).max()), "longest tensor"),
        (scaled(lambda parts: max(part.abs().max() for part in parts)), "largest number"),
        (lambda parts, t: [part * flat_norm(parts) / t for part in parts], "upside down"),
        (lambda parts, t: [part / flat_norm(parts) for part in parts], "one long, whatever"),
        (lambda parts, t: scaled(flat_norm)(parts, 1.5) if parts[0].any() else parts, "not a fixed number"),
        (
            lambda parts, t: [
                part * (t / flat_norm(parts) if not flat_norm(parts) < t > 0.5 or not part.any() else 1)
                for part in parts
            ],
            "divided by",
        ),
    ],
    "clip_by_value": [
        (lambda parts, t: [part.clamp(max=t) for part in parts], "only large positive"),
        (lambda parts, t: [part.abs().clamp(max=t) for part in parts], "signs are lost"),
        (lambda parts, t: [part * (part.abs() <= t) for part in parts], "becomes 0"),
        (lambda parts, t: [part.sign() * t for part in parts], "every number becomes"),
        (lambda parts, t: [part.clamp(0, t) for part in parts], "negative numbers have become 0"),
        (in_place, "clipping by norm"),
        (scaled(lambda parts: max(part.abs().max() for part in parts)), "largest fits"),
        (lambda parts, t: [part.clamp(-1.5, 1.5) for part in parts], "not a fixed number"),
    ],
    "clip_rows": [
        (rows("w.norm()", "g.norm()"), "whole matrix"),
        (rows("w.norm(dim=0, keepdim=True)", "g.norm(dim=0, keepdim=True)"), "by columns"),
        (rows(most=""), "lengthened"),
        (lambda g, w, t, floor=1e-3: g / (g.norm(dim=1, keepdim=True) / t).clamp(min=1), "threshold alone"),
        (lambda g, w, t, floor=1e-3: torch.clamp(g, -t * w.abs(), t * w.abs()), "its own weight"),
        (no_floor, "as `floor` long"),
        (rows("w.norm(dim=1, keepdim=True).clamp(min=1)"), "floor is too high"),
        (lambda g, w, t, floor=1e-3: rows_in_place(g, w, t), "another number is used"),
    ],
    "clip_each": [
        (one_by_one, "its own length"),
        (scaled(flat_norm, always=True), "never lengthens"),
        (by_hand, "clipping by value"),
        (scaled(lambda parts: parts[0].norm()), "first tensor's length"),
        (scaled(lambda parts: lengths(parts).max()), "longest tensor's"),
        (scaled(lambda parts: lengths(parts).mean()), "mean of the lengths"),
        (lambda parts, t: one_by_one(parts, t / 2), "smaller threshold"),
        (lambda parts, t: scaled(flat_norm)(parts, 1.5), "not a fixed number"),
    ],
    "clipped_step": [
        (step(ZERO, CLIP, BACK, STEP), "no gradient yet"),
        (step(ZERO, BACK, STEP, CLIP), "before the clipping"),
        (step(CLIP, ZERO, BACK, STEP), "of the step before"),
        (step(BACK, CLIP, ZERO, STEP), "with no gradient"),
        (step(BACK, CLIP, STEP), "never set to zero"),
        (step(ZERO, BACK, STEP), "as long as the gradient"),
        (step(ZERO, BACK, CLIP, STEP, result="norm_of(model)"), "length after clipping"),
        (step(ZERO, BACK, CLIP, STEP, result="value.item()"), "The loss is returned"),
        (step(ZERO, BACK, VALUE, STEP), "every number on its own"),
        (step(ZERO, BACK, f"norm = {VALUE}", STEP), "one is used"),
    ],
}
