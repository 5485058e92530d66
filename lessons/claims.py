"""The claims ledger: run a claim over seeds, keep every number, and say what came out.

    python -m lessons claim                                      lists the claims
    python -m lessons claim carried-state-helps --seeds 5        runs one and writes data/claims/

Seeds run one after the other, or `--jobs` at a time on the local cores by joblib. More machines join through
another of joblib's backends; each needs this package, and for claims about texts the fetched corpora:

    python -m lessons claim variants-perform-alike --seeds 20 --dask tcp://scheduler:8786

    ray.util.joblib.register_ray()                                  # Ray's way; the tests do not try it
    with joblib.parallel_config(backend="ray"):
        claims.run("variants-perform-alike", seeds=20, jobs=-1)

A seed's figures are kept in the cache of the machine that ran it as soon as they are there, under a key made
of the experiment's source, its settings, torch's version and the device, so a run that was cut off goes on
where it stopped.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import joblib
import torch

from lessons import experiments, sources
from lessons.errors import LessonError
from lessons.experiments.claim import Claim, Figures
from lessons.experiments.result import SCHEMA, Result, fits, read, spread, write
from lessons.run import versions

PRESETS = ("ci", "cpu", "gpu")
ENOUGH = 5  # seeds that a result needs before it may stand in the ledger


def tell(line: str) -> None:
    """Print a line of progress at once, also into a file."""
    print(line, flush=True)


def run(
    name: str,
    seeds: int = ENOUGH,
    preset: str | None = None,
    jobs: int = 1,
    *,
    fresh: bool = False,
    folder: Path | None = None,
    say: Callable[[str], None] = tell,
) -> Result:
    """Run a claim with seeds 0 … seeds − 1 and return its Result, written to the ledger if it may be.

    preset: "cpu", "gpu" or "ci"; UNROLLED_PRESET, then "cpu", if None. jobs: seeds at a time, -1 for as many
    as there are cores. fresh: forget seeds done before.
    folder: where the ledger lies, data/claims by default. say: gets one line of progress a seed.
    A result of preset "ci", or of fewer than 5 seeds, is returned and not written. Raises LessonError for an
    unknown claim or preset, and when a text that the claim is about cannot be had.
    """
    claim = experiments.find(name)
    preset = preset or os.environ.get("UNROLLED_PRESET") or "cpu"
    if preset not in PRESETS:
        raise LessonError(f"There is no preset {preset!r} for claims; choose one of {', '.join(PRESETS)}.")
    if seeds < 1:
        raise LessonError(f"A claim needs at least one seed; {seeds} were asked for.")
    settings, provenance = claim.settings(preset), _provenance(claim, preset)
    work = joblib.Parallel(n_jobs=jobs, return_as="generator_unordered")
    done = []
    for seed in work(joblib.delayed(one_seed)(name, number, preset, fresh) for number in range(seeds)):
        done.append(seed)
        say(f"seed {seed['seed']}: {_line(seed['figures'])} ({seed['seconds']:.0f} s)")
    result = _result(claim, preset, settings, sorted(done, key=lambda seed: seed["seed"]), provenance)
    if preset != "ci" and seeds >= ENOUGH:
        save(result, folder)
    elif preset != "ci":
        say(f"Not written: {seeds} seeds are fewer than the {ENOUGH} that the ledger asks for.")
    return result


def one_seed(name: str, seed: int, preset: str, fresh: bool = False) -> dict[str, Any]:
    """Figures of one seed and the seconds they took, from the cache if nothing they hang on has changed."""
    claim = experiments.find(name)
    place = work_folder() / f"{name}.{preset}.{_key(claim, preset)}.seed{seed}.json"
    if place.is_file() and not fresh:
        return json.loads(place.read_text(encoding="utf-8"))
    start = time.perf_counter()
    figures = claim.run(seed, preset)
    fits(claim, figures)
    record = {"seed": seed, "figures": figures, "seconds": round(time.perf_counter() - start, 1)}
    write(place, record)
    return record


def work_folder() -> Path:
    """Where the figures of single seeds are kept; it can be deleted at any time."""
    return sources.cache_folder() / "claims"


def load(name: str, preset: str = "cpu", folder: Path | None = None) -> Result:
    """The result that is committed in the ledger; LessonError if there is none or its file is damaged."""
    experiments.find(name)
    path = _path(name, preset, folder)
    if not path.is_file():
        raise LessonError(
            f"The claim {name!r} has not been run yet: python -m lessons claim {name} --seeds {ENOUGH}"
        )
    return read(path)


def save(result: Result, folder: Path | None = None) -> Path:
    """Write a Result into the ledger, whole or not at all; LessonError if the disk refuses."""
    return write(_path(result.name, result.preset, folder), asdict(result))


def table(folder: Path | None = None) -> str:
    """The ledger as a Markdown table, one claim a row, for the README."""
    rows = ["| lesson | claim | verdict | seeds | run it again |", "|---|---|---|---|---|"]
    for name, claim in experiments.catalogue().items():
        result = load(name, folder=folder) if _path(name, "cpu", folder).is_file() else None
        verdict = f"**{result.verdict}**. {result.reason}" if result else "not run yet"
        count = str(len(result.seeds)) if result else "–"
        command = f"`python -m lessons claim {name} --seeds {ENOUGH}`"
        rows.append(f"| {claim.lesson[:2]} | {claim.statement} | {verdict} | {count} | {command} |")
    return "\n".join(rows) + "\n"


def main(argv: Sequence[str] | None = None) -> int:
    """`python -m lessons claim …`; returns the exit code, raises LessonError for what cannot be run."""
    parser = argparse.ArgumentParser(prog="python -m lessons claim", description="Run a claim over seeds.")
    parser.add_argument("name", nargs="?", help="the claim; without it the claims are listed")
    parser.add_argument("--seeds", type=int, default=ENOUGH)
    parser.add_argument("--preset", choices=PRESETS)
    parser.add_argument("--jobs", type=int, default=1, help="seeds at a time, -1 for one a core")
    parser.add_argument("--dask", metavar="ADDRESS", help="of a scheduler, whose workers share the seeds")
    parser.add_argument("--fresh", action="store_true", help="run seeds again that are done already")
    options = parser.parse_args(argv)
    if options.name is None:
        for name, claim in experiments.catalogue().items():
            print(f"{name}\n    {claim.statement}\n    Rule: {claim.rule}.\n    Costs {claim.budget}.")
        return 0
    jobs = -1 if options.dask else options.jobs
    with cluster(options.dask):
        result = run(options.name, options.seeds, options.preset, jobs, fresh=options.fresh)
    print(f"Rule, fixed beforehand: {result.rule}.\n{result!r}")
    return 0


@contextmanager
def cluster(address: str | None) -> Iterator[None]:
    """Meanwhile joblib's jobs go to the workers of a Dask scheduler; nothing changes where there is none.

    Raises LessonError if dask is not installed, or if nobody answers at `address` ("tcp://host:8786").
    """
    if address is None:
        yield
        return
    try:
        from distributed import Client
    except ImportError as error:
        raise LessonError("--dask needs the package distributed: pip install distributed") from error
    try:
        client = Client(address, timeout=10)
    except (OSError, ValueError) as error:
        raise LessonError(f"No Dask scheduler answers at {address!r}; is it running there?") from error
    with client, joblib.parallel_config(backend="dask"):
        yield


def _result(
    claim: Claim, preset: str, settings: dict, seeds: list[dict], provenance: list[dict[str, Any]]
) -> Result:
    verdict, reason = claim.verdict([seed["figures"] for seed in seeds])
    return Result(
        schema=SCHEMA,
        name=claim.name,
        statement=claim.statement,
        source=claim.source,
        rule=claim.rule,
        verdict=verdict,
        reason=reason,
        preset=preset,
        budget=claim.budget,
        settings=json.loads(json.dumps(settings)),
        seeds=seeds,
        spread=spread(claim, seeds),
        command=f"python -m lessons claim {claim.name} --seeds {len(seeds)} --preset {preset}",
        versions=versions(),
        device=_device(),
        date=datetime.now(UTC).date().isoformat(),
        seconds=round(sum(seed["seconds"] for seed in seeds), 1),
        digest=claim.digest(),
        provenance=provenance,
    )


def _provenance(claim: Claim, preset: str) -> list[dict[str, Any]]:
    from lessons import corpora  # here, because listing claims needs no texts

    found = [corpora.load(name, quiet=True).provenance for name in claim.corpora]
    if preset != "ci" and (missing := [text.asked for text in found if text.fallback]):
        raise LessonError(
            f"{claim.name!r} is about {' and '.join(missing)}, which cannot be had now; "
            "with a network, `python -m lessons corpora fetch --all` brings it."
        )
    return [text.as_dict() for text in found]


def _key(claim: Claim, preset: str) -> str:
    parts = [claim.digest(), claim.settings(preset), torch.__version__, _device()]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def _device() -> str:
    found = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
    return found.type if found else "cpu"


def _line(figures: Figures) -> str:
    return "; ".join(
        f"{measure}: " + ", ".join(f"{condition} {value:.3f}" for condition, value in values.items())
        for measure, values in figures.items()
    )


def _path(name: str, preset: str, folder: Path | None) -> Path:
    folder = folder or sources.data_folder() / "claims"
    return folder / (f"{name}.json" if preset == "cpu" else f"{name}.{preset}.json")
