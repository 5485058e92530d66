"""Words with how good or bad people find them: the ratings behind VADER, read as data.

Ten people rated each of 7,500 words and signs from -4 (very bad) to 4 (very good); Hutto and Gilbert 2014,
"VADER: a parsimonious rule-based model for sentiment analysis of social media text".
"""

import hashlib
import re
from collections import defaultdict

# Where the lexicon cannot be had: words that this course rated itself, on the same scale.
BY_HAND = """
awful -3.0 bad -2.5 boring -1.8 broken -1.7 careless -1.4 clumsy -1.2 cold -0.8 confusing -1.3
cruel -3.0 dirty -1.6 dreadful -2.9 dull -1.6 empty -0.9 evil -3.3 false -1.8 foolish -1.8 gloomy -1.7
harsh -1.7 hopeless -2.6 horrible -3.1 lazy -1.5 mean -1.9 painful -2.3 poor -2.0 rude -2.1 sad -2.2
shallow -1.2 slow -0.7 terrible -3.1 ugly -2.3 adequate 0.9 amusing 1.7 beautiful 3.0 bold 1.2
bright 1.8 brilliant 3.1 calm 1.3 careful 1.0 charming 2.5 clean 1.6 clever 2.0 delightful 3.0 fair 1.3
fine 1.0 fresh 1.4 funny 2.1 gentle 1.9 good 2.2 graceful 2.1 honest 2.3 joyful 3.0 kind 2.4 lively 1.9
lovely 2.8 perfect 3.1 pleasant 2.3 splendid 3.0 tender 1.6 warm 1.6 wonderful 3.1
"""
ADJECTIVE = re.compile(r"(?=[a-z]{4,10}$)[a-z]+(?:ful|less|ous|ive|able|ible)")
WIDEST = 1.1  # standard deviation of the ten ratings; above it people do not agree what a word says


def members() -> dict[str, bytes]:
    """The words rated by hand, as a file of the lexicon's form."""
    pairs = re.findall(r"(\w+) (-?[\d.]+)", BY_HAND)
    return {"by_hand/words.txt": "".join(f"{word}\t{rating}\t0.5\t[]\n" for word, rating in pairs).encode()}


def documents(found: dict[str, bytes]) -> tuple[tuple[str, str], ...]:
    """A lexicon's plain words, one document a first letter, of lines `word TAB mean TAB deviation`."""
    letters: dict[str, list[str]] = defaultdict(list)
    for name in sorted(found):
        for line in found[name].decode("utf-8").splitlines():
            word, mean, deviation, *_ = line.split("\t")
            if re.fullmatch("[a-z]+", word):
                letters[word[0]].append(f"{word}\t{float(mean)}\t{float(deviation)}")
    return tuple((letter, "\n".join(letters[letter]) + "\n") for letter in sorted(letters))


def adjectives(lines: str, most: int, by_form: bool) -> dict[str, float]:
    """Words that can stand before a noun, with their mean rating, as many as asked for and a fair sample.

    by_form: only those that look like adjectives, and on whose rating people agree.
    """
    rows = (line.split("\t") for line in lines.splitlines() if line)
    kept = {
        word: float(mean)
        for word, mean, deviation in rows
        if not by_form or (ADJECTIVE.fullmatch(word) and float(deviation) <= WIDEST)
    }
    chosen = sorted(kept, key=lambda word: hashlib.sha256(word.encode()).digest())[:most]
    return {word: kept[word] for word in sorted(chosen)}
