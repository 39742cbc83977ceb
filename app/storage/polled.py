"""Values that every process reads from the database again and again."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar, cast

from sqlalchemy.exc import SQLAlchemyError

from app.storage.faults import log_failure
from app.storage.postgresql import answering_within

log = logging.getLogger(__name__)

T = TypeVar("T")

CHECK_EVERY_S = 0.5
"""Seconds between two looks at the database, unless a caller sets others."""
READER_WAITS_S = 1.0
"""Seconds that a reader who looks waits for each answer of the database; a value is there already."""


class Polled(Generic[T]):
    """A value that is compared with the database every `every_s` seconds and replaced as a whole.

    Readers need no lock, since `_value` is only ever swapped. `_loading` lets one thread at a time ask the
    database, while the others go on with the present value; only before the first value do they wait. Where a thread
    watches, readers never ask: it may hang as long as the database does.
    """

    def __init__(
        self,
        load: Callable[[T | None], T],
        failure_event: str,
        every_s: float = CHECK_EVERY_S,
        initial: T | None = None,
    ) -> None:
        """`load` receives the present value and returns it if it is still right; failed checks log `failure_event`."""
        self._load = load
        self._failure_event = failure_event
        self._every_s = every_s
        self._value = initial
        self._checked_at = float("-inf")
        self._loading = threading.Lock()
        self._watched = False

    def current(self) -> T:
        """Return the value, at most `every_s` seconds late while the database answers.

        A failed check is logged and keeps the value; without one, raises what `load` raised.
        """
        if self._value is None:
            self._look(self._is_due)
        elif not self._watched and self._is_due():
            with answering_within(READER_WAITS_S):
                self._look(self._is_due)
        return cast(T, self._value)

    def watch(self) -> None:
        """Compare the value with the database before it is due, so that no reader has to. Failures are logged."""
        self._watched = True
        self._look(lambda: True)

    def _look(self, is_wanted: Callable[[], bool]) -> None:
        """Reload where that is wanted, unless another thread does."""
        if self._loading.acquire(blocking=self._value is None):
            try:
                if is_wanted():
                    self._reload()
            except SQLAlchemyError as error:
                if self._value is None:
                    raise
                log_failure(log, self._failure_event, error)
            finally:
                if self._value is not None:  # also after a failure: the next look waits for its time
                    self._checked_at = time.monotonic()
                self._loading.release()

    def refresh(self) -> T:
        """Load the value now. Raises SQLAlchemyError."""
        return self.ensure(lambda _value: False)

    def ensure(self, is_recent: Callable[[T], bool]) -> T:
        """Return a value that was loaded just now, unless the present one `is_recent`. Raises SQLAlchemyError."""
        if self._value is None or not is_recent(self._value):
            with self._loading:
                if self._value is None or not is_recent(self._value):
                    self._reload()
        return cast(T, self._value)

    def _is_due(self) -> bool:
        return self._value is None or time.monotonic() - self._checked_at > self._every_s

    def _reload(self) -> None:
        self._value = self._load(self._value)
        self._checked_at = time.monotonic()
