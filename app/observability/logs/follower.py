"""Follows the log as it is written; knows no HTTP."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from app.observability.logs.files import OpenLogFile, Position, PositionGone, open_log_files
from app.observability.logs.filter import LogFilter
from operating_system import read_at

POLL_EVERY_S: Final = 0.25
HEARTBEAT_EVERY_S: Final = 2.0
"""How often an empty line goes out when nothing else does: a closed connection is noticed only by writing to it."""
_CHUNK_BYTES: Final = 256 * 1024


class TailReader:
    """Reads what is written to the log from `start` on, for one thread.

    Remembers how far each file was read, and not only the newest: for a moment after a rotation, other processes
    still write to the rotated file.
    """

    def __init__(self, path: Path, files: int, start: Position | None) -> None:
        self._path = path
        self._files = files
        self._read_up_to: dict[str, int] = {}
        if start is None:
            return  # there was no log yet, so that all of it is new
        with open_log_files(path, files) as opened:
            try:
                index = start.index_in(opened)
            except PositionGone:
                index = -1
            self._read_up_to = {file.identity: file.size for file in opened[index + 1 :]}
        self._read_up_to[start.identity] = start.offset

    def read(self) -> list[bytes]:
        """Return the complete lines that were not read before, oldest first; empty where there are none."""
        with open_log_files(self._path, self._files) as opened:
            present = {file.identity for file in opened}
            self._read_up_to = {key: offset for key, offset in self._read_up_to.items() if key in present}
            return [line for file in reversed(opened) for line in self._new_lines(file)]

    def _new_lines(self, file: OpenLogFile) -> list[bytes]:
        offset = self._read_up_to.get(file.identity, 0)
        if offset >= file.size:
            return []
        chunk = read_at(file.descriptor, _CHUNK_BYTES, offset)
        complete, line_end, _ = chunk.rpartition(b"\n")
        if not line_end and len(chunk) < _CHUNK_BYTES:
            return []
        # Too long a line is skipped, chunk by chunk; its last chunk is no JSON.
        self._read_up_to[file.identity] = offset + (len(complete) + 1 if line_end else len(chunk))
        return complete.split(b"\n")


class LogTails:
    """The streams of clients that follow the log: each keeps a thread busy, so their number and time are limited.

    `_free` counts the places; `_stopping` ends all streams.
    """

    def __init__(self, path: Path, files: int, max_clients: int, duration_s: float = 60.0) -> None:
        self.duration_s = duration_s
        self._path = path
        self._files = files
        self._free = threading.Semaphore(max_clients)
        self._stopping = threading.Event()

    def acquire(self) -> Callable[[], None] | None:
        """Take a place. Return a function that releases it, safe to call again, or None where no place is free."""
        if not self._free.acquire(blocking=False):
            return None
        held = [self._free]

        def release() -> None:
            with suppress(IndexError):
                held.pop().release()

        return release

    def stop(self) -> None:
        """End every stream at its next poll."""
        self._stopping.set()

    def follow(self, log_filter: LogFilter, start: Position | None) -> Iterator[bytes]:
        """Yield, as NDJSON, the lines after `start` that match as they are written, for `duration_s` seconds."""
        reader = TailReader(self._path, self._files, start)
        ends_at = time.monotonic() + self.duration_s
        beats_at = time.monotonic() + HEARTBEAT_EVERY_S
        while not self._stopping.is_set() and time.monotonic() < ends_at:
            lines = reader.read()
            matches = b"".join(line + b"\n" for line in lines if log_filter.matches(line))
            if matches or time.monotonic() >= beats_at:
                yield matches or b"\n"
                beats_at = time.monotonic() + HEARTBEAT_EVERY_S
            if not lines:
                self._stopping.wait(POLL_EVERY_S)
