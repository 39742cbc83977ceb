"""Formats log lines: JSON objects in the file, readable ones on a developer's terminal; all with the request's id.

`FIELDS` is an allow-list: nothing else that a record may carry is written.
"""

import functools
import logging
from datetime import UTC, datetime
from typing import Any, Final

import orjson

from app.observability.logs.context import NO_REQUEST, request_id
from app.observability.logs.masking import in_one_line, mask, mask_trace

_SEED_FIELDS: Final = ("remote_addr", "method", "path", "status", "duration", "user", "request_id")
REQUEST_FIELDS: Final = (*_SEED_FIELDS, "route", "bytes")
"""The fields of a request's line, in the order of the seed's log; the middleware makes them safe to log."""
_SIMULATION_FIELDS: Final = frozenset(
    {"payment_denied_rate", "payment_error_rate", "payment_latency_ms", "stock_failure_rate"}
    | {"internal_error_rate", "slow_rate", "slow_ms", "seed"}
)
FIELDS: Final = (
    _SIMULATION_FIELDS.union(REQUEST_FIELDS)
    | {"order_id", "outcome", "total", "by", "mismatch"}
    | {"run_id", "reason", "reused", "books", "version", "missed"}
    | {"username", "role", "task", "url", "lines_lost"}
)
"""The names that `extra=` may use; others are dropped. Never a body, password, token, key or cookie."""
_FORMATTED = "json_line"
_ID_PREFIX_CHARACTERS = 8
_COLOURS = {"DEBUG": 2, "INFO": 32, "WARNING": 33, "ERROR": 31, "CRITICAL": 31}


class JsonFormatter(logging.Formatter):
    """Formats NDJSON: one object a line, with the event's name and its fields."""

    def format(self, record: logging.LogRecord) -> str:
        # Kept with the record, as logging keeps a trace: the console and the file have the same line.
        if _FORMATTED in vars(record):
            return str(vars(record)[_FORMATTED])
        line: dict[str, Any] = {
            "timestamp": timestamp(record.created),
            "levelname": record.levelname,
            "name": record.name,
            "message": mask(record.getMessage()),
            **_fields(record),
        }
        if record.exc_info:
            line["exception"] = mask_trace(self.formatException(record.exc_info))
        # JSON escapes only what is below the space, and many readers also end lines at U+0085 or U+2028.
        formatted = vars(record)[_FORMATTED] = in_one_line(orjson.dumps(line).decode())
        return formatted


class ConsoleFormatter(logging.Formatter):
    """Formats for a person at a terminal, in colours; an event's lines after its first are indented."""

    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created).astimezone().strftime("%H:%M:%S")
        level = _coloured(f"{record.levelname:<7}", _COLOURS.get(record.levelname, 0))
        values = _fields(record)
        own_id = values.pop("request_id")
        if own_id != NO_REQUEST:
            values["request_id"] = own_id[:_ID_PREFIX_CHARACTERS]
        # A client's text may hold line ends: escaped, it can't pass for a line of the log.
        text = " ".join(f"{name}={in_one_line(str(value))}" for name, value in values.items())
        message = in_one_line(mask(record.getMessage()))
        line = f"{_coloured(time, 2)} {level} {message} {_coloured(text, 2)}".rstrip()
        if record.exc_info:
            trace = mask_trace(self.formatException(record.exc_info))
            line += "".join(f"\n    | {in_one_line(part)}" for part in trace.split("\n"))
        return line


def timestamp(seconds: float) -> str:
    """Return a time since 1970 in ISO 8601, UTC, to the millisecond."""
    milliseconds = int(seconds * 1_000)
    return f"{_date_and_time(milliseconds // 1_000)}.{milliseconds % 1_000:03}+00:00"


@functools.lru_cache(maxsize=2)
def _date_and_time(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _coloured(text: str, code: int) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if text else text


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    """Return the allowed fields of `record`, masked, as values that JSON has: those of a request first."""
    values = vars(record) | {"request_id": request_id.get()}
    names: list[str] = [name for name in REQUEST_FIELDS if name in values]
    names += [name for name in values if name in FIELDS and name not in REQUEST_FIELDS]
    return {name: _plain(name, values[name]) for name in names}


def _plain(name: str, value: object) -> str | int | float | bool | None:
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        return value if abs(value) < 2**53 else mask(str(value))
    return str(value) if name in REQUEST_FIELDS and name != "user" else mask(str(value))
