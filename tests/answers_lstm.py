"""Right and wrong answers to the exercises of lesson 04, for test_exercises."""

import torch

FIND_THE_BUG = {"new_cell", "from_keras"}


def cell(
    order="ifgo",
    g="torch.tanh(g)",
    c="f * c + i * g",
    h="o * torch.tanh(c)",
    out="h, c",
    gates="torch.sigmoid",
):
    source = f"""
def lstm_cell(total, c):
    {", ".join(order)} = total.chunk(4, -1)
    i, f, g, o = {gates}(i), {gates}(f), {g}, {gates}(o)
    old = c
    c = {c}
    h = {h}
    return {out}
"""
    room = {"torch": torch}
    exec(source, room)
    return room["lstm_cell"]


def at_fixed_places(total, c):
    i, f, g, o = (total[:, k : k + 3] for k in (0, 3, 6, 9))
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c), c


def by_torch(total, c):
    size = c.shape[1]
    eye, nothing = torch.eye(4 * size), torch.zeros(4 * size, size)
    return torch.lstm_cell(total, (torch.zeros_like(c), c), eye, nothing)


def loaded(kernel, recurrent_kernel, bias):
    layer = torch.nn.LSTM(len(kernel), len(recurrent_kernel))
    with torch.no_grad():
        layer.weight_ih_l0.copy_(kernel.t())
        layer.weight_hh_l0.copy_(recurrent_kernel.t())
        layer.bias_ih_l0.copy_(bias)
        layer.bias_hh_l0.fill_(0)
    return [part.detach() for part in layer.parameters()]


def keras(order="ifco", transpose=True, biases="first"):
    def read(kernel, recurrent_kernel, bias):
        place = [("i", "f", "c", "o").index(name) for name in order]
        kernel, recurrent_kernel, bias = (
            torch.cat([part.chunk(4, -1)[k] for k in place], -1) for part in (kernel, recurrent_kernel, bias)
        )
        if transpose:
            kernel, recurrent_kernel = kernel.T, recurrent_kernel.T
        return kernel, recurrent_kernel, bias, bias if biases == "both" else 0 * bias

    return read


RIGHT = {
    "lstm_cell": [cell(), by_torch],
    "new_cell": [lambda i, f, g, c: torch.addcmul(f * c, i, g), lambda i, f, g, c: g.mul(i) + c.mul(f)],
    "from_keras": [
        keras(),
        loaded,
        lambda k, r, b: (k.T, r.T, b / 2, b / 2),
        lambda k, r, b: (k.T, r.T, b * 0, b),
    ],
    "peephole_output": [
        lambda total, p, c: torch.tanh(c) / (1 + torch.exp(-total - c * p)),
        lambda total, p, c: torch.tanh(c) * torch.addcmul(total, p, c).sigmoid(),
    ],
}

WRONG = {
    "lstm_cell": [
        (cell(out="c, h"), "h first"),
        (cell(order="ifog"), "order of some papers"),
        (cell(order="figo"), "i and f have changed places"),
        (cell(c="i * old + f * g"), "i and f have changed places"),
        (cell(gates="torch.tanh"), "went through tanh"),
        (cell(gates="", g="g"), "nothing has squashed yet: sigmoid for"),
        (cell(gates=""), "nothing has squashed yet: the gates"),
        (at_fixed_places, "four blocks"),
        (cell(h="hidden_size"), ""),
        (cell(g="torch.sigmoid(g)"), "only add to the cell"),
        (cell(g="g"), "not squashed"),
        (cell(h="o * c"), "unsquashed"),
        (cell(h="o * torch.tanh(old)"), "shows the old cell"),
        (lambda total, c: (total * c, c), "chunk(4"),
    ],
    "new_cell": [
        (lambda i, f, g, c: i * c + f * g, "forget gate is on the candidate"),
        (lambda i, f, g, c: (f + i) * g, "nothing is remembered"),
        (lambda i, f, g, c: c - f * c + i * g, "in spite of its name"),
        (lambda i, f, g, c: torch.lerp(g, c, f), "coupled"),
        (lambda i, f, g, c: (f * c + i * g).tanh(), "squashed"),
        (lambda i, f, g, c: f.sigmoid() * c + i.sigmoid() * g.tanh(), "once too often"),
        (lambda i, f, g, c: f.sigmoid() * c + i.sigmoid() * g, "second sigmoid"),
        (lambda i, f, g, c: f * c + i * g.tanh(), "second tanh"),
        (lambda i, f, g, c: f * c + g, "comes in whole"),
        (lambda i, f, g, c: f * c + i * g.abs(), ""),
    ],
    "from_keras": [
        (keras(transpose=False), "not transposed"),
        (keras("ifoc", biases="both"), "second trap"),
        (keras("ifoc"), "nothing moves"),
        (keras(biases="both"), "there twice"),
        (keras("fico"), "begin with i"),
        (lambda k, r, b: (r.T, k.T, b, b * 0), "kernel is weight_ih"),
        (lambda k, r, b: (k.T, r, b, b * 0), "recurrent_kernel is not transposed"),
        (lambda k, r, b: (k.view(-1, 3), r.view(-1, 2), b, b * 0), "do not turn axes"),
        (lambda k, r, b: (k.T, r.T, b, None), ""),
        (lambda k, r, b: (k.T, r.T, b, 0.0), ""),
    ],
    "peephole_output": [
        (lambda total, p, c: total.sigmoid() * c.tanh(), "does not see the cell"),
        (lambda total, p, c: (total.sigmoid() + p * c) * c.tanh(), "behind the sigmoid"),
        (lambda total, p, c: (total + p * c.tanh()).sigmoid() * c.tanh(), "squashed cell"),
        (lambda total, p, c: (total + p * c).sigmoid() * c, "unsquashed"),
        (lambda total, p, c: (total + p * c).sigmoid(), "gate o alone"),
        (lambda total, p, c: (total + (c @ p).unsqueeze(1)).sigmoid() * c.tanh(), "no matrix"),
        (lambda total, p, c: (total + p[:, None] * c).sigmoid() * c.tanh(), "peephole * c"),
    ],
}
