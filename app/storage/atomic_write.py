"""Files that several processes write: replaced atomically, or written once."""

import os
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

import operating_system

LEFT_BEHIND_AFTER_S = 3_600.0
LOCK_WITHIN_S = 5.0


def replace_file(path: Path, content: bytes | Iterable[bytes], mode: int = 0o644) -> None:
    """Replace the file at `path` atomically; `content` is on disk before it is visible. Raises OSError."""
    _remove_leftovers(path)
    parts = [content] if isinstance(content, bytes) else content
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.writelines(parts)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(mode)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def read_or_create(path: Path, make: Callable[[], str]) -> str:
    """Return the text in `path`, which the first of the processes that call this makes, for its user alone.

    The file's lock protects it; a file that is still empty counts as missing. Raises OSError.
    """
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+") as file:
        _lock(file.fileno())
        text = file.read().strip()
        if not text:
            text = make()
            file.seek(0)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        return text


def _lock(handle: int) -> None:
    """Lock an open file until it is closed. Raises BlockingIOError after LOCK_WITHIN_S."""
    deadline = time.monotonic() + LOCK_WITHIN_S
    while True:
        try:
            operating_system.lock(handle)
            return
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.005)


def _remove_leftovers(path: Path) -> None:
    """Remove what killed processes have left of `path`: otherwise each would leave one more."""
    oldest = time.time() - LEFT_BEHIND_AFTER_S
    for leftover in path.parent.glob(f".{path.name}.????????"):
        with suppress(FileNotFoundError):  # another process was faster
            if leftover.stat().st_mtime < oldest:
                leftover.unlink()
