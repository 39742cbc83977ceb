"""The line of a request, which is the same whichever way it takes."""

from __future__ import annotations

import io
import json
import logging
import sys
from pathlib import Path
from typing import Any

import pytest

from app.observability.logs.context import request_id
from app.observability.logs.formatters import JsonFormatter
from app.observability.logs.handlers import configure_logging
from app.observability.logs.requests import log_request
from app.observability.logs.writer import LogWriter

OWN_ID = "0123456789abcdef0123456789abcdef"
FIELDS: dict[str, Any] = {
    "remote_addr": "127.0.0.1",
    "method": "GET",
    "path": "/api/v1/books/0",
    "status": 200,
    "duration": 0.00123456,
    "user": None,
    "request_id": OWN_ID,
    "route": "/api/v1/books/<int:book_idx>",
    "size": 300,
}


class Records(logging.Handler):
    """A handler that asks for records, as other tools add them."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(JsonFormatter())
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


def configure(level: str, writer: LogWriter, monkeypatch: pytest.MonkeyPatch, **options: bool) -> io.StringIO:
    """Configure the log as the server does, and return its console."""
    console = io.StringIO()
    monkeypatch.setattr(sys, "stderr", console)
    configure_logging(level, readable=options.get("readable", False), writer=writer)
    return console


def pairs(line: str) -> list[tuple[str, Any]]:
    """Return the keys and values in their order, without the time."""
    found: list[tuple[str, Any]] = json.loads(line, object_pairs_hook=list)
    return [pair for pair in found if pair[0] != "timestamp"]


def test_a_ready_line_is_what_a_record_would_be_formatted_as(
    shop_log: logging.Logger, writer: LogWriter, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    console = configure("INFO", writer, monkeypatch)
    log_request(**FIELDS)
    ready = path.read_text()
    assert console.getvalue() == ready
    records = Records()
    shop_log.addHandler(records)
    request_id.set(OWN_ID)
    log_request(**FIELDS)
    assert [pairs(line) for line in records.lines] == [pairs(ready)]
    assert len(json.loads(ready)["timestamp"]) == len(json.loads(records.lines[0])["timestamp"])


def test_a_person_at_a_terminal_sees_it_too(
    shop_log: logging.Logger, writer: LogWriter, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    console = configure("INFO", writer, monkeypatch, readable=True)
    log_request(**FIELDS)
    assert "path=/api/v1/books/0" in console.getvalue()
    assert json.loads(path.read_text())["path"] == "/api/v1/books/0"


def test_a_higher_level_leaves_it_out(
    shop_log: logging.Logger, writer: LogWriter, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    console = configure("WARNING", writer, monkeypatch)
    log_request(**FIELDS)
    assert not path.exists()
    assert console.getvalue() == ""


def test_a_closed_console_costs_no_request_anything(
    shop_log: logging.Logger, writer: LogWriter, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = (tmp_path / "console").open("w")
    monkeypatch.setattr(sys, "stderr", closed)
    configure_logging("INFO", readable=False, writer=writer)
    closed.close()
    log_request(**FIELDS)
    assert len(path.read_text().splitlines()) == 1
