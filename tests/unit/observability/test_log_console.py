from __future__ import annotations

import logging

from app.observability.logs.handlers import ReadableLines, request_id


def shown() -> str:
    return ReadableLines().format(logging.LogRecord("app", logging.INFO, "", 0, "happened", None, None))


def test_the_console_shows_the_beginning_of_a_requests_id() -> None:
    token = request_id.set("5f0c6a8e2b7d4c1e9a3f5f0c6a8e2b7d")
    line = shown()
    request_id.reset(token)
    assert line.endswith("happened request_id=5f0c6a8e")


def test_the_console_shows_no_id_outside_a_request() -> None:
    token = request_id.set("-")
    line = shown()
    request_id.reset(token)
    assert line.endswith("happened")
