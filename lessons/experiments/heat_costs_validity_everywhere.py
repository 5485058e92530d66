"""Lesson 13: validity against novelty over the temperature, for every medium, with the networks that ship.

The networks are the ones that come with the course, one a medium; a seed here is that of the dice they write
with. What another training of the same size would do is not asked.
"""

from __future__ import annotations

from functools import cache
from statistics import fmean

from lessons import generation, media
from lessons.checkpoints import describe
from lessons.experiments.bound import Bound
from lessons.experiments.claim import Claim, Figures, Measure
from lessons.novelty import Source
from lessons.temperature_study import SPAN
from lessons.writing import write

COOL, HOT = 0.5, 1.2
NAMES = tuple(media.MEDIA)
LOST = f"share of well-formed documents lost from temperature {COOL:g} to {HOT:g}"
WON = f"share of new spans won from temperature {COOL:g} to {HOT:g}"


def plan(preset: str) -> dict:
    """How many documents to write at each temperature, and their greatest length."""
    return {"documents": 2, "longest": 40} if preset == "ci" else {"documents": 60, "longest": 1200}


def settings(preset: str) -> dict:
    """Everything that decides the result."""
    sums = {name: describe(generation.checkpoint(name))["config"] for name in media.MEDIA}
    sizes = {name: config["hidden_size"] for name, config in sums.items()}
    return {"hidden_size": sizes, "plan": plan(preset), "temperatures": [COOL, HOT], "span": SPAN}


def run(seed: int, preset: str) -> Figures:
    """Write at both temperatures with the same dice; ask the judge; look for spans in the training text."""
    each = {name: (measured(name, COOL, seed, preset), measured(name, HOT, seed, preset)) for name in NAMES}
    return {
        LOST: {name: cool[0] - hot[0] for name, (cool, hot) in each.items()},
        WON: {name: hot[1] - cool[1] for name, (cool, hot) in each.items()},
    }


def measured(name: str, heat: float, seed: int, preset: str) -> tuple[float, float]:
    """The share of well-formed documents of a medium's network at a temperature, and that of new spans."""
    asked, medium, model = plan(preset), media.find(name), generation.pretrained(name)
    lead = media.lead(media.text(name), model.vocabulary)
    written = write(model, asked["documents"], heat, "", asked["longest"], seed, lead)
    well = fmean(one.ended and not medium.judge(one.text) for one in written)
    return well, 1 - fmean(read(name).share(one.text, SPAN) for one in written)


@cache
def read(name: str) -> Source:
    """The training text of a medium."""
    return Source(media.text(name).train)


CLAIM = Claim(
    name="heat-costs-validity-everywhere",
    lesson="13_generation",
    statement="From temperature 0.5 to 1.2, fewer of the documents that the course's networks write "
    "are well formed, and more of their spans of twelve characters are new, in every medium.",
    source="Karpathy 2015, The Unreasonable Effectiveness of Recurrent Neural Networks, on temperature, said "
    "there of Paul Graham's essays; judges and counts are ours.",
    budget="60 documents in each of five media at both temperatures, a quarter of a minute a seed",
    measures=(Measure(LOST, "share", NAMES), Measure(WON, "share", NAMES)),
    rules=(Bound(LOST, NAMES, 0.05, "above", 0.8), Bound(WON, NAMES, 0.05, "above", 0.8)),
    run=run,
    settings=settings,
    corpora=("lucide", "shakespeare-html", "python-functions", "shakespeare-markdown"),
    depends_on="the medium",
)
