"""Arguments are checked against annotations, and what does not fit is one sentence."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import torch
from jaxtyping import Float
from torch import Tensor, nn

from lessons.arguments import Count, Seed, Share, annotations, check_fields, explained, sort_out
from lessons.errors import LessonError

MODEL = nn.Linear(2, 2)


@explained
def example(
    model: nn.Module,
    text: str | Path | bytes | bytearray | memoryview = "",
    *rest: Any,
    count: Count = 1,
    heat: float | int = 1.0,
    share: Share = 0.5,
    top: int | None = None,
    seed: Seed = 0,
    some: Sequence[float | int] = (),
    names: tuple[str, str] | None = None,
    x: Float[Tensor, "a b"] | None = None,
    sure: bool = True,
    call: Callable[..., Any] | None = None,
    sweep: Mapping[str, Iterable[Any]] | None = None,
    mode: Literal["a", "b"] = "a",
    **more: Any,
) -> dict[str, Any]:
    """Returns what it was given."""
    return locals()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"model": 3}, "model is a model; 3 is not."),
        ({"model": nn.Linear}, "model is a model; the class Linear is not."),
        ({"text": None}, "text is a string, a path or bytes; None is not."),
        ({"text": 5}, "text is a string, a path or bytes; 5 is not."),
        ({"count": 0}, "count is a whole number from 1 upwards; 0 is not."),
        ({"count": True}, "count is a whole number from 1 upwards; True is not."),
        ({"count": 2.0}, "count is a whole number from 1 upwards; 2.0 is not."),
        ({"count": torch.ones(1, dtype=torch.long)}, "upwards; a tensor of shape (1,) is not."),
        ({"heat": "x"}, "heat is a number; 'x' is not."),
        ({"heat": math.nan}, "heat is a number; nan is not."),
        ({"heat": math.inf}, "heat is a number; inf is not."),
        ({"heat": 1j}, "heat is a number; a complex is not."),
        ({"share": 1.5}, "share is a number from 0 to 1; 1.5 is not."),
        ({"top": 2.5}, "top is a whole number or None; 2.5 is not."),
        ({"seed": -1}, "seed is a whole number from 0 to 4294967295; -1 is not."),
        ({"seed": 10**5000}, "a number of 16610 bits is not."),
        ({"some": 0.5}, "some is a list of numbers; 0.5 is not."),
        ({"some": ["x"]}, "some is a list of numbers; ['x'] is not."),
        ({"some": "abc"}, "some is a list of numbers; 'abc' is not."),
        ({"names": ("a",)}, "names is a tuple of strings or None; ('a',) is not."),
        ({"x": [[1.0]]}, "x is a tensor or None; [[1.0]] is not."),
        ({"sure": 1}, "sure is True or False; 1 is not."),
        ({"call": 3}, "call is a function or None; 3 is not."),
        ({"sweep": {"unit": 5}}, "sweep is a dict of lists or None; {'unit': 5} is not."),
        ({"mode": "c"}, "mode is 'a' or 'b'; 'c' is not."),
    ],
)
def test_what_does_not_fit_is_one_sentence(given, said):
    with pytest.raises(LessonError) as refused:
        example(**{"model": MODEL, **given})
    assert str(refused.value).endswith(said) and "\n" not in str(refused.value)


def test_numbers_of_numpy_and_tensors_become_pythons():
    given = example(
        MODEL,
        "a",
        1,
        "rest",
        count=np.int64(3),
        heat=np.float32(0.5),
        top=torch.tensor(4),
        sure=np.True_,
        other=5,
    )
    assert (given["count"], given["heat"], given["top"], given["sure"]) == (3, 0.5, 4, True)
    assert [type(given[name]) for name in ("count", "heat", "top", "sure")] == [int, float, int, bool]
    assert given["rest"] == (1, "rest") and given["more"] == {"other": 5}


def test_arrays_stand_for_lists_and_lists_for_tuples():
    assert example(MODEL, some=np.array([1.0, 2.0]))["some"] == [1.0, 2.0]
    assert example(MODEL, some=range(3))["some"] == range(3)
    assert example(MODEL, names=["a", "b"])["names"] == ("a", "b")


def test_a_call_that_python_refuses_is_python_s_to_explain():
    with pytest.raises(TypeError, match="model"):
        example()
    assert example.__doc__ == "Returns what it was given."


def test_arguments_are_sorted_into_right_and_wrong():
    good, wrong = sort_out(example, {"count": 3, "seed": "x", "heat": None})
    assert good == {"count": 3} and [line.split()[0] for line in wrong] == ["seed", "heat"]
    assert "rest" not in annotations(example.__wrapped__)


def test_fields_of_a_dataclass_are_checked_as_they_are_annotated():
    @dataclass
    class Sizes:
        steps: int
        clip: float | int | None = None

        def __post_init__(self):
            check_fields(self)

    with pytest.raises(LessonError, match="steps is a whole number; 'many' is not"):
        Sizes("many")
    with pytest.raises(LessonError, match="clip is a number or None; nan is not"):
        Sizes(1, math.nan)
    assert Sizes(3, 1).clip == 1
