"""Exercises and quiz of lesson 13: a judge of nesting, a memorisation meter, two bugs that do quiet harm."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from lessons.exercises.exercise import Case, Exercise, Unfit, behaves_like, returns, shows, stops_with
from lessons.exercises.questions import Option, Question

# -------------------------------------------------------------- the solutions, as the learner is shown them


def nests(tags: list[str]) -> bool:
    """Keep what is open in a list; an end tag must close the last of it."""
    opened = []
    for tag in tags:
        if not tag.startswith("</"):
            opened.append(tag)
        elif not opened or opened.pop() != tag.replace("/", ""):
            return False
    return not opened


def longest_copy(written: str, training: str) -> int:
    """From every place, go on as long as the span stands in the training text."""
    best = 0
    for start in range(len(written)):
        while start + best < len(written) and written[start : start + best + 1] in training:
            best += 1
    return best


def at_temperature(probabilities: Float[Tensor, " vocab"], temperature: float) -> Float[Tensor, " vocab"]:
    """Scores divided by the temperature are probabilities to the power of one over it."""
    heated = probabilities ** (1 / temperature)
    return heated / heated.sum()


def escaped(text: str) -> str:
    """The ampersand first: it must not meet the ones that the others bring."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


# -------------------------------------------------------------------------------------- 1: does it nest?


def _tags(*tags: str) -> Callable[[], tuple]:
    return lambda: (list(tags),)


def _counted(tags: list[str]) -> bool:
    return sum(tag.startswith("</") for tag in tags) * 2 == len(tags)


def _counted_by_name(tags: list[str]) -> bool:
    names = {tag.strip("</>") for tag in tags}
    return all(tags.count(f"<{name}>") == tags.count(f"</{name}>") for name in names)


def _stacked(tags: list[str], *, last: bool = True, names: bool = True, empty: bool = True) -> bool:
    """The solution with one thing done wrong."""
    opened: list[str] = []
    for tag in tags:
        if not tag.startswith("</"):
            opened.append(tag)
        elif not opened or (opened.pop(-1 if last else 0) != tag.replace("/", "") and names):
            return False
    return not opened if empty else True


NESTS = Exercise(
    name="nests",
    statement="Say whether tags nest: each is closed by its own end tag, the last opened first.",
    stub='''def nests(tags):
    """Tags such as ["<p>", "<em>", "</em>", "</p>"] -> True if all are closed, in turn."""
    return ...
''',
    solution=nests,
    cases=(
        Case("no tags at all", _tags()),
        Case("<p><em></em></p>", _tags("<p>", "<em>", "</em>", "</p>")),
        Case("</p>, which closes nothing", _tags("</p>")),
        Case("</p><em>", _tags("</p>", "<em>")),
        Case("<p></em>", _tags("<p>", "</em>")),
        Case("<p><em></p></em>", _tags("<p>", "<em>", "</p>", "</em>")),
        Case("<p><em></em>, which leaves <p> open", _tags("<p>", "<em>", "</em>")),
        Case("<h2></h3>", _tags("<h2>", "</h3>")),
        Case("<p></p><p><p></p></p>", _tags("<p>", "</p>", "<p>", "<p>", "</p>", "</p>")),
    ),
    observe=returns("the tags nest"),
    diagnoses=(
        stops_with(
            "pop from (an )?empty|list index out of range",
            "an end tag came when nothing was open; that is no error of yours to stop with, but a False.",
        ),
        behaves_like(
            _counted_by_name,
            "counting every element's tags does not see their order: <p><em></p></em> has all it needs.",
        ),
        behaves_like(
            lambda tags: _stacked(tags, names=False), "an end tag must name the element that it closes."
        ),
        behaves_like(
            _counted, "as many end tags as start tags can still be the wrong ones, or in wrong order."
        ),
        behaves_like(
            lambda tags: _stacked(tags, empty=False),
            "every end tag is right, yet something is still open at the end of the text.",
        ),
        behaves_like(
            lambda tags: _stacked(tags, last=False),
            "the element opened first is taken off first; nesting closes the last one first.",
        ),
        behaves_like(lambda tags: True, "it says True of everything."),
        behaves_like(lambda tags: not _stacked(tags), "True and False are exchanged."),
    ),
    hints=(
        "What do you have to keep in mind while you read tags from left to right? When may it be forgotten?",
        "A list: append a start tag; for an end tag pop the last one and compare.",
        "opened.pop() != tag.replace('/', '') is a fault, and so is a list that is not empty at the end.",
    ),
    shown="A stack of open elements is all a judge needs; an LSTM has to keep one in its state.",
)

# ----------------------------------------------------------------------------- 2: the longest copied span


def _pair(written: str, training: str) -> Callable[[], tuple]:
    return lambda: (written, training)


def _prefix(written: str, training: str) -> int:
    return max((n for n in range(len(written) + 1) if written[:n] in training), default=0)


def _first(written: str, training: str) -> int:
    """Stops at the first span that is copied."""
    for start in range(len(written)):
        length = _prefix(written[start:], training)
        if length:
            return length
    return 0


