"""Reads the log from its end, in blocks, across the files that were turned over; knows no HTTP.

The cost of an answer is that of the lines it looks at, whatever the size of the files.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from app.observability.logs.files import OpenLogFile, Position, open_log_files
from app.observability.logs.filter import LogFilter, _moment, parse, wants

BLOCK_BYTES: Final = 64 * 1024
MAX_LINE_BYTES: Final = 1024 * 1024
"""A longer line is skipped like any other that is no JSON object."""
MAX_SCANNED_BYTES: Final = 64 * 1024 * 1024
"""After so much of the log, an answer ends with what it has, and a cursor to go on from."""


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
            for block in _blocks(files, newest):
                began_at = _moment(parse(block.text.partition(b"\n")[0]) or {})
                offset = block.offset
                if began_at is None or wanted.may_be_after(began_at):
                    lines, offset = _search(block, wanted, words, limit - len(found))
                    found += lines
                scanned = block.scanned - (offset - block.offset)
                if len(found) < limit and began_at is not None and not wanted.may_be_before(began_at):
                    break
                if len(found) == limit or scanned >= self._max_scanned_bytes:
                    more = offset > 0 or block.place + 1 < len(files)
                    older = Position(files[block.place].identity, offset) if more else None
                    break
        return LogPage(found[::-1], older, newest, scanned)

    @contextmanager
    def _files_from(self, before: Position | None) -> Iterator[tuple[list[OpenLogFile], Position | None]]:
        """The files from the newest, or from that of `before`, to the oldest, and where to begin in the first."""
        with open_log_files(self._path, self._files) as files:
            if before is not None:
                files = files[before.place_in(files) :]
            yield files, before or (Position(files[0].identity, files[0].size) if files else None)


@dataclass(frozen=True, slots=True)
class _Block:
    """Some lines of the file at `place`, without the last one's end; to its beginning, `scanned` bytes were read."""

    place: int
    offset: int
    text: bytes
    scanned: int


def _blocks(files: list[OpenLogFile], newest: Position | None) -> Iterator[_Block]:
    """Every line, from the newest block to the oldest."""
    scanned = 0
    for place, file in enumerate(files):
        end = newest.offset if place == 0 and newest else file.size
        for offset, text in blocks_backwards(file.descriptor, end):
            yield _Block(place, offset, text, scanned + end - offset)
        scanned += end


def blocks_backwards(descriptor: int, end: int) -> Iterator[tuple[int, bytes]]:
    """The complete lines before `end`, some at a time, with their offset and without the last one's end.

    The last come first. A line without its end, or too long a one, comes as an empty one: what matters is that time
    passes.
    """
    carried, useless = b"", True  # the line in `carried` has no end yet that was seen
    position = end
    while position > 0:
        start = max(0, position - BLOCK_BYTES)
        first, line_end, rest = (os.pread(descriptor, position - start, start) + carried).partition(b"\n")
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


def _search(block: _Block, wanted: LogFilter, words: list[bytes], most: int) -> tuple[list[bytes], int]:
    """The last lines of `block` that are wanted, the last first, and the offset at which the search ended."""
    found: list[bytes] = []
    if all(word in block.text for word in words):
        end = block.offset + len(block.text)
        for line in reversed(block.text.split(b"\n")):
            if all(word in line for word in words) and wants(line, wanted):
                found.append(line)
                if len(found) == most:
                    return found, end - len(line)
            end -= len(line) + 1
    return found, block.offset
