"""A connection to PostgreSQL that waits for no answer without a limit."""

import time
from collections.abc import Callable
from typing import Any, Final, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.pq import TransactionStatus

from app.storage.postgresql import ANSWER_WITHIN_S

_PAUSE_S: Final = 2.0
"""Seconds in which a server that did not answer is not asked again: each request would wait as long for it."""
_GLANCE_PAUSE_S: Final = 10.0
"""The same for those that can't wait, unless others find meanwhile that it answers."""
_MIN_CONNECT_S: Final = 2
"""The shortest that libpq knows."""

T = TypeVar("T")


class Silence:
    """When a server last left a question without an answer; `_began_at` is only ever swapped."""

    _began_at = float("-inf")

    def begin(self) -> None:
        self._began_at = time.monotonic()

    def end(self) -> None:
        self._began_at = float("-inf")

    def check(self, pause_s: float) -> None:
        """Raise psycopg.OperationalError in the first `pause_s` seconds of a silence."""
        if time.monotonic() < self._began_at + pause_s:
            raise psycopg.OperationalError("the server did not answer just now")


class BoundedConnection(psycopg.Connection[Any]):
    """A connection that is closed where the server does not answer: a frozen one keeps none of its own limits."""

    silence: Silence
    answer_within_s: Callable[[], float]

    @classmethod
    def open(
        cls, options: dict[str, Any], silence: Silence, answer_within_s: Callable[[], float]
    ) -> "BoundedConnection":
        """Connect, unless the server was silent just now."""
        in_haste = answer_within_s() <= _MIN_CONNECT_S
        silence.check(_GLANCE_PAUSE_S if in_haste else _PAUSE_S)
        try:
            connection = cls.connect(**options | ({"connect_timeout": _MIN_CONNECT_S} if in_haste else {}))
        except psycopg.errors.ConnectionTimeout:
            silence.begin()
            raise
        silence.end()
        connection.silence, connection.answer_within_s = silence, answer_within_s
        return connection

    def wait(self, gen: PQGen[T], interval: float = 0.1, timeout: float | None = None) -> T:
        """Wait as psycopg does, but never without a limit."""
        within_s = self.answer_within_s() if timeout is None else timeout
        try:
            return super().wait(gen, interval, within_s)
        except psycopg.OperationalError:
            if self.pgconn.transaction_status != TransactionStatus.ACTIVE:
                raise  # the server has answered
            self.pgconn.finish()
            if within_s > ANSWER_WITHIN_S:  # a caller in haste learns nothing of a server that is only slow
                self.silence.begin()
            raise psycopg.OperationalError("the server does not answer") from None
