"""Right and wrong answers to the exercises of lesson 19, for test_exercises."""

import torch

FIND_THE_BUG = {"standardised"}


def by_hand(values, cut):
    mean = sum(values[:cut]) / cut
    deviation = (sum((value - mean) ** 2 for value in values[:cut]) / cut) ** 0.5
    return [(value - mean) / deviation for value in values]


def again(history, season, horizon):
    found = list(history)
    for _ in range(horizon):
        found.append(found[-season])
    return torch.stack(found[len(history) :])


def unfolded(values, length):
    rows = values.unfold(0, length + 1, 1)
    return rows[:, :-1], rows[:, 1:]


def recursive(step, last, state, noise):
    if not len(noise):
        return noise
    mean, deviation, state = step(last, state)
    drawn = mean + deviation * noise[0]
    return torch.cat([drawn[None], recursive(step, drawn, state, noise[1:])])


def tiled(history, season, horizon):
    return history[-season:].repeat(horizon // season + 1)[:horizon]


def walked(step, last, state, noise, feed=True, spread=True):
    path = []
    for push in noise:
        mean, deviation, state = step(last, state)
        drawn = mean + (deviation if spread else 1) * push
        path.append(drawn)
        last = drawn if feed else mean
    return torch.stack(path)


def frozen(step, last, state, noise):
    path = []
    for push in noise:
        mean, deviation, _ = step(last, state)
        path.append(last := mean + deviation * push)
    return torch.stack(path)


RIGHT = {
    "standardised": [
        by_hand,
        lambda v, cut: (v - v[:cut].mean()) / v[:cut].var(correction=0).sqrt(),
    ],
    "seasonal": [again, tiled],
    "windows": [unfolded, lambda v, n: (v.unfold(0, n, 1)[:-1], v[1:].unfold(0, n, 1))],
    "go_on": [recursive, walked],
}

WRONG = {
    "standardised": [
        (lambda v, cut: (v - v.mean()) / (v - v.mean()).pow(2).mean().sqrt(), "of all values, the held-out"),
        (lambda v, cut: torch.cat([(p - p.mean()) / p.std(correction=0) for p in (v[:cut], v[cut:])]),
         "which nobody knows"),
        (lambda v, cut: torch.stack(by_hand(v, cut)[:cut]), "values are missing"),
        (lambda v, cut: v - v[:cut].mean(), "nothing is divided"),
        (lambda v, cut: (v - v[:cut].mean()) / v.std(correction=0), "still that of all values"),
        (lambda v, cut: (v - v[:cut].mean()) / v[:cut].std(correction=0) ** 2, "square root"),
        (lambda v, cut: (v - v[cut:].mean()) / v[cut:].std(correction=0), "wrong way round"),
    ],
    "seasonal": [
        (lambda h, s, n: h[-1].repeat(n), "again and again"),
        (lambda h, s, n: h[:s].repeat(n)[:n], "first season"),
        (lambda h, s, n: h[-s:].roll(-1).repeat(n)[:n], "one step early"),
        (lambda h, s, n: h[-s].repeat(n), "stands still"),
        (lambda h, s, n: h[-s:].flip(0).repeat(n)[:n], "backwards"),
        (lambda h, s, n: h[len(h) - n :], "as if that were the season"),
        (lambda h, s, n: h[-s:].mean().repeat(n), "no season any more"),
        (lambda h, s, n: h[-s:][:n], "too few forecasts"),
        (lambda h, s, n: h[-s:][torch.arange(n)], "comes round again"),
    ],
    "windows": [
        (lambda v, n: (v.unfold(0, n, 1)[:-1], v.unfold(0, n, 1)[:-1]), "repeat what"),
        (lambda v, n: (v.unfold(0, n, 1)[:-2], v[2:].unfold(0, n, 1)), "two steps ahead"),
        (lambda v, n: (v.unfold(0, n, 1)[:-1], v[n:]), "one target a window"),
        (lambda v, n: tuple(part[::n] for part in unfolded(v, n)), "side by side"),
        (lambda v, n: unfolded(v, n)[::-1], "changed places"),
        (lambda v, n: tuple(part[:-1] for part in unfolded(v, n)), "last window"),
    ],
    "go_on": [
        (lambda *given: walked(*given, feed=False), "too narrow"),
        (lambda step, last, state, noise: torch.stack(
            [walked(lambda _, s: step(last, s), last, state, noise)[k] for k in range(len(noise))]),
         "same last value"),
        (frozen, "stands still"),
        (lambda step, last, state, noise: walked(step, last, state, 0 * noise), "path of the means"),
        (lambda *given: walked(*given, spread=False), "multiply it"),
        (lambda step, last, state, noise: torch.cat([last[None], walked(step, last, state, noise)]),
         "no part"),
        (lambda step, last, state, noise: torch.cat([last[None], walked(step, last, state, noise)])[:-1],
         "one step late"),
    ],
}  # fmt: skip
