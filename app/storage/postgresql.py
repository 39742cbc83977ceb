"""Limits of every wait for PostgreSQL, on both sides."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.orm import Session

CONNECT_WITHIN_S: Final = 5
LOCK_WITHIN_S: Final = 5
ANSWER_WITHIN_S: Final = 10
_MARGIN_S: Final = 2
"""Seconds after the server's own limit at which we no longer wait for it to say so."""
CONNECT_ARGUMENTS: Final = {
    "connect_timeout": CONNECT_WITHIN_S,
    # What the server itself gives up, and a forgotten transaction that holds locks.
    "options": f"-c lock_timeout={LOCK_WITHIN_S}s -c statement_timeout={ANSWER_WITHIN_S}s "
    "-c idle_in_transaction_session_timeout=60s",
    # A network that was cut, in milliseconds and seconds.
    "tcp_user_timeout": 10_000,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
}

_answer_within_s: ContextVar[float] = ContextVar("answer_within_s", default=ANSWER_WITHIN_S + _MARGIN_S)


def bound_waits(engine: Engine) -> None:
    """Have `engine` open connections that wait for no answer without a limit."""
    # Imported here: a shop on SQLite needs no driver of PostgreSQL.
    from app.storage.bounded_connection import BoundedConnection, Silence

    silence = Silence()

    def connect(_dialect: object, _record: object, _arguments: object, options: dict[str, Any]) -> object:
        return BoundedConnection.open(options, silence, _answer_within_s.get)

    event.listen(engine, "do_connect", connect)


@contextmanager
def answering_within(seconds: float | None) -> Iterator[None]:
    """Wait for each answer at most `seconds` in this block; as long as usual for None."""
    if seconds is None:
        yield
        return
    token = _answer_within_s.set(seconds)
    try:
        yield
    finally:
        _answer_within_s.reset(token)


def allow(session: Session | Connection, seconds: float) -> None:
    """Let the server take more than usual, up to `seconds`, for each lock and statement of this transaction."""
    if seconds > ANSWER_WITHIN_S + _MARGIN_S:
        limits = (
            "SELECT set_config('lock_timeout', :limit, true), set_config('statement_timeout', :limit, true)"
        )
        session.execute(text(limits), {"limit": f"{seconds - _MARGIN_S:.0f}s"})