def _subsequence(written: str, training: str) -> int:
    """The longest common subsequence: gaps allowed."""
    row = [0] * (len(training) + 1)
    for a in written:
        before = 0
        for k, b in enumerate(training, 1):
            before, row[k] = row[k], before + 1 if a == b else max(row[k], row[k - 1])
    return row[-1]


def _words(written: str, training: str) -> int:
    return max((len(word) for word in written.split() if word in training.split()), default=0)


LONGEST_COPY = Exercise(
    name="longest_copy",
    statement="Measure the memory: how long is the longest span of a text that stands in the training text?",
    stub='''def longest_copy(written, training):
    """What a network wrote, what it was trained on (strings) -> characters of the longest span in both."""
    return ...
''',
    solution=longest_copy,
    cases=(
        Case(
            "'my kingdom for a hat'",
            _pair("my kingdom for a hat", "A horse! a horse! my kingdom for a horse!"),
        ),
        Case("a copy in the middle", _pair("we say to be, or not, and go", "To be, or not to be")),
        Case("a copy from end to end", _pair("to sleep", "to die, to sleep; to sleep")),
        Case("a text of other letters", _pair("xyz", "to be or not")),
        Case(
            "a longer copy after a short one",
            _pair("to the undiscovered country", "the undiscovered bourn to"),
        ),
    ),
    observe=returns("the length"),
    diagnoses=(
        shows(
            lambda seen, expected: isinstance(seen["the length"], str),
            "that is the span itself; the question is how many characters it has.",
        ),
        behaves_like(
            _prefix, "only spans from the beginning of the text are tried; a copy can start anywhere."
        ),
        behaves_like(_first, "the first copied span is taken, and a longer one comes later."),
        behaves_like(
            _subsequence, "characters may not be left out between: a span is in one piece in both texts."
        ),
        behaves_like(_words, "words are compared; a span goes over spaces and can cut words."),
        behaves_like(
            lambda written, training: len(set(written) & set(training)),
            "that counts characters that both have, wherever they stand.",
        ),
        behaves_like(
            lambda written, training: longest_copy(written, training) / max(len(written), 1),
            "that is a share of the text; the length was asked for.",
        ),
        behaves_like(
            lambda written, training: longest_copy(written, training) - 1,
            "it is one too short: a slice ends before its end.",
        ),
        behaves_like(
            lambda written, training: longest_copy(written, training) + 1,
            "it is one too long: the span that was tried last did not stand there.",
        ),
    ),
    hints=(
        "`span in training` says whether a span was copied. Which spans are worth trying?",
        "From each place, lengthen the span while it is copied. Shorter ones than the best need no trying.",
        "while start + best < len(written) and written[start : start + best + 1] in training: best += 1",
    ),
    shown="That is the memorisation meter: the longest span that somebody else wrote.",
)

# --------------------------------------------------------------------------- 3: find the bug, temperature


def _chances(*values: float, heat: float) -> Callable[[], tuple]:
    return lambda: (torch.tensor(values, dtype=torch.float64), heat)


AT_TEMPERATURE = Exercise(
    name="at_temperature",
    statement="Find the bug: with this line the n-gram writes the same at every temperature.",
    stub='''def at_temperature(probabilities, temperature):
    """An n-gram's probabilities (V,), a temperature above 0 -> the probabilities (V,) that it draws from."""
    heated = probabilities / temperature
    return heated / heated.sum()
''',
    solution=at_temperature,
    cases=(
        Case("temperature 0.5", _chances(0.7, 0.2, 0.1, heat=0.5)),
        Case("temperature 2", _chances(0.7, 0.2, 0.1, heat=2.0)),
        Case("a character that never comes", _chances(0.75, 0.25, 0.0, heat=0.8)),
        Case("temperature 1", _chances(0.5, 0.3, 0.2, heat=1.0)),
    ),
    observe=returns("the distribution"),
    diagnoses=(
        behaves_like(
            lambda p, heat: p / p.sum(),
            "dividing all probabilities by one number changes nothing, once they are made to sum to 1 again.",
        ),
        behaves_like(
            lambda p, heat: torch.softmax(p / heat, -1),
            "softmax takes scores, and these are probabilities: their logarithms are the scores.",
        ),
        behaves_like(
            lambda p, heat: p**heat / (p**heat).sum(),
            "the power is turned around: a low temperature must sharpen, so the power is 1 / temperature.",
        ),
        behaves_like(lambda p, heat: p ** (1 / heat), "the powers no longer sum to 1."),
        behaves_like(
            lambda p, heat: torch.softmax(p ** (1 / heat), -1),
            "softmax takes exponentials once more; the powers need only be divided by their sum.",
        ),
        behaves_like(
            lambda p, heat: p.log() / heat, "these are scores; softmax makes probabilities of them."
        ),
    ),
    hints=(
        "What are (p / 2) / sum(p / 2) and (p / 5) / sum(p / 5)?",
        "Temperature divides scores, the logarithms of probabilities. What does that do to the latter?",
        "heated = probabilities ** (1 / temperature)",
    ),
    shown="Dividing a score by T raises its probability to the power of 1 / T, for an n-gram, too.",
)

# ------------------------------------------------------------------------------ 4: find the bug, escaping


