"""Dropout in recurrent layers: what is dropped, which steps and sequences share a mask, how a cell runs so.

    LSTM(64, 128, dropouts=Dropouts(input=0.3, output=0.3, weight=0.5))  # on the fused kernel
    LSTM(64, 128, dropouts=Dropouts(recurrent=0.25))                     # in the loop

What can be written as other inputs or other weights keeps the layer's kernel: dropout of inputs, outputs and
weights, and of the state with one mask for the whole batch, which is W_hh with columns missing. A mask of the
state for each sequence, dropout of the candidate and zoneout need the loop over time, at several times the
cost: `python -m benchmarks recurrent_dropout` measures both.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from functools import partial
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from lessons.errors import LessonError
from lessons.loop import CELLS, Cell, See, State

GATES = {"LSTM": 4, "GRU": 3, "RNN_TANH": 1, "RNN_RELU": 1}
CANDIDATES = {"LSTM": "g", "GRU": "n"}
SHARING = ("sequence", "step", "batch")
Rate = float | int


@dataclass(frozen=True)
class Dropouts:
    """Where a recurrent layer drops, and how often: rates from 0 to below 1. What stays is divided by 1 - p.

    input: of what enters each layer of a stack; output: of what the top layer gives.
    recurrent: of the state h on its way into the recurrent product (Gal and Ghahramani 2016, who want all
        three; Keras's `recurrent_dropout`). The state itself stays whole.
    candidate: of an LSTM's g or a GRU's n, so that memory is never dropped (Semeniuta et al. 2016).
    weight: of single weights of W_hh, anew for each pass (Merity et al. 2018).
    zoneout_h, zoneout_c: how often a unit keeps its old h or c, drawn for each step (Krueger et al. 2017).
        Evaluation mixes old and new in these shares; every other kind is off then.
    masks: what shares a mask of the first four. "sequence": the steps of a sequence (locked, variational);
        "step": nothing, each step has a new one (naive); "batch": all steps of all sequences.
    per_gate: each gate gets a mask of its own for inputs and state, as in Keras with `recurrent_dropout`.
    Raises LessonError for rates and names that do not fit.
    """

    input: Rate = 0.0
    output: Rate = 0.0
    recurrent: Rate = 0.0
    candidate: Rate = 0.0
    weight: Rate = 0.0
    zoneout_h: Rate = 0.0
    zoneout_c: Rate = 0.0
    masks: str = "sequence"
    per_gate: bool = False

    def __post_init__(self) -> None:
        for name, rate in self.rates.items():
            number = isinstance(rate, int | float) and not isinstance(rate, bool)
            if not (number and math.isfinite(rate) and 0 <= rate < 1):
                raise LessonError(
                    f"The rate of {name!r} is a number from 0 to below 1, the share dropped; {rate!r} is not."
                )
        if self.masks not in SHARING:
            raise LessonError(f"masks is one of {', '.join(SHARING)}; {self.masks!r} is not.")
        if not isinstance(self.per_gate, bool):
            raise LessonError(f"per_gate is True or False; {self.per_gate!r} is neither.")

    def __bool__(self) -> bool:
        """Whether anything is dropped at all."""
        return any(self.rates.values())

    def __str__(self) -> str:
        told = [f"{name} {rate:g}" for name, rate in self.rates.items() if rate]
        told += [f"a mask per {self.masks}"] if told else []
        return ", ".join(told + ["one for each gate"] * self.per_gate) or "nothing dropped"

    @property
    def rates(self) -> dict[str, Rate]:
        """The rates by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)[:7]}

    @property
    def zones(self) -> bool:
        """Whether there is zoneout, which evaluation sees too."""
        return bool(self.zoneout_h or self.zoneout_c)

    @property
    def kernel(self) -> str:
        """What a layer trains on: "fused", its usual kernel, or "loop"."""
        own = self.masks != "batch" and (self.recurrent or (self.per_gate and self.input))
        return "loop" if self.candidate or self.zones or own else "fused"

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for files: `Dropouts(**dropouts.as_dict())`."""
        return asdict(self)

    @classmethod
    def of(cls, value: Any) -> "Dropouts":
        """Dropouts from themselves, from their plain values by name, or from None; LessonError for others."""
        if isinstance(value, Mapping):
            known = {field.name for field in fields(cls)}
            if strange := [name for name in value if name not in known]:
                raise LessonError(f"Dropouts have no {strange[0]!r}; they have {', '.join(sorted(known))}.")
            return cls(**value)
        if value is None or isinstance(value, cls):
            return value or cls()
        raise LessonError(f"dropouts takes Dropouts(recurrent=0.25) or the like; {value!r} is none.")

    def draw(
        self,
        mode: str,
        sizes: tuple[int, int, int, int],
        top: bool = True,
        generator: torch.Generator | None = None,
        **place: Any,
    ) -> "Masks":
        """New masks for one layer in one direction; `top` says that its output leaves the stack.

        sizes: steps, batch, inputs, units. Drawn from torch's own generator of the device unless another is
        given; `place` has device and dtype.
        """
        steps, batch, inputs, hidden = sizes
        shared = {"sequence": (1, batch), "step": (steps, batch), "batch": (1, 1)}[self.masks]
        gates = (GATES[mode],) if self.per_gate else ()
        make = partial(kept, generator=generator, **place)
        own = (steps, batch, hidden)
        return Masks(
            input=make((*shared, *gates, inputs), self.input),
            recurrent=make((*shared, *gates, hidden), self.recurrent),
            candidate=make((*shared, hidden), self.candidate),
            weight=make((GATES[mode] * hidden, hidden), self.weight),
            output=make((*shared, hidden), self.output) if top else None,
            zoneout_h=zoned(own, self.zoneout_h, generator, **place),
            zoneout_c=zoned(own, self.zoneout_c, generator, **place),
        )

    def expected(self, hidden: int, **place: Any) -> "Masks":
        """What stands for the masks in evaluation: nothing, but for zoneout its shares."""
        rates = {"zoneout_h": self.zoneout_h, "zoneout_c": self.zoneout_c}
        return Masks(**{n: torch.full((1, 1, hidden), float(p), **place) for n, p in rates.items() if p})


def kept(
    shape: tuple[int, ...], rate: Rate, generator: torch.Generator | None = None, **place: Any
) -> Float[Tensor, "..."] | None:
    """A mask: 0 with probability `rate`, else 1 / (1 - rate), so that its mean is 1. None for rate 0."""
    if not rate:
        return None
    return torch.empty(shape, **place).bernoulli_(1 - rate, generator=generator).div_(1 - rate)


def zoned(
    shape: tuple[int, ...], rate: Rate, generator: torch.Generator | None = None, **place: Any
) -> Float[Tensor, "..."] | None:
    """A mask of zoneout: 1 with probability `rate`, where the old state is kept, else 0. None for rate 0."""
    return torch.empty(shape, **place).bernoulli_(rate, generator=generator) if rate else None


def checked(dropouts: Any, mode: str) -> Dropouts | None:
    """The dropouts of a layer; LessonError for what its cell does not have. None where nothing is dropped."""
    dropouts = Dropouts.of(dropouts)
    if dropouts.candidate and mode not in CANDIDATES:
        raise LessonError("An Elman network has no candidate to drop; use recurrent= for its state.")
    if dropouts.zoneout_c and mode != "LSTM":
        raise LessonError("Only an LSTM has a cell state to zone out; use zoneout_h= for this layer.")
    return dropouts or None


@dataclass(frozen=True, eq=False)
class Masks:
    """What one layer in one direction is multiplied with in one pass; None where nothing is dropped.

    Of x, h, the candidate and the output: (T or 1, B or 1, features), with the gates before the features
    where each has its own. weight: shaped as W_hh. zoneout: (T or 1, B or 1, H), the share of the old state.
    """

    input: Tensor | None = None
    recurrent: Tensor | None = None
    candidate: Tensor | None = None
    weight: Tensor | None = None
    output: Tensor | None = None
    zoneout_h: Tensor | None = None
    zoneout_c: Tensor | None = None

    @property
    def fused(self) -> bool:
        """Whether other inputs and other weights say it all, so that no loop over time is needed."""
        inside = (self.candidate, self.zoneout_h, self.zoneout_c)
        gated = self.input if self.input is not None and self.input.dim() == 4 else None
        shared = all(mask is None or mask.shape[:2] == (1, 1) for mask in (self.recurrent, gated))
        return shared and all(mask is None for mask in inside)

    @property
    def over_time(self) -> list[Tensor]:
        """The masks that there are, but for the weights'."""
        parts = (getattr(self, field.name) for field in fields(self) if field.name != "weight")
        return [part for part in parts if part is not None]

    def on_input(self, x: Float[Tensor, "time batch input"]) -> Float[Tensor, "time batch input"]:
        """What enters the layer, where all gates see the same."""
        return x if self.input is None or self.input.dim() == 4 else x * self.input

    def on_output(self, y: Float[Tensor, "time batch hidden"]) -> Float[Tensor, "time batch hidden"]:
        """What the layer gives to whatever stands on it; its state stays as it is."""
        return y if self.output is None else y * self.output

    def on_weights(self, own: list[Tensor]) -> list[Tensor]:
        """The weights with what is dropped of them; for a fused pass with the masked columns, too."""
        weight_ih, weight_hh, *biases = own
        if self.weight is not None:
            weight_hh = weight_hh * self.weight
        if self.fused:
            weight_hh = columns(weight_hh, self.recurrent)
            if self.input is not None and self.input.dim() == 4:
                weight_ih = columns(weight_ih, self.input)
        return [weight_ih, weight_hh, *biases]


