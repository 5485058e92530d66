"""A claim's result as a picture: every seed a point, the pass rule drawn in, the verdict in the title.

claims.every_seed("carried-state-helps")     # what the ledger holds
claims.every_seed(lessons.claims.run(...))   # a run of your own
"""

import textwrap

import plotly.graph_objects as go

from lessons import claims, experiments
from lessons.arguments import explained
from lessons.experiments.claim import Claim, Limit, Measure
from widgets import theme

SPREAD = 0.36  # how wide the seeds of one condition stand, of the distance between conditions
GAP = 0.14  # between panels, of the width
LINE = 100  # letters in a line of the rule
UP = 40  # letters in a line beside a vertical axis
SPELT = {
    name.lower(): name for name in ("LSTM", "GRU", "RNN", "RNNs", "LSTMs", "GRUs", "Elman", "ListOps", "NTM")
} | {"5gram": "5-gram"}
WIDTH, LETTER = 850, 7.3  # of a picture without its margins, and of a letter below an axis, in pixels
RULE = 115  # pixels that a condition needs for more than one word at its triangles
SUBTITLE = 92  # letters in a line below the title


@explained
def every_seed(result: claims.Result | str) -> theme.Figure:
    """Every seed's figures under every condition, one panel a measure; thin lines join what a seed measured.

    Short bars are means. A triangle marks what the rule asks of a seed's point: to stay below ▽ or above △.
    Takes a Result or the name of a claim in the ledger; raises LessonError if there is none.
    """
    result = claims.load(result) if isinstance(result, str) else result
    claim = experiments.find(result.name)
    limits = [limit for rule in claim.rules for limit in rule.limits(result.figures)]
    traces, notes, layout = [], [], {}
    for place, measure in enumerate(claim.measures):
        own = [limit for limit in limits if limit.measure == measure.name]
        names = _axes(place)
        traces += _panel(result, measure, own, names)
        room = _width(len(claim.measures)) * WIDTH / len(measure.conditions)
        notes += _words(measure, own, names, narrow=room < RULE)
        layout |= _frame(result, measure, own, place, len(claim.measures))
    summary = _summary(result, claim)
    rule = textwrap.wrap(f"Rule, fixed beforehand: {result.rule}.", LINE)
    if summary != result.reason:
        rule += textwrap.wrap(f"Result: {result.reason}", LINE)
    note = {
        "text": "<br>".join(map(theme.escape, rule)), "showarrow": False, "align": "left",
        "x": 0, "xref": "paper", "xanchor": "left", "xshift": -44, "y": 0, "yref": "paper", "yanchor": "top",
        "yshift": -66, "font": {"size": 12, "color": theme.tokens().soft},
    }  # fmt: skip
    verdict = f"{result.verdict[0].upper()}{result.verdict[1:]}"
    return theme.figure(
        *traces,
        title=f"{verdict}: {_spelt(result.name)}",
        summary=summary,
        height=450 + 16 * len(rule),
        margin={"b": 82 + 16 * len(rule), "l": 84 if "<br>" in layout["yaxis"]["title"]["text"] else 64},
        annotations=[*notes, note],
        **layout,
    )


def _spelt(name: str) -> str:
    """A claim's name as words: "char-lstm-beats-5gram" is "char LSTM beats 5-gram"."""
    return " ".join(SPELT.get(word, word) for word in name.split("-"))


def _summary(result: claims.Result, claim: Claim) -> str:
    """The reason of the verdict; where that is more than two lines, how many rules are met."""
    if len(textwrap.wrap(result.reason, SUBTITLE)) <= 2:
        return result.reason
    met = sum(rule.judge(result.figures).met for rule in claim.rules)
    seeds = "1 seed" if len(result.seeds) == 1 else f"{len(result.seeds)} seeds"
    return f"{met} of {len(claim.rules)} rules {'is' if met == 1 else 'are'} met, judged over {seeds}."


