"""Right and wrong answers to the exercises of lesson 17, for test_exercises."""

import torch
import torch.nn.functional as F

FIND_THE_BUG = {"turn_weights"}


def by_cosine_similarity(memory, key, strength):
    return torch.softmax(strength * F.cosine_similarity(memory, key[:, None], dim=-1), -1)


def one_by_one(memory, key, strength):
    rows = []
    for slots, k, beta in zip(memory, key, strength, strict=True):
        cosines = [slot @ k / (slot.norm() * k.norm() + 1e-12) for slot in slots]
        rows.append((beta * torch.stack(cosines)).softmax(0))
    return torch.stack(rows)


def content(values, after=lambda s, c: (s * c).softmax(-1)):
    return lambda memory, key, strength: after(strength, values(memory, key))


def product(memory, key):
    return torch.einsum("bnm,bm->bn", memory, key)


def cosine(memory, key):
    return F.cosine_similarity(memory, key.unsqueeze(1), dim=-1)


def raw_cosine(memory, key):
    return product(memory, key) / memory.norm(dim=-1) / key.norm(dim=-1, keepdim=True)


def by_indices(weights, turn):
    slots = torch.arange(weights.shape[1])
    count = len(slots)
    return sum(turn[:, [k]] * weights[:, (slots - k + 1) % count] for k in range(3))


def by_convolution(weights, turn):
    padded = torch.cat([weights[:, -1:], weights, weights[:, :1]], 1)
    rows = [F.conv1d(w[None, None], s.flip(0)[None, None])[0, 0] for w, s in zip(padded, turn, strict=True)]
    return torch.stack(rows)


def rolled(down, up, order=(0, 1, 2), axis=1):
    def turn_weights(weights, turn):
        d, s, u = (turn[:, k : k + 1] for k in order)
        return d * torch.roll(weights, down, axis) + s * weights + u * torch.roll(weights, up, axis)

    return turn_weights


def padded(weights, turn):
    d, s, u = turn.unbind(1)
    wide = F.pad(weights, (1, 1))
    return d[:, None] * wide[:, 2:] + s[:, None] * weights + u[:, None] * wide[:, :-2]


def by_logarithms(weights, power):
    return (power * weights.log()).softmax(-1)


def in_double(weights, power):
    raised = weights.double() ** power.double()
    return (raised / raised.sum(1, keepdim=True)).float()


def by_matrices(memory, weights, erase, add):
    kept = 1 - weights[:, :, None] @ erase[:, None]
    return torch.baddbmm(memory * kept, weights[:, :, None], add[:, None])


def slot_by_slot(memory, weights, erase, add):
    new = memory.clone()
    for n in range(memory.shape[1]):
        w = weights[:, n : n + 1]
        new[:, n] = memory[:, n] - memory[:, n] * w * erase + w * add
    return new


def written(expression):
    def write_memory(memory, weights, erase, add):
        w, e, a = weights[..., None], erase[:, None], add[:, None]
        return eval(expression, {"M": memory, "w": w, "e": e, "a": a})

    return write_memory


RIGHT = {
    "content_weights": [by_cosine_similarity, one_by_one],
    "turn_weights": [by_indices, by_convolution],
    "sharpen_weights": [by_logarithms, in_double],
    "write_memory": [by_matrices, slot_by_slot],
}

WRONG = {
    "content_weights": [
        (content(product), "plain product"),
        (content(lambda m, k: product(m, k) / k.norm(dim=1, keepdim=True)), "not the slots'"),
        (content(lambda m, k: product(m, k) / m.norm(dim=-1).clamp(min=1e-9)), "not the key's"),
        (content(cosine, lambda s, c: c.softmax(-1)), "not used"),
        (content(cosine, lambda s, c: s * c.softmax(1)), "no longer sum to 1"),
        (content(cosine, lambda s, c: (c / s).softmax(1)), "as a temperature"),
        (content(cosine, lambda s, c: (s * c).softmax(0)), "over the batch"),
        (content(cosine, lambda s, c: s * c), "makes weights"),
        (content(raw_cosine), "0 / 0"),
        (lambda m, k, s: (s * (m @ k)).softmax(-1), "unsqueeze"),
    ],
    "turn_weights": [
        (rolled(1, -1), "wrong way round"),
        (padded, "lost"),
        (rolled(-1, 1, axis=0), "change places"),
        (rolled(-1, 1, axis=None), "in one row"),
        (rolled(1, 1), "both turns go up"),
        (rolled(-1, 1, order=(1, 0, 2)), "mixed up"),
        (rolled(-2, 2), "two slots"),
    ],
    "sharpen_weights": [
        (lambda w, p: w**p / (w**p).sum(-1, keepdim=True), "too small for float32"),
        (lambda w, p: torch.pow(w, p), "the weights shrink"),
        (lambda w, p: (w / w.max(1, keepdim=True).values) ** p, "the sum that should be"),
        (lambda w, p: w**p / ((w**p).sum(-1, keepdim=True) + 1e-12), "reads nothing"),
        (lambda w, p: (w * p).softmax(1), "another thing"),
        (lambda w, p: F.normalize(w ** (1 / p), p=1, dim=1), "that blurs"),
        (lambda w, p: w, "what it was before"),
        (lambda w, p: F.normalize((w / w.max(0).values) ** p, p=1, dim=1), "over the batch"),
    ],
    "write_memory": [
        (written("(M + w * a) * (1 - w * e)"), "erase first"),
        (written("M * (1 - e) + w * a"), "erased alike"),
        (written("M * (1 - w * e) + a"), "all of the new vector"),
        (written("M - w * e + w * a"), "erasing multiplies"),
        (written("M * (w * e) + w * a"), "keeps what it should erase"),
        (written("M * (1 - w) * (1 - e) + w * a"), "before 1 minus"),
        (written("M * (1 - w * e)"), "the new vector is missing"),
        (written("M + w * a"), "nothing is erased"),
        (lambda m, w, e, a: m * (1 - w * e) + w * a, "(B, N, M)"),
    ],
}
