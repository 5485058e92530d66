"""A machine that predicts bits, beside all that can be known of them (lesson 17).

beside(machine)     # bit by bit: what it says, what counting would say, and what came
"""

import functools
import math
from collections.abc import Mapping
from typing import Annotated

import numpy as np
import plotly.graph_objects as go
import torch
from torch import Generator, Tensor, nn

from lessons import memory_tasks, memory_training
from lessons.arguments import Between, Count, explained
from lessons.errors import LessonError
from lessons.memory_tasks import CONTEXT, NGRAMS, Episode
from lessons.tasks import HELD_OUT
from widgets import theme
from widgets.explorer import Explorer, Index, Time

LENGTH, MANY = 100, 400  # bits of a sequence, and sequences for a mean
WINDOW = 10  # bits that the curve of costs takes together
MACHINE, BEST = "the machine", "counting"
Costs = Mapping[str, np.ndarray]
Whole = Annotated[int, Between(0)]


@torch.no_grad()
def said(machine: nn.Module, episode: Episode) -> dict[str, Tensor]:
    """The probability of a one for every bit asked for, (B, T): the machine's, and the best one."""
    own = memory_training.answers(machine, episode)[..., 0].sigmoid().to("cpu", torch.float32)
    return {MACHINE: own, BEST: memory_tasks.best_guess(episode)[:, episode.asked]}


def bits(chance: Tensor, episode: Episode) -> Tensor:
    """What each answer costs, (B, T), in bits."""
    target = episode.target[:, episode.asked, 0]
    return nn.functional.binary_cross_entropy(chance, target, reduction="none") / math.log(2)


@explained
def costs(machine: nn.Module, length: Count = LENGTH, count: Count = MANY) -> dict[str, np.ndarray]:
    """Mean cost of every bit from the first to the last, in bits, over sequences that no training sees."""
    memory_training.example(machine, NGRAMS, 1)  # says so if the network was taught another task
    generator = Generator(device="cpu").manual_seed(HELD_OUT + length)
    episode = memory_tasks.ngrams(count, length, generator)
    return {name: bits(chance, episode).mean(0).numpy() for name, chance in said(machine, episode).items()}


@explained
def figure(
    machine: nn.Module, paid: Costs, length: Count = LENGTH, seed: Whole = 0, step: Whole = 0
) -> theme.Figure:
    """What the machine and the best guess say of every bit of a sequence; what bits cost on average.

    paid: what `costs` returns. step: the bit that is told of, from 0; beyond the last is the last.
    Raises LessonError for a network that was not taught N-grams.
    """
    if set(paid) != {MACHINE, BEST}:
        raise LessonError("Hand in what costs(machine) returns: the machine's costs and those of counting.")
    episode = memory_training.example(machine, NGRAMS, length, seed)
    chances = said(machine, episode)
    step = min(step, length - 1)
    return theme.figure(
        *_chances(chances, episode),
        *_costs(paid),
        title="How near is it to all that can be known?",
        summary=told(chances, episode, step),
        height=theme.TOP + 56 + 520,
        margin={"l": 66, "r": 96, "t": theme.TOP + 14},
        shapes=[_line("x", "paper", step, theme.tokens().mark), _level()],
        annotations=_labels(paid, length),
        **_axes(length),
    )


