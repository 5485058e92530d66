"""Lesson 02: what the temperature of sampling does to the words that come out."""

from __future__ import annotations

import re
from dataclasses import asdict

from lessons import char_rnn, corpora
from lessons.experiments.carried_state_helps import SIZES
from lessons.experiments.claim import Claim, Figures, Measure, Trend
from lessons.experiments.excerpt import excerpt
from lessons.sampling import generate_at
from lessons.training import fit

KNOWN = "share of known words"  # among the words drawn, those that stand in the training plays
DISTINCT = "share of distinct words"  # among the words drawn
TEMPERATURES = (0.3, 0.6, 0.9, 1.2)
NAMES = tuple(f"{temperature:g}" for temperature in TEMPERATURES)
WORD = re.compile(r"[A-Za-z]+(?:'[A-Za-z]+)*")


def plan(preset: str) -> dict:
    """How long to train, how many characters to draw, and how many words of them count."""
    if preset == "ci":
        return {"steps": 20, "characters": 400, "words": 20}
    return {"steps": 1000, "characters": 7000, "words": 1000}


def settings(preset: str) -> dict:
    """Everything that decides the result."""
    sizes = asdict(SIZES) | {"steps": plan(preset)["steps"]}
    return {
        "lstm": sizes,
        "plan": plan(preset),
        "temperatures": list(TEMPERATURES),
        "excerpt": preset == "ci",
    }


def run(seed: int, preset: str) -> Figures:
    """Train once, then draw the same number of words at each temperature with the same rolls of the die."""
    corpus = corpora.load("shakespeare", quiet=True)
    corpus = excerpt(corpus) if preset == "ci" else corpus
    sizes = SIZES.but(steps=plan(preset)["steps"])
    model = char_rnn.build(corpus.vocabulary, sizes, seed)
    fit(char_rnn.CharTask(model, corpus, sizes, seed), seed=seed, progress=False)
    known = set(words(corpus.train))
    samples = generate_at(model, TEMPERATURES, length=plan(preset)["characters"], seed=seed)
    drawn = [words(sample.text)[1:-1][: plan(preset)["words"]] for sample in samples]
    return {
        KNOWN: {
            name: sum(w in known for w in said) / len(said) for name, said in zip(NAMES, drawn, strict=True)
        },
        DISTINCT: {name: len(set(said)) / len(said) for name, said in zip(NAMES, drawn, strict=True)},
    }


def words(text: str) -> list[str]:
    """The words of a text in lower case, apostrophes inside them kept."""
    return [word.lower() for word in WORD.findall(text)]


CLAIM = Claim(
    name="temperature-trades-novelty-for-validity",
    lesson="02_char_rnn",
    statement="From temperature 0.3 to 1.2, fewer of the sampled words are words of the training plays, and "
    "more of them are different from each other.",
    source="Karpathy 2015, The Unreasonable Effectiveness of Recurrent Neural Networks, on temperature, said "
    "there of samples to look at; the two counts are ours.",
    budget="one training of 1000 steps a seed and 7000 characters at each temperature, about half a minute",
    measures=(
        Measure(KNOWN, "share", NAMES, along="temperature"),
        Measure(DISTINCT, "share", NAMES, along="temperature"),
    ),
    rules=(
        Trend(KNOWN, NAMES, rises=False, share=0.8),
        Trend(DISTINCT, NAMES, rises=True, share=0.8),
    ),
    run=run,
    settings=settings,
    corpora=("shakespeare",),
)
