"""Disks that refuse: full ones and read-only ones, made by the system itself."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

ROOM = 128 << 10  # bytes; what the tests write takes more than half of it


def mount(*arguments: str | Path) -> bool:
    """Whether this process may mount, and has."""
    if not sys.platform.startswith("linux") or os.geteuid():
        return False
    return subprocess.run(["mount", *map(str, arguments)], capture_output=True).returncode == 0


class Disk:
    """A folder of its own: a small file system in memory, or where none may be mounted, a plain folder.

    In the plain folder the limit on the size of files stands for a full disk, and missing rights for one that
    is read-only (for which one must not be root).
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self.mounted = mount("-t", "tmpfs", "-o", f"size={4 * ROOM}", "unrolled-test", folder)

    @contextmanager
    def full(self) -> Iterator[None]:
        """No room for anything."""
        if self.mounted:
            ballast = self.folder / ".ballast"
            with ballast.open("wb", buffering=0) as file, suppress(OSError):
                while True:
                    file.write(bytes(4096))
            try:
                yield
            finally:
                ballast.unlink()
        else:
            import resource

            before = resource.getrlimit(resource.RLIMIT_FSIZE)
            resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM // 2, before[1]))
            try:
                yield
            finally:
                resource.setrlimit(resource.RLIMIT_FSIZE, before)

    @contextmanager
    def read_only(self) -> Iterator[None]:
        """What is there can be read and nothing can be written."""
        if self.mounted:
            assert mount("-o", "remount,ro", self.folder)
            try:
                yield
            finally:
                mount("-o", "remount,rw", self.folder)
        elif os.geteuid():
            self.folder.chmod(0o555)
            try:
                yield
            finally:
                self.folder.chmod(0o755)
        else:
            pytest.skip("root may write everywhere, and cannot mount anything here")

    def holds(self) -> dict[str, bytes]:
        """All files in it, hidden ones too."""
        found = (path for path in self.folder.rglob("*") if path.is_file() and path.name != ".ballast")
        return {path.relative_to(self.folder).as_posix(): path.read_bytes() for path in found}

    def close(self) -> None:
        if self.mounted:
            subprocess.run(["umount", "--lazy", self.folder], check=True)