@explained
def beside(machine: nn.Module, length: Count = LENGTH) -> Explorer:
    """The picture above with a bit and a sequence to choose."""
    return Explorer(
        functools.partial(figure, machine, costs(machine, length), length),
        step=Time(maximum=length - 1, value=length // 2, label="bit", pace=400),
        seed=Index(999, 0, label="another sequence: seed"),
    )


def told(chances: Mapping[str, Tensor], episode: Episode, step: int) -> str:
    """The bit in words: what came before it, how often, and what is said of it."""
    known = torch.cat([episode.x[0, :, 0], episode.target[0, -1:, 0]]).int().tolist()
    before = known[step : step + CONTEXT]
    followed = [known[k + CONTEXT] for k in range(step) if known[k : k + CONTEXT] == before]
    context = "".join(map(str, before))
    now = {name: float(chance[0, step]) for name, chance in chances.items()}
    ones = f"a one followed {sum(followed)} of {len(followed)} times" if followed else "new here"
    paid = {name: float(bits(chance, episode).mean()) for name, chance in chances.items()}
    return (
        f"Bit {step}, after {context} ({ones}): counting gives a one {now[BEST]:.2f}, the machine "
        f"{now[MACHINE]:.2f}; a {known[step + CONTEXT]} came. In all {paid[MACHINE]:.2f} bits a bit; "
        f"counting {paid[BEST]:.2f}, a coin 1."
    )


def _chances(chances: Mapping[str, Tensor], episode: Episode) -> list[go.Scatter]:
    """A line each for machine and counting, a dot for what came."""
    places = np.arange(chances[BEST].shape[1])
    lines = [
        go.Scatter(x=places, y=chances[name][0].numpy(), name=name, mode="lines", line=_style(name),
                   hovertemplate="bit %{x}: %{y:.2f}<extra>" + name + "</extra>")
        for name in (BEST, MACHINE)
    ]  # fmt: skip
    came = episode.target[0, episode.asked, 0].numpy()
    dots = go.Scatter(x=places, y=1.12 * came - 0.06, name="what came", mode="markers", hoverinfo="skip",
                      marker={"size": 5, "color": theme.tokens().ink})  # fmt: skip
    return [*lines, dots]


def _costs(paid: Costs) -> list[go.Scatter]:
    """The costs, averaged over neighbouring bits."""
    lines = []
    for name in (BEST, MACHINE):
        count = min(WINDOW, len(paid[name]))
        values = np.convolve(paid[name], np.ones(count) / count, "valid")
        lines.append(
            go.Scatter(x=np.arange(len(values)) + (count - 1) / 2, y=values, name=f"{name}, cost",
                       mode="lines", xaxis="x2", yaxis="y2", line={**_style(name), "shape": "linear"},
                       hovertemplate="around bit %{x}: %{y:.2f} bits<extra>" + name + "</extra>")
        )  # fmt: skip
    return lines


def _style(name: str) -> dict:
    if name == BEST:
        return {"color": theme.colour("i"), "width": 2.4, "dash": "dot", "shape": "hvh"}
    return {"color": theme.colour("f"), "width": 2, "shape": "hvh"}


def _line(axis: str, over: str, x: float, colour: str) -> dict:
    return {"type": "line", "xref": axis, "yref": over, "x0": x, "x1": x, "y0": 0.47, "y1": 1,
            "line": {"color": colour, "width": 2}}  # fmt: skip


def _level() -> dict:
    return {"type": "line", "xref": "x2 domain", "yref": "y2", "x0": 0, "x1": 1, "y0": 1, "y1": 1,
            "line": {"color": theme.tokens().soft, "width": 1.5, "dash": "dot"}}  # fmt: skip


def _labels(paid: Costs, length: int) -> list[dict]:
    """Names at the right ends of the curves, apart from one another."""
    ends = sorted((float(values[-WINDOW:].mean()), name) for name, values in paid.items())
    ends.append((1.0, "a coin"))
    labels, last = [], -1.0
    for value, name in ends:
        last = max(value, last + 0.09)
        colour = theme.tokens().soft if name == "a coin" else _style(name)["color"]
        labels.append({"text": name, "x": length, "xref": "x2", "y": last, "yref": "y2", "xanchor": "left",
                       "xshift": 8, "showarrow": False, "font": {"size": 13, "color": colour}})  # fmt: skip
    heading = {"xref": "paper", "yref": "paper", "x": 0, "xanchor": "left", "yanchor": "bottom", "yshift": 2,
               "showarrow": False, "font": {"size": 13, "color": theme.tokens().ink}}  # fmt: skip
    return [
        *labels,
        {"text": "one sequence; dots: what came", "y": 1, **heading},
        {"text": "many sequences: what a bit costs on average", "y": 0.36, **heading},
    ]


def _axes(length: int) -> dict[str, dict]:
    across = {"range": [-1, length], "showgrid": False, "nticks": 11}
    return {
        "xaxis": {"anchor": "y", "title": {"text": "bit"}, **across},
        "xaxis2": {"anchor": "y2", "title": {"text": "bit"}, **across},
        "yaxis": {"domain": [0.47, 1], "range": [-0.1, 1.1], "tickvals": [0, 0.5, 1],
                  "title": {"text": "P(1)"}},
        "yaxis2": {"domain": [0, 0.36], "range": [0.3, 1.25], "anchor": "x2",
                   "title": {"text": "bits a bit"}},
    }  # fmt: skip
