"""Exercises and quiz of lesson 14: lengths, bars, a split with copies in it, and what is copied."""

from __future__ import annotations

from lessons.exercises.exercise import Case, Exercise, behaves_like, returns, stops_with
from lessons.exercises.questions import Option, Question

# -------------------------------------------------------------- the solutions, as the learner is shown them


def note_length(written: str, unit: float) -> float:
    """Units times the unit: without L: nobody knows how long a note is."""
    whole, slash, below = written.partition("/")
    units = int(whole or 1) / (int(below or 2) if slash else 1)
    return units * unit


def full_bars(lengths: list[float], metre: float) -> list[float]:
    """A bar is right by itself; a short first and a short last bar are right together."""
    right = [abs(length - metre) < 1e-6 for length in lengths]
    if len(lengths) > 1 and abs(lengths[0] + lengths[-1] - metre) < 1e-6:
        right[0] = right[-1] = True
    return [float(one) for one in right]


def split_tunes(tunes: list[str], held: int) -> tuple[str, str]:
    """Copies go first; then the last ones are held out."""
    kept = list(dict.fromkeys(tunes))
    return " ".join(kept[: len(kept) - held]), " ".join(kept[len(kept) - held :])


def longest_copy(written: str, source: str) -> int:
    """Try every place, and go on from the best so far: a longer span is all that counts."""
    best = 0
    for start in range(len(written)):
        while start + best < len(written) and written[start : start + best + 1] in source:
            best += 1
    return best


# ------------------------------------------------------------------------ 1: find the bug, the unit of length


def _units(written: str, divisor: float) -> float:
    whole, _, below = written.partition("/")
    return int(whole or 1) / (int(below or 2) if "/" in written else 1) / divisor


NOTE_LENGTH = Exercise(
    name="note_length",
    statement="Find the bug: tunes with L:1/16 play at half their speed, and hardly a bar adds up.",
    stub='''def note_length(written, unit):
    """What stands behind a note ("", "2", "/", "3/2", "/4") and L: (1/8) -> its length in whole notes."""
    whole, slash, below = written.partition("/")
    units = int(whole or 1) / (int(below or 2) if slash else 1)
    return units / 8
''',
    solution=note_length,
    cases=(
        Case("nothing behind the note, L:1/8", lambda: ("", 1 / 8)),
        Case("a 2 behind the note, L:1/16", lambda: ("2", 1 / 16)),
        Case("3/2 behind the note, L:1/4", lambda: ("3/2", 1 / 4)),
        Case("a single slash, L:1/4", lambda: ("/", 1 / 4)),
        Case("/4 behind the note, L:1/4", lambda: ("/4", 1 / 4)),
    ),
    observe=returns("the length"),
    diagnoses=(
        behaves_like(
            lambda written, unit: _units(written, 8),
            "the unit of the L: line is not used: every note is counted in eighths.",
        ),
        behaves_like(
            lambda written, unit: _units(written, 16),
            "every note is counted in sixteenths, whatever L: says.",
        ),
        behaves_like(
            lambda written, unit: _units(written, 1), "that is a number of units; the unit itself is missing."
        ),
        behaves_like(
            lambda written, unit: _units(written, 1) / unit,
            "the number of units is divided by the unit; it is multiplied by it.",
        ),
        behaves_like(
            lambda written, unit: (
                int(written.partition("/")[0] or 1)
                / (int(written.partition("/")[2] or 1) if "/" in written else 1)
                * unit
            ),
            "a slash without a number halves the note: A/ means A/2.",
        ),
        behaves_like(
            lambda written, unit: int(written.partition("/")[0] or 1) * unit,
            "what stands behind the slash is not read: A/ is half as long as A.",
        ),
        behaves_like(
            lambda written, unit: _units(written, 4), "every note is counted in quarters, whatever L: says."
        ),
    ),
    hints=(
        "What does the function do with `unit`?",
        "A note of two units under L:1/16 lasts an eighth: two times 1/16.",
        "return units * unit",
    ),
    shown="A length is a number of units times the unit, and the unit stands in the header.",
)

# ---------------------------------------------------------------------------------- 2: bars that add up


def _right(lengths: list[float], metre: float) -> list[float]:
    return [float(abs(length - metre) < 1e-6) for length in lengths]


