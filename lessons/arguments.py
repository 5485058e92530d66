"""What a learner hands to a function, checked against the function's own annotations.

    @explained
    def generate(model: CharModel, seed_text: str = "", length: Count = 200, seed: Seed = 0): ...

generate(model, "To be", length=1.5)    # LessonError: length is a whole number from 1 upwards; 1.5 is not.

Where a type says too little, `Between` adds the bounds. What an annotation cannot say (a layer that the model
has not) stays with the function itself.
"""

import functools
import inspect
import math
import numbers
import os
import reprlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy
import torch
from torch import Tensor, nn

from lessons.errors import LessonError

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True)
class Between:
    """Bounds of a number, both included: Annotated[int, Between(0, 9)]; None leaves an end open."""

    low: float | None = None
    high: float | None = None

    def __contains__(self, value: float) -> bool:
        above = self.low is None or value >= self.low
        return above and (self.high is None or value <= self.high)

    def __str__(self) -> str:
        if self.high is None:
            return f" from {self.low} upwards"
        return f" from {self.low} to {self.high}"


Seed = Annotated[int, Between(0, 2**32 - 1)]
Count = Annotated[int, Between(1)]
Share = Annotated[float | int, Between(0, 1)]


class Unfit(Exception):
    """A value is not what an annotation asks for."""


def explained(function: Function) -> Function:
    """Check what the function is called with before it runs; LessonError says what fits and what was given.

    Whole numbers and numbers may come from numpy or as tensors without axes: the function sees Python's own.
    True and False are no numbers, nan and infinity are no numbers to calculate with.
    """
    signature = inspect.signature(function)

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            bound = signature.bind(*args, **kwargs)
        except TypeError:
            return function(*args, **kwargs)  # Python says which argument is missing or not known
        good, wrong = sort_out(function, bound.arguments)
        if wrong:
            raise LessonError(wrong[0])
        bound.arguments.update(good)
        return function(*bound.args, **bound.kwargs)

    return call  # type: ignore[return-value]


