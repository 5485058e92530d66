"""Right and wrong answers to the exercises of lesson 14, for test_exercises."""

import re

FIND_THE_BUG = {"note_length", "split_tunes"}


def by_pattern(written, unit):
    whole, slash, below = re.fullmatch(r"(\d*)(/?)(\d*)", written).groups()
    return unit * float(whole or 1) / (float(below) if below else 2 if slash else 1)


def paired(lengths, metre):
    found = [1.0 if round(length - metre, 6) == 0 else 0.0 for length in lengths]
    if round(lengths[0] + lengths[-1], 6) == metre and len(lengths) >= 2:
        found[0], found[-1] = 1.0, 1.0
    return found


def seen_before(tunes, held):
    kept = [tune for place, tune in enumerate(tunes) if tune not in tunes[:place]]
    return " ".join(kept[:-held]), " ".join(kept[-held:])


def by_table(written, source):
    best, row = 0, [0] * (len(source) + 1)
    for sign in written:
        before, row = row, [0] * (len(source) + 1)
        for k, other in enumerate(source, 1):
            if sign == other:
                row[k] = before[k - 1] + 1
                best = max(best, row[k])
    return best


def all_spans(written, source):
    spans = [written[a:b] for a in range(len(written)) for b in range(a + 1, len(written) + 1)]
    return max((len(span) for span in spans if span in source), default=0)


def set_split(tunes, held):
    seen, kept = set(), []
    for tune in tunes:
        if tune not in seen:
            kept.append(tune)
        seen.add(tune)
    cut = len(kept) - held
    return " ".join(kept[:cut]), " ".join(kept[cut:])


def units(written):
    whole, slash, below = written.partition("/")
    return int(whole or 1) / (int(below or 2) if slash else 1)


def equal(lengths, metre):
    return [float(length == metre) for length in lengths]


def together(lengths, metre):
    return abs(lengths[0] + lengths[-1] - metre) < 1e-9


RIGHT = {
    "note_length": [lambda written, unit: units(written) * unit, by_pattern],
    "full_bars": [
        paired,
        lambda lengths, metre: [
            float(length == metre or (place in (0, len(lengths) - 1) and together(lengths, metre)))
            for place, length in enumerate(lengths)
        ],
    ],
    "split_tunes": [seen_before, set_split],
    "longest_copy": [by_table, all_spans],
}

WRONG = {
    "note_length": [
        (lambda written, unit: units(written) / 8, "counted in eighths"),
        (lambda written, unit: units(written) / 16, "sixteenths"),
        (lambda written, unit: units(written) * 0.25, "quarters"),
        (lambda written, unit: units(written), "unit itself is missing"),
        (lambda written, unit: units(written) / unit, "multiplied by it"),
        (lambda written, unit: int(written.split("/")[0] or 1) * unit, "behind the slash"),
        (lambda written, unit: by_pattern(re.sub(r"/$", "/1", written), unit), "means A/2"),
    ],
    "full_bars": [
        (equal, "not looked at together"),
        (lambda lengths, metre: [1.0, *equal(lengths, metre)[1:-1], 1.0], "whatever they are"),
        (lambda lengths, metre: [1.0 * together(lengths, metre) or equal(lengths, metre)[0],
                                 *equal(lengths, metre)[1:]], "only the pick-up"),
        (lambda lengths, metre: [*equal(lengths, metre)[:-1],
                                 1.0 * together(lengths, metre) or equal(lengths, metre)[-1]],
         "only the last bar"),
        (lambda lengths, metre: [1.0, *equal(lengths, metre)[1:-1], 1.0]
         if lengths[0] + lengths[-1] <= metre else equal(lengths, metre), "whatever they add up to"),
        (lambda lengths, metre: [float(length <= metre) for length in lengths], "in the middle"),
        (lambda lengths, metre: [1.0, *equal(lengths, metre)[1:]], "leave room"),
        (lambda lengths, metre: [lengths[k + 1] for k in range(len(lengths))], "lengths[-1]"),
    ],
    "split_tunes": [
        (lambda tunes, held: (" ".join(dict.fromkeys(tunes[:-held])), " ".join(dict.fromkeys(tunes[-held:]))),
         "stand in both"),
        (lambda tunes, held: (" ".join(tunes[:-held]), " ".join(tunes[-held:])), "no copies"),
        (lambda tunes, held: (" ".join(tunes[:-held]),
                              " ".join(t for t in tunes[-held:] if t not in tunes[:-held])), "fewer than"),
        (lambda tunes, held: seen_before([t for t in tunes if tunes.count(t) < 2], held), "both copies"),
        (lambda tunes, held: (" ".join([*dict.fromkeys(tunes)][held:]),
                              " ".join([*dict.fromkeys(tunes)][:held])), "first tunes are held out"),
        (lambda tunes, held: seen_before(sorted(tunes), held), "alphabet"),
        (lambda tunes, held: seen_before([t for k, t in enumerate(tunes) if t not in tunes[k + 1 :]], held),
         "last copy"),
    ],
    "longest_copy": [
        (lambda written, source: max(n for n in range(len(written) + 1) if written[:n] in source),
         "at the beginning"),
        (lambda written, source: len([sign for sign in written if sign in source]), "single characters"),
        (lambda written, source: max([len(w) for w in written.split() if w in source] or [0]), "whole words"),
        (lambda written, source: max(by_table(written, source) - 1, -1), "too small"),
        (lambda written, source: by_table(written, source) + 1, "too large"),
        (lambda written, source: max([0, *(len(run) for run in "".join(
            "x" if a == b else " " for a, b in zip(written, source, strict=False)).split())]), "equal place"),
    ],
}  # fmt: skip
