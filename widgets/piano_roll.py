"""A tune as a piano roll: its notes by time and pitch, coloured by how sure a network was of each."""

import math
from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from lessons import abc_reader, char_rnn, songs, synthesiser, tune_scores, tunes
from lessons.arguments import explained
from lessons.errors import LessonError
from lessons.tune_parts import Tune
from widgets import theme

LETTERS = ("C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B")
WHITE = {0, 2, 4, 5, 7, 9, 11}


@explained
def roll(
    tune: Tune | str,
    certain: char_rnn.CharModel | Sequence[float] | None = None,
    repeats: bool = False,
) -> theme.Figure:
    """A tune as a piano roll: time to the right, pitch upwards, colour by the probability of each note.

    certain: the model that is asked, or one number a written note. A pure picture. Raises LessonError for a
    text that cannot be read.
    """
    tune = abc_reader.parse(tune) if isinstance(tune, str) else tune
    chances = certainty(tune, certain) if isinstance(certain, char_rnn.CharModel) else certain
    if chances is not None and not (
        len(chances) == len(tune.notes) and all(0 <= chance <= 1 for chance in chances)
    ):
        raise LessonError(
            f"certain has one probability for each of the {len(tune.notes)} written notes, from 0 to 1."
        )
    notes = on_the_roll(tune, chances, repeats)
    rows = [(note, pitch) for note in notes["list"] for pitch in note["pitches"]]
    colour = [note["shade"] for note, _ in rows] if chances is not None else theme.tokens().soft
    bars = go.Bar(
        x=[note["end"] - note["start"] for note, _ in rows], base=[note["start"] for note, _ in rows],
        y=[pitch for _, pitch in rows], orientation="h", width=0.86,
        marker={
            "color": colour, "colorscale": theme.scale(theme.UNIT_SCALE), "cmin": 0, "cmax": 1,
            "showscale": chances is not None, "line": {"color": theme.tokens().edge, "width": 0.5},
            "colorbar": {
                "title": {"text": "probability of the note", "side": "right"}, "thickness": 12,
                "tickvals": [0, 1 / 3, 2 / 3, 1], "ticktext": ["0.1 %", "1 %", "10 %", "100 %"],
            },
        },
        customdata=[f"{note['name']}, bar {note['bar']}" + told_chance(note["chance"]) for note, _ in rows],
        hovertemplate="%{customdata}<extra></extra>",
    )  # fmt: skip
    low, high = notes["span"]
    named = [pitch for pitch in range(low, high + 1) if pitch % 12 in WHITE]
    return theme.figure(
        bars, title="Which notes did the network expect?", summary=said(tune, chances),
        x="time, seconds", y="pitch", height=theme.TOP + 56 + 320, margin={"r": 110}, bargap=0,
        shapes=[
            {"type": "line", "x0": at, "x1": at, "y0": low - 0.5, "y1": high + 0.5, "layer": "below",
             "line": {"color": theme.tokens().rule, "width": 1}} for at in notes["bars"]
        ],
        xaxis={"range": [0, notes["list"][-1]["end"]], "showgrid": False},
        yaxis={"range": [low - 0.5, high + 0.5], "tickvals": named, "ticktext": [name(p) for p in named]},
    )  # fmt: skip


def shade(chance: float) -> float:
    """A probability on the colour scale, by powers of ten: 0 for a thousandth or less, 1 for certainty."""
    return min(max(1 + math.log10(max(chance, 1e-9)) / 3, 0.0), 1.0)


def told_chance(chance: float | None) -> str:
    """A certainty in words, behind a note's name."""
    return "" if chance is None else f", held {100 * chance:.1f} % probable"


def certainty(tune: Tune, model: char_rnn.CharModel | None) -> list[float] | None:
    """How probable the model held each note, under the header in its usual form.

    None without a model, and where it does not know the tune's signs or metre.
    """
    if model is None:
        return None
    try:
        return songs.certainty(model, abc_reader.parse(beginning(tune)))
    except LessonError:
        return None


def beginning(tune: Tune) -> str:
    """A tune's header and notes in the plain form the network was trained on, to be continued.

    What the header does not say is filled in; signs the network has never seen are left out. The last bar is
    left open. Raises LessonError for a metre the network has never seen.
    """
    metre = tune.fields.get("M", "C").strip()
    metre = {"4/4": "C", "2/2": "C|"}.get(metre, metre)
    dance = tune.fields.get("R", tunes.UNKNOWN).strip().lower()
    if metre not in tunes.METRES:
        raise LessonError(f"The network knows the metres {', '.join(tunes.METRES)}; {metre} is none of them.")
    condition = songs.Condition(
        dance if dance in tunes.DANCES else tunes.UNKNOWN, metre, tune.key.name, f"1/{tune.unit.denominator}"
    )
    return condition.header + tune.notation


def on_the_roll(tune: Tune, chances: Sequence[float] | None, repeats: bool) -> dict[str, Any]:
    """Notes with their times in seconds, names and certainty; times of bar lines; names of the rows."""
    bar_of = [number for number, bar in enumerate(tune.bars, 1) for _ in bar.notes]
    played = synthesiser.times(tune, repeats)
    listed = [
        {
            "start": one.start, "end": one.end, "pitches": list(one.pitches), "bar": bar_of[one.note],
            "name": " and ".join(name(pitch) for pitch in one.pitches),
            "chance": None if chances is None else chances[one.note],
            "shade": None if chances is None else shade(chances[one.note]),
        }
        for one in played
    ]  # fmt: skip
    pitches = [pitch for one in played for pitch in one.pitches]
    span = [min(pitches) - 1, max(pitches) + 1]
    rows = [[pitch, name(pitch)] for pitch in range(span[0], span[1] + 1) if pitch % 12 in (0, 2, 7, 9)]
    starts = [
        one.start for k, one in enumerate(played) if k and bar_of[one.note] != bar_of[played[k - 1].note]
    ]
    return {"list": listed, "bars": starts, "names": rows, "span": span}


def name(pitch: int) -> str:
    """A MIDI pitch as a name: 60 is C4."""
    return f"{LETTERS[pitch % 12]}{pitch // 12 - 1}"


def said(tune: Tune, chances: Sequence[float] | None) -> str:
    """What can be checked about a tune, and what surprised the network most, in words."""
    verdict = tune_scores.judge(tune.text)
    parts = [
        f"{verdict.full} of {verdict.bars} bars add up",
        "it ends on its tonic" if verdict.tonic else "it does not end on its tonic",
        "its repeats are closed" if verdict.repeats else "a repeat is left open",
    ]
    told = f"{len(tune.notes)} notes in {tune.key.name}: {', '.join(parts)}."
    if chances:
        least = min(range(len(chances)), key=chances.__getitem__)
        spelled = tune.text[tune.notes[least].begin : tune.notes[least].end]
        told += f" Held least probable: “{spelled}”, note {least + 1}, {100 * chances[least]:.1f} %."
    return told
