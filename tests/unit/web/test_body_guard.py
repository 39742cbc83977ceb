"""How many requests are inside Flask; tests/e2e/test_slow_clients.py has the rest."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from werkzeug.test import EnvironBuilder, run_wsgi_app

from app.web import body_guard
from app.web.body_guard import FAILURE, UNLIMITED_PATH, BodyGuard, ServerBusy


class SlowApplication:
    """Shows what it is called with; `/slow` takes until it is told to end."""

    def __init__(self) -> None:
        self.called = threading.Event()
        self.may_end = threading.Event()
        self.failures: list[object] = []

    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        if environ["PATH_INFO"] == "/slow":
            self.called.set()
            self.may_end.wait(10)
        self.failures.append(environ.get(FAILURE))
        start_response("204 No Content", [])
        return []


@pytest.fixture
def application() -> SlowApplication:
    return SlowApplication()


@pytest.fixture
def guard(application: SlowApplication, monkeypatch: pytest.MonkeyPatch) -> BodyGuard:
    monkeypatch.setattr(body_guard, "ADMISSION_TIMEOUT_S", 0.01)
    return BodyGuard(
        application, max_body_bytes=1_000, max_requests=1, max_waits=1, timeout_s=1.0, min_rate=1_000
    )


def call(guard: BodyGuard, path: str) -> None:
    run_wsgi_app(guard, EnvironBuilder(path).get_environ())


@contextmanager
def a_request_inside(guard: BodyGuard, application: SlowApplication) -> Iterator[None]:
    thread = threading.Thread(target=call, args=(guard, "/slow"))
    thread.start()
    assert application.called.wait(10)
    yield
    application.may_end.set()
    thread.join()


def test_a_request_more_than_may_be_inside_is_refused(guard: BodyGuard, application: SlowApplication) -> None:
    with a_request_inside(guard, application):
        call(guard, "/")
        assert isinstance(application.failures[-1], ServerBusy)
    call(guard, "/")
    assert application.failures[-1] is None


def test_a_busy_process_says_that_it_lives(guard: BodyGuard, application: SlowApplication) -> None:
    with a_request_inside(guard, application):
        call(guard, UNLIMITED_PATH)
        assert application.failures == [None]
