"""Connections and transactions."""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, TypeVar, cast
from urllib.parse import quote

from sqlalchemy import Connection, CursorResult, Engine, Executable, event
from sqlalchemy import Result as Rows
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import IntegrityError, OperationalError, SQLAlchemyError
from sqlalchemy.orm import Session

from app.storage.faults import LASTING, Fault, fault_of
from app.storage.group_commit import WriterQueue
from app.storage.places import Places
from app.storage.postgresql import CONNECT_ARGUMENTS, allow, answering_within, bound_waits

Result = TypeVar("Result")
Deferred = list[tuple[Executable, dict[str, Any]]]
INSERTS: dict[str, Callable[..., Any]] = {"sqlite": sqlite_insert, "postgresql": postgresql_insert}
"""Each database's own insert, with `on_conflict_do_nothing` and `on_conflict_do_update`."""
BUSY_TIMEOUT_MS = 10_000
WAL_KEPT_BYTES = 64_000_000
MIGRATION_WITHIN_S = 600.0
MAX_DEFERRED = 1_000
"""Deferred statements that wait for the next transaction; beyond, one is made for them."""


class Database:
    """Opens transactions on one engine. Safe to share.

    `_writers` orders the threads of this process that write to SQLite. Without it, writers would poll the file with
    growing pauses, some for seconds. `_deferred_lock` protects `_deferred`. `write_fault`, which is only ever swapped,
    is what the last write failed of, where such a fault does not pass by itself; so is `_inode`, SQLite's file.
    """

    def __init__(self, engine: Engine, places: Places | None = None) -> None:
        """Let request threads work only in one of `places`, if any are given."""
        self.engine = engine
        self.places = places or Places(1)  # no thread was told that it needs one
        self.write_fault: Fault | None = None
        self.file = Path(str(engine.url.database)) if engine.dialect.name == "sqlite" else None
        """SQLite's file; None where the database is PostgreSQL's."""
        self._inode: int | None = None
        self._writers = (
            WriterQueue(self._batch, BUSY_TIMEOUT_MS / 1_000) if engine.dialect.name == "sqlite" else None
        )
        self._deferred: Deferred = []
        self._deferred_lock = threading.Lock()
        # SQLite's readers always see one state; PostgreSQL's must ask for it.
        self._reading_engine = (
            engine
            if engine.dialect.name == "sqlite"
            else engine.execution_options(isolation_level="REPEATABLE READ")
        )
        if engine.dialect.name == "sqlite":
            event.listen(engine, "do_connect", self._open_existing)
            event.listen(engine, "connect", _prepare_sqlite)
        else:
            bound_waits(engine)

    @contextmanager
    def reading(self, within_s: float | None = None) -> Iterator[Session]:
        """Open a consistent view, rolled back at the end; PostgreSQL may take `within_s` for each answer."""
        with self.places, answering_within(within_s), Session(self._reading_engine) as session:
            self._begin(session, "BEGIN", within_s)
            yield session

    @contextmanager
    def writing(self, within_s: float | None = None) -> Iterator[Session]:
        """Open a transaction: committed where the block returns, rolled back where it raises.

        PostgreSQL may take `within_s` for each lock and answer.
        """
        with (
            self.places,
            answering_within(within_s),
            self._writer_turn(),
            self._transaction(within_s) as session,
        ):
            yield session

    def now(self, session: Session) -> datetime:
        """Return the time by the clock that all processes of the shop share: PostgreSQL's, or this machine's."""
        if self.engine.dialect.name == "sqlite":
            return datetime.now(UTC)
        now = session.connection().exec_driver_sql("SELECT clock_timestamp()").scalar_one()
        return cast(datetime, now).astimezone(UTC)

    def write(self, work: Callable[[Session], Result]) -> Result:
        """Return the result of `work`, a few statements, once they are durable; nothing is left where it raises.

        SQLite commits the work of several threads together, run in one of them: `work` may wait for nothing, and
        writes by statements. An object added to the session that can't be stored would take the others' work with it.
        """
        with self.places:
            if self._writers is not None:
                return self._writers.run(work)
            with self._batch() as session:
                return work(session)

    def execute_later(self, statement: Executable, parameters: dict[str, Any]) -> None:
        """Execute `statement` at the end of the next `write`, in its transaction; lost if the process dies before."""
        with self._deferred_lock:
            self._deferred.append((statement, parameters))
            full = len(self._deferred) >= MAX_DEFERRED
        if full:
            self.flush()

    def flush(self) -> None:
        """Execute now what was to be executed later."""
        if self._deferred:
            self.write(lambda _session: None)

    @contextmanager
    def writing_connection(self) -> Iterator[Connection]:
        """Open the same without the ORM, for migrations."""
        with (
            answering_within(MIGRATION_WITHIN_S),
            self._writer_turn(),
            self.engine.begin() as connection,
        ):
            begin(connection, "BEGIN IMMEDIATE")
            if connection.dialect.name == "postgresql":
                allow(connection, MIGRATION_WITHIN_S)
            yield connection

    def _writer_turn(self) -> AbstractContextManager[None]:
        """Hold the writer's turn. Raises sqlalchemy.exc.TimeoutError after BUSY_TIMEOUT_MS."""
        return nullcontext() if self._writers is None else self._writers.turn()

    @contextmanager
    def _transaction(self, within_s: float | None = None) -> Iterator[Session]:
        try:
            with Session(self.engine, expire_on_commit=False) as session, session.begin():
                self._begin(session, "BEGIN IMMEDIATE", within_s)
                yield session
        except SQLAlchemyError as error:
            fault = fault_of(error)
            if fault in LASTING:
                self.write_fault = fault
            raise
        self.write_fault = None

    def _begin(self, session: Session, statement: str, within_s: float | None) -> None:
        if self.file is not None:
            self._check_file(self.file)
        begin(session.connection(), statement)
        if within_s is not None and self.engine.dialect.name == "postgresql":
            allow(session, within_s)

    def _check_file(self, path: Path) -> None:
        """Raise OperationalError where SQLite's file is gone or another: what open connections write would be lost.

        A new connection is refused then too: see `_open_existing`.
        """
        try:
            inode = path.stat().st_ino
        except OSError:
            inode = None
        if self._inode is None:
            self._inode = inode
        elif inode != self._inode:
            gone = sqlite3.OperationalError("the database's file was moved or replaced")
            raise OperationalError("BEGIN", {}, gone)

    def _open_existing(self, _dialect: object, _record: object, arguments: list[Any], options: Any) -> None:
        """Have SQLite open the file that is there, rather than make an empty one after it was moved."""
        if self._inode is not None:
            arguments[0] = f"file:{quote(str(self.file))}?mode=rw"
            options["uri"] = True

    @contextmanager
    def _batch(self) -> Iterator[Session]:
        """Open a transaction that also executes what was deferred; what fails is deferred again."""
        deferred: Deferred = []
        try:
            with self._transaction() as session:
                yield session
                with self._deferred_lock:
                    deferred, self._deferred = self._deferred, []
                for statement, rows in groupby(deferred, key=itemgetter(0)):
                    session.connection().execute(statement, [parameters for _, parameters in rows])
        except IntegrityError:
            raise  # a row that breaks the table's rules would do so again, in every transaction
        except BaseException:
            with self._deferred_lock:
                self._deferred = deferred + self._deferred
            raise


