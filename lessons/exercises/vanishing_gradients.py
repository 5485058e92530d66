"""Exercises and quiz of lesson 03: Jacobians by hand, a spectral radius, the way along the cell."""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from lessons.exercises.exercise import (
    Case,
    Exercise,
    Observations,
    behaves_like,
    returns,
    shows,
    stops_with,
)
from lessons.exercises.questions import Option, Question

# -------------------------------------------------------------- the solutions, as the learner is shown them


def gradient_norms(
    h: Float[Tensor, "time hidden"], weight: Float[Tensor, "hidden hidden"], last: Float[Tensor, " hidden"]
) -> Float[Tensor, " time"]:
    """From the last step to the first: through tanh's slope at h_t, then through the matrix, transposed."""
    gradient, norms = last, [last.norm()]
    for state in h.flip(0)[:-1]:
        gradient = weight.T @ ((1 - state**2) * gradient)
        norms.append(gradient.norm())
    return torch.stack(norms).flip(0)


def to_radius(weight: Float[Tensor, "hidden hidden"], radius: float) -> Float[Tensor, "hidden hidden"]:
    """Divide by the largest eigenvalue in absolute value, multiply by the one asked for."""
    return weight * (radius / torch.linalg.eigvals(weight).abs().max())


def cell_path(f: Float[Tensor, "time hidden"]) -> Float[Tensor, "time hidden"]:
    """Along the cell alone dc_T/dc_t is the product of the forget gates after step t; at T it is 1."""
    after = torch.cat([f[1:], torch.ones_like(f[:1])])
    return after.flip(0).cumprod(0).flip(0)


def read_sequence(
    x: Float[Tensor, "time input"], weight_ih: Float[Tensor, "hidden input"], weight_hh: Float[Tensor, "h h"]
) -> Float[Tensor, " hidden"]:
    """The last state of a tanh network; nothing on the way is cut off from the gradient."""
    h = torch.zeros(len(weight_hh), dtype=x.dtype)
    for x_t in x:
        h = torch.tanh(weight_ih @ x_t + weight_hh @ h)
    return h


# ------------------------------------------------------------------------------ 1: the product of Jacobians


def _dice(seed: int) -> torch.Generator:
    return torch.Generator(device="cpu").manual_seed(seed)


def _states(steps: int, hidden: int, seed: int = 1) -> Callable[[], tuple]:
    def arguments() -> tuple:
        dice = _dice(seed)
        h = torch.tanh(1.5 * torch.randn(steps, hidden, generator=dice, dtype=torch.float64))
        weight = torch.randn(hidden, hidden, generator=dice, dtype=torch.float64)
        return h, weight, torch.randn(hidden, generator=dice, dtype=torch.float64)

    return arguments


def _backward(step: Callable) -> Callable:
    """Norms of a gradient that takes `step(state after, state before, weight, gradient)` back each time."""

    def run(h: Tensor, weight: Tensor, last: Tensor) -> Tensor:
        gradient, norms = last, [last.norm()]
        for t in range(len(h) - 1, 0, -1):
            gradient = step(h[t], h[t - 1], weight, gradient)
            norms.append(gradient.norm())
        return torch.stack(norms).flip(0)

    return run