def sort_out(function: Callable, values: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Arguments by name: those that fit the function's annotations, and a sentence for each that does not."""
    hints, good, wrong = annotations(inspect.unwrap(function)), {}, []
    for name, value in values.items():
        try:
            good[name] = fitted(value, hints[name]) if name in hints else value
        except Unfit:
            wrong.append(f"{name} is {words(hints[name])}; {shown(value)} is not.")
    return good, wrong


def check_fields(thing: Any) -> None:
    """The same for a dataclass: raises LessonError if a field is not what it is annotated as."""
    _, wrong = sort_out(type(thing), {name: getattr(thing, name) for name in thing.__dataclass_fields__})
    if wrong:
        raise LessonError(wrong[0])


@functools.cache
def annotations(function: Callable) -> dict[str, Any]:
    """What the arguments (or a dataclass's fields) are annotated as; *args and **kwargs are left out."""
    hints = get_type_hints(function, include_extras=True)
    if isinstance(function, type):
        return hints
    many = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    kinds = inspect.signature(function).parameters
    return {name: hint for name, hint in hints.items() if name in kinds and kinds[name].kind not in many}


def fitted(value: Any, hint: Any) -> Any:
    """The value as the hint asks for it; raises Unfit. Hints that say nothing checkable take anything."""
    origin, inside = get_origin(hint), get_args(hint)
    if origin is Annotated:
        value = fitted(value, inside[0])
        require(all(value in bounds for bounds in inside[1:] if isinstance(bounds, Between)))
        return value
    if origin in (Union, UnionType):
        return _one_of(value, inside)
    if origin is Literal:
        require(value in inside)
        return value
    if hint in _PLAIN:
        return _PLAIN[hint](value)
    if hasattr(hint, "array_type"):  # jaxtyping's: its axes are checked in the tests
        hint = hint.array_type
    if origin is not None:
        value = _as_list(value, origin)
        require(isinstance(value, origin))
        return _inside(value, inside)
    if isinstance(hint, type) and not getattr(hint, "_is_protocol", False):
        require(isinstance(value, hint))
    return value


def require(fits: bool) -> None:
    """Raise Unfit unless it fits."""
    if not fits:
        raise Unfit


def _as_list(value: Any, origin: Any) -> Any:
    """Arrays and tensors stand for lists, lists for tuples."""
    if (
        isinstance(value, numpy.ndarray | Tensor)
        and value.ndim
        and origin in (Sequence, Iterable, list, tuple)
    ):
        value = value.tolist()
    return tuple(value) if isinstance(value, list) and origin is tuple else value


def _one_of(value: Any, hints: Sequence[Any]) -> Any:
    for hint in sorted(hints, key=lambda hint: get_origin(hint) is not None):  # a class is quickly told
        try:
            return fitted(value, hint)
        except Unfit:
            continue
    raise Unfit


def _inside(value: Any, hints: tuple[Any, ...]) -> Any:
    """The items of a list or tuple and the values of a mapping, one by one; an iterator is not read."""
    if isinstance(value, Mapping) and len(hints) == 2:
        for item in value.values():
            fitted(item, hints[1])
        return value
    if not isinstance(value, list | tuple | str | bytes) or not hints:
        return value
    if isinstance(value, tuple) and len(hints) > 1 and hints[-1] is not ...:
        require(len(value) == len(hints))
        return tuple(map(fitted, value, hints))
    items = [fitted(item, hints[0]) for item in value]
    return value if isinstance(value, str | bytes) else type(value)(items)


def _whole(value: Any) -> int:
    if isinstance(value, Tensor):
        require(value.ndim == 0 and not value.is_floating_point() and not value.is_complex())
        require(value.dtype != torch.bool)
        return int(value)
    require(isinstance(value, numbers.Integral) and not isinstance(value, bool))
    require(abs(int(value)) < 2**63)
    return int(value)


def _number(value: Any) -> float | int:
    if isinstance(value, Tensor):
        require(value.ndim == 0 and value.dtype != torch.bool and not value.is_complex())
        value = value.item()
    require(isinstance(value, numbers.Real) and not isinstance(value, bool))
    value = int(value) if isinstance(value, numbers.Integral) else float(value)
    require(abs(value) < 1e300 and not math.isnan(value))
    return value


def _truth(value: Any) -> bool:
    require(isinstance(value, bool | numpy.bool_))
    return bool(value)


def _nothing(value: Any) -> None:
    require(value is None)


_PLAIN: dict[Any, Callable[[Any], Any]] = {
    int: _whole, float: _number, bool: _truth, NoneType: _nothing, Any: lambda value: value,
    object: lambda value: value,
}  # fmt: skip

_WORDS = {
    int: "a whole number", float: "a number", str: "a string", bool: "True or False", NoneType: "None",
    bytes: "bytes", bytearray: "bytes", memoryview: "bytes", Path: "a path", os.PathLike: "a path",
    Tensor: "a tensor", nn.Module: "a model", torch.device: "a device", tuple: "a tuple", list: "a list",
    Sequence: "a list", Iterable: "a list", Mapping: "a dict", dict: "a dict", Callable: "a function",
}  # fmt: skip
_MANY = {int: "whole numbers", float: "numbers", str: "strings", float | int: "numbers"}


def words(hint: Any) -> str:
    """What an annotation asks for, to stand behind "is"."""
    origin, inside = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return words(inside[0]) + "".join(str(bounds) for bounds in inside[1:] if isinstance(bounds, Between))
    if origin in (Union, UnionType):
        wide = [one for one in inside if not (one is int and float in inside)]
        return _listed([words(one) for one in wide])
    if origin is Literal:
        return _listed([repr(one) for one in inside])
    if hasattr(hint, "array_type"):
        return words(hint.array_type)
    if origin is not None:
        many = _many(inside[-1 if issubclass(origin, Mapping) else 0]) if inside else ""
        return f"{words(origin)}{f' of {many}' * bool(many)}"
    return _WORDS.get(hint) or _named(hint)


def _many(hint: Any) -> str:
    """The plural, where it has one."""
    bare = get_args(hint)[0] if get_origin(hint) is Annotated else hint
    if isinstance(bare, list):  # what a function takes
        return ""
    return _MANY.get(bare) or ("lists" if get_origin(bare) in (Sequence, Iterable) else "")


def _listed(names: list[str]) -> str:
    *first, last = dict.fromkeys(names)
    return f"{', '.join(first)} or {last}" if first else last


def _named(kind: Any) -> str:
    name = getattr(kind, "__name__", str(kind))
    vowel = name[0] in "AEIOU" or (name[:2].isupper() and name[0] in "FHLMNRSX")  # an LSTM, a Linear
    return f"{'an' if vowel else 'a'} {name}"


_SHORT = reprlib.Repr()
_SHORT.maxlist = _SHORT.maxtuple = _SHORT.maxdict = 3


def shown(value: Any) -> str:
    """A value as a sentence can name it, in a few words."""
    if isinstance(value, Tensor):
        return f"a tensor of shape {tuple(value.shape)}"
    if isinstance(value, type):
        return f"the class {value.__name__}"
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 10**18:
        return f"a number of {value.bit_length()} bits"
    if value is None or isinstance(value, numbers.Real | str | bytes | list | tuple | dict):
        return _SHORT.repr(value)
    return _named(type(value))
