"""Gates side by side in one tensor, as kernels and closed forms keep them: their names, and the scan to c."""

from jaxtyping import Float
from torch import Tensor

Gates = Float[Tensor, "time batch gates"]
States = Float[Tensor, "time batch hidden"]


def name_lstm(gates: Gates, c: States, h: States) -> dict[str, States]:
    """i, f, g, o under their names, beside c and h."""
    return dict(zip("ifgo", gates.chunk(4, -1), strict=True)) | {"c": c, "h": h}


def name_gru(gates: Gates, q: States, h: States) -> dict[str, States]:
    """r, z, n under their names, beside q and h."""
    return dict(zip("rzn", gates.chunk(3, -1), strict=True)) | {"q": q, "h": h}


def scan(gates: Gates, c0: Float[Tensor, "batch hidden"], backward: bool = False) -> States:
    """The LSTM's cell, c_t = f_t c_{t-1} + i_t g_t, for all t; `backward` starts at the last step.

    A plain loop over two views: the fastest way on a CPU, and exact where scans in log space give NaN.
    """
    i, f, g, _ = gates.chunk(4, -1)
    c, before = i * g, c0
    steps = list(zip(c.unbind(0), f.unbind(0), strict=True))
    for now, keep in reversed(steps) if backward else steps:
        before = now.addcmul_(keep, before)
    return c