GRADIENT_NORMS = Exercise(
    name="gradient_norms",
    statement="Carry the gradient of a tanh network back through time, and return its length at every step.",
    stub='''def gradient_norms(h, weight, last):
    """States h (T, H), W_hh (H, H), dL/dh_T (H,) -> the length of dL/dh_t at every step t, (T,)."""
    return ...
''',
    solution=gradient_norms,
    cases=(
        Case("a network of 4 units and 6 steps", _states(6, 4)),
        Case("a network of 3 units and 2 steps", _states(2, 3)),
        Case("a sequence of one step", _states(1, 3)),
    ),
    observe=returns("the lengths"),
    diagnoses=(
        behaves_like(
            lambda h, weight, last: gradient_norms(h, weight, last).flip(0),
            "the lengths stand from the last step to the first; turn them round, so that place t belongs to "
            "step t.",
        ),
        behaves_like(
            _backward(lambda after, before, weight, g: weight @ ((1 - after**2) * g)),
            "forward the state is multiplied by W, so backward the gradient is multiplied by W transposed.",
        ),
        behaves_like(
            _backward(lambda after, before, weight, g: weight.T @ g),
            "the slope of tanh is missing: multiply by 1 − h² before the matrix.",
        ),
        behaves_like(
            _backward(lambda after, before, weight, g: weight.T @ ((1 - before**2) * g)),
            "the slope is that of the state one step too early. From t to t−1 the gradient passes the tanh "
            "that made h_t.",
        ),
        behaves_like(
            _backward(lambda after, before, weight, g: (1 - after**2) * (weight.T @ g)),
            "matrix and slope are in the wrong order: h_t = tanh(W h + …), so backward the tanh comes first.",
        ),
        behaves_like(
            _backward(lambda after, before, weight, g: weight.T @ ((1 - after) * g)),
            "the slope of tanh at h is 1 − h², not 1 − h.",
        ),
        behaves_like(
            _backward(lambda after, before, weight, g: weight.T @ ((1 - torch.tanh(after) ** 2) * g)),
            "tanh is taken twice: h is the tanh already, and its slope is 1 − h².",
        ),
        behaves_like(
            lambda h, weight, last: gradient_norms(h, weight, last) ** 2,
            "that is the square of the length.",
        ),
        behaves_like(
            lambda h, weight, last: gradient_norms(h, weight, last) / last.norm(),
            "these are shares of the last step's length; the lengths themselves are asked for.",
        ),
        shows(
            lambda seen, expected: torch.as_tensor(seen["the lengths"]).ndim == 0,
            "one number for all steps; each step has a length of its own: .norm(dim=-1).",
        ),
        shows(
            lambda seen, expected: seen["the lengths"].shape[0] == expected["the lengths"].shape[0] + 1,
            "one length too many: stop at h[0]; nothing is asked of the step before it.",
        ),
        shows(
            lambda seen, expected: seen["the lengths"].ndim == 2,
            "these are the gradients themselves; the length of each is asked for: .norm(dim=-1).",
        ),
        shows(
            lambda seen, expected: seen["the lengths"].shape[0] == expected["the lengths"].shape[0] - 1,
            "one length is missing: the last step has the gradient `last` itself.",
        ),
    ),
    hints=(
        "Begin with `last` and walk from the last step to the first. What does one step do to the gradient?",
        "Through tanh: multiply by 1 − h_t². Through W_hh: multiply by its transpose. In this order.",
        "for state in h.flip(0)[:-1]: gradient = weight.T @ ((1 - state**2) * gradient); collect the norms, "
        "flip.",
    ),
    shown="Your loop gives what autograd gives, without autograd: one matrix and one slope for each step.",
)

# --------------------------------------------------------------------------------------- 2: spectral radius


def _matrix(rows: list[list[float]] | int, radius: float) -> Callable[[], tuple]:
    def arguments() -> tuple:
        if isinstance(rows, int):
            return torch.randn(rows, rows, generator=_dice(rows), dtype=torch.float64), radius
        return torch.tensor(rows, dtype=torch.float64), radius

    return arguments