def columns(weight: Float[Tensor, "rows columns"], mask: Tensor | None) -> Float[Tensor, "rows columns"]:
    """W times a mask of what it is multiplied with: W (m h) = (W m) h. Each gate may have its own mask."""
    if mask is None:
        return weight
    gates = mask[0, 0] if mask.dim() == 4 else mask[0]
    return (weight.unflatten(0, (len(gates), -1)) * gates[:, None]).flatten(0, 1)


def fitting(masks: Any, layers: int, directions: int, x: Float[Tensor, "time batch input"]) -> Any:
    """Masks per layer and direction; LessonError where they were not drawn for such a layer and input."""
    rows = [tuple(row) for row in masks] if isinstance(masks, tuple | list) else []
    parts = [one for row in rows for one in row if isinstance(one, Masks)]
    if [len(row) for row in rows] != [directions] * layers or len(parts) != layers * directions:
        raise LessonError(
            f"masks holds {layers} x {directions} Masks, per layer and direction; take those of draw_masks."
        )
    given = [mask for one in parts for mask in one.over_time]
    if not all(isinstance(mask, Tensor) and mask.dim() > 1 for mask in given):
        raise LessonError("Masks hold tensors (T or 1, B or 1, features); take those of draw_masks.")
    for mask in given:
        if mask.shape[0] not in (1, x.shape[0]) or mask.shape[1] not in (1, x.shape[1]):
            raise LessonError(
                f"These masks are for {mask.shape[0]} steps of {mask.shape[1]} sequences, not for "
                f"{x.shape[0]} of {x.shape[1]}; draw them anew."
            )
    return masks


