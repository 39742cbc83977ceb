"""The filter that selects records of the log."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, Final

import orjson

from app.observability.logs.masking import in_one_line

_OUT_OF_ORDER: Final = timedelta(minutes=1)
"""How much older than the line before it a line may be: processes write when they get to it."""
_EXACT_KEYS: Final = ("levelname", "route", "user", "request_id")


@dataclass(frozen=True, kw_only=True)
class LogFilter:
    """Conditions that must all hold; one that is None always does.

    `status` is exact, such as `404`, or a class, such as `4xx`. `text` is a literal part of any text of the record.
    `since` is included, `until` is not.
    """

    levelname: str | None = None
    status: str | None = None
    route: str | None = None
    user: int | None = None
    request_id: str | None = None
    text: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def matches(self, line: bytes) -> bool:
        """Return whether `line`, as it was written, is a record that matches."""
        record = parse(line) if self.may_match(line) else None
        return record is not None and self._selects(record)

    def may_match(self, text: bytes) -> bool:
        """Return False where no line of `text` can match, which is seen without parsing it."""
        return all(word in text for word in self._words)

    def excludes_from(self, at: datetime | None) -> bool:
        """Return whether no line that follows one written at `at` can match."""
        return at is not None and self.until is not None and at - _OUT_OF_ORDER >= self.until

    def excludes_until(self, at: datetime | None) -> bool:
        """Return whether no line that precedes one written at `at` can match."""
        return at is not None and self.since is not None and at < self.since - _OUT_OF_ORDER

    @cached_property
    def _words(self) -> list[bytes]:
        """What the shop writes into every line that matches."""
        exact = ((key, getattr(self, key)) for key in _EXACT_KEYS)
        words = [f'"{key}":{_as_written(value)}' for key, value in exact if value is not None]
        if self.status is not None:
            words.append(f'"status":{self.status.removesuffix("xx")}')
        if self.text is not None:
            words.append(_as_written(self.text)[1:-1])
        return [word.encode() for word in words]

    def _selects(self, record: dict[str, Any]) -> bool:
        return (
            all(getattr(self, key) in (None, record.get(key)) for key in _EXACT_KEYS)
            and (self.status is None or str(record.get("status")).startswith(self.status.removesuffix("xx")))
            and (
                self.text is None
                or any(self.text in text for text in record.values() if isinstance(text, str))
            )
            and self._includes(_timestamp(record))
        )

    def _includes(self, at: datetime | None) -> bool:
        if at is None:
            return self.since is None and self.until is None
        return (self.since is None or at >= self.since) and (self.until is None or at < self.until)


def parse(line: bytes) -> dict[str, Any] | None:
    """Return the record on `line`, or None where it is torn or no JSON object."""
    if not line.startswith(b"{"):
        return None
    try:
        record = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return record if isinstance(record, dict) else None


def written_at(line: bytes) -> datetime | None:
    """Return the timestamp of the record on `line`, or None where there is none."""
    return _timestamp(parse(line) or {})


def _timestamp(record: dict[str, Any]) -> datetime | None:
    try:
        timestamp = datetime.fromisoformat(str(record.get("timestamp")))
    except ValueError:
        return None
    return timestamp if timestamp.tzinfo is not None else timestamp.replace(tzinfo=UTC)


def _as_written(value: str | int) -> str:
    """Return `value` as a line of the log has it."""
    return in_one_line(orjson.dumps(value).decode())
