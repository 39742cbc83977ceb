"""Why a database can't serve, told by the errors of its driver."""

import errno
import logging
import sqlite3
from enum import StrEnum

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as WaitedTooLong


class Fault(StrEnum):
    """What is wrong, by its name in the log."""

    DISK_FULL = "disk_full"
    READ_ONLY = "read_only"
    CORRUPT = "corrupt"
    IO_ERROR = "io_error"
    BUSY = "busy"
    REFUSED = "refused"
    OTHER_RELEASE = "other_release"
    UNREACHABLE = "unreachable"


SENTENCES = {
    Fault.DISK_FULL: "O disco está cheio: nada pode ser gravado até que haja espaço.",
    Fault.READ_ONLY: "O banco de dados só aceita leituras.",
    Fault.CORRUPT: "O arquivo do banco de dados está corrompido: restaure um backup.",
    Fault.IO_ERROR: "O disco do banco de dados falhou.",
    Fault.BUSY: "O banco de dados está ocupado: outro trabalho o mantém bloqueado.",
    Fault.REFUSED: "O servidor do banco de dados recusou o acesso: confira usuário, senha e banco em DATABASE_URL.",
    Fault.OTHER_RELEASE: "O banco de dados é de outra versão da Livraria, mais nova: atualize o programa.",
    Fault.UNREACHABLE: "O banco de dados não responde.",
}
"""What each means, without a path, a statement or an address."""
LASTING = (Fault.DISK_FULL, Fault.READ_ONLY, Fault.CORRUPT, Fault.IO_ERROR)
"""Faults of writes that do not pass by themselves."""

_SQLITE = {
    sqlite3.SQLITE_FULL: Fault.DISK_FULL,
    sqlite3.SQLITE_READONLY: Fault.READ_ONLY,
    sqlite3.SQLITE_CORRUPT: Fault.CORRUPT,
    sqlite3.SQLITE_NOTADB: Fault.CORRUPT,
    sqlite3.SQLITE_IOERR: Fault.IO_ERROR,
    sqlite3.SQLITE_BUSY: Fault.BUSY,
    sqlite3.SQLITE_LOCKED: Fault.BUSY,
    sqlite3.SQLITE_CANTOPEN: Fault.UNREACHABLE,
}
_PRIMARY_CODE = 0xFF
_OTHER_TABLES = ("no such table", "no such column", "has no column named")
"""What SQLite says, without a code, where another release has made the tables."""
_POSTGRESQL = {
    "53100": Fault.DISK_FULL,
    "25006": Fault.READ_ONLY,
    "XX001": Fault.CORRUPT,
    "XX002": Fault.CORRUPT,
    "58030": Fault.IO_ERROR,
    "42P01": Fault.OTHER_RELEASE,  # no such table
    "42703": Fault.OTHER_RELEASE,  # no such column
    "3D000": Fault.REFUSED,
    "28": Fault.REFUSED,
    "40": Fault.BUSY,
    "53": Fault.BUSY,
    "55": Fault.BUSY,
    "57014": Fault.BUSY,  # a statement or a lock took too long
    "57": Fault.UNREACHABLE,
    "08": Fault.UNREACHABLE,
}
"""Faults by SQLSTATE, or by its class where no code is listed."""
_REFUSALS = ("authentication failed", "does not exist", "no pg_hba.conf entry", "no password supplied")
"""What PostgreSQL says to a client that it does not let in, without a SQLSTATE that reaches us."""


def fault_of(error: BaseException) -> Fault | None:
    """Return why the database can't serve; None where `error` tells nothing of the kind."""
    if isinstance(error, OSError):
        return Fault.DISK_FULL if error.errno in (errno.ENOSPC, errno.EDQUOT) else None
    if isinstance(error, WaitedTooLong):
        return Fault.BUSY
    if not isinstance(error, DBAPIError):
        return None
    code = getattr(error.orig, "sqlite_errorcode", None)
    if code is not None:
        if code == sqlite3.SQLITE_ERROR and any(text in str(error.orig) for text in _OTHER_TABLES):
            return Fault.OTHER_RELEASE
        return _SQLITE.get(code & _PRIMARY_CODE)
    state = getattr(error.orig, "sqlstate", None) or ""
    fault = _POSTGRESQL.get(state) or _POSTGRESQL.get(state[:2])
    if fault is not None or state:
        return fault
    if not (isinstance(error, OperationalError | InterfaceError) or error.connection_invalidated):
        return None
    text = str(error.orig)
    return Fault.REFUSED if any(refusal in text for refusal in _REFUSALS) else Fault.UNREACHABLE


def reason_of(error: BaseException) -> str | None:
    """Return a line about such an error for the log; None where only its traceback tells."""
    fault = fault_of(error)
    if fault is None:
        return None
    lines = str(getattr(error, "orig", None) or error).strip().splitlines()
    return f"{fault}: {lines[0] if lines else type(error).__name__}"


def log_failure(log: logging.Logger, event: str, error: BaseException, **fields: str | int) -> None:
    """Log an error; in one line where the database can't serve, which needs no traceback."""
    reason = reason_of(error)
    if reason is None:
        log.error(event, extra=fields, exc_info=error)
    else:
        log.error(event, extra=fields | {"reason": reason})