class Hoisted(NamedTuple):
    """What a dropped cell computes before the loop, at all steps or, after `unbind`, at one."""

    rows: Tensor
    recurrent: Tensor | None = None
    candidate: Tensor | None = None
    zoneout_h: Tensor | None = None
    zoneout_c: Tensor | None = None

    def unbind(self, axis: int) -> list["Hoisted"]:
        """One for each step."""
        steps = self.rows.shape[axis]
        parts = [
            [None] * steps if part is None else part.expand(steps, *part.shape[1:]).unbind(axis)
            for part in self
        ]
        return [Hoisted(*row) for row in zip(*parts, strict=True)]


class DroppedCell:
    """A cell of lessons.loop under masks: the state seen through one, the candidate cut, units zoned out.

    Any masks run here, also those that a fused kernel could run: it is what the fused form is tested against.
    """

    def __init__(self, mode: str, own: list[Tensor], masks: Masks) -> None:
        part = Masks(weight=masks.weight).on_weights(own)
        self.cell: Cell = CELLS[mode](*part)
        self.states, self.masks, self.candidate = self.cell.states, masks, CANDIDATES.get(mode)
        self.weight_ih = part[0]

    def hoist(self, x: Float[Tensor, "time batch input"]) -> Hoisted:
        """The product with the input, and the masks."""
        m = self.masks
        if m.input is not None and m.input.dim() == 4:
            bias = self.cell.hoist(x.new_zeros(1, 1, x.shape[-1]))
            rows = gated_product(x, self.weight_ih, m.input) + bias
        else:
            rows = self.cell.hoist(m.on_input(x))
        return Hoisted(rows, m.recurrent, m.candidate, m.zoneout_h, m.zoneout_c)

    def step(self, at: Hoisted, state: State, see: See) -> State:
        """The next state. What `see` is shown has gone through the masks already."""
        zones = {"h": at.zoneout_h, "c": at.zoneout_c}
        zoned = any(zone is not None for zone in zones.values())

        def within(name: str, value: Tensor) -> Tensor:
            if zoned and name in self.states:
                return value  # shown below, when it is known what is kept
            return see(name, value * at.candidate if dropping and name == self.candidate else value)

        dropping = at.candidate is not None
        after = self.cell.step(at.rows, state, within if zoned or dropping else see, at.recurrent)
        if not zoned:
            return after
        mixed = [mix(new, old, zones[name]) for name, new, old in zip(self.states, after, state, strict=True)]
        return tuple(see(name, value) for name, value in zip(self.states, mixed, strict=True))


def gated_product(
    x: Float[Tensor, "time batch input"], weight: Float[Tensor, "rows input"], mask: Tensor
) -> Float[Tensor, "time batch rows"]:
    """W x with another mask of x for each gate's rows."""
    gates = mask.shape[2]
    blocks = weight.unflatten(0, (gates, -1))
    return torch.einsum("tbgi,ghi->tbgh", x[:, :, None] * mask, blocks).flatten(2)


def mix(new: Tensor, old: Tensor, share: Tensor | None) -> Tensor:
    """`share` of the old state and the rest of the new one; exactly one of them where share is 0 or 1."""
    return new if share is None else torch.lerp(new, old.to(new.dtype), share.to(new.dtype))
