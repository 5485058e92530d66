"""Right and wrong answers to the exercises of lesson 12, for test_exercises."""

import torch

FIND_THE_BUG = {"masked_weights"}


def energies(join="asked[:, None] + keyed", squash=torch.tanh, weigh=True, after=lambda e: e):
    def additive_energies(query, keys, w_query, w_key, v):
        asked = torch.einsum("bq,aq->ba", query, w_query)
        keyed = torch.einsum("bsk,ak->bsa", keys, w_key)
        total = squash(eval(join, {"asked": asked, "keyed": keyed, "torch": torch}))
        return after((total * (v if weigh else 1)).sum(-1))

    return additive_energies


def one_by_one(query, keys, w_query, w_key, v):
    rows = [
        torch.stack([v @ torch.tanh(w_query @ q + w_key @ k) for k in source])
        for q, source in zip(query, keys, strict=True)
    ]
    return torch.stack(rows)


def untransposed(query, keys, w_query, w_key, v):
    return torch.tanh((query @ w_query)[:, None] + keys @ w_key) @ v


def attention(kept="place < lengths[:, None]", fill=-1e9, axis=1, scale=1.0, of="values", by="sum"):
    def dot_attention(query, keys, values, lengths):
        e = scale * torch.einsum("bh,bsh->bs", query, keys)
        place = torch.arange(keys.shape[1])
        mask = eval(kept, {"place": place, "lengths": lengths, "e": e})
        w = torch.softmax(torch.where(mask, e, torch.tensor(fill, dtype=e.dtype)), axis)
        shared = w[..., None] * {"values": values, "keys": keys}[of]
        return w, getattr(shared, by)(1)

    return dot_attention


def cut_to_length(query, keys, values, lengths):
    weights, contexts = torch.zeros(keys.shape[:2], dtype=keys.dtype), []
    for row, length in enumerate(lengths.tolist()):
        weights[row, :length] = (keys[row, :length] @ query[row]).softmax(0)
        contexts.append(weights[row] @ values[row])
    return weights, torch.stack(contexts)


def flat(query, keys, values, lengths):
    return (keys @ query).softmax(-1), values


def by_exponentials(energies, real):
    shifted = energies - torch.where(real, energies, -torch.inf).amax(-1, keepdim=True)
    parts = torch.where(real, shifted, -torch.inf).exp()
    return parts / parts.sum(-1, keepdim=True)


def divided_after(energies, real):
    kept = torch.softmax(energies, -1).masked_fill(~real, 0)
    return kept / kept.sum(1, keepdim=True)


def scores(penalty):
    return lambda logs, lengths, alpha: logs / penalty(lengths, alpha)


RIGHT = {
    "additive_energies": [energies(), one_by_one],
    "dot_attention": [attention(), attention(fill=-torch.inf), cut_to_length],
    "masked_weights": [by_exponentials, lambda e, real: torch.softmax(torch.where(real, e, -1e9), -1)],
    "beam_scores": [
        scores(lambda n, alpha: (5 + n) ** alpha / 6**alpha),
        lambda logs, n, alpha: logs * torch.exp(-alpha * torch.log((5.0 + n) / 6)),
    ],
}

WRONG = {
    "additive_energies": [
        (energies(squash=lambda x: x), "tanh is missing"),
        (energies("asked[:, None] + torch.tanh(keyed)", lambda x: x), "never meet"),
        (energies(squash=torch.sigmoid), "sigmoid"),
        (energies(after=lambda e: e.softmax(1)), "before the softmax"),
        (energies(weigh=False), "v weighs"),
        (energies("asked[:, None] * keyed"), "they are added"),
        (energies("asked + keyed"), "unsqueeze"),
        (untransposed, "a row for each output"),
    ],
    "dot_attention": [
        (attention("place < lengths.max() + 0 * lengths[:, None]"), "padding gets weight"),
        (attention(fill=0.0), "exp(0) = 1"),
        (attention("place <= lengths[:, None]"), "one position too many"),
        (attention("place >= lengths[:, None]", fill=-torch.inf), "wrong way round"),
        (attention(axis=0, fill=-torch.inf), "over the batch"),
        (attention(scale=3**-0.5), "Vaswani"),
        (attention(of="keys"), "take the values"),
        (attention(by="mean"), "divide by nothing"),
        (flat, "unsqueeze"),
    ],
    "masked_weights": [
        (lambda e, real: torch.softmax(e, 1).masked_fill(~real, 0), "do not sum to 1"),
        (lambda e, real: torch.softmax(torch.where(real, e, 0), 1), "exp(0) = 1"),
        (divided_after, "0 / 0"),
        (lambda e, real: torch.where(real, -torch.inf, e).softmax(1), "wrong way round"),
        (lambda e, real: e.sigmoid().where(real, torch.zeros(())), "each position alone"),
        (lambda e, real: torch.where(real, e, -5.0).softmax(1), "some weight"),
        (lambda e, real: torch.where(real, e, -100.0).softmax(1), "some weight"),
    ],
    "beam_scores": [
        (lambda logs, n, alpha: logs + 0 * n, "not used"),
        (lambda logs, n, alpha: logs * ((5 + n) / 6).pow(alpha), "divide by it"),
        (scores(lambda n, alpha: n.double() ** alpha), "gentler"),
        (scores(lambda n, alpha: (5.0 + n) ** alpha), "missing"),
        (scores(lambda n, alpha: (5.0 + n) ** alpha / 6), "raised to alpha"),
        (scores(lambda n, alpha: (1 + n / 6) ** alpha), "END already"),
        (lambda logs, n, alpha: torch.exp(logs) / ((5 + n) / 6) ** alpha, "logarithm"),
        (scores(lambda n, alpha: alpha * (5 + n) / 6), "exponent"),
    ],
}
