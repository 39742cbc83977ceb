"""Follows the log as it is written; knows no HTTP."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from app.observability.logs.files import OpenLogFile, Position, PositionGone, open_log_files
from app.observability.logs.filter import LogFilter, wants

POLL_EVERY_S: Final = 0.25
HEARTBEAT_EVERY_S: Final = 2.0
"""An empty line goes out when nothing else does: only who writes notices that nobody listens any more."""
_CHUNK_BYTES: Final = 256 * 1024


class LogTail:
    """What is written to the log from `start` on. One thread's alone.

    Remembers how far each file was read, and not only the newest: for a moment after a rotation, other processes
    still write to the file that was turned over.
    """

    def __init__(self, path: Path, files: int, start: Position | None) -> None:
        self._path = path
        self._files = files
        self._read_up_to: dict[str, int] = {}
        if start is None:
            return  # there was no log yet, so that all of it is new
        with open_log_files(path, files) as found:
            try:
                place = start.place_in(found)
            except PositionGone:
                place = -1
            self._read_up_to = {file.identity: file.size for file in found[place + 1 :]}
        self._read_up_to[start.identity] = start.offset

    def read(self) -> list[bytes]:
        """The complete lines that were not read before, oldest first; empty where there are none."""
        with open_log_files(self._path, self._files) as found:
            here = {file.identity for file in found}
            self._read_up_to = {key: offset for key, offset in self._read_up_to.items() if key in here}
            return [line for file in reversed(found) for line in self._lines_of(file)]

    def _lines_of(self, file: OpenLogFile) -> list[bytes]:
        offset = self._read_up_to.get(file.identity, 0)
        if offset >= file.size:
            return []
        chunk = os.pread(file.descriptor, _CHUNK_BYTES, offset)
        complete, end, _ = chunk.rpartition(b"\n")
        if not end and len(chunk) < _CHUNK_BYTES:
            return []
        # Too long a line is passed by, chunk by chunk; what is left of it is no JSON.
        self._read_up_to[file.identity] = offset + (len(complete) + 1 if end else len(chunk))
        return complete.split(b"\n")


class LogTails:
    """The clients that follow the log: each keeps a thread busy, so that they are few, and each has an end.

    `_free` counts the places; `_stopping` ends all of them.
    """

    def __init__(self, path: Path, files: int, most: int, lasts_s: float = 60.0) -> None:
        self.lasts_s = lasts_s
        self._path = path
        self._files = files
        self._free = threading.Semaphore(most)
        self._stopping = threading.Event()

    def take_place(self) -> Callable[[], None] | None:
        """What gives the place back, however often it is called; None where there is none."""
        if not self._free.acquire(blocking=False):
            return None
        held = [self._free]

        def leave() -> None:
            with suppress(IndexError):
                held.pop().release()

        return leave

    def stop(self) -> None:
        """End every stream at its next look."""
        self._stopping.set()

    def follow(self, wanted: LogFilter, start: Position | None) -> Iterator[bytes]:
        """NDJSON of the wanted lines after `start` as they are written, for `lasts_s` seconds."""
        tail = LogTail(self._path, self._files, start)
        ends_at = time.monotonic() + self.lasts_s
        beat_at = time.monotonic() + HEARTBEAT_EVERY_S
        while not self._stopping.is_set() and time.monotonic() < ends_at:
            lines = tail.read()
            found = b"".join(line + b"\n" for line in lines if wants(line, wanted))
            if found or time.monotonic() >= beat_at:
                yield found or b"\n"
                beat_at = time.monotonic() + HEARTBEAT_EVERY_S
            if not lines:
                self._stopping.wait(POLL_EVERY_S)
