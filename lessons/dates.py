"""Dates as people write them, in seven languages, and as ISO 8601 writes them: the words are Babel's."""

import datetime
import random
from functools import lru_cache
from importlib.metadata import version

from lessons.arguments import Count, explained
from lessons.errors import LessonError
from lessons.pairs import Pairs, dealt, provenance

LANGUAGES = ("en", "de", "fr", "it", "es", "nl", "pt")
# Months in words and years in full: 03/04/05 could be read in three ways.
FORMATS = ("full", "long", "d MMM y", "MMM d, y", "EEE, d MMMM y", "d. MMMM y", "MMMM d y")
FIRST, LAST = datetime.date(1900, 1, 1), datetime.date(2099, 12, 31)


@explained
def written(date: datetime.date, form: str = "full", language: str = "en") -> str:
    """A date in words. Raises LessonError for a language or a form that is not one of Babel's."""
    from babel import UnknownLocaleError
    from babel.dates import format_date

    try:
        return format_date(date, form, locale=language)
    except (UnknownLocaleError, ValueError, AttributeError) as error:
        raise LessonError(f"Babel cannot write {form!r} in {language!r}: {error}.") from error


@explained
@lru_cache(maxsize=8)
def dates(count: Count = 10_000, languages: tuple[str, ...] = LANGUAGES) -> Pairs:
    """`count` days from 1900 to 2099, each in one language and one form, with its ISO date. Dealt by day."""
    dice = random.Random(count)
    days = (LAST - FIRST).days + 1
    drawn = [FIRST + datetime.timedelta(dice.randrange(days)) for _ in range(count)]
    rows = [(written(day, dice.choice(FORMATS), dice.choice(languages)), day.isoformat()) for day in drawn]
    where = provenance(
        "dates", rows, f"Babel {version('babel')}", "BSD-3-Clause AND Unicode-3.0", "CLDR, Babel"
    )
    return dealt("dates", rows, [day.isoformat() for day in drawn], where)