TO_RADIUS = Exercise(
    name="to_radius",
    statement="Scale a recurrent matrix to a given spectral radius.",
    stub='''def to_radius(weight, radius):
    """W (H, H) and a number above 0 -> W times a factor, so that its largest |eigenvalue| is `radius`."""
    return ...
''',
    solution=to_radius,
    cases=(
        Case("a random 5 × 5 matrix and radius 0.9", _matrix(5, 0.9)),
        Case("a rotation by a quarter turn, times 3, and radius 1", _matrix([[0.0, -3.0], [3.0, 0.0]], 1.0)),
        Case(
            "a matrix whose largest eigenvalue is negative, radius 1.2",
            _matrix(
                [[0.5, 0.5, 0.0], [0.0, 0.8, 0.3], [0.0, 0.0, -2.0]], 1.2
            ),  # not the first that eigvals returns
        ),
    ),
    observe=returns("the matrix"),
    diagnoses=(
        behaves_like(
            lambda w, r: w * r / torch.linalg.matrix_norm(w, 2),
            "divided by the largest singular value, the spectral norm. It says how much one step can "
            "stretch; the radius says what many steps do.",
        ),
        behaves_like(
            lambda w, r: w * r / w.norm(),
            "divided by the Frobenius norm, which is no eigenvalue.",
        ),
        behaves_like(
            lambda w, r: w * r / w.abs().max(),
            "divided by the largest entry, which is no eigenvalue.",
        ),
        behaves_like(
            lambda w, r: w * r,
            "the matrix is multiplied by the radius, but its own radius is not divided out first.",
        ),
        behaves_like(
            lambda w, r: w / torch.linalg.eigvals(w).abs().max(),
            "the radius is 1 now, whatever was asked for: multiply by `radius`.",
        ),
        behaves_like(
            lambda w, r: w * r / torch.linalg.eigvals(w).real.max(),
            "the largest real part is not the largest distance from 0: take .abs() of the complex "
            "eigenvalues.",
        ),
        behaves_like(
            lambda w, r: w * r / torch.linalg.eigvals(w).real.abs().max(),
            "only the real parts count here. A rotation has none of them, and still turns without "
            "shrinking: take .abs() of the complex eigenvalues.",
        ),
        behaves_like(
            lambda w, r: w * r / torch.linalg.eigvals(w).abs()[0],
            "torch.linalg.eigvals returns the eigenvalues in no order; take the .max() of their .abs().",
        ),
        behaves_like(
            lambda w, r: w * r / torch.linalg.eigvalsh(w).abs().max(),
            "eigvalsh is for symmetric matrices and looks at one triangle only; take eigvals.",
        ),
        stops_with(
            "not implemented for 'Complex|not supported for complex",
            "the eigenvalues are complex, and complex numbers have no order: take .abs() before .max().",
        ),
        shows(
            lambda seen, expected: torch.as_tensor(seen["the matrix"]).is_complex(),
            "a complex matrix: divide by the eigenvalue's .abs(), which is a real number.",
        ),
        shows(
            lambda seen, expected: torch.as_tensor(seen["the matrix"]).ndim == 0,
            "that is the factor; multiply the matrix by it.",
        ),
        behaves_like(
            lambda w, r: w * torch.linalg.eigvals(w).abs().max() / r,
            "the factor is upside down: the new radius over the old one.",
        ),
    ),
    hints=(
        "Scaling a matrix scales all its eigenvalues by the same factor. Which factor takes the largest to "
        "radius?",
        "torch.linalg.eigvals(weight) is complex; its .abs() is the distance from 0.",
        "weight * (radius / torch.linalg.eigvals(weight).abs().max())",
    ),
    shown="The largest eigenvalue lies on the circle asked for, also where it is negative or complex.",
)

# ------------------------------------------------------------------------------------------ 3: the cell path


def _gates(steps: int, hidden: int) -> Callable[[], tuple]:
    return lambda: (torch.rand(steps, hidden, generator=_dice(3), dtype=torch.float64) * 0.5 + 0.5,)


CELL_PATH = Exercise(
    name="cell_path",
    statement="Multiply an LSTM's forget gates into the factor that a nudge of c_t keeps until the last "
    "step.",
    stub='''def cell_path(f):
    """Forget gates f (T, H) -> dc_T/dc_t along the cell alone (gates held as they are), (T, H)."""
    return ...
''',
    solution=cell_path,
    cases=(
        Case("forget gates of 5 steps and 3 units", _gates(5, 3)),
        Case("a single step", _gates(1, 2)),
    ),
    observe=returns("the factors"),
    diagnoses=(
        behaves_like(
            lambda f: f.flip(0).cumprod(0).flip(0),
            "f_t itself is included, but it acts on the way from c_{t−1} to c_t. A nudge of c_t meets the "
            "gates after step t only; at the last step the factor is 1.",
        ),
        behaves_like(
            lambda f: f.cumprod(0),
            "that multiplies from the first step on: what c_0 has lost until t. Asked for is what c_t loses "
            "until the end.",
        ),
        behaves_like(
            lambda f: torch.cat([f[:-1], torch.ones_like(f[:1])]).flip(0).cumprod(0).flip(0),
            "each step has the gate one too early: from c_t to c_{t+1} stands f_{t+1}, not f_t.",
        ),
        behaves_like(
            lambda f: f.prod(0).expand_as(f),
            "every step has the product of all gates; a late nudge meets fewer of them.",
        ),
        behaves_like(
            lambda f: torch.cat([f[1:], torch.ones_like(f[:1])]),
            "that is the gate of the next step only; all later ones multiply as well.",
        ),
        behaves_like(
            lambda f: torch.cat([f[1:], torch.zeros_like(f[:1])]).flip(0).cumsum(0).flip(0),
            "a sum: gates that follow one another multiply.",
        ),
        behaves_like(
            lambda f: torch.cat([f[1:], torch.ones_like(f[:1])]).flip(0).cumprod(0),
            "the factors stand from the last step to the first; turn them round again.",
        ),
        shows(
            lambda seen, expected: seen["the factors"].shape[0] == expected["the factors"].shape[0] - 1,
            "one step is missing: at the last step nothing has been lost, the factor is 1.",
        ),
    ),
    hints=(
        "c_{t+1} = f_{t+1} c_t + i_{t+1} g_{t+1}. Which gates stand between c_t and c_T?",
        "A product from the end: flip, cumprod, flip. Shift the gates by one step first; the last factor is "
        "1.",
        "torch.cat([f[1:], torch.ones_like(f[:1])]).flip(0).cumprod(0).flip(0)",
    ),
    shown="No matrix and no tanh is in this product: gates near 1 keep it near 1 over any number of steps.",
)

