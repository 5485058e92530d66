"""The recurrence h_t = a_t h_{t-1} + b_t over all steps at once, where a and b do not depend on h.

Two steps of such a recurrence are one step of the same kind: a = a_2 a_1, b = a_2 b_1 + b_2. So they may be
put together in any grouping (Blelloch 1990, "Prefix Sums and Their Applications"), and time need not be
walked through one step after the other. The gradient is a recurrence of the same kind, run backwards.
"""

import torch
from jaxtyping import Inexact
from torch import Tensor
from torch.autograd.function import FunctionCtx

from lessons.arguments import explained
from lessons.errors import LessonError

Steps = Inexact[Tensor, "time *state"]
State = Inexact[Tensor, "*state"]

NEVER = -1e30  # the log of nothing, for a stabiliser before the first step: an infinity would give nan
WIDE = 1024  # numbers a step from which a CPU gains nothing by putting steps side by side


@explained
def scan(a: Tensor, b: Tensor, h0: Tensor | None = None) -> Tensor:
    """h_t = a_t h_{t-1} + b_t at all steps, differentiable (twice, too).

    Args:
        a, b: (T, ...), time first; each is spread over the other where it has axes of size 1. Complex numbers
            are allowed.
        h0: what goes before the first step, of a step's shape; zeros by default.

    Raises LessonError where shapes do not fit.
    """
    try:
        a, b = torch.broadcast_tensors(a, b)
        h0 = b.new_zeros(b.shape[1:]) if h0 is None else h0.expand(b.shape[1:])
    except RuntimeError as problem:
        start = "none" if h0 is None else tuple(h0.shape)
        raise LessonError(
            f"A scan takes a and b of one shape, time first, and h0 of a step's; these are {tuple(a.shape)}, "
            f"{tuple(b.shape)} and {start}."
        ) from problem
    if not b.dim() or not len(b):
        raise LessonError("There is no step to scan over; give at least one.")
    dtype = torch.promote_types(torch.promote_types(a.dtype, b.dtype), h0.dtype)
    return Scan.apply(a.to(dtype), b.to(dtype), h0.to(dtype), False)


class Scan(torch.autograd.Function):
    """For autograd: (a, b, h0, backward) -> h. `backward` begins at the last step.

    The adjoint is a scan itself, l_t = dL/dh_t + conj(a_{t+1}) l_{t+1}, and dL/db = l,
    dL/da_t = l_t conj(h_{t-1}).
    """

    @staticmethod
    def forward(a, b, h0, backward):
        return solve(a, b, h0, backward)

    @staticmethod
    def setup_context(ctx: FunctionCtx, inputs, output):
        a, _, h0, ctx.backward_in_time = inputs
        ctx.save_for_backward(a, h0, output)

    @staticmethod
    def backward(ctx: FunctionCtx, grad):
        a, h0, h = ctx.saved_tensors
        back = ctx.backward_in_time
        first, shift = (-1, 1) if back else (0, -1)
        following = a.roll(shift, 0).conj().resolve_conj()  # the one that wraps round meets a zero
        adjoint = Scan.apply(following, grad, torch.zeros_like(h0), not back)
        into_a = None
        if ctx.needs_input_grad[0]:
            before = torch.cat([h[1:], h0[None]] if back else [h0[None], h[:-1]])
            into_a = adjoint * before.conj()
        return into_a, adjoint, adjoint[first] * a[first].conj(), None


def solve(a: Steps, b: Steps, h0: State, backward: bool = False) -> Steps:
    """The scan by whichever of the three ways suits device and size."""
    if b.device.type == "cpu" and h0.numel() >= WIDE:
        return by_steps(a, b, h0, backward)
    if backward:
        return solve(a.flip(0), b.flip(0), h0).flip(0)
    return by_chunks(a, b, h0) if b.device.type in ("cpu", "meta") else by_doubling(a, b, h0)


def by_steps(a: Steps, b: Steps, h0: State, backward: bool = False) -> Steps:
    """One step after the other, each a single multiplication and addition in place: T small operations."""
    h = torch.empty_like(b, memory_format=torch.contiguous_format)
    rows = list(zip(a.unbind(0), b.unbind(0), h.unbind(0), strict=True))
    before = h0
    for a_t, b_t, h_t in reversed(rows) if backward else rows:
        before = torch.addcmul(b_t, a_t, before, out=h_t)
    return h


def by_doubling(a: Steps, b: Steps, h0: State) -> Steps:
    """Log2 T rounds over everything: after each, a step holds twice as many (Hillis and Steele 1986)."""
    b = torch.cat([(b[0] + a[0] * h0)[None], b[1:]])
    reach = 1
    while reach < len(b):
        b = torch.cat([b[:reach], torch.addcmul(b[reach:], a[reach:], b[:-reach])])
        a = torch.cat([a[:reach], a[reach:] * a[:-reach]])
        reach *= 2
    return b


def by_chunks(a: Steps, b: Steps, h0: State) -> Steps:
    """Chunks of sqrt(T) steps side by side, then their ends one by one: 2 sqrt(T) wide operations."""
    steps = len(b)
    length = max(1, round(steps**0.5))
    chunks = -(-steps // length)
    inside_a, inside_b = (chunked(part, chunks, length) for part in (a, b))
    inside = by_steps(inside_a, inside_b, torch.zeros_like(inside_b[0]))
    kept = inside_a.cumprod(0)
    ends = by_steps(kept[-1], inside[-1], h0)
    entering = torch.cat([h0[None], ends[:-1]])
    return torch.addcmul(inside, kept, entering).transpose(0, 1).flatten(0, 1)[:steps]


def chunked(x: Steps, chunks: int, length: int) -> Inexact[Tensor, "length chunks *state"]:
    """Chunks of steps beside each other, the last filled up with zeros."""
    missing = chunks * length - len(x)
    if missing:
        x = torch.cat([x, x.new_zeros(missing, *x.shape[1:])])
    return x.unflatten(0, (chunks, length)).transpose(0, 1)


def log_scan(log_a: Steps, log_b: Steps, log_h0: State) -> Steps:
    """log h_t of the same recurrence where a, b and h are positive, from sums and logcumsumexp.

    Heinsen (2023), "Efficient Parallelization of a Ubiquitous Sequential Computation"; Feng et al. (2024)
    train their cells so. Sums of T logarithms lose digits in float32 that `scan` keeps.
    """
    total = torch.cat([torch.zeros_like(log_a[:1]), log_a.cumsum(0)])
    terms = torch.cat([log_h0[None], log_b]) - total
    return (total + terms.logcumsumexp(0))[1:]


@torch.no_grad()
def running_max(log_a: Tensor, log_b: Steps, m0: State) -> Steps:
    """m_t = max(log_a_t + m_{t-1}, log_b_t), without a gradient: what keeps exponentials of sums in range."""
    log_a, m = torch.broadcast_tensors(log_a, log_b)
    m = torch.cat([torch.maximum(m[0], log_a[0] + m0)[None], m[1:]])
    reach = 1
    while reach < len(m):
        m = torch.cat([m[:reach], torch.maximum(m[reach:], log_a[reach:] + m[:-reach])])
        log_a = torch.cat([log_a[:reach], log_a[reach:] + log_a[:-reach]])
        reach *= 2
    return m
