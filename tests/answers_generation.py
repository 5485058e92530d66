"""Right and wrong answers to the exercises of lesson 13, for test_exercises."""

import difflib
import html
import re
from collections import deque

import torch

FIND_THE_BUG = {"at_temperature", "escaped"}


def shrinking(tags):
    text, before = "".join(tags), None
    while text != before:
        before, text = text, re.sub(r"<(\w+)></\1>", "", text)
    return text == ""


def recursive(tags):
    rest = deque(tags)

    def inside(name):
        while rest:
            tag = rest.popleft()
            if tag.startswith("</"):
                return tag == f"</{name}>"
            if not inside(tag[1:-1]):
                return False
        return name is None

    return inside(None)


def careless(tags):
    opened = []
    for tag in tags:
        if tag[1] == "/":
            if opened.pop() != "<" + tag[2:]:
                return False
        else:
            opened.append(tag)
    return opened == []


def by_difflib(written, training):
    matcher = difflib.SequenceMatcher(None, written, training, autojunk=False)
    return matcher.find_longest_match(0, len(written), 0, len(training)).size


def by_all_spans(written, training):
    spans = {written[a:b] for a in range(len(written)) for b in range(a, len(written) + 1)}
    return max([len(span) for span in spans if span in training], default=0)


def in_sequence(written, training):
    table = [[0] * (len(training) + 1) for _ in range(len(written) + 1)]
    for i, a in enumerate(written):
        for j, b in enumerate(training):
            table[i + 1][j + 1] = table[i][j] + 1 if a == b else max(table[i][j + 1], table[i + 1][j])
    return table[-1][-1]


def from_the_start(written, training):
    length = 0
    while length < len(written) and written[: length + 1] in training:
        length += 1
    return length


def first_found(written, training):
    for start in range(len(written)):
        if written[start] in training:
            return from_the_start(written[start:], training)
    return 0


def span(written, training):
    length = by_difflib(written, training)
    return next(written[a : a + length] for a in range(len(written)) if written[a : a + length] in training)


RIGHT = {
    "nests": [shrinking, recursive],
    "longest_copy": [by_difflib, by_all_spans],
    "at_temperature": [
        lambda p, heat: torch.softmax(p.log() / heat, -1),
        lambda p, heat: torch.exp((p.log() / heat) - torch.logsumexp(p.log() / heat, -1)),
    ],
    "escaped": [html.escape, lambda text: text.translate({38: "&amp;", 60: "&lt;", 62: "&gt;"})],
}

WRONG = {
    "nests": [
        (careless, "nothing was open"),
        (lambda tags: len(tags) == 2 * sum(tag[1] == "/" for tag in tags), "wrong order"),
        (
            lambda tags: (
                sorted(tag.replace("/", "") for tag in tags if "/" in tag)
                == sorted(tag for tag in tags if "/" not in tag)
            ),
            "does not see their order",
        ),
        (lambda tags: True, "True of everything"),
        (lambda tags: not shrinking(tags), "exchanged"),
        (lambda tags: shrinking([re.sub(r"\w+", "x", tag) for tag in tags]), "must name"),
        (lambda tags: "/" not in _left(tags), "still open at the end"),
        (lambda tags: not tags or tags[0] == tags[1].replace("/", ""), "opened first is taken off first"),
    ],
    "longest_copy": [
        (span, "the span itself"),
        (from_the_start, "start anywhere"),
        (first_found, "comes later"),
        (in_sequence, "left out between"),
        (lambda w, t: max([len(x) for x in w.split() if x in t.split()], default=0), "words are compared"),
        (lambda w, t: len({c for c in w if c in t}), "wherever they stand"),
        (lambda w, t: by_difflib(w, t) / len(w), "a share"),
        (lambda w, t: by_difflib(w, t) - 1, "too short"),
        (lambda w, t: by_difflib(w, t) + 1, "too long"),
    ],
    "at_temperature": [
        (lambda p, heat: (p * heat) / (p * heat).sum(), "changes nothing"),
        (lambda p, heat: (p / heat).softmax(0), "logarithms are the scores"),
        (lambda p, heat: torch.softmax(p.log() * heat, 0), "turned around"),
        (lambda p, heat: p.pow(1 / heat), "no longer sum"),
        (lambda p, heat: p.pow(1 / heat).softmax(0), "once more"),
        (lambda p, heat: p.log() / heat, "softmax makes"),
    ],
    "escaped": [
        (
            lambda text: html.escape(text).replace("&", "&amp;").replace("&amp;amp;", "&amp;"),
            "Which comes first",
        ),
        (lambda text: text.replace(">", "&gt;").replace("<", "&lt;"), "would show as <"),
        (lambda text: re.sub("<.*?>", "", text), "taken out"),
        (lambda text: re.sub("</?script>?", "", text), "onerror needs none"),
        (str, "scripts and all"),
        (lambda text: re.sub("[<>]", "", text), "brackets are lost"),
        (lambda text: re.sub("&", "&amp;", text), "still tags"),
    ],
}


def _left(tags):
    """What is left when all elements that close have been taken out."""
    text, before = "".join(tags), None
    while text != before:
        before, text = text, re.sub(r"<(\w+)></\1>", "", text)
    return text
