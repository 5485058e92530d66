"""Right and wrong answers to the exercises of lesson 01, for test_exercises."""

import torch

FIND_THE_BUG = {"weight_gradient"}


def states(step="torch.tanh(w @ x_t + u @ h + b)", out="torch.stack(found)", before=""):
    source = f"""
def elman_states(x, w, u, b):
    h, found = torch.zeros_like(b), []
    for x_t in x:
        {before or "h = " + step}
        found.append(h)
        {"h = " + step if before else "pass"}
    return {out}
"""
    room = {"torch": torch}
    exec(source, room)
    return room["elman_states"]


def states_by_torch(x, weight_ih, weight_hh, bias):
    layer = torch.nn.RNN(x.shape[1], len(bias), dtype=x.dtype)
    with torch.no_grad():
        for own, given in zip(layer.parameters(), (weight_ih, weight_hh, bias, 0 * bias), strict=True):
            own.copy_(given)
    return layer(x)[0]


def weights_of_a_layer(inputs, hidden, steps):
    return sum(weight.numel() for weight in torch.nn.RNN(inputs, hidden).parameters())


def gradient(keep="total + torch.outer(d, h[t - 1])", back="weight.T @ d", out="total"):
    source = f"""
def weight_gradient(h, weight, last):
    g, total, steps = last, torch.zeros_like(weight), len(h) - 1
    for t in range(steps, 0, -1):
        d = (1 - h[t] ** 2) * g
        total = {keep}
        g = {back}
    return {out}
"""
    room = {"torch": torch}
    exec(source, room)
    return room["weight_gradient"]


def gradient_by_autograd(h, weight, last):
    weight = weight.clone().requires_grad_()
    drive = torch.atanh(h[1:]) - h[:-1] @ weight.detach().T
    state = h[0]
    for row in drive:
        state = torch.tanh(row + weight @ state)
    return torch.autograd.grad(state @ last, weight)[0]


def states_from_torchs_zeros(x, weight_ih, weight_hh, bias):
    h, found = torch.zeros(len(bias)), []
    for x_t in x:
        h = torch.tanh(x_t @ weight_ih.T + h @ weight_hh.T + bias)
        found.append(h)
    return found


def shares(h, weight, last):
    found = []
    for t in range(len(h) - 1, 0, -1):
        d = (1 - h[t] ** 2) * last
        found.append(torch.outer(d, h[t - 1]))
        last = weight.T @ d
    return found


RIGHT = {
    "elman_states": [states(), states_by_torch, states_from_torchs_zeros],
    "count_weights": [weights_of_a_layer, lambda i, h, t: h * (i + h + 2)],
    "remember": [lambda: (1.0, 1.5), lambda: [torch.tensor(3), 1.3], lambda: (5, 10)],
    "weight_gradient": [gradient(), gradient_by_autograd],
}

WRONG = {
    "elman_states": [
        (states("torch.tanh(w @ x_t + b)"), "not used"),
        (lambda x, w, u, b: torch.stack([torch.tanh(w @ row + b) for row in x]), "not used"),
        (states("torch.tanh(w @ x_t + u.T @ h + b)"), "transposed"),
        (states("torch.tanh(w @ x_t + u @ h)"), "bias is missing"),
        (states("w @ x_t + u @ h + b"), "tanh is missing"),
        (states("torch.sigmoid(w @ x_t + u @ h + b)"), "sigmoid"),
        (states(before="h = h"), "one step late"),
        (states("torch.relu(w @ x_t + u @ h + b)"), "relu"),
        (states("torch.tanh(w @ x_t + b) + u @ h"), "outside the tanh"),
        (states(out="torch.stack(found)[:, None]"), "axis of length 1"),
        (states(out="h"), "last state only"),
        (states(out="torch.stack([0 * b, *found])"), "one state too many"),
    ],
    "count_weights": [
        (lambda i, h, t: t * h * (i + h + 2), "copies the drawing"),
        (lambda i, h, t: h * (i + h + 1), "two bias vectors"),
        (lambda i, h, t: h * (i + h), "biases are missing"),
        (lambda i, h, t: h * i + 2 * h, "W_hh is missing"),
        (lambda i, h, t: h * i + 3 * h, "no vector"),
        (lambda i, h, t: h * i * t + h * h + 2 * h, "same for every step"),
    ],
    "remember": [
        (lambda: (1.0, 0.5), "fades"),
        (lambda: (100.0, 0.9), "fades"),
        (lambda: (1.0, 1.0), "too low"),
        (lambda: (1.0, 1.08), "too low"),
        (lambda: (1.0, -2.0), "changes its sign"),
        (lambda: (0.0, 2.0), "neither w nor u"),
        (lambda: (-1.0, 2.0), "w is negative"),
        (lambda: (0.01, 1.5), "A larger w"),
        (lambda: (-3.0, -3.0), "u is negative"),
    ],
    "weight_gradient": [
        (gradient("torch.outer(d, h[t - 1])"), "throws away"),
        (gradient("total + torch.outer(d, h[t - 1]) * (t == steps)"), "without a past"),
        (gradient("total + torch.outer(d, h[t])"), "not the one that came out"),
        (gradient("total + torch.outer(h[t - 1], d)"), "turned round"),
        (gradient(back="weight @ d"), "its transpose"),
        (gradient(back="g"), "same at every step"),
        (gradient("total + torch.outer(g, h[t - 1])"), "slope of tanh"),
        (gradient(out="total / steps"), "mean over the steps"),
        (gradient("total + torch.outer(d, h[t - 1]) * (t > 1)"), "first step's share is missing"),
        (shares, "the gradient is their sum"),
        (lambda *given: torch.stack(shares(*given)), "the gradient is their sum"),
    ],
}
