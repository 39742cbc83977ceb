"""Which lines of the log are asked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import orjson

from app.observability.logs.masking import in_one_line

_OUT_OF_ORDER: Final = timedelta(minutes=1)
"""By how much a line may be older than one before it: processes write when they get to it."""
_SAME: Final = ("levelname", "route", "user", "request_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFilter:
    """Which lines are wanted; what is None or empty doesn't matter, and the rest must all match.

    `status` is exact, such as `404`, or a class, such as `4xx`. `text` is a literal part of any text of the line.
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

    def words(self) -> list[bytes]:
        """What a line must hold to be wanted, as the shop writes it: most need not be parsed to see that."""
        same = {name: getattr(self, name) for name in _SAME}
        words = [f'"{name}":{_written(value)}' for name, value in same.items() if value is not None]
        if self.status is not None:
            words.append(f'"status":{self.status.removesuffix("xx")}')
        if self.text is not None:
            words.append(_written(self.text)[1:-1])
        return [word.encode() for word in words]

    def admits(self, line: dict[str, Any]) -> bool:
        """Whether `line` is wanted."""
        return (
            all(getattr(self, name) in (None, line.get(name)) for name in _SAME)
            and (self.status is None or str(line.get("status")).startswith(self.status.removesuffix("xx")))
            and (
                self.text is None or any(self.text in each for each in line.values() if isinstance(each, str))
            )
            and self._includes(_moment(line))
        )

    def may_be_after(self, began_at: datetime) -> bool:
        """Whether a line that is wanted may follow one that was written at `began_at`."""
        return self.until is None or began_at - _OUT_OF_ORDER < self.until

    def may_be_before(self, began_at: datetime) -> bool:
        """Whether a line that is wanted may precede one that was written at `began_at`."""
        return self.since is None or began_at >= self.since - _OUT_OF_ORDER

    def _includes(self, at: datetime | None) -> bool:
        if at is None:
            return self.since is None and self.until is None
        return (self.since is None or at >= self.since) and (self.until is None or at < self.until)


def parse(line: bytes) -> dict[str, Any] | None:
    """The object that `line` is, or None where it is torn or somebody else's."""
    if not line.startswith(b"{"):
        return None
    try:
        found = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, dict) else None


def wants(line: bytes, wanted: LogFilter) -> bool:
    parsed = parse(line)
    return parsed is not None and wanted.admits(parsed)


def _moment(line: dict[str, Any]) -> datetime | None:
    """When `line` was written, if it says so."""
    try:
        moment = datetime.fromisoformat(str(line.get("timestamp")))
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _written(value: str | int) -> str:
    """`value` as a line of the log has it."""
    return in_one_line(orjson.dumps(value).decode())
