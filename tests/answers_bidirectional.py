"""Right and wrong answers to the exercises of lesson 09, for test_exercises."""

import torch

FIND_THE_BUG = {"read_backward"}


def by_gather(x, lengths):
    t = torch.arange(x.shape[1])
    source = torch.where(t < lengths[:, None], lengths[:, None] - 1 - t, t)
    return x.gather(1, source[..., None].expand_as(x))


def by_lists(x, lengths):
    return [torch.cat([row[:n].flip(0), row[n:]]) for row, n in zip(x, lengths.tolist(), strict=True)]


def in_loop(stop="n"):
    def reverse_by_length(x, lengths):
        y = x.clone()
        for row, n in enumerate(lengths.tolist()):
            end = eval(stop, {"n": n, "lengths": lengths})
            y[row, :end] = x[row, :end].flip(0)
        return y

    return reverse_by_length


def assigned_to_itself(x, lengths):
    return torch.stack([row.clone() for row in x])


def merging(**odd):
    ways = {
        "concat": "torch.concatenate((f, b), dim=2)",
        "sum": "f + b",
        "mul": "f * b",
        "ave": "torch.stack((f, b)).mean(0)",
    } | odd

    def merge(f, b, mode):
        return eval(ways[mode], {"torch": torch, "f": f, "b": b})

    return merge


def by_match(forward, backward, mode):
    match mode:
        case "concat":
            return torch.cat((forward, backward), dim=-1)
        case "sum":
            return torch.add(forward, backward)
        case "mul":
            return torch.mul(forward, backward)
    return 0.5 * (forward + backward)


def ends_by_loop(output, lengths):
    half = output.shape[-1] // 2
    return [torch.cat([y[n - 1, :half], y[0, half:]]) for y, n in zip(output, lengths.tolist(), strict=True)]


def ends_by_gather(output, lengths):
    half = output.shape[-1] // 2
    place = (lengths - 1)[:, None, None].expand(-1, 1, half)
    return torch.cat((output[..., :half].gather(1, place)[:, 0], output[:, 0, half:]), 1)


def halves(ahead, back, swap=False):
    def both_ends(y, n):
        half, rows = y.shape[2] // 2, torch.arange(len(n))
        parts = [y[rows, eval(ahead), :half], y[rows, eval(back), half:]]
        return torch.cat(parts[::-1] if swap else parts, 1)

    return both_ends


def reader(keep="h = h * m", store="h", order="reversed(range(x.shape[1]))", put="insert(0, ", drive=""):
    source = f"""
def read_backward(x, lengths, w, u, b):
    h, states = torch.zeros(len(x), len(b), dtype=x.dtype), []
    for t in {order}:
        m = (t < lengths)[:, None].to(x.dtype)
        {drive or "h = torch.tanh(x[:, t] @ w.T + h @ u.T + b)"}
        {keep}
        states.{put}{store})
    return torch.stack(states, 1)
"""
    room = {"torch": torch}
    exec(source, room)
    return room["read_backward"]


def one_by_one(x, lengths, w, u, b):
    out = torch.zeros(*x.shape[:2], len(b), dtype=x.dtype)
    for row, n in enumerate(lengths.tolist()):
        h = torch.zeros(len(b), dtype=x.dtype)
        for t in range(n - 1, -1, -1):
            h = out[row, t] = (w @ x[row, t] + u @ h + b).tanh()
    return out


def turned(x, lengths, w, u, b):
    plain = reader("", order="range(x.shape[1])", put="append(")
    return by_gather(plain(by_gather(x, lengths), lengths, w, u, b), lengths)


RIGHT = {
    "reverse_by_length": [by_gather, by_lists, in_loop()],
    "merge": [merging(), by_match],
    "both_ends": [ends_by_loop, ends_by_gather, halves("n - 1", "0 * n")],
    "read_backward": [reader(), one_by_one, reader("h = torch.where(m.bool(), h, 0.0)")],
}

WRONG = {
    "reverse_by_length": [
        (lambda x, n: torch.flip(x, [1]), "padding included"),
        (lambda x, n: x.flip(0), "order of the sequences"),
        (lambda x, n: x.flip(-1), "features are turned"),
        (assigned_to_itself, "nothing has moved"),
        (in_loop("n - 1"), "one step too short"),
        (in_loop("n + 1"), "one step of padding"),
        (in_loop("int(lengths[0])"), "length of the first one"),
        (lambda x, n: by_gather(x, n)[:, : int(n.min())], "steps are missing"),
    ],
    "merge": [
        (merging(concat="torch.cat([f, b], 1)"), "behind one another in time"),
        (merging(concat="torch.cat([f, b])"), "behind one another in the batch"),
        (merging(concat="torch.cat([b, f], -1)"), "backward comes first"),
        (lambda f, b, mode: by_match(f, b.flip(1), mode), "turned round once more"),
        (merging(ave="f + b"), "half of the sum"),
        (merging(mul="(f * b).sum(2)"), "added up over the units"),
        (merging(mul="f @ b.transpose(1, 2)"), "matrix product"),
        (merging(concat="torch.stack([f, b], -1).flatten(2)"), "alternate"),
        (lambda f, b, mode: torch.cat([f, b], 2), "every mode concatenates"),
    ],
    "both_ends": [
        (lambda y, n: y[torch.arange(len(n)), n - 1], "just begun there"),
        (lambda y, n: y[:, 0], "forward half one step"),
        (lambda y, n: y[:, -1], "padding for the shorter"),
        (halves("-1", "0 * n"), "last step of the row"),
        (halves("0 * n", "n - 1"), "ends are swapped"),
        (halves("n - 1", "0 * n", swap=True), "changed places"),
        (halves("n - 2", "0 * n"), "one step too early"),
        (lambda y, n: y.sum(1) / n.unsqueeze(-1), "mean over the steps"),
        (halves("n", "0 * n"), "counted from 0"),
    ],
    "read_backward": [
        (reader("", "h * m"), "Blank h itself"),
        (reader(""), "begins with the padding"),
        (turned, "must hold 0"),
        (reader(put="append("), "from the last step to the first"),
        (reader("", "h * m", order="range(x.shape[1])", put="append("), "reads forward"),
        (reader(drive="h = torch.tanh(x[:, t] @ w.T + h @ u.T)"), "Keep the bias"),
        (reader("h = h * (t < lengths - 1)[:, None]"), "blanked as well"),
        (reader(drive="h = torch.tanh(x[:, t] @ w.T + b)"), "nothing is carried on"),
    ],
}  # fmt: skip
