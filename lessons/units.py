"""Which unit follows what: units found by a score instead of by eye.

Looking through thousands of units for a pretty one finds one by chance, too. So a unit is chosen on the first
half of the text and its score is reported on the second half, beside the score that the best of as many units
reaches when the labels are shifted against the text.

The search for interpretable cells by eye is that of Karpathy, Johnson and Li 2015, section 4.2.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from lessons.errors import LessonError
from lessons.features import Features, features
from lessons.tracing import Trace

__all__ = ["Score", "features", "scores", "table"]

SHORTEST = 500  # characters to score on
EPISODES = 5  # how often a feature must end, or a count fall, in each half
SHIFTS = 39  # of the labels, for the score that chance gives
FIELDS = ("feature", "measure", "signal", "layer", "values", "units", "sign", "chance")


@dataclass(frozen=True)
class Score:
    """How well each unit of a layer follows one feature of the text; `dict(score)` gives plain values.

    measure: "AUC" for a boolean feature (how probably the unit is higher at a character with the feature than
    at one without; 0 is always lower, 0.5 is no relation), "correlation" (of ranks, Spearman's) for a count.
    values: one per unit, on the second half of the text. units: the best first, ranked on the first half.
    sign: 1 if there the best unit is high where the feature is, -1 if it is low.
    chance: what the best unit reaches, in 19 of 20 cases, when the labels have nothing to do with the text.
    """

    feature: str
    measure: str
    signal: str
    layer: int
    values: tuple[float, ...]
    units: tuple[int, ...]
    sign: int
    chance: float

    @property
    def best(self) -> int:
        """The unit that follows the feature best on the first half."""
        return self.units[0]

    @property
    def strength(self) -> float:
        """How well the best unit keeps to its sign on the second half: 1 exactly, 0 not at all, -1 turned."""
        return self.sign * self._centred(self.values[self.best])

    @property
    def clear(self) -> bool:
        """Whether the best unit does better on the second half than chance."""
        return self.strength > self._centred(self.chance)

    def _centred(self, value: float) -> float:
        return 2 * value - 1 if self.measure == "AUC" else value

    def keys(self) -> tuple[str, ...]:
        """The names under which `dict(score)` keeps the values."""
        return FIELDS

    def __getitem__(self, name: str):
        if name not in FIELDS:
            raise KeyError(name)
        return getattr(self, name)

    def __str__(self) -> str:
        return (
            f"{self.feature}: unit {self.best} of {self.signal}, layer {self.layer}, "
            f"{'high' if self.sign > 0 else 'low'} there, {self.measure} {self.values[self.best]:.2f}; "
            f"chance gives {self.chance:.2f}"
        )


def scores(
    trace: Trace,
    text: str | Sequence[str] | None = None,
    signal: str | None = None,
    *,
    direction: int = 0,
    seed: int = 0,
    describe: Callable[[str], Features] = features,
) -> list[Score]:
    """Score the units of every layer against every feature of the text that was traced, the clearest first.

    text: what each sequence of the trace reads, by default the trace's own labels. signal: the gate or state
    that is scored, by default `c` of an LSTM and `h` of other cells. direction: 1 is the backward one. seed:
    of the shifts that say what chance gives. describe: gives the features of a text, here those of prose and
    code. Features that come and go fewer than five times in a half are left out. Raises LessonError for a
    text that was not traced or has fewer than 500 characters.
    """
    texts = _texts(trace, text)
    signal = signal or ("c" if trace.cell == "lstm" else "h")
    labels = _labels(texts, describe)
    if not labels:
        raise LessonError(
            "Nothing in this text comes and goes often enough to score units on; trace another."
        )
    found = []
    for layer in range(trace.num_layers):
        runs = [trace.numpy(signal, layer, direction, b) for b in range(trace.batch_size)]
        search, report = (
            _Half([halves[k] for halves in labels.values()], np.concatenate([_halves(r)[k] for r in runs]).T)
            for k in (0, 1)
        )
        found += _score_layer(list(labels), search, report, signal, layer, seed)
    return sorted(found, key=lambda score: (not score.clear, -score.strength))


def table(found: Sequence[Score], top: int = 3, features: Sequence[str] | None = None) -> str:
    """Scores as lines of text: per feature and layer what chance gives, and the `top` units with theirs.

    A unit that is low where the feature is gets an arrow down, and the score of its negative: an AUC of 0.02
    separates as well as one of 0.98.
    """
    if missing := sorted(set(features or ()) - {score.feature for score in found}):
        raise LessonError(
            f"There are no scores of {missing[0]!r}; they came and went too seldom in the text."
        )
    lines = ["feature                   layer  measure       chance  units, best first"]
    for score in found:
        if features is None or score.feature in features:
            units = "  ".join(f"{unit}: {_turned(score, unit)}" for unit in score.units[:top])
            note = "" if score.clear else "  (no better than chance)"
            measured = f"{score.measure:12s}  {score.chance:6.2f}"
            lines.append(f"{score.feature:24s}  {score.layer:5d}  {measured}  {units}{note}")
    return "\n".join(lines)


def _turned(score: Score, unit: int) -> str:
    value, middle = score.values[unit], 0.5 if score.measure == "AUC" else 0.0
    return f"{value:.2f} ↑" if value >= middle else f"{2 * middle - value:.2f} ↓"


def _texts(trace: Trace, text: str | Sequence[str] | None) -> list[str]:
    if text is None:
        text = ["".join(labels) for labels in trace.labels]
    texts = [text] if isinstance(text, str) else list(text)
    lengths = [trace.steps] * trace.batch_size if trace.lengths is None else trace.lengths.tolist()
    if [len(t) for t in texts] != lengths:
        raise LessonError(
            f"The trace has sequences of {lengths[:4]} steps and the text has {[len(t) for t in texts][:4]} "
            "characters; give the text that was traced."
        )
    if sum(lengths) < SHORTEST:
        raise LessonError(
            f"Units are scored on {SHORTEST} characters or more, and this text has {sum(lengths)}."
        )
    return texts


def _halves(run: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return run[: len(run) // 2], run[len(run) // 2 :]


def _labels(
    texts: list[str], describe: Callable[[str], Features]
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Per feature its labels in both halves of all texts, for the features that both halves know."""
    each = [describe(text) for text in texts]
    labels = {}
    for name in each[0]:
        halves = tuple(np.concatenate(half) for half in zip(*(_halves(f[name]) for f in each), strict=True))
        if all(map(_varied, halves)):
            labels[name] = halves
    return labels


def _varied(half: np.ndarray) -> bool:
    return bool(np.count_nonzero(half[1:] < half[:-1]) >= EPISODES)


class _Half:
    """One half of the text: activations and labels as ranks, so that a score is one matrix product."""

    def __init__(self, labels: list[np.ndarray], activations: Float[np.ndarray, "units time"]) -> None:
        self.units = np.stack([_ranks(unit) for unit in activations])
        self.norms = np.maximum(np.linalg.norm(self.units, axis=1), 1e-30)
        self.counts = np.array([label.dtype != bool for label in labels])
        self.labels = np.stack([_weights(label) for label in labels])

    def strengths(self, shift: int = 0) -> Float[np.ndarray, "features units"]:
        """2 AUC - 1, or the correlation of ranks: 1 follows exactly, -1 turned around, 0 not at all."""
        found = np.roll(self.labels, shift, axis=1) @ self.units.T
        found[self.counts] /= self.norms
        return found.clip(-1, 1)  # rounding reaches beyond


def _weights(label: np.ndarray) -> Float[np.ndarray, " time"]:
    """What ranks are multiplied with: gives 2 AUC - 1 (Mann and Whitney 1947), or a correlation, unnormed."""
    if label.dtype == bool:
        present = np.count_nonzero(label)
        return (label * (len(label) / present / (len(label) - present))).astype(np.float32)
    ranks = _ranks(label)
    return ranks / np.linalg.norm(ranks)


def _ranks(values: Float[np.ndarray, " time"]) -> Float[np.ndarray, " time"]:
    """Ranks, equal values sharing their mean rank, moved and scaled to lie from -1 to 1."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    up_to = np.cumsum(counts)
    return ((2 * up_to - counts) / len(values) - 1).astype(np.float32)[place]


def _score_layer(
    names: list[str], search: _Half, report: _Half, signal: str, layer: int, seed: int
) -> Iterator[Score]:
    chosen = search.strengths()
    ranking = np.argsort(-np.abs(chosen), axis=1, kind="stable")
    rows = zip(
        names, search.counts, chosen, ranking, report.strengths(), _chance(search, report, seed), strict=True
    )
    for name, count, before, units, strengths, chance in rows:
        values = strengths if count else (1 + strengths) / 2
        yield Score(
            feature=name,
            measure="correlation" if count else "AUC",
            signal=signal,
            layer=layer,
            values=tuple(values.astype(float).tolist()),
            units=tuple(units.tolist()),
            sign=-1 if before[units[0]] < 0 else 1,
            chance=float(chance if count else (1 + chance) / 2),
        )


def _chance(search: _Half, report: _Half, seed: int) -> Float[np.ndarray, " features"]:
    """What choosing on one half gives on the other when the labels are shifted: the second best of 39 shifts.

    Without any relation a score is above it in 2 cases of 40 (Besag and Clifford 1989). Shifted labels keep
    their rhythm, so that a slow feature is not called clear because neighbouring characters agree.
    """
    random, reached = np.random.default_rng(seed), []
    for first, second in random.uniform(0.1, 0.9, (SHIFTS, 2)):
        chosen = search.strengths(int(first * search.labels.shape[1]))
        seen = report.strengths(int(second * report.labels.shape[1])) * np.sign(chosen)
        best = np.abs(chosen).argmax(axis=1)[:, None]
        reached.append(np.take_along_axis(seen, best, axis=1)[:, 0])
    return np.maximum(np.sort(reached, axis=0)[-2], 0)
