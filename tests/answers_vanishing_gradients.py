"""Right and wrong answers to the exercises of lesson 03, for test_exercises."""

import torch

FIND_THE_BUG = {"read_sequence"}


def norms(back="weight.T @ (slope * g)", slope="1 - h[t] ** 2", out="torch.stack(found).flip(0)"):
    source = f"""
def gradient_norms(h, weight, last):
    g, found, all_of_them = last, [last.norm()], [last]
    for t in reversed(range(1, len(h))):
        slope = {slope}
        g = {back}
        found.append(g.norm())
        all_of_them.append(g)
    return {out}
"""
    room = {"torch": torch}
    exec(source, room)
    return room["gradient_norms"]


def norms_by_autograd(h, weight, last):
    drive = torch.atanh(h[1:]) - h[:-1] @ weight.T
    states = [h[0].clone().requires_grad_()]
    for row in drive:
        states.append(torch.tanh(row + weight @ states[-1]))
    return torch.stack([g.norm() for g in torch.autograd.grad(states[-1] @ last, states)])


def norms_by_matrices(h, weight, last):
    product, found = torch.eye(len(last), dtype=h.dtype), [last.norm()]
    for t in range(len(h) - 1, 0, -1):
        product = product @ torch.diag(1 - h[t] ** 2) @ weight
        found.insert(0, (last @ product).norm())
    return found


def radius_in_numpy(weight, radius):
    import numpy

    values = numpy.linalg.eigvals(weight.numpy())
    return weight.numpy() * radius / abs(values).max()


def radius_in_place(weight, radius):
    weight *= radius
    weight /= torch.linalg.eigvals(weight).abs().amax() / radius
    return weight


def path_in_a_loop(f):
    rows = [torch.ones_like(f[0])]
    for gate in f.flip(0)[:-1]:
        rows.insert(0, rows[0] * gate)
    return rows


def path_by_logarithms(f):
    logs = f.log()
    return (logs.sum(0) - logs.cumsum(0)).exp()


def path_one_gate_early(f):
    rows = [torch.ones_like(f[0])]
    for gate in f.flip(0)[1:]:
        rows.insert(0, rows[0] * gate)
    return rows


def reader(line="torch.tanh(w @ x_t + u @ h)", last="h", over="x"):
    source = f"""
def read_sequence(x, w, u):
    h = torch.zeros(len(u), dtype=x.dtype)
    for t, x_t in enumerate({over}):
        h = {line}
    return {last}
"""
    room = {"torch": torch}
    exec(source, room)
    return room["read_sequence"]


def read_by_indices(x, weight_ih, weight_hh):
    h = torch.zeros(weight_hh.shape[0], dtype=x.dtype)
    for t in range(x.shape[0]):
        h = (x[t] @ weight_ih.T + h @ weight_hh.T).tanh()
    return h


def shut_off(x, weight_ih, weight_hh):
    with torch.no_grad():
        return read_by_indices(x, weight_ih, weight_hh)


RIGHT = {
    "gradient_norms": [norms(), norms_by_autograd, norms_by_matrices],
    "to_radius": [radius_in_numpy, radius_in_place],
    "cell_path": [path_in_a_loop, path_by_logarithms],
    "read_sequence": [reader(), read_by_indices],
}

WRONG = {
    "gradient_norms": [
        (norms(out="torch.stack(found)"), "turn them round"),
        (norms(back="weight @ (slope * g)"), "transposed"),
        (norms(slope="1"), "slope of tanh is missing"),
        (norms(slope="1 - h[t - 1] ** 2"), "one step too early"),
        (norms(back="slope * (weight.T @ g)"), "wrong order"),
        (norms(slope="1 - h[t]"), "not 1 − h"),
        (norms(slope="1 - torch.tanh(h[t]) ** 2"), "taken twice"),
        (norms(out="torch.stack(found).flip(0) ** 2"), "square of the length"),
        (norms(out="torch.stack(all_of_them).flip(0)"), "length of each is asked for"),
        (norms(out="torch.stack(found[1:]).flip(0)"), "one length is missing"),
        (lambda h, w, g: norms()(torch.cat([h[:1], h]), w, g), "one length too many"),
        (lambda h, w, g: norms()(h, w, g) / g.norm(), "shares of the last step"),
        (norms(out="torch.stack(found).norm()"), "one number for all steps"),
    ],
    "to_radius": [
        (lambda w, r: w * r / torch.linalg.matrix_norm(w, ord=2), "largest singular value"),
        (lambda w, r: w * r / w.norm(), "Frobenius"),
        (lambda w, r: w * r / w.abs().max(), "largest entry"),
        (lambda w, r: w * r, "not divided out first"),
        (lambda w, r: w / torch.linalg.eigvals(w).abs().max(), "whatever was asked for"),
        (lambda w, r: w * r / torch.linalg.eigvals(w).real.max(), "largest real part"),
        (lambda w, r: w * r / torch.linalg.eigvals(w).real.abs().max(), "only the real parts"),
        (lambda w, r: w * torch.linalg.eigvals(w).abs().max() / r, "upside down"),
        (lambda w, r: w * r / torch.linalg.eigvals(w).abs()[0], "in no order"),
        (lambda w, r: w * r / torch.linalg.eigvalsh(w).abs().max(), "symmetric"),
        (lambda w, r: w * r / torch.linalg.eigvals(w).max(), "complex numbers have no order"),
        (lambda w, r: r / torch.linalg.eigvals(w).abs().max(), "that is the factor"),
    ],
    "cell_path": [
        (lambda f: f.flip(0).cumprod(0).flip(0), "f_t itself"),
        (lambda f: f.cumprod(0), "from the first step on"),
        (lambda f: f.prod(0, keepdim=True).repeat(len(f), 1), "product of all gates"),
        (lambda f: torch.cat([f[1:], f[:1] * 0 + 1]), "next step only"),
        (lambda f: f.sum(0) - f.cumsum(0), "a sum"),
        (path_one_gate_early, "one too early"),
        (lambda f: path_by_logarithms(f).flip(0), "turn them round"),
        (lambda f: f[1:].flip(0).cumprod(0).flip(0), "one step is missing"),
    ],
    "read_sequence": [
        (reader("torch.tanh(w @ x_t + u @ h.detach())"), "only the last step"),
        (reader("torch.tanh(w @ x_t + u @ h.data)"), "only the last step"),
        (reader("torch.tanh(w @ x_t + u @ (h.detach() if t % 3 == 0 else h))"), "at some steps"),
        (reader(last="h.detach()"), "cut off from the gradient altogether"),
        (reader(last="torch.tensor(h.tolist(), dtype=x.dtype)"), "cut off from the gradient altogether"),
        (shut_off, "cut off from the gradient altogether"),
        (reader("torch.tanh(w @ x_t + u.detach() @ h)"), "not part of the graph"),
        (reader("torch.tanh(w @ x_t.detach() + u @ h)"), "no step of x"),
        (reader("torch.tanh(w @ x_t + u @ h.float())"), "zeros of the dtype"),
        (reader("torch.tanh(w @ x_t)"), "the past is gone"),
        (reader("torch.tanh(w @ x_t + u.T @ h)"), "W_hh is transposed"),
        (reader(over="x.flip(0)"), "from its end"),
        (reader("torch.tanh(x_t @ w + u @ h)"), "stands left of x_t"),
    ],
}
