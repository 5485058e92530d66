"""One training at a time writes a file: a lock that the system takes back when its holder dies."""

import os
from contextlib import suppress
from errno import EACCES, EAGAIN, EDEADLK
from pathlib import Path
from typing import BinaryIO

from lessons.errors import LessonError

if os.name == "nt":
    import msvcrt

    def _lock(file: BinaryIO) -> None:
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(file: BinaryIO) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


class LoneWriter:
    """Holds a hidden file beside `path` locked; raises LessonError if another training holds it.

    Where no such file can be made (a folder that is read-only, a file system without locks) nothing is held:
    what cannot be written needs no guard.
    """

    def __init__(self, path: Path) -> None:
        self.place = path.with_name(f".{path.name}.lock")
        self.file: BinaryIO | None = None
        while self.file is None and (file := self._opened()):
            try:
                _lock(file)
            except OSError as error:
                holder = self._holder()
                file.close()
                if error.errno not in (EACCES, EAGAIN, EDEADLK):
                    return
                raise LessonError(
                    f"Another training{holder} is writing {path} now; stop it first, or give this one "
                    "another checkpoint."
                ) from None
            if self._still_there(file):
                self._sign(file)
            else:  # whoever held it took it away between our opening and our locking
                file.close()

    def release(self) -> None:
        """Let go, and take the hidden file away."""
        if self.file is not None:
            with suppress(OSError):
                self.place.unlink()
            self.file.close()
            self.file = None

    def _opened(self) -> BinaryIO | None:
        try:
            self.place.parent.mkdir(parents=True, exist_ok=True)
            return self.place.open("ab", buffering=0)  # a full disk would keep a buffer from being closed
        except (OSError, ValueError):
            return None

    def _still_there(self, file: BinaryIO) -> bool:
        try:
            return os.path.samestat(os.fstat(file.fileno()), os.stat(self.place))
        except OSError:
            return False

    def _sign(self, file: BinaryIO) -> None:
        """Leave word who holds it; on a full disk nobody does, and the lock is as good."""
        self.file = file
        with suppress(OSError):
            file.truncate(0)
            file.write(str(os.getpid()).encode())

    def _holder(self) -> str:
        try:
            number = self.place.read_text(encoding="utf-8")
        except OSError:  # Windows locks the content, too
            return ""
        return f" (process {number})" if number.isdecimal() else ""
