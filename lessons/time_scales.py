"""How long each layer of a stack remembers (lesson 10), measured in two ways.

`autocorrelation`: how like itself a layer's state is some steps later. `spread`: change one character of the
input, and see how far the states move and for how long (Hermans and Schrauwen 2013).
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from lessons.arguments import Count, Seed, explained
from lessons.char_rnn import CharModel
from lessons.errors import LessonError
from lessons.tracing import Trace, trace

WARM = 40  # characters read before a change, so that no state is still near its start
LEVELS = {"autocorrelation": 0.1, "changed character": 0.1}  # where a curve counts as fallen
UNRELATED = 512  # pairs of unrelated moments that a distance is measured against


@dataclass(frozen=True, eq=False)
class Spread:
    """Two runs of one network, on a text and on the same text with one character changed.

    distances: (L, T), 0 before the change; 1 is the mean distance between two unrelated moments of the layer.
    """

    text: str
    changed: str
    place: int
    distances: Float[Tensor, "layers time"]

    @property
    def reaches(self) -> list[float]:
        """For each layer, steps from the change until its distance has fallen to a tenth of its peak."""
        return [falls_to(row[self.place :], 0.1) for row in self.distances]


@explained
@torch.no_grad()
def spread(model: CharModel, text: str, place: int, symbol: str) -> Spread:
    """What a change of one character does to every layer's h.

    Raises LessonError for a place outside the text, a symbol that is not one new character of the vocabulary.
    """
    if not text:
        raise LessonError("There is no character to change in an empty text; give a few.")
    if not 0 <= place < len(text):
        raise LessonError(f"There is no character {place}; the text has the places 0 to {len(text) - 1}.")
    if len(symbol) != 1 or symbol not in model.vocabulary:
        raise LessonError(f"Put one character that the network knows; {symbol!r} is none.")
    if symbol == text[place]:
        raise LessonError(f"Place {place} holds {symbol!r} already; put another character there.")
    changed = text[:place] + symbol + text[place + 1 :]
    seen = trace(model, [text, changed])
    return Spread(text, changed, place, distances(seen, 1)[:, 0])


def distances(seen: Trace, count: int) -> Float[Tensor, "layers batch time"]:
    """The distance between the states of sequence k and sequence k + `count`, per layer, relative to that
    between unrelated moments of the first `count` sequences."""
    rows = []
    for layer in range(seen.num_layers):
        h = seen["h", layer]
        apart = (h[:count] - h[count:]).norm(dim=-1)
        rows.append(apart / unrelated(h[:count]))
    return torch.stack(rows)


def unrelated(h: Float[Tensor, "batch time hidden"], seed: int = 0) -> Float[Tensor, ""]:
    """The mean distance between states at moments drawn at random, at the second half of the steps where the
    text is long enough."""
    late = h[:, min(WARM, h.shape[1] // 2) :].flatten(0, 1)
    dice = Generator(device="cpu").manual_seed(seed)
    first, second = torch.randint(len(late), (2, UNRELATED), generator=dice, device="cpu").to(h.device)
    apart = (late[first] - late[second]).norm(dim=-1)
    return (apart.sum() / (first != second).sum().clamp_min(1)).clamp_min(1e-12)


@explained
@torch.no_grad()
def mean_spread(
    model: CharModel, text: str, horizon: Count = 60, count: Count = 100, seed: Seed = 0
) -> Float[Tensor, "layers horizon"]:
    """`spread` from the change onwards, its mean over `count` places and new characters drawn at random.

    A new character is drawn from the text, so frequent ones are put in often. Column 0 is the step at which
    the changed character is read.
    """
    windows, changed = _windows(model, text, horizon, count, seed)
    seen = trace(model, torch.cat([windows, changed]))
    return distances(seen, count)[:, :, WARM:].mean(1)


def _windows(model: CharModel, text: str, horizon: int, count: int, seed: int) -> tuple[Tensor, Tensor]:
    """Windows of the text as character numbers (count, WARM + horizon), and the same with one changed."""
    ids, length = model.encode(text)[0], WARM + horizon
    if len(ids) < length + 1:
        raise LessonError(
            f"The text has {len(ids)} characters; changes are followed over windows of {length}, so give "
            "a longer one."
        )
    if bool((ids == ids[0]).all()):
        raise LessonError("The text has one character only; changes need another one that can stand there.")
    dice = Generator(device="cpu").manual_seed(seed)
    starts = torch.randint(len(ids) - length, (count,), generator=dice, device="cpu")
    windows = torch.stack([ids[start : start + length] for start in starts.tolist()])
    changed, old = windows.clone(), windows[:, WARM]
    order = torch.randperm(len(ids), generator=dice, device="cpu").to(ids.device)
    for row in range(count):
        others = ids[order.roll(-row * 7)]
        changed[row, WARM] = others[others != old[row]][0]
    return windows, changed


@explained
def autocorrelation(seen: Trace, lags: Count = 60) -> Float[Tensor, "layers lags"]:
    """How like itself each layer's h is k steps later, k = 0 ... lags - 1; 1 at lag 0, 0 is not at all.

    The covariance over steps and sequences, summed over the units and divided by the sum of their variances,
    so that a unit counts by how much it moves. Raises LessonError for sequences that are too short.
    """
    if seen.steps < 2 * lags:
        raise LessonError(
            f"{lags} lags need sequences of at least {2 * lags} steps; these have {seen.steps}."
        )
    rows = []
    for layer in range(seen.num_layers):
        h = seen["h", layer].double()
        h = h - h.mean((0, 1))
        products = [(h[:, : seen.steps - k] * h[:, k:]).mean((0, 1)).sum() for k in range(lags)]
        rows.append(torch.stack(products) / products[0].clamp_min(1e-300))
    return torch.stack(rows)


def falls_to(curve: Float[Tensor, " lags"], share: float) -> float:
    """Where a curve, past its peak, first comes down to a share of it; between steps by straight lines.

    len(curve) - 1 where it never does.
    """
    values = curve.double().tolist()
    peak = max(values)
    level, start = share * peak, values.index(peak)
    for step in range(start + 1, len(values)):
        if values[step] < level:
            above, below = values[step - 1], values[step]
            return step - 1 + (above - level) / (above - below)
    return float(len(values) - 1)


@explained
def curves(
    model: CharModel, text: str, lags: Count = 60, count: Count = 100, seed: Seed = 0
) -> dict[str, Float[Tensor, "layers lags"]]:
    """Both measures over the steps: "autocorrelation" and "changed character" (as a share of its peak).

    The autocorrelation is that of windows of 4 * lags characters, each read from the zero state.
    """
    moved = mean_spread(model, text, lags, count, seed)
    return {
        "autocorrelation": autocorrelation(trace(model, windows(model, text, 4 * lags)), lags),
        "changed character": moved / moved.amax(1, keepdim=True).clamp_min(1e-30),
    }


@explained
def scales(curves: dict[str, Float[Tensor, "layers lags"]]) -> dict[str, list[float]]:
    """Each curve as one number of steps, lowest layer first: until it has fallen to the share in LEVELS."""
    return {name: [falls_to(row, LEVELS[name]) for row in rows] for name, rows in curves.items()}


@explained
def windows(model: CharModel, text: str, length: Count) -> Tensor:
    """A text as rows of `length` character numbers, the rest left out; LessonError if there is no row."""
    ids = model.encode(text)[0]
    rows = len(ids) // length
    if rows == 0:
        raise LessonError(f"The text has {len(ids)} characters; give at least {length}.")
    return ids[: rows * length].view(rows, length)
