"""The unit with weights set by hand: it stores two values, and knows its own wiring."""

import pytest
import torch

from lessons import one_unit
from lessons.errors import LessonError
from lessons.tracing import trace


def shown(**wiring):
    return trace(one_unit.register(**wiring), one_unit.signals()).numpy("h")[:, 0]


def test_it_stores_clears_and_shows():
    h, (first, again, second, _) = shown(), one_unit.SHOWS
    assert h[first] > 0.5 and h[again] > 0.5 and h[second] < -0.5
    assert abs(h[[step for step in range(one_unit.STEPS) if step not in one_unit.SHOWS]]).max() < 0.1


def test_it_does_not_hang_on_torchs_defaults():
    expected = one_unit.signals(), shown()
    torch.set_default_dtype(torch.float64)
    try:
        found = one_unit.signals(), shown()
    finally:
        torch.set_default_dtype(torch.float32)
    assert torch.equal(found[0], expected[0]) and (found[1] == expected[1]).all()


@pytest.mark.parametrize("name", ["bias", "hidden_size", "forget_bias", "gate", "num_layers"])
def test_what_is_no_wiring_is_refused(name):
    with pytest.raises(LessonError, match=f"{name} is no part"):
        one_unit.register(**{name: False})


def test_a_wiring_that_cannot_be_is_refused():
    with pytest.raises(LessonError):
        one_unit.register(coupled=True, forget_gate=False)