# ------------------------------------------------------------------------------------------- 4: find the bug


def _sequence(steps: int) -> Callable[[], tuple]:
    def arguments() -> tuple:
        dice = _dice(4)
        numbers = [torch.randn(*size, generator=dice, dtype=torch.float64) for size in ((steps, 2), (3, 2))]
        return *numbers, 0.8 * torch.randn(3, 3, generator=dice, dtype=torch.float64)

    return arguments


GRADIENTS = ("the gradient with respect to x", "the gradient of weight_ih", "the gradient of weight_hh")
X = GRADIENTS[0]


def _with_gradient(function: Callable, x: Tensor, weight_ih: Tensor, weight_hh: Tensor) -> Observations:
    inputs = [part.clone().requires_grad_() for part in (x, weight_ih, weight_hh)]
    h = torch.as_tensor(function(*inputs))
    found = {"the last state": h.detach()}
    if tuple(h.shape) != (3,):
        return found
    grads = torch.autograd.grad(h.sum(), inputs, allow_unused=True) if h.requires_grad else (None,) * 3
    for name, part, grad in zip(GRADIENTS, inputs, grads, strict=True):
        found[name] = torch.zeros_like(part) if grad is None else grad
    return found


READ_SEQUENCE = Exercise(
    name="read_sequence",
    statement="Mend a network whose states are right and whose gradient never reaches the past.",
    stub='''def read_sequence(x, weight_ih, weight_hh):
    """x (T, I), W_ih (H, I), W_hh (H, H) -> the last state of a tanh network, (H,)."""
    h = torch.zeros(len(weight_hh), dtype=x.dtype)
    for x_t in x:
        h = torch.tanh(weight_ih @ x_t + weight_hh @ h.detach())
    return h
''',
    solution=read_sequence,
    cases=(Case("a sequence of 5 steps", _sequence(5)), Case("a sequence of one step", _sequence(1))),
    observe=_with_gradient,
    diagnoses=(
        shows(
            lambda seen, expected: "the last state" in seen and seen["the last state"].ndim != 1,
            "the state has one number a unit; W x with x (I,) gives (H,).",
        ),
        shows(
            lambda seen, expected: (
                torch.allclose(seen["the last state"], expected["the last state"])
                and not any(bool(seen[part].any()) for part in GRADIENTS)
            ),
            "the result is cut off from the gradient altogether: .detach(), .data, .tolist(), "
            "torch.tensor(…) and torch.no_grad() all cut it.",
        ),
        shows(
            lambda seen, expected: (
                torch.allclose(seen["the last state"], expected["the last state"]) and not bool(seen[X].any())
            ),
            "no step of x gets a gradient: x_t is cut off from the graph.",
        ),
        shows(
            lambda seen, expected: (
                torch.allclose(seen["the last state"], expected["the last state"])
                and bool((seen[X][:-1] == 0).all())
            ),
            "only the last step gets a gradient. Something inside the loop cuts the state off from its "
            "past, and forward that cannot be seen.",
        ),
        shows(
            lambda seen, expected: (
                torch.allclose(seen["the last state"], expected["the last state"])
                and bool((seen[X][0] == 0).all())
            ),
            "the gradient reaches some of the past and then stops: the state is still cut off at some steps.",
        ),
        shows(
            lambda seen, expected: torch.allclose(seen["the last state"], expected["the last state"]),
            "the state is right and the gradient is not: something on the way is not part of the graph.",
        ),
        behaves_like(
            lambda x, weight_ih, weight_hh: torch.tanh(weight_ih @ x[-1]),
            "the past is gone: without W_hh h only the last step is read.",
        ),
        behaves_like(
            lambda x, weight_ih, weight_hh: read_sequence(x, weight_ih, weight_hh.T),
            "W_hh is transposed: forward it is W_hh h.",
        ),
        behaves_like(
            lambda x, weight_ih, weight_hh: read_sequence(x.flip(0), weight_ih, weight_hh),
            "the sequence is read from its end.",
        ),
        stops_with("same dtype", "the numbers here are float64; start from zeros of the dtype of x."),
        stops_with("shapes cannot be multiplied|size mismatch", "W_ih is (H, I): it stands left of x_t."),
    ),
    hints=(
        "The forward pass is right. Which part of the line would autograd not be able to walk back through?",
        ".detach() gives the same numbers without their history.",
        "h = torch.tanh(weight_ih @ x_t + weight_hh @ h)",
    ),
    shown="The state is the same as before; the gradient now reaches every step.",
)