def _lenient(lengths: list[float], metre: float) -> list[float]:
    found = _right(lengths, metre)
    found[0] = found[-1] = 1.0
    return found


def _first_only(lengths: list[float], metre: float) -> list[float]:
    found = _right(lengths, metre)
    if abs(lengths[0] + lengths[-1] - metre) < 1e-6:
        found[0] = 1.0
    return found


def _last_only(lengths: list[float], metre: float) -> list[float]:
    found = _right(lengths, metre)
    if abs(lengths[0] + lengths[-1] - metre) < 1e-6:
        found[-1] = 1.0
    return found


def _both_short(lengths: list[float], metre: float) -> list[float]:
    found = _right(lengths, metre)
    if lengths[0] < metre and lengths[-1] < metre:
        found[0] = found[-1] = 1.0
    return found


def _short_is_fine(lengths: list[float], metre: float) -> list[float]:
    return [float(length <= metre + 1e-6) for length in lengths]


def _pick_up_free(lengths: list[float], metre: float) -> list[float]:
    return [1.0, *_right(lengths, metre)[1:]]


FULL_BARS = Exercise(
    name="full_bars",
    statement="Say for every bar of a strain whether it adds up; a pick-up and the bar it completes do so.",
    stub='''def full_bars(lengths, metre):
    """Lengths of a strain's bars, length of a full bar -> a list, 1.0 for right and 0.0 for wrong.

    A short first bar and a short last bar are both right if they make one full bar together.
    """
    return ...
''',
    solution=full_bars,
    cases=(
        Case("bars that are all full", lambda: ([1.0, 1.0, 1.0], 1.0)),
        Case("a bar in the middle that is short", lambda: ([0.75, 0.5, 0.75], 0.75)),
        Case("a last bar that is short and no pick-up", lambda: ([1.0, 1.0, 0.75], 1.0)),
        Case("a pick-up that nothing completes", lambda: ([0.125, 1.0, 1.0, 1.0], 1.0)),
        Case("a pick-up of 1/8 and a last bar without it", lambda: ([0.125, 0.75, 0.75, 0.625], 0.75)),
        Case("a pick-up and a last bar too short for it", lambda: ([0.125, 0.75, 0.75, 0.5], 0.75)),
        Case("a bar that is too long", lambda: ([0.5, 0.625, 0.5], 0.5)),
    ),
    observe=returns("the list"),
    diagnoses=(
        behaves_like(_right, "a pick-up and the last bar are not looked at together."),
        behaves_like(
            _first_only, "only the pick-up is put right; the last bar, which it completes, is right too."
        ),
        behaves_like(
            _pick_up_free, "a short first bar is let through even if the last bar does not leave room for it."
        ),
        behaves_like(
            _both_short, "a short first and a short last bar are let through whatever they add up to."
        ),
        behaves_like(
            _lenient, "the first and the last bar are let through whatever they are; they must make one bar."
        ),
        behaves_like(
            _last_only, "only the last bar is put right; the pick-up that completes it is right, too."
        ),
        behaves_like(
            _short_is_fine, "short bars are let through in the middle, where nothing completes them."
        ),
        stops_with("index|range", "lengths[0] is the first bar and lengths[-1] the last."),
    ),
    hints=(
        "First compare every length with the metre.",
        "Then look at lengths[0] + lengths[-1]: if that is the metre, both are right.",
        "right = [float(l == metre) for l in lengths]; if lengths[0] + lengths[-1] == metre: both become 1.0",
    ),
    shown="Full bars are right by themselves, a pick-up and the bar it completes together.",
)

# ------------------------------------------------------- 3: find the bug, a split before the copies go


def _split_first(tunes: list[str], held: int) -> tuple[str, str]:
    train, test = tunes[: len(tunes) - held], tunes[len(tunes) - held :]
    return " ".join(dict.fromkeys(train)), " ".join(dict.fromkeys(test))


def _leave_copies(tunes: list[str], held: int) -> tuple[str, str]:
    return " ".join(tunes[: len(tunes) - held]), " ".join(tunes[len(tunes) - held :])


def _sorted(tunes: list[str], held: int) -> tuple[str, str]:
    kept = sorted(set(tunes))
    return " ".join(kept[: len(kept) - held]), " ".join(kept[len(kept) - held :])


def _drop_all(tunes: list[str], held: int) -> tuple[str, str]:
    kept = [tune for tune in tunes if tunes.count(tune) == 1]
    return " ".join(kept[: len(kept) - held]), " ".join(kept[len(kept) - held :])


