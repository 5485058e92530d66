"""The experiments behind the claims: one module a claim, holding a CLAIM. Results lie in data/claims/."""

from __future__ import annotations

import difflib
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from lessons.errors import LessonError
from lessons.experiments.claim import Claim


@cache
def catalogue() -> dict[str, Claim]:
    """Every claim by name, in the order of lessons and then names."""
    modules = [import_module(f"{__name__}.{found.name}") for found in iter_modules(__path__)]
    claims = [module.CLAIM for module in modules if hasattr(module, "CLAIM")]
    return {claim.name: claim for claim in sorted(claims, key=lambda claim: (claim.lesson, claim.name))}


def find(name: str) -> Claim:
    """The claim called `name`; LessonError lists all names, the nearest first."""
    if name in catalogue():
        return catalogue()[name]
    near = difflib.get_close_matches(name, catalogue(), n=1)
    guess = f" Did you mean {near[0]}?" if near else ""
    raise LessonError(f"There is no claim {name!r}.{guess} The claims are {', '.join(catalogue())}.")
