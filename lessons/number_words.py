"""Numbers in words, in two languages: a translation whose right answer is known, and whose words cross.

45 is forty-five, fünfundvierzig (five and forty), quarante-cinq, femogfyrre. The words are those of the
package num2words.
"""

import hashlib
import json
import random
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import lru_cache
from importlib.metadata import version

from lessons import sources
from lessons.arguments import Count, explained
from lessons.errors import LessonError
from lessons.labelled import deal
from lessons.pairs import Pair, Pairs, dealt, provenance

LANGUAGES = {
    "en": "English", "de": "German", "fr": "French", "nl": "Dutch", "da": "Danish", "es": "Spanish",
    "it": "Italian", "sv": "Swedish",
}  # fmt: skip
DIGITS = "digits"  # written 54321 instead of in words
SMALL = 1000  # all numbers below this are asked
MILLION = 1_000_000
BEYOND = "seven digits"  # the part with numbers that are longer than any in training
SEVERAL = ("de", "fr", "da")  # languages that one network learns at once


@explained
def words(number: int, language: str = "en") -> str:
    """A number in words, or in digits. Raises LessonError for an unknown language and numbers below 0."""
    if language == DIGITS:
        return str(number)
    if language not in LANGUAGES:
        raise LessonError(f"The language is one of {', '.join([*LANGUAGES, DIGITS])}; {language!r} is not.")
    if not 0 <= number < 10 * MILLION:
        raise LessonError(f"Numbers from 0 to {10 * MILLION - 1:,} have words here; {number:,} has not.")
    from num2words import num2words

    return num2words(number, lang=language)


@explained
@lru_cache(maxsize=8)
def number_words(
    source: str = "en", target: str = "de", count: Count = 20_000, below: Count = MILLION, beyond: int = 500
) -> Pairs:
    """Numbers below `below` in two languages, as a task of translation.

    All numbers under a thousand and `count` larger ones: half of these drawn evenly, half with four, five and
    six digits equally often. "test" is other than that: numbers drawn evenly, so that its figure is one for
    all numbers below `below`. Numbers are dealt by their hash: one that is held out is never trained on.

    beyond: so many numbers of seven digits in a part of their own, for which training has "one million" to
    "nine million" and no others.
    """
    dice = random.Random(f"{below} {count}")
    drawn = [*range(min(SMALL, below)), *larger(dice, below, count)]
    tested = [number for number in evenly(dice, below, 40 * SMALL) if deal(str(number)) == "test"][:SMALL]
    kept = [number for number in dict.fromkeys(drawn) if deal(str(number)) != "test"]
    found = translated([*kept, *dict.fromkeys(tested)], source, target)
    release = f"num2words {version('num2words')}"
    where = provenance(
        f"number words, {source} to {target}", found.values(), release, "LGPL-2.1-or-later", "num2words"
    )
    name = f"number words, {LANGUAGES.get(source, source)} to {LANGUAGES.get(target, target)}"
    pairs = dealt(name, found.values(), map(str, found), where)
    if not beyond:
        return pairs
    rounds = [MILLION * first for first in range(1, 10)]
    longer = [number for number in evenly(dice, 10 * MILLION, 3 * beyond) if number > MILLION][:beyond]
    extra = {"train": (*pairs.parts["train"], *translated(rounds, source, target).values())}
    extra[BEYOND] = tuple(translated(longer, source, target).values())
    return Pairs(name, {**pairs.parts, **extra}, where)


def tag(language: str) -> str:
    """What asks for a language: "<2de>", to German."""
    return f"<2{language}>"


@explained
@lru_cache(maxsize=8)
def tagged(languages: tuple[str, ...] = SEVERAL, count: Count = 20_000, below: Count = MILLION) -> Pairs:
    """English number words into several languages, for one network: "<2de> forty-five", "<2fr> forty-five".

    The artificial token at the front is Johnson et al.'s (2017). A number that is held out is held out in all
    languages. Raises LessonError for unknown languages and for fewer than two.
    """
    if len(set(languages)) < max(2, len(languages)):
        raise LessonError("Name at least two languages, each once; with one there is nothing to ask for.")
    single = [number_words("en", language, count, below, 0) for language in languages]
    tags = tuple(map(tag, languages))
    parts = {
        part: tuple(
            (f"{tag} {source}", target)
            for rows in zip(*(pairs.parts[part] for pairs in single), strict=True)
            for tag, (source, target) in zip(tags, rows, strict=True)
        )
        for part in single[0].parts
    }
    everything = [pair for rows in parts.values() for pair in rows]
    release = f"num2words {version('num2words')}"
    where = provenance("number words, by tag", everything, release, "LGPL-2.1-or-later", "num2words")
    return Pairs(f"number words, English to {', '.join(languages)} by tag", parts, where, tags=tags)


def translated(numbers: Sequence[int], source: str, target: str) -> dict[int, Pair]:
    """Numbers in both languages."""
    columns = [spelt(numbers, language) for language in (source, target)]
    return dict(zip(numbers, zip(*columns, strict=True), strict=True))


def spelt(numbers: Sequence[int], language: str) -> list[str]:
    """Numbers in words, kept in the cache from one time to the next: num2words takes its time."""
    key = hashlib.sha256(f"{language} {version('num2words')} {numbers}".encode()).hexdigest()[:16]
    place = sources.cache_folder() / f"number-words-{key}.json"
    try:
        found = json.loads(place.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        found = []
    if len(found) != len(numbers):
        found = [words(number, language) for number in numbers]
        with suppress(OSError):  # a cache that cannot be written is only slower
            sources.write_whole(place, json.dumps(found, ensure_ascii=False).encode())
    return found


def evenly(dice: random.Random, below: int, count: int) -> list[int]:
    """Numbers drawn evenly, without repeats if there are enough."""
    return dice.sample(range(below), min(count, below))


def larger(dice: random.Random, below: int, count: int) -> Iterator[int]:
    """Numbers from a thousand upwards: every other one drawn evenly, the others by their digits first."""
    if below <= SMALL:
        return
    ends = [end for end in (10_000, 100_000, MILLION) if end < 10 * below]
    for place in range(count):
        end = min(below, dice.choice(ends)) if place % 2 else below
        start = SMALL if place % 2 == 0 else max(SMALL, end // 10)
        yield dice.randrange(min(start, end - 1), end)
