"""The files of the log, told apart by more than their names, which rotation changes."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_FIRST_BYTES = 4_096
_POSITION = re.compile(r"([0-9a-f]{1,16}-[0-9a-f]{16}):([0-9]{1,15})", re.ASCII)


def log_path(data_dir: Path) -> Path:
    """Where the shop on `data_dir` keeps its log."""
    return data_dir / "logs" / "app.jsonl"


def rotated_path(path: Path, number: int) -> Path:
    """The `number`-th newest of the files that were turned over, from 1."""
    return path.with_name(f"{path.name}.{number}")


class PositionGone(Exception):
    """The file of a position was removed, or there never was one."""


@dataclass(frozen=True, slots=True)
class OpenLogFile:
    """An open file; `identity` stays the same when it is renamed, and is no later file's."""

    descriptor: int
    identity: str
    size: int


@dataclass(frozen=True, slots=True)
class Position:
    """A place between two lines of one file, `offset` bytes from its beginning."""

    identity: str
    offset: int

    def place_in(self, files: Sequence[OpenLogFile]) -> int:
        """The index of its file. Raises PositionGone."""
        for index, file in enumerate(files):
            if file.identity == self.identity and self.offset <= file.size:
                return index
        raise PositionGone

    def as_text(self) -> str:
        """An opaque text for clients."""
        return base64.urlsafe_b64encode(f"{self.identity}:{self.offset}".encode()).decode().rstrip("=")

    @classmethod
    def from_text(cls, text: str) -> Position:
        """Raises ValueError where `text` is none that `as_text` makes."""
        try:
            decoded = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True).decode()
        except (binascii.Error, UnicodeDecodeError) as error:
            raise ValueError(text) from error
        found = _POSITION.fullmatch(decoded)
        if found is None:
            raise ValueError(text)
        return cls(found[1], int(found[2]))


@contextmanager
def open_log_files(path: Path, files: int) -> Iterator[list[OpenLogFile]]:
    """The files that there are, newest first. Raises OSError where one can't be read.

    They are opened from the newest to the oldest: a rotation meanwhile makes one appear twice, and that is seen,
    but can't make one be missed.
    """
    opened: dict[str, OpenLogFile] = {}
    try:
        for each in (path, *(rotated_path(path, number) for number in range(1, files))):
            try:
                descriptor = os.open(each, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
            except FileNotFoundError:
                continue
            found = _describe(descriptor)
            if found.size == 0 or found.identity in opened:
                os.close(descriptor)
            else:
                opened[found.identity] = found
        yield list(opened.values())
    finally:
        for file in opened.values():
            os.close(file.descriptor)


def _describe(descriptor: int) -> OpenLogFile:
    status = os.fstat(descriptor)
    # An inode's number is given to another file soon after its own was removed; two files don't also begin with
    # the same line, which has a time and a request's id.
    first = os.pread(descriptor, _FIRST_BYTES, 0).partition(b"\n")[0]
    digest = hashlib.sha256(first).hexdigest()[:16]
    return OpenLogFile(descriptor, f"{status.st_ino:x}-{digest}", status.st_size)
