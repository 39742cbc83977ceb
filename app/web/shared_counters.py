"""The counters of the rate limits in a file that the workers of one machine share."""

import sqlite3
import tempfile
import threading
import time
from collections.abc import Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from limits.storage import Storage

MAX_COUNTERS = 50_000
"""Counters that a storage of ours keeps, of some 250 bytes each: a client with very many addresses, which makes as many
counters, takes no more memory. The oldest are forgotten."""
WAIT_S = 0.25
"""Limit of each wait for another worker, or for Redis."""
_PURGE_EVERY = 1_000


class SharedStorage(Storage):
    """Counters in a SQLite file that the workers of one machine share, in memory where the machine has `/dev/shm`.

    `_lock` protects the connection, the file's own lock the counters. Nothing is synced, since they need not outlive
    the machine; a worker that is killed leaves the file whole.
    """

    STORAGE_SCHEME = ["shared"]
    _INCREMENT = """
        INSERT INTO counter (key, hits, ends_at) VALUES (:key, :amount, :now + :expiry)
        ON CONFLICT (key) DO UPDATE SET
            hits = CASE WHEN ends_at > :now THEN hits + :amount ELSE :amount END,
            ends_at = CASE WHEN ends_at > :now THEN ends_at ELSE :now + :expiry END
        RETURNING hits
    """
    _FORGET = """
        DELETE FROM counter WHERE ends_at <= :now
        OR key IN (SELECT key FROM counter ORDER BY ends_at DESC LIMIT -1 OFFSET :kept)
    """

    def __init__(self, path: Path, max_counters: int = MAX_COUNTERS) -> None:
        super().__init__()
        self._max_counters = max_counters
        self._increments = 0
        self._lock = threading.Lock()
        _create(path)
        self._connection = _connect(path)

    def __del__(self) -> None:
        if hasattr(self, "_connection"):  # the file may have been refused
            self._connection.close()

    @property
    def base_exceptions(self) -> type[Exception]:
        return sqlite3.Error

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        values = {"key": key, "amount": amount, "now": time.monotonic(), "expiry": expiry}
        ((hits,),) = self._execute(self._INCREMENT, values)
        self._increments += 1
        if self._increments % _PURGE_EVERY == 0:
            self._execute(self._FORGET, {"now": time.monotonic(), "kept": self._max_counters})
        return int(hits)

    def get(self, key: str) -> int:
        return int(self._window(key)[0])

    def get_expiry(self, key: str) -> float:
        return time.time() + self._window(key)[1]

    def _window(self, key: str) -> tuple[int, float]:
        """Return the count and the seconds until its end."""
        now = time.monotonic()
        rows = self._execute(
            "SELECT hits, ends_at - :now FROM counter WHERE key = :key", {"key": key, "now": now}
        )
        return rows[0] if rows and rows[0][1] > 0 else (0, 0.0)

    def check(self) -> bool:
        return True

    def reset(self) -> int | None:
        return len(self._execute("DELETE FROM counter RETURNING 1"))

    def clear(self, key: str) -> None:
        self._execute("DELETE FROM counter WHERE key = :key", {"key": key})

    def _execute(self, statement: str, values: Mapping[str, Any] | None = None) -> list[Any]:
        """Return the rows of one transaction. Raises sqlite3.Error, also where other threads take too long."""
        if not self._lock.acquire(timeout=WAIT_S):
            raise sqlite3.OperationalError("busy")
        try:
            return self._connection.execute(statement, values or {}).fetchall()
        finally:
            self._lock.release()


def _create(path: Path) -> None:
    """Make the file where there is none yet: whole at once, since two workers may come together."""
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        new = Path(folder) / path.name
        with closing(_connect(new)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(
                "CREATE TABLE counter (key TEXT PRIMARY KEY, hits INTEGER, ends_at REAL) WITHOUT ROWID"
            )
        with suppress(FileExistsError):
            path.hardlink_to(new)


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=WAIT_S, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA synchronous = OFF")
    return connection
