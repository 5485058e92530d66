"""From bytes to documents: each function takes a source's files apart into pairs of (id, text)."""

import ast
import gettext
import hashlib
import html
import io
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable

from lessons import documents, icons, word_ratings
from lessons.errors import LessonError
from lessons.sources import Members
from lessons.tunes import tunes

Documents = tuple[tuple[str, str], ...]  # (id, text), each text ending in one line end

RARE = "\N{REPLACEMENT CHARACTER}"  # the one symbol that stands for all characters too rare to learn
SMALLEST, LARGEST = 10_000, 20_000_000  # of a learner's own text, in bytes
PARTS = 40  # that a learner's own text is cut into
SHORTEST_PART = 1_000
FEWEST = 3  # parts: one to train on, one to choose with, one to test with


def markdown(members: Members) -> Documents:
    """The plays as they stand in the package; the id is the play's name, e.g. `hamlet`."""
    names = {name: name.rsplit("/", 1)[-1].removesuffix(".md") for name in sorted(members)}
    return tuple((play, members[name].decode().strip() + "\n") for name, play in names.items())


def plays(members: Members) -> Documents:
    """The plays without markup: a speaker's name on its own line, the words below, then a blank line."""
    return tuple((name, plain(text)) for name, text in markdown(members))


def plain(text: str) -> str:
    """Markdown of a play as plain text: no headings, no emphasis, no escapes, no spaces at line ends."""
    text = re.sub(r"(?m)^#+ .*$|[*_]| +$", "", text)
    text = html.unescape(re.sub(r"\\(.)", r"\1", text))
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def topics(members: Members) -> Documents:
    """The topics of Python's `help()`, read from the module's text without running it."""
    found = {}
    for content in members.values():
        for statement in ast.parse(content).body:
            if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Dict):
                found |= ast.literal_eval(statement.value)
    return merge_rare((name, found[name].strip() + "\n") for name in sorted(found))


def modules(members: Members) -> Documents:
    """Python modules, one document each; empty ones are left out."""
    texts = ((name, members[name].decode().strip() + "\n") for name in sorted(members))
    return merge_rare((name, text) for name, text in texts if text.strip())


def pronunciations(members: Members) -> Documents:
    """CMUdict's plain words, one document a first letter, lines such as `knight N AY T`.

    Of several pronunciations the first; words with other signs than a to z, comments and stress are left out.
    """
    found: dict[str, list[str]] = {}
    for name in sorted(members):
        for line in members[name].decode().splitlines():
            word, *phonemes = line.partition("#")[0].split() or [""]
            if word.isascii() and word.isalpha():
                plain = " ".join(phoneme.rstrip("012") for phoneme in phonemes)
                found.setdefault(word[0], []).append(f"{word} {plain}")
    return tuple((letter, "\n".join(found[letter]) + "\n") for letter in sorted(found))


def messages(members: Members) -> Documents:
    """Compiled gettext catalogues, one document each, of lines `message TAB translation`, sorted.

    Messages of several lines, and those that are translated by themselves, are left out.
    """
    found = {}
    for name in sorted(members):
        catalogue = gettext.GNUTranslations(io.BytesIO(members[name]))._catalog
        pairs = {key.split("\x04")[-1]: text for key, text in catalogue.items() if isinstance(key, str)}
        kept = [f"{a}\t{b}" for a, b in sorted(pairs.items()) if a and a != b and "\n" not in a + b]
        if kept:
            found[name.rsplit("/", 1)[-1].removesuffix(".mo")] = "\n".join(kept) + "\n"
    return tuple(found.items())


def strokes(members: Members) -> Documents:
    """Refuses: strokes of a pen are no text."""
    raise LessonError("This source holds strokes of a pen and no text; lessons.pen writes with its letters.")


def drawings(members: Members) -> Documents:
    """SVG icons from a zip inside the package, one document each, without their common head and foot.

    In the order of their names' hashes: icons of like names are alike, and would teach to copy the last one.
    """
    found = [body for name in sorted(members) for body in icons.bodies(members[name])]
    return tuple(sorted(found, key=lambda body: hashlib.sha256(body[0].encode()).digest()))


def html_pages(members: Members) -> Documents:
    """The plays as HTML, one document a play, of pages with blank lines between them."""
    return tuple((name, documents.joined(documents.pages(text))) for name, text in markdown(members))


