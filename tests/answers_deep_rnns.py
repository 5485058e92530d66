"""Right and wrong answers to the exercises of lesson 10, for test_exercises."""

import torch
from torch import nn

FIND_THE_BUG = {"residual_stack", "make_layers"}


def stack(feed="y", start="h_0[k : k + 1]", out="y, torch.cat(finals)"):
    source = f"""
def run_stack(layers, x, h_0):
    finals, y = [], x
    for k in range(len(layers)):
        y, final = layers[k](x, {start})
        finals.append(final)
        x = {feed}
    return {out}
"""
    room = {"torch": torch}
    exec(source, room)
    return room["run_stack"]


def by_torch(layers, x, h_0):
    whole = nn.GRU(x.shape[2], h_0.shape[2], len(layers), batch_first=True)
    own = {
        name.replace("_l0", f"_l{k}"): weight
        for k, layer in enumerate(layers)
        for name, weight in layer.state_dict().items()
    }
    whole.load_state_dict(own)
    return whole(x, h_0)


def residual(add="x + y", before="x", after="x"):
    source = f"""
def residual_stack(layers, x):
    x, _ = layers[0](x)
    start = x
    for layer in layers[1:]:
        y, _ = layer({before})
        x = {add}
    return {after}
"""
    room = {"torch": torch}
    exec(source, room)
    return room["residual_stack"]


def sums(layers, x):
    parts = [layers[0](x)[0]]
    for layer in list(layers)[1:]:
        parts.append(layer(torch.stack(parts).sum(0))[0])
    return torch.stack(parts).sum(0)


def module_list(sizes, wrap=nn.ModuleList, first=True):
    def make_layers(input_size, hidden_size, num_layers):
        return wrap(
            [
                nn.GRU(size, hidden_size, batch_first=first)
                for size in sizes(input_size, hidden_size, num_layers)
            ]
        )

    return make_layers


def grown(input_size, hidden_size, num_layers):
    layers = nn.ModuleList()
    for _ in range(num_layers):
        layers.append(nn.GRU(input_size, hidden_size, 1, batch_first=True))
        input_size = hidden_size
    return layers


def shared(input_size, hidden_size, num_layers):
    upper = nn.GRU(hidden_size, hidden_size, batch_first=True)
    lowest = nn.GRU(input_size, hidden_size, batch_first=True)
    return nn.ModuleList([lowest] + [upper for _ in range(num_layers - 1)])


def whole(i, h, n):
    return [i] + [h] * (n - 1)


RIGHT = {
    "run_stack": [stack(), by_torch],
    "return_sequences": [
        lambda n, answers: [k < n - 1 or answers == "all" for k in range(n)],
        lambda n, answers: [*[True] * (n - 1), answers != "last"],
    ],
    "residual_stack": [residual("torch.add(y, x)"), sums],
    "make_layers": [grown, module_list(whole)],
}

WRONG = {
    "run_stack": [
        (stack(start="h_0[:1]"), "layer 0's state"),
        (stack(start="None"), "starts from zeros"),
        (stack(start="torch.zeros_like(h_0[:1])"), "starts from zeros"),
        (stack(feed="x"), "reads x"),
        (stack(feed="y[:, -1:]"), "whole sequence"),
        (stack(feed="x + y"), "residuals"),
        (stack(out="y, finals[-1]"), "only the top"),
        (stack(out="y, torch.cat(finals[::-1])"), "lowest first"),
        (stack(out="y, torch.stack(finals)"), "torch.cat"),
        (stack(start="h_0[k]"), "(1, B, H)"),
    ],
    "return_sequences": [
        (lambda n, answers: [True for _ in range(n)], "top layer returns all"),
        (lambda n, answers: [False] * n, "no sequence"),
        (lambda n, answers: [answers != "last"] * n, "top layer only"),
        (lambda n, answers: [answers == "all", *[True] * (n - 1)], "other way round"),
        (lambda n, answers: [k < n - 1 for k in range(n)], "too"),
        (lambda n, answers: [k < n - 1 or answers == "last" for k in range(n)], "exchanged"),
        (lambda n, answers: [True] * n + [answers == "all"], "too many"),
    ],
    "residual_stack": [
        (residual("y + start"), "lowest layer's output"),
        (residual("y"), "plain stack"),
        (residual("y", after="x + start"), "one long bypass"),
        (residual(after="x + start"), "once more"),
        (residual("y + y"), "to itself"),
        (residual("torch.tanh(x + y)"), "must stay free"),
        (residual("0.5 * x + 0.5 * y"), "mean"),
    ],
    "make_layers": [
        (shared, "share their weights"),
        (module_list(lambda i, h, n: [i] * n), "the others read"),
        (module_list(lambda i, h, n: [h] * n), "reads input_size"),
        (module_list(lambda i, h, n: [i] + [h] * n), "too many"),
        (module_list(lambda i, h, n: [i] + [h] * (n - 2)), "too few"),
        (module_list(whole, first=False), "batch_first"),
        (module_list(whole, wrap=list), "hides"),
        (
            lambda i, h, n: nn.ModuleList(
                nn.GRU(size, h, batch_first=True, bias=False) for size in whole(i, h, n)
            ),
            "leave nn.GRU its biases",
        ),
    ],
}  # fmt: skip
