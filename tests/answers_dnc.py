"""Right and wrong answers to the exercises of lesson 18, for test_exercises."""

import torch

FIND_THE_BUG = {"allocation_weights"}


def kept(free, read):
    return torch.prod(1 - torch.einsum("br,brn->brn", free, read), dim=1)


def head_by_head(before, written, free, read):
    usage = 1 - (1 - before) * (1 - written)
    for gate, weights in zip(free.unbind(1), read.unbind(1), strict=True):
        usage = usage * (1 - gate[:, None] * weights)
    return usage


def by_logarithms(before, written, free, read):
    lost = torch.log1p(-free[..., None] * read).sum(1)
    return (before + (1 - before) * written) * lost.exp()


def one_after_the_other(usage):
    weights = torch.zeros_like(usage)
    for row, used in enumerate(usage):
        left = 1.0
        for slot in used.argsort().tolist():
            weights[row, slot] = left * (1 - used[slot])
            left = left * used[slot]
    return weights


def by_comparison(usage):
    # The product of the usages of all slots that are less used; equal ones in their order.
    slots = torch.arange(usage.shape[1])
    less = usage[:, None] < usage[:, :, None]
    tied = (usage[:, None] == usage[:, :, None]) & (slots[None] < slots[:, None])
    before = torch.where(less | tied, usage[:, None].expand_as(less), 1.0).prod(-1)
    return (1 - usage) * before


def sorted_by(descending=False, back=True):
    def allocation_weights(usage):
        ranked, order = torch.sort(usage, dim=1, descending=descending)
        before = (ranked.cumprod(1) / ranked.clamp(min=1e-30)) if not descending else None
        if descending:
            before = torch.cat([torch.ones(len(usage), 1), ranked.cumprod(1)[:, :-1]], 1)
        weights = (1 - ranked) * before
        return weights.gather(1, order.argsort(1)) if back else weights

    return allocation_weights


def itself_included(usage):
    ranked, order = usage.sort()
    return torch.zeros_like(usage).scatter(1, order, (1 - ranked) * ranked.cumprod(1))


def pair_by_pair(links, precedence, written):
    new = torch.zeros_like(links)
    for i in range(links.shape[1]):
        for j in range(links.shape[1]):
            if i != j:
                old = (1 - written[:, i] - written[:, j]) * links[:, i, j]
                new[:, i, j] = old + written[:, i] * precedence[:, j]
    return new


def by_products(links, precedence, written):
    new = links - written[:, :, None] * links - links * written[:, None]
    new = torch.baddbmm(new, written[:, :, None], precedence[:, None])
    return new - torch.diag_embed(new.diagonal(dim1=1, dim2=2))


def linked(expression, hollow=True):
    def link_slots(links, precedence, written):
        names = {"L": links, "p": precedence[:, None], "q": precedence[:, :, None], "w": written[:, :, None],
                 "v": written[:, None]}  # fmt: skip
        new = eval(expression, names)
        return new.masked_fill(torch.eye(new.shape[-1], dtype=torch.bool), 0) if hollow else new

    return link_slots


def by_sums(modes, links, before, content):
    forward = (links * before[:, None]).sum(2)
    backward = (links * before[:, :, None]).sum(1)
    return (modes[:, :, None] * torch.stack([backward, content, forward], 1)).sum(1)


def by_matrices(modes, links, before, content):
    ways = torch.stack([links.mT, torch.zeros_like(links), links], 1) @ before[:, None, :, None]
    ways = ways.squeeze(-1)
    ways[:, 1] = content
    return torch.einsum("bk,bkn->bn", modes, ways)


def along(back, content, on, start=None):
    def read_weights(modes, links, before, by_content):
        source = by_content if start == "content" else before
        ahead = torch.bmm(links, source[:, :, None])[:, :, 0]
        behind = torch.bmm(links.mT, source[:, :, None])[:, :, 0]
        ways = {"ahead": ahead, "behind": behind, "content": by_content, "stay": before}
        return sum(modes[:, [k]] * ways[name] for k, name in enumerate((back, content, on)))

    return read_weights


RIGHT = {
    "slot_usage": [head_by_head, by_logarithms],
    "allocation_weights": [one_after_the_other, by_comparison],
    "link_slots": [pair_by_pair, by_products],
    "read_weights": [by_sums, by_matrices],
}

WRONG = {
    "slot_usage": [
        (lambda u, w, f, r: (u + w) * kept(f, r), "beyond 1"),
        (lambda u, w, f, r: torch.max(u, w) * kept(f, r), "three quarters"),
        (lambda u, w, f, r: 1 - (1 - u) * (1 - w), "nothing is ever freed"),
        (lambda u, w, f, r: (u + w - u * w) * (1 - torch.einsum("br,brn->bn", f, r)), "free it twice"),
        (lambda u, w, f, r: (u + w - u * w) * torch.prod(f[..., None] * r, 1), "keeps what is freed"),
        (lambda u, w, f, r: (u + w - u * w) * (1 - f).prod(1, keepdim=True), "freed alike"),
        (lambda u, w, f, r: 1 - (1 - u * kept(f, r)) * (1 - w), "frees first"),
        (lambda u, w, f, r: (u + w - u * w) * (1 - f * r).prod(1), "(B, R, N)"),
    ],
    "allocation_weights": [
        (sorted_by(descending=True), "fullest slot first"),
        (sorted_by(back=False), "scatter them back"),
        (itself_included, "own usage"),
        (lambda usage: 1 - usage, "every free slot gets all"),
        (lambda usage: torch.nn.functional.normalize(1 - usage, p=1, dim=1), "smeared"),
        (lambda usage: torch.eye(usage.shape[1])[usage.argmin(1)].to(usage), "no gradient"),
        (lambda usage: torch.softmax(-usage, 1), "taken slot gets nothing"),
    ],
    "link_slots": [
        (linked("(1 - w - v) * L + w * p", hollow=False), "follow itself"),
        (linked("(1 - w - v) * L + q * v"), "mixed up"),
        (linked("L + w * p"), "never fade"),
        (linked("(1 - w) * L + w * p"), "fade the columns"),
        (linked("(1 - v) * L + w * p"), "fade its row"),
        (linked("(1 - w - v) * L + w * v"), "linked with itself"),
        (linked("w * p"), "old links are gone"),
        (linked("(1 - w) * (1 - v) * L + w * p"), "by the product"),
        (lambda links, p, w: (1 - w - w) * links + w @ p, "is the row"),
    ],
    "read_weights": [
        (along("ahead", "content", "behind"), "backward where forward"),
        (along("content", "behind", "ahead"), "two are swapped"),
        (along("behind", "ahead", "content"), "two are swapped"),
        (along("behind", "content", "ahead", start="content"), "where the head was before"),
        (along("stay", "content", "ahead"), "stays where the head is"),
        (along("ahead", "content", "ahead"), "goes forward, too"),
        (lambda m, links, b, c: c, "content alone"),
        (lambda m, links, b, c: m * links @ b + c, "(links @ before"),
    ],
}
