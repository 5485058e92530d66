"""Right and wrong answers to the exercises of lesson 05, for test_exercises."""

import math

import torch

FIND_THE_BUG = {"update_state", "candidate_of_cho"}


def cell(r="x[0] + own[0]", z="x[1] + own[1]", n="torch.tanh(x[2] + r * own[2])", out="torch.lerp(n, h, z)"):
    source = f"""
def gru_cell(from_x, from_h, h):
    x, own = from_x.chunk(3, -1), from_h.chunk(3, -1)
    r, z = torch.sigmoid({r}), torch.sigmoid({z})
    n = {n}
    return {out}
"""
    room = {"torch": torch}
    exec(source, room)
    return room["gru_cell"]


def by_torch(from_x, from_h, h):
    size = h.shape[1]
    eye, zeros = torch.eye(3 * size, dtype=h.dtype), torch.zeros(3 * size, size, dtype=h.dtype)
    rows = [
        torch.gru_cell(x[None], past[None], eye, zeros, None, own)
        for x, past, own in zip(from_x, h, from_h, strict=True)
    ]
    return torch.cat(rows)


def searched(units, inputs):
    best = units
    wanted = 4 * units * (inputs + units + 2)
    while abs(3 * (best + 1) * (inputs + best + 3) - wanted) < abs(3 * best * (inputs + best + 2) - wanted):
        best += 1
    return best


def exact(units, inputs):
    half = (inputs + 2) / 2
    return math.sqrt(half**2 + 4 / 3 * units * (units + inputs + 2)) - half


def unsquashed(from_x, from_h, h):
    (x_r, x_z, x_n), (h_r, h_z, q) = from_x.chunk(3, -1), from_h.chunk(3, -1)
    return torch.lerp(torch.tanh(x_n + (x_r + h_r) * q), h, x_z + h_z)


def nearest(blocks_gru, blocks_lstm, own=True, biases=2):
    def equal_size(units, inputs):
        def weights(u):
            return u * (inputs + biases + (u if own else 0))

        wanted = blocks_lstm * weights(units)
        return min(range(1, 2 * units + 2), key=lambda u: abs(blocks_gru * weights(u) - wanted))

    return equal_size


RIGHT = {
    "gru_cell": [cell(), by_torch],
    "update_state": [lambda z, n, h: torch.lerp(n, h, z), lambda z, n, h: n + z * (h - n)],
    "candidate_of_cho": [
        lambda x_n, h, r, w, b: torch.tanh(x_n + torch.nn.functional.linear(r * h, w, b)),
        lambda x_n, h, r, w, b: torch.tanh(x_n + torch.einsum("bj,ij->bi", h * r, w) + b),
    ],
    "equal_size": [searched, lambda units, inputs: round(exact(units, inputs))],
}

WRONG = {
    "gru_cell": [
        (cell(out="z * n + (1 - z) * h"), "exchanged"),
        (cell(r="x[1] + own[1]", z="x[0] + own[0]"), "order z r n"),
        (cell(n="torch.tanh(r * (x[2] + own[2]))"), "whole sum"),
        (cell(n="torch.tanh(x[2] + own[2])"), "not used"),
        (cell(n="torch.sigmoid(x[2] + r * own[2])"), "not sigmoid"),
        (cell(out="n"), "that is the candidate"),
        (cell(n="torch.tanh(x[2] + r * h)"), "multiplies h itself"),
        (unsquashed, "not squashed"),
    ],
    "update_state": [
        (lambda z, n, h: torch.lerp(h, n, z), "exchanged"),
        (lambda z, n, h: z * h + n, "whole"),
        (lambda z, n, h: z * (h + n), "add up to 1"),
        (lambda z, n, h: h + (1 - z) * n, "kept whole"),
        (lambda z, n, h: torch.lerp(n, h, torch.sigmoid(z)), "second sigmoid"),
        (lambda z, n, h: torch.lerp(n, h, z).tanh(), "wears the memory"),
    ],
    "candidate_of_cho": [
        (
            lambda x_n, h, r, w, b: torch.tanh(x_n + r * torch.nn.functional.linear(h, w, b)),
            "after the product",
        ),
        (lambda x_n, h, r, w, b: torch.tanh(x_n + r * (h @ w.T) + b), "only the bias"),
        (lambda x_n, h, r, w, b: torch.tanh(x_n + (r * h) @ w + b), "transposed"),
        (lambda x_n, h, r, w, b: torch.tanh(x_n + (r * h) @ w.T), "missing"),
        (lambda x_n, h, r, w, b: x_n + (r * h) @ w.T + b, "tanh"),
        (lambda x_n, h, r, w, b: torch.tanh(x_n + (h - r * h) @ w.T + b), "lets the past in"),
        (lambda x_n, h, r, w, b: torch.tanh(x_n + w @ (r * h) + b), "(B, H)"),
    ],
    "equal_size": [
        (lambda units, inputs: round(units * 4 / 3), "square"),
        (lambda units, inputs: round(units * math.sqrt(4 / 3)), "proportion"),
        (nearest(4, 3), "exchanged"),
        (nearest(3, 4, own=False), "proportion"),
        (lambda units, inputs: units, "equal size"),
        (lambda units, inputs: 3 * units * (units + inputs + 2), "how many units"),
        (nearest(3, 4, biases=0), "biases are missing"),
        (lambda units, inputs: math.floor(exact(units, inputs)), "rounded down"),
        (lambda units, inputs: math.ceil(exact(units, inputs)), "rounded up"),
        (exact, "whole number"),
    ],
}