def _front(tunes: list[str], held: int) -> tuple[str, str]:
    kept = list(dict.fromkeys(tunes))
    return " ".join(kept[held:]), " ".join(kept[:held])


def _only_test(tunes: list[str], held: int) -> tuple[str, str]:
    train, test = tunes[: len(tunes) - held], tunes[len(tunes) - held :]
    return " ".join(train), " ".join(tune for tune in dict.fromkeys(test) if tune not in train)


def _last_copy(tunes: list[str], held: int) -> tuple[str, str]:
    kept = list(dict.fromkeys(reversed(tunes)))[::-1]
    return " ".join(kept[: len(kept) - held]), " ".join(kept[len(kept) - held :])


SPLIT_TUNES = Exercise(
    name="split_tunes",
    statement="Find the bug: held-out tunes get better figures than anybody believes.",
    stub='''def split_tunes(tunes, held):
    """Tunes, some of them twice, number to hold out -> training tunes, held-out tunes, each joined by spaces.

    Of a tune that is there twice the first copy stays; the last `held` of what stays are held out.
    """
    train, test = tunes[: len(tunes) - held], tunes[len(tunes) - held :]
    return " ".join(dict.fromkeys(train)), " ".join(dict.fromkeys(test))
''',
    solution=split_tunes,
    cases=(
        Case("copies on both sides", lambda: (["a", "b", "b", "c", "d", "a", "e", "c", "f"], 3)),
        Case("a tune that comes back at the end", lambda: (["reel", "jig", "air", "waltz", "jig"], 2)),
        Case("no copies", lambda: (["one", "two", "three", "four"], 1)),
    ),
    observe=lambda function, *given: dict(
        zip(
            ("the training part", "the held-out part"),
            returns("training", "held out")(function, *given).values(),
            strict=True,
        )
    ),
    diagnoses=(
        behaves_like(
            _split_first,
            "the copies are taken out of each part, after the split: a tune can still stand in both, and its "
            "copy in the held-out part has been trained on.",
        ),
        behaves_like(_leave_copies, "no copies are taken out at all."),
        behaves_like(
            _only_test,
            "the held-out part is cleaned of training tunes after the split: nothing leaks, but fewer than "
            "`held` tunes are left, and copies still weigh twice in training.",
        ),
        behaves_like(
            _drop_all, "of a tune that is there twice both copies are dropped; the first one stays."
        ),
        behaves_like(_front, "the first tunes are held out; the last ones are asked for."),
        behaves_like(_last_copy, "the last copy of a tune is kept; the first one is asked for."),
        behaves_like(_sorted, "the order is lost: sorted(set(…)) puts tunes in the order of the alphabet."),
    ),
    hints=(
        "Where could the same tune stand in both parts?",
        "Take the copies out once, before anything is cut.",
        "kept = list(dict.fromkeys(tunes)), then cut kept.",
    ),
    shown="Copies go before the split, so no held-out tune has been trained on.",
)

# --------------------------------------------------------------------------------- 4: the longest copied span


def _prefix_only(written: str, source: str) -> int:
    best = 0
    while best < len(written) and written[: best + 1] in source:
        best += 1
    return best


def _words(written: str, source: str) -> int:
    return max((len(word) for word in written.split() if word in source), default=0)


def _characters(written: str, source: str) -> int:
    return sum(sign in source for sign in written)


def _subsequence(written: str, source: str) -> int:
    row = [0] * (len(source) + 1)
    for sign in written:
        before = row[:]
        for k, other in enumerate(source, 1):
            row[k] = before[k - 1] + 1 if sign == other else max(row[k - 1], before[k])
    return row[-1]


def _same_place(written: str, source: str) -> int:
    best = run = 0
    for first, second in zip(written, source, strict=False):
        run = run + 1 if first == second else 0
        best = max(best, run)
    return best


