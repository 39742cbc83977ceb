from __future__ import annotations

import io
import logging
import sys
from pathlib import Path

import pytest

from app.observability.logs.handlers import LogFileHandler, configure_logging
from app.observability.logs.writer import LogWriter


def test_a_line_that_cannot_be_formatted_costs_only_itself(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    writer = LogWriter(tmp_path / "app.jsonl", max_bytes=1_000, files=2)
    record = logging.LogRecord("app", logging.INFO, "", 0, "happened", ("too", "many"), None)
    LogFileHandler(writer).handle(record)
    writer.close()
    assert writer.lines_lost == 1
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("readable", [True, False])
def test_the_console_is_readable_where_it_is_asked_for_and_json_elsewhere(
    readable: bool, shop_log: logging.Logger, monkeypatch: pytest.MonkeyPatch
) -> None:
    console = io.StringIO()
    monkeypatch.setattr(sys, "stderr", console)
    configure_logging("INFO", readable=readable)
    shop_log.info("happened", extra={"run_id": 1})
    assert ("\x1b[32m" in console.getvalue()) == readable
    assert console.getvalue().startswith("{") == (not readable)


def test_a_console_that_is_gone_costs_nothing(
    shop_log: logging.Logger, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    gone = (tmp_path / "console").open("w")
    monkeypatch.setattr(sys, "stderr", gone)
    configure_logging("INFO", readable=False)
    gone.close()
    shop_log.info("happened")
