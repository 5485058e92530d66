"""What temperature does to every medium: how much is well formed, how much is copied, by network and n-gram.

    python -m lessons.temperature_study

writes data/studies/generation.json with the networks that come with the course, an n-gram of the same text at
every point, and what documents of the held-out text come to, which neither has read.
"""

import argparse
import datetime
import hashlib
import json
import platform
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean, median
from typing import Any

import torch

from lessons import generation, judges, media, novelty, sources
from lessons.documents import SEPARATOR
from lessons.errors import LessonError
from lessons.media import Medium
from lessons.ngram import NGram
from lessons.writing import LONGEST, Writer, Written, write

SCHEMA = 1
TEMPERATURES = (0.2, 0.4, 0.6, 0.8, 1.0, 1.2, 1.4)
COUNT = 50  # documents at every point
SEARCHED = 10  # documents whose longest copy is looked for, which takes its time
SPAN = 12  # characters of the spans whose share is counted
ORDER = 5  # of the n-gram
SHOWN, TRIED, KEPT = 0.6, 40, 16  # samples: their temperature, how many are written, how many kept at most
NETWORK, COUNTED = "network", f"{ORDER}-gram"


def measure(medium: Medium, source: novelty.Source, written: Sequence[Written]) -> dict[str, float]:
    """What documents come to.

    well formed: the share that ended and in which the judge finds no fault. copied: the mean share of the
    spans of twelve characters that the training text has, too. longest copy: the median of the longest
    copied spans of the first ten. inside the frame: of figures, the share of the shapes that can be drawn
    and stay inside.
    """
    texts = [one.text for one in written]
    figures = {
        "well formed": fmean(one.ended and not medium.judge(one.text) for one in written),
        "copied": fmean(source.share(text, SPAN) for text in texts),
        "longest copy": float(median(novelty.spans(source, texts[:SEARCHED]))),
        "characters": fmean(map(len, texts)),
    }
    if medium.name == "figure":
        kept, drawn = map(sum, zip(*map(judges.framed, texts), strict=True))
        figures["inside the frame"] = kept / max(drawn, 1)
    return figures


def curve(
    medium: Medium,
    writer: Writer,
    source: novelty.Source,
    temperatures: Sequence[float] = TEMPERATURES,
    count: int = COUNT,
    longest: int = LONGEST,
    seed: int = 0,
    lead: str = SEPARATOR,
) -> list[dict[str, float]]:
    """One row of figures for each temperature."""
    return [
        {"temperature": heat, **measure(medium, source, write(writer, count, heat, "", longest, seed, lead))}
        for heat in temperatures
    ]


def study(name: str, count: int = COUNT, seed: int = 0) -> dict[str, Any]:
    """Everything about one medium: both curves, the held-out documents, samples, and where it comes from."""
    medium, corpus, model = media.find(name), media.text(name), generation.pretrained(name)
    lead = media.lead(corpus)
    source, counted = novelty.Source(corpus.train), NGram(ORDER).fit(corpus.train, corpus.vocabulary)
    held = [Written(text, True) for text in media.whole(corpus, "valid", count)]
    tried = write(model, TRIED, SHOWN, "", LONGEST, seed, lead)
    kept = [one.text for one in tried if one.ended and not medium.judge(one.text)]
    checkpoint = generation.checkpoint(name)
    return {
        "curves": {
            NETWORK: curve(medium, model, source, count=count, seed=seed, lead=lead),
            COUNTED: curve(medium, counted, source, count=count, seed=seed, lead=lead),
        },
        "held out": measure(medium, source, held),
        "bits per character on test": {
            NETWORK: generation.bits(model, corpus),
            COUNTED: counted.bits_per_character(corpus.test),
        },
        "samples": {"temperature": SHOWN, "tried": TRIED, "well formed": kept[:KEPT]},
        "checkpoint": {"file": checkpoint.name, "sha256": digest(name)},
        "provenance": corpus.provenance.as_dict(),
    }


def digest(name: str) -> str:
    """The SHA-256 of the network of a medium that comes with the course."""
    return hashlib.sha256(generation.checkpoint(name).read_bytes()).hexdigest()


def place() -> Path:
    """The file with the results."""
    return sources.data_folder() / "studies" / "generation.json"


def load() -> dict[str, Any]:
    """The results that come with the course. Raises LessonError where there are none."""
    try:
        found = json.loads(place().read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise LessonError(
            f"{place().name} is missing or damaged; `python -m lessons.temperature_study` writes it."
        ) from error
    if found.get("schema") != SCHEMA:
        raise LessonError(
            f"{place().name} has another form; `python -m lessons.temperature_study` writes it."
        )
    return found


def main(argv: Sequence[str] | None = None) -> None:
    """Study the media that are named, or all, and put the results into the file; others stay as they were."""
    parser = argparse.ArgumentParser(
        "python -m lessons.temperature_study", description=__doc__.split("\n")[0]
    )
    parser.add_argument("media", nargs="*", help=f"of {', '.join(media.MEDIA)}; all if none is named")
    parser.add_argument("--count", type=int, default=COUNT, help="documents at every point")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args(argv)
    try:
        found = load()["media"]
    except LessonError:
        found = {}
    for name in asked.media or media.MEDIA:
        found[name] = study(name, asked.count, asked.seed)
        shares = (f"{row['temperature']}: {row['well formed']:.2f}" for row in found[name]["curves"][NETWORK])
        print(f"{name}, well formed at", ", ".join(shares))
        sources.write_whole(place(), (json.dumps(_result(asked, found), indent=1) + "\n").encode())


def _result(asked: argparse.Namespace, found: dict[str, Any]) -> dict[str, Any]:
    """What the file holds."""
    return {
        "schema": SCHEMA,
        "command": f"python -m lessons.temperature_study --count {asked.count} --seed {asked.seed}",
        "documents": asked.count,
        "longest": LONGEST,
        "span": SPAN,
        "seed": asked.seed,
        "date": datetime.date.today().isoformat(),
        "versions": {"python": platform.python_version(), "torch": torch.__version__},
        "device": "cpu",
        "media": {name: found[name] for name in media.MEDIA if name in found},
    }


if __name__ == "__main__":
    main()