def functions(members: Members) -> Documents:
    """The functions of Python modules, one document a module, with blank lines between them."""
    texts = ((name, documents.joined(documents.functions(text))) for name, text in modules(members))
    return tuple((name, text) for name, text in texts if text)


def merge_rare(documents: Iterable[tuple[str, str]], fewer_than: int = 10) -> Documents:
    """Replace every character that occurs fewer than ten times in all documents together by one symbol."""
    documents = tuple(documents)
    counts = Counter()
    for _, text in documents:
        counts.update(text)
    table = {ord(character): RARE for character, count in counts.items() if count < fewer_than}
    return tuple((name, text.translate(table)) for name, text in documents)


def own(content: bytes, name: str) -> Documents:
    """A learner's file as documents of neighbouring paragraphs, about forty of equal size.

    Raises LessonError, in one sentence, for a file that is too small, too large or not text.
    """
    refuse_size(len(content), name)
    text = unicodedata.normalize("NFC", decode(content, name)).replace("\r\n", "\n").replace("\r", "\n")
    text = text.strip() + "\n"
    if not text.strip():
        raise LessonError(f"{name!r} holds nothing but spaces and blank lines; choose a text.")
    written = sum(len(line.rstrip().encode()) + 1 for line in text.splitlines() if line.strip())
    if written < SMALLEST:
        raise LessonError(
            f"{name!r} has {written:,} bytes without its blank lines, too few to learn from; use "
            f"{SMALLEST:,} or more."
        )
    pieces = [piece.strip("\n") + "\n" for piece in cut(text, max(len(text) // PARTS, SHORTEST_PART))]
    pieces = [piece for piece in pieces if piece.strip()]
    if len(pieces) < FEWEST:
        raise LessonError(
            f"{name!r} is nearly all blank lines, and cannot be cut into {FEWEST} parts; take them out."
        )
    return merge_rare((f"part {n} of {len(pieces)}", piece) for n, piece in enumerate(pieces, 1))


def refuse_size(size: int, name: str) -> None:
    """Raise LessonError if a text of `size` bytes is too small to learn from or too large to handle."""
    if size > LARGEST:
        raise LessonError(
            f"{name!r} has {size / 1e6:.1f} MB; use a part of it, at most {LARGEST / 1e6:.0f} MB."
        )
    if size < SMALLEST:
        raise LessonError(f"{name!r} has {size:,} bytes, too few to learn from; use {SMALLEST:,} or more.")


def decode(content: bytes, name: str) -> str:
    """UTF-8, else Latin-1 with the quotation marks and dashes that Windows adds; refuses binary files."""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise LessonError(f"{name!r} is text in UTF-16; save it as UTF-8 and try again.")
    if b"\0" in content:
        raise LessonError(f"{name!r} is not a text file (it has zero bytes); choose a plain text file.")
    for encoding in ("utf-8-sig", "cp1252", "latin-1"):  # the last one takes any bytes
        try:
            text = content.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    readable = sum(n for c, n in Counter(text).items() if c.isprintable() or c.isspace())
    if readable < 0.95 * len(text):
        share = 1 - readable / len(text)
        raise LessonError(f"{name!r} is not a text file ({share:.0%} control characters); choose another.")
    return text


def cut(text: str, size: int) -> list[str]:
    """Cut a text into pieces of `size` or a little more: at a blank line, else a line end, else a space."""
    pieces, start = [], 0
    while len(text) - start >= 1.5 * size:
        end = _boundary(text, start + size, size // 2)
        pieces.append(text[start:end])
        start = end
    return [*pieces, text[start:]]


def _boundary(text: str, wanted: int, reach: int) -> int:
    for separator in ("\n\n", "\n", " "):
        place = text.find(separator, wanted, wanted + reach)
        if place >= 0:
            return place + len(separator)
    return wanted


READERS: dict[str, Callable[[Members], Documents]] = {
    "plays": plays,
    "markdown": markdown,
    "topics": topics,
    "modules": modules,
    "pronunciations": pronunciations,
    "messages": messages,
    "drawings": drawings,
    "html_pages": html_pages,
    "functions": functions,
    "tunes": tunes,
    "strokes": strokes,
    "word_ratings": word_ratings.documents,
}
