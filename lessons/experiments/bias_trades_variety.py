"""Lesson 15: what the bias gives and what it takes."""

from __future__ import annotations

from statistics import mean

from lessons import legibility, penmanship
from lessons.errors import LessonError
from lessons.experiments.claim import Claim, Figures, Measure, Trend
from lessons.handwritten import Written, handwrite_all

BIASES = (0.0, 0.5, 1.0, 2.0, 4.0)
LABELS = tuple(f"{bias:g}" for bias in BIASES)
FAR, VARIED = "distance from the letters taught", "distance from one another"
FIRST = 200  # the first seed; 0 to 4 were written when a line could end before its last letter was done
TEXTS = ("the morning", "my good lord", "what is love")


def settings(preset: str) -> dict:
    """Everything that decides the result."""
    return {
        "biases": list(BIASES),
        "texts": list(TEXTS),
        "samples": samples(preset),
        "first": FIRST,
        "network": network(preset),
    }


def samples(preset: str) -> int:
    """How often each text is written under each bias."""
    return 2 if preset == "ci" else 8


def network(preset: str) -> str:
    """Which network writes: the one that comes with the course; in `ci` one that has not learnt."""
    return "untrained, ci" if preset == "ci" else "handwriting"


def run(seed: int, preset: str) -> Figures:
    """Write every text several times under every bias; distances of letters, in heights of an x."""
    model = penmanship.build(penmanship.PRESETS["ci"]) if preset == "ci" else penmanship.pretrained()
    figures = {FAR: {}, VARIED: {}}
    for label, bias in zip(LABELS, BIASES, strict=True):
        lines = [written(model, text, bias, seed, samples(preset)) for text in TEXTS]
        figures[FAR][label] = mean(legibility.distance(one.ink) for some in lines for one in some)
        figures[VARIED][label] = mean(legibility.variety([one.ink for one in some]) for some in lines)
    return figures


def written(model, text: str, bias: float, seed: int, count: int) -> list[Written]:
    """One text, so many times. An untrained window may leave the text at once: that is one seed further."""
    for further in range(100):
        try:
            found = handwrite_all(
                model, [text] * count, bias, FIRST + seed + 1000 * further, points=40 * len(text)
            )
        except LessonError:
            continue
        if len(found) > 1:
            return found
    raise LessonError("The network writes nothing; train it longer.")


CLAIM = Claim(
    name="bias-trades-variety",
    lesson="15_handwriting",
    statement="The bias trades variety for legibility: the higher it is, the nearer the letters come to "
    "those that were taught, and the more the lines are alike.",
    source="Graves 2013, Generating sequences with recurrent neural networks (arXiv 1308.0850), section 5.4, "
    "where it is shown by examples; the distances are ours.",
    budget="the network that comes with the course writes 120 lines a seed, about 20 s on one core",
    measures=(
        Measure(FAR, "heights of an x", LABELS, along="bias"),
        Measure(VARIED, "heights of an x", LABELS, along="bias"),
    ),
    rules=(Trend(FAR, LABELS, rises=False), Trend(VARIED, LABELS, rises=False)),
    run=run,
    settings=settings,
)