def _seen(function: Callable, text: str) -> dict[str, Any]:
    """What a browser makes of the result: whether a tag is left, and the characters that are shown."""
    result = function(text)
    if not isinstance(result, str):
        raise Unfit(f"the function should return a text; it returned a {type(result).__name__}")
    shown = unescape(re.sub(r"<[^>]*>?", "", result))
    return {"the number of tags left": len(re.findall(r"<[A-Za-z/!]", result)), "what is shown": shown}


ESCAPED = Exercise(
    name="escaped",
    statement="Find the bug: the source of a page is to be read in a browser, and it is shown wrongly.",
    stub='''def escaped(text):
    """What a network wrote -> HTML that shows exactly these characters and does nothing."""
    return text.replace("<", "&lt;").replace(">", "&gt;").replace("&", "&amp;")
''',
    solution=escaped,
    cases=(
        Case("<em>&lt;</em><script>1</script>", lambda: ("<em>&lt;</em><script>1</script>",)),
        Case("Rosencrantz & Guildenstern", lambda: ("Rosencrantz & Guildenstern",)),
        Case("a text about &lt;", lambda: ("&lt; is how one writes <",)),
        Case("<img src=x onerror=alert(1)>", lambda: ("<img src=x onerror=alert(1)>",)),
    ),
    observe=_seen,
    diagnoses=(
        behaves_like(
            lambda text: text.replace("<", "&lt;").replace(">", "&gt;").replace("&", "&amp;"),
            "the ampersands of &lt; and &gt; are replaced, too: one reads &lt;em&gt;. Which comes first?",
        ),
        behaves_like(
            lambda text: text.replace("<", "&lt;").replace(">", "&gt;"),
            "an ampersand that stands in the text is left, and &lt; in it would show as <.",
        ),
        behaves_like(
            lambda text: re.sub(r"<[^>]*>", "", text), "tags are taken out; the reader wants to see them."
        ),
        behaves_like(
            lambda text: re.sub("</?script>?", "", text),
            "scripts are one way of many: an image with onerror needs none. Escape every <.",
        ),
        behaves_like(lambda text: text, "the text is handed to the browser as it is, scripts and all."),
        behaves_like(
            lambda text: text.replace("<", "").replace(">", ""),
            "the brackets are lost; they should be shown.",
        ),
        behaves_like(lambda text: text.replace("&", "&amp;"), "the brackets are still tags to the browser."),
    ),
    hints=(
        "Follow one < through the three replacements.",
        "The & must be replaced before any other replacement has brought new ones.",
        'text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")',
    ),
    shown="The ampersand goes first; then nothing of the text is markup any more.",
)

EXERCISES = (NESTS, LONGEST_COPY, AT_TEMPERATURE, ESCAPED)

# -------------------------------------------------------------------------------------------- the quiz

QUIZ = (
    Question(
        "A page ends with `</article>`, 500 characters after it was opened. What did an LSTM need for it?",
        (
            Option(
                "A context window of 500 characters.", "an LSTM has none; it reads one character at a time."
            ),
            Option(
                "A few units whose cell states keep what is open.",
                "a state that is neither forgotten nor overwritten lasts as long as it must.",
                right=True,
            ),
            Option("The n-gram statistics of `</`.", "they say that an end tag is due, and not which one."),
        ),
    ),
    Question(
        "A network's documents are all well formed at temperature 0.2. Why is that not yet good?",
        (
            Option("A judge of form is never right.", "it is right about form, which is what it was asked."),
            Option("Low temperatures need more time.", "a character takes as long at any temperature."),
            Option(
                "They may be copies, or all alike.",
                "the meter of memorisation, and several rolls of the dice, would show it.",
                right=True,
            ),
        ),
    ),
    Question(
        "Held-out icons share most of their spans of twelve characters with training icons. What follows?",
        (
            Option(
                "Icons repeat one another, so a network's share must be compared with this one.",
                "a meter needs a zero: what people's own new documents come to.",
                right=True,
            ),
            Option("The split is broken.", "no icon is in both parts; their parts are alike."),
            Option(
                "The network has memorised them.", "it has not read them; nobody trained on held-out icons."
            ),
        ),
    ),
    Question(
        "An n-gram needs fewer bits per character than a network, yet nests far worse. How can that be?",
        (
            Option(
                "Most characters can be guessed from the last few; few of them decide about nesting.",
                "bits average over characters, and a judge asks about the whole document.",
                right=True,
            ),
            Option(
                "Bits are measured in another unit for n-grams.", "they are the same, the mean of -log2 p."
            ),
            Option("The judge prefers networks.", "it sees the text only, not who wrote it."),
        ),
    ),
    Question(
        "Why is a drawing by a network shown inside an <img>, rebuilt from a list of elements?",
        (
            Option("Images load faster.", "they do not; it is a matter of what a drawing may do."),
            Option(
                "SVG can hold scripts, links and pages; an <img> runs and loads none of them.",
                "and what is not on the list never gets as far as that.",
                right=True,
            ),
            Option("Networks cannot write whole SVG.", "this one can; its head and foot are only left out."),
        ),
    ),
)
