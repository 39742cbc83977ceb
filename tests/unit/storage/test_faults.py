from __future__ import annotations

import errno
import sqlite3
from pathlib import Path

import pytest
from psycopg import errors as postgresql
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DataError, IntegrityError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as WaitedTooLong

from app.storage.faults import SENTENCES, Fault, fault_of, reason_of


def of_sqlite(code: int, message: str = "what SQLite says") -> OperationalError:
    error = sqlite3.OperationalError(message)
    error.sqlite_errorcode = code
    return OperationalError("SELECT secret", {}, error)


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (of_sqlite(sqlite3.SQLITE_FULL), Fault.DISK_FULL),
        (of_sqlite(sqlite3.SQLITE_READONLY_DBMOVED), Fault.READ_ONLY),
        (of_sqlite(sqlite3.SQLITE_CORRUPT), Fault.CORRUPT),
        (of_sqlite(sqlite3.SQLITE_NOTADB), Fault.CORRUPT),
        (of_sqlite(sqlite3.SQLITE_IOERR_WRITE), Fault.IO_ERROR),
        (of_sqlite(sqlite3.SQLITE_BUSY_SNAPSHOT), Fault.BUSY),
        (of_sqlite(sqlite3.SQLITE_CANTOPEN), Fault.UNREACHABLE),
        (of_sqlite(sqlite3.SQLITE_ERROR, "no such column: livros.nova"), Fault.OTHER_RELEASE),
        (of_sqlite(sqlite3.SQLITE_ERROR, "syntax error"), None),
        (WaitedTooLong("QueuePool limit reached"), Fault.BUSY),
        (OperationalError("SELECT", {}, postgresql.LockNotAvailable()), Fault.BUSY),
        (OperationalError("SELECT", {}, postgresql.QueryCanceled()), Fault.BUSY),
        (OperationalError("SELECT", {}, postgresql.DeadlockDetected()), Fault.BUSY),
        (OperationalError("SELECT", {}, postgresql.TooManyConnections()), Fault.BUSY),
        (OperationalError("SELECT", {}, postgresql.DiskFull()), Fault.DISK_FULL),
        (OperationalError("SELECT", {}, postgresql.ReadOnlySqlTransaction()), Fault.READ_ONLY),
        (OperationalError("SELECT", {}, postgresql.AdminShutdown()), Fault.UNREACHABLE),
        (ProgrammingError("SELECT", {}, postgresql.UndefinedColumn()), Fault.OTHER_RELEASE),
        (OperationalError("", {}, Exception('FATAL: database "x" does not exist')), Fault.REFUSED),
        (OperationalError("", {}, Exception("password authentication failed")), Fault.REFUSED),
        (OperationalError("", {}, Exception("Connection refused")), Fault.UNREACHABLE),
        (OSError(errno.ENOSPC, "No space left on device"), Fault.DISK_FULL),
        (FileNotFoundError(errno.ENOENT, "x"), None),
        (IntegrityError("INSERT", {}, postgresql.UniqueViolation()), None),
        (DataError("INSERT", {}, postgresql.NumericValueOutOfRange()), None),
        (ValueError("x"), None),
    ],
)
def test_an_error_names_what_is_wrong_with_the_database_and_a_bug_nothing(
    error: Exception, fault: Fault | None
) -> None:
    assert fault_of(error) == fault
    assert (reason_of(error) is None) == (fault is None)


def test_a_file_that_is_no_database_is_corrupt(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_bytes(b"not a database " * 1_000)
    engine = create_engine(f"sqlite:///{tmp_path / 'x.db'}")
    with pytest.raises(Exception, match="not a database") as caught, engine.connect() as connection:
        connection.execute(text("SELECT * FROM sqlite_master"))
    assert fault_of(caught.value) is Fault.CORRUPT


def test_each_fault_has_a_sentence_and_its_reason_one_line_without_the_statement() -> None:
    assert set(SENTENCES) == set(Fault)
    assert reason_of(of_sqlite(sqlite3.SQLITE_FULL, "disk full\nLINE 1")) == "disk_full: disk full"
