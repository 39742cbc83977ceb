"""Whole SQLite files: copied, checked and replaced."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from operating_system import sync_folder

_TIMEOUT_S = 10
_COMPANIONS = ("-wal", "-shm", "-journal")
"""Files beside a database that are a part of it."""


def copy_file(source: Path, target: Path) -> None:
    """Copy one consistent state of `source`, which others may write to, into an empty file. Raises sqlite3.Error."""
    with closing(_connect(source)) as origin, closing(_connect(target)) as copy:
        origin.backup(copy)


def seal(file: Path) -> None:
    """Put all of a database that nothing has open into its one file. Raises sqlite3.Error."""
    with closing(_connect(file)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")


def find_faults(file: Path) -> list[str]:
    """Return what SQLite finds wrong. Raises sqlite3.DatabaseError where the file is no database."""
    with closing(_connect(file)) as connection:
        faults = [row[0] for row in connection.execute("PRAGMA integrity_check") if row[0] != "ok"]
        for table, row_id, parent, _ in connection.execute("PRAGMA foreign_key_check"):
            faults.append(f"{table}, linha {row_id}: não existe em {parent}")
        return faults


@contextmanager
def held_alone(file: Path) -> Iterator[bool]:
    """Keep others out of a database; yield False where one is in it. A file that is broken can't be held."""
    with closing(_connect(file, timeout_s=0)) as connection:
        try:
            connection.execute(
                "PRAGMA journal_mode=DELETE"
            )  # what every other connection, idle too, prevents
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.DatabaseError as error:
            yield error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
        else:
            yield True


def put_in_place(new: Path, file: Path, old: Path | None = None) -> Path | None:
    """Replace `file` by `new` at once: a crash leaves one or the other.

    Keeps what was there as `old`, and returns that where there was something. Raises OSError.
    """
    with new.open("rb+") as whole:
        os.fsync(whole.fileno())
    kept = old if file.exists() else None
    if kept is not None:
        os.link(file, kept)
        for companion in _COMPANIONS:
            path = Path(f"{file}{companion}")
            if path.exists():
                path.rename(f"{kept}{companion}")
    new.replace(file)
    sync_folder(file.absolute().parent)
    return kept


def _connect(file: Path, timeout_s: float = _TIMEOUT_S) -> sqlite3.Connection:
    """Open a file that exists."""
    uri = f"file:{quote(str(file.absolute()))}?mode=rw"
    return sqlite3.connect(uri, uri=True, timeout=timeout_s, isolation_level=None)
