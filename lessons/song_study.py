"""How valid and how new tunes are that a network writes, by the temperature; with the n-gram beside it.

    python -m lessons.song_study        # writes data/curves/songs.json from the shipped network

Both writers get the headers of held-out tunes, and both are judged by the same rules as the held-out tunes
themselves, which stand beside them as what people wrote.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from lessons import char_rnn, corpora, novelty, songs, tune_scores
from lessons.arguments import Count, Seed, explained
from lessons.char_rnn import CharModel
from lessons.errors import LessonError
from lessons.ngram import NGram
from lessons.run import versions
from lessons.sources import data_folder, write_whole
from lessons.tune_scores import MEASURES

TEMPERATURES = (0.3, 0.5, 0.7, 0.85, 1.0, 1.2)
ORDER = 5
TUNES = 96
COPIED = "longest copied span"
LSTM, COUNTED, BOOKS = "LSTM", f"{ORDER}-gram", "held-out tunes"
COMMAND = "python -m lessons.song_study"


@dataclass(frozen=True)
class Study:
    """Figures by writer and measure, one a temperature; of the books one figure a measure.

    Measures are those of tune_scores, shares from 0 to 1, and the median length of the longest span of a tune
    that also stands in the training tunes, in characters without the header.
    """

    temperatures: tuple[float, ...]
    figures: dict[str, dict[str, list[float]]]
    books: dict[str, float]
    settings: dict[str, Any]
    provenance: dict[str, Any]
    versions: dict[str, str]
    command: str
    date: str


@explained
def study(
    model: CharModel,
    corpus: Any,
    temperatures: Sequence[float] = TEMPERATURES,
    tunes: Count = TUNES,
    seed: Seed = 0,
    longest: Count = songs.LONGEST,
) -> Study:
    """Let the model and an n-gram write `tunes` tunes at each temperature, and judge them."""
    counted = NGram(ORDER).fit(corpus.train, corpus.vocabulary)
    source = novelty.Source(corpus.train)
    held = songs.bodies(corpus, "test")
    given = [songs.header(text) for text in held][:tunes]
    figures: dict[str, dict[str, list[float]]] = {
        name: {measure: [] for measure in (*MEASURES, COPIED)} for name in (LSTM, COUNTED)
    }
    for place, heat in enumerate(temperatures):
        own = 1000 * seed + place
        written = {
            LSTM: songs.write(model, given, heat, own, longest),
            COUNTED: songs.write_by_counts(counted, given, heat, own, longest),
        }
        for name, texts in written.items():
            for measure, value in judged(texts, source).items():
                figures[name][measure].append(value)
    settings = {"tunes": len(given), "seed": seed, "order": ORDER, "longest": longest}
    today = datetime.now(UTC).date().isoformat()
    return Study(
        tuple(temperatures), figures, judged(held, source), settings, corpus.provenance.as_dict(), versions(),
        COMMAND, today,
    )  # fmt: skip


def judged(texts: Sequence[str], source: novelty.Source) -> dict[str, float]:
    """The measures of some tunes, with the median of their longest copied spans."""
    notes = [text[len(songs.header(text)) :] for text in texts]
    return tune_scores.judge_all(texts) | {COPIED: float(median(novelty.spans(source, notes)))}


def path() -> Path:
    """Where the study of the shipped network lies."""
    return data_folder() / "curves" / "songs.json"


@explained
def save(found: Study, place: Path | None = None) -> Path:
    """Write a study, whole or not at all."""
    place = place or path()
    text = json.dumps(asdict(found), indent=1, ensure_ascii=False) + "\n"
    try:
        write_whole(place, text.encode())
    except OSError as error:
        raise LessonError(f"{place.name} cannot be written: {error.strerror or error}.") from error
    return place


@explained
def load(place: Path | None = None) -> Study:
    """A study from its file; LessonError if it is missing or damaged."""
    place = place or path()
    try:
        content = json.loads(place.read_text(encoding="utf-8"))
        return Study(**content | {"temperatures": tuple(content["temperatures"])})
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise LessonError(f"There is no study at {place.name}; make it with `{COMMAND}`.") from error


def main() -> int:
    """Study the shipped network and write the result."""
    found = study(char_rnn.pretrained("songs"), corpora.load("tunes"))
    for name, measures in found.figures.items():
        for measure, values in measures.items():
            told = " ".join(f"{value:.2f}" for value in values)
            print(f"{name:8s} {measure:28s} {told}   books {found.books[measure]:.2f}")
    print(f"Written to {save(found).name}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
