"""Right and wrong answers to the exercises of lesson 11, for test_exercises."""

import math

import torch

FIND_THE_BUG = {"symbols_right"}


def in_a_loop(truth, logits, told):
    rows = zip(truth, logits, told, strict=True)
    return torch.stack([known if switch else row.argmax() for known, row, switch in rows])


def by_arithmetic(truth, logits, told):
    own = logits.max(1).indices
    return own + told.long() * (truth - own)


def alone(feed="wrote", compare="wrote == truth[:, t]", out="right.float().mean()", keep="state", first="1"):
    source = f"""
def symbols_right(step, state, truth):
    symbol, right = torch.full_like(truth[:, 0], {first}), []
    for t in range(truth.shape[1]):
        read = symbol
        logits, {keep} = step(symbol, state)
        wrote = logits.argmax(-1)
        right.append({compare})
        symbol = {feed}
    right = torch.stack(right, 1)
    return {out}
"""
    room = {"torch": torch}
    exec(source, room)
    return room["symbols_right"]


def counted_at_once(step, state, truth):
    symbol, written = torch.ones(len(truth), dtype=torch.long), []
    for _ in truth[0]:
        logits, state = step(symbol, state)
        symbol = logits.max(1).indices
        written.append(symbol)
    return float((torch.stack(written, 1) == truth).double().mean())


def late(step, state, truth):
    symbol = waiting = torch.ones_like(truth[:, 0])
    right = 0
    for t in range(truth.shape[1]):
        logits, state = step(symbol, state)
        symbol, waiting = waiting, logits.argmax(-1)
        right += (waiting == truth[:, t]).sum()
    return right / truth.numel()


def firsts_in_a_loop(written, truth):
    found = []
    for ours, theirs in zip(written.tolist(), truth.tolist(), strict=True):
        wrong = [t for t, (a, b) in enumerate(zip(ours, theirs, strict=True)) if a != b]
        found.append(wrong[0] if wrong else len(theirs))
    return torch.tensor(found)


def firsts_by_a_guard(written, truth):
    wrong = torch.cat([written != truth, torch.ones(len(truth), 1, dtype=torch.bool)], 1)
    return wrong.long().argmax(1)


def lasts(written, truth):
    wrong = written != truth
    places = torch.arange(truth.shape[1]) * wrong
    return torch.where(wrong.any(1), places.max(1).values, truth.shape[1])


RIGHT = {
    "next_fed": [in_a_loop, by_arithmetic],
    "inverse_sigmoid": [
        lambda step, k: 1 / (1 + math.exp(min(step / k, 600)) / k),
        lambda step, k: float(torch.sigmoid(torch.tensor(math.log(k) - step / k, dtype=torch.float64))),
    ],
    "symbols_right": [alone(), counted_at_once],
    "first_mistakes": [firsts_in_a_loop, firsts_by_a_guard],
}

WRONG = {
    "next_fed": [
        (lambda truth, logits, told: torch.where(told, logits.argmax(-1), truth), "wrong way round"),
        (lambda truth, logits, told: truth, "ratio 1"),
        (lambda truth, logits, told: logits.argmax(-1), "ratio 0"),
        (lambda truth, logits, told: torch.where(told, truth, logits.argmin(-1)), "least likely"),
        (lambda truth, logits, told: torch.where(told[:, None], truth[:, None], logits), "one symbol a"),
        (lambda truth, logits, told: told * truth + ~told * logits.max(-1).values, "mixed as numbers"),
        (lambda truth, logits, told: torch.where(told, truth, logits.argmax(0)), "last axis"),
        (lambda truth, logits, told: truth if told else logits.argmax(-1), "entry by entry"),
    ],
    "inverse_sigmoid": [
        (lambda step, k: k / (k + math.exp(step / k)), "overflows"),
        (lambda step, k: 1 - 1 / (1 + math.exp(min(step / k, 700)) / k), "of its own symbol"),
        (lambda step, k: 1 / (1 + math.exp(min(step / k, 700))), "begins at one half"),
        (lambda step, k: k / (k + math.exp(-step / k)), "rises to 1"),
        (lambda step, k: k / (k + math.exp(min(step, 700))), "handful of steps"),
        (lambda step, k: k / (k + math.exp(min(step * k, 700))), "not their product"),
        (lambda step, k: math.exp(-step / k), "exponential schedule"),
        (lambda step, k: max(0, 1 - step / k), "linear"),
    ],
    "symbols_right": [
        (alone(feed="truth[:, t]"), "fed the truth"),
        (alone(feed="torch.ones_like(symbol)"), "sign for begin; hand on"),
        (late, "one step late"),
        (alone(compare="wrote != truth[:, t]"), "that are wrong"),
        (alone(compare="read == truth[:, t]"), "something else than the share"),
        (alone(out="right.all(1).float().mean()"), "something else than the share"),
        (alone(first="0"), "the sign for begin"),
        (alone(keep="_"), "is the state handed on"),
    ],
    "first_mistakes": [
        (lambda written, truth: (written != truth).long().argmax(1), "argmax gives 0"),
        (lambda written, truth: (written == truth).sum(1), "counts all right symbols"),
        (lambda written, truth: (written != truth).sum(1), "counts the mistakes"),
        (lambda written, truth: firsts_in_a_loop(written, truth) + 1, "counted from 1"),
        (lasts, "the last mistake"),
        (lambda written, truth: (written == truth).long().argmax(1), "first symbol that is right"),
        (lambda written, truth: (written == truth).long().cumprod(0).sum(1), "axis 1"),
    ],
}
