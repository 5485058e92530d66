"""Reading a training step's gates out of what autograd keeps for its backward pass: no arithmetic is done
again.

On a CPU, oneDNN's float32 LSTM stores every gate in a workspace (T x B rows of 4 H floats, gates in the
order i, f, g, o, steps in the direction of travel), and autograd holds on to it. That layout is internal to
oneDNN, so what is read is checked against the definition h = o tanh(c) and refused when it does not fit.
The closed-form GRU and Elman layers keep their own gates, which are read in the same way.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from lessons.errors import LessonError
from lessons.side_by_side import name_gru, name_lstm, scan


class XrayUnavailable(LessonError):
    """The gates cannot be read from this output; `trace` works on every kernel."""


class Reading(NamedTuple):
    """Of one layer and direction: gates and states by name (T, B, H), the state before them by name (B, H).

    `backward` says that the kernel itself started at the last step.
    """

    named: dict[str, Tensor]
    initial: dict[str, Tensor]
    backward: bool


def may_read(mode: str, x: Tensor) -> bool:
    """Whether torch's kernel for this input may be one that keeps its gates when gradients are on."""
    return mode == "LSTM" and x.device.type == "cpu" and x.dtype == torch.float32


def read(output: Float[Tensor, "*axes"]) -> tuple[str, list[list[Reading]]]:
    """The kind of cell, and the readings per layer (lowest first) and direction, behind a layer's output."""
    layers: dict[int, list] = {}
    for node, depth in recurrent_nodes(output):
        layers.setdefault(depth, []).append(node)
    if not layers:
        raise XrayUnavailable(
            "No readable recurrent layer lies behind this output; it takes a float32 LSTM (or a GRU or RNN "
            "of lessons.recurrent) on the CPU, with gradients on. Use trace instead."
        )
    cells = {cell_of(node) for nodes in layers.values() for node in nodes}
    if len(cells) > 1:
        raise XrayUnavailable(f"Several kinds of cell ({', '.join(sorted(cells))}) lie behind this output.")
    try:
        return cells.pop(), [
            [read_node(node) for node in layers[depth]] for depth in sorted(layers, reverse=True)
        ]
    except (AttributeError, RuntimeError) as problem:
        raise XrayUnavailable(
            f"The gates are gone or out of reach ({problem}); read them before backward()."
        ) from problem


def recurrent_nodes(output: Tensor) -> list[tuple]:
    """The recurrent nodes of the graph behind an output, each with how many recurrent nodes lie above it.

    Where ways of different length lead to a node, as round a residual connection, the longest counts.
    """
    found, seen, waiting = {}, set(), [(output.grad_fn, 0)]
    while waiting:
        node, depth = waiting.pop(0)
        if node is None or (node, depth) in seen:
            continue
        seen.add((node, depth))
        recurrent = cell_of(node) is not None
        if recurrent:
            found[node] = max(depth, found.get(node, 0))
        inputs = node.next_functions[:1] if recurrent else node.next_functions
        waiting += [(below, depth + recurrent) for below, _ in inputs]
    return list(found.items())


def cell_of(node) -> str | None:
    """Which cell a node of the graph ran; None where it is no recurrent layer."""
    if node.name().startswith("MkldnnRnnLayer"):
        return "lstm"
    return getattr(node, "xray_as", None)


def read_node(node) -> Reading:
    """What one recurrent node of the graph holds."""
    cell = cell_of(node)
    if cell == "lstm":
        return read_onednn(node)
    _, h0, *_ = saved = node.saved_tensors
    named = {"h": saved[-1]} if cell == "rnn" else name_gru(saved[-2], saved[-1], saved[-3])
    named = {name: part.detach() for name, part in named.items()}
    return Reading(named, {"h": h0.detach()}, node.backward_in_time)


@torch.no_grad()
def read_onednn(node) -> Reading:
    """Gates and states out of oneDNN's workspace."""
    h, workspace, backward = node._saved_result0.detach(), node._saved_result3, bool(node._saved_reverse)
    if h.dtype != torch.float32:
        raise XrayUnavailable(
            f"oneDNN's workspace can be read in float32, not in {h.dtype}; use trace instead."
        )
    steps, batch, hidden = h.shape
    rows, width = steps * batch, row_length(4 * hidden)
    if workspace.nbytes < 4 * rows * width:
        raise XrayUnavailable("oneDNN's workspace is smaller than its known layout; use trace instead.")
    gates = workspace.view(torch.float32)[: rows * width].view(steps, batch, width)[..., : 4 * hidden]
    gates = gates.flip(0) if backward else gates
    h0, c0 = (part.detach().reshape(batch, hidden) for part in (node._saved_hx_, node._saved_cx_))
    c = scan(gates, c0, backward)
    check(gates[..., 3 * hidden :], c, h)
    return Reading(name_lstm(gates, c, h), {"h": h0, "c": c0}, backward)


def row_length(floats: int) -> int:
    """oneDNN's stride between rows: whole cache lines, but never a multiple of 256 floats."""
    floats = -(-floats // 16) * 16
    return floats + 16 if floats % 256 == 0 else floats


def check(o: Tensor, c: Tensor, h: Tensor) -> None:
    """Refuse gates that do not satisfy h = o tanh(c) at the first, middle and last step."""
    steps = [0, len(h) // 2, -1]
    error = float((o[steps] * torch.tanh(c[steps]) - h[steps]).abs().max())
    if not error < 1e-4:
        raise XrayUnavailable(
            f"oneDNN's workspace is not laid out as known (h is off by {error:.1e}); use trace instead."
        )