def upsert_into(session: Session, table: type[Any]) -> Any:
    """Return the database's own insert, with `on_conflict_do_nothing` and `on_conflict_do_update`."""
    return INSERTS[session.get_bind().dialect.name](table)


def updated_one(result: Rows[Any]) -> bool:
    """Return whether a conditional update matched exactly one row."""
    return cast("CursorResult[Any]", result).rowcount == 1


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # The driver must not begin transactions itself: it begins them DEFERRED, and a reader that turns writer
    # then overwrites what others committed in between or fails as "locked".
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (f"busy_timeout={BUSY_TIMEOUT_MS}", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    # A publication or a long reader lets the WAL grow; without a limit it would keep that size for ever.
    cursor.execute(f"PRAGMA journal_size_limit={WAL_KEPT_BYTES}")
    _enable_wal(cursor)
    cursor.close()


def _enable_wal(cursor: Any) -> None:
    """Turn a new file to WAL; SQLite doesn't wait for another process that is doing so."""
    deadline = time.monotonic() + BUSY_TIMEOUT_MS / 1_000
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def begin(connection: Connection, statement: str) -> None:
    """Begin SQLite's transaction, which its driver was told to leave to us.

    An event of the engine could do this, but its mere presence makes every statement a third dearer.
    """
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(statement)


def database_options(url: str, threads: int) -> dict[str, Any]:
    """Return the engine options for `url`: a connection for every thread, and bounded waits."""
    options: dict[str, Any] = {
        "pool_size": threads + 2,
        "max_overflow": 8,  # the background's, and the payments' own
        "pool_timeout": 10,
        "hide_parameters": True,  # errors are logged, and parameters may be personal data
    }
    if url.startswith("postgresql"):
        options |= {"pool_pre_ping": True, "connect_args": dict(CONNECT_ARGUMENTS)}
    return options
