"""Connections and transactions."""

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from sqlalchemy import Connection, CursorResult, Engine, Result, event, exc
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session

BUSY_TIMEOUT_MS = 10_000


class Database:
    """Opens transactions on one engine. Safe to share: each transaction has a session of its own.

    `_writer_lock` is held by the one thread of this process that writes to SQLite. Without it, writers would poll
    the file with growing pauses, some for seconds.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._writer_lock = threading.Lock() if engine.dialect.name == "sqlite" else None
        self._writing_engine = engine.execution_options(shop_writes=True)
        # SQLite's readers always see one state; PostgreSQL's must ask for it.
        self._reading_engine = (
            engine
            if engine.dialect.name == "sqlite"
            else engine.execution_options(isolation_level="REPEATABLE READ")
        )
        if engine.dialect.name == "sqlite":
            event.listen(engine, "connect", _prepare_sqlite)
            event.listen(engine, "begin", _begin_sqlite)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Open a consistent view, rolled back at the end."""
        with Session(self._reading_engine) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """Open a transaction: committed where the block returns, rolled back where it raises."""
        with (
            self._writer_turn(),
            Session(self._writing_engine, expire_on_commit=False) as session,
            session.begin(),
        ):
            yield session

    @contextmanager
    def writing_connection(self) -> Iterator[Connection]:
        """Open the same without the ORM, for migrations."""
        with self._writer_turn(), self._writing_engine.begin() as connection:
            yield connection

    @contextmanager
    def _writer_turn(self) -> Iterator[None]:
        """Hold the writer lock. Raises sqlalchemy.exc.TimeoutError after BUSY_TIMEOUT_MS."""
        if self._writer_lock is None:
            yield
            return
        if not self._writer_lock.acquire(timeout=BUSY_TIMEOUT_MS / 1_000):
            raise exc.TimeoutError("the writers of this process are too busy")
        try:
            yield
        finally:
            self._writer_lock.release()


def upsert_into(session: Session, table: type[Any]) -> Any:
    """Return the database's own insert, with `on_conflict_do_nothing` and `on_conflict_do_update`."""
    return (sqlite_insert if session.get_bind().dialect.name == "sqlite" else postgresql_insert)(table)


def updated_one(result: Result[Any]) -> bool:
    """Return whether a conditional update matched exactly one row."""
    return cast("CursorResult[Any]", result).rowcount == 1


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # The driver must not begin transactions itself: it begins them DEFERRED, and a reader that turns writer
    # then overwrites what others committed in between or fails as "locked".
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (f"busy_timeout={BUSY_TIMEOUT_MS}", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
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


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("shop_writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def database_options(url: str, threads: int) -> dict[str, Any]:
    """Return the engine options for `url`: a connection for every thread, and bounded waits."""
    options: dict[str, Any] = {
        "pool_size": threads + 2,
        "max_overflow": 4,
        "pool_timeout": 10,
        "hide_parameters": True,  # errors are logged, and parameters may be personal data
    }
    if url.startswith("postgresql"):
        options |= {"pool_pre_ping": True, "connect_args": {"connect_timeout": 5}}
    return options
