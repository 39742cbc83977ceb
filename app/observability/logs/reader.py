"""Reads the log from its end, in blocks, across the rotated files; knows no HTTP.

A page costs as much as the lines that are scanned for it, whatever the size of the files.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from app.observability.logs.files import OpenLogFile, Position, open_log_files
from app.observability.logs.filter import LogFilter, written_at
from operating_system import read_at

BLOCK_BYTES: Final = 64 * 1024
MAX_LINE_BYTES: Final = 1024 * 1024
"""A longer line is skipped, like any other that is no JSON object."""
MAX_SCANNED_BYTES: Final = 64 * 1024 * 1024
"""After so much of the log, a page ends with what it has, and a position to go on from."""


@dataclass(frozen=True, slots=True)
class LogPage:
    """`lines` as they were written, oldest first.

    `older` is the position where the lines before them end, or None where there are none. `newest` is the position
    where the reading began: later lines come after it.
    """

    lines: list[bytes]
    older: Position | None
    newest: Position | None
    scanned_bytes: int


@dataclass(frozen=True, slots=True)
class _Block:
    """Lines of `file` from `offset` on, without the last one's end, reached after `scanned` bytes of the page."""

    file: OpenLogFile
    offset: int
    text: bytes
    began_at: datetime | None
    scanned: int


class LogReader:
    """Reads the log at `path`. Holds no state, so that it is safe to share."""

    def __init__(self, path: Path, files: int, max_scanned_bytes: int = MAX_SCANNED_BYTES) -> None:
        self._path = path
        self._files = files
        self._max_scanned_bytes = max_scanned_bytes

    def page(self, log_filter: LogFilter, limit: int, before: Position | None = None) -> LogPage:
        """Return the last `limit` lines that match and were written before `before`. Raises PositionGone."""
        lines: list[bytes] = []
        older, scanned = None, 0
        with open_log_files(self._path, self._files) as files:
            if before is not None:
                files = files[before.index_in(files) :]
                files[0] = replace(files[0], size=before.offset)
            newest = Position(files[0].identity, files[0].size) if files else None
            for block in _blocks(files):
                matches, offset = _search(block, log_filter, limit - len(lines))
                lines += matches
                scanned = block.scanned - (offset - block.offset)
                if len(lines) < limit and log_filter.excludes_until(block.began_at):
                    break
                if len(lines) == limit or scanned >= self._max_scanned_bytes:
                    if offset > 0 or block.file is not files[-1]:
                        older = Position(block.file.identity, offset)
                    break
        return LogPage(lines[::-1], older, newest, scanned)


def _blocks(files: list[OpenLogFile]) -> Iterator[_Block]:
    """Yield every line, from the newest block to the oldest."""
    scanned = 0
    for file in files:
        for offset, text in blocks_backwards(file.descriptor, file.size):
            began_at = written_at(text.partition(b"\n")[0])
            yield _Block(file, offset, text, began_at, scanned + file.size - offset)
        scanned += file.size


def blocks_backwards(descriptor: int, end: int) -> Iterator[tuple[int, bytes]]:
    """Yield the complete lines before `end`, some at a time: their offset, and them without the last one's end.

    The last come first. In the place of a line that has no end or is too long comes an empty one, so that its time
    counts as scanned.
    """
    carried, useless = b"", True  # the line in `carried` has no end yet that was seen
    position = end
    while position > 0:
        start = max(0, position - BLOCK_BYTES)
        first, line_end, rest = (read_at(descriptor, position - start, start) + carried).partition(b"\n")
        position = start
        if line_end:
            yield start + len(first) + 1, rest.rpartition(b"\n")[0] if useless else rest
            useless = False
        carried = first
        if useless or len(carried) > MAX_LINE_BYTES:
            carried, useless = b"", True
            yield start, b""
    if not useless:
        yield 0, carried


def _search(block: _Block, log_filter: LogFilter, limit: int) -> tuple[list[bytes], int]:
    """Return the last `limit` lines of `block` that match, the last first, and the offset where the search ended."""
    matches: list[bytes] = []
    if log_filter.excludes_from(block.began_at) or not log_filter.may_match(block.text):
        return matches, block.offset
    end = block.offset + len(block.text)
    for line in reversed(block.text.split(b"\n")):
        if log_filter.matches(line):
            matches.append(line)
            if len(matches) == limit:
                return matches, end - len(line)
        end -= len(line) + 1
    return matches, block.offset
