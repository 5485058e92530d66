"""Right and wrong answers to the exercises of lesson 06, for test_exercises."""

import copy

import torch
from torch import nn

FIND_THE_BUG = {"coupled_cell"}


def peepholes_by_rows(total, c, peephole):
    i, f, g, o = (part.squeeze(1) for part in total.unflatten(-1, (4, -1)).split(1, 1))
    new = torch.sigmoid(torch.addcmul(f, peephole[1], c)).mul(c)
    new = new + torch.sigmoid(torch.addcmul(i, peephole[0], c)) * g.tanh()
    return torch.sigmoid(o + peephole[2] * new) * new.tanh(), new


def peepholes_in_numpy(total, c, peephole):
    import numpy

    i, f, g, o = numpy.split(total.numpy(), 4, axis=1)
    p, c = peephole.numpy(), c.numpy()

    def squash(v):
        return 1 / (1 + numpy.exp(-v))

    new = squash(f + p[1] * c) * c + squash(i + p[0] * c) * numpy.tanh(g)
    return squash(o + p[2] * new) * numpy.tanh(new), new


def peepholes(
    line_o="o + p[2] * new", line_i="i + p[0] * c", line_f="f + p[1] * c", line_g="g", out="h, new"
):
    source = f"""
def peephole_cell(total, c, p):
    i, f, g, o = total.chunk(4, -1)
    i, f, g = torch.sigmoid({line_i}), torch.sigmoid({line_f}), torch.tanh({line_g})
    new = f * c + i * g
    o = torch.sigmoid({line_o})
    h = o * torch.tanh(new)
    return {out}
"""
    room = {"torch": torch}
    exec(source, room)
    return room["peephole_cell"]


def opened(both=0.0, blocks=(1, 2), layers=None):
    def open_forget_gates(lstm, value):
        place = slice(*(block * lstm.hidden_size for block in blocks))
        with torch.no_grad():
            for layer in range(layers or lstm.num_layers):
                lstm.get_parameter(f"bias_ih_l{layer}")[place] = value
                lstm.get_parameter(f"bias_hh_l{layer}")[place] = both * value
        return lstm

    return open_forget_gates


def opened_by_halves(lstm, value):
    for name, bias in lstm.named_parameters():
        if name.startswith("bias"):
            nn.init.constant_(bias.detach().chunk(4)[1], value / 2)
    return lstm


def opened_through_data(lstm, value):
    for layer in range(lstm.num_layers):
        first, second = (getattr(lstm, f"bias_{kind}_l{layer}").data for kind in ("ih", "hh"))
        first.chunk(4)[1].copy_(value - second.chunk(4)[1])
    return lstm


def at_three_to_six(lstm, value):
    with torch.no_grad():
        for layer in range(lstm.num_layers):
            lstm.get_parameter(f"bias_ih_l{layer}")[3:6] = value
            lstm.get_parameter(f"bias_hh_l{layer}")[3:6] = 0.0
    return lstm


def opened_without_leave(lstm, value):
    lstm.bias_ih_l0[3:6] = value
    return lstm


def counted_by_torch(inputs, hidden, blocks, peepholes):
    layer = nn.RNN(inputs, hidden)
    return blocks * sum(weight.numel() for weight in layer.parameters()) + peepholes * hidden


RIGHT = {
    "peephole_cell": [peepholes_by_rows, peepholes_in_numpy],
    "coupled_cell": [lambda i, g, c: torch.lerp(c, g, i), lambda i, g, c: c + i * (g - c)],
    "open_forget_gates": [opened_by_halves, opened_through_data],
    "count_parameters": [
        counted_by_torch,
        lambda inputs, hidden, blocks, peepholes: hidden * (blocks * (inputs + hidden + 2) + peepholes),
    ],
}

WRONG = {
    "peephole_cell": [
        (peepholes(line_o="o + p[2] * c"), "old cell"),
        (peepholes(line_i="i", line_f="f"), "do not look"),
        (peepholes(line_i="i + p[1] * c", line_f="f + p[0] * c"), "swapped"),
        (peepholes(line_o="o", line_g="g + p[2] * c"), "candidate"),
        (peepholes(out="o * new, new"), "without its tanh"),
        (peepholes(out="new, h"), "wrong order"),
        (peepholes(line_o="o + new @ p"), "matrix"),
        (peepholes(out="maths"), ""),
    ],
    "coupled_cell": [
        (lambda i, g, c: i * (c + g), "share one budget"),
        (lambda i, g, c: i * c + (1 - i) * g, "exchanged"),
        (lambda i, g, c: c + i * g, "nothing is forgotten"),
        (lambda i, g, c: (1 - i) * c + g, "whole"),
        (lambda i, g, c: (1 - g) * c + i * g, "minus the candidate"),
        (lambda i, g, c: torch.lerp(c, g, torch.sigmoid(i)), "second sigmoid"),
    ],
    "open_forget_gates": [
        (opened(both=1.0), "twice"),
        (opened(blocks=(0, 1)), "input gate"),
        (opened(blocks=(2, 3)), "candidate"),
        (opened(blocks=(0, 4)), "all four"),
        (at_three_to_six, ""),
        (lambda lstm, value: opened()(copy.deepcopy(lstm), value), ""),
        (opened(layers=1), "first layer"),
        (opened_without_leave, "no_grad"),
    ],
    "count_parameters": [
        (lambda n, h, b, p: b * h * (n + h + 1) + p * h, "one bias"),
        (lambda n, h, b, p: b * h * (n + h) + p * h, "biases are missing"),
        (lambda n, h, b, p: b * h * (n + 2) + p * h, "recurrent matrix"),
        (lambda n, h, b, p: b * (n + h + 2) + p * h, "one row for every unit"),
        (lambda n, h, b, p: b * h * (n + h + 2) + p * h * h, "its own unit"),
        (lambda n, h, b, p: b * h * (n + h + 2), "not counted"),
    ],
}
