"""How many request threads may work on the database at once."""

import threading
import time
from types import TracebackType
from typing import Final

from sqlalchemy import exc

STALLED_AFTER_S: Final = 0.75
MAX_WAIT_S: Final = 10.0
_LOOK_EVERY_S: Final = 0.1


def places_for(threads: int) -> int:
    """Return how many of a process' `threads` may work on the database: what needs none always finds another."""
    return max(1, threads // 2, threads - 8)


class _Thread(threading.local):
    is_limited = False
    depth = 0


class Places:
    """A number of places for request threads, as a context manager; other threads need none.

    A thread waits for a place as long as others come and go. Where none has for STALLED_AFTER_S, the database stands
    still: it is refused at once, since the threads that wait would soon be all. `_free` counts under its own lock,
    `_changed_at` is only ever swapped, and `_thread` is each thread's own.
    """

    def __init__(self, number: int) -> None:
        self._free = threading.Semaphore(number)
        self._changed_at = time.monotonic()
        self._thread = _Thread()

    def limit_this_thread(self) -> None:
        """Let this thread, which serves requests, work on the database only in a place."""
        self._thread.is_limited = True

    def __enter__(self) -> None:
        """Take a place, unless this thread has one. Raises sqlalchemy.exc.TimeoutError."""
        thread = self._thread
        if not thread.is_limited:
            return
        if thread.depth == 0:
            if not self._free.acquire(blocking=False):
                self._wait()
            self._changed_at = time.monotonic()
        thread.depth += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        thread = self._thread
        if not thread.is_limited:
            return
        thread.depth -= 1
        if thread.depth == 0:
            self._changed_at = time.monotonic()
            self._free.release()

    def _wait(self) -> None:
        deadline = time.monotonic() + MAX_WAIT_S
        while time.monotonic() < min(deadline, self._changed_at + STALLED_AFTER_S):
            if self._free.acquire(timeout=_LOOK_EVERY_S):
                return
        raise exc.TimeoutError("the database stands still, and other requests wait for it already")
