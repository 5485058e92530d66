"""The result of a claim: what its file in data/claims holds, read, checked and written whole."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from statistics import mean, pstdev
from typing import Any

from lessons import experiments, sources
from lessons.errors import LessonError, refusal
from lessons.experiments.claim import Claim, Figures, count

SCHEMA = 1


@dataclass(frozen=True, repr=False)
class Result:
    """What a claim's run came to: the fields of its JSON file. `seeds` are {"seed", "figures", "seconds"}."""

    schema: int
    name: str
    statement: str
    source: str
    rule: str
    verdict: str
    reason: str
    preset: str
    budget: str
    settings: dict[str, Any]
    seeds: list[dict[str, Any]]
    spread: dict[str, dict[str, dict[str, float]]]
    command: str
    versions: dict[str, str]
    device: str
    date: str
    seconds: float
    digest: str
    provenance: list[dict[str, Any]]

    def __repr__(self) -> str:
        return (
            f"{self.name}: {self.verdict} ({count(len(self.seeds))}, preset {self.preset}, {self.device}, "
            f"{self.seconds:.0f} s). {self.reason}"
        )

    @property
    def figures(self) -> list[Figures]:
        """The figures of every seed, in the order of the seeds."""
        return [seed["figures"] for seed in self.seeds]

    def values(self, measure: str, condition: str) -> list[float]:
        """One number a seed."""
        return [figures[measure][condition] for figures in self.figures]

    @property
    def stale(self) -> str:
        """Why the file no longer belongs to the code, in one sentence; empty if it does."""
        claim = experiments.find(self.name)
        again = f"; run `{self.command}` again"
        if self.digest != claim.digest():
            return f"The experiment {self.name!r} has changed since it was run{again}."
        now = json.loads(json.dumps(claim.settings(self.preset)))
        if changed := sorted(_changed(self.settings, now)):
            return f"The settings of {self.name!r} have changed since ({', '.join(changed)}){again}."
        if self.rule != claim.rule or (self.verdict, self.reason) != claim.verdict(self.figures):
            return f"The rule of {self.name!r} has changed since it was judged{again}."
        return ""


def read(path: Path) -> Result:
    """A Result from its file, checked against the schema and the claim's measures."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise LessonError(f"{path.name} cannot be read as a claim's result: {error}") from error
    names = {field.name for field in fields(Result)}
    if not isinstance(content, dict) or set(content) != names or content.get("schema") != SCHEMA:
        raise LessonError(f"{path.name} is no claim's result of schema {SCHEMA}; run the claim again.")
    result = Result(**content)
    claim = experiments.find(result.name)
    for seed in result.seeds:
        if set(seed) != {"seed", "figures", "seconds"}:
            raise LessonError(f"{path.name}: each seed has seed, figures and seconds; run the claim again.")
        fits(claim, seed["figures"])
    return result


def write(path: Path, content: Any) -> Path:
    """Write JSON, whole or not at all; raises LessonError if the disk refuses."""
    text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
    try:
        sources.write_whole(path, text.encode())
    except OSError as error:
        raise LessonError(f"{path.name} cannot be written: {refusal(error)}.") from error
    return path


def fits(claim: Claim, figures: Figures) -> None:
    """Raise LessonError unless these are finite numbers for exactly the claim's measures and conditions."""
    wanted = {measure.name: set(measure.conditions) for measure in claim.measures}
    if {name: set(values) for name, values in figures.items()} != wanted:
        raise LessonError(f"The figures of {claim.name!r} are not those it says it measures.")
    if not all(math.isfinite(value) for values in figures.values() for value in values.values()):
        raise LessonError(f"A figure of {claim.name!r} is not a finite number.")


def spread(claim: Claim, seeds: list[dict]) -> dict[str, dict[str, dict[str, float]]]:
    """Mean, lowest, highest and standard deviation over the seeds, for every measure and condition."""

    def over(measure: str, condition: str) -> dict[str, float]:
        values = [seed["figures"][measure][condition] for seed in seeds]
        return {"mean": mean(values), "low": min(values), "high": max(values), "deviation": pstdev(values)}

    return {
        m.name: {condition: over(m.name, condition) for condition in m.conditions} for m in claim.measures
    }


def _changed(then: Mapping[str, Any], now: Mapping[str, Any]) -> set[str]:
    """Names whose value then is not their value now; a setting that is new since does not count."""
    names = set()
    for name, value in then.items():
        other = now.get(name)
        if isinstance(value, dict) and isinstance(other, dict):
            names |= _changed(value, other)
        elif value != other:
            names.add(name)
    return names
