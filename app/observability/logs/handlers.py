"""Log lines: JSON objects in the file, readable ones on a developer's terminal; all carry the request's id.

What is written is an allow-list: the fields of `FIELDS`, and nothing else that a record may carry.
"""

from __future__ import annotations

import logging
import sys
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import orjson

from app.observability.logs.masking import in_one_line, mask, mask_trace
from app.observability.logs.writer import LogWriter
from app.observability.logs.writer import log as writer_log

request_id: ContextVar[str] = ContextVar("request_id", default="-")
"""The id of the request that this thread is answering."""

_MADE_BY_THE_SHOP: Final = frozenset(
    {"method", "route", "path", "status", "duration_ms", "remote_addr", "user_id", "bytes"}
)
_KNOBS: Final = frozenset(
    {
        "payment_denied_rate",
        "payment_error_rate",
        "payment_latency_ms",
        "stock_failure_rate",
        "internal_error_rate",
        "slow_rate",
        "slow_ms",
        "seed",
    }
)
FIELDS: Final = (
    _MADE_BY_THE_SHOP
    | _KNOBS
    | frozenset(
        {
            "books",
            "by",
            "task",
            "lines_lost",
            "mismatch",
            "order_id",
            "outcome",
            "reason",
            "reused",
            "role",
            "run_id",
            "total",
            "url",
            "username",
            "version",
        }
    )
)
"""The names that `extra=` may use; others are dropped. Never a body, password, token, key or cookie."""

_SHOWN_OF_AN_ID = 8
_COLOURS = {"DEBUG": 2, "INFO": 32, "WARNING": 33, "ERROR": 31, "CRITICAL": 31}


def log_path(data_dir: Path) -> Path:
    """Where the shop on `data_dir` keeps its log."""
    return data_dir / "logs" / "app.jsonl"


def configure_logging(level: str, *, readable: bool, writer: LogWriter | None = None) -> None:
    """Send this process' log to standard error and, as JSON lines, to `writer`."""
    console = Console(sys.stderr)
    console.setFormatter(ReadableLines(colours=True) if readable else JsonLines())
    shop = logging.getLogger("app")
    shop.handlers[:] = [console] if writer is None else [console, LogFile(writer)]
    shop.setLevel(level)
    shop.propagate = False


class Console(logging.StreamHandler[Any]):
    """A console that nobody listens to any more costs no request anything."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        pass


class LogFile(logging.Handler):
    """Hands lines to a writer."""

    def __init__(self, writer: LogWriter) -> None:
        super().__init__()
        self._writer = writer
        self.setFormatter(JsonLines())
        # The file can't be told its own troubles: that would come back here.
        self.addFilter(lambda record: record.name != writer_log.name)

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._writer.write(self.format(record).encode() + b"\n")
        except Exception as error:  # noqa: BLE001 - whatever is wrong with a line, its request goes on
            self._writer.lose(type(error).__name__)


class JsonLines(logging.Formatter):
    """NDJSON: one object a line, with the event's name and its fields."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "event": mask(record.getMessage()),
            "request_id": request_id.get(),
            **_fields(record),
        }
        if record.exc_info:
            line["exception"] = mask_trace(self.formatException(record.exc_info))
        # JSON escapes only what is below the space, and many readers also end lines at U+0085 or U+2028.
        return in_one_line(orjson.dumps(line).decode())


class ReadableLines(logging.Formatter):
    """For a person at a terminal: every line of an event after its first is set in."""

    def __init__(self, *, colours: bool = False) -> None:
        super().__init__()
        self._colours = colours

    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created).astimezone().strftime("%H:%M:%S")
        level = self._coloured(f"{record.levelname:<7}", _COLOURS.get(record.levelname, 0))
        # What a client sent may hold line ends: shown escaped, it can't pass for a line of the log.
        shown = _fields(record)
        if request_id.get() != "-":
            shown["request_id"] = request_id.get()[:_SHOWN_OF_AN_ID]
        fields = " ".join(f"{name}={in_one_line(str(value))}" for name, value in shown.items())
        event = in_one_line(mask(record.getMessage()))
        line = f"{self._coloured(time, 2)} {level} {event} {self._coloured(fields, 2)}".rstrip()
        if record.exc_info:
            trace = mask_trace(self.formatException(record.exc_info))
            line += "".join(f"\n    | {in_one_line(part)}" for part in trace.split("\n"))
        return line

    def _coloured(self, text: str, code: int) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._colours and text else text


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    """The allowed fields of `record`, masked, as values that JSON has."""
    return {name: _plain(name, value) for name, value in vars(record).items() if name in FIELDS}


def _plain(name: str, value: object) -> str | int | float | bool | None:
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        return value if abs(value) < 2**53 else mask(str(value))
    return str(value) if name in _MADE_BY_THE_SHOP else mask(str(value))
