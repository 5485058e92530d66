"""Pictures and controls for the lessons: pure figures first, explorers in front of them.

`from widgets import gates, sampling, text, theme, training`; each is loaded when it is first asked for.
"""

from importlib import import_module
from typing import Any

_MODULES = ("explorer", "export", "gates", "quiz", "sampling", "text", "theme", "training")

__all__ = [*_MODULES]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'widgets' has no attribute {name!r}")
    return import_module(f"widgets.{name}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
