"""Recurrent networks you can see through: the PyTorch half of Unrolled.

`from lessons import CharModel, corpora, fit, trace` is how every notebook starts. Parts are loaded when they
are first asked for, so that `import lessons` itself takes milliseconds.
"""

import os
from importlib import import_module
from typing import Any

_NAMES = {"CharModel": "char_rnn", "LessonError": "errors", "fit": "training", "trace": "tracing"}
_MODULES = (
    "cells",
    "char_rnn",
    "check",
    "checkpoints",
    "claims",
    "closed_form",
    "corpora",
    "doctor",
    "gradients",
    "ngram",
    "presets",
    "recurrent",
    "run",
    "sampling",
    "training",
    "units",
    "vocabulary",
)

# For the command line, where torch comes after this; the Makefile says why, `make lab` and Binder set it too.
os.environ.setdefault("GOMP_SPINCOUNT", "2000")

__all__ = [*_NAMES, *_MODULES]


def __getattr__(name: str) -> Any:
    if name in _NAMES:
        value = getattr(import_module(f"lessons.{_NAMES[name]}"), name)
    elif name in _MODULES:
        value = import_module(f"lessons.{name}")
    else:
        raise AttributeError(f"module 'lessons' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