LONGEST_COPY = Exercise(
    name="longest_copy",
    statement="Find the length of the longest span that was written and stands in the training text, too.",
    stub='''def longest_copy(written, source):
    """Two texts -> the length of the longest run of characters of `written` that also stands in `source`."""
    return ...
''',
    solution=longest_copy,
    cases=(
        Case("a span in the middle", lambda: ("abX de YY GABc dedB", "abZ deWWWGABc dedB")),
        Case("two texts without a common sign", lambda: ("abc", "xyz")),
        Case("a whole copy", lambda: ("dAF DFA", "K:D dAF DFA|")),
        Case("a short span first and a long one later", lambda: ("GAB, then Bcd e2c", "GAB|ded cBA|Bcd e2c")),
        Case("spans at other places", lambda: ("efg abc", "abc efg")),
        Case("nothing written", lambda: ("", "abc")),
    ),
    observe=returns("the length"),
    diagnoses=(
        behaves_like(_prefix_only, "only spans at the beginning of what was written are looked at."),
        behaves_like(
            _characters, "that counts single characters; the run must stand in the source in one piece."
        ),
        behaves_like(_words, "only whole words are looked at; a span may begin and end anywhere."),
        behaves_like(
            _subsequence, "characters are left out in between; a copied span is contiguous in both texts."
        ),
        behaves_like(_same_place, "only equal places are compared; a span may stand anywhere in the source."),
        behaves_like(
            lambda written, source: longest_copy(written, source) - 1, "the length is one too small."
        ),
        behaves_like(
            lambda written, source: longest_copy(written, source) + 1, "the length is one too large."
        ),
    ),
    hints=(
        "`span in source` says whether a span stands in the source.",
        "Let it begin at every place of `written`, and make it longer as long as it is found.",
        "for start …: while written[start : start + best + 1] in source and it fits: best += 1",
    ),
    shown="You have a memorisation meter; lessons.novelty does the same for a million characters.",
)

EXERCISES = (NOTE_LENGTH, FULL_BARS, SPLIT_TUNES, LONGEST_COPY)

# ------------------------------------------------------------------------------------------------ the quiz

QUIZ = (
    Question(
        "How is the network told to write in A minor?",
        (
            Option(
                "K:Am stands in front, and it writes on from there.",
                "the header is read like any text; what it says lives on in the state.",
                right=True,
            ),
            Option("By a second input at every step.", "that is another way to do it; here the header does."),
            Option(
                "Its notes are moved into A minor afterwards.", "nothing is changed after it has written."
            ),
        ),
    ),
    Question(
        "Why does the 5-gram hardly ever keep to 9/8, although its training tunes do?",
        (
            Option("It has seen too few slip jigs.", "with a million of them it would do no better."),
            Option(
                "Its temperature is too high.", "a cooler 5-gram repeats itself, but still does not count."
            ),
            Option(
                "It sees four characters, and a bar is longer.",
                "how much of the bar is over lies outside what it can see.",
                right=True,
            ),
        ),
    ),
    Question(
        "The bars of a tune add up, its repeats are closed, it ends on the tonic. What has been shown?",
        (
            Option("That it is a good tune.", "a scale up and down passes all three checks."),
            Option(
                "That a musician could play it from the page without stopping.",
                "validity is what can be checked; whether it is worth playing is for ears.",
                right=True,
            ),
            Option("That it is new.", "a copied tune passes all three checks, too."),
        ),
    ),
    Question(
        "O'Neill's book was typed twice in part. The tunes are split into parts first, copies go afterwards. "
        "What is wrong?",
        (
            Option(
                "A held-out tune may have been trained on.",
                "its copy went into the other part, so the held-out figures flatter.",
                right=True,
            ),
            Option("The parts are of unequal size.", "that would be harmless."),
            Option("Nothing, if each part is cleaned.", "cleaning each part leaves copies across the two."),
        ),
    ),
    Question(
        "At temperature 0.3 the longest copied span is longer than at 1. Why?",
        (
            Option("The network has overfitted.", "the weights are the same at both temperatures."),
            Option(
                "The likeliest next sign is often that of a common phrase.",
                "always taking what is likeliest walks along phrases that stand in many tunes.",
                right=True,
            ),
            Option("Cool tunes are longer.", "length hardly changes a longest span."),
        ),
    ),
    Question(
        "Verovio draws the score of a tune that the network wrote. Why is it not simply handed the text?",
        (
            Option("It cannot read ABC.", "it does; that is what it is used for."),
            Option("The text is too long for it.", "tunes have a few hundred characters."),
            Option(
                "What a network writes may hold anything, directives included.",
                "so the reader of the lesson writes anew what it has understood, and nothing else.",
                right=True,
            ),
        ),
    ),
)
