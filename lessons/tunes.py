"""From old tune books in ABC to one plain form: what lesson 14 trains on.

A document is one tune: four header lines in fixed order, then the notes.

    R:jig       the dance, `tune` where the book does not say
    M:6/8       the metre
    L:1/8       the unit of length
    K:D         the key, as in K:Am, K:Ador, K:Amix
    |:dAF ...   the tune: notes, rests, bars, repeats

Left out are titles, comments, annotations, grace notes, slurs and ornaments, and whatever names a transcriber
or an address. Tunes that change key, metre or voice on their way are left out whole. The same tune stands in
several books, in other keys and with small differences: such copies go before anything is split.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from itertools import pairwise

from lessons import abc_reader

DANCES = ("reel", "hornpipe", "jig", "slip jig", "strathspey", "clog", "fling", "air", "tune")
METRES = ("C", "C|", "2/4", "3/4", "3/8", "6/8", "9/8", "12/8")
UNKNOWN = "tune"  # the dance, where a book names none
LONGEST = 1200  # characters of a tune; longer ones are sets of variations
SHINGLE = 12  # notes in a row by which two tunes are compared
ALIKE = 0.5  # share of them in common from which on two tunes are one

_SAME_DANCE = {"slipjig": "slip jig", "double jig": "jig", "highland fling": "fling"}
_SAME_METRE = {"4/4": "C", "2/2": "C|"}
_MODES = {"": "", "maj": "", "min": "m", "m": "m", "dor": "dor", "mix": "mix", "lyd": "lyd", "phr": "phr"}
_DROPPED = re.compile(r'"[^"]*"|![^!]*!|\+[^+]*\+|\{[^}]*\}|\((?!\d)|[)`\\~.\tH-Wh-wy]|\[\|\]')
_BAR = re.compile(r"\s*(\[?[|:]+[|:\]]*)\s*(?:\[?([1-4])(?![/\d]))?\s*")
_ODD = re.compile(r"[^A-Ga-gz\d/,'^_=<>(|:\[\] \n-]")
_STEPS = {letter: step for step, letter in enumerate("CDEFGABcdefgab")}


def tunes(members: dict[str, bytes]) -> tuple[tuple[str, str], ...]:
    """The tunes of all books, one document each, without copies; the id is the book and the title."""
    found: list[tuple[str, str]] = []
    names: Counter[str] = Counter()
    for path in sorted(members):
        book = path.split("/")[-2]
        for raw in split(members[path].decode("utf-8", "replace")):
            if text := clean(raw):
                name = f"{book}: {title(raw)}"
                names[name] += 1
                found.append((name if names[name] == 1 else f"{name} ({names[name]})", text))
    return tuple(without_copies(found))


def split(book: str) -> list[str]:
    """The tunes of a file: each begins with its number, `X:`."""
    book = book.replace("\r\n", "\n").replace("\r", "\n")
    return [part for part in re.split(r"(?m)^(?=X:)", book) if part.startswith("X:")]


def title(raw: str) -> str:
    """The first title of a tune, as a name to show."""
    named = re.search(r"(?m)^T:(.*)$", raw)
    words = re.sub(r"[^\w' ]+", " ", named[1].partition("%")[0] if named else "").split()
    return " ".join(words)[:60] or "untitled"


def clean(raw: str) -> str | None:
    """One tune in the plain form described above; None if it cannot be put so, or has signs nobody reads."""
    head, key, body = raw.partition("\nK:")
    first, _, body = body.partition("\n")
    header = _header(head, first) if key else None
    notes = _notes(body) if header else None
    if not notes or len(notes) > LONGEST:
        return None
    return f"{header}{notes}\n" if abc_reader.readable(notes) else None


def without_copies(documents: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Documents without those that share half their runs of twelve notes, in any key, with an earlier one."""
    known: dict[tuple, list[int]] = defaultdict(list)
    for number, (name, text) in enumerate(documents):
        mine = shingles(text)
        shared = Counter(other for run in mine for other in known.get(run, ()))
        if shared and max(shared.values()) >= ALIKE * len(mine):
            continue
        for run in mine:
            known[run].append(number)
        yield name, text


def shingles(text: str) -> set[tuple[int, ...]]:
    """All runs of twelve notes of a tune, as steps of the scale from note to note: the same in every key."""
    body = text.split("\nK:", 1)[-1].partition("\n")[2]
    notes = re.findall(r"([A-Ga-g])([,']*)", body)
    heights = [_STEPS[letter] + 7 * (marks.count("'") - marks.count(",")) for letter, marks in notes]
    steps = [after - before for before, after in pairwise(heights)]
    if len(steps) < SHINGLE:
        return {tuple(steps)}
    return {tuple(steps[k : k + SHINGLE - 1]) for k in range(len(steps) - SHINGLE + 2)}


def _header(head: str, key: str) -> str | None:
    fields: dict[str, str] = {}
    for name, value in re.findall(r"(?m)^([A-Za-z]):(.*)$", head):
        fields.setdefault(name, value.partition("%")[0].strip())
    metre = _SAME_METRE.get(fields.get("M", ""), fields.get("M"))
    unit = fields.get("L") or (
        "1/16" if metre in ("2/4", "3/8") else "1/8"
    )  # what ABC says where none is given
    tonic = re.fullmatch(r"([A-G][b#]?) ?([A-Za-z]*)", key.partition("%")[0].strip())
    mode = _MODES.get(tonic[2].lower()[:3]) if tonic else None
    if metre not in METRES or unit not in ("1/4", "1/8", "1/16") or mode is None or tonic[2] == "M":
        return None
    dance = fields.get("R", "").lower()
    dance = _SAME_DANCE.get(dance, dance)
    if dance == "jig" and metre == "9/8":
        dance = "slip jig"
    return f"R:{dance if dance in DANCES else UNKNOWN}\nM:{metre}\nL:{unit}\nK:{tonic[1]}{mode}\n"


def _notes(body: str) -> str | None:
    lines = []
    for line in body.split("\n"):
        if field := re.match(r"([A-Za-z]):(?![|:])", line):
            if field[1] in "KMLV":
                return None  # changes on its way, or has several voices
            continue
        lines.append(_DROPPED.sub("", line.partition("%")[0]))
    text = re.sub(r" *([<>]) *", r"\1", "\n".join(lines).replace("x", "z"))
    text = re.sub(r"[ \n]*\n[ \n]*", "\n", re.sub(r" +", " ", text)).strip()
    text = "\n".join(_BAR.sub(_bar, line).strip() for line in text.split("\n"))
    text = re.sub(r"\[([1-4]) ", r"[\1", text)
    return None if _ODD.search(text) else text


def _bar(found: re.Match) -> str:
    """One spelling a bar line; what it is not sure of is left as it is, and the reader refuses it."""
    signs, ending = found[1], found[2] or ""
    closes, opens = signs.startswith(":"), signs.endswith(":")
    if closes and opens and signs != ":":
        return "::" + ending
    if closes and "|" in signs:
        return ":|" + ending
    if opens and "|" in signs:
        return "|:" + ending
    if ":" in signs:
        return found[0]
    plain = "|]" if signs.endswith("]") else "||" if "||" in signs else "|"
    return (plain if not ending else "|") + ending
