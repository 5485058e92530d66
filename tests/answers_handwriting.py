"""Right and wrong answers to the exercises of lesson 15, for test_exercises."""

import math

import torch

FIND_THE_BUG = {"mixture_cost"}


def by_torch(place, mean, deviation, rho):
    across = rho * deviation.prod()
    covariance = torch.diag(deviation**2) + torch.tensor([[0.0, across], [across, 0.0]], dtype=place.dtype)
    return torch.distributions.MultivariateNormal(mean, covariance).log_prob(place)


def by_factors(place, mean, deviation, rho):
    x, y = ((place - mean) / deviation).T
    free = math.sqrt(1 - rho**2)
    given = (y - rho * x) / free
    return -(x**2 + given**2) / 2 - math.log(2 * math.pi * free) - deviation.log().sum()


def gaussian(
    z="x**2 + y**2 - 2 * rho * x * y", power="2 * (1 - rho**2)", factor="2 * pi * s.prod() * free**0.5"
):
    def log_gaussian(place, mean, deviation, rho):
        x, y = ((place - mean) / deviation).unbind(1)
        room = {"x": x, "y": y, "rho": rho, "s": deviation, "free": 1 - rho**2, "pi": math.pi}
        return -eval(z, room) / eval(power, room) - torch.log(torch.as_tensor(eval(factor, room)))

    return log_gaussian


def window(bump="torch.exp(-beta * away**2)", phi="(alpha * bump).sum(1)"):
    def letters_read(alpha, beta, kappa, letters):
        places = torch.arange(letters.shape[1], dtype=kappa.dtype)
        room = {"alpha": alpha.unsqueeze(2), "beta": beta.unsqueeze(2), "torch": torch, "u": places}
        room["away"] = kappa.unsqueeze(2) - places
        room["bump"] = eval(bump, room)
        read = eval(phi, room)
        return read, torch.einsum("bu,buv->bv", read, letters)

    return letters_read


def one_at_a_time(alpha, beta, kappa, letters):
    rows = []
    for a, b, k in zip(alpha, beta, kappa, strict=True):
        places = range(letters.shape[1])
        rows.append(torch.stack([(a * torch.exp(-b * (k - u) ** 2)).sum() for u in places]))
    phi = torch.stack(rows)
    return phi, (phi[:, None] @ letters)[:, 0]


def off_by_rank(alpha, beta, kappa, letters):
    return (alpha * torch.exp(-beta * (kappa - torch.arange(letters.shape[1] + 50)) ** 2)), letters


def cost(weights="numbers.log_softmax(-1)", join="-(w + logs).logsumexp(-1)"):
    def mixture_cost(numbers, logs):
        room = {"numbers": numbers, "logs": logs, "torch": torch}
        room["w"] = eval(weights, room)
        return eval(join, room)

    return mixture_cost


def largest_first(numbers, logs):
    total = torch.log_softmax(numbers, 1) + logs
    top = total.amax(1, keepdim=True)
    return -(top[:, 0] + (total - top).exp().sum(1).log())


def sharp(weights="(w * (1 + b)).softmax(-1)", deviations="(s - b).exp()"):
    return lambda w, s, b: (
        eval(weights, {"w": w, "b": b}),
        eval(deviations, {"s": s, "b": b, "exp": math.exp}),
    )


RIGHT = {
    "log_gaussian": [by_torch, by_factors, gaussian()],
    "letters_read": [window(), one_at_a_time],
    "mixture_cost": [largest_first, cost("numbers - numbers.logsumexp(-1, keepdim=True)")],
    "sharpened": [sharp(), sharp("(w + b * w).log_softmax(1).exp()", "s.exp() / exp(b)")],
}

WRONG = {
    "log_gaussian": [
        (lambda *given: by_torch(*given).exp(), "the density itself"),
        (gaussian(z="x**2 + y**2"), "does not lean"),
        (gaussian(z="x**2 + y**2 + 2 * rho * x * y"), "leans the other way"),
        (gaussian(power="2"), "divide by 2 only"),
        (gaussian(factor="2 * pi * s.prod()"), "does not integrate to 1"),
        (gaussian(factor="2 * pi * s.prod() * free"), "1 − ρ² itself"),
        (gaussian(factor="(2 * pi)**0.5 * s.prod() * free**0.5"), "one dimension"),
        (gaussian(factor="1.0"), "this is no density"),
        (lambda place, mean, s, rho: ((place.T - mean) / s).sum(1), "(N, 2)"),
    ],
    "letters_read": [
        (window(phi="(alpha * bump).sum(1) / (alpha * bump).sum(1).sum(1, keepdim=True)"), "sum to 1"),
        (window(phi="(alpha * bump).sum(1).softmax(-1)"), "no softmax"),
        (window("torch.exp(-away**2 / (2 * beta**2))"), "sharpness"),
        (window("torch.exp(-beta * away.abs())"), "no tent"),
        (window("torch.exp(beta * away**2)"), "the sign is lost"),
        (window("torch.exp(-beta * (away - 1) ** 2)"), "count places from 1"),
        (window(phi="bump.sum(1)"), "height of each Gaussian"),
        (window(phi="(alpha * bump).amax(1)"), "took the highest"),
        (off_by_rank, "bring all to (B, K, U)"),
    ],
    "mixture_cost": [
        (cost("numbers.log_softmax(0)"), "runs over the batch"),
        (cost("numbers"), "not normalised at all"),
        (cost("numbers.softmax(-1)"), "must be logarithms too"),
        (cost(join="(w + logs).logsumexp(-1)"), "the cost is minus it"),
        (cost(join="-(w + logs).sum(-1)"), "a sum of densities"),
        (cost(join="-(w + logs).amax(-1)"), "likeliest component alone"),
        (cost(join="-(w.exp() * logs.exp()).sum(-1).log()"), "log 0 is infinite"),
    ],
    "sharpened": [
        (sharp("w.softmax(-1)", "s.exp()"), "not used"),
        (sharp("w.softmax(-1)"), "the weights sharpen too"),
        (sharp(deviations="s.exp()"), "the deviations shrink too"),
        (sharp(deviations="(s + b).exp()"), "grow with the bias"),
        (sharp(deviations="s.exp() - b"), "before exp"),
        (sharp("(w * b).softmax(-1)"), "not b"),
        (sharp("(w + b).softmax(-1)"), "does not notice"),
        (sharp("w.softmax(-1) * (1 + b)"), "sum to 1 + b"),
    ],
}
