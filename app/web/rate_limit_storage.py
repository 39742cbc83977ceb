"""Where the counters of the rate limits are: in this process, in a file of the machine's workers, or in Redis."""

import logging
import os
import sqlite3
import threading
import time
from pathlib import Path
from typing import Any

from limits.storage import RedisStorage, Storage

from app.observability.shared_folder import FOLDER_VARIABLE
from app.settings import Settings
from app.web.shared_counters import MAX_COUNTERS, WAIT_S, SharedStorage

log = logging.getLogger(__name__)

AWAY_S = 10.0
"""Seconds in which a storage that failed is not asked again."""
_FILE = "rate-limits.sqlite"  # not .db, which prometheus_client takes for its own in this folder


def make_storage(settings: Settings) -> Storage:
    """Return the storage that RATELIMIT_STORAGE_URI names: without one, that of this machine's workers."""
    if settings.ratelimit_storage_uri:
        # Imported for shops that have a Redis: a tenth of a second.
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        options: dict[str, Any] = {
            "socket_timeout": WAIT_S,
            "socket_connect_timeout": WAIT_S,
            "retry": Retry(NoBackoff(), 1),  # once, for a connection that Redis closed since its last use
        }
        redis: Storage = RedisStorage(settings.ratelimit_storage_uri, key_prefix="livraria", **options)
        return ForgivingStorage(redis)
    folder = os.environ.get(FOLDER_VARIABLE)
    if settings.web_workers > 1 and folder:
        try:
            return ForgivingStorage(SharedStorage(Path(folder) / _FILE))
        except (OSError, sqlite3.Error) as error:  # such as a full /dev/shm
            log.warning("rate_limits_not_shared", extra={"reason": type(error).__name__})
    return LocalStorage()


class LocalStorage(Storage):
    """Counters in the memory of this process, whose number is bounded, unlike that of the library's own.

    `_lock` protects `_windows`: for each key its count and the time when it ends, those counted last at the end.
    """

    STORAGE_SCHEME = ["local"]

    def __init__(self, uri: str | None = None, max_counters: int = MAX_COUNTERS) -> None:
        super().__init__(uri)
        self._max_counters = max_counters
        self._windows: dict[str, tuple[int, float]] = {}
        self._lock = threading.Lock()

    @property
    def base_exceptions(self) -> type[Exception] | tuple[type[Exception], ...]:
        return ()

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        now = time.monotonic()
        with self._lock:
            count, ends_at = self._windows.pop(key, (0, 0.0))
            if ends_at <= now:
                count, ends_at = 0, now + expiry
                self._forget(now)
            self._windows[key] = count + amount, ends_at
        return count + amount

    def _forget(self, now: float) -> None:
        """Make room for a new counter, the caller having the lock."""
        while self._windows:
            first = next(iter(self._windows))
            if len(self._windows) < self._max_counters and self._windows[first][1] > now:
                return
            del self._windows[first]

    def get(self, key: str) -> int:
        count, ends_at = self._windows.get(key, (0, 0.0))
        return count if ends_at > time.monotonic() else 0

    def get_expiry(self, key: str) -> float:
        now = time.monotonic()
        return time.time() + self._windows.get(key, (0, now))[1] - now

    def check(self) -> bool:
        return True

    def reset(self) -> int | None:
        with self._lock:
            forgotten, self._windows = len(self._windows), {}
        return forgotten

    def clear(self, key: str) -> None:
        with self._lock:
            self._windows.pop(key, None)


class ForgivingStorage(Storage):
    """Counters of `shared`, or of this process alone while that is away: a limit must not stop the shop.

    A storage that failed is not asked for AWAY_S seconds, then by one request. Threads share `_is_away` and
    `_asked_at` without a lock: at worst, two ask.
    """

    STORAGE_SCHEME = ["forgiving"]

    def __init__(self, shared: Storage) -> None:
        super().__init__()
        self._shared = shared
        self._local = LocalStorage()
        self._is_away = False
        self._asked_at = 0.0

    @property
    def base_exceptions(self) -> tuple[type[Exception], ...]:
        return ()

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        return int(self._ask("incr", key, int(expiry), amount))

    def get(self, key: str) -> int:
        return int(self._ask("get", key))

    def get_expiry(self, key: str) -> float:
        return float(self._ask("get_expiry", key))

    def check(self) -> bool:
        return not self._is_away

    def reset(self) -> int | None:
        self._local.reset()
        return self._shared.reset()

    def clear(self, key: str) -> None:
        self._ask("clear", key)

    def _ask(self, method: str, *arguments: Any) -> Any:
        if not self._is_away or time.monotonic() - self._asked_at > AWAY_S:
            self._asked_at = time.monotonic()
            try:
                answer = getattr(self._shared, method)(*arguments)
            except self._shared.base_exceptions as error:
                self._note(is_away=True, reason=type(error).__name__)
            else:
                self._note(is_away=False)
                return answer
        return getattr(self._local, method)(*arguments)

    def _note(self, *, is_away: bool, reason: str | None = None) -> None:
        was_away, self._is_away = self._is_away, is_away
        if is_away and not was_away:
            # The class of the error alone: its message may hold an address with a password.
            log.warning("rate_limits_not_shared", extra={"reason": reason})
        elif was_away and not is_away:
            log.info("rate_limits_shared_again")