def _panel(
    result: claims.Result, measure: Measure, limits: list[Limit], axes: dict[str, str]
) -> list[go.Scatter]:
    """Lines of the seeds, their points, the means, the limits."""
    tokens, seeds = theme.tokens(), len(result.seeds)
    columns = [result.values(measure.name, condition) for condition in measure.conditions]
    shift = [_shift(at, seeds) for at in range(seeds)]
    lines = [
        go.Scatter(
            x=[k + shift[at] for k in range(len(columns))], y=[column[at] for column in columns],
            mode="lines+markers", hovertemplate=f"seed {result.seeds[at]['seed']}: %{{y:.4g}}<extra></extra>",
            line={"color": theme.fade(tokens.ink, 0.22), "width": 1},
            marker={"color": tokens.f, "size": 9, "line": {"color": tokens.card, "width": 1}}, **axes,
        )
        for at in range(seeds)
    ]  # fmt: skip
    x, y = [], []
    for k, condition in enumerate(measure.conditions):
        x += [k - 0.3, k + 0.3, None]
        y += [result.spread[measure.name][condition]["mean"]] * 2 + [None]
    means = go.Scatter(
        x=x, y=y, mode="lines", hoverinfo="skip", line={"color": tokens.ink, "width": 2.5}, **axes
    )
    bounds = go.Scatter(
        x=[measure.conditions.index(limit.condition) + shift[limit.seed] for limit in limits],
        y=[limit.at for limit in limits], mode="markers",
        marker={"symbol": [_SIGNS[limit.side] for limit in limits], "size": 10, "color": tokens.i},
        hovertemplate="the rule: %{y:.4g}<extra></extra>", **axes,
    )  # fmt: skip
    return [*lines, means, bounds]


def _words(measure: Measure, limits: list[Limit], axes: dict[str, str], narrow: bool) -> list[dict]:
    """One direct label for the triangles of a condition, on their far side; one word in a narrow panel."""
    notes = {}
    for limit in limits:
        below = limit.side == "below"
        edge = max if below else min
        at = edge(other.at for other in limits if other.condition == limit.condition)
        notes[limit.condition] = {
            "text": "rule" if narrow else f"rule: stay {limit.side}", "showarrow": False,
            "font": {"size": 12, "color": theme.tokens().i},
            "x": measure.conditions.index(limit.condition), "xref": axes["xaxis"],
            "y": at, "yref": axes["yaxis"], "yshift": 15 if below else -15,
        }  # fmt: skip
    return list(notes.values())


_SIGNS = {"below": "triangle-down-open", "above": "triangle-up-open"}


def _frame(result: claims.Result, measure: Measure, limits: list[Limit], place: int, panels: int) -> dict:
    """The axes of one panel: named, with room for every point and limit."""
    values = [value for name in measure.conditions for value in result.values(measure.name, name)]
    values += [limit.at for limit in limits]
    room = 0.12 * (max(values) - min(values)) or 0.5
    width = _width(panels)
    start = place * (width + GAP)
    number = "" if place == 0 else str(place + 1)
    name = measure.name if measure.unit in measure.name else f"{measure.name} ({measure.unit})"
    letters = max(6, int(width * WIDTH / len(measure.conditions) / LETTER))  # in a line below a tick
    across = {
        "domain": [start, start + width], "range": [-0.5, len(measure.conditions) - 0.5],
        "tickvals": list(range(len(measure.conditions))), "anchor": f"y{number}", "showgrid": False,
        "ticktext": [_broken(name, letters) for name in measure.conditions],
        "title": {"text": measure.along}, "tickangle": 0,
    }  # fmt: skip
    up = {
        "range": [min(values) - room, max(values) + room], "anchor": f"x{number}",
        "title": {"text": "<br>".join(textwrap.wrap(name, UP))},
    }  # fmt: skip
    return {f"xaxis{number}": across, f"yaxis{number}": up}


def _broken(name: str, letters: int) -> str:
    """A name in lines of so many letters; words stay whole."""
    return "<br>".join(textwrap.wrap(name, letters, break_long_words=False))


def _width(panels: int) -> float:
    """Of one of so many panels side by side, as a share of the picture."""
    return (1 - GAP * (panels - 1)) / panels


def _axes(place: int) -> dict[str, str]:
    number = "" if place == 0 else str(place + 1)
    return {"xaxis": f"x{number}", "yaxis": f"y{number}"}


def _shift(at: int, seeds: int) -> float:
    """Where a seed stands beside its condition, so that equal values do not hide one another."""
    return SPREAD * (at / (seeds - 1) - 0.5) if seeds > 1 else 0.0
