"""Lesson 14: do an LSTM's bars add up more often than a 5-gram's, and does it end in the key it was given?"""

from __future__ import annotations

from dataclasses import asdict

from lessons import songs, tune_scores
from lessons.experiments.claim import Claim, Figures, Margin, Measure
from lessons.experiments.tune_writer import FIRST_SEED, SIZES, corpus, steps, trained
from lessons.ngram import NGram

PARSED, BARS, TONIC, CLOSED = tune_scores.MEASURES
LSTM, COUNTED = "LSTM", "5-gram"


def plan(preset: str) -> dict:
    """How long to train, and how many tunes of at most how many characters to write."""
    tunes, longest = (4, 60) if preset == "ci" else (120, songs.LONGEST)
    return {"steps": steps(preset), "tunes": tunes, "longest": longest}


def settings(preset: str) -> dict:
    """Everything that decides the result."""
    return {
        "lstm": asdict(SIZES) | {"steps": steps(preset)}, "plan": plan(preset), "order": 5,
        "temperature": 1.0, "excerpt": preset == "ci", "seeds from": FIRST_SEED,
    }  # fmt: skip


def run(seed: int, preset: str) -> Figures:
    """Train on the books, write a tune for each held-out header, and judge them; the 5-gram likewise."""
    asked, (books, whole) = plan(preset), corpus(preset)
    headers = songs.headers(whole, "test", asked["tunes"])
    model, dice = trained(seed, preset), FIRST_SEED + seed
    counted = NGram(5).fit(books.train, books.vocabulary)
    judged = {
        COUNTED: tune_scores.judge_all(songs.write_by_counts(counted, headers, 1.0, dice, asked["longest"])),
        LSTM: tune_scores.judge_all(songs.write(model, headers, 1.0, dice, asked["longest"])),
    }
    return {
        measure: {name: figures[measure] for name, figures in judged.items()} for measure in (BARS, TONIC)
    }


CLAIM = Claim(
    name="tunes-keep-the-metre",
    lesson="14_songs",
    statement="With the metre and the key given in a header, an LSTM of 192 units writes bars that add up, "
    "and tunes that end on their tonic, more often than a 5-gram counted on the same tunes; both at "
    "temperature 1.",
    source="Eck & Schmidhuber 2002, A First Look at Music Composition using LSTM Recurrent Neural Networks: "
    "an LSTM keeps a form that a network without long memory loses; measured otherwise here.",
    budget="one training of 1,500 steps a seed and 120 tunes of each writer, about a minute on one core",
    measures=(Measure(BARS, "share", (COUNTED, LSTM)), Measure(TONIC, "share", (COUNTED, LSTM))),
    rules=(
        Margin(BARS, "share", lower=COUNTED, upper=LSTM, by=0.15),
        Margin(TONIC, "share", lower=COUNTED, upper=LSTM, by=0.15),
    ),
    run=run,
    settings=settings,
    corpora=("tunes",),
    depends_on="what is checked",
)
