"""Atomic replacement of files."""

import os
import tempfile
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

LEFT_BEHIND_AFTER_S = 3_600.0


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


def _remove_leftovers(path: Path) -> None:
    """Remove what killed processes have left of `path`: otherwise each would leave one more."""
    oldest = time.time() - LEFT_BEHIND_AFTER_S
    for leftover in path.parent.glob(f".{path.name}.????????"):
        with suppress(FileNotFoundError):  # another process was faster
            if leftover.stat().st_mtime < oldest:
                leftover.unlink()
