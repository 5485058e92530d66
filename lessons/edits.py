"""Interventions: what a network computes under a name, replaced while it runs."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from lessons.arguments import check_fields, shown
from lessons.errors import LessonError

Value = float | int | Tensor | Callable[[Tensor, int], Tensor]


@dataclass(frozen=True)
class Edit:
    """While the network runs, what it computes under `name` is replaced by `value`, and the rest follows
    from that.

    name: a gate or a state ("f", "c", "h", ...). value: a number; a tensor that broadcasts to (B, units);
    or a function of (tensor (B, units), step) that returns one of those. units, steps, layer, direction say
    where; None is everywhere. Steps are positions in the input, for both directions.
    """

    name: str
    value: Value
    units: Sequence[int] | None = None
    steps: Iterable[int] | None = None
    layer: int | None = None
    direction: int | None = None

    def __post_init__(self):
        check_fields(self)
        for where in ("units", "steps"):
            places = getattr(self, where)
            if places is not None:
                object.__setattr__(self, where, tuple(int(place) for place in places))

    def concerns(self, layer: int, direction: int, num_layers: int) -> bool:
        """Whether it acts in this layer and direction."""
        here = self.layer is None or self.layer % num_layers == layer
        return here and self.direction in (None, direction)

    def apply(
        self, value: Float[Tensor, "batch hidden *more"], step: int
    ) -> Float[Tensor, "batch hidden *more"]:
        """The value to go on with at a step; a unit may have several numbers, as a slot of a memory has."""
        if self.steps is not None and step not in self.steps:
            return value
        chosen = slice(None) if self.units is None else list(self.units)
        new = self.value(value[:, chosen], step) if callable(self.value) else self.value
        edited = value.clone()
        try:
            edited[:, chosen] = torch.as_tensor(new, dtype=value.dtype, device=value.device)
        except (RuntimeError, TypeError, ValueError) as problem:
            shape = tuple(value[:, chosen].shape)
            raise LessonError(
                f"The edit of {self.name!r} gives {shown(new)}; it must broadcast to {shape}: sequences, "
                "units."
            ) from problem
        return edited


def planned(
    edit: Mapping[str, Value] | Edit | Sequence[Edit] | None, names: tuple[str, ...], sizes: Mapping[str, int]
) -> tuple[Edit, ...]:
    """The edits as a tuple, each checked against the names and the sizes ("units", "steps", "layers",
    "directions").

    Raises LessonError, with what there is, when one of them points at nothing.
    """
    if isinstance(edit, Mapping):
        edit = [Edit(name, value) for name, value in edit.items()]
    edits = () if edit is None else (edit,) if isinstance(edit, Edit) else tuple(edit)
    for one in edits:
        if one.name not in names:
            raise LessonError(f"There is no {one.name!r} to edit in this cell; it has {', '.join(names)}.")
        layer = () if one.layer is None else (one.layer + sizes["layers"] * (one.layer < 0),)
        direction = () if one.direction is None else (one.direction,)
        places = {"units": one.units, "steps": one.steps, "layers": layer, "directions": direction}
        for kind, chosen in places.items():
            outside = [place for place in chosen or () if not 0 <= place < sizes[kind]]
            if outside:
                known = f"there are {sizes[kind]}, counted from 0"
                raise LessonError(f"The edit of {one.name!r} names {kind} {outside}; {known}.")
    return edits


class Recorder:
    """An observer for lessons.loop: applies the edits, and keeps every quantity at every step."""

    def __init__(self, edits: Iterable[Edit], steps: int):
        self.edits, self.steps = tuple(edits), steps
        self.rows: dict[str, list[Tensor]] = {}

    def __call__(
        self, step: int, name: str, value: Float[Tensor, "batch hidden *more"]
    ) -> Float[Tensor, "batch hidden *more"]:
        for edit in self.edits:
            if edit.name == name:
                value = edit.apply(value, step)
        self.rows.setdefault(name, [value] * self.steps)[step] = value
        return value

    def named(self) -> dict[str, Float[Tensor, "time batch hidden"]]:
        """Everything seen, (T, B, H), by name."""
        return {name: torch.stack(rows) for name, rows in self.rows.items()}
