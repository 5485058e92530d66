"""The kinds of dropout on one stage (lesson 08): the masks of the same small LSTM on the same input.

What a kind does is computed, not told: its masks as they are drawn, the state with and without them, the
gradient that comes back, and the share of the ways through the state that no mask has cut after t steps.
"""

from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from lessons.arguments import Seed, explained
from lessons.dropouts import Dropouts, DroppedCell, Masks
from lessons.errors import LessonError
from lessons.loop import loop
from lessons.recurrent import LSTM, LayerMasks, weights

UNITS, LAYERS, SEQUENCES = 16, 2, 64
LONGEST = 40
GAIN = 3.0  # of the weights as torch draws them, so that units have much to tell each other


class Kind(NamedTuple):
    """A kind of dropout: the part of Masks to look at, its place in words, and what it is a setting of."""

    part: str
    place: str
    masks: str = "sequence"

    def dropouts(self, p: float) -> Dropouts:
        """The kind at rate p; zoneout acts on h and c alike."""
        places = ("zoneout_h", "zoneout_c") if self.part == "zoneout_h" else (self.part,)
        return Dropouts(**dict.fromkeys(places, p), masks=self.masks)


KINDS = {
    "input, new each step": Kind("input", "what enters the layer", "step"),
    "input, locked": Kind("input", "what enters the layer"),
    "output, locked": Kind("output", "what the top layer gives"),
    "state, new each step": Kind("recurrent", "h on its way to the next step", "step"),
    "state, locked": Kind("recurrent", "h on its way to the next step"),
    "state, one for the batch": Kind("recurrent", "h on its way to the next step", "batch"),
    "candidate": Kind("candidate", "what is about to be written", "step"),
    "weight drop": Kind("weight", "single weights of W_hh"),
    "zoneout": Kind("zoneout_h", "a step that some units skip"),
}


@dataclass(frozen=True, eq=False)
class Scene:
    """One kind on the stage. T steps of one sequence, U units of one layer.

    mask: 1 kept, 0 dropped (zoneout: 0 where the old state stays; weight drop: the share of a unit's
        incoming weights that is kept). h, plain_h: the state with and without. gradient, plain_gradient: the
        length of dL/dh_t, its median over 64 sequences, L a fixed sum of the last output. survives: the share
        of ways through h that no mask has cut between step 0 and step t, over 64 sequences.
    """

    kind: str
    p: float
    layer: int
    training: bool
    mask: Float[Tensor, "time units"]
    h: Float[Tensor, "time units"]
    plain_h: Float[Tensor, "time units"]
    gradient: Float[Tensor, " time"]
    plain_gradient: Float[Tensor, " time"]
    survives: Float[Tensor, " time"]

    @property
    def steps(self) -> int:
        """How many steps."""
        return len(self.h)

    @property
    def apart(self) -> float:
        """The largest difference that dropout makes in any unit at any step."""
        return float((self.h - self.plain_h).abs().max())


@explained
def scene(
    kind: str, p: float | int = 0.3, seed: Seed = 0, steps: int = 24, layer: int = 0, training: bool = True
) -> Scene:
    """Put a kind of dropout on the stage; seed rolls the masks, never the network or the input.

    Raises LessonError for what there is not.
    """
    if kind not in KINDS:
        raise LessonError(f"There is no kind {kind!r}; there are {', '.join(KINDS)}.")
    if not 2 <= steps <= LONGEST or layer not in range(LAYERS):
        raise LessonError(f"There are 2 to {LONGEST} steps and the layers 0 to {LAYERS - 1}.")
    stage = LSTM(UNITS, UNITS, LAYERS, dropouts=KINDS[kind].dropouts(p))
    stage.load_state_dict(network().state_dict())
    roll = 100 * seed + list(KINDS).index(kind)  # else kinds of one shape would draw the same mask
    nothing: LayerMasks = ((Masks(),),) * LAYERS
    if not stage.dropouts:
        masks = nothing
    elif training:
        masks = stage.draw_masks(steps, SEQUENCES, torch.Generator(device="cpu").manual_seed(roll))
    else:
        masks = ((stage.dropouts.expected(UNITS),),) * LAYERS
    h, gradient = perform(stage, sequences()[:steps], masks, layer)
    plain_h, plain_gradient = perform(stage, sequences()[:steps], nothing, layer)
    mask = masks[layer][0]
    return Scene(
        kind, p, layer, training, picture(kind, mask, steps, training), h, plain_h, gradient, plain_gradient,
        survival(mask, steps),
    )  # fmt: skip


@cache
def network() -> LSTM:
    """The network on the stage; always the same."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(4)
        layer = LSTM(UNITS, UNITS, LAYERS, forget_bias=1.0, device="cpu", dtype=torch.float32)
    with torch.no_grad():
        for name, weight in layer.named_parameters():
            if name.startswith("weight"):
                weight.mul_(GAIN)
    return layer


@cache
def sequences() -> Float[Tensor, "time batch input"]:
    """What it reads; always the same."""
    dice = torch.Generator(device="cpu").manual_seed(5)
    return torch.randn(LONGEST, SEQUENCES, UNITS, generator=dice, device="cpu", dtype=torch.float32)


def perform(
    stage: LSTM, x: Float[Tensor, "time batch input"], masks: LayerMasks, layer: int
) -> tuple[Float[Tensor, "time units"], Float[Tensor, " time"]]:
    """h of a layer on the first sequence, and the median length of dL/dh_t over all sequences."""
    states, zero = [], x.new_zeros(x.shape[1], UNITS)

    def see(step: int, name: str, value: Tensor) -> Tensor:
        if name == "h":
            states[-1].append(value)
        return value

    for index in range(LAYERS):
        states.append([])
        cell = DroppedCell(stage.mode, weights(stage, index, 0), masks[index][0])
        x = masks[index][0].on_output(loop(cell, x, (zero, zero), see=see)[0])
    signs = torch.tensor([1.0, -1.0], device=x.device, dtype=x.dtype).repeat(UNITS // 2)
    back = torch.autograd.grad((x[-1] * signs).sum(), states[layer])
    lengths = torch.stack(back).norm(dim=-1).median(1).values
    return torch.stack([h[0] for h in states[layer]]).detach(), lengths


def picture(kind: str, mask: Masks, steps: int, training: bool) -> Float[Tensor, "time units"]:
    """What a mask leaves of each unit of the first sequence at each step, from 0 to 1."""
    part = getattr(mask, KINDS[kind].part)
    if part is None or not training:
        return torch.ones(steps, UNITS)
    if kind == "weight drop":
        share = (part > 0).float().unflatten(0, (4, UNITS)).mean((0, 2))
        return share.expand(steps, UNITS)
    left = (part == 0 if kind == "zoneout" else part > 0).float()
    return left[:, 0].expand(steps, UNITS)


def survival(mask: Masks, steps: int) -> Float[Tensor, " time"]:
    """The share of ways through h that are uncut after t steps, over units and sequences.

    A way leads from a unit at step 0 through the recurrent product to the same unit at step t; where weights
    are dropped, through one weight.
    """
    ways = torch.ones(steps, 1)
    if mask.weight is not None:
        ways = (mask.weight > 0).float().flatten().expand(steps, -1)
    if mask.recurrent is not None:
        ways = (mask.recurrent > 0).float().flatten(1).expand(steps, -1)
    cut = torch.cat([torch.ones_like(ways[:1]), ways[1:]])
    return cut.cumprod(0).mean(1)
