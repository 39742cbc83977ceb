"""Reads the log from its end, in blocks, across the files that were turned over; knows no HTTP.

The cost of an answer is that of the lines it looks at, whatever the size of the files.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import orjson

from app.observability.log_files import LogFile, Position, open_files

BLOCK_BYTES: Final = 64 * 1024
MAX_LINE_BYTES: Final = 1024 * 1024
"""A longer line is skipped like any other that is no JSON object."""
MAX_SCANNED_BYTES: Final = 64 * 1024 * 1024
"""After so much of the log, an answer ends with what it has, and a cursor to go on from."""
_OUT_OF_ORDER: Final = timedelta(minutes=1)
"""By how much a line may be older than one before it: processes write when they get to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFilter:
    """Which lines are wanted; what is None or empty doesn't matter, and the rest must all match.

    `status` is exact, such as `404`, or a class, such as `4xx`. `text` is a literal part of the event or the path.
    `since` is included, `until` is not.
    """

    level: str | None = None
    status: str | None = None
    route: str | None = None
    user_id: int | None = None
    request_id: str | None = None
    text: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def words(self) -> list[bytes]:
        """What a line must hold to be wanted: most lines need not be parsed to see that they are not.

        None of that beside `since`, whose end of the search is in every line.
        """
        if self.since is not None:
            return []
        said = (self.level, self.route, self.request_id, self.text)
        return [word.encode() for word in said if word and word.isascii() and not set(word) & set('"\\')]

    def admits(self, line: dict[str, Any], at: datetime | None) -> bool:
        """Whether `line`, written `at`, is wanted."""
        return (
            _same(self.level, line.get("level"))
            and _same(self.route, line.get("route"))
            and _same(self.user_id, line.get("user_id"))
            and _same(self.request_id, line.get("request_id"))
            and (self.status is None or _has_status(self.status, line.get("status")))
            and (self.text is None or any(self.text in str(line.get(name, "")) for name in ("event", "path")))
            and (self.since is None or (at is not None and at >= self.since))
            and (self.until is None or (at is not None and at < self.until))
        )


@dataclass(frozen=True, slots=True)
class LogPage:
    """`lines` as they were written, oldest first; `older` is where the lines before them end, if there are any.

    `newest` is where the reading began: what is written later comes after it.
    """

    lines: list[bytes]
    older: Position | None
    newest: Position | None
    scanned_bytes: int


class LogReader:
    """Reads the log at `path`. Holds no state, so that it is safe to share."""

    def __init__(self, path: Path, files: int, max_scanned_bytes: int = MAX_SCANNED_BYTES) -> None:
        self._path = path
        self._files = files
        self._max_scanned_bytes = max_scanned_bytes

    def page(self, wanted: LogFilter, limit: int, before: Position | None = None) -> LogPage:
        """The last `limit` lines that are wanted and were written before `before`. Raises PositionGone."""
        words = wanted.words()
        found: list[bytes] = []
        older, scanned = None, 0
        with self._files_from(before) as (files, newest):
            for place, offset, scanned, line in _walk(files, newest):
                at, admitted = (
                    _examine(line, wanted) if all(word in line for word in words) else (None, False)
                )
                if admitted:
                    found.append(line)
                if wanted.since is not None and at is not None and at < wanted.since - _OUT_OF_ORDER:
                    break
                if len(found) == limit or scanned >= self._max_scanned_bytes:
                    more = offset > 0 or place + 1 < len(files)
                    older = Position(files[place].identity, offset) if more else None
                    break
        return LogPage(found[::-1], older, newest, scanned)

    @contextmanager
    def _files_from(self, before: Position | None) -> Iterator[tuple[list[LogFile], Position | None]]:
        """The files from the newest, or from that of `before`, to the oldest, and where to begin in the first."""
        with open_files(self._path, self._files) as files:
            if before is not None:
                files = files[before.place_in(files) :]
            yield files, before or (Position(files[0].identity, files[0].size) if files else None)


def _walk(files: list[LogFile], newest: Position | None) -> Iterator[tuple[int, int, int, bytes]]:
    """Each line from the newest: its file's index, its offset there, the bytes read down to it, and itself."""
    scanned = 0
    for place, file in enumerate(files):
        end = newest.offset if place == 0 and newest else file.size
        for offset, line in lines_backwards(file.descriptor, end):
            yield place, offset, scanned + end - offset, line
        scanned += end


def lines_backwards(descriptor: int, end: int) -> Iterator[tuple[int, bytes]]:
    """The complete lines before `end` with their offsets, from the last to the first, without their line ends.

    A line without its end, or too long a one, comes as empty ones: what matters is that time passes.
    """
    carried, useless = b"", True  # the line in `carried` has no end yet that was seen
    position = end
    while position > 0:
        start = max(0, position - BLOCK_BYTES)
        parts = (os.pread(descriptor, position - start, start) + carried).split(b"\n")
        position = start
        if len(parts) > 1:
            offsets = [start]
            for part in parts[:-1]:
                offsets.append(offsets[-1] + len(part) + 1)
            yield offsets[-1], b"" if useless else parts[-1]
            yield from zip(offsets[-2:0:-1], parts[-2:0:-1], strict=True)
            useless = False
        carried = parts[0]
        if useless or len(carried) > MAX_LINE_BYTES:
            carried, useless = b"", True
            yield start, b""
    if not useless:
        yield 0, carried


def parse(line: bytes) -> dict[str, Any] | None:
    """The object that `line` is, or None where it is torn or somebody else's."""
    if not line.startswith(b"{"):
        return None
    try:
        found = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, dict) else None


def wants(line: bytes, wanted: LogFilter) -> bool:
    return _examine(line, wanted)[1]


def _examine(line: bytes, wanted: LogFilter) -> tuple[datetime | None, bool]:
    """When `line` was written, where that matters, and whether it is wanted."""
    parsed = parse(line)
    if parsed is None:
        return None, False
    at = _moment(parsed.get("timestamp")) if wanted.since or wanted.until else None
    return at, wanted.admits(parsed, at)


def _moment(timestamp: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(timestamp))
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _same(wanted: object, found: object) -> bool:
    return wanted is None or wanted == found


def _has_status(wanted: str, status: object) -> bool:
    if re.fullmatch(r"\dxx", wanted):
        return isinstance(status, int) and status // 100 == int(wanted[0])
    return str(status) == wanted
