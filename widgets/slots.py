"""A notebook cell owns what it displays: running the cell again closes what it displayed before.

ipywidgets keeps every widget alive until it is closed, so a cell that is run twenty times would otherwise
hold twenty explorers, with their figures and traces, in the kernel.
"""

from typing import Protocol

import ipywidgets as ipw


class Closable(Protocol):
    def close(self) -> None: ...


_owned: dict[str, tuple[str, list[Closable]]] = {}


def keep(thing: Closable) -> None:
    """Let the running cell own `thing`; close what an earlier run of the same cell owned."""
    place = running_cell()
    if place is None:
        return
    cell, run = place
    earlier, things = _owned.get(cell, (run, []))
    if earlier != run:
        for old in things:
            if isinstance(layout := getattr(old, "layout", None), ipw.Widget):
                layout.close()
            old.close()
        things = []
    _owned[cell] = (run, [*things, thing])


def running_cell() -> tuple[str, str] | None:
    """(the cell, this run of it) in a notebook; None elsewhere."""
    kernel = running_kernel()
    if kernel is None:
        return None
    request = kernel.get_parent("shell")
    if not request or "header" not in request:
        return None
    cell = request.get("metadata", {}).get("cellId") or request.get("content", {}).get("code", "")
    return cell, request["header"]["msg_id"]


def running_kernel():
    """The Jupyter kernel that this runs in, or None (a terminal, a script, a test)."""
    from IPython import get_ipython

    return getattr(get_ipython(), "kernel", None)
