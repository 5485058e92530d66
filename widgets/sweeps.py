"""Every picture that an explorer can show, drawn beforehand: what its page without a kernel holds.

A control may be narrowed to some of its values. Evenly spaced numbers stay a slider, others become a list to
pick from, and a control with one value only is left out.
"""

import dataclasses
import itertools
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from plotly.io.json import to_json_plotly

from lessons.errors import LessonError
from widgets import theme
from widgets.explorer import Control, Controlled, Index, Pick, Slider, control_spec

STATES = 5_000  # most pictures in one page
Sweep = Mapping[str, Iterable[Any]]


def sweeps(x: Controlled, sweep: Sweep) -> dict[str, Any]:
    """Every picture of an explorer: the controls, a pool of parts, and which parts each combination shows.

    Raises LessonError for a control that there is not, for more than 5,000 combinations, and where nothing
    can be drawn.
    """
    for name in sweep:
        if name not in x.kinds:
            raise LessonError(f"There is no control {name!r}; there are {', '.join(x.kinds)}.")
    now = x.value()
    values = {name: list(sweep.get(name) or kind.values(now[name])) for name, kind in x.kinds.items()}
    _few_enough(values)
    kinds = {
        name: kind if name not in sweep else narrowed(kind, values[name], now[name])
        for name, kind in x.kinds.items()
    }
    shown = {name: kind for name, kind in kinds.items() if len(values[name]) > 1}
    pool: dict[str, int] = {}
    states: dict[str, dict[str, Any]] = {}
    refused: LessonError | None = None
    for combination in itertools.product(*values.values()):
        chosen = dict(zip(values, combination, strict=True))
        key = ",".join(str(place(kind, chosen[name])) for name, kind in shown.items())
        try:
            picture = x.drawn(**chosen)
        except LessonError as problem:  # said in the page as in a notebook
            refused, picture = problem, {"message": str(problem)}
        states[key] = {name: _put(part, pool) for name, part in picture.items()}
    if refused is not None and all(set(state) == {"message"} for state in states.values()):
        raise refused
    return {
        "spec": [control_spec(name, kind) for name, kind in shown.items()],
        "start": {name: kind.write(kind.value) for name, kind in shown.items()},
        "theme": x.controls.theme,
        "tokens": {name: dataclasses.asdict(one) for name, one in theme.THEMES.items()},
        "config": theme.CONFIG,
        "states": states,
        "pool": [json.loads(part) for part in pool],
    }


def narrowed(control: Control, values: Sequence[Any], now: Any) -> Control:
    """The control with these values only; it starts where the explorer stands, else at the first."""
    start = now if now in values else values[0]
    if isinstance(control, Slider) and (step := _even(values)):
        return dataclasses.replace(control, minimum=values[0], maximum=values[-1], value=start, step=step)
    label = getattr(control, "label", None)
    return Pick({_said(control, value): value for value in values}, start, label)


def place(control: Control, value: Any) -> int | str:
    """Which of its values a control shows, as both sides of the page count them (explorer_page.js)."""
    if isinstance(control, Slider):
        return round((value - control.minimum) / control.step)
    if isinstance(control, Index):
        return "all" if value is None else value
    return int(control.write(value))


def _few_enough(values: Mapping[str, Sequence[Any]]) -> None:
    count = math.prod(map(len, values.values()))
    if count > STATES:
        many = max(values, key=lambda name: len(values[name]))
        raise LessonError(
            f"That would be {count:,} pictures in one page; keep fewer values of {many}: "
            f"page(…, sweep={{{many!r}: […]}})."
        )


def _even(values: Sequence[Any]) -> float | None:
    """The distance of evenly spaced rising numbers, three at least."""
    if len(values) < 3:
        return None
    gaps = [second - first for first, second in itertools.pairwise(values)]
    return gaps[0] if gaps[0] > 0 and all(math.isclose(gap, gaps[0]) for gap in gaps) else None


def _said(control: Control, value: Any) -> str:
    """A value's words in a list to pick from."""
    if isinstance(control, Pick):
        return next(word for word, option in control.options.items() if option == value)
    if value is None:
        return str(getattr(control, "all", None) or "none")
    return f"{value:g}" if isinstance(value, int | float) else str(value)


def _put(part: Any, pool: dict[str, int]) -> Any:
    """Parts of a picture as numbers in the pool: each trace, each key of the layout, or the whole of it."""
    if isinstance(part, list):
        return [pool.setdefault(to_json_plotly(one), len(pool)) for one in part]
    if isinstance(part, dict):
        return {key: pool.setdefault(to_json_plotly(one), len(pool)) for key, one in part.items()}
    return pool.setdefault(to_json_plotly(part), len(pool))