EXERCISES = (GRADIENT_NORMS, TO_RADIUS, CELL_PATH, READ_SEQUENCE)

# ------------------------------------------------------------------------------------------------- the quiz

QUIZ = (
    Question(
        "A tanh network's recurrent matrix makes every vector shorter, by a tenth at least (its largest "
        "singular value is 0.9). What is left of a gradient after very many steps?",
        (
            Option(
                "Nothing: it shrinks at least as fast as 0.9 to the power of the steps.",
                "The slopes of tanh are at most 1, so they can only shorten it further.",
                right=True,
            ),
            Option("A tenth.", "A tenth is lost at each step, and each step loses a tenth of what is left."),
            Option(
                "It depends on the learning rate.",
                "The learning rate decides what is done with a gradient, not how much of it arrives.",
            ),
        ),
    ),
    Question(
        "Why can a radius of 1.2 leave the gradient of a tanh network vanishing all the same?",
        (
            Option(
                "Because tanh networks round to 0.",
                "Nothing is rounded at these sizes; the product itself gets small.",
            ),
            Option(
                "Because the slope 1 − h² is below 1 wherever a unit is not at 0.",
                "Radius and slopes multiply. Units near −1 and 1 have slopes near 0.",
                right=True,
            ),
            Option(
                "Because eigenvalues above 1 are cut off by clipping.",
                "Clipping shortens the gradient of the weights after the backward pass. It touches no "
                "eigenvalue.",
            ),
        ),
    ),
    Question(
        "The loss stands at the last step only, and almost nothing of its gradient reaches step 3. What "
        "does the network fail to learn?",
        (
            Option(
                "Anything at all.",
                "The gradient of the weights is a sum over steps, and the late steps have their share.",
            ),
            Option(
                "How to compute step 3.",
                "Weights are the same at every step, so step 3 is computed as well as any other.",
            ),
            Option(
                "What the end needs to know from step 3.",
                "The part of the gradient that would say so is drowned by that of the late steps.",
                right=True,
            ),
        ),
    ),
    Question(
        "Along an LSTM's cell alone, what multiplies the gradient from one step to the one before?",
        (
            Option("The forget gate.", "One number a unit, no matrix, no tanh on the way.", right=True),
            Option(
                "The recurrent matrix and the slope of tanh.",
                "That is the way through h, which an LSTM has as well, beside the cell.",
            ),
            Option("The input gate.", "It decides what is written, and stands on the way from x to c."),
        ),
    ),
    Question(
        "Your ReLU network's loss is nan after 40 steps of training. Which picture would have warned you?",
        (
            Option(
                "The loss curve.",
                "It often falls until the very last step before the nan.",
            ),
            Option(
                "The accuracy on held-out data.",
                "It follows the loss, and warns as little.",
            ),
            Option(
                "The gradient's norm on a logarithmic axis.",
                "A product that grows from step to step is a straight line there. Lesson 07 does something "
                "about it.",
                right=True,
            ),
        ),
    ),
    Question(
        "Is it true that recurrent networks without gates cannot remember 50 steps?",
        (
            Option(
                "Yes: their gradient always vanishes.",
                "Start a ReLU network at the identity and its gradient hardly shrinks at all at first.",
            ),
            Option(
                "No: it depends on the start, the slope and the radius, and training may take them away "
                "again.",
                "An identity start can hold a gradient over many steps; the picture after training shows "
                "whether it still does.",
                right=True,
            ),
            Option(
                "No: any network can if it is wide enough.",
                "Width adds units, and every one of them has the same product on its way back.",
            ),
        ),
    ),
)
