"""The log's files. Rotation changes their names, so that each is recognised by an identity of its own."""

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

from operating_system import OPEN_FLAGS, read_at

_FIRST_BYTES = 4_096
_POSITION = re.compile(r"([0-9a-f]{1,16}-[0-9a-f]{16}):([0-9]{1,15})", re.ASCII)


def log_path(data_dir: Path) -> Path:
    """Return the path of the log of the shop on `data_dir`."""
    return data_dir / "logs" / "app.jsonl"


def rotated_path(path: Path, number: int) -> Path:
    """Return the path of the `number`-th newest rotated file, from 1."""
    return path.with_name(f"{path.name}.{number}")


class PositionGone(Exception):
    """The file of a position was removed, or never existed."""


@dataclass(frozen=True, slots=True)
class Position:
    """A place between two lines of one file, `offset` bytes from its beginning."""

    identity: str
    offset: int

    def index_in(self, files: Sequence[OpenLogFile]) -> int:
        """Return the index of its file. Raises PositionGone."""
        for index, file in enumerate(files):
            if file.identity == self.identity and self.offset <= file.size:
                return index
        raise PositionGone

    def as_text(self) -> str:
        """Return an opaque text for clients."""
        return base64.urlsafe_b64encode(f"{self.identity}:{self.offset}".encode()).decode().rstrip("=")

    @classmethod
    def from_text(cls, text: str) -> Position:
        """Read what `as_text` returned. Raises ValueError for any other text."""
        try:
            decoded = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True).decode()
        except (binascii.Error, UnicodeDecodeError) as error:
            raise ValueError(text) from error
        match = _POSITION.fullmatch(decoded)
        if match is None:
            raise ValueError(text)
        return cls(match[1], int(match[2]))


@dataclass(frozen=True, slots=True)
class OpenLogFile:
    """An open file of `size` bytes; `identity` survives a renaming, and no later file gets it."""

    descriptor: int
    identity: str
    size: int


@contextmanager
def open_log_files(path: Path, files: int) -> Iterator[list[OpenLogFile]]:
    """Open the files that exist and have content, newest first. Raises OSError where one can't be read.

    Opened in this order, a file that is rotated meanwhile may appear twice, which is noticed, but is never missed.
    """
    opened: dict[str, OpenLogFile] = {}
    try:
        for name in (path, *(rotated_path(path, number) for number in range(1, files))):
            try:
                descriptor = os.open(name, os.O_RDONLY | OPEN_FLAGS)
            except FileNotFoundError:
                continue
            file = _describe(descriptor)
            if file.size == 0 or file.identity in opened:
                os.close(descriptor)
            else:
                opened[file.identity] = file
        yield list(opened.values())
    finally:
        for file in opened.values():
            os.close(file.descriptor)


def _describe(descriptor: int) -> OpenLogFile:
    status = os.fstat(descriptor)
    # An inode's number is given to another file soon after its own was removed; two files don't also begin with
    # the same line, which has a time and a request's id.
    first_line = read_at(descriptor, _FIRST_BYTES, 0).partition(b"\n")[0]
    digest = hashlib.sha256(first_line).hexdigest()[:16]
    return OpenLogFile(descriptor, f"{status.st_ino:x}-{digest}", status.st_size)
