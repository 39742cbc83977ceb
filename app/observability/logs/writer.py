"""Lines into a file that many processes share, turned over by size. Nothing here ever raises an OSError."""

from __future__ import annotations

import fcntl
import logging
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from app.observability.logs.files import rotated_path

log = logging.getLogger(__name__)

COMPLAIN_EVERY_S = 60.0


class LogWriter:
    """Appends to `path`; a full one becomes `path.1`, that one `path.2`, and only `files` of them are kept.

    Each line is one write to a descriptor opened with O_APPEND, so that lines of other threads and processes stay
    whole. A line that could not be written is counted in `lines_lost` and told to `on_lost`.
    `_lock` protects the descriptor, which another thread might otherwise close and reuse in the middle of a write.
    """

    def __init__(
        self, path: Path, max_bytes: int, files: int, on_lost: Callable[[], None] | None = None
    ) -> None:
        self.path = path
        self.lines_lost = 0
        self.on_lost = on_lost
        self._max_bytes = max_bytes
        self._files = files
        self._lock = threading.Lock()
        self._descriptor = -1
        self._file = (0, 0)
        self._torn = False
        self._complained_at = float("-inf")

    def write(self, line: bytes) -> None:
        """Append `line`, which ends with its only line end, or lose and count it."""
        with self._lock:
            try:
                self._follow(len(line))
                self._append(line)
                return
            except OSError as error:
                self._close()
                reason = error.strerror or str(error)
        self.lose(reason)

    def lose(self, reason: str) -> None:
        """Count a line that will not be written."""
        with self._lock:
            self.lines_lost += 1
        if self.on_lost is not None:
            self.on_lost()
        self._complain("log_lines_lost", reason)

    def close(self) -> None:
        """Give the descriptor back; another write opens the file again."""
        with self._lock:
            self._close()

    def _follow(self, coming_bytes: int) -> None:
        """Have the file open that bears the name now, with room for `coming_bytes`.

        One stat a line, 2 µs, tells both whether another process turned the file over and whether it is full.
        """
        try:
            found = self.path.stat()
        except FileNotFoundError:
            self._open()
            return
        if self._descriptor < 0 or (found.st_dev, found.st_ino) != self._file:
            self._open()
        elif found.st_size and found.st_size + coming_bytes > self._max_bytes:
            self._turn_over()

    def _append(self, line: bytes) -> None:
        # After a write that the disk cut short, this line must not become the rest of that one.
        line = b"\n" + line if self._torn else line
        written = os.write(self._descriptor, line)
        self._torn = written < len(line)
        if self._torn:
            raise OSError(f"{written} of {len(line)} bytes written")

    def _turn_over(self) -> None:
        """Give the file the next name and begin a new one, in one process; the others go on meanwhile."""
        try:
            lock = os.open(f"{self.path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            self._complain("log_not_rotated", error.strerror)
            return
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            found = self.path.stat()
            if (found.st_dev, found.st_ino) == self._file:  # nobody did it between our look and our lock
                self._shift_names()
            self._open()
        except BlockingIOError:
            return  # somebody is at it: this line still goes to the file as it was
        except OSError as error:
            self._complain("log_not_rotated", error.strerror)  # too long a log is better than none
        finally:
            os.close(lock)

    def _shift_names(self) -> None:
        for number in range(self._files - 1, 1, -1):
            with suppress(FileNotFoundError):
                rotated_path(self.path, number - 1).replace(rotated_path(self.path, number))
        self.path.replace(rotated_path(self.path, 1))

    def _open(self) -> None:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK
        try:
            descriptor = os.open(self.path, flags, 0o600)
        except FileNotFoundError:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.path, flags, 0o600)
        self._close()
        self._descriptor = descriptor
        opened = os.fstat(descriptor)
        self._file = (opened.st_dev, opened.st_ino)

    def _close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = -1

    def _complain(self, event: str, reason: str | None) -> None:
        """Tell the console, which alone listens to this logger, now and then."""
        if time.monotonic() - self._complained_at >= COMPLAIN_EVERY_S:
            self._complained_at = time.monotonic()
            log.warning(event, extra={"reason": reason, "lines_lost": self.lines_lost})
