"""Right and wrong answers to the exercises of lesson 16, for test_exercises."""

import torch

FIND_THE_BUG = {"children_summed"}


def by_stack(tree, leaf, join):
    done, stack = [], [(tree, False)]
    while stack:
        (symbol, children), ready = stack.pop()
        if not children:
            done.append(leaf(symbol))
        elif ready:
            cut = len(done) - len(children)
            below, done = done[cut:], done[:cut]
            done.append(join(symbol, below))
        else:
            stack.append(((symbol, children), True))
            stack += [(child, False) for child in reversed(children)]
    return done[0]


def in_one_line(tree, leaf, join):
    return join(tree[0], [in_one_line(kid, leaf, join) for kid in tree[1]]) if tree[1] else leaf(tree[0])


def walk(body):
    """A recursion `walk(tree, leaf, join)` with some mistake."""
    room = {}
    source = f"""
def walk(tree, leaf, join):
    symbol, children = tree
    {body}
"""
    exec(source, room)
    return room["walk"]


BELOW = "[walk(child, leaf, join) for child in children]"


def by_einsum(x, h, c, u):
    seen = torch.einsum("gij,j->gi", u, h.sum(0)) + x
    f = torch.sigmoid(torch.einsum("ij,kj->ki", u[1], h) + x[1])
    memory = seen[0].sigmoid() * seen[2].tanh() + torch.einsum("kh,kh->h", f, c)
    return seen[3].sigmoid() * memory.tanh(), memory


def by_loop(x, h, c, u):
    total = torch.zeros_like(x[0])
    for state in h:
        total = total + state
    memory = torch.sigmoid(x[0] + u[0] @ total) * torch.tanh(x[2] + u[2] @ total)
    for state, old in zip(h, c, strict=True):
        memory = memory + torch.sigmoid(x[1] + u[1] @ state) * old
    return torch.sigmoid(x[3] + u[3] @ total) * torch.tanh(memory), memory


def cell(f="torch.sigmoid(x[1] + h @ u[1].T)", old="(f * c).sum(0)", out="o * torch.tanh(new), new", **odd):
    numbers = {"i": 0, "g": 2, "o": 3} | odd.get("numbers", {})
    total = odd.get("total", "h.sum(0)")

    def child_sum(x, h, c, u):
        room = {"torch": torch, "x": x, "h": h, "c": c, "u": u}
        room["total"] = eval(total, room)
        for name, k in numbers.items():
            squash = torch.tanh if name == "g" else torch.sigmoid
            room[name] = squash(x[k] + u[k] @ room["total"])
        room["f"] = eval(f, room)
        room["new"] = room["i"] * room["g"] + eval(old, room)
        return eval(out, room)

    return child_sum


def by_waves(parents):
    found, level, left = [None] * len(parents), 0, set(range(len(parents)))
    while left:
        ready = {node for node in left if not any(parents[other] == node for other in left)}
        for node in ready:
            found[node] = level
        left, level = left - ready, level + 1
    return found


def by_recursion(parents):
    def height(node):
        return max((1 + height(k) for k, parent in enumerate(parents) if parent == node), default=0)

    return torch.tensor([height(node) for node in range(len(parents))])


def lifted(order="reversed(range(len(parents)))", how="max(found[p], found[node] + 1)", start=0):
    def heights(parents):
        found = [start] * len(parents)
        for node in eval(order, {"parents": parents}):
            p = parents[node]
            if p >= 0:
                found[p] = eval(how, {"found": found, "p": p, "node": node})
        return found

    return heights


def depths(parents):
    found = []
    for parent in parents:
        found.append(0 if parent < 0 else 1 + found[parent])
    return found


def with_a_row_of_zeros(states, children):
    longer = torch.cat([torch.zeros_like(states[:1]), states])
    return longer[children + 1].sum(1)


def by_where(states, children):
    picked = states[children.clamp(min=0)]
    return torch.where((children >= 0)[..., None], picked, 0.0).sum(dim=1)


RIGHT = {
    "go_up": [by_stack, in_one_line],
    "child_sum": [by_einsum, by_loop],
    "heights": [by_waves, by_recursion],
    "children_summed": [with_a_row_of_zeros, by_where],
}

WRONG = {
    "go_up": [
        (walk(f"return join(symbol, {BELOW}[::-1]) if children else leaf(symbol)"), "last to the first"),
        (walk("return leaf(symbol)"), "never visited"),
        (
            walk("return join(symbol, [leaf(k[0]) for k in children]) if children else leaf(symbol)"),
            "one level",
        ),
        (walk(f"return join(symbol, {BELOW})"), "what leaf is for"),
        (walk(f"return join(symbol, {BELOW}[-1:]) if children else leaf(symbol)"), "only the last child"),
        (walk(f"return join(symbol, {BELOW}[:1]) if children else leaf(symbol)"), "only the first child"),
        (walk(f"return join(children[0][0], {BELOW}) if children else leaf(symbol)"), "a child's"),
        (walk("return walk(tree, leaf, join)"), "never ends"),
    ],
    "child_sum": [
        (cell(f="torch.sigmoid(x[1] + u[1] @ total).expand_as(c)"), "serves all children"),
        (cell(f="torch.ones_like(c)"), "nothing is forgotten"),
        (cell(f="torch.sigmoid(x[1] + h @ u[1])"), "columns of u[1]"),
        (cell(f="torch.sigmoid(x[1] + h @ u[1].T)", numbers={"g": 3, "o": 2}), "g and o"),
        (cell(out="o * new, new"), "squashed memory"),
        (cell(out="new, o * torch.tanh(new)"), "c comes first"),
        (cell(total="h.mean(0)"), "they see the mean"),
        (cell(old="f * c"), "still apart"),
    ],
    "heights": [
        (depths, "distances from the root. A leaf"),
        (lambda parents: [max(depths(parents)) - d for d in depths(parents)], "turned round"),
        (lifted(order="range(len(parents))"), "last node to the first"),
        (lifted(how="found[p] + found[node] + 1"), "how many nodes hang below"),
        (lifted(how="found[node] + 1"), "comes last decides"),
        (lifted(start=1), "yours begin with 1"),
        (lambda parents: by_waves(parents)[:2], "nodes are missing"),
    ],
    "children_summed": [
        (lambda states, children: states[children].sum(1), "the last row, not nothing"),
        (lambda states, children: states[children.clamp(min=0)].sum(1), "adds row 0"),
        (lambda s, k: (s[k] * (k > 0)[..., None]).sum(1), "row 0 is a child"),
        (lambda s, k: with_a_row_of_zeros(s, k) / (k >= 0).sum(1, keepdim=True).clamp(min=1), "mean of the"),
        (lambda s, k: s[k] * (k >= 0)[..., None], "sum over the places"),
        (lambda s, k: s[k[:, 0]], "only the first child"),
        (lambda s, k: (s[k] * (k >= 0)).sum(1), "mask the picked states"),
    ],
}  # fmt: skip
