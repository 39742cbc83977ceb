"""Writes lines into a file that many processes share, and rotates it by size. Never raises an OSError."""

import logging
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import operating_system
from app.observability.logs.files import rotated_path

log = logging.getLogger(__name__)

WARN_EVERY_S = 60.0


class LogWriter:
    """Appends to `path`; a full file becomes `path.1`, that one `path.2`, and only `files` of them are kept.

    Each line is one write to a descriptor opened with O_APPEND, so that lines of other threads and processes stay
    whole. A line that can't be written is counted in `lines_lost`, and `on_lost` is called.
    What others do to the file, rotating or removing it, is noticed after at most `look_every_s` seconds.
    `_lock` protects the descriptor, which another thread might otherwise close and reuse in the middle of a write,
    and the file's size.
    """

    def __init__(
        self,
        path: Path,
        max_bytes: int,
        files: int,
        on_lost: Callable[[], None] | None = None,
        look_every_s: float = 0.0,
    ) -> None:
        self.lines_lost = 0
        self._path = path
        self._max_bytes = max_bytes
        self._files = files
        self._on_lost = on_lost
        self._lock = threading.Lock()
        self._descriptor = -1
        self._identity = (0, 0)
        self._bytes = 0
        self._look_every_s = look_every_s
        self._look_at = float("-inf")
        self._torn = False
        self._warned_at = float("-inf")

    def write(self, line: bytes) -> None:
        """Append `line`, which ends with its only line end, or drop and count it."""
        with self._lock:
            try:
                if self._bytes + len(line) > self._max_bytes or time.monotonic() >= self._look_at:
                    self._look(len(line))
                self._append(line)
                return
            except OSError as error:
                self._close()
                reason = error.strerror or str(error)
        self.drop(reason)

    def drop(self, reason: str) -> None:
        """Count a line that will not be written."""
        with self._lock:
            self.lines_lost += 1
        if self._on_lost is not None:
            self._on_lost()
        self._warn("log_lines_lost", reason)

    def close(self) -> None:
        """Close the file; another write opens it again."""
        with self._lock:
            self._close()

    def _look(self, line_bytes: int) -> None:
        """Open the file that has the name now, and rotate it where it has no room for `line_bytes`."""
        self._look_at = time.monotonic() + self._look_every_s
        try:
            status = self._path.stat()
        except FileNotFoundError:
            self._open()
            return
        self._bytes = status.st_size
        if self._descriptor < 0 or _identity(status) != self._identity:
            self._open()
        elif status.st_size and status.st_size + line_bytes > self._max_bytes:
            self._rotate()

    def _append(self, line: bytes) -> None:
        # After a write that the disk cut short, this line must not become the rest of that one.
        line = b"\n" + line if self._torn else line
        written = os.write(self._descriptor, line)
        self._bytes += written
        self._torn = written < len(line)
        if self._torn:
            raise OSError(f"{written} of {len(line)} bytes written")

    def _rotate(self) -> None:
        """Rename the files and open a new one, in one process; the others go on writing meanwhile."""
        try:
            lock = os.open(f"{self._path}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            self._warn("log_not_rotated", error.strerror)
            return
        try:
            operating_system.lock(lock)
            if _identity(self._path.stat()) == self._identity:  # no other process did it before our lock
                self._rename_files()
            self._open()
        except BlockingIOError:
            return  # another process is rotating: this line still goes to the file as it was
        except OSError as error:
            self._warn("log_not_rotated", error.strerror)  # too long a log is better than none
            if self._descriptor < 0:
                self._open()
        finally:
            os.close(lock)

    def _rename_files(self) -> None:
        """Make room for one more up to the first free number, so that a second attempt moves nothing twice."""
        if operating_system.WINDOWS:
            self._close()  # an open file can't be renamed there
        names = [self._path, *(rotated_path(self._path, number) for number in range(1, self._files))]
        free = next((index for index, name in enumerate(names) if not name.exists()), self._files - 1)
        for index in range(free, 0, -1):
            with suppress(FileNotFoundError):
                names[index - 1].replace(names[index])

    def _open(self) -> None:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | operating_system.OPEN_FLAGS
        try:
            descriptor = os.open(self._path, flags, 0o600)
        except FileNotFoundError:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._path, flags, 0o600)
        self._close()
        self._descriptor = descriptor
        status = os.fstat(descriptor)
        self._identity, self._bytes = _identity(status), status.st_size

    def _close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor, self._look_at = -1, float("-inf")

    def _warn(self, event: str, reason: str | None) -> None:
        """Log a warning, at most one in WARN_EVERY_S; this logger's records go to the console alone."""
        if time.monotonic() - self._warned_at >= WARN_EVERY_S:
            self._warned_at = time.monotonic()
            log.warning(event, extra={"reason": reason, "lines_lost": self.lines_lost})


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino
