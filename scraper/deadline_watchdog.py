"""Deadlines for whole requests, which socket timeouts do not bound.

A socket timeout bounds one silence: a server that drips a byte now and then holds a worker for ever, and a
cancelled crawl would wait for its slowest response. Shutting the socket down from another thread ends both.
"""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.poolmanager import PoolManager

TICK_S = 0.1

_current = threading.local()
"""Holds the attempt that the thread is making."""


class Attempt:
    """A request under way. Written by its worker, except `timed_out`, which the watchdog alone sets."""

    def __init__(self, deadline: float) -> None:
        self.deadline = deadline  # time.monotonic() seconds
        self.sock: socket.socket | None = None
        self.timed_out = False

    def cut(self) -> None:
        """End the request by shutting its socket down."""
        if self.sock is not None:
            # The plain socket's shutdown: SSLSocket's own would take the TLS state away under the reader.
            with contextlib.suppress(OSError):
                socket.socket.shutdown(self.sock, socket.SHUT_RDWR)


class DeadlineWatchdog:
    """Cut overdue attempts from a thread of its own, and all attempts once `cancelled` or `stopped` is set.

    `cancelled` is the caller's and only read; `stopped` is what the workers wait on.
    `_lock` protects `_attempts`.
    """

    def __init__(self, cancelled: threading.Event, stopped: threading.Event) -> None:
        self._cancelled = cancelled
        self._stopped = stopped
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._attempts: set[Attempt] = set()
        self._thread = threading.Thread(target=self._run, name="scraper-watchdog")
        self._thread.start()

    @contextlib.contextmanager
    def attempt(self, deadline_s: float) -> Iterator[Attempt]:
        """Bound the request that the `with` block makes to `deadline_s` in all."""
        attempt = Attempt(time.monotonic() + deadline_s)
        _current.attempt = attempt
        with self._lock:
            self._attempts.add(attempt)
        try:
            yield attempt
        finally:
            with self._lock:
                self._attempts.discard(attempt)
            _current.attempt = None

    def close(self) -> None:
        self._closed.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._closed.wait(TICK_S):
            if self._cancelled.is_set():
                self._stopped.set()
            now = time.monotonic()
            with self._lock:
                for attempt in self._attempts:
                    attempt.timed_out = attempt.timed_out or now > attempt.deadline
                    if attempt.timed_out or self._stopped.is_set():
                        attempt.cut()


class _WatchedHTTPConnection(HTTPConnection):
    def getresponse(self) -> Any:
        attempt: Attempt | None = getattr(_current, "attempt", None)
        if attempt is not None:
            attempt.sock = self.sock
        return super().getresponse()


class _WatchedHTTPSConnection(_WatchedHTTPConnection, HTTPSConnection):
    pass


class _WatchedHTTPPool(HTTPConnectionPool):
    ConnectionCls = _WatchedHTTPConnection


class _WatchedHTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _WatchedHTTPSConnection


class WatchedAdapter(HTTPAdapter):
    """Requests' adapter over connections that tell the watchdog which socket they read from."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        _watch_pools(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **proxy_kwargs: Any) -> Any:
        return _watch_pools(super().proxy_manager_for(proxy, **proxy_kwargs))


def _watch_pools(manager: PoolManager) -> PoolManager:
    manager.pool_classes_by_scheme = {"http": _WatchedHTTPPool, "https": _WatchedHTTPSPool}
    return manager
