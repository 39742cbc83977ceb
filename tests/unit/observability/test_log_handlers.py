from __future__ import annotations

import io
import logging
import sys
from pathlib import Path

import pytest

from app.observability.logs.handlers import LogFileHandler, configure_logging
from app.observability.logs.writer import LogWriter


def test_a_line_that_cannot_be_formatted_costs_only_itself(
    writer: LogWriter, capsys: pytest.CaptureFixture[str]
) -> None:
    record = logging.LogRecord("app", logging.INFO, "", 0, "happened", ("too", "many"), None)
    LogFileHandler(writer).handle(record)
    assert writer.lines_lost == 1
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("readable", [True, False])
def test_the_console_is_readable_where_it_is_asked_for_and_json_elsewhere(
    readable: bool, shop_log: logging.Logger, writer: LogWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    console = io.StringIO()
    monkeypatch.setattr(sys, "stderr", console)
    configure_logging("INFO", readable=readable, writer=writer)
    shop_log.info("happened", extra={"run_id": 1})
    assert ("\x1b[32m" in console.getvalue()) == readable
    assert console.getvalue().startswith("{") == (not readable)


def test_a_closed_console_costs_nothing(
    shop_log: logging.Logger, writer: LogWriter, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    closed = (tmp_path / "console").open("w")
    monkeypatch.setattr(sys, "stderr", closed)
    configure_logging("INFO", readable=False, writer=writer)
    closed.close()
    shop_log.info("happened")
