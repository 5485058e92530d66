"""Right and wrong answers to the exercises of lesson 20, for test_exercises."""

import torch

FIND_THE_BUG = {"scan_in_chunks"}


def by_matrices(a1, b1, a2, b2):
    first, second = (
        torch.stack([torch.stack([a, b]), torch.stack([0 * a, 0 * b + 1])]) for a, b in ((a1, b1), (a2, b2))
    )
    both = torch.einsum("ijh,jkh->ikh", second, first)
    return both[0, 0], both[0, 1]


def by_trying(a1, b1, a2, b2):
    def twice(h):
        return a2 * (a1 * h + b1) + b2

    return twice(torch.ones_like(a1)) - twice(torch.zeros_like(a1)), twice(torch.zeros_like(a1))


def step_by_step(a, b, h):
    rows = []
    for a_t, b_t in zip(a, b, strict=True):
        h = a_t * h + b_t
        rows.append(h)
    return torch.stack(rows)


def with_the_start_folded_in(a, b, h0):
    b = torch.cat([(a[0] * h0 + b[0])[None], b[1:]])
    return step_by_step(a, b, 0 * h0)


def in_chunks(start, end=lambda a1, b1, a2, b2, h: a2 * (a1 * h + b1) + b2):
    def scan_in_chunks(a, b, h0):
        rows = []
        for k in range(0, len(a), 2):
            h = start(k, h0, rows)
            rows.append(a[k] * h + b[k])
            rows.append(end(a[k], b[k], a[k + 1], b[k + 1], h))
        return torch.stack(rows)

    return scan_in_chunks


def carried(k, h0, rows):
    return rows[-1] if k else h0


def as_a_mean(i, f, g, h0):
    share = torch.sigmoid(i) / (torch.sigmoid(i) + torch.sigmoid(f))
    return step_by_step(1 - share, share * g, h0)


def by_logarithms(i, f, g, h0):
    keep = torch.stack([torch.nn.functional.logsigmoid(part) for part in (f, i)]).softmax(0)
    return step_by_step(keep[0], keep[1] * g, h0)


def cell(expression, start="h0"):
    def min_lstm(i, f, g, h0):
        rows, h = [], eval(start, {"h0": h0, "torch": torch})
        for i_t, f_t, g_t in zip(i, f, g, strict=True):
            names = {"i": i_t, "f": f_t, "g": g_t, "h": h, "s": torch.sigmoid, "torch": torch}
            h = eval(expression, names)
            rows.append(h)
        return torch.stack(rows)

    return min_lstm


def pair_by_pair(keys, values, query):
    weights = [key @ query for key in keys]
    return sum(w * value for w, value in zip(weights, values, strict=True)) / sum(weights)


def step_after_step(keys, values, query):
    memory, norm = torch.zeros(keys.shape[1], values.shape[1]), torch.zeros(keys.shape[1])
    for key, value in zip(keys, values, strict=True):
        memory, norm = memory + torch.outer(key, value), norm + key
    return memory.T @ query / (norm @ query)


RIGHT = {
    "two_in_one": [by_matrices, by_trying],
    "scan_in_chunks": [step_by_step, with_the_start_folded_in],
    "min_lstm": [as_a_mean, by_logarithms],
    "recall": [pair_by_pair, step_after_step],
}

WRONG = {
    "two_in_one": [
        (lambda a1, b1, a2, b2: (a1 * a2, a1 * b2 + b1), "before the first"),
        (lambda a1, b1, a2, b2: (a1 * a2, b1 + b2), "arrives as a2 b1"),
        (lambda a1, b1, a2, b2: (a1 + a2, a2 * b1 + b2), "not added"),
        (lambda a1, b1, a2, b2: (a1 * a2, a1 * a2 * b1 + b2), "only a2 still fades"),
        (lambda a1, b1, a2, b2: (a2, b2), "the first is lost"),
        (lambda a1, b1, a2, b2: (a1 * a2, a2 * (b1 + b2)), "comes in last"),
    ],
    "scan_in_chunks": [
        (in_chunks(lambda k, h0, rows: rows[-1] if k else 0 * h0), "thrown away"),
        (in_chunks(lambda k, h0, rows: h0), "begins with h0"),
        (in_chunks(lambda k, h0, rows: 0 * h0), "begins with nothing"),
        (in_chunks(carried, lambda a1, b1, a2, b2, h: a2 * (h + b1) + b2), "fades twice"),
        (in_chunks(carried, lambda a1, b1, a2, b2, h: a1 * a2 * h + b2), "has lost"),
        (lambda a, b, h0: b + a * h0, "one step, done at every place"),
    ],
    "min_lstm": [
        (cell("s(f) * h + s(i) * g"), "divided by their sum"),
        (cell("(s(i) * h + s(f) * g) / (s(i) + s(f))"), "changed places"),
        (cell("(s(f) * h + s(i) * torch.tanh(g)) / (s(i) + s(f))"), "leaves it as it is"),
        (cell("s(f) / (s(i) + s(f)) * h + s(i) * g"), "only f is divided"),
        (cell("(f * h + i * g) / (f + i)"), "not squashed"),
        (cell("s(f) * h + (1 - s(f)) * g"), "minGRU"),
        (cell("(s(f) * h + s(i) * g) / (s(i) + s(f))", "0 * h0"), "h0 is not used"),
    ],
    "recall": [
        (lambda k, v, q: (k @ q) @ v, "only grows"),
        (lambda k, v, q: torch.softmax(k @ q, 0) @ v, "softmax attention"),
        (lambda k, v, q: (k @ q) @ v / q.sum(), "sum of the query"),
        (lambda k, v, q: (k @ q) @ v / len(v), "number of pairs"),
        (lambda k, v, q: (k @ q) @ v / k.sum(), "sum of the keys"),
        (lambda k, v, q: v[int((k @ q).argmax())], "no gradient"),
        (lambda k, v, q: v.mean(dim=0), "query is not used"),
        (lambda k, v, q: q @ (k @ v), "outer products"),
    ],
}
